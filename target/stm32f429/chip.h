/* What the chip knows about itself: its unique id and why it started. */
#ifndef STM32F429_CHIP_H
#define STM32F429_CHIP_H

#include <stdint.h>

enum { CHIP_UID_SIZE = 12 };

/* The 96-bit unique id (RM0090 39.1), fixed for the life of the chip. */
const uint8_t *chip_uid(void);

/* Why the chip was reset, for the log (RM0090 6.3.21). Reads and clears the flags: once, at boot. */
const char *chip_reset_cause(void);

#endif
