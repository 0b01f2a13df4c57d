/*
 * A KERNEL_TRACE header: tells each event by one store to a stimulus port of
 * the ITM. A debugger that has opened the port gets it over SWO; otherwise the
 * core ignores the store. The virtual board's --timeline draws it (make trace).
 *
 *     bits 31..24  enum kernel_trace_event
 *     bits 15..8   the other task, where there are two
 *     bits 7..0    the task, or the resource
 */
#ifndef KERNEL_TRACE_ITM_H
#define KERNEL_TRACE_ITM_H

#include "kernel/trace_events.h"

#include <stdint.h>

/* Notes in the ELF that the program does this (kernel/describe.h). */
#define KERNEL_TRACE_DESCRIBED 1

static inline void kernel_trace_itm(enum kernel_trace_event event, unsigned whom, unsigned other)
{
    *(volatile uint32_t *)KERNEL_TRACE_ITM_ADDRESS = (uint32_t)event << 24 | other << 8 | whom;
}

#define kernel_trace_start(task)       kernel_trace_itm(KERNEL_TRACE_START, task, 0)
#define kernel_trace_end(task)         kernel_trace_itm(KERNEL_TRACE_END, task, 0)
#define kernel_trace_preempt(task, by) kernel_trace_itm(KERNEL_TRACE_PREEMPT, task, by)
#define kernel_trace_lock(resource)    kernel_trace_itm(KERNEL_TRACE_LOCK, resource, 0)
#define kernel_trace_unlock(resource)  kernel_trace_itm(KERNEL_TRACE_UNLOCK, resource, 0)
#define kernel_trace_spawn(task)       kernel_trace_itm(KERNEL_TRACE_SPAWN, task, 0)
#define kernel_trace_timer(task)       kernel_trace_itm(KERNEL_TRACE_TIMER, task, 0)

#endif
