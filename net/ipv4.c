#include "net/internal.h"
#include "net/wire/checksum.h"
#include "net/wire/dhcp.h"
#include "net/wire/icmp.h"
#include "net/wire/udp.h"

/*
 * Of what may be fragmented (RFC 6864). With fragments of our own it begins elsewhere for each destination,
 * so that who is sent some datagrams does not know the numbers of others (RFC 7739 5.2).
 */
uint16_t ipv4_identification(struct net *net, uint32_t destination)
{
#if NET_WITH_FRAGMENTS
    if (destination != net->ip_id_for) {
        net->ip_id_for = destination;
        net->ip_id_begin = (uint16_t)net_keyed_hash(net->seed, &destination, 1);
    }
    return (uint16_t)(net->ip_id_begin + ++net->ip_id);
#else
    (void)destination;
    return ++net->ip_id;
#endif
}

uint8_t *ipv4_output(struct net *net, uint8_t *header, uint32_t destination, uint8_t protocol, size_t length,
                     uint32_t id)
{
    ipv4_build(header, net_source(net, destination), destination, protocol, IPV4_HEADER + length, id);
    return header + IPV4_HEADER;
}

void ipv4_finish(const struct net *net, uint8_t *header, size_t at, size_t length, const void *tail,
                 size_t tail_length)
{
    if (net_offloads(net, NET_DEVICE_CHECKSUM_TX)) {
        return;
    }
    uint8_t *payload = header + IPV4_HEADER;
    uint32_t sum = ipv4_payload_sum(header, payload, length, length + tail_length);
    uint16_t checksum = checksum_finish(checksum_add(sum, tail, tail_length));
    store_native16(payload + at, checksum ? checksum : UINT16_MAX); /* which UDP asks for and TCP allows */
    ipv4_fill_checksum(header);
}

/* While there is no lease, it may be sent to the address that is offered (RFC 2131 4.1). */
static bool may_be_dhcp(const struct net *net, const struct ipv4_packet *ip)
{
    return net->by_dhcp && ip->protocol == IPV4_PROTOCOL_UDP;
}

static bool is_dhcp(const struct net *net, const struct ipv4_packet *ip)
{
    return net->address == 0 && may_be_dhcp(net, ip) && ip->length >= UDP_HEADER &&
           load_be32(ip->payload) == ((uint32_t)DHCP_SERVER_PORT << 16 | DHCP_CLIENT_PORT);
}

/* May this packet, in a frame sent to us alone (`unicast`) or to all, concern us? */
static bool addresses_acceptable(const struct net *net, const struct ipv4_packet *ip, bool unicast)
{
    if (!net_has_any_address(net)) {
        return may_be_dhcp(net, ip);
    }
    if (NET_WITH_IGMP && ipv4_is_multicast(ip->destination)) {
        /* A switch that asks on its own may have no address (RFC 4541 2.1.1). */
        bool nobody = ip->source == 0 && ip->protocol == IPV4_PROTOCOL_IGMP;
        return !unicast && (nobody || ipv4_source_acceptable(net, ip->source)) && igmp_accepts(net, ip);
    }
    bool to_us = net_is_ours(net, ip->destination)
                     ? unicast /* RFC 1122 3.3.6 */
                     : ip->protocol == IPV4_PROTOCOL_UDP && net_is_broadcast(net, ip->destination);
    if (NET_WITH_ROUTES && !to_us && unicast && is_dhcp(net, ip)) {
        return ipv4_is_host(ip->source);
    }
    /* The source of a connection's segments is its peer: tcp_input looks at that of others. */
    return to_us && (ip->protocol == IPV4_PROTOCOL_TCP || ipv4_source_acceptable(net, ip->source));
}

static enum frame_fate deliver(struct net *net, const struct ipv4_packet *ip)
{
    switch (ip->protocol) {
    case IPV4_PROTOCOL_TCP: return tcp_input(net, ip);
    case IPV4_PROTOCOL_UDP: return udp_input(net, ip);
    case IPV4_PROTOCOL_ICMP: return icmp_input(net, ip);
    case IPV4_PROTOCOL_IGMP:
        if (NET_WITH_IGMP) {
            return igmp_input(net, ip);
        }
        break;
    default: break;
    }
    icmp_answer(net, ip, ICMP_UNREACHABLE, ICMP_CODE_PROTOCOL);
    return net_dropped(NET_DROP_IPV4_PROTOCOL);
}

/* A fragment that completes its datagram is that from here on. */
static enum frame_fate fragment(struct net *net, struct ipv4_packet *ip)
{
    if (net->address == 0 && !net_is_ours(net, ip->destination)) {
        return net_dropped(NET_DROP_IPV4_FRAGMENT);
    }
    if (!fragment_input(net, ip)) {
        return FRAME_DONE; /* kept, or counted */
    }
    enum frame_fate fate = deliver(net, ip);
    if (fate != FRAME_BORROWED) {
        fragment_release(net);
    }
    return fate;
}

enum frame_fate ipv4_input(struct net *net, uint8_t *frame, size_t length)
{
    struct ipv4_packet ip;
    enum ipv4_fault fault = ipv4_parse(frame + ETHERNET_HEADER, length - ETHERNET_HEADER,
                                       !net_offloads(net, NET_DEVICE_CHECKSUM_RX), &ip);
    if (fault != IPV4_GOOD && !(NET_WITH_FRAGMENTS && fault == IPV4_FRAGMENT)) {
        static const uint8_t reasons[] = {
            [IPV4_BAD_HEADER] = NET_DROP_IPV4_HEADER,
            [IPV4_BAD_CHECKSUM] = NET_DROP_IPV4_CHECKSUM,
            [IPV4_FRAGMENT] = NET_DROP_IPV4_FRAGMENT,
        };
        return net_dropped(reasons[fault]);
    }
    if (!addresses_acceptable(net, &ip, !ethernet_is_group(frame))) {
        return net_dropped(NET_DROP_IPV4_ADDRESS);
    }
    return NET_WITH_FRAGMENTS && fault == IPV4_FRAGMENT ? fragment(net, &ip) : deliver(net, &ip);
}
