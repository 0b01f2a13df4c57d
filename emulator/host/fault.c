#include "host/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cpu/access.h"
#include "cpu/engine.h"
#include "host/backtrace.h"
#include "host/gdb_view.h"

struct teller {
    struct machine *machine;
    struct symbols *symbols;
    const struct cpu_fault_note *note;
    void (*line)(void *context, const char *line);
    void *context;
};

__attribute__((format(printf, 2, 3))) static void tell(const struct teller *t, const char *format, ...)
{
    char text[FAULT_LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    t->line(t->context, text);
}

bool fault_is_new(struct faults *f, const struct cpu_fault_note *note)
{
    if (note->taken == EXCEPTION_NONE) {
        return true;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (f->seen[i].pc == note->r[15] && f->seen[i].taken == note->taken) {
            return false;
        }
    }
    if (f->count == FAULTS_KNOWN) {
        return false;
    }
    f->seen[f->count].pc = note->r[15];
    f->seen[f->count++].taken = note->taken;
    return true;
}

/* ---- What the manual says ---- */

struct meaning {
    uint32_t bit;
    const char *name;
    const char *text;
};

static const struct meaning cfsr_meanings[] = {
    {CFSR_IACCVIOL, "IACCVIOL",
     "an instruction was fetched from where execution is forbidden (MPU, or XN "
     "region)"},
    {CFSR_DACCVIOL, "DACCVIOL", "a load or store went where the MPU forbids it"},
    {CFSR_MUNSTKERR, "MUNSTKERR", "the MPU forbade reading the stacked registers at an exception return"},
    {CFSR_MSTKERR, "MSTKERR",
     "the MPU forbade stacking registers at an exception's entry: SP has left "
     "its region"},
    {CFSR_MLSPERR, "MLSPERR", "the MPU forbade the lazy save of the FP registers"},
    {CFSR_MMARVALID, "MMARVALID", "MMFAR holds the address"},
    {CFSR_IBUSERR, "IBUSERR", "an instruction was fetched from where nothing answers: a wild branch"},
    {CFSR_PRECISERR, "PRECISERR",
     "a load or store ended in a bus error, by the instruction at the stacked "
     "PC"},
    {1u << 10, "IMPRECISERR",
     "a buffered write ended in a bus error some instructions after it was "
     "made"},
    {CFSR_UNSTKERR, "UNSTKERR", "a bus error while reading the stacked registers at an exception return"},
    {CFSR_STKERR, "STKERR",
     "a bus error while stacking registers at an exception's entry: SP has "
     "left the RAM"},
    {CFSR_LSPERR, "LSPERR", "a bus error in the lazy save of the FP registers"},
    {CFSR_BFARVALID, "BFARVALID", "BFAR holds the address"},
    {CFSR_UNDEFINSTR, "UNDEFINSTR", "the encoding is no instruction of this core"},
    {CFSR_INVSTATE, "INVSTATE",
     "EPSR.T was 0, as after a branch to an even address: this core executes "
     "Thumb only"},
    {CFSR_INVPC, "INVPC",
     "an exception return with a bad EXC_RETURN value or a frame that does not "
     "fit it"},
    {CFSR_NOCP, "NOCP",
     "a coprocessor instruction without access to it: the FPU is off in CPACR, "
     "or there is none"},
    {CFSR_UNALIGNED, "UNALIGNED",
     "an address that this kind of access, or CCR.UNALIGN_TRP, needs aligned "
     "was not"},
    {CFSR_DIVBYZERO, "DIVBYZERO", "a division by zero with CCR.DIV_0_TRP set"},
};

static const struct meaning hfsr_meanings[] = {
    {HFSR_VECTTBL, "VECTTBL", "the vector table could not be read: VTOR is wrong"},
    {HFSR_FORCED, "FORCED",
     "the fault above could not be taken as itself: not enabled in SHCSR, or "
     "its priority is too low"},
    {HFSR_DEBUGEVT, "DEBUGEVT", "a BKPT without a debugger"},
};

static void tell_meanings(const struct teller *t, const char *name, uint32_t value,
                          const struct meaning *meanings, size_t count)
{
    if (value == 0) {
        return;
    }
    tell(t, "  %s 0x%08x", name, value);
    for (size_t i = 0; i < count; i++) {
        if (value & meanings[i].bit) {
            tell(t, "    %s: %s", meanings[i].name, meanings[i].text);
        }
    }
}

static void tell_status(const struct teller *t)
{
    const struct cpu *c = &t->machine->cpu;
    tell_meanings(t, "CFSR", c->cfsr, cfsr_meanings, sizeof cfsr_meanings / sizeof cfsr_meanings[0]);
    tell_meanings(t, "HFSR", c->hfsr, hfsr_meanings, sizeof hfsr_meanings / sizeof hfsr_meanings[0]);
    if (c->cfsr & CFSR_MMARVALID) {
        tell(t, "  MMFAR 0x%08x", c->mmfar);
    }
    if (c->cfsr & CFSR_BFARVALID) {
        tell(t, "  BFAR 0x%08x", c->bfar);
    }
}

/* ---- What was done ---- */

static const char *exception_name(unsigned exception)
{
    switch (exception) {
    case EXCEPTION_HARDFAULT: return "HardFault";
    case EXCEPTION_MEMMANAGE: return "MemManage fault";
    case EXCEPTION_BUSFAULT: return "BusFault";
    case EXCEPTION_USAGEFAULT: return "UsageFault";
    default: return "fault";
    }
}

static void tell_title(const struct teller *t)
{
    const struct cpu_fault_note *note = t->note;
    char place[300] = "";
    symbols_describe(t->symbols, note->r[15], place + 1, sizeof place - 1);
    place[0] = place[1] != '\0' ? ' ' : '\0';
    const char *cause = exception_name(note->raised);
    if (note->taken == EXCEPTION_NONE) {
        tell(t,
             "Lock-up by a %s at 0x%08x%s: it cannot be taken in a handler of "
             "this priority (ARMv7-M "
             "B1.5.15)",
             cause, note->r[15], place);
    } else if (note->raised == note->taken || note->raised == EXCEPTION_NONE) {
        tell(t, "%s at 0x%08x%s", exception_name(note->taken), note->r[15], place);
    } else {
        tell(t, "%s at 0x%08x%s, taken as %s (ARMv7-M B1.5.14)", cause, note->r[15], place,
             exception_name(note->taken));
    }
}

/* The encoding at an address; its length in halfwords, 0: it cannot be read. */
static unsigned fetch(struct machine *m, uint32_t pc, uint32_t *code)
{
    uint16_t half[2] = {0};
    size_t read = view_read(m, pc & ~1u, (uint8_t *)half, sizeof half);
    bool wide = half[0] >= 0xE800;
    if (read < (wide ? 4u : 2u)) {
        return 0;
    }
    *code = wide ? (uint32_t)half[0] << 16 | half[1] : half[0];
    return wide ? 2 : 1;
}

static void tell_instruction(const struct teller *t)
{
    const struct cpu_fault_note *note = t->note;
    struct cpu_access access;
    uint32_t code;
    unsigned halfwords = fetch(t->machine, note->r[15], &code);
    if (halfwords == 0) {
        tell(t, "  no instruction can be read there");
    } else if (cpu_access_of(code, halfwords, note->r, note->r[15], &access)) {
        tell(t, "  instruction %0*x: %s %u bytes at 0x%08x", (int)(4 * halfwords), code,
             access.write ? "writes" : "reads", access.bytes, access.address);
    } else {
        tell(t, "  instruction %0*x", (int)(4 * halfwords), code);
    }
}

static void tell_moment(const struct teller *t)
{
    const struct cpu_fault_note *note = t->note;
    if (note->exc_return != 0) {
        tell(t, "  at an exception return, EXC_RETURN 0x%08x (ARMv7-M B1.5.8)", note->exc_return);
    } else {
        tell_instruction(t);
    }
    if (note->stacking_failed) {
        tell(t,
             "  the registers could not be stacked below SP 0x%08x (ARMv7-M "
             "B1.5.6): the frame there is not "
             "to be "
             "trusted",
             note->r[13]);
    }
}

static void tell_registers(const struct teller *t)
{
    const uint32_t *r = t->note->r;
    for (unsigned i = 0; i < 12; i += 4) {
        tell(t, "  r%-2u %08x  r%-2u %08x  r%-2u %08x  r%-2u %08x", i, r[i], i + 1, r[i + 1], i + 2, r[i + 2],
             i + 3, r[i + 3]);
    }
    tell(t, "  r12 %08x  sp  %08x  lr  %08x  pc  %08x  xpsr %08x", r[12], r[13], r[14], r[15], t->note->xpsr);
}

static void tell_backtrace(const struct teller *t)
{
    struct backtrace_frame frames[BACKTRACE_MAX];
    size_t count = backtrace_unwind(t->machine, t->symbols, t->note->r, frames);
    for (size_t i = 0; i < count; i++) {
        char text[FAULT_LINE - 2];
        backtrace_describe(t->symbols, &frames[i], i, text, sizeof text);
        tell(t, "  %s", text);
    }
}

void fault_explain(struct machine *m, const struct cpu_fault_note *note, struct symbols *symbols,
                   void (*line)(void *context, const char *line), void *context)
{
    const struct teller t = {
        .machine = m, .symbols = symbols, .note = note, .line = line, .context = context};
    tell_title(&t);
    tell_moment(&t);
    tell_status(&t);
    tell_registers(&t);
    tell_backtrace(&t);
}
