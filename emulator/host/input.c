/*
 * The one door through which the outside reaches the machine, with the recorder
 * beside it. In a replay nothing comes in by it but what the recording holds.
 */
#include "cpu/engine.h"
#include "ethernet/ethernet.h"
#include "host/board_state.h"

enum {
    BUTTON_PORT = 2, /* B1 is PC13, active high (UM1974 6.6) */
    BUTTON_PIN = 13,
};

static void remark(struct virtual_board *b, const char *what)
{
    console_remark(&b->console, machine_now(b->machine), COLOUR_PLAIN, "%s", what);
}

void board_drive_button(struct virtual_board *b, bool down)
{
    gpio_drive(b->machine, BUTTON_PORT, BUTTON_PIN, down);
}

static void plug(struct virtual_board *b, bool in)
{
    b->cable_in = in;
    ethernet_cable(b->machine, in && !b->machine->power_off);
    remark(b, in ? "cable in" : "cable out");
}

/* Carried out by virtual_board_run, when machine_run has returned. */
static void switch_power(struct virtual_board *b, enum power power)
{
    static const char *const names[] = {
        [POWER_OFF] = "power off", [POWER_ON] = "power on", [POWER_CYCLE] = "power off and on"};
    b->power_off_due = b->power_off_due || power != POWER_ON;
    b->power_on_due = power != POWER_OFF;
    remark(b, names[power]);
    board_halt(b);
}

void board_carry_out_power(struct virtual_board *b)
{
    struct machine *m = b->machine;
    bool on = b->power_on_due;
    if (b->power_off_due) {
        machine_power_off(m);
        ethernet_cable(m, false); /* the PHY drives nothing */
    }
    b->power_off_due = b->power_on_due = false;
    if (on && m->power_off) {
        machine_power_on(m);
        ethernet_cable(m, b->cable_in);
    }
    m->stop = STOP_NONE;
}

static void tell_altered(struct virtual_board *b)
{
    console_remark(
        &b->console, machine_now(b->machine), COLOUR_YELLOW, "%s",
        b->replaying ? "here the recorded machine was changed by hand, from a debugger or through the C API, "
                       "which a recording does not hold: the replay may depart"
                     : "the machine is changed by hand: a replay of this recording will depart here");
}

static void apply(struct virtual_board *b, const struct input *input)
{
    struct machine *m = b->machine;
    if (input->kind == INPUT_FRAME || input->kind == INPUT_DAMAGED_FRAME) {
        observers_frame(b->observers, false, input->length);
    }
    switch (input->kind) {
    case INPUT_FRAME: ethernet_receive(m, input->bytes, input->length); break;
    case INPUT_DAMAGED_FRAME: ethernet_receive_damaged(m, input->bytes, input->length); break;
    case INPUT_CABLE: plug(b, input->value != 0); break;
    case INPUT_BUTTON:
        board_drive_button(b, input->value != 0);
        remark(b, input->value != 0 ? "button down" : "button up");
        break;
    case INPUT_UART: usart_receive(m, (uint8_t)input->value); break;
    case INPUT_RESET:
        remark(b, "reset");
        machine_request_reset(m, RESET_PIN);
        break;
    case INPUT_POWER: switch_power(b, (enum power)input->value); break;
    case INPUT_INTERRUPT: exception_set_pending(m, EXCEPTION_IRQ0 + input->value); break;
    case INPUT_ALTERED: tell_altered(b); break;
    case INPUT_END:
    case INPUT_KINDS: break;
    }
}

static void take(struct virtual_board *b, const struct input *input)
{
    b->inputs++;
    if (b->recorder != NULL) {
        recorder_add(b->recorder, b->machine, input);
    }
    apply(b, input);
}

void board_input(struct virtual_board *b, enum input_kind kind, uint32_t value)
{
    if (!b->replaying) {
        take(b, &(struct input){.kind = kind, .value = value});
    }
}

static void take_frame(void *context, const uint8_t *frame, size_t length, bool damaged)
{
    take(context, &(struct input){
                      .kind = damaged ? INPUT_DAMAGED_FRAME : INPUT_FRAME, .bytes = frame, .length = length});
}

/* ---- Replaying ---- */

/* What the last input of a run that was killed leads to is worth seeing. */
#define AFTER_LAST VTIME_MS(10)

static void arm_replay(struct virtual_board *b)
{
    const struct recording *r = &b->recording;
    vtime end = r->has_end ? r->end_instant : r->end_instant + AFTER_LAST;
    event_at(b->machine, &b->replay, b->replayed < r->count ? r->entries[b->replayed].instant : end);
}

/* From the recording; frames also to the capture. */
static void feed(struct virtual_board *b, const struct input *input)
{
    if (input->kind == INPUT_FRAME || input->kind == INPUT_DAMAGED_FRAME) {
        wire_frame_in(&b->wire, input->bytes, input->length, input->kind == INPUT_DAMAGED_FRAME);
    } else {
        take(b, input);
    }
}

