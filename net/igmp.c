/* Multicast group membership: IGMPv2 (RFC 2236), and version 1 where a router is that old. */
#include "net/internal.h"
#include "net/wire/checksum.h"

#if NET_WITH_IGMP

#include <string.h>

enum {
    IGMP_MESSAGE = 8,
    IGMP_QUERY = 0x11,
    IGMP_V1_REPORT = 0x12,
    IGMP_V2_REPORT = 0x16,
    IGMP_LEAVE = 0x17,
    HEADER = IPV4_HEADER + 4,   /* with the Router Alert option (RFC 2113) */
    REPORT_INTERVAL_MS = 10000, /* RFC 2236 8.10 */
    V1_RESPONSE_MS = 10000,     /* 4, for a query with no maximum */
    V1_ROUTER_MS = 400000,      /* 8.11 */
    REPEATS = 1,                /* of an unsolicited report */
    UNSENT_RETRY_MS = 100,
};

#define ROUTER_ALERT 0x94040000U
#define ALL_SYSTEMS  0xE0000001U
#define ALL_ROUTERS  0xE0000002U

/* RFC 1112 6.4 */
void igmp_link_address(uint8_t mac[6], uint32_t group)
{
    mac[0] = 0x01;
    mac[1] = 0x00;
    store_be32(mac + 2, 0x5E000000 | (group & 0x7FFFFF));
}

static struct net_group *find(struct net *net, uint32_t address)
{
    for (unsigned i = 0; i < NET_GROUPS; i++) {
        if (net->groups[i].address == address) {
            return &net->groups[i];
        }
    }
    return NULL;
}

static bool is_member(const struct net *net, uint32_t address)
{
    for (unsigned i = 0; i < NET_GROUPS; i++) {
        if (net->groups[i].address == address) {
            return true;
        }
    }
    return false;
}

/* All that we want to hear, that all systems are to hear among it. */
static void set_filter(struct net *net)
{
    uint8_t macs[NET_GROUPS + 1][6];
    size_t count = 0;
    igmp_link_address(macs[count++], ALL_SYSTEMS);
    for (unsigned i = 0; i < NET_GROUPS; i++) {
        if (net->groups[i].address != 0) {
            igmp_link_address(macs[count++], net->groups[i].address);
        }
    }
    if (net->multicast_filter) {
        net->multicast_filter(net->device->context, (const uint8_t(*)[6])macs, count);
    }
}

static bool transmit(struct net *net, uint8_t type, uint32_t group, uint32_t destination)
{
    uint8_t *frame = net_is_up(net) ? net_reserve(net) : NULL;
    if (!frame) {
        return false;
    }
    uint8_t mac[6];
    igmp_link_address(mac, destination);
    ethernet_build(frame, mac, net->mac, ETHERNET_TYPE_IPV4);
    uint8_t *header = frame + ETHERNET_HEADER, *igmp = header + HEADER;
    ipv4_build(header, net_source(net, destination), destination, IPV4_PROTOCOL_IGMP, HEADER + IGMP_MESSAGE,
               IPV4_ATOMIC);
    header[0] = 0x40 | HEADER / 4;
    header[8] = 1; /* TTL */
    store_be32(header + IPV4_HEADER, ROUTER_ALERT);
    store_be32(igmp, (uint32_t)type << 24);
    store_be32(igmp + 4, group);
    store_native16(igmp + 2, checksum_finish(checksum_add(0, igmp, IGMP_MESSAGE)));
    if (!net_offloads(net, NET_DEVICE_CHECKSUM_TX)) {
        ipv4_fill_checksum(header);
    }
    (void)net_send(net, ETHERNET_HEADER + HEADER + IGMP_MESSAGE, NULL, 0);
    return true;
}

static void report_at(struct net *net, struct net_group *group, uint32_t delay_ms)
{
    group->pending = true;
    group->deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, group->deadline_ms);
}

/* RFC 2236 3: unsolicited reports, the second after a while. */
static void announce(struct net *net, struct net_group *group)
{
    if (group->address != ALL_SYSTEMS) { /* which is never reported (6) */
        group->repeats = REPEATS;
        report_at(net, group, 0);
    }
}

static bool v1_router(const struct net *net)
{
    return net->igmp_v1 && !net_due(net, net->igmp_v1_ms);
}

static void report(struct net *net, struct net_group *group)
{
    if (!transmit(net, v1_router(net) ? IGMP_V1_REPORT : IGMP_V2_REPORT, group->address, group->address)) {
        report_at(net, group, UNSENT_RETRY_MS);
        return;
    }
    group->pending = false;
    group->reported = true;
    if (group->repeats > 0) {
        group->repeats--;
        report_at(net, group, 1 + net_random(net) % REPORT_INTERVAL_MS);
    }
}

