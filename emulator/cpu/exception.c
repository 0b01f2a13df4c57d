/* Exception entry and return, faults and their escalation (B1.5.6 to B1.5.15). */
#include "debug.h"
#include "engine.h"
#include "observer.h"

enum {
    FRAME_BASIC = 0x20,
    FRAME_EXTENDED = 0x68,
    FRAME_FP = 0x20, /* offset of S0 */
    FRAME_FPSCR = 0x60,
    XPSR_ALIGN = 1 << 9, /* in the stacked xPSR: SP was not a multiple of 8 */
    RETURN_NO_FP = 1 << 4,
    RETURN_HANDLER = 1,
    RETURN_THREAD_MSP = 9,
    RETURN_THREAD_PSP = 13,
};

static const char *name_of(unsigned exception)
{
    static const char *const name[] = {
        "", "Reset", "NMI", "HardFault", "MemManage",    "BusFault", "UsageFault", "",
        "", "",      "",    "SVCall",    "DebugMonitor", "",         "PendSV",     "SysTick"};
    return exception < EXCEPTION_IRQ0 ? name[exception] : "interrupt";
}

static const struct op *lock_up(struct machine *m, const char *why)
{
    struct cpu *c = &m->cpu;

    machine_report(m, REPORT_ERROR, "lock-up: %s in a handler of priority %d (CFSR %08x, HFSR %08x)", why,
                   exception_execution_priority(c), c->cfsr, c->hfsr);
    m->stop = STOP_LOCKUP;
    c->attention |= ATTEND_STOP;
    note_taken(m, EXCEPTION_NONE);
    return op_at(m, c->r[15]);
}

/* ---- Entry ---- */

/* Both keep the worse of what has happened and *result. */
static void write_words(struct machine *m, struct stack_access who, uint32_t address, const uint32_t *word,
                        size_t count, enum stack_result *result)
{
    for (size_t i = 0; i < count; i++) {
        enum stack_result one = stack_write(m, who, address + 4 * (uint32_t)i, word[i]);
        *result = one > *result ? one : *result;
    }
}

static void read_words(struct machine *m, struct stack_access who, uint32_t address, uint32_t *word,
                       size_t count, enum stack_result *result)
{
    for (size_t i = 0; i < count; i++) {
        enum stack_result one = stack_read(m, who, address + 4 * (uint32_t)i, &word[i]);
        *result = one > *result ? one : *result;
    }
}

/* UpdateFPCCR() of B1.5.7: where and on whose behalf the state will be saved when FP is used next. */
static void reserve_fp_frame(struct cpu *c, uint32_t frame)
{
    int priority = exception_execution_priority(c);
    uint32_t value = c->fpccr & (FPCCR_ASPEN | FPCCR_LSPEN);

    c->fpcar = (frame + FRAME_FP) & ~7u;
    value |= FPCCR_LSPACT;
    value |= privileged(c) ? 0 : FPCCR_USER;
    value |= c->exception == EXCEPTION_NONE ? FPCCR_THREAD : 0;
    value |= priority > -1 ? FPCCR_HFRDY : 0;
    value |= exception_is_enabled(c, EXCEPTION_BUSFAULT) && exception_group(c, EXCEPTION_BUSFAULT) < priority
                 ? FPCCR_BFRDY
                 : 0;
    value |=
        exception_is_enabled(c, EXCEPTION_MEMMANAGE) && exception_group(c, EXCEPTION_MEMMANAGE) < priority
            ? FPCCR_MMRDY
            : 0;
    value |=
        (c->demcr & DEMCR_MON_EN) && exception_group(c, EXCEPTION_DEBUGMONITOR) < priority ? FPCCR_MONRDY : 0;
    c->fpccr = value;
}

/* PushStack() of B1.5.6, on behalf of the code that is interrupted. */
static enum stack_result push_frame(struct machine *m, uint32_t return_address)
{
    struct cpu *c = &m->cpu;
    bool fp = c->control & CONTROL_FPCA;
    bool align = fp || (c->ccr & CCR_STKALIGN);
    uint32_t sp = c->r[13], frame = sp - (fp ? FRAME_EXTENDED : FRAME_BASIC), xpsr = cpu_xpsr(c);
    struct stack_access who = stack_access_of(c, privileged(c));
    enum stack_result result = STACK_DONE;

