/*
 * The one timer that the kernel needs, implemented by the target: a free
 * running 32-bit counter of microseconds and one alarm.
 *
 * The target's own header says which interrupt it is, by
 *     #define KERNEL_TIMER(INTERRUPT) INTERRUPT(TIM5)
 * The kernel owns that interrupt, its priority and its handler. All of these
 * are called by the kernel only, with interrupts masked.
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include <stdint.h>

/* Lets the counter run at 1 MHz. The clock tree is final when this is called. */
void timer_start(void);

/* The counter. It wraps from 2^32 - 1 to 0. */
uint32_t timer_count(void);

/*
 * Requests the interrupt for when the counter comes to `count`, instead of the
 * alarm set before. It may do nothing when the counter is there already: the
 * kernel looks after it has called.
 */
void timer_alarm(uint32_t count);

/* Takes back the interrupt's request. Called first thing in its handler. */
void timer_acknowledge(void);

#endif
