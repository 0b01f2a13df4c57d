/* Loads and stores (A7.7: LDR… STR, LDM, STM, LDRD, STRD, LDREX, STREX). */
#include "engine.h"

#define INSTRUCTION(name) static const struct op *name(struct machine *m, const struct op *op)

/*
 * Each access comes with an immediate offset, a register offset, and with
 * write-back before and after. The base is written when the access is done,
 * and before a branch that it causes.
 */
#define ACCESS_FORMS(name, access, finish)                                                                   \
    INSTRUCTION(name##_imm)                                                                                  \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t value = c->r[op->d], address = c->r[op->n] + op->imm;                                       \
        if (UNLIKELY(!(access)))                                                                             \
            return cpu_fault(m);                                                                             \
        finish;                                                                                              \
    }                                                                                                        \
    INSTRUCTION(name##_reg)                                                                                  \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t value = c->r[op->d], address = c->r[op->n] + (c->r[op->m] << op->imm);                      \
        if (UNLIKELY(!(access)))                                                                             \
            return cpu_fault(m);                                                                             \
        finish;                                                                                              \
    }                                                                                                        \
    INSTRUCTION(name##_pre)                                                                                  \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t value = c->r[op->d], address = c->r[op->n] + op->imm;                                       \
        if (UNLIKELY(!(access)))                                                                             \
            return cpu_fault(m);                                                                             \
        set_register(c, op->n, address);                                                                     \
        finish;                                                                                              \
    }                                                                                                        \
    INSTRUCTION(name##_post)                                                                                 \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t value = c->r[op->d], address = c->r[op->n];                                                 \
        if (UNLIKELY(!(access)))                                                                             \
            return cpu_fault(m);                                                                             \
        set_register(c, op->n, address + op->imm);                                                           \
        finish;                                                                                              \
    }

#define FINISH_LOAD(expression)                                                                              \
    set_register(c, op->d, expression);                                                                      \
    return next(op)
#define FINISH_STORE                                                                                         \
    (void)c;                                                                                                 \
    return next(op)

ACCESS_FORMS(str, store32(m, address, value), FINISH_STORE)
ACCESS_FORMS(strh, store16(m, address, value), FINISH_STORE)
ACCESS_FORMS(strb, store8(m, address, value), FINISH_STORE)
ACCESS_FORMS(ldr, load32(m, address, &value), FINISH_LOAD(value))
ACCESS_FORMS(ldrh, load16(m, address, &value), FINISH_LOAD(value))
ACCESS_FORMS(ldrb, load8(m, address, &value), FINISH_LOAD(value))
ACCESS_FORMS(ldrsh, load16(m, address, &value), FINISH_LOAD((uint32_t)sign_extend(value, 16)))
ACCESS_FORMS(ldrsb, load8(m, address, &value), FINISH_LOAD((uint32_t)sign_extend(value, 8)))
ACCESS_FORMS(ldr_to_pc, load32(m, address, &value), (void)c; return branch_exchange(m, value))

/* LDRT, STRT…: the access of an unprivileged program. */
#define UNPRIVILEGED(name, access, expression)                                                               \
    INSTRUCTION(name)                                                                                        \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t value = c->r[op->d], address = c->r[op->n] + op->imm;                                       \
        if (!(access))                                                                                       \
            return cpu_fault(m);                                                                             \
        c->r[op->d] = expression;                                                                            \
        return next(op);                                                                                     \
    }

UNPRIVILEGED(strt, memory_write(m, address, 4, ACCESS_UNPRIVILEGED, value), value)
UNPRIVILEGED(strht, memory_write(m, address, 2, ACCESS_UNPRIVILEGED, value & 0xFFFF), value)
UNPRIVILEGED(strbt, memory_write(m, address, 1, ACCESS_UNPRIVILEGED, value & 0xFF), value)
UNPRIVILEGED(ldrt, memory_read(m, address, 4, ACCESS_UNPRIVILEGED, &value), value)
UNPRIVILEGED(ldrht, memory_read(m, address, 2, ACCESS_UNPRIVILEGED, &value), value)
UNPRIVILEGED(ldrbt, memory_read(m, address, 1, ACCESS_UNPRIVILEGED, &value), value)
UNPRIVILEGED(ldrsht, memory_read(m, address, 2, ACCESS_UNPRIVILEGED, &value),
             (uint32_t)sign_extend(value, 16))
