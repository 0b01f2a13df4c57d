/*
 * The host's FPU does the arithmetic wherever its outcome can be told to be
 * the ARM's; softfloat_exact.c does the rest.
 *
 * The host rounds to nearest. On which side of the result the exact value lies
 * says whether IXC arises, and whether another rounding mode takes the
 * neighbour. Finding that is exact.
 */
#include "softfloat.h"

#include <math.h>
#include <string.h>

#include "softfloat_exact.h"

/* Neither subnormal nor zero, infinite, NaN. */
static inline bool is_plain(uint32_t a)
{
    return (((a >> 23) + 1) & 0xFF) > 1;
}

/* A result well inside the normal range, its neighbours too: no overflow, no underflow. */
static inline bool is_safe(uint32_t a)
{
    return (((a >> 23) + 2) & 0xFF) > 3;
}

static inline float as_float(uint32_t a)
{
    float f;
    memcpy(&f, &a, sizeof f);
    return f;
}

static inline uint32_t as_bits(float f)
{
    uint32_t a;
    memcpy(&a, &f, sizeof a);
    return a;
}

/* Is `exact` above (1) or below (-1) `rounded`? */
static inline int side_of(double exact, double rounded)
{
    return (exact > rounded) - (exact < rounded);
}

/* What `rounding` takes, from the nearest number and the side on which the exact value lies. */
static inline uint32_t directed(uint32_t nearest, int side, enum fp_rounding rounding)
{
    bool negative = nearest >> 31;
    int outwards = negative ? -side : side; /* 1: the exact magnitude is larger */

    if (rounding == (negative ? ROUND_DOWN : ROUND_UP))
        return nearest + (outwards > 0);
    return nearest - (outwards < 0);
}

static inline uint32_t take(uint32_t nearest, int side, uint32_t *fpscr)
{
    enum fp_rounding rounding = fp_rounding(*fpscr);

    *fpscr |= side != 0 ? FPSCR_IXC : 0;
    return rounding == ROUND_NEAREST ? nearest : directed(nearest, side, rounding);
}

/* ---- What is not plain, but the host can still do ---- */

static bool is_infinite(uint32_t a)
{
    return (a & 0x7FFFFFFF) == INFINITY_BITS;
}

static bool is_subnormal(uint32_t a)
{
    return (a & INFINITY_BITS) == 0 && (a & 0x7FFFFFFF) != 0;
}

/* Flushing to zero comes before everything: left to the exact path. */
static bool flushes(uint32_t a, uint32_t fpscr)
{
    return (fpscr & FPSCR_FZ) && is_subnormal(a);
}

static void note_flushed(uint32_t a, uint32_t *fpscr)
{
    if (flushes(a, *fpscr))
        *fpscr |= FPSCR_IDC;
}

/* FPProcessNaNs(), if one is a NaN: a signalling one first, then the first. */
static bool two_nans(uint32_t a, uint32_t b, uint32_t *fpscr, uint32_t *result)
{
    if (!fp_is_nan(a) && !fp_is_nan(b))
        return false;
    note_flushed(a, fpscr);
    note_flushed(b, fpscr);
    *result = fp_process_nan(fp_is_signalling(a) || (fp_is_nan(a) && !fp_is_signalling(b)) ? a : b, fpscr);
    return true;
}

/* No rounding can carry it to infinity. */
static bool is_below_overflow(uint32_t nearest)
{
    return (nearest >> 23 & 0xFF) < 254;
}

/* A zero that is a difference has its sign from the rounding mode; the host's is that of the others. */
static bool is_zero_downwards(uint32_t nearest, uint32_t fpscr)
{
    return (nearest & 0x7FFFFFFF) == 0 && fp_rounding(fpscr) == ROUND_DOWN;
}

/* With infinite operands results are infinite, zero or invalid, and exact. */
static uint32_t of_infinity(float result, uint32_t *fpscr)
{
    return fp_is_nan(as_bits(result)) ? fp_invalid(fpscr) : as_bits(result);
}

