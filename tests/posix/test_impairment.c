/* The seeded link: what it does to frames, how often, and that it does it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "target/posix/impairment.h"

enum { FRAMES = 8000, LENGTH = 100 };

static struct impairment_config read_config(const char *text)
{
    struct impairment_config config = {0};
    char message[IMPAIRMENT_MESSAGE] = "";

    if (!impairment_parse(text, &config, message, sizeof message))
        fail_msg("%s", message);
    return config;
}

static void push_number(struct impairment *link, uint64_t now_us, uint32_t number)
{
    uint8_t tail[LENGTH - sizeof number] = {0};
    impairment_push(link, now_us, &number, sizeof number, tail, sizeof tail);
}

struct outcome {
    struct impairment_statistics statistics;
    uint64_t digest; /* of every frame's bytes and time */
    unsigned out_of_order;
    unsigned damaged_bits;
    uint64_t last_us;
};

static void take(struct outcome *outcome, const struct impaired_frame *frame, uint32_t *highest)
{
    uint32_t number;

    memcpy(&number, frame->bytes, sizeof number);
    for (size_t i = 0; i < frame->length; i++)
        outcome->digest = (outcome->digest ^ frame->bytes[i]) * 0x100000001B3u;
    outcome->digest = (outcome->digest ^ frame->due_us) * 0x100000001B3u;
    for (size_t i = sizeof number; i < frame->length; i++)
        outcome->damaged_bits += (unsigned)__builtin_popcount(frame->bytes[i]);
    assert_true(frame->due_us >= outcome->last_us);
    outcome->last_us = frame->due_us;
    if (number < *highest)
        outcome->out_of_order++;
    else if (number < FRAMES)
        *highest = number;
}

/* One frame each 100 us, taken out as they fall due. */
static struct outcome run(const char *text)
{
    const struct impairment_config config = read_config(text);
    struct outcome outcome = {0};
    struct impairment link;
    uint32_t highest = 0;

    impairment_init(&link, &config);
    for (uint32_t i = 0; i < FRAMES || impairment_due_us(&link) != UINT64_MAX; i++) {
        uint64_t now_us = i * UINT64_C(100);
        struct impaired_frame *frame;
        if (i < FRAMES)
            push_number(&link, now_us, i);
        while ((frame = impairment_pop(&link, now_us)) != NULL) {
            take(&outcome, frame, &highest);
            free(frame);
        }
    }
    outcome.statistics = link.statistics;
    return outcome;
}

static void assert_near(uint64_t value, uint64_t expected)
{
    assert_in_range(value, expected - expected / 5, expected + expected / 5);
}

static void perfect_without_configuration(void **state)
{
    (void)state;
    const struct outcome outcome = run("");
    assert_int_equal(outcome.statistics.passed, FRAMES);
    assert_int_equal(outcome.out_of_order + outcome.damaged_bits, 0);
    assert_int_equal(outcome.last_us, (FRAMES - 1) * 100);
}

static void as_often_as_asked(void **state)
{
    (void)state;
    struct outcome outcome = run("loss=10");
    assert_near(outcome.statistics.lost, FRAMES / 10);
    assert_int_equal(outcome.statistics.passed, FRAMES - outcome.statistics.lost);
    outcome = run("dup=10");
    assert_near(outcome.statistics.duplicated, FRAMES / 10);
    assert_int_equal(outcome.statistics.passed, FRAMES + outcome.statistics.duplicated);
    assert_int_equal(outcome.out_of_order, 0);
    outcome = run("reorder=10");
    assert_near(outcome.statistics.reordered, FRAMES / 10);
    assert_near(outcome.out_of_order, FRAMES / 10);
    outcome = run("corrupt=10");
    assert_near(outcome.statistics.corrupted, FRAMES / 10);
    /* What strikes the number itself is not counted here: 4 of 100 bytes. */
    assert_near(outcome.damaged_bits, outcome.statistics.corrupted * 96 / 100);
}

