#include "net/internal.h"
#include "net/wire/tcp.h"

/*
 * IPv4's identification of a segment is its place in the stream, whose beginning nobody else can guess, in
 * units of 256 bytes: fragments of two segments on their way are not taken for each other (RFC 6864), as
 * shorter ones are not fragmented. No counter tells others how much is sent.
 */
enum { ID_SHIFT = 8 };

/* The link, our address or a link address may have changed. */
__attribute__((noinline)) static bool ready_again(struct tcp_socket *s)
{
    struct net *net = s->net;
    if (!net->link_up || !net_is_ours(net, s->local_address)) {
        return false; /* net_wake comes when that changes */
    }
    const uint8_t *mac = arp_resolve(net, s->remote_address);
    if (!mac) {
        s->flags |= TCP_WAITS_NEIGHBOUR;
        return false;
    }
    ethernet_build(s->header, mac, net->mac, ETHERNET_TYPE_IPV4);
    s->neighbour_epoch = net->neighbour_epoch;
    return true;
}

/* May anything be sent? Keeps the link addresses of the header up to date. */
static bool ready(struct tcp_socket *s)
{
    return s->neighbour_epoch == s->net->neighbour_epoch || ready_again(s);
}

/* Rounded down; what rcv_adv promised stays welcome (RFC 7323 2.4). */
static uint16_t scaled(const struct tcp_socket *s, uint32_t window)
{
#if NET_WITH_TCP_WINDOW_SCALE
    window >>= s->rcv_scale;
#else
    (void)s;
#endif
    return (uint16_t)window;
}

/*
 * The window to put into a segment; its right edge moves by worthwhile steps
 * only (RFC 9293 3.8.6.2.2), but a closed one opens by whatever room there is:
 * a reader may need just that for the end of a message.
 */
static uint16_t advertise(struct tcp_socket *s, uint8_t flags)
{
    uint32_t offered = s->rcv_adv - s->rcv_nxt, room = tcp_receive_room(s);
    if (NET_WITH_TCP_WINDOW_SCALE && (flags & TCP_SYN)) {
        return (uint16_t)offered; /* never scaled (RFC 7323 2.2) */
    }
    if (room - offered >= s->window_step || scaled(s, offered) == 0) {
        s->rcv_adv = s->rcv_nxt + room;
        return scaled(s, room);
    }
    return scaled(s, offered);
}

static uint32_t ring_index(const struct tcp_socket *s, uint32_t offset)
{
    uint32_t index = s->tx_start + offset;
    return index >= s->tx_size ? index - s->tx_size : index;
}

/* To copy a socket's header by whole words, to which the device's room is aligned. */
struct header_words {
    uint32_t words[10];
} __attribute__((may_alias));
_Static_assert(sizeof(struct header_words) == sizeof((struct tcp_socket *)0)->header, "all of it");

/* A segment with `length` bytes of the ring, those at `seq`. True: the device has taken it. */
static bool emit(struct tcp_socket *s, uint32_t seq, uint8_t flags, uint32_t length)
{
    struct net *net = s->net;
    const uint8_t *payload = length ? s->tx + ring_index(s, seq - s->snd_una) : NULL;
    uint8_t *frame = net_reserve(net);
    if (!frame) {
        s->flags |= TCP_WAITS_ROOM;
        return false;
    }
    uint8_t *header = frame + ETHERNET_HEADER, *tcp = header + IPV4_HEADER;
    size_t tcp_header_length = TCP_HEADER;
    *(struct header_words *)frame = *(const struct header_words *)s->header;
    tcp_build(tcp, seq, s->rcv_nxt, flags, advertise(s, flags)); /* 0 until the peer's SYN has come */
#if NET_WITH_TCP_OPTIONS
    if (s->agreed != 0 || (flags & TCP_SYN)) {
        tcp_header_length = tcp_write_options(s, tcp, flags);
    }
#else
    if (flags & TCP_SYN) {
        tcp_build_mss(tcp, TCP_MSS);
        tcp_header_length += TCP_MSS_OPTION;
    }
#endif
    uint32_t id = seq >> ID_SHIFT & UINT16_MAX;
    store_be32(header + 2, (uint32_t)(IPV4_HEADER + tcp_header_length + length) << 16 | id);
    ipv4_finish(net, header, TCP_CHECKSUM, tcp_header_length, payload, length);
    uint32_t ticket = net_send(net, ETHERNET_HEADER + IPV4_HEADER + tcp_header_length, payload, length);
    if (length) {
        s->tx_ticket = ticket;
    }
    s->flags &= ~(uint32_t)(TCP_ACK_NOW | TCP_ACK_DELAYED);
#if NET_WITH_TCP_TIMESTAMPS
    s->last_ack_sent = s->rcv_nxt;
#endif
    return true;
}

