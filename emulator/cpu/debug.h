/*
 * What a debugger asks of the core: to stop before an instruction at a
 * breakpoint, before one whose load or store touches a watched range, after a
 * step. The core is then as it would be without a debugger: nothing is patched
 * into memory, and no instruction or cycle is counted that would not be.
 *
 * While machine.debug is not NULL a BKPT instruction stops the core too, as
 * with halting debug (C1.6.1). The owner of a stopped core reads `reason`,
 * calls debug_resume, sets machine.stop to STOP_NONE and runs it again.
 */
#ifndef EMULATOR_CPU_DEBUG_H
#define EMULATOR_CPU_DEBUG_H

#include "cpu/access.h"
#include "machine.h"

enum debug_kind {
    DEBUG_BREAK,
    DEBUG_WATCH_WRITE,
    DEBUG_WATCH_READ,
    DEBUG_WATCH_ACCESS,
};

enum { DEBUG_POINTS = 256 };

struct debug_point {
    enum debug_kind kind;
    uint32_t address;
    uint32_t length; /* bytes watched; not looked at for DEBUG_BREAK */
};

enum debug_reason {
    DEBUG_ASKED, /* from outside */
    DEBUG_STEPPED,
    DEBUG_BREAKPOINT,
    DEBUG_WATCHPOINT,  /* `hit` is the point, `touched` where it will be accessed
                        */
    DEBUG_INSTRUCTION, /* BKPT */
    DEBUG_FAULT,       /* the first instruction of a fault's handler comes next:
                          `faults` asked for it */
};

struct debug {
    uint32_t faults;          /* exceptions at whose handler to stop: a bit for each
                                 number, the owner's */
    enum debug_reason reason; /* of the last stop */
    struct debug_point hit;
    uint32_t touched;

    struct debug_point points[DEBUG_POINTS];
    size_t count;
    size_t watches;
    uint64_t filter; /* a bit for each (address / 2) modulo 64 of a breakpoint */
    bool stepping;
    bool stepped;       /* the instruction to be stepped has been let through */
    bool resumed;       /* that at resume_pc has not been executed yet: no point stops
                           it again */
    uint32_t resume_pc; /* also that of the BKPT which stopped the core */
    unsigned depth;     /* active exceptions when the step began */
};

/* False: DEBUG_POINTS are set already. One that is set twice is there once. */
bool debug_set(struct debug *d, struct debug_point point) __attribute__((warn_unused_result));
void debug_clear(struct debug *d, struct debug_point point);
void debug_clear_all(struct debug *d);

/*
 * Before a stopped core runs again. A step is one instruction of the present
 * level: interrupts that come in between are served first, without stopping; a
 * fault or SVC stops at the handler's first instruction. A step ends sleep.
 */
void debug_resume(struct machine *m, bool step);
/* Stops the core at the next instruction boundary, if nothing else has. */
void debug_stop(struct machine *m, enum debug_reason reason);

/* ---- For the core ---- */

struct op;
/* The core must ask debug_stops before each instruction. */
bool debug_is_watchful(const struct debug *d);
/* True: machine.stop has been set. */
bool debug_stops(struct machine *m, const struct op *op);
const struct op *debug_breakpoint_instruction(struct machine *m);

#endif
