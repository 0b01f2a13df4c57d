/*
 * Who called whom: unwinds the stack of the simulated core by the call frame
 * information of the ELF (.debug_frame), and through exceptions by the frames
 * that the core stacked (ARMv7-M B1.5.6).
 */
#ifndef EMULATOR_HOST_BACKTRACE_H
#define EMULATOR_HOST_BACKTRACE_H

#include "host/symbols.h"
#include "machine.h"

enum { BACKTRACE_MAX = 32 };

struct backtrace_frame {
    uint32_t pc;
    uint32_t place;   /* an address within the instruction concerned: before pc, if
                         pc is a return address */
    bool interrupted; /* by the exception whose handler is the frame before;
                         otherwise it called that */
    bool guessed;     /* there is no frame information: pc is what LR held */
};

/*
 * r are the registers at the innermost frame, of a machine that is not changed.
 * Returns the number of frames, at least 1.
 */
size_t backtrace_unwind(struct machine *m, struct symbols *symbols, const uint32_t r[16],
                        struct backtrace_frame frames[BACKTRACE_MAX]);
/* "#2 0x08001234 function (file.c:12)", and for an inlined one " in " its callers. */
void backtrace_describe(struct symbols *symbols, const struct backtrace_frame *frame, size_t index,
                        char *text, size_t size);

#endif
