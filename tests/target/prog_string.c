/* memcpy, memmove, memset and memcmp as they are linked: they end, and do their work
 * (tests/net/test_string.c: all lengths). */
#include "semihosting.h"

#include <stddef.h>
#include <string.h>

enum { SIZE = 64 };

/* Called by address, lest the compiler put code of its own in their place. */
static void *(*const volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*const volatile move)(void *, const void *, size_t) = memmove;
static void *(*const volatile set)(void *, int, size_t) = memset;
static int (*const volatile compare)(const void *, const void *, size_t) = memcmp;

int main(void)
{
    static uint8_t a[SIZE], b[SIZE];

    for (uint32_t i = 0; i < SIZE; i++)
        a[i] = (uint8_t)i;
    for (uint32_t length = 0; length < SIZE - 5; length++) {
        CHECK(set(b, 0xA5, SIZE) == b);
        CHECK(copy(b + 1, a + 2, length) == b + 1);
        CHECK(compare(b + 1, a + 2, length) == 0);
        CHECK(b[0] == 0xA5 && b[length + 1] == 0xA5);
    }
    OK("copied and compared at any alignment");

    copy(b, a, SIZE);
    move(b + 3, b, SIZE - 3);
    CHECK(b[0] == 0 && compare(b + 3, a, SIZE - 3) == 0);
    move(b, b + 3, SIZE - 3);
    CHECK(compare(b, a, SIZE - 3) == 0);
    OK("moved over itself, up and down");
    semihosting_exit(0);
}
