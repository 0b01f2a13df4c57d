/* The firmware's memcpy, memmove, memset and memcmp (target/stm32f429/string.c) at every small alignment and
 * length. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

/* Under other names, beside the host's. */
#define memcpy  target_memcpy
#define memmove target_memmove
#define memset  target_memset
#define memcmp  target_memcmp
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#include "target/stm32f429/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

enum { ROOM = 96, OFFSETS = 8, LENGTHS = 70 };

static void fill(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(i * 7 + 3);
    }
}

/* In memory of the exact lengths, so that a byte read or written beyond is found. */
static void copies(void **state)
{
    (void)state;
    for (size_t length = 0; length < LENGTHS; length++) {
        for (size_t offset = 0; offset < OFFSETS * OFFSETS; offset++) {
            size_t to_offset = offset % OFFSETS, from_offset = offset / OFFSETS;
            uint8_t *from = malloc(from_offset + 1 + length), *to = malloc(to_offset + 1 + length);
            fill(from, from_offset + length + 1);
            memset(to, 0xEE, to_offset + length + 1);
            assert_ptr_equal(target_memcpy(to + to_offset + 1, from + from_offset + 1, length),
                             to + to_offset + 1);
            assert_memory_equal(to + to_offset + 1, from + from_offset + 1, length);
            for (size_t i = 0; i <= to_offset; i++) {
                assert_int_equal(to[i], 0xEE);
            }
            free(from);
            free(to);
        }
    }
}

static void moves_that_overlap(void **state)
{
    (void)state;
    uint8_t before[ROOM + LENGTHS], bytes[ROOM + LENGTHS];
    fill(before, sizeof before);
    for (size_t length = 0; length < LENGTHS; length++) {
        for (size_t to = 0; to < 40; to++) {
            memcpy(bytes, before, sizeof before);
            assert_ptr_equal(target_memmove(bytes + to, bytes + 20, length), bytes + to);
            for (size_t i = 0; i < sizeof bytes; i++) {
                size_t from = i >= to && i < to + length ? i - to + 20 : i;
                assert_int_equal(bytes[i], before[from]);
            }
        }
    }
}

static void sets(void **state)
{
    (void)state;
    for (size_t length = 0; length < LENGTHS; length++) {
        for (size_t offset = 0; offset < OFFSETS; offset++) {
            uint8_t *bytes = malloc(offset + length + 1);
            memset(bytes, 0x11, offset + length + 1);
            assert_ptr_equal(target_memset(bytes + offset + 1, 0x1A5, length), bytes + offset + 1);
            for (size_t i = 0; i < offset + length + 1; i++) {
                assert_int_equal(bytes[i], i <= offset ? 0x11 : 0xA5);
            }
            free(bytes);
        }
    }
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

/* The first byte that differs decides, whatever follows, and as a number without sign. */
static void comparisons(void **state)
{
    (void)state;
    for (size_t length = 0; length < 20; length++) {
        for (size_t offset = 0; offset < OFFSETS; offset++) {
            uint8_t *a = malloc(length + 1), *b = malloc(offset + length + 1);
            fill(a, length + 1);
            memcpy(b + offset, a, length + 1);
            assert_int_equal(target_memcmp(a, b + offset, length), 0);
            for (size_t at = 0; at < length; at++) {
                a[at] = 0x70;
                b[offset + at] = 0x90;
                assert_int_equal(sign(target_memcmp(a, b + offset, length)), -1);
                assert_int_equal(sign(target_memcmp(b + offset, a, length)), 1);
                assert_int_equal(target_memcmp(a, b + offset, at), 0);
                b[offset + at] = 0x70;
            }
            free(a);
            free(b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(moves_that_overlap),
        cmocka_unit_test(sets),
        cmocka_unit_test(comparisons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
