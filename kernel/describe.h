/*
 * What KERNEL_DEFINE writes down of the table, for tools that read the ELF: the
 * virtual board's race detection and timeline. The section .kernel_table holds
 * one entry a line of the table. The linker scripts keep it in the file and out
 * of the image (INFO), so it costs no flash and no RAM.
 *
 * Resources and bodies are found in the symbol table, as kernel_resource_NAME
 * and kernel_run_NAME: an address in here would be a use of them, which the
 * optimiser would have to respect.
 */
#ifndef KERNEL_DESCRIBE_H
#define KERNEL_DESCRIBE_H

#include <stdint.h>

#define KERNEL_TABLE_SECTION ".kernel_table"

enum kernel_described_as {
    KERNEL_DESCRIBED_HARDWARE = 1, /* a task and its interrupt */
    KERNEL_DESCRIBED_SOFTWARE,     /* a task; its dispatcher is that of its priority */
    KERNEL_DESCRIBED_DISPATCHER,
    KERNEL_DESCRIBED_TIMER,
    KERNEL_DESCRIBED_RESOURCE, /* in RESOURCES */
    KERNEL_DESCRIBED_LOCAL,
    KERNEL_DESCRIBED_READ_ONLY,
    KERNEL_DESCRIBED_LOCK_FREE,
    KERNEL_DESCRIBED_TRACE, /* the program tells of its tasks through the ITM: kernel/trace_itm.h */
};

/* Little-endian, at multiples of 4. */
struct kernel_described {
    uint32_t bytes;    /* of the entry, its name and padding included */
    uint32_t as;       /* enum kernel_described_as */
    uint32_t number;   /* enum kernel_task_number or kernel_resource_number */
    uint32_t priority; /* 1 to 16; of a resource the ceiling, with 0 for what only idle uses */
    uint32_t detail;   /* the interrupt's number; of a resource its users, a bit for each task's number */
    /* char name[]: ends in NUL */
};

#endif
