/*
 * The core's float arithmetic against the host's FPU: every operation in every
 * rounding mode, operands of all kinds, results and flags.
 */
#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/softfloat_exact.h"

#if defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 20000 };
#else
enum { ROUNDS = 400000 };
#endif

enum { MODES = 4 };
static const int host_mode[MODES] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

static uint64_t seed;

static uint64_t random_bits(void)
{
    uint64_t z = (seed += 0x9E3779B97F4A7C15u);

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Anything; near `other`; short significands, so that ties and exact results come; the ends of the range. */
static uint32_t operand(uint32_t other)
{
    static const uint32_t special[] = {0,          0x80000000, 1,          0x807FFFFF,
                                       0x00800000, 0x00FFFFFF, 0x01000000, 0x3F800000,
                                       0x7F7FFFFF, 0x7F000000, 0x7F800000, 0xFF800000};
    uint32_t any = (uint32_t)random_bits();

    switch (random_bits() % 8) {
    case 0: return any;
    case 1: return (any & 0x807FFFFF) | 0x3F800000;
    case 2: return (any & 0x80FFF000) | 0x3F000000;
    case 3: return (other & 0x7F800000) ^ (any & 0x80FFFFFF);
    case 4: return other ^ (any & 0x80000007);
    case 5: return special[any % (sizeof special / sizeof special[0])];
    case 6: return (any & 0x87FFFFFF) | 0x3C000000;
    default: return any & 0x80FFFFFF;
    }
}

static float as_float(uint32_t a)
{
    float f;
    memcpy(&f, &a, sizeof f);
    return f;
}

static uint32_t as_bits(float f)
{
    uint32_t a;
    memcpy(&a, &f, sizeof a);
    return a;
}

enum operation { ADD, SUB, MUL, DIV, FMA, SQRT, OPERATIONS };

static uint32_t ours(enum operation operation, const uint32_t *x, uint32_t *fpscr)
{
    switch (operation) {
    case ADD: return fp_add(x[0], x[1], fpscr);
    case SUB: return fp_sub(x[0], x[1], fpscr);
    case MUL: return fp_mul(x[0], x[1], fpscr);
    case DIV: return fp_div(x[0], x[1], fpscr);
    case FMA: return fp_fma(x[2], x[0], x[1], fpscr);
    default: return fp_sqrt(x[0], fpscr);
    }
}

static float hosts(enum operation operation, const uint32_t *x)
{
    volatile float a = as_float(x[0]), b = as_float(x[1]), c = as_float(x[2]), result;

    switch (operation) {
    case ADD: result = a + b; break;
    case SUB: result = a - b; break;
    case MUL: result = a * b; break;
    case DIV: result = a / b; break;
    case FMA: result = fmaf(a, b, c); break;
    default: result = sqrtf(a); break;
    }
    return result;
}

/* The host finds tininess after rounding, the ARM before (A2.5.4): UFC is left to the test against QEMU. */
static uint32_t hosts_flags(void)
{
    int raised = fetestexcept(FE_ALL_EXCEPT);

    return (raised & FE_INVALID ? FPSCR_IOC : 0u) | (raised & FE_DIVBYZERO ? FPSCR_DZC : 0u) |
           (raised & FE_OVERFLOW ? FPSCR_OFC : 0u) | (raised & FE_INEXACT ? FPSCR_IXC : 0u);
}

/* Infinity times zero plus a quiet NaN is invalid to the ARM (A2.5.4, FPMulAdd), not to the host. */
static bool hosts_differ(enum operation operation, const uint32_t *x)
{
    return operation == FMA && isnan(as_float(x[2])) && isnan(as_float(x[0]) * as_float(x[1])) &&
           !isnan(as_float(x[0])) && !isnan(as_float(x[1]));
}

static void check(enum operation operation, const uint32_t *x, unsigned mode)
{
    if (hosts_differ(operation, x))
        return;
    uint32_t fpscr = mode << FPSCR_RMODE_SHIFT, result = ours(operation, x, &fpscr), expected, flags;

    fesetround(host_mode[mode]);
    feclearexcept(FE_ALL_EXCEPT);
    float value = hosts(operation, x);
    flags = hosts_flags();
    fesetround(FE_TONEAREST);
    expected = as_bits(value);
    bool same = isnan(value) ? (result & 0x7FFFFFFF) > 0x7F800000 : result == expected;
    if (!same || (fpscr & 0x1F & ~(uint32_t)FPSCR_UFC) != flags)
        fail_msg("operation %d, mode %u, %08x %08x %08x: %08x flags %02x, host %08x flags %02x",
                 (int)operation, mode, x[0], x[1], x[2], result, fpscr & 0x1F, expected, flags);
}

static void arithmetic_is_the_hosts_in_every_rounding_mode(void **state)
{
    (void)state;
    seed = 1;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t x[3];
        x[0] = operand(0x3F800000);
        x[1] = operand(x[0]);
        x[2] = operand(i & 1 ? x[0] : as_bits(as_float(x[0]) * as_float(x[1])));
        check((enum operation)(i % OPERATIONS), x, (unsigned)(random_bits() % MODES));
    }
}

