/* Bounded waiting for the hardware. */
#ifndef STM32F429_WAIT_H
#define STM32F429_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Wait until (*reg & mask) == value, reading it at most 100000 times: some ten
 * milliseconds at 180 MHz, a tenth of a second at 16 MHz. False: it never was.
 */
bool wait_for(const volatile uint32_t *reg, uint32_t mask, uint32_t value)
    __attribute__((warn_unused_result));

/* The same with a bound of one's own. */
bool wait_reads(const volatile uint32_t *reg, uint32_t mask, uint32_t value, uint32_t reads)
    __attribute__((warn_unused_result));

/* Spend at least this many cycles of the core. */
void wait_cycles(uint32_t cycles);

#endif
