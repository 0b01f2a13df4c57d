/*
 * The generic part of every peripheral: registers from their tables, and the
 * remarks on accesses that a real board would ignore or punish.
 */
#include "peripheral.h"

#include <string.h>

#include "board/unmodelled.h"

enum { PAGE_BITS = 10, NO_PAGE = MACHINE_PERIPHERAL_PAGES, NO_REGISTER = -1 };

static size_t page_of(uint32_t address)
{
    enum { MB = 0x100000 };

    if (address - 0x40000000u < MB)
        return (address - 0x40000000u) >> PAGE_BITS;
    if (address - 0x50000000u < MB)
        return 1024 + ((address - 0x50000000u) >> PAGE_BITS);
    return address - 0xE0042000u < 0x400 ? 2048 : NO_PAGE;
}

struct peripheral *peripheral_find(const struct machine *m, uint32_t address)
{
    size_t page = page_of(address);

    if (page == NO_PAGE || m->peripheral_at[page] == 0)
        return NULL;
    struct peripheral *p = m->peripherals[m->peripheral_at[page] - 1];
    return address - p->base < p->size ? p : NULL;
}

void peripheral_add(struct machine *m, struct peripheral *p)
{
    m->peripherals[m->peripheral_count++] = p;
    for (uint32_t offset = 0; offset < p->size; offset += 1u << PAGE_BITS)
        m->peripheral_at[page_of(p->base + offset)] = (uint8_t)m->peripheral_count;
    machine_register_state(m, p->name, p->value, p->reg_count * sizeof *p->value);
}

struct peripheral *peripheral_new(struct machine *m, const struct peripheral *template, size_t state_size)
{
    struct peripheral *p = machine_allocate(m, sizeof *p);

    *p = *template;
    p->value = machine_allocate(m, p->reg_count * sizeof *p->value);
    peripheral_add(m, p);
    if (state_size > 0) {
        p->state = machine_allocate(m, state_size);
        machine_register_state(m, p->name, p->state, state_size);
    }
    return p;
}

static void fire_peripheral_event(struct machine *m, void *context)
{
    struct peripheral_event *e = context;

    e->fire(m, e->owner, e->index);
}

void peripheral_events(struct machine *m, struct peripheral *p, const char *const *names, size_t count,
                       void (*fire)(struct machine *m, struct peripheral *p, size_t index))
{
    p->events = machine_allocate(m, count * sizeof *p->events);
    for (size_t i = 0; i < count; i++) {
        p->events[i] = (struct peripheral_event){.owner = p, .index = i, .fire = fire};
        p->events[i].event =
            (struct event){.name = names[i], .fire = fire_peripheral_event, .context = &p->events[i]};
        machine_register_event(m, &p->events[i].event);
    }
}

void peripheral_reset(struct machine *m, struct peripheral *p)
{
    if (p->survives_reset && m->reset_cause != RESET_POWER_ON)
        return;
    for (size_t i = 0; i < p->reg_count && !p->keeps_values; i++)
        p->value[i] = p->regs[i].reset;
    if (p->reset)
        p->reset(m, p);
}

bool peripheral_clocked(const struct machine *m, const struct peripheral *p)
{
    return p->gate.enable_offset == 0 || rcc_clock_runs(m, p->gate.enable_offset, p->gate.enable_bit);
}

/* For an access: by the core, which is awake, or by a debugger, which wakes it. */
static bool switched_on(const struct machine *m, const struct peripheral *p)
{
    return p->gate.enable_offset == 0 || rcc_bit(m, p->gate.enable_offset, p->gate.enable_bit);
}

static bool held_in_reset(const struct machine *m, const struct peripheral *p)
{
    return p->gate.reset_offset != 0 && rcc_bit(m, p->gate.reset_offset, p->gate.reset_bit);
}

/* The name of an enable register by its offset (RM0090 6.3.10 to 6.3.14). */
static const char *enable_register(unsigned offset)
{
    switch (offset) {
    case 0x30: return "RCC_AHB1ENR";
    case 0x34: return "RCC_AHB2ENR";
    case 0x38: return "RCC_AHB3ENR";
    case 0x40: return "RCC_APB1ENR";
    default: return "RCC_APB2ENR";
    }
}

static bool answers(struct machine *m, struct peripheral *p, uint32_t offset, const char *what)
{
    if (!switched_on(m, p)) {
        machine_report(m, REPORT_WARNING, "%s %s+0x%02x: its clock is off (%s bit %u)", what, p->name, offset,
                       enable_register(p->gate.enable_offset), p->gate.enable_bit);
        return false;
    }
    if (held_in_reset(m, p)) {
        machine_report(m, REPORT_WARNING, "%s %s+0x%02x: RCC holds it in reset", what, p->name, offset);
        return false;
    }
    if (p->before_access)
        p->before_access(m, p);
    return true;
}

