#include "net/internal.h"
#include "net/wire/tcp.h"

enum { HEADERS = ETHERNET_HEADER + IPV4_HEADER + TCP_HEADER };

/* May anything be sent? Keeps the link addresses of the header up to date. */
static bool ready(struct tcp_socket *s)
{
    struct net *net = s->net;
    if (s->neighbour_epoch == net->neighbour_epoch) {
        return true; /* nothing has changed, nor the link or our address */
    }
    if (!net->link_up || net->address != s->local_address) {
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

/* The window to put into a segment; its right edge moves by worthwhile steps only. */
static uint16_t advertise(struct tcp_socket *s)
{
    uint32_t offered = s->rcv_adv - s->rcv_nxt, room = tcp_receive_room(s);
    if (room - offered >= tcp_window_step(s)) {
        s->rcv_adv = s->rcv_nxt + room;
        return (uint16_t)room;
    }
    return (uint16_t)offered;
}

/* True: the device has taken it. */
static bool emit(struct tcp_socket *s, uint32_t seq, uint8_t flags, const uint8_t *payload, uint32_t length)
{
    struct net *net = s->net;
    uint8_t *frame = net_reserve(net);
    if (!frame) {
        s->flags |= TCP_WAITS_ROOM;
        return false;
    }
    uint8_t *header = frame + ETHERNET_HEADER, *tcp = header + IPV4_HEADER;
    size_t tcp_header_length = TCP_HEADER;
    __builtin_memcpy(frame, s->header, sizeof s->header);
    tcp_build(tcp, seq, flags & TCP_ACK ? s->rcv_nxt : 0, flags, advertise(s));
    if (flags & TCP_SYN) {
        tcp_build_mss(tcp, TCP_MSS);
        tcp_header_length += TCP_MSS_OPTION;
    }
    store_be32(header + 2, (uint32_t)(IPV4_HEADER + tcp_header_length + length) << 16 | ++net->ip_id);
    ipv4_finish(net, header, TCP_CHECKSUM, tcp_header_length, payload, length);
    uint32_t ticket = net_send(net, ETHERNET_HEADER + IPV4_HEADER + tcp_header_length, payload, length);
    if (length) {
        s->tx_ticket = ticket;
    }
    if (flags & TCP_ACK) {
        s->flags &= ~(uint32_t)(TCP_ACK_NOW | TCP_ACK_DELAYED);
    }
    return true;
}

void tcp_send_bare(struct tcp_socket *s, uint32_t seq, uint8_t flags)
{
    if (ready(s)) {
        (void)emit(s, seq, flags, NULL, 0);
    }
}

void tcp_arm(struct tcp_socket *s)
{
    uint32_t wait = s->rto_ms;
    if (s->snd_wnd == 0 && s->probe_shift) {
        wait <<= s->probe_shift;
        wait = wait < TCP_RTO_MAX_MS ? wait : TCP_RTO_MAX_MS;
    }
    s->rtx_ms = s->net->now_ms + wait;
    s->flags |= TCP_RTX_ARMED;
    tcp_at_most(s, s->rtx_ms);
}

static void output_syn(struct tcp_socket *s)
{
    if (s->snd_nxt != s->snd_una) {
        return;
    }
    uint8_t flags = s->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
    if (!emit(s, s->snd_una, flags, NULL, 0)) {
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

static uint32_t ring_index(const struct tcp_socket *s, uint32_t offset)
{
    uint32_t index = s->tx_start + offset;
    return index >= s->tx_size ? index - s->tx_size : index;
}

/* Bytes from `offset` on that one segment could carry: to the ring's wrap at most. */
static uint32_t contiguous(const struct tcp_socket *s, uint32_t offset)
{
    uint32_t most = s->tx_used - offset, to_wrap = s->tx_size - ring_index(s, offset);
    most = most < to_wrap ? most : to_wrap;
    return most < s->mss ? most : s->mss;
}

/* How many of them the windows admit, without making silly segments (RFC 9293 3.8.6.2.1). */
static uint32_t sendable(struct tcp_socket *s, uint32_t offset)
{
    uint32_t window = s->snd_wnd < s->cwnd ? s->snd_wnd : s->cwnd;
    uint32_t usable = window > offset ? window - offset : 0;
    uint32_t most = contiguous(s, offset);
    if (usable >= most) {
        return most;
    }
    if (s->flags & TCP_FORCE) {
        return usable ? usable : 1;
    }
    return usable >= s->max_wnd / 2 ? usable : 0;
}

/* Account for what has gone out up to `end`. */
static void sent_up_to(struct tcp_socket *s, uint32_t end)
{
    bool first = s->snd_max == s->snd_una;
    if (s->snd_nxt != s->snd_max) {
        s->net->statistics.tcp_retransmissions++;
    } else if (!(s->flags & (TCP_RTT_TIMED | TCP_FORCE))) {
        s->rtt_seq = end;
        s->rtt_ms = s->net->now_ms;
        s->flags |= TCP_RTT_TIMED;
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

/* Send the next segment; false: there is none, or it must wait. */
static bool output_next(struct tcp_socket *s)
{
    uint32_t offset = s->snd_nxt - s->snd_una;
    if (offset > s->tx_used) {
        return false; /* the FIN is out */
    }
    uint32_t unsent = s->tx_used - offset;
    uint32_t length = unsent ? sendable(s, offset) : 0;
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
    if (!emit(s, s->snd_nxt, flags, s->tx + ring_index(s, offset), length)) {
        return false;
    }
    sent_up_to(s, s->snd_nxt + length + fin);
    return true;
}

/* RFC 5681 3.2, RFC 6582: the segment that the peer misses, out of turn. */
void tcp_retransmit_first(struct tcp_socket *s)
{
    uint32_t next = s->snd_nxt;
    s->flags &= ~(uint32_t)TCP_RTT_TIMED;
    s->flags |= TCP_FORCE;
    s->snd_nxt = s->snd_una;
    if (!ready(s) || !output_next(s)) {
        s->snd_nxt = next;
        return;
    }
    if ((int32_t)(next - s->snd_nxt) > 0) {
        s->snd_nxt = next;
    }
}

static void output_data(struct tcp_socket *s)
{
    unsigned sent = 0;
    while (sent < TCP_SEGMENTS_PER_POLL && output_next(s)) {
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
    if (s->state == TCP_SYN_SENT || s->state == TCP_SYN_RECEIVED) {
        output_syn(s);
    } else {
        output_data(s);
    }
    if (s->flags & TCP_ACK_NOW) {
        (void)emit(s, s->snd_max, TCP_ACK, NULL, 0);
    }
}
