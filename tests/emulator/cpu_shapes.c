#include "cpu_shapes.h"

enum {
    NOP = 0xBF00,
    MARKER_16 = 0x3001,       /* adds r0, #1 */
    OTHER_MARKER_16 = 0x3103, /* adds r1, #3 */
    MOV_SP_SCRATCH = 0x46DD,  /* mov sp, r11 */
    MOV_SCRATCH_SP = 0x46EB,  /* mov r11, sp */
    CPSIE_IF = 0xB663,
    SP = 13,
    LR = 14,
    PC = 15,
    SECOND_SCRATCH = 12, /* a register that a sequence may overwrite first */
    BIT_BAND = 0x22000000,
    NOBODY = 0x30000000, /* nothing answers there */
};
#define MARKER         0xF1080855u /* add r8, r8, #0x55 */
#define ISB            0xF3BF8F6Fu
#define STORE_SCRATCH  0xF8CCB000u /* str r11, [r12] */
#define EOR_R8_SCRATCH 0xEA88080Bu /* eor r8, r8, r11 */

struct test {
    const struct cpu_row *rows;
    size_t count;
    size_t index;
    const struct cpu_row *row;
    uint32_t code;
    struct op op;
};

/* ---- Randomness ---- */

uint64_t shape_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t shape_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(shape_random(state) >> 32) % limit;
}

static bool one_in(uint64_t *random, uint32_t n)
{
    return shape_below(random, n) == 0;
}

/* ---- Which operands will do ---- */

static bool is_list(const struct test *t)
{
    return strstr(t->row->encoding->name, "LDM") || strstr(t->row->encoding->name, "STM") ||
           strstr(t->row->encoding->name, "PUSH") || strstr(t->row->encoding->name, "POP");
}

static bool is_load(const struct test *t)
{
    return t->row->encoding->name[0] == 'L' || strstr(t->row->encoding->name, "POP");
}

static bool is_preload(const struct test *t)
{
    return t->row->halfwords == 2 && !is_list(t) && t->op.d == PC && (t->code >> 21 & 3) != 2;
}

/* Rt of LDR, or in the list */
static bool loads_pc(const struct test *t)
{
    if (is_list(t))
        return is_load(t) && (t->op.imm & 0x8000);
    return is_load(t) && t->row->shape != SHAPE_DUAL && t->op.d == PC && !is_preload(t);
}

/* STM of the base in any but the first place stores something UNKNOWN. */
static bool suitable_list(const struct test *t)
{
    uint32_t list = t->op.imm, base = 1u << t->op.n;

    if (list & (1u << CODE_SCRATCH | 1u << SP))
        return false;
    return is_load(t) || !t->op.a || !(list & base) || (list & (base - 1)) == 0;
}

static bool suitable_memory(const struct test *t)
{
    const struct op *op = &t->op;

    if (op->n == CODE_SCRATCH)
        return false;
    if (is_list(t))
        return suitable_list(t);
    if (t->row->shape == SHAPE_INDEX && (op->m == CODE_SCRATCH || op->m == op->n || op->m == SP))
        return false;
    if (t->row->shape == SHAPE_DUAL && op->a == CODE_SCRATCH)
        return false;
    return op->d != CODE_SCRATCH;
}

static bool suitable_exclusive(const struct test *t)
{
    return t->op.n != CODE_SCRATCH && t->op.n != SP && t->op.d != CODE_SCRATCH && t->op.a != CODE_SCRATCH;
}

static bool suitable_high(const struct test *t)
{
    return t->op.d != CODE_SCRATCH && (t->op.d != PC || t->op.m != SP);
}

static bool suitable_msr(const struct test *t)
{
    return t->op.n != CODE_SCRATCH;
}

