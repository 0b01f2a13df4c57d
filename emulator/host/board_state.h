/* The virtual board's insides, shared by virtual_board.c, outside.c and act.c only. */
#ifndef EMULATOR_HOST_BOARD_STATE_H
#define EMULATOR_HOST_BOARD_STATE_H

#include "host/console.h"
#include "host/debugger.h"
#include "host/fault.h"
#include "host/keys.h"
#include "host/leds.h"
#include "host/pacing.h"
#include "host/recording.h"
#include "host/report.h"
#include "host/rtt.h"
#include "host/script.h"
#include "host/swo.h"
#include "host/symbols.h"
#include "host/virtual_board.h"
#include "host/wire.h"
#include "observe/observers.h"
#include "observe/race.h"

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
    struct swo swo;
    struct reports reports;
    struct leds leds;
    struct rtt rtt;
    bool rtt_damage_told;
    struct script script;
    struct keys keys;
    struct wire wire;
    struct debugger debugger;
    struct faults faults;
    struct virtual_board_listener listener;
    struct observers *observers; /* NULL: none */
    struct race *race;           /* NULL: not looked for */
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
    struct event uart;   /* the next character comes in */
    char uart_text[512]; /* … of this */
    size_t uart_length, uart_sent;
    bool cable_in;

    bool ended;
    int status;
    bool begun;           /* powered on */
    bool stopped_by_host; /* not by the machine itself */
    bool settled;
    bool power_off_due; /* to be done when machine_run has returned, this first */
    bool power_on_due;

    struct recorder *recorder; /* NULL: nothing is recorded */
    bool altered;              /* the recording has its mark */
    struct recording recording;
    bool replaying;
    size_t replayed;     /* entries of the recording that the machine has had */
    bool replay_ended;   /* its end was reached */
    struct event replay; /* the next entry is due, or the end */
    uint64_t inputs;     /* that the machine has had */

    const char *snapshot_due;    /* file to be written when machine_run has returned; NULL: none */
    struct event snapshot_retry; /* it was asked for in the middle of an instruction */

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

/* input.c */

/* Reads what --replay names and makes the options those of the recorded run; creates what --record names. */
bool board_input_open(struct virtual_board *b, char *error, size_t size) __attribute__((warn_unused_result));
void board_input_begin(struct virtual_board *b);
/* An input without bytes reaches the machine now. In a replay it does not: the recording has it. */
void board_input(struct virtual_board *b, enum input_kind kind, uint32_t value);
/* Someone writes into the machine, past the inputs: the recording gets a mark, once. */
void board_altered(struct virtual_board *b);
void board_drive_button(struct virtual_board *b, bool down);
void board_carry_out_power(struct virtual_board *b);
void board_settle(struct virtual_board *b);
/* The run is over: ends the recording, or compares with it. */
void board_input_end(struct virtual_board *b);

/* freeze.c */
void board_freeze_init(struct virtual_board *b);
void board_want_snapshot(struct virtual_board *b, const char *path);
/* Writes the snapshot that is due. */
void board_save_snapshot(struct virtual_board *b);
/* The one of --load-snapshot, instead of power-on. */
bool board_load_snapshot(struct virtual_board *b, char *error, size_t size)
    __attribute__((warn_unused_result));

/* act.c */
void board_act(struct virtual_board *b, const struct action *action);
void board_script_line(struct virtual_board *b, const char *line);
/* False: a step names what the ELF does not have. */
bool board_check_script(const struct virtual_board *b, char *error, size_t size)
    __attribute__((warn_unused_result));
void board_script_begin(struct virtual_board *b);
void board_act_init(struct virtual_board *b);

/* outside.c */
void board_outside_init(struct virtual_board *b);
vtime board_sleep(void *context, struct machine *m, vtime until);
uint64_t board_real_ns(void);
/* Serves the keys and the debugger until virtual time may go on. */
void board_wait_halted(struct virtual_board *b);

/* debug_board.c */
void board_debug_init(struct virtual_board *b);
bool board_debug_open(struct virtual_board *b, char *error, size_t size) __attribute__((warn_unused_result));
void board_debug_begin(struct virtual_board *b);
/* The machine has stopped. True: a debugger held it, and it goes on or is asked to end. */
bool board_debug_hold(struct virtual_board *b);
/* A client wants the run to end. */
void board_debug_check(struct virtual_board *b);

#endif
