#include "net/wire/icmp.h"
#include "net/internal.h"
#include "net/wire/checksum.h"

enum {
    ANSWERS_PER_PERIOD = 10, /* ICMP errors (RFC 1812 4.3.2.8) */
    PERIOD_MS = 1000,
};

static bool may_answer(struct net *net)
{
    if (net->now_ms - net->answer_ms >= PERIOD_MS) {
        net->answer_ms = net->now_ms;
        net->answers = 0;
    }
    if (net->answers == ANSWERS_PER_PERIOD) {
        return false;
    }
    net->answers++;
    return true;
}

void icmp_unreachable(struct net *net, const struct ipv4_packet *ip, uint8_t code)
{
    uint8_t *frame = may_answer(net) ? net_reserve(net) : NULL;
    if (!frame) {
        return;
    }
    size_t header_length = (size_t)(ip->payload - ip->header);
    size_t quote = header_length + (ip->length < 8 ? ip->length : 8);
    uint8_t *header = frame + ETHERNET_HEADER;
    size_t length = ICMP_HEADER + (quote < ICMP_QUOTE ? quote : ICMP_QUOTE);
    ethernet_build(frame, ip->header - 8, net->mac, ETHERNET_TYPE_IPV4);
    uint8_t *icmp = ipv4_output(net, header, ip->source, IPV4_PROTOCOL_ICMP, length);
    store_be32(icmp, (uint32_t)ICMP_UNREACHABLE << 24 | (uint32_t)code << 16);
    store_be32(icmp + 4, 0);
    __builtin_memcpy(icmp + ICMP_HEADER, ip->header, length - ICMP_HEADER);
    if (!net_offloads(net, NET_DEVICE_CHECKSUM_TX)) {
        ipv4_fill_checksum(header);
        store_native16(icmp + 2, checksum_finish(checksum_add(0, icmp, length)));
    }
    (void)net_send(net, ETHERNET_HEADER + IPV4_HEADER + length, NULL, 0);
}

/* Only the type differs between request and reply: correct the checksum by it (RFC 1624). */
static void fix_checksums(struct net *net, const struct ipv4_packet *ip)
{
    uint8_t *icmp = ip->payload;
    uint32_t sum = load_be16(icmp + 2) + ((uint32_t)ICMP_ECHO << 8);
    bool offload = net_offloads(net, NET_DEVICE_CHECKSUM_TX);
    store_be16(icmp + 2, offload ? 0 : sum + (sum >> 16));
    store_native16(ip->header + 10, 0);
    if (!offload) {
        ipv4_fill_checksum(ip->header);
    }
}

enum frame_fate icmp_input(struct net *net, const struct ipv4_packet *ip)
{
    uint8_t *icmp = ip->payload;
    if (ip->length < ICMP_HEADER || load_be16(icmp) != ICMP_ECHO << 8) {
        return net_dropped(NET_DROP_ICMP);
    }
    if (!net_offloads(net, NET_DEVICE_CHECKSUM_RX) &&
        checksum_finish(checksum_add(0, icmp, ip->length)) != 0) {
        return net_dropped(NET_DROP_ICMP);
    }
    icmp[0] = ICMP_ECHO_REPLY;
    ip->header[8] = IPV4_TTL;
    store_be32(ip->header + 12, net->address);
    store_be32(ip->header + 16, ip->source);
    fix_checksums(net, ip);
    size_t length = ETHERNET_HEADER + (size_t)(icmp - ip->header) + ip->length;
    return net_bounce(net, ip->header - ETHERNET_HEADER, length);
}
