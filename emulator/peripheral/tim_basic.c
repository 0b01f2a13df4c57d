/*
 * TIM6 and TIM7, basic timers (RM0090 20.4): 16 bits, counting up, an update
 * at the overflow. The counter is reckoned when somebody looks; an event is
 * armed only for an update that interrupts or stops the timer.
 */
#include "cpu/cpu.h"
#include "peripheral.h"

enum { TIM_CR1, TIM_CR2, TIM_DIER, TIM_SR, TIM_EGR, TIM_CNT, TIM_PSC, TIM_ARR, TIM_REGISTERS };
enum {
    TIM6_BASE = 0x40001000,
    TIM7_BASE = 0x40001400,
    IRQ_TIM6 = 54,
    IRQ_TIM7 = 55,
    TIM6_BIT = 4, /* in RCC's and DBGMCU's registers of APB1; TIM7's is the next */
    CR1_CEN = 1 << 0,
    CR1_UDIS = 1 << 1,
    CR1_URS = 1 << 2,
    CR1_OPM = 1 << 3,
    CR1_ARPE = 1 << 7,
    CR2_MMS = 0x70,
    DIER_UIE = 1 << 0,
    DIER_UDE = 1 << 8,
    SR_UIF = 1 << 0,
    EGR_UG = 1 << 0,
};

struct tim_basic_state {
    uint64_t reckoned;  /* core cycle up to which CNT is right */
    uint32_t rate;      /* core cycles per timer clock; 0: it does not count */
    uint32_t prescaled; /* timer clocks since CNT's last step */
    uint32_t psc;       /* the values in force, which preload may delay (20.3.1) */
    uint32_t arr;
};

static unsigned place(const struct peripheral *p)
{
    return p->base == TIM7_BASE;
}

/* ---- Counting ---- */

static uint64_t steps_to_overflow(const struct peripheral *p)
{
    const struct tim_basic_state *s = p->state;
    uint32_t count = p->value[TIM_CNT];

    /* beyond ARR it runs through all 16 bits first */
    return (count <= s->arr ? s->arr : 0xFFFFu) - count + 1;
}

static void load_preloads(struct peripheral *p)
{
    struct tim_basic_state *s = p->state;

    s->psc = p->value[TIM_PSC];
    s->arr = p->value[TIM_ARR];
}

static void overflow(struct peripheral *p)
{
    struct tim_basic_state *s = p->state;

    p->value[TIM_CNT] = 0;
    s->prescaled = 0;
    if (p->value[TIM_CR1] & CR1_UDIS)
        return;
    load_preloads(p);
    p->value[TIM_SR] |= SR_UIF;
    if (p->value[TIM_CR1] & CR1_OPM) {
        p->value[TIM_CR1] &= ~(uint32_t)CR1_CEN;
        s->rate = 0;
    }
}

/* Counts `clocks` on, at most to the next overflow; returns the clocks left. */
static uint64_t count_once(struct peripheral *p, uint64_t clocks)
{
    struct tim_basic_state *s = p->state;
    uint64_t per_step = (uint64_t)s->psc + 1, limit = steps_to_overflow(p) * per_step - s->prescaled;

    if (clocks < limit) {
        p->value[TIM_CNT] += (uint32_t)((s->prescaled + clocks) / per_step);
        s->prescaled = (uint32_t)((s->prescaled + clocks) % per_step);
        return 0;
    }
    overflow(p);
    return clocks - limit;
}

static void reckon(struct machine *m, struct peripheral *p)
{
    struct tim_basic_state *s = p->state;
    uint64_t clocks = s->rate ? (m->cycles - s->reckoned) / s->rate : 0;

    s->reckoned += clocks * s->rate;
    if (clocks == 0 || s->arr == 0) /* 20.4.9: with ARR 0 the counter is blocked */
        return;
    clocks = count_once(p, clocks);
    if (clocks > 0 && s->rate > 0 && s->arr > 0) /* from here on all periods are alike */
        (void)count_once(p, clocks % (((uint64_t)s->arr + 1) * ((uint64_t)s->psc + 1)));
}

/* ---- Interrupt and event ---- */

/* After anything changed: the interrupt line, and the event for its next rise. */
static void follow_up(struct machine *m, struct peripheral *p)
{
    const struct tim_basic_state *s = p->state;
    bool raised = p->value[TIM_SR] & SR_UIF, enabled = p->value[TIM_DIER] & DIER_UIE;

    cpu_set_irq(m, IRQ_TIM6 + place(p), raised && enabled);
    if (s->rate == 0 || s->arr == 0 || !enabled || raised) {
        event_cancel(m, &p->events[0].event);
        return;
    }
    uint64_t clocks = steps_to_overflow(p) * ((uint64_t)s->psc + 1) - s->prescaled;
    event_at(m, &p->events[0].event, machine_time_at(m, s->reckoned + clocks * s->rate));
}

