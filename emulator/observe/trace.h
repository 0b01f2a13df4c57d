/*
 * A log of functions, interrupts and register accesses, in virtual time.
 *
 *   0.001813412 > eth_start                    a function begins, < ends
 *   0.001813502   write ETH_DMAOMR = 0x00202002
 *   0.001813555 ! interrupt 61                 an exception begins, ~ ends
 *
 * The filter is a list of items between commas; the last that fits decides:
 *
 *   functions, interrupts, registers   all of a kind
 *   PATTERN                            functions and registers whose name fits; * and ? as in a shell
 *   -ITEM                              not these
 */
#ifndef EMULATOR_OBSERVE_TRACE_H
#define EMULATOR_OBSERVE_TRACE_H

#include <stdio.h>

#include "observe/calls.h"

enum { TRACE_ITEMS = 64 };

struct trace {
    const struct functions *functions;
    FILE *file;
    char *filter; /* the items point into it */
    const char *items[TRACE_ITEMS];
    size_t item_count;
    uint8_t *wanted; /* by function */
    unsigned depth;
    bool interrupts;
    bool registers; /* some may be wanted */
};

/* `filter` NULL: everything. `file` stays the caller's. False: `error` says what the filter may be. */
bool trace_init(struct trace *t, const struct functions *functions, const char *filter, FILE *file,
                char *error, size_t error_size) __attribute__((warn_unused_result));
void trace_free(struct trace *t);
struct call_listener trace_listener(struct trace *t);
void trace_accessed(struct trace *t, struct machine *m, uint32_t address, unsigned bytes, bool write,
                    uint32_t value);

#endif
