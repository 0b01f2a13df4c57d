/* What the files of the stack share and its callers do not see. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "net/net.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "net/wire/ethernet.h"
#include "net/wire/ipv4.h"

enum {
    NET_FAR_MS = 1 << 30,       /* how far ahead "never" is put, so that differences stay comparable */
    NET_EPHEMERAL_PORT = 49152, /* and upwards (RFC 6335 6) */
};

/* What has become of a received frame. */
enum frame_fate {
    FRAME_DONE,     /* can go back to the device */
    FRAME_BORROWED, /* is being read by a socket */
    FRAME_BOUNCED,  /* the device has it back already */
    FRAME_DROPPED,  /* and enum net_drop upwards: as DONE, to be counted */
};

static inline bool net_due(const struct net *net, uint32_t deadline_ms)
{
    return (int32_t)(net->now_ms - deadline_ms) >= 0;
}

static inline bool net_offloads(const struct net *net, enum net_device_capability capability)
{
    return !NET_WITH_SOFTWARE_CHECKSUMS || (net->device->capabilities & capability);
}

static inline enum frame_fate net_dropped(enum net_drop reason)
{
    return (enum frame_fate)(FRAME_DROPPED + (int)reason);
}

/* net.c */
/* Has the device given back the memory of the frame with this ticket? */
bool net_ticket_done(const struct net *net, uint32_t ticket);
/* Count a frame as dropped that is answered all the same. */
void net_count_drop(struct net *net, enum net_drop reason);
void net_timer_at(struct net *net, uint32_t deadline_ms);
/* A link address has become known or the link is up: let everything that waits try again. */
void net_wake(struct net *net);
/* Take an address. Connections from another one end; from none (0) all end. */
void net_set_address(struct net *net, uint32_t address);
bool net_is_broadcast(const struct net *net, uint32_t address);
/* Send the received frame back to where it came from. */
enum frame_fate net_bounce(struct net *net, uint8_t *frame, size_t length);
uint8_t *net_reserve(struct net *net);
uint32_t net_send(struct net *net, size_t header_length, const void *payload, size_t payload_length);

/* random.c: HalfSipHash-2-4 of whole words. */
uint32_t net_keyed_hash(const uint32_t key[2], const uint32_t *words, unsigned count);

/* arp.c */
enum frame_fate arp_input(struct net *net, uint8_t *frame, size_t length);
/* Link address of the next hop; NULL: being asked for, or there is none. */
const uint8_t *arp_resolve(struct net *net, uint32_t destination);
void arp_timers(struct net *net);
void arp_forget(struct net *net);
/* Send, in the frame reserved, "who has `target`? tell `sender`": a request, a probe or an announcement. */
void arp_send_request(struct net *net, uint8_t *frame, uint32_t sender, uint32_t target);

/*
 * acd.c: is an address ours alone (RFC 5227)? Of one address at a time: it is probed for, then announced and
 * defended. Without NET_WITH_ACD there is nothing of this. With a change of state the timers fall due, so
 * that dhcp_timers is called in the same net_poll, whatever DHCP's own deadline.
 */
enum acd_state {
    ACD_IDLE,       /* no address */
    ACD_PROBING,    /* up to 7 s */
    ACD_FREE,       /* nobody else has it: net_set_address takes it and announces it */
    ACD_ANNOUNCING, /* in use */
    ACD_DEFENDING,  /* in use, announced */
    ACD_CONFLICT,   /* somebody has it or wants it too; if it was in use, a lease, its defence has failed */
};
/* Begin, whatever was before; the address in use stays in use. ACD_FREE at once if the configuration says so.
 */
void acd_probe(struct net *net, uint32_t address);
enum acd_state acd_state(const struct net *net);
uint32_t acd_address(const struct net *net); /* which the state is about */
void acd_stop(struct net *net);              /* forget address and state */
/* For net.c, arp.c and route.c: */
#if NET_WITH_ACD
void acd_begin(struct net *net, struct net_acd *acd, uint32_t address);
void acd_taken(struct net *net, struct net_acd *acd, uint32_t address); /* or given up: 0 */
#endif
struct arp_packet;
bool acd_input(struct net *net, const struct arp_packet *arp); /* true: it shows a conflict */
void acd_timers(struct net *net);
void acd_link(struct net *net, bool up);

/* route.c, for use through the functions below it */
uint32_t route_first_address(const struct net *net); /* that is usable; 0: none is */
bool route_is_ours(const struct net *net, uint32_t address);
bool route_is_alias(const struct net *net, uint32_t address); /* usable now or not */
bool route_is_broadcast(const struct net *net, uint32_t address);
bool route_is_neighbour(const struct net *net, uint32_t address);
uint32_t route_hop(const struct net *net, uint32_t destination);
uint32_t route_source(struct net *net, uint32_t destination);
/* To a host; kept for the next packet to it. */
const struct net_way *route_way(struct net *net, uint32_t destination);
bool route_is_used(const struct net *net,
                   uint32_t hop); /* by the gateway or a connection: never to be forgotten */
