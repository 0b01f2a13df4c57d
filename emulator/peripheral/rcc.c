/*
 * RCC, reset and clock control (RM0090 6.3, STM32F42x): oscillators with their
 * ready bits, the switch of the system clock, enable and reset bits, reset
 * causes. rcc_clocks.c draws the frequencies from it.
 */
#include "rcc.h"

#include "cpu/cpu.h"

enum {
    IRQ_RCC = 5,
    SWITCH_EVENT = OSCILLATORS,
    EVENTS,
    CR_HSION = 1 << 0,
    CR_CSSON = 1 << 19,
    CIR_CSSF = 1 << 7,
    CSR_LSION = 1 << 0,
    CSR_RMVF = 1 << 24,
    BDCR_BDRST = 1 << 16,
    AHB1ENR_CCMDATARAMEN = 1 << 20,
    AHB1LPENR_MEMORIES = 0xB8000, /* FLITF, SRAM1 to 3 */
};

/* RCC_CSR's reset flags */
enum {
    BORRSTF = 1 << 25,
    PINRSTF = 1 << 26,
    PORRSTF = 1 << 27,
    SFTRSTF = 1 << 28,
    IWDGRSTF = 1 << 29,
    WWDGRSTF = 1 << 30,
};
#define LPWRRSTF (1u << 31)
#define CFGR_MCO 0xFF600000u /* MCO2 and its prescaler, MCO1PRE, MCO1 */

static const struct oscillator_description {
    const char *name;
    enum rcc_register reg;
    uint8_t on_bit; /* the ready bit is the next one */
    vtime start_time;
} oscillators[OSCILLATORS] = {
    /* DS9405 tables 36 to 44: typical, for the PLL long; HSE is an external clock */
    [LSI] = {"LSI", RCC_CSR, 0, VTIME_US(40)},        [LSE] = {"LSE", RCC_BDCR, 0, VTIME_S(2)},
    [HSI] = {"HSI", RCC_CR, 0, VTIME_NS(2200)},       [HSE] = {"HSE", RCC_CR, 16, VTIME_US(64)},
    [PLL] = {"PLL", RCC_CR, 24, VTIME_US(200)},       [PLLI2S] = {"PLLI2S", RCC_CR, 26, VTIME_US(200)},
    [PLLSAI] = {"PLLSAI", RCC_CR, 28, VTIME_US(200)},
};

static const char *const event_names[EVENTS] = {
    "LSI ready", "LSE ready",    "HSI ready",    "HSE ready",
    "PLL ready", "PLLI2S ready", "PLLSAI ready", "system clock switch",
};

static uint32_t on_mask(enum oscillator oscillator)
{
    return 1u << oscillators[oscillator].on_bit;
}

static uint32_t ready_mask(enum oscillator oscillator)
{
    return 2u << oscillators[oscillator].on_bit;
}

bool rcc_oscillator_ready(const struct peripheral *rcc, enum oscillator oscillator)
{
    return rcc->value[oscillators[oscillator].reg] & ready_mask(oscillator);
}

static enum rcc_source source_in_use(const struct peripheral *rcc)
{
    return (enum rcc_source)(rcc->value[RCC_CFGR] >> CFGR_SWS_SHIFT & 3);
}

static enum oscillator pll_source(const struct peripheral *rcc)
{
    return rcc->value[RCC_PLLCFGR] & PLLCFGR_PLLSRC_HSE ? HSE : HSI;
}

/* Does the system clock come from it, directly or through the PLL? Then hardware keeps it on (RM0090 6.3.1).
 */
static bool in_use(const struct peripheral *rcc, enum oscillator oscillator)
{
    switch (source_in_use(rcc)) {
    case SOURCE_HSI: return oscillator == HSI;
    case SOURCE_HSE: return oscillator == HSE;
    default: return oscillator == PLL || oscillator == pll_source(rcc);
    }
}

/* ---- RCC_CIR (6.3.4): flags 6:0 by oscillator, enables 14:8, clear bits 22:16 ---- */