UNPRIVILEGED(ldrsbt, memory_read(m, address, 1, ACCESS_UNPRIVILEGED, &value), (uint32_t)sign_extend(value, 8))

/* Literals: op->imm is the address. */
#define LITERAL(name, access, expression)                                                                    \
    INSTRUCTION(name)                                                                                        \
    {                                                                                                        \
        uint32_t value;                                                                                      \
        if (UNLIKELY(!(access)))                                                                             \
            return cpu_fault(m);                                                                             \
        set_register(&m->cpu, op->d, expression);                                                            \
        return next(op);                                                                                     \
    }

LITERAL(ldr_literal, load32(m, op->imm, &value), value)
LITERAL(ldrh_literal, load16(m, op->imm, &value), value)
LITERAL(ldrb_literal, load8(m, op->imm, &value), value)
LITERAL(ldrsh_literal, load16(m, op->imm, &value), (uint32_t)sign_extend(value, 16))
LITERAL(ldrsb_literal, load8(m, op->imm, &value), (uint32_t)sign_extend(value, 8))

INSTRUCTION(ldr_literal_to_pc)
{
    uint32_t value;

    if (!load32(m, op->imm, &value))
        return cpu_fault(m);
    return branch_exchange(m, value);
}

/* PLD, PLI and the unallocated hints beside them */
INSTRUCTION(preload)
{
    (void)m;
    return next(op);
}

/* ---- Multiple registers: list in op->imm, write-back in op->a ---- */

static bool check_aligned(struct machine *m, uint32_t address)
{
    if (LIKELY((address & 3) == 0))
        return true;
    m->cpu.engine->fault.cfsr = CFSR_UNALIGNED;
    m->cpu.engine->fault.address = address;
    return false;
}

static bool load_list(struct machine *m, uint32_t address, uint32_t list, uint32_t *value)
{
    if (!check_aligned(m, address))
        return false;
    for (; list; list &= list - 1, address += 4) {
        if (UNLIKELY(!load32(m, address, value++)))
            return false;
    }
    return true;
}

static const struct op *load_multiple(struct machine *m, const struct op *op, uint32_t address,
                                      uint32_t after)
{
    struct cpu *c = &m->cpu;
    uint32_t value[16], count = 0;

    if (UNLIKELY(!load_list(m, address, op->imm, value)))
        return cpu_fault(m);
    if (op->a)
        set_register(c, op->n, after);
    for (uint32_t list = op->imm & 0x7FFF; list; list &= list - 1)
        set_register(c, (unsigned)__builtin_ctz(list), value[count++]);
    return op->imm & 0x8000 ? branch_exchange(m, value[count]) : next(op);
}

static const struct op *store_multiple(struct machine *m, const struct op *op, uint32_t address,
                                       uint32_t after)
{
    struct cpu *c = &m->cpu;

    if (UNLIKELY(!check_aligned(m, address)))
        return cpu_fault(m);
    for (uint32_t list = op->imm; list; list &= list - 1, address += 4) {
        if (UNLIKELY(!store32(m, address, c->r[__builtin_ctz(list)])))
            return cpu_fault(m);
    }
    if (op->a)
        set_register(c, op->n, after);
    return next(op);
}

static inline uint32_t list_bytes(const struct op *op)
{
    return 4u * op->m;
}

INSTRUCTION(ldmia)
{
    uint32_t base = m->cpu.r[op->n];
    return load_multiple(m, op, base, base + list_bytes(op));
}

INSTRUCTION(ldmdb)
{
    uint32_t base = m->cpu.r[op->n];
    return load_multiple(m, op, base - list_bytes(op), base - list_bytes(op));
}

INSTRUCTION(stmia)
{
    uint32_t base = m->cpu.r[op->n];
    return store_multiple(m, op, base, base + list_bytes(op));
}

INSTRUCTION(stmdb)
{
    uint32_t base = m->cpu.r[op->n];
    return store_multiple(m, op, base - list_bytes(op), base - list_bytes(op));
}

