/* FPv4-SP arithmetic, and the conditions under which an FP instruction may run (A6, B1.5.7, B3.2.20). */
#include "softfloat.h"

#include "engine.h"

/* ---- ExecuteFPCheck() of A2.5 ---- */

static bool access_allowed(const struct cpu *c)
{
    enum { DENIED = 0, PRIVILEGED_ONLY = 1, FULL = 3 };
    unsigned cp10 = c->cpacr >> 20 & 3;

    return cp10 == FULL || (cp10 == PRIVILEGED_ONLY && privileged(c));
}

/*
 * PreserveFPState(): the lazy save into the frame that exception entry
 * reserved, as the code that was interrupted. Returns the fault's bits in CFSR.
 */
static uint32_t preserve_state(struct machine *m)
{
    static const uint32_t cfsr[] = {
        [STACK_DONE] = 0, [STACK_BUS_ERROR] = CFSR_LSPERR, [STACK_DENIED] = CFSR_MLSPERR};
    struct cpu *c = &m->cpu;
    const struct stack_access who = {
        .privileged = !(c->fpccr & FPCCR_USER),
        .guarded = mpu_in_force(c, !(c->fpccr & FPCCR_HFRDY)),
    };

    for (unsigned i = 0; i <= 16; i++) {
        enum stack_result result = stack_write(m, who, c->fpcar + 4 * i, i < 16 ? c->s[i] : c->fpscr);
        if (result != STACK_DONE)
            return cfsr[result];
    }
    m->cycles += 17;
    return 0;
}

/* NULL: done, or the fault must wait */
static const struct op *save_lazily(struct machine *m)
{
    uint32_t cfsr = preserve_state(m);
    const struct op *handler = cfsr ? fp_save_failed(m, cfsr) : NULL;

    if (!handler)
        m->cpu.fpccr &= ~(uint32_t)FPCCR_LSPACT;
    return handler;
}

const struct op *fp_prepare(struct machine *m)
{
    struct cpu *c = &m->cpu;

    if (!access_allowed(c))
        return cpu_usage_fault(m, CFSR_NOCP);
    if (c->fpccr & FPCCR_LSPACT) {
        const struct op *handler = save_lazily(m);
        if (handler)
            return handler;
    }
    if ((c->fpccr & FPCCR_ASPEN) && !(c->control & CONTROL_FPCA)) {
        c->control |= CONTROL_FPCA;
        c->fpscr = (c->fpscr & ~(uint32_t)FPSCR_MODES) | (c->fpdscr & FPSCR_MODES);
    }
    c->fp_ready = true;
    return NULL;
}

/* ---- Arithmetic: d, n, a and m of the operation are numbers of S registers (n, m: sources) ---- */

#define INSTRUCTION(name, body)                                                                              \
    static const struct op *name(struct machine *m, const struct op *op)                                     \
    {                                                                                                        \
        struct cpu *c = &m->cpu;                                                                             \
        const struct op *fault;                                                                              \
        uint32_t n, x, *d, *f = &c->fpscr;                                                                   \
        if (UNLIKELY(!c->fp_ready) && (fault = fp_prepare(m)) != NULL)                                       \
            return fault;                                                                                    \
        n = c->s[op->n];                                                                                     \
        x = c->s[op->m];                                                                                     \
        d = &c->s[op->d];                                                                                    \
        (void)n;                                                                                             \
        (void)x;                                                                                             \
        (void)f;                                                                                             \
        body;                                                                                                \
        return next(op);                                                                                     \
    }

static inline uint32_t negated(uint32_t a)
{
    return a ^ 0x80000000u;
}

INSTRUCTION(vadd, *d = fp_add(n, x, f))
INSTRUCTION(vsub, *d = fp_sub(n, x, f))
INSTRUCTION(vmul, *d = fp_mul(n, x, f))
INSTRUCTION(vnmul, *d = negated(fp_mul(n, x, f)))
INSTRUCTION(vdiv, *d = fp_div(n, x, f))
INSTRUCTION(vsqrt, *d = fp_sqrt(x, f))
/* Rounded twice */
INSTRUCTION(vmla, *d = fp_add(*d, fp_mul(n, x, f), f))
INSTRUCTION(vmls, *d = fp_add(*d, negated(fp_mul(n, x, f)), f))
INSTRUCTION(vnmla, *d = fp_add(negated(*d), negated(fp_mul(n, x, f)), f))
INSTRUCTION(vnmls, *d = fp_add(negated(*d), fp_mul(n, x, f), f))
/* Rounded once */
INSTRUCTION(vfma, *d = fp_fma(*d, n, x, f))
INSTRUCTION(vfms, *d = fp_fma(*d, negated(n), x, f))
INSTRUCTION(vfnma, *d = fp_fma(negated(*d), negated(n), x, f))
INSTRUCTION(vfnms, *d = fp_fma(negated(*d), n, x, f))

