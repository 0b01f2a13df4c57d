/* The board and its debugger: the port at the start, the run held while the
 * core is halted. */
#include "host/board_state.h"

/* A power cut is done on the spot: whoever asks looks at the board when it is
 * over. */
static void act(void *context, const struct action *action)
{
    struct virtual_board *b = context;
    board_act(b, action);
    if (b->power_off_due || b->power_on_due) {
        board_carry_out_power(b);
    }
}

static void altered(void *context)
{
    board_altered(context);
}

void board_debug_init(struct virtual_board *b)
{
    debugger_init(&b->debugger, NULL, &(struct gdb_owner){.context = b, .act = act, .altered = altered});
}

bool board_debug_open(struct virtual_board *b, char *error, size_t size)
{
    b->debugger.machine = b->machine;
    int port = debugger_listen(&b->debugger, b->options.gdb_port, error, size);
    if (port < 0) {
        return false;
    }
    b->debugger.waiting = b->options.gdb_wait;
    console_remark(&b->console, machine_now(b->machine), COLOUR_PLAIN,
                   "GDB: gdb-multiarch %s -ex 'target extended-remote 127.0.0.1:%d'%s", b->options.firmware,
                   port, b->options.gdb_wait ? "; the core waits for it" : "");
    return true;
}

void board_debug_begin(struct virtual_board *b)
{
    if (b->debugger.waiting && b->machine->stop == STOP_NONE) {
        b->machine->stop = STOP_DEBUG;
    }
}

void board_debug_check(struct virtual_board *b)
{
    if (debugger_kills(&b->debugger)) {
        board_end(b, EXIT_AS_ASKED, "ended by GDB");
    }
}

/* Stopped for the board's own sake, not by the machine or the debugger. */
static bool stopped_by_board(const struct virtual_board *b)
{
    return b->ended || b->power_off_due || b->power_on_due || b->snapshot_due != NULL ||
           (b->awaited != NULL && b->awaited_seen);
}

bool board_debug_hold(struct virtual_board *b)
{
    struct machine *m = b->machine;
    if (stopped_by_board(b)) {
        return false;
    }
    debugger_stopped(&b->debugger);
    board_wait_halted(b);
    if (m->stop == STOP_DEBUG && !b->ended && !debugger_holds(&b->debugger)) {
        m->stop = STOP_NONE; /* whoever held it has gone */
    }
    return m->stop == STOP_NONE && !b->ended;
}
