/*
 * Address conflict detection (RFC 5227). The address of an interface is probed for, announced when it is
 * taken, and defended once in ten seconds. A second conflict within these takes a leased address away (2.4
 * b); one that was configured is kept (2.4 c), or two forged packets would be enough to silence the device.
 */
#include "net/internal.h"
#include "net/wire/arp.h"

#if NET_WITH_ACD

/* RFC 5227 1.1 */
enum {
    PROBE_WAIT_MS = 1000,
    PROBE_NUM = 3,
    PROBE_MIN_MS = 1000,
    PROBE_MAX_MS = 2000,
    ANNOUNCE_WAIT_MS = 2000,
    ANNOUNCE_NUM = 2,
    ANNOUNCE_INTERVAL_MS = 2000,
    DEFEND_INTERVAL_MS = 10000,
    RATE_LIMIT_INTERVAL_MS = 60000,
    UNSENT_RETRY_MS = 100, /* the transmit ring was full */
};

static void at(struct net *net, struct net_acd *acd, uint32_t delay_ms)
{
    acd->deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, acd->deadline_ms);
}

static void enter(struct net *net, struct net_acd *acd, enum acd_state state, uint32_t delay_ms)
{
    acd->state = (uint8_t)state;
    acd->sent = 0;
    at(net, acd, delay_ms);
}

static bool is_primary(const struct net *net, const struct net_acd *acd)
{
    return acd == net->acd;
}

/* Who takes the address when it is free, and looks for another chance when it is not? DHCP does for its own.
 */
static bool is_static(const struct net *net, const struct net_acd *acd)
{
    return !is_primary(net, acd) || !net->by_dhcp;
}

void acd_begin(struct net *net, struct net_acd *acd, uint32_t address)
{
    *acd = (struct net_acd){.address = address};
    if (address == 0) {
        return;
    }
    if (net->at_once) {
        enter(net, acd, ACD_FREE, 0);
    } else {
        enter(net, acd, ACD_PROBING, net_random(net) % (PROBE_WAIT_MS + 1));
    }
}

void acd_probe(struct net *net, uint32_t address)
{
    acd_begin(net, net->acd, address);
}

enum acd_state acd_state(const struct net *net)
{
    return (enum acd_state)net->acd->state;
}

uint32_t acd_address(const struct net *net)
{
    return net->acd->address;
}

void acd_stop(struct net *net)
{
    acd_begin(net, net->acd, 0);
}

static bool in_use(const struct net_acd *acd)
{
    return acd->state == ACD_ANNOUNCING || acd->state == ACD_DEFENDING;
}

void acd_taken(struct net *net, struct net_acd *acd, uint32_t address)
{
    if (address == 0) {
        acd->state = in_use(acd) ? ACD_IDLE : acd->state;
    } else if (!net->at_once && (acd->address != address || !in_use(acd))) {
        *acd = (struct net_acd){.address = address};
        enter(net, acd, ACD_ANNOUNCING, 0);
    }
}

static void use(struct net *net, struct net_acd *acd, bool usable)
{
    if (is_primary(net, acd)) {
        net_set_address(net, usable ? acd->address : 0);
    } else if (NET_WITH_ROUTES) {
        route_address_usable(net, (unsigned)(acd - net->acd) - 1, usable);
    }
}

static void take(struct net *net, struct net_acd *acd)
{
    acd->state = ACD_IDLE;
    use(net, acd, true);
    acd_taken(net, acd, acd->address);
}

static void give_up(struct net *net, struct net_acd *acd)
{
    bool had_it = in_use(acd);
    /* DHCP's turn is now. An address that was configured has another chance later. */
    enter(net, acd, ACD_CONFLICT, 0);
    if (is_static(net, acd)) {
        acd->deadline_ms = net->now_ms + RATE_LIMIT_INTERVAL_MS;
    }
    if (had_it) {
        use(net, acd, false);
    }
}

static bool transmit(struct net *net, const struct net_acd *acd, uint32_t sender)
{
    uint8_t *frame = net_reserve(net);
    if (frame) {
        arp_send_request(net, frame, sender, acd->address);
    }
    return frame != NULL;
}

