/* FPv4-SP: transfers between FP registers, core registers and memory (A7.7). */
#include "engine.h"

#define INSTRUCTION(name, body)                                                                              \
    static const struct op *name(struct machine *m, const struct op *op)                                     \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        const struct op *fault;                                                                              \
        if (UNLIKELY(!c->fp_ready) && (fault = fp_prepare(m)) != NULL)                                       \
            return fault;                                                                                    \
        body;                                                                                                \
        return next(op);                                                                                     \
    }

#define FPSCR_MASK 0xF7C0009Fu

enum { TO_APSR = 15 };

INSTRUCTION(vmov_to_core, c->r[op->d] = c->s[op->m])
INSTRUCTION(vmov_from_core, c->s[op->m] = c->r[op->d])
INSTRUCTION(vmov_to_core_pair, c->r[op->d] = c->s[op->m]; c->r[op->n] = c->s[op->m + 1])
INSTRUCTION(vmov_from_core_pair, c->s[op->m] = c->r[op->d]; c->s[op->m + 1] = c->r[op->n])
INSTRUCTION(vmsr, c->fpscr = c->r[op->d] & FPSCR_MASK)

INSTRUCTION(vmrs, if (op->d == TO_APSR) cpu_set_apsr(c, (c->fpscr & 0xF0000000u) | (uint32_t)c->flag_q << 27);
            else c->r[op->d] = c->fpscr)

/* ---- Memory: op->a words from S register op->d; op->imm the offset ---- */

static bool aligned(struct machine *m, uint32_t address)
{
    if (LIKELY((address & 3) == 0))
        return true;
    m->cpu.engine->fault.cfsr = CFSR_UNALIGNED;
    m->cpu.engine->fault.address = address;
    return false;
}

static bool load_s(struct machine *m, uint32_t address, unsigned first, unsigned count)
{
    uint32_t value[32];

    if (!aligned(m, address))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!load32(m, address + 4 * i, &value[i]))
            return false;
    }
    memcpy(&m->cpu.s[first], value, 4 * count);
    return true;
}

static bool store_s(struct machine *m, uint32_t address, unsigned first, unsigned count)
{
    if (!aligned(m, address))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!store32(m, address + 4 * i, m->cpu.s[first + i]))
            return false;
    }
    return true;
}

static inline uint32_t base(const struct cpu *c, const struct op *op)
{
    return op->n == 15 ? (op->pc + 4) & ~3u : c->r[op->n];
}

INSTRUCTION(vldr, if (!load_s(m, base(c, op) + op->imm, op->d, op->a)) return cpu_fault(m))
INSTRUCTION(vstr, if (!store_s(m, base(c, op) + op->imm, op->d, op->a)) return cpu_fault(m))

/* op->imm: what is added to the base before the access; op->m: write-back of 1 up, 2 down */
enum { WRITE_BACK_UP = 1, WRITE_BACK_DOWN = 2 };

static void write_back(struct cpu *c, const struct op *op)
{
    if (op->m == WRITE_BACK_UP)
        set_register(c, op->n, c->r[op->n] + op->imm);
    else if (op->m == WRITE_BACK_DOWN)
        set_register(c, op->n, c->r[op->n] - op->imm);
}

static inline uint32_t multiple_address(const struct cpu *c, const struct op *op)
{
    return op->m == WRITE_BACK_DOWN ? base(c, op) - op->imm : base(c, op);
}

INSTRUCTION(vldm, if (!load_s(m, multiple_address(c, op), op->d, op->a)) return cpu_fault(m);
            write_back(c, op))
INSTRUCTION(vstm, if (!store_s(m, multiple_address(c, op), op->d, op->a)) return cpu_fault(m);
            write_back(c, op))

/* ---- Decoding ---- */

/* Dd is D:Vd, as two S registers; there are sixteen. Sd is Vd:D. */
static unsigned fp_register(uint32_t code, bool is_double)
{
    unsigned v = bits(code, 15, 12), d = bits(code, 22, 22);
    return is_double ? (d << 4 | v) * 2 : v << 1 | d;
}