static void due(struct machine *m, struct peripheral *p, size_t index)
{
    (void)index;
    reckon(m, p);
    follow_up(m, p);
}

/* Counts up to now at the old rate, then goes on at the present one. */
static void change_rate(struct machine *m, struct peripheral *p)
{
    struct tim_basic_state *s = p->state;
    bool counts =
        p->value[TIM_CR1] & CR1_CEN && peripheral_clocked(m, p) && !dbgmcu_freezes(m, TIM6_BIT + place(p));
    uint32_t rate = counts ? rcc_hclk_per_timclk1(m) : 0;

    reckon(m, p);
    if (rate != s->rate) {
        s->rate = rate;
        s->reckoned = m->cycles;
    }
    follow_up(m, p);
}

static void clock_changed(struct machine *m, void *context)
{
    change_rate(m, context);
}

/* ---- Registers ---- */

static void cr1_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    change_rate(m, p);
}

static void written_plainly(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                            uint32_t written)
{
    (void)old;
    (void)written;
    if ((index == TIM_CR2 && p->value[index] & CR2_MMS) || (index == TIM_DIER && p->value[index] & DIER_UDE))
        machine_report(m, REPORT_ERROR, "%s_%s: trigger output and DMA are not modelled", p->name,
                       p->regs[index].name);
    follow_up(m, p);
}

/* 20.4.5: the counter and the prescaler's counter are cleared even with UDIS. */
static void egr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct tim_basic_state *s = p->state;
    (void)index;
    (void)old;

    if (written & EGR_UG) {
        p->value[TIM_CNT] = 0;
        s->prescaled = 0;
        s->reckoned = m->cycles;
        if (!(p->value[TIM_CR1] & CR1_UDIS)) {
            load_preloads(p);
            p->value[TIM_SR] |= p->value[TIM_CR1] & CR1_URS ? 0 : SR_UIF;
        }
    }
    follow_up(m, p);
}

static void arr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct tim_basic_state *s = p->state;
    (void)old;
    (void)written;

    if (!(p->value[TIM_CR1] & CR1_ARPE)) {
        if (s->arr == 0)
            s->reckoned = m->cycles;
        s->arr = p->value[index];
    }
    follow_up(m, p);
}

#define REGISTER(n, o, at_reset, bits, hook)                                                                 \
    [TIM_##n] = {#n, o, WIDTH_16 | WIDTH_32, at_reset, bits, 0, 0, NULL, hook, ~(uint32_t)(bits)}

/* RM0090 20.4.1 to 20.4.8 */
static const struct reg registers[TIM_REGISTERS] = {
    REGISTER(CR1, 0x00, 0, 0x8F, cr1_written),
    REGISTER(CR2, 0x04, 0, 0x70, written_plainly),
    REGISTER(DIER, 0x0C, 0, 0x101, written_plainly),
    [TIM_SR] = {"SR", 0x10, WIDTH_16 | WIDTH_32, 0, 0, 0, SR_UIF, NULL, written_plainly, ~1u},
    [TIM_EGR] = {"EGR", 0x14, WIDTH_16 | WIDTH_32, 0, 0, 0, 0, NULL, egr_written, ~1u},
    REGISTER(CNT, 0x24, 0, 0xFFFF, written_plainly),
    REGISTER(PSC, 0x28, 0, 0xFFFF, NULL),
    REGISTER(ARR, 0x2C, 0xFFFF, 0xFFFF, arr_written),
};

static void reset(struct machine *m, struct peripheral *p)
{
    *(struct tim_basic_state *)p->state = (struct tim_basic_state){.reckoned = m->cycles};
    load_preloads(p);
    follow_up(m, p);
}

void tim_basic_create(struct machine *m)
{
    static const char *const event_names[] = {"basic timer"};

    for (uint8_t i = 0; i < 2; i++) {
        const struct peripheral tim = {.name = i ? "TIM7" : "TIM6",
                                       .base = i ? TIM7_BASE : TIM6_BASE,
                                       .size = 0x400,
                                       .gate = {0x40, (uint8_t)(TIM6_BIT + i), 0x20, (uint8_t)(TIM6_BIT + i)},
                                       .regs = registers,
                                       .reg_count = TIM_REGISTERS,
                                       .before_access = reckon,
                                       .reset = reset};
        struct peripheral *p = peripheral_new(m, &tim, sizeof(struct tim_basic_state));
        peripheral_events(m, p, event_names, 1, due);
        machine_on_clock(m, clock_changed, p);
    }
}