static bool suitable(const struct test *t)
{
    const struct op *op = &t->op;

    switch (t->row->shape) {
    case SHAPE_PLAIN:
        return op->d != CODE_SCRATCH && op->d != PC && !(t->code >> 24 == 0xFB && op->a == CODE_SCRATCH);
    case SHAPE_HIGH: return suitable_high(t);
    case SHAPE_CORE: return op->d != CODE_SCRATCH && op->n != CODE_SCRATCH;
    case SHAPE_OFFSET:
    case SHAPE_BASE:
    case SHAPE_INDEX:
    case SHAPE_DOWN:
    case SHAPE_DUAL: return suitable_memory(t);
    case SHAPE_LITERAL: return op->d != CODE_SCRATCH;
    case SHAPE_FP_SINGLE:
    case SHAPE_FP_LIST: return op->n != CODE_SCRATCH;
    case SHAPE_LOAD_EXCLUSIVE:
    case SHAPE_STORE_EXCLUSIVE: return suitable_exclusive(t);
    case SHAPE_BRANCH_REGISTER: return op->m != SP;
    case SHAPE_TABLE_BRANCH: return op->n != CODE_SCRATCH && op->m != CODE_SCRATCH && op->n != op->m;
    case SHAPE_CPS: return (t->code & 3) != 0;
    case SHAPE_MRS: return op->d != CODE_SCRATCH;
    case SHAPE_MSR: return suitable_msr(t);
    case SHAPE_BREAKPOINT: return op->imm != 0xAB;
    default: return true;
    }
}

static struct test draw(const struct code *out, uint64_t *random, const struct cpu_row *rows, size_t count,
                        size_t index)
{
    struct test t = {.rows = rows, .count = count, .index = index, .row = &rows[index]};
    const struct encoding *encoding = t.row->encoding;

    do {
        uint32_t any = (uint32_t)shape_random(random) & (t.row->halfwords == 1 ? 0xFFFF : 0xFFFFFFFF);
        t.code = encoding->value | (any & ~encoding->mask);
    } while (cpu_row_of(t.code, t.row->halfwords, code_here(out), &t.op) != t.row || !suitable(&t));
    return t;
}

/* ---- Pieces ---- */

static void put(struct code *out, uint32_t code, unsigned halfwords)
{
    if (halfwords == 2)
        code_wide(out, code);
    else
        code_half(out, code);
}

static void emit_marked(struct code *out, const struct test *t, uint32_t code)
{
    if (out->mark_count < out->mark_max)
        out->marks[out->mark_count++] = (struct code_mark){code_here(out), (uint32_t)t->index};
    put(out, code, t->row->halfwords);
}

static void restore_sp(struct code *out)
{
    code_half(out, MOV_SCRATCH_SP);
    code_wide(out, EOR_R8_SCRATCH);
    code_constant(out, CODE_SCRATCH, SHAPE_STACK_TOP);
    code_half(out, MOV_SP_SCRATCH);
}

static void load_register(struct code *out, unsigned reg, uint32_t value)
{
    if (reg == SP) {
        code_constant(out, CODE_SCRATCH, value);
        code_half(out, MOV_SP_SCRATCH);
    } else {
        code_constant(out, reg, value);
    }
}

/* r0 to r10 */
static unsigned any_register(uint64_t *random)
{
    return shape_below(random, 11);
}

/* A condition on the one instruction that follows, sometimes. */
static void maybe_it(struct code *out, uint64_t *random)
{
    if (one_in(random, 6))
        code_half(out, 0xBF08 | shape_below(random, 14) << 4);
}

/* 16-bit shifts by nothing are UNPREDICTABLE in an IT block. */
static bool suits_it(const struct test *t)
{
    return t->row->halfwords == 2 || t->code >> 6 != 0;
}

/* ---- Data processing ---- */

static void emit_plain(struct code *out, uint64_t *random, const struct test *t)
{
    if (suits_it(t))
        maybe_it(out, random);
    emit_marked(out, t, t->code);
    if (t->row->shape == SHAPE_PLAIN && t->op.d == SP)
        restore_sp(out);
}

static bool belongs_in_it(const struct test *t)
{
    switch (t->row->shape) {
    case SHAPE_PLAIN: return t->op.d != SP && suits_it(t);
    case SHAPE_COMPARE:
    case SHAPE_NOTHING:
    case SHAPE_CORE: return true;
    default: return false;
    }
}

static void emit_it(struct code *out, uint64_t *random, const struct test *t)
{
    unsigned left = 4 - (unsigned)__builtin_ctz(t->code & 15);

    emit_marked(out, t, t->code);
    while (left) {
        struct test inner = draw(out, random, t->rows, t->count, shape_below(random, (uint32_t)t->count));
        if (!belongs_in_it(&inner))
            continue;
        emit_marked(out, &inner, inner.code);
        left--;
    }
}