    if (align) {
        frame &= ~4u;
        xpsr |= sp & 4 ? XPSR_ALIGN : 0;
    }
    c->r[13] = frame;
    if (fp && !(c->fpccr & FPCCR_LSPEN)) {
        write_words(m, who, frame + FRAME_FP, c->s, 16, &result);
        write_words(m, who, frame + FRAME_FPSCR, &c->fpscr, 1, &result);
    } else if (fp) {
        reserve_fp_frame(c, frame);
    }
    write_words(
        m, who, frame,
        (const uint32_t[]){c->r[0], c->r[1], c->r[2], c->r[3], c->r[12], c->r[14], return_address, xpsr}, 8,
        &result);
    return result;
}

static uint32_t return_value(const struct cpu *c)
{
    uint32_t value = 0xFFFFFFF0u | (c->exception != EXCEPTION_NONE ? RETURN_HANDLER
                                    : c->psp_in_use                ? RETURN_THREAD_PSP
                                                                   : RETURN_THREAD_MSP);
    return c->control & CONTROL_FPCA ? value & ~(uint32_t)RETURN_NO_FP : value;
}

/* What an exception becomes when it cannot preempt; 0: lock-up. */
static unsigned escalate(struct machine *m, unsigned exception)
{
    struct cpu *c = &m->cpu;
    int priority = exception_execution_priority(c);

    if (exception != EXCEPTION_HARDFAULT) {
        if (exception_is_enabled(c, exception) && exception_group(c, exception) < priority)
            return exception;
        c->hfsr |= HFSR_FORCED;
    }
    if (priority <= -1)
        return 0;
    machine_report(m, REPORT_WARNING, "%s becomes a HardFault (CFSR %08x, MMFAR %08x, BFAR %08x)",
                   name_of(exception), c->cfsr, c->mmfar, c->bfar);
    return EXCEPTION_HARDFAULT;
}

/* ExceptionTaken() of B1.5.6: to the handler of the best pending exception, its frame being on the stack. */
static const struct op *take_best(struct machine *m, uint32_t link)
{
    struct cpu *c = &m->cpu;
    unsigned exception = exception_pending_above(c, exception_execution_priority(c));
    uint32_t vector;

    if (!memory_word_read(m, c->vtor + 4 * exception, &vector)) {
        c->hfsr |= HFSR_VECTTBL;
        exception = escalate(m, EXCEPTION_HARDFAULT);
        if (exception == 0 || !memory_word_read(m, c->vtor + 4 * exception, &vector))
            return lock_up(m, "vector table not readable");
    }
    exception_activate(c, exception);
    c->exception = exception;
    cpu_select_sp(c, false);
    c->control &= CONTROL_NPRIV;
    c->fp_ready = false;
    c->itstate = 0;
    c->exclusive = false;
    c->event_register = 1;
    c->r[14] = link;
    c->thumb = vector & 1;
    c->attention |= ATTEND_EXCEPTION;
    memory_path_changed(m);
    note_taken(m, exception);
    if (UNLIKELY(c->engine->observer) && c->engine->observer->entered)
        c->engine->observer->entered(c->engine->observer->context, m, exception, vector & ~1u);
    return op_at(m, vector & ~1u);
}

/* Events fall due while a frame is stacked: an exception that they pend may overtake (late arrival). */
static void pass_cycles(struct machine *m, unsigned cycles)
{
    if (m->cycles + cycles >= m->event_cycle)
        machine_stall(m, machine_time_at(m, m->cycles + cycles));
    else
        m->cycles += cycles;
}

/*
 * The derived exception of a frame that could not be stacked pends beside the
 * exception that is being entered; take_best chooses, which is
 * DerivedLateArrival() of B1.5.12.
 */
static void stacking_failed(struct machine *m, enum stack_result result)
{
    bool denied = result == STACK_DENIED;
    unsigned derived;

    m->cpu.cfsr |= denied ? CFSR_MSTKERR : CFSR_STKERR;
    derived = escalate(m, denied ? EXCEPTION_MEMMANAGE : EXCEPTION_BUSFAULT);
    if (derived)
        exception_set_pending(m, derived);
}

static const struct op *enter_with(struct machine *m, uint32_t return_address, uint32_t link)
{
    uint32_t sp = m->cpu.r[13];
    enum stack_result result = push_frame(m, return_address);

    if (result != STACK_DONE) {
        note_stacking(m, sp, return_address);
        stacking_failed(m, result);
    }
    pass_cycles(m, CYCLES_EXCEPTION);
    return take_best(m, link);
}

static const struct op *enter(struct machine *m, uint32_t return_address)
{
    return enter_with(m, return_address, return_value(&m->cpu));
}

const struct op *exception_take_pending(struct machine *m, uint32_t return_address)
{
    const struct cpu *c = &m->cpu;

    if (!exception_pending_above(c, exception_execution_priority(c)))
        return NULL;
    return enter(m, return_address);
}

