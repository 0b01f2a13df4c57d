/*
 * TCP connections (RFC 9293); for servers see also tcp_listen.h. For contexts and times see net.h.
 *
 * Sending: tcp_reserve lends free room of the transmit ring, the caller writes
 * there, tcp_commit queues it. The device reads it from there, as often as it
 * must be sent again; room returns when the peer has acknowledged the bytes and
 * the device holds no frame that refers to them.
 *
 * Receiving: tcp_peek shows all unread bytes in one piece, tcp_consume drops
 * them from the front. They lie in the device's frame if nothing older is
 * unread, else in the receive buffer. The window that the peer sees is the
 * receive buffer's free room: a message up to its size always becomes contiguous.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "net/net.h"
#include "net/wire/tcp_range.h"

/* The states of RFC 9293 figure 5. */
enum tcp_state {
    TCP_CLOSED,
#if NET_WITH_TCP_LISTEN
    TCP_LISTEN, /* waits for a connection of its listener */
#endif
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT, /* the peer has closed; we may still send */
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
};

enum {
    TCP_USER_TIMEOUT_MS = 180000, /* default; RFC 9293 3.8.3: R2 at least 100 s, for a SYN 3 min */
    TCP_BUFFER_MIN = 64,          /* smallest tx_size and rx_size */
    TCP_BUFFER_MAX = NET_WITH_TCP_WINDOW_SCALE ? 1 << 29 : 65535,
    TCP_RANGES =
        8, /* runs of bytes out of order that a socket keeps, and those that it knows the peer to keep */
};

#if NET_WITH_TCP_CONGESTION
enum tcp_congestion_control {
    TCP_NEW_RENO, /* RFC 5681, 6582 */
    TCP_CUBIC,    /* RFC 9438 */
};

/* Private. */
struct tcp_cubic {
    uint32_t w_max, prior; /* congestion window before the last loss, or a little less; and exactly */
    uint32_t k, epoch_ms;  /* RFC 9438's K in 1/1024 s, from epoch_ms on */
    uint64_t w_est;        /* in 1/256 bytes: in a large window each ACK adds less than one */
    bool begun;            /* k, epoch_ms and w_est hold */
};
#endif

struct tcp_span {
    uint8_t *data;
    size_t length;
};

/*
 * Private; placed by the caller, aligned as any struct. Bytes and what is used
 * most come first, where the short load and store instructions reach.
 */
struct tcp_socket {
    struct tcp_socket *next;
    struct net *net;
    uint32_t flags;
    uint8_t state;
    int8_t error;
    uint8_t probe_shift; /* back-off of zero-window probes */
    uint8_t duplicate_acks;
    uint8_t keep_alive_probes;
    uint8_t challenges;
    uint8_t neighbour_epoch;
    uint16_t mss;
    uint16_t window_step; /* window growth worth telling the peer (RFC 9293 3.8.6.2.2) */

    uint32_t snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2;
    uint32_t snd_max; /* RFC 9293's SND.NXT; snd_nxt falls behind it when going back to send again */
    uint32_t max_wnd; /* largest window the peer has offered */
    uint32_t rcv_nxt;
    uint32_t rcv_adv; /* right edge of the window as advertised */
    uint32_t cwnd, ssthresh, recover;

    /* Transmit ring, from oldest to newest: held, used, free; tx_start is where used begins. */
    uint32_t tx_size, tx_start, tx_used, tx_held;
    uint32_t tx_ticket; /* of the newest frame that refers to the ring */

    uint32_t rx_size, unread_length;
    const uint8_t *unread; /* in the receive buffer, or in the borrowed frame */

    uint32_t deadline_ms; /* no later than the first of the timers below */
    uint32_t rtx_ms;      /* retransmission or zero-window probe */
    uint32_t ack_ms;      /* delayed ACK */
    uint32_t progress_ms; /* user timeout runs from here */
    uint32_t received_ms; /* keep-alive, FIN-WAIT-2 and TIME-WAIT run from here */
    uint8_t *tx, *rx;
    uint32_t rto_ms;
    uint32_t rtt_seq, rtt_ms; /* the segment being timed */
    uint32_t srtt8, rttvar4;  /* scaled by 8 and 4, ms */
    uint32_t challenge_ms;
    uint32_t user_timeout_ms, keep_alive_ms;

