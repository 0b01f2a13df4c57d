/* A program for the virtual board, run one instruction at a time. */
#ifndef TESTS_KERNEL_HOST_STEPPER_H
#define TESTS_KERNEL_HOST_STEPPER_H

#include "host/virtual_board.h"

enum { STEPPER_LINE = 128 };

struct stepper {
    struct elf elf; /* for symbols; the board has its own copy */
    struct virtual_board *board;
    struct machine *machine;
    char line[STEPPER_LINE]; /* the last "not ok ..." that the program printed, or "" */
    char typed[STEPPER_LINE];
    size_t typed_length;
};

/* Powers a board on with the program. Prints why and ends the process when that is not possible. */
void stepper_open(struct stepper *stepper, const char *path);
void stepper_close(struct stepper *stepper);

/* The same program from power-on again: cheaper than to open it anew. */
void stepper_restart(struct stepper *stepper);

/* Executes one instruction; sleeps through to the next one. False: the program has ended. */
bool stepper_step(struct stepper *stepper);
/* The address of the instruction to be executed next, unless an exception comes before. */
uint32_t stepper_pc(const struct stepper *stepper);
/* Makes an interrupt pending before the next instruction. */
void stepper_pend(struct stepper *stepper, unsigned irq);

/* A symbol's address. Ends the process when there is none. */
uint32_t stepper_symbol(const struct stepper *stepper, const char *name);
/* A word of SRAM. */
uint32_t stepper_word(const struct stepper *stepper, uint32_t address);

#endif
