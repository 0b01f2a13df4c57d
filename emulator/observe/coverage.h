/*
 * Line and branch coverage of the firmware, as lcov's tracefile (geninfo(1)),
 * from how often each instruction in flash was executed and, of those that may
 * or may not act, how often they did: conditional branches, and instructions in
 * IT blocks.
 *
 * A line was executed as often as the most frequent of the instructions that
 * begin it. Code that was inlined counts where it was written.
 */
#ifndef EMULATOR_OBSERVE_COVERAGE_H
#define EMULATOR_OBSERVE_COVERAGE_H

#include <stdio.h>

#include "observe/functions.h"

struct Dwarf;
struct op;

struct coverage {
    uint64_t *passed; /* by halfword of flash: so often control came to it … */
    uint64_t *acted;  /* … and the branch was taken, or the condition of its IT block held */
};

/* False: out of memory. */
bool coverage_init(struct coverage *c) __attribute__((warn_unused_result));
void coverage_free(struct coverage *c);
void coverage_executed(struct coverage *c, const struct op *op, const struct op *next, bool skipped);

/* `debug`: the ELF's debug information; NULL: there is none, and nothing is covered. `flash` is the
 * machine's. False: out of memory, or writing failed. */
bool coverage_write(const struct coverage *c, const struct elf *elf, const struct functions *functions,
                    struct Dwarf *debug, const uint8_t *flash, FILE *file)
    __attribute__((warn_unused_result));

#endif