static void replay_due(struct machine *m, void *context)
{
    struct virtual_board *b = context;
    const struct recording *r = &b->recording;
    (void)m;
    if (b->replayed == r->count) {
        b->replay_ended = true;
        board_end(b, r->has_end ? r->end.status : EXIT_FAILED, "%s",
                  r->has_end ? "the recording ends"
                             : "the recording breaks off here: the recorded run was killed");
        return;
    }
    do {
        feed(b, &r->entries[b->replayed++].input);
    } while (b->replayed < r->count && r->entries[b->replayed].same_event);
    arm_replay(b);
}

/* ---- Beginning and end ---- */

static struct recording_start start_of(const struct virtual_board *b)
{
    const struct options *o = &b->options;
    return (struct recording_start){
        .elf = recording_hash(RECORDING_HASH, b->elf.data, b->elf.size),
        .seed = o->seed,
        .options = (o->cable_in ? RECORDING_CABLE_IN : 0u) | (o->button_down ? RECORDING_BUTTON_DOWN : 0u) |
                   (o->flash_timing ? RECORDING_FLASH_TIMING : 0u) |
                   (o->lsi_random ? RECORDING_LSI_RANDOM : 0u),
        .lsi_hz = o->lsi_hz,
    };
}

static void start_as(struct options *o, const struct recording_start *start)
{
    o->seed = start->seed;
    o->cable_in = (start->options & RECORDING_CABLE_IN) != 0;
    o->button_down = (start->options & RECORDING_BUTTON_DOWN) != 0;
    o->flash_timing = (start->options & RECORDING_FLASH_TIMING) != 0;
    o->lsi_random = (start->options & RECORDING_LSI_RANDOM) != 0;
    o->lsi_hz = start->lsi_hz;
    o->network = "none";
    o->keys = CHOICE_NO;
}

static bool open_replay(struct virtual_board *b, char *error, size_t size)
{
    struct options *o = &b->options;
    if (!recording_open(&b->recording, o->replay, error, size)) {
        return false;
    }
    const struct recording_start *start = &b->recording.start;
    if (start->elf != start_of(b).elf) {
        snprintf(error, size, "%s: recorded with another ELF than %s", o->replay,
                 o->firmware != NULL ? o->firmware : "this one");
        return false;
    }
    b->replaying = true;
    start_as(o, start);
    return true;
}

bool board_input_open(struct virtual_board *b, char *error, size_t size)
{
    const struct options *o = &b->options;
    if (o->record != NULL && o->replay != NULL) {
        snprintf(error, size, "--record and --replay at once: a replay repeats what is recorded already");
        return false;
    }
    if (o->replay != NULL && !open_replay(b, error, size)) {
        return false;
    }
    if (o->record != NULL) {
        const struct recording_start start = start_of(b);
        b->recorder = recorder_open(o->record, &start, error, size);
        return b->recorder != NULL;
    }
    return true;
}

void board_input_begin(struct virtual_board *b)
{
    b->wire.take = take_frame;
    b->wire.take_context = b;
    b->replay = (struct event){.name = "replay", .fire = replay_due, .context = b, .outside = true};
    if (b->replaying) {
        arm_replay(b);
    }
}

/* A run that was stopped from outside ends when all that was due has happened; so it does in a replay. */
void board_settle(struct virtual_board *b)
{
    struct machine *m = b->machine;
    if (m->stop != STOP_EXIT || b->settled) {
        return;
    }
    b->settled = true;
    m->stop = STOP_NONE;
    machine_run(m, machine_now(m));
    if (m->stop == STOP_NONE) {
        m->stop = STOP_EXIT;
    }
}

void board_altered(struct virtual_board *b)
{
    if (b->recorder != NULL && !b->altered && b->begun) {
        b->altered = true;
        board_input(b, INPUT_ALTERED, 0);
    }
}

/* A replay that was stopped before its end says nothing. */
static void compare(struct virtual_board *b)
{
    const struct machine *m = b->machine;
    const struct recording_end *end = &b->recording.end;
    vtime now = machine_now(m);
    bool there = m->cycles == end->cycles && m->instructions == end->instructions;
    if (!b->recording.has_end || (!there && b->stopped_by_host && !b->replay_ended)) {
        return;
    }
    if (there && machine_hash(m) == end->hash) {
        console_remark(&b->console, now, COLOUR_PLAIN, "the replay ended in the recorded state");
        return;
    }
    console_remark(&b->console, now, COLOUR_RED,
                   "the replay departs from the recording: ended after %llu instructions in state %016llx, "
                   "recorded %llu, %016llx",
                   (unsigned long long)m->instructions, (unsigned long long)machine_hash(m),
                   (unsigned long long)end->instructions, (unsigned long long)end->hash);
    b->status = EXIT_UNFAITHFUL;
}

void board_input_end(struct virtual_board *b)
{
    const struct machine *m = b->machine;
    if (b->recorder != NULL) {
        recorder_end(b->recorder, m,
                     &(struct recording_end){.status = b->status,
                                             .cycles = m->cycles,
                                             .instructions = m->instructions,
                                             .hash = machine_hash(m)});
        if (!recorder_close(b->recorder)) {
            console_remark(&b->console, machine_now(m), COLOUR_YELLOW,
                           "the recording %s is not complete: writing it failed", b->options.record);
        }
        b->recorder = NULL;
    }
    if (b->replaying) {
        compare(b);
        b->replaying = false;
    }
}
