/*
 * TIM2 and TIM5, general-purpose timers with 32-bit counters (RM0090 18.4),
 * counting up with output compare as far as flags and interrupts go.
 *
 * The counter is reckoned when somebody looks: from the core cycles since the
 * last look, of which one timer clock takes a whole number. An event is armed
 * only for the next moment at which an enabled flag rises.
 */
#include <string.h>

#include "cpu/cpu.h"
#include "peripheral.h"

enum {
    TIM_CR1,
    TIM_CR2,
    TIM_SMCR,
    TIM_DIER,
    TIM_SR,
    TIM_EGR,
    TIM_CCMR1,
    TIM_CCMR2,
    TIM_CCER,
    TIM_CNT,
    TIM_PSC,
    TIM_ARR,
    TIM_CCR1,
    TIM_CCR2,
    TIM_CCR3,
    TIM_CCR4,
    TIM_DCR,
    TIM_DMAR,
    TIM_OR,
    TIM_REGISTERS
};
enum { CHANNELS = 4, TIM2_BASE = 0x40000000, TIM5_BASE = 0x40000C00 };
enum {
    CR1_CEN = 1 << 0,
    CR1_UDIS = 1 << 1,
    CR1_URS = 1 << 2,
    CR1_OPM = 1 << 3,
    CR1_DIR = 1 << 4,
    CR1_CMS = 3 << 5,
    CR1_ARPE = 1 << 7,
    SR_UIF = 1 << 0,
    SR_CC1IF = 1 << 1,
    FLAGS = 0x5F, /* UIF, CC1IF to CC4IF, TIF */
    DIER_DMA = 0x5F00,
    EGR_UG = 1 << 0,
    EGR_CCG = 0x1E,
    EGR_TG = 1 << 6,
    CCMR_CCS = 0x0303,
};

struct tim_state {
    uint64_t reckoned;  /* core cycle up to which CNT is right */
    uint32_t rate;      /* core cycles per timer clock; 0: it does not count */
    uint32_t prescaled; /* timer clocks since CNT's last step */
    uint32_t psc;       /* the values in force, which preload may delay (18.3.1) */
    uint32_t arr;
    uint32_t ccr[CHANNELS];
};

static unsigned irq_of(const struct peripheral *p)
{
    return p->base == TIM2_BASE ? 28 : 50;
}

static bool preloaded(const struct peripheral *p, unsigned channel)
{
    enum { OCPE = 1 << 3 };

    return p->value[TIM_CCMR1 + channel / 2] >> (channel % 2 * 8) & OCPE;
}

/* ---- Counting ---- */

static uint64_t steps_to_overflow(const struct peripheral *p)
{
    const struct tim_state *s = p->state;
    uint32_t count = p->value[TIM_CNT];

    /* beyond ARR it runs through the whole 32 bits first */
    return count <= s->arr ? (uint64_t)s->arr - count + 1 : 0x100000000u - count;
}

/* CNT takes the values from `first` to `last`: compare flags (18.4.5). */
static void match(struct peripheral *p, uint64_t first, uint64_t last)
{
    const struct tim_state *s = p->state;

    for (unsigned i = 0; i < CHANNELS; i++) {
        if (s->ccr[i] >= first && s->ccr[i] <= last)
            p->value[TIM_SR] |= (uint32_t)SR_CC1IF << i;
    }
}

static void load_preloads(struct peripheral *p)
{
    struct tim_state *s = p->state;

    s->psc = p->value[TIM_PSC];
    s->arr = p->value[TIM_ARR];
    memcpy(s->ccr, &p->value[TIM_CCR1], sizeof s->ccr);
}

static void overflow(struct peripheral *p)
{
    struct tim_state *s = p->state;

    match(p, (uint64_t)s->arr + 1, UINT32_MAX); /* CCR above ARR: at the overflow (18.4.5, CC1IF) */
    p->value[TIM_CNT] = 0;
    match(p, 0, 0);
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
    struct tim_state *s = p->state;
    uint64_t per_step = (uint64_t)s->psc + 1;
    uint64_t steps = (s->prescaled + clocks) / per_step, limit = steps_to_overflow(p);
    uint32_t count = p->value[TIM_CNT];

    if (steps < limit) {
        s->prescaled = (uint32_t)((s->prescaled + clocks) % per_step);
        p->value[TIM_CNT] = count + (uint32_t)steps;
        match(p, (uint64_t)count + 1, (uint64_t)count + steps);
        return 0;
    }
    clocks -= limit * per_step - s->prescaled;
    s->prescaled = 0;
    match(p, (uint64_t)count + 1, (uint64_t)count + limit - 1);
    overflow(p);
    return clocks;
}

