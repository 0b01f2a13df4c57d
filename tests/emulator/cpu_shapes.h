/* Sequences that execute one row of the decode tables, with random operands, and come out at their end. */
#ifndef TESTS_EMULATOR_CPU_SHAPES_H
#define TESTS_EMULATOR_CPU_SHAPES_H

#include "cpu_code.h"
#include "cpu_rows.h"

/* Memory of the generated programs */
enum {
    SHAPE_STATE_WORDS = 48, /* registers, dumped */
    SHAPE_WINDOW_WORDS = 32,
    SHAPE_STACK_WORDS = 32,
    SHAPE_LOG_WORDS = 8, /* what the fault handler saw */
    SHAPE_WORDS = SHAPE_STATE_WORDS + SHAPE_WINDOW_WORDS + SHAPE_STACK_WORDS + SHAPE_LOG_WORDS,

    SHAPE_STATE = 0x20010000,
    SHAPE_WINDOW = SHAPE_STATE + 4 * SHAPE_STATE_WORDS,
    SHAPE_STACK = SHAPE_WINDOW + 4 * SHAPE_WINDOW_WORDS,
    SHAPE_STACK_TOP = SHAPE_STACK + 4 * SHAPE_STACK_WORDS,
    SHAPE_LOG = SHAPE_STACK_TOP,
    SHAPE_SCRATCH_STACK = 0x20018000, /* for what is interrupted at an uncertain place */

    /* `bx lr` stands at each multiple of this in the image, for branches over a distance. */
    SHAPE_PAD_STEP = 0x8000,
    SHAPE_PADS = 32,
    SHAPE_BYTES_MAX = 160, /* of one sequence */
    SHAPE_GUARDED_BYTES_MAX = 400,
};

uint64_t shape_random(uint64_t *state);
uint32_t shape_below(uint64_t *state, uint32_t limit);

/* Appends a sequence that executes the row; `index` is the row's number, for the mark. */
void shape_emit(struct code *out, uint64_t *random, const struct cpu_row *rows, size_t count, size_t index);

/* Loads and stores under a random MPU, in cpu_guarded.c */
void shape_emit_guarded(struct code *out, uint64_t *random);

#endif
