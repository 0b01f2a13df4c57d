/*
 * What the kernel needs of an ARMv7-M core (ARMv7-M ARM B1.4, B3.4), and no
 * more: masks, exclusive lists, the NVIC's set-pending, enable and priority
 * registers, WFI.
 *
 * A task's priority 1..16 is the hardware's 16 - priority, in the four upper
 * bits, as the STM32F4 has them. Hardware priority 0, our 16, is what BASEPRI
 * cannot hold off (B1.4.3: zero masks nothing); PRIMASK does.
 */
#ifndef KERNEL_PORT_CORTEX_M_H
#define KERNEL_PORT_CORTEX_M_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Always part of the caller, so that functions with one shared copy may use them too. */
#define PORT_INLINE extern inline __attribute__((gnu_inline, always_inline))

/* The table for tools stands in a section that linker scripts keep out of the image (kernel/describe.h). */
#define PORT_DESCRIBED __attribute__((section(".kernel_table"), used, aligned(4)))

#define PORT_PRIORITY_MAX         16
#define PORT_CEILING_MAX          15 /* of port_raise() */
#define PORT_PRIORITY_BITS(level) ((uint32_t)(16 - (level)) << 4)

/* ---- Ceilings: BASEPRI ---- */

/*
 * Raises BASEPRI to the ceiling, never lowers it (BASEPRI_MAX), and returns
 * what it was. A raise takes effect before the next instruction, so no barrier
 * instruction follows (B5.2.3); the compiler's barrier keeps accesses inside.
 */
PORT_INLINE uint32_t port_raise(unsigned ceiling)
{
    uint32_t before;
    __asm__ volatile("mrs %0, basepri" : "=r"(before));
    __asm__ volatile("msr basepri_max, %0" : : "r"(PORT_PRIORITY_BITS(ceiling)) : "memory");
    return before;
}

PORT_INLINE void port_restore(uint32_t before)
{
    __asm__ volatile("msr basepri, %0" : : "r"(before) : "memory");
}

/* ---- Short critical sections: PRIMASK ---- */

PORT_INLINE uint32_t port_mask(void)
{
    uint32_t before;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before) : : "memory");
    return before;
}

PORT_INLINE void port_unmask(uint32_t before)
{
    __asm__ volatile("msr primask, %0" : : "r"(before) : "memory");
}

/* ---- Lists that need no mask ---- */

/*
 * An exception's entry and return clear the exclusive monitor (A3.4.4), so a
 * store-exclusive fails when anyone came between: no list changes unseen, no
 * ABA. The plain store between the two is allowed by the Cortex-M4's monitor,
 * which holds no address and is cleared by exceptions, CLREX and STREX alone
 * (Cortex-M4 TRM 3.8). Each retry means that a higher task has run.
 *
 * What is loaded or stored is base[index], and the index a constant, so that
 * one register with the base serves for several lists.
 */
PORT_INLINE void *port_load_exclusive(void *const *base, size_t index)
{
    void *value;
    __asm__ volatile("ldrex %0, [%1, %2]" : "=r"(value) : "r"(base), "n"(index * 4) : "memory");
    return value;
}

/* Whether it has failed. */
PORT_INLINE bool port_store_exclusive(void **base, size_t index, const void *value)
{
    uint32_t failed;
    __asm__ volatile("strex %0, %2, [%1, %3]"
                     : "=&r"(failed)
                     : "r"(base), "r"(value), "n"(index * 4)
                     : "memory");
    return failed != 0;
}

/* ---- Interrupts ---- */

/* Where and what to write to make an interrupt pending (NVIC_ISPR, B3.4.6). */
struct port_pend {
    volatile uint32_t *set_pending;
    uint32_t bit;
};

#define PORT_NVIC_ISER ((volatile uint32_t *)0xE000E100u)
#define PORT_NVIC_ISPR ((volatile uint32_t *)0xE000E200u)
#define PORT_NVIC_IPR  ((volatile uint8_t *)0xE000E400u)

#define PORT_PEND(number)                                                                                    \
    {                                                                                                        \
        .set_pending = PORT_NVIC_ISPR + (number) / 32, .bit = 1u << (number) % 32                            \
    }

PORT_INLINE void port_pend(struct port_pend interrupt)
{
    *interrupt.set_pending = interrupt.bit;
}

PORT_INLINE void port_interrupt_priority(unsigned number, unsigned priority)
{
    PORT_NVIC_IPR[number] = (uint8_t)PORT_PRIORITY_BITS(priority);
}

PORT_INLINE void port_interrupt_enable(unsigned number)
{
    PORT_NVIC_ISER[number / 32] = 1u << number % 32;
}

/* ---- Cycles, for statistics ---- */

#define PORT_DEMCR      (*(volatile uint32_t *)0xE000EDFCu)
#define PORT_DWT_CTRL   (*(volatile uint32_t *)0xE0001000u)
#define PORT_DWT_CYCCNT (*(volatile uint32_t *)0xE0001004u)

/* Lets the core's cycle counter run (C1.6.5 TRCENA, C1.8.7 CYCCNTENA). */
PORT_INLINE void port_cycles_start(void)
{
    PORT_DEMCR |= 1u << 24;
    PORT_DWT_CTRL |= 1u;
}

/* Wraps at 2^32. It may stand still while the core sleeps. */
PORT_INLINE uint32_t port_cycles(void)
{
    return PORT_DWT_CYCCNT;
}

/* ---- Sleep ---- */

/*
 * To be called with PRIMASK set. An interrupt that is pending already, or
 * comes, ends the wait at once and stays pending until the mask is lifted, so
 * none is missed between a look for work and the sleep (B1.5.19).
 */
PORT_INLINE void port_wait_for_interrupt(void)
{
    __asm__ volatile("dsb\n\twfi\n\tisb" : : : "memory");
}

#endif
