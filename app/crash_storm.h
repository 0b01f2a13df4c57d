/*
 * A firmware that crashes again and again would reset at once, for ever: its
 * connections, requests and floods of log would be all that the network sees of
 * it. So after a few crashes in a row each start waits, longer from crash to
 * crash; a run that lasts ends the row. In the full firmware.
 */
#ifndef APP_CRASH_STORM_H
#define APP_CRASH_STORM_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CRASH_STORM_FREE = 3, /* crashes in a row after which the start does not wait yet */
    CRASH_STORM_PAUSE_MAX_S = 64,
    CRASH_STORM_STABLE_S = 60, /* a run of this length ends the row */
};

/* In memory that survives a reset and is anything after power-on. */
struct crash_storm {
    uint32_t crashes; /* in a row */
    uint32_t check;
};

/* Once, at boot. `crashed`: so ended the last run. Returns the seconds to wait: 0, then 2, 4 … 64. */
uint32_t crash_storm_begin(struct crash_storm *storm, bool crashed) __attribute__((warn_unused_result));

/* This run has lasted. */
void crash_storm_end(struct crash_storm *storm);

#endif
