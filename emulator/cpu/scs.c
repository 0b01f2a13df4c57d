/* The private peripheral bus: NVIC, SCB, MPU and FPU registers, DWT, ITM (B3.2 to B3.5, C1). */
#include "engine.h"

enum {
    DWT = 0xE0001000,
    FPB = 0xE0002000,
    FPB_END = 0xE0003000,
    TPIU = 0xE0040000,
    ETM = 0xE0041000,
    UNIT = 0x1000,
    SCS = 0xE000E000,
    SCS_END = 0xE000F000,
};

/* Offsets from SCS */
enum {
    ICTR = 0x004,
    ACTLR = 0x008,
    SYSTICK = 0x010,
    SYSTICK_END = 0x020,
    NVIC_ISER = 0x100,
    NVIC_ICER = 0x180,
    NVIC_ISPR = 0x200,
    NVIC_ICPR = 0x280,
    NVIC_IABR = 0x300,
    NVIC_IPR = 0x400,
    NVIC_IPR_END = 0x800,
    CPUID = 0xD00,
    ICSR = 0xD04,
    VTOR = 0xD08,
    AIRCR = 0xD0C,
    SCR = 0xD10,
    CCR = 0xD14,
    SHPR1 = 0xD18,
    SHPR_END = 0xD24,
    SHCSR = 0xD24,
    CFSR = 0xD28,
    HFSR = 0xD2C,
    DFSR = 0xD30,
    MMFAR = 0xD34,
    BFAR = 0xD38,
    AFSR = 0xD3C,
    ID_FIRST = 0xD40,
    ID_END = 0xD78,
    CPACR = 0xD88,
    MPU_TYPE = 0xD90,
    MPU_END = 0xDBC,
    DHCSR = 0xDF0,
    DCRSR = 0xDF4,
    DCRDR = 0xDF8,
    DEMCR = 0xDFC,
    STIR = 0xF00,
    FPCCR = 0xF34,
    FPCAR = 0xF38,
    FPDSCR = 0xF3C,
    MVFR0 = 0xF40,
    MVFR1 = 0xF44,
};

enum {
    CPUID_VALUE = 0x410FC241, /* r0p1 */
    VECTKEY = 0x05FA,
    VECTKEYSTAT = 0xFA05,
    AIRCR_SYSRESETREQ = 1 << 2,
    CCR_WRITABLE = CCR_NONBASETHRDENA | CCR_USERSETMPEND | CCR_UNALIGN_TRP | CCR_DIV_0_TRP | CCR_BFHFNMIGN |
                   CCR_STKALIGN,
    SCR_WRITABLE = 0x16,
    IRQ_WORDS = (CPU_IRQS + 31) / 32,
};

/* ---- NVIC: the sets begin at exception 16 ---- */

static uint32_t irq_word(const uint32_t *set, unsigned word)
{
    uint32_t high = word + 1 < CPU_EXCEPTION_WORDS ? set[word + 1] << 16 : 0;
    return set[word] >> 16 | high;
}

static uint32_t nvic_read(const struct cpu *c, uint32_t offset)
{
    unsigned word = (offset & 0x7F) / 4;

    if (word >= IRQ_WORDS)
        return 0;
    switch (offset & ~0x7Fu) {
    case NVIC_ISER:
    case NVIC_ICER: return irq_word(c->enabled, word);
    case NVIC_ISPR:
    case NVIC_ICPR: return irq_word(c->pending, word);
    case NVIC_IABR: return irq_word(c->active, word);
    default: return 0;
    }
}

static void nvic_write_bit(struct machine *m, uint32_t offset, unsigned exception)
{
    struct cpu *c = &m->cpu;
    uint32_t bit = 1u << (exception % 32);

    switch (offset & ~0x7Fu) {
    case NVIC_ISER: c->enabled[exception / 32] |= bit; break;
    case NVIC_ICER: c->enabled[exception / 32] &= ~bit; break;
    case NVIC_ISPR: exception_set_pending(m, exception); break;
    case NVIC_ICPR: exception_clear_pending(c, exception); break;
    default: break;
    }
}

static void nvic_write(struct machine *m, uint32_t offset, uint32_t value)
{
    unsigned first = (offset & 0x7F) / 4 * 32;

    for (; value; value &= value - 1) {
        unsigned irq = first + (unsigned)__builtin_ctz(value);
        if (irq < CPU_IRQS)
            nvic_write_bit(m, offset, EXCEPTION_IRQ0 + irq);
    }
    m->cpu.attention |= ATTEND_EXCEPTION;
}

