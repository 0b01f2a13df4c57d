/* Fast Fourier transforms of 256 points: in Q15, and in single precision. */
#include <math.h>

#include "programs.h"

enum { POINTS = 256, STAGES = 8 };

/* sin(pi k / 128) of a quarter wave in Q15; the rest by symmetry */
static const int16_t quarter[65] = {
    0,     804,   1608,  2410,  3212,  4011,  4808,  5602,  6393,  7179,  7962,  8739,  9512,
    10278, 11039, 11793, 12539, 13279, 14010, 14732, 15446, 16151, 16846, 17530, 18204, 18868,
    19519, 20159, 20787, 21403, 22005, 22594, 23170, 23731, 24279, 24811, 25329, 25832, 26319,
    26790, 27245, 27683, 28105, 28510, 28898, 29268, 29621, 29956, 30273, 30571, 30852, 31113,
    31356, 31580, 31785, 31971, 32137, 32285, 32412, 32521, 32609, 32678, 32728, 32757, 32767};

static int16_t sine(unsigned k)
{
    k %= POINTS;
    if (k <= 64)
        return quarter[k];
    if (k <= 128)
        return quarter[128 - k];
    return (int16_t)-sine(k - 128);
}

static unsigned reversed(unsigned i)
{
    unsigned result = 0;

    for (unsigned bit = 0; bit < STAGES; bit++)
        result |= (i >> bit & 1) << (STAGES - 1 - bit);
    return result;
}

/* ---- Fixed point: halved at each stage ---- */

struct fixed {
    int16_t re, im;
};

static struct fixed fixed[POINTS];

static int16_t saturate(int32_t value)
{
    return (int16_t)(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}

static void fixed_butterfly(struct fixed *a, struct fixed *b, unsigned k)
{
    int32_t c = sine(k + 64), s = -sine(k);
    int32_t re = (b->re * c - b->im * s + 0x4000) >> 15, im = (b->re * s + b->im * c + 0x4000) >> 15;

    b->re = saturate((a->re - re) >> 1);
    b->im = saturate((a->im - im) >> 1);
    a->re = saturate((a->re + re) >> 1);
    a->im = saturate((a->im + im) >> 1);
}

static uint64_t fixed_transform(uint32_t seed)
{
    for (unsigned i = 0; i < POINTS; i++)
        fixed[reversed(i)] = (struct fixed){(int16_t)next_random(&seed), (int16_t)next_random(&seed)};
    for (unsigned half = 1; half < POINTS; half *= 2) {
        for (unsigned i = 0; i < POINTS; i += 2 * half) {
            for (unsigned k = 0; k < half; k++)
                fixed_butterfly(&fixed[i + k], &fixed[i + k + half], k * (POINTS / 2 / half));
        }
    }
    return hash_bytes(HASH_BEGIN, fixed, sizeof fixed);
}

/* ---- Floats: once rounding after each product, once fused ---- */

struct complex_float {
    float re, im;
};

static struct complex_float wave[POINTS];

static void float_butterfly(struct complex_float *a, struct complex_float *b, unsigned k, int fused)
{
    float c = (float)sine(k + 64) / 32768.0f, s = -(float)sine(k) / 32768.0f;
    float re = fused ? fmaf(b->re, c, -(b->im * s)) : b->re * c - b->im * s;
    float im = fused ? fmaf(b->re, s, b->im * c) : b->re * s + b->im * c;

    b->re = a->re - re;
    b->im = a->im - im;
    a->re += re;
    a->im += im;
}

static uint64_t float_transform(uint32_t seed, int fused)
{
    for (unsigned i = 0; i < POINTS; i++) {
        float re = (float)(int32_t)next_random(&seed) / 65536.0f;
        wave[reversed(i)] = (struct complex_float){re, (float)(int32_t)next_random(&seed) / 65536.0f};
    }
    for (unsigned half = 1; half < POINTS; half *= 2) {
        for (unsigned i = 0; i < POINTS; i += 2 * half) {
            for (unsigned k = 0; k < half; k++)
                float_butterfly(&wave[i + k], &wave[i + k + half], k * (POINTS / 2 / half), fused);
        }
    }
    return hash_bytes(HASH_BEGIN, wave, sizeof wave);
}

void run_transforms(void)
{
    show("fixed-point-transform", fixed_transform(3));
    show("float-transform", float_transform(5, 0));
    show("fused-float-transform", float_transform(5, 1));
}