void tcp_send_bare(struct tcp_socket *s, uint32_t seq, uint8_t flags)
{
    if (ready(s)) {
        (void)emit(s, seq, flags, 0);
    }
}

/* RFC 9293 3.10.7.4, first: a window shrinks, and a probe's byte is beyond a closed one. */
uint32_t tcp_bare_number(const struct tcp_socket *s)
{
    uint32_t window = s->state < TCP_ESTABLISHED ? UINT32_MAX : s->snd_wnd;
    return s->snd_una + tcp_least(s->snd_max - s->snd_una, window);
}

void tcp_arm(struct tcp_socket *s)
{
    uint32_t wait = s->rto_ms;
    if (s->snd_wnd == 0 && s->probe_shift) {
        wait = tcp_least(wait << s->probe_shift, TCP_RTO_MAX_MS);
        wait = tcp_least(wait, s->user_timeout_ms / 2); /* each answer is progress: it has to come in time */
    }
    s->rtx_ms = s->net->now_ms + wait;
    s->flags |= TCP_RTX_ARMED;
}

static void output_syn(struct tcp_socket *s)
{
    if (s->snd_nxt != s->snd_una) {
        return;
    }
    uint8_t flags = s->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
    if (!emit(s, s->snd_una, flags, 0)) {
        return;
    }
    if (s->snd_max != s->snd_una) {
        s->net->statistics.tcp_retransmissions++;
    } else {
        s->rtt_seq = s->snd_una + 1;
        s->rtt_ms = s->net->now_ms;
        s->flags |= TCP_RTT_TIMED;
    }
    s->snd_nxt = s->snd_max = s->snd_una + 1;
    tcp_arm(s);
}

#if NET_WITH_TCP_SACK
static bool recovers_by_sack(const struct tcp_socket *s)
{
    return (s->flags & TCP_RECOVERY) && TCP_AGREED(s, TCP_OFFER_SACK);
}
#endif

/* Bytes from `offset` on that one segment could carry: to the ring's wrap, or what the peer keeps, at most.
 */
static uint32_t contiguous(const struct tcp_socket *s, uint32_t offset)
{
    uint32_t most = s->tx_used - offset, to_wrap = s->tx_size - ring_index(s, offset);
    most = most < to_wrap ? most : to_wrap;
#if NET_WITH_TCP_SACK
    if (s->sacked_count != 0) {
        most = tcp_least(most, tcp_sack_gap(s, s->snd_una + offset));
    }
    if (s->kept_count != 0) {
        most = tcp_least(most, s->mss - tcp_sack_length(s));
    }
#endif
    return most < s->mss ? most : s->mss;
}

/* The last byte, from snd_una on, that congestion control would let out. */
static uint32_t congestion_window(const struct tcp_socket *s)
{
#if NET_WITH_TCP_SACK
    if (recovers_by_sack(s)) {
        return UINT32_MAX; /* output_recovery has seen to it */
    }
    if (s->sacked_count != 0) {
        return s->cwnd + tcp_sacked_below(s, s->snd_nxt); /* which have left the network */
    }
#endif
#if NET_WITH_TCP_CONGESTION
    if (s->duplicate_acks != 0 && s->snd_nxt == s->snd_max && !(s->flags & TCP_RECOVERY) &&
        !TCP_AGREED(s, TCP_OFFER_SACK)) {
        return s->cwnd + tcp_least(s->duplicate_acks, 2) * s->mss; /* RFC 3042: for new data */
    }
#endif
    return s->cwnd;
}

#if NET_WITH_TCP_NAGLE
/* Would these bytes make a small segment, the last for now, while an earlier one is unacknowledged (3.7.4)?
 */
