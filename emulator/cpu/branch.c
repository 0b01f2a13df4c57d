/* Branches, IT, and the instructions that concern the system (A7.7, B5.2). */
#include "engine.h"

#define INSTRUCTION(name) static const struct op *name(struct machine *m, const struct op *op)

/* ---- Branches: op->imm is the target, or the distance in operations where that lies in the same memory ----
 */

static inline const struct op *jump(struct machine *m, const struct op *op)
{
    m->cycles += CYCLES_BRANCH;
    return op + (int32_t)op->imm;
}

INSTRUCTION(b_near)
{
    return jump(m, op);
}

INSTRUCTION(b_far)
{
    return branch_to(m, op->imm);
}

INSTRUCTION(bl_near)
{
    m->cpu.r[14] = next_pc(op) | 1;
    return jump(m, op);
}

INSTRUCTION(bl_far)
{
    m->cpu.r[14] = next_pc(op) | 1;
    return branch_to(m, op->imm);
}

INSTRUCTION(b_conditional_far)
{
    return condition_holds(&m->cpu, op->a) ? branch_to(m, op->imm) : next(op);
}

#define BRANCH_IF(name, condition)                                                                           \
    INSTRUCTION(b_##name)                                                                                    \
    {                                                                                                        \
        const struct cpu *c = &m->cpu;                                                                       \
        return (condition) ? jump(m, op) : next(op);                                                         \
    }

BRANCH_IF(eq, c->flag_z == 0)
BRANCH_IF(ne, c->flag_z != 0)
BRANCH_IF(cs, c->flag_c)
BRANCH_IF(cc, !c->flag_c)
BRANCH_IF(mi, c->flag_n >> 31)
BRANCH_IF(pl, !(c->flag_n >> 31))
BRANCH_IF(vs, c->flag_v >> 31)
BRANCH_IF(vc, !(c->flag_v >> 31))
BRANCH_IF(hi, c->flag_c && c->flag_z != 0)
BRANCH_IF(ls, !c->flag_c || c->flag_z == 0)
BRANCH_IF(ge, !((c->flag_n ^ c->flag_v) >> 31))
BRANCH_IF(lt, (c->flag_n ^ c->flag_v) >> 31)
BRANCH_IF(gt, c->flag_z != 0 && !((c->flag_n ^ c->flag_v) >> 31))
BRANCH_IF(le, c->flag_z == 0 || (c->flag_n ^ c->flag_v) >> 31)
BRANCH_IF(zero, c->r[op->n] == 0)
BRANCH_IF(not_zero, c->r[op->n] != 0)

INSTRUCTION(cb_far)
{
    return (m->cpu.r[op->n] == 0) == (op->a == 0) ? branch_to(m, op->imm) : next(op);
}

INSTRUCTION(bx)
{
    return branch_exchange(m, m->cpu.r[op->m]);
}

/* BLX does not return from an exception. */
INSTRUCTION(blx)
{
    uint32_t target = m->cpu.r[op->m];

    m->cpu.r[14] = next_pc(op) | 1;
    m->cpu.thumb = target & 1;
    return branch_to(m, target);
}

static uint32_t table_base(const struct cpu *c, const struct op *op)
{
    return op->n == 15 ? op->pc + 4 : c->r[op->n];
}

INSTRUCTION(tbb)
{
    struct cpu *c = &m->cpu;
    uint32_t offset;

    if (!load8(m, table_base(c, op) + c->r[op->m], &offset))
        return cpu_fault(m);
    return branch_to(m, op->pc + 4 + 2 * offset);
}

INSTRUCTION(tbh)
{
    struct cpu *c = &m->cpu;
    uint32_t offset;

    if (!load16(m, table_base(c, op) + 2 * c->r[op->m], &offset))
        return cpu_fault(m);
    return branch_to(m, op->pc + 4 + 2 * offset);
}

/* ---- IT, hints, barriers ---- */

INSTRUCTION(it)
{
    m->cpu.itstate = (uint8_t)op->imm;
    m->cpu.attention |= ATTEND_IT;
    return next(op);
}

INSTRUCTION(nop)
{
    (void)m;
    return next(op);
}

INSTRUCTION(wfi)
{
    struct cpu *c = &m->cpu;

    c->sleep = SLEEP_WFI;
    c->attention |= ATTEND_SLEEP;
    return next(op);
}

INSTRUCTION(wfe)
{
    struct cpu *c = &m->cpu;

    if (c->event_register) {
        c->event_register = 0;
        return next(op);
    }
    c->sleep = SLEEP_WFE;
    c->attention |= ATTEND_SLEEP;
    return next(op);
}

INSTRUCTION(sev)
{
    m->cpu.event_register = 1;
    return next(op);
}

INSTRUCTION(clrex)
{
    m->cpu.exclusive = false;
    return next(op);
}

/* ---- Exceptions on request ---- */

INSTRUCTION(svc)
{
    return cpu_raise(m, EXCEPTION_SVCALL, next_pc(op));
}

enum { SEMIHOSTING = 0xAB };

INSTRUCTION(bkpt)
{
    return op->imm == SEMIHOSTING ? semihosting(m, op) : cpu_debug_event(m);
}

/* A coprocessor that is not there, or not the FPU (A7.7.x: NOCP). */
INSTRUCTION(no_coprocessor)
{
    machine_report(m, REPORT_WARNING, "instruction %08x for a coprocessor that does not exist", op->code);
    return cpu_usage_fault(m, CFSR_NOCP);
}

/* ---- Special registers ---- */

INSTRUCTION(cps)
{
    struct cpu *c = &m->cpu;
    bool disable = op->imm >> 4 & 1;

    if (!privileged(c))
        return next(op);
    if (op->imm & 2)
        c->primask = disable;
    if ((op->imm & 1) && (!disable || exception_execution_priority(c) > -1))
        c->faultmask = disable;
    memory_path_changed(m);
    c->attention |= ATTEND_EXCEPTION;
    return next(op);
}

INSTRUCTION(mrs)
{
    set_register(&m->cpu, op->d, cpu_special_read(&m->cpu, op->imm));
    return next(op);
}

INSTRUCTION(msr)
{
    cpu_special_write(m, op->imm, op->a, m->cpu.r[op->n]);
    return next(op);
}

/* ---- Decoding ---- */

static bool same_memory(uint32_t from, uint32_t to)
{
    static const struct {
        uint32_t base, size;
    } memory[] = {{FLASH_BASE, FLASH_SIZE}, {SRAM_BASE, SRAM_SIZE}, {0, FLASH_SIZE}};

    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        if (from - memory[i].base < memory[i].size)
            return to - memory[i].base < memory[i].size;
    }
    return false;
}

