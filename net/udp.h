/* UDP sockets. For contexts and times see net.h. */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "net/net.h"

struct udp_datagram {
    uint32_t source;
    uint16_t source_port;
    uint16_t length;
    const uint8_t *data;
};

/* Private; placed by the caller. */
struct udp_socket {
    struct udp_socket *next;
    struct net *net;
    struct udp_datagram received;
    uint32_t ticket;
    uint16_t port;
    bool has_received;
};

/* Open a port; 0 takes a random free one. NET_ERROR_PORT_IN_USE; 67 and 68 belong to DHCP
 * (NET_ERROR_ARGUMENT). */
int udp_open(struct udp_socket *s, struct net *net, uint16_t port) __attribute__((warn_unused_result));
void udp_close(struct udp_socket *s);
uint16_t udp_port(const struct udp_socket *s);

/*
 * Send one datagram, at most 1472 bytes, broadcast addresses included. Up to
 * NET_DEVICE_HEADER_MAX - 42 bytes are copied. A longer payload is sent from
 * where it lies: it must be reachable by the device and stay unchanged until
 * udp_busy is false. NET_ERROR_DOWN, _ARGUMENT, _TOO_LONG, _BUSY (no room in the
 * transmit ring), _NEIGHBOUR (being asked for: try again).
 * Call it soon after net_poll, whose time is taken for that of the call.
 */
int udp_send(struct udp_socket *s, uint32_t address, uint16_t port, const void *payload, size_t length)
    __attribute__((warn_unused_result));
bool udp_busy(const struct udp_socket *s);

/*
 * The datagram that the last net_poll has brought, once; false if it brought
 * none. Its data lies in the device's frame, valid until the next net_poll.
 */
bool udp_receive(struct udp_socket *s, struct udp_datagram *datagram) __attribute__((warn_unused_result));

#endif
