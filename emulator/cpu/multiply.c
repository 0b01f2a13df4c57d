/* Multiplication and division (A7.7, A5.3.16, A5.3.17). */
#include "engine.h"

/* Operands: Rd, Rn, Rm, Ra (15: none); long ones have RdLo in `a`, RdHi in `d`. */
#define INSTRUCTION(name, body)                                                                              \
    static const struct op *name(struct machine *m, const struct op *op)                                     \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t n = c->r[op->n], x = c->r[op->m];                                                           \
        body;                                                                                                \
        return next(op);                                                                                     \
    }

enum { NO_ACCUMULATOR = 15 };

static inline int32_t half(uint32_t value, unsigned top)
{
    return (int16_t)(top ? value >> 16 : value);
}

static inline uint32_t accumulator(const struct cpu *c, const struct op *op)
{
    return op->a == NO_ACCUMULATOR ? 0 : c->r[op->a];
}

/* Adds to Ra; a signed overflow sets Q and wraps. */
static void accumulate_q(struct cpu *c, const struct op *op, int64_t product)
{
    int64_t sum = product + (int32_t)accumulator(c, op);

    c->r[op->d] = (uint32_t)sum;
    if (sum != (int32_t)sum)
        c->flag_q = 1;
}

static inline uint64_t long_accumulator(const struct cpu *c, const struct op *op)
{
    return (uint64_t)c->r[op->d] << 32 | c->r[op->a];
}

static inline void set_long(struct cpu *c, const struct op *op, uint64_t value)
{
    c->r[op->a] = (uint32_t)value;
    c->r[op->d] = (uint32_t)(value >> 32);
}

static inline int64_t smul64(uint32_t a, uint32_t b)
{
    return (int64_t)(int32_t)a * (int32_t)b;
}

/* op->imm: which halves; bit 1 is N, bit 0 is M */
static inline int32_t product_of_halves(const struct op *op, uint32_t n, uint32_t x)
{
    return half(n, op->imm & 2) * half(x, op->imm & 1);
}

/* The products of the low and of the high halves; op->imm: 1 exchanges the halves of Rm. */
static inline int64_t sum_of_products(const struct op *op, uint32_t n, uint32_t x)
{
    return (int64_t)half(n, 0) * half(x, op->imm) + (int64_t)half(n, 1) * half(x, !op->imm);
}

static inline int64_t difference_of_products(const struct op *op, uint32_t n, uint32_t x)
{
    return (int64_t)half(n, 0) * half(x, op->imm) - (int64_t)half(n, 1) * half(x, !op->imm);
}

INSTRUCTION(mla, c->r[op->d] = accumulator(c, op) + n * x)
INSTRUCTION(mls, c->r[op->d] = c->r[op->a] - n * x)
INSTRUCTION(smlaxy, accumulate_q(c, op, product_of_halves(op, n, x)))
INSTRUCTION(smlawy, accumulate_q(c, op, ((int64_t)(int32_t)n * half(x, op->imm & 1)) >> 16))
INSTRUCTION(smlad, accumulate_q(c, op, sum_of_products(op, n, x)))
INSTRUCTION(smlsd, accumulate_q(c, op, difference_of_products(op, n, x)))

/* The top word of a product, op->imm 1: rounded. */
static uint32_t top_word(const struct op *op, uint64_t value)
{
    return (uint32_t)((value + (op->imm ? 0x80000000u : 0)) >> 32);
}

INSTRUCTION(smmla, c->r[op->d] = top_word(op, ((uint64_t)accumulator(c, op) << 32) + (uint64_t)smul64(n, x)))
INSTRUCTION(smmls, c->r[op->d] = top_word(op, ((uint64_t)c->r[op->a] << 32) - (uint64_t)smul64(n, x)))

static uint32_t absolute_differences(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 32; i += 8) {
        uint32_t p = a >> i & 0xFF, q = b >> i & 0xFF;
        sum += p > q ? p - q : q - p;
    }
    return sum;
}

INSTRUCTION(usada8, c->r[op->d] = accumulator(c, op) + absolute_differences(n, x))
INSTRUCTION(smull, set_long(c, op, (uint64_t)smul64(n, x)))
INSTRUCTION(umull, set_long(c, op, (uint64_t)n *x))
INSTRUCTION(smlal, set_long(c, op, long_accumulator(c, op) + (uint64_t)smul64(n, x)))
INSTRUCTION(umlal, set_long(c, op, long_accumulator(c, op) + (uint64_t)n * x))
INSTRUCTION(umaal, set_long(c, op, (uint64_t)n *x + c->r[op->a] + c->r[op->d]))
INSTRUCTION(smlalxy,
            set_long(c, op, long_accumulator(c, op) + (uint64_t)(int64_t)product_of_halves(op, n, x)))
