#include "fuzz/cable.h"

#include "fuzz/input.h"
#include "net/wire/bytes.h"
#include "net/wire/checksum.h"
#include "net/wire/ethernet.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

#include <stdlib.h>
#include <string.h>

/* ---- Frames sent ---- */

static void remember_udp(struct cable *cable, const uint8_t *udp)
{
    const uint8_t *message = udp + 8;
    switch (load_be16(udp + 2)) {
    case 53:
        cable->dns_port = load_be16(udp);
        cable->dns_id = load_be16(message);
        break;
    case 67: cable->dhcp_xid = load_be32(message + 4); break;
    case 123:
        cable->sntp_port = load_be16(udp);
        memcpy(cable->sntp_cookie, message + 40, sizeof cable->sntp_cookie);
        break;
    default: break;
    }
}

static void remember_tcp(struct cable *cable, const struct ipv4_packet *ip)
{
    const uint8_t *tcp = ip->payload;
    unsigned port = load_be16(tcp + 2) - CABLE_PORT;
    if ((tcp[13] & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && port < CABLE_PORTS) {
        cable->isn[port] = load_be32(tcp + 4);
    }
    memcpy(cable->tcp, ip->header, sizeof cable->tcp);
}

static void check_body(struct cable *cable, const struct ipv4_packet *ip)
{
    uint32_t sum;
    switch (ip->protocol) {
    case IPV4_PROTOCOL_TCP: {
        struct tcp_segment segment;
        MUST(tcp_parse(ip->payload, ip->length, &segment));
        MUST(checksum_finish(ipv4_payload_sum(ip->header, ip->payload, ip->length, ip->length)) == 0);
        remember_tcp(cable, ip);
        break;
    }
    case IPV4_PROTOCOL_UDP:
        sum = ipv4_payload_sum(ip->header, ip->payload, ip->length, ip->length);
        MUST(ip->length >= 8 && load_be16(ip->payload + 4) == ip->length && checksum_finish(sum) == 0);
        remember_udp(cable, ip->payload);
        break;
    default:
        MUST(ip->protocol == IPV4_PROTOCOL_ICMP || ip->protocol == IPV4_PROTOCOL_IGMP);
        MUST(ip->length >= 8 && checksum_finish(checksum_add(0, ip->payload, ip->length)) == 0);
        cable->echo_replies += ip->protocol == IPV4_PROTOCOL_ICMP && ip->payload[0] == 0;
        break;
    }
}

static void check_frame(struct cable *cable, uint8_t *frame, size_t length)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    MUST(length >= ETHERNET_HEADER && length <= NET_FRAME_MAX && ethernet_same(frame + 6, mac));
    if (ethernet_type(frame) == ETHERNET_TYPE_ARP) {
        MUST(length == 42);
        return;
    }
    MUST(ethernet_type(frame) == ETHERNET_TYPE_IPV4);
    struct ipv4_packet ip;
    enum ipv4_fault fault = ipv4_parse(frame + ETHERNET_HEADER, length - ETHERNET_HEADER, true, &ip);
    MUST(fault == IPV4_GOOD || fault == IPV4_FRAGMENT);
    MUST(load_be16(ip.header + 2) + ETHERNET_HEADER == length);
    if (fault == IPV4_GOOD) {
        check_body(cable, &ip);
    }
}

/* ---- The device ---- */

static size_t receive(void *context, uint8_t **frame)
{
    struct cable *cable = context;
    MUST(!cable->lent);
    if (!cable->arrived) {
        return 0;
    }
    *frame = cable->lent = cable->arrived;
    cable->lent_length = cable->arrived_length;
    cable->arrived = NULL;
    return cable->lent_length;
}

static void release(void *context)
{
    struct cable *cable = context;
    MUST(cable->lent);
    free(cable->lent);
    cable->lent = NULL;
}

static bool bounce(void *context, size_t length)
{
    struct cable *cable = context;
    MUST(cable->lent && length <= cable->lent_length);
    bool sent = !cable->full;
    if (sent) {
        check_frame(cable, cable->lent, length);
    }
    release(cable);
    return sent;
}

static uint8_t *reserve(void *context)
{
    struct cable *cable = context;
    if (cable->full || cable->held_count == CABLE_HELD) {
        return NULL;
    }
    if (!cable->room) {
        cable->room = malloc(NET_DEVICE_HEADER_MAX);
    }
    return cable->room;
}

static uint32_t send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    struct cable *cable = context;
    static uint8_t frame[NET_FRAME_MAX];
    MUST(cable->room && header_length <= NET_DEVICE_HEADER_MAX);
    MUST(header_length + payload_length <= sizeof frame);
    memcpy(frame, cable->room, header_length);
    if (payload_length) {
        memcpy(frame + header_length, payload, payload_length);
    }
    free(cable->room);
    cable->room = NULL;
    check_frame(cable, frame, header_length + payload_length);
    cable->held[cable->held_count].payload = payload;
    cable->held[cable->held_count].length = payload_length;
    cable->held[cable->held_count++].copy = exact_copy(frame + header_length, payload_length);
    uint32_t ticket = ++cable->ticket;
    if (!cable->slow) {
        cable_lets_go(cable);
    }
    return ticket;
}

static uint32_t sent(void *context)
{
    return ((struct cable *)context)->done;
}

void cable_open(struct cable *cable)
{
    memset(cable, 0, sizeof *cable);
    cable->ticket = cable->done = 0xFFFFFFF8; /* wraps early */
    cable->device = (struct net_device){.context = cable,
                                        .receive = receive,
                                        .release = release,
                                        .bounce = bounce,
                                        .reserve = reserve,
                                        .send = send,
                                        .sent = sent};
}

void cable_lets_go(struct cable *cable)
{
    for (unsigned i = 0; i < cable->held_count; i++) {
        size_t length = cable->held[i].length;
        MUST(length == 0 || memcmp(cable->held[i].payload, cable->held[i].copy, length) == 0);
        free(cable->held[i].copy);
    }
    cable->held_count = 0;
    cable->done = cable->ticket;
}

void cable_close(struct cable *cable)
{
    cable_lets_go(cable);
    free(cable->arrived);
    free(cable->lent);
    free(cable->room);
}

void cable_arrives(struct cable *cable, const uint8_t *frame, size_t length)
{
    MUST(!cable->arrived);
    cable->arrived = exact_copy(frame, length);
    cable->arrived_length = length;
}