/* MOV PC, ADD PC: over the marker */
static void emit_to_pc(struct code *out, uint64_t *random, const struct test *t)
{
    bool adds = t->row->encoding->value == 0x4400;
    size_t fix = 0;
    uint32_t pc;

    if (t->op.m == PC) { /* mov pc, pc: two halfwords on */
        emit_marked(out, t, t->code);
        code_half(out, MARKER_16);
        return;
    }
    fix = code_reserve(out);
    maybe_it(out, random);
    pc = code_here(out);
    emit_marked(out, t, t->code);
    code_wide(out, MARKER);
    code_fix(out, fix, t->op.m, adds ? code_here(out) - (pc + 4) : code_here(out) | shape_below(random, 2));
}

static void emit_high(struct code *out, uint64_t *random, const struct test *t)
{
    if (t->op.d == PC) {
        emit_to_pc(out, random, t);
        return;
    }
    maybe_it(out, random);
    emit_marked(out, t, t->code);
    if (t->op.d == SP)
        restore_sp(out);
}

/* ---- Memory ---- */

struct place {
    uint32_t span;   /* bytes accessed */
    bool aligned;    /* must be, or a fault is raised */
    bool single;     /* one access */
    uint32_t offset; /* of the access from the base */
};

static struct place place_of(const struct test *t, uint32_t index_value)
{
    const struct op *op = &t->op;
    struct place p = {.span = 4, .single = true, .offset = op->imm};

    switch (t->row->shape) {
    case SHAPE_BASE: p.offset = 0; break;
    case SHAPE_INDEX: p.offset = index_value << op->imm; break;
    case SHAPE_DOWN: p.offset = 0u - 4u * op->m; break;
    case SHAPE_DUAL:
        p = (struct place){.span = 8, .aligned = true, .offset = t->code >> 24 & 1 ? op->imm : 0};
        break;
    case SHAPE_FP_SINGLE: p = (struct place){.span = 4u * op->a, .aligned = true, .offset = op->imm}; break;
    case SHAPE_FP_LIST:
        p = (struct place){
            .span = 4u * op->a, .aligned = true, .offset = t->code >> 24 & 1 ? 0u - op->imm : 0};
        break;
    default: break;
    }
    if (is_list(t) && t->row->shape != SHAPE_FP_LIST) {
        p.span = 4u * op->m;
        p.aligned = true;
        p.single = false;
    }
    return p;
}

/* Flash, its alias, a bit-band alias, nobody: for one aligned access. */
static uint32_t odd_place(uint64_t *random, bool load)
{
    uint32_t word = 4 * shape_below(random, SHAPE_WINDOW_WORDS), bit = shape_below(random, 32);

    switch (shape_below(random, load ? 8 : 4)) {
    case 0: return NOBODY + 4 * shape_below(random, 64);
    case 4:
    case 5: return CODE_BASE + 4 * shape_below(random, 0x20000);
    case 6: return 4 * shape_below(random, 0x20000);
    default: return BIT_BAND + (SHAPE_WINDOW + word - SRAM_BASE) * 32 + 4 * bit;
    }
}

static uint32_t choose_address(uint64_t *random, const struct test *t, const struct place *p)
{
    uint32_t at = SHAPE_WINDOW + shape_below(random, 4 * SHAPE_WINDOW_WORDS - p->span + 1);
    bool plain = loads_pc(t) || is_preload(t);

    if (p->single && !plain && t->op.n != SP && one_in(random, 8))
        return odd_place(random, is_load(t));
    if ((p->aligned && !(one_in(random, 32) && !plain && t->op.n != SP)) || plain || !one_in(random, 4))
        at &= ~3u;
    return at;
}

/* The word that goes to the PC is stored beforehand. Returns where its value is to be fixed. */
static size_t store_target(struct code *out, uint32_t slot)
{
    size_t fix;

    code_constant(out, SECOND_SCRATCH, slot);
    fix = code_reserve(out);
    code_wide(out, STORE_SCRATCH);
    return fix;
}

static void emit_memory(struct code *out, uint64_t *random, const struct test *t)
{
    uint32_t index = shape_below(random, one_in(random, 4) ? 0x10000 : 32);
    struct place p = place_of(t, index);
    uint32_t address = choose_address(random, t, &p), base = address - p.offset;
    bool to_pc = loads_pc(t);
    size_t fix = 0;

    if (t->op.n == SP && base % 4 != 0) {
        base &= ~3u;
        base += address - SHAPE_WINDOW < 4 ? 4 : 0;
    }
    if (to_pc)
        fix = store_target(out, base + p.offset + p.span - 4);
    if (t->row->shape == SHAPE_INDEX)
        code_constant(out, t->op.m, index);
    load_register(out, t->op.n, base);
    maybe_it(out, random);
    emit_marked(out, t, t->code);
    if (to_pc) {
        code_wide(out, MARKER);
        code_fix(out, fix, CODE_SCRATCH, code_here(out) | 1);
    }
    if (t->op.n == SP || (!is_list(t) && t->op.d == SP && t->row->shape < SHAPE_DUAL))
        restore_sp(out);
}

