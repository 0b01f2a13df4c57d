/*
 * Single precision by integers alone: what the host's FPU cannot decide for
 * softfloat.c. Bit exact with its flags in every mode; no operand is a NaN,
 * except where it says so.
 */
#ifndef EMULATOR_CPU_SOFTFLOAT_EXACT_H
#define EMULATOR_CPU_SOFTFLOAT_EXACT_H

#include "softfloat.h"

#define DEFAULT_NAN   0x7FC00000u
#define INFINITY_BITS 0x7F800000u
#define SIGN_BIT      0x80000000u
#define QUIET_BIT     0x00400000u

enum { EXPONENT_BIAS = 127 };

uint32_t exact_add(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t exact_mul(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t exact_div(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t exact_sqrt(uint32_t a, uint32_t *fpscr);
/* addend + a * b; infinity times zero is invalid */
uint32_t exact_fma(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t exact_compare(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t exact_to_fixed(uint32_t a, unsigned fraction, unsigned width, bool is_signed,
                        enum fp_rounding rounding, uint32_t *fpscr);

static inline uint32_t fp_invalid(uint32_t *fpscr)
{
    *fpscr |= FPSCR_IOC;
    return DEFAULT_NAN;
}

static inline bool fp_is_nan(uint32_t a)
{
    return (a & 0x7FFFFFFF) > INFINITY_BITS;
}

static inline bool fp_is_signalling(uint32_t a)
{
    return fp_is_nan(a) && !(a & QUIET_BIT);
}

/* FPProcessNaN() */
static inline uint32_t fp_process_nan(uint32_t a, uint32_t *fpscr)
{
    if (!(a & QUIET_BIT))
        *fpscr |= FPSCR_IOC;
    return *fpscr & FPSCR_DN ? DEFAULT_NAN : a | QUIET_BIT;
}

/* `value` may lie outside what `width` bits hold. */
static inline uint32_t fp_saturated(int64_t value, unsigned width, bool is_signed, bool inexact,
                                    uint32_t *fpscr)
{
    int64_t high = ((int64_t)1 << (is_signed ? width - 1 : width)) - 1, low = is_signed ? -high - 1 : 0;

    if (value < low || value > high) {
        *fpscr |= FPSCR_IOC;
        return (uint32_t)(value < low ? low : high);
    }
    *fpscr |= inexact ? FPSCR_IXC : 0;
    return (uint32_t)value;
}

#endif
