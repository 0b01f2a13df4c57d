/*
 * The kernel's timer on the MPS2 (kernel/timer.h says what the calls do): the
 * FPGA's counter, prescaled to microseconds, counts; the CMSDK timer 0, which
 * counts down at the core's 25 MHz, is the alarm.
 */
#ifndef MPS2_AN386_TIMER_H
#define MPS2_AN386_TIMER_H

#include "kernel/timer.h"
#include "target/mps2-an386/irq.h"

#define KERNEL_TIMER(INTERRUPT) INTERRUPT(TIMER0)

/* The counter leaps, for tests of its wrap. */
void timer_leap_to(uint32_t count);

#endif
