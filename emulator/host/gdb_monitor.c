/* `monitor` commands: those that users of OpenOCD type, and the board's own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/engine.h"
#include "host/gdb_session.h"
#include "host/gdb_view.h"

enum { WORDS = 16, DUMP_MAX = 256 };

struct words {
    char *word[WORDS];
    size_t count;
};

static void split(char *command, struct words *words)
{
    char *rest = command;
    words->count = 0;
    while (words->count < WORDS) {
        char *word = strtok_r(rest, " \t\r\n", &rest);
        if (word == NULL) {
            break;
        }
        words->word[words->count++] = word;
    }
}

static bool is(const struct words *words, size_t index, const char *text)
{
    return index < words->count && strcmp(words->word[index], text) == 0;
}

static bool number(const struct words *words, size_t index, uint32_t *value)
{
    char *end;
    if (index >= words->count || *words->word[index] == '-') {
        return false;
    }
    unsigned long long parsed = strtoull(words->word[index], &end, 0);
    *value = (uint32_t)parsed;
    return *end == '\0' && end != words->word[index] && parsed <= UINT32_MAX;
}

/* ---- Reset and state ---- */

static void reset(struct gdb *g, const struct words *words)
{
    if (words->count > 1 && !is(words, 1, "halt") && !is(words, 1, "init") && !is(words, 1, "run")) {
        gdb_print(g, "reset takes halt, init or run");
        return;
    }
    gdb_reset(g, ACTION_RESET);
    g->mode = GDB_HALTED;
    gdb_print(g, "reset: pc 0x%08x, msp 0x%08x%s", g->machine->cpu.r[15], g->machine->cpu.r[13],
              words->count == 1 || is(words, 1, "run") ? "; continue lets it run" : "");
}

static void power_cycle(struct gdb *g, const struct words *words)
{
    (void)words;
    gdb_reset(g, ACTION_POWER_CYCLE);
    g->mode = GDB_HALTED;
    gdb_print(g, "power off and on: pc 0x%08x", g->machine->cpu.r[15]);
}

static void already_halted(struct gdb *g, const struct words *words)
{
    (void)words;
    gdb_print(g, "the core is halted, pc 0x%08x; continue lets it run", g->machine->cpu.r[15]);
}

static const char *stop_name(const struct gdb *g)
{
    switch (g->machine->stop) {
    case STOP_LOCKUP: return "locked up";
    case STOP_ERROR: return "stopped by an error";
    case STOP_EXIT: return "ended";
    case STOP_NONE:
    case STOP_DEBUG: break;
    }
    return g->machine->cpu.sleep != SLEEP_NONE ? "halted asleep" : "halted";
}

static void info(struct gdb *g, const struct words *words)
{
    const struct machine *m = g->machine;
    const struct cpu *c = &m->cpu;
    (void)words;
    gdb_print(g, "STM32F429ZI, virtual Nucleo-F429ZI: %s", stop_name(g));
    gdb_print(g, "time %.9f s, %" PRIu64 " cycles, %" PRIu64 " instructions, HCLK %.6g MHz",
              (double)machine_now(m) / (double)VTIME_S(1), m->cycles, m->instructions, m->hclk_hz / 1e6);
    gdb_print(g, "pc 0x%08x, xpsr 0x%08x, exception %u, %s, %s stack", c->r[15], cpu_xpsr(c), c->exception,
              privileged(c) ? "privileged" : "unprivileged", c->psp_in_use ? "process" : "main");
    gdb_print(g, "CFSR 0x%08x, HFSR 0x%08x, MMFAR 0x%08x, BFAR 0x%08x", c->cfsr, c->hfsr, c->mmfar, c->bfar);
    gdb_print(g, "%zu breakpoints and watchpoints of %d", g->debug.count, DEBUG_POINTS);
}

/* ---- Memory and registers ---- */

static void dump(struct gdb *g, const struct words *words)
{
    unsigned width = words->word[0][2] == 'w' ? 4 : words->word[0][2] == 'h' ? 2 : 1;
    uint32_t address, count = 1;
    if (!number(words, 1, &address) || (words->count > 2 && !number(words, 2, &count)) || count == 0 ||
        count > DUMP_MAX) {
        gdb_print(g, "%s takes an address and a count of up to %d", words->word[0], DUMP_MAX);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = address + i * width, value = 0;
        if (view_read(g->machine, at, (uint8_t *)&value, width) != width) {
            gdb_print(g, "0x%08x: nothing answers there", at);
            return;
        }
        gdb_print(g, "0x%08x: %0*x", at, (int)(2 * width), value);
    }
}

static void put(struct gdb *g, const struct words *words)
{
    unsigned width = words->word[0][2] == 'w' ? 4 : words->word[0][2] == 'h' ? 2 : 1;
    uint32_t address, value;
    if (!number(words, 1, &address) || !number(words, 2, &value)) {
        gdb_print(g, "%s takes an address and a value", words->word[0]);
        return;
    }
    gdb_note_altered(g);
    if (!view_write(g->machine, address, (const uint8_t *)&value, width)) {
        gdb_print(g, "0x%08x: nothing answers there", address);
    }
}

static void show_register(struct gdb *g, unsigned i)
{
    const struct view_register *r = view_register(i);
    gdb_print(g, "%s (/%u): 0x%0*" PRIx64, r->name, 8 * r->bytes, (int)(2 * r->bytes),
              view_read_register(g->machine, i));
}

