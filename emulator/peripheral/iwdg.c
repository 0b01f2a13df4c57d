/*
 * IWDG, independent watchdog (RM0090 21.4), in its own clock domain: what is
 * written to PR and RLR arrives there up to five LSI cycles later, and PVU and
 * RVU are set meanwhile. It knows no stopping, but by the debugger.
 */
#include "peripheral.h"

enum { IWDG_KR, IWDG_PR, IWDG_RLR, IWDG_SR, IWDG_REGISTERS };
enum { PVU_DONE, RVU_DONE, TIMEOUT, EVENTS };
enum {
    UPDATE_CYCLES = 5,
    FREEZE_BIT = 12, /* DBGMCU_APB1_FZ.DBG_IWDG_STOP */
    KEY_ACCESS = 0x5555,
    KEY_RELOAD = 0xAAAA,
    KEY_START = 0xCCCC,
    SR_PVU = 1 << 0,
    SR_RVU = 1 << 1,
};

struct iwdg_state {
    uint32_t prescaler; /* in force in the LSI's domain */
    uint32_t reload;
    bool unlocked;
    bool running;
    bool lsi_seen;
    bool frozen;
    vtime left; /* while it is frozen; 0: it was not counting */
};

static vtime lsi_cycles(const struct machine *m, uint64_t cycles)
{
    return cycles * VTIME_S(1) / (m->surroundings.lsi_hz ? m->surroundings.lsi_hz : 1);
}

/* LSI / 4, 8, 16, 32, 64, 128, 256, 256 (21.4.2) */
static vtime prescaled_cycle(const struct machine *m, const struct iwdg_state *s)
{
    uint32_t shift = s->prescaler > 6 ? 6 : s->prescaler;

    return lsi_cycles(m, 4u << shift);
}

static vtime timeout(const struct machine *m, const struct iwdg_state *s)
{
    return (vtime)(s->reload + 1) * prescaled_cycle(m, s);
}

static void restart(struct machine *m, struct peripheral *p)
{
    const struct iwdg_state *s = p->state;

    if (s->running && rcc_lsi_ready(m))
        event_at(m, &p->events[TIMEOUT].event, machine_now(m) + timeout(m, s));
}

static void start(struct machine *m, struct peripheral *p)
{
    struct iwdg_state *s = p->state;

    if (s->running)
        return;
    s->running = true;
    rcc_force_lsi(m); /* 6.2.5: the watchdog forces LSI on */
    restart(m, p);
}

static void kr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct iwdg_state *s = p->state;
    (void)old;

    p->value[index] = 0;
    s->unlocked = written == KEY_ACCESS; /* 21.4.1: any other value locks again */
    if (written == KEY_START)
        start(m, p);
    else if (written == KEY_RELOAD)
        restart(m, p);
    else if (written != KEY_ACCESS)
        machine_report(m, REPORT_WARNING, "IWDG_KR: 0x%04x is no key (RM0090 21.4.1)", written);
}

static void begin_update(struct machine *m, struct peripheral *p, size_t event)
{
    if (rcc_lsi_ready(m) && !p->events[event].event.armed)
        event_at(m, &p->events[event].event, machine_now(m) + lsi_cycles(m, UPDATE_CYCLES));
}

/* The counter keeps its count and goes on at the new pace. */
static void change_prescaler(struct machine *m, struct peripheral *p)
{
    struct iwdg_state *s = p->state;
    struct event *event = &p->events[TIMEOUT].event;
    vtime tick = prescaled_cycle(m, s), now = machine_now(m);

    s->prescaler = p->value[IWDG_PR];
    if (event->armed)
        event_at(m, event, now + (event->at - now) / tick * prescaled_cycle(m, s));
}

