/* The memory map as the linker script lays it out, and how deep the stack has been. */
#ifndef STM32F429_MEMORY_H
#define STM32F429_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * The stack lies at the very start of SRAM, and below it nothing that the
 * program uses: 32 KB there are a region of the MPU without any access. So an
 * overflow faults before it changes anything, even when the frame that
 * overflows is large and written from its far end.
 */
extern uint32_t stack_start[];
extern uint32_t stack_end[];

enum { STACK_GUARD_BITS = 15 }; /* 0x1FFF8000: above the unique id, below SRAM */

/* Memory that the Ethernet DMA reads and writes: zeroed at reset like .bss, in SRAM1-3 (asserted at link
 * time). */
#define DMA_MEMORY __attribute__((section(".dma"), aligned(16)))

enum { STACK_PAINT = 0x57AC57AC };

/* How many bytes of the stack were never touched since reset. From anywhere; reads up to the whole stack. */
size_t stack_unused_bytes(void);

#endif
