#include "softfloat.h"

#include <math.h>
#include <string.h>

enum { EXPONENT_BIAS = 127, TOP = 62 }; /* significands in flight have their leading one at bit TOP */

#define DEFAULT_NAN   0x7FC00000u
#define INFINITY_BITS 0x7F800000u
#define SIGN_BIT      0x80000000u
#define QUIET_BIT     0x00400000u

enum class { ZERO, FINITE, INFINITE, QUIET_NAN, SIGNALLING_NAN };

/* A finite value is significand / 2^TOP * 2^exponent. */
struct number {
    enum class class;
    bool sign;
    int exponent;
    uint64_t significand;
};

/* A format's shape: half and single precision. */
struct format {
    int bias;
    unsigned fraction_bits;
    uint32_t exponent_max; /* the exponent field of infinities */
};

static const struct format single = {EXPONENT_BIAS, 23, 255};

static int leading_zeros(uint64_t value)
{
    return __builtin_clzll(value);
}

/* Shifts right; what falls out is kept as a sticky lowest bit. */
static uint64_t shift_right_sticky(uint64_t value, int amount)
{
    if (amount <= 0)
        return value;
    if (amount > 63)
        return value != 0;
    return value >> amount | ((value & (((uint64_t)1 << amount) - 1)) != 0);
}

static void normalise(struct number *x)
{
    int shift = leading_zeros(x->significand) - (63 - TOP);

    if (shift >= 0)
        x->significand <<= shift;
    else
        x->significand = shift_right_sticky(x->significand, -shift);
    x->exponent -= shift;
}

static enum class nan_class(uint32_t a) { return a & QUIET_BIT ? QUIET_NAN : SIGNALLING_NAN; }

/* FPUnpack(): a subnormal operand counts as zero when flushing. */
static struct number unpack(uint32_t a, uint32_t *fpscr)
{
    struct number x = {.class = FINITE, .sign = a >> 31};
    uint32_t exponent = a >> 23 & 0xFF, fraction = a & 0x7FFFFF;

    if (exponent == 255) {
        x.class = fraction ? nan_class(a) : INFINITE;
    } else if (exponent == 0 && fraction == 0) {
        x.class = ZERO;
    } else if (exponent == 0 && (*fpscr & FPSCR_FZ)) {
        x.class = ZERO;
        *fpscr |= FPSCR_IDC;
    } else {
        x.significand = (uint64_t)(exponent ? fraction | 0x800000 : fraction) << (TOP - 23);
        x.exponent = (exponent ? (int)exponent : 1) - EXPONENT_BIAS;
        normalise(&x);
    }
    return x;
}

/* FPRoundBase(): is the magnitude to be increased? `extra` of `half` * 2 was cut off. */
static bool rounds_away(enum fp_rounding rounding, bool sign, bool odd, uint64_t extra, uint64_t half)
{
    switch (rounding) {
    case ROUND_NEAREST: return extra > half || (extra == half && odd);
    case ROUND_UP: return extra != 0 && !sign;
    case ROUND_DOWN: return extra != 0 && sign;
    default: return false;
    }
}

static uint32_t with_sign(uint32_t magnitude, bool sign)
{
    return magnitude | (sign ? SIGN_BIT : 0);
}

static bool overflows_to_infinity(enum fp_rounding rounding, bool sign)
{
    return rounding == ROUND_NEAREST || (rounding == ROUND_UP && !sign) || (rounding == ROUND_DOWN && sign);
}

/*
 * FPRound() without the sign. Tininess is detected before rounding. *flags
 * gets OFC, UFC and IXC as they arise.
 */
static uint32_t round_magnitude(const struct number *x, const struct format *format,
                                enum fp_rounding rounding, uint32_t *flags)
{
    unsigned cut = TOP - format->fraction_bits;
    int biased = x->exponent + format->bias;
    bool tiny = biased <= 0;
    uint64_t significand = tiny ? shift_right_sticky(x->significand, 1 - biased) : x->significand;
    uint64_t extra = significand & (((uint64_t)1 << cut) - 1), half = (uint64_t)1 << (cut - 1);
    uint64_t magnitude = significand >> cut;