static void update_interrupt(struct machine *m, const struct peripheral *rcc)
{
    uint32_t cir = rcc->value[RCC_CIR];

    cpu_set_irq(m, IRQ_RCC, (cir & cir >> 8 & 0x7F) != 0);
}

static void cir_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)old;
    p->value[index] &= ~(written >> 16 & 0xFF);
    update_interrupt(m, p);
}

/* ---- System clock switch (6.3.3) ---- */

static bool source_ready(const struct peripheral *rcc, enum rcc_source source)
{
    static const enum oscillator by_source[] = {HSI, HSE, PLL};

    return source <= SOURCE_PLL && rcc_oscillator_ready(rcc, by_source[source]);
}

static void switch_when_ready(struct machine *m, struct peripheral *rcc)
{
    enum rcc_source wanted = (enum rcc_source)(rcc->value[RCC_CFGR] & 3);

    if (wanted != source_in_use(rcc) && source_ready(rcc, wanted) && !rcc->events[SWITCH_EVENT].event.armed)
        event_at(m, &rcc->events[SWITCH_EVENT].event, machine_now(m) + VTIME_NS(500));
}

static void switch_source(struct machine *m, struct peripheral *rcc)
{
    enum rcc_source wanted = (enum rcc_source)(rcc->value[RCC_CFGR] & 3);

    if (!source_ready(rcc, wanted))
        return;
    rcc->value[RCC_CFGR] = (rcc->value[RCC_CFGR] & ~(3u << CFGR_SWS_SHIFT)) | (uint32_t)wanted
                                                                                  << CFGR_SWS_SHIFT;
    rcc_update_clocks(m, rcc);
    rcc_check_limits(m);
}

static void cfgr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    enum { PRESCALERS = 0xFCF0 };
    enum rcc_source wanted = (enum rcc_source)(written & 3);

    if (wanted > SOURCE_PLL)
        machine_report(m, REPORT_WARNING, "RCC_CFGR.SW = 3 is not allowed");
    else if (!source_ready(p, wanted))
        machine_report(m, REPORT_WARNING,
                       "RCC_CFGR.SW selects a source that is not ready; the switch waits for it");
    if ((p->value[index] ^ old) & CFGR_MCO)
        machine_report(m, REPORT_WARNING, "RCC_CFGR: MCO is not modelled, the pins stay as they are");
    switch_when_ready(m, p);
    if ((old ^ p->value[index]) & PRESCALERS) {
        rcc_update_clocks(m, p);
        rcc_check_limits(m);
    }
}

/* ---- Oscillators ---- */

static void start(struct machine *m, struct peripheral *rcc, enum oscillator oscillator)
{
    const struct oscillator_description *d = &oscillators[oscillator];

    if (oscillator == HSE && !(rcc->value[RCC_CR] & CR_HSEBYP)) {
        machine_report(m, REPORT_WARNING,
                       "HSEON without HSEBYP: the board has no crystal, HSE comes from the ST-LINK");
        return;
    }
    if (oscillator == HSE && m->surroundings.hse_stopped)
        return;
    if (oscillator == PLLI2S || oscillator == PLLSAI)
        machine_report(m, REPORT_ERROR, "%s is not modelled", d->name);
    if (oscillator == PLL) {
        rcc_check_pll(m, rcc);
        pwr_pll_changed(m, true);
        if (!rcc_oscillator_ready(rcc, pll_source(rcc))) {
            machine_report(m, REPORT_WARNING, "PLLON while its source %s is not ready: it never locks",
                           oscillators[pll_source(rcc)].name);
            return;
        }
    }
    event_at(m, &rcc->events[oscillator].event, machine_now(m) + d->start_time);
}

/* ---- Clock security system (6.2.7) ---- */

static void switch_to_hsi(struct machine *m, struct peripheral *rcc)
{
    enum { CR_HSI = 3, CR_PLL = 3 << 24, CFGR_SWITCH = 15 };

    if (source_in_use(rcc) == SOURCE_PLL) {
        rcc->value[RCC_CR] &= ~(uint32_t)CR_PLL;
        event_cancel(m, &rcc->events[PLL].event);
        pwr_pll_changed(m, false);
    }
    rcc->value[RCC_CR] |= CR_HSI;
    rcc->value[RCC_CFGR] &= ~(uint32_t)CFGR_SWITCH;
}

