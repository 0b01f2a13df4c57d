/*
 * A fault in words: what was done where, what the fault status registers say
 * and mean (ARMv7-M B1.5.14, B3.2.15 to B3.2.18), the registers, a backtrace.
 */
#ifndef EMULATOR_HOST_FAULT_H
#define EMULATOR_HOST_FAULT_H

#include "host/symbols.h"
#include "machine.h"

enum { FAULTS_KNOWN = 64, FAULT_LINE = 400 };

/* The faults that have been told already: of each instruction the first is
 * enough. */
struct faults {
    struct {
        uint32_t pc;
        unsigned taken;
    } seen[FAULTS_KNOWN];
    size_t count;
};

/* Remembers it; false: it is known, or too many are. A lock-up is always new.
 */
bool fault_is_new(struct faults *f, const struct cpu_fault_note *note);

/* Calls `line` for each line of the explanation, from struct host's `fault`. */
void fault_explain(struct machine *m, const struct cpu_fault_note *note, struct symbols *symbols,
                   void (*line)(void *context, const char *line), void *context);

#endif