    magnitude += rounds_away(rounding, x->sign, magnitude & 1, extra, half);
    /* The leading one, and a carry out of the fraction, add to the exponent field. */
    magnitude += tiny ? 0 : (uint64_t)(biased - 1) << format->fraction_bits;
    if (magnitude >> format->fraction_bits >= format->exponent_max) {
        uint32_t infinity = format->exponent_max << format->fraction_bits;
        *flags |= FPSCR_OFC | FPSCR_IXC;
        return overflows_to_infinity(rounding, x->sign) ? infinity : infinity - 1;
    }
    if (extra)
        *flags |= FPSCR_IXC | (tiny ? FPSCR_UFC : 0);
    return (uint32_t)magnitude;
}

static uint32_t round_pack(const struct number *x, enum fp_rounding rounding, uint32_t *fpscr)
{
    if ((*fpscr & FPSCR_FZ) && x->exponent + EXPONENT_BIAS <= 0) {
        *fpscr |= FPSCR_UFC;
        return with_sign(0, x->sign);
    }
    return with_sign(round_magnitude(x, &single, rounding, fpscr), x->sign);
}

/* ---- NaNs ---- */

static uint32_t invalid(uint32_t *fpscr)
{
    *fpscr |= FPSCR_IOC;
    return DEFAULT_NAN;
}

static bool is_nan(const struct number *x)
{
    return x->class >= QUIET_NAN;
}

/* FPProcessNaN() */
static uint32_t process_nan(uint32_t a, const struct number *x, uint32_t *fpscr)
{
    if (x->class == SIGNALLING_NAN)
        *fpscr |= FPSCR_IOC;
    return *fpscr & FPSCR_DN ? DEFAULT_NAN : a | QUIET_BIT;
}

/* FPProcessNaNs(): a signalling one first, then the first */
static uint32_t process_nans(uint32_t a, const struct number *x, uint32_t b, const struct number *y,
                             uint32_t *fpscr)
{
    if (x->class == SIGNALLING_NAN || (is_nan(x) && y->class != SIGNALLING_NAN))
        return process_nan(a, x, fpscr);
    return process_nan(b, y, fpscr);
}

/*
 * ---- The fast path: round to nearest, nothing special on the way ----
 *
 * Then the other modes do not matter, and IXC is the only flag that may arise;
 * it is found by computing the rounding error, which is exact.
 */

static bool is_plain(uint32_t a)
{
    return (((a >> 23) + 1) & 0xFF) > 1; /* neither subnormal nor zero, infinite, NaN */
}

static bool fast_modes(uint32_t fpscr)
{
    return fp_rounding(fpscr) == ROUND_NEAREST;
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

/* A result well inside the normal range: no overflow, no underflow. */
static bool is_safe(uint32_t a)
{
    return (((a >> 23) + 1) & 0xFF) > 2;
}

static uint32_t noting(bool inexact, uint32_t result, uint32_t *fpscr)
{
    *fpscr |= inexact ? FPSCR_IXC : 0;
    return result;
}

/* Knuth's TwoSum: is sum not a + b? */
static bool sum_is_inexact(float a, float b, float sum)
{
    float part = sum - a;

    return (a - (sum - part)) + (b - part) != 0;
}

/* ---- Addition ---- */

static struct number add_same_sign(struct number x, struct number y)
{
    x.significand += shift_right_sticky(y.significand, x.exponent - y.exponent);
    normalise(&x);
    return x;
}

static struct number subtract_magnitude(struct number x, struct number y)
{
    x.significand -= shift_right_sticky(y.significand, x.exponent - y.exponent);
    if (x.significand == 0)
        x.class = ZERO;
    else
        normalise(&x);
    return x;
}

/* Of two finite, non-zero numbers. */
static struct number add_finite(struct number x, struct number y)
{
    if (x.exponent < y.exponent || (x.exponent == y.exponent && x.significand < y.significand)) {
        struct number other = x;
        x = y;
        y = other;
    }
    return x.sign == y.sign ? add_same_sign(x, y) : subtract_magnitude(x, y);
}

static uint32_t exact_zero(enum fp_rounding rounding)
{
    return with_sign(0, rounding == ROUND_DOWN);
}

/* FPAdd() of numbers that are no NaNs. */
static uint32_t add_numbers(const struct number *x, const struct number *y, uint32_t *fpscr)
{
    enum fp_rounding rounding = fp_rounding(*fpscr);
    struct number sum;

    if (x->class == INFINITE && y->class == INFINITE && x->sign != y->sign)
        return invalid(fpscr);
    if (x->class == INFINITE || y->class == INFINITE)
        return with_sign(INFINITY_BITS, x->class == INFINITE ? x->sign : y->sign);
    if (x->class == ZERO && y->class == ZERO)
        return x->sign == y->sign ? with_sign(0, x->sign) : exact_zero(rounding);
    if (x->class == ZERO)
        return round_pack(y, rounding, fpscr);
    if (y->class == ZERO)
        return round_pack(x, rounding, fpscr);
    sum = add_finite(*x, *y);
    return sum.class == ZERO ? exact_zero(rounding) : round_pack(&sum, rounding, fpscr);
}

static uint32_t add_or_subtract(uint32_t a, uint32_t b, bool subtract, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr), y = unpack(b, fpscr);

    if (is_nan(&x) || is_nan(&y))
        return process_nans(a, &x, b, &y, fpscr);
    y.sign ^= subtract;
    return add_numbers(&x, &y, fpscr);
}

