/* What the files of TCP share; part of net/internal.h, which includes it. */
#ifndef NET_TCP_INTERNAL_H
#define NET_TCP_INTERNAL_H

#include "net/internal.h"
#include "net/wire/tcp.h"

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
    TCP_BEGINS = 1 << 12,       /* first work after rest: the user timeout runs from the next service */
    TCP_FIN_KEPT = 1 << 15,     /* the peer's FIN has come, something before it has not */
    TCP_RTT_REPEATED = 1 << 14, /* rtt_seq was sent before rtt_ms too */
    TCP_RESCUED = 1 << 13,      /* RFC 6675's RescueRxt has been sent in this recovery */
    TCP_MISSING = 1 << 16,      /* the timer waits for room for tcp_retransmit_first */
};

enum {
    TCP_RTO_INITIAL_MS = 1000,   /* RFC 6298 2.1 */
    TCP_RTO_MIN_MS = 1000,       /* 2.4 */
    TCP_RTO_MAX_MS = 60000,      /* 2.5 */
    TCP_RTO_AFTER_SYN_MS = 3000, /* 5.7 */
    TCP_DELAYED_ACK_MS = 40,
    TCP_TIME_WAIT_MS = 60000, /* twice an MSL of 30 s */
    TCP_FIN_WAIT_2_MS = 60000,
    TCP_MSS_OVERHEAD = 40, /* IPv4 and TCP headers without options */
    TCP_MSS = ETHERNET_MTU - TCP_MSS_OVERHEAD,
    TCP_MSS_DEFAULT = 536, /* RFC 9293 3.7.1 */
    TCP_MSS_LEAST = 64,    /* smaller offers are an attack on our processor */
    TCP_CHALLENGES = 10,   /* of RFC 5961 7, per TCP_CHALLENGE_MS */
    TCP_CHALLENGE_MS = 5000,
    TCP_KEEP_ALIVE_PROBES = 4,
    TCP_ECHO_OLDEST_MS = 120000, /* no round trip takes longer: a timestamp echoed so late is none of ours */
    TCP_SEGMENTS_PER_POLL = 8,
    TCP_INITIAL_SEGMENTS = 10, /* RFC 6928 2: at most 14600 bytes with our MSS */
};

static inline uint32_t tcp_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* From one sequence number to another; negative: backwards. */
static inline int32_t tcp_distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

/* Have both sides offered the option? */
#if NET_WITH_TCP_OPTIONS
#define TCP_AGREED(s, option) (((s)->agreed & (option)) != 0)
#else
#define TCP_AGREED(s, option) false
#endif

/* Is there a connection, or an attempt at one? */
static inline bool tcp_is_open(const struct tcp_socket *s)
{
    return s->state >= TCP_SYN_SENT; /* neither CLOSED nor LISTEN */
}

/* What s->mss leaves of a packet to headers and timestamps. */
static inline uint32_t tcp_overhead(const struct tcp_socket *s)
{
    (void)s;
    return TCP_AGREED(s, TCP_OFFER_TIMESTAMPS) ? TCP_MSS_OVERHEAD + TCP_TIMESTAMPS_OPTION : TCP_MSS_OVERHEAD;
}

uint32_t tcp_initial_sequence(const struct net *net, uint32_t local, uint32_t remote, uint32_t ports);
/* Begin a connection whose addresses and ports are set, in the given state. */
void tcp_open(struct tcp_socket *s, enum tcp_state state, uint32_t iss);
/* Enter CLOSED; nothing is sent. */
void tcp_finish(struct tcp_socket *s, enum net_error reason);
/* Reset the peer, then the same. */
void tcp_give_up(struct tcp_socket *s, enum net_error reason);
/* `n` bytes of the ring are acknowledged. */
void tcp_release(struct tcp_socket *s, uint32_t n);
/* Has the device let go of what was held of the ring? */
void tcp_settle_held(struct tcp_socket *s);
/*
 * Move what is unread, in the borrowed frame or behind in the receive buffer, to the buffer's front, and what
 * is kept out of order with it.
 */
void tcp_settle(struct tcp_socket *s);
void tcp_append(struct tcp_socket *s, const uint8_t *data, uint32_t length);
uint32_t tcp_receive_room(const struct tcp_socket *s);

