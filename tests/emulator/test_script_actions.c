/* What scripts do to the board, and the example in docs/scripts.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/file.h"
#include "host/wire.h"
#include "host_fixture.h"

#define FIRMWARE MOTE_FIRMWARE_DIR "/mote-dhcp.elf"

static struct options with(const char *firmware, const char *script)
{
    struct options o = options_default();
    o.firmware = firmware;
    o.network = "none";
    o.script = fixture_script(script);
    o.timeout = VTIME_S(30);
    return o;
}

static void ends_with(const char *firmware, const char *script, int status)
{
    struct options o = with(firmware, script);
    fixture_ends_with(&o, status);
}

/* ---- The manual ---- */

static void example_of_the_manual_works(void **state)
{
    (void)state;
    static const char begin[] = "```script\n";
    size_t size;
    char *manual = (char *)file_read(MOTE_SOURCE_DIR "/docs/scripts.md", 1 << 20, &size);
    assert_non_null(manual);
    manual[size - 1] = '\0';
    char *script = strstr(manual, begin);
    assert_non_null(script);
    script += sizeof begin - 1;
    char *end = strstr(script, "```");
    assert_non_null(end);
    *end = '\0';
    ends_with(FIRMWARE, script, 0);
    fixture_printed("kernel_clock = {now_us = ");
    free(manual);
}

/* ---- Actions ---- */

static void expectation_ends_the_run(void **state)
{
    (void)state;
    tiny_log(&tiny, "one\n");
    ends_with(NULL, "expect \"one\" within 1s\nexpect \"two\" within 2s\nstop 5\n", EXIT_FAILED);
    fixture_printed(":2: no log line with \"two\" came within 2 s");
}

static void interrupt_is_injected(void **state)
{
    (void)state;
    tiny_store(&tiny, 0xE000E100, 1u << 5); /* NVIC_ISER0 */
    tiny_naps(&tiny, 1);
    tiny_log(&tiny, "awake\n");
    ends_with(NULL, "at 10ms interrupt 4\nat 20ms interrupt 5\nexpect \"awake\" within 1ms\nstop 6\n", 6);
}

static void power_fails_and_comes_back(void **state)
{
    (void)state;
    tiny_delay(&tiny, 16000); /* 4 ms */
    tiny_log(&tiny, "ran\n");
    ends_with(NULL,
              "at 1ms power-cut\npower-cut\nat 1s print \"still dark\"\npower-on\npower-on\n"
              "expect \"ran\" within 10ms\nstop 7\n",
              7);
    fixture_printed(
        "power off\n[board   0.001000] power off\n[board   1.000000] still dark\n[board   1.000000] "
        "power on");
}

static void text_comes_in_at_the_uart(void **state)
{
    (void)state;
    enum { RXNE = 1 << 5 };
    tiny_store(&tiny, 0x40023830, 1 << 20 | 1 << 3); /* GPIOD; CCM as after reset */
    tiny_store(&tiny, 0x40023840, 1 << 18);          /* USART3 */
    tiny_store(&tiny, 0x40020C00, 2 << 16 | 2 << 18);
    tiny_store(&tiny, 0x40020C24, 7 << 0 | 7 << 4);
    tiny_store(&tiny, 0x40004808, 139);
    tiny_store(&tiny, 0x4000480C, 1 << 13 | 1 << 3 | 1 << 2);
    for (unsigned i = 0; i < 3; i++) {
        tiny_wait(&tiny, 0x40004800, RXNE, RXNE);
        tiny_wait(&tiny, 0x40004804, 0xFF, (unsigned char)"ok\n"[i]); /* reading takes it */
    }
    tiny_log(&tiny, "understood\n");
    ends_with(NULL, "at 1ms uart \"ok\"\nexpect \"understood\" within 2ms\nstop 8\n", 8);
}