static void count(struct peripheral *p, uint64_t clocks)
{
    struct tim_state *s = p->state;

    if (s->arr == 0)
        return; /* 18.4.12: the counter is blocked */
    clocks = count_once(p, clocks);
    if (clocks > 0 && s->rate > 0)
        clocks = count_once(p, clocks);
    if (clocks > 0 && s->rate > 0 &&
        s->arr > 0) { /* all periods are alike now, and one has passed: its flags are up */
        uint64_t period = ((uint64_t)s->arr + 1) * ((uint64_t)s->psc + 1);
        (void)count_once(p, clocks % period);
    }
}

static void reckon(struct machine *m, struct peripheral *p)
{
    struct tim_state *s = p->state;

    if (s->rate == 0)
        return;
    uint64_t clocks = (m->cycles - s->reckoned) / s->rate;
    s->reckoned += clocks * s->rate;
    if (clocks > 0)
        count(p, clocks);
}

/* ---- Interrupt and event ---- */

static uint64_t steps_to_match(const struct peripheral *p, unsigned channel)
{
    const struct tim_state *s = p->state;
    uint64_t limit = steps_to_overflow(p);
    uint32_t now = p->value[TIM_CNT];

    return s->ccr[channel] > now && s->ccr[channel] - now < limit ? s->ccr[channel] - now : limit;
}

/* Until an enabled flag that is not yet up may rise; 0: none will. */
static uint64_t steps_to_interest(const struct peripheral *p)
{
    uint32_t awaited = p->value[TIM_DIER] & ~p->value[TIM_SR];
    uint64_t steps = awaited & SR_UIF ? steps_to_overflow(p) : 0;

    for (unsigned i = 0; i < CHANNELS; i++) {
        if (!(awaited >> i & SR_CC1IF))
            continue;
        uint64_t more = steps_to_match(p, i);
        if (steps == 0 || more < steps)
            steps = more;
    }
    return steps;
}

/* After anything changed: the interrupt line, and the event for its next rise. */
static void follow_up(struct machine *m, struct peripheral *p)
{
    const struct tim_state *s = p->state;
    uint64_t steps = s->rate > 0 && s->arr > 0 ? steps_to_interest(p) : 0;

    cpu_set_irq(m, irq_of(p), p->value[TIM_SR] & p->value[TIM_DIER] & FLAGS);
    if (steps == 0) {
        event_cancel(m, &p->events[0].event);
        return;
    }
    uint64_t clocks = steps * ((uint64_t)s->psc + 1) - s->prescaled;
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
    struct tim_state *s = p->state;
    bool frozen = dbgmcu_freezes(m, p->base == TIM2_BASE ? 0 : 3);
    bool counts = p->value[TIM_CR1] & CR1_CEN && peripheral_clocked(m, p) && !frozen;
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

static void not_modelled(struct machine *m, const struct peripheral *p, size_t index, const char *what)
{
    machine_report(m, REPORT_ERROR, "%s_%s: %s is not modelled", p->name, p->regs[index].name, what);
}

static void cr1_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)old;
    if (written & (CR1_DIR | CR1_CMS))
        not_modelled(m, p, index, "counting down");
    change_rate(m, p);
}

static void dier_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    (void)old;
    if (written & DIER_DMA)
        not_modelled(m, p, index, "DMA");
    follow_up(m, p);
}

static void sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    follow_up(m, p);
}

static void egr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct tim_state *s = p->state;
    (void)old;

    if (written & EGR_TG)
        not_modelled(m, p, index, "the trigger");
    p->value[TIM_SR] |= written & EGR_CCG;
    if (written & EGR_UG) { /* 18.4.6: the counter and the prescaler's counter are cleared even with UDIS */
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

static void ccmr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    (void)old;
    if (written & CCMR_CCS)
        not_modelled(m, p, index, "input capture");
    follow_up(m, p);
}

static void beyond_model(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    (void)old;
    (void)written;
    if (p->value[index])
        not_modelled(m, p, index, "this register");
}

