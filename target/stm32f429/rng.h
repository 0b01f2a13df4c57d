/* True random numbers (RM0090 24). One context at a time. */
#ifndef STM32F429_RNG_H
#define STM32F429_RNG_H

#include <stdint.h>

enum rng_error {
    RNG_CLOCK_ERROR = -1, /* its clock is missing or too slow: see clock_init */
    RNG_SEED_ERROR = -2,  /* the noise source repeats itself, again after a restart */
    RNG_TIMEOUT = -3,     /* neither a number nor an error within the time that 40 numbers take */
    RNG_REPEATED = -4,    /* the same number twice (FIPS 140-2 continuous test) */
};

/* After clock_init. Starts the generator and discards its first number. 0 or an rng_error. */
int rng_init(void) __attribute__((warn_unused_result));

/* One number: about 1 us. Seed errors are recovered from once per call. 0 or an rng_error, *number then
 * unchanged. */
int rng_read(uint32_t *number) __attribute__((warn_unused_result));

#endif
