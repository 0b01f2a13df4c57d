/*
 * Finds accesses to the kernel's resources that break its rules (docs/kernel.md):
 * while another user could interrupt, by a task that is no user, to a read-only
 * one after INIT. Each ends the run by an error report that names both tasks.
 *
 * Looked at are loads and stores of the core, from the end of INIT on; not the
 * DMA's, the debugger's, nor a fault handler's loads. A run is the same with
 * and without.
 */
#ifndef EMULATOR_OBSERVE_RACE_H
#define EMULATOR_OBSERVE_RACE_H

#include "host/elf.h"
#include "host/symbols.h"

struct race;

/*
 * Begins to look, before power-on. *race is NULL when the ELF has no kernel's
 * table or no resource in SRAM. False: out of memory. ELF and symbols must outlive
 * it, it the machine's last run.
 */
bool race_open(struct race **race, const struct elf *elf, struct symbols *symbols, struct machine *m)
    __attribute__((warn_unused_result));
void race_close(struct race *race, struct machine *m); /* NULL is allowed */

#endif
