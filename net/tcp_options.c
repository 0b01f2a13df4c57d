/* What the options of TCP headers say and do: window scale, timestamps (RFC 7323), blocks of SACK (RFC 2018).
 */
#include "net/internal.h"

#if NET_WITH_TCP_OPTIONS

enum {
    KNOWN = (NET_WITH_TCP_WINDOW_SCALE ? TCP_OFFER_WINDOW_SCALE : 0) |
            (NET_WITH_TCP_TIMESTAMPS ? TCP_OFFER_TIMESTAMPS : 0) | (NET_WITH_TCP_SACK ? TCP_OFFER_SACK : 0),
    TS_RECENT_VALID_MS = 24 * 86400000, /* RFC 7323 5.5 */
};

/* So they tell neither how long we are up nor of other peers (RFC 7323 7.1), and grow between connections. */
uint32_t tcp_timestamp_offset(const struct net *net, uint32_t local, uint32_t remote)
{
    uint32_t words[3] = {local, remote, 0};
    return net_keyed_hash(net->seed + 2, words, 3);
}

void tcp_start_options(struct tcp_socket *s)
{
    s->agreed = 0;
#if NET_WITH_TCP_WINDOW_SCALE
    s->snd_scale = s->rcv_scale = 0;
#endif
#if NET_WITH_TCP_SACK
    s->sacked_count = 0;
#endif
#if NET_WITH_TCP_TIMESTAMPS
    s->ts_recent = 0;
    s->timestamp_offset = tcp_timestamp_offset(s->net, s->local_address, s->remote_address);
#endif
}

uint8_t tcp_scale_for(uint32_t window)
{
    uint8_t scale = 0;
    while (scale < TCP_SCALE_MAX && window >> scale > UINT16_MAX) {
        scale++;
    }
    return scale;
}

unsigned tcp_options_in(const struct tcp_segment *syn)
{
    unsigned options = 0;
    options |= syn->syn.scale != TCP_SCALE_NONE ? TCP_OFFER_WINDOW_SCALE : 0;
    options |= syn->syn.timestamps ? TCP_OFFER_TIMESTAMPS : 0;
    options |= syn->syn.sack_permitted ? TCP_OFFER_SACK : 0;
    return options & KNOWN;
}

void tcp_agree(struct tcp_socket *s, const struct tcp_segment *syn)
{
    s->agreed = (uint8_t)(s->offers & tcp_options_in(syn));
#if NET_WITH_TCP_WINDOW_SCALE
    if (TCP_AGREED(s, TCP_OFFER_WINDOW_SCALE)) {
        s->snd_scale = syn->syn.scale;
        s->rcv_scale = tcp_scale_for(s->rx_size);
    }
#endif
#if NET_WITH_TCP_TIMESTAMPS
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS)) {
        s->mss = (uint16_t)(s->mss - TCP_TIMESTAMPS_OPTION); /* RFC 6691 2 */
        s->ts_recent = syn->timestamp;
        s->ts_recent_ms = s->net->now_ms;
        s->last_ack_sent = s->rcv_nxt;
    }
#endif
}

/* ---- Sending ---- */

#if NET_WITH_TCP_TIMESTAMPS
static uint8_t *put_timestamps(const struct tcp_socket *s, uint8_t *to)
{
    return tcp_put_timestamps(to, s->net->now_ms + s->timestamp_offset, s->ts_recent);
}
#else
static uint8_t *put_timestamps(const struct tcp_socket *s, uint8_t *to)
{
    (void)s;
    return to;
}
#endif

static uint8_t *put_syn_options(struct tcp_socket *s, uint8_t *to, unsigned options)
{
    to = tcp_put_mss(to, TCP_MSS);
    if (options & TCP_OFFER_SACK) {
        to = tcp_put_sack_permitted(to);
    }
    if (options & TCP_OFFER_TIMESTAMPS) {
        to = put_timestamps(s, to);
    }
    if (options & TCP_OFFER_WINDOW_SCALE) {
        to = tcp_put_scale(to, tcp_scale_for(s->rx_size));
    }
    return to;
}