/* Tininess is detected before rounding (A2.5.4). */
static const double smallest_normal = 0x1p-126;

static double magnitude_of(double x)
{
    return x < 0 ? -x : x;
}

/* Rounds a value that a double holds, or holds rounded to odd. */
static bool round_double(double exact, uint32_t *fpscr, uint32_t *result)
{
    uint32_t nearest = as_bits((float)exact);
    int side = side_of(exact, (double)as_float(nearest));
    bool tiny = magnitude_of(exact) < smallest_normal && exact != 0;

    if (!is_below_overflow(nearest) || (tiny && (*fpscr & FPSCR_FZ)))
        return false;
    *fpscr |= tiny && side != 0 ? FPSCR_UFC : 0;
    *result = take(nearest, side, fpscr);
    return true;
}

/* ---- Addition ---- */

/* Knuth's TwoSum: what sum lacks of a + b. */
static inline float sum_error(float a, float b, float sum)
{
    float part = sum - a;

    return (a - (sum - part)) + (b - part);
}

/* A tiny sum is exact. */
static uint32_t add_any(uint32_t a, uint32_t b, bool subtract, uint32_t *fpscr)
{
    uint32_t result;

    if (two_nans(a, b, fpscr, &result))
        return result;
    b ^= subtract ? SIGN_BIT : 0;
    if (flushes(a, *fpscr) || flushes(b, *fpscr))
        return exact_add(a, b, fpscr);
    float sum = as_float(a) + as_float(b);
    if (is_infinite(a) || is_infinite(b))
        return of_infinity(sum, fpscr);
    result = as_bits(sum);
    if (!is_below_overflow(result) || is_zero_downwards(result, *fpscr) || flushes(result, *fpscr))
        return exact_add(a, b, fpscr);
    return take(result, side_of((double)sum_error(as_float(a), as_float(b), sum), 0), fpscr);
}

uint32_t fp_add(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (is_plain(a) && is_plain(b)) {
        float sum = as_float(a) + as_float(b);
        float error = sum_error(as_float(a), as_float(b), sum);
        if (is_safe(as_bits(sum)))
            return take(as_bits(sum), side_of((double)error, 0), fpscr);
    }
    return add_any(a, b, false, fpscr);
}

uint32_t fp_sub(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (is_plain(a) && is_plain(b)) {
        float difference = as_float(a) - as_float(b);
        float error = sum_error(as_float(a), -as_float(b), difference);
        if (is_safe(as_bits(difference)))
            return take(as_bits(difference), side_of((double)error, 0), fpscr);
    }
    return add_any(a, b, true, fpscr);
}

/* ---- Multiplication: the product of two floats is exact in a double ---- */

static uint32_t mul_any(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    uint32_t result;

    if (two_nans(a, b, fpscr, &result))
        return result;
    if (flushes(a, *fpscr) || flushes(b, *fpscr))
        return exact_mul(a, b, fpscr);
    if (is_infinite(a) || is_infinite(b))
        return of_infinity(as_float(a) * as_float(b), fpscr);
    if (round_double((double)as_float(a) * (double)as_float(b), fpscr, &result))
        return result;
    return exact_mul(a, b, fpscr);
}

uint32_t fp_mul(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (is_plain(a) && is_plain(b)) {
        double exact = (double)as_float(a) * (double)as_float(b);
        float product = (float)exact;
        if (is_safe(as_bits(product)))
            return take(as_bits(product), side_of(exact, (double)product), fpscr);
    }
    return mul_any(a, b, fpscr);
}

/*
 * The sum with a product is rounded to odd in a double, so that rounding it
 * again to a float is as if rounded once.
 */
