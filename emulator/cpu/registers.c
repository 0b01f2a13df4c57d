/* Program status, stack pointers and the special registers of MRS and MSR (B1.4, B5.2). */
#include "engine.h"

void cpu_set_apsr(struct cpu *c, uint32_t value)
{
    c->flag_n = value;
    c->flag_z = ~value & 1u << 30;
    c->flag_c = value >> 29 & 1;
    c->flag_v = value << 3;
    c->flag_q = value >> 27 & 1;
}

uint32_t cpu_msp(const struct cpu *c)
{
    return c->psp_in_use ? c->banked_sp : c->r[13];
}

uint32_t cpu_psp(const struct cpu *c)
{
    return c->psp_in_use ? c->r[13] : c->banked_sp;
}

void cpu_select_sp(struct cpu *c, bool psp)
{
    if (psp != c->psp_in_use) {
        uint32_t other = c->banked_sp;
        c->banked_sp = c->r[13];
        c->r[13] = other;
        c->psp_in_use = psp;
    }
}

static void set_sp(struct cpu *c, bool psp, uint32_t value)
{
    if (psp == c->psp_in_use)
        c->r[13] = value & ~3u;
    else
        c->banked_sp = value & ~3u;
}

/* SPSEL is for Thread mode only. */
void cpu_set_control(struct cpu *c, uint32_t value)
{
    if (c->exception != EXCEPTION_NONE)
        value = (value & ~(uint32_t)CONTROL_SPSEL) | (c->control & CONTROL_SPSEL);
    c->control = value & (CONTROL_NPRIV | CONTROL_SPSEL | CONTROL_FPCA);
    if (c->exception == EXCEPTION_NONE)
        cpu_select_sp(c, value & CONTROL_SPSEL);
    c->fp_ready = false;
}

enum {
    SPECIAL_XPSR_LAST = 7,
    SPECIAL_MSP,
    SPECIAL_PSP,
    SPECIAL_PRIMASK = 16,
    SPECIAL_BASEPRI,
    SPECIAL_BASEPRI_MAX,
    SPECIAL_FAULTMASK,
    SPECIAL_CONTROL,
};

#define XPSR_FLAGS 0xF80F0000u

/* 0 to 7 are combinations: bit 0 adds IPSR, bit 2 leaves APSR out; EPSR reads as zero. */
static uint32_t read_xpsr(const struct cpu *c, unsigned number)
{
    uint32_t value = 0;

    if (number & 1)
        value |= c->exception;
    if (!(number & 4))
        value |= cpu_xpsr(c) & XPSR_FLAGS;
    return value;
}

uint32_t cpu_special_read(struct cpu *c, unsigned number)
{
    if (number <= SPECIAL_XPSR_LAST)
        return read_xpsr(c, number);
    if (number == SPECIAL_CONTROL)
        return c->control;
    if (!privileged(c))
        return 0;
    switch (number) {
    case SPECIAL_MSP: return cpu_msp(c);
    case SPECIAL_PSP: return cpu_psp(c);
    case SPECIAL_PRIMASK: return c->primask;
    case SPECIAL_FAULTMASK: return c->faultmask;
    default: return c->basepri;
    }
}

static void write_apsr(struct cpu *c, unsigned mask, uint32_t value)
{
    if (mask & 2)
        cpu_set_apsr(c, value);
    if (mask & 1)
        c->flag_ge = value >> 16 & 15;
}

static void write_basepri(struct cpu *c, uint32_t value, bool only_raise)
{
    uint8_t level = value & 0xFF & ~((1u << (8 - CPU_PRIORITY_BITS)) - 1);

    if (!only_raise || (level != 0 && (level < c->basepri || c->basepri == 0)))
        c->basepri = level;
}

void cpu_special_write(struct machine *m, unsigned number, unsigned mask, uint32_t value)
{
    struct cpu *c = &m->cpu;

    if (number <= SPECIAL_XPSR_LAST) {
        if (!(number & 4))
            write_apsr(c, mask, value);
        return;
    }
    if (!privileged(c))
        return;
    switch (number) {
    case SPECIAL_MSP: set_sp(c, false, value); break;
    case SPECIAL_PSP: set_sp(c, true, value); break;
    case SPECIAL_PRIMASK: c->primask = value & 1; break;
    case SPECIAL_BASEPRI: write_basepri(c, value, false); break;
    case SPECIAL_BASEPRI_MAX: write_basepri(c, value, true); break;
    case SPECIAL_FAULTMASK:
        if (!(value & 1) || exception_execution_priority(c) > -1)
            c->faultmask = value & 1;
        break;
    default: cpu_set_control(c, value); break;
    }
    memory_path_changed(m);
    c->attention |= ATTEND_EXCEPTION;
}
