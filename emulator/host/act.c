/* What is done to the board: actions, and the script that asks for them. */
#include "host/board_state.h"

enum {
    BUTTON_PORT = 2, /* B1 is PC13, active high (UM1974 6.6) */
    BUTTON_PIN = 13,
};

#define BUTTON_PRESS VTIME_MS(200)

static void set_button(struct virtual_board *b, bool down)
{
    event_cancel(b->machine, &b->button);
    gpio_drive(b->machine, BUTTON_PORT, BUTTON_PIN, down);
    console_remark(&b->console, machine_now(b->machine), COLOUR_PLAIN, "button %s", down ? "down" : "up");
}

static void release_button(struct machine *m, void *context)
{
    (void)m;
    set_button(context, false);
}

static void set_cable(struct virtual_board *b, bool plugged)
{
    b->cable_in = plugged;
    ethernet_cable(b->machine, plugged);
    console_remark(&b->console, machine_now(b->machine), COLOUR_PLAIN, "cable %s", plugged ? "in" : "out");
}

void board_act(struct virtual_board *b, const struct action *action)
{
    vtime now = machine_now(b->machine);
    switch (action->kind) {
    case ACTION_CABLE_IN: set_cable(b, true); break;
    case ACTION_CABLE_OUT: set_cable(b, false); break;
    case ACTION_CABLE_TOGGLE: set_cable(b, !b->cable_in); break;
    case ACTION_BUTTON_DOWN: set_button(b, true); break;
    case ACTION_BUTTON_UP: set_button(b, false); break;
    case ACTION_BUTTON_PRESS:
        set_button(b, true);
        event_at(b->machine, &b->button, now + BUTTON_PRESS);
        break;
    case ACTION_RESET:
        console_remark(&b->console, now, COLOUR_PLAIN, "reset");
        machine_request_reset(b->machine, RESET_PIN);
        break;
    case ACTION_POWER_CYCLE:
        console_remark(&b->console, now, COLOUR_PLAIN, "power off and on");
        b->power_cycle = true;
        board_halt(b);
        break;
    case ACTION_STOP: board_end(b, action->status, "stopped"); break;
    case ACTION_PRINT: console_remark(&b->console, now, COLOUR_PLAIN, "%s", action->text); break;
    }
}

static void arm_step(struct virtual_board *b)
{
    event_cancel(b->machine, &b->step);
    if (b->script.due != VTIME_NEVER) {
        event_at(b->machine, &b->step, b->script.due);
    }
}

static void step_due(struct machine *m, void *context)
{
    struct virtual_board *b = context;
    struct action action;
    enum script_result result = SCRIPT_WAIT;
    while (!b->ended && (result = script_due(&b->script, machine_now(m), &action)) == SCRIPT_ACT) {
        board_act(b, &action);
    }
    if (result == SCRIPT_EXPIRED) {
        const struct script_step *step = &b->script.steps[b->script.next];
        board_end(b, EXIT_FAILED, "%s:%u: no log line with \"%s\" came within %.6g s", b->options.script,
                  step->line, step->text, (double)step->within / (double)VTIME_S(1));
    } else if (!b->ended) {
        arm_step(b);
    }
}

void board_script_line(struct virtual_board *b, const char *line)
{
    if (script_line(&b->script, line, machine_now(b->machine))) {
        arm_step(b);
    }
}

void board_script_begin(struct virtual_board *b)
{
    script_begin(&b->script, machine_now(b->machine));
    arm_step(b);
}

/* The board as it stands on the table: cable and button as the options say, which is not worth a line. */
void board_act_init(struct virtual_board *b)
{
    b->button = (struct event){.name = "button", .fire = release_button, .context = b};
    b->step = (struct event){.name = "script", .fire = step_due, .context = b};
    b->cable_in = b->options.cable_in;
    gpio_drive(b->machine, BUTTON_PORT, BUTTON_PIN, b->options.button_down);
    ethernet_cable(b->machine, b->cable_in);
}
