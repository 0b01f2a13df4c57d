/* What a script, a key or a test does to the board from outside. */
#ifndef EMULATOR_HOST_ACTION_H
#define EMULATOR_HOST_ACTION_H

#include <stdbool.h>

enum action_kind {
    ACTION_NONE, /* a step that only waits */
    ACTION_CABLE_IN,
    ACTION_CABLE_OUT,
    ACTION_CABLE_TOGGLE,
    ACTION_BUTTON_DOWN,
    ACTION_BUTTON_UP,
    ACTION_BUTTON_PRESS, /* down, and up after 200 ms */
    ACTION_RESET,        /* the reset button: NRST */
    ACTION_POWER_CYCLE,
    ACTION_POWER_CUT,
    ACTION_POWER_ON,
    ACTION_INTERRUPT, /* makes the device interrupt `number` pending */
    ACTION_UART,      /* `text` and a newline come in at USART3, 115200 8N1 */
    ACTION_DROP,      /* frame `number` from now, in its direction … */
    ACTION_DUPLICATE,
    ACTION_CORRUPT,
    ACTION_DUMP,          /* the variable `text` as a line of the board's */
    ACTION_SAVE_SNAPSHOT, /* to the file `text` */
    ACTION_STOP,          /* ends the run with `status` */
    ACTION_PRINT,         /* `text` as a line of the board's */
};

struct action {
    enum action_kind kind;
    int status;
    unsigned number;
    bool outward;     /* a frame's direction: from the board */
    int byte;         /* the one that is corrupted; -1: the frame as a whole, so that its FCS is wrong */
    const char *text; /* owned by whoever made the action */
};

#endif