static void cnt_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    follow_up(m, p);
}

static void arr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct tim_state *s = p->state;
    (void)old;
    (void)written;

    if (!(p->value[TIM_CR1] & CR1_ARPE)) {
        if (s->arr == 0)
            s->reckoned = m->cycles;
        s->arr = p->value[index];
    }
    follow_up(m, p);
}

static void ccr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct tim_state *s = p->state;
    unsigned channel = (unsigned)(index - TIM_CCR1);
    (void)old;
    (void)written;

    if (!preloaded(p, channel))
        s->ccr[channel] = p->value[index];
    follow_up(m, p);
}

#define REGISTER(n, o, at_reset, bits, hook)                                                                 \
    [TIM_##n] = {#n, o, WIDTH_16 | WIDTH_32, at_reset, bits, 0, 0, NULL, hook, ~(uint32_t)(bits)}

/* RM0090 18.4.1 to 18.4.19 */
#define COMMON_REGISTERS                                                                                     \
    REGISTER(CR1, 0x00, 0, 0x03FF, cr1_written), REGISTER(CR2, 0x04, 0, 0x00F8, beyond_model),               \
        REGISTER(SMCR, 0x08, 0, 0xFFF7, beyond_model), REGISTER(DIER, 0x0C, 0, 0x5F5F, dier_written),        \
        [TIM_SR] = {"SR", 0x10, WIDTH_16 | WIDTH_32, 0, 0, 0, 0x1E5F, NULL, sr_written, 0},                  \
        [TIM_EGR] = {"EGR", 0x14, WIDTH_16 | WIDTH_32, 0, 0, 0, 0, NULL, egr_written, ~0x5Fu},               \
        REGISTER(CCMR1, 0x18, 0, 0xFFFF, ccmr_written), REGISTER(CCMR2, 0x1C, 0, 0xFFFF, ccmr_written),      \
        REGISTER(CCER, 0x20, 0, 0xBBBB, beyond_model), REGISTER(CNT, 0x24, 0, UINT32_MAX, cnt_written),      \
        REGISTER(PSC, 0x28, 0, 0xFFFF, NULL), REGISTER(ARR, 0x2C, UINT32_MAX, UINT32_MAX, arr_written),      \
        REGISTER(CCR1, 0x34, 0, UINT32_MAX, ccr_written), REGISTER(CCR2, 0x38, 0, UINT32_MAX, ccr_written),  \
        REGISTER(CCR3, 0x3C, 0, UINT32_MAX, ccr_written), REGISTER(CCR4, 0x40, 0, UINT32_MAX, ccr_written),  \
        REGISTER(DCR, 0x48, 0, 0x1F1F, beyond_model), REGISTER(DMAR, 0x4C, 0, 0xFFFF, beyond_model)

/* 18.4.20, 18.4.21: each has its own option register */
static const struct reg tim2_registers[TIM_REGISTERS] = {COMMON_REGISTERS,
                                                         REGISTER(OR, 0x50, 0, 0x0C00, beyond_model)};
static const struct reg tim5_registers[TIM_REGISTERS] = {COMMON_REGISTERS,
                                                         REGISTER(OR, 0x50, 0, 0x00C0, beyond_model)};

static void reset(struct machine *m, struct peripheral *p)
{
    struct tim_state *s = p->state;

    *s = (struct tim_state){.reckoned = m->cycles};
    load_preloads(p);
    follow_up(m, p);
}

void tim_create(struct machine *m)
{
    static const char *const event_names[] = {"timer"};
    static const struct {
        const char *name;
        uint32_t base;
        uint8_t bit;
        const struct reg *registers;
    } timers[] = {{"TIM2", TIM2_BASE, 0, tim2_registers}, {"TIM5", TIM5_BASE, 3, tim5_registers}};

    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        struct peripheral tim = {.name = timers[i].name,
                                 .base = timers[i].base,
                                 .size = 0x400,
                                 .gate = {0x40, timers[i].bit, 0x20, timers[i].bit},
                                 .regs = timers[i].registers,
                                 .reg_count = TIM_REGISTERS,
                                 .before_access = reckon,
                                 .reset = reset};
        struct peripheral *p = peripheral_new(m, &tim, sizeof(struct tim_state));
        peripheral_events(m, p, event_names, 1, due);
        machine_on_clock(m, clock_changed, p);
    }
}