void rcc_stop_hse(struct machine *m)
{
    struct peripheral *rcc = rcc_peripheral(m);
    bool ready = rcc_oscillator_ready(rcc, HSE), needed = ready && in_use(rcc, HSE);

    m->surroundings.hse_stopped = true;
    event_cancel(m, &rcc->events[HSE].event);
    rcc->value[RCC_CR] &= ~ready_mask(HSE);
    if (ready && rcc->value[RCC_CR] & CR_CSSON) {
        rcc->value[RCC_CR] &= ~on_mask(HSE);
        if (needed)
            switch_to_hsi(m, rcc);
        rcc->value[RCC_CIR] |= CIR_CSSF;
        cpu_set_nmi(m);
        rcc_update_clocks(m, rcc);
        rcc_check_limits(m);
    } else if (needed) {
        machine_report(m, REPORT_ERROR,
                       "HSE has stopped, and with it the system clock: RCC_CR.CSSON is off (RM0090 6.2.7)");
    }
}

static void halt(struct machine *m, struct peripheral *rcc, enum oscillator oscillator)
{
    rcc->value[oscillators[oscillator].reg] &= ~ready_mask(oscillator);
    event_cancel(m, &rcc->events[oscillator].event);
    if (oscillator == PLL)
        pwr_pll_changed(m, false);
    rcc_update_clocks(m, rcc);
}

static void oscillator_written(struct machine *m, struct peripheral *rcc, enum oscillator oscillator,
                               uint32_t old)
{
    uint32_t *reg = &rcc->value[oscillators[oscillator].reg];
    uint32_t on = on_mask(oscillator);

    if (*reg & ~old & on) {
        start(m, rcc, oscillator);
    } else if (old & ~*reg & on) {
        if (in_use(rcc, oscillator)) {
            *reg |= on;
            machine_report(m, REPORT_WARNING, "%s switched off while the system clock needs it: it stays on",
                           oscillators[oscillator].name);
        } else {
            halt(m, rcc, oscillator);
        }
    }
}

/* The backup domain keeps BDCR through a system reset. */
static void save_backup_domain(struct peripheral *rcc)
{
    struct rcc_state *s = rcc->state;

    s->backup_domain = rcc->value[RCC_BDCR];
}

static void set_ready(struct machine *m, struct peripheral *rcc, enum oscillator oscillator)
{
    uint32_t interrupt_enabled = rcc->value[RCC_CIR] >> (8 + oscillator) & 1;

    rcc->value[oscillators[oscillator].reg] |= ready_mask(oscillator);
    rcc->value[RCC_CIR] |= interrupt_enabled << oscillator;
    save_backup_domain(rcc);
    update_interrupt(m, rcc);
    rcc_update_clocks(m, rcc);
    switch_when_ready(m, rcc);
    rcc_check_limits(m);
}

static void event_fired(struct machine *m, struct peripheral *rcc, size_t index)
{
    if (index == SWITCH_EVENT)
        switch_source(m, rcc);
    else
        set_ready(m, rcc, (enum oscillator)index);
}

static void cr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    enum { CR_HSEON = 1 << 16 };
    (void)written;

    if ((p->value[index] ^ old) & CR_HSEBYP && old & CR_HSEON) {
        machine_report(m, REPORT_WARNING, "HSEBYP changed while HSE is on: ignored (RM0090 6.3.1)");
        p->value[index] ^= CR_HSEBYP;
    }
    for (enum oscillator oscillator = HSI; oscillator < OSCILLATORS; oscillator++)
        oscillator_written(m, p, oscillator, old);
}