void route_address_usable(struct net *net, unsigned alias, bool usable);

/* What has to do with further addresses is not looked at where there are none. */
static inline bool net_has_aliases(const struct net *net)
{
#if NET_WITH_ROUTES
    return net->has_aliases;
#else
    (void)net;
    return false;
#endif
}

static inline bool net_has_any_address(const struct net *net)
{
    return net->address != 0 || net_has_aliases(net);
}

static inline bool net_is_ours(const struct net *net, uint32_t address)
{
    return net_has_aliases(net) ? route_is_ours(net, address) : address == net->address;
}

static inline bool net_is_neighbour(const struct net *net, uint32_t address)
{
    return NET_WITH_ROUTES ? route_is_neighbour(net, address)
                           : ((address ^ net->address) & net->netmask) == 0;
}

/* Whose link address a packet to there is sent to; 0: no way. */
static inline uint32_t net_hop(const struct net *net, uint32_t destination)
{
    if (NET_WITH_ROUTES) {
        return route_hop(net, destination);
    }
    return net_is_neighbour(net, destination) ? destination : net->gateway;
}

/* The same, kept for the next packet to that host. */
static inline uint32_t net_kept_hop(struct net *net, uint32_t destination)
{
#if NET_WITH_ROUTES
    return route_way(net, destination)->hop;
#else
    return net_hop(net, destination);
#endif
}

/* Is it known to be no broadcast or multicast address? */
static inline bool net_has_kept(const struct net *net, uint32_t destination)
{
#if NET_WITH_ROUTES
    return destination == net->way.destination;
#else
    (void)net, (void)destination;
    return false;
#endif
}

/* The one of our addresses to send from. */
static inline uint32_t net_source(struct net *net, uint32_t destination)
{
    return NET_WITH_ROUTES ? route_source(net, destination) : net->address;
}

/* ipv4.c */
enum frame_fate ipv4_input(struct net *net, uint8_t *frame, size_t length);
/* Can a packet from there be answered? */
static inline bool ipv4_source_acceptable(const struct net *net, uint32_t source)
{
    return ipv4_is_host(source) && !net_is_ours(net, source) && !net_is_broadcast(net, source);
}

uint16_t ipv4_identification(struct net *net, uint32_t destination);
/*
 * Header of a packet from us with `length` bytes of payload, whose place is returned. `id`: of
 * ipv4_identification, or IPV4_ATOMIC for what is so short that no network has to fragment it.
 */
uint8_t *ipv4_output(struct net *net, uint8_t *header, uint32_t destination, uint8_t protocol, size_t length,
                     uint32_t id);
/*
 * What the device does not compute: the checksum of the header and that `at` bytes into what follows
 * it, which is `length` bytes long and goes on with a tail. For TCP and UDP.
 */
void ipv4_finish(const struct net *net, uint8_t *header, size_t at, size_t length, const void *tail,
                 size_t tail_length);

/* A datagram larger than one frame: 8 bytes of header, then what lies elsewhere. */
struct ipv4_large {
    uint32_t destination;
    uint32_t source;    /* 0: chosen by the route */
    const uint8_t *mac; /* of the next hop */
    uint8_t protocol, ttl, tos;
    uint8_t head[8];
    const uint8_t *tail; /* stays unchanged until *ticket is done */
    size_t tail_length;
};
enum { IPV4_LARGE_HEAD = 8 };
/* NET_ERROR_BUSY: the transmit ring is full; some fragments may have gone. With NET_WITH_FRAGMENTS. */
int ipv4_output_large(struct net *net, const struct ipv4_large *large, uint32_t *ticket);

/*
 * fragment.c, RFC 791 3.2 and RFC 815. True: `ip`, a fragment, was the last one missing, and is the whole
 * datagram now, in memory of ours that fragment_release takes back.
 */
bool fragment_input(struct net *net, struct ipv4_packet *ip);
/* Nobody reads what was put together any more; it may still be on its way out, up to the ticket set. */
void fragment_release(struct net *net);
void fragment_sent(struct net *net, uint32_t ticket);
void fragment_timers(struct net *net);
void fragment_forget(struct net *net);

/* igmp.c */
/* Is this packet to a multicast address for us? */
bool igmp_accepts(const struct net *net, const struct ipv4_packet *ip);
enum frame_fate igmp_input(struct net *net, const struct ipv4_packet *ip);
void igmp_timers(struct net *net);
/* The link or our address is new: tell routers and switches. */
void igmp_restart(struct net *net);
void igmp_link_address(uint8_t mac[6], uint32_t group);

/* Has the device verified TCP's, UDP's or ICMP's checksum? */
static inline bool ipv4_is_verified(const struct net *net, const struct ipv4_packet *ip)
{
#if NET_WITH_FRAGMENTS
    if (ip->reassembled) {
        return false;
    }
#endif
    (void)ip;
    return net_offloads(net, NET_DEVICE_CHECKSUM_RX);
}

