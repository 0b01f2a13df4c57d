/* Arriving segments (RFC 9293 3.10.7). */
#include "net/internal.h"
#include "net/wire/checksum.h"
#include "net/wire/tcp.h"

static void acknowledge_now(struct tcp_socket *s)
{
    s->flags |= TCP_ACK_NOW | TCP_ATTENTION;
}

/* RFC 5961 3 to 5, with its limit of section 7, which here also ends any war of ACKs. */
static enum frame_fate challenge(struct tcp_socket *s)
{
    struct net *net = s->net;
    if (net->now_ms - s->challenge_ms >= TCP_CHALLENGE_MS) {
        s->challenge_ms = net->now_ms;
        s->challenges = 0;
    }
    if (s->challenges < TCP_CHALLENGES) {
        s->challenges++;
        acknowledge_now(s);
    }
    return net_dropped(NET_DROP_TCP_SEGMENT);
}

enum frame_fate tcp_reset(struct net *net, const struct ipv4_packet *ip, const struct tcp_segment *segment,
                          enum net_drop reason)
{
    if (segment->flags & TCP_RST) {
        return net_dropped(reason);
    }
    net_count_drop(net, reason);
    uint8_t *header = ip->header;
    uint32_t ports = load_native32(ip->payload);
    uint32_t length = segment->length + ((segment->flags & TCP_SYN) != 0) + ((segment->flags & TCP_FIN) != 0);
    uint8_t *tcp = ipv4_output(net, header, ip->source, IPV4_PROTOCOL_TCP, TCP_HEADER, IPV4_ATOMIC);
    store_native32(tcp, ports << 16 | ports >> 16);
    if (NET_WITH_ROUTES) {
        store_be32(header + 12, ip->destination); /* whichever of our addresses was meant */
    }
    if (segment->flags & TCP_ACK) {
        tcp_build(tcp, segment->ack, 0, TCP_RST, 0);
    } else {
        tcp_build(tcp, 0, segment->seq + length, TCP_RST | TCP_ACK, 0);
    }
    ipv4_finish(net, header, TCP_CHECKSUM, TCP_HEADER, NULL, 0);
    return net_bounce(net, header - ETHERNET_HEADER, ETHERNET_HEADER + IPV4_HEADER + TCP_HEADER);
}

/* ---- Acknowledgements ---- */

/* RFC 6298 2.2, 2.3; all in ms, srtt8 and rttvar4 scaled. */
static void measured(struct tcp_socket *s, uint32_t rtt)
{
    if (!(s->flags & TCP_RTT_KNOWN)) {
        s->flags |= TCP_RTT_KNOWN;
        s->srtt8 = rtt * 8;
        s->rttvar4 = rtt * 2;
    } else {
        uint32_t srtt = s->srtt8 / 8;
        uint32_t error = rtt > srtt ? rtt - srtt : srtt - rtt;
        s->rttvar4 = s->rttvar4 - s->rttvar4 / 4 + error;
        s->srtt8 = s->srtt8 - s->srtt8 / 8 + rtt;
    }
    uint32_t rto = s->srtt8 / 8 + (s->rttvar4 ? s->rttvar4 : 1);
    rto = rto > TCP_RTO_MIN_MS ? rto : TCP_RTO_MIN_MS;
    s->rto_ms = rto < TCP_RTO_MAX_MS ? rto : TCP_RTO_MAX_MS;
}

static void time_acknowledged(struct tcp_socket *s, uint32_t ack)
{
    if ((s->flags & TCP_RTT_TIMED) && tcp_distance(s->rtt_seq, ack) >= 0) {
        s->flags &= ~(uint32_t)TCP_RTT_TIMED;
        measured(s, s->net->now_ms - s->rtt_ms);
    }
}

/* Our FIN is acknowledged. False: the connection has ended. */
static bool fin_acknowledged(struct tcp_socket *s)
{
    s->flags &= ~(uint32_t)TCP_FIN_QUEUED;
    switch (s->state) {
    case TCP_FIN_WAIT_1: s->state = TCP_FIN_WAIT_2; return true;
    case TCP_CLOSING: s->state = TCP_TIME_WAIT; return true;
    default: tcp_finish(s, NET_OK); return false; /* LAST-ACK */
    }
}

