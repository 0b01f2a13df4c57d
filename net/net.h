/*
 * The network interface: Ethernet, ARP, IPv4, ICMP, UDP, TCP, and the clients
 * for DHCP and DNS; with the switches of net/features.h much more.
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

#include "net/clients.h"
#include "net/device.h"
#include "net/features.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_WAIT_FOREVER UINT32_MAX

enum {
    NET_NEIGHBOURS = NET_WITH_ROUTES ? 8 : 4, /* ARP cache entries */
    NET_ALIASES = 2,                          /* addresses besides the first, and */
    NET_ROUTES = 4,                           /* routes besides the default gateway, with NET_WITH_ROUTES */
    NET_GROUPS = 4,                           /* multicast groups joined, with NET_WITH_IGMP */
    NET_SCRATCH_BYTES = 216,                  /* tail of a DHCP message or a DNS query on its way out */
};

/* Answers of the functions that can fail, and reasons why a socket closed. */
enum net_error {
    NET_OK = 0,
    NET_ERROR_DOWN = -1,     /* no link, or no address yet */
    NET_ERROR_STATE = -2,    /* not possible in the present state */
    NET_ERROR_ARGUMENT = -3, /* address or port that cannot be meant, or a name that is none */
    NET_ERROR_BUSY = -4, /* transmit ring full, or an earlier message still on its way: try at a later poll */
    NET_ERROR_NEIGHBOUR = -5, /* the next hop's link address is being asked for: try at a later poll */
    NET_ERROR_TOO_LONG = -6,  /* for one frame, or with NET_WITH_FRAGMENTS for one datagram */
    NET_ERROR_PORT_IN_USE = -7,
    NET_ERROR_TIMEOUT = -8,      /* the peer has not answered in the user timeout, or not the keep-alive */
    NET_ERROR_REFUSED = -9,      /* reset in answer to our SYN */
    NET_ERROR_RESET = -10,       /* reset by the peer */
    NET_ERROR_ABORTED = -11,     /* by tcp_abort */
    NET_ERROR_ADDRESS = -12,     /* our own address changed, its lease ended, or what was named is not ours */
    NET_ERROR_NO_NAME = -13,     /* DNS: the name does not exist or has no address */
    NET_ERROR_SERVER = -14,      /* DNS: the server failed, refused, or cut its answer short */
    NET_ERROR_PENDING = -15,     /* DNS: no answer yet */
    NET_ERROR_UNREACHABLE = -16, /* an ICMP error says that the peer cannot be reached */
    NET_ERROR_NO_SERVICE = -17,  /* one says that the peer's host has no use for the connection any more */
};

/* Why received frames were dropped: index into net_statistics.dropped. */
enum net_drop {
    NET_DROP_ETHERNET,    /* runt, or not for us */
    NET_DROP_ETHERTYPE,   /* neither IPv4 nor ARP: VLAN, IPv6, 802.3 length ... */
    NET_DROP_ARP,         /* malformed, or a sender that cannot be */
    NET_DROP_IPV4_HEADER, /* version, lengths, TTL, options */
    NET_DROP_IPV4_CHECKSUM,
    NET_DROP_IPV4_FRAGMENT, /* refused, repeated, or of a datagram that was given up */
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
#if NET_WITH_MDNS
    NET_DROP_MDNS, /* malformed, or of no interest */
#endif
#if NET_WITH_SNTP
    NET_DROP_SNTP, /* malformed or not in answer to us */
#endif
#if NET_WITH_IGMP
    NET_DROP_IGMP, /* malformed, or of no interest */
#endif
#if NET_WITH_ACD
    NET_DROP_ARP_CONFLICT, /* another host has our address, or wants it */
#endif
    NET_DROP_COUNT
};

/* Counters since net_init; they wrap. */
struct net_statistics {
    uint32_t frames_received;
    uint32_t frames_sent;
    uint32_t tcp_retransmissions; /* segments sent again, zero-window probes included */
    uint32_t dropped[NET_DROP_COUNT];
};

