#include "host/gdb_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "cpu/engine.h"

/* ---- Registers ---- */

static const char core[] = "org.gnu.gdb.arm.m-profile";
static const char vfp[] = "org.gnu.gdb.arm.vfp";
static const char special[] = "org.gnu.gdb.arm.m-system";

#define CORE(n)                                                                                              \
    {                                                                                                        \
        n, 4, "int", core, ""                                                                                \
    }
#define DOUBLE(n)                                                                                            \
    {                                                                                                        \
        n, 8, "ieee_double", vfp, ""                                                                         \
    }
#define SYSTEM(n)                                                                                            \
    {                                                                                                        \
        n, 1, "uint8", special, " group=\"system\""                                                          \
    }

static const struct view_register registers[VIEW_REGISTERS] = {
    CORE("r0"),
    CORE("r1"),
    CORE("r2"),
    CORE("r3"),
    CORE("r4"),
    CORE("r5"),
    CORE("r6"),
    CORE("r7"),
    CORE("r8"),
    CORE("r9"),
    CORE("r10"),
    CORE("r11"),
    CORE("r12"),
    {"sp", 4, "data_ptr", core, ""},
    CORE("lr"),
    {"pc", 4, "code_ptr", core, ""},
    CORE("xpsr"),
    DOUBLE("d0"),
    DOUBLE("d1"),
    DOUBLE("d2"),
    DOUBLE("d3"),
    DOUBLE("d4"),
    DOUBLE("d5"),
    DOUBLE("d6"),
    DOUBLE("d7"),
    DOUBLE("d8"),
    DOUBLE("d9"),
    DOUBLE("d10"),
    DOUBLE("d11"),
    DOUBLE("d12"),
    DOUBLE("d13"),
    DOUBLE("d14"),
    DOUBLE("d15"),
    {"fpscr", 4, "int", vfp, " group=\"float\""},
    {"msp", 4, "data_ptr", special, " group=\"system\""},
    {"psp", 4, "data_ptr", special, " group=\"system\""},
    SYSTEM("primask"),
    SYSTEM("basepri"),
    SYSTEM("faultmask"),
    SYSTEM("control"),
};

const struct view_register *view_register(unsigned number)
{
    return number < VIEW_REGISTERS ? &registers[number] : NULL;
}

