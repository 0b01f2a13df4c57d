/* RNG, random number generator (RM0090 24.4). */
#include "cpu/cpu.h"
#include "peripheral.h"

enum { RNG_CR, RNG_SR, RNG_DR, RNG_REGISTERS };
enum {
    IRQ_HASH_RNG = 80,
    CLOCKS_PER_WORD = 40, /* of PLL48CLK (24.3.1) */
    CR_RNGEN = 1 << 2,
    CR_IE = 1 << 3,
    SR_DRDY = 1 << 0,
    SR_CECS = 1 << 1,
    SR_CEIS = 1 << 5,
    SR_SEIS = 1 << 6,
};

struct rng_state {
    uint32_t word;
};

static bool generates(const struct machine *m, const struct peripheral *p)
{
    return p->value[RNG_CR] & CR_RNGEN && peripheral_clocked(m, p);
}

/* 24.3.2: the clock is at fault below HCLK / 16 */
static void check_clock(struct machine *m, struct peripheral *p)
{
    bool fault = generates(m, p) && (uint64_t)rcc_pll48_hz(m) * 16 < rcc_hclk_hz(m);

    if (fault && !(p->value[RNG_SR] & SR_CECS))
        machine_report(m, REPORT_WARNING,
                       "RNG: PLL48CLK %u Hz is below HCLK / 16: CECS, CEIS (RM0090 24.3.2)", rcc_pll48_hz(m));
    if (fault)
        p->value[RNG_SR] |= SR_CECS | SR_CEIS;
    else
        p->value[RNG_SR] &= ~(uint32_t)SR_CECS;
}

static void follow_up(struct machine *m, struct peripheral *p)
{
    struct event *event = &p->events[0].event;
    bool wanted = generates(m, p) && !(p->value[RNG_SR] & (SR_CECS | SR_DRDY));

    cpu_set_irq(m, IRQ_HASH_RNG,
                p->value[RNG_CR] & CR_IE && p->value[RNG_SR] & (SR_DRDY | SR_CEIS | SR_SEIS));
    if (!wanted)
        event_cancel(m, event);
    else if (!event->armed)
        event_at(m, event, machine_now(m) + VTIME_S(1) * CLOCKS_PER_WORD / rcc_pll48_hz(m));
}

static void word_ready(struct machine *m, struct peripheral *p, size_t index)
{
    struct rng_state *s = p->state;
    (void)index;

    s->word = (uint32_t)machine_random(m);
    p->value[RNG_SR] |= SR_DRDY;
    follow_up(m, p);
}

static void clock_changed(struct machine *m, void *context)
{
    struct peripheral *p = context;

    check_clock(m, p);
    follow_up(m, p);
}

static void written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t bits)
{
    (void)index;
    (void)old;
    (void)bits;
    check_clock(m, p);
    follow_up(m, p);
}

static void dr_read(struct machine *m, struct peripheral *p, size_t index)
{
    struct rng_state *s = p->state;

    p->value[index] = 0;
    if (!(p->value[RNG_SR] & SR_DRDY)) {
        machine_report(m, REPORT_WARNING, "RNG_DR read without DRDY: 0 (RM0090 24.4.3)");
        return;
    }
    p->value[index] = s->word;
    p->value[RNG_SR] &= ~(uint32_t)SR_DRDY;
    follow_up(m, p);
}

/* RM0090 24.4.1 to 24.4.3 */
static const struct reg registers[RNG_REGISTERS] = {
    [RNG_CR] = {"CR", 0x00, WIDTH_32, 0, CR_RNGEN | CR_IE, 0, 0, NULL, written, ~0xCu},
    [RNG_SR] = {"SR", 0x04, WIDTH_32, 0, 0, 0, SR_CEIS | SR_SEIS, NULL, written, ~0x67u},
    [RNG_DR] = {"DR", 0x08, WIDTH_32, 0, 0, 0, 0, dr_read, NULL, 0},
};

static void reset(struct machine *m, struct peripheral *p)
{
    follow_up(m, p);
}

void rng_create(struct machine *m)
{
    static const char *const event_names[] = {"random word"};
    static const struct peripheral rng = {.name = "RNG",
                                          .base = 0x50060800,
                                          .size = 0x400,
                                          .gate = {0x34, 6, 0x14, 6},
                                          .regs = registers,
                                          .reg_count = RNG_REGISTERS,
                                          .reset = reset};
    struct peripheral *p = peripheral_new(m, &rng, sizeof(struct rng_state));

    peripheral_events(m, p, event_names, 1, word_ready);
    machine_on_clock(m, clock_changed, p);
}
