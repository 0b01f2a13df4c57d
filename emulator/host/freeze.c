/* Snapshots of the board: the machine's, with what the board itself must know to go on. */
#include <string.h>

#include "host/board_state.h"
#include "host/snapshot.h"

/* The core is in the middle of an instruction that waits (flash being programmed). */
#define RETRY VTIME_MS(1)

/* What goes into the file beside the machine; no pointers. */
struct frozen {
    struct rtt rtt;
    struct line_buffer rtt_line, uart_line;
    bool lit[LEDS];
    bool cable_in;
    uint64_t inputs; /* so many of … */
    uint64_t check;  /* … the recording that has this check were taken */
};

static uint64_t elf_hash(const struct virtual_board *b)
{
    return recording_hash(RECORDING_HASH, b->elf.data, b->elf.size);
}

static struct state_block block_of(struct frozen *frozen)
{
    return (struct state_block){.name = "board", .data = frozen, .size = sizeof *frozen};
}

/* ---- Saving ---- */

static void when_possible(struct virtual_board *b)
{
    struct machine *m = b->machine;
    if (m->core_running) {
        event_at(m, &b->snapshot_retry, machine_now(m) + RETRY);
    } else {
        board_halt(b);
    }
}

static void retry(struct machine *m, void *context)
{
    (void)m;
    when_possible(context);
}

void board_freeze_init(struct virtual_board *b)
{
    b->snapshot_retry = (struct event){.name = "snapshot", .fire = retry, .context = b, .outside = true};
}

void board_want_snapshot(struct virtual_board *b, const char *path)
{
    b->snapshot_due = path;
    when_possible(b);
}

static uint64_t check_of_inputs(const struct virtual_board *b)
{
    if (b->replaying) {
        return b->replayed > 0 ? b->recording.entries[b->replayed - 1].check : 0;
    }
    return b->recorder != NULL && b->inputs > 0 ? recorder_check(b->recorder) : 0;
}

static void freeze(const struct virtual_board *b, struct frozen *frozen)
{
    memset(frozen, 0, sizeof *frozen);
    frozen->rtt.address = b->rtt.address;
    frozen->rtt.searching = b->rtt.searching;
    frozen->rtt.search_at = b->rtt.search_at;
    frozen->rtt.health = b->rtt.health;
    frozen->rtt_line.length = b->rtt_line.length;
    memcpy(frozen->rtt_line.text, b->rtt_line.text, b->rtt_line.length);
    frozen->uart_line.length = b->uart_line.length;
    memcpy(frozen->uart_line.text, b->uart_line.text, b->uart_line.length);
    memcpy(frozen->lit, b->leds.lit, sizeof frozen->lit);
    frozen->cable_in = b->cable_in;
    frozen->inputs = b->inputs;
    frozen->check = check_of_inputs(b);
}

void board_save_snapshot(struct virtual_board *b)
{
    struct frozen frozen;
    struct machine *m = b->machine;
    const char *path = b->snapshot_due;
    char error[VIRTUAL_BOARD_ERROR];
    freeze(b, &frozen);
    const struct state_block block = block_of(&frozen);
    b->snapshot_due = NULL;
    if (!b->ended) {
        m->stop = STOP_NONE;
    }
    if (snapshot_save(m, elf_hash(b), &block, path, error, sizeof error)) {
        console_remark(&b->console, machine_now(m), COLOUR_PLAIN, "snapshot saved: %s", path);
    } else if (!b->ended) {
        board_end(b, EXIT_BAD_USE, "%s", error);
    } else {
        console_remark(&b->console, machine_now(m), COLOUR_RED, "%s", error);
        b->status = EXIT_BAD_USE;
    }
}

/* ---- Loading ---- */

/* A snapshot of a recorded run, or of a replay, goes on in the replay of that recording. */
static bool join_recording(struct virtual_board *b, const struct frozen *frozen)
{
    const struct recording *r = &b->recording;
    if (frozen->inputs > r->count ||
        (frozen->inputs > 0 && r->entries[frozen->inputs - 1].check != frozen->check)) {
        return false;
    }
    b->replayed = (size_t)frozen->inputs;
    return true;
}

static bool sensible(const struct frozen *frozen)
{
    return frozen->rtt_line.length < CONSOLE_LINE_MAX && frozen->uart_line.length < CONSOLE_LINE_MAX;
}

static void thaw(struct virtual_board *b, const struct frozen *frozen)
{
    b->rtt = frozen->rtt;
    b->rtt_line = frozen->rtt_line;
    b->uart_line = frozen->uart_line;
    memcpy(b->leds.lit, frozen->lit, sizeof frozen->lit);
    b->cable_in = frozen->cable_in;
    b->inputs = frozen->inputs;
}

bool board_load_snapshot(struct virtual_board *b, char *error, size_t size)
{
    struct frozen frozen;
    const struct state_block block = block_of(&frozen);
    const char *path = b->options.load_snapshot;
    if (b->recorder != NULL) {
        snprintf(error, size, "--record and --load-snapshot at once: a recording begins at power-on");
        return false;
    }
    if (!snapshot_load(b->machine, elf_hash(b), &block, path, error, size)) {
        return false;
    }
    if (!sensible(&frozen)) {
        snprintf(error, size, "%s: damaged: save it again", path);
        return false;
    }
    if (b->replaying && !join_recording(b, &frozen)) {
        snprintf(error, size, "%s was not saved in the run that %s recorded", path, b->options.replay);
        return false;
    }
    thaw(b, &frozen);
    return true;
}