static void set_target(struct op *op, int32_t offset, op_run *near, op_run *far)
{
    uint32_t target = op->pc + 4 + (uint32_t)offset;

    if (same_memory(op->pc, target)) {
        op->imm = (uint32_t)((int32_t)(target - op->pc) / 2);
        op->run = near;
    } else {
        op->imm = target;
        op->run = far;
    }
}

static bool set_conditional_target(struct op *op, unsigned condition, int32_t offset)
{
    static op_run *const near[14] = {b_eq, b_ne, b_cs, b_cc, b_mi, b_pl, b_vs,
                                     b_vc, b_hi, b_ls, b_ge, b_lt, b_gt, b_le};

    if (condition >= 14)
        return false;
    op->a = (uint8_t)condition;
    set_target(op, offset, near[condition], b_conditional_far);
    return true;
}

static bool decode16_b_conditional(struct op *op, uint32_t code, const struct encoding *row)
{
    (void)row;
    return set_conditional_target(op, bits(code, 11, 8), sign_extend(code & 0xFF, 8) * 2);
}

static bool decode16_b(struct op *op, uint32_t code, const struct encoding *row)
{
    set_target(op, sign_extend(code & 0x7FF, 11) * 2, row->run[0], row->run[1]);
    return true;
}

static bool decode16_cb(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t offset = bits(code, 9, 9) << 6 | bits(code, 7, 3) << 1;

    op->n = bits(code, 2, 0) & 7;
    op->a = bits(code, 11, 11) & 1;
    set_target(op, (int32_t)offset, row->run[op->a], row->run[2]);
    return true;
}

static bool decode16_bx(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->m = bits(code, 6, 3) & 15;
    return op->m != 15;
}

static bool decode16_imm8(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->imm = code & 0xFF;
    return true;
}

static bool decode16_bkpt(struct op *op, uint32_t code, const struct encoding *row)
{
    op->flags = OP_UNCONDITIONAL;
    return decode16_imm8(op, code, row);
}

/* A block of the condition AL may have no `else`; NV is no condition. */
static bool decode16_it(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t mask = code & 15, first = bits(code, 7, 4);

    op->run = row->run[0];
    op->imm = code & 0xFF;
    return first != 15 && (first != 14 || (mask & (mask - 1)) == 0);
}

static bool decode_plain(struct op *op, uint32_t code, const struct encoding *row)
{
    (void)code;
    op->run = row->run[0];
    return true;
}

/* A5.3.18: op1 of 11xxxx is UNDEFINED rather than some coprocessor's. */
static bool decode_coprocessor(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    return bits(code, 25, 24) != 3;
}

static bool decode_undefined(struct op *op, uint32_t code, const struct encoding *row)
{
    (void)op;
    (void)code;
    (void)row;
    return false;
}

