/* UDP sockets. For contexts and times see net.h. */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "net/net.h"

struct udp_datagram {
    uint32_t source;
    uint16_t source_port;
    uint16_t length;
    const uint8_t *data;
#if NET_WITH_UDP_OPTIONS
    uint32_t destination; /* one of our addresses, a broadcast or a multicast one */
    uint8_t ttl;          /* what was left of it on arrival */
#endif
};

/* Private; placed by the caller. */
struct udp_socket {
    struct udp_socket *next;
    struct net *net;
    struct udp_datagram received;
    uint32_t ticket;
    uint16_t port;
    bool has_received;
#if NET_WITH_ICMP_ERRORS
    int16_t error;
#endif
#if NET_WITH_UDP_OPTIONS
    uint8_t ttl, dscp;
    uint16_t remote_port; /* 0: not connected */
    uint32_t remote_address;
    uint32_t local_address; /* 0: not bound */
#endif
};

/*
 * Open a port; 0 takes a random free one. NET_ERROR_PORT_IN_USE, by a query under way too; 67 and 68 belong
 * to DHCP (NET_ERROR_ARGUMENT). With NET_WITH_MDNS what comes to port 5353 is the stack's. The socket must
 * stay until udp_close. One that is open already begins anew, with that port; after an error it goes on as it
 * was. Of what it has sent before, ask udp_busy before.
 */
int udp_open(struct udp_socket *s, struct net *net, uint16_t port) __attribute__((warn_unused_result));
void udp_close(struct udp_socket *s);
uint16_t udp_port(const struct udp_socket *s);

#if NET_WITH_UDP_OPTIONS
/* Hear this peer alone, and send to it where udp_send is given address and port 0. Both 0: hear all again.
 * NET_ERROR_ARGUMENT: one of them is 0, or no host's address. */
int udp_connect(struct udp_socket *s, uint32_t address, uint16_t port) __attribute__((warn_unused_result));
/*
 * Send from this address of ours alone, and hear what is sent to it alone, not to all or to a group; 0, as at
 * first: hear all, and let the route choose, but answer the peer of the last datagram received from the
 * address that it has asked. NET_ERROR_ARGUMENT: no host's address. It may be one that is not ours yet, or
 * not for now: udp_send answers with NET_ERROR_ADDRESS then.
 */
int udp_bind(struct udp_socket *s, uint32_t address) __attribute__((warn_unused_result));
/* Time to live of what is sent, 1 to 255; 0, as at first: 64, and 1 to multicast groups. */
void udp_set_ttl(struct udp_socket *s, uint8_t ttl);
/* Differentiated services code point (RFC 2474), 0 to 63. */
void udp_set_dscp(struct udp_socket *s, uint8_t dscp);
#endif

/*
 * Send one datagram: to another host, to broadcast addresses and, with NET_WITH_IGMP, to multicast groups,
 * joined or not. At most 1472 bytes, which make one frame; with NET_WITH_FRAGMENTS NET_FRAGMENT_BYTES - 8, in
 * several. Up to NET_DEVICE_HEADER_MAX - 42 bytes are copied. A longer payload is sent from where it lies: it
 * must be reachable by the device and stay unchanged until udp_busy is false. NET_ERROR_DOWN, _ARGUMENT,
 * _TOO_LONG, _BUSY (no room in the transmit ring; of several frames some may be on their way), _NEIGHBOUR
 * (being asked for: try again). Call it soon after net_poll, whose time is taken for that of the call.
 */
int udp_send(struct udp_socket *s, uint32_t address, uint16_t port, const void *payload, size_t length)
    __attribute__((warn_unused_result));
/* Is the payload of the last udp_send still being read by the device? May be asked after udp_close too. */
bool udp_busy(const struct udp_socket *s);

#if NET_WITH_ICMP_ERRORS
/*
 * What an ICMP error has said of a datagram sent, once; NET_OK: none has come. NET_ERROR_REFUSED: nobody has
 * that port open; NET_ERROR_TOO_LONG: it would have had to be fragmented; NET_ERROR_UNREACHABLE: any other. A
 * hint, no more: whoever knows the ports can forge one.
 */
int udp_error(struct udp_socket *s);
#endif

/*
 * The datagram that the last net_poll has brought, once; false if it brought
 * none. Its data lies in the device's frame, valid until the next net_poll.
 */
bool udp_receive(struct udp_socket *s, struct udp_datagram *datagram) __attribute__((warn_unused_result));

#endif