static bool nagle_waits(const struct tcp_socket *s, uint32_t offset, uint32_t bytes)
{
    bool new_and_last = offset + bytes == s->tx_used && s->snd_una + offset == s->snd_max;
    return s->nagle && new_and_last && offset != 0 && ring_index(s, offset) != 0 &&
           bytes + tcp_sack_length(s) < s->mss && !(s->flags & (TCP_FIN_QUEUED | TCP_FORCE));
}
#endif

/* How many of them the windows admit, without making silly segments (RFC 9293 3.8.6.2.1). */
static uint32_t sendable(struct tcp_socket *s, uint32_t offset)
{
    uint32_t window = tcp_least(s->snd_wnd, congestion_window(s));
    uint32_t usable = window > offset ? window - offset : 0;
    uint32_t most = contiguous(s, offset);
#if NET_WITH_TCP_NAGLE
    if (nagle_waits(s, offset, most)) {
        return 0;
    }
#endif
    if (usable >= most) {
        return most;
    }
    if (s->flags & TCP_FORCE) {
        return usable ? usable : 1;
    }
    return usable >= s->max_wnd / 2 ? usable : 0;
}

#if NET_WITH_TCP_TIMESTAMPS
/* What is sent twice can be timed too, for its timestamp tells which copy was answered (RFC 7323 4.1). */
static void time_repeated(struct tcp_socket *s, uint32_t end)
{
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS)) {
        s->rtt_seq = end;
        s->rtt_ms = s->net->now_ms;
        s->flags |= TCP_RTT_TIMED | TCP_RTT_REPEATED;
    }
}
#endif

/* Account for what has gone out up to `end`. */
static void sent_up_to(struct tcp_socket *s, uint32_t end)
{
    bool first = s->snd_max == s->snd_una;
    if (s->snd_nxt != s->snd_max) {
        s->net->statistics.tcp_retransmissions++;
#if NET_WITH_TCP_TIMESTAMPS
        time_repeated(s, end);
#endif
    } else if (!(s->flags & (TCP_RTT_TIMED | TCP_FORCE))) {
        s->rtt_seq = end;
        s->rtt_ms = s->net->now_ms;
        s->flags |= TCP_RTT_TIMED;
        s->flags &= NET_WITH_TCP_TIMESTAMPS ? ~(uint32_t)TCP_RTT_REPEATED : UINT32_MAX;
    }
    s->snd_nxt = end;
    if ((int32_t)(end - s->snd_max) > 0) {
        s->snd_max = end;
    }
    if (first || !(s->flags & TCP_RTX_ARMED)) {
        tcp_arm(s);
    }
    s->flags &= ~(uint32_t)TCP_FORCE;
}

/* Is anything behind snd_nxt, data or a FIN? */
static bool has_unsent(const struct tcp_socket *s)
{
    uint32_t offset = s->snd_nxt - s->snd_una;
    return offset < s->tx_used || (offset == s->tx_used && (s->flags & TCP_FIN_QUEUED));
}

/* Send the segment at snd_nxt, where there is something; false: it must wait. */
static bool output_here(struct tcp_socket *s)
{
    uint32_t offset = s->snd_nxt - s->snd_una;
    uint32_t unsent = s->tx_used - offset;
    uint32_t length = sendable(s, offset);
    bool last = length == unsent;
    bool fin = last && (s->flags & TCP_FIN_QUEUED);
    if (length == 0 && !fin) {
        return false;
    }
    uint8_t flags = TCP_ACK;
    if (last && length) {
        flags |= TCP_PSH;
    }
    if (fin) {
        flags |= TCP_FIN;
    }
    if (!emit(s, s->snd_nxt, flags, length)) {
        return false;
    }
    sent_up_to(s, s->snd_nxt + length + fin);
    return true;
}

#if NET_WITH_TCP_PROBING
/* In place of the next segment a larger one, in a single piece of the ring (RFC 4821 7.5). */
static bool output_probe(struct tcp_socket *s)
{
    uint32_t offset = s->snd_nxt - s->snd_una, length = tcp_probe_due(s, offset);
    if (length == 0 || ring_index(s, offset) + length > s->tx_size) {
        return false;
    }
    uint8_t *flags = tcp_fragment_flags(s), before = *flags;
    *flags = IPV4_DO_NOT_FRAGMENT >> 8;
    bool sent = emit(s, s->snd_nxt, TCP_ACK, length);
    *flags = before;
    if (sent) {
        tcp_probe_sent(s, s->snd_nxt);
        sent_up_to(s, s->snd_nxt + length);
    }
    return sent;
}
#endif

