/* Where a program can go two ways: found in its code, executed or not. */
#ifndef EMULATOR_OBSERVE_BRANCHES_H
#define EMULATOR_OBSERVE_BRANCHES_H

#include "observe/functions.h"

/* B with a condition, CBZ, CBNZ. `length` in halfwords; a 32-bit encoding has its first halfword on top. */
bool branch_is_conditional(uint32_t code, unsigned length);

/*
 * Calls `found` for each conditional branch in the ELF's functions, and for the
 * first instruction of each IT block. `flash` is the machine's. False: out of memory.
 */
bool branches_find(const struct elf *elf, const struct functions *functions, const uint8_t *flash,
                   void (*found)(void *context, uint32_t address), void *context)
    __attribute__((warn_unused_result));

#endif
