#include "net/wire/udp.h"
#include "net/internal.h"
#include "net/udp.h"
#include "net/wire/dhcp.h"
#include "net/wire/dns.h"
#include "net/wire/icmp.h"

#include <string.h>

enum {
    HEADERS = ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER,
    HEAD_ROOM = NET_DEVICE_HEADER_MAX - HEADERS,
    PAYLOAD_MAX = ETHERNET_MTU - IPV4_HEADER - UDP_HEADER,
};

static struct udp_socket *find(const struct net *net, uint16_t port)
{
    struct udp_socket *s = net->udp_sockets;
    while (s && s->port != port) {
        s = s->next;
    }
    return s;
}

uint16_t udp_random_port(struct net *net)
{
    uint16_t port;
    do { /* ends soon: few of 16384 ports are taken, by sockets in a short list */
        port = (uint16_t)(NET_EPHEMERAL_PORT | net_random(net));
    } while (find(net, port));
    return port;
}

int udp_open(struct udp_socket *s, struct net *net, uint16_t port)
{
    if (port == DHCP_SERVER_PORT || port == DHCP_CLIENT_PORT) {
        return NET_ERROR_ARGUMENT;
    }
    if (port != 0 && find(net, port)) {
        return NET_ERROR_PORT_IN_USE;
    }
    *s = (struct udp_socket){.net = net, .next = net->udp_sockets};
    s->port = port ? port : udp_random_port(net);
    s->ticket = net->device->sent(net->device->context);
    net->udp_sockets = s;
    return NET_OK;
}

void udp_close(struct udp_socket *s)
{
    struct udp_socket **link = &s->net->udp_sockets;
    while (*link && *link != s) {
        link = &(*link)->next;
    }
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

int udp_output(struct net *net, const struct udp_message *message, uint32_t *ticket)
{
    const uint8_t *mac = arp_resolve(net, message->destination);
    if (!mac) {
        return NET_ERROR_NEIGHBOUR;
    }
    uint8_t *frame = net_reserve(net);
    if (!frame) {
        return NET_ERROR_BUSY;
    }
    size_t length = message->head_length + message->tail_length;
    uint8_t *header = frame + ETHERNET_HEADER;
    ethernet_build(frame, mac, net->mac, ETHERNET_TYPE_IPV4);
    uint8_t *udp = ipv4_output(net, header, message->destination, IPV4_PROTOCOL_UDP, UDP_HEADER + length);
    udp_build(udp, message->source_port, message->destination_port, length);
    if (message->head_length) {
        memcpy(udp + UDP_HEADER, message->head, message->head_length);
    }
    ipv4_finish(net, header, UDP_CHECKSUM, UDP_HEADER + message->head_length, message->tail,
                message->tail_length);
    *ticket = net_send(net, HEADERS + message->head_length, message->tail, message->tail_length);
    return NET_OK;
}

int udp_send(struct udp_socket *s, uint32_t address, uint16_t port, const void *payload, size_t length)
{
    if (!net_is_up(s->net)) {
        return NET_ERROR_DOWN;
    }
    if (port == 0 || (!ipv4_is_host(address) && address != IPV4_BROADCAST)) {
        return NET_ERROR_ARGUMENT;
    }
    if (length > PAYLOAD_MAX) {
        return NET_ERROR_TOO_LONG;
    }
    struct udp_message message = {.destination = address, .source_port = s->port, .destination_port = port};
    if (length <= HEAD_ROOM) {
        message.head = payload;
        message.head_length = length;
        uint32_t ticket;
        return udp_output(s->net, &message, &ticket);
    }
    message.tail = payload;
    message.tail_length = length;
    return udp_output(s->net, &message, &s->ticket);
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

static enum frame_fate deliver(struct net *net, const struct ipv4_packet *ip, const struct udp_header *udp)
{
    struct udp_socket *s = find(net, udp->destination);
    if (!s) {
        if (ip->destination == net->address) { /* never in answer to a broadcast (RFC 1122 3.2.2) */
            icmp_unreachable(net, ip, ICMP_CODE_PORT);
        }
        return net_dropped(NET_DROP_UDP_PORT);
    }
    s->received = (struct udp_datagram){.source = ip->source,
                                        .source_port = udp->source,
                                        .length = (uint16_t)udp->length,
                                        .data = udp->payload};
    s->has_received = true;
    net->frame_datagram = s;
    return FRAME_BORROWED;
}

enum frame_fate udp_input(struct net *net, const struct ipv4_packet *ip)
{
    struct udp_header udp;
    if (!udp_parse(ip, !net_offloads(net, NET_DEVICE_CHECKSUM_RX), &udp)) {
        return net_dropped(NET_DROP_UDP);
    }
    if (NET_WITH_DHCP && net->by_dhcp && udp.destination == DHCP_CLIENT_PORT &&
        udp.source == DHCP_SERVER_PORT) {
        return dhcp_input(net, udp.payload, udp.length);
    }
    if (net->address == 0) {
        return net_dropped(NET_DROP_IPV4_ADDRESS);
    }
    if (NET_WITH_DNS && net->dns.result == NET_ERROR_PENDING && udp.destination == net->dns.port) {
        return udp.source == DNS_PORT ? dns_input(net, ip->source, udp.payload, udp.length)
                                      : net_dropped(NET_DROP_DNS);
    }
    return deliver(net, ip, &udp);
}
