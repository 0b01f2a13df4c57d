/* Data processing: moves, arithmetic, logic, shifts (A7.7). */
#include "engine.h"

/* ---- Operands ---- */

enum { CARRY_KEPT, CARRY_CLEAR, CARRY_SET }; /* op->a of a modified immediate */

static inline void set_immediate_carry(struct cpu *c, const struct op *op)
{
    if (op->a != CARRY_KEPT)
        c->flag_c = op->a == CARRY_SET;
}

enum { SHIFT_LSL, SHIFT_LSR, SHIFT_ASR, SHIFT_ROR, SHIFT_RRX };

/* Shift_C() of A2.2.1; amounts up to 255. `carry` is the carry in and out. */
static uint32_t shift(uint32_t value, unsigned type, unsigned amount, uint32_t *carry)
{
    uint32_t in = *carry;

    if (type == SHIFT_RRX) {
        *carry = value & 1;
        return value >> 1 | in << 31;
    }
    if (amount == 0)
        return value;
    switch (type) {
    case SHIFT_LSL:
        *carry = amount <= 32 ? (uint32_t)((uint64_t)value << amount >> 32) & 1 : 0;
        return amount < 32 ? value << amount : 0;
    case SHIFT_LSR:
        *carry = amount <= 32 ? value >> (amount - 1) & 1 : 0;
        return amount < 32 ? value >> amount : 0;
    case SHIFT_ASR:
        amount = amount < 32 ? amount : 32;
        *carry = (uint32_t)((int64_t)(int32_t)value >> (amount - 1)) & 1;
        return (uint32_t)((int64_t)(int32_t)value >> amount);
    default:
        amount &= 31;
        value = amount ? value >> amount | value << (32 - amount) : value;
        *carry = value >> 31;
        return value;
    }
}

/* op->imm holds type and amount: set by decode_shift */
static inline uint32_t shifted(const struct cpu *c, const struct op *op, uint32_t *carry)
{
    return shift(c->r[op->m], op->imm >> 8, op->imm & 0xFF, carry);
}

static void decode_shift(struct op *op, unsigned type, unsigned amount)
{
    if (type == SHIFT_ROR && amount == 0)
        type = SHIFT_RRX;
    else if ((type == SHIFT_LSR || type == SHIFT_ASR) && amount == 0)
        amount = 32;
    op->imm = type << 8 | amount;
}

/* ---- Instructions in the six forms {immediate, register, shifted register} x {quiet, setting flags} ---- */

#define INSTRUCTION(name) static const struct op *name(struct machine *m, const struct op *op)

#define LOGICAL(name, expression)                                                                            \
    INSTRUCTION(name##_imm)                                                                                  \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t a = c->r[op->n], b = op->imm;                                                               \
        (void)a;                                                                                             \
        set_register(c, op->d, expression);                                                                  \
        return next(op);                                                                                     \
    }                                                                                                        \
    INSTRUCTION(name##_imm_s)                                                                                \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t a = c->r[op->n], b = op->imm, result = expression;                                          \
        (void)a;                                                                                             \
        c->r[op->d] = result;                                                                                \
        set_nz(c, result);                                                                                   \
        set_immediate_carry(c, op);                                                                          \
        return next(op);                                                                                     \
    }                                                                                                        \
    INSTRUCTION(name##_reg)                                                                                  \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t a = c->r[op->n], b = c->r[op->m];                                                           \
        (void)a;                                                                                             \
        set_register(c, op->d, expression);                                                                  \
        return next(op);                                                                                     \
    }                                                                                                        \
    INSTRUCTION(name##_reg_s)                                                                                \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t a = c->r[op->n], b = c->r[op->m], result = expression;                                      \
        (void)a;                                                                                             \
        c->r[op->d] = result;                                                                                \
        set_nz(c, result);                                                                                   \
        return next(op);                                                                                     \
    }                                                                                                        \
    INSTRUCTION(name##_shift)                                                                                \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t carry = c->flag_c, a = c->r[op->n], b = shifted(c, op, &carry);                             \
        (void)a;                                                                                             \
        set_register(c, op->d, expression);                                                                  \
        return next(op);                                                                                     \
    }                                                                                                        \
    INSTRUCTION(name##_shift_s)                                                                              \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t carry = c->flag_c, a = c->r[op->n], b = shifted(c, op, &carry), result = expression;        \
        (void)a;                                                                                             \
        c->r[op->d] = result;                                                                                \
        set_nz(c, result);                                                                                   \
        c->flag_c = carry;                                                                                   \
        return next(op);                                                                                     \
    }