/* ---- Doubles: Rt2 in op->a, mode in op->m ---- */

enum { DUAL_INDEX = 2, DUAL_WRITE_BACK = 1 };

static uint32_t dual_base(const struct cpu *c, const struct op *op)
{
    return op->n == 15 ? (op->pc + 4) & ~3u : c->r[op->n];
}

INSTRUCTION(ldrd)
{
    struct cpu *c = &m->cpu;
    uint32_t base = dual_base(c, op), address = op->m & DUAL_INDEX ? base + op->imm : base, value[2];

    if (!load_list(m, address, 3, value))
        return cpu_fault(m);
    if (op->m & DUAL_WRITE_BACK)
        set_register(c, op->n, base + op->imm);
    c->r[op->d] = value[0];
    c->r[op->a] = value[1];
    return next(op);
}

INSTRUCTION(strd)
{
    struct cpu *c = &m->cpu;
    uint32_t base = c->r[op->n], address = op->m & DUAL_INDEX ? base + op->imm : base;

    if (!check_aligned(m, address) || !store32(m, address, c->r[op->d]) ||
        !store32(m, address + 4, c->r[op->a]))
        return cpu_fault(m);
    if (op->m & DUAL_WRITE_BACK)
        set_register(c, op->n, base + op->imm);
    return next(op);
}

/* ---- Exclusives: size in op->m; STREX: result to Rd in op->a ---- */

INSTRUCTION(ldrex)
{
    struct cpu *c = &m->cpu;
    uint32_t value;

    if (!memory_read(m, c->r[op->n] + op->imm, op->m, ACCESS_ALIGNED, &value))
        return cpu_fault(m);
    c->exclusive = true;
    c->r[op->d] = value;
    return next(op);
}

INSTRUCTION(strex)
{
    struct cpu *c = &m->cpu;
    uint32_t address = c->r[op->n] + op->imm;
    uint32_t value = op->m == 4 ? c->r[op->d] : c->r[op->d] & (op->m == 2 ? 0xFFFF : 0xFF);

    if (address % op->m != 0) {
        c->engine->fault.cfsr = CFSR_UNALIGNED;
        return cpu_fault(m);
    }
    if (c->exclusive && !memory_write(m, address, op->m, ACCESS_ALIGNED, value))
        return cpu_fault(m);
    c->r[op->a] = c->exclusive ? 0 : 1;
    c->exclusive = false;
    return next(op);
}

/* ---- Decoding, 16-bit ---- */

enum { LOAD_CYCLES = 2 };

static bool is_load(op_run *run)
{
    return run == ldr_imm || run == ldrh_imm || run == ldrb_imm || run == ldr_reg || run == ldrh_reg ||
           run == ldrb_reg || run == ldrsh_reg || run == ldrsb_reg;
}

static bool decode16_register(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 2, 0) & 7;
    op->n = bits(code, 5, 3) & 7;
    op->m = bits(code, 8, 6) & 7;
    op->cycles = is_load(op->run) ? LOAD_CYCLES : 1;
    return true;
}

/* imm5 scaled by the access: words have bit 12 clear and bits 15:13 = 011, bytes bit 12, halfwords 1000x */
static bool decode16_immediate(struct op *op, uint32_t code, const struct encoding *row)
{
    unsigned scale = bits(code, 15, 12) == 8 ? 1 : bits(code, 12, 12) ? 0 : 2;

    op->run = row->run[0];
    op->d = bits(code, 2, 0) & 7;
    op->n = bits(code, 5, 3) & 7;
    op->imm = bits(code, 10, 6) << scale;
    op->cycles = is_load(op->run) ? LOAD_CYCLES : 1;
    return true;
}

static bool decode16_sp(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 10, 8) & 7;
    op->n = 13;
    op->imm = (code & 0xFF) * 4;
    op->cycles = is_load(op->run) ? LOAD_CYCLES : 1;
    return true;
}

static bool decode16_literal(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 10, 8) & 7;
    op->imm = ((op->pc + 4) & ~3u) + (code & 0xFF) * 4;
    op->cycles = LOAD_CYCLES;
    return true;
}

