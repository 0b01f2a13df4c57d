/*
 * The clock tree: 180 MHz with over-drive (RM0090 5.1.4, 6.2).
 * APB1 runs at HCLK/4, its timers at HCLK/2; APB2 at HCLK/2; the RNG at 45 MHz.
 */
#ifndef STM32F429_CLOCK_H
#define STM32F429_CLOCK_H

#include <stdint.h>

enum clock_error {
    CLOCK_NO_HSE = -1, /* no 8 MHz from the ST-LINK: runs at full speed from the internal oscillator (1 %) */
    CLOCK_NO_OVERDRIVE =
        -2, /* the rest: runs on the bare internal oscillator at 16 MHz, too slow for Ethernet */
    CLOCK_NO_PLL = -3,
    CLOCK_NO_SWITCH = -4,
};

/* Once, at boot, from thread mode; every wait is bounded. 0, or what went wrong (enum clock_error). */
int clock_init(void) __attribute__((warn_unused_result));

/* After clock_init. */
uint32_t clock_hclk_hz(void);

#endif
