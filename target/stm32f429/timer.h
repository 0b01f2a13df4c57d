/*
 * TIM5, 32 bits, as the kernel's timer (kernel/timer.h says what the calls do).
 * It counts microseconds; its channel 1 is the alarm.
 */
#ifndef STM32F429_TIMER_H
#define STM32F429_TIMER_H

#include "kernel/timer.h"
#include "target/stm32f429/irq.h"

#define KERNEL_TIMER(INTERRUPT) INTERRUPT(TIM5)

#endif
