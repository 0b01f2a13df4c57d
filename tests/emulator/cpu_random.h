/*
 * Random programs for the Cortex-M4F, to compare one implementation with
 * another: blocks of sequences that execute rows of the decode tables, each
 * block run many times from other registers. For each block a line is printed
 * on semihosting's console: a hash of every register, flag and word of memory
 * after each run, or all of them.
 */
#ifndef TESTS_EMULATOR_CPU_RANDOM_H
#define TESTS_EMULATOR_CPU_RANDOM_H

#include "cpu_shapes.h"

enum {
    CPU_RANDOM_IMAGE = 0x100000,
    CPU_RANDOM_BLOCKS = 1000,          /* at most; fewer if the image is full */
    CPU_RANDOM_TESTS = 40,             /* sequences a block */
    CPU_RANDOM_GUARDED = CPU_ROWS_MAX, /* in place of a row: loads and stores under the MPU */
    CPU_RANDOM_HASH_LINE = 8 + 1,
    CPU_RANDOM_STATE_LINE = 8 * SHAPE_WORDS + 1,
};

struct cpu_random {
    /* What is wanted */
    uint64_t seed;
    unsigned iterations;
    unsigned only_block; /* print all of its state after each run; CPU_RANDOM_BLOCKS: all blocks, hashed */
    unsigned only_tests; /* of that block, the others being NOPs */

    /* What it became */
    uint8_t *image; /* the caller's, CPU_RANDOM_IMAGE bytes for 0x08000000 */
    struct code_mark *marks;
    size_t mark_count;
    size_t mark_max;
    unsigned blocks;
    struct cpu_random_test {
        uint32_t address;
        uint32_t row;
    } test[CPU_RANDOM_TESTS + 1]; /* of only_block; the last is its end */
};

void cpu_random_program(struct cpu_random *r);

#endif
