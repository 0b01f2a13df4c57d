/* The RTT ring to its last byte, and what a probe finds in the block; numbers of every length. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/format.h"
#include "log/rtt.h"

static int set_up(void **state)
{
    (void)state;
    rtt_init();
    return 0;
}

/* One channel up, none down: a probe would write to one that there is not. */
static void channels(void **state)
{
    (void)state;
    assert_int_equal(_SEGGER_RTT.up_channels, 1);
    assert_int_equal(_SEGGER_RTT.down_channels, 0);
}

/* From every place in the ring: all bytes but one fit at once, and not one more. */
static void to_the_last_byte(void **state)
{
    static char line[RTT_RING_SIZE];
    struct rtt_channel *up = &_SEGGER_RTT.up;
    (void)state;
    for (unsigned i = 0; i < RTT_RING_SIZE; i++) {
        memset(line, 'a' + (int)(i % 26), sizeof line);
        assert_false(rtt_write(line, RTT_RING_SIZE));
        assert_true(rtt_write(line, RTT_RING_SIZE - 1));
        assert_false(rtt_write(line, 1));
        for (unsigned k = 0; k < RTT_RING_SIZE - 1; k++)
            assert_int_equal(up->buffer[(up->read + k) % RTT_RING_SIZE], line[0]);
        assert_int_equal((up->write + 1) % RTT_RING_SIZE, up->read);
        up->read = up->write;
    }
}

/* Of a long, the most negative one too. */
static void long_numbers(void **state)
{
    const long numbers[] = {0, -1, 1, -5000000, LONG_MAX, LONG_MIN, LONG_MIN + 1, INT_MIN, INT_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char bytes[32], expected[32];
        struct log_text text = {.bytes = bytes, .size = sizeof bytes};
        log_format_args(&text, "%ld", numbers[i]);
        snprintf(expected, sizeof expected, "%ld", numbers[i]);
        assert_int_equal(text.length, strlen(expected));
        assert_memory_equal(bytes, expected, text.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(channels, set_up),
        cmocka_unit_test_setup(to_the_last_byte, set_up),
        cmocka_unit_test_setup(long_numbers, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
