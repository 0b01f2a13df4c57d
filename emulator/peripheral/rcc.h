/* What the two halves of RCC share: rcc.c has the registers, rcc_clocks.c the clock tree. */
#ifndef EMULATOR_PERIPHERAL_RCC_H
#define EMULATOR_PERIPHERAL_RCC_H

#include "peripheral.h"

/* Indices into the register table (RM0090 6.3) */
enum rcc_register {
    RCC_CR,
    RCC_PLLCFGR,
    RCC_CFGR,
    RCC_CIR,
    RCC_AHB1RSTR,
    RCC_AHB2RSTR,
    RCC_AHB3RSTR,
    RCC_APB1RSTR,
    RCC_APB2RSTR,
    RCC_AHB1ENR,
    RCC_AHB2ENR,
    RCC_AHB3ENR,
    RCC_APB1ENR,
    RCC_APB2ENR,
    RCC_AHB1LPENR,
    RCC_AHB2LPENR,
    RCC_AHB3LPENR,
    RCC_APB1LPENR,
    RCC_APB2LPENR,
    RCC_BDCR,
    RCC_CSR,
    RCC_SSCGR,
    RCC_PLLI2SCFGR,
    RCC_PLLSAICFGR,
    RCC_DCKCFGR,
    RCC_REGISTERS,
};

enum {
    RCC_BASE = 0x40023800,
    CR_HSEBYP = 1 << 18,
    CR_PLLON = 1 << 24,
    PLLCFGR_PLLSRC_HSE = 1 << 22,
    CFGR_SWS_SHIFT = 2,
    AHB1ENR_ETHMACEN = 1 << 25,
    AHB2ENR_RNGEN = 1 << 6,
    DCKCFGR_TIMPRE = 1 << 24,
};

/* RCC_CFGR.SW and SWS */
enum rcc_source { SOURCE_HSI, SOURCE_HSE, SOURCE_PLL };

/* In the order of the bits of RCC_CIR */
enum oscillator { LSI, LSE, HSI, HSE, PLL, PLLI2S, PLLSAI, OSCILLATORS };

struct rcc_state {
    uint32_t sysclk_hz;
    uint32_t hclk_hz;
    uint32_t pclk1_divider; /* of HCLK */
    uint32_t pclk2_divider;
    uint32_t timclk1_divider;
    uint32_t pll48_hz;
    uint32_t violations; /* reported, and not yet mended */
    uint32_t reset_flags;
    uint32_t backup_domain; /* RCC_BDCR as it outlives a system reset */
    bool lsi_forced;
    bool asleep; /* and clocks are stopped: those that are on, but not in an LPENR register */
};

struct peripheral *rcc_peripheral(const struct machine *m);
bool rcc_oscillator_ready(const struct peripheral *rcc, enum oscillator oscillator);

/* Reports a PLL configuration that the manual forbids (RM0090 6.3.2). */
void rcc_check_pll(struct machine *m, const struct peripheral *rcc);
/* After any register of the tree changed: reckons all clocks anew and tells who depends on them. */
void rcc_update_clocks(struct machine *m, struct peripheral *rcc);

#endif