/* Send the next segment; false: there is none, or it must wait. */
static bool output_next(struct tcp_socket *s)
{
#if NET_WITH_TCP_PROBING
    if (s->mss < s->mss_agreed && output_probe(s)) {
        return true;
    }
#endif
#if NET_WITH_TCP_SACK
    if (s->sacked_count != 0) {
        s->snd_nxt = tcp_sack_skip(s, s->snd_nxt);
    }
#endif
    return has_unsent(s) && output_here(s);
}

/* The segment at `seq`, out of turn. */
static bool retransmit(struct tcp_socket *s, uint32_t seq)
{
    uint32_t next = s->snd_nxt;
    s->flags &= ~(uint32_t)TCP_RTT_TIMED;
    s->flags |= TCP_FORCE;
    s->snd_nxt = seq;
    if (!ready(s) || !output_here(s)) {
        s->snd_nxt = next;
        s->flags &= ~(uint32_t)TCP_FORCE;
        return false;
    }
#if NET_WITH_TCP_SACK
    s->high_rxt = s->snd_nxt;
#endif
    if ((int32_t)(next - s->snd_nxt) > 0) {
        s->snd_nxt = next;
    }
    return true;
}

void tcp_retransmit_first(struct tcp_socket *s)
{
    s->flags &= ~(uint32_t)TCP_MISSING;
    if (!retransmit(s, s->snd_una) && (s->flags & TCP_WAITS_ROOM)) {
        s->flags |= TCP_MISSING | TCP_RTX_ARMED;
        s->rtx_ms = s->net->now_ms + 1;
    }
}

#if NET_WITH_TCP_SACK

/* RFC 6675 4, NextSeg rule 4: once, the last segment, in case the loss is at the very end. */
static bool rescue(struct tcp_socket *s)
{
    uint32_t seq = s->sacked_count ? s->sacked[s->sacked_count - 1].end : s->snd_una;
    if ((s->flags & TCP_RESCUED) || tcp_distance(seq, s->snd_max) <= 0) {
        return false;
    }
    if (s->snd_max - seq > s->mss) {
        seq = s->snd_max - s->mss;
    }
    uint32_t high_rxt = s->high_rxt;
    bool sent = retransmit(s, seq);
    s->high_rxt = high_rxt;
    s->flags |= sent ? TCP_RESCUED : 0;
    return sent;
}

/* RFC 6675 5 (C): as long as the pipe is not full, what is lost, else what is new, else what may be lost. */
static bool output_recovery(struct tcp_socket *s)
{
    uint32_t seq;
    if (tcp_pipe(s) + s->mss > s->cwnd) {
        return false;
    }
    if (tcp_next_hole(s, true, &seq)) {
        return retransmit(s, seq);
    }
    return output_next(s) || (tcp_next_hole(s, false, &seq) && retransmit(s, seq)) || rescue(s);
}

#endif

static bool output_segment(struct tcp_socket *s)
{
#if NET_WITH_TCP_SACK
    if (recovers_by_sack(s)) {
        return output_recovery(s);
    }
#endif
    return output_next(s);
}

static void output_data(struct tcp_socket *s)
{
    unsigned sent = 0;
#if NET_WITH_TCP_CONGESTION
    if (s->tx_used != 0 && s->snd_max == s->snd_una) {
        tcp_restart_after_idleness(s);
    }
#endif
    while (sent < TCP_SEGMENTS_PER_POLL && output_segment(s)) {
        sent++;
    }
    if (sent == TCP_SEGMENTS_PER_POLL) {
        s->flags |= TCP_ATTENTION;
    }
    bool stuck = s->tx_used != 0 && !(s->flags & (TCP_RTX_ARMED | TCP_WAITS_ROOM));
    if (stuck) {
        tcp_arm(s); /* persist: the window is closed and nothing is under way that would tell its opening */
    }
}

void tcp_output(struct tcp_socket *s)
{
    if (!ready(s)) {
        return;
    }
    if (s->state < TCP_ESTABLISHED) {
        output_syn(s);
    } else {
        output_data(s);
    }
    if (s->flags & TCP_ACK_NOW) {
        (void)emit(s, tcp_bare_number(s), TCP_ACK, 0);
    }
}
