/*
 * SysTick (B3.3): computed when somebody looks, with one event for the next
 * time it reaches zero while that pends an exception.
 */
#include "engine.h"

enum {
    CSR_ENABLE = 1 << 0,
    CSR_TICKINT = 1 << 1,
    CSR_CLKSOURCE = 1 << 2, /* HCLK, else HCLK / 8 (RM0090 12.1) */
    CSR_COUNTFLAG = 1 << 16,
    CALIB_VALUE = 0x4000493E, /* 18750: 1 ms at HCLK / 8 of 150 MHz */
    COUNTER_MASK = 0xFFFFFF,
};

static unsigned divider(const struct cpu *c)
{
    return c->systick_csr & CSR_CLKSOURCE ? 1 : 8;
}

static void reached_zero(struct machine *m)
{
    struct cpu *c = &m->cpu;

    c->systick_csr |= CSR_COUNTFLAG;
    if (c->systick_csr & CSR_TICKINT)
        exception_set_pending(m, EXCEPTION_SYSTICK);
}

/* Brings systick_value up to the present cycle. */
static void synchronise(struct machine *m)
{
    struct cpu *c = &m->cpu;
    uint64_t ticks = (m->cycles - c->systick_base) / divider(c);
    bool zero = false;

    c->systick_base += ticks * divider(c);
    if (!(c->systick_csr & CSR_ENABLE)) {
        c->systick_base = m->cycles;
        return;
    }
    if (ticks < c->systick_value) {
        c->systick_value -= (uint32_t)ticks;
        return;
    }
    if (c->systick_value > 0) {
        ticks -= c->systick_value;
        c->systick_value = 0;
        zero = true;
    }
    if (c->systick_load > 0 && ticks > 0) {
        uint64_t period = (uint64_t)c->systick_load + 1, rest = ticks % period;
        zero = zero || ticks >= period;
        c->systick_value = rest == 0 ? 0 : (uint32_t)(period - rest);
    }
    if (zero)
        reached_zero(m);
}

static void arm(struct machine *m)
{
    struct cpu *c = &m->cpu;
    struct cpu_engine *e = c->engine;
    uint64_t ticks = c->systick_value ? c->systick_value : (uint64_t)c->systick_load + 1;

    if (!(c->systick_csr & CSR_ENABLE) || !(c->systick_csr & CSR_TICKINT) ||
        (c->systick_value == 0 && c->systick_load == 0)) {
        event_cancel(m, &e->systick);
        return;
    }
    event_at(m, &e->systick, machine_time_at(m, c->systick_base + ticks * divider(c)));
}

/* The counter reached zero, or HCLK changed. */
static void fire(struct machine *m, void *context)
{
    (void)context;
    synchronise(m);
    arm(m);
}

void systick_create(struct machine *m)
{
    struct event *event = &m->cpu.engine->systick;

    event->name = "SysTick";
    event->fire = fire;
    machine_register_event(m, event);
    machine_on_clock(m, fire, NULL);
}

void systick_reset(struct machine *m)
{
    m->cpu.systick_base = m->cycles;
    event_cancel(m, &m->cpu.engine->systick);
}

uint32_t systick_read(struct machine *m, uint32_t offset)
{
    struct cpu *c = &m->cpu;
    uint32_t csr;

    synchronise(m);
    switch (offset) {
    case 0:
        csr = c->systick_csr;
        c->systick_csr &= ~(uint32_t)CSR_COUNTFLAG;
        return csr;
    case 4: return c->systick_load;
    case 8: return c->systick_value;
    default: return CALIB_VALUE;
    }
}

void systick_write(struct machine *m, uint32_t offset, uint32_t value)
{
    struct cpu *c = &m->cpu;

    synchronise(m);
    switch (offset) {
    case 0:
        c->systick_csr =
            (c->systick_csr & CSR_COUNTFLAG) | (value & (CSR_ENABLE | CSR_TICKINT | CSR_CLKSOURCE));
        break;
    case 4: c->systick_load = value & COUNTER_MASK; break;
    case 8: /* any write clears, and is no count to zero */
        c->systick_value = 0;
        c->systick_base = m->cycles;
        c->systick_csr &= ~(uint32_t)CSR_COUNTFLAG;
        break;
    default: break;
    }
    arm(m);
}
