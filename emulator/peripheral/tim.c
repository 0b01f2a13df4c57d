/*
 * TIM2 and TIM5, general-purpose timers with 32-bit counters (RM0090 18.4),
 * counting up or down, with output compare and PWM; TIM6 and TIM7, basic timers
 * (20.4): the same with 16 bits, without channels.
 *
 * The counter is reckoned when somebody looks: from the core cycles since the
 * last look, of which one timer clock takes a whole number. An event is armed
 * only for the next moment at which an enabled flag rises or an enabled output
 * may change.
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
enum { CHANNELS = 4, BASIC_REGISTERS = TIM_ARR + 1 };
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
    CCER_CCE = 1 << 0,
    CCER_CCP = 1 << 1,
    CCER_ANY = 0x1111,
    CCER_CCNP = 0x8888,
};

struct tim_state {
    uint64_t reckoned;  /* core cycle up to which CNT is right */
    uint32_t rate;      /* core cycles per timer clock; 0: it does not count */
    uint32_t prescaled; /* timer clocks since CNT's last step */
    uint32_t psc;       /* the values in force, which preload may delay (18.3.1) */
    uint32_t arr;
    uint32_t ccr[CHANNELS];
    uint8_t reference; /* OCxREF, a bit for each channel (18.3.8) */
    uint8_t enabled;   /* outputs that the pins have been told of, and their levels */
    uint8_t level;
    uint8_t which; /* of `timers` */
};

/* DS9405 table 12: TIM2 is alternate function 1, TIM5 2. */
enum { AF_TIM2 = 1, AF_TIM5 = 2 };
static const struct output_pin {
    uint8_t af, channel, port, pin;
} output_pins[] = {
    {AF_TIM2, 0, 0, 0},  {AF_TIM2, 0, 0, 5},  {AF_TIM2, 0, 0, 15}, {AF_TIM2, 1, 0, 1},  {AF_TIM2, 1, 1, 3},
    {AF_TIM2, 2, 0, 2},  {AF_TIM2, 2, 1, 10}, {AF_TIM2, 3, 0, 3},  {AF_TIM2, 3, 1, 11}, {AF_TIM5, 0, 0, 0},
    {AF_TIM5, 0, 7, 10}, {AF_TIM5, 1, 0, 1},  {AF_TIM5, 1, 7, 11}, {AF_TIM5, 2, 0, 2},  {AF_TIM5, 2, 7, 12},
    {AF_TIM5, 3, 0, 3},  {AF_TIM5, 3, 8, 0},
};

/* OCxM (18.4.7) */
enum output_mode {
    OUTPUT_FROZEN,
    OUTPUT_ACTIVE_ON_MATCH,
    OUTPUT_INACTIVE_ON_MATCH,
    OUTPUT_TOGGLE,
    OUTPUT_FORCE_INACTIVE,
    OUTPUT_FORCE_ACTIVE,
    OUTPUT_PWM1,
    OUTPUT_PWM2,
};

static const struct reg tim2_registers[TIM_REGISTERS], tim5_registers[TIM_REGISTERS],
    basic_registers[BASIC_REGISTERS];

static const struct timer {
    const char *name;
    uint32_t base, top; /* all bits of its counter */
    uint8_t irq, af, channels;
    uint8_t bit; /* in RCC's and DBGMCU's registers of APB1 */
    uint8_t registers_count;
    const struct reg *registers;
} timers[] = {
    {"TIM2", 0x40000000, UINT32_MAX, 28, AF_TIM2, CHANNELS, 0, TIM_REGISTERS, tim2_registers},
    {"TIM5", 0x40000C00, UINT32_MAX, 50, AF_TIM5, CHANNELS, 3, TIM_REGISTERS, tim5_registers},
    {"TIM6", 0x40001000, UINT16_MAX, 54, 0, 0, 4, BASIC_REGISTERS, basic_registers},
    {"TIM7", 0x40001400, UINT16_MAX, 55, 0, 0, 5, BASIC_REGISTERS, basic_registers},
};

static const struct timer *timer_of(const struct peripheral *p)
{
    const struct tim_state *s = p->state;

    return &timers[s->which];
}

static bool preloaded(const struct peripheral *p, unsigned channel)
{
    enum { OCPE = 1 << 3 };

    return p->value[TIM_CCMR1 + channel / 2] >> (channel % 2 * 8) & OCPE;
}