INSTRUCTION(smlald, set_long(c, op, long_accumulator(c, op) + (uint64_t)sum_of_products(op, n, x)))
INSTRUCTION(smlsld, set_long(c, op, long_accumulator(c, op) + (uint64_t)difference_of_products(op, n, x)))

static const struct op *division_by_zero(struct machine *m, const struct op *op)
{
    if (m->cpu.ccr & CCR_DIV_0_TRP)
        return cpu_usage_fault(m, CFSR_DIVBYZERO);
    m->cpu.r[op->d] = 0;
    return next(op);
}

INSTRUCTION(udiv, if (x == 0) return division_by_zero(m, op); c->r[op->d] = n / x)

INSTRUCTION(sdiv, if (x == 0) return division_by_zero(m, op);
            c->r[op->d] = n == 0x80000000u && x == 0xFFFFFFFFu ? n : (uint32_t)((int32_t)n / (int32_t)x))

/* ---- Decoding ---- */

static bool operands(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->a = bits(code, 15, 12) & 15;
    op->d = bits(code, 11, 8) & 15;
    op->m = bits(code, 3, 0) & 15;
    return !sp_or_pc(op->n) && !sp_or_pc(op->d) && !sp_or_pc(op->m) && op->a != 13;
}

static bool decode_word(struct op *op, uint32_t code, const struct encoding *row)
{
    op->imm = bits(code, 5, 4);
    return operands(op, code, row);
}

/* Ra must be there. */
static bool decode_accumulate(struct op *op, uint32_t code, const struct encoding *row)
{
    op->imm = bits(code, 4, 4);
    return operands(op, code, row) && op->a != NO_ACCUMULATOR;
}

static bool decode_flagged(struct op *op, uint32_t code, const struct encoding *row)
{
    op->imm = bits(code, 4, 4);
    return operands(op, code, row);
}

static bool decode_long(struct op *op, uint32_t code, const struct encoding *row)
{
    op->imm = row->run[0] == smlalxy ? bits(code, 5, 4) : bits(code, 4, 4);
    return operands(op, code, row) && op->a != 15 && op->a != op->d;
}

static bool decode_divide(struct op *op, uint32_t code, const struct encoding *row)
{
    op->cycles = 6; /* TRM: 2 to 12 */
    return operands(op, code, row);
}

const struct encoding multiply_encodings[] = {
    {"MLA, MUL T2", 0xFFF000F0, 0xFB000000, decode_word, {mla}},
    {"MLS", 0xFFF000F0, 0xFB000010, decode_accumulate, {mls}},
    {"SMLABB…, SMULBB…", 0xFFF000C0, 0xFB100000, decode_word, {smlaxy}},
    {"SMLAD, SMUAD", 0xFFF000E0, 0xFB200000, decode_flagged, {smlad}},
    {"SMLAWB…, SMULWB…", 0xFFF000E0, 0xFB300000, decode_flagged, {smlawy}},
    {"SMLSD, SMUSD", 0xFFF000E0, 0xFB400000, decode_flagged, {smlsd}},
    {"SMMLA, SMMUL", 0xFFF000E0, 0xFB500000, decode_flagged, {smmla}},
    {"SMMLS", 0xFFF000E0, 0xFB600000, decode_accumulate, {smmls}},
    {"USADA8, USAD8", 0xFFF000F0, 0xFB700000, decode_word, {usada8}},
    {"SMULL", 0xFFF000F0, 0xFB800000, decode_long, {smull}},
    {"SDIV", 0xFFF0F0F0, 0xFB90F0F0, decode_divide, {sdiv}},
    {"UMULL", 0xFFF000F0, 0xFBA00000, decode_long, {umull}},
    {"UDIV", 0xFFF0F0F0, 0xFBB0F0F0, decode_divide, {udiv}},
    {"SMLAL", 0xFFF000F0, 0xFBC00000, decode_long, {smlal}},
    {"SMLALBB…", 0xFFF000C0, 0xFBC00080, decode_long, {smlalxy}},
    {"SMLALD", 0xFFF000E0, 0xFBC000C0, decode_long, {smlald}},
    {"SMLSLD", 0xFFF000E0, 0xFBD000C0, decode_long, {smlsld}},
    {"UMLAL", 0xFFF000F0, 0xFBE00000, decode_long, {umlal}},
    {"UMAAL", 0xFFF000F0, 0xFBE00060, decode_long, {umaal}},
    {0},
};