    uint32_t local_address, remote_address;
    uint32_t ports;     /* as the first four bytes of a received segment, loaded natively */
    uint8_t header[40]; /* Ethernet, IPv4 and ports of every segment sent, and two bytes more: whole words */

#if NET_WITH_TCP_OPTIONS
    uint8_t offers; /* enum tcp_option of our SYN */
    uint8_t agreed; /* in both */
#endif
#if NET_WITH_TCP_WINDOW_SCALE
    uint8_t snd_scale, rcv_scale;
#endif
#if NET_WITH_TCP_REASSEMBLY
    uint8_t kept_count;
    uint32_t kept_fin; /* the FIN's sequence number, with TCP_FIN_KEPT */
#endif
#if NET_WITH_TCP_SACK
    uint8_t sacked_count;
    uint32_t high_rxt;                   /* RFC 6675's HighRxt, exclusive */
    struct tcp_range sacked[TCP_RANGES]; /* what the peer keeps, ascending, disjoint */
#endif
#if NET_WITH_TCP_REASSEMBLY
    struct tcp_range
        kept[TCP_RANGES]; /* in the receive buffer out of order; the one added to last comes first */
#endif
#if NET_WITH_TCP_TIMESTAMPS
    uint32_t timestamp_offset;
    uint32_t ts_recent, ts_recent_ms; /* RFC 7323's TS.Recent and when it was taken */
    uint32_t last_ack_sent;
#endif
#if NET_WITH_TCP_NAGLE
    bool nagle;
#endif
#if NET_WITH_TCP_TTL
    uint8_t ttl, dscp;
#endif
#if NET_WITH_TCP_LISTEN
    struct tcp_listener *listener; /* in LISTEN */
#endif
#if NET_WITH_ROUTES
    uint32_t bound_address; /* to connect from; 0: chosen by the route */
#endif
#if NET_WITH_TCP_CONGESTION
    uint8_t congestion_control;
    struct tcp_cubic cubic;
    uint32_t rest_ms; /* since when nothing is on its way */
#endif
#if NET_WITH_ICMP_ERRORS
    int8_t soft_error; /* what an ICMP error has said */
    uint8_t timeouts;  /* of the retransmission timer since the last progress */
#endif
#if NET_WITH_TCP_PROBING
    uint16_t mss_agreed;             /* what mss was at first */
    uint16_t probe_size, probe_next; /* of the probe under way, 0: none; of the next one */
    uint32_t probe_seq, probed_ms;   /* where it begins; the quiet time runs from then */
#endif
};

/*
 * Register the socket with the net, for good. The buffers stay the caller's
 * memory; `tx` must be reachable by the device's DMA. Sizes in bytes, from
 * TCP_BUFFER_MIN to TCP_BUFFER_MAX. The peer sees at most 65535 of `rx_size` if it
 * does not scale windows. A socket that is registered already begins anew: its connection is forgotten, of
 * which the peer hears when it sends next (after tcp_abort at once), and the device may still be reading the
 * old `tx` for a moment.
 */
void tcp_init(struct tcp_socket *s, struct net *net, void *tx, size_t tx_size, void *rx, size_t rx_size);

/*
 * Give up when data, SYN or FIN stays unacknowledged for `user_timeout_ms`
 * (0 leaves it as it is). Probe an idle peer after `keep_alive_ms` (0: never)
 * and then four times at a quarter of it. Both at most 2^30. May be called in any state.
 */
void tcp_set_timeouts(struct tcp_socket *s, uint32_t user_timeout_ms, uint32_t keep_alive_ms);

