#include "debug.h"

#include "engine.h"

/* ---- Points ---- */

static bool same(const struct debug_point *a, const struct debug_point *b)
{
    return a->kind == b->kind && a->address == b->address && a->length == b->length;
}

static uint64_t filter_bit(uint32_t address)
{
    return 1ull << (address >> 1 & 63);
}

static void summarise(struct debug *d)
{
    d->watches = 0;
    d->filter = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->points[i].kind == DEBUG_BREAK)
            d->filter |= filter_bit(d->points[i].address);
        else
            d->watches++;
    }
}

bool debug_set(struct debug *d, struct debug_point point)
{
    for (size_t i = 0; i < d->count; i++) {
        if (same(&d->points[i], &point))
            return true;
    }
    if (d->count == DEBUG_POINTS)
        return false;
    d->points[d->count++] = point;
    summarise(d);
    return true;
}

void debug_clear(struct debug *d, struct debug_point point)
{
    for (size_t i = 0; i < d->count; i++) {
        if (same(&d->points[i], &point)) {
            d->points[i] = d->points[--d->count];
            break;
        }
    }
    summarise(d);
}

void debug_clear_all(struct debug *d)
{
    d->count = 0;
    summarise(d);
}

/* ---- Stopping and going on ---- */

void debug_stop(struct machine *m, enum debug_reason reason)
{
    if (m->stop != STOP_NONE)
        return;
    m->stop = STOP_DEBUG;
    m->debug->reason = reason;
    m->event_cycle = m->cycles;
}

const struct op *debug_breakpoint_instruction(struct machine *m)
{
    debug_stop(m, DEBUG_INSTRUCTION);
    m->debug->resume_pc = m->cpu.r[15];
    return op_at(m, m->cpu.r[15]);
}

/* The BKPT that stopped the core is over; it may stand in an IT block. */
static void pass_breakpoint_instruction(struct cpu *c)
{
    c->r[15] += 2;
    c->itstate = it_advance(c->itstate);
}

static void wake(struct cpu *c)
{
    c->sleep = SLEEP_NONE;
    c->attention &= ~(uint32_t)ATTEND_SLEEP;
}

void debug_resume(struct machine *m, bool step)
{
    struct cpu *c = &m->cpu;
    struct debug *d = m->debug;

    if (d->reason == DEBUG_INSTRUCTION && c->r[15] == d->resume_pc)
        pass_breakpoint_instruction(c);
    if (step)
        wake(c);
    d->reason = DEBUG_ASKED;
    d->stepping = step;
    d->stepped = false;
    d->resumed = true;
    d->resume_pc = c->r[15];
    d->depth = exception_active_count(c);
}

/* ---- Before an instruction ---- */

bool debug_is_watchful(const struct debug *d)
{
    return d->count > 0 || d->stepping;
}

static bool stop_here(struct machine *m, enum debug_reason reason)
{
    m->debug->stepping = false;
    debug_stop(m, reason);
    return true;
}

/* Interrupts that preempted the instruction being stepped run through. */
static bool step_is_over(struct debug *d, const struct cpu *c)
{
    if (c->exception >= EXCEPTION_PENDSV && exception_active_count(c) > d->depth)
        return false;
    if (d->stepped)
        return true;
    d->stepped = true;
    return false;
}

static bool is_breakpoint(const struct debug *d, uint32_t pc)
{
    if (!(d->filter & filter_bit(pc)))
        return false;
    for (size_t i = 0; i < d->count; i++) {
        if (d->points[i].kind == DEBUG_BREAK && d->points[i].address == pc)
            return true;
    }
    return false;
}

static bool is_touched(const struct debug_point *point, const struct cpu_access *access)
{
    if (point->kind == DEBUG_BREAK || (point->kind == DEBUG_WATCH_WRITE && !access->write) ||
        (point->kind == DEBUG_WATCH_READ && access->write))
        return false;
    return access->address - point->address < point->length ||
           point->address - access->address < access->bytes;
}

static bool touches(struct machine *m, const struct op *op)
{
    struct debug *d = m->debug;
    const struct cpu *c = &m->cpu;
    struct cpu_access access;

    if ((c->itstate && !condition_holds(c, c->itstate >> 4)) ||
        !cpu_access_of(op->code, op->length, c->r, op->pc, &access))
        return false;
    for (size_t i = 0; i < d->count; i++) {
        const struct debug_point *point = &d->points[i];
        if (is_touched(point, &access)) {
            d->hit = *point;
            d->touched = access.address - point->address < point->length ? access.address : point->address;
            return true;
        }
    }
    return false;
}

bool debug_stops(struct machine *m, const struct op *op)
{
    struct debug *d = m->debug;

    if (d->stepping && step_is_over(d, &m->cpu))
        return stop_here(m, DEBUG_STEPPED);
    if (d->resumed && op->pc == d->resume_pc) {
        d->resumed = false;
        return false;
    }
    if (is_breakpoint(d, op->pc))
        return stop_here(m, DEBUG_BREAKPOINT);
    return d->watches > 0 && touches(m, op) && stop_here(m, DEBUG_WATCHPOINT);
}
