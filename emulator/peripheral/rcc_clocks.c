/*
 * The clock tree of RCC (RM0090 6.2, figure 16): from oscillators and
 * prescalers to frequencies, and the limits that they must keep (DS9405 6.3.1,
 * RM0090 3.5.1, 5.1.4).
 */
#include "rcc.h"

#define MHZ(n) ((n)*1000000u)

enum { HSI_HZ = MHZ(16), HSE_HZ = MHZ(8) /* the ST-LINK's MCO */ };

static uint32_t pll_source_hz(const struct peripheral *rcc)
{
    return rcc->value[RCC_PLLCFGR] & PLLCFGR_PLLSRC_HSE ? HSE_HZ : HSI_HZ;
}

static uint32_t pll_m(uint32_t pllcfgr)
{
    return pllcfgr & 0x3F;
}

static uint32_t pll_n(uint32_t pllcfgr)
{
    return pllcfgr >> 6 & 0x1FF;
}

static uint32_t pll_p(uint32_t pllcfgr)
{
    return 2 * ((pllcfgr >> 16 & 3) + 1);
}

static uint32_t pll_q(uint32_t pllcfgr)
{
    return pllcfgr >> 24 & 0xF;
}

static uint32_t vco_hz(const struct peripheral *rcc)
{
    uint32_t pllcfgr = rcc->value[RCC_PLLCFGR];

    if (pll_m(pllcfgr) == 0)
        return 0;
    return (uint32_t)((uint64_t)pll_source_hz(rcc) * pll_n(pllcfgr) / pll_m(pllcfgr));
}

void rcc_check_pll(struct machine *m, const struct peripheral *rcc)
{
    uint32_t pllcfgr = rcc->value[RCC_PLLCFGR];
    uint32_t divider = pll_m(pllcfgr), multiplier = pll_n(pllcfgr), vco = vco_hz(rcc);

    if (divider < 2 || pll_source_hz(rcc) < divider * MHZ(1) || pll_source_hz(rcc) > divider * MHZ(2))
        machine_report(m, REPORT_WARNING,
                       "PLL: PLLM = %u gives the VCO an input outside 1 to 2 MHz (RM0090 6.3.2)", divider);
    if (multiplier < 50 || multiplier > 432)
        machine_report(m, REPORT_WARNING, "PLL: PLLN = %u is outside 50 to 432 (RM0090 6.3.2)", multiplier);
    if (vco < MHZ(100) || vco > MHZ(432))
        machine_report(m, REPORT_WARNING, "PLL: the VCO's %u Hz are outside 100 to 432 MHz (RM0090 6.3.2)",
                       vco);
    if (pll_q(pllcfgr) < 2)
        machine_report(m, REPORT_WARNING, "PLL: PLLQ = %u is not allowed (RM0090 6.3.2)", pll_q(pllcfgr));
}

static uint32_t sysclk_hz(const struct peripheral *rcc)
{
    switch (rcc->value[RCC_CFGR] >> CFGR_SWS_SHIFT & 3) {
    case SOURCE_HSE: return HSE_HZ;
    case SOURCE_PLL: return vco_hz(rcc) / pll_p(rcc->value[RCC_PLLCFGR]);
    default: return HSI_HZ;
    }
}

/* RCC_CFGR.HPRE: 0xxx is 1, then 2, 4, 8, 16, 64, 128, 256, 512 (there is no 32) */
static uint32_t ahb_divider(uint32_t cfgr)
{
    static const uint16_t dividers[] = {2, 4, 8, 16, 64, 128, 256, 512};
    uint32_t hpre = cfgr >> 4 & 0xF;

    return hpre < 8 ? 1 : dividers[hpre - 8];
}

static uint32_t apb_divider(uint32_t ppre)
{
    return ppre < 4 ? 1 : 2u << (ppre - 4);
}

/* RM0090 6.2: the timers' clock is PCLK where the prescaler is 1, else twice PCLK; with TIMPRE four times, or
 * HCLK. */
static uint32_t timer_divider(uint32_t apb, bool timpre)
{
    uint32_t factor = timpre ? 4 : 2;

    return apb <= factor ? 1 : apb / factor;
}

static uint32_t pll48_hz(const struct peripheral *rcc)
{
    uint32_t q = pll_q(rcc->value[RCC_PLLCFGR]);

    return rcc_oscillator_ready(rcc, PLL) && q ? vco_hz(rcc) / q : 0;
}

/* ---- Limits ---- */

enum violation {
    TOO_FAST_FOR_VOLTAGE,
    TOO_FAST_FOR_FLASH,
    PCLK1_TOO_FAST,
    PCLK2_TOO_FAST,
    ETH_TOO_SLOW,
    PLL48_TOO_FAST
};

/* True the first time: a violation is reported when it arises, not as long as it lasts. */
static bool arises(struct rcc_state *s, enum violation violation, bool violated)
{
    uint32_t bit = 1u << violation;
    bool before = s->violations & bit;

    s->violations = violated ? s->violations | bit : s->violations & ~bit;
    return violated && !before;
}

