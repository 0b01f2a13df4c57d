#include "host/duration.h"

#include <string.h>

static const struct {
    const char *name;
    vtime ps;
} units[] = {
    {"s", VTIME_S(1)},
    {"ms", VTIME_MS(1)},
    {"us", VTIME_US(1)},
    {"ns", VTIME_NS(1)},
};

static vtime unit_of(const char *name, vtime plain_unit)
{
    if (*name == '\0') {
        return plain_unit;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(name, units[i].name) == 0) {
            return units[i].ps;
        }
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool duration_parse(const char *text, vtime plain_unit, vtime *duration)
{
    const char *p = text;
    uint64_t whole = 0;
    while (is_digit(*p)) {
        whole = whole * 10 + (uint64_t)(*p++ - '0');
        if (whole > DURATION_MAX) {
            return false;
        }
    }
    bool any_digit = p != text;
    const char *fraction = NULL;
    if (*p == '.') {
        fraction = ++p;
        while (is_digit(*p)) {
            p++;
        }
        any_digit |= p != fraction;
    }
    vtime unit = unit_of(p, plain_unit);
    if (!any_digit || unit == 0 || whole > DURATION_MAX / unit) {
        return false;
    }
    vtime value = whole * unit;
    /* Digits below a picosecond fall away with the integer division. */
    for (vtime digit = unit / 10; fraction != NULL && fraction < p && is_digit(*fraction); digit /= 10) {
        value += digit * (vtime)(*fraction++ - '0');
    }
    if (value > DURATION_MAX) {
        return false;
    }
    *duration = value;
    return true;
}
