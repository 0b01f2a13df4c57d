/* app/crash_storm.c: how long a start waits after so many crashes in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>

#include "app/crash_storm.h"

/* Returns the pause after the last of so many crashes. */
static uint32_t crash_times(struct crash_storm *storm, unsigned times)
{
    uint32_t pause_s = 0;

    for (unsigned i = 0; i < times; i++)
        pause_s = crash_storm_begin(storm, true);
    return pause_s;
}

static void test_pauses_double_up_to_a_bound(void **state)
{
    static const uint32_t pauses_s[] = {0, 0, 0, 2, 4, 8, 16, 32, 64, 64, 64};
    struct crash_storm storm = {0x12345678, 0x9ABCDEF0}; /* after power-on */

    (void)state;
    for (size_t i = 0; i < sizeof pauses_s / sizeof *pauses_s; i++) {
        assert_int_equal(crash_storm_begin(&storm, true), pauses_s[i]);
        assert_int_equal(storm.crashes, i + 1);
    }
}

static void test_a_start_for_another_reason_ends_the_row(void **state)
{
    struct crash_storm storm = {0};

    (void)state;
    assert_int_equal(crash_times(&storm, 5), 4);
    assert_int_equal(crash_storm_begin(&storm, false), 0);
    assert_int_equal(crash_times(&storm, CRASH_STORM_FREE), 0);
    assert_int_equal(crash_times(&storm, 1), 2);
}

static void test_a_run_that_lasts_ends_the_row(void **state)
{
    struct crash_storm storm = {0};

    (void)state;
    assert_int_equal(crash_times(&storm, 5), 4);
    crash_storm_end(&storm);
    assert_int_equal(crash_storm_begin(&storm, true), 0);
    assert_int_equal(storm.crashes, 1);
}

static void test_whatever_memory_is_after_power_on(void **state)
{
    (void)state;
    for (uint32_t word = 1; word != 0; word <<= 1) {
        struct crash_storm zeros = {0, word}, ones = {UINT32_MAX, ~word};

        assert_int_equal(crash_storm_begin(&zeros, true), 0);
        assert_int_equal(crash_storm_begin(&ones, true), 0);
    }
}

static void test_the_count_does_not_wrap(void **state)
{
    struct crash_storm storm = {0};
    uint32_t key;

    (void)state;
    assert_int_equal(crash_storm_begin(&storm, false), 0);
    key = storm.check;
    storm = (struct crash_storm){UINT32_MAX - 1, (UINT32_MAX - 1) ^ key};
    assert_int_equal(crash_storm_begin(&storm, true), CRASH_STORM_PAUSE_MAX_S);
    assert_int_equal(crash_storm_begin(&storm, true), 0);
    assert_int_equal(storm.crashes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_double_up_to_a_bound),
        cmocka_unit_test(test_a_start_for_another_reason_ends_the_row),
        cmocka_unit_test(test_a_run_that_lasts_ends_the_row),
        cmocka_unit_test(test_whatever_memory_is_after_power_on),
        cmocka_unit_test(test_the_count_does_not_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
