/*
 * The four that the compiler calls by itself, by words at any alignment, which
 * the Cortex-M4 loads and stores as they are; the C library's go by bytes.
 */
#include <stdint.h>
#include <string.h>

/* Not taken for calls of themselves, and loops left as small as they are written. */
#define LIBRARY_FUNCTION                                                                                     \
    __attribute__((noinline,                                                                                 \
                   optimize("Os", "no-tree-loop-distribute-patterns", "no-ivopts", "no-tree-scev-cprop")))

struct word {
    uint32_t value;
} __attribute__((packed, may_alias));

enum { WORD = sizeof(struct word), BLOCK = 4 * WORD };

static inline void copy_word(uint8_t *to, const uint8_t *from)
{
    *(struct word *)to = *(const struct word *)from;
}

LIBRARY_FUNCTION static void *copy_upwards(void *to, const void *from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    for (size_t blocks = n / BLOCK; blocks != 0; blocks--, d += BLOCK, s += BLOCK) {
        copy_word(d, s);
        copy_word(d + WORD, s + WORD);
        copy_word(d + 2 * WORD, s + 2 * WORD);
        copy_word(d + 3 * WORD, s + 3 * WORD);
    }
    for (size_t words = n % BLOCK / WORD; words != 0; words--, d += WORD, s += WORD)
        copy_word(d, s);
    for (n %= WORD; n != 0; n--)
        *d++ = *s++;
    return to;
}

/* Neither calls the other, for the compiler takes a memmove of what cannot overlap for a memcpy. */
LIBRARY_FUNCTION void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    if ((uintptr_t)d - (uintptr_t)s >= n)
        return copy_upwards(to, from, n);
    while (n >= WORD) { /* downwards, or what is still to be read would be overwritten */
        n -= WORD;
        copy_word(d + n, s + n);
    }
    while (n != 0) {
        n--;
        d[n] = s[n];
    }
    return to;
}

LIBRARY_FUNCTION void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    return copy_upwards(to, from, n);
}

LIBRARY_FUNCTION void *memset(void *to, int byte, size_t n)
{
    uint8_t *d = to;
    const struct word word = {(uint8_t)byte * 0x01010101U};

    for (; n >= WORD; n -= WORD, d += WORD)
        *(struct word *)d = word;
    for (; n != 0; n--)
        *d++ = (uint8_t)byte;
    return to;
}

LIBRARY_FUNCTION int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    while (n >= WORD && ((const struct word *)p)->value == ((const struct word *)q)->value) {
        p += WORD;
        q += WORD;
        n -= WORD;
    }
    for (; n != 0; n--) {
        int difference = *p++ - *q++;
        if (difference != 0)
            return difference;
    }
    return 0;
}