uint32_t fp_add(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (fast_modes(*fpscr) && is_plain(a) && is_plain(b)) {
        float sum = as_float(a) + as_float(b);
        if (is_safe(as_bits(sum)))
            return noting(sum_is_inexact(as_float(a), as_float(b), sum), as_bits(sum), fpscr);
    }
    return add_or_subtract(a, b, false, fpscr);
}

uint32_t fp_sub(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (fast_modes(*fpscr) && is_plain(a) && is_plain(b)) {
        float difference = as_float(a) - as_float(b);
        if (is_safe(as_bits(difference)))
            return noting(sum_is_inexact(as_float(a), -as_float(b), difference), as_bits(difference), fpscr);
    }
    return add_or_subtract(a, b, true, fpscr);
}

/* ---- Multiplication ---- */

/* Exact: 24 by 24 bits. */
static struct number multiply_finite(const struct number *x, const struct number *y)
{
    struct number product = {.class = FINITE, .sign = x->sign != y->sign};

    product.significand = (x->significand >> (TOP - 23)) * (y->significand >> (TOP - 23));
    product.exponent = x->exponent + y->exponent + TOP - 46;
    normalise(&product);
    return product;
}

static bool is_infinity_times_zero(const struct number *x, const struct number *y)
{
    return (x->class == INFINITE && y->class == ZERO) || (x->class == ZERO && y->class == INFINITE);
}

static uint32_t mul_slow(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr), y = unpack(b, fpscr), product;
    bool sign = x.sign != y.sign;

    if (is_nan(&x) || is_nan(&y))
        return process_nans(a, &x, b, &y, fpscr);
    if (is_infinity_times_zero(&x, &y))
        return invalid(fpscr);
    if (x.class == INFINITE || y.class == INFINITE)
        return with_sign(INFINITY_BITS, sign);
    if (x.class == ZERO || y.class == ZERO)
        return with_sign(0, sign);
    product = multiply_finite(&x, &y);
    return round_pack(&product, fp_rounding(*fpscr), fpscr);
}

uint32_t fp_mul(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (fast_modes(*fpscr) && is_plain(a) && is_plain(b)) {
        double exact = (double)as_float(a) * (double)as_float(b);
        float product = (float)exact;
        if (is_safe(as_bits(product)))
            return noting((double)product != exact, as_bits(product), fpscr);
    }
    return mul_slow(a, b, fpscr);
}

/* FPProcessNaNs3(): the addend, then the factors; a signalling one first */
static uint32_t process_nans3(const uint32_t *operand, const struct number *x, uint32_t *fpscr)
{
    for (unsigned i = 0; i < 3; i++) {
        if (x[i].class == SIGNALLING_NAN)
            return process_nan(operand[i], &x[i], fpscr);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (is_nan(&x[i]))
            return process_nan(operand[i], &x[i], fpscr);
    }
    return process_nan(operand[2], &x[2], fpscr);
}

