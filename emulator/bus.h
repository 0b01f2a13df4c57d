/*
 * The bus matrix as the bus masters see it (RM0090 2.1). The CPU reads flash,
 * SRAM and CCM directly and comes here for everything else.
 */
#ifndef EMULATOR_BUS_H
#define EMULATOR_BUS_H

#include "machine.h"

/* False: the access ends in a bus error, and has been reported with the pc. `bytes` is 1, 2 or 4, address
 * aligned to it. */
bool bus_read(struct machine *m, uint32_t address, unsigned bytes, uint32_t *value);
bool bus_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value);

/*
 * Memory as the Ethernet DMA sees it: SRAM1-3 and flash (read only); CCM, registers and the unmapped are a
 * bus error (NULL). The pointer covers `length` bytes. A writer calls cpu_code_written afterwards.
 */
uint8_t *bus_dma(struct machine *m, uint32_t address, size_t length, bool write);

/*
 * The core's fetches from flash, which it does by itself. flash_fetch: before
 * it runs an instruction that it has not decoded since its bank became busy
 * (that makes it forget); it then waits at the next instruction boundary.
 * flash_time_fetch: before each instruction while m->bus.flash_timing is set;
 * adds to m->cycles what the fetch waits.
 */
void flash_fetch(struct machine *m, uint32_t address);
void flash_time_fetch(struct machine *m, uint32_t address);

#endif
