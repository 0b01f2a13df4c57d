/* The virtual board as a library: small programs run, their log, LEDs, sleep and end observed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "host_fixture.h"

enum {
    RCC_AHB1ENR = 0x40023830,
    GPIOB_MODER = 0x40020400,
    GPIOB_ODR = 0x40020414,
    GPIOC_IDR = 0x40020810,
    B1 = 1 << 13,
    CCM_ON = 1 << 20,                          /* as after reset */
    LD1_LD3_OUTPUT = 1 << 0 | 1 << 28 | 0x280, /* PB3, PB4 as after reset */
    LD1 = 1 << 0,
    LD3 = 1 << 14,
    CYCLES_PER_MS = 16000, /* HSI after reset */
};

static struct options quiet_options(void)
{
    struct options o = options_default();
    o.network = "none";
    o.timeout = VTIME_S(1); /* before the PHY has negotiated and the link is told */
    return o;
}

static unsigned count_of(const char *text)
{
    unsigned count = 0;
    for (const char *p = fixture_output(); (p = strstr(p, text)) != NULL; p++) {
        count++;
    }
    return count;
}

/* ---- Log and end ---- */

static void a_status_beyond_8_bits_is_no_success(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_exit(&tiny, 256);
    fixture_ends_with(&o, EXIT_FAILED);
    fixture_printed("the firmware ended with status 256, which becomes 1");
}

static void log_is_printed_until_timeout(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_log(&tiny, "first line\n");
    tiny_log(&tiny, "second\n");
    tiny_log(&tiny, "unfinished");
    fixture_ends_with(&o, EXIT_TIMEOUT);
    fixture_printed("first line\nsecond\nunfinished\n");
    fixture_printed("[board   1.000000] timeout");
}

static void busy_program_is_read_and_timed_out_too(void **state)
{
    (void)state;
    struct options o = quiet_options();
    o.timeout = VTIME_MS(20);
    tiny_log(&tiny, "busy\n");
    tiny_spin(&tiny);
    fixture_ends_with(&o, EXIT_TIMEOUT);
    fixture_printed("busy\n[board   0.020000] timeout");
}

static void until_and_fail_on(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_log(&tiny, "all is well\n");
    o.until = "is well";
    fixture_ends_with(&o, EXIT_AS_ASKED);
    o.fail_on = "is we";
    fixture_ends_with(&o, EXIT_FAILED);
    o.rtt = false; /* not shown, but looked at */
    fixture_ends_with(&o, EXIT_FAILED);
    assert_int_equal(count_of("all is well\n"), 2);
}

static void semihosting_gives_the_status(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_log(&tiny, "bye\n");
    tiny_exit(&tiny, 42);
    fixture_ends_with(&o, 42);
    fixture_printed("bye\n"); /* what was logged just before the end is not lost */
}

static void last_words_are_judged(void **state)
{
    (void)state;
    struct options o = quiet_options();
    o.fail_on = "panic";
    tiny_log(&tiny, "panic"); /* not even a whole line */
    tiny_exit(&tiny, 0);
    fixture_ends_with(&o, EXIT_FAILED);
}

static void awaited_line_comes_and_the_run_goes_on(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_systick(&tiny, CYCLES_PER_MS);
    tiny_log(&tiny, "one\n");
    tiny_naps(&tiny, 10);
    tiny_log(&tiny, "two\n");
    tiny_naps(&tiny, 10);
    tiny_log(&tiny, "three\n");
    struct virtual_board *board = fixture_open(&o);
    assert_true(virtual_board_run_until_line(board, "one", VTIME_S(1)));
    assert_true(virtual_board_run_until_line(board, "two", VTIME_S(1)));
    assert_string_equal(virtual_board_line(board), "two");
    assert_false(virtual_board_run_until_line(board, "three", VTIME_MS(1)));
    assert_true(virtual_board_run_until_line(board, "three", VTIME_S(1)));
    vtime now = machine_now(virtual_board_machine(board));
    assert_in_range(now, VTIME_MS(19), VTIME_MS(23));
    assert_false(virtual_board_run_until_line(board, "four", VTIME_MS(100)));
    assert_true(machine_now(virtual_board_machine(board)) >= now + VTIME_MS(100));
    virtual_board_close(board);
}

static void sleep_is_counted(void **state)
{
    (void)state;
    struct options o = quiet_options();
    o.stats = true;
    o.timeout = VTIME_S(1);
    tiny_systick(&tiny, 100 * CYCLES_PER_MS);
    fixture_ends_with(&o, EXIT_TIMEOUT);
    fixture_printed("asleep 99.9");
    fixture_printed("frames out");
    /* Ten periods of SysTick, and the first sleep. */
    assert_true(count_of("] 10 wake-ups") + count_of("] 11 wake-ups") == 1);
}