/* `acked` sequence numbers are new. False: the connection has ended. */
static bool advance(struct tcp_socket *s, uint32_t ack, uint32_t acked)
{
    uint32_t bytes = acked < s->tx_used ? acked : s->tx_used;
    tcp_release(s, bytes);
    s->snd_una = ack;
    if (tcp_distance(s->snd_nxt, ack) > 0) {
        s->snd_nxt = ack;
    }
    time_acknowledged(s, ack);
    s->progress_ms = s->net->now_ms;
    s->duplicate_acks = 0;
    s->flags |= TCP_ATTENTION;
#if NET_WITH_TCP_SACK
    if (s->sacked_count != 0) {
        tcp_sack_forget(s);
    }
#endif
#if NET_WITH_ICMP_ERRORS
    s->soft_error = NET_OK;
    s->timeouts = 0;
#endif
#if NET_WITH_TCP_PROBING
    if (s->probe_size != 0) {
        tcp_probe_acknowledged(s);
    }
#endif
    if (acked > bytes && !fin_acknowledged(s)) {
        return false;
    }
    if (ack == s->snd_max) {
        s->flags &= ~(uint32_t)TCP_RTX_ARMED;
#if NET_WITH_TCP_CONGESTION
        s->rest_ms = s->net->now_ms;
#endif
    } else {
        tcp_arm(s);
    }
    tcp_forward_ack(s, ack, acked);
    return true;
}

static void update_window(struct tcp_socket *s, const struct tcp_segment *segment)
{
    int32_t newer = tcp_distance(s->snd_wl1, segment->seq);
    if (newer < 0 || (newer == 0 && tcp_distance(s->snd_wl2, segment->ack) < 0)) {
        return;
    }
    s->snd_wl1 = segment->seq;
    s->snd_wl2 = segment->ack;
    if (segment->window == 0) {
        s->progress_ms = s->net->now_ms; /* alive, only full: probe for as long as it answers (3.8.6.1) */
    } else if (s->probe_shift != 0) {
        s->probe_shift = 0;
        s->snd_nxt = s->snd_una; /* what the probes carried was not taken */
        s->flags &= ~(uint32_t)TCP_RTX_ARMED;
    }
    if (segment->window != s->snd_wnd) {
        s->snd_wnd = segment->window;
        s->max_wnd = s->max_wnd > s->snd_wnd ? s->max_wnd : s->snd_wnd;
        s->flags |= TCP_ATTENTION;
    }
}

/* RFC 5681 2: what counts as a duplicate acknowledgement. */
static bool is_duplicate(const struct tcp_socket *s, const struct tcp_segment *segment)
{
    return segment->length == 0 && segment->window == s->snd_wnd && s->snd_wnd != 0 &&
           s->snd_max != s->snd_una && !(segment->flags & TCP_FIN);
}

/* True: go on with the segment. */
static bool process_ack(struct tcp_socket *s, const struct tcp_segment *segment)
{
    uint32_t acked = segment->ack - s->snd_una;
    if (acked > s->snd_max - s->snd_una) {
        if ((int32_t)acked < 0 && 0 - acked <= s->max_wnd) {
            return true; /* old, overtaken on the way */
        }
        (void)challenge(s); /* RFC 5961 5.2: blind injection, or of data not sent */
        net_count_drop(s->net, NET_DROP_TCP_SEGMENT);
        return false;
    }
#if NET_WITH_TCP_TIMESTAMPS
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS)) {
        tcp_take_echo(s, segment);
    }
#endif
    bool news = false;
#if NET_WITH_TCP_SACK
    news = segment->sack_blocks && TCP_AGREED(s, TCP_OFFER_SACK) && tcp_sack_received(s, segment);
