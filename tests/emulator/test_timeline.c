/* The timeline of what a program tells: in any order that the kernel gives, each track is properly nested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/trace_events.h"
#include "observe/timeline.h"

enum { TRACKS = 64, DEPTH = 4096 };

static struct tasks tasks;
static struct function no_function = {0, 0, "(unknown)"};
static const struct functions functions = {&no_function, 1};
static struct timeline timeline;

static char *text;
static size_t text_size;
static FILE *file;

static int set_up(void **state)
{
    (void)state;
    tasks = (struct tasks){.traced = true,
                           .task[0] = {.name = "low", .priority = 1},
                           .task[1] = {.name = "high", .priority = 3},
                           .task[4] = {.name = "higher", .priority = 16},
                           .task[TASK_IDLE] = {.name = "idle"},
                           .resource[0] = {.name = "first", .number = 0},
                           .resource[1] = {.name = "second", .number = 1},
                           .resource_count = 2};
    file = open_memstream(&text, &text_size);
    timeline_init(&timeline, &functions, &tasks, file);
    return file == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static void finish(void)
{
    timeline_close_runs(&timeline, VTIME_S(1));
    timeline_finish(&timeline);
    fclose(file);
}

static void send(unsigned at, enum kernel_trace_event event, unsigned whom, unsigned other)
{
    timeline_traced(&timeline, VTIME_US(at), (uint32_t)event << 24 | other << 8 | whom);
}

static unsigned number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    assert_non_null(at);
    return (unsigned)strtoul(at + strlen(key), NULL, 10);
}

/* Each E ends the B that was last on its track, by its name, and none is left. */
static void check_nesting(void)
{
    static char open[TRACKS][DEPTH]; /* names one behind the other, each with a NUL before it */
    static size_t used[TRACKS];
    memset(used, 0, sizeof used);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char kind = strncmp(line, "{\"ph\":\"", 7) == 0 ? line[7] : ' ';
        if (kind != 'B' && kind != 'E') {
            continue;
        }
        unsigned track = number_after(line, "\"tid\":");
        assert_in_range(track, 0, TRACKS - 1);
        const char *name = strstr(line, "\"name\":");
        assert_non_null(name);
        size_t length = strcspn(name, "}") + 1;
        if (kind == 'B') {
            assert_true(used[track] + length <= DEPTH);
            memcpy(open[track] + used[track], name, length);
            used[track] += length;
        } else {
            assert_true(used[track] >= length);
            used[track] -= length;
            assert_memory_equal(open[track] + used[track], name, length);
        }
    }
    for (size_t i = 0; i < TRACKS; i++) {
        assert_int_equal(used[i], 0);
    }
}

static void test_preemption_of_one_that_is_about_to_start(void **state)
{
    (void)state;
    send(1, KERNEL_TRACE_START, 0, 0);
    send(2, KERNEL_TRACE_LOCK, 1, 0);
    send(3, KERNEL_TRACE_PREEMPT, 0, 1);
    send(4, KERNEL_TRACE_PREEMPT, 1, 4);
    send(5, KERNEL_TRACE_START, 4, 0);
    send(6, KERNEL_TRACE_END, 4, 0);
    send(7, KERNEL_TRACE_START, 1, 0);
    send(8, KERNEL_TRACE_END, 1, 0);
    send(9, KERNEL_TRACE_UNLOCK, 1, 0);
    send(10, KERNEL_TRACE_END, 0, 0);
    finish();
    assert_non_null(
        strstr(text, "\"B\",\"pid\":1,\"tid\":11,\"ts\":4.000000,\"name\":\"preempted by higher\""));
    assert_non_null(
        strstr(text, "\"E\",\"pid\":1,\"tid\":11,\"ts\":6.000000,\"name\":\"preempted by higher\""));
    assert_non_null(strstr(text, "\"E\",\"pid\":1,\"tid\":10,\"ts\":9.000000,\"name\":\"lock second\""));
    check_nesting();
}

static void test_what_is_open_ends_with_the_run(void **state)
{
    (void)state;
    send(1, KERNEL_TRACE_LOCK, 0, 0); /* of IDLE */
    send(2, KERNEL_TRACE_START, 0, 0);
    send(3, KERNEL_TRACE_LOCK, 0, 0);
    send(4, KERNEL_TRACE_LOCK, 1, 0);
    send(5, KERNEL_TRACE_PREEMPT, 0, 4);
    finish();
    check_nesting();
}

static uint32_t chance;

static unsigned random_below(unsigned limit)
{
    chance = chance * 1664525 + 1013904223;
    return (chance >> 16) % limit;
}

static const uint8_t ladder[] = {0, 1, 4}; /* tasks by priority */

/* A task runs, is interrupted by higher ones anywhere, locks and unlocks. Bounded by the ladder's length. */
static void run_task(size_t step, unsigned *now)
{
    unsigned task = ladder[step], locks = 0;
    uint8_t lock[4];
    if (step + 1 < sizeof ladder && random_below(4) == 0) { /* before it has begun, after it was announced */
        send(++*now, KERNEL_TRACE_PREEMPT, task, ladder[step + 1]);
        run_task(step + 1, now);
    }
    send(++*now, KERNEL_TRACE_START, task, 0);
    for (unsigned i = random_below(12); i > 0; i--) {
        unsigned what = random_below(4);
        if (what == 0 && locks < sizeof lock) {
            lock[locks] = (uint8_t)random_below(2);
            send(++*now, KERNEL_TRACE_LOCK, lock[locks++], 0);
        } else if (what == 1 && locks > 0) {
            send(++*now, KERNEL_TRACE_UNLOCK, lock[--locks], 0);
        } else if (what == 2) {
            send(++*now, KERNEL_TRACE_SPAWN, ladder[random_below(sizeof ladder)], 0);
        } else if (step + 1 < sizeof ladder) {
            size_t by = step + 1 + random_below((unsigned)(sizeof ladder - step - 1));
            send(++*now, KERNEL_TRACE_PREEMPT, task, ladder[by]);
            run_task(by, now);
        }
    }
    while (locks > 0) {
        send(++*now, KERNEL_TRACE_UNLOCK, lock[--locks], 0);
    }
    send(++*now, KERNEL_TRACE_END, task, 0);
}

static void test_any_order_that_the_kernel_gives(void **state)
{
    (void)state;
    unsigned now = 0;
    chance = 1;
    for (unsigned i = 0; i < 1000; i++) {
        run_task(random_below(sizeof ladder), &now);
    }
    assert_true(now > 5000);
    assert_int_equal(timeline.run_count, 0);
    finish();
    check_nesting();
}

/* Any program may write to the port. It gets what it asks for; nothing breaks. */
static void test_any_words(void **state)
{
    (void)state;
    chance = 2;
    for (unsigned i = 0; i < 20000; i++) {
        static const uint8_t whom[] = {0, 1, 4, 30, 0, 1, 2, 31};
        uint32_t word = random_below(65536) << 16 | random_below(65536);
        if (i % 4 != 0) {
            word = random_below(8) << 24 | (uint32_t)whom[random_below(8)] << 8 | whom[random_below(8)];
        }
        timeline_traced(&timeline, VTIME_US(i), word);
    }
    finish();
    assert_true(text_size > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_preemption_of_one_that_is_about_to_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_open_ends_with_the_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_order_that_the_kernel_gives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_words, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