static void nothing_wakes(void **state)
{
    (void)state;
    struct options o = quiet_options();
    o.timeout = VTIME_NEVER;
    fixture_ends_with(&o, EXIT_TIMEOUT);
    fixture_printed("nothing will wake it");
}

/* ---- Reports ---- */

static void same_report_is_folded(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_store_times(&tiny, GPIOB_ODR, 1, 5); /* its clock is off */
    fixture_ends_with(&o, EXIT_TIMEOUT);
    assert_int_equal(count_of("warning: "), 2);
    assert_int_equal(count_of("0x08000218 store"), 2);
    fixture_printed("(5 times)");
    fixture_printed("5 warnings, 0 errors, 1 distinct");
}

static void strict_ends_at_the_first(void **state)
{
    (void)state;
    struct options o = quiet_options();
    o.strict = true;
    tiny_store_times(&tiny, GPIOB_ODR, 1, 5);
    tiny_log(&tiny, "after\n");
    fixture_ends_with(&o, EXIT_UNFAITHFUL);
    assert_int_equal(count_of("warning: "), 1);
    assert_int_equal(count_of("after"), 0);
}

static void damaged_rtt_is_told_once(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_systick(&tiny, CYCLES_PER_MS);
    tiny_log(&tiny, "good\n");
    tiny_naps(&tiny, 5);
    tiny_store(&tiny, TINY_RTT + 36, 0xFFFFFFFF);
    tiny_naps(&tiny, 5);
    fixture_ends_with(&o, EXIT_TIMEOUT);
    assert_int_equal(count_of("control block at 0x20000100 is damaged"), 1);
}

/* ---- LEDs, button, cable, script ---- */

static void leds_are_shown(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_store(&tiny, RCC_AHB1ENR, CCM_ON | 1 << 1);
    tiny_load(&tiny, RCC_AHB1ENR);
    tiny_store(&tiny, GPIOB_MODER, LD1_LD3_OUTPUT);
    tiny_store(&tiny, GPIOB_ODR, LD1);
    tiny_store(&tiny, GPIOB_ODR, LD3);
    fixture_ends_with(&o, EXIT_TIMEOUT);
    fixture_printed("LD1 (green) on\n");
    fixture_printed("LD1 (green) off\n");
    fixture_printed("LD3 (red) on\n");
}

static void make_button_program(void)
{
    tiny_store(&tiny, RCC_AHB1ENR, CCM_ON | 1 << 2);
    tiny_load(&tiny, RCC_AHB1ENR);
    tiny_log(&tiny, "ready\n");
    tiny_wait(&tiny, GPIOC_IDR, B1, B1);
    tiny_log(&tiny, "pressed\n");
    tiny_wait(&tiny, GPIOC_IDR, B1, 0);
    tiny_log(&tiny, "released\n");
}

static void script_presses_the_button(void **state)
{
    (void)state;
    struct options o = quiet_options();
    make_button_program();
    o.script = fixture_script("on \"ready\" after 50ms button press\n"
                              "on \"pressed\" cable out\n"
                              "on \"released\" within 1s print \"seen\"\n"
                              "at +10ms stop 9\n");
    fixture_ends_with(&o, 9);
    fixture_printed("] button down\npressed\n");
    fixture_printed("] cable out\n");
    fixture_printed("] button up\nreleased\n");
    fixture_printed("] seen\n");
}

static void button_held_at_start(void **state)
{
    (void)state;
    struct options o = quiet_options();
    o.button_down = true;
    o.until = "pressed";
    make_button_program();
    fixture_ends_with(&o, EXIT_AS_ASKED);
}

static void script_expectation_fails(void **state)
{
    (void)state;
    struct options o = quiet_options();
    make_button_program();
    o.script = fixture_script("\non \"pressed\" within 100ms stop\n");
    fixture_ends_with(&o, EXIT_FAILED);
    fixture_printed(":2: no log line with \"pressed\" came within 0.1 s");
}

static void reset_and_power_cycle_start_again(void **state)
{
    (void)state;
    struct options o = quiet_options();
    tiny_log(&tiny, "boot\n");
    o.script = fixture_script("on \"boot\" after 10ms reset\n"
                              "on \"boot\" after 10ms power-cycle\n"
                              "on \"boot\" after 10ms stop\n");
    fixture_ends_with(&o, EXIT_AS_ASKED);
    assert_int_equal(count_of("boot\n"), 3);
    /* Time goes on over both. */
    fixture_printed("] reset\nboot\n");
    fixture_printed("] power off and on\nboot\n[board   0.03");
}