#endif
    if (acked != 0) {
        if (!advance(s, segment->ack, acked)) {
            return false;
        }
    } else if (TCP_AGREED(s, TCP_OFFER_SACK) ? news : is_duplicate(s, segment)) { /* or RFC 6675 2 */
        tcp_duplicate_ack(s);
    }
    update_window(s, segment);
    return true;
}

/* ---- Data ---- */

static void accept_fin(struct tcp_socket *s)
{
    s->rcv_nxt++;
    if (tcp_distance(s->rcv_adv, s->rcv_nxt) > 0) {
        s->rcv_adv = s->rcv_nxt;
    }
    acknowledge_now(s);
    switch (s->state) {
    case TCP_ESTABLISHED: s->state = TCP_CLOSE_WAIT; break;
    case TCP_FIN_WAIT_1: s->state = TCP_CLOSING; break;
    default: s->state = TCP_TIME_WAIT; break; /* FIN-WAIT-2 */
    }
}

/* In order and within the window, which has room for it by construction. */
static enum frame_fate accept_data(struct tcp_socket *s, const uint8_t *data, uint32_t length)
{
    struct net *net = s->net;
#if NET_WITH_TCP_REASSEMBLY
    if (s->kept_count != 0 || (s->flags & TCP_FIN_KEPT)) {
        acknowledge_now(s); /* of what fills a hole (RFC 5681 4.2) */
        tcp_append(s, data, length);
        s->rcv_nxt += length;
        tcp_join_kept(s);
        if ((s->flags & TCP_FIN_KEPT) && s->rcv_nxt == s->kept_fin) {
            accept_fin(s);
        }
        return FRAME_DONE;
    }
#endif
    s->rcv_nxt += length;
    if (s->flags & (TCP_ACK_DELAYED | TCP_ACK_NOW)) {
        acknowledge_now(s); /* at least every second segment (RFC 5681 4.2) */
    } else {
        s->flags |= TCP_ACK_DELAYED;
        s->ack_ms = net->now_ms + TCP_DELAYED_ACK_MS;
        tcp_at_most(s, s->ack_ms);
    }
    if (s->unread_length != 0) {
        tcp_append(s, data, length);
        return FRAME_DONE;
    }
    s->unread = data;
    s->unread_length = length;
    net->frame_reader = s;
    return FRAME_BORROWED;
}

static bool receives(const struct tcp_socket *s)
{
    return s->state >= TCP_ESTABLISHED && s->state <= TCP_FIN_WAIT_2;
}

/* Cut off what lies before and beyond the window, and deliver the rest if it is next in order. */
static enum frame_fate process_text(struct tcp_socket *s, struct tcp_segment *segment)
{
    uint32_t old = s->rcv_nxt - segment->seq, window = s->rcv_adv - s->rcv_nxt;
    enum frame_fate fate = FRAME_DONE;
    if ((int32_t)old < 0) {
        acknowledge_now(s); /* a hole before it: a duplicate ACK tells the peer (RFC 5681 4.2) */
#if NET_WITH_TCP_REASSEMBLY
        if (tcp_keep(s, segment)) {
            return FRAME_DONE;
        }
#endif
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
#if NET_WITH_TCP_REASSEMBLY
    if (segment->flags & TCP_FIN) {
        s->flags &= ~(uint32_t)TCP_FIN_KEPT; /* here it is again */
    }
#endif
    segment->payload += old;
    segment->length -= old;
    if (segment->length > window) {
        segment->length = window;
        segment->flags &= (uint8_t)~TCP_FIN;
        acknowledge_now(s);
    }
    if (segment->length != 0) {
        fate = accept_data(s, segment->payload, segment->length);
    }
    if (segment->flags & TCP_FIN) {
        accept_fin(s);
    }
    return fate;
}

/* ---- States ---- */

static void adopt_mss(struct tcp_socket *s, uint16_t offered)
{
    uint32_t mss = offered ? offered : TCP_MSS_DEFAULT;
    mss = mss < TCP_MSS ? mss : TCP_MSS;
    s->mss = (uint16_t)(mss > TCP_MSS_LEAST ? mss : TCP_MSS_LEAST);
}

void tcp_take_syn(struct tcp_socket *s, const struct tcp_segment *syn)
{
    s->rcv_nxt = syn->seq + 1;
    s->rcv_adv += s->rcv_nxt; /* it was relative to 0 */
    adopt_mss(s, syn->mss);
#if NET_WITH_TCP_OPTIONS
    tcp_agree(s, syn);
#endif
    tcp_begin_congestion_control(s);
#if NET_WITH_TCP_PROBING
    s->mss_agreed = s->mss;
#endif
}

static void established(struct tcp_socket *s, const struct tcp_segment *segment)
{
#if NET_WITH_TCP_TIMESTAMPS
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS)) {
        tcp_take_echo(s, segment);
    }
