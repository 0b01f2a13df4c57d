/*
 * The firmware's tasks and what they share: all of its concurrency in one
 * table (docs/kernel.md). The compiler works out the ceilings and refuses
 * what is not declared here.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include "app/network.h"
#include "target/stm32f429/irq.h"
#include "target/stm32f429/timer.h"

#define MOTE_VERSION "0.1.0"

/* With everything that can be switched on; it also tells how its tasks use the core (telemetry_tasks.h). */
#ifndef MOTE_FULL
#define MOTE_FULL 0
#endif
#if MOTE_FULL && !defined(KERNEL_STATISTICS)
#define KERNEL_STATISTICS
#endif

/* clang-format off */
#define TASKS(HARDWARE, SOFTWARE)                                                           \
    HARDWARE(ethernet, 3, ETH)            /* frames have come, or have gone */              \
    SOFTWARE(network_due, 3, 1, nothing)  /* a deadline of the network or the session */    \
    HARDWARE(button, 2, EXTI15_10)        /* B1 was pressed or released */                  \
    SOFTWARE(network_more, 1, 1, nothing) /* more frames than fit: in turn with the rest */ \
    SOFTWARE(link, 1, 1, nothing)         /* each second: cable, watchdog */                \
    SOFTWARE(telemetry, 1, 1, nothing)    /* each telemetry/period_ms */

#define RESOURCES(RESOURCE)                                                                 \
    RESOURCE(network, struct network, ethernet, network_due, network_more, button, link, telemetry)

#define DISPATCHERS(DISPATCHER)                                                             \
    DISPATCHER(3, SPI1)                                                                     \
    DISPATCHER(1, SPI2)
/* clang-format on */

#include "kernel/table.h"

#endif
