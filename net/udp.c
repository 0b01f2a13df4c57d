#include "net/wire/udp.h"
#include "net/internal.h"
#include "net/mdns.h"
#include "net/udp.h"
#include "net/wire/checksum.h"
#include "net/wire/dhcp.h"
#include "net/wire/dns.h"
#include "net/wire/icmp.h"

#include <string.h>

enum {
    HEADERS = ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER,
    HEAD_ROOM = NET_DEVICE_HEADER_MAX - HEADERS,
    ONE_FRAME = ETHERNET_MTU - IPV4_HEADER - UDP_HEADER,
#if NET_WITH_FRAGMENTS
    PAYLOAD_MAX = NET_FRAGMENT_BYTES - UDP_HEADER,
#else
    PAYLOAD_MAX = ONE_FRAME,
#endif
};

static struct udp_socket *find(const struct net *net, uint16_t port)
{
    struct udp_socket *s = net->udp_sockets;
    while (s && s->port != port) {
        s = s->next;
    }
    return s;
}

/* A query under way, which what comes to its port is for. */
static bool is_of_query(struct net *net, uint16_t port)
{
    return (NET_WITH_DNS && dns_waiting(net, port)) || (NET_WITH_SNTP && sntp_expects(net, port));
}

uint16_t udp_random_port(struct net *net)
{
    uint16_t port;
    do { /* ends soon: few of 16384 ports are taken, by sockets in a short list */
        port = (uint16_t)(NET_EPHEMERAL_PORT | net_random(net));
    } while (find(net, port) || (NET_WITH_SNTP && is_of_query(net, port))); /* of two at once */
    return port;
}

/* Where in the list it is, or else the end, where it can be put. */
static struct udp_socket **link_of(struct net *net, const struct udp_socket *s)
{
    struct udp_socket **link = &net->udp_sockets;
    while (*link && *link != s) {
        link = &(*link)->next;
    }
    return link;
}

int udp_open(struct udp_socket *s, struct net *net, uint16_t port)
{
    if (port == DHCP_SERVER_PORT || port == DHCP_CLIENT_PORT) {
        return NET_ERROR_ARGUMENT;
    }
    const struct udp_socket *owner = port != 0 ? find(net, port) : NULL;
    if ((owner && owner != s) || (port != 0 && is_of_query(net, port))) {
        return NET_ERROR_PORT_IN_USE;
    }
    struct udp_socket **link = link_of(net, s);
    *s = (struct udp_socket){.net = net, .next = *link ? s->next : NULL};
    *link = s;
    do {
        s->port = port ? port : udp_random_port(net);
    } while (is_of_query(net, s->port));
    s->ticket = net->device->sent(net->device->context);
    return NET_OK;
}

void udp_close(struct udp_socket *s)
{
    struct udp_socket **link = link_of(s->net, s);
    if (*link) {
        *link = s->next;
    }
    if (s->net->frame_datagram == s) {
        s->net->frame_datagram = NULL;
    }
    s->has_received = false;
}

uint16_t udp_port(const struct udp_socket *s)
{
    return s->port;
}

#if NET_WITH_UDP_OPTIONS
static uint8_t time_to_live(const struct udp_message *message)
{
    uint8_t usual = ipv4_is_multicast(message->destination) ? 1 : IPV4_TTL;
    return message->ttl ? message->ttl : usual;
}
#endif

#if NET_WITH_FRAGMENTS
static int output_large(struct net *net, const uint8_t *mac, const struct udp_message *message,
                        uint32_t *ticket)
{
    size_t length = UDP_HEADER + message->tail_length;
    struct ipv4_large large = {
        .destination = message->destination,
        .source = net_source(net, message->destination),
        .mac = mac,
        .protocol = IPV4_PROTOCOL_UDP,
        .ttl = IPV4_TTL,
        .tail = message->tail,
        .tail_length = message->tail_length,
    };
#if NET_WITH_UDP_OPTIONS
    large.source = message->source ? message->source : large.source;
    large.ttl = time_to_live(message);
    large.tos = (uint8_t)(message->dscp << 2);
#endif
    udp_build(large.head, message->source_port, message->destination_port, message->tail_length);
    uint32_t sum = checksum_pseudo_header(large.source, large.destination, IPV4_PROTOCOL_UDP, length);
    sum = checksum_add(sum, large.head, UDP_HEADER);
    uint16_t checksum = checksum_finish(checksum_add(sum, message->tail, message->tail_length));
    store_native16(large.head + UDP_CHECKSUM, checksum ? checksum : UINT16_MAX);
    return ipv4_output_large(net, &large, ticket);
}
#endif