#endif
    time_acknowledged(s, segment->ack);
    if (s->flags & TCP_SYN_REPEATED) {
        s->rto_ms = TCP_RTO_AFTER_SYN_MS;
    }
    s->snd_una = s->snd_nxt = segment->ack;
    s->snd_wnd = s->max_wnd = segment->window;
    s->snd_wl1 = segment->seq;
    s->snd_wl2 = segment->ack;
    s->progress_ms = s->received_ms = s->net->now_ms;
    s->flags &= ~(uint32_t)(TCP_RTX_ARMED | TCP_RTT_TIMED | TCP_FORCE);
    s->flags |= TCP_ATTENTION;
    s->state = s->flags & TCP_FIN_QUEUED ? TCP_FIN_WAIT_1 : TCP_ESTABLISHED;
}

static bool acknowledges_syn(const struct tcp_socket *s, const struct tcp_segment *segment)
{
    return (segment->flags & TCP_ACK) && s->snd_max != s->snd_una && segment->ack == s->snd_max;
}

/* RFC 9293 3.10.7.3. Text or FIN with the SYN is left for the peer to send again. */
static enum frame_fate arrives_in_syn_sent(struct tcp_socket *s, const struct ipv4_packet *ip,
                                           const struct tcp_segment *segment)
{
    bool right = acknowledges_syn(s, segment);
    if ((segment->flags & TCP_ACK) && !right) {
        return tcp_reset(s->net, ip, segment, NET_DROP_TCP_SEGMENT);
    }
    if (segment->flags & TCP_RST) {
        if (!right) {
            return net_dropped(NET_DROP_TCP_SEGMENT);
        }
        tcp_finish(s, NET_ERROR_REFUSED);
        return FRAME_DONE;
    }
    if (!(segment->flags & TCP_SYN)) {
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
    tcp_take_syn(s, segment);
    if (right) {
        established(s, segment);
        acknowledge_now(s);
    } else {
        s->state = TCP_SYN_RECEIVED; /* simultaneous open */
        s->snd_nxt = s->snd_una;     /* the SYN again, with ACK */
        s->flags &= ~(uint32_t)TCP_RTT_TIMED;
        s->flags |= TCP_ATTENTION;
    }
    return FRAME_DONE;
}

/*
 * RFC 9293 3.10.7.4, first; an empty window still lets the next byte's segment in, to be trimmed. Servers
 * take an empty ACK at the right edge too: it completes the handshake when the data before it, a whole
 * window, are lost.
 */
static bool acceptable(const struct tcp_socket *s, const struct tcp_segment *segment)
{
    int32_t ahead = tcp_distance(s->rcv_nxt, segment->seq);
    if (ahead >= 0) {
        bool empty = NET_WITH_TCP_LISTEN && segment->length == 0 && segment->flags == TCP_ACK;
        return ahead == 0 || (uint32_t)ahead < s->rcv_adv - s->rcv_nxt + empty;
    }
    uint32_t length = segment->length + ((segment->flags & TCP_FIN) != 0);
    return 0 - (uint32_t)ahead < length;
}

static enum frame_fate reset_by_peer(struct tcp_socket *s)
{
    switch (s->state) {
    case TCP_SYN_RECEIVED: tcp_finish(s, NET_ERROR_REFUSED); break;
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT: tcp_finish(s, NET_OK); break;
    default: tcp_finish(s, NET_ERROR_RESET); break;
    }
    return FRAME_DONE;
}

/* A retransmitted FIN says that our last ACK was lost. */
static enum frame_fate unacceptable(struct tcp_socket *s, const struct tcp_segment *segment)
{
    if (segment->flags & TCP_RST) {
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
    if (s->state == TCP_TIME_WAIT && (segment->flags & TCP_FIN)) {
        s->received_ms = s->net->now_ms;
    }
    if (segment->length != 0 || (segment->flags & TCP_FIN)) {
        acknowledge_now(s); /* without limit: what is answered so brings forth no further answer */
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
    return challenge(s);
}

enum frame_fate tcp_segment_arrives(struct tcp_socket *s, const struct ipv4_packet *ip,
                                    struct tcp_segment *segment)
{
#if NET_WITH_TCP_TIMESTAMPS
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS) && !tcp_timestamp_acceptable(s, segment)) {
        return segment->syn.timestamps ? unacceptable(s, segment) : net_dropped(NET_DROP_TCP_SEGMENT);
    }
#endif
    if (!acceptable(s, segment)) {
        return unacceptable(s, segment);
    }
    if (segment->flags & TCP_RST) {
        return segment->seq == s->rcv_nxt ? reset_by_peer(s) : challenge(s);
    }
    if (segment->flags & TCP_SYN) {
        return challenge(s);
    }
    if (!(segment->flags & TCP_ACK)) {
        return net_dropped(NET_DROP_TCP_SEGMENT);
    }
    if (s->state != TCP_TIME_WAIT) { /* whose timer only a FIN restarts (3.10.7.4, eighth) */
        s->received_ms = s->net->now_ms;
    }
    s->keep_alive_probes = 0;
#if NET_WITH_TCP_WINDOW_SCALE
    segment->window <<= s->snd_scale;
#endif
    if (s->state == TCP_SYN_RECEIVED) {
        if (!acknowledges_syn(s, segment)) {
            return tcp_reset(s->net, ip, segment, NET_DROP_TCP_SEGMENT);
        }
        established(s, segment);
    } else if (!process_ack(s, segment)) {
        return FRAME_DONE;
    }
#if NET_WITH_TCP_TIMESTAMPS
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS)) {
        tcp_note_timestamp(s, segment);
    }
