/* A few instructions, assembled by hand, for programs that tests generate. */
#ifndef TESTS_EMULATOR_CPU_CODE_H
#define TESTS_EMULATOR_CPU_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CODE_BASE = 0x08000000, CODE_SCRATCH = 11 /* the register that no random instruction touches */ };

/* Where an instruction stands whose executions are counted. */
struct code_mark {
    uint32_t address;
    uint32_t row;
};

struct code {
    uint8_t *bytes;
    size_t size;
    size_t length;
    bool overflow;
    struct code_mark *marks;
    size_t mark_count;
    size_t mark_max;
};

static inline uint32_t code_here(const struct code *out)
{
    return CODE_BASE + (uint32_t)out->length;
}

static inline void code_half(struct code *out, uint32_t value)
{
    if (out->length + 2 > out->size) {
        out->overflow = true;
        return;
    }
    out->bytes[out->length++] = (uint8_t)value;
    out->bytes[out->length++] = (uint8_t)(value >> 8);
}

static inline void code_word(struct code *out, uint32_t value)
{
    code_half(out, value & 0xFFFF);
    code_half(out, value >> 16);
}

/* A 32-bit instruction, its first halfword on top */
static inline void code_wide(struct code *out, uint32_t code)
{
    code_half(out, code >> 16);
    code_half(out, code & 0xFFFF);
}

static inline uint32_t code_move_wide(uint32_t opcode, unsigned d, uint32_t imm16)
{
    return opcode | (imm16 >> 12 & 15) << 16 | (imm16 >> 11 & 1) << 26 | (imm16 >> 8 & 7) << 12 | d << 8 |
           (imm16 & 0xFF);
}

/* movw, movt: always 8 bytes */
static inline void code_constant(struct code *out, unsigned d, uint32_t value)
{
    code_wide(out, code_move_wide(0xF2400000, d, value & 0xFFFF));
    code_wide(out, code_move_wide(0xF2C00000, d, value >> 16));
}

/* Loads a constant that is not known yet: returns where. */
static inline size_t code_reserve(struct code *out)
{
    size_t at = out->length;

    code_word(out, 0);
    code_word(out, 0);
    return at;
}

static inline void code_fix(struct code *out, size_t at, unsigned d, uint32_t value)
{
    struct code part = *out;

    if (out->overflow)
        return;
    part.length = at;
    code_constant(&part, d, value);
}

static inline void code_align(struct code *out, uint32_t bytes)
{
    while (out->length % bytes != 0 && !out->overflow)
        code_half(out, 0xBF00);
}

/* B T4 or, with `link`, BL */
static inline uint32_t code_branch(uint32_t from, uint32_t to, bool link)
{
    uint32_t offset = to - (from + 4), s = offset >> 24 & 1;
    uint32_t j1 = (~(offset >> 23) ^ s) & 1, j2 = (~(offset >> 22) ^ s) & 1;

    return 0xF0009000u | (link ? 1u << 14 : 0) | s << 26 | (offset >> 12 & 0x3FF) << 16 | j1 << 13 |
           j2 << 11 | (offset >> 1 & 0x7FF);
}

/* B T3 */
static inline uint32_t code_branch_if(uint32_t from, uint32_t to, uint32_t condition)
{
    uint32_t offset = to - (from + 4);

    return 0xF0008000u | (offset >> 20 & 1) << 26 | condition << 22 | (offset >> 12 & 0x3F) << 16 |
           (offset >> 18 & 1) << 13 | (offset >> 19 & 1) << 11 | (offset >> 1 & 0x7FF);
}

#endif
