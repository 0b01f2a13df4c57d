/* Integer arithmetic, much of it libgcc's: 64-bit division, shifts, multiplication with overflow. */
#include "programs.h"

enum { ROUNDS = 2000 };

static uint64_t any_u64(uint32_t *random)
{
    uint64_t value = (uint64_t)next_random(random) << 32 | next_random(random);
    return value >> (next_random(random) & 63);
}

static uint64_t divisions(uint64_t hash, uint64_t a, uint64_t b)
{
    int64_t sa = (int64_t)a, sb = (int64_t)b;

    if (b == 0)
        return hash_u64(hash, a);
    hash = hash_u64(hash, a / b);
    hash = hash_u64(hash, a % b);
    if (!(sa == INT64_MIN && sb == -1)) {
        hash = hash_u64(hash, (uint64_t)(sa / sb));
        hash = hash_u64(hash, (uint64_t)(sa % sb));
    }
    return hash;
}

static uint64_t narrow_divisions(uint64_t hash, uint32_t a, uint32_t b)
{
    int32_t sa = (int32_t)a, sb = (int32_t)b;

    if (b == 0 || (sa == INT32_MIN && sb == -1))
        return hash;
    hash = hash_u64(hash, (uint64_t)(a / b) << 32 | a % b);
    hash = hash_u64(hash, (uint64_t)(uint32_t)(sa / sb) << 32 | (uint32_t)(sa % sb));
    return hash_u64(hash, (uint64_t)(int64_t)((int16_t)a / (int32_t)(b % 100 + 1)));
}

static uint64_t shifts(uint64_t hash, uint64_t a, unsigned amount)
{
    hash = hash_u64(hash, a << amount);
    hash = hash_u64(hash, a >> amount);
    hash = hash_u64(hash, (uint64_t)((int64_t)a >> amount));
    return hash_u64(hash, a << amount | a >> ((64 - amount) & 63));
}

static uint64_t products(uint64_t hash, uint64_t a, uint64_t b)
{
    int32_t product;
    int64_t wide;

    hash = hash_u64(hash, a * b);
    hash = hash_byte(hash, __builtin_mul_overflow((int32_t)a, (int32_t)b, &product));
    hash = hash_u64(hash, (uint32_t)product);
    hash = hash_byte(hash, __builtin_add_overflow((int64_t)a, (int64_t)b, &wide));
    hash = hash_u64(hash, (uint64_t)wide);
    hash = hash_byte(hash, __builtin_mul_overflow((int64_t)a, (int64_t)b, &wide));
    return hash_u64(hash, (uint64_t)((int64_t)(int16_t)a * (int16_t)b + wide));
}

static uint64_t bit_counts(uint64_t hash, uint64_t a)
{
    hash = hash_byte(hash, (uint8_t)__builtin_popcountll(a));
    hash = hash_byte(hash, (uint8_t)__builtin_parityll(a));
    if (a) {
        hash = hash_byte(hash, (uint8_t)__builtin_clzll(a));
        hash = hash_byte(hash, (uint8_t)__builtin_ctzll(a));
    }
    return hash_u64(hash, __builtin_bswap64(a) ^ __builtin_bswap32((uint32_t)a));
}

void run_integers(void)
{
    uint64_t division = HASH_BEGIN, shift = HASH_BEGIN, product = HASH_BEGIN, count = HASH_BEGIN;
    uint32_t random = 0x12345678;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t a = any_u64(&random), b = any_u64(&random);
        division = narrow_divisions(divisions(division, a, b), (uint32_t)a, (uint32_t)b);
        shift = shifts(shift, a, b & 63);
        product = products(product, a, b);
        count = bit_counts(count, a);
    }
    show("division", division);
    show("shifts", shift);
    show("products", product);
    show("bit-counts", count);
}