static void pllcfgr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                            uint32_t written)
{
    if (p->value[RCC_CR] & CR_PLLON && written != old) {
        machine_report(m, REPORT_WARNING, "RCC_PLLCFGR written while the PLL is on: ignored (RM0090 6.3.2)");
        p->value[index] = old;
    }
}

static void dckcfgr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                            uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    rcc_update_clocks(m, p);
}

/* ---- Backup domain and reset causes (6.3.20, 6.3.21) ---- */

static void bdcr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    if (!pwr_backup_writable(m)) {
        machine_report(m, REPORT_WARNING, "RCC_BDCR written without PWR_CR.DBP: ignored (RM0090 5.1.2)");
        p->value[index] = old;
        return;
    }
    if (written & BDCR_BDRST) { /* 6.3.20: holds the domain in reset as long as it is set */
        p->value[index] = BDCR_BDRST;
        rtc_reset_backup_domain(m);
    }
    oscillator_written(m, p, LSE, old);
    save_backup_domain(p);
}

static void csr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct rcc_state *s = p->state;

    if (written & CSR_RMVF) {
        s->reset_flags = 0;
        p->value[index] &= ~0xFE000000u;
    }
    if (!s->lsi_forced)
        oscillator_written(m, p, LSI, old);
}

void rcc_force_lsi(struct machine *m)
{
    struct peripheral *rcc = rcc_peripheral(m);
    struct rcc_state *s = rcc->state;

    if (s->lsi_forced)
        return;
    s->lsi_forced = true;
    if (!rcc_oscillator_ready(rcc, LSI) && !rcc->events[LSI].event.armed)
        start(m, rcc, LSI);
}

bool rcc_lsi_ready(const struct machine *m)
{
    return rcc_oscillator_ready(rcc_peripheral(m), LSI);
}

/* ---- Enable and reset bits ---- */

bool rcc_bit(const struct machine *m, unsigned offset, unsigned bit)
{
    static const uint8_t index_at[] = {
        [0x00 / 4] = RCC_CR,        [0x08 / 4] = RCC_CFGR,      [0x10 / 4] = RCC_AHB1RSTR,
        [0x14 / 4] = RCC_AHB2RSTR,  [0x18 / 4] = RCC_AHB3RSTR,  [0x20 / 4] = RCC_APB1RSTR,
        [0x24 / 4] = RCC_APB2RSTR,  [0x30 / 4] = RCC_AHB1ENR,   [0x34 / 4] = RCC_AHB2ENR,
        [0x38 / 4] = RCC_AHB3ENR,   [0x40 / 4] = RCC_APB1ENR,   [0x44 / 4] = RCC_APB2ENR,
        [0x50 / 4] = RCC_AHB1LPENR, [0x54 / 4] = RCC_AHB2LPENR, [0x58 / 4] = RCC_AHB3LPENR,
        [0x60 / 4] = RCC_APB1LPENR, [0x64 / 4] = RCC_APB2LPENR,
    };

    return offset / 4 < sizeof index_at && rcc_peripheral(m)->value[index_at[offset / 4]] >> bit & 1;
}

bool rcc_clock_runs(const struct machine *m, unsigned offset, unsigned bit)
{
    enum { TO_LPENR = 0x20 };

    return rcc_bit(m, offset, bit) && (!rcc_sleeps(m) || rcc_bit(m, offset + TO_LPENR, bit));
}

/* ---- Sleep mode stops clocks (6.3.15 to 6.3.19) ---- */

bool rcc_sleeps(const struct machine *m)
{
    const struct rcc_state *s = rcc_peripheral(m)->state;

    return s->asleep;
}

static bool sleep_stops_any(const struct peripheral *rcc)
{
    for (unsigned i = 0; i <= RCC_APB2ENR - RCC_AHB1ENR; i++) {
        uint32_t stoppable = rcc->regs[RCC_AHB1LPENR + i].writable; /* CCM's clock is not */
        if (rcc->value[RCC_AHB1ENR + i] & ~rcc->value[RCC_AHB1LPENR + i] & stoppable)
            return true;
    }
    return false;
}