/* ---- Counting ---- */

static bool counts_down(const struct peripheral *p)
{
    return p->value[TIM_CR1] & CR1_DIR;
}

/* To the update: the overflow, or counting down the underflow. */
static uint64_t steps_to_overflow(const struct peripheral *p)
{
    const struct tim_state *s = p->state;
    uint32_t count = p->value[TIM_CNT];

    if (counts_down(p))
        return (uint64_t)count + 1;
    /* beyond ARR it runs through all its bits first */
    return (uint64_t)(count <= s->arr ? s->arr : timer_of(p)->top) - count + 1;
}

static enum output_mode output_mode(const struct peripheral *p, unsigned channel)
{
    return (enum output_mode)(p->value[TIM_CCMR1 + channel / 2] >> (channel % 2 * 8 + 4) & 7);
}

static bool output_enabled(const struct peripheral *p, unsigned channel)
{
    return p->value[TIM_CCER] >> 4 * channel & CCER_CCE;
}

/* CNT takes the values from `first` to `last`: compare flags (18.4.5). */
static void flag(struct peripheral *p, uint64_t first, uint64_t last)
{
    const struct tim_state *s = p->state;

    for (unsigned i = 0; i < timer_of(p)->channels; i++) {
        if (s->ccr[i] >= first && s->ccr[i] <= last)
            p->value[TIM_SR] |= (uint32_t)SR_CC1IF << i;
    }
}

/* The same, and what a match does to the outputs. */
static void match(struct peripheral *p, uint64_t first, uint64_t last)
{
    struct tim_state *s = p->state;

    flag(p, first, last);
    for (unsigned i = 0; i < timer_of(p)->channels; i++) {
        uint8_t bit = (uint8_t)(1u << i);
        if (s->ccr[i] < first || s->ccr[i] > last)
            continue;
        switch (output_mode(p, i)) {
        case OUTPUT_ACTIVE_ON_MATCH: s->reference |= bit; break;
        case OUTPUT_INACTIVE_ON_MATCH: s->reference &= (uint8_t)~bit; break;
        case OUTPUT_TOGGLE: s->reference ^= bit; break;
        default: break;
        }
    }
}

/* CNT goes `steps` on from `count`, to no update. */
static void go_on(struct peripheral *p, uint32_t count, uint64_t steps)
{
    bool down = counts_down(p);

    p->value[TIM_CNT] = down ? count - (uint32_t)steps : count + (uint32_t)steps;
    if (steps > 0 && down)
        match(p, count - steps, (uint64_t)count - 1);
    else
        match(p, (uint64_t)count + 1, (uint64_t)count + steps);
}

static void load_preloads(struct peripheral *p)
{
    struct tim_state *s = p->state;

    s->psc = p->value[TIM_PSC];
    s->arr = p->value[TIM_ARR];
    if (timer_of(p)->channels > 0)
        memcpy(s->ccr, &p->value[TIM_CCR1], sizeof s->ccr);
}

static void restart(struct peripheral *p)
{
    const struct tim_state *s = p->state;

    p->value[TIM_CNT] = counts_down(p) ? s->arr : 0;
    match(p, p->value[TIM_CNT], p->value[TIM_CNT]);
}

static void overflow(struct peripheral *p)
{
    struct tim_state *s = p->state;

    bool updates = !(p->value[TIM_CR1] & CR1_UDIS);

    flag(p, (uint64_t)s->arr + 1, UINT32_MAX); /* CCR above ARR: at the overflow (18.4.5, CC1IF) */
    if (!counts_down(p))
        restart(p); /* and its match is one with the old CCR */
    if (updates)
        load_preloads(p);
    if (counts_down(p))
        restart(p); /* 18.3.2: from the new ARR */
    if (!updates)
        return;
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
        go_on(p, count, steps);
        return 0;
    }
    clocks -= limit * per_step - s->prescaled;
    s->prescaled = 0;
    go_on(p, count, limit - 1);
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

    if (counts_down(p))
        return s->ccr[channel] < now ? now - s->ccr[channel] : limit;
    return s->ccr[channel] > now && s->ccr[channel] - now < limit ? s->ccr[channel] - now : limit;
}

