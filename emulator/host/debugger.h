/* The door for GDB: a TCP port on 127.0.0.1, one client at a time, and the
 * board held while that wants it. */
#ifndef EMULATOR_HOST_DEBUGGER_H
#define EMULATOR_HOST_DEBUGGER_H

#include <poll.h>

#include "host/gdb.h"

enum { DEBUGGER_POLLFDS = 2, DEBUGGER_INPUT = 4096 };

struct debugger {
    int listener; /* -1: none */
    int client;   /* -1: none */
    bool waiting; /* --gdb-wait, and nobody has come yet */
    struct machine *machine;
    struct gdb_owner owner;
    struct gdb *gdb; /* NULL: no client */
    uint8_t input[DEBUGGER_INPUT];
    size_t input_used; /* of input_length, handled already */
    size_t input_length;
};

/* Nothing is opened yet; debugger_close is allowed. */
void debugger_init(struct debugger *d, struct machine *m, const struct gdb_owner *owner);
/* Port 0: any that is free. Returns the port; -1: `error` is a line for the
 * user. */
int debugger_listen(struct debugger *d, unsigned port, char *error, size_t size)
    __attribute__((warn_unused_result));
/* The run has ended with `status`: tells the client. */
void debugger_close(struct debugger *d, int status);

bool debugger_is_open(const struct debugger *d);
/* Virtual time must stand still. */
bool debugger_holds(const struct debugger *d);
/* The client wants the run to end. */
bool debugger_kills(const struct debugger *d);
/* machine.stop is not STOP_NONE any more. */
void debugger_stopped(struct debugger *d);

/* What to poll for: returns how many. */
size_t debugger_fill(const struct debugger *d, struct pollfd *fds);
/* After poll(2), fds as debugger_fill left them. */
void debugger_dispatch(struct debugger *d, const struct pollfd *fds, size_t count);

#endif