static bool decode_load_store(struct op *op, uint32_t code, const struct encoding *row)
{
    bool is_double = bits(code, 8, 8), load = bits(code, 20, 20);
    uint32_t offset = (code & 0xFF) * 4;

    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->d = (uint8_t)fp_register(code, is_double);
    op->a = is_double ? 2 : 1;
    op->imm = bits(code, 23, 23) ? offset : 0u - offset;
    op->cycles = (uint8_t)(op->a + 1);
    return op->d < 32 && (load || op->n != 15);
}

/* The count of words is odd for the doubles of FLDMX and FSTMX, which move as many pairs. */
static bool decode_multiple(struct op *op, uint32_t code, const struct encoding *row)
{
    bool is_double = bits(code, 8, 8), down = bits(code, 24, 24), back = bits(code, 21, 21);
    unsigned words = code & 0xFF;
    unsigned moved = is_double ? words & ~1u : words;

    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->d = (uint8_t)fp_register(code, is_double);
    op->imm = words * 4;
    op->a = (uint8_t)moved;
    op->m = !back ? 0 : down ? WRITE_BACK_DOWN : WRITE_BACK_UP;
    op->cycles = (uint8_t)(moved + 1);
    return moved > 0 && moved <= 32 && op->d + moved <= 32 && op->n != 15;
}

static bool decode_core(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 15, 12) & 15;
    op->m = (uint8_t)(bits(code, 19, 16) << 1 | bits(code, 7, 7));
    return !sp_or_pc(op->d);
}

/* Dn[x]: half of a double */
static bool decode_scalar(struct op *op, uint32_t code, const struct encoding *row)
{
    decode_core(op, code, row);
    op->m = (uint8_t)(bits(code, 19, 16) << 1 | bits(code, 21, 21));
    return !sp_or_pc(op->d) && bits(code, 7, 7) == 0;
}

static bool decode_core_pair(struct op *op, uint32_t code, const struct encoding *row)
{
    bool is_double = bits(code, 8, 8), to_core = bits(code, 20, 20);
    unsigned v = bits(code, 3, 0), x = bits(code, 5, 5);

    op->run = row->run[0];
    op->d = bits(code, 15, 12) & 15;
    op->n = bits(code, 19, 16) & 15;
    op->m = (uint8_t)(is_double ? (x << 4 | v) * 2 : v << 1 | x);
    op->cycles = 2;
    return !sp_or_pc(op->d) && !sp_or_pc(op->n) && op->m < 31 && !(to_core && op->d == op->n);
}

static bool decode_status(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 15, 12) & 15;
    return op->d != 13 && (op->d != 15 || row->run[0] == vmrs);
}

const struct encoding float_move_encodings[] = {
    {"VMOV (from two core registers)", 0xFFF00ED0, 0xEC400A10, decode_core_pair, {vmov_from_core_pair}},
    {"VMOV (to two core registers)", 0xFFF00ED0, 0xEC500A10, decode_core_pair, {vmov_to_core_pair}},
    {"VSTR", 0xFF300E00, 0xED000A00, decode_load_store, {vstr}},
    {"VLDR", 0xFF300E00, 0xED100A00, decode_load_store, {vldr}},
    {"VSTM", 0xFF900E00, 0xEC800A00, decode_multiple, {vstm}},
    {"VLDM, VPOP", 0xFF900E00, 0xEC900A00, decode_multiple, {vldm}},
    {"VSTMDB, VPUSH", 0xFFB00E00, 0xED200A00, decode_multiple, {vstm}},
    {"VLDMDB", 0xFFB00E00, 0xED300A00, decode_multiple, {vldm}},
    {"VMOV (from core register)", 0xFFF00F7F, 0xEE000A10, decode_core, {vmov_from_core}},
    {"VMOV (to core register)", 0xFFF00F7F, 0xEE100A10, decode_core, {vmov_to_core}},
    {"VMOV (to scalar)", 0xFFD00F7F, 0xEE000B10, decode_scalar, {vmov_from_core}},
    {"VMOV (from scalar)", 0xFFD00F7F, 0xEE100B10, decode_scalar, {vmov_to_core}},
    {"VMSR", 0xFFFF0FFF, 0xEEE10A10, decode_status, {vmsr}},
    {"VMRS", 0xFFFF0FFF, 0xEEF10A10, decode_status, {vmrs}},
    {0},
};