static void registers(struct gdb *g, const struct words *words)
{
    int i = words->count > 1 ? view_register_number(words->word[1]) : -1;
    uint32_t value;
    if (words->count > 1 && i < 0) {
        gdb_print(g, "no register %s", words->word[1]);
    } else if (words->count > 2 && number(words, 2, &value)) {
        gdb_note_altered(g);
        view_write_register(g->machine, (unsigned)i, value);
        show_register(g, (unsigned)i);
    } else if (words->count > 1) {
        show_register(g, (unsigned)i);
    } else {
        for (unsigned n = 0; n < VIEW_REGISTERS; n++) {
            show_register(g, n);
        }
    }
}

/* ---- Faults ---- */

static const struct {
    const char *name; /* DEMCR's bits as OpenOCD calls them */
    unsigned exception;
} caught[] = {
    {"hard_err", EXCEPTION_HARDFAULT}, {"mm_err", EXCEPTION_MEMMANAGE},
    {"bus_err", EXCEPTION_BUSFAULT},   {"state_err", EXCEPTION_USAGEFAULT},
    {"chk_err", EXCEPTION_USAGEFAULT}, {"nocp_err", EXCEPTION_USAGEFAULT},
};

enum { CAUGHT = sizeof caught / sizeof caught[0] };

static bool catch_one(uint32_t *faults, const char *name)
{
    for (size_t i = 0; i < CAUGHT; i++) {
        if (strcmp(name, caught[i].name) == 0 || strcmp(name, "all") == 0) {
            *faults |= 1u << caught[i].exception;
        }
        if (strcmp(name, caught[i].name) == 0) {
            return true;
        }
    }
    return strcmp(name, "all") == 0 || strcmp(name, "none") == 0;
}

/* "cortex_m vector_catch all|none|NAME…" */
static void cortex_m(struct gdb *g, const struct words *words)
{
    uint32_t faults = 0;
    if (is(words, 1, "maskisr")) {
        gdb_print(g, "a step serves the interrupts that are due first: auto");
        return;
    }
    if (!is(words, 1, "vector_catch")) {
        gdb_print(g, "cortex_m takes vector_catch or maskisr");
        return;
    }
    for (size_t i = 2; i < words->count; i++) {
        if (!catch_one(&faults, words->word[i])) {
            gdb_print(g, "vector_catch takes all, none, hard_err, mm_err, bus_err, "
                         "state_err, chk_err, nocp_err");
            return;
        }
    }
    if (words->count > 2) {
        g->debug.faults = faults;
    }
    for (size_t i = 0; i < CAUGHT; i++) {
        gdb_print(g, "%9s: %s", caught[i].name,
                  g->debug.faults >> caught[i].exception & 1 ? "catch" : "ignore");
    }
}

static void arm(struct gdb *g, const struct words *words)
{
    (void)words;
    gdb_print(g, "semihosting is enabled");
}

/* ---- The board ---- */

static void act(struct gdb *g, enum action_kind kind)
{
    if (g->owner.act != NULL) {
        g->owner.act(g->owner.context, &(struct action){.kind = kind});
    }
}

static void button(struct gdb *g, const struct words *words)
{
    if (is(words, 1, "press")) {
        act(g, ACTION_BUTTON_PRESS);
    } else if (is(words, 1, "down")) {
        act(g, ACTION_BUTTON_DOWN);
    } else if (is(words, 1, "up")) {
        act(g, ACTION_BUTTON_UP);
    } else {
        gdb_print(g, "button takes press, down or up");
    }
}

static void cable(struct gdb *g, const struct words *words)
{
    if (is(words, 1, "in")) {
        act(g, ACTION_CABLE_IN);
    } else if (is(words, 1, "out")) {
        act(g, ACTION_CABLE_OUT);
    } else {
        gdb_print(g, "cable takes in or out");
    }
}

static void shut_down(struct gdb *g, const struct words *words)
{
    (void)words;
    g->mode = GDB_KILLED;
}

static void help(struct gdb *g, const struct words *words);

static const struct {
    const char *name;
    void (*run)(struct gdb *g, const struct words *words);
    const char *help;
} commands[] = {
    {"help", help, "this list"},
    {"reset", reset,
     "[halt|init|run]: reset pin; the core stays halted before its first "
     "instruction"},
    {"halt", already_halted, "is halted whenever GDB has the prompt"},
    {"resume", already_halted, "use GDB's continue"},
    {"info", info, "time, counters, state of the core, fault status"},
    {"targets", info, "the same"},
    {"poll", info, "the same"},
    {"reg", registers, "[NAME [VALUE]]: shows or sets registers"},
    {"mdw", dump, "ADDRESS [COUNT]: shows words; mdh halfwords, mdb bytes"},
    {"mdh", dump, NULL},
    {"mdb", dump, NULL},
    {"mww", put, "ADDRESS VALUE: writes a word; mwh a halfword, mwb a byte"},
    {"mwh", put, NULL},
    {"mwb", put, NULL},
    {"cortex_m", cortex_m,
     "vector_catch [all|none|hard_err|mm_err|bus_err|…]: faults at which to "
     "stop"},
    {"arm", arm, "semihosting enable: it always is"},
    {"button", button, "press|down|up: the user button"},
    {"cable", cable, "in|out: the Ethernet cable"},
    {"power-cycle", power_cycle, "power off and on; the core stays halted"},
    {"shutdown", shut_down, "ends the virtual board"},
};

static void help(struct gdb *g, const struct words *words)
{
    (void)words;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].help != NULL) {
            gdb_print(g, "%s %s", commands[i].name, commands[i].help);
        }
    }
}

void gdb_monitor(struct gdb *g, char *command)
{
    struct words words;
    split(command, &words);
    if (words.count == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (is(&words, 0, commands[i].name)) {
            commands[i].run(g, &words);
            return;
        }
    }
    gdb_print(g, "unknown command '%s': monitor help lists all", words.word[0]);
}
