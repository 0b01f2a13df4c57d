/* What the log needs of the machine: a moment without interrupts, and stores in order for the probe. */
#ifndef LOG_PORT_H
#define LOG_PORT_H

#include <stdint.h>

#if defined(__arm__)

static inline uint32_t log_port_lock(void)
{
    uint32_t primask;
    __asm__ volatile("mrs %0, primask\ncpsid i" : "=r"(primask)::"memory");
    return primask;
}

static inline void log_port_unlock(uint32_t primask)
{
    __asm__ volatile("msr primask, %0" ::"r"(primask) : "memory");
}

static inline void log_port_barrier(void)
{
    __asm__ volatile("dmb" ::: "memory");
}

#else /* a host program with one thread */

static inline uint32_t log_port_lock(void)
{
    return 0;
}

static inline void log_port_unlock(uint32_t state)
{
    (void)state;
}

static inline void log_port_barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

#endif

#endif