/* Priorities: a byte an exception, in NVIC_IPR and SHPR. The low bits do not exist. */
static unsigned priority_exception(uint32_t offset)
{
    return offset >= SHPR1 ? offset - SHPR1 + EXCEPTION_MEMMANAGE : offset - NVIC_IPR + EXCEPTION_IRQ0;
}

static bool is_priority(uint32_t offset)
{
    return (offset >= NVIC_IPR && offset < NVIC_IPR_END) || (offset >= SHPR1 && offset < SHPR_END);
}

static uint32_t priority_read(const struct cpu *c, uint32_t offset, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        unsigned exception = priority_exception(offset + i);
        if (exception < CPU_EXCEPTIONS)
            value |= (uint32_t)c->priority[exception] << 8 * i;
    }
    return value;
}

static void priority_write(struct cpu *c, uint32_t offset, unsigned bytes, uint32_t value)
{
    static const uint32_t reserved = 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 13;

    for (unsigned i = 0; i < bytes; i++) {
        unsigned exception = priority_exception(offset + i);
        if (exception < CPU_EXCEPTIONS && (exception >= EXCEPTION_IRQ0 || !(reserved >> exception & 1)))
            c->priority[exception] = value >> 8 * i & (0xFFu << (8 - CPU_PRIORITY_BITS) & 0xFF);
    }
    c->attention |= ATTEND_EXCEPTION;
}

/* ---- SCB ---- */

static bool is_pending(const struct cpu *c, unsigned exception)
{
    return c->pending[exception / 32] >> (exception % 32) & 1;
}

static uint32_t icsr_read(const struct cpu *c)
{
    unsigned best = exception_pending_above(c, 257);
    uint32_t value = c->exception | best << 12;

    for (unsigned word = 0; word < IRQ_WORDS; word++)
        value |= irq_word(c->pending, word) ? 1u << 22 : 0;
    value |= exception_active_count(c) <= 1 ? 1u << 11 : 0;
    value |= (uint32_t)is_pending(c, EXCEPTION_SYSTICK) << 26;
    value |= (uint32_t)is_pending(c, EXCEPTION_PENDSV) << 28;
    return value | (uint32_t)is_pending(c, EXCEPTION_NMI) << 31;
}

static void icsr_write(struct machine *m, uint32_t value)
{
    struct cpu *c = &m->cpu;

    if (value >> 31)
        exception_set_pending(m, EXCEPTION_NMI);
    if (value >> 28 & 1)
        exception_set_pending(m, EXCEPTION_PENDSV);
    if (value >> 27 & 1)
        exception_clear_pending(c, EXCEPTION_PENDSV);
    if (value >> 26 & 1)
        exception_set_pending(m, EXCEPTION_SYSTICK);
    if (value >> 25 & 1)
        exception_clear_pending(c, EXCEPTION_SYSTICK);
}

static void aircr_write(struct machine *m, uint32_t value)
{
    if (value >> 16 != VECTKEY) {
        machine_report(m, REPORT_WARNING, "write to AIRCR without VECTKEY is ignored");
        return;
    }
    m->cpu.prigroup = value >> 8 & 7;
    m->cpu.attention |= ATTEND_EXCEPTION;
    if (value & AIRCR_SYSRESETREQ)
        machine_request_reset(m, RESET_SOFTWARE);
}

static uint32_t id_read(uint32_t offset)
{
    static const uint32_t value[] = {0x00000030, 0x00000200, 0x00100000, 0,          0x00100030,
                                     0,          0x01000000, 0,          0x01101110, 0x02112000,
                                     0x21232231, 0x01111131, 0x01310102, 0};
    return value[(offset - ID_FIRST) / 4];
}

static uint32_t scb_read(struct machine *m, uint32_t offset)
{
    struct cpu *c = &m->cpu;

    switch (offset) {
    case CPUID: return CPUID_VALUE;
    case ICSR: return icsr_read(c);
    case VTOR: return c->vtor;
    case AIRCR: return (uint32_t)VECTKEYSTAT << 16 | c->prigroup << 8;
    case SCR: return c->scr;
    case CCR: return c->ccr;
    case SHCSR: return exception_shcsr(c);
    case CFSR: return c->cfsr;
    case HFSR: return c->hfsr;
    case DFSR: return c->dfsr;
    case MMFAR: return c->mmfar;
    case BFAR: return c->bfar;
    case AFSR: return c->afsr;
    case CPACR: return c->cpacr;
    default: return 0;
    }
}