/* The product as a number: infinities and zeros too. */
static struct number multiply_any(const struct number *x, const struct number *y)
{
    struct number product = {.class = ZERO, .sign = x->sign != y->sign};

    if (x->class == FINITE && y->class == FINITE)
        return multiply_finite(x, y);
    if (x->class == INFINITE || y->class == INFINITE)
        product.class = INFINITE;
    return product;
}

/*
 * The product of two floats is exact in a double. The sum is rounded to odd
 * there, so that rounding it again to a float is as if rounded once.
 */
static uint32_t fma_in_double(uint32_t addend, uint32_t a, uint32_t b, bool *inexact)
{
    double product = (double)as_float(a) * (double)as_float(b), c = (double)as_float(addend);
    double sum = product + c, part = sum - product;
    double error = (product - (sum - part)) + (c - part);
    uint64_t bits;
    float result;

    memcpy(&bits, &sum, sizeof bits);
    if (error != 0 && !(bits & 1))
        bits += (error > 0) == (sum > 0) ? 1 : UINT64_MAX;
    memcpy(&sum, &bits, sizeof sum);
    result = (float)sum;
    *inexact = error != 0 || (double)result != sum;
    return as_bits(result);
}

static uint32_t fma_slow(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr)
{
    uint32_t operand[3] = {addend, a, b};
    struct number x[3] = {unpack(addend, fpscr), unpack(a, fpscr), unpack(b, fpscr)}, product;

    if (x[0].class == QUIET_NAN && is_infinity_times_zero(&x[1], &x[2]))
        return invalid(fpscr);
    if (is_nan(&x[0]) || is_nan(&x[1]) || is_nan(&x[2]))
        return process_nans3(operand, x, fpscr);
    if (is_infinity_times_zero(&x[1], &x[2]))
        return invalid(fpscr);
    product = multiply_any(&x[1], &x[2]);
    return add_numbers(&x[0], &product, fpscr);
}

uint32_t fp_fma(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (fast_modes(*fpscr) && is_plain(addend) && is_plain(a) && is_plain(b)) {
        bool inexact;
        uint32_t sum = fma_in_double(addend, a, b, &inexact);
        if (is_safe(sum))
            return noting(inexact, sum, fpscr);
    }
    return fma_slow(addend, a, b, fpscr);
}

/* ---- Division and square root ---- */

static struct number divide_finite(const struct number *x, const struct number *y)
{
    struct number quotient = {.class = FINITE, .sign = x->sign != y->sign};
    uint64_t dividend = x->significand, divisor = y->significand >> (TOP - 23);

    quotient.significand = dividend / divisor;
    quotient.significand |= dividend % divisor != 0;
    quotient.exponent = x->exponent - y->exponent + 23;
    normalise(&quotient);
    return quotient;
}

static uint32_t div_slow(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr), y = unpack(b, fpscr), quotient;
    bool sign = x.sign != y.sign;

    if (is_nan(&x) || is_nan(&y))
        return process_nans(a, &x, b, &y, fpscr);
    if (x.class == y.class && x.class != FINITE)
        return invalid(fpscr);
    if (x.class == INFINITE || y.class == ZERO) {
        *fpscr |= x.class == INFINITE ? 0 : FPSCR_DZC;
        return with_sign(INFINITY_BITS, sign);
    }
    if (x.class == ZERO || y.class == INFINITE)
        return with_sign(0, sign);
    quotient = divide_finite(&x, &y);
    return round_pack(&quotient, fp_rounding(*fpscr), fpscr);
}

uint32_t fp_div(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (fast_modes(*fpscr) && is_plain(a) && is_plain(b)) {
        float quotient = as_float(a) / as_float(b);
        if (is_safe(as_bits(quotient)))
            return noting((double)quotient * (double)as_float(b) != (double)as_float(a), as_bits(quotient),
                          fpscr);
    }
    return div_slow(a, b, fpscr);
}

