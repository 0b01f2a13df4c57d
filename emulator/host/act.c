/* What is done to the board: actions, and the script that asks for them. */
#include <string.h>

#include "host/board_state.h"
#include "observe/variables.h"

#define BUTTON_PRESS VTIME_MS(200)

static void set_button(struct virtual_board *b, bool down)
{
    event_cancel(b->machine, &b->button);
    board_input(b, INPUT_BUTTON, down);
}

static void release_button(struct machine *m, void *context)
{
    (void)m;
    set_button(context, false);
}

static void press_button(struct virtual_board *b)
{
    set_button(b, true);
    event_at(b->machine, &b->button, machine_now(b->machine) + BUTTON_PRESS);
}

/* ---- UART ---- */

/* The host's text goes to USART3 at the speed of 115200 8N1, whatever the firmware has set. */
#define CHARACTER_TIME (VTIME_S(10) / 115200)

static void character_due(struct machine *m, void *context)
{
    struct virtual_board *b = context;
    board_input(b, INPUT_UART, (uint8_t)b->uart_text[b->uart_sent++]);
    if (b->uart_sent < b->uart_length) {
        event_at(m, &b->uart, machine_now(m) + CHARACTER_TIME);
    } else {
        b->uart_sent = b->uart_length = 0;
    }
}

static void send_text(struct virtual_board *b, const char *text)
{
    size_t length = strlen(text), room = sizeof b->uart_text - b->uart_length;
    if (length + 1 > room) {
        console_remark(&b->console, machine_now(b->machine), COLOUR_YELLOW,
                       "uart: the text before is still on its way, \"%s\" is lost", text);
        return;
    }
    memcpy(b->uart_text + b->uart_length, text, length);
    b->uart_length += length;
    b->uart_text[b->uart_length++] = '\n';
    if (!b->uart.armed) {
        event_at(b->machine, &b->uart, machine_now(b->machine) + CHARACTER_TIME);
    }
}

/* ---- Frames and variables ---- */

static void disturb(struct virtual_board *b, enum wire_fault_kind kind, const struct action *action)
{
    const struct wire_fault fault = {
        .kind = kind, .outward = action->outward, .countdown = action->number, .byte = action->byte};
    if (!wire_disturb(&b->wire, &fault)) {
        console_remark(&b->console, machine_now(b->machine), COLOUR_YELLOW,
                       "%d frames are waited for already, this one is left alone", (int)WIRE_FAULTS);
    }
}

static void dump(struct virtual_board *b, const char *name)
{
    char text[4 * CONSOLE_LINE_MAX];
    variable_describe(&b->elf, b->symbols, b->machine, name, text, sizeof text);
    console_remark(&b->console, machine_now(b->machine), COLOUR_PLAIN, "%s", text);
}

/* ---- Actions ---- */

/* In a replay only those that look or end; what the others did is in the recording. */
static bool is_repeated(enum action_kind kind)
{
    return kind == ACTION_DUMP || kind == ACTION_SAVE_SNAPSHOT || kind == ACTION_STOP || kind == ACTION_PRINT;
}

void board_act(struct virtual_board *b, const struct action *action)
{
    if (b->replaying && !is_repeated(action->kind)) {
        return;
    }
    switch (action->kind) {
    case ACTION_NONE: break;
    case ACTION_CABLE_IN: board_input(b, INPUT_CABLE, true); break;
    case ACTION_CABLE_OUT: board_input(b, INPUT_CABLE, false); break;
    case ACTION_CABLE_TOGGLE: board_input(b, INPUT_CABLE, !b->cable_in); break;
    case ACTION_BUTTON_DOWN: set_button(b, true); break;
    case ACTION_BUTTON_UP: set_button(b, false); break;
    case ACTION_BUTTON_PRESS: press_button(b); break;
    case ACTION_RESET: board_input(b, INPUT_RESET, 0); break;
    case ACTION_POWER_CYCLE: board_input(b, INPUT_POWER, POWER_CYCLE); break;
    case ACTION_POWER_CUT: board_input(b, INPUT_POWER, POWER_OFF); break;
    case ACTION_POWER_ON: board_input(b, INPUT_POWER, POWER_ON); break;
    case ACTION_INTERRUPT: board_input(b, INPUT_INTERRUPT, action->number); break;
    case ACTION_UART: send_text(b, action->text); break;
    case ACTION_DROP: disturb(b, WIRE_DROP, action); break;
    case ACTION_DUPLICATE: disturb(b, WIRE_DUPLICATE, action); break;
    case ACTION_CORRUPT: disturb(b, WIRE_CORRUPT, action); break;
    case ACTION_DUMP: dump(b, action->text); break;
    case ACTION_SAVE_SNAPSHOT: board_want_snapshot(b, action->text); break;
    case ACTION_STOP: board_end(b, action->status, "stopped"); break;
    case ACTION_PRINT:
        console_remark(&b->console, machine_now(b->machine), COLOUR_PLAIN, "%s", action->text);
        break;
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

bool board_check_script(const struct virtual_board *b, char *error, size_t size)
{
    for (size_t i = 0; i < b->script.count; i++) {
        const struct script_step *step = &b->script.steps[i];
        if (step->action.kind == ACTION_DUMP && !variable_exists(&b->elf, b->symbols, step->action.text)) {
            snprintf(error, size, "%s:%u: the ELF has no variable '%.60s'", b->options.script, step->line,
                     step->action.text);
            return false;
        }
    }
    return true;
}

/* The board as it stands on the table: cable and button as the options say, which is not worth a line. */
void board_act_init(struct virtual_board *b)
{
    b->button = (struct event){.name = "button", .fire = release_button, .context = b, .outside = true};
    b->uart = (struct event){.name = "uart", .fire = character_due, .context = b, .outside = true};
    b->step = (struct event){.name = "script", .fire = step_due, .context = b, .outside = true};
    b->cable_in = b->options.cable_in;
    board_drive_button(b, b->options.button_down);
    ethernet_cable(b->machine, b->cable_in);
}
