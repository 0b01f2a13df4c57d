/*
 * Programs that are compiled at several levels for the Cortex-M4 and once for
 * the host: what they print must be the same wherever they run, except for
 * lines of `show_near`, which come from another mathematics library there.
 */
#ifndef TESTS_EMULATOR_PROGRAMS_H
#define TESTS_EMULATOR_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a, 64 bits */
#define HASH_BEGIN 0xCBF29CE484222325u

static inline uint64_t hash_byte(uint64_t hash, uint8_t byte)
{
    return (hash ^ byte) * 0x100000001B3u;
}

static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = hash_byte(hash, bytes[i]);
    return hash;
}

static inline uint64_t hash_u64(uint64_t hash, uint64_t value)
{
    for (unsigned i = 0; i < 64; i += 8)
        hash = hash_byte(hash, (uint8_t)(value >> i));
    return hash;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t bits_of_double(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Xorshift: the same numbers everywhere */
static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A line `name hash` */
void show(const char *name, uint64_t hash);
/* A line `~ name bits`: of a library's result, which another library may round otherwise. */
void show_near(const char *name, uint64_t bits);

void run_integers(void);
void run_strings(void);
void run_mix(void);
void run_floats(void);
void run_mathematics(void);
void run_transforms(void);

#endif