static void actions_between_runs(void **state)
{
    (void)state;
    struct options o = quiet_options();
    const struct action power = {.kind = ACTION_POWER_CYCLE};
    tiny_log(&tiny, "boot\n");
    struct virtual_board *board = fixture_open(&o);
    assert_true(virtual_board_run_until_line(board, "boot", VTIME_S(1)));
    virtual_board_act(board, &power);
    assert_true(virtual_board_run_until_line(board, "boot", VTIME_S(1)));
    assert_true(virtual_board_run(board, machine_now(virtual_board_machine(board)) + VTIME_MS(10)));
    virtual_board_close(board);
}

/* ---- Determinism and pace ---- */

static uint64_t hash_of_run(uint64_t seed, const char *script)
{
    struct options o = quiet_options();
    o.seed = seed;
    o.script = script;
    struct virtual_board *board = fixture_open(&o);
    (void)virtual_board_run(board, VTIME_MS(300));
    uint64_t hash = machine_hash(virtual_board_machine(board));
    virtual_board_close(board);
    return hash;
}

static void same_run_has_the_same_hash(void **state)
{
    (void)state;
    tiny_systick(&tiny, CYCLES_PER_MS);
    make_button_program();
    tiny_naps(&tiny, 20);
    tiny_log(&tiny, "end\n");
    const char *script =
        fixture_script("at 10ms button press\non \"pressed\" cable out\nat +5ms cable in\nat +3ms reset\n");
    uint64_t hash = hash_of_run(1, script);
    assert_true(hash == hash_of_run(1, script));
    assert_true(hash != hash_of_run(2, script));
    assert_true(hash != hash_of_run(1, NULL));
}

static uint64_t real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Only that it is not too fast can be judged without luck. */
static void takes_its_time(void)
{
    struct options o = quiet_options();
    o.pace = PACE_REAL;
    o.timeout = VTIME_MS(150);
    uint64_t start = real_ms();
    fixture_ends_with(&o, EXIT_TIMEOUT);
    assert_in_range(real_ms() - start, 144, 60000);
}

/* The firmware, waiting for a broker that does not answer. Loosely: this host may be busy. */
static void waiting_is_ten_times_faster_than_real_time(void **state)
{
    (void)state;
    struct options o = quiet_options();
    struct timespec used;
    o.firmware = MOTE_FIRMWARE_DIR "/mote-static.elf";
    o.timeout = VTIME_S(30);
    struct virtual_board *board = fixture_open(&o);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    double begin = (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
    assert_int_equal(virtual_board_run_to_end(board), EXIT_TIMEOUT);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    double seconds = (double)used.tv_sec + 1e-9 * (double)used.tv_nsec - begin;
    virtual_board_close(board);
    print_message("30 s of virtual time took %.4f s, a %.0fth\n", seconds, 30 / seconds);
    assert_true(seconds < 3);
    fixture_printed("link up");
}

static void real_pace_takes_its_time(void **state)
{
    (void)state;
    takes_its_time(); /* one long sleep */
    tiny_init(&tiny);
    tiny_systick(&tiny, CYCLES_PER_MS * 7);
    takes_its_time();
    tiny_init(&tiny);
    tiny_spin(&tiny);
    takes_its_time();
}

static void real_timeout_ends_it(void **state)
{
    (void)state;
    struct options o = quiet_options();
    o.timeout = VTIME_NEVER;
    o.timeout_real = VTIME_MS(50);
    tiny_spin(&tiny);
    fixture_ends_with(&o, EXIT_TIMEOUT);
    fixture_printed("--timeout-real");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_status_beyond_8_bits_is_no_success),
        TEST(log_is_printed_until_timeout),
        TEST(busy_program_is_read_and_timed_out_too),
        TEST(until_and_fail_on),
        TEST(semihosting_gives_the_status),
        TEST(last_words_are_judged),
        TEST(awaited_line_comes_and_the_run_goes_on),
        TEST(sleep_is_counted),
        TEST(nothing_wakes),
        TEST(same_report_is_folded),
        TEST(strict_ends_at_the_first),
        TEST(damaged_rtt_is_told_once),
        TEST(leds_are_shown),
        TEST(script_presses_the_button),
        TEST(button_held_at_start),
        TEST(script_expectation_fails),
        TEST(reset_and_power_cycle_start_again),
        TEST(actions_between_runs),
        TEST(same_run_has_the_same_hash),
        TEST(real_pace_takes_its_time),
        TEST(waiting_is_ten_times_faster_than_real_time),
        TEST(real_timeout_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