/* LDR PC, [PC, #…]: the word lies behind the marker. */
static void emit_literal_to_pc(struct code *out, const struct test *t)
{
    code_align(out, 4);
    emit_marked(out, t, (t->code & 0xFF7FF000u) | 0x00800004u);
    code_wide(out, MARKER);
    code_word(out, (code_here(out) + 4) | 1);
}

static void emit_literal(struct code *out, uint64_t *random, const struct test *t)
{
    if (loads_pc(t)) {
        emit_literal_to_pc(out, t);
        return;
    }
    maybe_it(out, random);
    emit_marked(out, t, t->code);
    if (t->op.d == SP)
        restore_sp(out);
}

/* ---- Exclusives ---- */

static uint32_t matching_ldrex(const struct test *t, unsigned target)
{
    uint32_t n = (uint32_t)t->op.n << 16;

    if (t->op.m == 4)
        return 0xE8500F00u | n | target << 12 | (t->code & 0xFF);
    return (t->op.m == 2 ? 0xE8D00F5Fu : 0xE8D00F4Fu) | n | target << 12;
}

static void emit_store_exclusive(struct code *out, uint64_t *random, const struct test *t)
{
    uint32_t address = SHAPE_WINDOW + t->op.m * shape_below(random, 4 * SHAPE_WINDOW_WORDS / t->op.m);
    unsigned target = any_register(random);

    code_constant(out, t->op.n, address - t->op.imm);
    if (target == t->op.n || one_in(random, 4))
        code_wide(out, 0xF3BF8F2F); /* clrex */
    else
        code_wide(out, matching_ldrex(t, target));
    maybe_it(out, random);
    emit_marked(out, t, t->code);
}

static void emit_load_exclusive(struct code *out, uint64_t *random, const struct test *t)
{
    uint32_t address = SHAPE_WINDOW + t->op.m * shape_below(random, 4 * SHAPE_WINDOW_WORDS / t->op.m);

    address += one_in(random, 32) ? 1 : 0;
    code_constant(out, t->op.n, address - t->op.imm);
    maybe_it(out, random);
    emit_marked(out, t, t->code);
}

/* ---- Branches ---- */

static void filler(struct code *out, unsigned halfwords)
{
    for (unsigned i = 0; i < halfwords; i++)
        code_half(out, i % 2 == 0 ? MARKER_16 : OTHER_MARKER_16);
}

/* B T1: a condition and 8 bits; B T2: 11 bits */
static uint32_t near_branch(const struct test *t, int32_t halfwords)
{
    uint32_t field = t->row->encoding->value == 0xD000 ? 0xFF : 0x7FF;

    return (t->code & 0xFFFF & ~field) | ((uint32_t)halfwords & field);
}

static void emit_near_back(struct code *out, const struct test *t, unsigned distance)
{
    size_t landing, over;

    code_half(out, 0xE000 | (2 + distance)); /* b over */
    landing = out->length;
    code_half(out, OTHER_MARKER_16);
    over = out->length + 4 + 2 * distance;
    code_wide(out, code_branch(code_here(out), CODE_BASE + (uint32_t)over + 4, false));
    filler(out, distance);
    emit_marked(out, t, near_branch(t, ((int32_t)landing - (int32_t)over - 4) / 2));
    code_half(out, MARKER_16);
}

static void emit_near(struct code *out, uint64_t *random, const struct test *t)
{
    unsigned distance = 1 + shape_below(random, one_in(random, 8) ? 30 : 6);

    if (t->row->encoding->value == 0xE000)
        maybe_it(out, random);
    else if (one_in(random, 2)) {
        emit_near_back(out, t, distance);
        return;
    }
    emit_marked(out, t, near_branch(t, (int32_t)distance - 1));
    filler(out, distance);
}

static uint32_t far_branch(const struct test *t, uint32_t from, uint32_t to)
{
    if (strcmp(t->row->encoding->name, "B T3") == 0)
        return code_branch_if(from, to, t->code >> 22 & 15);
    return code_branch(from, to, strcmp(t->row->encoding->name, "BL") == 0);
}

