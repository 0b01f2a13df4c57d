/*
 * Data watchpoint and trace: the cycle counter, and four comparators that pend
 * DebugMonitor (C1.8). There is no trace port: what would only emit packets
 * does nothing. A match while DEMCR.MON_EN is clear is ignored by silicon
 * without a debugger, so it is reported.
 */
#include "engine.h"

enum {
    DWT_CTRL = 0xE0001000,
    DWT_CYCCNT = 0xE0001004,
    DWT_COMP0 = 0xE0001020,
    DWT_END = 0xE0001060,

    CTRL_CYCCNTENA = 1 << 0,
    CTRL_NUMCOMP = 0x40000000, /* four */
    CTRL_WRITABLE = 0x007F1FFF,
    CTRL_PACKETS = 0x007F1C00, /* SYNCTAP, PCSAMPLENA, EXCTRCENA and the enables of event counters */
    MASK_MAX = 15,

    FUNCTION_PC = 4, /* watchpoint at an instruction, or with CYCMATCH at a cycle */
    FUNCTION_READ = 5,
    FUNCTION_WRITE = 6,
    FUNCTION_ACCESS = 7,
    FUNCTION_CYCMATCH = 1 << 7,   /* comparator 0 */
    FUNCTION_DATAVMATCH = 1 << 8, /* comparator 1 */
    FUNCTION_LNK1ENA = 1 << 9,    /* comparator 1, read only: a second link exists */
    FUNCTION_MATCHED = 1 << 24,
    FUNCTION_BITS = 0xF,
    CYCLE_COMPARATOR = 0,
    VALUE_COMPARATOR = 1,
};

/* ---- The cycle counter ---- */

static bool counts(const struct cpu *c)
{
    return (c->dwt_ctrl & CTRL_CYCCNTENA) && (c->demcr & DEMCR_TRCENA);
}

static uint32_t cyccnt(const struct machine *m)
{
    return counts(&m->cpu) ? (uint32_t)m->cycles - m->cpu.dwt_offset : m->cpu.dwt_offset;
}

static void set_cyccnt(struct machine *m, uint32_t value)
{
    m->cpu.dwt_offset = counts(&m->cpu) ? (uint32_t)m->cycles - value : value;
}

/* ---- Comparators ---- */

static unsigned function_of(const struct cpu *c, unsigned n)
{
    return c->demcr & DEMCR_TRCENA ? c->dwt_comparator[n].function & FUNCTION_BITS : 0;
}

static bool matches_cycles(const struct cpu *c)
{
    return function_of(c, CYCLE_COMPARATOR) == FUNCTION_PC &&
           (c->dwt_comparator[CYCLE_COMPARATOR].function & FUNCTION_CYCMATCH);
}

static bool matches_pc(const struct cpu *c, unsigned n)
{
    return function_of(c, n) == FUNCTION_PC &&
           !(n == CYCLE_COMPARATOR && (c->dwt_comparator[n].function & FUNCTION_CYCMATCH));
}

static bool matches_data(const struct cpu *c, unsigned n)
{
    unsigned function = function_of(c, n);

    return function >= FUNCTION_READ && function <= FUNCTION_ACCESS;
}

bool dwt_watches_data(const struct cpu *c)
{
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        if (matches_data(c, n))
            return true;
    }
    return false;
}

bool dwt_watches_code(const struct cpu *c)
{
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        if (matches_pc(c, n))
            return true;
    }
    return false;
}

/* A watchpoint is no fault: without the monitor, or below its priority, nothing happens (C1.6.1). */
static void matched(struct machine *m, unsigned n, uint32_t where)
{
    struct cpu *c = &m->cpu;

    c->dwt_comparator[n].function |= FUNCTION_MATCHED;
    if (!(c->demcr & DEMCR_MON_EN)) {
        machine_report(m, REPORT_WARNING, "DWT comparator %u matches 0x%08x, but DEMCR.MON_EN is clear", n,
                       where);
        return;
    }
    if (exception_group(c, EXCEPTION_DEBUGMONITOR) >= exception_execution_priority(c))
        return;
    c->dfsr |= DFSR_DWTTRAP;
    exception_set_pending(m, EXCEPTION_DEBUGMONITOR);
}

static bool touches(const struct cpu *c, unsigned n, uint32_t address, unsigned bytes)
{
    uint32_t ignored = (1u << c->dwt_comparator[n].mask) - 1;
    uint32_t first = c->dwt_comparator[n].comp & ~ignored;

    return address <= (first | ignored) && address + (bytes - 1) >= first;
}

/* Comparator 1 on a value, of an access that the linked comparator's address names; itself: any. */
static bool value_matches(const struct cpu *c, uint32_t address, unsigned bytes, uint32_t value)
{
    uint32_t function = c->dwt_comparator[VALUE_COMPARATOR].function;
    unsigned link0 = function >> 12 & 15, link1 = function >> 16 & 15;
    uint32_t used = 0xFFFFFFFFu >> (32 - 8 * bytes);
    bool linked = link0 == VALUE_COMPARATOR ||
                  (link0 < DWT_COMPARATORS && touches(c, link0, address, bytes)) ||
                  (link1 != VALUE_COMPARATOR && link1 < DWT_COMPARATORS && touches(c, link1, address, bytes));

    return linked && bytes == 1u << (function >> 10 & 3) &&
           ((c->dwt_comparator[VALUE_COMPARATOR].comp ^ value) & used) == 0;
}