LOGICAL(and, a &b)
LOGICAL(bic, a & ~b)
LOGICAL(orr, a | b)
LOGICAL(orn, a | ~b)
LOGICAL(eor, a ^ b)
LOGICAL(mov, b)
LOGICAL(mvn, ~b)

/* A sum of x, y and carry; a and b are the operands. */
#define ARITHMETIC_FORM(name, operand, x, y, carry)                                                          \
    INSTRUCTION(name)                                                                                        \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t unused = c->flag_c, a = c->r[op->n], b = operand;                                           \
        (void)unused;                                                                                        \
        set_register(c, op->d, (x) + (y) + (carry));                                                         \
        return next(op);                                                                                     \
    }                                                                                                        \
    INSTRUCTION(name##_s)                                                                                    \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t unused = c->flag_c, a = c->r[op->n], b = operand;                                           \
        (void)unused;                                                                                        \
        set_register(c, op->d, add_flags(c, x, y, carry));                                                   \
        return next(op);                                                                                     \
    }

#define ARITHMETIC(name, x, y, carry)                                                                        \
    ARITHMETIC_FORM(name##_imm, op->imm, x, y, carry)                                                        \
    ARITHMETIC_FORM(name##_reg, c->r[op->m], x, y, carry)                                                    \
    ARITHMETIC_FORM(name##_shift, shifted(c, op, &unused), x, y, carry)

ARITHMETIC(add, a, b, 0)
ARITHMETIC(adc, a, b, c->flag_c)
ARITHMETIC(sub, a, ~b, 1)
ARITHMETIC(sbc, a, ~b, c->flag_c)
ARITHMETIC(rsb, ~a, b, 1)

/* Comparisons: flags only. */
#define COMPARE_FORM(name, operand, carry_out, compare)                                                      \
    INSTRUCTION(name)                                                                                        \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        uint32_t carry = c->flag_c, a = c->r[op->n], b = operand;                                            \
        compare;                                                                                             \
        carry_out;                                                                                           \
        (void)carry;                                                                                         \
        return next(op);                                                                                     \
    }

#define COMPARE(name, compare)                                                                               \
    COMPARE_FORM(name##_imm, op->imm, (void)0, compare)                                                      \
    COMPARE_FORM(name##_reg, c->r[op->m], (void)0, compare)                                                  \
    COMPARE_FORM(name##_shift, shifted(c, op, &carry), (void)0, compare)

#define TEST(name, expression)                                                                               \
    COMPARE_FORM(name##_imm, op->imm, set_immediate_carry(c, op), set_nz(c, expression))                     \
    COMPARE_FORM(name##_reg, c->r[op->m], (void)0, set_nz(c, expression))                                    \
    COMPARE_FORM(name##_shift, shifted(c, op, &carry), c->flag_c = carry, set_nz(c, expression))

COMPARE(cmp, add_flags(c, a, ~b, 1))
COMPARE(cmn, add_flags(c, a, b, 0))
TEST(tst, a &b)
TEST(teq, a ^ b)

/* Shifts by a register: type in op->a. */
INSTRUCTION(shift_by_register)
{
    struct cpu *c = &m->cpu;
    uint32_t carry = c->flag_c;

    c->r[op->d] = shift(c->r[op->n], op->a, c->r[op->m] & 0xFF, &carry);
    return next(op);
}

INSTRUCTION(shift_by_register_s)
{
    struct cpu *c = &m->cpu;
    uint32_t result = shift(c->r[op->n], op->a, c->r[op->m] & 0xFF, &c->flag_c);

    c->r[op->d] = result;
    set_nz(c, result);
    return next(op);
}

/* LSLS #n and LSRS #n are most of all shifts. */
INSTRUCTION(lsl_imm_s)
{
    struct cpu *c = &m->cpu;
    uint32_t value = c->r[op->m], result = value << op->imm;

    c->flag_c = value >> (32 - op->imm) & 1;
    c->r[op->d] = result;
    set_nz(c, result);
    return next(op);
}

INSTRUCTION(lsr_imm_s)
{
    struct cpu *c = &m->cpu;
    uint32_t value = c->r[op->m], result = value >> op->imm;

    c->flag_c = value >> (op->imm - 1) & 1;
    c->r[op->d] = result;
    set_nz(c, result);
    return next(op);
}

INSTRUCTION(mul_s)
{
    struct cpu *c = &m->cpu;
    uint32_t result = c->r[op->n] * c->r[op->m];

    c->r[op->d] = result;
    set_nz(c, result);
    return next(op);
}

INSTRUCTION(add_to_pc)
{
    return branch_to(m, op->pc + 4 + m->cpu.r[op->m]);
}

INSTRUCTION(mov_to_pc)
{
    return branch_to(m, op->m == 15 ? op->pc + 4 : m->cpu.r[op->m]);
}

INSTRUCTION(set_imm)
{
    m->cpu.r[op->d] = op->imm;
    return next(op);
}

INSTRUCTION(movt)
{
    uint32_t *d = &m->cpu.r[op->d];

    *d = (*d & 0xFFFF) | op->imm << 16;
    return next(op);
}

/* ---- Halfwords of two registers ---- */

INSTRUCTION(pkh)
{
    struct cpu *c = &m->cpu;
    uint32_t carry = 0, n = c->r[op->n], x = shifted(c, op, &carry);

    c->r[op->d] = op->a ? (n & 0xFFFF0000u) | (x & 0xFFFF) : (n & 0xFFFF) | (x & 0xFFFF0000u);
    return next(op);
}

/* ---- Decoding, 16-bit ---- */

/* Rd 2:0, Rm 5:3, imm5 10:6; row->run: the one without a shift, LSL or LSR, any other */
static bool decode16_shift_imm(struct op *op, uint32_t code, const struct encoding *row)
{
    unsigned amount = bits(code, 10, 6), type = bits(code, 12, 11);

    op->d = bits(code, 2, 0) & 7;
    op->m = bits(code, 5, 3) & 7;
    op->flags = OP_QUIET_IN_IT;
    if (type == SHIFT_LSL && amount == 0) {
        op->run = mov_reg_s; /* MOVS Rd, Rm: UNPREDICTABLE in an IT block, where nothing emits it */
        return true;
    }
    decode_shift(op, type, amount);
    op->run = row->run[0];
    if (type != SHIFT_ASR && (op->imm & 0xFF) < 32) {
        op->imm &= 0xFF;
        op->run = row->run[1];
    }
    return true;
}

static bool decode16_three(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->flags = OP_QUIET_IN_IT;
    op->d = bits(code, 2, 0) & 7;
    op->n = bits(code, 5, 3) & 7;
    op->m = bits(code, 8, 6) & 7;
    op->imm = op->m;
    return true;
}

static bool decode16_imm8(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->flags = row->run[0] == cmp_imm ? 0 : OP_QUIET_IN_IT;
    op->d = op->n = bits(code, 10, 8) & 7;
    op->imm = code & 0xFF;
    return true;
}

/* Rdn, Rm. run[1] set: the flags are the point of it, in an IT block too. */
static bool decode16_two(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0] ? row->run[0] : row->run[1];
    op->flags = row->run[0] ? OP_QUIET_IN_IT : 0;
    op->d = op->n = bits(code, 2, 0) & 7;
    op->m = bits(code, 5, 3) & 7;
    return true;
}

static bool decode16_shift_reg(struct op *op, uint32_t code, const struct encoding *row)
{
    static const uint8_t type[] = {[2] = SHIFT_LSL, [3] = SHIFT_LSR, [4] = SHIFT_ASR, [7] = SHIFT_ROR};

    decode16_two(op, code, row);
    op->a = type[bits(code, 9, 6) & 7];
    return true;
}

static bool decode16_rsb(struct op *op, uint32_t code, const struct encoding *row)
{
    decode16_three(op, code, row);
    op->imm = 0;
    return true;
}

static bool decode16_mul(struct op *op, uint32_t code, const struct encoding *row)
{
    return decode16_two(op, code, row);
}

/* ADD, CMP, MOV with high registers: no flags but CMP's */
static bool decode16_high(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = op->n = (uint8_t)((code & 7) | (code >> 4 & 8));
    op->m = bits(code, 6, 3) & 15;
    if (row->run[0] == cmp_reg)
        return op->d != 15 && op->m != 15;
    if (op->d == 15) {
        op->run = row->run[1];
        return !(op->m == 15 && row->run[0] == add_reg);
    }
    if (op->m == 15) { /* reads as the address of the instruction plus 4 */
        op->imm = op->pc + 4;
        op->run = row->run[2];
    }
    return true;
}

static bool decode16_adr(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 10, 8) & 7;
    op->imm = ((op->pc + 4) & ~3u) + (code & 0xFF) * 4;
    return true;
}

static bool decode16_add_sp(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 10, 8) & 7;
    op->n = 13;
    op->imm = (code & 0xFF) * 4;
    return true;
}

static bool decode16_move_sp(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = op->n = 13;
    op->imm = (code & 0x7F) * 4;
    return true;
}

const struct encoding data16_encodings[] = {
    {"LSL (immediate) T1, MOV (register) T2", 0xF800, 0x0000, decode16_shift_imm, {mov_shift_s, lsl_imm_s}},
    {"LSR (immediate) T1", 0xF800, 0x0800, decode16_shift_imm, {mov_shift_s, lsr_imm_s}},
    {"ASR (immediate) T1", 0xF800, 0x1000, decode16_shift_imm, {mov_shift_s, mov_shift_s}},
    {"ADD (register) T1", 0xFE00, 0x1800, decode16_three, {add_reg_s}},
    {"SUB (register) T1", 0xFE00, 0x1A00, decode16_three, {sub_reg_s}},
    {"ADD (immediate) T1", 0xFE00, 0x1C00, decode16_three, {add_imm_s}},
    {"SUB (immediate) T1", 0xFE00, 0x1E00, decode16_three, {sub_imm_s}},
    {"MOV (immediate) T1", 0xF800, 0x2000, decode16_imm8, {mov_imm_s}},
    {"CMP (immediate) T1", 0xF800, 0x2800, decode16_imm8, {cmp_imm}},
    {"ADD (immediate) T2", 0xF800, 0x3000, decode16_imm8, {add_imm_s}},
    {"SUB (immediate) T2", 0xF800, 0x3800, decode16_imm8, {sub_imm_s}},
    {"AND (register) T1", 0xFFC0, 0x4000, decode16_two, {and_reg_s}},
    {"EOR (register) T1", 0xFFC0, 0x4040, decode16_two, {eor_reg_s}},
    {"LSL (register) T1", 0xFFC0, 0x4080, decode16_shift_reg, {shift_by_register_s}},
    {"LSR (register) T1", 0xFFC0, 0x40C0, decode16_shift_reg, {shift_by_register_s}},
    {"ASR (register) T1", 0xFFC0, 0x4100, decode16_shift_reg, {shift_by_register_s}},
    {"ADC (register) T1", 0xFFC0, 0x4140, decode16_two, {adc_reg_s}},
    {"SBC (register) T1", 0xFFC0, 0x4180, decode16_two, {sbc_reg_s}},
    {"ROR (register) T1", 0xFFC0, 0x41C0, decode16_shift_reg, {shift_by_register_s}},
    {"TST (register) T1", 0xFFC0, 0x4200, decode16_two, {NULL, tst_reg}},
    {"RSB (immediate) T1", 0xFFC0, 0x4240, decode16_rsb, {rsb_imm_s}},
    {"CMP (register) T1", 0xFFC0, 0x4280, decode16_two, {NULL, cmp_reg}},
    {"CMN (register) T1", 0xFFC0, 0x42C0, decode16_two, {NULL, cmn_reg}},
    {"ORR (register) T1", 0xFFC0, 0x4300, decode16_two, {orr_reg_s}},
    {"MUL T1", 0xFFC0, 0x4340, decode16_mul, {mul_s}},
    {"BIC (register) T1", 0xFFC0, 0x4380, decode16_two, {bic_reg_s}},
    {"MVN (register) T1", 0xFFC0, 0x43C0, decode16_two, {mvn_reg_s}},
    {"ADD (register) T2", 0xFF00, 0x4400, decode16_high, {add_reg, add_to_pc, add_imm}},
    {"CMP (register) T2", 0xFF00, 0x4500, decode16_high, {cmp_reg}},
    {"MOV (register) T1", 0xFF00, 0x4600, decode16_high, {mov_reg, mov_to_pc, mov_imm}},
    {"ADR T1", 0xF800, 0xA000, decode16_adr, {set_imm}},
    {"ADD (SP plus immediate) T1", 0xF800, 0xA800, decode16_add_sp, {add_imm}},
    {"ADD (SP plus immediate) T2", 0xFF80, 0xB000, decode16_move_sp, {add_imm}},
    {"SUB (SP minus immediate) T1", 0xFF80, 0xB080, decode16_move_sp, {sub_imm}},
    {0},
};

/* ---- Decoding, 32-bit ---- */

static void operands(struct op *op, uint32_t code)
{
    op->n = bits(code, 19, 16) & 15;
    op->d = bits(code, 11, 8) & 15;
    op->m = bits(code, 3, 0) & 15;
}

/* ThumbExpandImm_C() of A5.3.2 */
static bool expand_immediate(struct op *op, uint32_t code)
{
    uint32_t imm12 = bits(code, 26, 26) << 11 | bits(code, 14, 12) << 8 | (code & 0xFF);
    uint32_t byte = imm12 & 0xFF;

    op->a = CARRY_KEPT;
    if (imm12 >> 10 != 0) {
        op->imm = rotate(0x80 | (imm12 & 0x7F), imm12 >> 7);
        op->a = op->imm >> 31 ? CARRY_SET : CARRY_CLEAR;
        return true;
    }
    switch (imm12 >> 8 & 3) {
    case 0: op->imm = byte; return true;
    case 1: op->imm = byte << 16 | byte; break;
    case 2: op->imm = byte << 24 | byte << 8; break;
    default: op->imm = byte * 0x01010101u; break;
    }
    return byte != 0;
}

/* SP may be Rd and Rn of ADD and SUB, and a plain MOV's Rd or Rm. */
static bool is_add_or_sub(uint32_t code)
{
    unsigned opcode = bits(code, 24, 21);
    return opcode == 8 || opcode == 13;
}

static bool decode_modified_immediate(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[bits(code, 20, 20)];
    if (!expand_immediate(op, code))
        return false;
    if (is_add_or_sub(code) && op->n == 13)
        return op->d != 15;
    return !sp_or_pc(op->d) && !sp_or_pc(op->n);
}

/* CMP, CMN, TST, TEQ: no Rd. */
static bool decode_compare_immediate(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[0];
    return expand_immediate(op, code) && op->n != 15 && (op->n != 13 || bits(code, 24, 23) != 0);
}

/* MOV, MVN: no Rn. */
static bool decode_move_immediate(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[bits(code, 20, 20)];
    op->n = 0;
    return expand_immediate(op, code) && !sp_or_pc(op->d);
}

static void decode_shifted_register(struct op *op, uint32_t code)
{
    operands(op, code);
    decode_shift(op, bits(code, 5, 4), bits(code, 14, 12) << 2 | bits(code, 7, 6));
}

/* row->run: register, register setting flags, shifted, shifted setting flags */
static bool decode_register(struct op *op, uint32_t code, const struct encoding *row)
{
    decode_shifted_register(op, code);
    op->run = row->run[(op->imm ? 2 : 0) + bits(code, 20, 20)];
    if (is_add_or_sub(code) && op->n == 13)
        return op->d != 15 && !sp_or_pc(op->m);
    return !sp_or_pc(op->d) && !sp_or_pc(op->n) && !sp_or_pc(op->m);
}

static bool decode_compare_register(struct op *op, uint32_t code, const struct encoding *row)
{
    decode_shifted_register(op, code);
    op->run = row->run[op->imm ? 1 : 0];
    return op->n != 15 && !sp_or_pc(op->m) && (op->n != 13 || bits(code, 24, 23) != 0);
}

static bool decode_move_register(struct op *op, uint32_t code, const struct encoding *row)
{
    bool sets_flags = bits(code, 20, 20);

    decode_shifted_register(op, code);
    op->n = 0;
    op->run = row->run[(op->imm ? 2 : 0) + sets_flags];
    if (row->run[0] == mov_reg && op->imm == 0 && !sets_flags)
        return op->d != 15 && op->m != 15 && !(op->d == 13 && op->m == 13);
    return !sp_or_pc(op->d) && !sp_or_pc(op->m);
}

static bool decode_pkh(struct op *op, uint32_t code, const struct encoding *row)
{
    decode_shifted_register(op, code);
    op->run = row->run[0];
    op->a = bits(code, 5, 5) & 1;
    return !sp_or_pc(op->d) && !sp_or_pc(op->n) && !sp_or_pc(op->m) && bits(code, 20, 20) == 0 &&
           bits(code, 4, 4) == 0;
}

/* ADDW, SUBW, ADR. */
static bool decode_plain_immediate(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t imm12 = bits(code, 26, 26) << 11 | bits(code, 14, 12) << 8 | (code & 0xFF);

    operands(op, code);
    op->run = row->run[0];
    op->imm = imm12;
    if (op->n == 15) {
        uint32_t base = (op->pc + 4) & ~3u;
        op->imm = row->run[0] == add_imm ? base + imm12 : base - imm12;
        op->run = row->run[1];
        return !sp_or_pc(op->d);
    }
    return op->d != 15 && (op->d != 13 || op->n == 13);
}

static bool decode_move_wide(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[0];
    op->imm = bits(code, 19, 16) << 12 | bits(code, 26, 26) << 11 | bits(code, 14, 12) << 8 | (code & 0xFF);
    return !sp_or_pc(op->d);
}

static bool decode_shift_register(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[bits(code, 20, 20)];
    op->a = bits(code, 22, 21) & 3;
    return !sp_or_pc(op->d) && !sp_or_pc(op->n) && !sp_or_pc(op->m);
}

#define IMMEDIATE(name, opcode, handler)                                                                     \
    {                                                                                                        \
        name, 0xFBE08000, 0xF0000000u | (opcode) << 21, decode_modified_immediate,                           \
        {                                                                                                    \
            handler##_imm, handler##_imm_s                                                                   \
        }                                                                                                    \
    }
#define REGISTER(name, opcode, handler)                                                                      \
    {                                                                                                        \
        name, 0xFFE08000, 0xEA000000u | (opcode) << 21, decode_register,                                     \
        {                                                                                                    \
            handler##_reg, handler##_reg_s, handler##_shift, handler##_shift_s                               \
        }                                                                                                    \
    }

const struct encoding data32_encodings[] = {
    {"TST (immediate)", 0xFBF08F00, 0xF0100F00, decode_compare_immediate, {tst_imm}},
    {"TEQ (immediate)", 0xFBF08F00, 0xF0900F00, decode_compare_immediate, {teq_imm}},
    {"CMN (immediate)", 0xFBF08F00, 0xF1100F00, decode_compare_immediate, {cmn_imm}},
    {"CMP (immediate) T2", 0xFBF08F00, 0xF1B00F00, decode_compare_immediate, {cmp_imm}},
    {"MOV (immediate) T2", 0xFBEF8000, 0xF04F0000, decode_move_immediate, {mov_imm, mov_imm_s}},
    {"MVN (immediate)", 0xFBEF8000, 0xF06F0000, decode_move_immediate, {mvn_imm, mvn_imm_s}},
    IMMEDIATE("AND (immediate)", 0u, and),
    IMMEDIATE("BIC (immediate)", 1u, bic),
    IMMEDIATE("ORR (immediate)", 2u, orr),
    IMMEDIATE("ORN (immediate)", 3u, orn),
    IMMEDIATE("EOR (immediate)", 4u, eor),
    IMMEDIATE("ADD (immediate) T3", 8u, add),
    IMMEDIATE("ADC (immediate)", 10u, adc),
    IMMEDIATE("SBC (immediate)", 11u, sbc),
    IMMEDIATE("SUB (immediate) T3", 13u, sub),
    IMMEDIATE("RSB (immediate) T2", 14u, rsb),
    {"TST (register) T2", 0xFFF08F00, 0xEA100F00, decode_compare_register, {tst_reg, tst_shift}},
    {"TEQ (register)", 0xFFF08F00, 0xEA900F00, decode_compare_register, {teq_reg, teq_shift}},
    {"CMN (register) T2", 0xFFF08F00, 0xEB100F00, decode_compare_register, {cmn_reg, cmn_shift}},
    {"CMP (register) T3", 0xFFF08F00, 0xEBB00F00, decode_compare_register, {cmp_reg, cmp_shift}},
    {"MOV (register) T3, shifts by an immediate T2",
     0xFFEF8000,
     0xEA4F0000,
     decode_move_register,
     {mov_reg, mov_reg_s, mov_shift, mov_shift_s}},
    {"MVN (register) T2",
     0xFFEF8000,
     0xEA6F0000,
     decode_move_register,
     {mvn_reg, mvn_reg_s, mvn_shift, mvn_shift_s}},
    {"PKHBT, PKHTB", 0xFFE08000, 0xEAC00000, decode_pkh, {pkh}},
    REGISTER("AND (register) T2", 0u, and),
    REGISTER("BIC (register) T2", 1u, bic),
    REGISTER("ORR (register) T2", 2u, orr),
    REGISTER("ORN (register)", 3u, orn),
    REGISTER("EOR (register) T2", 4u, eor),
    REGISTER("ADD (register) T3", 8u, add),
    REGISTER("ADC (register) T2", 10u, adc),
    REGISTER("SBC (register) T2", 11u, sbc),
    REGISTER("SUB (register) T2", 13u, sub),
    REGISTER("RSB (register)", 14u, rsb),
    {"ADD (immediate) T4, ADR T3", 0xFBF08000, 0xF2000000, decode_plain_immediate, {add_imm, set_imm}},
    {"SUB (immediate) T4, ADR T2", 0xFBF08000, 0xF2A00000, decode_plain_immediate, {sub_imm, set_imm}},
    {"MOV (immediate) T3", 0xFBF08000, 0xF2400000, decode_move_wide, {set_imm}},
    {"MOVT", 0xFBF08000, 0xF2C00000, decode_move_wide, {movt}},
    {"LSL, LSR, ASR, ROR (register) T2",
     0xFF80F0F0,
     0xFA00F000,
     decode_shift_register,
     {shift_by_register, shift_by_register_s}},
    {0},
};
