/* Which memory an instruction reads or writes, worked out from its encoding:
 * for watchpoints and explanations. */
#ifndef EMULATOR_CPU_ACCESS_H
#define EMULATOR_CPU_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_access {
    uint32_t address;
    uint32_t bytes; /* several registers: the whole range */
    bool write;
};

/*
 * `code` is a 16-bit encoding (halfwords 1), or a 32-bit one with its first
 * halfword on top (2); r the registers before it is executed. False: it
 * accesses no memory. Stacking and unstacking of exceptions are not accesses.
 */
bool cpu_access_of(uint32_t code, unsigned halfwords, const uint32_t r[16], uint32_t pc,
                   struct cpu_access *access);

#endif
