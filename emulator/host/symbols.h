/* From an address to the function and the source line, for a person to read. */
#ifndef EMULATOR_HOST_SYMBOLS_H
#define EMULATOR_HOST_SYMBOLS_H

#include "host/elf.h"

struct symbols;

/* The ELF must outlive the symbols. NULL: out of memory. Missing debug information only makes answers
 * shorter. */
struct symbols *symbols_create(const struct elf *elf);
void symbols_destroy(struct symbols *symbols);

/*
 * Writes "function (file.c:12)", "function+0x1c", or "" when nothing is known.
 * Debug information is read at the first call.
 */
void symbols_describe(struct symbols *symbols, uint32_t pc, char *text, size_t size);

/* The debug information, for whoever wants more of it; the symbols'. NULL: there is none. */
struct Dwarf *symbols_debug(struct symbols *symbols);

#endif
