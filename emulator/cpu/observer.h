/*
 * Watching the core at work. Without an observer nothing of this costs anything: the run loop exists twice,
 * and exceptions look at one pointer.
 */
#ifndef EMULATOR_CPU_OBSERVER_H
#define EMULATOR_CPU_OBSERVER_H

#include "machine.h"

struct op;

/* Each may be NULL. None may change the machine. */
struct cpu_observer {
    void *context;
    /*
     * An instruction was executed (m->instructions counts it), `next` comes after it; after an exception that
     * it raised, `next` is the handler's first. `skipped`: its IT block's condition did not hold.
     */
    void (*executed)(void *context, struct machine *m, const struct op *op, const struct op *next,
                     bool skipped);
    /* The core goes to the handler of an exception. */
    void (*entered)(void *context, struct machine *m, unsigned exception, uint32_t handler);
    /* The handler of m->cpu.exception has ended; `entered` follows if it is tail-chained. */
    void (*left)(void *context, struct machine *m);
    /* A load or a store, which has had its effect, went to a device or to the core's own registers. */
    void (*accessed)(void *context, struct machine *m, uint32_t address, unsigned bytes, bool write,
                     uint32_t value);
    /* The core was reset, or its state replaced, and will go on at `start`. */
    void (*reset)(void *context, struct machine *m, uint32_t start);
};

/* From here on; NULL: nobody watches. The observer must stay valid. Not from within cpu_run. */
void cpu_observe(struct machine *m, const struct cpu_observer *observer);

#endif
