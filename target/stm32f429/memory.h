/* The memory map as the linker script lays it out, and how deep the stack has been. */
#ifndef STM32F429_MEMORY_H
#define STM32F429_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* The stack lies at the very start of SRAM: an overflow faults instead of changing data. */
extern uint32_t stack_start[];
extern uint32_t stack_end[];

/* Memory that the Ethernet DMA reads and writes: zeroed at reset like .bss, in SRAM1-3 (asserted at link
 * time). */
#define DMA_MEMORY __attribute__((section(".dma"), aligned(16)))

enum { STACK_PAINT = 0x57AC57AC };

/* How many bytes of the stack were never touched since reset. From anywhere; reads up to the whole stack. */
size_t stack_unused_bytes(void);

#endif
