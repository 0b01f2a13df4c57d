/* The host side's parts that need no machine: durations, pacing, folding of reports, lines, LEDs, keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "host/duration.h"
#include "host/keys.h"
#include "host/leds.h"
#include "host/pacing.h"
#include "host/report.h"

/* ---- Durations ---- */

static void good_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        vtime value;
    } cases[] = {
        {"2.5s", VTIME_MS(2500)},
        {"100ms", VTIME_MS(100)},
        {"20us", VTIME_US(20)},
        {"1ns", VTIME_NS(1)},
        {"0.001ns", 1},
        {".5s", VTIME_MS(500)},
        {"3.", VTIME_S(3)},
        {"7", VTIME_S(7)},
        {"0.0000000000009s", 0},
        {"0", 0},
        {"17280000s", VTIME_S(17280000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vtime value = 1;
        assert_true(duration_parse(cases[i].text, VTIME_S(1), &value));
        assert_int_equal(value, cases[i].value);
    }
}

static void bad_durations(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        ".",
                                        "s",
                                        "-1s",
                                        "1 s",
                                        "1sec",
                                        "1e3",
                                        "0x10",
                                        "17280000.1",
                                        "17280001s",
                                        "1..5",
                                        "1m",
                                        "99999999999999999999999999999999s"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vtime value = 42;
        if (duration_parse(cases[i], VTIME_S(1), &value)) {
            fail_msg("\"%s\" was taken", cases[i]);
        }
        assert_int_equal(value, 42);
    }
    vtime value;
    assert_false(duration_parse("5", 0, &value));
}

/* ---- Pacing ---- */

#define REAL_MS 1000000ull

static void virtual_time_waits_for_real(void **state)
{
    (void)state;
    struct pacing p;
    pacing_start(&p, VTIME_S(1), 5000 * REAL_MS);
    assert_int_equal(pacing_wait_ns(&p, VTIME_S(1) + VTIME_MS(10), 5000 * REAL_MS), 10 * REAL_MS);
    assert_int_equal(pacing_wait_ns(&p, VTIME_S(1) + VTIME_MS(10), 5004 * REAL_MS), 6 * REAL_MS);
    assert_int_equal(pacing_wait_ns(&p, VTIME_S(1) + VTIME_MS(10), 5010 * REAL_MS), 0);
    assert_int_equal(pacing_wait_ns(&p, VTIME_S(1) + VTIME_MS(10), 6000 * REAL_MS), 0);
    assert_int_equal(pacing_wait_ns(&p, 0, 5000 * REAL_MS), 0);
}

static void input_comes_at_the_real_instant(void **state)
{
    (void)state;
    struct pacing p;
    const vtime low = VTIME_MS(100), high = VTIME_MS(200);
    pacing_start(&p, low, 0);
    assert_int_equal(pacing_virtual(&p, 30 * REAL_MS, low, high), VTIME_MS(130));
    assert_int_equal(pacing_virtual(&p, 300 * REAL_MS, low, high), high);
    assert_int_equal(pacing_virtual(&p, UINT64_MAX, low, high), high);
    pacing_start(&p, low, 10 * REAL_MS);
    assert_int_equal(pacing_virtual(&p, 0, low, high), low);
    assert_int_equal(pacing_virtual(&p, 10 * REAL_MS, VTIME_MS(150), high), VTIME_MS(150));
}

static void jitter_is_caught_up(void **state)
{
    (void)state;
    struct pacing p;
    pacing_start(&p, 0, 0);
    pacing_forgive(&p, VTIME_MS(10), 12 * REAL_MS);
    assert_int_equal(p.forgiven_ns, 0);
    assert_int_equal(pacing_wait_ns(&p, VTIME_MS(20), 12 * REAL_MS), 8 * REAL_MS);
}

static void lag_is_forgiven(void **state)
{
    (void)state;
    struct pacing p;
    pacing_start(&p, 0, 0);
    pacing_forgive(&p, VTIME_MS(10), 3000 * REAL_MS);
    assert_int_equal(p.forgiven_ns, 2990 * REAL_MS);
    /* From here on at real speed, nothing is made up for. */
    assert_int_equal(pacing_wait_ns(&p, VTIME_MS(20), 3000 * REAL_MS), 10 * REAL_MS);
    assert_int_equal(pacing_virtual(&p, 3004 * REAL_MS, VTIME_MS(10), VTIME_MS(20)), VTIME_MS(14));
    pacing_forgive(&p, VTIME_MS(20), 3010 * REAL_MS);
    assert_int_equal(p.forgiven_ns, 2990 * REAL_MS);
}