#endif
    if ((segment->length == 0 && !(segment->flags & TCP_FIN)) || !receives(s)) {
        return FRAME_DONE;
    }
    return process_text(s, segment);
}

static struct tcp_socket *find(const struct net *net, const struct ipv4_packet *ip)
{
    uint32_t ports = load_native32(ip->payload);
    for (struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        if (s->ports == ports && s->remote_address == ip->source && tcp_is_open(s) &&
            (!NET_WITH_ROUTES || s->local_address == ip->destination)) {
            return s;
        }
    }
    return NULL;
}

static bool checksum_right(const struct ipv4_packet *ip)
{
    return checksum_finish(ipv4_payload_sum(ip->header, ip->payload, ip->length, ip->length)) == 0;
}

/* The header's length if nothing but timestamps is in its options. */
static uint32_t predicted_header(const struct tcp_socket *s)
{
    (void)s;
    return TCP_AGREED(s, TCP_OFFER_TIMESTAMPS) ? TCP_HEADER + TCP_TIMESTAMPS_OPTION : TCP_HEADER;
}

static uint32_t predicted_window(const struct tcp_socket *s)
{
#if NET_WITH_TCP_WINDOW_SCALE
    return s->snd_wnd >> s->snd_scale;
#else
    return s->snd_wnd;
#endif
}

