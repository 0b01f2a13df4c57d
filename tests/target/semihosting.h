/* For programs on the virtual board: report through the debugger's calls (Arm semihosting) and leave. */
#ifndef TESTS_TARGET_SEMIHOSTING_H
#define TESTS_TARGET_SEMIHOSTING_H

#include <stdint.h>

enum {
    SEMIHOSTING_SYS_WRITE0 = 0x04,
    SEMIHOSTING_SYS_EXIT_EXTENDED = 0x20,
    SEMIHOSTING_APPLICATION_EXIT = 0x20026,
};

static inline void semihosting_call(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static inline void semihosting_print(const char *text)
{
    semihosting_call(SEMIHOSTING_SYS_WRITE0, text);
}

static inline _Noreturn void semihosting_exit(uint32_t status)
{
    const uint32_t block[2] = {SEMIHOSTING_APPLICATION_EXIT, status};
    semihosting_call(SEMIHOSTING_SYS_EXIT_EXTENDED, block);
    for (;;)
        __asm__ volatile("" ::: "memory");
}

/* What has been shown so far; the runner counts these lines. */
#define OK(what) semihosting_print("ok " what "\n")

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)

/* The run fails with the line and the condition. */
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            semihosting_print("FAILED " __FILE__ ":" STRINGIFY(__LINE__) ": " #condition "\n");              \
            semihosting_exit(1);                                                                             \
        }                                                                                                    \
    } while (0)

#endif