/* tcp_timer.c: timers and output, if any is due. */
void tcp_service(struct tcp_socket *s);
void tcp_at_most(struct tcp_socket *s, uint32_t deadline_ms);
/* Go back to the first byte that is not acknowledged. */
void tcp_send_again(struct tcp_socket *s);
/* What was under way went with the link: it is sent again at once when there is one. */
void tcp_link(struct tcp_socket *s);

/* tcp_input.c */
enum frame_fate tcp_input(struct net *net, const struct ipv4_packet *ip);
/* Of the socket's connection, in SYN-RECEIVED or later. */
enum frame_fate tcp_segment_arrives(struct tcp_socket *s, const struct ipv4_packet *ip,
                                    struct tcp_segment *segment);
/* Turn the frame round into the reset of RFC 9293 3.10.7.1. */
enum frame_fate tcp_reset(struct net *net, const struct ipv4_packet *ip, const struct tcp_segment *segment,
                          enum net_drop reason);
/* The peer's SYN: where its sequence begins and what it offers. */
void tcp_take_syn(struct tcp_socket *s, const struct tcp_segment *syn);

/* tcp_output.c */
void tcp_output(struct tcp_socket *s);
/*
 * RFC 5681 3.2, RFC 6582 3.2: the segment that the peer misses, out of turn. With TCP_ATTENTION; without room
 * the retransmission timer tries again, soon.
 */
void tcp_retransmit_first(struct tcp_socket *s);
/* Start the retransmission timer: within tcp_service, or with TCP_ATTENTION, for that sets the deadline. */
void tcp_arm(struct tcp_socket *s);
/* A segment without data, outside the order of things: ACK, RST, keep-alive. */
void tcp_send_bare(struct tcp_socket *s, uint32_t seq, uint8_t flags);
/* The number of what carries no text: the next, or the window's end, beyond which the peer takes nothing. */
uint32_t tcp_bare_number(const struct tcp_socket *s);

/* tcp_icmp.c, with NET_WITH_ICMP_ERRORS: the retransmission timer has expired. */
void tcp_suspect_black_hole(struct tcp_socket *s);
/* Next smaller MTU than `present`, for routers that do not tell theirs (RFC 1191 7.1); 0: none. */
uint32_t tcp_plateau_below(uint32_t present);
/* Where the header says whether routers may fragment. */
static inline uint8_t *tcp_fragment_flags(struct tcp_socket *s)
{
    return s->header + ETHERNET_HEADER + IPV4_FRAGMENT_FIELD;
}

/* tcp_probe.c, with NET_WITH_TCP_PROBING */
/* Segments have become smaller, or as large as was found possible: no probe for a while. */
void tcp_probe_later(struct tcp_socket *s);
/* The size of the segment to send in place of the one `offset` bytes into the ring; 0: that one. */
uint32_t tcp_probe_due(const struct tcp_socket *s, uint32_t offset);
void tcp_probe_sent(struct tcp_socket *s, uint32_t seq);
/* With one under way: snd_una has moved. */
void tcp_probe_acknowledged(struct tcp_socket *s);
/* All that is not acknowledged is sent again. */
void tcp_probe_sent_again(struct tcp_socket *s);
/*
 * Something is lost. True: the probe and nothing else, which is sent again and no sign of congestion (RFC
 * 4821 7.6.2).
 */
bool tcp_probe_lost(struct tcp_socket *s);
/* ICMP says that the segment at `seq` was too large. True: it was the probe, and is sent again. */
bool tcp_probe_rejected(struct tcp_socket *s, uint32_t seq);

/* tcp_congestion.c */
/* The handshake is done: RFC 6928. */
void tcp_begin_congestion_control(struct tcp_socket *s);
/* A loss has been seen: the threshold that it sets (RFC 5681 3.1 (4), RFC 9438 4.6). */
void tcp_lower_threshold(struct tcp_socket *s);
/* snd_una has moved by `acked` up to `ack`. */
void tcp_forward_ack(struct tcp_socket *s, uint32_t ack, uint32_t acked);
void tcp_duplicate_ack(struct tcp_socket *s);
/* Begin fast recovery, with the windows as they are. */
void tcp_recover(struct tcp_socket *s);
/* With NET_WITH_TCP_CONGESTION: data are about to be sent (RFC 5681 4.1). */
void tcp_restart_after_idleness(struct tcp_socket *s);