const struct op *cpu_raise(struct machine *m, unsigned exception, uint32_t return_address)
{
    unsigned target;

    note_fault(m, exception, return_address);
    target = escalate(m, exception);
    if (target == 0)
        return lock_up(m, name_of(exception));
    exception_set_pending(m, target);
    return enter(m, return_address);
}

/* ---- Faults ---- */

/* A faulting instruction will be executed again: ITSTATE is that before it. */
static void restore_itstate(struct cpu *c)
{
    if (c->engine->it_executing) {
        c->itstate = c->engine->it_executing;
        c->attention |= ATTEND_IT;
    }
}

const struct op *cpu_usage_fault(struct machine *m, uint32_t cfsr)
{
    m->cpu.engine->fault.cfsr = cfsr;
    return cpu_fault(m);
}

const struct op *cpu_fault(struct machine *m)
{
    struct cpu *c = &m->cpu;
    const struct fault *fault = &c->engine->fault;
    unsigned exception = EXCEPTION_USAGEFAULT;

    restore_itstate(c);
    c->cfsr |= fault->cfsr;
    if (fault->cfsr & CFSR_BFARVALID)
        c->bfar = fault->address;
    if (fault->cfsr & CFSR_MMARVALID)
        c->mmfar = fault->address;
    if (fault->cfsr & CFSR_MEMMANAGE)
        exception = EXCEPTION_MEMMANAGE;
    else if (fault->cfsr & CFSR_BUSFAULT)
        exception = EXCEPTION_BUSFAULT;
    return cpu_raise(m, exception, c->r[15]);
}

/* BKPT with no debugger: DebugMonitor, or a HardFault that says so (C1.6.1). */
const struct op *cpu_debug_event(struct machine *m)
{
    struct cpu *c = &m->cpu;

    restore_itstate(c);
    if (m->debug)
        return debug_breakpoint_instruction(m);
    c->dfsr |= DFSR_BKPT;
    if ((c->demcr & DEMCR_MON_EN) &&
        exception_group(c, EXCEPTION_DEBUGMONITOR) < exception_execution_priority(c))
        return cpu_raise(m, EXCEPTION_DEBUGMONITOR, c->r[15]);
    c->hfsr |= HFSR_DEBUGEVT;
    return cpu_raise(m, EXCEPTION_HARDFAULT, c->r[15]);
}

/*
 * FPCCR says which exceptions could be taken when the frame was reserved, and
 * so which one the fault is (B1.5.7).
 */
const struct op *fp_save_failed(struct machine *m, uint32_t cfsr)
{
    struct cpu *c = &m->cpu;
    bool denied = cfsr == CFSR_MLSPERR;
    unsigned exception = denied ? EXCEPTION_MEMMANAGE : EXCEPTION_BUSFAULT;

    c->cfsr |= cfsr;
    note_fault(m, exception, c->r[15]);
    if (!(c->fpccr & (denied ? FPCCR_MMRDY : FPCCR_BFRDY))) {
        if (!(c->fpccr & FPCCR_HFRDY))
            return lock_up(m, "lazy saving of the FP state");
        exception = EXCEPTION_HARDFAULT;
        c->hfsr |= HFSR_FORCED;
    }
    exception_set_pending(m, exception);
    if (!exception_pending_above(c, exception_execution_priority(c)))
        return NULL;
    restore_itstate(c);
    return enter(m, c->r[15]);
}

/* ---- Return ---- */

static const struct op *pend_and_chain(struct machine *m, unsigned exception, uint32_t link)
{
    unsigned target;

    note_return(m, exception, link, m->cpu.r[15]);
    target = escalate(m, exception);
    if (target == 0)
        return lock_up(m, name_of(exception));
    exception_set_pending(m, target);
    return take_best(m, link);
}

static bool valid_return(const struct cpu *c, uint32_t value)
{
    bool only_one = exception_active_count(c) == 1;

    if ((value | 0x1F) != 0xFFFFFFFFu || !exception_is_active(c, c->exception))
        return false;
    switch (value & 15) {
    case RETURN_HANDLER: return !only_one;
    case RETURN_THREAD_MSP:
    case RETURN_THREAD_PSP: return only_one || (c->ccr & CCR_NONBASETHRDENA);
    default: return false;
    }
}