static void set_list(struct op *op, uint32_t list)
{
    op->imm = list;
    op->m = (uint8_t)__builtin_popcount(list);
    op->cycles = (uint8_t)(1 + op->m);
}

/* LDM writes its base back unless that is in the list. */
static bool decode16_multiple(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->n = bits(code, 10, 8) & 7;
    op->a = row->run[0] == stmia || !(code >> op->n & 1);
    set_list(op, code & 0xFF);
    return op->imm != 0;
}

static bool decode16_push_pop(struct op *op, uint32_t code, const struct encoding *row)
{
    bool pop = row->run[0] == ldmia;

    op->run = row->run[0];
    op->n = 13;
    op->a = 1;
    set_list(op, (code & 0xFF) | (code & 0x100) << (pop ? 7 : 6));
    return op->imm != 0;
}

const struct encoding memory16_encodings[] = {
    {"LDR (literal) T1", 0xF800, 0x4800, decode16_literal, {ldr_literal}},
    {"STR (register) T1", 0xFE00, 0x5000, decode16_register, {str_reg}},
    {"STRH (register) T1", 0xFE00, 0x5200, decode16_register, {strh_reg}},
    {"STRB (register) T1", 0xFE00, 0x5400, decode16_register, {strb_reg}},
    {"LDRSB (register) T1", 0xFE00, 0x5600, decode16_register, {ldrsb_reg}},
    {"LDR (register) T1", 0xFE00, 0x5800, decode16_register, {ldr_reg}},
    {"LDRH (register) T1", 0xFE00, 0x5A00, decode16_register, {ldrh_reg}},
    {"LDRB (register) T1", 0xFE00, 0x5C00, decode16_register, {ldrb_reg}},
    {"LDRSH (register) T1", 0xFE00, 0x5E00, decode16_register, {ldrsh_reg}},
    {"STR (immediate) T1", 0xF800, 0x6000, decode16_immediate, {str_imm}},
    {"LDR (immediate) T1", 0xF800, 0x6800, decode16_immediate, {ldr_imm}},
    {"STRB (immediate) T1", 0xF800, 0x7000, decode16_immediate, {strb_imm}},
    {"LDRB (immediate) T1", 0xF800, 0x7800, decode16_immediate, {ldrb_imm}},
    {"STRH (immediate) T1", 0xF800, 0x8000, decode16_immediate, {strh_imm}},
    {"LDRH (immediate) T1", 0xF800, 0x8800, decode16_immediate, {ldrh_imm}},
    {"STR (immediate) T2", 0xF800, 0x9000, decode16_sp, {str_imm}},
    {"LDR (immediate) T2", 0xF800, 0x9800, decode16_sp, {ldr_imm}},
    {"PUSH T1", 0xFE00, 0xB400, decode16_push_pop, {stmdb}},
    {"POP T1", 0xFE00, 0xBC00, decode16_push_pop, {ldmia}},
    {"STM T1", 0xF800, 0xC000, decode16_multiple, {stmia}},
    {"LDM T1", 0xF800, 0xC800, decode16_multiple, {ldmia}},
    {0},
};

/* ---- Decoding, 32-bit ---- */

static void operands(struct op *op, uint32_t code)
{
    op->n = bits(code, 19, 16) & 15;
    op->d = bits(code, 15, 12) & 15;
    op->m = bits(code, 3, 0) & 15;
    op->cycles = bits(code, 20, 20) ? LOAD_CYCLES : 1;
}

/* Rt: word loads may name SP and PC, word stores SP, others neither. */
static bool valid_target(const struct op *op, uint32_t code)
{
    bool word = bits(code, 22, 21) == 2, load = bits(code, 20, 20);

    if (op->d == 15)
        return word && load;
    return op->d != 13 || word;
}

/* row->run: the form, and the form that goes to the PC */
static op_run *target_variant(const struct op *op, const struct encoding *row)
{
    return op->d == 15 && row->run[1] ? row->run[1] : row->run[0];
}

static bool decode_imm12(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->imm = code & 0xFFF;
    op->run = target_variant(op, row);
    return op->run == preload || (op->n != 15 && valid_target(op, code));
}

