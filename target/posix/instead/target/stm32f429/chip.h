/*
 * What a process has instead of target/stm32f429/chip.h, the one header of the
 * target that an application includes and that touches registers by itself.
 * Found first by the order of the include paths (cmake/host.cmake).
 */
#ifndef STM32F429_CHIP_H
#define STM32F429_CHIP_H

#include <stdbool.h>
#include <stdint.h>

enum { CHIP_UID_SIZE = 12 };

/* Of this machine and --instance: the same at each start. */
const uint8_t *chip_uid(void);

/* "power-on" at the process's start, then what has reset it. */
const char *chip_reset_cause(void);

/* Lets an interrupt in, or holds it off; what is pending stays so. From anywhere. */
void chip_interrupt(unsigned number, bool on);

#endif
