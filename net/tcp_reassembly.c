/*
 * Data that overtook others: kept in the receive buffer where they belong, behind the unread bytes and
 * the hole, so that nothing moves when the hole is filled.
 */
#include "net/internal.h"

#include <string.h>

#if NET_WITH_TCP_REASSEMBLY

uint32_t tcp_kept_reach(const struct tcp_socket *s)
{
    uint32_t reach = 0;
    for (unsigned i = 0; i < s->kept_count; i++) {
        uint32_t end = s->kept[i].end - s->rcv_nxt;
        reach = end > reach ? end : reach;
    }
    return reach;
}

static void forget(struct tcp_socket *s, unsigned i)
{
    s->kept_count--;
    memmove(s->kept + i, s->kept + i + 1, (s->kept_count - i) * sizeof *s->kept);
}

/* The range and all that it overlaps or touches, which are taken out. They do not touch each other. */
static struct tcp_range merge(struct tcp_socket *s, struct tcp_range range)
{
    struct tcp_range all = range;
    for (unsigned i = s->kept_count; i-- > 0;) {
        struct tcp_range kept = s->kept[i];
        if (tcp_distance(kept.end, range.start) > 0 || tcp_distance(range.end, kept.start) > 0) {
            continue;
        }
        all.start = tcp_distance(all.start, kept.start) < 0 ? kept.start : all.start;
        all.end = tcp_distance(all.end, kept.end) > 0 ? kept.end : all.end;
        forget(s, i);
    }
    return all;
}

/* Where in the receive buffer `seq` belongs; all up to `end` must fit behind it. */
static uint8_t *place(struct tcp_socket *s, uint32_t seq, uint32_t end)
{
    size_t start = s->unread_length | s->kept_count ? (size_t)(s->unread - s->rx) : 0;
    s->unread = s->rx + start;
    if (start + s->unread_length + (end - s->rcv_nxt) > s->rx_size) {
        tcp_settle(s);
        start = 0;
    }
    return s->rx + start + s->unread_length + (seq - s->rcv_nxt);
}

/* The FIN, if nothing before it is cut off. */
static bool keep_fin(struct tcp_socket *s, const struct tcp_segment *segment, uint32_t kept_length)
{
    if (!(segment->flags & TCP_FIN) || kept_length != segment->length) {
        return false;
    }
    s->kept_fin = segment->seq + segment->length;
    s->flags |= TCP_FIN_KEPT;
    return true;
}

bool tcp_keep(struct tcp_socket *s, const struct tcp_segment *segment)
{
    uint32_t length = tcp_least(segment->length, s->rcv_adv - segment->seq);
    struct tcp_range range = {segment->seq, segment->seq + length};
    bool fin = keep_fin(s, segment, length);
    if (length == 0) {
        return fin;
    }
    uint8_t *to = place(s, range.start, range.end);
    struct tcp_range all = merge(s, range);
    if (s->kept_count == TCP_RANGES) {
        return false; /* merged with none */
    }
    memcpy(to, segment->payload, length);
    memmove(s->kept + 1, s->kept, s->kept_count * sizeof *s->kept);
    s->kept[0] = all;
    s->kept_count++;
    return true;
}

void tcp_join_kept(struct tcp_socket *s)
{
    for (unsigned i = s->kept_count; i-- > 0;) {
        struct tcp_range kept = s->kept[i];
        if (tcp_distance(s->rcv_nxt, kept.start) > 0) {
            continue;
        }
        if (tcp_distance(s->rcv_nxt, kept.end) > 0) {
            s->unread_length += kept.end - s->rcv_nxt;
            s->rcv_nxt = kept.end;
        }
        forget(s, i);
    }
}

#endif