static void update_done(struct machine *m, struct peripheral *p, size_t index)
{
    struct iwdg_state *s = p->state;

    switch (index) {
    case PVU_DONE:
        change_prescaler(m, p);
        p->value[IWDG_SR] &= ~(uint32_t)SR_PVU;
        break;
    case RVU_DONE:
        s->reload = p->value[IWDG_RLR]; /* taken at the next reload */
        p->value[IWDG_SR] &= ~(uint32_t)SR_RVU;
        break;
    default:
        machine_report(m, REPORT_NOTE, "the independent watchdog resets the system");
        machine_request_reset(m, RESET_IWDG);
        break;
    }
}

static void protected_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                              uint32_t written)
{
    const struct iwdg_state *s = p->state;
    uint32_t busy = index == IWDG_PR ? SR_PVU : SR_RVU;
    (void)written;

    if (!s->unlocked || p->value[IWDG_SR] & busy) {
        machine_report(m, REPORT_WARNING, "IWDG_%s written %s: ignored (RM0090 21.4)", p->regs[index].name,
                       s->unlocked ? "during its update" : "without the key 0x5555");
        p->value[index] = old;
        return;
    }
    p->value[IWDG_SR] |= busy;
    begin_update(m, p, index == IWDG_PR ? PVU_DONE : RVU_DONE);
}

static void freeze(struct machine *m, struct peripheral *p)
{
    struct iwdg_state *s = p->state;
    struct event *event = &p->events[TIMEOUT].event;

    if (dbgmcu_freezes(m, FREEZE_BIT) == s->frozen)
        return;
    s->frozen = !s->frozen;
    if (s->frozen) {
        s->left = event->armed ? event->at - machine_now(m) : 0;
        event_cancel(m, event);
    } else if (s->left > 0) {
        event_at(m, event, machine_now(m) + s->left);
    }
}

/* LSI has started: what waited for it goes on. */
static void clock_changed(struct machine *m, void *context)
{
    struct peripheral *p = context;
    struct iwdg_state *s = p->state;

    freeze(m, p);
    if (!rcc_lsi_ready(m) || s->lsi_seen) {
        s->lsi_seen = rcc_lsi_ready(m);
        return;
    }
    s->lsi_seen = true;
    if (p->value[IWDG_SR] & SR_PVU)
        begin_update(m, p, PVU_DONE);
    if (p->value[IWDG_SR] & SR_RVU)
        begin_update(m, p, RVU_DONE);
    restart(m, p);
}

/* RM0090 21.4.1 to 21.4.4 */
static const struct reg registers[IWDG_REGISTERS] = {
    [IWDG_KR] = {"KR", 0x00, WIDTH_16 | WIDTH_32, 0, 0, 0, 0, NULL, kr_written, 0xFFFF0000},
    [IWDG_PR] = {"PR", 0x04, WIDTH_16 | WIDTH_32, 0, 0x7, 0, 0, NULL, protected_written, ~0x7u},
    [IWDG_RLR] = {"RLR", 0x08, WIDTH_16 | WIDTH_32, 0xFFF, 0xFFF, 0, 0, NULL, protected_written, ~0xFFFu},
    [IWDG_SR] = {"SR", 0x0C, WIDTH_16 | WIDTH_32, 0, 0, 0, 0, NULL, NULL, 0},
};

static void reset(struct machine *m, struct peripheral *p)
{
    struct iwdg_state *s = p->state;

    for (size_t i = 0; i < EVENTS; i++)
        event_cancel(m, &p->events[i].event);
    *s = (struct iwdg_state){.reload = 0xFFF};
    if (flash_hardware_watchdog(m)) /* 21.3.1: by the option bytes it runs from the start */
        start(m, p);
}

void iwdg_create(struct machine *m)
{
    static const char *const event_names[EVENTS] = {"IWDG PVU", "IWDG RVU", "IWDG reset"};
    static const struct peripheral iwdg = {.name = "IWDG",
                                           .base = 0x40003000,
                                           .size = 0x400,
                                           .regs = registers,
                                           .reg_count = IWDG_REGISTERS,
                                           .reset = reset};
    struct peripheral *p = peripheral_new(m, &iwdg, sizeof(struct iwdg_state));

    peripheral_events(m, p, event_names, EVENTS, update_done);
    machine_on_clock(m, clock_changed, p);
}