static const uint8_t *next_hop(struct net *net, const struct udp_message *message)
{
#if NET_WITH_UDP_OPTIONS
    if (message->mac) {
        return message->mac;
    }
#endif
    return arp_resolve(net, message->destination);
}

int udp_output(struct net *net, const struct udp_message *message, uint32_t *ticket)
{
    const uint8_t *mac = next_hop(net, message);
    if (!mac) {
        return NET_ERROR_NEIGHBOUR;
    }
    size_t length = message->head_length + message->tail_length;
#if NET_WITH_FRAGMENTS
    if (length > ONE_FRAME) {
        return output_large(net, mac, message, ticket);
    }
#endif
    uint8_t *frame = net_reserve(net);
    if (!frame) {
        return NET_ERROR_BUSY;
    }
    uint8_t *header = frame + ETHERNET_HEADER;
    ethernet_build(frame, mac, net->mac, ETHERNET_TYPE_IPV4);
    uint8_t *udp = ipv4_output(net, header, message->destination, IPV4_PROTOCOL_UDP, UDP_HEADER + length,
                               ipv4_identification(net, message->destination));
    if (NET_WITH_ROUTES && message->source_port == DHCP_CLIENT_PORT) {
        store_be32(header + 12, net->address); /* for which it asks, not another of ours */
    }
#if NET_WITH_UDP_OPTIONS
    if (message->source != 0) {
        store_be32(header + 12, message->source);
    }
    header[1] = (uint8_t)(message->dscp << 2);
    header[8] = time_to_live(message);
#endif
    udp_build(udp, message->source_port, message->destination_port, length);
    if (message->head_length) {
        memcpy(udp + UDP_HEADER, message->head, message->head_length);
    }
    ipv4_finish(net, header, UDP_CHECKSUM, UDP_HEADER + message->head_length, message->tail,
                message->tail_length);
    *ticket = net_send(net, HEADERS + message->head_length, message->tail, message->tail_length);
    return NET_OK;
}

static bool is_destination(uint32_t address)
{
    return ipv4_is_host(address) || address == IPV4_BROADCAST ||
           (NET_WITH_IGMP && ipv4_is_multicast(address));
}

#if NET_WITH_UDP_OPTIONS
int udp_connect(struct udp_socket *s, uint32_t address, uint16_t port)
{
    if (!(address == 0 && port == 0) && (!ipv4_is_host(address) || port == 0)) {
        return NET_ERROR_ARGUMENT;
    }
    s->remote_address = address;
    s->remote_port = port;
    return NET_OK;
}

int udp_bind(struct udp_socket *s, uint32_t address)
{
    if (address != 0 && !ipv4_is_host(address)) {
        return NET_ERROR_ARGUMENT;
    }
    s->local_address = address;
    return NET_OK;
}

void udp_set_ttl(struct udp_socket *s, uint8_t ttl)
{
    s->ttl = ttl;
}

void udp_set_dscp(struct udp_socket *s, uint8_t dscp)
{
    s->dscp = dscp & 63;
}

static bool hears(const struct udp_socket *s, uint32_t address, uint16_t port)
{
    return s->remote_port == 0 || (s->remote_address == address && s->remote_port == port);
}

static bool is_at(const struct udp_socket *s, uint32_t local)
{
    return s->local_address == 0 || s->local_address == local;
}

/* 0: by the route. Else what was chosen, or in an answer the address that was asked (RFC 1122 4.1.3.5). */
static uint32_t source_of(const struct udp_socket *s, uint32_t destination, uint16_t port)
{
    const struct udp_datagram *last = &s->received;
    bool is_answer = last->source == destination && last->source_port == port;
    if (s->local_address == 0 && is_answer && net_is_ours(s->net, last->destination)) {
        return last->destination;
    }
    return s->local_address;
}
#endif

