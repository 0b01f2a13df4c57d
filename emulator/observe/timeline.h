/*
 * What ran when, in virtual time, as JSON in the trace event format, which
 * Perfetto (ui.perfetto.dev) and chrome://tracing open: a track for each task
 * of the kernel's and each interrupt, for the core's sleep, the log, the LEDs'
 * pins and the frames.
 */
#ifndef EMULATOR_OBSERVE_TIMELINE_H
#define EMULATOR_OBSERVE_TIMELINE_H

#include <stdio.h>

#include "observe/calls.h"

enum { TIMELINE_FUNCTIONS = 8192 }; /* functions told apart as tasks */

/* Where what happened at an instant stands. */
enum timeline_track {
    TIMELINE_CORE = 1,
    TIMELINE_LOG,
    TIMELINE_PINS,
    TIMELINE_FRAMES,
    TIMELINE_FIXED_TRACKS,
};

struct timeline {
    const struct functions *functions;
    FILE *file;
    bool entering;                /* the next function that begins is an exception's handler */
    unsigned entered[CALLS_ROOM]; /* exceptions that are open */
    size_t depth;
    uint8_t interrupts_named[(CPU_EXCEPTIONS + 7) / 8];
    uint8_t tasks_named[TIMELINE_FUNCTIONS / 8];
};

/* `file` stays the caller's. */
void timeline_init(struct timeline *t, const struct functions *functions, FILE *file);
struct call_listener timeline_listener(struct timeline *t);
void timeline_instant(struct timeline *t, vtime at, enum timeline_track track, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void timeline_asleep(struct timeline *t, vtime from, vtime until);
/* After calls_finish. */
void timeline_finish(struct timeline *t);

#endif
