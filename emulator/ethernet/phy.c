/* LAN8742A: registers behind SMI address 0, auto-negotiation, link. Strapped as on the board: MODE = 111,
 * PHYAD = 0. */
#include <string.h>

#include "ethernet/ethernet.h"

enum {
    PHY_ADDRESS = 0,
    BCR = 0,
    BSR = 1,
    ID1 = 2,
    ID2 = 3,
    ANAR = 4,
    ANLPAR = 5,
    ANER = 6,
    MODE_CONTROL = 17,
    SPECIAL_MODES = 18,
    ERROR_COUNTER = 26,
    INDICATIONS = 27,
    INTERRUPT_SOURCE = 29,
    INTERRUPT_MASK = 30,
    SPECIAL_STATUS = 31,

    BCR_RESET = 0x8000,
    BCR_LOOPBACK = 0x4000,
    BCR_100 = 0x2000,
    BCR_NEGOTIATE = 0x1000,
    BCR_POWER_DOWN = 0x0800,
    BCR_ISOLATE = 0x0400,
    BCR_RESTART = 0x0200,
    BCR_FULL = 0x0100,
    BSR_ABILITIES = 0x7809,
    BSR_NEGOTIATED = 0x0020,
    BSR_LINK = 0x0004,
    AN_10_HALF = 0x0020,
    AN_10_FULL = 0x0040,
    AN_100_HALF = 0x0080,
    AN_100_FULL = 0x0100,
    AN_ACKNOWLEDGE = 0x4000,
    ANER_PARTNER_ABLE = 0x0001,
    ANER_PAGE_RECEIVED = 0x0002,
    ENERGYON = 0x0002,
    INT_LINK_DOWN = 0x0010,
    INT_NEGOTIATED = 0x0040,
    INT_ENERGYON = 0x0080,
    AUTODONE = 0x1000,

    /* Real ones take 1.5 to 2.5 s from restart to link: break_link_timer 1.2 to 1.5 s, then the pages. */
    NEGOTIATION_MS = 1800,
    FORCED_LINK_MS = 300,
    SOFT_RESET_MS = 10, /* the datasheet promises 500 at most */
};

/* Bits that keep what is written. */
static const uint16_t writable[PHY_REGISTERS] = {
    [BCR] = BCR_LOOPBACK | BCR_100 | BCR_NEGOTIATE | BCR_POWER_DOWN | BCR_ISOLATE | BCR_FULL,
    [ANAR] = 0xADFF,
    [MODE_CONTROL] = 0x2240,
    [SPECIAL_MODES] = 0x00FF,
    [INDICATIONS] = 0xA800,
    [INTERRUPT_MASK] = 0x01FE,
};

static const uint16_t reset_values[PHY_REGISTERS] = {
    [BCR] = BCR_100 | BCR_NEGOTIATE,
    [ID1] = 0x0007,
    [ID2] = 0xC131,
    [ANAR] = 0x01E1,
    [SPECIAL_MODES] = 0x00E0,
    [SPECIAL_STATUS] = 0x0040,
};

bool phy_drives_ref_clock(const struct ethernet *e)
{
    return !(e->s->phy.value[BCR] & (BCR_POWER_DOWN | BCR_ISOLATE));
}

bool phy_full_duplex(const struct ethernet *e)
{
    return e->s->phy.resolution == PHY_100_FULL || e->s->phy.resolution == PHY_10_FULL;
}

bool phy_100_mbit(const struct ethernet *e)
{
    return e->s->phy.resolution >= PHY_100_HALF;
}

bool phy_loopback(const struct ethernet *e)
{
    return e->s->phy.value[BCR] & BCR_LOOPBACK;
}

static void drop_link(struct machine *m, struct ethernet *e)
{
    struct phy_state *phy = &e->s->phy;
    phy->link_failed = true;
    phy->value[SPECIAL_STATUS] = reset_values[SPECIAL_STATUS];
    phy->value[ANLPAR] = 0;
    phy->value[ANER] = 0;
    if (!phy->link)
        return;
    phy->link = false;
    phy->value[INTERRUPT_SOURCE] |= INT_LINK_DOWN;
    cable_link_lost(m, e);
    machine_report(m, REPORT_NOTE, "Ethernet link is down");
}

