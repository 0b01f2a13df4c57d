/* The virtual board's insides, shared by virtual_board.c, outside.c and act.c only. */
#ifndef EMULATOR_HOST_BOARD_STATE_H
#define EMULATOR_HOST_BOARD_STATE_H

#include "host/console.h"
#include "host/keys.h"
#include "host/leds.h"
#include "host/pacing.h"
#include "host/report.h"
#include "host/rtt.h"
#include "host/script.h"
#include "host/symbols.h"
#include "host/virtual_board.h"
#include "host/wire.h"

struct sleep_statistics {
    uint64_t sleeps; /* each ends in a wake-up */
    vtime asleep;
};

struct virtual_board {
    struct options options;
    struct machine *machine;
    struct elf elf;
    struct symbols *symbols;

    struct console console;
    struct line_buffer rtt_line;
    struct line_buffer uart_line;
    struct reports reports;
    struct leds leds;
    struct rtt rtt;
    bool rtt_damage_told;
    struct script script;
    struct keys keys;
    struct wire wire;
    struct virtual_board_listener listener;
    const volatile sig_atomic_t *interrupted;

    struct pacing pacing;
    bool real_pace;
    uint64_t started_ns;          /* real */
    uint64_t waited_ns;           /* real, in which nothing was run */
    uint64_t asleep_instructions; /* the count when the core last fell asleep */
    vtime served_at;              /* when the outside was served last */
    struct sleep_statistics sleep;

    struct event tick;   /* the core is busy: look outside all the same */
    struct event input;  /* something came while the core slept */
    struct event step;   /* the script's next step */
    struct event button; /* a press ends */
    bool cable_in;

    bool ended;
    int status;
    bool power_cycle;    /* to be done when machine_run has returned */
    const char *awaited; /* the text virtual_board_run_until_line waits for */
    bool awaited_seen;
    char line[CONSOLE_LINE_MAX + 1];
};

/* virtual_board.c: ends the run, the first reason stays. */
void board_end(struct virtual_board *b, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* virtual_board.c: makes machine_run return. */
void board_halt(struct virtual_board *b);
/* virtual_board.c: takes what the firmware has logged so far. */
void board_drain_log(struct virtual_board *b);

/* act.c */
void board_act(struct virtual_board *b, const struct action *action);
void board_script_line(struct virtual_board *b, const char *line);
void board_script_begin(struct virtual_board *b);
void board_act_init(struct virtual_board *b);

/* outside.c */
void board_outside_init(struct virtual_board *b);
vtime board_sleep(void *context, struct machine *m, vtime until);
uint64_t board_real_ns(void);

#endif