/* Bit by bit; the remainder makes the sticky bit. */
static uint64_t integer_sqrt(uint64_t value)
{
    uint64_t root = 0, bit = (uint64_t)1 << 62;

    while (bit) {
        if (value >= root + bit) {
            value -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    return root << 1 | (value != 0);
}

uint32_t fp_sqrt(uint32_t a, uint32_t *fpscr)
{
    struct number x;

    if (fast_modes(*fpscr) && is_plain(a) && !(a >> 31)) {
        float root = sqrtf(as_float(a));
        return noting((double)root * (double)root != (double)as_float(a), as_bits(root), fpscr);
    }
    x = unpack(a, fpscr);
    if (is_nan(&x))
        return process_nan(a, &x, fpscr);
    if (x.class == ZERO)
        return with_sign(0, x.sign);
    if (x.sign)
        return invalid(fpscr);
    if (x.class == INFINITE)
        return INFINITY_BITS;
    /* TOP is even: with an even exponent the root of the significand has its leading one at TOP / 2. */
    if (x.exponent & 1)
        x.significand <<= 1;
    x.exponent = (x.exponent & ~1) / 2 + TOP / 2 - 1;
    x.significand = integer_sqrt(x.significand);
    normalise(&x);
    return round_pack(&x, fp_rounding(*fpscr), fpscr);
}

/* ---- Comparison ---- */

static bool less_magnitude(const struct number *x, const struct number *y)
{
    if (x->class != y->class)
        return x->class < y->class;
    if (x->class != FINITE)
        return false;
    return x->exponent != y->exponent ? x->exponent < y->exponent : x->significand < y->significand;
}

static bool less(const struct number *x, const struct number *y)
{
    if (x->class == ZERO && y->class == ZERO)
        return false;
    if (x->sign != y->sign)
        return x->sign;
    return x->sign ? less_magnitude(y, x) : less_magnitude(x, y);
}

uint32_t fp_compare(uint32_t a, uint32_t b, bool signals, uint32_t *fpscr)
{
    enum { LESS = 8, EQUAL = 6, GREATER = 2, UNORDERED = 3 };
    struct number x, y;

    if (is_plain(a) && is_plain(b)) {
        float p = as_float(a), q = as_float(b);
        return p < q ? LESS : p > q ? GREATER : EQUAL;
    }
    x = unpack(a, fpscr);
    y = unpack(b, fpscr);
    if (is_nan(&x) || is_nan(&y)) {
        if (signals || x.class == SIGNALLING_NAN || y.class == SIGNALLING_NAN)
            *fpscr |= FPSCR_IOC;
        return UNORDERED;
    }
    if (less(&x, &y))
        return LESS;
    return less(&y, &x) ? GREATER : EQUAL;
}

/* ---- Fixed point and integers ---- */

/* The magnitude of x * 2^fraction, rounded; at most 2^33. */
static uint64_t scaled_magnitude(const struct number *x, unsigned fraction, enum fp_rounding rounding,
                                 bool *inexact)
{
    int exponent = x->exponent + (int)fraction;
    uint64_t value, extra, half = (uint64_t)1 << 28;

    *inexact = false;
    if (exponent > 32)
        return (uint64_t)1 << 33;
    value = shift_right_sticky(x->significand, 33 - exponent); /* 29 bits below the point */
    extra = value & (2 * half - 1);
    *inexact = extra != 0;
    value >>= 29;
    return value + rounds_away(rounding, x->sign, value & 1, extra, half);
}

/* Towards zero, below 2^30 in magnitude and so in range */
static uint32_t truncated(uint32_t a, uint32_t *fpscr)
{
    float value = as_float(a);
    int32_t result = (int32_t)value;

    *fpscr |= (float)result != value ? FPSCR_IXC : 0;
    return (uint32_t)result;
}

static bool is_below_2_to_30(uint32_t a)
{
    return (a >> 23 & 0xFF) < EXPONENT_BIAS + 30;
}

uint32_t fp_to_fixed(uint32_t a, unsigned fraction, unsigned width, bool is_signed, enum fp_rounding rounding,
                     uint32_t *fpscr)
{
    struct number x;
    int64_t high = ((int64_t)1 << (is_signed ? width - 1 : width)) - 1, low = is_signed ? -high - 1 : 0;
    int64_t value;
    bool inexact = false;

    if (fraction == 0 && width == 32 && rounding == ROUND_ZERO && is_plain(a) && is_below_2_to_30(a) &&
        (is_signed || !(a >> 31)))
        return truncated(a, fpscr);
    x = unpack(a, fpscr);
    if (is_nan(&x)) {
        *fpscr |= FPSCR_IOC;
        return 0;
    }
    if (x.class == INFINITE)
        value = (int64_t)1 << 33;
    else
        value = x.class == ZERO ? 0 : (int64_t)scaled_magnitude(&x, fraction, rounding, &inexact);
    value = x.sign ? -value : value;
    if (value < low || value > high) {
        *fpscr |= FPSCR_IOC;
        return (uint32_t)(value < low ? low : high);
    }
    *fpscr |= inexact ? FPSCR_IXC : 0;
    return (uint32_t)value;
}

uint32_t fp_from_fixed(uint32_t value, unsigned fraction, bool is_signed, enum fp_rounding rounding,
                       uint32_t *fpscr)
{
    struct number x = {.class = FINITE, .exponent = TOP - (int)fraction};

    if (value == 0)
        return 0;
    if (fraction == 0 && rounding == ROUND_NEAREST) {
        double exact = is_signed ? (double)(int32_t)value : (double)value;
        return noting((double)(float)exact != exact, as_bits((float)exact), fpscr);
    }
    x.sign = is_signed && value >> 31;
    x.significand = x.sign ? 0u - value : value;
    normalise(&x);
    return round_pack(&x, rounding, fpscr);
}

/* ---- Half precision ---- */

uint32_t fp_from_half(uint32_t half, uint32_t *fpscr)
{
    struct number x = {.class = FINITE, .sign = half >> 15 & 1};
    uint32_t exponent = half >> 10 & 31, fraction = half & 0x3FF, sign = (half & 0x8000) << 16;

    if (exponent == 31 && !(*fpscr & FPSCR_AHP)) {
        uint32_t nan = sign | INFINITY_BITS | fraction << 13;
        if (fraction == 0)
            return sign | INFINITY_BITS;
        x.class = nan_class(nan);
        return process_nan(nan, &x, fpscr);
    }
    if (exponent == 0 && fraction == 0)
        return sign;
    x.significand = (uint64_t)(exponent ? fraction | 0x400 : fraction) << (TOP - 10);
    x.exponent = (exponent ? (int)exponent : 1) - 15;
    normalise(&x);
    return with_sign(round_magnitude(&x, &single, ROUND_NEAREST, fpscr), x.sign);
}

static uint32_t nan_to_half(uint32_t a, const struct number *x, uint32_t sign, uint32_t *fpscr)
{
    if (*fpscr & FPSCR_AHP) {
        *fpscr |= FPSCR_IOC;
        return sign;
    }
    if (x->class == SIGNALLING_NAN)
        *fpscr |= FPSCR_IOC;
    return *fpscr & FPSCR_DN ? 0x7E00 : sign | 0x7E00 | (a >> 13 & 0x1FF);
}

uint32_t fp_to_half(uint32_t a, uint32_t *fpscr)
{
    static const struct format ieee = {15, 10, 31}, alternative = {15, 10, 32};
    bool ahp = *fpscr & FPSCR_AHP;
    struct number x = unpack(a, fpscr);
    uint32_t sign = x.sign ? 0x8000 : 0, flags = 0, result;

    if (is_nan(&x))
        return nan_to_half(a, &x, sign, fpscr);
    if (x.class == ZERO)
        return sign;
    if (x.class == INFINITE) {
        *fpscr |= ahp ? FPSCR_IOC : 0;
        return sign | (ahp ? 0x7FFF : 0x7C00);
    }
    result = round_magnitude(&x, ahp ? &alternative : &ieee, fp_rounding(*fpscr), &flags);
    if (ahp && (flags & FPSCR_OFC)) {
        flags = FPSCR_IOC;
        result = 0x7FFF;
    }
    *fpscr |= flags;
    return sign | result;
}
