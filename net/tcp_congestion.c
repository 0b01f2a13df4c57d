/* Congestion control and recovery from losses (RFC 5681, 6582, 6675, 6928, 9438). */
#include "net/internal.h"

enum { CWND_MAX = NET_WITH_TCP_WINDOW_SCALE ? 1 << 29 : UINT16_MAX }; /* no window is larger */

#if NET_WITH_TCP_CONGESTION
void tcp_set_congestion_control(struct tcp_socket *s, enum tcp_congestion_control which)
{
    s->congestion_control = (uint8_t)which;
    s->cubic.begun = false;
}
#endif

void tcp_begin_congestion_control(struct tcp_socket *s)
{
    s->cwnd =
        s->flags & TCP_SYN_REPEATED ? s->mss : TCP_INITIAL_SEGMENTS * s->mss; /* RFC 6928 2, RFC 5681 3.1 */
#if NET_WITH_TCP_CONGESTION
    s->cubic = (struct tcp_cubic){.begun = false};
    s->rest_ms = s->net->now_ms;
#endif
}

void tcp_lower_threshold(struct tcp_socket *s)
{
    uint32_t flight = s->snd_max - s->snd_una, least_threshold = 2U * s->mss;
    uint32_t threshold = flight / 2;
#if NET_WITH_TCP_CONGESTION
    if (s->congestion_control == TCP_CUBIC) {
        threshold = tcp_cubic_lost(s, flight);
    }
#endif
    s->ssthresh = threshold > least_threshold ? threshold : least_threshold;
}

/* RFC 5681 3.1: slow start, then congestion avoidance. */
static void grow_congestion_window(struct tcp_socket *s, uint32_t acked)
{
    if (s->cwnd < s->ssthresh) {
        s->cwnd += acked < s->mss ? acked : s->mss;
#if NET_WITH_TCP_CONGESTION
    } else if (s->congestion_control == TCP_CUBIC) {
        tcp_cubic_acked(s, acked);
#endif
    } else {
        uint32_t step = (uint32_t)s->mss * s->mss / s->cwnd;
        s->cwnd += step ? step : 1;
    }
    if (s->cwnd > CWND_MAX) {
        s->cwnd = CWND_MAX;
    }
}

#if NET_WITH_TCP_CONGESTION

/* A window that the application does not fill says nothing of the path (RFC 9438 5.8, RFC 7661 4). */
static bool window_is_used(const struct tcp_socket *s, uint32_t acked)
{
    return (s->snd_max - s->snd_una + acked) * 2 >= s->cwnd;
}

void tcp_restart_after_idleness(struct tcp_socket *s)
{
    if (s->net->now_ms - s->rest_ms > s->rto_ms) {
        s->cwnd = tcp_least(s->cwnd, TCP_INITIAL_SEGMENTS * s->mss);
        s->cubic.begun = false;
    }
}

/* RFC 6582 3.2, full and partial acknowledgement; all sums are of a window that duplicates have inflated. */
static void deflate(struct tcp_socket *s, uint32_t acked, bool full)
{
    uint32_t flight = s->snd_max - s->snd_una;
    if (full) {
        s->cwnd = tcp_least(s->ssthresh, (flight > s->mss ? flight : s->mss) + s->mss);
    } else {
        s->cwnd -= tcp_least(acked, s->cwnd - s->mss);
        s->cwnd += acked >= s->mss ? s->mss : 0;
    }
}

#endif

/* The peer still misses something of the window in which the loss was. */
static void partial_ack(struct tcp_socket *s)
{
#if NET_WITH_TCP_SACK
    if (s->sacked_count != 0) {
        return; /* tcp_output knows which */
    }
#endif
    tcp_retransmit_first(s);
}

void tcp_forward_ack(struct tcp_socket *s, uint32_t ack, uint32_t acked)
{
    if (!(s->flags & TCP_RECOVERY)) {
#if NET_WITH_TCP_CONGESTION
        if (!window_is_used(s, acked)) {
            return;
        }
#endif
        grow_congestion_window(s, acked);
        return;
    }
    bool full = tcp_distance(s->recover, ack) >= 0;
#if NET_WITH_TCP_CONGESTION
    if (!TCP_AGREED(s, TCP_OFFER_SACK)) {
        deflate(s, acked, full);
    }
#endif
    if (full) {
        s->flags &= ~(uint32_t)(TCP_RECOVERY | TCP_MISSING);
    } else {
        partial_ack(s);
    }
}

/* Is what the peer misses sure to be lost, not only late? */
static bool loss_is_sure(const struct tcp_socket *s)
{
#if NET_WITH_TCP_SACK
    if (TCP_AGREED(s, TCP_OFFER_SACK)) {
        return s->duplicate_acks >= 3 || tcp_first_is_lost(s);
    }
#endif
    return s->duplicate_acks == 3;
}

/*
 * Duplicates that may be of what a timeout or an earlier recovery has sent twice are no sign of a loss, until
 * more than that is acknowledged (RFC 6582 3.2 step 1); with SACK, until all of it is (RFC 6675 5.1).
 */
static bool may_recover(const struct tcp_socket *s)
{
    /* `recover` was once snd_max: outside of what is in flight, it is acknowledged, however long since. */
    uint32_t ahead = s->recover - s->snd_una;
    return ahead > s->snd_max - s->snd_una || (TCP_AGREED(s, TCP_OFFER_SACK) && ahead == 0);
}

void tcp_recover(struct tcp_socket *s)
{
    s->recover = s->snd_max;
    s->flags |= TCP_RECOVERY | TCP_ATTENTION;
#if NET_WITH_TCP_SACK
    if (TCP_AGREED(s, TCP_OFFER_SACK)) {
        s->snd_nxt = s->snd_max;
        s->high_rxt = s->snd_una;
        s->flags &= ~(uint32_t)TCP_RESCUED;
    }
#endif
    tcp_retransmit_first(s);
}

static void enter_recovery(struct tcp_socket *s)
{
    tcp_lower_threshold(s);
    s->cwnd = s->ssthresh;
#if NET_WITH_TCP_CONGESTION
    s->cwnd += TCP_AGREED(s, TCP_OFFER_SACK) ? 0 : 3U * s->mss;
#endif
    tcp_recover(s);
}

void tcp_duplicate_ack(struct tcp_socket *s)
{
    if (NET_WITH_TCP_CONGESTION || NET_WITH_TCP_SACK) {
        s->flags |= TCP_ATTENTION; /* one segment has left the network: another may enter (RFC 3042) */
    }
    if (s->flags & TCP_RECOVERY) {
        if (NET_WITH_TCP_CONGESTION && !TCP_AGREED(s, TCP_OFFER_SACK)) {
            s->cwnd = tcp_least(s->cwnd + s->mss, CWND_MAX); /* RFC 6582 3.2 step 4 */
        }
        return;
    }
    s->duplicate_acks++;
    if (loss_is_sure(s) && may_recover(s) && !(NET_WITH_TCP_PROBING && tcp_probe_lost(s))) {
        enter_recovery(s);
    }
}
