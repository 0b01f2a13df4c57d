/*
 * Assertions for our own mistakes: numbered, always on, one handler. What
 * comes from outside never meets one; it gets an error value.
 *
 *     ASSERT_MODULE("ethernet")                  once per file, after the includes
 *     ASSERT(3, ring->owned <= RING_FRAMES);     the number is unique in its module
 *     MUST(4, spawn_after(blink, seconds(1)));   for calls that return negative errors
 *
 * A failure costs the code of two instructions where it stands.
 */
#ifndef KERNEL_ASSERT_H
#define KERNEL_ASSERT_H

#include <stdint.h>

/*
 * Implemented by the target: logs, keeps a crash record, resets. May be called
 * from anywhere.
 */
_Noreturn void assertion_failed(const char *module, uint32_t number);

#define ASSERT_MODULE(name)                                                                                  \
    static _Noreturn __attribute__((noinline, cold, unused)) void assertion_failed_here(uint32_t number)     \
    {                                                                                                        \
        assertion_failed(name, number);                                                                      \
    }

#define ASSERT(number, condition)                                                                            \
    do {                                                                                                     \
        if (__builtin_expect(!(condition), 0))                                                               \
            assertion_failed_here(number);                                                                   \
    } while (0)

#define MUST(number, call) ASSERT(number, (call) >= 0)

#endif
