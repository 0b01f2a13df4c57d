/*
 * Executed instructions by call stack. Interrupts stand at the root, beside
 * what they interrupted: each has its own tower.
 */
#ifndef EMULATOR_OBSERVE_PROFILE_H
#define EMULATOR_OBSERVE_PROFILE_H

#include <stdio.h>

#include "observe/calls.h"

struct profile_node {
    uint32_t function;
    uint32_t parent, child, sibling; /* indices; 0: none. Node 0 is the root. */
    uint64_t own;                    /* instructions executed in it, without its children's */
};

struct profile {
    const struct functions *functions;
    struct profile_node *nodes;
    size_t count, room;
    uint32_t stack[CALLS_ROOM + 1]; /* what is open */
    size_t depth;
    uint64_t counted; /* m->instructions that are in a node already */
    bool failed;      /* out of memory: incomplete */
};

/* Counts from m->instructions on. False: out of memory. */
bool profile_init(struct profile *p, const struct functions *functions, const struct machine *m)
    __attribute__((warn_unused_result));
void profile_free(struct profile *p);
struct call_listener profile_listener(struct profile *p);
/* Puts the instructions since the last change into their place. */
void profile_settle(struct profile *p, const struct machine *m);

/* The folded format: "caller;callee count", one line a stack, sorted. False: writing or memory failed. */
bool profile_write(const struct profile *p, FILE *file) __attribute__((warn_unused_result));

/* flamegraph.c: the same as a picture that stands alone; a click on a frame zooms. */
bool flamegraph_write(const struct profile *p, const char *title, FILE *file)
    __attribute__((warn_unused_result));

#endif
