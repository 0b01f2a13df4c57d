/*
 * Scripts: what happens to the board, step after step.
 *
 *   # the cable is pulled for a second, then the button is pressed
 *   at 2.5s cable out
 *   at +1s cable in
 *   on "mqtt: connected" within 10s button press
 *   on "button" after 100ms stop 0
 *
 * One step a line, carried out in their order: a step is looked at when the one
 * before it is done.
 *
 *   at TIME ACTION       at a virtual time since power-on; at once if it is past
 *   at +DELAY ACTION     that long after the step before
 *   on "TEXT" [within LIMIT] [after DELAY] ACTION
 *                        after the next log line that contains TEXT; without
 *                        such a line within LIMIT the run ends with status 1
 *
 *   ACTION               when the step before is done
 *   expect "TEXT" within LIMIT
 *                        the same without an action
 *
 * docs/scripts.md lists the actions.
 *
 * Times are decimal with a unit: 2.5s, 100ms, 20us. In a TEXT, \" and \\ stand
 * for " and \. `#` begins a comment.
 *
 * The runner knows no clock and does nothing itself: it says what is due.
 */
#ifndef EMULATOR_HOST_SCRIPT_H
#define EMULATOR_HOST_SCRIPT_H

#include "host/action.h"
#include "machine.h"

enum script_trigger {
    TRIGGER_AT,    /* `time` since power-on */
    TRIGGER_DELAY, /* `time` since the step before */
    TRIGGER_LINE,  /* a line with `text` */
};

struct script_step {
    enum script_trigger trigger;
    vtime time;
    const char *text;
    vtime within; /* VTIME_NEVER: no limit */
    vtime after;
    struct action action;
    unsigned line; /* in the file */
};

struct script {
    char *source; /* the texts of the steps point into it */
    struct script_step *steps;
    size_t count;
    size_t next;  /* the step that is waited for; count: all done */
    bool matched; /* its line was seen, its delay runs */
    vtime due;    /* when the step is carried out, or a wait for a line given up; VTIME_NEVER: neither */
};

enum script_result {
    SCRIPT_WAIT,    /* nothing is due */
    SCRIPT_ACT,     /* carry out *action */
    SCRIPT_EXPIRED, /* the line that was waited for did not come in time: steps[next] */
};

/* False: `error` is "NAME:LINE: what is wrong and what is accepted". `name` stands in messages only. */
bool script_parse(struct script *s, const char *name, const char *source, char *error, size_t error_size)
    __attribute__((warn_unused_result));
/* The same from a file. */
bool script_open(struct script *s, const char *path, char *error, size_t error_size)
    __attribute__((warn_unused_result));
void script_close(struct script *s);

/* Begins with the first step at virtual time `now`. s->due is valid from here on. */
void script_begin(struct script *s, vtime now);
/* A line of log came. True: it was the one waited for, s->due has changed. */
bool script_line(struct script *s, const char *line, vtime now);
/* What is due at `now`; to be asked until it answers SCRIPT_WAIT. An action's strings live as long as the
 * script. */
enum script_result script_due(struct script *s, vtime now, struct action *action);

#endif