/* tcp_cubic.c, with NET_WITH_TCP_CONGESTION */
/* A loss with `flight` bytes on their way: the new threshold. */
uint32_t tcp_cubic_lost(struct tcp_socket *s, uint32_t flight);
/* Congestion avoidance. */
void tcp_cubic_acked(struct tcp_socket *s, uint32_t acked);

/* tcp_options.c, with any of the switches that NET_WITH_TCP_OPTIONS sums up */
void tcp_start_options(struct tcp_socket *s);
/* Those of a SYN that the build knows. */
unsigned tcp_options_in(const struct tcp_segment *syn);
/* Of the clock in our timestamps to that peer. */
uint32_t tcp_timestamp_offset(const struct net *net, uint32_t local, uint32_t remote);
/* The smallest shift by which the window fits its field. */
uint8_t tcp_scale_for(uint32_t window);
/* The options of the peer's SYN. */
void tcp_agree(struct tcp_socket *s, const struct tcp_segment *syn);
/* Writes the options of a segment behind its header, whose length with them is returned. */
size_t tcp_write_options(struct tcp_socket *s, uint8_t *header, uint8_t flags);
/* How many bytes of a segment with data they take, but for timestamps, which s->mss leaves room for. */
#if NET_WITH_TCP_SACK
uint32_t tcp_sack_length(const struct tcp_socket *s);
#else
static inline uint32_t tcp_sack_length(const struct tcp_socket *s)
{
    (void)s;
    return 0;
}
#endif

/* tcp_options.c, with NET_WITH_TCP_TIMESTAMPS and for connections that have agreed on them */
/* Is it of this connection, and not overtaken by 2^31 bytes (RFC 7323 5.3 R1)? */
bool tcp_timestamp_acceptable(const struct tcp_socket *s, const struct tcp_segment *segment);
/* R3: remember what to echo. */
void tcp_note_timestamp(struct tcp_socket *s, const struct tcp_segment *segment);
/* Both, for a segment as is_predicted finds it; false: it is none. */
bool tcp_predicted_timestamp(struct tcp_socket *s, const uint8_t *header);
/* RTTM (4.1): if the segment acknowledges the timed one, when the segment that it echoes was sent. */
void tcp_take_echo(struct tcp_socket *s, const struct tcp_segment *segment);

/* tcp_reassembly.c, with NET_WITH_TCP_REASSEMBLY */
/* Keep data that lie behind a hole; false: nothing of it could be. */
bool tcp_keep(struct tcp_socket *s, const struct tcp_segment *segment);
/* The next data in order have come: what is kept may follow on. */
void tcp_join_kept(struct tcp_socket *s);
/* Bytes of the receive buffer behind the unread ones up to the last one kept. */
uint32_t tcp_kept_reach(const struct tcp_socket *s);

/* tcp_sack.c, with NET_WITH_TCP_SACK */
/* Note what the segment says; true: something is new. */
bool tcp_sack_received(struct tcp_socket *s, const struct tcp_segment *segment);
/* snd_una has moved. */
void tcp_sack_forget(struct tcp_socket *s);
/* Bytes that the peer keeps below `seq`. */
uint32_t tcp_sacked_below(const struct tcp_socket *s, uint32_t seq);
/* Where to go on sending from `seq`, which the peer may keep. */
uint32_t tcp_sack_skip(const struct tcp_socket *s, uint32_t seq);
/* Bytes from `seq` on until one that the peer keeps. */
uint32_t tcp_sack_gap(const struct tcp_socket *s, uint32_t seq);
/* RFC 6675 4: IsLost of snd_una. */
bool tcp_first_is_lost(const struct tcp_socket *s);
/* RFC 6675 4: SetPipe. */
uint32_t tcp_pipe(const struct tcp_socket *s);
/* RFC 6675 4: NextSeg, rule 1 (`lost`) or 3. */
bool tcp_next_hole(const struct tcp_socket *s, bool lost, uint32_t *seq);

/* tcp_listen.c, with NET_WITH_TCP_LISTEN */
struct tcp_listener *tcp_find_listener(const struct net *net, const struct ipv4_packet *ip);
/* Of no socket's connection. `least_iss`: if not NULL, the least that may answer a SYN (RFC 9293 3.6.1). */
enum frame_fate tcp_listen_input(struct tcp_listener *l, const struct ipv4_packet *ip,
                                 struct tcp_segment *segment, const uint32_t *least_iss);
void tcp_listen_timers(struct net *net);

#endif
