#include "net/internal.h"

static uint32_t sooner(uint32_t a_ms, uint32_t b_ms)
{
    return (int32_t)(a_ms - b_ms) < 0 ? a_ms : b_ms;
}

void tcp_at_most(struct tcp_socket *s, uint32_t deadline_ms)
{
    s->deadline_ms = sooner(deadline_ms, s->deadline_ms);
}

static bool synchronized(const struct tcp_socket *s)
{
    return s->state >= TCP_ESTABLISHED;
}

/* Something of ours is yet to be acknowledged. */
static bool has_work(const struct tcp_socket *s)
{
    return s->tx_used != 0 ||
           (tcp_is_open(s) && (s->snd_max != s->snd_una || (s->flags & TCP_FIN_QUEUED) || !synchronized(s)));
}

/*
 * When our patience with the peer ends: the user timeout while it owes us an
 * acknowledgement, else FIN-WAIT-2, TIME-WAIT or keep-alive.
 */
static uint32_t patience_ends_ms(const struct tcp_socket *s)
{
    if (has_work(s)) {
        return s->progress_ms + s->user_timeout_ms;
    }
    if (NET_WITH_TCP_HALF_CLOSE && s->state == TCP_FIN_WAIT_2) {
        return s->received_ms + s->user_timeout_ms;
    }
    if (s->state == TCP_TIME_WAIT || s->state == TCP_FIN_WAIT_2) {
        _Static_assert((int)TCP_TIME_WAIT_MS == (int)TCP_FIN_WAIT_2_MS, "both wait as long");
        return s->received_ms + TCP_TIME_WAIT_MS;
    }
    if (s->keep_alive_ms != 0 && tcp_is_open(s)) {
        return s->received_ms + s->keep_alive_ms + s->keep_alive_probes * (s->keep_alive_ms / 4);
    }
    return s->net->now_ms + NET_FAR_MS;
}

/* It has ended. False: so has the connection. */
static bool out_of_patience(struct tcp_socket *s)
{
    if (s->state == TCP_TIME_WAIT) {
        tcp_finish(s, NET_OK);
        return false;
    }
    if (has_work(s) || s->state == TCP_FIN_WAIT_2 || s->keep_alive_probes == TCP_KEEP_ALIVE_PROBES) {
#if NET_WITH_ICMP_ERRORS
        if (s->soft_error) {
            tcp_give_up(s, s->soft_error);
            return false;
        }
#endif
        tcp_give_up(s, NET_ERROR_TIMEOUT);
        return false;
    }
    /* The next one a quarter from now, however late this one is; what nobody can have heard does not count.
     */
    uint32_t quarter_ms = s->keep_alive_ms / 4;
    s->keep_alive_probes = (uint8_t)(s->keep_alive_probes + s->net->link_up);
    s->received_ms = s->net->now_ms + quarter_ms - s->keep_alive_ms - s->keep_alive_probes * quarter_ms;
    /* RFC 9293 3.8.4: an empty segment before the window, which must be answered */
    tcp_send_bare(s, s->snd_una - 1, TCP_ACK);
    return true;
}

void tcp_send_again(struct tcp_socket *s)
{
    s->snd_nxt = s->snd_una;
    s->flags &=
        ~(uint32_t)(TCP_RTT_TIMED | TCP_RECOVERY | TCP_MISSING); /* Karn: what is sent twice is not timed */
    s->recover = s->snd_max; /* RFC 6582 4: what comes back of it is no sign of a further loss */
    s->duplicate_acks = 0;
    if (NET_WITH_TCP_PROBING) {
        tcp_probe_sent_again(s);
    }
#if NET_WITH_TCP_SACK
    s->sacked_count = 0; /* RFC 2018 8: the peer may have thrown away what it kept */
#endif
}

/* What goes out by the timer is a byte into a closed window. */
static bool is_probing(const struct tcp_socket *s)
{
    return synchronized(s) && (s->snd_wnd == 0 || s->snd_max == s->snd_una);
}

