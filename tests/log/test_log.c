/* Lines in the RTT ring as a probe reads them: layout, wrap-around, losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/log.h"
#include "log/rtt.h"

static uint64_t time_us;
static char output[8 * RTT_RING_SIZE];

static uint64_t now_us(void)
{
    return time_us;
}

/* As the probe does: takes all that is there. */
static const char *drained(void)
{
    struct rtt_channel *up = &_SEGGER_RTT.up;
    size_t length = 0;
    while (up->read != up->write) {
        assert_true(up->read < up->size && up->write < up->size);
        output[length++] = up->buffer[up->read];
        up->read = (up->read + 1) % up->size;
    }
    output[length] = '\0';
    return output;
}

static int set_up(void **state)
{
    (void)state;
    time_us = 1234567;
    log_init(now_us);
    return 0;
}

static void test_control_block(void **state)
{
    (void)state;
    assert_memory_equal(_SEGGER_RTT.id, "SEGGER RTT\0\0\0\0\0\0", 16);
    assert_int_equal(_SEGGER_RTT.up_channels, 1);
    assert_int_equal(_SEGGER_RTT.up.size, RTT_RING_SIZE);
    assert_string_equal(_SEGGER_RTT.up.name, "Terminal");
}

static void test_levels_and_time(void **state)
{
    (void)state;
    LOG_INFO("net: address %u.%u.%u.%u", 10u, 0u, 2u, 15u);
    assert_string_equal(drained(), "[    1.234567] I net: address 10.0.2.15\n");
    LOG_ERROR("a");
    LOG_WARNING("b");
    LOG_DEBUG("%s", "compiled out");
    assert_string_equal(drained(), "[    1.234567] E a\n[    1.234567] W b\n");
    log_write(LOG_LEVEL_DEBUG, "d");
    assert_string_equal(drained(), "[    1.234567] D d\n");
}

static void test_times(void **state)
{
    static const struct {
        uint64_t us;
        const char *text;
    } cases[] = {
        {0, "[    0.000000] I x\n"},
        {999999, "[    0.999999] I x\n"},
        {1000000, "[    1.000000] I x\n"},
        {86400u * 1000000ull + 42, "[86400.000042] I x\n"},
        {UINT32_MAX * 1000000ull + 999999, "[4294967295.999999] I x\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        time_us = cases[i].us;
        LOG_INFO("x");
        assert_string_equal(drained(), cases[i].text);
    }
    log_init(NULL);
    LOG_INFO("x");
    assert_string_equal(drained(), cases[0].text);
}

static void test_long_line_is_cut(void **state)
{
    static const char head[] = "[    1.234567] I ";
    char text[LOG_LINE_SIZE + 1];
    const size_t fits = LOG_LINE_SIZE - 1 - (sizeof head - 1);
    (void)state;

    memset(text, 'x', sizeof text);
    LOG_INFO("%.*s", (int)fits, text);
    const char *line = drained();
    assert_int_equal(strlen(line), LOG_LINE_SIZE);
    assert_int_equal(line[LOG_LINE_SIZE - 2], 'x');

    LOG_INFO("%.*s", (int)fits + 1, text);
    line = drained();
    assert_int_equal(strlen(line), LOG_LINE_SIZE);
    assert_string_equal(line + LOG_LINE_SIZE - 3, "x~\n");

    LOG_INFO("%.*s%u", (int)fits - 1, text, 12u);
    assert_string_equal(drained() + LOG_LINE_SIZE - 3, "x~\n");
}

/* Many lines of different lengths through the ring, over its end. */
static void test_wrap_around(void **state)
{
    char expected[LOG_LINE_SIZE + 1];
    (void)state;
    for (int i = 0; i < 2000; i++) {
        LOG_INFO("%.*s %d", i % 37, "abcdefghijklmnopqrstuvwxyzabcdefghijklmn", i);
        snprintf(expected, sizeof expected, "[    1.234567] I %.*s %d\n", i % 37,
                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmn", i);
        assert_string_equal(drained(), expected);
    }
    assert_int_equal(log_lines_lost(), 0);
}

/* What is in the ring stays, what does not fit is counted, and told as soon as it can be. */
static void test_losses(void **state)
{
    (void)state;
    const size_t line = sizeof "[    1.234567] I 00\n" - 1;
    const unsigned fit = (unsigned)((RTT_RING_SIZE - 1) / line);

    for (unsigned i = 0; i < fit + 3; i++)
        LOG_INFO("%02u", i % 100);
    assert_int_equal(log_lines_lost(), 3);
    assert_int_equal(strlen(drained()), fit * line);
    assert_string_equal(output + (fit - 1) * line, "[    1.234567] I 50\n");

    LOG_INFO("again");
    assert_string_equal(drained(), "[    1.234567] W (3 lines lost)\n[    1.234567] I again\n");
    LOG_INFO("and on");
    assert_string_equal(drained(), "[    1.234567] I and on\n");
}

/* Room for the line but not for the remark before it: neither goes, a new loss. */
static void test_loss_while_reporting(void **state)
{
    (void)state;
    const size_t line = sizeof "[    1.234567] I 00\n" - 1;
    while (log_lines_lost() == 0)
        LOG_INFO("%02u", 0u);
    _SEGGER_RTT.up.read = (uint32_t)(2 * line); /* the probe took two lines */
    LOG_INFO("%02u", 1u);
    assert_int_equal(log_lines_lost(), 2);
    assert_null(strstr(drained(), "lost"));
    assert_null(strstr(output, "I 01"));
    LOG_INFO("%02u", 2u);
    assert_string_equal(drained(), "[    1.234567] W (2 lines lost)\n[    1.234567] I 02\n");
}

/* The read offset comes from outside: whatever it is, the ring's bounds hold. */
static void test_hostile_read_offset(void **state)
{
    static const uint32_t offsets[] = {RTT_RING_SIZE, RTT_RING_SIZE + 1, 0x7FFFFFFF, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        _SEGGER_RTT.up.read = offsets[i];
        for (int n = 0; n < 200; n++)
            LOG_INFO("%d", n);
        assert_true(_SEGGER_RTT.up.write < RTT_RING_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_control_block, set_up),
        cmocka_unit_test_setup(test_levels_and_time, set_up),
        cmocka_unit_test_setup(test_times, set_up),
        cmocka_unit_test_setup(test_long_line_is_cut, set_up),
        cmocka_unit_test_setup(test_wrap_around, set_up),
        cmocka_unit_test_setup(test_losses, set_up),
        cmocka_unit_test_setup(test_loss_while_reporting, set_up),
        cmocka_unit_test_setup(test_hostile_read_offset, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
