#include "host/gdb.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/engine.h"
#include "host/gdb_session.h"
#include "host/gdb_view.h"

enum {
    OUTPUT_FULL = 0x10000, /* bytes waiting to be sent beyond which no further
                              packet is handled */
    /* GDB's numbers of signals (include/gdb/signals.def) */
    SIGNAL_INTERRUPT = 2,
    SIGNAL_ILLEGAL = 4,
    SIGNAL_TRAP = 5,
    SIGNAL_ABORT = 6,
    SIGNAL_ARITHMETIC = 8,
    SIGNAL_BUS = 10,
    SIGNAL_SEGMENT = 11,
};

/* ---- Replies ---- */

void gdb_reply_bytes(struct gdb *g, const void *bytes, size_t length)
{
    size_t room = GDB_PACKET_MAX - g->reply_length;
    length = length < room ? length : room;
    memcpy(g->reply + g->reply_length, bytes, length);
    g->reply_length += length;
}

void gdb_reply(struct gdb *g, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0) {
        gdb_reply_bytes(g, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
    }
}

void gdb_reply_hex(struct gdb *g, const void *bytes, size_t length)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < length; i++) {
        gdb_reply(g, "%02x", byte[i]);
    }
}

void gdb_send_reply(struct gdb *g)
{
    gdb_buffer_add_packet(&g->out, g->reply, g->reply_length);
}

void gdb_print(struct gdb *g, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    length = length < (int)sizeof text - 1 ? length : (int)sizeof text - 2;
    text[length++] = '\n';
    g->reply_length = 0;
    gdb_reply(g, "O");
    gdb_reply_hex(g, text, (size_t)length);
    gdb_send_reply(g);
    g->reply_length = 0;
}

/* ---- Why the machine has stopped ---- */

static unsigned fault_signal(const struct cpu *c)
{
    if (c->cfsr & CFSR_DIVBYZERO) {
        return SIGNAL_ARITHMETIC;
    }
    if (c->cfsr & (CFSR_UNDEFINSTR | CFSR_INVSTATE | CFSR_INVPC | CFSR_NOCP)) {
        return SIGNAL_ILLEGAL;
    }
    return c->cfsr & (CFSR_BUSFAULT | CFSR_UNALIGNED) ? SIGNAL_BUS : SIGNAL_SEGMENT;
}

static unsigned stop_signal(const struct gdb *g)
{
    if (g->machine->stop != STOP_DEBUG) {
        return SIGNAL_ABORT; /* locked up, or an error that was reported */
    }
    switch (g->debug.reason) {
    case DEBUG_ASKED: return SIGNAL_INTERRUPT;
    case DEBUG_FAULT: return fault_signal(&g->machine->cpu);
    case DEBUG_STEPPED:
    case DEBUG_BREAKPOINT:
    case DEBUG_WATCHPOINT:
    case DEBUG_INSTRUCTION: break;
    }
    return SIGNAL_TRAP;
}

static void add_stop_reason(struct gdb *g)
{
    static const char *const watch[] = {
        [DEBUG_WATCH_WRITE] = "watch", [DEBUG_WATCH_READ] = "rwatch", [DEBUG_WATCH_ACCESS] = "awatch"};
    gdb_reply(g, "T%02xthread:1;", stop_signal(g));
    if (g->machine->stop != STOP_DEBUG) {
        return;
    }
    if (g->debug.reason == DEBUG_WATCHPOINT) {
        gdb_reply(g, "%s:%08x;", watch[g->debug.hit.kind], g->debug.touched);
    } else if (g->debug.reason == DEBUG_BREAKPOINT && g->knows_kind) {
        gdb_reply(g, "hwbreak:;");
    }
}

static void tell_why(struct gdb *g)
{
    if (g->machine->stop == STOP_LOCKUP) {
        gdb_print(g, "The core is locked up (ARMv7-M B1.5.15): only a reset helps.");
    } else if (g->machine->stop == STOP_ERROR) {
        gdb_print(g, "The board cannot go on faithfully, its output says why.");
    }
}

static void report_stop(struct gdb *g)
{
    g->mode = GDB_HALTED;
    tell_why(g);
    g->reply_length = 0;
    add_stop_reason(g);
}

void gdb_stopped(struct gdb *g)
{
    if (g->mode != GDB_RUNNING) {
        return;
    }
    if (g->machine->stop == STOP_EXIT) {
        gdb_ended(g, g->machine->exit_status);
        return;
    }
    report_stop(g);
    gdb_send_reply(g);
}

