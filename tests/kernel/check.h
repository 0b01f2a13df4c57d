/*
 * What the programs for the virtual CPU have in common: they print a line per
 * check by semihosting (BKPT 0xAB) and end with the verdict as exit status.
 */
#ifndef TESTS_KERNEL_CHECK_H
#define TESTS_KERNEL_CHECK_H

#include "kernel/kernel.h"
#include "target/stm32f429/irq.h"

#include <stdbool.h>
#include <stdint.h>

#define SYS_WRITE0                   0x04
#define SYS_EXIT                     0x18
#define ADP_STOPPED_RUN_TIME_ERROR   0x20023
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

static inline void semihosting(uint32_t operation, uintptr_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static inline void say(const char *text)
{
    semihosting(SYS_WRITE0, (uintptr_t)text);
}

static inline _Noreturn void finish(bool passed)
{
    say(passed ? "PASSED\n" : "FAILED\n");
    semihosting(SYS_EXIT, passed ? ADP_STOPPED_APPLICATION_EXIT : ADP_STOPPED_RUN_TIME_ERROR);
    for (;;) {
    }
}

/* The first check that does not hold ends the program. */
#define CHECK(what, condition)                                                                               \
    do {                                                                                                     \
        bool check_holds_ = (condition);                                                                     \
        say(check_holds_ ? "ok " : "not ok ");                                                               \
        say(what "\n");                                                                                      \
        if (!check_holds_)                                                                                   \
            finish(false);                                                                                   \
    } while (0)

/* A trace of what ran, a letter each: compared as a whole with what should have run. */
static char trace_text[64];
static unsigned trace_length;

static inline void trace(char letter)
{
    if (trace_length < sizeof trace_text - 1)
        trace_text[trace_length++] = letter;
}

static inline bool traced(const char *expected)
{
    unsigned i = 0;
    while (expected[i] && expected[i] == trace_text[i])
        i++;
    bool same = !expected[i] && i == trace_length;
    if (!same) {
        say("traced: ");
        say(trace_text);
        say("\n");
    }
    for (i = 0; i < sizeof trace_text; i++)
        trace_text[i] = 0;
    trace_length = 0;
    return same;
}

static inline uint32_t basepri(void)
{
    uint32_t value;
    __asm__ volatile("mrs %0, basepri" : "=r"(value));
    return value;
}

/* A device's request, made by software: the interrupt comes at once if its priority allows. */
static inline void raise_interrupt(enum irq number)
{
    port_pend((struct port_pend)PORT_PEND((unsigned)number));
    __asm__ volatile("dsb\n\tisb" : : : "memory");
}

/* Runs for this long without sleeping. Bounded even when the clock stands still. */
static inline void spend(uint64_t time_us)
{
    uint64_t end = clock_now() + time_us;
    for (uint32_t i = 0; i < 100000000 && clock_now() < end; i++) {
    }
}

#endif
