#include "softfloat_exact.h"

enum { TOP = 62 }; /* significands in flight have their leading one at bit TOP */

enum class { ZERO, FINITE, INFINITE };

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

/* FPUnpack(): a subnormal operand counts as zero when flushing. */
static struct number unpack(uint32_t a, uint32_t *fpscr)
{
    struct number x = {.class = FINITE, .sign = a >> 31};
    uint32_t exponent = a >> 23 & 0xFF, fraction = a & 0x7FFFFF;

    if (exponent == 255) {
        x.class = INFINITE;
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

/* FPAdd() */
static uint32_t add_numbers(const struct number *x, const struct number *y, uint32_t *fpscr)
{
    enum fp_rounding rounding = fp_rounding(*fpscr);
    struct number sum;

    if (x->class == INFINITE && y->class == INFINITE && x->sign != y->sign)
        return fp_invalid(fpscr);
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

uint32_t exact_add(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr), y = unpack(b, fpscr);

    return add_numbers(&x, &y, fpscr);
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

uint32_t exact_mul(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr), y = unpack(b, fpscr), product;
    bool sign = x.sign != y.sign;

    if (is_infinity_times_zero(&x, &y))
        return fp_invalid(fpscr);
    if (x.class == INFINITE || y.class == INFINITE)
        return with_sign(INFINITY_BITS, sign);
    if (x.class == ZERO || y.class == ZERO)
        return with_sign(0, sign);
    product = multiply_finite(&x, &y);
    return round_pack(&product, fp_rounding(*fpscr), fpscr);
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

uint32_t exact_fma(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr)
{
    struct number c = unpack(addend, fpscr), x = unpack(a, fpscr), y = unpack(b, fpscr), product;

    if (is_infinity_times_zero(&x, &y))
        return fp_invalid(fpscr);
    product = multiply_any(&x, &y);
    return add_numbers(&c, &product, fpscr);
}

/* ---- Division and square root ---- */

static struct number divide_finite(const struct number *x, const struct number *y)
{
    struct number quotient = {.class = FINITE, .sign = x->sign != y->sign};
    uint64_t dividend = x->significand, divisor = y->significand >> (TOP - 23);

    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a finite number is not zero
    quotient.significand = dividend / divisor;
    quotient.significand |= dividend % divisor != 0;
    quotient.exponent = x->exponent - y->exponent + 23;
    normalise(&quotient);
    return quotient;
}

uint32_t exact_div(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr), y = unpack(b, fpscr), quotient;
    bool sign = x.sign != y.sign;

    if (x.class == y.class && x.class != FINITE)
        return fp_invalid(fpscr);
    if (x.class == INFINITE || y.class == ZERO) {
        *fpscr |= x.class == INFINITE ? 0 : FPSCR_DZC;
        return with_sign(INFINITY_BITS, sign);
    }
    if (x.class == ZERO || y.class == INFINITE)
        return with_sign(0, sign);
    quotient = divide_finite(&x, &y);
    return round_pack(&quotient, fp_rounding(*fpscr), fpscr);
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

uint32_t exact_sqrt(uint32_t a, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr);

    if (x.class == ZERO)
        return with_sign(0, x.sign);
    if (x.sign)
        return fp_invalid(fpscr);
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

uint32_t exact_compare(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr), y = unpack(b, fpscr);

    if (less(&x, &y))
        return FP_LESS;
    return less(&y, &x) ? FP_GREATER : FP_EQUAL;
}

/* ---- Fixed point ---- */

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

uint32_t exact_to_fixed(uint32_t a, unsigned fraction, unsigned width, bool is_signed,
                        enum fp_rounding rounding, uint32_t *fpscr)
{
    struct number x = unpack(a, fpscr);
    int64_t value = 0;
    bool inexact = false;

    if (x.class == INFINITE)
        value = (int64_t)1 << 33;
    else if (x.class == FINITE)
        value = (int64_t)scaled_magnitude(&x, fraction, rounding, &inexact);
    return fp_saturated(x.sign ? -value : value, width, is_signed, inexact, fpscr);
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
        return fp_process_nan(nan, fpscr);
    }
    if (exponent == 0 && fraction == 0)
        return sign;
    x.significand = (uint64_t)(exponent ? fraction | 0x400 : fraction) << (TOP - 10);
    x.exponent = (exponent ? (int)exponent : 1) - 15;
    normalise(&x);
    return with_sign(round_magnitude(&x, &single, ROUND_NEAREST, fpscr), x.sign);
}

static uint32_t nan_to_half(uint32_t a, uint32_t *fpscr)
{
    uint32_t sign = a >> 16 & 0x8000;

    if (*fpscr & FPSCR_AHP) {
        *fpscr |= FPSCR_IOC;
        return sign;
    }
    if (!(a & QUIET_BIT))
        *fpscr |= FPSCR_IOC;
    return *fpscr & FPSCR_DN ? 0x7E00 : sign | 0x7E00 | (a >> 13 & 0x1FF);
}

uint32_t fp_to_half(uint32_t a, uint32_t *fpscr)
{
    static const struct format ieee = {15, 10, 31}, alternative = {15, 10, 32};
    bool ahp = *fpscr & FPSCR_AHP;
    struct number x;
    uint32_t sign = a >> 16 & 0x8000, flags = 0, result;

    if (fp_is_nan(a))
        return nan_to_half(a, fpscr);
    x = unpack(a, fpscr);
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