static inline double fma_to_odd(uint32_t addend, uint32_t a, uint32_t b)
{
    double product = (double)as_float(a) * (double)as_float(b), c = (double)as_float(addend);
    double sum = product + c, part = sum - product;
    double error = (product - (sum - part)) + (c - part);
    uint64_t bits;

    memcpy(&bits, &sum, sizeof bits);
    if (error != 0 && !(bits & 1))
        bits += (error > 0) == (sum > 0) ? 1 : UINT64_MAX;
    memcpy(&sum, &bits, sizeof sum);
    return sum;
}

static bool is_infinity_times_zero(uint32_t a, uint32_t b)
{
    return (is_infinite(a) && (b & 0x7FFFFFFF) == 0) || (is_infinite(b) && (a & 0x7FFFFFFF) == 0);
}

/* FPProcessNaNs3(): the addend, then the factors; a signalling one first. */
static uint32_t three_nans(const uint32_t operand[3], uint32_t *fpscr)
{
    for (unsigned i = 0; i < 3; i++) {
        if (fp_is_signalling(operand[i]))
            return fp_process_nan(operand[i], fpscr);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (fp_is_nan(operand[i]))
            return fp_process_nan(operand[i], fpscr);
    }
    return fp_process_nan(operand[2], fpscr);
}

/* FPMulAdd() with a NaN: infinity times zero is invalid beside a quiet one, too; a flushed operand is zero.
 */
static uint32_t fma_nan(const uint32_t operand[3], uint32_t *fpscr)
{
    uint32_t x[3];

    for (unsigned i = 0; i < 3; i++) {
        note_flushed(operand[i], fpscr);
        x[i] = flushes(operand[i], *fpscr) ? 0 : operand[i];
    }
    if (fp_is_nan(x[0]) && !fp_is_signalling(x[0]) && is_infinity_times_zero(x[1], x[2]))
        return fp_invalid(fpscr);
    return three_nans(operand, fpscr);
}

static uint32_t fma_any(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr)
{
    uint32_t result;

    if (fp_is_nan(addend) || fp_is_nan(a) || fp_is_nan(b))
        return fma_nan((const uint32_t[]){addend, a, b}, fpscr);
    if (flushes(addend, *fpscr) || flushes(a, *fpscr) || flushes(b, *fpscr) || is_infinite(addend) ||
        is_infinite(a) || is_infinite(b))
        return exact_fma(addend, a, b, fpscr);
    double sum = fma_to_odd(addend, a, b);
    if ((sum == 0 && fp_rounding(*fpscr) == ROUND_DOWN) || !round_double(sum, fpscr, &result))
        return exact_fma(addend, a, b, fpscr);
    return result;
}

uint32_t fp_fma(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (is_plain(addend) && is_plain(a) && is_plain(b)) {
        double sum = fma_to_odd(addend, a, b);
        float result = (float)sum;
        if (is_safe(as_bits(result)))
            return take(as_bits(result), side_of(sum, (double)result), fpscr);
    }
    return fma_any(addend, a, b, fpscr);
}

/* ---- Division and square root: multiplied back, the outcome is exact in a double ---- */

static inline int quotient_side(uint32_t a, uint32_t b, float quotient)
{
    int side = side_of((double)as_float(a), (double)quotient * (double)as_float(b));

    return b >> 31 ? -side : side;
}

static uint32_t div_any(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    double divisor = magnitude_of((double)as_float(b));
    uint32_t result;
    int side;

    if (two_nans(a, b, fpscr, &result))
        return result;
    if (flushes(a, *fpscr) || flushes(b, *fpscr) || divisor == 0 || (*fpscr & FPSCR_FZ))
        return exact_div(a, b, fpscr);
    float quotient = as_float(a) / as_float(b);
    if (is_infinite(a) || is_infinite(b))
        return of_infinity(quotient, fpscr);
    if (!is_below_overflow(as_bits(quotient)))
        return exact_div(a, b, fpscr);
    side = quotient_side(a, b, quotient);
    if (side != 0 && magnitude_of((double)as_float(a)) < smallest_normal * divisor)
        *fpscr |= FPSCR_UFC;
    return take(as_bits(quotient), side, fpscr);
}