static void probe(struct net *net, struct net_acd *acd)
{
    if (acd->sent == PROBE_NUM) {
        enter(net, acd, ACD_FREE, 0);
    } else if (!transmit(net, acd, 0)) {
        at(net, acd, UNSENT_RETRY_MS);
    } else if (++acd->sent == PROBE_NUM) {
        at(net, acd, ANNOUNCE_WAIT_MS);
    } else {
        at(net, acd, PROBE_MIN_MS + net_random(net) % (PROBE_MAX_MS - PROBE_MIN_MS + 1));
    }
}

static void announce(struct net *net, struct net_acd *acd)
{
    if (!transmit(net, acd, acd->address)) {
        at(net, acd, UNSENT_RETRY_MS);
    } else if (++acd->sent == ANNOUNCE_NUM) {
        acd->state = ACD_DEFENDING;
    } else {
        at(net, acd, ANNOUNCE_INTERVAL_MS);
    }
}

/* Has it something to do by itself, now or later? */
static bool is_timed(const struct net *net, const struct net_acd *acd)
{
    switch (acd->state) {
    case ACD_PROBING:
    case ACD_ANNOUNCING: return true;
    case ACD_FREE:
    case ACD_CONFLICT: return is_static(net, acd);
    default: return false;
    }
}

static void run(struct net *net, struct net_acd *acd)
{
    if (acd->state == ACD_PROBING) {
        probe(net, acd);
    }
    switch (acd->state) {
    case ACD_FREE:
        if (is_static(net, acd)) {
            take(net, acd);
        }
        break;
    case ACD_ANNOUNCING: announce(net, acd); break;
    case ACD_CONFLICT: acd_begin(net, acd, acd->address); break;
    default: break;
    }
}

void acd_timers(struct net *net)
{
    for (unsigned i = 0; i < NET_ACDS; i++) {
        struct net_acd *acd = &net->acd[i];
        if (!net->link_up || !is_timed(net, acd)) {
            continue;
        }
        if (net_due(net, acd->deadline_ms)) {
            run(net, acd);
        } else {
            net_timer_at(net, acd->deadline_ms);
        }
    }
}

static void restart(struct net *net, struct net_acd *acd)
{
    if (acd->address == 0) {
        return;
    }
    if (is_primary(net, acd)) {
        net->address = 0; /* connections wait for it to come back */
    } else {
        use(net, acd, false);
    }
    acd_begin(net, acd, acd->address);
}

void acd_link(struct net *net, bool up)
{
    for (unsigned i = 0; i < NET_ACDS; i++) {
        struct net_acd *acd = &net->acd[i];
        acd->state = ACD_IDLE;
        if (up && is_static(net, acd)) {
            restart(net, acd);
        }
    }
}

static void defend(struct net *net, struct net_acd *acd)
{
    if (acd->defended && net->now_ms - acd->defended_ms < DEFEND_INTERVAL_MS) {
        if (!is_static(net, acd)) {
            give_up(net, acd);
        }
        return;
    }
    acd->defended = true;
    acd->defended_ms = net->now_ms;
    (void)transmit(net, acd, acd->address);
}

/* True: it is a conflict. */
static bool hear(struct net *net, struct net_acd *acd, const struct arp_packet *arp)
{
    bool has = arp->sender == acd->address;
    bool wants = arp->operation == ARP_REQUEST && arp->sender == 0 && arp->target == acd->address;
    bool waits = acd->state == ACD_PROBING || acd->state == ACD_FREE;
    if (waits && (has || wants)) { /* 2.1.1 */
        give_up(net, acd);
        return true;
    }
    if (in_use(acd) && has) {
        defend(net, acd);
        return true;
    }
    return false;
}

bool acd_input(struct net *net, const struct arp_packet *arp)
{
    bool conflict = false;
    for (unsigned i = 0; i < NET_ACDS; i++) {
        conflict = hear(net, &net->acd[i], arp) || conflict;
    }
    return conflict;
}

bool net_address_conflict(const struct net *net)
{
    return net->acd->state == ACD_CONFLICT;
}

#endif