/* The next data in order within the window, and nothing else that is new: what comes most. */
static bool is_predicted(const struct tcp_socket *s, const struct ipv4_packet *ip)
{
    uint32_t lengths_flags_window = load_be32(ip->payload + 12) & ~((uint32_t)TCP_PSH << 16);
    uint32_t header_length = predicted_header(s);
    return lengths_flags_window == (header_length << 26 | (uint32_t)TCP_ACK << 16 | predicted_window(s)) &&
           load_be32(ip->payload + 4) == s->rcv_nxt && load_be32(ip->payload + 8) == s->snd_una &&
           s->state == TCP_ESTABLISHED && s->snd_wnd != 0 && s->probe_shift == 0 &&
           ip->length - header_length - 1 < s->rcv_adv - s->rcv_nxt;
}

static bool timestamp_is_predicted(struct tcp_socket *s, const uint8_t *header)
{
#if NET_WITH_TCP_TIMESTAMPS
    return !TCP_AGREED(s, TCP_OFFER_TIMESTAMPS) || tcp_predicted_timestamp(s, header);
#else
    (void)s, (void)header;
    return true;
#endif
}

/* All that 3.10.7.4 has to do with it. */
static enum frame_fate accept_predicted(struct tcp_socket *s, const struct ipv4_packet *ip)
{
    uint32_t header_length = predicted_header(s);
    s->received_ms = s->net->now_ms;
    s->keep_alive_probes = 0;
    s->snd_wl1 = s->rcv_nxt;
    s->snd_wl2 = s->snd_una;
    return accept_data(s, ip->payload + header_length, (uint32_t)ip->length - header_length);
}

#if NET_WITH_TCP_LISTEN

/* May the SYN begin a new connection in place of one in TIME-WAIT (RFC 9293 3.6.1, RFC 6191 2)? */
static bool follows_on(const struct tcp_socket *s, const struct tcp_segment *syn)
{
    if (s->state != TCP_TIME_WAIT || (syn->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN) {
        return false;
    }
#if NET_WITH_TCP_TIMESTAMPS
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS) && syn->syn.timestamps && syn->timestamp != s->ts_recent) {
        return tcp_distance(s->ts_recent, syn->timestamp) > 0;
    }
#endif
    return tcp_distance(s->rcv_nxt, syn->seq) > 0;
}

/* True: the segment is a listener's. */
static bool goes_to_listener(struct net *net, struct tcp_socket *s, const struct ipv4_packet *ip,
                             struct tcp_segment *segment, enum frame_fate *fate)
{
    struct tcp_listener *l = !s || follows_on(s, segment) ? tcp_find_listener(net, ip) : NULL;
    if (!l) {
        return false;
    }
    uint32_t least_iss = 0;
    if (s) {
        least_iss = s->snd_max + 1;
        tcp_finish(s, NET_OK);
    }
    *fate = tcp_listen_input(l, ip, segment, s ? &least_iss : NULL);
    return true;
}

#endif

enum frame_fate tcp_input(struct net *net, const struct ipv4_packet *ip)
{
    if (ip->length < TCP_HEADER || (!net_offloads(net, NET_DEVICE_CHECKSUM_RX) && !checksum_right(ip))) {
        return net_dropped(NET_DROP_TCP);
    }
    struct tcp_socket *s = find(net, ip);
    if (s && is_predicted(s, ip) && timestamp_is_predicted(s, ip->payload)) {
        return accept_predicted(s, ip);
    }
    if (!s && !ipv4_source_acceptable(net, ip->source)) {
        return net_dropped(NET_DROP_IPV4_ADDRESS);
    }
    struct tcp_segment segment;
    if (!tcp_parse(ip->payload, ip->length, &segment)) {
        return net_dropped(NET_DROP_TCP);
    }
#if NET_WITH_TCP_LISTEN
    enum frame_fate fate;
    if (goes_to_listener(net, s, ip, &segment, &fate)) {
        return fate;
    }
#endif
    if (!s) {
        return tcp_reset(net, ip, &segment, NET_DROP_TCP_PORT);
    }
    return s->state == TCP_SYN_SENT ? arrives_in_syn_sent(s, ip, &segment)
                                    : tcp_segment_arrives(s, ip, &segment);
}
