/* Data processing within a register: extension, bit fields, reversal (A7.7). */
#include "engine.h"

#define INSTRUCTION(name) static const struct op *name(struct machine *m, const struct op *op)

/* ---- Extension, with rotation of op->imm bits; n = 15: nothing to add ---- */

#define EXTEND(name, expression)                                                                             \
    INSTRUCTION(name)                                                                                        \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t x = rotate(c->r[op->m], op->imm);                                                           \
        uint32_t n = op->n == 15 ? 0 : c->r[op->n];                                                          \
        c->r[op->d] = expression;                                                                            \
        return next(op);                                                                                     \
    }

static inline uint32_t add_halves(uint32_t a, uint32_t b)
{
    return ((a + b) & 0xFFFF) | ((a & 0xFFFF0000u) + (b & 0xFFFF0000u));
}

EXTEND(sxth, n + (uint32_t)sign_extend(x, 16))
EXTEND(uxth, n + (x & 0xFFFF))
EXTEND(sxtb, n + (uint32_t)sign_extend(x, 8))
EXTEND(uxtb, n + (x & 0xFF))
EXTEND(sxtb16,
       add_halves(n, ((uint32_t)sign_extend(x, 8) & 0xFFFF) | (uint32_t)sign_extend(x >> 16, 8) << 16))
EXTEND(uxtb16, add_halves(n, x & 0x00FF00FF))

/* ---- Bits and bytes ---- */

#define UNARY(name, expression)                                                                              \
    INSTRUCTION(name)                                                                                        \
    {                                                                                                        \
        uint32_t x = m->cpu.r[op->m];                                                                        \
        m->cpu.r[op->d] = expression;                                                                        \
        return next(op);                                                                                     \
    }

static uint32_t reverse_bits(uint32_t x)
{
    x = (x & 0x55555555u) << 1 | (x >> 1 & 0x55555555u);
    x = (x & 0x33333333u) << 2 | (x >> 2 & 0x33333333u);
    x = (x & 0x0F0F0F0Fu) << 4 | (x >> 4 & 0x0F0F0F0Fu);
    return __builtin_bswap32(x);
}

UNARY(rev, __builtin_bswap32(x))
UNARY(rev16, (x & 0x00FF00FFu) << 8 | (x >> 8 & 0x00FF00FFu))
UNARY(revsh, (uint32_t)(int16_t)__builtin_bswap16((uint16_t)x))
UNARY(rbit, reverse_bits(x))
UNARY(clz, x ? (uint32_t)__builtin_clz(x) : 32)

static inline uint32_t low_mask(unsigned width)
{
    return 0xFFFFFFFFu >> (32 - width);
}

/* op->a: width; op->imm: least significant bit */
INSTRUCTION(sbfx)
{
    m->cpu.r[op->d] = (uint32_t)sign_extend(m->cpu.r[op->n] >> op->imm, op->a);
    return next(op);
}

INSTRUCTION(ubfx)
{
    m->cpu.r[op->d] = (m->cpu.r[op->n] >> op->imm) & low_mask(op->a);
    return next(op);
}

INSTRUCTION(bfi)
{
    struct cpu *c = &m->cpu;
    uint32_t mask = low_mask(op->a) << op->imm;
    uint32_t source = op->n == 15 ? 0 : c->r[op->n] << op->imm; /* BFC */

    c->r[op->d] = (c->r[op->d] & ~mask) | (source & mask);
    return next(op);
}

/* ---- Decoding ---- */

static void operands(struct op *op, uint32_t code)
{
    op->n = bits(code, 19, 16) & 15;
    op->d = bits(code, 11, 8) & 15;
    op->m = bits(code, 3, 0) & 15;
}

static bool decode16_unary(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 2, 0) & 7;
    op->m = bits(code, 5, 3) & 7;
    op->n = 15;
    return true;
}

/* SBFX, UBFX: width minus one; BFI: most significant bit */
static bool decode_bit_field(struct op *op, uint32_t code, const struct encoding *row)
{
    unsigned lsb = bits(code, 14, 12) << 2 | bits(code, 7, 6), last = code & 0x1F;
    bool insert = row->run[0] == bfi;

    operands(op, code);
    op->run = row->run[0];
    op->imm = lsb;
    if (insert) {
        op->a = (uint8_t)(last + 1 - lsb);
        return last >= lsb && !sp_or_pc(op->d) && op->n != 13;
    }
    op->a = (uint8_t)(last + 1);
    return lsb + last <= 31 && !sp_or_pc(op->d) && !sp_or_pc(op->n);
}

static bool decode_extend(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[0];
    op->imm = bits(code, 5, 4) * 8;
    return !sp_or_pc(op->d) && op->n != 13 && !sp_or_pc(op->m);
}

/* Rm stands in both halfwords. */
static bool decode_unary(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[0];
    return !sp_or_pc(op->d) && !sp_or_pc(op->m) && op->n == op->m;
}

const struct encoding bits16_encodings[] = {
    {"SXTH T1", 0xFFC0, 0xB200, decode16_unary, {sxth}},
    {"SXTB T1", 0xFFC0, 0xB240, decode16_unary, {sxtb}},
    {"UXTH T1", 0xFFC0, 0xB280, decode16_unary, {uxth}},
    {"UXTB T1", 0xFFC0, 0xB2C0, decode16_unary, {uxtb}},
    {"REV T1", 0xFFC0, 0xBA00, decode16_unary, {rev}},
    {"REV16 T1", 0xFFC0, 0xBA40, decode16_unary, {rev16}},
    {"REVSH T1", 0xFFC0, 0xBAC0, decode16_unary, {revsh}},
    {0},
};

const struct encoding bits32_encodings[] = {
    {"SBFX", 0xFFF08020, 0xF3400000, decode_bit_field, {sbfx}},
    {"BFI, BFC", 0xFFF08020, 0xF3600000, decode_bit_field, {bfi}},
    {"UBFX", 0xFFF08020, 0xF3C00000, decode_bit_field, {ubfx}},
    {"SXTH T2, SXTAH", 0xFFF0F0C0, 0xFA00F080, decode_extend, {sxth}},
    {"UXTH T2, UXTAH", 0xFFF0F0C0, 0xFA10F080, decode_extend, {uxth}},
    {"SXTB16, SXTAB16", 0xFFF0F0C0, 0xFA20F080, decode_extend, {sxtb16}},
    {"UXTB16, UXTAB16", 0xFFF0F0C0, 0xFA30F080, decode_extend, {uxtb16}},
    {"SXTB T2, SXTAB", 0xFFF0F0C0, 0xFA40F080, decode_extend, {sxtb}},
    {"UXTB T2, UXTAB", 0xFFF0F0C0, 0xFA50F080, decode_extend, {uxtb}},
    {"REV T2", 0xFFF0F0F0, 0xFA90F080, decode_unary, {rev}},
    {"REV16 T2", 0xFFF0F0F0, 0xFA90F090, decode_unary, {rev16}},
    {"RBIT", 0xFFF0F0F0, 0xFA90F0A0, decode_unary, {rbit}},
    {"REVSH T2", 0xFFF0F0F0, 0xFA90F0B0, decode_unary, {revsh}},
    {"CLZ", 0xFFF0F0F0, 0xFAB0F080, decode_unary, {clz}},
    {0},
};
