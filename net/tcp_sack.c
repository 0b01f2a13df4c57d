/* What the peer has told to keep out of order, and what follows for sending (RFC 2018, RFC 6675). */
#include "net/internal.h"

#include <string.h>

#if NET_WITH_TCP_SACK

enum { DUPLICATES = 3 }; /* RFC 6675's DupThresh */

static void replace(struct tcp_socket *s, unsigned at, unsigned count, struct tcp_range by)
{
    memmove(s->sacked + at + 1, s->sacked + at + count, (s->sacked_count - at - count) * sizeof *s->sacked);
    s->sacked[at] = by;
    s->sacked_count = (uint8_t)(s->sacked_count + 1 - count);
}

/* True: something of it is new. If too many ranges are known, another is not. */
static bool note(struct tcp_socket *s, struct tcp_range range)
{
    unsigned first = 0;
    while (first < s->sacked_count && tcp_distance(s->sacked[first].end, range.start) > 0) {
        first++;
    }
    unsigned next = first;
    while (next < s->sacked_count && tcp_distance(s->sacked[next].start, range.end) >= 0) {
        next++;
    }
    if (next == first) {
        if (s->sacked_count < TCP_RANGES) {
            replace(s, first, 0, range);
            return true;
        }
        return false;
    }
    struct tcp_range all = {s->sacked[first].start, s->sacked[next - 1].end};
    if (next == first + 1 && tcp_distance(all.start, range.start) >= 0 &&
        tcp_distance(range.end, all.end) >= 0) {
        return false;
    }
    all.start = tcp_distance(range.start, all.start) > 0 ? range.start : all.start;
    all.end = tcp_distance(all.end, range.end) > 0 ? range.end : all.end;
    replace(s, first, next - first, all);
    return true;
}

bool tcp_sack_received(struct tcp_socket *s, const struct tcp_segment *segment)
{
    bool news = false;
    for (unsigned i = 0; i < segment->sack_blocks; i++) {
        struct tcp_range block = {load_be32(segment->sack + 8 * i), load_be32(segment->sack + 8 * i + 4)};
        bool possible = tcp_distance(segment->ack, block.start) > 0 &&
                        tcp_distance(block.start, block.end) > 0 &&
                        tcp_distance(block.end, s->snd_max) >= 0 && tcp_distance(block.start, s->snd_max) > 0;
        news |= possible && note(s, block);
    }
    return news;
}

void tcp_sack_forget(struct tcp_socket *s)
{
    unsigned gone = 0;
    while (gone < s->sacked_count && tcp_distance(s->snd_una, s->sacked[gone].start) <= 0) {
        gone++;
    }
    s->sacked_count = (uint8_t)(s->sacked_count - gone);
    memmove(s->sacked, s->sacked + gone, s->sacked_count * sizeof *s->sacked);
    s->high_rxt = tcp_distance(s->high_rxt, s->snd_una) > 0 ? s->snd_una : s->high_rxt;
}

uint32_t tcp_sacked_below(const struct tcp_socket *s, uint32_t seq)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < s->sacked_count && tcp_distance(s->sacked[i].end, seq) >= 0; i++) {
        bytes += s->sacked[i].end - s->sacked[i].start;
    }
    return bytes;
}

uint32_t tcp_sack_skip(const struct tcp_socket *s, uint32_t seq)
{
    for (unsigned i = 0; i < s->sacked_count; i++) {
        const struct tcp_range *sacked = &s->sacked[i];
        if (tcp_distance(sacked->start, seq) >= 0 && tcp_distance(seq, sacked->end) > 0) {
            return sacked->end;
        }
    }
    return seq;
}

uint32_t tcp_sack_gap(const struct tcp_socket *s, uint32_t seq)
{
    for (unsigned i = 0; i < s->sacked_count; i++) {
        if (tcp_distance(seq, s->sacked[i].start) > 0) {
            return s->sacked[i].start - seq;
        }
    }
    return UINT32_MAX;
}

/* ---- Recovery: the holes between the ranges, the first of which begins with snd_una ---- */

struct hole {
    uint32_t start, end;
    bool lost; /* RFC 6675 4: IsLost, which is the same for all of a hole */
};

/* Hole number `i` below a known range; `above` is what is kept above it, for the first one of all. */
static struct hole hole_below(const struct tcp_socket *s, unsigned i, uint32_t above)
{
    struct hole hole = {i ? s->sacked[i - 1].end : s->snd_una, s->sacked[i].start, false};
    hole.lost = s->sacked_count - i >= DUPLICATES || above > (DUPLICATES - 1U) * s->mss;
    return hole;
}

bool tcp_first_is_lost(const struct tcp_socket *s)
{
    return s->sacked_count != 0 && hole_below(s, 0, tcp_sacked_below(s, s->snd_max)).lost;
}

/* What of the hole has not been sent again in this recovery begins there. */
static uint32_t not_repeated(const struct tcp_socket *s, const struct hole *hole)
{
    if (tcp_distance(hole->start, s->high_rxt) <= 0) {
        return hole->start;
    }
    return tcp_distance(s->high_rxt, hole->end) > 0 ? s->high_rxt : hole->end;
}

/* RFC 6675 4, SetPipe: of a lost hole what was sent again, (b); of another one that as well as all of it,
 * (a). */
uint32_t tcp_pipe(const struct tcp_socket *s)
{
    uint32_t above = tcp_sacked_below(s, s->snd_max);
    uint32_t pipe = s->snd_max - s->snd_una - above;
    for (unsigned i = 0; i < s->sacked_count; i++) {
        struct hole hole = hole_below(s, i, above);
        uint32_t repeated = not_repeated(s, &hole);
        pipe += hole.lost ? repeated - hole.end : repeated - hole.start;
        above -= s->sacked[i].end - s->sacked[i].start;
    }
    return pipe;
}

bool tcp_next_hole(const struct tcp_socket *s, bool lost, uint32_t *seq)
{
    uint32_t above = tcp_sacked_below(s, s->snd_max);
    for (unsigned i = 0; i < s->sacked_count; i++) {
        struct hole hole = hole_below(s, i, above);
        *seq = not_repeated(s, &hole);
        if (tcp_distance(*seq, hole.end) > 0) {
            return hole.lost || !lost;
        }
        above -= s->sacked[i].end - s->sacked[i].start;
    }
    return false;
}

#endif
