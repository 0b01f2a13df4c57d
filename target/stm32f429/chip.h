/* What the chip knows about itself, its unique id and why it started; and which interrupts it lets in. */
#ifndef STM32F429_CHIP_H
#define STM32F429_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "target/stm32f429/registers.h"

enum { CHIP_UID_SIZE = 12 };

/* The 96-bit unique id (RM0090 39.1), fixed for the life of the chip. */
const uint8_t *chip_uid(void);

/* Why the chip was reset, for the log (RM0090 6.3.21). Reads and clears the flags: once, at boot. */
const char *chip_reset_cause(void);

/* Lets an interrupt in, or holds it off; what is pending stays so (ARMv7-M B3.4.4, B3.4.5). From anywhere. */
static inline void chip_interrupt(unsigned number, bool on)
{
    (on ? NVIC->ISER : NVIC->ICER)[number / 32] = 1u << number % 32;
}

#endif
