/*
 * One GDB client's session (GDB's remote serial protocol): bytes in, bytes out,
 * and the machine in between. It knows no socket and no clock.
 *
 * Every byte is hostile: whatever comes, the answer is an error or none, and
 * the session goes on. The machine runs only between two calls, by its owner:
 *
 *   gdb_mode says GDB_RUNNING: run the machine; when it has stopped,
 * gdb_stopped GDB_HALTED: virtual time stands still until bytes have changed
 * the mode
 */
#ifndef EMULATOR_HOST_GDB_H
#define EMULATOR_HOST_GDB_H

#include "cpu/debug.h"
#include "host/action.h"
#include "machine.h"

enum gdb_mode {
    GDB_HALTED,
    GDB_RUNNING,
    GDB_EXITED,   /* the program ended and the client knows */
    GDB_DETACHED, /* the client wants no more, and the machine runs on */
    GDB_KILLED,   /* the client wants the run to end */
};

struct gdb_owner {
    void *context;
    /* Does something to the board; resets have happened when it returns. NULL:
     * nothing can be done. */
    void (*act)(void *context, const struct action *action);
    /* The client has changed the machine: memory, registers, sleep. NULL: does
     * not matter. */
    void (*altered)(void *context);
};

struct gdb;

/* Attaches to a machine, which is halted from now on. NULL: out of memory. */
struct gdb *gdb_create(struct machine *m, const struct gdb_owner *owner) __attribute__((warn_unused_result));
/* Detaches: breakpoints are gone, a machine that was halted by the debugger can
 * run. NULL is allowed. */
void gdb_destroy(struct gdb *g);

/*
 * Takes what the client sent. Returns how many bytes it has used: fewer than
 * `length` when answers must be sent before more are made.
 */
size_t gdb_receive(struct gdb *g, const uint8_t *bytes, size_t length) __attribute__((warn_unused_result));
/* What is to be sent, valid until the next call. */
const uint8_t *gdb_output(const struct gdb *g, size_t *length);
void gdb_output_sent(struct gdb *g, size_t length);

enum gdb_mode gdb_mode(const struct gdb *g);
/* machine.stop is no longer STOP_NONE: the client learns why, if it waits for
 * it. */
void gdb_stopped(struct gdb *g);
/* The run has ended with this status. */
void gdb_ended(struct gdb *g, int status);

#endif