static void everything_or_nothing(void **state)
{
    (void)state;
    assert_int_equal(run("loss=100").statistics.passed, 0);
    assert_int_equal(run("dup=100").statistics.passed, 2 * FRAMES);
    assert_int_equal(run("corrupt=100").statistics.corrupted, FRAMES);
}

static void delay_shifts_and_jitter_keeps_the_order(void **state)
{
    (void)state;
    struct outcome outcome = run("delay=20");
    assert_int_equal(outcome.last_us, (FRAMES - 1) * 100 + 20000);
    outcome = run("delay=20,jitter=5");
    assert_int_equal(outcome.out_of_order, 0);
    assert_in_range(outcome.last_us, (FRAMES - 1) * 100 + 20000, (FRAMES - 1) * 100 + 25000);
}

/* 124 bytes on the wire at 1 Mbit/s are 992 us. */
static void rate_holds(void **state)
{
    (void)state;
    const struct outcome outcome = run("rate=1000,queue=1000000");
    assert_int_equal(outcome.statistics.passed, FRAMES);
    assert_int_equal(outcome.last_us, FRAMES * UINT64_C(992));
}

static void a_full_queue_drops(void **state)
{
    (void)state;
    const struct outcome outcome = run("rate=1000,queue=10");
    assert_near(outcome.statistics.overflowed, FRAMES * 9 / 10);
    assert_int_equal(outcome.statistics.passed + outcome.statistics.overflowed, FRAMES);
}

static void a_seed_repeats(void **state)
{
    (void)state;
#define ALL "loss=5,dup=5,reorder=5,corrupt=5,delay=3,jitter=2,rate=20000,seed="
    const struct outcome one = run(ALL "7");
    const struct outcome again = run(ALL "7");
    const struct outcome other = run(ALL "8");
    assert_int_equal(one.digest, again.digest);
    assert_int_not_equal(one.digest, other.digest);
}

static void texts(void **state)
{
    (void)state;
    const struct impairment_config config =
        read_config("loss=1.5,delay=0.25,hold=7,rate=10000,queue=5,seed=0x10");
    assert_int_equal(config.loss_ppm, 15000);
    assert_int_equal(config.delay_us, 250);
    assert_int_equal(config.reorder_us, 7000);
    assert_int_equal(config.rate_kbps, 10000);
    assert_int_equal(config.queue_frames, 5);
    assert_int_equal(config.seed, 16);
}

static void texts_that_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"loss",    "loss=",    "loss=x",       "loss=101",  "loss=-1",
                                        "loss=1x", "los=1",    "loss=nan",     "seed=tree", "=1",
                                        ",",       "delay=1 ", "loss=1,,dup=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct impairment_config config = {0};
        char message[IMPAIRMENT_MESSAGE] = "";
        if (impairment_parse(wrong[i], &config, message, sizeof message))
            fail_msg("'%s' was taken", wrong[i]);
        assert_non_null(strstr(message, "impairments: "));
    }
}

static void clearing_drops_what_is_under_way(void **state)
{
    (void)state;
    const struct impairment_config config = {.delay_us = 1000};
    struct impairment link;

    impairment_init(&link, &config);
    push_number(&link, 0, 1);
    assert_int_equal(impairment_due_us(&link), 1000);
    assert_null(impairment_pop(&link, 999));
    impairment_clear(&link);
    assert_int_equal(impairment_due_us(&link), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect_without_configuration),
        cmocka_unit_test(as_often_as_asked),
        cmocka_unit_test(everything_or_nothing),
        cmocka_unit_test(delay_shifts_and_jitter_keeps_the_order),
        cmocka_unit_test(rate_holds),
        cmocka_unit_test(a_full_queue_drops),
        cmocka_unit_test(a_seed_repeats),
        cmocka_unit_test(texts),
        cmocka_unit_test(texts_that_are_refused),
        cmocka_unit_test(clearing_drops_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