/* Begins to look for a link from nothing. */
static void restart(struct machine *m, struct ethernet *e)
{
    struct phy_state *phy = &e->s->phy;
    const uint16_t bcr = phy->value[BCR];
    event_cancel(m, &e->event[EVENT_PHY]);
    phy->negotiating = false;
    drop_link(m, e);
    if (!e->s->line.cable || (bcr & (BCR_POWER_DOWN | BCR_LOOPBACK)))
        return;
    phy->negotiating = true;
    const unsigned ms = bcr & BCR_NEGOTIATE ? NEGOTIATION_MS : FORCED_LINK_MS;
    event_at(m, &e->event[EVENT_PHY], machine_now(m) + VTIME_MS(ms));
}

/* IEEE 802.3 28B.3. False: nothing in common. */
static bool highest_common(unsigned abilities, enum phy_resolution *resolution)
{
    static const unsigned by_rank[] = {AN_10_HALF, AN_10_FULL, AN_100_HALF, AN_100_FULL};
    for (int rank = PHY_100_FULL; rank >= 0; rank--) {
        if (abilities & by_rank[rank]) {
            *resolution = (enum phy_resolution)rank;
            return true;
        }
    }
    return false;
}

/* A side that negotiates with one that does not finds the speed by listening and takes half duplex. */
static bool parallel_detection(unsigned abilities, bool fast, enum phy_resolution *resolution)
{
    *resolution = fast ? PHY_100_HALF : PHY_10_HALF;
    return abilities & (fast ? AN_100_HALF | AN_100_FULL : AN_10_HALF | AN_10_FULL);
}

static bool negotiate(struct ethernet *e)
{
    struct phy_state *phy = &e->s->phy;
    const struct switch_state *line = &e->s->line;
    if (line->partner == 0) {
        const bool fast = line->partner_forced >= PHY_100_HALF;
        phy->value[ANLPAR] = fast ? AN_100_HALF : AN_10_HALF;
        return parallel_detection(phy->value[ANAR], fast, &phy->resolution);
    }
    phy->value[ANLPAR] = line->partner | AN_ACKNOWLEDGE;
    phy->value[ANER] = ANER_PARTNER_ABLE | ANER_PAGE_RECEIVED;
    return highest_common(phy->value[ANAR] & line->partner, &phy->resolution);
}

static bool forced(struct ethernet *e)
{
    struct phy_state *phy = &e->s->phy;
    const struct switch_state *line = &e->s->line;
    const bool fast = phy->value[BCR] & BCR_100, full = phy->value[BCR] & BCR_FULL;
    enum phy_resolution partner;
    phy->resolution = fast ? (full ? PHY_100_FULL : PHY_100_HALF) : (full ? PHY_10_FULL : PHY_10_HALF);
    if (line->partner != 0)
        return parallel_detection(line->partner, fast, &partner);
    return fast == (line->partner_forced >= PHY_100_HALF);
}

static void raise_link(struct machine *m, struct ethernet *e, bool negotiated)
{
    static const uint16_t speed_bits[] = {
        [PHY_10_HALF] = 1 << 2, [PHY_10_FULL] = 5 << 2, [PHY_100_HALF] = 2 << 2, [PHY_100_FULL] = 6 << 2};
    struct phy_state *phy = &e->s->phy;
    phy->link = true;
    phy->value[SPECIAL_STATUS] =
        (uint16_t)(reset_values[SPECIAL_STATUS] | speed_bits[phy->resolution] | (negotiated ? AUTODONE : 0));
    if (negotiated)
        phy->value[INTERRUPT_SOURCE] |= INT_NEGOTIATED;
    e->s->mac.mode_reported = false;
    machine_report(m, REPORT_NOTE, "Ethernet link is up: %s Mbit/s %s duplex", phy_100_mbit(e) ? "100" : "10",
                   phy_full_duplex(e) ? "full" : "half");
    transmit_kick(m, e);
}

/* Power-on, NRST, or register 0 bit 15. */
static void take_reset_values(struct machine *m, struct ethernet *e)
{
    struct phy_state *phy = &e->s->phy;
    drop_link(m, e);
    memcpy(phy->value, reset_values, sizeof phy->value);
    phy->resetting = false;
    restart(m, e);
}

