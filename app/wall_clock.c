#include "app/wall_clock.h"

enum {
    SECONDS_PER_DAY = 86400,
    DAYS_PER_4_YEARS = 1461,
    FIRST_YEAR = 1968, /* a leap year, so that each four years begin with one */
    DAYS_BEFORE_1970 = 731,
};

static char *put(char *at, unsigned value, unsigned digits, char behind)
{
    for (unsigned i = digits; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    at[digits] = behind;
    return at + digits + 1;
}

/* `day` of a year, from 0. Returns the month, from 1, and leaves the day of it, from 1. */
static unsigned take_months(unsigned *day, unsigned february)
{
    unsigned month = 1;
    for (; month < 12; month++) {
        unsigned length = month == 2                                              ? february
                          : month == 4 || month == 6 || month == 9 || month == 11 ? 30
                                                                                  : 31;
        if (*day < length)
            break;
        *day -= length;
    }
    ++*day;
    return month;
}

/* 2100 is no leap year, though divisible by four. */
static char *put_date(char *at, uint32_t days)
{
    enum { MARCH_2100 = 47541 }; /* days since 1970 */

    days += DAYS_BEFORE_1970 + (days >= MARCH_2100 ? 1U : 0U);
    unsigned year = FIRST_YEAR + 4 * (days / DAYS_PER_4_YEARS);
    unsigned day = days % DAYS_PER_4_YEARS;
    unsigned february = 29;
    if (day >= 366) {
        year += 1 + (day - 366) / 365;
        day = (day - 366) % 365;
        february = 28;
    }
    unsigned month = take_months(&day, february);
    return put(put(put(at, year, 4, '-'), month, 2, '-'), day, 2, 'T');
}

void wall_clock_write(uint32_t unix_s, unsigned ms, char text[sizeof WALL_CLOCK_TEXT])
{
    uint32_t second = unix_s % SECONDS_PER_DAY;
    char *at = put_date(text, unix_s / SECONDS_PER_DAY);

    at = put(put(at, second / 3600, 2, ':'), second / 60 % 60, 2, ':');
    *put(put(at, second % 60, 2, '.'), ms, 3, 'Z') = 0;
}
