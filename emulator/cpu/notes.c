/* What is kept of a fault until its handler is entered, and who is told. */
#include "debug.h"
#include "engine.h"

static bool is_fault(unsigned exception)
{
    return exception >= EXCEPTION_HARDFAULT && exception <= EXCEPTION_USAGEFAULT;
}

static struct cpu_fault_note *take_note(struct machine *m, unsigned exception, uint32_t pc)
{
    struct cpu *c = &m->cpu;
    struct cpu_fault_note *note = &c->engine->note;

    *note = (struct cpu_fault_note){.xpsr = cpu_xpsr(c), .raised = exception};
    memcpy(note->r, c->r, sizeof note->r);
    note->r[15] = pc;
    return note;
}

void note_fault(struct machine *m, unsigned exception, uint32_t pc)
{
    if (is_fault(exception))
        (void)take_note(m, exception, pc);
}

void note_stacking(struct machine *m, uint32_t sp, uint32_t pc)
{
    struct cpu_fault_note *note = &m->cpu.engine->note;

    if (note->raised == EXCEPTION_NONE) {
        note = take_note(m, EXCEPTION_BUSFAULT, pc);
        note->r[13] = sp;
    }
    note->stacking_failed = true;
}

void note_return(struct machine *m, unsigned exception, uint32_t exc_return, uint32_t pc)
{
    take_note(m, exception, pc)->exc_return = exc_return;
}

void note_taken(struct machine *m, unsigned exception)
{
    struct cpu_fault_note *note = &m->cpu.engine->note;

    if (exception != EXCEPTION_NONE && !is_fault(exception))
        return;
    if (note->raised == EXCEPTION_NONE)
        note = take_note(m, EXCEPTION_NONE, m->cpu.r[15]);
    note->taken = exception;
    if (m->host.fault)
        m->host.fault(m->host.context, m, note);
    if (m->debug && (m->debug->faults >> exception & 1) && exception != EXCEPTION_NONE)
        debug_stop(m, DEBUG_FAULT);
    *note = (struct cpu_fault_note){0};
}
