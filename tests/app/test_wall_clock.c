/* Times of day as text, against the C library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "app/wall_clock.h"

static void check(uint32_t seconds, unsigned ms)
{
    char text[sizeof WALL_CLOCK_TEXT], expected[64];
    time_t when = (time_t)seconds;
    struct tm tm;

    assert_non_null(gmtime_r(&when, &tm));
    size_t length = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(expected + length, sizeof expected - length, ".%03uZ", ms);
    wall_clock_write(seconds, ms, text);
    assert_string_equal(text, expected);
}

static void known_times(void **state)
{
    (void)state;
    char text[sizeof WALL_CLOCK_TEXT];

    wall_clock_write(0, 0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    wall_clock_write(1795351141, 123, text);
    assert_string_equal(text, WALL_CLOCK_TEXT);
    wall_clock_write(2085978496, 999, text); /* NTP's second era begins */
    assert_string_equal(text, "2036-02-07T06:28:16.999Z");
    wall_clock_write(UINT32_MAX, 0, text);
    assert_string_equal(text, "2106-02-07T06:28:15.000Z");
}

static void every_day(void **state)
{
    (void)state;
    for (uint32_t day = 0; day <= UINT32_MAX / 86400; day++) {
        check(day * 86400, day % 1000);
        if (day < UINT32_MAX / 86400)
            check(day * 86400 + 86399, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(every_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