static void check_core(struct machine *m, struct rcc_state *s)
{
    uint32_t limit = pwr_max_hclk_hz(m);
    unsigned needed = s->hclk_hz == 0 ? 0 : (s->hclk_hz - 1) / MHZ(30);

    if (arises(s, TOO_FAST_FOR_VOLTAGE, s->hclk_hz > limit))
        machine_report(m, REPORT_WARNING,
                       "HCLK %u Hz: voltage scale and over-drive allow %u Hz (RM0090 5.1.4)", s->hclk_hz,
                       limit);
    if (arises(s, TOO_FAST_FOR_FLASH, flash_wait_states(m) < needed))
        machine_report(m, REPORT_WARNING,
                       "HCLK %u Hz with %u wait states: flash needs %u at 3.3 V (RM0090 3.5.1)", s->hclk_hz,
                       flash_wait_states(m), needed);
}

static void check_buses(struct machine *m, struct rcc_state *s)
{
    bool over_drive = pwr_max_hclk_hz(m) == MHZ(180);
    uint32_t limit1 = over_drive ? MHZ(45) : MHZ(42), limit2 = over_drive ? MHZ(90) : MHZ(84);

    if (arises(s, PCLK1_TOO_FAST, s->hclk_hz / s->pclk1_divider > limit1))
        machine_report(m, REPORT_WARNING, "PCLK1 %u Hz exceeds %u Hz (DS9405 table 17)",
                       s->hclk_hz / s->pclk1_divider, limit1);
    if (arises(s, PCLK2_TOO_FAST, s->hclk_hz / s->pclk2_divider > limit2))
        machine_report(m, REPORT_WARNING, "PCLK2 %u Hz exceeds %u Hz (DS9405 table 17)",
                       s->hclk_hz / s->pclk2_divider, limit2);
}

static void check_users(struct machine *m, struct rcc_state *s, const uint32_t *value)
{
    if (arises(s, ETH_TOO_SLOW, (value[RCC_AHB1ENR] & AHB1ENR_ETHMACEN) && s->hclk_hz < MHZ(25)))
        machine_report(m, REPORT_WARNING,
                       "Ethernet MAC clocked with HCLK %u Hz, below 25 MHz (RM0090 33.4.1)", s->hclk_hz);
    if (arises(s, PLL48_TOO_FAST, (value[RCC_AHB2ENR] & AHB2ENR_RNGEN) && s->pll48_hz > MHZ(48)))
        machine_report(m, REPORT_WARNING, "RNG clocked with PLL48CLK %u Hz, above 48 MHz (RM0090 6.2)",
                       s->pll48_hz);
}

void rcc_check_limits(struct machine *m)
{
    struct peripheral *rcc = rcc_peripheral(m);
    struct rcc_state *s = rcc->state;

    check_core(m, s);
    check_buses(m, s);
    check_users(m, s, rcc->value);
}

void rcc_notify(struct machine *m)
{
    for (size_t i = 0; i < m->clock_listener_count; i++)
        m->clock_listeners[i].changed(m, m->clock_listeners[i].context);
}

void rcc_update_clocks(struct machine *m, struct peripheral *rcc)
{
    struct rcc_state *s = rcc->state;
    uint32_t cfgr = rcc->value[RCC_CFGR];

    s->sysclk_hz = sysclk_hz(rcc);
    s->hclk_hz = s->sysclk_hz / ahb_divider(cfgr);
    if (s->hclk_hz == 0)
        s->hclk_hz = 1; /* PLLM = 0, reported: time must go on */
    s->pclk1_divider = apb_divider(cfgr >> 10 & 7);
    s->pclk2_divider = apb_divider(cfgr >> 13 & 7);
    s->timclk1_divider = timer_divider(s->pclk1_divider, rcc->value[RCC_DCKCFGR] & DCKCFGR_TIMPRE);
    s->pll48_hz = pll48_hz(rcc);
    machine_set_hclk(m, s->hclk_hz);
    rcc_notify(m);
}

/* ---- What others ask ---- */

struct peripheral *rcc_peripheral(const struct machine *m)
{
    return peripheral_find(m, RCC_BASE);
}

static const struct rcc_state *clocks(const struct machine *m)
{
    return rcc_peripheral(m)->state;
}

uint32_t rcc_hclk_hz(const struct machine *m)
{
    return clocks(m)->hclk_hz;
}

uint32_t rcc_pclk1_hz(const struct machine *m)
{
    return clocks(m)->hclk_hz / clocks(m)->pclk1_divider;
}

uint32_t rcc_pclk2_hz(const struct machine *m)
{
    return clocks(m)->hclk_hz / clocks(m)->pclk2_divider;
}

uint32_t rcc_timclk1_hz(const struct machine *m)
{
    return clocks(m)->hclk_hz / clocks(m)->timclk1_divider;
}

uint32_t rcc_hclk_per_pclk1(const struct machine *m)
{
    return clocks(m)->pclk1_divider;
}

uint32_t rcc_hclk_per_timclk1(const struct machine *m)
{
    return clocks(m)->timclk1_divider;
}

uint32_t rcc_pll48_hz(const struct machine *m)
{
    return clocks(m)->pll48_hz;
}