/* If it fails the registers are as if nothing had been read. */
static enum stack_result read_frame(struct machine *m, struct stack_access who, uint32_t frame, bool fp,
                                    uint32_t *word)
{
    struct cpu *c = &m->cpu;
    enum stack_result result = STACK_DONE;
    uint32_t s[17];

    read_words(m, who, frame, word, 8, &result);
    if (!fp || result != STACK_DONE)
        return result;
    if (c->fpccr & FPCCR_LSPACT) {
        c->fpccr &= ~(uint32_t)FPCCR_LSPACT; /* never saved, so still in the registers */
        return STACK_DONE;
    }
    read_words(m, who, frame + FRAME_FP, s, 17, &result);
    if (result != STACK_DONE)
        return result;
    memcpy(c->s, s, 64);
    c->fpscr = s[16];
    return STACK_DONE;
}

static void restore_registers(struct cpu *c, const uint32_t *word)
{
    uint32_t xpsr = word[7];

    memcpy(c->r, word, 16);
    c->r[12] = word[4];
    c->r[14] = word[5];
    cpu_set_apsr(c, xpsr);
    c->flag_ge = xpsr >> 16 & 15;
    c->thumb = xpsr >> 24 & 1;
    c->itstate = (uint8_t)((xpsr >> 25 & 3) | (xpsr >> 8 & 0xFC));
    c->attention |= ATTEND_EXCEPTION | (c->itstate ? ATTEND_IT : 0);
}

/* The mode and the stack that the frame belongs to. */
static void return_to_mode(struct machine *m, uint32_t value, uint32_t sp, uint32_t exception)
{
    struct cpu *c = &m->cpu;
    bool psp = (value & 15) == RETURN_THREAD_PSP;

    cpu_select_sp(c, psp);
    c->r[13] = sp;
    c->exception = exception;
    c->control = (uint8_t)((c->control & CONTROL_NPRIV) | (psp ? CONTROL_SPSEL : 0) |
                           (value & RETURN_NO_FP ? 0 : CONTROL_FPCA));
    c->fp_ready = false;
    c->exclusive = false;
    c->event_register = 1;
    memory_path_changed(m);
}

static void sleep_on_exit(struct cpu *c)
{
    if (c->exception == EXCEPTION_NONE && (c->scr & SCR_SLEEPONEXIT)) {
        c->sleep = SLEEP_WFI;
        c->attention |= ATTEND_SLEEP;
    }
}

const struct op *exception_return(struct machine *m, uint32_t value)
{
    struct cpu *c = &m->cpu;
    bool valid = valid_return(c, value), fp = !(value & RETURN_NO_FP);
    bool psp = (value & 15) == RETURN_THREAD_PSP, handler = (value & 15) == RETURN_HANDLER;
    uint32_t frame = psp ? cpu_psp(c) : cpu_msp(c), word[8], sp;
    enum stack_result result;

    if (UNLIKELY(c->engine->observer) && c->engine->observer->left)
        c->engine->observer->left(c->engine->observer->context, m);
    exception_deactivate(m, c->exception);
    if (!valid) {
        machine_report(m, REPORT_WARNING, "invalid exception return %08x", value);
        c->cfsr |= CFSR_INVPC;
        return pend_and_chain(m, EXCEPTION_USAGEFAULT, value);
    }
    if (exception_pending_above(c, exception_execution_priority(c))) {
        pass_cycles(m, CYCLES_TAIL_CHAIN);
        return take_best(m, value);
    }
    m->cycles += CYCLES_EXCEPTION;
    result = read_frame(m, stack_access_of(c, handler || !(c->control & CONTROL_NPRIV)), frame, fp, word);
    if (result != STACK_DONE) {
        bool denied = result == STACK_DENIED;
        c->cfsr |= denied ? CFSR_MUNSTKERR : CFSR_UNSTKERR;
        return pend_and_chain(m, denied ? EXCEPTION_MEMMANAGE : EXCEPTION_BUSFAULT, value);
    }
    sp = frame + (fp ? FRAME_EXTENDED : FRAME_BASIC);
    if ((word[7] & XPSR_ALIGN) && (fp || (c->ccr & CCR_STKALIGN)))
        sp |= 4;
    return_to_mode(m, value, sp, handler ? word[7] & 0x1FF : EXCEPTION_NONE);
    restore_registers(c, word);
    if (handler != ((word[7] & 0x1FF) != 0)) { /* PopStack() of B1.5.8: the frame is of the other mode */
        unsigned target;
        c->cfsr |= CFSR_INVPC;
        note_return(m, EXCEPTION_USAGEFAULT, value, word[6]);
        target = escalate(m, EXCEPTION_USAGEFAULT);
        if (target == 0)
            return lock_up(m, name_of(EXCEPTION_USAGEFAULT));
        exception_set_pending(m, target);
        return enter_with(m, word[6], value);
    }
    sleep_on_exit(c);
    return op_at(m, word[6] & ~1u);
}
