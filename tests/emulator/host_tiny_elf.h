/*
 * Small ELF files for tests of the virtual board's host side, made in memory: a
 * fixed program of 36 Thumb instructions that carries out a list of operations.
 */
#ifndef TESTS_EMULATOR_HOST_TINY_ELF_H
#define TESTS_EMULATOR_HOST_TINY_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/elf.h"

enum {
    TINY_OPERATIONS = 256,
    TINY_ELF_BYTES = 8192,
    TINY_RTT = 0x20000100,        /* the control block */
    TINY_RTT_BUFFER = 0x20000200, /* up-channel 0 */
    TINY_RTT_SIZE = 256,
    TINY_CODE = 0x08000200,
    TINY_STORE = TINY_CODE + 0x18, /* the instruction that tiny_store executes, in function "store" */
};

struct tiny_elf {
    uint8_t bytes[TINY_ELF_BYTES];
    size_t size;
    uint32_t operations[TINY_OPERATIONS][4];
    size_t count;
    uint32_t written; /* bytes logged so far */
    bool no_symbols;  /* set before tiny_finish: a stripped file */
};

void tiny_init(struct tiny_elf *t);
/* Operations, in their order. After the last the core sleeps for good. */
void tiny_store(struct tiny_elf *t, uint32_t address, uint32_t value);
void tiny_store_times(struct tiny_elf *t, uint32_t address, uint32_t value, uint32_t times);
void tiny_load(struct tiny_elf *t, uint32_t address);
void tiny_wait(struct tiny_elf *t, uint32_t address, uint32_t mask, uint32_t value);
void tiny_spin(struct tiny_elf *t);                     /* busy for ever */
void tiny_delay(struct tiny_elf *t, uint32_t rounds);   /* busy, about 4 cycles a round */
void tiny_exit(struct tiny_elf *t, uint32_t status);    /* semihosting SYS_EXIT_EXTENDED */
void tiny_naps(struct tiny_elf *t, uint32_t count);     /* WFI so often */
void tiny_systick(struct tiny_elf *t, uint32_t cycles); /* SysTick interrupts with this period */
void tiny_log(struct tiny_elf *t, const char *text); /* through RTT; the first also makes the control block */

/* Makes t->bytes and t->size. */
void tiny_finish(struct tiny_elf *t);
/* tiny_finish, and elf_open_memory, which must succeed. */
struct elf tiny_open(struct tiny_elf *t);
/* tiny_finish, and writes a file; its name is put into `path`, which the caller unlinks. */
void tiny_write(struct tiny_elf *t, char path[64]);

#endif