static void scb_write(struct machine *m, uint32_t offset, uint32_t value)
{
    struct cpu *c = &m->cpu;

    switch (offset) {
    case ICSR: icsr_write(m, value); break;
    case VTOR: c->vtor = value & 0xFFFFFF80u; break;
    case AIRCR: aircr_write(m, value); break;
    case SCR: c->scr = value & SCR_WRITABLE; break;
    case CCR: c->ccr = value & CCR_WRITABLE; break;
    case SHCSR:
        exception_set_shcsr(c, value);
        memory_path_changed(m);
        break;
    case CFSR: c->cfsr &= ~value; break;
    case HFSR: c->hfsr &= ~value; break;
    case DFSR: c->dfsr &= ~value; break;
    case MMFAR: c->mmfar = value; break;
    case BFAR: c->bfar = value; break;
    case AFSR: c->afsr &= ~value; break;
    case CPACR:
        c->cpacr = value & 0x00F00000u;
        c->fp_ready = false;
        break;
    default: machine_report(m, REPORT_WARNING, "write to reserved or read-only SCS register 0x%03x", offset);
    }
}

/* ---- FPU control ---- */

static uint32_t fpu_read(const struct cpu *c, uint32_t offset)
{
    switch (offset) {
    case FPCCR: return c->fpccr;
    case FPCAR: return c->fpcar;
    case FPDSCR: return c->fpdscr;
    case MVFR0: return 0x10110021;
    case MVFR1: return 0x11000011;
    default: return 0;
    }
}

static void fpu_write(struct cpu *c, uint32_t offset, uint32_t value)
{
    c->fp_ready = false;
    switch (offset) {
    case FPCCR:
        c->fpccr = value & (FPCCR_ASPEN | FPCCR_LSPEN | FPCCR_MONRDY | FPCCR_BFRDY | FPCCR_MMRDY |
                            FPCCR_HFRDY | FPCCR_THREAD | FPCCR_USER | FPCCR_LSPACT);
        break;
    case FPCAR: c->fpcar = value & ~7u; break;
    case FPDSCR: c->fpdscr = value & 0x07C00000u; break;
    default: break;
    }
}

/* ---- Debug ---- */

static uint32_t debug_read(const struct cpu *c, uint32_t offset)
{
    uint32_t monitor_pending = is_pending(c, EXCEPTION_DEBUGMONITOR);

    return offset == DEMCR ? c->demcr | monitor_pending << 17 : 0;
}

static void debug_write(struct machine *m, uint32_t offset, uint32_t value)
{
    struct cpu *c = &m->cpu;
    uint32_t bit = 1u << EXCEPTION_DEBUGMONITOR;
    enum { MON_PEND = 1 << 17, WRITABLE = 0x010D07F1, DHCSR_KEY = 0xA05F, C_DEBUGEN = 1 };

    if (offset == DHCSR && value >> 16 == DHCSR_KEY && (value & C_DEBUGEN)) {
        machine_report(m, REPORT_WARNING, "C_DEBUGEN is for the debugger: ignored");
        return;
    }
    if (offset != DEMCR)
        return;
    dwt_set_demcr(m, value & WRITABLE);
    c->enabled[0] = value & DEMCR_MON_EN ? c->enabled[0] | bit : c->enabled[0] & ~bit;
    if (value & MON_PEND)
        exception_set_pending(m, EXCEPTION_DEBUGMONITOR);
    else
        exception_clear_pending(c, EXCEPTION_DEBUGMONITOR);
}

/* ---- DWT, ITM, flash patch ---- */

/* What stands on the bus beyond, known by name only (B3.1, Cortex-M4 TRM 4.2). */
static const char *unmodelled_unit(uint32_t address)
{
    if (address >= TPIU && address < TPIU + UNIT)
        return "the trace port (TPIU)";
    if (address >= ETM && address < ETM + UNIT)
        return "the ETM";
    return NULL;
}

/* Six comparators for instructions, two for literals, all off (C1.11.3, C1.11.4). */
static uint32_t fpb_read(uint32_t address)
{
    enum { CTRL = 0, REMAP = 4, NUM_CODE_AND_LIT = 0x260, RMPSPT = 0x20000000 };

    switch (address - FPB) {
    case CTRL: return NUM_CODE_AND_LIT;
    case REMAP: return RMPSPT;
    default: return 0;
    }
}

static uint32_t trace_read(struct machine *m, uint32_t address)
{
    if (address < DWT)
        return itm_read(m, address);
    if (address < FPB)
        return dwt_read(m, address);
    if (address < FPB_END)
        return fpb_read(address);
    if (unmodelled_unit(address))
        machine_report(m, REPORT_WARNING, "read of 0x%08x: %s is not modelled, it reads as 0", address,
                       unmodelled_unit(address));
    return 0;
}