static int find_register(const struct peripheral *p, uint32_t offset)
{
    size_t low = 0, high = p->reg_count;

    offset &= ~3u;
    if (offset / 4 < p->reg_count && p->regs[offset / 4].offset == offset)
        low = high = offset / 4;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->regs[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < p->reg_count && p->regs[low].offset == offset && p->regs[low].name;
    return found ? (int)low : NO_REGISTER;
}

static bool width_allowed(struct machine *m, const struct peripheral *p, const struct reg *reg,
                          unsigned bytes)
{
    if (reg->widths & bytes)
        return true;
    machine_report(m, REPORT_WARNING, "%s_%s accessed with %u bits: the manual does not allow that", p->name,
                   reg->name, bytes * 8);
    return false;
}

static uint32_t lanes(uint32_t offset, unsigned bytes)
{
    uint32_t mask = bytes == 4 ? UINT32_MAX : (1u << (8 * bytes)) - 1;

    return mask << (8 * (offset & 3));
}

/* Reserved, or a part of it that the chip has and the model has not. */
static void report_no_register(struct machine *m, const struct peripheral *p, uint32_t offset,
                               const char *what)
{
    const char *part = unmodelled_peripheral(p->base + offset);

    if (part)
        machine_report(m, REPORT_ERROR, "%s 0x%08x: %s is not modelled", what, p->base + offset, part);
    else
        machine_report(m, REPORT_WARNING, "%s %s+0x%02x: no register there", what, p->name, offset);
}

static uint32_t read_memory(const struct peripheral *p, uint32_t offset, unsigned bytes)
{
    uint32_t value = 0;

    memcpy(&value, p->memory + offset, bytes);
    return value;
}

uint32_t peripheral_read(struct machine *m, struct peripheral *p, uint32_t offset, unsigned bytes)
{
    if (!answers(m, p, offset, "read of"))
        return 0;
    if (p->memory)
        return read_memory(p, offset, bytes);
    int index = find_register(p, offset);
    if (index == NO_REGISTER) {
        report_no_register(m, p, offset, "read of");
        return 0;
    }
    const struct reg *reg = &p->regs[index];
    if (!(reg->widths & WIDTH_READ_ANY))
        (void)width_allowed(m, p, reg, bytes); /* reading narrowly does no harm */
    if (reg->on_read)
        reg->on_read(m, p, (size_t)index);
    return (p->value[index] & lanes(offset, bytes)) >> (8 * (offset & 3));
}

static bool read_only(const struct reg *reg)
{
    return !reg->writable && !reg->w1c && !reg->w0c && !reg->on_write;
}

/* `written` in its place in the word; `mask`: the byte lanes that the access drives. */
static void store(struct machine *m, struct peripheral *p, size_t index, uint32_t written, uint32_t mask)
{
    const struct reg *reg = &p->regs[index];
    uint32_t old = p->value[index];

    if ((written ^ reg->reset) & reg->reserved & mask)
        machine_report(m, REPORT_WARNING, "%s_%s written 0x%08x: reserved bits 0x%08x changed", p->name,
                       reg->name, written, (written ^ reg->reset) & reg->reserved & mask);
    uint32_t value = (old & ~(reg->writable & mask)) | (written & reg->writable & mask);
    value &= ~(written & reg->w1c & mask);
    value &= ~(~written & reg->w0c & mask);
    p->value[index] = value;
    if (reg->on_write)
        reg->on_write(m, p, index, old, written);
}

void peripheral_write(struct machine *m, struct peripheral *p, uint32_t offset, unsigned bytes,
                      uint32_t value)
{
    if (!answers(m, p, offset, "write to"))
        return;
    if (p->memory) {
        if (p->may_write(m, p, offset))
            memcpy(p->memory + offset, &value, bytes);
        return;
    }
    int index = find_register(p, offset);
    if (index == NO_REGISTER) {
        report_no_register(m, p, offset, "write to");
        return;
    }
    const struct reg *reg = &p->regs[index];
    if (read_only(reg)) {
        machine_report(m, REPORT_WARNING, "write to %s_%s, which is read-only", p->name, reg->name);
        return;
    }
    if (width_allowed(m, p, reg, bytes)) {
        uint32_t mask = lanes(offset, bytes);
        store(m, p, (size_t)index, value << (8 * (offset & 3)) & mask, mask);
    } else { /* the bridge repeats a narrow datum over the word (RM0090 2.1.10) */
        store(m, p, (size_t)index, bytes == 1 ? (value & 0xFF) * 0x01010101u : (value & 0xFFFF) * 0x10001u,
              UINT32_MAX);
    }
}