void gdb_ended(struct gdb *g, int status)
{
    if (g->mode != GDB_RUNNING) {
        return;
    }
    g->mode = GDB_EXITED;
    g->reply_length = 0;
    gdb_reply(g, "W%02x", status < 0 || status > 0xFF ? 1u : (unsigned)status);
    gdb_send_reply(g);
}

/* ---- Running ---- */

static bool can_run(const struct gdb *g)
{
    return g->machine->stop == STOP_DEBUG || g->machine->stop == STOP_NONE;
}

static void go(struct gdb *g, bool step)
{
    if (!can_run(g)) {
        report_stop(g);
        return;
    }
    /* Without a debugger a BKPT is a fault, and the core sleeps on. */
    if (g->debug.reason == DEBUG_INSTRUCTION || (step && g->machine->cpu.sleep != SLEEP_NONE)) {
        gdb_note_altered(g);
    }
    debug_resume(g->machine, step);
    g->machine->stop = STOP_NONE;
    g->mode = GDB_RUNNING;
    g->answered = true;
}

void gdb_note_altered(struct gdb *g)
{
    if (g->owner.altered != NULL) {
        g->owner.altered(g->owner.context);
    }
}

void gdb_reset(struct gdb *g, enum action_kind how)
{
    struct machine *m = g->machine;
    m->stop = STOP_NONE;
    if (g->owner.act != NULL) {
        g->owner.act(g->owner.context, &(struct action){.kind = how});
    } else {
        machine_request_reset(m, RESET_PIN);
    }
    machine_run(m, machine_now(m));
    m->stop = STOP_DEBUG;
    g->debug.reason = DEBUG_STEPPED; /* SIGTRAP, as after any halt that is no surprise */
}

void gdb_error(struct gdb *g, enum gdb_failure number)
{
    g->reply_length = 0;
    gdb_reply(g, "E%02x", number);
}

/* GDB's "E.TEXT" is shown to the user as it is. */
void gdb_refuse(struct gdb *g, const char *text)
{
    g->reply_length = 0;
    gdb_reply(g, "E.%s", text);
}

/* An address to go on from may follow. */
static void resume(struct gdb *g, struct gdb_cursor c, bool step)
{
    uint32_t pc;
    if (gdb_take_hex(&c, &pc)) {
        gdb_note_altered(g);
        view_write_register(g->machine, VIEW_PC, pc);
    }
    go(g, step);
}

static void take_c(struct gdb *g, struct gdb_cursor c)
{
    resume(g, c, false);
}

static void take_s(struct gdb *g, struct gdb_cursor c)
{
    resume(g, c, true);
}

/* A signal means nothing to the core. */
static void resume_with_signal(struct gdb *g, struct gdb_cursor c, bool step)
{
    uint32_t signal;
    if (!gdb_take_hex(&c, &signal)) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    (void)gdb_take(&c, ";");
    resume(g, c, step);
}

static void take_C(struct gdb *g, struct gdb_cursor c)
{
    resume_with_signal(g, c, false);
}

static void take_S(struct gdb *g, struct gdb_cursor c)
{
    resume_with_signal(g, c, true);
}

/* One thread: the first action is its. */
static void take_vCont(struct gdb *g, struct gdb_cursor c)
{
    if (gdb_take(&c, "s") || gdb_take(&c, "S")) {
        go(g, true);
    } else if (gdb_take(&c, "c") || gdb_take(&c, "C")) {
        go(g, false);
    } else {
        gdb_error(g, GDB_BAD_PACKET);
    }
}

static void take_vCont_query(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reply(g, "vCont;c;C;s;S");
}

static void take_why(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    add_stop_reason(g);
}

/* ---- Registers ---- */

static void reply_register(struct gdb *g, unsigned number)
{
    uint64_t value = view_read_register(g->machine, number);
    gdb_reply_hex(g, &value, view_register(number)->bytes);
}

static void take_g(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    for (unsigned i = 0; i < VIEW_REGISTERS; i++) {
        reply_register(g, i);
    }
}

static bool write_register(struct gdb *g, struct gdb_cursor *c, unsigned number)
{
    uint64_t value = 0;
    if (!gdb_take_bytes(c, (uint8_t *)&value, view_register(number)->bytes)) {
        return false;
    }
    gdb_note_altered(g);
    view_write_register(g->machine, number, value);
    return true;
}

/* The program status goes last: writing the PC forgets its IT state. */
static void take_G(struct gdb *g, struct gdb_cursor c)
{
    struct gdb_cursor xpsr = c;
    for (unsigned i = 0; i < VIEW_REGISTERS; i++) {
        if (i == VIEW_XPSR) {
            xpsr = c;
        }
        if (!write_register(g, &c, i)) {
            gdb_error(g, GDB_BAD_PACKET);
            return;
        }
    }
    (void)write_register(g, &xpsr, VIEW_XPSR);
    gdb_reply(g, "OK");
}