/* May a match or an update change what the channel puts out? */
static bool output_moves(const struct peripheral *p, unsigned channel)
{
    enum output_mode mode = output_mode(p, channel);

    return output_enabled(p, channel) && mode != OUTPUT_FROZEN && mode != OUTPUT_FORCE_ACTIVE &&
           mode != OUTPUT_FORCE_INACTIVE;
}

/* Until an enabled flag that is not yet up may rise, or an output change; 0: none will. */
static uint64_t steps_to_interest(const struct peripheral *p)
{
    uint32_t awaited = p->value[TIM_DIER] & ~p->value[TIM_SR];
    uint64_t steps = awaited & SR_UIF ? steps_to_overflow(p) : 0;

    for (unsigned i = 0; i < timer_of(p)->channels; i++) {
        if (!(awaited >> i & SR_CC1IF) && !output_moves(p, i))
            continue;
        uint64_t more = steps_to_match(p, i);
        if (steps == 0 || more < steps)
            steps = more;
    }
    return steps;
}

/* ---- Outputs ---- */

/* 18.3.10: PWM mode 1 is active below CCR counting up, up to CCR counting down. */
static bool pwm_reference(const struct peripheral *p, unsigned channel)
{
    const struct tim_state *s = p->state;
    uint32_t now = p->value[TIM_CNT];

    return counts_down(p) ? now <= s->ccr[channel] : now < s->ccr[channel];
}

static bool reference(const struct peripheral *p, unsigned channel)
{
    const struct tim_state *s = p->state;

    switch (output_mode(p, channel)) {
    case OUTPUT_FORCE_INACTIVE: return false;
    case OUTPUT_FORCE_ACTIVE: return true;
    case OUTPUT_PWM1: return pwm_reference(p, channel);
    case OUTPUT_PWM2: return !pwm_reference(p, channel);
    default: return s->reference >> channel & 1;
    }
}

static void tell_pins(struct machine *m, const struct peripheral *p, unsigned channel, bool drives,
                      bool level)
{
    uint8_t af = timer_of(p)->af;

    for (size_t i = 0; i < sizeof output_pins / sizeof output_pins[0]; i++) {
        const struct output_pin *pin = &output_pins[i];
        if (pin->af == af && pin->channel == channel)
            gpio_alternate_drive(m, pin->port, pin->pin, af, drives, level);
    }
}

static void drive_outputs(struct machine *m, struct peripheral *p)
{
    struct tim_state *s = p->state;

    if (s->enabled == 0 && !(p->value[TIM_CCER] & CCER_ANY))
        return;
    for (unsigned i = 0; i < CHANNELS; i++) {
        bool enabled = output_enabled(p, i), active = reference(p, i);
        bool level = active != ((p->value[TIM_CCER] >> 4 * i & CCER_CCP) != 0);
        uint8_t bit = (uint8_t)(1u << i);
        bool told = (s->enabled & bit) != 0 && (s->level & bit) != 0;
        s->reference = (uint8_t)((s->reference & ~bit) | (active ? bit : 0));
        if (enabled != ((s->enabled & bit) != 0) || (enabled && level != told))
            tell_pins(m, p, i, enabled, level);
        s->enabled = (uint8_t)((s->enabled & ~bit) | (enabled ? bit : 0));
        s->level = (uint8_t)((s->level & ~bit) | (level ? bit : 0));
    }
}

/* After anything changed: the outputs, the interrupt line, and the event for the next change. */
static void follow_up(struct machine *m, struct peripheral *p)
{
    const struct tim_state *s = p->state;
    uint64_t steps = s->rate > 0 && s->arr > 0 ? steps_to_interest(p) : 0;

    drive_outputs(m, p);
    cpu_set_irq(m, timer_of(p)->irq, p->value[TIM_SR] & p->value[TIM_DIER] & FLAGS);
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
    bool frozen = dbgmcu_freezes(m, timer_of(p)->bit);
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
    (void)written;
    if (p->value[index] & CR1_CMS)
        not_modelled(m, p, index, "counting up and down (CMS)");
    change_rate(m, p);
}

