#include "net/internal.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"

uint8_t *ipv4_output(struct net *net, uint8_t *header, uint32_t destination, uint8_t protocol, size_t length)
{
    ipv4_build(header, net->address, destination, protocol, IPV4_HEADER + length, ++net->ip_id);
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

/* May this packet, in a frame sent to us alone (`unicast`) or to all, concern us? */
static bool addresses_acceptable(const struct net *net, const struct ipv4_packet *ip, bool unicast)
{
    if (net->address == 0) {
        return net->by_dhcp && ip->protocol == IPV4_PROTOCOL_UDP;
    }
    if (!ipv4_is_host(ip->source) || ip->source == net->address || net_is_broadcast(net, ip->source)) {
        return false;
    }
    if (ip->destination == net->address) {
        return unicast; /* RFC 1122 3.3.6 */
    }
    return ip->protocol == IPV4_PROTOCOL_UDP && net_is_broadcast(net, ip->destination);
}

enum frame_fate ipv4_input(struct net *net, uint8_t *frame, size_t length)
{
    struct ipv4_packet ip;
    enum ipv4_fault fault = ipv4_parse(frame + ETHERNET_HEADER, length - ETHERNET_HEADER,
                                       !net_offloads(net, NET_DEVICE_CHECKSUM_RX), &ip);
    if (fault != IPV4_GOOD) {
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
    switch (ip.protocol) {
    case IPV4_PROTOCOL_TCP: return tcp_input(net, &ip);
    case IPV4_PROTOCOL_UDP: return udp_input(net, &ip);
    case IPV4_PROTOCOL_ICMP: return icmp_input(net, &ip);
    default: icmp_unreachable(net, &ip, ICMP_CODE_PROTOCOL); return net_dropped(NET_DROP_IPV4_PROTOCOL);
    }
}