int udp_send(struct udp_socket *s, uint32_t address, uint16_t port, const void *payload, size_t length)
{
    if (!net_is_up(s->net)) {
        return NET_ERROR_DOWN;
    }
#if NET_WITH_UDP_OPTIONS
    if (address == 0 && port == 0) {
        address = s->remote_address;
        port = s->remote_port;
    }
    if (s->local_address != 0 && !net_is_ours(s->net, s->local_address)) {
        return NET_ERROR_ADDRESS;
    }
#endif
    bool ourselves = NET_WITH_UDP_OPTIONS && net_is_ours(s->net, address); /* there is no way back in */
    if (port == 0 || !is_destination(address) || ourselves) {
        return NET_ERROR_ARGUMENT;
    }
    if (length > PAYLOAD_MAX) {
        return NET_ERROR_TOO_LONG;
    }
    bool copied = length <= HEAD_ROOM;
    struct udp_message message = {
        .destination = address,
        .source_port = s->port,
        .destination_port = port,
        .head = payload,
        .head_length = copied ? length : 0,
        .tail = payload,
        .tail_length = copied ? 0 : length,
#if NET_WITH_UDP_OPTIONS
        .source = source_of(s, address, port),
        .ttl = s->ttl,
        .dscp = s->dscp,
        .mac = NULL,
#endif
    };
    uint32_t ticket;
    return udp_output(s->net, &message, copied ? &ticket : &s->ticket);
}

bool udp_busy(const struct udp_socket *s)
{
    return !net_ticket_done(s->net, s->ticket);
}

bool udp_receive(struct udp_socket *s, struct udp_datagram *datagram)
{
    if (!s->has_received) {
        return false;
    }
    s->has_received = false;
    *datagram = s->received;
    return true;
}

#if NET_WITH_ICMP_ERRORS
int udp_error(struct udp_socket *s)
{
    int error = s->error;
    s->error = NET_OK;
    return error;
}

static enum net_error meaning(const struct icmp_error *error)
{
    if (error->type != ICMP_UNREACHABLE) {
        return NET_ERROR_UNREACHABLE;
    }
    switch (error->code) {
    case ICMP_CODE_PORT: return NET_ERROR_REFUSED;
    case ICMP_CODE_FRAGMENTATION: return NET_ERROR_TOO_LONG;
    default: return NET_ERROR_UNREACHABLE;
    }
}

void udp_icmp_error(struct net *net, const struct icmp_error *error)
{
    struct udp_socket *s = find(net, error->source_port);
    if (!s) {
        return;
    }
#if NET_WITH_UDP_OPTIONS
    if (!is_at(s, error->source) || !hears(s, error->destination, error->destination_port)) {
        return;
    }
#endif
    s->error = (int16_t)meaning(error);
}
#endif

static enum frame_fate deliver(struct net *net, const struct ipv4_packet *ip, const struct udp_header *udp)
{
    struct udp_socket *s = find(net, udp->destination);
#if NET_WITH_UDP_OPTIONS
    s = s && is_at(s, ip->destination) ? s : NULL;
    if (s && !hears(s, ip->source, udp->source)) {
        return net_dropped(NET_DROP_UDP_PORT);
    }
#endif
    if (!s) {
        icmp_answer(net, ip, ICMP_UNREACHABLE, ICMP_CODE_PORT);
        return net_dropped(NET_DROP_UDP_PORT);
    }
    s->received = (struct udp_datagram){.source = ip->source,
                                        .source_port = udp->source,
                                        .length = (uint16_t)udp->length,
                                        .data = udp->payload};
#if NET_WITH_UDP_OPTIONS
    s->received.destination = ip->destination;
    s->received.ttl = ip->header[8];
#endif
    s->has_received = true;
    net->frame_datagram = s;
    return FRAME_BORROWED;
}

enum frame_fate udp_input(struct net *net, const struct ipv4_packet *ip)
{
    struct udp_header udp;
    if (!udp_parse(ip, !ipv4_is_verified(net, ip), &udp)) {
        return net_dropped(NET_DROP_UDP);
    }
    if (NET_WITH_DHCP && net->by_dhcp && udp.destination == DHCP_CLIENT_PORT &&
        udp.source == DHCP_SERVER_PORT) {
        return dhcp_input(net, udp.payload, udp.length);
    }
    if (!net_has_any_address(net)) {
        return net_dropped(NET_DROP_IPV4_ADDRESS);
    }
    struct net_dns *dns = NET_WITH_DNS ? dns_waiting(net, udp.destination) : NULL;
    if (dns) {
        return dns_input(net, dns, ip, &udp);
    }
    if (NET_WITH_MDNS && udp.destination == MDNS_PORT) {
        return mdns_input(net, ip, &udp);
    }
    if (NET_WITH_SNTP && sntp_expects(net, udp.destination)) {
        return sntp_input(net, ip, &udp);
    }
    return deliver(net, ip, &udp);
}
