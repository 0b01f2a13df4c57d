/*
 * Every row of the core's decode tables, with how a random program can execute
 * it. A row that is added to a table is found here by itself, and has a shape
 * or stops the tests.
 */
#ifndef TESTS_EMULATOR_CPU_ROWS_H
#define TESTS_EMULATOR_CPU_ROWS_H

#include "cpu/engine.h"

enum cpu_shape {
    SHAPE_PLAIN,     /* writes Rd, and Ra if it is a long product */
    SHAPE_COMPARE,   /* writes flags only */
    SHAPE_NOTHING,   /* FP registers, or nothing: any operands do */
    SHAPE_HIGH,      /* ADD, MOV with high registers: also SP and PC */
    SHAPE_CORE,      /* FP to core registers */
    SHAPE_OFFSET,    /* memory at base plus immediate */
    SHAPE_BASE,      /* memory at the base: post-indexed, LDM, STM */
    SHAPE_INDEX,     /* memory at base plus register */
    SHAPE_DOWN,      /* memory below the base: STMDB, PUSH */
    SHAPE_LITERAL,   /* memory relative to the PC */
    SHAPE_DUAL,      /* LDRD, STRD */
    SHAPE_FP_SINGLE, /* VLDR, VSTR */
    SHAPE_FP_LIST,   /* VLDM, VSTM */
    SHAPE_LOAD_EXCLUSIVE,
    SHAPE_STORE_EXCLUSIVE,
    SHAPE_BRANCH_NEAR, /* B T1, B T2 */
    SHAPE_BRANCH_FAR,  /* B T3, B T4, BL */
    SHAPE_COMPARE_BRANCH,
    SHAPE_BRANCH_REGISTER,
    SHAPE_TABLE_BRANCH,
    SHAPE_IT,
    SHAPE_WAIT_EVENT,
    SHAPE_WAIT_INTERRUPT,
    SHAPE_CPS,
    SHAPE_MRS,
    SHAPE_MSR,
    SHAPE_BREAKPOINT,
    SHAPE_TRAP, /* raises an exception whatever its operands */
};

struct cpu_row {
    const struct encoding *encoding;
    unsigned halfwords;
    enum cpu_shape shape;
};

enum { CPU_ROWS_MAX = 512 };

/* All rows, the 16-bit ones first; the same each time. */
size_t cpu_rows(const struct cpu_row **rows);
/* The row that decodes an encoding, and what it decodes to at `pc`. NULL: undefined or UNPREDICTABLE. */
const struct cpu_row *cpu_row_of(uint32_t code, unsigned halfwords, uint32_t pc, struct op *op);

#endif
