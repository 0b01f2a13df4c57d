/*
 * The command line as a value. Strings point into argv, which must outlive it.
 */
#ifndef EMULATOR_HOST_OPTIONS_H
#define EMULATOR_HOST_OPTIONS_H

#include "machine.h"

/* What the program ends with; README and --help say the same. */
enum exit_code {
    EXIT_AS_ASKED = 0,
    EXIT_FAILED = 1,     /* --fail-on text, a script's expectation, or --until text never seen */
    EXIT_BAD_USE = 2,    /* options, files, network */
    EXIT_UNFAITHFUL = 3, /* error report, lock-up, or a warning under --strict */
    EXIT_TIMEOUT = 4,
};

enum leds_shown {
    LEDS_NONE,
    LEDS_STEADY, /* LD1 and LD3 as lines; LD2, which follows the traffic, is counted */
    LEDS_ALL,
};

enum choice {
    CHOICE_DEFAULT,
    CHOICE_YES,
    CHOICE_NO,
};

enum pace {
    PACE_DEFAULT, /* real with a network, fast without */
    PACE_REAL,
    PACE_FAST,
};

struct options {
    const char *firmware;
    const char *network;       /* slirp[:…], tap:NAME, socket:PATH, none */
    const char *pcap;          /* NULL: none */
    const char *itm;           /* a file, or "-"; NULL: not shown */
    const char *script;        /* NULL: none */
    const char *record;        /* NULL: none */
    const char *replay;        /* NULL: none */
    const char *save_snapshot; /* at the end; NULL: none */
    const char *load_snapshot; /* instead of power-on; NULL: none */
    const char *profile;       /* NULL: none */
    const char *coverage;      /* NULL: none */
    const char *trace;         /* NULL: none */
    const char *trace_filter;  /* NULL: everything */
    const char *timeline;      /* NULL: none */
    const char *until;         /* NULL: none */
    const char *fail_on;       /* NULL: none */
    enum leds_shown leds;
    enum choice keys; /* default: when standard input is a terminal */
    enum pace pace;
    bool rtt;
    bool cable_in;
    bool button_down;
    bool gdb;
    unsigned gdb_port; /* 0: any that is free */
    bool gdb_wait;
    bool hash;
    bool stats;
    bool strict;
    bool races; /* look for them; the default */
    bool help;
    bool version;
    vtime timeout;      /* virtual; VTIME_NEVER: none */
    vtime timeout_real; /* of the host's clock; VTIME_NEVER: none */
    uint64_t seed;
    bool flash_timing;
    bool lsi_random; /* by the seed */
    uint32_t lsi_hz;
};

struct options options_default(void);

/*
 * False: `error` holds one line that says what is wrong and what is accepted.
 * With --help or --version the rest of the line is not required to make sense.
 */
bool options_parse(struct options *options, int argc, char *const *argv, char *error, size_t error_size)
    __attribute__((warn_unused_result));

/* The text of --help. */
extern const char options_help[];

#endif