#if NET_WITH_TCP_SACK
static unsigned sack_blocks(const struct tcp_socket *s)
{
    unsigned most = TCP_AGREED(s, TCP_OFFER_TIMESTAMPS) ? TCP_SACK_BLOCKS_MAX - 1 : TCP_SACK_BLOCKS_MAX;
    unsigned blocks = s->kept_count < most ? s->kept_count : most;
    return TCP_AGREED(s, TCP_OFFER_SACK) ? blocks : 0;
}

uint32_t tcp_sack_length(const struct tcp_socket *s)
{
    return s->kept_count ? 4 + 8 * sack_blocks(s) : 0;
}
#endif

size_t tcp_write_options(struct tcp_socket *s, uint8_t *header, uint8_t flags)
{
    uint8_t *end = header + TCP_HEADER;
    if (flags & TCP_SYN) {
        end = put_syn_options(s, end, s->state == TCP_SYN_SENT ? s->offers & KNOWN : s->agreed);
        return tcp_finish_options(header, end);
    }
    if (TCP_AGREED(s, TCP_OFFER_TIMESTAMPS)) {
        end = put_timestamps(s, end);
    }
#if NET_WITH_TCP_SACK
    unsigned blocks = sack_blocks(s);
    if (blocks && (flags & TCP_ACK)) {
        end = tcp_put_sack(end, s->kept, blocks); /* the latest first (RFC 2018 4) */
    }
#endif
    return tcp_finish_options(header, end);
}

/* ---- Timestamps received ---- */

#if NET_WITH_TCP_TIMESTAMPS

static bool overtaken(const struct tcp_socket *s, uint32_t timestamp)
{
    return tcp_distance(s->ts_recent, timestamp) < 0 &&
           s->net->now_ms - s->ts_recent_ms < (uint32_t)TS_RECENT_VALID_MS;
}

bool tcp_timestamp_acceptable(const struct tcp_socket *s, const struct tcp_segment *segment)
{
    if (segment->flags & TCP_RST) {
        return true;
    }
    return segment->syn.timestamps && !overtaken(s, segment->timestamp);
}

static void note(struct tcp_socket *s, uint32_t seq, uint32_t timestamp)
{
    if (tcp_distance(seq, s->last_ack_sent) >= 0) {
        s->ts_recent = timestamp;
        s->ts_recent_ms = s->net->now_ms;
    }
}

void tcp_note_timestamp(struct tcp_socket *s, const struct tcp_segment *segment)
{
    note(s, segment->seq, segment->timestamp);
}

bool tcp_predicted_timestamp(struct tcp_socket *s, const uint8_t *header)
{
    uint32_t timestamp = load_be32(header + TCP_HEADER + 4);
    if (!tcp_has_plain_timestamps(header) || overtaken(s, timestamp)) {
        return false;
    }
    note(s, s->rcv_nxt, timestamp);
    return true;
}

void tcp_take_echo(struct tcp_socket *s, const struct tcp_segment *segment)
{
    bool timed = (s->flags & TCP_RTT_TIMED) && tcp_distance(s->rtt_seq, segment->ack) >= 0;
    if (!timed) {
        return;
    }
    uint32_t sent_ms = segment->echo - s->timestamp_offset;
    bool earlier_copy = (s->flags & TCP_RTT_REPEATED) && tcp_distance(s->rtt_ms, sent_ms) < 0;
    if (earlier_copy || s->net->now_ms - sent_ms > TCP_ECHO_OLDEST_MS) {
        s->flags &= ~(uint32_t)TCP_RTT_TIMED; /* that one's acknowledgement may have been lost: Karn's rule */
    } else {
        s->rtt_ms = sent_ms;
    }
}

#endif

#endif
