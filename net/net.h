/*
 * The network interface: Ethernet, ARP, IPv4, ICMP echo, UDP, TCP, and the
 * clients for DHCP and DNS.
 *
 * A sans-I/O engine: frames go through struct net_device, the present time
 * comes in with each call, the time of the next deadline comes out. All memory
 * is the caller's. One context at a time may call; none from an interrupt that
 * could preempt another call.
 *
 * Times are uint32_t milliseconds that may wrap; the stack compares
 * differences. net_poll must be called at least once in 12 days, which
 * net_wait_ms sees to. IPv4 addresses are uint32_t in host order: 10.0.2.15 is
 * 0x0A00020F. Ports are in host order.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "net/device.h"
#include "net/features.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_WAIT_FOREVER UINT32_MAX

enum {
    NET_NEIGHBOURS = 4,      /* ARP cache entries */
    NET_SCRATCH_BYTES = 216, /* tail of a DHCP message or a DNS query on its way out */
};

/* Answers of the functions that can fail, and reasons why a socket closed. */
enum net_error {
    NET_OK = 0,
    NET_ERROR_DOWN = -1,     /* no link, or no address yet */
    NET_ERROR_STATE = -2,    /* not possible in the present state */
    NET_ERROR_ARGUMENT = -3, /* address or port that cannot be meant, or a name that is none */
    NET_ERROR_BUSY = -4, /* transmit ring full, or an earlier message still on its way: try at a later poll */
    NET_ERROR_NEIGHBOUR = -5, /* the next hop's link address is being asked for: try at a later poll */
    NET_ERROR_TOO_LONG = -6,  /* does not fit one frame */
    NET_ERROR_PORT_IN_USE = -7,
    NET_ERROR_TIMEOUT = -8,  /* the peer has not answered in the user timeout, or not the keep-alive */
    NET_ERROR_REFUSED = -9,  /* reset in answer to our SYN */
    NET_ERROR_RESET = -10,   /* reset by the peer */
    NET_ERROR_ABORTED = -11, /* by tcp_abort */
    NET_ERROR_ADDRESS = -12, /* our own address changed or its lease ended */
    NET_ERROR_NO_NAME = -13, /* DNS: the name does not exist or has no address */
    NET_ERROR_SERVER = -14,  /* DNS: the server failed, refused, or cut its answer short */
    NET_ERROR_PENDING = -15, /* DNS: no answer yet */
};

/* Why received frames were dropped: index into net_statistics.dropped. */
enum net_drop {
    NET_DROP_ETHERNET,    /* runt, or not for us */
    NET_DROP_ETHERTYPE,   /* neither IPv4 nor ARP: VLAN, IPv6, 802.3 length ... */
    NET_DROP_ARP,         /* malformed, or a sender that cannot be */
    NET_DROP_IPV4_HEADER, /* version, lengths, TTL, options */
    NET_DROP_IPV4_CHECKSUM,
    NET_DROP_IPV4_FRAGMENT, /* reassembly is not supported */
    NET_DROP_IPV4_ADDRESS,  /* impossible source, or a destination that is not ours */
    NET_DROP_IPV4_PROTOCOL, /* neither ICMP, UDP nor TCP */
    NET_DROP_ICMP,          /* malformed, or of no interest */
    NET_DROP_UDP,           /* malformed */
    NET_DROP_UDP_PORT,      /* nobody listens, or the socket has not yet fetched the last one */
    NET_DROP_TCP,           /* malformed */
    NET_DROP_TCP_PORT,      /* no connection: answered with a reset */
    NET_DROP_TCP_SEGMENT,   /* of a connection, but out of order or out of its window */
    NET_DROP_DHCP,          /* malformed or not in answer to us */
    NET_DROP_DNS,           /* malformed or not in answer to us */
    NET_DROP_COUNT
};

/* Counters since net_init; they wrap. */
struct net_statistics {
    uint32_t frames_received;
    uint32_t frames_sent;
    uint32_t tcp_retransmissions; /* segments sent again, zero-window probes included */
    uint32_t dropped[NET_DROP_COUNT];
};

/* Copied by net_init, but for the text of the host name. */
struct net_config {
    uint8_t mac[6];
    uint32_t address; /* 0: by DHCP, and the next three are ignored */
    uint32_t netmask;
    uint32_t gateway;     /* 0: none */
    uint32_t dns_server;  /* 0: none */
    const char *hostname; /* for DHCP, 35 characters at most; NULL: none. Must outlive the net */
    uint32_t seed[4];     /* random and secret: sequence numbers, ports and ids depend on it */
};