/* However slow the host, in no window does virtual time run faster than real time plus the jitter. */
static void never_faster_than_real(void **state)
{
    (void)state;
    struct pacing p;
    uint64_t real = 0, window_real = 0;
    vtime now = 0, window_now = 0;
    uint32_t seed = 7;
    pacing_start(&p, 0, 0);
    for (unsigned i = 0; i < 10000; i++) {
        seed = seed * 1664525 + 1013904223;
        real += (seed >> 8) % 3 == 0 ? (seed >> 16) * 500ull : 1000; /* the host is busy: up to 33 ms */
        pacing_forgive(&p, now, real);
        vtime until = now + VTIME_US(100 + (seed >> 12) % 2000);
        real += pacing_wait_ns(&p, until, real);
        now = until;
        if (i % 50 == 0) {
            assert_true((now - window_now) / VTIME_NS(1) <= real - window_real + PACING_JITTER_NS);
            window_real = real;
            window_now = now;
        }
    }
}

/* ---- Reports ---- */

static const struct remark *add(struct reports *r, enum report_level level, uint32_t pc, const char *format,
                                ...) __attribute__((format(printf, 4, 5)));

static const struct remark *add(struct reports *r, enum report_level level, uint32_t pc, const char *format,
                                ...)
{
    va_list arguments;
    va_start(arguments, format);
    const struct remark *remark = reports_add(r, level, pc, format, arguments);
    va_end(arguments);
    return remark;
}

static void same_remark_is_shown_once(void **state)
{
    (void)state;
    struct reports r;
    assert_true(reports_init(&r));
    const struct remark *first = add(&r, REPORT_WARNING, 0x08000100, "write of %x", 5u);
    assert_non_null(first);
    assert_string_equal(first->text, "write of 5");
    for (unsigned i = 0; i < 1000; i++) {
        assert_null(add(&r, REPORT_WARNING, 0x08000100, "write of %x", i));
    }
    assert_int_equal(r.count, 1);
    assert_int_equal(r.remarks[0].count, 1001);
    assert_int_equal(r.warnings, 1001);
    assert_non_null(add(&r, REPORT_WARNING, 0x08000102, "write of %x", 5u));
    assert_non_null(add(&r, REPORT_WARNING, 0x08000100, "read of %x", 5u));
    assert_non_null(add(&r, REPORT_ERROR, 0x08000100, "read of %x", 5u));
    assert_int_equal(r.errors, 1);
    assert_int_equal(r.count, 4);
    reports_free(&r);
}

static void remarks_without_pc_fold_by_text(void **state)
{
    (void)state;
    struct reports r;
    assert_true(reports_init(&r));
    assert_non_null(add(&r, REPORT_WARNING, 0, "pin %d", 1));
    assert_non_null(add(&r, REPORT_WARNING, 0, "pin %d", 2));
    assert_null(add(&r, REPORT_WARNING, 0, "pin %d", 1));
    reports_free(&r);
}

static void notes_are_never_folded(void **state)
{
    (void)state;
    struct reports r;
    assert_true(reports_init(&r));
    assert_non_null(add(&r, REPORT_NOTE, 0, "link up"));
    const struct remark *again = add(&r, REPORT_NOTE, 0, "link up");
    assert_non_null(again);
    assert_string_equal(again->text, "link up");
    assert_int_equal(r.count, 0);
    reports_free(&r);
}

static void flood_of_distinct_remarks_is_bounded(void **state)
{
    (void)state;
    struct reports r;
    unsigned shown = 0;
    assert_true(reports_init(&r));
    for (uint32_t i = 0; i < 2 * REPORTS_MAX; i++) {
        shown += add(&r, REPORT_WARNING, 2 * i + 2, "odd") != NULL;
    }
    assert_int_equal(shown, REPORTS_MAX);
    assert_int_equal(r.unfolded, REPORTS_MAX);
    assert_int_equal(r.warnings, 2 * REPORTS_MAX);
    reports_free(&r);
}

/* ---- Lines and LEDs ---- */

static bool add_text(struct line_buffer *b, const char *text)
{
    bool complete = false;
    for (; *text != '\0'; text++) {
        complete = line_buffer_add(b, (uint8_t)*text);
    }
    return complete;
}

static void lines_are_cut(void **state)
{
    (void)state;
    static struct line_buffer b;
    assert_false(line_buffer_finish(&b));
    assert_false(add_text(&b, "one"));
    assert_true(add_text(&b, "\r\n"));
    assert_string_equal(b.text, "one");
    assert_true(line_buffer_add(&b, '\n'));
    assert_string_equal(b.text, "");
    line_buffer_add(&b, 0);
    assert_true(add_text(&b, "x\n"));
    assert_string_equal(b.text, " x");
    for (unsigned i = 1; i < CONSOLE_LINE_MAX; i++) {
        assert_false(line_buffer_add(&b, 'y'));
    }
    assert_true(line_buffer_add(&b, 'y'));
    assert_int_equal(strlen(b.text), CONSOLE_LINE_MAX);
    assert_false(add_text(&b, "tail"));
    assert_true(line_buffer_finish(&b));
    assert_string_equal(b.text, "tail");
}

