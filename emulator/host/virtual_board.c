#include "host/virtual_board.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/board_state.h"
#include "host/duration.h"

/* ---- The end of a run ---- */

void board_halt(struct virtual_board *b)
{
    if (b->machine->stop == STOP_NONE) {
        b->machine->stop = STOP_EXIT;
        b->machine->event_cycle = b->machine->cycles; /* the core looks up */
    }
}

void board_end(struct virtual_board *b, int status, const char *format, ...)
{
    char why[CONSOLE_LINE_MAX];
    if (b->ended) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    console_remark(&b->console, machine_now(b->machine), status != 0 ? COLOUR_RED : COLOUR_PLAIN, "%s", why);
    b->ended = true;
    b->status = status;
    board_halt(b);
}

/* ---- The log ---- */

static void judge_line(struct virtual_board *b, const char *line)
{
    if (b->awaited != NULL && !b->awaited_seen && strstr(line, b->awaited) != NULL) {
        b->awaited_seen = true;
        snprintf(b->line, sizeof b->line, "%s", line);
        board_halt(b);
    }
    if (b->options.fail_on != NULL && strstr(line, b->options.fail_on) != NULL) {
        board_end(b, EXIT_FAILED, "stopped: the log says \"%s\"", b->options.fail_on);
    }
    if (b->options.until != NULL && strstr(line, b->options.until) != NULL) {
        board_end(b, EXIT_AS_ASKED, "stopped: the log says \"%s\"", b->options.until);
    }
    board_script_line(b, line);
}

static void take_line(struct virtual_board *b, const char *line, bool shown)
{
    if (shown) {
        console_line(&b->console, line);
    }
    observers_line(b->observers, line);
    if (b->listener.line != NULL) {
        b->listener.line(b->listener.context, line);
    }
    judge_line(b, line);
}

static void take_rtt(void *context, const uint8_t *bytes, size_t length)
{
    struct virtual_board *b = context;
    for (size_t i = 0; i < length; i++) {
        if (line_buffer_add(&b->rtt_line, bytes[i])) {
            take_line(b, b->rtt_line.text, b->options.rtt);
        }
    }
}

void board_drain_log(struct virtual_board *b)
{
    rtt_drain(&b->rtt, b->machine, take_rtt, b);
    bool damaged = b->rtt.health == RTT_DAMAGED;
    if (damaged && !b->rtt_damage_told) {
        console_remark(
            &b->console, machine_now(b->machine), COLOUR_YELLOW,
            "the RTT control block at 0x%08x is damaged: channel 0 lies outside RAM or its indices outside "
            "its buffer; not read while that lasts",
            b->rtt.address);
    }
    b->rtt_damage_told = damaged;
}

static void finish_lines(struct virtual_board *b)
{
    if (line_buffer_finish(&b->rtt_line)) {
        take_line(b, b->rtt_line.text, b->options.rtt);
    }
    if (line_buffer_finish(&b->uart_line)) {
        take_line(b, b->uart_line.text, true);
    }
    swo_finish(&b->swo);
}

/* A process has a status of eight bits: what does not fit must not come out as 0. */
static void end_as_the_firmware(struct virtual_board *b, int status)
{
    enum { STATUS_MAX = 255 };
    bool fits = status >= 0 && status <= STATUS_MAX;
    board_end(b, fits ? status : EXIT_FAILED, "the firmware ended with status %d%s", status,
              fits ? "" : ", which becomes 1");
}

/* The machine stopped by itself. What it logged up to then is judged first: it may say that it failed. */
static void note_stop(struct virtual_board *b)
{
    struct machine *m = b->machine;
    board_drain_log(b);
    finish_lines(b);
    switch (m->stop) {
    case STOP_EXIT: end_as_the_firmware(b, m->exit_status); break;
    case STOP_ERROR: board_end(b, EXIT_UNFAITHFUL, "stopped by the error above"); break;
    case STOP_LOCKUP: board_end(b, EXIT_UNFAITHFUL, "the core is locked up (ARMv7-M B1.5.15)"); break;
    case STOP_NONE:
    case STOP_DEBUG: break;
    }
}

/* ---- What the machine tells ---- */

static enum colour level_colour(enum report_level level)
{
    switch (level) {
    case REPORT_NOTE: return COLOUR_PLAIN;
    case REPORT_WARNING: return COLOUR_YELLOW;
    case REPORT_ERROR: return COLOUR_RED;
    }
    return COLOUR_PLAIN;
}

