/* What ICMP errors do to connections (RFC 1122 4.2.3.9, RFC 1191, RFC 5927). */
#include "net/internal.h"
#include "net/wire/icmp.h"

#if NET_WITH_ICMP_ERRORS

enum {
    /* Whoever forges a smaller MTU than this only makes us allow fragmentation (RFC 5927 7.2). */
    LEAST_MSS = TCP_MSS_DEFAULT,
    TIMEOUTS_OF_A_BLACK_HOLE = 3, /* of one segment */
};

uint32_t tcp_plateau_below(uint32_t present)
{
    static const uint16_t plateaus[] = {1492, 1006};
    for (unsigned i = 0; i < sizeof plateaus / sizeof *plateaus; i++) {
        if (plateaus[i] < present) {
            return plateaus[i];
        }
    }
    return 0;
}

/*
 * Send again, in smaller segments, what is on its way; the loss says nothing of congestion. Paths narrower
 * than all that RFC 1191 knows to be in use may fragment.
 */
static void shrink_segments(struct tcp_socket *s, uint32_t mtu)
{
    uint32_t overhead = tcp_overhead(s), mss = mtu > overhead ? mtu - overhead : 0;
    uint8_t *flags = tcp_fragment_flags(s);
    bool changed = mss < LEAST_MSS && *flags != 0;
    if (mss < LEAST_MSS) {
        mss = LEAST_MSS;
        *flags = 0;
    }
    if (mss < s->mss) {
        s->mss = (uint16_t)mss;
        changed = true;
    }
    if (changed) {
        tcp_send_again(s);
        s->flags |= TCP_ATTENTION;
        if (NET_WITH_TCP_PROBING) {
            tcp_probe_later(s);
        }
    }
}

/* Routers that drop what is too long and do not tell (RFC 2923 2.1): what is short is lost for other reasons.
 */
void tcp_suspect_black_hole(struct tcp_socket *s)
{
    bool is_long = tcp_least(s->snd_max - s->snd_una, s->mss) > LEAST_MSS;
    if (is_long && s->timeouts < TIMEOUTS_OF_A_BLACK_HOLE && ++s->timeouts == TIMEOUTS_OF_A_BLACK_HOLE) {
        shrink_segments(s, 0);
    }
}

/* A router that had to fragment saw more than the MTU that it tells; anything else is forged (RFC 5927 7.2).
 */
static void fragmentation_needed(struct tcp_socket *s, const struct icmp_error *error)
{
    if (NET_WITH_TCP_PROBING && tcp_probe_rejected(s, error->seq)) {
        return;
    }
    uint32_t present = s->mss + tcp_overhead(s), mtu = error->mtu ? error->mtu : tcp_plateau_below(present);
    if (mtu < present) {
        shrink_segments(s, mtu);
    }
}

static bool in_flight(const struct tcp_socket *s, uint32_t seq)
{
    return seq - s->snd_una < s->snd_max - s->snd_una;
}

static bool is_about(const struct tcp_socket *s, const struct icmp_error *error)
{
    uint32_t ports =
        (uint32_t)__builtin_bswap16(error->source_port) << 16 | __builtin_bswap16(error->destination_port);
    return s->ports == ports && s->remote_address == error->destination &&
           s->local_address == error->source && s->state != TCP_CLOSED && in_flight(s, error->seq);
}

/* The host there says so, not the way to it (RFC 1122 4.2.3.9). */
static bool is_hard(const struct icmp_error *error)
{
    return error->type == ICMP_UNREACHABLE &&
           (error->code == ICMP_CODE_PROTOCOL || error->code == ICMP_CODE_PORT);
}

/*
 * While connecting, waiting helps nobody (RFC 5461 4.1). What is established ends by a hard error; who forges
 * one has to know the ports and hit what is in flight, which of an idle connection is nothing (RFC 5927 4.1).
 * Soft errors are remembered as the reason in case the user timeout ends it.
 */
static void unreachable(struct tcp_socket *s, const struct icmp_error *error)
{
    if (s->state == TCP_SYN_SENT || s->state == TCP_SYN_RECEIVED) {
        tcp_finish(s, NET_ERROR_UNREACHABLE);
    } else if (is_hard(error)) {
        tcp_give_up(s, NET_ERROR_NO_SERVICE);
    } else {
        s->soft_error = NET_ERROR_UNREACHABLE;
    }
}

void tcp_icmp_error(struct net *net, const struct icmp_error *error)
{
    struct tcp_socket *s = net->tcp_sockets;
    while (s && !is_about(s, error)) {
        s = s->next;
    }
    if (!s) {
        return;
    }
    if (error->type == ICMP_UNREACHABLE && error->code == ICMP_CODE_FRAGMENTATION) {
        fragmentation_needed(s, error);
    } else {
        unreachable(s, error);
    }
}

#endif