/* To a pad somewhere in the image, which returns by LR; or over some markers. */
static void emit_far(struct code *out, uint64_t *random, const struct test *t)
{
    uint32_t pad = CODE_BASE + SHAPE_PAD_STEP * (1 + shape_below(random, SHAPE_PADS - 1));
    bool conditional = strcmp(t->row->encoding->name, "B T3") == 0;
    unsigned distance = shape_below(random, 8);
    size_t fix;

    if (one_in(random, 2)) {
        emit_marked(out, t, far_branch(t, code_here(out), code_here(out) + 4 + 2 * distance));
        filler(out, distance);
        return;
    }
    fix = code_reserve(out);
    if (!conditional)
        maybe_it(out, random);
    emit_marked(out, t, far_branch(t, code_here(out), pad));
    code_wide(out, MARKER);
    code_fix(out, fix, LR, code_here(out) | 1);
}

static void emit_compare_branch(struct code *out, uint64_t *random, const struct test *t)
{
    unsigned distance = 1 + shape_below(random, one_in(random, 8) ? 40 : 6), offset = distance - 1;

    if (one_in(random, 2))
        code_constant(out, t->op.n, shape_below(random, 2));
    emit_marked(out, t, (t->code & 0xFD07) | (offset >> 5 & 1) << 9 | (offset & 31) << 3);
    filler(out, distance);
}

static void emit_branch_register(struct code *out, uint64_t *random, const struct test *t)
{
    size_t fix = code_reserve(out);

    maybe_it(out, random);
    emit_marked(out, t, t->code);
    code_wide(out, MARKER);
    code_fix(out, fix, t->op.m, code_here(out) | 1);
}

/* Four ways to go on, each with a marker of its own. */
static void emit_table_branch(struct code *out, uint64_t *random, const struct test *t)
{
    enum { WAYS = 4 };
    bool halfwords = t->code >> 4 & 1;
    unsigned table = halfwords ? 2 * WAYS : WAYS;

    code_constant(out, t->op.m, shape_below(random, WAYS));
    if (t->op.n != PC)
        code_constant(out, t->op.n, code_here(out) + 8 + 4);
    emit_marked(out, t, t->code);
    for (unsigned i = 0; i < WAYS; i += halfwords ? 1 : 2) {
        unsigned entry = (table + 4 * i) / 2;
        code_half(out, halfwords ? entry : entry | (entry + 2) << 8);
    }
    for (unsigned i = 0; i < WAYS; i++) {
        code_half(out, MARKER_16 + i);
        code_half(out, i + 1 < WAYS ? 0xE000 | (2 * (WAYS - 1 - i) - 1) : NOP);
    }
}

/* ---- The system ---- */

/* SysTick ends it, at an uncertain place: what it stacks goes where nobody looks. */
static void emit_wait_interrupt(struct code *out, const struct test *t)
{
    load_register(out, SP, SHAPE_SCRATCH_STACK);
    code_constant(out, 0, 0xE000E010);
    code_constant(out, 1, 4999);
    code_half(out, 0x6041); /* str r1, [r0, #4] */
    code_half(out, 0x6081); /* str r1, [r0, #8] */
    code_half(out, 0x2107); /* movs r1, #7 */
    code_half(out, 0x6001); /* str r1, [r0] */
    emit_marked(out, t, t->code);
    code_half(out, 0x2100); /* movs r1, #0 */
    code_half(out, 0x6001);
    code_wide(out, ISB);
    restore_sp(out);
}

static uint32_t mrs(unsigned d, unsigned special)
{
    return 0xF3EF8000u | d << 8 | special;
}

static uint32_t msr(unsigned special, unsigned n)
{
    return 0xF3808800u | n << 16 | special;
}

enum { MSP = 8, PSP = 9, PRIMASK = 16, BASEPRI = 17, BASEPRI_MAX = 18, FAULTMASK = 19, CONTROL = 20 };

static void emit_cps(struct code *out, uint64_t *random, const struct test *t)
{
    emit_marked(out, t, t->code);
    code_wide(out, mrs(any_register(random), PRIMASK));
    code_wide(out, mrs(any_register(random), FAULTMASK));
    code_half(out, CPSIE_IF);
}

