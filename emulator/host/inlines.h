/* Functions that the compiler inlined: one address, several calls. */
#ifndef EMULATOR_HOST_INLINES_H
#define EMULATOR_HOST_INLINES_H

#include "host/symbols.h"

enum { INLINES_MAX = 16, INLINE_NAME = 128 };

struct inline_call {
    char function[INLINE_NAME];
    char file[INLINE_NAME]; /* "" : not known */
    int line;               /* in that file, of what this function does at the address */
};

/*
 * The functions at an address, the innermost first and the one that has code
 * of its own last. 0: no debug information covers the address.
 */
size_t inlines_at(struct symbols *symbols, uint32_t pc, struct inline_call calls[INLINES_MAX]);

#endif