static char *text;
static size_t text_size;

static struct console open_console(void)
{
    return (struct console){.out = open_memstream(&text, &text_size)};
}

static void expect_text(struct console *c, const char *expected)
{
    fclose(c->out);
    assert_string_equal(text, expected);
    free(text);
}

static void console_prefixes_and_escapes(void **state)
{
    (void)state;
    struct console c = open_console();
    console_line(&c, "log \033[2J\ttab \xc3\xa4\x7f");
    console_remark(&c, VTIME_US(3123456) + 999999, COLOUR_RED, "cable %s", "in");
    console_remark(&c, VTIME_S(1234), COLOUR_PLAIN, "late");
    expect_text(&c,
                "log \\x1b[2J\ttab \xc3\xa4\\x7f\n[board   3.123456] cable in\n[board 1234.000000] late\n");
}

static void colours_end(void **state)
{
    (void)state;
    struct console c = open_console();
    c.colour = true;
    console_remark(&c, 0, COLOUR_GREEN, "x");
    expect_text(&c, "[board   0.000000] \033[32mx\033[0m\n");
}

static void leds_are_lines(void **state)
{
    (void)state;
    struct console c = open_console();
    struct leds leds = {.shown = LEDS_STEADY};
    leds_pin(&leds, &c, 0, 1, 0, true);
    leds_pin(&leds, &c, 0, 1, 0, true);  /* no change */
    leds_pin(&leds, &c, 0, 1, 7, true);  /* LD2: counted only */
    leds_pin(&leds, &c, 0, 0, 14, true); /* PA14 is no LED */
    leds_pin(&leds, &c, VTIME_S(1), 1, 14, true);
    leds_pin(&leds, &c, VTIME_S(2), 1, 14, false);
    leds_summary(&leds, &c, VTIME_S(3));
    expect_text(&c, "[board   0.000000] LD1 (green) on\n"
                    "[board   1.000000] LD3 (red) on\n"
                    "[board   2.000000] LD3 (red) off\n"
                    "[board   3.000000] LD1 on (1 changes), LD2 on (1 changes), LD3 off (2 changes)\n");
}

static void leds_shown_or_not(void **state)
{
    (void)state;
    struct console c = open_console();
    struct leds all = {.shown = LEDS_ALL}, none = {.shown = LEDS_NONE};
    leds_pin(&all, &c, 0, 1, 7, true);
    leds_pin(&none, &c, 0, 1, 0, true);
    assert_true(none.lit[0]);
    expect_text(&c, "[board   0.000000] LD2 (blue) on\n");
}

/* ---- Keys ---- */

static void keys_come_by_a_pipe(void **state)
{
    (void)state;
    int ends[2];
    char buffer[8];
    struct keys keys;
    assert_int_equal(pipe(ends), 0);
    keys_open(&keys, ends[0]);
    assert_false(keys.terminal);
    assert_int_equal(write(ends[1], "bq", 2), 2);
    assert_int_equal(keys_read(&keys, buffer, sizeof buffer), 2);
    close(ends[1]);
    assert_int_equal(keys_read(&keys, buffer, sizeof buffer), 0);
    assert_int_equal(keys.fd, -1);
    close(ends[0]);
}

static void keys_have_meanings(void **state)
{
    (void)state;
    struct action action;
    assert_true(keys_action('b', &action));
    assert_int_equal(action.kind, ACTION_BUTTON_PRESS);
    assert_true(keys_action('c', &action));
    assert_int_equal(action.kind, ACTION_CABLE_TOGGLE);
    assert_true(keys_action('r', &action));
    assert_int_equal(action.kind, ACTION_RESET);
    assert_true(keys_action('q', &action));
    assert_int_equal(action.kind, ACTION_STOP);
    assert_int_equal(action.status, 0);
    assert_false(keys_action('\n', &action));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_durations),
        cmocka_unit_test(bad_durations),
        cmocka_unit_test(virtual_time_waits_for_real),
        cmocka_unit_test(input_comes_at_the_real_instant),
        cmocka_unit_test(jitter_is_caught_up),
        cmocka_unit_test(lag_is_forgiven),
        cmocka_unit_test(never_faster_than_real),
        cmocka_unit_test(same_remark_is_shown_once),
        cmocka_unit_test(remarks_without_pc_fold_by_text),
        cmocka_unit_test(notes_are_never_folded),
        cmocka_unit_test(flood_of_distinct_remarks_is_bounded),
        cmocka_unit_test(lines_are_cut),
        cmocka_unit_test(console_prefixes_and_escapes),
        cmocka_unit_test(colours_end),
        cmocka_unit_test(leds_are_lines),
        cmocka_unit_test(leds_shown_or_not),
        cmocka_unit_test(keys_come_by_a_pipe),
        cmocka_unit_test(keys_have_meanings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
