/* Arithmetic that IEEE 754 prescribes to the bit, in single (the FPU's) and double precision (libgcc's). */
#include <math.h>

#include "programs.h"

enum { ROUNDS = 3000 };

/* NaNs differ in sign and payload between machines. */
static uint64_t hash_float(uint64_t hash, float value)
{
    return hash_u64(hash, isnan(value) ? 0x7FC00000 : bits_of_float(value));
}

static uint64_t hash_double(uint64_t hash, double value)
{
    return hash_u64(hash, isnan(value) ? 0x7FF8000000000000u : bits_of_double(value));
}

static float any_float(uint32_t *random)
{
    uint32_t bits = next_random(random);
    float value;

    if (next_random(random) & 3) /* of a moderate size */
        bits = (bits & 0x807FFFFF) | (0x60 + (bits >> 24 & 0x3F)) << 23;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double any_double(uint32_t *random)
{
    uint64_t bits = (uint64_t)next_random(random) << 32 | next_random(random);
    double value;

    if (next_random(random) & 3)
        bits = (bits & 0x800FFFFFFFFFFFFF) | (0x3E0 + (bits >> 52 & 0x3F)) << 52;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t single_arithmetic(uint64_t hash, float a, float b, float c)
{
    hash = hash_float(hash, a + b);
    hash = hash_float(hash, a - b);
    hash = hash_float(hash, a * b);
    hash = hash_float(hash, a / b);
    hash = hash_float(hash, sqrtf(fabsf(a)));
    hash = hash_float(hash, fmaf(a, b, c));
    hash = hash_float(hash, a * b + c);
    return hash_byte(hash, (uint8_t)((a < b) | (a <= b) << 1 | (a == b) << 2 | (a != a) << 3));
}

static uint64_t double_arithmetic(uint64_t hash, double a, double b)
{
    hash = hash_double(hash, a + b);
    hash = hash_double(hash, a - b);
    hash = hash_double(hash, a * b);
    hash = hash_double(hash, a / b);
    hash = hash_double(hash, sqrt(fabs(a)));
    hash = hash_float(hash, (float)a);
    hash = hash_double(hash, (double)(float)b);
    return hash_byte(hash, (uint8_t)((a < b) | (a <= b) << 1 | (a == b) << 2 | (a != a) << 3));
}

/* Within range: beyond it C leaves the result open. */
static uint64_t conversions(uint64_t hash, uint32_t bits, uint64_t wide)
{
    float f = (float)(int32_t)bits / 8.0f;
    double d = (double)(int64_t)wide / 16.0;

    hash = hash_float(hash, (float)bits);
    hash = hash_float(hash, (float)wide);
    hash = hash_double(hash, (double)bits);
    hash = hash_double(hash, (double)wide);
    hash = hash_u64(hash, (uint32_t)(int32_t)f);
    hash = hash_u64(hash, (uint64_t)(int64_t)d);
    hash = hash_u64(hash, (uint32_t)fabsf(f));
    hash = hash_float(hash, floorf(f) + ceilf(f) + truncf(f) + roundf(f) + rintf(f));
    return hash_double(hash, floor(d) + ceil(d) + trunc(d) + round(d) + rint(d));
}

static uint64_t exact_functions(uint64_t hash, float a, float b, double c, double d)
{
    int exponent;

    hash = hash_float(hash, fmodf(a, b));
    hash = hash_double(hash, fmod(c, d));
    hash = hash_float(hash, frexpf(a, &exponent));
    hash = hash_u64(hash, isfinite(a) ? (uint32_t)exponent : 0);
    hash = hash_double(hash, ldexp(c, (int)(bits_of_float(a) % 40) - 20));
    hash = hash_float(hash, fminf(a, b) + fmaxf(a, b));
    return hash_float(hash, copysignf(a, b));
}

void run_floats(void)
{
    uint64_t single = HASH_BEGIN, wide = HASH_BEGIN, conversion = HASH_BEGIN, exact = HASH_BEGIN;
    uint32_t random = 20240607;

    for (unsigned i = 0; i < ROUNDS; i++) {
        float a = any_float(&random), b = any_float(&random), c = any_float(&random);
        double d = any_double(&random), e = any_double(&random);
        uint32_t bits = next_random(&random);
        single = single_arithmetic(single, a, b, c);
        wide = double_arithmetic(wide, d, e);
        conversion = conversions(conversion, bits, (uint64_t)bits << 29 | next_random(&random) >> 3);
        exact = exact_functions(exact, a, b, d, e);
    }
    show("single", single);
    show("double", wide);
    show("conversions", conversion);
    show("exact-functions", exact);
}