int view_register_number(const char *name)
{
    for (int i = 0; i < VIEW_REGISTERS; i++) {
        if (strcmp(registers[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

uint64_t view_read_register(const struct machine *m, unsigned number)
{
    const struct cpu *c = &m->cpu;
    if (number < VIEW_XPSR) {
        return c->r[number];
    }
    if (number >= VIEW_D0 && number < VIEW_FPSCR) {
        const uint32_t *s = &c->s[2 * (number - VIEW_D0)];
        return (uint64_t)s[1] << 32 | s[0];
    }
    switch (number) {
    case VIEW_XPSR: return cpu_xpsr(c);
    case VIEW_FPSCR: return c->fpscr;
    case VIEW_MSP: return cpu_msp(c);
    case VIEW_PSP: return cpu_psp(c);
    case VIEW_PRIMASK: return c->primask;
    case VIEW_BASEPRI: return c->basepri;
    case VIEW_FAULTMASK: return c->faultmask;
    case VIEW_CONTROL: return c->control;
    default: return 0;
    }
}

static void write_stack_pointer(struct cpu *c, bool psp, uint32_t value)
{
    uint32_t *sp = psp == c->psp_in_use ? &c->r[13] : &c->banked_sp;
    *sp = value & ~3u;
}

/* Everything but IPSR, which only entering and leaving an exception changes. */
static void write_xpsr(struct cpu *c, uint32_t value)
{
    cpu_set_apsr(c, value);
    c->flag_ge = value >> 16 & 15;
    c->thumb = value >> 24 & 1;
    c->itstate = (uint8_t)((value >> 25 & 3) | (value >> 8 & 0xFC));
    c->attention |= c->itstate != 0 ? ATTEND_IT : 0;
}

/* At another address the IT block that the core may be in means nothing. */
static void write_pc(struct cpu *c, uint32_t value)
{
    value &= ~1u;
    if (value != c->r[15]) {
        c->itstate = 0;
        c->sleep = SLEEP_NONE;
    }
    c->r[15] = value;
}

static void write_special(struct machine *m, unsigned number, uint32_t value)
{
    struct cpu *c = &m->cpu;
    switch (number) {
    case VIEW_XPSR: write_xpsr(c, value); break;
    case VIEW_FPSCR: c->fpscr = value & 0xF7C0009F; break;
    case VIEW_MSP: write_stack_pointer(c, false, value); break;
    case VIEW_PSP: write_stack_pointer(c, true, value); break;
    case VIEW_PRIMASK: c->primask = value & 1; break;
    case VIEW_BASEPRI: c->basepri = value & (0x100u - (1u << (8 - CPU_PRIORITY_BITS))); break;
    case VIEW_FAULTMASK: c->faultmask = value & 1; break;
    case VIEW_CONTROL: cpu_set_control(c, value); break;
    default: break;
    }
    c->attention |= ATTEND_EXCEPTION;
}

void view_write_register(struct machine *m, unsigned number, uint64_t value)
{
    struct cpu *c = &m->cpu;
    if (number == VIEW_PC) {
        write_pc(c, (uint32_t)value);
    } else if (number < VIEW_PC) {
        set_register(c, number, (uint32_t)value);
    } else if (number >= VIEW_D0 && number < VIEW_FPSCR) {
        c->s[2 * (number - VIEW_D0)] = (uint32_t)value;
        c->s[2 * (number - VIEW_D0) + 1] = (uint32_t)(value >> 32);
    } else {
        write_special(m, number, (uint32_t)value);
    }
}

/* ---- Memory ---- */

enum { PPB_BASE = 0xE0000000, PPB_SIZE = 0x100000, DBGMCU_BASE = 0xE0042000, DBGMCU_SIZE = 0x400 };

static bool is_ppb(uint32_t address)
{
    return address - PPB_BASE < PPB_SIZE && address - DBGMCU_BASE >= DBGMCU_SIZE;
}

static bool is_bit_band(uint32_t address)
{
    return address - 0x22000000u < 0x2000000u || address - 0x42000000u < 0x2000000u;
}

/* The bytes at an address of plain memory and how many follow; NULL: something
 * else is there. */
static uint8_t *plain_memory(const struct machine *m, uint32_t address, size_t *room)
{
    const struct {
        uint32_t base, size;
        uint8_t *bytes;
    } memory[] = {{FLASH_BASE, FLASH_SIZE, m->flash},
                  {SRAM_BASE, SRAM_SIZE, m->sram},
                  {CCM_BASE, CCM_SIZE, m->ccm},
                  {SYSTEM_MEMORY_BASE, SYSTEM_MEMORY_SIZE, m->system_memory}};
    for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++) {
        uint32_t offset = address - memory[i].base;
        if (offset < memory[i].size) {
            *room = memory[i].size - offset;
            return memory[i].bytes + offset;
        }
    }
    return NULL;
}

static unsigned width_at(uint32_t address, size_t length)
{
    if (address % 4 == 0 && length >= 4) {
        return 4;
    }
    return address % 2 == 0 && length >= 2 ? 2 : 1;
}

static bool read_unit(struct machine *m, uint32_t address, unsigned width, uint32_t *value)
{
    if (is_ppb(address)) {
        return ppb_read(m, address, width, true, value);
    }
    if (!is_bit_band(address)) {
        return bus_read(m, address, width, value);
    }
    bool good = memory_word_read(m, address & ~3u, value);
    *value >>= 8 * (address & 3);
    return good;
}

static bool write_bus(struct machine *m, uint32_t address, unsigned width, uint32_t value)
{
    if (is_ppb(address)) {
        return ppb_write(m, address, width, true, value);
    }
    return is_bit_band(address) ? memory_word_write(m, address, value) : bus_write(m, address, width, value);
}

/* What is wrong with an access is told to whoever made it, not as the program's fault. */
static bool write_unit(struct machine *m, uint32_t address, unsigned width, uint32_t value)
{
    const struct host host = m->host;
    m->host.report = NULL;
    bool good = write_bus(m, address, width, value);
    m->host = host;
    return good;
}

/* All that a read of a register may change: the machine, the peripherals'
 * state, the queue of events. */
enum { EVENTS_MAX = 128 };

struct moment {
    struct machine machine;
    uint8_t *arena;
    size_t count;
    struct event *events[EVENTS_MAX];
    struct event copies[EVENTS_MAX];
};

static struct moment *remember(struct machine *m)
{
    struct moment *moment = malloc(sizeof *moment);
    uint8_t *arena = malloc(m->arena_used > 0 ? m->arena_used : 1);
    if (moment == NULL || arena == NULL) {
        free(moment);
        free(arena);
        return NULL;
    }
    memcpy(&moment->machine, m, sizeof *m);
    memcpy(arena, m->arena, m->arena_used);
    moment->arena = arena;
    moment->count = 0;
    for (struct event *event = m->events; event != NULL && moment->count < EVENTS_MAX; event = event->next) {
        moment->events[moment->count] = event;
        moment->copies[moment->count++] = *event;
    }
    m->host = (struct host){0};
    return moment;
}

static void go_back(struct machine *m, struct moment *moment)
{
    for (struct event *event = m->events; event != NULL; event = event->next) {
        event->armed = false;
    }
    memcpy(m, &moment->machine, sizeof *m);
    memcpy(m->arena, moment->arena, m->arena_used);
    for (size_t i = 0; i < moment->count; i++) {
        *moment->events[i] = moment->copies[i];
    }
    free(moment->arena);
    free(moment);
}

static size_t read_units(struct machine *m, uint32_t address, uint8_t *bytes, size_t length)
{
    size_t done = 0, room;
    while (done < length && plain_memory(m, address + (uint32_t)done, &room) == NULL) {
        uint32_t at = address + (uint32_t)done, value = 0;
        unsigned width = width_at(at, length - done);
        if (!read_unit(m, at, width, &value)) {
            break;
        }
        memcpy(bytes + done, &value, width);
        done += width;
    }
    return done;
}

size_t view_read(struct machine *m, uint32_t address, uint8_t *bytes, size_t length)
{
    size_t done = 0, part = 1;
    while (done < length && part > 0) {
        const uint8_t *memory = plain_memory(m, address + (uint32_t)done, &part);
        if (memory != NULL) {
            part = part < length - done ? part : length - done;
            memcpy(bytes + done, memory, part);
        } else {
            struct moment *moment = remember(m);
            if (moment == NULL) {
                break;
            }
            part = read_units(m, address + (uint32_t)done, bytes + done, length - done);
            go_back(m, moment);
        }
        done += part;
    }
    return done;
}

/* A request for reset that was written is carried out at once, as by a core
 * that is halted. */
static void settle(struct machine *m)
{
    enum machine_stop stop = m->stop;
    if (m->reset_requested) {
        m->stop = STOP_NONE;
        machine_run(m, machine_now(m));
        m->stop = stop;
    }
}

static bool write_plain(struct machine *m, uint32_t address, uint8_t *memory, const uint8_t *bytes,
                        size_t length)
{
    if (address - SRAM_BASE < SRAM_SIZE || address - CCM_BASE < CCM_SIZE) {
        memcpy(memory, bytes, length);
        cpu_code_written(m, address, length);
        return true;
    }
    return machine_load(m, address, bytes, length);
}

bool view_write(struct machine *m, uint32_t address, const uint8_t *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        uint32_t at = address + (uint32_t)done, value = 0;
        size_t part;
        uint8_t *memory = plain_memory(m, at, &part);
        if (memory != NULL) {
            part = part < length - done ? part : length - done;
            if (!write_plain(m, at, memory, bytes + done, part)) {
                return false;
            }
        } else {
            part = width_at(at, length - done);
            memcpy(&value, bytes + done, part);
            if (!write_unit(m, at, (unsigned)part, value)) {
                return false;
            }
        }
        done += part;
    }
    settle(m);
    return true;
}
