/*
 * What the programs for the virtual CPU have in common: they print a line per
 * check and end with the verdict as exit status, by semihosting (BKPT 0xAB).
 */
#ifndef TESTS_KERNEL_CHECK_H
#define TESTS_KERNEL_CHECK_H

#include "kernel/kernel.h"
#include "tests/kernel/board.h"

#include <stdbool.h>
#include <stdint.h>

static inline void say(const char *text)
{
    board_say(text);
}

static inline _Noreturn void finish(bool passed)
{
    say(passed ? "PASSED\n" : "FAILED\n");
    board_exit(passed);
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

/*
 * A trace of what ran, a letter each: compared as a whole with what should have
 * run. Several tasks write it, so it is volatile: a function that a task calls
 * does not change it as far as the compiler sees.
 */
static char trace_text[64];
static volatile unsigned trace_length;

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

/* A device's request, made by software: the interrupt comes at once if its priority allows. */
static inline void raise_interrupt(enum irq number)
{
    port_pend((struct port_pend)PORT_PEND((unsigned)number));
#ifdef __arm__
    __asm__ volatile("dsb\n\tisb" : : : "memory");
#endif
}

/* Runs for this long without sleeping. Bounded even when the clock stands still. */
static inline void spend(uint64_t time_us)
{
    uint64_t end = clock_now() + time_us;
#ifdef BOARD_POSIX
    posix_spend_until(posix_now_us() + time_us);
#endif
    for (uint32_t i = 0; i < 100000000 && clock_now() < end; i++) {
    }
}

#endif