static void take_p(struct gdb *g, struct gdb_cursor c)
{
    uint32_t number;
    if (!gdb_take_hex(&c, &number) || view_register(number) == NULL) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    reply_register(g, number);
}

static void take_P(struct gdb *g, struct gdb_cursor c)
{
    uint32_t number;
    if (!gdb_take_hex(&c, &number) || view_register(number) == NULL || !gdb_take(&c, "=") ||
        !write_register(g, &c, number)) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    gdb_reply(g, "OK");
}

/* ---- Memory ---- */

/* "ADDRESS,LENGTH" */
bool gdb_take_range(struct gdb_cursor *c, uint32_t *address, uint32_t *length)
{
    return gdb_take_hex(c, address) && gdb_take(c, ",") && gdb_take_hex(c, length);
}

static void take_m(struct gdb *g, struct gdb_cursor c)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint32_t address, length;
    if (!gdb_take_range(&c, &address, &length)) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    length = length < sizeof bytes ? length : (uint32_t)sizeof bytes;
    size_t read = view_read(g->machine, address, bytes, length);
    if (read == 0 && length > 0) {
        gdb_error(g, GDB_BAD_ADDRESS);
        return;
    }
    gdb_reply_hex(g, bytes, read);
}

static void write_memory(struct gdb *g, uint32_t address, const uint8_t *bytes, size_t length)
{
    gdb_note_altered(g);
    if (view_write(g->machine, address, bytes, length)) {
        gdb_reply(g, "OK");
    } else {
        gdb_error(g, GDB_BAD_ADDRESS);
    }
}

static void take_M(struct gdb *g, struct gdb_cursor c)
{
    uint8_t bytes[GDB_PACKET_MAX / 2];
    uint32_t address, length;
    if (!gdb_take_range(&c, &address, &length) || !gdb_take(&c, ":") || length > sizeof bytes ||
        !gdb_take_bytes(&c, bytes, length)) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    write_memory(g, address, bytes, length);
}

static void take_X(struct gdb *g, struct gdb_cursor c)
{
    uint32_t address, length;
    if (!gdb_take_range(&c, &address, &length) || !gdb_take(&c, ":") || (size_t)(c.end - c.at) != length) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    write_memory(g, address, c.at, length);
}

/* ---- Breakpoints and watchpoints ---- */

/* "TYPE,ADDRESS,KIND"; the types are hardware's and software's breakpoint, and
 * three watchpoints. */
static bool take_point(struct gdb_cursor *c, struct debug_point *point)
{
    static const enum debug_kind kind[] = {DEBUG_BREAK, DEBUG_BREAK, DEBUG_WATCH_WRITE, DEBUG_WATCH_READ,
                                           DEBUG_WATCH_ACCESS};
    uint32_t type;
    if (!gdb_take_hex(c, &type) || type >= sizeof kind / sizeof kind[0] || !gdb_take(c, ",") ||
        !gdb_take_range(c, &point->address, &point->length)) {
        return false;
    }
    point->kind = kind[type];
    if (point->kind == DEBUG_BREAK) {
        point->address &= ~1u;
        point->length = 2;
    }
    return true;
}

static void take_Z(struct gdb *g, struct gdb_cursor c)
{
    struct debug_point point;
    if (!take_point(&c, &point)) {
        gdb_error(g, GDB_BAD_PACKET);
    } else if (!debug_set(&g->debug, point)) {
        gdb_refuse(g, "256 breakpoints and watchpoints are set already");
    } else {
        gdb_reply(g, "OK");
    }
}

static void take_z(struct gdb *g, struct gdb_cursor c)
{
    struct debug_point point;
    if (!take_point(&c, &point)) {
        gdb_error(g, GDB_BAD_PACKET);
        return;
    }
    debug_clear(&g->debug, point);
    gdb_reply(g, "OK");
}

/* ---- Beginning and end ---- */

static void take_ok(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reply(g, "OK");
}

static void take_extended(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    g->extended = true;
    gdb_reply(g, "OK");
}

static void take_D(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    g->mode = GDB_DETACHED;
    gdb_reply(g, "OK");
}

static void take_k(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    g->mode = GDB_KILLED;
    g->answered = true;
}

static void take_vKill(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    g->mode = GDB_KILLED;
    gdb_reply(g, "OK");
}

static void take_R(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reset(g, ACTION_RESET);
    g->mode = GDB_HALTED;
    g->answered = true;
}

