/* The command line of the firmware as a process (docs/posix.md). */
#ifndef TARGET_POSIX_BOARD_OPTIONS_H
#define TARGET_POSIX_BOARD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "target/posix/impairment.h"

enum {
    OPTIONS_EVENTS = 32,
    OPTIONS_BAD_USE = 2, /* exit status, as of the virtual board */
};

/* A key that is pressed by itself. */
struct options_event {
    uint64_t at_us;
    char key;
};

struct options {
    const char *net;  /* linux_device.h, or peer */
    const char *pcap; /* NULL: no record */
    bool virtual_time;
    bool cable_out;
    bool seeded; /* random numbers from `seed`, not from the kernel */
    uint64_t seed;
    uint32_t instance; /* part of the unique id */
    uint64_t end_us;   /* UINT64_MAX: runs on */
    bool impaired;
    struct impairment_config impairment;
    struct options_event events[OPTIONS_EVENTS]; /* by time */
    unsigned event_count;
};

extern struct options options;

/* Fills `options` and the configuration; a mistake ends the process with one line that says what to write. */
void options_take(int argc, char **argv);

#endif
