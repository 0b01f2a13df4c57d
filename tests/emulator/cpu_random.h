/*
 * Random programs for the Cortex-M4F, to compare one implementation with
 * another: blocks of random instructions on random registers, each followed by
 * a dump of all registers and of the memory that it may touch, as one line on
 * semihosting's console.
 */
#ifndef TESTS_EMULATOR_CPU_RANDOM_H
#define TESTS_EMULATOR_CPU_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CPU_RANDOM_INSTRUCTIONS = 20, /* about as many a block */
    CPU_RANDOM_WORDS = 111, /* dumped a block: r0-r10, r12, lr, APSR, FPSCR, s0-s31, 64 words of memory */
};

/* Is the encoding defined and predictable? It comes with its first halfword on top if it has two. */
typedef bool cpu_random_filter(uint32_t code, unsigned halfwords);

/*
 * Writes a program for 0x08000000, vector table first, into `image`. Returns
 * its length in bytes; 0: it does not fit.
 */
size_t cpu_random_program(uint8_t *image, size_t size, uint64_t seed, unsigned blocks,
                          cpu_random_filter *valid);

/* The instructions of one block, for a message: `text` is filled with hexadecimal encodings. */
void cpu_random_describe(uint64_t seed, unsigned block, cpu_random_filter *valid, char *text, size_t size);

#endif
