/*
 * The kernel's port to a process (kernel/port_cortex_m.h is the chip's): one
 * thread that plays core and NVIC, in virtual time. An interrupt's handler is
 * called as a function from wherever it would preempt: where it is made
 * pending, a ceiling or a mask is lifted, or time passes. Priorities, ceilings
 * and the order among equals are the NVIC's, numbers and names of interrupts
 * the STM32F429's, so that an application's table serves both.
 *
 * Computing takes no time. Time passes in sleep, and by posix_spend_until.
 * Two runs are the same.
 */
#ifndef POSIX_KERNEL_PORT_H
#define POSIX_KERNEL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_INLINE extern inline __attribute__((gnu_inline, always_inline))

#define PORT_PRIORITY_MAX 16
#define PORT_CEILING_MAX  15

struct port_pend {
    unsigned number;
};
#define PORT_PEND(irq)                                                                                       \
    {                                                                                                        \
        .number = (unsigned)(irq)                                                                            \
    }

uint32_t port_raise(unsigned ceiling);
void port_restore(uint32_t before);
uint32_t port_mask(void);
void port_unmask(uint32_t before);
void port_pend(struct port_pend interrupt);
void port_interrupt_priority(unsigned number, unsigned priority);
void port_interrupt_enable(unsigned number);
void port_wait_for_interrupt(void);
void port_cycles_start(void);
uint32_t port_cycles(void); /* 180 a microsecond */

/* Nothing comes between the two: handlers are called at the points above only. */
PORT_INLINE void *port_load_exclusive(void *const *base, size_t index)
{
    return base[index];
}

PORT_INLINE bool port_store_exclusive(void **base, size_t index, const void *value)
{
    base[index] = (void *)(uintptr_t)value;
    return false;
}

/* ---- For the program around the kernel ---- */

/* Lets an interrupt in, or holds it off: what is pending stays so. */
void posix_interrupt(unsigned number, bool on);
/* The priority (1..15) that a lock has raised the core to; 0: none. */
unsigned posix_ceiling(void);
/* Microseconds since the start, 64 bits. */
uint64_t posix_now_us(void);
/* Time passes up to then, as if the present task computed so long; interrupts that come, come. */
void posix_spend_until(uint64_t time_us);
/* The timer's counter leaps to this value, as if time had passed without an alarm. */
void posix_leap_to(uint32_t count);

/*
 * Called in sleep: nothing is to be done before `until_us`. It returns the
 * time reached, at most until_us, and may make interrupts pending (port_pend);
 * with sockets and a real clock it waits for them. NULL, as at the start: go
 * straight to until_us.
 */
void posix_on_sleep(uint64_t (*wait)(uint64_t until_us));

#endif
