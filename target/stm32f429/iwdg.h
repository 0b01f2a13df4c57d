/* The independent watchdog (RM0090 21): resets the chip unless fed. Cannot be stopped once started. */
#ifndef STM32F429_IWDG_H
#define STM32F429_IWDG_H

#include <stdint.h>

enum { IWDG_TIMEOUT_MAX_MS = 16000 };

/*
 * `timeout_ms` 1 to IWDG_TIMEOUT_MAX_MS, by the LSI of 32 kHz nominal: 17 to 47 kHz in fact (DS9405),
 * so feed at twice the rate. 0, or -1: the watchdog did not take the time-out and runs with its default of
 * 512 ms.
 */
int iwdg_start(uint32_t timeout_ms) __attribute__((warn_unused_result));

/* From any context. */
void iwdg_feed(void);

#endif