const struct encoding branch16_encodings[] = {
    {"BX", 0xFF87, 0x4700, decode16_bx, {bx}},
    {"BLX (register)", 0xFF87, 0x4780, decode16_bx, {blx}},
    {"CBZ, CBNZ", 0xF500, 0xB100, decode16_cb, {b_zero, b_not_zero, cb_far}},
    {"CPS", 0xFFEC, 0xB660, decode16_imm8, {cps}},
    {"BKPT", 0xFF00, 0xBE00, decode16_bkpt, {bkpt}},
    {"NOP", 0xFFFF, 0xBF00, decode_plain, {nop}},
    {"YIELD", 0xFFFF, 0xBF10, decode_plain, {nop}},
    {"WFE", 0xFFFF, 0xBF20, decode_plain, {wfe}},
    {"WFI", 0xFFFF, 0xBF30, decode_plain, {wfi}},
    {"SEV", 0xFFFF, 0xBF40, decode_plain, {sev}},
    {"hint", 0xFF0F, 0xBF00, decode_plain, {nop}},
    {"IT", 0xFF00, 0xBF00, decode16_it, {it}},
    {"UDF T1", 0xFF00, 0xDE00, decode_undefined, {0}},
    {"SVC", 0xFF00, 0xDF00, decode16_imm8, {svc}},
    {"B T1", 0xF000, 0xD000, decode16_b_conditional, {0}},
    {"B T2", 0xF800, 0xE000, decode16_b, {b_near, b_far}},
    {0},
};

static bool decode_b_conditional(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t offset = bits(code, 26, 26) << 20 | bits(code, 11, 11) << 19 | bits(code, 13, 13) << 18 |
                      bits(code, 21, 16) << 12 | bits(code, 10, 0) << 1;
    (void)row;
    return set_conditional_target(op, bits(code, 25, 22), sign_extend(offset, 21));
}

/* I1 = NOT(J1 EOR S), I2 = NOT(J2 EOR S) */
static bool decode_b(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t s = bits(code, 26, 26), i1 = ~(bits(code, 13, 13) ^ s) & 1, i2 = ~(bits(code, 11, 11) ^ s) & 1;
    uint32_t offset = s << 24 | i1 << 23 | i2 << 22 | bits(code, 25, 16) << 12 | bits(code, 10, 0) << 1;

    set_target(op, sign_extend(offset, 25), row->run[0], row->run[1]);
    return true;
}

static bool decode_table_branch(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->m = bits(code, 3, 0) & 15;
    op->cycles = 2;
    return op->n != 13 && op->m != 13 && op->m != 15;
}

/* B5.1.1: the special registers that exist */
static bool special_register(unsigned number)
{
    return number <= 3 || (number >= 5 && number <= 9) || (number >= 16 && number <= 20);
}

static bool decode_mrs(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->d = bits(code, 11, 8) & 15;
    op->imm = code & 0xFF;
    op->cycles = 2;
    return op->d != 13 && op->d != 15 && special_register(op->imm);
}

static bool decode_msr(struct op *op, uint32_t code, const struct encoding *row)
{
    op->run = row->run[0];
    op->n = bits(code, 19, 16) & 15;
    op->a = bits(code, 11, 10) & 3;
    op->imm = code & 0xFF;
    op->cycles = 2;
    return op->n != 13 && op->n != 15 && op->a != 0 && special_register(op->imm) &&
           (op->imm <= 3 || op->a == 2);
}

const struct encoding branch32_encodings[] = {
    {"TBB", 0xFFF0FFF0, 0xE8D0F000, decode_table_branch, {tbb}},
    {"TBH", 0xFFF0FFF0, 0xE8D0F010, decode_table_branch, {tbh}},
    {"MSR", 0xFFF0F300, 0xF3808000, decode_msr, {msr}},
    {"MRS", 0xFFFFF000, 0xF3EF8000, decode_mrs, {mrs}},
    {"NOP.W", 0xFFFFFFFF, 0xF3AF8000, decode_plain, {nop}},
    {"WFE.W", 0xFFFFFFFF, 0xF3AF8002, decode_plain, {wfe}},
    {"WFI.W", 0xFFFFFFFF, 0xF3AF8003, decode_plain, {wfi}},
    {"SEV.W", 0xFFFFFFFF, 0xF3AF8004, decode_plain, {sev}},
    {"hint, DBG", 0xFFFFFF00, 0xF3AF8000, decode_plain, {nop}},
    {"CLREX", 0xFFFFFFFF, 0xF3BF8F2F, decode_plain, {clrex}},
    {"DSB", 0xFFFFFFF0, 0xF3BF8F40, decode_plain, {nop}},
    {"DMB", 0xFFFFFFF0, 0xF3BF8F50, decode_plain, {nop}},
    {"ISB", 0xFFFFFFF0, 0xF3BF8F60, decode_plain, {nop}},
    {"UDF T2", 0xFFF0F000, 0xF7F0A000, decode_undefined, {0}},
    {"B T3", 0xF800D000, 0xF0008000, decode_b_conditional, {0}},
    {"B T4", 0xF800D000, 0xF0009000, decode_b, {b_near, b_far}},
    {"BL", 0xF800D000, 0xF000D000, decode_b, {bl_near, bl_far}},
    {"coprocessors 0 to 7", 0xEC000800, 0xEC000000, decode_coprocessor, {no_coprocessor}},
    {"coprocessors 8, 9", 0xEC000E00, 0xEC000800, decode_coprocessor, {no_coprocessor}},
    {"coprocessors 12 to 15", 0xEC000C00, 0xEC000C00, decode_coprocessor, {no_coprocessor}},
    {0},
};
