/*
 * Real time, the network's descriptors and the keys, and how they meet virtual
 * time.
 *
 * While the core sleeps, board_sleep waits in poll(): until the next event is
 * due or something comes in, which then happens at the virtual time that
 * belongs to the real one. While the core is busy, an event each virtual
 * millisecond looks outside. Both also take the log, so that it is read at
 * times that only the machine decides.
 */
#define _GNU_SOURCE /* ppoll */

#include "host/board_state.h"

#include <poll.h>
#include <time.h>

enum {
    /* A signal between the look at its flag and poll() is seen at the latest after this. */
    WAIT_MAX_NS = 100000000,
    NS_PER_S = 1000000000,
    KEYS_BURST = 64,
};

#define TICK VTIME_MS(1)

uint64_t board_real_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* What is polled for: the network, the debugger, and at the end the keys, if there are any. */
struct watch {
    struct pollfd fds[NETWORK_POLLFDS + DEBUGGER_POLLFDS + 1];
    size_t network;
    size_t debugger;
    size_t total;
};

static void fill_rest(struct virtual_board *b, struct watch *w)
{
    w->debugger = debugger_fill(&b->debugger, w->fds + w->network);
    w->total = w->network + w->debugger;
    if (b->keys.fd >= 0) {
        w->fds[w->total++] = (struct pollfd){.fd = b->keys.fd, .events = POLLIN};
    }
}

static void fill(struct virtual_board *b, struct watch *w)
{
    w->network = wire_fill(&b->wire, w->fds, NETWORK_POLLFDS);
    fill_rest(b, w);
}

/* True: something is there. */
static bool wait_for(struct virtual_board *b, struct watch *w, uint64_t wait_ns)
{
    if (wait_ns > WAIT_MAX_NS) {
        wait_ns = WAIT_MAX_NS;
    }
    uint64_t start_ns = wait_ns > 0 ? board_real_ns() : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait_ns / NS_PER_S), .tv_nsec = (long)(wait_ns % NS_PER_S)};
    bool ready = ppoll(w->fds, w->total, &timeout, NULL) > 0;
    b->waited_ns += wait_ns > 0 ? board_real_ns() - start_ns : 0;
    return ready;
}

/* Ended by a person: that is as asked, unless a line was asked for that has not come. */
static int status_of_quitting(const struct virtual_board *b)
{
    return b->options.until != NULL ? EXIT_FAILED : EXIT_AS_ASKED;
}

static void take_keys(struct virtual_board *b)
{
    char typed[KEYS_BURST];
    size_t length = keys_read(&b->keys, typed, sizeof typed);
    for (size_t i = 0; i < length && !b->ended; i++) {
        struct action action;
        if (keys_action(typed[i], &action)) {
            action.status = status_of_quitting(b);
            board_act(b, &action);
        }
    }
}

static void serve_rest(struct virtual_board *b, const struct watch *w)
{
    size_t keys = w->network + w->debugger;
    debugger_dispatch(&b->debugger, w->fds + w->network, w->debugger);
    board_debug_check(b);
    if (w->total > keys && w->fds[keys].revents != 0) {
        take_keys(b);
    }
}

/* Feeds the machine with what came; only from an event. */
static void serve(struct virtual_board *b, uint64_t wait_ns)
{
    struct watch w;
    fill(b, &w);
    if (!wait_for(b, &w, wait_ns)) {
        return;
    }
    wire_dispatch(&b->wire, w.fds, w.network);
    serve_rest(b, &w);
    b->served_at = machine_now(b->machine);
}

static bool nothing_outside(const struct virtual_board *b)
{
    return b->wire.alone && b->keys.fd < 0 && !debugger_is_open(&b->debugger);
}

static void check_end(struct virtual_board *b)
{
    if (b->interrupted != NULL && *b->interrupted) {
        board_end(b, status_of_quitting(b), "interrupted");
    }
    if (b->options.timeout_real != VTIME_NEVER &&
        board_real_ns() - b->started_ns >= b->options.timeout_real / VTIME_NS(1)) {
        board_end(b, EXIT_TIMEOUT, "timeout: the real time of --timeout-real is over");
    }
    if (b->console.broken) {
        board_end(b, EXIT_FAILED, "nobody reads the output any more");
    }
}

/* ---- A debugger has halted the core ---- */

