/*
 * The machine as a debugger sees it: registers by number, memory by address.
 * For a machine that is stopped; not from within cpu_run.
 */
#ifndef EMULATOR_HOST_GDB_VIEW_H
#define EMULATOR_HOST_GDB_VIEW_H

#include "machine.h"

enum {
    VIEW_PC = 15,
    VIEW_XPSR = 16,
    VIEW_D0 = 17,
    VIEW_FPSCR = 33,
    VIEW_MSP = 34,
    VIEW_PSP,
    VIEW_PRIMASK,
    VIEW_BASEPRI,
    VIEW_FAULTMASK,
    VIEW_CONTROL,
    VIEW_REGISTERS,
};

struct view_register {
    const char *name;
    unsigned bytes; /* 1, 4 or 8 */
    const char *type;
    const char *feature; /* of GDB's standard target features (GDB manual G.5.3) */
    const char *extra;   /* attributes */
};

/* NULL: there is none of that number. */
const struct view_register *view_register(unsigned number);
/* -1: there is none of that name. */
int view_register_number(const char *name);
uint64_t view_read_register(const struct machine *m, unsigned number);
void view_write_register(struct machine *m, unsigned number, uint64_t value);

/*
 * Memory, registers of peripherals and of the core. Reading leaves no trace:
 * what the machine would do because of it is taken back. Returns how many bytes
 * could be read before an address where nothing answers.
 */
size_t view_read(struct machine *m, uint32_t address, uint8_t *bytes, size_t length);
/* Writing is as a store of the core, with all its effects, but flash is written
 * as a loader does. */
bool view_write(struct machine *m, uint32_t address, const uint8_t *bytes, size_t length)
    __attribute__((warn_unused_result));

/* Documents that GDB asks for, malloc'd. NULL: out of memory. */
char *view_target_xml(void);
char *view_memory_map_xml(void);

#endif