static void show_remark(struct virtual_board *b, const struct remark *remark, const char *more)
{
    char place[300] = "";
    char where[360] = "";
    if (remark->pc != 0) {
        symbols_describe(b->symbols, remark->pc, place, sizeof place);
        snprintf(where, sizeof where, ", at 0x%08x%s%s", remark->pc, place[0] != '\0' ? " " : "", place);
    }
    console_remark(&b->console, machine_now(b->machine), level_colour(remark->level), "%s%s%s%s%s",
                   remark->level == REPORT_NOTE ? "" : report_level_name(remark->level),
                   remark->level == REPORT_NOTE ? "" : ": ", remark->text, where, more);
}

static void on_report(void *context, struct machine *m, enum report_level level, uint32_t pc,
                      const char *format, va_list arguments)
{
    struct virtual_board *b = context;
    (void)m;
    const struct remark *remark = reports_add(&b->reports, level, pc, format, arguments);
    if (remark != NULL) {
        show_remark(b, remark, "");
    }
    if (b->options.strict && level == REPORT_WARNING) {
        board_end(b, EXIT_UNFAITHFUL, "stopped: --strict allows no warning");
    }
}

static void show_fault_line(void *context, const char *line)
{
    struct virtual_board *b = context;
    console_remark(&b->console, machine_now(b->machine), COLOUR_YELLOW, "%s", line);
}

static void on_fault(void *context, struct machine *m, const struct cpu_fault_note *note)
{
    struct virtual_board *b = context;
    if (fault_is_new(&b->faults, note)) {
        fault_explain(m, note, b->symbols, show_fault_line, b);
    }
}

static void on_pin(void *context, struct machine *m, unsigned port, unsigned pin, bool level)
{
    struct virtual_board *b = context;
    observers_pin(b->observers, port, pin, level);
    leds_pin(&b->leds, &b->console, machine_now(m), port, pin, level);
}

static void on_console(void *context, struct machine *m, uint8_t byte)
{
    struct virtual_board *b = context;
    (void)m;
    if (line_buffer_add(&b->uart_line, byte)) {
        take_line(b, b->uart_line.text, true);
    }
}

static void on_itm_line(void *context, const char *line)
{
    struct virtual_board *b = context;
    take_line(b, line, b->swo.file == NULL);
}

static void on_itm(void *context, struct machine *m, unsigned port, unsigned bytes, uint32_t value)
{
    struct virtual_board *b = context;
    swo_take(&b->swo, &b->console, machine_now(m), port, bytes, value);
}

static void on_frame_out(void *context, struct machine *m, const uint8_t *frame, size_t length)
{
    struct virtual_board *b = context;
    (void)m;
    observers_frame(b->observers, true, length);
    wire_frame_out(&b->wire, frame, length);
    if (b->listener.frame != NULL) {
        b->listener.frame(b->listener.context, frame, length);
    }
}

/* ---- Opening and closing ---- */

static bool create_machine(struct virtual_board *b, char *error, size_t size)
{
    const struct host host = {
        .context = b,
        .report = on_report,
        .pin = on_pin,
        .console = on_console,
        .itm = b->options.itm != NULL ? on_itm : NULL,
        .frame_out = on_frame_out,
        .sleep = board_sleep,
        .fault = on_fault,
    };
    b->swo.context = b;
    b->swo.line = on_itm_line;
    if (!board_input_open(b, error, size) ||
        (b->options.itm != NULL && !swo_open(&b->swo, b->options.itm, error, size))) {
        return false;
    }
    b->symbols = symbols_create(&b->elf);
    if (b->symbols != NULL && reports_init(&b->reports)) {
        b->machine = machine_create(&host, b->options.seed);
    }
    if (b->machine == NULL || (b->options.races && !race_open(&b->race, &b->elf, b->symbols, b->machine))) {
        snprintf(error, size, "out of memory");
        return false;
    }
    return elf_load(&b->elf, b->machine, error, size) &&
           observers_open(&b->observers, &b->options, &b->elf, b->symbols, b->machine, error, size);
}

static bool connect_outside(struct virtual_board *b, char *error, size_t size)
{
    const struct options *o = &b->options;
    if (o->script != NULL &&
        (!script_open(&b->script, o->script, error, size) || !board_check_script(b, error, size))) {
        return false;
    }
    if (!wire_open(&b->wire, b->machine, o->network, o->pcap, error, size)) {
        return false;
    }
    b->real_pace = o->pace == PACE_REAL || (o->pace == PACE_DEFAULT && (!b->wire.alone || o->gdb));
    if (o->gdb && !board_debug_open(b, error, size)) {
        return false;
    }
    if (o->keys == CHOICE_YES) {
        keys_open(&b->keys, 0);
    }
    return true;
}

static void surround(struct machine *m, const struct options *o)
{
    enum { SLOWEST = 17000, FASTEST = 47000 }; /* DS9405 table 42 */
    m->surroundings.lsi_hz =
        o->lsi_random ? SLOWEST + (uint32_t)(machine_random(m) % (FASTEST - SLOWEST)) : o->lsi_hz;
    machine_time_flash(m, o->flash_timing);
}

