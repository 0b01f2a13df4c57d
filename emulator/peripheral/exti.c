/* EXTI, external interrupts (RM0090 12.3): edges on 16 pins and 7 internal lines. */
#include "cpu/cpu.h"
#include "peripheral.h"

enum { EXTI_IMR, EXTI_EMR, EXTI_RTSR, EXTI_FTSR, EXTI_SWIER, EXTI_PR, EXTI_REGISTERS };
enum { EXTI_BASE = 0x40013C00 };
#define LINES 0x007FFFFFu

/* Which lines raise which interrupt (RM0090 table 62) */
static const struct {
    uint32_t lines;
    unsigned irq;
} vectors[] = {
    {1u << 0, 6},     {1u << 1, 7},      {1u << 2, 8},  {1u << 3, 9},   {1u << 4, 10},
    {0x1Fu << 5, 23}, {0x3Fu << 10, 40}, {1u << 16, 1}, {1u << 17, 41}, {1u << 18, 42},
    {1u << 19, 62},   {1u << 20, 76},    {1u << 21, 2}, {1u << 22, 3},
};

static struct peripheral *exti_of(const struct machine *m)
{
    return peripheral_find(m, EXTI_BASE);
}

static void update_interrupts(struct machine *m, const struct peripheral *p)
{
    uint32_t pending = p->value[EXTI_PR] & p->value[EXTI_IMR];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        cpu_set_irq(m, vectors[i].irq, pending & vectors[i].lines);
}

/* 12.2.3: an event wakes the core from WFE and is remembered nowhere else. */
static void send_events(struct machine *m, const struct peripheral *p, uint32_t lines)
{
    if (lines & p->value[EXTI_EMR])
        m->cpu.event_register = 1;
}

static void edge(struct machine *m, unsigned line, bool rising)
{
    struct peripheral *p = exti_of(m);
    uint32_t bit = 1u << line;

    if (!(p->value[rising ? EXTI_RTSR : EXTI_FTSR] & bit))
        return;
    p->value[EXTI_PR] |= bit;
    send_events(m, p, bit);
    update_interrupts(m, p);
}

void exti_pin_changed(struct machine *m, unsigned port, unsigned pin, bool level)
{
    if (syscfg_exti_port(m, pin) == port)
        edge(m, pin, level);
}

/* The internal lines are pulses: their rising edge is the configured one (12.2.5). */
void exti_line_event(struct machine *m, unsigned line)
{
    edge(m, line, true);
}

static void changed(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    update_interrupts(m, p);
}

/* 12.3.5: a bit that goes from 0 to 1 pends the line, if IMR lets it. */
static void swier_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                          uint32_t written)
{
    uint32_t rising = written & LINES & ~old;

    p->value[index] |= old; /* only clearing PR clears it */
    p->value[EXTI_PR] |= rising & p->value[EXTI_IMR];
    send_events(m, p, rising);
    update_interrupts(m, p);
}

static void pr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    p->value[EXTI_SWIER] &= ~written;
    update_interrupts(m, p);
}

#define REGISTER(n, o, hook) [EXTI_##n] = {#n, o, WIDTH_32, 0, LINES, 0, 0, NULL, hook, ~LINES}

/* RM0090 12.3.1 to 12.3.6 */
static const struct reg registers[EXTI_REGISTERS] = {
    REGISTER(IMR, 0x00, changed),
    REGISTER(EMR, 0x04, NULL),
    REGISTER(RTSR, 0x08, NULL),
    REGISTER(FTSR, 0x0C, NULL),
    REGISTER(SWIER, 0x10, swier_written),
    [EXTI_PR] = {"PR", 0x14, WIDTH_32, 0, 0, LINES, 0, NULL, pr_written, ~LINES},
};

static void reset(struct machine *m, struct peripheral *p)
{
    update_interrupts(m, p);
}

void exti_create(struct machine *m)
{
    static const struct peripheral exti = {.name = "EXTI",
                                           .base = EXTI_BASE,
                                           .size = 0x400,
                                           .regs = registers,
                                           .reg_count = EXTI_REGISTERS,
                                           .reset = reset};

    (void)peripheral_new(m, &exti, 0);
}