/* `run`: whatever program is named, it is the one in flash. */
static void take_vRun(struct gdb *g, struct gdb_cursor c)
{
    (void)c;
    gdb_reset(g, ACTION_RESET);
    report_stop(g);
}

/* ---- Packets ---- */

static const struct {
    const char *name;
    void (*take)(struct gdb *g, struct gdb_cursor rest);
} packets[] = {
    {"?", take_why},
    {"!", take_extended},
    {"c", take_c},
    {"C", take_C},
    {"s", take_s},
    {"S", take_S},
    {"vCont?", take_vCont_query},
    {"vCont;", take_vCont},
    {"g", take_g},
    {"G", take_G},
    {"p", take_p},
    {"P", take_P},
    {"m", take_m},
    {"M", take_M},
    {"X", take_X},
    {"Z", take_Z},
    {"z", take_z},
    {"vFlashErase:", gdb_flash_erase},
    {"vFlashWrite:", gdb_flash_write},
    {"vFlashDone", gdb_flash_done},
    {"q", gdb_query},
    {"Q", gdb_query},
    {"H", take_ok},
    {"T", take_ok},
    {"D", take_D},
    {"k", take_k},
    {"vKill", take_vKill},
    {"R", take_R},
    {"vRun", take_vRun},
};

static void handle(struct gdb *g, const uint8_t *packet, size_t length)
{
    g->reply_length = 0;
    g->answered = false;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct gdb_cursor c = {.at = packet, .end = packet + length};
        if (gdb_take(&c, packets[i].name)) {
            packets[i].take(g, c);
            break;
        }
    }
    if (!g->answered) {
        gdb_send_reply(g);
    }
}

/* While the machine runs a client has nothing to say but Ctrl-C. */
static void take_packet(struct gdb *g)
{
    if (g->mode == GDB_HALTED || g->mode == GDB_EXITED) {
        handle(g, g->reader.packet, g->reader.length);
    }
}

static void acknowledge(struct gdb *g, const char *sign)
{
    if (!g->no_acknowledgement) {
        gdb_buffer_add(&g->out, sign, 1);
    }
}

static void take_item(struct gdb *g, enum gdb_item item)
{
    switch (item) {
    case GDB_NOTHING:
    case GDB_ACCEPTED: break;
    case GDB_REJECTED:
        if (!g->no_acknowledgement && g->reply_length > 0) {
            gdb_send_reply(g);
        }
        break;
    case GDB_INTERRUPT:
        if (g->mode == GDB_RUNNING) {
            debug_stop(g->machine, DEBUG_ASKED);
        }
        break;
    case GDB_DAMAGED: acknowledge(g, "-"); break;
    case GDB_TOO_LONG:
        acknowledge(g, "+");
        gdb_error(g, GDB_BAD_PACKET);
        gdb_send_reply(g);
        break;
    case GDB_PACKET:
        acknowledge(g, "+");
        take_packet(g);
        break;
    }
}

size_t gdb_receive(struct gdb *g, const uint8_t *bytes, size_t length)
{
    size_t used = 0;
    while (used < length && g->out.length < OUTPUT_FULL) {
        take_item(g, gdb_reader_take(&g->reader, bytes[used++]));
    }
    return used;
}

const uint8_t *gdb_output(const struct gdb *g, size_t *length)
{
    *length = g->out.length;
    return g->out.bytes;
}

void gdb_output_sent(struct gdb *g, size_t length)
{
    gdb_buffer_drop(&g->out, length);
}

enum gdb_mode gdb_mode(const struct gdb *g)
{
    return g->mode;
}

struct gdb *gdb_create(struct machine *m, const struct gdb_owner *owner)
{
    struct gdb *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return NULL;
    }
    g->target_xml = view_target_xml();
    g->memory_map_xml = view_memory_map_xml();
    if (g->target_xml == NULL || g->memory_map_xml == NULL) {
        free(g->target_xml);
        free(g->memory_map_xml);
        free(g);
        return NULL;
    }
    g->machine = m;
    g->owner = *owner;
    g->debug.faults = 1u << EXCEPTION_HARDFAULT;
    m->debug = &g->debug;
    debug_stop(m, DEBUG_STEPPED);
    g->debug.reason = DEBUG_STEPPED; /* SIGTRAP, whatever halted it */
    return g;
}

void gdb_destroy(struct gdb *g)
{
    if (g == NULL) {
        return;
    }
    g->machine->debug = NULL;
    if (g->machine->stop == STOP_DEBUG) {
        g->machine->stop = STOP_NONE;
    }
    gdb_forget_flash(g);
    gdb_buffer_free(&g->out);
    free(g->target_xml);
    free(g->memory_map_xml);
    free(g);
}
