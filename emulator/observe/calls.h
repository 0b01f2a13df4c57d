/*
 * A shadow of the call stack, from branches with link, returns and exceptions.
 *
 * It is told of each instruction and tells its listeners which functions and
 * exceptions begin and end, properly nested. A jump into another function is a
 * tail call: the one ends, the other begins.
 */
#ifndef EMULATOR_OBSERVE_CALLS_H
#define EMULATOR_OBSERVE_CALLS_H

#include "cpu/observer.h"
#include "observe/functions.h"

enum {
    CALLS_DEPTH = 256, /* frames told of; deeper calls count as their caller */
    CALLS_ROOM = 320,  /* exceptions always find room */
    CALLS_LISTENERS = 4,
};

struct call_listener {
    void *context;
    /* Function `index` begins, or goes on as a tail call. */
    void (*begin)(void *context, struct machine *m, size_t function);
    void (*end)(void *context, struct machine *m, size_t function);
    /* An exception's handler begins (its function is told of next) and ends. */
    void (*entered)(void *context, struct machine *m, unsigned exception);
    void (*left)(void *context, struct machine *m, unsigned exception);
};

struct call_frame {
    uint32_t return_address; /* of a function called */
    uint32_t function;
    uint32_t exception; /* not 0: the frame of an exception, with its function's above it */
};

struct calls {
    const struct functions *functions;
    struct call_frame frames[CALLS_ROOM];
    size_t depth;
    size_t beyond;        /* calls deeper than that */
    uint64_t switched_at; /* instruction count at the last exception's entry or end */
    struct call_listener listeners[CALLS_LISTENERS];
    size_t listener_count;
};

void calls_init(struct calls *calls, const struct functions *functions);
void calls_listen(struct calls *calls, const struct call_listener *listener);

/* What the CPU's observer is told. */
void calls_executed(struct calls *calls, struct machine *m, const struct op *op, const struct op *next);
void calls_entered(struct calls *calls, struct machine *m, unsigned exception, uint32_t handler);
void calls_left(struct calls *calls, struct machine *m);
void calls_reset(struct calls *calls, struct machine *m, uint32_t start);
/* Ends all that is open. */
void calls_finish(struct calls *calls, struct machine *m);

#endif
