/*
 * Assertions of our own mistakes and faults of the core: a record that
 * survives the reset (section .noinit), then a system reset. The next boot
 * takes the record and logs it.
 */
#ifndef STM32F429_CRASH_H
#define STM32F429_CRASH_H

#include <stdbool.h>
#include <stdint.h>

enum { CRASH_MODULE_SIZE = 12 };

enum crash_reason {
    CRASH_ASSERTION = 1, /* module and number say which */
    CRASH_EXCEPTION = 2, /* number is the exception's: 3 HardFault …, 16 + n: interrupt n without a handler */
    CRASH_STACK_OVERFLOW =
        3, /* number is of the handler, so the task, that was running; 0: main, INIT, IDLE */
};

struct crash_record {
    uint32_t magic; /* the first and last words are crash.c's own */
    enum crash_reason reason;
    uint32_t number;
    char module[CRASH_MODULE_SIZE]; /* assertion only; cut, always terminated */
    uint32_t pc;                    /* 0: not known (it went down with the stack) */
    uint32_t lr;
    uint32_t cfsr; /* ARMv7-M B3.2.15 */
    uint32_t hfsr; /* B3.2.16 */
    uint32_t bfar; /* valid if CFSR bit 15 is set */
    uint32_t checksum;
};

/* The one handler of failed assertions, from any context. */
_Noreturn void assertion_failed(const char *module, uint32_t number);

/* Once, at boot: true and the record if the last run ended in a crash. The record is consumed. */
bool crash_take(struct crash_record *record) __attribute__((warn_unused_result));

/* Request a system reset (ARMv7-M B3.2.6) and wait for it. */
_Noreturn void system_reset(void);

/* For startup.c: `frame` is the stack as the exception left it. */
_Noreturn void crash_exception(const uint32_t *frame);

#endif
