#include "net/mdns.h"
#include "net/internal.h"
#include "net/wire/dns.h"
#include "net/wire/mdns.h"
#include "net/wire/udp.h"

#include <string.h>

#if NET_WITH_MDNS

enum mdns_state {
    MDNS_OFF, /* no name or no address */
    MDNS_PROBING,
    MDNS_ANNOUNCING,
    MDNS_ESTABLISHED,
};

enum {
    PROBES = 3, /* 8.1 */
    PROBE_MS = 250,
    ANNOUNCEMENTS = 2, /* 8.3 */
    ANNOUNCE_MS = 1000,
    DEFER_MS = 1000,           /* 8.2: another host's probe comes before ours */
    MULTICAST_LEAST_MS = 1000, /* between two answers to all (6) */
    DEFEND_LEAST_MS = 250,     /* if the other probes for the name */
    RECENT_MS =
        MDNS_TTL_S * 1000 / 4, /* 5.4: to all rather than by unicast if it was not to all for so long */
    CONFLICTS_MAX = 15,        /* 8.1: within */
    CONFLICTS_MS = 10000,      /* so long, */
    CONFLICT_PAUSE_MS = 5000,  /* then this pause before each further try */
    LABEL_MAX = 31,
    NUMBER_MAX = 99,
    TTL = 255,  /* 11 */
    SUFFIX = 7, /* bytes of "local" and the end */
};

_Static_assert(1 + LABEL_MAX + 3 + SUFFIX <= NET_MDNS_NAME, "name must fit");

static const uint8_t suffix[SUFFIX] = {5, 'l', 'o', 'c', 'a', 'l', 0};

static void at(struct net *net, uint32_t delay_ms)
{
    net->mdns.deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, net->mdns.deadline_ms);
}

/* ---- The name ---- */

bool mdns_is_local(const char *name)
{
    size_t length = strlen(name);
    length -= length > 0 && name[length - 1] == '.';
    if (length < SUFFIX || name[length - 6] != '.') {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        if ((name[length - 5 + i] | 0x20) != suffix[1 + i]) {
            return false;
        }
    }
    return true;
}

/* The label configured, a number behind it if another host has that name, and ".local". */
static void set_name(struct net_mdns *mdns)
{
    uint8_t *to = mdns->name + 1 + mdns->base;
    if (mdns->number != 0) {
        *to++ = '-';
        if (mdns->number >= 10) {
            *to++ = (uint8_t)('0' + mdns->number / 10);
        }
        *to++ = (uint8_t)('0' + mdns->number % 10);
    }
    mdns->name[0] = (uint8_t)(to - mdns->name - 1);
    memcpy(to, suffix, sizeof suffix);
}

static void rename_host(struct net_mdns *mdns)
{
    mdns->number = mdns->number == 0 || mdns->number == NUMBER_MAX ? 2 : (uint8_t)(mdns->number + 1);
    set_name(mdns);
}

void mdns_init(struct net *net, const struct net_config *config)
{
    struct net_mdns *mdns = &net->mdns;
    const char *name = config->mdns_name;
    size_t length = name ? strlen(name) : 0;
    if (length == 0 || length > LABEL_MAX) {
        return;
    }
    memcpy(mdns->name + 1, name, length);
    if (net_join(net, MDNS_GROUP) != NET_OK) {
        return; /* the application has taken all places: there are none when the net is new */
    }
    mdns->base = (uint8_t)length;
    set_name(mdns);
}

bool mdns_name(const struct net *net, char text[MDNS_TEXT_MAX + 1])
{
    const struct net_mdns *mdns = &net->mdns;
    size_t length = mdns->name[0];
    memcpy(text, mdns->name + 1, length);
    memcpy(text + length, ".local", length ? sizeof ".local" : 0);
    text[length ? length + 6 : 0] = 0;
    return mdns->state >= MDNS_ANNOUNCING;
}

/* ---- Sending ---- */

/* `mac` NULL: to be found by ARP, or none is needed. */
static int send(struct net *net, const uint8_t *mac, uint32_t destination, uint16_t port,
                const uint8_t *message, size_t length)
{
    struct udp_message out = {.destination = destination,
                              .source_port = MDNS_PORT,
                              .destination_port = port,
                              .head = message,
                              .head_length = length,
                              .ttl = TTL,
                              .mac = mac};
    uint32_t ticket;
    return udp_output(net, &out, &ticket);
}

static bool multicast_within(const struct net *net, uint32_t ms)
{
    return net->mdns.multicast && net->now_ms - net->mdns.multicast_ms < ms;
}

static int announce(struct net *net, bool with_address)
{
    uint8_t message[MDNS_MESSAGE_MAX];
    size_t length = mdns_build_response(message, net->mdns.name, net->mdns.address, with_address);
    int result = send(net, NULL, MDNS_GROUP, MDNS_PORT, message, length);
    if (result == NET_OK && with_address) {
        net->mdns.multicast = true;
        net->mdns.multicast_ms = net->now_ms;
    }
    return result;
}

static int probe(struct net *net)
{
    uint8_t message[MDNS_MESSAGE_MAX];
    size_t length = mdns_build_probe(message, net->mdns.name, net->mdns.address);
    return send(net, NULL, MDNS_GROUP, MDNS_PORT, message, length);
}

/* ---- Probing and announcing ---- */

static void begin(struct net *net, enum mdns_state state, uint32_t delay_ms)
{
    net->mdns.state = (uint8_t)state;
    net->mdns.sent = 0;
    at(net, delay_ms);
}

