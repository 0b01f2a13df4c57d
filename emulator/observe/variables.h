/* Variables of the program by name, as their types say: for a person to read. */
#ifndef EMULATOR_OBSERVE_VARIABLES_H
#define EMULATOR_OBSERVE_VARIABLES_H

#include "host/elf.h"
#include "host/symbols.h"

/* Is there a variable of that name, in the debug information or the symbol table? */
bool variable_exists(const struct elf *elf, struct symbols *symbols, const char *name);

/*
 * Writes "NAME = VALUE", from the debug information: numbers, enumerations,
 * pointers, structures and arrays; without it, the symbol's bytes in hex. What
 * does not fit `size` is cut off.
 */
void variable_describe(const struct elf *elf, struct symbols *symbols, const struct machine *m,
                       const char *name, char *text, size_t size);

#endif
