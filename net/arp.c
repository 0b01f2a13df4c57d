#include "net/wire/arp.h"
#include "net/internal.h"

#include <string.h>

enum {
    RETRY_MS = 1000, /* RFC 1122 2.3.2.1: at most one request per second and address */
    TRIES = 3,
    NO_ROOM_MS = 100, /* in the transmit ring: no try */
    FRESH_MS = 300000,
};

static const uint8_t broadcast_mac[6] = {255, 255, 255, 255, 255, 255};

static struct net_neighbour *find(struct net *net, uint32_t address)
{
    for (unsigned i = 0; i < NET_NEIGHBOURS; i++) {
        struct net_neighbour *entry = &net->neighbours[i];
        if (entry->address == address && entry->state != NEIGHBOUR_FREE) {
            return entry;
        }
    }
    return NULL;
}

static bool is_kept(const struct net *net, const struct net_neighbour *entry)
{
    return NET_WITH_ROUTES ? route_is_used(net, entry->address) : entry->address == net->gateway;
}

/*
 * An entry for a new address: a free one, else the longest known. Not the
 * gateway's nor one being asked for; and what others tell us (`wanted` false)
 * pushes out nothing that we have used.
 */
static struct net_neighbour *take(struct net *net, bool wanted)
{
    struct net_neighbour *oldest = NULL;
    for (unsigned i = 0; i < NET_NEIGHBOURS; i++) {
        struct net_neighbour *entry = &net->neighbours[i];
        if (entry->state == NEIGHBOUR_FREE) {
            return entry;
        }
        if (entry->state == NEIGHBOUR_INCOMPLETE || (entry->used && !wanted) || is_kept(net, entry)) {
            continue;
        }
        if (!oldest || (int32_t)(entry->deadline_ms - oldest->deadline_ms) < 0) {
            oldest = entry;
        }
    }
    return oldest;
}

static void learn(struct net *net, uint32_t address, const uint8_t *mac, bool add)
{
    struct net_neighbour *entry = find(net, address);
    if (!entry) {
        entry = add ? take(net, false) : NULL;
        if (!entry) {
            return;
        }
        entry->used = 0;
        entry->state = NEIGHBOUR_FREE;
    }
    bool known = entry->state >= NEIGHBOUR_REACHABLE && ethernet_same(entry->mac, mac);
    entry->address = address;
    __builtin_memcpy(entry->mac, mac, 6);
    entry->state = NEIGHBOUR_REACHABLE;
    entry->deadline_ms = net->now_ms + FRESH_MS;
    net_timer_at(net, entry->deadline_ms);
    if (!known) {
        net_wake(net);
    }
}

void arp_send_request(struct net *net, uint8_t *frame, uint32_t sender, uint32_t target)
{
    ethernet_build(frame, broadcast_mac, net->mac, ETHERNET_TYPE_ARP);
    arp_build_request(frame + ETHERNET_HEADER, net->mac, sender, target);
    (void)net_send(net, ETHERNET_HEADER + ARP_PACKET, NULL, 0);
}

static void ask(struct net *net, struct net_neighbour *entry)
{
    uint8_t *frame = net_reserve(net);
    uint32_t wait_ms = NO_ROOM_MS;
    if (frame) {
        wait_ms = RETRY_MS;
        entry->tries++;
        arp_send_request(net, frame, net_source(net, entry->address), entry->address);
    }
    entry->deadline_ms = net->now_ms + wait_ms;
    net_timer_at(net, entry->deadline_ms);
}

