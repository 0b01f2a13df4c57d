/*
 * What the tasks do with the core, as JSON; the full firmware (MOTE_FULL) says
 * it on P/telemetry/tasks with each report:
 *
 *     {"tasks":{"link":{"load_ppm":150,"longest_us":95},…},"locks":{"network":{"longest_us":80}}}
 *
 * load_ppm: the task's share of the core since the report before, in millionths,
 * without what preempted it. longest_us: its longest run, or how long the
 * resource was held at a stretch, since the start (kernel/observe.h).
 */
#ifndef APP_TELEMETRY_TASKS_H
#define APP_TELEMETRY_TASKS_H

#include "app/app.h"

#include <stddef.h>

#if MOTE_FULL

#define TELEMETRY_NAME_HARDWARE(name, level, interrupt)      +sizeof #name
#define TELEMETRY_NAME_SOFTWARE(name, level, capacity, type) +sizeof #name
#define TELEMETRY_NAME_RESOURCE(name, type, ...)             +sizeof #name

/* The longest that it can be, with 32 bits in each number. */
#define TELEMETRY_TASKS_MAX                                                                                  \
    (sizeof "{'tasks':{},'locks':{}}" +                                                                      \
     (0 TASKS(TELEMETRY_NAME_HARDWARE, TELEMETRY_NAME_SOFTWARE) RESOURCES(TELEMETRY_NAME_RESOURCE)) +        \
     KERNEL_TASKS * sizeof "'':{'load_ppm':4294967295,'longest_us':4294967295}," +                           \
     KERNEL_RESOURCES * sizeof "'':{'longest_us':4294967295},")

/* Between two calls of telemetry_write_tasks the load is measured. Zeros at first. */
struct telemetry_tasks {
    uint64_t last_us;
    uint64_t last_cycles[KERNEL_TASKS];
};

/*
 * Writes one report into `json`; returns its length. `cycles_per_us`: of the
 * core's clock. At least once in 71 minutes, or the load is of the rest of it.
 * From one task.
 */
size_t telemetry_write_tasks(struct telemetry_tasks *telemetry, uint64_t now_us, unsigned cycles_per_us,
                             char json[TELEMETRY_TASKS_MAX]);

#endif
#endif
