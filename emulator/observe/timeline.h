/*
 * What ran when, in virtual time, as JSON in the trace event format, which
 * Perfetto (ui.perfetto.dev) and chrome://tracing open: a track for each task
 * of the kernel's and each interrupt, for the core's sleep, the log, the LEDs'
 * pins and the frames. A program that tells of its tasks (kernel/trace_itm.h) has
 * them drawn with their locks, spawns and preemptions instead.
 */
#ifndef EMULATOR_OBSERVE_TIMELINE_H
#define EMULATOR_OBSERVE_TIMELINE_H

#include <stdio.h>

#include "observe/calls.h"
#include "observe/tasks.h"

enum { TIMELINE_FUNCTIONS = 8192 }; /* functions told apart as tasks */

/* Where what happened at an instant stands. */
enum timeline_track {
    TIMELINE_CORE = 1,
    TIMELINE_LOG,
    TIMELINE_PINS,
    TIMELINE_FRAMES,
    TIMELINE_TIMER,
    TIMELINE_FIXED_TRACKS,
};

enum { TIMELINE_NONE = 0xFF, TIMELINE_RUNS = 32, TIMELINE_LOCKS = 16 };

/* Open ones, the innermost last. */
struct timeline_locks {
    uint8_t resource[TIMELINE_LOCKS];
    unsigned count;
};

/* A task that has begun and not ended. */
struct timeline_run {
    uint8_t task;
    uint8_t preempted; /* the task below it, whose track says so; TIMELINE_NONE */
    struct timeline_locks locks;
};

struct timeline {
    const struct functions *functions;
    FILE *file;
    bool entering;                /* the next function that begins is an exception's handler */
    unsigned entered[CALLS_ROOM]; /* exceptions that are open */
    const char *handler[CALLS_ROOM];
    size_t depth;
    uint8_t interrupts_named[(CPU_EXCEPTIONS + 7) / 8];
    uint8_t tasks_named[TIMELINE_FUNCTIONS / 8];

    const struct tasks *tasks; /* NULL: the ELF describes none */
    struct timeline_run runs[TIMELINE_RUNS];
    size_t run_count;
    struct timeline_locks idle_locks;
    uint8_t preempted_by[TASKS_MAX + 1]; /* whom a task that is about to start interrupts */
    unsigned arrow[TASKS_MAX + 1];       /* from its last spawn to its next start; 0: none */
    unsigned arrows;
};

/* `file` stays the caller's. */
void timeline_init(struct timeline *t, const struct functions *functions, const struct tasks *tasks,
                   FILE *file);
struct call_listener timeline_listener(struct timeline *t);
void timeline_instant(struct timeline *t, vtime at, unsigned track, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void timeline_asleep(struct timeline *t, vtime from, vtime until);
/* A word that the program has sent by kernel/trace_itm.h. */
void timeline_traced(struct timeline *t, vtime at, uint32_t word);
/* The core was reset, or the run is over: nothing that was open goes on. */
void timeline_close_runs(struct timeline *t, vtime at);
/* After calls_finish. */
void timeline_finish(struct timeline *t);

#endif