static bool decode_register(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->imm = bits(code, 5, 4);
    op->run = target_variant(op, row);
    return op->n != 15 && !sp_or_pc(op->m) && (op->run == preload || valid_target(op, code));
}

static bool decode_literal(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t base = (op->pc + 4) & ~3u, imm12 = code & 0xFFF;

    operands(op, code);
    op->imm = bits(code, 23, 23) ? base + imm12 : base - imm12;
    op->run = target_variant(op, row);
    return op->run == preload || valid_target(op, code);
}

/* Negative offset without write-back. */
static bool decode_negative(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->imm = 0u - (code & 0xFF);
    op->run = target_variant(op, row);
    return op->n != 15 && (op->run == preload || valid_target(op, code));
}

static bool decode_indexed(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->imm = bits(code, 9, 9) ? code & 0xFF : 0u - (code & 0xFF);
    op->run = target_variant(op, row);
    return op->n != 15 && op->n != op->d && valid_target(op, code);
}

static bool decode_unprivileged(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->imm = code & 0xFF;
    op->run = row->run[0];
    return op->n != 15 && !sp_or_pc(op->d);
}

static bool decode_multiple(struct op *op, uint32_t code, const struct encoding *row)
{
    bool load = bits(code, 20, 20), write_back = bits(code, 21, 21);
    uint32_t list = code & 0xFFFF;

    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->a = write_back;
    set_list(op, list);
    if (op->n == 15 || op->m < 2 || (list & 0x2000) || (write_back && (list >> op->n & 1)))
        return false;
    return load ? (list & 0xC000) != 0xC000 : !(list & 0x8000);
}

static bool decode_dual(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t offset = (code & 0xFF) * 4;
    bool load = row->run[0] == ldrd, write_back = bits(code, 21, 21);

    operands(op, code);
    op->run = row->run[0];
    op->a = bits(code, 11, 8) & 15;
    op->imm = bits(code, 23, 23) ? offset : 0u - offset;
    op->m = (uint8_t)((bits(code, 24, 24) ? DUAL_INDEX : 0) | (write_back ? DUAL_WRITE_BACK : 0));
    op->cycles = 3;
    if (sp_or_pc(op->d) || sp_or_pc(op->a) || (load && op->d == op->a))
        return false;
    if (write_back && (op->n == 15 || op->n == op->d || op->n == op->a))
        return false;
    return load || op->n != 15;
}

static bool decode_ldrex(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[0];
    op->m = 4;
    op->imm = (code & 0xFF) * 4;
    return op->n != 15 && !sp_or_pc(op->d);
}

static bool decode_strex(struct op *op, uint32_t code, const struct encoding *row)
{
    decode_ldrex(op, code, row);
    op->cycles = 2;
    op->a = bits(code, 11, 8) & 15;
    return op->n != 15 && !sp_or_pc(op->d) && !sp_or_pc(op->a) && op->a != op->n && op->a != op->d;
}

/* LDREXB, LDREXH, STREXB, STREXH: size by bit 4; the store's Rd is in bits 3:0 */
static bool decode_exclusive_narrow(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[0];
    op->a = bits(code, 3, 0) & 15;
    op->m = bits(code, 4, 4) ? 2 : 1;
    op->cycles = 2;
    if (op->n == 15 || sp_or_pc(op->d))
        return false;
    return row->run[0] == ldrex || (!sp_or_pc(op->a) && op->a != op->n && op->a != op->d);
}

