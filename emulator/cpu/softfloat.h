/*
 * Single-precision arithmetic as the FPv4-SP of ARMv7-M does it (A2.5), bit
 * exact with its exception flags, in every rounding mode, with flush-to-zero
 * and default NaN. The host's FPU, which must round to nearest, is used only
 * where the outcome cannot differ.
 *
 * `fpscr` is read for the modes; cumulative flags are set in it.
 */
#ifndef EMULATOR_CPU_SOFTFLOAT_H
#define EMULATOR_CPU_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FPSCR_IOC = 1 << 0,
    FPSCR_DZC = 1 << 1,
    FPSCR_OFC = 1 << 2,
    FPSCR_UFC = 1 << 3,
    FPSCR_IXC = 1 << 4,
    FPSCR_IDC = 1 << 7,
    FPSCR_RMODE_SHIFT = 22,
    FPSCR_FZ = 1 << 24,
    FPSCR_DN = 1 << 25,
    FPSCR_AHP = 1 << 26,
    FPSCR_MODES = FPSCR_AHP | FPSCR_DN | FPSCR_FZ | 3 << FPSCR_RMODE_SHIFT,
};

enum fp_rounding { ROUND_NEAREST, ROUND_UP, ROUND_DOWN, ROUND_ZERO };

static inline enum fp_rounding fp_rounding(uint32_t fpscr)
{
    return (enum fp_rounding)(fpscr >> FPSCR_RMODE_SHIFT & 3);
}

uint32_t fp_add(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t fp_sub(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t fp_mul(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t fp_div(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t fp_sqrt(uint32_t a, uint32_t *fpscr);
/* addend + a * b, rounded once */
uint32_t fp_fma(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr);
/* NZCV of comparisons */
enum { FP_LESS = 8, FP_EQUAL = 6, FP_GREATER = 2, FP_UNORDERED = 3 };
/* NZCV of a comparison; `signals`: a quiet NaN is invalid too. */
uint32_t fp_compare(uint32_t a, uint32_t b, bool signals, uint32_t *fpscr);

/* To a fixed-point number of `width` bits (16, 32), `fraction` of them below the point; saturates. */
uint32_t fp_to_fixed(uint32_t a, unsigned fraction, unsigned width, bool is_signed, enum fp_rounding rounding,
                     uint32_t *fpscr);
uint32_t fp_from_fixed(uint32_t value, unsigned fraction, bool is_signed, enum fp_rounding rounding,
                       uint32_t *fpscr);
uint32_t fp_from_half(uint32_t half, uint32_t *fpscr);
uint32_t fp_to_half(uint32_t a, uint32_t *fpscr);

#endif
