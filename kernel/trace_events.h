/* What kernel/trace_itm.h sends, for who sends it and who reads it. */
#ifndef KERNEL_TRACE_EVENTS_H
#define KERNEL_TRACE_EVENTS_H

/* ITM stimulus port 24 (ARMv7-M C1.7.3): 0 to 23 are the application's. */
#define KERNEL_TRACE_ITM_ADDRESS 0xE0000060u

enum kernel_trace_event {
    KERNEL_TRACE_START = 1,
    KERNEL_TRACE_END,
    KERNEL_TRACE_PREEMPT,
    KERNEL_TRACE_LOCK,
    KERNEL_TRACE_UNLOCK,
    KERNEL_TRACE_SPAWN,
    KERNEL_TRACE_TIMER,
};

#endif
