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

/* ipv4.c */
enum frame_fate ipv4_input(struct net *net, uint8_t *frame, size_t length);
/* Header of a packet from us with `length` bytes of payload, whose place is returned. */
uint8_t *ipv4_output(struct net *net, uint8_t *header, uint32_t destination, uint8_t protocol, size_t length);
/*
 * What the device does not compute: the checksum of the header and that `at` bytes into what follows
 * it, which is `length` bytes long and goes on with a tail. For TCP and UDP.
 */
void ipv4_finish(const struct net *net, uint8_t *header, size_t at, size_t length, const void *tail,
                 size_t tail_length);

/* icmp.c */
enum frame_fate icmp_input(struct net *net, const struct ipv4_packet *ip);
/* Answer `ip` with destination unreachable, within a rate limit. */
void icmp_unreachable(struct net *net, const struct ipv4_packet *ip, uint8_t code);

/* udp.c */
struct udp_message {
    uint32_t destination;
    uint16_t source_port, destination_port;
    const void *head; /* copied into the frame's head: even length if a tail follows, NULL with length 0 */
    size_t head_length;
    const void *tail; /* sent from where it lies */
    size_t tail_length;
};
enum frame_fate udp_input(struct net *net, const struct ipv4_packet *ip);
int udp_output(struct net *net, const struct udp_message *message, uint32_t *ticket);
uint16_t udp_random_port(struct net *net);

/* dhcp.c */
void dhcp_link(struct net *net, bool up);
void dhcp_timers(struct net *net);
enum frame_fate dhcp_input(struct net *net, const uint8_t *message, size_t length);

/* dns.c */
void dns_wake(struct net *net);
void dns_timers(struct net *net);
enum frame_fate dns_input(struct net *net, uint32_t source, const uint8_t *message, size_t length);

/* tcp.c */
enum tcp_flag {
    TCP_ATTENTION = 1 << 0, /* tcp_service has something to do before deadline_ms */
    TCP_ACK_NOW = 1 << 1,
    TCP_ACK_DELAYED = 1 << 2, /* one is owed at ack_ms */
    TCP_RTX_ARMED = 1 << 3,
    TCP_RTT_TIMED = 1 << 4, /* rtt_seq is being timed */
    TCP_RTT_KNOWN = 1 << 5,
    TCP_FIN_QUEUED = 1 << 6, /* closed by us, FIN not yet acknowledged */
    TCP_FORCE = 1 << 7,    /* zero-window probe or retransmission: send at least a byte whatever the window */
    TCP_RECOVERY = 1 << 8, /* fast recovery up to `recover` */
    TCP_WAITS_ROOM = 1 << 9, /* for the transmit ring */
    TCP_WAITS_NEIGHBOUR = 1 << 10,
    TCP_SYN_REPEATED = 1 << 11,
    TCP_BEGINS = 1 << 12, /* first work after rest: the user timeout runs from the next service */
};

enum {
    TCP_RTO_INITIAL_MS = 1000,   /* RFC 6298 2.1 */
    TCP_RTO_MIN_MS = 1000,       /* 2.4 */
    TCP_RTO_MAX_MS = 60000,      /* 2.5 */
    TCP_RTO_AFTER_SYN_MS = 3000, /* 5.7 */
    TCP_DELAYED_ACK_MS = 40,
    TCP_TIME_WAIT_MS = 60000, /* twice an MSL of 30 s */
    TCP_FIN_WAIT_2_MS = 60000,
    TCP_MSS = ETHERNET_MTU - 40,
    TCP_MSS_DEFAULT = 536, /* RFC 9293 3.7.1 */
    TCP_MSS_LEAST = 64,    /* smaller offers are an attack on our processor */
    TCP_CHALLENGES = 10,   /* of RFC 5961 7, per TCP_CHALLENGE_MS */
    TCP_CHALLENGE_MS = 5000,
    TCP_KEEP_ALIVE_PROBES = 4,
    TCP_SEGMENTS_PER_POLL = 8,
};

/* Timers and output, if any is due. */
void tcp_service(struct tcp_socket *s);
void tcp_at_most(struct tcp_socket *s, uint32_t deadline_ms);
/* Enter CLOSED; nothing is sent. */
void tcp_finish(struct tcp_socket *s, enum net_error reason);
/* Reset the peer, then the same. */
void tcp_give_up(struct tcp_socket *s, enum net_error reason);
/* RFC 5681 3.1 (4): the threshold that a loss sets. */
void tcp_halve(struct tcp_socket *s);
/* `n` bytes of the ring are acknowledged. */
void tcp_release(struct tcp_socket *s, uint32_t n);
/* Move what is unread, in the borrowed frame or behind in the receive buffer, to the buffer's front. */
void tcp_settle(struct tcp_socket *s);
void tcp_append(struct tcp_socket *s, const uint8_t *data, uint32_t length);
uint32_t tcp_receive_room(const struct tcp_socket *s);
/* Window growth worth telling the peer (RFC 9293 3.8.6.2.2). */
uint32_t tcp_window_step(const struct tcp_socket *s);

/* tcp_input.c */
enum frame_fate tcp_input(struct net *net, const struct ipv4_packet *ip);

/* tcp_output.c */
void tcp_output(struct tcp_socket *s);
void tcp_retransmit_first(struct tcp_socket *s);
void tcp_arm(struct tcp_socket *s);
/* A segment without data, outside the order of things: ACK, RST, keep-alive. */
void tcp_send_bare(struct tcp_socket *s, uint32_t seq, uint8_t flags);

#endif
