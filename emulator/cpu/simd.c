/* Parallel and saturating arithmetic of the DSP extension (A5.3.14, A7.7). */
#include "engine.h"

#define INSTRUCTION(name) static const struct op *name(struct machine *m, const struct op *op)

/* SatQ(): to `width` bits, signed or unsigned */
static int64_t saturate(struct cpu *c, int64_t value, int64_t low, int64_t high)
{
    if (value >= low && value <= high)
        return value;
    c->flag_q = 1;
    return value < low ? low : high;
}

static uint32_t saturate_signed(struct cpu *c, int64_t value, unsigned width)
{
    int64_t limit = (int64_t)1 << (width - 1);
    return (uint32_t)saturate(c, value, -limit, limit - 1);
}

static uint32_t saturate_unsigned(struct cpu *c, int64_t value, unsigned width)
{
    return (uint32_t)saturate(c, value, 0, ((int64_t)1 << width) - 1);
}

/* ---- Parallel addition and subtraction ---- */

enum kind { SIGNED, SATURATING, SIGNED_HALVING, UNSIGNED = 4, UNSIGNED_SATURATING, UNSIGNED_HALVING };
enum { ADD8, ADD16, ASX, SUB8 = 4, SUB16, SAX };

static int32_t lane(uint32_t value, unsigned index, unsigned width, bool is_unsigned)
{
    uint32_t raw = bits(value >> index * width, width - 1, 0);
    return is_unsigned ? (int32_t)raw : sign_extend(raw, width);
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* A lane's result; *ge is what its GE bits become. */
static uint32_t finish_lane(enum kind kind, int32_t value, unsigned width, bool subtracts, bool *ge)
{
    int32_t top = 1 << width, half = 1 << (width - 1);

    *ge = kind == UNSIGNED && !subtracts ? value >= top : value >= 0;
    switch (kind) {
    case SATURATING: value = clamp(value, -half, half - 1); break;
    case UNSIGNED_SATURATING: value = clamp(value, 0, top - 1); break;
    case SIGNED_HALVING:
    case UNSIGNED_HALVING: value >>= 1; break;
    default: break;
    }
    return (uint32_t)value & (uint32_t)(top - 1);
}

struct parallel {
    unsigned width;
    bool exchange;
    uint8_t subtract; /* bit per lane */
};

static const struct parallel parallel_operation[] = {
    [ADD8] = {8, false, 0},   [ADD16] = {16, false, 0}, [ASX] = {16, true, 1},
    [SUB8] = {8, false, 0xF}, [SUB16] = {16, false, 3}, [SAX] = {16, true, 2},
};

/* Compiled for each operation of each kind. */
static inline __attribute__((always_inline)) const struct op *
parallel(struct machine *m, const struct op *op, enum kind kind, const struct parallel what)
{
    struct cpu *c = &m->cpu;
    bool is_unsigned = kind >= UNSIGNED;
    unsigned lanes = 32 / what.width, ge_bits = what.width / 8;
    uint32_t n = c->r[op->n], x = c->r[op->m], result = 0, flags = 0;

    for (unsigned i = 0; i < lanes; i++) {
        int32_t a = lane(n, i, what.width, is_unsigned);
        int32_t b = lane(x, what.exchange ? 1 - i : i, what.width, is_unsigned);
        bool subtracts = what.subtract >> i & 1, ge;
        uint32_t value = finish_lane(kind, subtracts ? a - b : a + b, what.width, subtracts, &ge);
        result |= value << i * what.width;
        flags |= ge ? ((1u << ge_bits) - 1) << i * ge_bits : 0;
    }
    c->r[op->d] = result;
    if (kind == SIGNED || kind == UNSIGNED)
        c->flag_ge = (uint8_t)flags;
    return next(op);
}

#define PARALLEL(kind, operation)                                                                            \
    INSTRUCTION(parallel_##kind##_##operation)                                                               \
    {                                                                                                        \
        return parallel(m, op, kind, parallel_operation[operation]);                                         \
    }
#define PARALLEL_KINDS(operation)                                                                            \
    PARALLEL(SIGNED, operation)                                                                              \
    PARALLEL(SATURATING, operation)                                                                          \
    PARALLEL(SIGNED_HALVING, operation)                                                                      \
    PARALLEL(UNSIGNED, operation)                                                                            \
    PARALLEL(UNSIGNED_SATURATING, operation)                                                                 \
    PARALLEL(UNSIGNED_HALVING, operation)

PARALLEL_KINDS(ADD8)
PARALLEL_KINDS(ADD16)
PARALLEL_KINDS(ASX)
PARALLEL_KINDS(SUB8)
PARALLEL_KINDS(SUB16)
PARALLEL_KINDS(SAX)

INSTRUCTION(sel)
{
    struct cpu *c = &m->cpu;
    uint32_t mask = 0;

    for (unsigned i = 0; i < 4; i++)
        mask |= c->flag_ge >> i & 1 ? 0xFFu << 8 * i : 0;
    c->r[op->d] = (c->r[op->n] & mask) | (c->r[op->m] & ~mask);
    return next(op);
}

/* ---- Saturating arithmetic: Rm plus or minus Rn, once or twice ---- */

#define SATURATING_SUM(name, expression)                                                                     \
    INSTRUCTION(name)                                                                                        \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        int64_t n = (int32_t)c->r[op->n], x = (int32_t)c->r[op->m];                                          \
        c->r[op->d] = saturate_signed(c, expression, 32);                                                    \
        return next(op);                                                                                     \
    }

static int64_t doubled(struct cpu *c, int64_t value)
{
    return (int32_t)saturate_signed(c, 2 * value, 32);
}

SATURATING_SUM(qadd, x + n)
SATURATING_SUM(qsub, x - n)
SATURATING_SUM(qdadd, x + doubled(c, n))
SATURATING_SUM(qdsub, x - doubled(c, n))

/* ---- SSAT, USAT: op->a is the width, op->imm shift amount, bit 8: arithmetic right ---- */

static int64_t saturation_operand(const struct cpu *c, const struct op *op)
{
    int32_t value = (int32_t)c->r[op->n];
    unsigned amount = op->imm & 0xFF;

    return op->imm & 0x100 ? value >> amount : (int32_t)((uint32_t)value << amount);
}

INSTRUCTION(ssat)
{
    struct cpu *c = &m->cpu;

    c->r[op->d] = saturate_signed(c, saturation_operand(c, op), op->a);
    return next(op);
}

INSTRUCTION(usat)
{
    struct cpu *c = &m->cpu;

    c->r[op->d] = saturate_unsigned(c, saturation_operand(c, op), op->a);
    return next(op);
}

INSTRUCTION(ssat16)
{
    struct cpu *c = &m->cpu;
    uint32_t n = c->r[op->n];
    uint32_t low = saturate_signed(c, (int16_t)n, op->a),
             high = saturate_signed(c, (int16_t)(n >> 16), op->a);

    c->r[op->d] = (low & 0xFFFF) | high << 16;
    return next(op);
}

INSTRUCTION(usat16)
{
    struct cpu *c = &m->cpu;
    uint32_t n = c->r[op->n];
    uint32_t low = saturate_unsigned(c, (int16_t)n, op->a);
    uint32_t high = saturate_unsigned(c, (int16_t)(n >> 16), op->a);

    c->r[op->d] = (low & 0xFFFF) | high << 16;
    return next(op);
}

/* ---- Decoding ---- */

static bool decode_three(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->d = bits(code, 11, 8) & 15;
    op->m = bits(code, 3, 0) & 15;
    return !sp_or_pc(op->n) && !sp_or_pc(op->d) && !sp_or_pc(op->m);
}

static bool decode_saturate(struct op *op, uint32_t code, const struct encoding *row)
{
    unsigned amount = bits(code, 14, 12) << 2 | bits(code, 7, 6);
    bool is_signed = row->run[0] == ssat, right = bits(code, 21, 21);

    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->d = bits(code, 11, 8) & 15;
    op->imm = (uint32_t)right << 8 | amount;
    op->a = (uint8_t)((code & 31) + (is_signed ? 1 : 0));
    return !sp_or_pc(op->n) && !sp_or_pc(op->d) &&
           !(right && amount == 0); /* that is SSAT16's and USAT16's */
}

static bool decode_saturate16(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->d = bits(code, 11, 8) & 15;
    op->a = (uint8_t)((code & 15) + (row->run[0] == ssat16 ? 1 : 0));
    return !sp_or_pc(op->n) && !sp_or_pc(op->d);
}

/* Bits 6:4 of the second halfword: kind; S, Q, SH, U, UQ, UH of one operation */
#define PARALLEL_ROW(prefix, top, kind, operation)                                                           \
    {                                                                                                        \
        prefix #operation, 0xFFF0F0F0, (top) | kind << 4, decode_three,                                      \
        {                                                                                                    \
            parallel_##kind##_##operation                                                                    \
        }                                                                                                    \
    }
#define PARALLEL_ROWS(operation, top)                                                                        \
    PARALLEL_ROW("S", top, SIGNED, operation), PARALLEL_ROW("Q", top, SATURATING, operation),                \
        PARALLEL_ROW("SH", top, SIGNED_HALVING, operation), PARALLEL_ROW("U", top, UNSIGNED, operation),     \
        PARALLEL_ROW("UQ", top, UNSIGNED_SATURATING, operation),                                             \
        PARALLEL_ROW("UH", top, UNSIGNED_HALVING, operation)

const struct encoding simd_encodings[] = {
    {"SSAT16", 0xFFF0F0F0, 0xF3200000, decode_saturate16, {ssat16}},
    {"USAT16", 0xFFF0F0F0, 0xF3A00000, decode_saturate16, {usat16}},
    {"SSAT", 0xFFD08020, 0xF3000000, decode_saturate, {ssat}},
    {"USAT", 0xFFD08020, 0xF3800000, decode_saturate, {usat}},
    PARALLEL_ROWS(ADD8, 0xFA80F000),
    PARALLEL_ROWS(ADD16, 0xFA90F000),
    PARALLEL_ROWS(ASX, 0xFAA0F000),
    PARALLEL_ROWS(SUB8, 0xFAC0F000),
    PARALLEL_ROWS(SUB16, 0xFAD0F000),
    PARALLEL_ROWS(SAX, 0xFAE0F000),
    {"QADD", 0xFFF0F0F0, 0xFA80F080, decode_three, {qadd}},
    {"QDADD", 0xFFF0F0F0, 0xFA80F090, decode_three, {qdadd}},
    {"QSUB", 0xFFF0F0F0, 0xFA80F0A0, decode_three, {qsub}},
    {"QDSUB", 0xFFF0F0F0, 0xFA80F0B0, decode_three, {qdsub}},
    {"SEL", 0xFFF0F0F0, 0xFAA0F080, decode_three, {sel}},
    {0},
};
