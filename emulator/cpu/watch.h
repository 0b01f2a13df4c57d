/*
 * Watching who touches which bytes of SRAM. The owner gives each byte a class
 * and says, whenever the execution priority or the exception may have changed,
 * which classes the program must not load or store now. What lies below the
 * first of them is reached as quickly as without a watch; nothing is looked at
 * while no class is denied. The machine's state stays the same with and without.
 */
#ifndef EMULATOR_CPU_WATCH_H
#define EMULATOR_CPU_WATCH_H

#include "machine.h"

enum { WATCH_LOAD, WATCH_STORE, WATCH_ACCESSES };

struct cpu_watch {
    void *context;
    const uint8_t *classes; /* one a byte of SRAM, below 64; 0: never denied */
    /* Set by `changed`. */
    uint64_t denied[WATCH_ACCESSES];       /* a bit for each class */
    uint32_t direct_bytes[WATCH_ACCESSES]; /* of SRAM, from its start, with nothing denied */
    /* Execution priority, masks or exception may be others than they were. */
    void (*changed)(void *context, struct machine *m);
    /* The core was reset, or its state replaced; `changed` follows. */
    void (*reset)(void *context);
    /* The instruction at m->cpu.r[15] makes an access to a byte at `address` that is denied. */
    void (*touched)(void *context, struct machine *m, uint32_t address, bool write);

    const uint32_t *entries; /* ascending: the first instructions of functions to be told of */
    size_t entry_count;
    /* Such an instruction is about to be executed. */
    void (*entered)(void *context, struct machine *m, uint32_t pc);
};

/* From here on; NULL: nobody watches. It must stay valid. Not from within cpu_run. */
void cpu_set_watch(struct machine *m, struct cpu_watch *watch);

#endif