/* Copied by net_init, but for the texts of `hostname` and `ntp_name`. */
struct net_config {
    uint8_t mac[6];
    uint32_t address; /* 0: by DHCP, and the next three are ignored */
    uint32_t netmask;
    uint32_t gateway;     /* 0: none */
    uint32_t dns_server;  /* 0: none */
    const char *hostname; /* for DHCP, 35 characters at most; NULL: none. Must outlive the net */
#if NET_WITH_MDNS
    const char
        *mdns_name; /* "mote-000002": found as mote-000002.local; 31 characters at most; NULL: not found */
#endif
#if NET_WITH_SNTP
    uint32_t ntp_server;  /* 0: those that DHCP names, then this: */
    const char *ntp_name; /* NULL: none. Must outlive the net */
#endif
    uint32_t seed[4]; /* random and secret: sequence numbers, ports and ids depend on it */
#if NET_WITH_ACD
    bool at_once; /* take an address without probing for it, and do not defend it: for a wire between two */
#endif
#if NET_WITH_IGMP
    /*
     * Tells the device which link addresses to receive besides its own and broadcast: `count` of them from
     * now on. Those not listed may come too. NULL: the device passes all. `context` is the device's.
     */
    void (*multicast_filter)(void *context, const uint8_t (*groups)[6], size_t count);
#endif
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

#if NET_WITH_ACD
struct net_acd {
    uint32_t address;
    uint32_t deadline_ms;
    uint32_t defended_ms;
    uint8_t state;
    uint8_t sent;
    bool defended; /* at defended_ms */
};
enum { NET_ACDS = NET_WITH_ROUTES ? 1 + NET_ALIASES : 1 };
#endif

#if NET_WITH_ROUTES
struct net_alias {
    uint32_t address, netmask; /* 0: none */
    bool usable;               /* nobody else has it */
};

struct net_route {
    uint32_t destination, netmask;
    uint32_t gateway; /* 0: none */
};

/* Whose link address a packet goes to, and from which address of ours. */
struct net_way {
    uint32_t destination; /* a single host; 0: none */
    uint32_t hop, source;
};
#endif

#if NET_WITH_FRAGMENTS
#ifndef NET_FRAGMENT_BYTES
#define NET_FRAGMENT_BYTES                                                                                   \
    4096 /* of IPv4 payload in the longest datagram taken in or sent; a multiple of 64 */
#endif
enum { NET_FRAGMENT_SLOTS = 2 };

/* A datagram that is being put together, read or, as the reply to an echo request, sent. */
struct net_datagram {
    uint32_t source, destination;
    uint32_t deadline_ms;
    uint32_t ticket; /* of the newest frame sent from here */
    uint16_t id;
    uint16_t received;
    uint16_t end;   /* of the farthest fragment so far */
    uint16_t total; /* 0: the last fragment has not come */
    uint8_t protocol;
    uint8_t state;
    uint8_t header_length;                   /* 0: the first fragment has not come */
    uint8_t blocks[NET_FRAGMENT_BYTES / 64]; /* a bit for each 8 bytes received */
    uint8_t memory[14 + 60 + NET_FRAGMENT_BYTES];
};
#endif

#if NET_WITH_IGMP
struct net_group {
    uint32_t address;     /* 0: none */
    uint32_t deadline_ms; /* of the report that is pending */
    uint16_t users;
    bool pending;
    bool reported; /* by us last: who leaves last tells */
    uint8_t repeats;
};
#endif

/* In the order of struct tcp_socket's, for the same reason. */
struct net {
    const struct net_device *device;
    struct tcp_socket *tcp_sockets;
    uint8_t mac[6];
    uint16_t ip_id;          /* counts the datagrams that may be fragmented, but for those of TCP */
    uint8_t neighbour_epoch; /* changes with every change of a link address, the link or our address */
    bool link_up;
    bool frame_held;
    bool by_dhcp;
    uint32_t now_ms;
    uint32_t timer_ms; /* no later than the first deadline but those of TCP */
    uint32_t address, netmask, gateway, dns_servers[NET_DNS_SERVERS];
#if NET_WITH_ROUTES
    struct net_way way; /* the last one looked for; net_wake forgets it */
    bool has_aliases;   /* any that is usable */
#endif
    struct tcp_socket *frame_reader; /* has unread bytes in the borrowed frame */
    struct udp_socket *frame_datagram;
    struct udp_socket *udp_sockets;
    struct net_dhcp dhcp;
    struct net_dns dns[NET_DNS_QUERIES];
    uint32_t scratch_ticket;
    uint32_t answer_ms; /* rate limit of ICMP errors: up to when the allowance is spent */
    uint32_t random_counter;
    uint32_t seed[4];
    const char *hostname;
#if NET_WITH_TCP_LISTEN
    struct tcp_listener *tcp_listeners;
#endif
    struct net_statistics statistics;
    struct net_neighbour neighbours[NET_NEIGHBOURS];
    uint8_t scratch[NET_SCRATCH_BYTES];
#if NET_WITH_LINK_LOCAL
    struct net_link_local link_local;
#endif
#if NET_WITH_DNS_CACHE
    struct net_dns_entry dns_cache[NET_DNS_CACHE];
#endif
#if NET_WITH_MDNS
    struct net_mdns mdns;
#endif
#if NET_WITH_DNS_SEARCH
    char domain[DHCP_DOMAIN_MAX + 1];
    char searched[2 * (DHCP_DOMAIN_MAX + 1)]; /* name that the caller's query is for */
#endif
#if NET_WITH_SNTP
    struct net_sntp sntp;
    uint32_t ntp_servers[NET_NTP_SERVERS];
#endif
#if NET_WITH_ACD
    bool at_once;
    struct net_acd acd[NET_ACDS]; /* the first is of `address`, the others of the aliases */
#endif
#if NET_WITH_IGMP
    void (*multicast_filter)(void *context, const uint8_t (*groups)[6], size_t count);
    struct net_group groups[NET_GROUPS];
    uint32_t igmp_v1_ms; /* an old router is there until then */
    bool igmp_v1;
    uint8_t multicast_mac[6]; /* of the group last sent to */
#endif
#if NET_WITH_PING
    struct ping *pings;
#endif
#if NET_WITH_FRAGMENTS
    uint32_t ip_id_for;             /* this destination they begin */
    uint16_t ip_id_begin;           /* here */
    struct net_datagram *assembled; /* is being handled or read */
    struct net_datagram datagrams[NET_FRAGMENT_SLOTS];
#endif
#if NET_WITH_ROUTES
    struct net_alias aliases[NET_ALIASES];
    struct net_route routes[NET_ROUTES];
#endif
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
 * go on if the address stays, and end with NET_ERROR_ADDRESS if it changes. With
 * NET_WITH_ACD an address is probed for first, up to 7 s, and net_address is 0 until then.
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

uint32_t net_address(const struct net *net); /* the first; 0: none yet */
uint32_t net_netmask(const struct net *net);
uint32_t net_gateway(const struct net *net);
uint32_t net_dns_server(const struct net *net); /* the first */
bool net_is_up(const struct net *net);          /* link and address, any of ours */
const struct net_statistics *net_statistics(const struct net *net);

#if NET_WITH_ACD
/*
 * Another host has the address that we are to use; we do without it. Of one that was configured there is
 * another try each minute; in place of a lease DHCP asks for another. In use, an address is defended, and
 * counted as NET_DROP_ARP_CONFLICT: what was configured is never given up then, a lease is at the second
 * conflict in 10 s.
 */
bool net_address_conflict(const struct net *net);
#endif

#if NET_WITH_ROUTES
/*
 * A further address, answered like the first, which stays the one that connections go out from unless the
 * next hop is in the network of another. Usable once nobody else is found to have it: net_has_address.
 * NET_ERROR_ARGUMENT: no host's address, or a mask that is no prefix; _STATE: there already, or, on removal,
 * not there; _BUSY: NET_ALIASES are. Connections end with the address that they are from. It is in use
 * whether there is a first address or not. tcp_bind, udp_bind and ping_bind choose it.
 */
int net_add_address(struct net *net, uint32_t address, uint32_t netmask) __attribute__((warn_unused_result));
int net_remove_address(struct net *net, uint32_t address);
bool net_has_address(const struct net *net, uint32_t address); /* any of ours, now */

/*
 * Packets to `destination`/`netmask` go by way of `gateway`, which is in the network of one of our addresses,
 * or else the route is passed over. The longest mask wins; mask 0 goes before the gateway of DHCP or the
 * configuration. Adding the same destination and mask again changes the gateway. Errors as above, at most
 * NET_ROUTES.
 */
int net_add_route(struct net *net, uint32_t destination, uint32_t netmask, uint32_t gateway)
    __attribute__((warn_unused_result));
int net_remove_route(struct net *net, uint32_t destination, uint32_t netmask);
#endif

#if NET_WITH_IGMP
/*
 * Receive what is sent to a multicast group (by UDP sockets), and tell the routers. Counted: each net_join
 * wants its net_leave. NET_ERROR_ARGUMENT: no multicast address; NET_ERROR_BUSY: NET_GROUPS others are
 * joined; NET_ERROR_STATE: not joined. Memberships outlive the link and changes of our address.
 */
int net_join(struct net *net, uint32_t group) __attribute__((warn_unused_result));
int net_leave(struct net *net, uint32_t group);
#endif

/* 32 bits that an observer cannot predict without the seed. */
uint32_t net_random(struct net *net);

#endif
