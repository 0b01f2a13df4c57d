#include "net/wire/arp.h"
#include "net/internal.h"

#include <string.h>

enum {
    RETRY_MS = 1000, /* RFC 1122 2.3.2.1: at most one request per second and address */
    TRIES = 3,
    FRESH_MS = 300000,
};

static const uint8_t broadcast_mac[6] = {255, 255, 255, 255, 255, 255};

static bool on_link(const struct net *net, uint32_t address)
{
    return ((address ^ net->address) & net->netmask) == 0;
}

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
        if (entry->state == NEIGHBOUR_INCOMPLETE || entry->address == net->gateway ||
            (entry->used && !wanted)) {
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

static void ask(struct net *net, struct net_neighbour *entry)
{
    entry->tries++;
    entry->deadline_ms = net->now_ms + RETRY_MS;
    net_timer_at(net, entry->deadline_ms);
    uint8_t *frame = net_reserve(net);
    if (!frame) {
        return;
    }
    ethernet_build(frame, broadcast_mac, net->mac, ETHERNET_TYPE_ARP);
    arp_build_request(frame + ETHERNET_HEADER, net->mac, net->address, entry->address);
    (void)net_send(net, ETHERNET_HEADER + ARP_PACKET, NULL, 0);
}

const uint8_t *arp_resolve(struct net *net, uint32_t destination)
{
    if (net_is_broadcast(net, destination)) {
        return broadcast_mac;
    }
    uint32_t hop = on_link(net, destination) ? destination : net->gateway;
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
    if (ethernet_is_group(arp->sender_mac) || ethernet_is_null(arp->sender_mac) ||
        ethernet_same(arp->sender_mac, net->mac) || arp->sender == net->address) {
        return false;
    }
    bool probe = arp->sender == 0 && arp->operation == ARP_REQUEST; /* RFC 5227 2.1 */
    return probe || (ipv4_is_host(arp->sender) && !net_is_broadcast(net, arp->sender));
}

enum frame_fate arp_input(struct net *net, uint8_t *frame, size_t length)
{
    struct arp_packet arp;
    if (net->address == 0) {
        return FRAME_DONE;
    }
    if (!arp_parse(frame + ETHERNET_HEADER, length - ETHERNET_HEADER, &arp) || !sender_possible(net, &arp)) {
        return net_dropped(NET_DROP_ARP);
    }
    if (arp.sender != 0 && on_link(net, arp.sender)) {
        learn(net, arp.sender, arp.sender_mac, arp.target == net->address);
    }
    if (arp.operation != ARP_REQUEST || arp.target != net->address) {
        return FRAME_DONE;
    }
    arp_turn_into_reply(frame + ETHERNET_HEADER, net->mac, net->address);
    return net_bounce(net, frame, ETHERNET_HEADER + ARP_PACKET);
}
