#include "target/mps2-an386/timer.h"

/* CMSDK APB timer (Arm DDI 0479 4.2.1) */
struct cmsdk_timer {
    volatile uint32_t CTRL;
    volatile uint32_t VALUE;
    volatile uint32_t RELOAD;
    volatile uint32_t INTSTATUS; /* write 1 to clear */
};

/* FPGA system control and I/O (AN386 4.4) */
struct fpgaio {
    volatile uint32_t LED0;
    uint32_t reserved_04;
    volatile uint32_t BUTTON;
    uint32_t reserved_0c;
    volatile uint32_t CLK1HZ;
    volatile uint32_t CLK100HZ;
    volatile uint32_t COUNTER;
    volatile uint32_t PRESCALE;
};

#define TIMER0 ((struct cmsdk_timer *)0x40000000u)
#define FPGAIO ((struct fpgaio *)0x40028000u)

enum {
    CLOCK_HZ = 25000000,
    TICKS_PER_US = CLOCK_HZ / 1000000,
    TIMER_ENABLE = 1,
    TIMER_INTERRUPT = 8,
};

/* What 32 bits of ticks hold. An alarm further ahead comes early, finds nothing due and is set again. */
#define AHEAD_MAX_US (UINT32_MAX / TICKS_PER_US)

void timer_start(void)
{
    FPGAIO->PRESCALE = TICKS_PER_US - 1;
    FPGAIO->COUNTER = 0;
}

uint32_t timer_count(void)
{
    return FPGAIO->COUNTER;
}

void timer_alarm(uint32_t count)
{
    uint32_t ahead_us = count - FPGAIO->COUNTER;
    if (ahead_us > AHEAD_MAX_US)
        ahead_us = AHEAD_MAX_US;
    TIMER0->CTRL = 0;
    TIMER0->RELOAD = 0; /* once only; sets VALUE too */
    TIMER0->VALUE = ahead_us ? ahead_us * TICKS_PER_US : 1;
    TIMER0->CTRL = TIMER_ENABLE | TIMER_INTERRUPT;
}

void timer_acknowledge(void)
{
    TIMER0->CTRL = 0;
    TIMER0->INTSTATUS = 1;
}

void timer_leap_to(uint32_t count)
{
    FPGAIO->COUNTER = count;
}
