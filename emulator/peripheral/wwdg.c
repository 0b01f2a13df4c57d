/*
 * WWDG, window watchdog (RM0090 22.6): a counter of 7 bits that runs down, and
 * resets the system at 0x3F or when it is written before it has come down to
 * the window.
 */
#include "cpu/cpu.h"
#include "peripheral.h"

enum { WWDG_CR, WWDG_CFR, WWDG_SR, WWDG_REGISTERS };
enum {
    WWDG_BASE = 0x40002C00,
    IRQ_WWDG = 0,
    FREEZE_BIT = 11, /* DBGMCU_APB1_FZ.DBG_WWDG_STOP */
    COUNT = 0x7F,
    EARLY_WAKE_UP = 0x40,
    CR_WDGA = 1 << 7,
    CFR_EWI = 1 << 9,
    SR_EWIF = 1 << 0,
};

struct wwdg_state {
    uint64_t reckoned; /* core cycle up to which T is right */
    uint64_t per_step; /* core cycles; 0: it does not count */
};

static uint32_t count_of(const struct peripheral *p)
{
    return p->value[WWDG_CR] & COUNT;
}

static void update_interrupt(struct machine *m, const struct peripheral *p)
{
    cpu_set_irq(m, IRQ_WWDG, p->value[WWDG_SR] & SR_EWIF && p->value[WWDG_CFR] & CFR_EWI);
}

static void reset_system(struct machine *m, const char *why)
{
    machine_report(m, REPORT_NOTE, "the window watchdog resets the system: %s", why);
    machine_request_reset(m, RESET_WWDG);
}

/* It counts whether it is activated or not (22.3). */
static void reckon(struct machine *m, struct peripheral *p)
{
    struct wwdg_state *s = p->state;

    if (s->per_step == 0)
        return;
    uint64_t steps = (m->cycles - s->reckoned) / s->per_step;
    uint32_t before = count_of(p);
    bool passes = ((before - EARLY_WAKE_UP) & COUNT) <= steps && before != EARLY_WAKE_UP;

    s->reckoned += steps * s->per_step;
    p->value[WWDG_CR] = (p->value[WWDG_CR] & CR_WDGA) | ((before - (uint32_t)steps) & COUNT);
    if (steps > 0 && passes)
        p->value[WWDG_SR] |= SR_EWIF;
    update_interrupt(m, p);
}

/* The next thing to happen: 0x40 is reached, or passed by. */
static void arm(struct machine *m, struct peripheral *p)
{
    const struct wwdg_state *s = p->state;
    uint32_t count = count_of(p), steps = count > EARLY_WAKE_UP ? count - EARLY_WAKE_UP : 1;

    if (s->per_step == 0 || !(p->value[WWDG_CR] & CR_WDGA)) {
        event_cancel(m, &p->events[0].event);
        return;
    }
    event_at(m, &p->events[0].event, machine_time_at(m, s->reckoned + steps * s->per_step));
}

static void due(struct machine *m, struct peripheral *p, size_t index)
{
    (void)index;
    reckon(m, p);
    if (count_of(p) < EARLY_WAKE_UP)
        reset_system(m, "not written in time");
    else
        arm(m, p);
}

static void cr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct wwdg_state *s = p->state;

    p->value[index] |= old & CR_WDGA; /* only a reset clears it */
    if (old & CR_WDGA && (old & COUNT) > (p->value[WWDG_CFR] & COUNT))
        reset_system(m, "written before the window");
    else if (p->value[index] & CR_WDGA && !(written & EARLY_WAKE_UP))
        reset_system(m, "T6 written as 0");
    s->reckoned = m->cycles;
    arm(m, p);
}

/* Counts up to now at the old rate, then goes on at the present one. */
static void change_rate(struct machine *m, struct peripheral *p)
{
    struct wwdg_state *s = p->state;
    uint64_t rate = (uint64_t)rcc_hclk_per_pclk1(m) * 4096 << (p->value[WWDG_CFR] >> 7 & 3);

    reckon(m, p);
    if (!peripheral_clocked(m, p) || dbgmcu_freezes(m, FREEZE_BIT))
        rate = 0;
    if (rate != s->per_step) {
        s->per_step = rate;
        s->reckoned = m->cycles;
    }
    arm(m, p);
}

static void clock_changed(struct machine *m, void *context)
{
    change_rate(m, context);
}

static void cfr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    p->value[index] |= old & CFR_EWI; /* only a reset clears it (22.6.2) */
    change_rate(m, p);
}

static void sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    update_interrupt(m, p);
}

/* RM0090 22.6.1 to 22.6.3 */
static const struct reg registers[WWDG_REGISTERS] = {
    [WWDG_CR] = {"CR", 0x00, WIDTH_16 | WIDTH_32, 0x7F, 0xFF, 0, 0, NULL, cr_written, ~0xFFu},
    [WWDG_CFR] = {"CFR", 0x04, WIDTH_16 | WIDTH_32, 0x7F, 0x3FF, 0, 0, NULL, cfr_written, ~0x3FFu},
    [WWDG_SR] = {"SR", 0x08, WIDTH_16 | WIDTH_32, 0, 0, 0, SR_EWIF, NULL, sr_written, ~0x1u},
};

static void reset(struct machine *m, struct peripheral *p)
{
    *(struct wwdg_state *)p->state = (struct wwdg_state){.reckoned = m->cycles};
    change_rate(m, p);
    update_interrupt(m, p);
}

void wwdg_create(struct machine *m)
{
    static const char *const event_names[] = {"WWDG"};
    static const struct peripheral wwdg = {.name = "WWDG",
                                           .base = WWDG_BASE,
                                           .size = 0x400,
                                           .gate = {0x40, 11, 0x20, 11},
                                           .regs = registers,
                                           .reg_count = WWDG_REGISTERS,
                                           .before_access = reckon,
                                           .reset = reset};
    struct peripheral *p = peripheral_new(m, &wwdg, sizeof(struct wwdg_state));

    peripheral_events(m, p, event_names, 1, due);
    machine_on_clock(m, clock_changed, p);
}