void igmp_timers(struct net *net)
{
    net->igmp_v1 = v1_router(net); /* before the time wraps and brings it back */
    for (unsigned i = 0; i < NET_GROUPS && net_is_up(net); i++) {
        struct net_group *group = &net->groups[i];
        if (!group->pending) {
            continue;
        }
        if (net_due(net, group->deadline_ms)) {
            report(net, group);
        } else {
            net_timer_at(net, group->deadline_ms);
        }
    }
}

void igmp_restart(struct net *net)
{
    set_filter(net);
    for (unsigned i = 0; i < NET_GROUPS && net_is_up(net); i++) {
        if (net->groups[i].address != 0) {
            announce(net, &net->groups[i]);
        }
    }
}

int net_join(struct net *net, uint32_t address)
{
    if (!ipv4_is_multicast(address)) {
        return NET_ERROR_ARGUMENT;
    }
    struct net_group *group = find(net, address);
    if (!group) {
        group = find(net, 0);
        if (!group) {
            return NET_ERROR_BUSY;
        }
        *group = (struct net_group){.address = address};
        set_filter(net);
        announce(net, group);
    }
    if (group->users == UINT16_MAX) {
        return NET_ERROR_BUSY;
    }
    group->users++;
    return NET_OK;
}

int net_leave(struct net *net, uint32_t address)
{
    struct net_group *group = ipv4_is_multicast(address) ? find(net, address) : NULL;
    if (!group) {
        return NET_ERROR_STATE;
    }
    if (--group->users > 0) {
        return NET_OK;
    }
    bool tell = group->reported && !v1_router(net);
    *group = (struct net_group){.address = 0};
    set_filter(net);
    if (tell) {
        (void)transmit(net, IGMP_LEAVE, address, ALL_ROUTERS); /* lost, routers find out by asking */
    }
    return NET_OK;
}

bool igmp_accepts(const struct net *net, const struct ipv4_packet *ip)
{
    switch (ip->protocol) {
    case IPV4_PROTOCOL_UDP: return is_member(net, ip->destination);
    case IPV4_PROTOCOL_IGMP: return ip->destination == ALL_SYSTEMS || is_member(net, ip->destination);
    default: return false;
    }
}

/* RFC 2236 3: answer within the time the router grants, unless a report pending comes earlier anyway. */
static void query(struct net *net, struct net_group *group, uint32_t within_ms)
{
    bool later = group->pending && (int32_t)(group->deadline_ms - net->now_ms) > (int32_t)within_ms;
    if (!group->pending || later) {
        report_at(net, group, 1 + net_random(net) % (within_ms + 1));
    }
}

static enum frame_fate query_input(struct net *net, const struct ipv4_packet *ip, uint32_t address)
{
    uint32_t within_ms = ip->payload[1] * 100U;         /* in tenths of a second */
    if (within_ms == 0 && ip->length == IGMP_MESSAGE) { /* of version 3 it is longer (RFC 3376 7.1) */
        net->igmp_v1 = true;
        net->igmp_v1_ms = net->now_ms + V1_ROUTER_MS;
        within_ms = V1_RESPONSE_MS;
    }
    if (ip->destination != (address ? address : ALL_SYSTEMS)) {
        return net_dropped(NET_DROP_IGMP);
    }
    for (unsigned i = 0; i < NET_GROUPS; i++) {
        struct net_group *group = &net->groups[i];
        if (group->address != 0 && group->address != ALL_SYSTEMS &&
            (address == 0 || address == group->address)) {
            query(net, group, within_ms);
        }
    }
    return FRAME_DONE;
}

/* RFC 2236 6: another member's report counts while ours waits for its timer, at joining from the first on. */
static enum frame_fate report_input(struct net *net, const struct ipv4_packet *ip, uint32_t address)
{
    struct net_group *group =
        ipv4_is_multicast(address) && address == ip->destination ? find(net, address) : NULL;
    if (!group) {
        return net_dropped(NET_DROP_IGMP);
    }
    if (group->pending && group->repeats == 0) {
        group->pending = false;
        group->reported = false;
    }
    return FRAME_DONE;
}

enum frame_fate igmp_input(struct net *net, const struct ipv4_packet *ip)
{
    const uint8_t *igmp = ip->payload;
    if (ip->length < IGMP_MESSAGE || checksum_finish(checksum_add(0, igmp, ip->length)) != 0) {
        return net_dropped(NET_DROP_IGMP);
    }
    uint32_t address = load_be32(igmp + 4);
    switch (igmp[0]) {
    case IGMP_QUERY: return query_input(net, ip, address);
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT: return report_input(net, ip, address);
    default: return net_dropped(NET_DROP_IGMP);
    }
}

#endif
