/*
 * The virtual board as a program or a test uses it: the machine with its LEDs,
 * log, button, cable, network, script and keys. The command line (main.c) is a
 * thin layer over this.
 *
 *   struct options o = options_default();
 *   o.firmware = "firmware.elf";
 *   o.network = "none";
 *   struct virtual_board *board = virtual_board_open(&o, NULL, error, sizeof error);
 *   bool up = virtual_board_run_until_line(board, "link up", VTIME_S(5));
 *   virtual_board_close(board);
 *
 * With network none, no keys and the same seed, two runs are the same to the
 * bit. Not thread-safe; several boards may live in one process.
 */
#ifndef EMULATOR_HOST_VIRTUAL_BOARD_H
#define EMULATOR_HOST_VIRTUAL_BOARD_H

#include <signal.h>
#include <stdio.h>

#include "host/action.h"
#include "host/elf.h"
#include "host/options.h"

struct virtual_board;

enum { VIRTUAL_BOARD_ERROR = 512 }; /* room for an error line */

/*
 * Loads options->firmware, opens network, capture and script, powers the board
 * on. `out` gets all lines (NULL: silent) and stays the caller's; options'
 * strings must outlive the board. NULL: `error` is one line for the user.
 */
struct virtual_board *virtual_board_open(const struct options *options, FILE *out, char *error,
                                         size_t error_size) __attribute__((warn_unused_result));
/* The same with an ELF that is open already; it is the board's from here on, whatever the result. */
struct virtual_board *virtual_board_open_elf(const struct options *options, struct elf elf, FILE *out,
                                             char *error, size_t error_size)
    __attribute__((warn_unused_result));
void virtual_board_close(struct virtual_board *board); /* NULL is allowed */

struct machine *virtual_board_machine(struct virtual_board *board);
/*
 * The caller is about to write into the machine by itself. A recording cannot
 * hold that: it gets a mark, and its replay says where it departs.
 */
void virtual_board_note_change(struct virtual_board *board);

/* Runs until virtual time `until` or the end of the run. False: the run has ended, see virtual_board_status.
 */
bool virtual_board_run(struct virtual_board *board, vtime until);
/* Runs until a log line contains `text`, at most `timeout` from now. True: it came. The run can go on after
 * it. */
bool virtual_board_run_until_line(struct virtual_board *board, const char *text, vtime timeout);
/* The log line that matched last, valid until the board runs again; "" at first. */
const char *virtual_board_line(const struct virtual_board *board);
/* From outside, between runs. */
void virtual_board_act(struct virtual_board *board, const struct action *action);

/* Runs to the end that the options ask for and prints what they ask for at the end. Returns the exit status.
 */
int virtual_board_run_to_end(struct virtual_board *board);
/* The exit status of a run that has ended. */
int virtual_board_status(const struct virtual_board *board);
/* Looked at often; once it is not zero the run ends as by the key q. For signal handlers. */
void virtual_board_watch(struct virtual_board *board, const volatile sig_atomic_t *interrupted);
/* Remarks in colour; for a terminal. */
void virtual_board_colour(struct virtual_board *board, bool colour);

/* Everything that the firmware logged is also handed to `line`, everything that it sent to `frame`. Either
 * may be NULL. */
struct virtual_board_listener {
    void *context;
    void (*line)(void *context, const char *line);
    void (*frame)(void *context, const uint8_t *frame, size_t length);
};
void virtual_board_listen(struct virtual_board *board, const struct virtual_board_listener *listener);

#endif