static void go_back(struct tcp_socket *s)
{
    s->flags &= ~(uint32_t)TCP_RTX_ARMED;
    s->flags |= TCP_FORCE; /* whatever the window, lest a shrunk one hold the segment back for ever */
    tcp_send_again(s);
}

void tcp_link(struct tcp_socket *s)
{
    if (s->flags & TCP_RTX_ARMED) {
        s->cwnd = tcp_least(s->cwnd, TCP_INITIAL_SEGMENTS * (uint32_t)s->mss); /* it may lead elsewhere now */
        go_back(s); /* which is no expiry: neither back-off nor count */
        if (is_probing(s) && s->probe_shift == 0) {
            s->probe_shift = 1; /* what goes out is a probe, and may not be taken */
        }
    }
    s->deadline_ms = s->net->now_ms;
}

/* RFC 6298 5.4 to 5.7, RFC 5681 3.1; with a closed window, RFC 9293 3.8.6.1. */
static void retransmission_timeout(struct tcp_socket *s)
{
    if (s->flags & TCP_MISSING) {
        tcp_arm(s);
        tcp_retransmit_first(s);
        return;
    }
    go_back(s);
    if (is_probing(s)) {
        s->probe_shift = (uint8_t)(s->probe_shift + (s->probe_shift < 6));
        return;
    }
#if NET_WITH_ICMP_ERRORS
    tcp_suspect_black_hole(s);
#endif
    tcp_lower_threshold(s);
    s->cwnd = s->mss;
    s->rto_ms = tcp_least(s->rto_ms * 2, TCP_RTO_MAX_MS);
    if (!synchronized(s)) {
        s->flags |= TCP_SYN_REPEATED;
    }
}

/* False: the connection has ended. */
static bool run_timers(struct tcp_socket *s)
{
    struct net *net = s->net;
    if (net_due(net, patience_ends_ms(s)) && !out_of_patience(s)) {
        return false;
    }
    if ((s->flags & TCP_RTX_ARMED) && net_due(net, s->rtx_ms)) {
        retransmission_timeout(s);
    }
    if ((s->flags & TCP_ACK_DELAYED) && net_due(net, s->ack_ms)) {
        /* No timer any more: if it cannot go out now, it waits for what lets it. */
        s->flags = (s->flags | TCP_ACK_NOW) & ~(uint32_t)TCP_ACK_DELAYED;
    }
    return true;
}

static void schedule(struct tcp_socket *s)
{
    uint32_t now = s->net->now_ms, deadline_ms = patience_ends_ms(s);
    if (s->flags & TCP_RTX_ARMED) {
        deadline_ms = sooner(deadline_ms, s->rtx_ms);
    }
    if (s->flags & TCP_ACK_DELAYED) {
        deadline_ms = sooner(deadline_ms, s->ack_ms);
    }
    if ((s->flags & TCP_WAITS_ROOM) || s->tx_held) {
        deadline_ms = sooner(deadline_ms, now + 1);
    }
    if (s->flags & TCP_WAITS_NEIGHBOUR) {
        deadline_ms = sooner(deadline_ms, now + 1000);
    }
    s->deadline_ms = deadline_ms;
}

/* Out of line, so that those who look whether there is something to do save no registers for it. */
__attribute__((noinline)) void tcp_service(struct tcp_socket *s)
{
    if (s->flags & TCP_BEGINS) {
        s->progress_ms = s->net->now_ms;
    }
    s->flags &= ~(uint32_t)(TCP_ATTENTION | TCP_WAITS_ROOM | TCP_WAITS_NEIGHBOUR | TCP_BEGINS);
    tcp_settle_held(s);
    if (tcp_is_open(s) && (!net_due(s->net, s->deadline_ms) || run_timers(s))) {
        tcp_output(s);
    }
    schedule(s);
}