void rcc_sleep(struct machine *m, bool asleep)
{
    const struct peripheral *rcc = rcc_peripheral(m);
    struct rcc_state *s = rcc->state;

    if (s->asleep == asleep || (asleep && !sleep_stops_any(rcc)))
        return;
    s->asleep = asleep;
    rcc_notify(m);
}

static void reset_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                          uint32_t written)
{
    uint32_t rising = p->value[index] & ~old;
    (void)written;

    for (size_t i = 0; rising && i < m->peripheral_count; i++) {
        struct peripheral *other = m->peripherals[i];
        if (other->gate.reset_offset == p->regs[index].offset && rising >> other->gate.reset_bit & 1)
            peripheral_reset(m, other);
    }
}

static void enable_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                           uint32_t written)
{
    (void)written;
    if (p->value[index] == old)
        return;
    if (index == RCC_AHB1ENR && !(p->value[index] & AHB1ENR_CCMDATARAMEN))
        machine_report(m, REPORT_ERROR, "switching CCM off is not modelled");
    rcc_notify(m);
    rcc_check_limits(m);
}

static void sleep_enable_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                                 uint32_t written)
{
    (void)written;
    if (index == RCC_AHB1LPENR && (old & ~p->value[index] & AHB1LPENR_MEMORIES))
        machine_report(m, REPORT_WARNING,
                       "RCC_AHB1LPENR: stopping flash and SRAM in Sleep mode is not modelled: DMA still "
                       "reaches them");
    if (rcc_sleeps(m))
        rcc_notify(m);
}

/* ---- Registers ---- */

#define AHB1RSTR_BITS  0x22E017FFu
#define AHB2_BITS      0x000000F1u
#define AHB3_BITS      0x00000001u
#define APB1_BITS      0xF6FEC9FFu
#define APB2RSTR_BITS  0x04777933u
#define AHB1ENR_BITS   0x7EF417FFu
#define APB2ENR_BITS   0x04777F33u
#define AHB1LPENR_BITS 0x7EEF97FFu

#define REGISTER(n, o, at_reset, bits, hook)                                                                 \
    [RCC_##n] = {.name = #n,                                                                                 \
                 .offset = o,                                                                                \
                 .widths = WIDTH_ANY,                                                                        \
                 .reset = at_reset,                                                                          \
                 .writable = bits,                                                                           \
                 .reserved = ~(bits),                                                                        \
                 .on_write = hook}