/* icmp.c */
enum frame_fate icmp_input(struct net *net, const struct ipv4_packet *ip);
/* Answer `ip` with an error, within a rate limit, if it is of a kind that gets one (RFC 1122 3.2.2). */
void icmp_answer(struct net *net, const struct ipv4_packet *ip, uint8_t type, uint8_t code);
/* Messages of the echo kind, which ping.c sends, to be sent with both checksums. */
void icmp_finish(const struct net *net, uint8_t *header, size_t length, const void *tail, size_t tail_length);

/* What an ICMP error says of a packet that has our address as its source. */
struct icmp_error {
    uint8_t type; /* ICMP_UNREACHABLE, ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM */
    uint8_t code;
    uint16_t mtu;    /* of ICMP_CODE_FRAGMENTATION (RFC 1191 4); 0 if the router does not tell */
    uint32_t source; /* of the quoted packet: ours */
    uint32_t destination;
    uint16_t source_port, destination_port;
    uint32_t seq; /* TCP: of the quoted segment */
};
/* ping.c */
enum frame_fate ping_input(struct net *net, const struct ipv4_packet *ip);
/* An error, come in `ip`, about an echo request of ours. */
void ping_icmp_error(struct net *net, const struct icmp_error *error, const struct ipv4_packet *ip);

/* tcp*.c, with NET_WITH_ICMP_ERRORS: for the connection that sent it, if `seq` is of data in flight (RFC 5927
 * 4). */
void tcp_icmp_error(struct net *net, const struct icmp_error *error);

/* udp.c: an error about a datagram of ours. */
void udp_icmp_error(struct net *net, const struct icmp_error *error);

struct udp_message {
    uint32_t destination;
    uint16_t source_port, destination_port;
    const void *head; /* copied into the frame's head: even length if a tail follows, NULL with length 0 */
    size_t head_length;
    const void *tail; /* sent from where it lies */
    size_t tail_length;
#if NET_WITH_UDP_OPTIONS
    uint32_t source;    /* 0: chosen by the route */
    uint8_t ttl;        /* 0: the usual one, 1 for multicast (RFC 1112 6.1) */
    uint8_t dscp;       /* RFC 2474 */
    const uint8_t *mac; /* of the next hop, which need not be asked for then; NULL: not known */
#endif
};
enum frame_fate udp_input(struct net *net, const struct ipv4_packet *ip);
int udp_output(struct net *net, const struct udp_message *message, uint32_t *ticket);
uint16_t udp_random_port(struct net *net);

/* dhcp.c */
void dhcp_link(struct net *net, bool up);
void dhcp_timers(struct net *net);
enum frame_fate dhcp_input(struct net *net, const uint8_t *message, size_t length);

#if NET_WITH_LINK_LOCAL && !NET_WITH_ACD
#error "NET_WITH_LINK_LOCAL needs NET_WITH_ACD"
#endif
/* linklocal.c */
void link_local_later(struct net *net);  /* choose an address if no server has given one for a while */
void link_local_stop(struct net *net);   /* there is another, or no link */
void link_local_resume(struct net *net); /* there is none after all: defend ours again */
void link_local_timers(struct net *net);
bool link_local_in_use(const struct net *net);

/* dns.c */
struct udp_header;
void dns_wake(struct net *net);
void dns_timers(struct net *net);
enum frame_fate dns_input(struct net *net, struct net_dns *dns, const struct ipv4_packet *ip,
                          const struct udp_header *udp);
/* dns_start and dns_result of any query. */
int dns_ask(struct net *net, struct net_dns *dns, const char *name);
int dns_answer(const struct net_dns *dns, uint32_t *address);

/* The query that waits for an answer to this port. */
static inline struct net_dns *dns_waiting(struct net *net, uint16_t port)
{
    for (unsigned i = 0; i < NET_DNS_QUERIES; i++) {
        if (net->dns[i].result == NET_ERROR_PENDING && net->dns[i].port == port) {
            return &net->dns[i];
        }
    }
    return NULL;
}

/* dns_cache.c, with NET_WITH_DNS_CACHE. `address` 0: that the name has none. */
bool dns_cache_find(const struct net *net, const char *name, uint32_t *address);
void dns_cache_keep(struct net *net, const char *name, uint32_t address, uint32_t ttl_s);
void dns_cache_timers(struct net *net);
void dns_cache_forget(struct net *net);

/* mdns.c, with NET_WITH_MDNS */
void mdns_init(struct net *net, const struct net_config *config);
void mdns_address(struct net *net); /* our address has come, gone or changed, or the link */
void mdns_timers(struct net *net);
enum frame_fate mdns_input(struct net *net, const struct ipv4_packet *ip, const struct udp_header *udp);

/* sntp.c, with NET_WITH_SNTP */
void sntp_init(struct net *net, const struct net_config *config);
void sntp_link(struct net *net); /* it is up */
void sntp_wake(struct net *net);
void sntp_timers(struct net *net);
bool sntp_expects(const struct net *net, uint16_t port);
enum frame_fate sntp_input(struct net *net, const struct ipv4_packet *ip, const struct udp_header *udp);

/* TCP: net/tcp_internal.h, included here for what the other files use of it. */
#include "net/tcp_internal.h"

#endif
