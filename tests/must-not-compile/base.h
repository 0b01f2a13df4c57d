/*
 * A right table, to which each program here adds one mistake: by defining MORE_…
 * before this header, or by what it does after it.
 */
#include "target/stm32f429/timer.h"

#include <stdint.h>

#ifndef MORE_TASKS
#define MORE_TASKS(HARDWARE, SOFTWARE)
#endif
#ifndef MORE_RESOURCES
#define MORE_RESOURCES(RESOURCE)
#endif
#ifndef MORE_LOCALS
#define MORE_LOCALS(LOCAL)
#endif
#ifndef MORE_READ_ONLY
#define MORE_READ_ONLY(READ_ONLY)
#endif
#ifndef MORE_LOCK_FREE
#define MORE_LOCK_FREE(LOCK_FREE)
#endif
#ifndef MORE_DISPATCHERS
#define MORE_DISPATCHERS(DISPATCHER)
#endif

struct reading {
    uint32_t value;
};

struct other {
    uint8_t value;
};

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    HARDWARE(button, 3, EXTI0)                                                                               \
    SOFTWARE(store, 2, 4, struct reading)                                                                    \
    SOFTWARE(report, 1, 1, nothing)                                                                          \
    SOFTWARE(print, 1, 1, nothing)                                                                           \
    MORE_TASKS(HARDWARE, SOFTWARE)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(readings, struct reading, store, report)                                                        \
    MORE_RESOURCES(RESOURCE)
#define LOCAL_RESOURCES(LOCAL)                                                                               \
    LOCAL(presses, struct reading, button)                                                                   \
    MORE_LOCALS(LOCAL)
#define READ_ONLY_RESOURCES(READ_ONLY)                                                                       \
    READ_ONLY(limits, struct reading, button, store)                                                         \
    MORE_READ_ONLY(READ_ONLY)
#define LOCK_FREE_RESOURCES(LOCK_FREE)                                                                       \
    LOCK_FREE(line, struct reading, report, print)                                                           \
    MORE_LOCK_FREE(LOCK_FREE)
#define DISPATCHERS(DISPATCHER)                                                                              \
    DISPATCHER(2, SPI1)                                                                                      \
    DISPATCHER(1, SPI2)                                                                                      \
    MORE_DISPATCHERS(DISPATCHER)
#include "kernel/table.h"