void phy_event(struct machine *m, void *context)
{
    struct ethernet *e = context;
    struct phy_state *phy = &e->s->phy;
    if (phy->resetting) {
        take_reset_values(m, e);
        return;
    }
    const bool negotiated = phy->value[BCR] & BCR_NEGOTIATE;
    phy->negotiating = false;
    if (negotiated ? negotiate(e) : forced(e))
        raise_link(m, e, negotiated);
}

void phy_line_changed(struct machine *m, struct ethernet *e)
{
    if (e->s->line.cable)
        e->s->phy.value[INTERRUPT_SOURCE] |= INT_ENERGYON;
    if (!e->s->phy.resetting)
        restart(m, e);
}

static void nrst(struct machine *m, struct peripheral *p)
{
    take_reset_values(m, p->state);
}

/* A peripheral without registers: the PHY hangs on NRST, not on the MAC's reset bit in RCC. */
void phy_create(struct machine *m)
{
    const struct peripheral template = {.name = "PHY", .reset = nrst};
    peripheral_new(m, &template, 0)->state = ethernet_of(m);
}

/* ---- SMI ---- */

/* Bit 2 shows a failure until it has been read (IEEE 802.3 22.2.4.2.13). */
static uint16_t read_status(struct phy_state *phy)
{
    const bool link = phy->link && !phy->link_failed;
    const bool negotiated = phy->value[SPECIAL_STATUS] & AUTODONE;
    phy->link_failed = !phy->link;
    return (uint16_t)(BSR_ABILITIES | (negotiated ? BSR_NEGOTIATED : 0) | (link ? BSR_LINK : 0));
}

uint16_t phy_read(struct machine *m, struct ethernet *e, unsigned address, unsigned reg)
{
    struct phy_state *phy = &e->s->phy;
    uint16_t value = phy->value[reg];
    (void)m;
    if (address != PHY_ADDRESS)
        return 0xFFFF; /* nobody drives MDIO, its pull-up does */
    switch (reg) {
    case BSR: return read_status(phy);
    case ANER: phy->value[ANER] &= (uint16_t)~ANER_PAGE_RECEIVED; return value;
    case INTERRUPT_SOURCE: phy->value[INTERRUPT_SOURCE] = 0; return value;
    case MODE_CONTROL: return (uint16_t)(value | (e->s->line.cable ? ENERGYON : 0));
    default: return value;
    }
}

static void write_control(struct machine *m, struct ethernet *e, uint16_t old, uint16_t value)
{
    struct phy_state *phy = &e->s->phy;
    const unsigned relinking = BCR_LOOPBACK | BCR_100 | BCR_NEGOTIATE | BCR_POWER_DOWN | BCR_FULL;
    unsigned changed = (unsigned)(old ^ phy->value[BCR]) & relinking;
    if (value & BCR_RESET) {
        phy->value[BCR] |= BCR_RESET;
        phy->resetting = true;
        phy->negotiating = false;
        drop_link(m, e);
        event_at(m, &e->event[EVENT_PHY], machine_now(m) + VTIME_MS(SOFT_RESET_MS));
        return;
    }
    if ((old & BCR_NEGOTIATE) && (phy->value[BCR] & BCR_NEGOTIATE))
        changed &= ~(unsigned)(BCR_100 | BCR_FULL); /* without effect while negotiation decides */
    if (changed || ((value & BCR_RESTART) && (phy->value[BCR] & BCR_NEGOTIATE)))
        restart(m, e);
    transmit_kick(m, e);
}

void phy_write(struct machine *m, struct ethernet *e, unsigned address, unsigned reg, uint16_t value)
{
    struct phy_state *phy = &e->s->phy;
    const uint16_t old = phy->value[reg];
    if (address != PHY_ADDRESS)
        return;
    if (phy->resetting) {
        machine_report(m, REPORT_WARNING, "PHY: register %u written during its soft reset: lost", reg);
        return;
    }
    if (writable[reg] == 0) {
        machine_report(m, REPORT_WARNING, "PHY: register %u is read-only or not modelled", reg);
        return;
    }
    phy->value[reg] = (uint16_t)((old & ~writable[reg]) | (value & writable[reg]));
    if (reg == BCR)
        write_control(m, e, old, value);
}