uint32_t fp_div(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (is_plain(a) && is_plain(b)) {
        float quotient = as_float(a) / as_float(b);
        if (is_safe(as_bits(quotient)))
            return take(as_bits(quotient), quotient_side(a, b, quotient), fpscr);
    }
    return div_any(a, b, fpscr);
}

uint32_t fp_sqrt(uint32_t a, uint32_t *fpscr)
{
    if (fp_is_nan(a))
        return fp_process_nan(a, fpscr);
    if (!is_plain(a & 0x7FFFFFFF) && (is_infinite(a) || flushes(a, *fpscr)))
        return exact_sqrt(a, fpscr);
    if (a > SIGN_BIT)
        return fp_invalid(fpscr);
    float root = sqrtf(as_float(a));
    return take(as_bits(root), side_of((double)as_float(a), (double)root * (double)root), fpscr);
}

/* ---- Comparison ---- */

uint32_t fp_compare(uint32_t a, uint32_t b, bool signals, uint32_t *fpscr)
{
    if (fp_is_nan(a) || fp_is_nan(b)) {
        note_flushed(a, fpscr);
        note_flushed(b, fpscr);
        if (signals || fp_is_signalling(a) || fp_is_signalling(b))
            *fpscr |= FPSCR_IOC;
        return FP_UNORDERED;
    }
    if (flushes(a, *fpscr) || flushes(b, *fpscr))
        return exact_compare(a, b, fpscr);
    float p = as_float(a), q = as_float(b);
    return p < q ? FP_LESS : p > q ? FP_GREATER : FP_EQUAL;
}

/* ---- Fixed point and integers ---- */

/* 2 to the power of an exponent that is normal in a double. */
static inline double power_of_2(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;

    memcpy(&power, &bits, sizeof power);
    return power;
}

/* Of a magnitude below 2^62: its 24 bits are exact in a double. */
static inline int64_t rounded_to_integer(double exact, enum fp_rounding rounding, bool *inexact)
{
    int64_t cut = (int64_t)exact;
    double rest = exact - (double)cut;
    bool away = rounding == ROUND_NEAREST
                    ? magnitude_of(rest) > 0.5 || (magnitude_of(rest) == 0.5 && (cut & 1))
                    : rest != 0 && rounding == (rest < 0 ? ROUND_DOWN : ROUND_UP);

    *inexact = rest != 0;
    return away ? cut + (exact < 0 ? -1 : 1) : cut;
}

static inline bool is_below_2_to_29(uint32_t a)
{
    return (a >> 23 & 0xFF) < EXPONENT_BIAS + 29;
}

uint32_t fp_to_fixed(uint32_t a, unsigned fraction, unsigned width, bool is_signed, enum fp_rounding rounding,
                     uint32_t *fpscr)
{
    bool inexact;

    if (fp_is_nan(a)) {
        *fpscr |= FPSCR_IOC;
        return 0;
    }
    if (!is_below_2_to_29(a) || flushes(a, *fpscr))
        return exact_to_fixed(a, fraction, width, is_signed, rounding, fpscr);
    int64_t value = rounded_to_integer((double)as_float(a) * power_of_2((int)fraction), rounding, &inexact);
    return fp_saturated(value, width, is_signed, inexact, fpscr);
}

/* Never near the ends of the range. */
uint32_t fp_from_fixed(uint32_t value, unsigned fraction, bool is_signed, enum fp_rounding rounding,
                       uint32_t *fpscr)
{
    double integer = is_signed ? (double)(int32_t)value : (double)value;
    double exact = integer * power_of_2(-(int)fraction);
    float nearest = (float)exact;
    int side = side_of(exact, (double)nearest);

    *fpscr |= side != 0 ? FPSCR_IXC : 0;
    return rounding == ROUND_NEAREST ? as_bits(nearest) : directed(as_bits(nearest), side, rounding);
}