#if NET_WITH_TCP_OPTIONS
enum tcp_option {
    TCP_OFFER_WINDOW_SCALE = 1 << 0,
    TCP_OFFER_TIMESTAMPS = 1 << 1,
    TCP_OFFER_SACK = 1 << 2,
    TCP_OFFER_ALL = 7,
};

/* Which options tcp_connect offers from now on; all that the build knows by default. */
void tcp_set_options(struct tcp_socket *s, unsigned options);
#endif

#if NET_WITH_TCP_CONGESTION
/* NewReno by default. In any state. */
void tcp_set_congestion_control(struct tcp_socket *s, enum tcp_congestion_control which);
#endif

#if NET_WITH_TCP_NAGLE
/*
 * Nagle's algorithm (RFC 9293 3.7.4): less than a full segment waits while anything is unacknowledged. On by
 * default; off is better for messages that are committed whole. In any state.
 */
void tcp_set_nagle(struct tcp_socket *s, bool on);
#endif

#if NET_WITH_TCP_TTL
/* Of all segments from now on; 64 and 0 by default. TTL 1 to 255, DSCP 0 to 63 (RFC 2474). In any state. */
void tcp_set_ttl(struct tcp_socket *s, uint8_t ttl);
void tcp_set_dscp(struct tcp_socket *s, uint8_t dscp);
#endif

#if NET_WITH_ROUTES
/*
 * Connect from this address of ours from now on; 0, as at first: from the one that the route chooses. In any
 * state, for the next tcp_connect. NET_ERROR_ARGUMENT: no host's address.
 */
int tcp_bind(struct tcp_socket *s, uint32_t address) __attribute__((warn_unused_result));
#endif

/*
 * Begin to connect from a random port, in state CLOSED or TIME-WAIT (which is
 * given up). What was unread is dropped. NET_ERROR_STATE: in use; NET_ERROR_DOWN;
 * NET_ERROR_ARGUMENT: port 0, our own address or no host's; NET_ERROR_ADDRESS: what
 * tcp_bind has named is not ours, or not now. Success or failure of the handshake
 * shows in tcp_state and tcp_error.
 */
int tcp_connect(struct tcp_socket *s, uint32_t address, uint16_t port, uint32_t now_ms)
    __attribute__((warn_unused_result));

enum tcp_state tcp_state(const struct tcp_socket *s);
/* Why the state is CLOSED: NET_OK after an orderly close or before any use. */
int tcp_error(const struct tcp_socket *s);

/* Of the present connection or the last one. */
uint32_t tcp_remote_address(const struct tcp_socket *s);
uint16_t tcp_remote_port(const struct tcp_socket *s);
uint16_t tcp_local_port(const struct tcp_socket *s);

/*
 * All unread bytes: their number and where they lie. Valid until the next
 * net_poll, tcp_connect or tcp_abort. Bytes that came before a FIN or a reset
 * stay readable. None and state CLOSE-WAIT or later: the peer will send no more.
 */
size_t tcp_peek(struct tcp_socket *s, const uint8_t **data);
/* At most what tcp_peek has shown; more is cut to that. */
void tcp_consume(struct tcp_socket *s, size_t n);

/*
 * Free room in the transmit ring, which may be in two pieces; the total is
 * returned, 0 when the state allows no sending. Already possible before the
 * connection is established. Valid until tcp_commit or net_poll.
 */
size_t tcp_reserve(struct tcp_socket *s, struct tcp_span room[2]);
/* Queue the first `n` bytes of the reserved room; more than that is cut. Sent at the next net_poll or
 * net_flush. */
void tcp_commit(struct tcp_socket *s, size_t n);
/* Bytes queued and not yet acknowledged. */
size_t tcp_queued(const struct tcp_socket *s);

/*
 * Send what is queued, then FIN. Reading stays possible until the peer has closed too. In LISTEN and
 * SYN-SENT, where nobody has answered yet, the socket is CLOSED at once. A second call does nothing.
 */
void tcp_close(struct tcp_socket *s);
/* Reset the connection; queued and unread bytes are dropped. */
void tcp_abort(struct tcp_socket *s);

#endif