INSTRUCTION(vmov, *d = x)
INSTRUCTION(vabs, *d = x & 0x7FFFFFFFu)
INSTRUCTION(vneg, *d = negated(x))
INSTRUCTION(vmov_imm, *d = op->imm)

/* op->imm: quiet NaNs are invalid too */
static void compare(struct cpu *c, uint32_t a, uint32_t b, bool signals)
{
    uint32_t flags = fp_compare(a, b, signals, &c->fpscr);
    c->fpscr = (c->fpscr & 0x0FFFFFFF) | flags << 28;
}

INSTRUCTION(vcmp, compare(c, *d, x, op->imm))
INSTRUCTION(vcmp_zero, compare(c, *d, 0, op->imm))

/* ---- Conversion: op->imm is the number of fraction bits, op->a flags ---- */

enum { SIGNED = 1, TOWARDS_ZERO = 2, HALFWORD = 4, TOP_HALF = 1 };

static inline enum fp_rounding integer_rounding(const struct op *op, uint32_t fpscr)
{
    return op->a & TOWARDS_ZERO ? ROUND_ZERO : fp_rounding(fpscr);
}

static uint32_t fixed_operand(const struct op *op, uint32_t value)
{
    if (!(op->a & HALFWORD))
        return value;
    return op->a & SIGNED ? (uint32_t)sign_extend(value, 16) : value & 0xFFFF;
}

static inline unsigned fixed_width(const struct op *op)
{
    return op->a & HALFWORD ? 16 : 32;
}

INSTRUCTION(vcvt_to_int, *d = fp_to_fixed(x, 0, 32, op->a &SIGNED, integer_rounding(op, *f), f))
INSTRUCTION(vcvt_from_int, *d = fp_from_fixed(x, 0, op->a &SIGNED, fp_rounding(*f), f))
INSTRUCTION(vcvt_to_fixed, *d = fp_to_fixed(*d, op->imm, fixed_width(op), op->a &SIGNED, ROUND_ZERO, f))
INSTRUCTION(vcvt_from_fixed,
            *d = fp_from_fixed(fixed_operand(op, *d), op->imm, op->a &SIGNED, ROUND_NEAREST, f))
INSTRUCTION(vcvt_from_half, *d = fp_from_half(op->a & TOP_HALF ? x >> 16 : x & 0xFFFF, f))
INSTRUCTION(vcvt_to_half, uint32_t half = fp_to_half(x, f);
            *d = op->a & TOP_HALF ? (*d & 0xFFFF) | half << 16 : (*d & 0xFFFF0000u) | half)

/* ---- Decoding ---- */

/* Sd = Vd:D, Sn = Vn:N, Sm = Vm:M */
static void operands(struct op *op, uint32_t code)
{
    op->d = (uint8_t)(bits(code, 15, 12) << 1 | bits(code, 22, 22));
    op->n = (uint8_t)(bits(code, 19, 16) << 1 | bits(code, 7, 7));
    op->m = (uint8_t)(bits(code, 3, 0) << 1 | bits(code, 5, 5));
}

static bool decode_three(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->run = row->run[0];
    return true;
}

/* Multiply and accumulate take 3 cycles. */
static bool decode_accumulate(struct op *op, uint32_t code, const struct encoding *row)
{
    op->cycles = 3;
    return decode_three(op, code, row);
}

static bool decode_slow(struct op *op, uint32_t code, const struct encoding *row)
{
    op->cycles = 14;
    return decode_three(op, code, row);
}

static bool decode_two(struct op *op, uint32_t code, const struct encoding *row)
{
    operands(op, code);
    op->n = op->m;
    op->run = row->run[0];
    return true;
}

/* VFPExpandImm() of A6.4.1 */
static bool decode_immediate(struct op *op, uint32_t code, const struct encoding *row)
{
    uint32_t imm8 = bits(code, 19, 16) << 4 | (code & 15);
    uint32_t exponent = (imm8 & 0x40 ? 0x7C : 0x80) | (imm8 >> 4 & 3);

    decode_two(op, code, row);
    op->imm = (imm8 & 0x80) << 24 | exponent << 23 | (imm8 & 15) << 19;
    return true;
}