/* The seven addressing modes of one access; `size` is bits 24:21 of the imm12 form's first halfword. */
#define STORE_ROWS(name, handler, top)                                                                       \
    {name " (immediate, 12 bits)", 0xFFF00000, (top) | 0x00800000u, decode_imm12, {handler##_imm}},          \
        {name " (register)", 0xFFF00FC0, (top), decode_register, {handler##_reg}},                           \
        {name " (immediate, negative)", 0xFFF00F00, (top) | 0xC00, decode_negative, {handler##_imm}},        \
        {name " (immediate, pre-indexed)", 0xFFF00D00, (top) | 0xD00, decode_indexed, {handler##_pre}},      \
        {name " (immediate, post-indexed)", 0xFFF00D00, (top) | 0x900, decode_indexed, {handler##_post}},    \
    {                                                                                                        \
        name "T", 0xFFF00F00, (top) | 0xE00, decode_unprivileged,                                            \
        {                                                                                                    \
            handler##t                                                                                       \
        }                                                                                                    \
    }

/* Loads may also be literals; `pc` is the variant with Rt = 15. */
#define LOAD_ROWS(name, handler, top, pc_imm, pc_reg, pc_pre, pc_post, pc_literal)                           \
    {name " (literal)", 0xFF7F0000, (top) | 0x000F0000u, decode_literal, {handler##_literal, pc_literal}},   \
        {name " (immediate, 12 bits)",                                                                       \
         0xFFF00000,                                                                                         \
         (top) | 0x00800000u,                                                                                \
         decode_imm12,                                                                                       \
         {handler##_imm, pc_imm}},                                                                           \
        {name " (register)", 0xFFF00FC0, (top), decode_register, {handler##_reg, pc_reg}},                   \
        {name " (immediate, negative)",                                                                      \
         0xFFF00F00,                                                                                         \
         (top) | 0xC00,                                                                                      \
         decode_negative,                                                                                    \
         {handler##_imm, pc_imm}},                                                                           \
        {name " (immediate, pre-indexed)",                                                                   \
         0xFFF00D00,                                                                                         \
         (top) | 0xD00,                                                                                      \
         decode_indexed,                                                                                     \
         {handler##_pre, pc_pre}},                                                                           \
        {name " (immediate, post-indexed)",                                                                  \
         0xFFF00D00,                                                                                         \
         (top) | 0x900,                                                                                      \
         decode_indexed,                                                                                     \
         {handler##_post, pc_post}},                                                                         \
    {                                                                                                        \
        name "T", 0xFFF00F00, (top) | 0xE00, decode_unprivileged,                                            \
        {                                                                                                    \
            handler##t                                                                                       \
        }                                                                                                    \
    }

#define HINT_ROWS(name, handler, top) LOAD_ROWS(name, handler, top, preload, preload, NULL, NULL, preload)

const struct encoding memory32_encodings[] = {
    {"STREX", 0xFFF00000, 0xE8400000, decode_strex, {strex}},
    {"LDREX", 0xFFF00F00, 0xE8500F00, decode_ldrex, {ldrex}},
    {"STREXB, STREXH", 0xFFF00FE0, 0xE8C00F40, decode_exclusive_narrow, {strex}},
    {"LDREXB, LDREXH", 0xFFF00FEF, 0xE8D00F4F, decode_exclusive_narrow, {ldrex}},
    {"STRD (pre-indexed or offset)", 0xFF500000, 0xE9400000, decode_dual, {strd}},
    {"LDRD (pre-indexed or offset)", 0xFF500000, 0xE9500000, decode_dual, {ldrd}},
    {"STRD (post-indexed)", 0xFF700000, 0xE8600000, decode_dual, {strd}},
    {"LDRD (post-indexed)", 0xFF700000, 0xE8700000, decode_dual, {ldrd}},
    {"STM T2", 0xFFD00000, 0xE8800000, decode_multiple, {stmia}},
    {"LDM T2, POP T2", 0xFFD00000, 0xE8900000, decode_multiple, {ldmia}},
    {"STMDB, PUSH T2", 0xFFD00000, 0xE9000000, decode_multiple, {stmdb}},
    {"LDMDB", 0xFFD00000, 0xE9100000, decode_multiple, {ldmdb}},
    STORE_ROWS("STRB", strb, 0xF8000000u),
    STORE_ROWS("STRH", strh, 0xF8200000u),
    STORE_ROWS("STR", str, 0xF8400000u),
    HINT_ROWS("LDRB", ldrb, 0xF8100000u),
    HINT_ROWS("LDRH", ldrh, 0xF8300000u),
    HINT_ROWS("LDRSB", ldrsb, 0xF9100000u),
    HINT_ROWS("LDRSH", ldrsh, 0xF9300000u),
    LOAD_ROWS("LDR", ldr, 0xF8500000u, ldr_to_pc_imm, ldr_to_pc_reg, ldr_to_pc_pre, ldr_to_pc_post,
              ldr_literal_to_pc),
    {0},
};
