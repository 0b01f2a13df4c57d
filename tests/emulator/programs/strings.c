/* The C library's strings, at every alignment and length. */
#include <stdlib.h>

#include "programs.h"

enum { SIZE = 160, LENGTHS = 70, ALIGNMENTS = 4 };

static uint8_t from[SIZE], to[SIZE];

static void fill(uint8_t *bytes, uint32_t seed)
{
    for (unsigned i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(next_random(&seed) | 1);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static uint64_t copies(uint64_t hash, unsigned source, unsigned target, unsigned length)
{
    fill(from, length + 1);
    fill(to, length + 1000);
    memcpy(to + target, from + source, length);
    hash = hash_bytes(hash, to, SIZE);
    memmove(to + target + 3, to + target, length);
    memmove(to + target, to + target + 5, length);
    memset(to + 100 + source, (int)length, length % 40);
    return hash_bytes(hash, to, SIZE);
}

/* Equal but for one byte, or not at all */
static uint64_t comparisons(uint64_t hash, unsigned a, unsigned b, unsigned length)
{
    char *left = (char *)from + a, *right = (char *)to + b;

    fill(from, length + 7);
    memcpy(right, left, length);
    left[length] = right[length] = '\0';
    for (unsigned i = 0; i <= length; i += 3) {
        char kept = right[i];
        right[i] = (char)(kept ^ (int)(0x40 + i));
        hash = hash_byte(hash, (uint8_t)sign(strcmp(left, right)));
        hash = hash_byte(hash, (uint8_t)sign(memcmp(left, right, length)));
        hash = hash_byte(hash, (uint8_t)sign(strncmp(left, right, i)));
        right[i] = kept;
    }
    hash = hash_byte(hash, (uint8_t)sign(strcmp(left, right)));
    return hash_byte(hash, (uint8_t)strlen(left));
}

static uint8_t offset_of(const void *found, const void *base)
{
    return found ? (uint8_t)((const char *)found - (const char *)base) : 0xFF;
}

static uint64_t searches(uint64_t hash, unsigned a, unsigned length)
{
    char *text = (char *)from + a;

    fill(from, length + 99);
    text[length] = '\0';
    for (unsigned i = 0; i <= length; i += 5) {
        hash = hash_byte(hash, offset_of(strchr(text, text[i]), text));
        hash = hash_byte(hash, offset_of(strrchr(text, text[i]), text));
        hash = hash_byte(hash, offset_of(memchr(text, text[i], length), text));
        hash = hash_byte(hash, offset_of(strstr(text, text + i), text));
    }
    strcpy((char *)to, text);
    return hash_bytes(hash, to, length + 1);
}

static int compare_words(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint64_t sorted(void)
{
    uint32_t words[200], random = 77;

    for (unsigned i = 0; i < 200; i++)
        words[i] = next_random(&random) % 500;
    qsort(words, 200, sizeof *words, compare_words);
    return hash_bytes(HASH_BEGIN, words, sizeof words);
}

static uint64_t numbers(void)
{
    static const char *const texts[] = {"0",      "-1",      "2147483647", "-2147483648",
                                        "0x7fff", "  42abc", "077",        "zz"};
    uint64_t hash = HASH_BEGIN;

    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        hash = hash_u64(hash, (uint32_t)strtol(texts[i], NULL, 0));
        hash = hash_u64(hash, (uint64_t)strtoll(texts[i], NULL, 16));
        hash = hash_u64(hash, (uint32_t)atoi(texts[i]));
    }
    return hash;
}

void run_strings(void)
{
    uint64_t copy = HASH_BEGIN, comparison = HASH_BEGIN, search = HASH_BEGIN;

    for (unsigned a = 0; a < ALIGNMENTS; a++) {
        for (unsigned b = 0; b < ALIGNMENTS; b++) {
            for (unsigned length = 0; length < LENGTHS; length += 1 + length / 12) {
                copy = copies(copy, a, b, length);
                comparison = comparisons(comparison, a, b, length);
                search = searches(search, a, length);
            }
        }
    }
    show("copies", copy);
    show("comparisons", comparison);
    show("searches", search);
    show("sorted", sorted());
    show("numbers", numbers());
}
