#include "target/stm32f429/clock.h"

#include "target/stm32f429/registers.h"
#include "target/stm32f429/wait.h"

enum {
    HSI_HZ = 16000000,
    HSE_HZ = 8000000,
    HCLK_HZ = 180000000,
    PLL_INPUT_HZ = 1000000,
    PLL_N = 360,
    PLL_P = 2,
    PLL_Q = 8,
    WAIT_STATES = 5,
};
static_assert(PLL_INPUT_HZ / PLL_P * PLL_N == HCLK_HZ, "PLL: N and P must give HCLK");
static_assert(PLL_INPUT_HZ / PLL_Q * PLL_N <= 48000000, "PLL: Q must keep the RNG at 48 MHz at most");

static uint32_t hclk_hz = HSI_HZ;

/* The ST-LINK feeds a square wave: bypass the crystal driver. */
static bool start_hse(void)
{
    RCC->CR |= RCC_CR_HSEBYP;
    RCC->CR |= RCC_CR_HSEON;
    return wait_for(&RCC->CR, RCC_CR_HSERDY, RCC_CR_HSERDY);
}

/* RM0090 5.1.4: over-drive is entered with the PLL started and the HSI still driving the core. */
static int start_pll(uint32_t source, uint32_t m)
{
    PWR->CR |= PWR_CR_VOS_SCALE_1;
    RCC->PLLCFGR = RCC_PLLCFGR_RESERVED_29 | source | RCC_PLLCFGR_M(m) | RCC_PLLCFGR_N(PLL_N) |
                   RCC_PLLCFGR_P(PLL_P) | RCC_PLLCFGR_Q(PLL_Q);
    RCC->CR |= RCC_CR_PLLON;
    PWR->CR |= PWR_CR_ODEN;
    if (!wait_for(&PWR->CSR, PWR_CSR_ODRDY, PWR_CSR_ODRDY))
        return CLOCK_NO_OVERDRIVE;
    PWR->CR |= PWR_CR_ODSWEN;
    if (!wait_for(&PWR->CSR, PWR_CSR_ODSWRDY, PWR_CSR_ODSWRDY))
        return CLOCK_NO_OVERDRIVE;
    if (!wait_for(&RCC->CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY))
        return CLOCK_NO_PLL;
    return 0;
}

static int switch_to_pll(void)
{
    /* The latency must be in force before the clock rises (RM0090 3.5.1): reading it back orders the two. */
    FLASH->ACR = FLASH_ACR_LATENCY(WAIT_STATES) | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN;
    (void)FLASH->ACR;
    RCC->CFGR |= RCC_CFGR_SW_PLL;
    if (!wait_for(&RCC->CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL))
        return CLOCK_NO_SWITCH;
    hclk_hz = HCLK_HZ;
    return 0;
}

int clock_init(void)
{
    RCC->APB1ENR |= RCC_APB1_PWR;
    (void)RCC->APB1ENR; /* ES0206, delay after enabling a clock: the read takes it */
    RCC->CFGR = RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2;

    bool hse = start_hse();
    int error = start_pll(hse ? RCC_PLLCFGR_SRC_HSE : 0, (hse ? HSE_HZ : HSI_HZ) / PLL_INPUT_HZ);
    if (error == 0)
        error = switch_to_pll();
    if (error != 0)
        return error;
    return hse ? 0 : CLOCK_NO_HSE;
}

uint32_t clock_hclk_hz(void)
{
    return hclk_hz;
}