/* ---- Private from here on; in the header so that callers can place the struct. ---- */

enum net_neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_INCOMPLETE, /* asked, no answer yet */
    NEIGHBOUR_REACHABLE,
    NEIGHBOUR_STALE, /* old: used still, but asked for again at the next use */
    NEIGHBOUR_PROBE, /* old and being asked for; used still */
};

struct net_neighbour {
    uint32_t address;
    uint32_t deadline_ms; /* INCOMPLETE, PROBE: next request; REACHABLE: goes stale */
    uint8_t mac[6];
    uint8_t state;
    uint8_t tries : 7;
    uint8_t used : 1; /* looked up since it was learned */
};

struct net_dhcp {
    uint32_t deadline_ms;
    uint32_t lease_end_ms, t1_ms, t2_ms;
    uint32_t xid;
    uint32_t address; /* offered or leased */
    uint32_t server;
    uint32_t state; /* these two are words for shorter code */
    uint32_t tries;
    bool infinite;
};

struct net_dns {
    const char *name;
    uint32_t deadline_ms;
    uint32_t address;
    uint16_t id, port;
    int8_t result;
    uint8_t tries;
    bool unsent; /* the last try waits for the next hop's link address */
};

/* In the order of struct tcp_socket's, for the same reason. */
struct net {
    const struct net_device *device;
    struct tcp_socket *tcp_sockets;
    uint8_t mac[6];
    uint16_t ip_id;
    uint8_t answers;
    uint8_t neighbour_epoch; /* changes with every change of a link address, the link or our address */
    bool link_up;
    bool frame_held;
    bool by_dhcp;
    uint32_t now_ms;
    uint32_t timer_ms; /* no later than the first deadline of ARP, DHCP and DNS */
    uint32_t address, netmask, gateway, dns_server;
    struct tcp_socket *frame_reader; /* has unread bytes in the borrowed frame */
    struct udp_socket *frame_datagram;
    struct udp_socket *udp_sockets;
    struct net_dhcp dhcp;
    struct net_dns dns;
    uint32_t scratch_ticket;
    uint32_t answer_ms; /* rate limit of ICMP errors */
    uint32_t random_counter;
    uint32_t seed[4];
    const char *hostname;
    struct net_statistics statistics;
    struct net_neighbour neighbours[NET_NEIGHBOURS];
    uint8_t scratch[NET_SCRATCH_BYTES];
};

/* ---- Public functions ---- */

/*
 * The device must outlive the net. Without NET_WITH_SOFTWARE_CHECKSUMS a device that lacks a capability for
 * checksums is not used: the link never comes up. The link is taken to be down until net_link says
 * up.
 */
void net_init(struct net *net, const struct net_config *config, const struct net_device *device);

/*
 * The link has gone up or down. Down: nothing is sent; connections live on until
 * their user timeout. Up: DHCP starts, asking for the address it had; connections
 * go on if the address stays, and end with NET_ERROR_ADDRESS if it changes.
 */
void net_link(struct net *net, bool up, uint32_t now_ms);

/*
 * Handle at most one received frame, then due timers and pending output.
 * True: call again, there may be more. A frame with TCP data or a datagram stays
 * borrowed from the device, to be read in place, until the next call; what is
 * left unread of TCP data then moves to the socket's receive buffer.
 */
bool net_poll(struct net *net, uint32_t now_ms);

/* Send what is queued now, without looking for received frames. Pointers from tcp_peek stay valid. */
void net_flush(struct net *net, uint32_t now_ms);

/* Milliseconds until net_poll is due though no frame has come: 0 is now, NET_WAIT_FOREVER never. */
uint32_t net_wait_ms(const struct net *net, uint32_t now_ms);

uint32_t net_address(const struct net *net); /* 0: none yet */
uint32_t net_netmask(const struct net *net);
uint32_t net_gateway(const struct net *net);
uint32_t net_dns_server(const struct net *net);
bool net_is_up(const struct net *net); /* link and address */
const struct net_statistics *net_statistics(const struct net *net);

/* 32 bits that an observer cannot predict without the seed. */
uint32_t net_random(struct net *net);

#endif