static void write_beyond(struct machine *m, uint32_t address)
{
    const char *unit = unmodelled_unit(address);

    if (unit)
        machine_report(
            m, REPORT_WARNING,
            "write to 0x%08x: %s is not modelled; what the ITM is given comes out by --itm as it is", address,
            unit);
    else
        machine_report(m, REPORT_WARNING, "write to 0x%08x: nothing is there", address);
}

static void trace_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value)
{
    if (address < DWT)
        itm_write(m, address, bytes, value);
    else if (address < FPB)
        dwt_write(m, address, value);
    else if (address >= FPB_END)
        write_beyond(m, address);
    else if (value & 1)
        machine_report(m, REPORT_ERROR, "the flash patch and breakpoint unit is not modelled");
}

/* ---- The bus ---- */

static uint32_t scs_read(struct machine *m, uint32_t offset)
{
    struct cpu *c = &m->cpu;

    if (offset == ICTR)
        return IRQ_WORDS - 1;
    if (offset == ACTLR)
        return c->actlr;
    if (offset >= SYSTICK && offset < SYSTICK_END)
        return systick_read(m, offset - SYSTICK);
    if (offset >= NVIC_ISER && offset < NVIC_IPR)
        return nvic_read(c, offset);
    if (offset >= ID_FIRST && offset < ID_END)
        return id_read(offset);
    if (offset >= MPU_TYPE && offset < MPU_END)
        return mpu_read(c, offset);
    if (offset >= DHCSR && offset <= DEMCR)
        return debug_read(c, offset);
    if (offset >= FPCCR && offset <= MVFR1)
        return fpu_read(c, offset);
    return scb_read(m, offset);
}

static void scs_write(struct machine *m, uint32_t offset, uint32_t value)
{
    struct cpu *c = &m->cpu;

    if (offset == ACTLR)
        c->actlr = value & 0x307;
    else if (offset >= SYSTICK && offset < SYSTICK_END)
        systick_write(m, offset - SYSTICK, value);
    else if (offset >= NVIC_ISER && offset < NVIC_IPR)
        nvic_write(m, offset, value);
    else if (offset >= MPU_TYPE && offset < MPU_END)
        mpu_write(m, offset, value);
    else if (offset >= DHCSR && offset <= DEMCR)
        debug_write(m, offset, value);
    else if (offset >= FPCCR && offset <= FPDSCR)
        fpu_write(c, offset, value);
    else if (offset == STIR)
        exception_set_pending(m, EXCEPTION_IRQ0 + (value & 0x1FF) % CPU_IRQS);
    else
        scb_write(m, offset, value);
}

/* Words, except for priorities and the parts of CFSR. Unprivileged code has only STIR, if CCR lets it. */
static bool check(struct machine *m, uint32_t address, unsigned bytes, bool priv, bool write)
{
    bool narrow =
        address >= SCS && address < SCS_END && (is_priority(address - SCS) || address - SCS - CFSR < 4);

    if (bytes != 4 && !narrow && address >= DWT)
        machine_report(m, REPORT_WARNING, "%u-byte access to 0x%08x, which takes words", bytes, address);
    if (priv || (address < DWT && itm_permits(&m->cpu, address, write)) ||
        (address == SCS + STIR && (m->cpu.ccr & CCR_USERSETMPEND)))
        return true;
    machine_report(m, REPORT_WARNING, "unprivileged access to 0x%08x", address);
    return false;
}

bool ppb_read(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t *value)
{
    uint32_t word = address & ~3u, whole;

    if (!check(m, address, bytes, priv, false))
        return false;
    if (address >= SCS && address < SCS_END && is_priority(address - SCS)) {
        *value = priority_read(&m->cpu, address - SCS, bytes);
        return true;
    }
    whole = word >= SCS && word < SCS_END ? scs_read(m, word - SCS) : trace_read(m, word);
    *value = whole >> 8 * (address & 3) & (0xFFFFFFFFu >> (32 - 8 * bytes));
    return true;
}

bool ppb_write(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t value)
{
    uint32_t word = address & ~3u, shifted = value << 8 * (address & 3);

    if (!check(m, address, bytes, priv, true))
        return false;
    if (address >= SCS && address < SCS_END && is_priority(address - SCS))
        priority_write(&m->cpu, address - SCS, bytes, value);
    else if (word >= SCS && word < SCS_END)
        scs_write(m, word - SCS, shifted);
    else
        trace_write(m, word, bytes, shifted);
    return true;
}