static void variables_are_dumped(void **state)
{
    (void)state;
    tiny_log(&tiny, "x\n");
    ends_with(NULL, "on \"x\" dump _SEGGER_RTT\nstop 0\n", 0);
    fixture_printed("_SEGGER_RTT = 53 45 47 47 45 52 20 52 54 54 00 00");
    ends_with(FIRMWARE, "expect \"link up\" within 5s\ndump _SEGGER_RTT\ndump hclk_hz\nstop 0\n", 0);
    fixture_printed("_SEGGER_RTT = {id = \"SEGGER RTT\", up_channels = 1, down_channels = ");
    fixture_printed("hclk_hz = 180000000\n");
    struct options o = with(FIRMWARE, "cable in\ndump no_such_thing\n");
    fixture_refused(&o, ":2: the ELF has no variable 'no_such_thing'");
}

/* ---- Frames ---- */

struct taken {
    unsigned frames, damaged;
    uint8_t byte_20; /* of the last */
};

static void take(void *context, const uint8_t *frame, size_t length, bool damaged)
{
    struct taken *taken = context;
    assert_true(length > 20);
    taken->frames++;
    taken->damaged += damaged;
    taken->byte_20 = frame[20];
}

/* Who has 10.0.2.2? The gateway answers, and byte 20 of its answer is the high byte of the operation, 0. */
static const uint8_t arp_request[42] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0,  1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
    1,    2,    0,    0,    0,    0,    1, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};

static void ask(struct machine *m, struct wire *wire)
{
    wire_frame_out(wire, arp_request, sizeof arp_request);
    machine_run(m, machine_now(m) + VTIME_MS(1));
}

static void frames_meet_their_faults(void **state)
{
    (void)state;
    char error[NETWORK_MESSAGE];
    struct taken taken = {0};
    struct elf elf = tiny_open(&tiny);
    struct machine *m = machine_create(&(struct host){0}, 1);
    struct wire *wire = calloc(1, sizeof *wire);
    assert_true(elf_load(&elf, m, error, sizeof error));
    machine_power_on(m);
    assert_true(wire_open(wire, m, "slirp", NULL, error, sizeof error));
    wire->take = take;
    wire->take_context = &taken;
    ask(m, wire);
    assert_int_equal(taken.frames, 1);

    const struct wire_fault faults[] = {
        {.kind = WIRE_DROP, .countdown = 2},
        {.kind = WIRE_DUPLICATE, .countdown = 3},
        {.kind = WIRE_CORRUPT, .countdown = 4, .byte = -1},
        {.kind = WIRE_CORRUPT, .countdown = 5, .byte = 20},
        {.kind = WIRE_DROP, .outward = true, .countdown = 6},
        {.kind = WIRE_CORRUPT, .outward = true, .countdown = 7, .byte = -1},
        {.kind = WIRE_CORRUPT, .outward = true, .countdown = 8, .byte = 21}, /* now it is no request */
        {.kind = WIRE_DUPLICATE, .outward = true, .countdown = 9},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        assert_true(wire_disturb(wire, &faults[i]));
    }
    static const struct {
        unsigned frames, damaged;
        uint8_t byte_20;
    } expected[] = {{1, 0, 0},    {0, 0, 0},    {2, 0, 0},    {1, 1, 0}, {1, 0, 0x10},
                    {0, 0, 0x10}, {0, 0, 0x10}, {0, 0, 0x10}, {2, 0, 0}, {1, 0, 0}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct taken before = taken;
        ask(m, wire);
        assert_int_equal(taken.frames - before.frames, expected[i].frames);
        assert_int_equal(taken.damaged - before.damaged, expected[i].damaged);
        assert_int_equal(taken.byte_20, expected[i].byte_20);
    }
    assert_int_equal(wire->fault_count, 0);
    for (unsigned i = 0; i < WIRE_FAULTS; i++) {
        assert_true(wire_disturb(wire, &faults[0]));
    }
    assert_false(wire_disturb(wire, &faults[0]));
    wire_close(wire);
    free(wire);
    machine_destroy(m);
    elf_close(&elf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(example_of_the_manual_works, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(expectation_ends_the_run, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(interrupt_is_injected, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(power_fails_and_comes_back, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(text_comes_in_at_the_uart, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(variables_are_dumped, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(frames_meet_their_faults, fixture_set_up, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
