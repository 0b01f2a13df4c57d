/* Durations as people write them: "2.5s", "100ms", "20us", a plain number in a unit of the caller's. */
#ifndef EMULATOR_HOST_DURATION_H
#define EMULATOR_HOST_DURATION_H

#include "machine.h"

/* The longest duration accepted: virtual time itself wraps after 213 days. */
#define DURATION_MAX VTIME_S(200ull * 24 * 3600)

/*
 * Reads a decimal number with an optional fraction and an optional unit out of
 * s, ms, us, ns, and nothing after it. `plain_unit` is what a number without a
 * unit counts in; 0 makes the unit mandatory. False: malformed, or above
 * DURATION_MAX; `*duration` is untouched.
 */
bool duration_parse(const char *text, vtime plain_unit, vtime *duration);

#endif