static const struct reg registers[RCC_REGISTERS] = {
    /* 6.3.1 to 6.3.4: bits that hardware sets are neither writable nor reserved */
    [RCC_CR] = {"CR", 0x00, WIDTH_ANY, 0x00000083, 0x150D00F9, 0, 0, NULL, cr_written, 0xC0F00004},
    [RCC_PLLCFGR] = {"PLLCFGR", 0x04, WIDTH_ANY, 0x24003010, 0x0F437FFF, 0, 0, NULL, pllcfgr_written,
                     0xF0BC8000},
    [RCC_CFGR] = {"CFGR", 0x08, WIDTH_ANY, 0x00000000, 0xFFFFFCF3, 0, 0, NULL, cfgr_written, 0x00000300},
    [RCC_CIR] = {"CIR", 0x0C, WIDTH_ANY, 0x00000000, 0x00007F00, 0, 0, NULL, cir_written, 0xFF008000},
    /* 6.3.5 to 6.3.9 */
    REGISTER(AHB1RSTR, 0x10, 0, AHB1RSTR_BITS, reset_written),
    REGISTER(AHB2RSTR, 0x14, 0, AHB2_BITS, reset_written),
    REGISTER(AHB3RSTR, 0x18, 0, AHB3_BITS, reset_written),
    REGISTER(APB1RSTR, 0x20, 0, APB1_BITS, reset_written),
    REGISTER(APB2RSTR, 0x24, 0, APB2RSTR_BITS, reset_written),
    /* 6.3.10 to 6.3.14 */
    REGISTER(AHB1ENR, 0x30, 0x00100000, AHB1ENR_BITS, enable_written),
    REGISTER(AHB2ENR, 0x34, 0, AHB2_BITS, enable_written),
    REGISTER(AHB3ENR, 0x38, 0, AHB3_BITS, enable_written),
    REGISTER(APB1ENR, 0x40, 0, APB1_BITS, enable_written),
    REGISTER(APB2ENR, 0x44, 0, APB2ENR_BITS, enable_written),
    /* 6.3.15 to 6.3.19 */
    REGISTER(AHB1LPENR, 0x50, AHB1LPENR_BITS, AHB1LPENR_BITS, sleep_enable_written),
    REGISTER(AHB2LPENR, 0x54, AHB2_BITS, AHB2_BITS, sleep_enable_written),
    REGISTER(AHB3LPENR, 0x58, AHB3_BITS, AHB3_BITS, sleep_enable_written),
    REGISTER(APB1LPENR, 0x60, APB1_BITS, APB1_BITS, sleep_enable_written),
    REGISTER(APB2LPENR, 0x64, APB2ENR_BITS, APB2ENR_BITS, sleep_enable_written),
    /* 6.3.20 to 6.3.25 */
    [RCC_BDCR] = {"BDCR", 0x70, WIDTH_ANY, 0, 0x00018305, 0, 0, NULL, bdcr_written, 0xFFFE7CF8},
    [RCC_CSR] = {"CSR", 0x74, WIDTH_ANY, 0, CSR_LSION, 0, 0, NULL, csr_written, 0x00FFFFFC},
    REGISTER(SSCGR, 0x80, 0, 0xCFFFFFFFu, NULL),
    REGISTER(PLLI2SCFGR, 0x84, 0x24003000, 0x7F007FC0u, NULL),
    REGISTER(PLLSAICFGR, 0x88, 0x24003000, 0x7F007FC0u, NULL),
    REGISTER(DCKCFGR, 0x8C, 0, 0x01F31F1Fu, dckcfgr_written),
};

/* Every internal reset also pulls NRST low (6.1.1, figure 20). */
static uint32_t flags_of(enum reset_cause cause)
{
    switch (cause) {
    case RESET_POWER_ON: return BORRSTF | PORRSTF | PINRSTF;
    case RESET_PIN: return PINRSTF;
    case RESET_IWDG: return IWDGRSTF | PINRSTF;
    case RESET_WWDG: return WWDGRSTF | PINRSTF;
    case RESET_LOW_POWER: return LPWRRSTF | PINRSTF;
    case RESET_BROWN_OUT: return BORRSTF | PINRSTF;
    default: return SFTRSTF | PINRSTF;
    }
}

static void reset_backup_domain(struct machine *m, struct peripheral *p)
{
    event_cancel(m, &p->events[LSE].event);
    p->value[RCC_BDCR] = 0;
    save_backup_domain(p);
    rtc_reset_backup_domain(m);
}

static void reset(struct machine *m, struct peripheral *p)
{
    struct rcc_state *s = p->state;

    for (size_t i = 0; i < EVENTS; i++) {
        if (i != LSE)
            event_cancel(m, &p->events[i].event);
    }
    p->value[RCC_BDCR] = s->backup_domain;
    if (m->reset_cause == RESET_POWER_ON) {
        s->reset_flags = 0;
        if (!m->surroundings.battery)
            reset_backup_domain(m, p);
    }
    s->reset_flags |= flags_of(m->reset_cause);
    p->value[RCC_CSR] |= s->reset_flags;
    s->lsi_forced = s->asleep = false;
    s->violations = 0;
    update_interrupt(m, p);
    rcc_update_clocks(m, p);
}

void rcc_create(struct machine *m)
{
    static const struct peripheral rcc = {.name = "RCC",
                                          .base = RCC_BASE,
                                          .size = 0x400,
                                          .regs = registers,
                                          .reg_count = RCC_REGISTERS,
                                          .reset = reset};
    struct peripheral *p = peripheral_new(m, &rcc, sizeof(struct rcc_state));

    peripheral_events(m, p, event_names, EVENTS, event_fired);
}