static bool power_on(struct virtual_board *b, char *error, size_t size)
{
    rtt_init(&b->rtt, &b->elf);
    board_freeze_init(b);
    board_act_init(b);
    surround(b->machine, &b->options);
    if (b->options.load_snapshot == NULL) {
        machine_power_on(b->machine);
    } else if (!board_load_snapshot(b, error, size)) {
        return false;
    }
    board_outside_init(b);
    board_input_begin(b);
    board_script_begin(b);
    board_debug_begin(b);
    b->begun = true;
    return true;
}

struct virtual_board *virtual_board_open_elf(const struct options *options, struct elf elf, FILE *out,
                                             char *error, size_t error_size)
{
    struct virtual_board *b = calloc(1, sizeof *b);
    if (b == NULL) {
        elf_close(&elf);
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    b->options = *options;
    b->elf = elf;
    b->console = (struct console){.out = out};
    b->leds.shown = options->leds;
    b->keys.fd = -1;
    board_debug_init(b);
    b->script.due = VTIME_NEVER;
    if (!create_machine(b, error, error_size) || !connect_outside(b, error, error_size) ||
        !power_on(b, error, error_size)) {
        virtual_board_close(b);
        return NULL;
    }
    return b;
}

struct virtual_board *virtual_board_open(const struct options *options, FILE *out, char *error,
                                         size_t error_size)
{
    struct elf elf;
    if (!elf_open(&elf, options->firmware, error, error_size)) {
        return NULL;
    }
    return virtual_board_open_elf(options, elf, out, error, error_size);
}

static void end_observers(struct virtual_board *b)
{
    char error[VIRTUAL_BOARD_ERROR];
    if (!swo_close(&b->swo)) {
        console_remark(&b->console, machine_now(b->machine), COLOUR_YELLOW,
                       "%s is not complete: writing it failed", b->options.itm);
    }
    if (!observers_close(b->observers, error, sizeof error)) {
        console_remark(&b->console, machine_now(b->machine), COLOUR_YELLOW, "%s", error);
    }
    b->observers = NULL;
}

/* Closed without a run to its end. */
static void end_recording_early(struct virtual_board *b)
{
    board_halt(b);
    b->stopped_by_host = true;
    board_settle(b);
    board_drain_log(b);
    board_input_end(b);
}

void virtual_board_close(struct virtual_board *b)
{
    if (b == NULL) {
        return;
    }
    if (b->recorder != NULL && b->begun) {
        end_recording_early(b);
    }
    end_observers(b);
    (void)recorder_close(b->recorder);
    recording_close(&b->recording);
    debugger_close(&b->debugger, b->status);
    keys_close(&b->keys);
    wire_close(&b->wire);
    script_close(&b->script);
    reports_free(&b->reports);
    symbols_destroy(b->symbols);
    race_close(b->race, b->machine);
    machine_destroy(b->machine);
    elf_close(&b->elf);
    free(b);
}

/* ---- Running ---- */

struct machine *virtual_board_machine(struct virtual_board *b)
{
    return b->machine;
}

void virtual_board_note_change(struct virtual_board *b)
{
    board_altered(b);
}

static bool power_due(const struct virtual_board *b)
{
    return b->power_off_due || b->power_on_due;
}

/* The machine only pauses for what cannot be done while it runs. */
static bool interlude_due(const struct virtual_board *b)
{
    return !b->ended && (power_due(b) || b->snapshot_due != NULL);
}

bool virtual_board_run(struct virtual_board *b, vtime until)
{
    struct machine *m = b->machine;
    while (!b->ended && !(b->awaited != NULL && b->awaited_seen)) {
        if (power_due(b)) {
            board_carry_out_power(b);
        }
        if (b->snapshot_due != NULL) {
            board_save_snapshot(b);
        }
        machine_run(m, until);
        if (m->stop == STOP_NONE) {
            break;
        }
        if (b->ended) {
            b->stopped_by_host = true;
            board_settle(b);
        }
        if (board_debug_hold(b)) {
            continue;
        }
        if (!interlude_due(b) && !b->awaited_seen) {
            note_stop(b);
        }
    }
    return !b->ended;
}

bool virtual_board_run_until_line(struct virtual_board *b, const char *text, vtime timeout)
{
    vtime now = machine_now(b->machine);
    b->awaited = text;
    b->awaited_seen = false;
    (void)virtual_board_run(b, timeout < VTIME_NEVER - now ? now + timeout : VTIME_NEVER);
    bool seen = b->awaited_seen;
    b->awaited = NULL;
    b->awaited_seen = false;
    if (seen && !b->ended && b->machine->stop == STOP_EXIT && !interlude_due(b)) {
        b->machine->stop = STOP_NONE;
    }
    return seen;
}

const char *virtual_board_line(const struct virtual_board *b)
{
    return b->line;
}

void virtual_board_act(struct virtual_board *b, const struct action *action)
{
    board_act(b, action);
}

int virtual_board_status(const struct virtual_board *b)
{
    return b->status;
}

void virtual_board_watch(struct virtual_board *b, const volatile sig_atomic_t *interrupted)
{
    b->interrupted = interrupted;
}

void virtual_board_listen(struct virtual_board *b, const struct virtual_board_listener *listener)
{
    b->listener = *listener;
}

void virtual_board_colour(struct virtual_board *b, bool colour)
{
    b->console.colour = colour;
}

/* ---- What is told at the end ---- */

static void print_folded(struct virtual_board *b)
{
    for (size_t i = 0; i < b->reports.count; i++) {
        const struct remark *remark = &b->reports.remarks[i];
        if (remark->count > 1) {
            char more[48];
            snprintf(more, sizeof more, " (%lu times)", remark->count);
            show_remark(b, remark, more);
        }
    }
    if (b->reports.warnings + b->reports.errors > 0) {
        console_remark(&b->console, machine_now(b->machine), COLOUR_PLAIN,
                       "%lu warnings, %lu errors, %zu distinct", b->reports.warnings, b->reports.errors,
                       b->reports.count);
    }
}

static double seconds(vtime time)
{
    return (double)time / (double)VTIME_S(1);
}

static void print_statistics(struct virtual_board *b)
{
    const struct machine *m = b->machine;
    vtime now = machine_now(m);
    double virtual_s = seconds(now) > 0 ? seconds(now) : 1;
    uint64_t real_ns = board_real_ns() - b->started_ns;
    double busy_s = (double)(real_ns - b->waited_ns) / 1e9;
    console_remark(&b->console, now, COLOUR_PLAIN,
                   "%llu instructions, %llu cycles, asleep %.3f %% of the time",
                   (unsigned long long)m->instructions, (unsigned long long)m->cycles,
                   100 * seconds(b->sleep.asleep) / virtual_s);
    console_remark(&b->console, now, COLOUR_PLAIN, "%llu wake-ups (%.2f/s), %lu frames out, %lu frames in",
                   (unsigned long long)b->sleep.sleeps, (double)b->sleep.sleeps / virtual_s,
                   b->wire.frames_out, b->wire.frames_in);
    console_remark(&b->console, now, COLOUR_PLAIN,
                   "%.6f s virtual in %.6f s real, of that %.6f s at work: %.1f million instructions/s",
                   seconds(now), (double)real_ns / 1e9, busy_s,
                   busy_s > 0 ? (double)m->instructions / busy_s / 1e6 : 0);
    if (b->pacing.forgiven_ns > 0) {
        console_remark(&b->console, now, COLOUR_PLAIN, "this host was too slow by %.6f s, which was forgiven",
                       (double)b->pacing.forgiven_ns / 1e9);
    }
    leds_summary(&b->leds, &b->console, now);
}

static void print_hash(struct virtual_board *b)
{
    const struct machine *m = b->machine;
    console_remark(&b->console, machine_now(m), COLOUR_PLAIN, "state %016llx at %llu ps, %llu instructions",
                   (unsigned long long)machine_hash(m), (unsigned long long)machine_now(m),
                   (unsigned long long)m->instructions);
}

static void note_losses(struct virtual_board *b)
{
    vtime now = machine_now(b->machine);
    if (b->wire.pcap_failed) {
        console_remark(&b->console, now, COLOUR_YELLOW, "the capture %s is not complete: writing it failed",
                       b->options.pcap);
    }
    if (b->wire.lost > 0) {
        console_remark(&b->console, now, COLOUR_YELLOW,
                       "%lu frames left the board too close or too long to be sent", b->wire.lost);
    }
}

int virtual_board_run_to_end(struct virtual_board *b)
{
    const struct options *o = &b->options;
    vtime limit = o->timeout < DURATION_MAX ? o->timeout : DURATION_MAX;
    if (virtual_board_run(b, limit)) {
        board_drain_log(b);
        finish_lines(b);
        board_end(b, EXIT_TIMEOUT,
                  o->timeout == VTIME_NEVER ? "the core sleeps and nothing will wake it"
                                            : "timeout: the virtual time of --timeout is over");
        b->stopped_by_host = true;
        board_settle(b);
    }
    if (o->save_snapshot != NULL) {
        b->snapshot_due = o->save_snapshot;
        board_save_snapshot(b);
    }
    board_input_end(b);
    end_observers(b);
    print_folded(b);
    note_losses(b);
    if (o->stats) {
        print_statistics(b);
    }
    if (o->hash) {
        print_hash(b);
    }
    return b->status;
}