void mdns_address(struct net *net)
{
    struct net_mdns *mdns = &net->mdns;
    uint32_t before = mdns->address;
    mdns->address = net_is_up(net) ? net->address : 0;
    if (mdns->base == 0 || mdns->address == before) {
        return;
    }
    mdns->multicast = false;
    if (mdns->address == 0) {
        mdns->state = MDNS_OFF;
    } else {
        begin(net, MDNS_PROBING, net_random(net) % PROBE_MS);
    }
}

static void step(struct net *net)
{
    struct net_mdns *mdns = &net->mdns;
    if (mdns->state == MDNS_PROBING && mdns->sent == PROBES) {
        begin(net, MDNS_ANNOUNCING, 0);
    }
    bool probing = mdns->state == MDNS_PROBING;
    if ((probing ? probe(net) : announce(net, true)) == NET_OK) {
        mdns->sent++;
    }
    at(net, probing ? PROBE_MS : ANNOUNCE_MS);
    if (!probing && mdns->sent == ANNOUNCEMENTS) {
        mdns->state = MDNS_ESTABLISHED;
    }
}

void mdns_timers(struct net *net)
{
    struct net_mdns *mdns = &net->mdns;
    if (mdns->state != MDNS_PROBING && mdns->state != MDNS_ANNOUNCING) {
        return;
    }
    if (net_due(net, mdns->deadline_ms)) {
        step(net);
    } else {
        net_timer_at(net, mdns->deadline_ms);
    }
}

/* ---- Conflicts: 8.1, 9 ---- */

/* Who would make us change names without end is answered slowly. */
static uint32_t pause_after_conflict(struct net *net)
{
    struct net_mdns *mdns = &net->mdns;
    if (mdns->conflicts == 0 || net->now_ms - mdns->conflict_ms >= CONFLICTS_MS) {
        mdns->conflicts = 0;
        mdns->conflict_ms = net->now_ms;
    }
    if (mdns->conflicts < CONFLICTS_MAX) {
        mdns->conflicts++;
        return net_random(net) % PROBE_MS;
    }
    mdns->conflict_ms = net->now_ms;
    return CONFLICT_PAUSE_MS;
}

static void conflict(struct net *net)
{
    if (net->mdns.state == MDNS_PROBING) {
        rename_host(&net->mdns);
    }
    begin(net, MDNS_PROBING, pause_after_conflict(net));
}

static void heed_response(struct net *net, const struct mdns_message *message)
{
    if (message->claims || (message->claims_other && net->mdns.state == MDNS_PROBING)) {
        conflict(net);
    }
}

/* ---- Answers: 6 ---- */

static void answer_all(struct net *net, const struct mdns_message *query)
{
    uint32_t least = query->probes ? DEFEND_LEAST_MS : MULTICAST_LEAST_MS;
    if (!multicast_within(net, least)) {
        (void)announce(net, query->asks_address);
    }
}

/* To the link address that the query came from: an answer is not to be lost while ARP asks for it. */
static void answer_one(struct net *net, const struct ipv4_packet *ip, const struct mdns_message *query)
{
    uint8_t message[MDNS_MESSAGE_MAX];
    const struct net_mdns *mdns = &net->mdns;
    size_t length = mdns_build_response(message, mdns->name, mdns->address, query->asks_address);
    (void)send(net, ip->header - 8, ip->source, MDNS_PORT, message, length);
}

static void answer_legacy(struct net *net, const struct ipv4_packet *ip, uint16_t port,
                          const struct mdns_message *query)
{
    uint8_t message[MDNS_MESSAGE_MAX];
    size_t length = mdns_build_legacy(message, net->mdns.name, net->mdns.address, query);
    (void)send(net, ip->header - 8, ip->source, port, message, length);
}

static void heed_query(struct net *net, const struct ipv4_packet *ip, uint16_t port,
                       const struct mdns_message *query)
{
    const struct net_mdns *mdns = &net->mdns;
    if (mdns->state == MDNS_PROBING) {
        if (query->probes && query->proposed > mdns->address) { /* the later in order wins (8.2) */
            begin(net, MDNS_PROBING, DEFER_MS);
        }
        return;
    }
    if ((!query->asks_address && !query->asks_other) || query->known) {
        return;
    }
    if (port != MDNS_PORT) {
        if (query->asks_address) {
            answer_legacy(net, ip, port, query);
        }
    } else if (ip->destination != MDNS_GROUP || (query->unicast && multicast_within(net, RECENT_MS))) {
        answer_one(net, ip, query);
    } else {
        answer_all(net, query);
    }
}

/* 5.5, 11: what is sent to the group comes from this link, whatever its source address. */
static bool from_this_link(const struct net *net, const struct ipv4_packet *ip)
{
    return ip->destination == MDNS_GROUP || net_is_neighbour(net, ip->source);
}

enum frame_fate mdns_input(struct net *net, const struct ipv4_packet *ip, const struct udp_header *udp)
{
    struct net_mdns *mdns = &net->mdns;
    struct mdns_message message;
    if (mdns->state == MDNS_OFF || !from_this_link(net, ip) ||
        !mdns_parse(udp->payload, udp->length, mdns->name, mdns->address, &message)) {
        return net_dropped(NET_DROP_MDNS);
    }
    if (!message.response) {
        heed_query(net, ip, udp->source, &message);
    } else if (udp->source == MDNS_PORT) { /* 6: any other is to be ignored */
        heed_response(net, &message);
    }
    return FRAME_DONE;
}

#endif