void board_wait_halted(struct virtual_board *b)
{
    while (!b->ended && debugger_holds(&b->debugger)) {
        struct watch w = {.network = 0}; /* the wire stands still with the time */
        fill_rest(b, &w);
        if (wait_for(b, &w, WAIT_MAX_NS)) {
            serve_rest(b, &w);
        }
        check_end(b);
    }
    pacing_start(&b->pacing, machine_now(b->machine), board_real_ns());
}

/* ---- The core is busy ---- */

/*
 * Ticks come at whole milliseconds, so that when the log is read depends on
 * nothing but the machine, however often the outside made the run pause.
 */
static void arm_tick(struct virtual_board *b, vtime now)
{
    event_at(b->machine, &b->tick, (now / TICK + 1) * TICK);
}

static void tick_due(struct machine *m, void *context)
{
    struct virtual_board *b = context;
    board_drain_log(b);
    check_end(b);
    if (!b->ended && (b->real_pace || !nothing_outside(b))) {
        uint64_t wait_ns = 0;
        if (b->real_pace) {
            pacing_forgive(&b->pacing, machine_now(m), board_real_ns());
            wait_ns = pacing_wait_ns(&b->pacing, machine_now(m), board_real_ns());
        }
        serve(b, wait_ns);
    }
    arm_tick(b, machine_now(m));
}

/* ---- The core sleeps ---- */

static void input_due(struct machine *m, void *context)
{
    (void)m;
    serve(context, 0);
}

/* Something waits outside: it happens at `at`. */
static vtime let_in(struct virtual_board *b, vtime at)
{
    event_at(b->machine, &b->input, at);
    return at;
}

static vtime wait_really(struct virtual_board *b, vtime now, vtime until)
{
    pacing_forgive(&b->pacing, now, board_real_ns());
    for (;;) {
        struct watch w;
        fill(b, &w);
        bool ready = wait_for(b, &w, pacing_wait_ns(&b->pacing, until, board_real_ns()));
        check_end(b);
        uint64_t real_ns = board_real_ns();
        if (b->ended || ready) {
            vtime reached = pacing_virtual(&b->pacing, real_ns, now, until);
            return ready ? let_in(b, reached) : reached;
        }
        if (pacing_wait_ns(&b->pacing, until, real_ns) == 0) {
            return until;
        }
    }
}

/* A descriptor that is ready for good must not stop time: once an instant is enough. */
static vtime wait_not(struct virtual_board *b, vtime now, vtime until)
{
    struct watch w;
    if (nothing_outside(b) || b->served_at == now) {
        return until;
    }
    fill(b, &w);
    return wait_for(b, &w, 0) ? let_in(b, now) : until;
}

static vtime next_event(const struct machine *m, vtime until)
{
    return m->events != NULL && m->events->at < until ? m->events->at : until;
}

static vtime sleep_through(struct virtual_board *b, vtime now, vtime until)
{
    /* The tick is for a busy core. It is put behind what will wake this one, and if it
     * was that itself, the machine is asked again for what comes after it. */
    if (b->tick.armed && b->tick.at <= until) {
        event_cancel(b->machine, &b->tick);
        return now;
    }
    if (!b->tick.armed && until < VTIME_NEVER - TICK) {
        arm_tick(b, until);
    }
    vtime reached = b->real_pace ? wait_really(b, now, until) : wait_not(b, now, until);
    if (reached < until) {
        arm_tick(b, reached);
    }
    return reached;
}

vtime board_sleep(void *context, struct machine *m, vtime until)
{
    struct virtual_board *b = context;
    vtime now = machine_now(m);
    if (m->instructions != b->asleep_instructions) {
        b->asleep_instructions = m->instructions;
        b->sleep.sleeps++;
        board_drain_log(b);
    }
    check_end(b);
    if (m->stop != STOP_NONE) {
        return now;
    }
    vtime reached = sleep_through(b, now, next_event(m, until));
    /* Input may have armed an earlier event: the machine goes no further. */
    vtime limit = next_event(m, until);
    if (reached > limit) {
        reached = limit > now ? limit : now;
    }
    b->sleep.asleep += reached - now;
    observers_slept(b->observers, now, reached);
    return reached;
}

void board_outside_init(struct virtual_board *b)
{
    b->tick = (struct event){.name = "tick", .fire = tick_due, .context = b, .outside = true};
    b->input = (struct event){.name = "input", .fire = input_due, .context = b, .outside = true};
    b->served_at = VTIME_NEVER;
    b->started_ns = board_real_ns();
    pacing_start(&b->pacing, machine_now(b->machine), b->started_ns);
    arm_tick(b, machine_now(b->machine));
}