void dwt_data_accessed(struct machine *m, uint32_t address, unsigned bytes, bool write, uint32_t value)
{
    struct cpu *c = &m->cpu;
    const unsigned excluded = write ? FUNCTION_READ : FUNCTION_WRITE;

    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        bool by_value = n == VALUE_COMPARATOR && (c->dwt_comparator[n].function & FUNCTION_DATAVMATCH);
        if (!matches_data(c, n) || function_of(c, n) == excluded)
            continue;
        if (by_value ? value_matches(c, address, bytes, value) : touches(c, n, address, bytes))
            matched(m, n, address);
    }
}

/* The watchpoint is taken after the instruction. */
void dwt_executing(struct machine *m, uint32_t pc)
{
    for (unsigned n = 0; n < DWT_COMPARATORS; n++) {
        if (matches_pc(&m->cpu, n) && touches(&m->cpu, n, pc, 1))
            matched(m, n, pc);
    }
}

/* ---- CYCCNT reaches comparator 0 ---- */

static void arm(struct machine *m)
{
    struct cpu *c = &m->cpu;
    uint32_t left = c->dwt_comparator[CYCLE_COMPARATOR].comp - cyccnt(m);

    if (!counts(c) || !matches_cycles(c)) {
        event_cancel(m, &c->engine->dwt);
        return;
    }
    event_at(m, &c->engine->dwt, machine_time_at(m, m->cycles + (left ? left : (uint64_t)UINT32_MAX + 1)));
}

static void reached(struct machine *m, void *context)
{
    struct cpu *c = &m->cpu;

    (void)context;
    matched(m, CYCLE_COMPARATOR, c->dwt_comparator[CYCLE_COMPARATOR].comp);
    arm(m);
}

static void clock_changed(struct machine *m, void *context)
{
    (void)context;
    arm(m);
}

void dwt_create(struct machine *m)
{
    struct event *event = &m->cpu.engine->dwt;

    event->name = "DWT";
    event->fire = reached;
    machine_register_event(m, event);
    machine_on_clock(m, clock_changed, NULL);
}

void dwt_reset(struct machine *m)
{
    m->cpu.dwt_ctrl = CTRL_NUMCOMP;
    event_cancel(m, &m->cpu.engine->dwt);
}

/* ---- Registers ---- */

void dwt_set_demcr(struct machine *m, uint32_t value)
{
    uint32_t count = cyccnt(m);

    m->cpu.demcr = value;
    set_cyccnt(m, count);
    arm(m);
    memory_path_changed(m);
}

static uint32_t read_function(struct cpu *c, unsigned n)
{
    uint32_t value = c->dwt_comparator[n].function;

    c->dwt_comparator[n].function &= ~(uint32_t)FUNCTION_MATCHED;
    return n == VALUE_COMPARATOR ? value | FUNCTION_LNK1ENA : value;
}

static uint32_t read_comparator(struct cpu *c, uint32_t offset)
{
    unsigned n = offset / 16;

    switch (offset % 16) {
    case 0: return c->dwt_comparator[n].comp;
    case 4: return c->dwt_comparator[n].mask;
    case 8: return read_function(c, n);
    default: return 0;
    }
}

/* EMITRANGE; CYCMATCH of comparator 0; DATAVMATCH, DATAVSIZE and links of comparator 1 */
static uint32_t function_writable(unsigned n)
{
    switch (n) {
    case CYCLE_COMPARATOR: return 0x000000AF;
    case VALUE_COMPARATOR: return 0x000FFD2F;
    default: return 0x0000002F;
    }
}

/* What is no watchpoint only emits packets (table C1-14). */
static void write_function(struct machine *m, unsigned n, uint32_t value)
{
    uint32_t function = value & FUNCTION_BITS;

    if (function != 0 && (function < FUNCTION_PC || function > FUNCTION_ACCESS))
        machine_report(m, REPORT_WARNING,
                       "DWT_FUNCTION%u = %u: packets are not modelled, nothing is emitted (table C1-14)", n,
                       function);
    m->cpu.dwt_comparator[n].function = value & function_writable(n);
}

static void write_comparator(struct machine *m, uint32_t offset, uint32_t value)
{
    struct cpu *c = &m->cpu;
    unsigned n = offset / 16;

    switch (offset % 16) {
    case 0: c->dwt_comparator[n].comp = value; break;
    case 4: c->dwt_comparator[n].mask = value & MASK_MAX; break;
    case 8: write_function(m, n, value); break;
    default: break;
    }
    arm(m);
    memory_path_changed(m);
}

uint32_t dwt_read(struct machine *m, uint32_t address)
{
    if (address == DWT_CTRL)
        return m->cpu.dwt_ctrl;
    if (address == DWT_CYCCNT)
        return cyccnt(m);
    return address >= DWT_COMP0 && address < DWT_END ? read_comparator(&m->cpu, address - DWT_COMP0) : 0;
}

static void write_ctrl(struct machine *m, uint32_t value)
{
    uint32_t count = cyccnt(m);

    if (value & CTRL_PACKETS & ~m->cpu.dwt_ctrl)
        machine_report(m, REPORT_WARNING,
                       "DWT_CTRL: packets and event counters are not modelled, nothing is emitted (C1.8.7)");
    m->cpu.dwt_ctrl = (value & CTRL_WRITABLE) | CTRL_NUMCOMP;
    set_cyccnt(m, count);
    arm(m);
}

void dwt_write(struct machine *m, uint32_t address, uint32_t value)
{
    if (address >= DWT_COMP0 && address < DWT_END) {
        write_comparator(m, address - DWT_COMP0, value);
    } else if (address == DWT_CTRL) {
        write_ctrl(m, value);
    } else if (address == DWT_CYCCNT) {
        set_cyccnt(m, value);
        arm(m);
    }
}