const uint8_t *arp_resolve(struct net *net, uint32_t destination)
{
    bool host = net_has_kept(net, destination);
    if (!host && net_is_broadcast(net, destination)) {
        return broadcast_mac;
    }
#if NET_WITH_IGMP
    if (!host && ipv4_is_multicast(destination)) {
        igmp_link_address(net->multicast_mac, destination);
        return net->multicast_mac;
    }
#endif
    uint32_t hop = net_kept_hop(net, destination);
    if (hop == 0) {
        return NULL;
    }
    struct net_neighbour *entry = find(net, hop);
    if (!entry) {
        entry = take(net, true);
        if (!entry) {
            return NULL;
        }
        *entry = (struct net_neighbour){.address = hop, .state = NEIGHBOUR_INCOMPLETE};
        ask(net, entry);
    } else if (entry->state == NEIGHBOUR_STALE) {
        entry->state = NEIGHBOUR_PROBE;
        entry->tries = 0;
        ask(net, entry);
    }
    entry->used = 1;
    return entry->state == NEIGHBOUR_INCOMPLETE ? NULL : entry->mac;
}

static void expire(struct net *net, struct net_neighbour *entry)
{
    if (entry->state == NEIGHBOUR_REACHABLE) {
        entry->state = NEIGHBOUR_STALE;
        entry->used = 0;
        net->neighbour_epoch++; /* who goes on using it looks it up, and that asks again */
    } else if (entry->tries < TRIES) {
        ask(net, entry);
    } else {
        entry->state = NEIGHBOUR_FREE;
        net->neighbour_epoch++;
    }
}

void arp_timers(struct net *net)
{
    for (unsigned i = 0; i < NET_NEIGHBOURS; i++) {
        struct net_neighbour *entry = &net->neighbours[i];
        if (entry->state == NEIGHBOUR_FREE || entry->state == NEIGHBOUR_STALE) {
            continue;
        }
        if (net_due(net, entry->deadline_ms)) {
            expire(net, entry);
        } else {
            net_timer_at(net, entry->deadline_ms);
        }
    }
}

void arp_forget(struct net *net)
{
    memset(net->neighbours, 0, sizeof net->neighbours);
    net->neighbour_epoch++;
}

static bool sender_possible(const struct net *net, const struct arp_packet *arp)
{
    if (net_is_ours(net, arp->sender)) {
        return false;
    }
    bool probe = arp->sender == 0 && arp->operation == ARP_REQUEST; /* RFC 5227 2.1 */
    return probe || (ipv4_is_host(arp->sender) && !net_is_broadcast(net, arp->sender));
}

static bool link_address_possible(const struct net *net, const uint8_t *mac)
{
    return !(ethernet_is_group(mac) || ethernet_is_null(mac) || ethernet_same(mac, net->mac));
}

enum frame_fate arp_input(struct net *net, uint8_t *frame, size_t length)
{
    struct arp_packet arp;
    if (!NET_WITH_ACD && !net_has_any_address(net)) {
        return FRAME_DONE;
    }
    if (!arp_parse(frame + ETHERNET_HEADER, length - ETHERNET_HEADER, &arp) ||
        !link_address_possible(net, arp.sender_mac)) {
        return net_dropped(NET_DROP_ARP);
    }
#if NET_WITH_ACD
    if (acd_input(net, &arp)) {
        return net_dropped(NET_DROP_ARP_CONFLICT);
    }
    if (!net_has_any_address(net)) {
        return FRAME_DONE;
    }
#endif
    if (!sender_possible(net, &arp)) {
        return net_dropped(NET_DROP_ARP);
    }
    bool for_us = net_is_ours(net, arp.target);
    /* Whom we would ask: with a link-local address this may be anybody. */
    bool asked =
        NET_WITH_LINK_LOCAL ? net_hop(net, arp.sender) == arp.sender : net_is_neighbour(net, arp.sender);
    if (arp.sender != 0 && asked) {
        learn(net, arp.sender, arp.sender_mac, for_us);
    }
    if (arp.operation != ARP_REQUEST || !for_us) {
        return FRAME_DONE;
    }
    arp_turn_into_reply(frame + ETHERNET_HEADER, net->mac, arp.target);
    if (NET_WITH_LINK_LOCAL && ipv4_is_link_local(arp.target)) {
        memset(frame + 6, 0xFF, 6); /* the reply is for all, so that a conflict is seen (RFC 3927 2.5) */
    }
    return net_bounce(net, frame, ETHERNET_HEADER + ARP_PACKET);
}
