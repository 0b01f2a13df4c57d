/* What a script, a key or a test does to the board from outside. */
#ifndef EMULATOR_HOST_ACTION_H
#define EMULATOR_HOST_ACTION_H

enum action_kind {
    ACTION_CABLE_IN,
    ACTION_CABLE_OUT,
    ACTION_CABLE_TOGGLE,
    ACTION_BUTTON_DOWN,
    ACTION_BUTTON_UP,
    ACTION_BUTTON_PRESS, /* down, and up after 200 ms */
    ACTION_RESET,        /* the reset button: NRST */
    ACTION_POWER_CYCLE,
    ACTION_STOP,  /* ends the run with `status` */
    ACTION_PRINT, /* `text` as a line of the board's */
};

struct action {
    enum action_kind kind;
    int status;
    const char *text; /* owned by whoever made the action */
};

#endif