static void dier_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    (void)old;
    (void)written;
    if (p->value[index] & DIER_DMA)
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

    written &= ~p->regs[index].reserved;
    if (written & EGR_TG)
        not_modelled(m, p, index, "the trigger");
    p->value[TIM_SR] |= written & EGR_CCG;
    if (written & EGR_UG) { /* 18.4.6: the counter and the prescaler's counter are cleared even with UDIS */
        s->prescaled = 0;
        s->reckoned = m->cycles;
        if (!(p->value[TIM_CR1] & CR1_UDIS)) {
            load_preloads(p);
            p->value[TIM_SR] |= p->value[TIM_CR1] & CR1_URS ? 0 : SR_UIF;
        }
        p->value[TIM_CNT] = counts_down(p) ? s->arr : 0;
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

/* CCxNP is for inputs (18.4.9). */
static void ccer_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    (void)old;
    if (written & CCER_CCNP)
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
        REGISTER(CCER, 0x20, 0, 0xBBBB, ccer_written), REGISTER(CNT, 0x24, 0, UINT32_MAX, cnt_written),      \
        REGISTER(PSC, 0x28, 0, 0xFFFF, NULL), REGISTER(ARR, 0x2C, UINT32_MAX, UINT32_MAX, arr_written),      \
        REGISTER(CCR1, 0x34, 0, UINT32_MAX, ccr_written), REGISTER(CCR2, 0x38, 0, UINT32_MAX, ccr_written),  \
        REGISTER(CCR3, 0x3C, 0, UINT32_MAX, ccr_written), REGISTER(CCR4, 0x40, 0, UINT32_MAX, ccr_written),  \
        REGISTER(DCR, 0x48, 0, 0x1F1F, beyond_model), REGISTER(DMAR, 0x4C, 0, 0xFFFF, beyond_model)

/* 18.4.20, 18.4.21: each has its own option register */
static const struct reg tim2_registers[TIM_REGISTERS] = {COMMON_REGISTERS,
                                                         REGISTER(OR, 0x50, 0, 0x0C00, beyond_model)};
static const struct reg tim5_registers[TIM_REGISTERS] = {COMMON_REGISTERS,
                                                         REGISTER(OR, 0x50, 0, 0x00C0, beyond_model)};

/* RM0090 20.4.1 to 20.4.8; what it lacks has its place, so that both kinds have the same indices. */
#define LACKS(n, o) [TIM_##n] = {.offset = (o)}
static const struct reg basic_registers[BASIC_REGISTERS] = {
    REGISTER(CR1, 0x00, 0, 0x8F, cr1_written),
    REGISTER(CR2, 0x04, 0, 0x70, beyond_model),
    LACKS(SMCR, 0x08),
    REGISTER(DIER, 0x0C, 0, 0x101, dier_written),
    [TIM_SR] = {"SR", 0x10, WIDTH_16 | WIDTH_32, 0, 0, 0, SR_UIF, NULL, sr_written, ~1u},
    [TIM_EGR] = {"EGR", 0x14, WIDTH_16 | WIDTH_32, 0, 0, 0, 0, NULL, egr_written, ~1u},
    LACKS(CCMR1, 0x18),
    LACKS(CCMR2, 0x1C),
    LACKS(CCER, 0x20),
    REGISTER(CNT, 0x24, 0, 0xFFFF, cnt_written),
    REGISTER(PSC, 0x28, 0, 0xFFFF, NULL),
    REGISTER(ARR, 0x2C, 0xFFFF, 0xFFFF, arr_written),
};

static void reset(struct machine *m, struct peripheral *p)
{
    struct tim_state *s = p->state;

    *s = (struct tim_state){
        .reckoned = m->cycles, .enabled = s->enabled, .level = s->level, .which = s->which};
    load_preloads(p);
    follow_up(m, p);
}

void tim_create(struct machine *m)
{
    static const char *const event_names[] = {"timer"};

    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        const struct timer *t = &timers[i];
        const struct peripheral tim = {.name = t->name,
                                       .base = t->base,
                                       .size = 0x400,
                                       .gate = {0x40, t->bit, 0x20, t->bit},
                                       .regs = t->registers,
                                       .reg_count = t->registers_count,
                                       .before_access = reckon,
                                       .reset = reset};
        struct peripheral *p = peripheral_new(m, &tim, sizeof(struct tim_state));
        ((struct tim_state *)p->state)->which = (uint8_t)i;
        peripheral_events(m, p, event_names, 1, due);
        machine_on_clock(m, clock_changed, p);
    }
}