/* A register that masks exceptions: written, read, written with 0 */
static void emit_mask(struct code *out, uint64_t *random, const struct test *t, uint32_t value)
{
    code_constant(out, t->op.n, value);
    maybe_it(out, random);
    emit_marked(out, t, t->code);
    code_wide(out, mrs(any_register(random), t->op.imm));
    code_constant(out, CODE_SCRATCH, 0);
    code_wide(out, msr(t->op.imm == BASEPRI_MAX ? BASEPRI : t->op.imm, CODE_SCRATCH));
}

/* The handler of SVC makes Thread mode privileged again. */
static void emit_control(struct code *out, uint64_t *random, const struct test *t)
{
    uint32_t value = shape_below(random, 8);

    code_constant(out, CODE_SCRATCH, SHAPE_STACK_TOP);
    code_wide(out, msr(PSP, CODE_SCRATCH));
    code_constant(out, t->op.n, value);
    emit_marked(out, t, t->code);
    code_wide(out, ISB);
    code_wide(out, mrs(any_register(random), CONTROL));
    code_wide(out, mrs(any_register(random), one_in(random, 2) ? MSP : BASEPRI));
    if (value & 1) {
        code_half(out, 0xB672); /* cpsid i: ignored */
        code_half(out, 0xDF00 | shape_below(random, 256));
        code_wide(out, mrs(any_register(random), PRIMASK));
    }
    code_constant(out, CODE_SCRATCH, 4);
    code_wide(out, msr(CONTROL, CODE_SCRATCH));
    code_wide(out, ISB);
    restore_sp(out);
}

static void emit_msr(struct code *out, uint64_t *random, const struct test *t)
{
    switch (t->op.imm) {
    case MSP:
        code_constant(out, t->op.n, SHAPE_STACK_TOP - 4 * shape_below(random, 4) + shape_below(random, 4));
        emit_marked(out, t, t->code);
        restore_sp(out);
        break;
    case PSP:
        emit_marked(out, t, t->code);
        code_wide(out, mrs(any_register(random), PSP));
        break;
    case PRIMASK:
    case FAULTMASK: emit_mask(out, random, t, (uint32_t)shape_random(random)); break;
    case BASEPRI:
    case BASEPRI_MAX: emit_mask(out, random, t, shape_below(random, 16) << 4); break;
    case CONTROL: emit_control(out, random, t); break;
    default: maybe_it(out, random); emit_marked(out, t, t->code);
    }
}

void shape_emit(struct code *out, uint64_t *random, const struct cpu_row *rows, size_t count, size_t index)
{
    struct test t = draw(out, random, rows, count, index);

    switch (t.row->shape) {
    case SHAPE_HIGH: emit_high(out, random, &t); break;
    case SHAPE_OFFSET:
    case SHAPE_BASE:
    case SHAPE_INDEX:
    case SHAPE_DOWN: emit_memory(out, random, &t); break;
    case SHAPE_DUAL:
    case SHAPE_FP_SINGLE:
        if (t.op.n == PC)
            emit_literal(out, random, &t);
        else
            emit_memory(out, random, &t);
        break;
    case SHAPE_FP_LIST: emit_memory(out, random, &t); break;
    case SHAPE_LITERAL: emit_literal(out, random, &t); break;
    case SHAPE_LOAD_EXCLUSIVE: emit_load_exclusive(out, random, &t); break;
    case SHAPE_STORE_EXCLUSIVE: emit_store_exclusive(out, random, &t); break;
    case SHAPE_BRANCH_NEAR: emit_near(out, random, &t); break;
    case SHAPE_BRANCH_FAR: emit_far(out, random, &t); break;
    case SHAPE_COMPARE_BRANCH: emit_compare_branch(out, random, &t); break;
    case SHAPE_BRANCH_REGISTER: emit_branch_register(out, random, &t); break;
    case SHAPE_TABLE_BRANCH: emit_table_branch(out, random, &t); break;
    case SHAPE_IT: emit_it(out, random, &t); break;
    case SHAPE_WAIT_EVENT:
        code_half(out, 0xBF40); /* sev */
        emit_marked(out, &t, t.code);
        break;
    case SHAPE_WAIT_INTERRUPT: emit_wait_interrupt(out, &t); break;
    case SHAPE_CPS: emit_cps(out, random, &t); break;
    case SHAPE_MSR: emit_msr(out, random, &t); break;
    case SHAPE_MRS:
    case SHAPE_PLAIN:
    case SHAPE_COMPARE:
    case SHAPE_NOTHING:
    case SHAPE_CORE:
    case SHAPE_BREAKPOINT:
    case SHAPE_TRAP: emit_plain(out, random, &t); break;
    }
}