static bool decode_compare(struct op *op, uint32_t code, const struct encoding *row)
{
    op->imm = bits(code, 7, 7);
    return decode_two(op, code, row);
}

static bool decode_to_int(struct op *op, uint32_t code, const struct encoding *row)
{
    op->a = (uint8_t)((bits(code, 16, 16) ? SIGNED : 0) | (bits(code, 7, 7) ? TOWARDS_ZERO : 0));
    return decode_two(op, code, row);
}

static bool decode_from_int(struct op *op, uint32_t code, const struct encoding *row)
{
    op->a = bits(code, 7, 7) ? SIGNED : 0;
    return decode_two(op, code, row);
}

static bool decode_fixed(struct op *op, uint32_t code, const struct encoding *row)
{
    unsigned size = bits(code, 7, 7) ? 32 : 16, imm5 = (code & 15) << 1 | bits(code, 5, 5);

    operands(op, code);
    op->n = op->m = op->d;
    op->run = row->run[bits(code, 18, 18)];
    op->a = (uint8_t)((bits(code, 16, 16) ? 0 : SIGNED) | (size == 16 ? HALFWORD : 0));
    op->imm = size - imm5;
    return imm5 <= size;
}

static bool decode_half(struct op *op, uint32_t code, const struct encoding *row)
{
    op->a = bits(code, 7, 7) ? TOP_HALF : 0;
    return decode_two(op, code, row);
}

const struct encoding float_encodings[] = {
    {"VMLA", 0xFFB00F50, 0xEE000A00, decode_accumulate, {vmla}},
    {"VMLS", 0xFFB00F50, 0xEE000A40, decode_accumulate, {vmls}},
    {"VNMLS", 0xFFB00F50, 0xEE100A00, decode_accumulate, {vnmls}},
    {"VNMLA", 0xFFB00F50, 0xEE100A40, decode_accumulate, {vnmla}},
    {"VMUL", 0xFFB00F50, 0xEE200A00, decode_three, {vmul}},
    {"VNMUL", 0xFFB00F50, 0xEE200A40, decode_three, {vnmul}},
    {"VADD", 0xFFB00F50, 0xEE300A00, decode_three, {vadd}},
    {"VSUB", 0xFFB00F50, 0xEE300A40, decode_three, {vsub}},
    {"VDIV", 0xFFB00F50, 0xEE800A00, decode_slow, {vdiv}},
    {"VFNMS", 0xFFB00F50, 0xEE900A00, decode_accumulate, {vfnms}},
    {"VFNMA", 0xFFB00F50, 0xEE900A40, decode_accumulate, {vfnma}},
    {"VFMA", 0xFFB00F50, 0xEEA00A00, decode_accumulate, {vfma}},
    {"VFMS", 0xFFB00F50, 0xEEA00A40, decode_accumulate, {vfms}},
    {"VMOV (immediate)", 0xFFB00FF0, 0xEEB00A00, decode_immediate, {vmov_imm}},
    {"VMOV (register)", 0xFFBF0FD0, 0xEEB00A40, decode_two, {vmov}},
    {"VABS", 0xFFBF0FD0, 0xEEB00AC0, decode_two, {vabs}},
    {"VNEG", 0xFFBF0FD0, 0xEEB10A40, decode_two, {vneg}},
    {"VSQRT", 0xFFBF0FD0, 0xEEB10AC0, decode_slow, {vsqrt}},
    {"VCVTB, VCVTT (from half)", 0xFFBF0F50, 0xEEB20A40, decode_half, {vcvt_from_half}},
    {"VCVTB, VCVTT (to half)", 0xFFBF0F50, 0xEEB30A40, decode_half, {vcvt_to_half}},
    {"VCMP, VCMPE", 0xFFBF0F50, 0xEEB40A40, decode_compare, {vcmp}},
    {"VCMP, VCMPE (zero)", 0xFFBF0F7F, 0xEEB50A40, decode_compare, {vcmp_zero}},
    {"VCVT (from integer)", 0xFFBF0F50, 0xEEB80A40, decode_from_int, {vcvt_from_int}},
    {"VCVT, VCVTR (to integer)", 0xFFBE0F50, 0xEEBC0A40, decode_to_int, {vcvt_to_int}},
    {"VCVT (fixed point)", 0xFFBA0F50, 0xEEBA0A40, decode_fixed, {vcvt_from_fixed, vcvt_to_fixed}},
    {0},
};
