/*
 * The way back to larger segments (RFC 4821) after a path has turned out to be narrow: ten minutes later, one
 * segment of new data is sent in the size that the handshake allows. Its acknowledgement makes that the size
 * of all; if it is lost, the next plateau of RFC 1191 is tried, until none is left for another ten minutes.
 */
#include "net/internal.h"

#if NET_WITH_TCP_PROBING

enum {
    QUIET_MS = 600000, /* RFC 1191 6.3 */
    FOLLOWERS = 3,     /* segments behind it, whose duplicate ACKs tell its loss (RFC 4821 7.4) */
};

void tcp_probe_later(struct tcp_socket *s)
{
    s->probe_size = 0;
    s->probe_next = s->mss_agreed;
    s->probed_ms = s->net->now_ms;
}

static void too_large(struct tcp_socket *s)
{
    uint32_t overhead = tcp_overhead(s), mtu = tcp_plateau_below(s->probe_size + overhead);
    s->probe_size = 0;
    if (mtu > s->mss + overhead) {
        s->probe_next = (uint16_t)(mtu - overhead);
    } else {
        tcp_probe_later(s);
    }
}

uint32_t tcp_probe_due(const struct tcp_socket *s, uint32_t offset)
{
    bool due = s->mss < s->mss_agreed && s->probe_size == 0 && s->net->now_ms - s->probed_ms >= QUIET_MS;
    /* Nothing is sent for the second time, so that duplicate ACKs will count. */
    bool all_new = s->recover - s->snd_una > s->snd_max - s->snd_una;
    bool calm = all_new && s->duplicate_acks == 0 && tcp_sack_length(s) == 0;
    uint32_t needed = offset + s->probe_next + FOLLOWERS * s->mss;
    bool enough = needed <= s->tx_used && needed <= s->snd_wnd && needed <= s->cwnd;
    return due && calm && enough ? s->probe_next : 0;
}

void tcp_probe_sent(struct tcp_socket *s, uint32_t seq)
{
    s->probe_size = s->probe_next;
    s->probe_seq = seq;
}

void tcp_probe_acknowledged(struct tcp_socket *s)
{
    if (tcp_distance(s->probe_seq + s->probe_size, s->snd_una) >= 0) {
        s->mss = s->probe_size;
        *tcp_fragment_flags(s) = IPV4_DO_NOT_FRAGMENT >> 8;
        tcp_probe_later(s);
    }
}

void tcp_probe_sent_again(struct tcp_socket *s)
{
    if (s->probe_size != 0 && s->snd_una == s->probe_seq) {
        too_large(s); /* RFC 4821 7.6.3 */
    }
    s->probe_size = 0; /* else 7.6.4 */
}

/* All that was sent behind it has come. */
static bool only_probe_is_lost(const struct tcp_socket *s)
{
#if NET_WITH_TCP_SACK
    if (TCP_AGREED(s, TCP_OFFER_SACK) &&
        (s->sacked_count != 1 || s->sacked[0].start != s->probe_seq + s->probe_size)) {
        return false;
    }
#endif
    return s->snd_una == s->probe_seq;
}

bool tcp_probe_lost(struct tcp_socket *s)
{
    if (s->probe_size == 0 || !only_probe_is_lost(s)) {
        s->probe_size = 0; /* RFC 4821 7.6.4: it says nothing beside other losses */
        return false;
    }
    too_large(s);
    if (TCP_AGREED(s, TCP_OFFER_SACK)) {
        tcp_recover(s);
    } else {
        tcp_send_again(s); /* recovery would cost NewReno a part of its window in the end */
    }
    return true;
}

bool tcp_probe_rejected(struct tcp_socket *s, uint32_t seq)
{
    if (s->probe_size == 0 || seq != s->probe_seq) {
        return false;
    }
    too_large(s);
    tcp_send_again(s);
    s->flags |= TCP_ATTENTION;
    return true;
}

#endif