/* ---- The path by the host's FPU against the one by integers: all flags, flushing, default NaN ---- */

static uint32_t by_integers(enum operation operation, const uint32_t *x, uint32_t *fpscr)
{
    switch (operation) {
    case ADD: return exact_add(x[0], x[1], fpscr);
    case SUB: return exact_add(x[0], x[1] ^ SIGN_BIT, fpscr);
    case MUL: return exact_mul(x[0], x[1], fpscr);
    case DIV: return exact_div(x[0], x[1], fpscr);
    case FMA: return exact_fma(x[2], x[0], x[1], fpscr);
    default: return exact_sqrt(x[0], fpscr);
    }
}

static void both_paths_agree(void **state)
{
    (void)state;
    seed = 4;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t modes = (uint32_t)(random_bits() % 32) << FPSCR_RMODE_SHIFT & FPSCR_MODES, x[3];
        uint32_t fpscr = modes, expected_fpscr = modes;
        enum operation operation = (enum operation)(i % OPERATIONS);
        x[0] = operand(0x3F800000);
        x[1] = operand(x[0]);
        x[2] = operand(i & 1 ? x[0] : as_bits(as_float(x[0]) * as_float(x[1])));
        if (fp_is_nan(x[0]) || fp_is_nan(x[1]) || fp_is_nan(x[2]))
            continue;
        uint32_t result = ours(operation, x, &fpscr), expected = by_integers(operation, x, &expected_fpscr);
        if (result != expected || fpscr != expected_fpscr)
            fail_msg(
                "operation %d of %08x %08x %08x, FPSCR %08x: %08x FPSCR %08x, by integers %08x FPSCR %08x",
                (int)operation, x[0], x[1], x[2], modes, result, fpscr, expected, expected_fpscr);
        fpscr = expected_fpscr = modes;
        unsigned fraction = (unsigned)(random_bits() % 33);
        enum fp_rounding rounding = (enum fp_rounding)(random_bits() % MODES);
        assert_int_equal(fp_to_fixed(x[0], fraction, 32, i & 8, rounding, &fpscr),
                         exact_to_fixed(x[0], fraction, 32, i & 8, rounding, &expected_fpscr));
        assert_int_equal(fp_compare(x[0], x[1], false, &fpscr), exact_compare(x[0], x[1], &expected_fpscr));
        assert_int_equal(fpscr, expected_fpscr);
    }
}

/* ---- Fixed point ---- */

static void numbers_to_fixed_point(void **state)
{
    (void)state;
    seed = 2;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned mode = (unsigned)(random_bits() % MODES), width = i & 1 ? 32 : 16;
        unsigned fraction = (unsigned)(random_bits() % (width + 1));
        bool is_signed = i & 2;
        uint32_t fpscr = 0, x = operand(0x47000000);
        if (isnan(as_float(x)) || isinf(as_float(x)))
            continue;
        double exact = ldexp((double)as_float(x), (int)fraction), rounded;
        double high = ldexp(1, (int)(is_signed ? width - 1 : width)) - 1, low = is_signed ? -high - 1 : 0;
        fesetround(host_mode[mode]);
        rounded = nearbyint(exact);
        fesetround(FE_TONEAREST);
        uint32_t result = fp_to_fixed(x, fraction, width, is_signed, (enum fp_rounding)mode, &fpscr);
        bool fits = rounded >= low && rounded <= high;
        double limited = rounded < low ? low : rounded > high ? high : rounded;
        uint32_t flags = !fits ? FPSCR_IOC : rounded != exact ? FPSCR_IXC : 0u;
        if (result != (uint32_t)(int64_t)limited || fpscr != flags)
            fail_msg("%08x to %u bits, %u of them fraction, mode %u: %08x flags %x, expected %08x flags %x",
                     x, width, fraction, mode, result, fpscr, (uint32_t)(int64_t)limited, flags);
    }
}

static void fixed_point_to_numbers(void **state)
{
    (void)state;
    seed = 3;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned mode = (unsigned)(random_bits() % MODES), fraction = (unsigned)(random_bits() % 33);
        uint32_t value = (uint32_t)(random_bits() >> random_bits() % 64), fpscr = 0;
        bool is_signed = i & 1;
        volatile double exact = ldexp(is_signed ? (double)(int32_t)value : (double)value, -(int)fraction);
        fesetround(host_mode[mode]);
        volatile float expected = (float)exact;
        fesetround(FE_TONEAREST);
        uint32_t result = fp_from_fixed(value, fraction, is_signed, (enum fp_rounding)mode, &fpscr);
        assert_int_equal(result, as_bits(expected));
        assert_int_equal(fpscr, (double)expected != exact ? FPSCR_IXC : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_the_hosts_in_every_rounding_mode),
        cmocka_unit_test(both_paths_agree),
        cmocka_unit_test(numbers_to_fixed_point),
        cmocka_unit_test(fixed_point_to_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
