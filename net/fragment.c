/*
 * Reassembly (RFC 791 3.2, 815). Two datagrams at a time, in memory of their own. A bit for each eight bytes
 * takes the place of RFC 815's list of holes: what arrives twice is seen at once. Fragments that overlap
 * others in any other way spoil their datagram, as RFC 5722 has it for IPv6.
 */
#include "net/internal.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"

#if NET_WITH_FRAGMENTS

#include <string.h>

enum {
    REASSEMBLY_MS = 60000, /* RFC 1122 3.3.2 */
    LEAVING_MS = 1000,     /* between looks whether a reply has left */
    PAYLOAD_AT = ETHERNET_HEADER + IPV4_HEADER_MAX,
};
_Static_assert(NET_FRAGMENT_BYTES % 64 == 0 && NET_FRAGMENT_BYTES <= UINT16_MAX - IPV4_HEADER_MAX,
               "a datagram's length fits its header");

enum datagram_state {
    DATAGRAM_FREE,
    DATAGRAM_FILLING,
    DATAGRAM_WHOLE,   /* being handled or read */
    DATAGRAM_LEAVING, /* frames that the device reads from it are under way */
};

struct fragment {
    const uint8_t *payload;
    uint32_t offset, length;
    bool last;
};

static void count(struct net *net)
{
    net_count_drop(net, NET_DROP_IPV4_FRAGMENT);
}

static void reclaim(struct net *net, struct net_datagram *d)
{
    if (d->state == DATAGRAM_LEAVING && net_ticket_done(net, d->ticket)) {
        d->state = DATAGRAM_FREE;
    }
}

static bool is_of(const struct net_datagram *d, const struct ipv4_packet *ip, uint16_t id)
{
    return d->state == DATAGRAM_FILLING && d->id == id && d->source == ip->source &&
           d->destination == ip->destination && d->protocol == ip->protocol;
}

/* A free place, or that of the oldest datagram unfinished: of a flood that never ends one, old parts are
 * forgotten. */
static struct net_datagram *place(struct net *net)
{
    struct net_datagram *oldest = NULL;
    for (unsigned i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        struct net_datagram *d = &net->datagrams[i];
        reclaim(net, d);
        if (d->state == DATAGRAM_FREE) {
            return d;
        }
        if (d->state == DATAGRAM_FILLING &&
            (!oldest || (int32_t)(d->deadline_ms - oldest->deadline_ms) < 0)) {
            oldest = d;
        }
    }
    if (oldest) {
        count(net);
    }
    return oldest;
}

static struct net_datagram *find_or_begin(struct net *net, const struct ipv4_packet *ip)
{
    uint16_t id = load_be16(ip->header + 4);
    for (unsigned i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        if (is_of(&net->datagrams[i], ip, id)) {
            return &net->datagrams[i];
        }
    }
    struct net_datagram *d = place(net);
    if (d) {
        memset(d, 0, offsetof(struct net_datagram, memory));
        d->state = DATAGRAM_FILLING;
        d->id = id;
        d->source = ip->source;
        d->destination = ip->destination;
        d->protocol = ip->protocol;
        d->deadline_ms = net->now_ms + REASSEMBLY_MS;
        net_timer_at(net, d->deadline_ms);
    }
    return d;
}

enum coverage { COVERS_NOTHING, COVERS_SOME, COVERS_ALL };

static enum coverage coverage(const struct net_datagram *d, const struct fragment *f)
{
    uint32_t first = f->offset / 8, end = (f->offset + f->length + 7) / 8, set = 0;
    for (uint32_t block = first; block < end; block++) {
        set += (uint32_t)d->blocks[block / 8] >> (block % 8) & 1U;
    }
    return set == 0 ? COVERS_NOTHING : set == end - first ? COVERS_ALL : COVERS_SOME;
}

static void mark(struct net_datagram *d, const struct fragment *f)
{
    uint32_t end = (f->offset + f->length + 7) / 8;
    for (uint32_t block = f->offset / 8; block < end; block++) {
        d->blocks[block / 8] |= (uint8_t)(1U << (block % 8));
    }
}

/* RFC 791: only the last may have a length that is not a multiple of eight; none reaches beyond 65535. */
static bool read(const struct ipv4_packet *ip, struct fragment *f)
{
    uint16_t field = load_be16(ip->header + IPV4_FRAGMENT_FIELD);
    f->payload = ip->payload;
    f->offset = (uint32_t)(field & IPV4_FRAGMENT_OFFSET) * 8;
    f->length = (uint32_t)ip->length;
    f->last = !(field & IPV4_MORE_FRAGMENTS);
    return f->length != 0 && (f->last || f->length % 8 == 0) && f->offset + f->length <= NET_FRAGMENT_BYTES;
}

/* Do all that tell where the datagram ends tell the same? */
static bool ends_agree(const struct net_datagram *d, const struct fragment *f)
{
    uint32_t end = f->offset + f->length;
    if (f->last) {
        return d->end <= end && (d->total == 0 || d->total == end);
    }
    return d->total == 0 || end <= d->total;
}

static bool is_repetition(const struct net_datagram *d, const struct fragment *f)
{
    return f->offset + f->length <= d->end &&
           memcmp(d->memory + PAYLOAD_AT + f->offset, f->payload, f->length) == 0;
}

static void add(struct net_datagram *d, const struct ipv4_packet *ip, const struct fragment *f)
{
    uint32_t end = f->offset + f->length;
    mark(d, f);
    memcpy(d->memory + PAYLOAD_AT + f->offset, f->payload, f->length);
    d->received = (uint16_t)(d->received + f->length);
    d->end = end > d->end ? (uint16_t)end : d->end;
    d->total = f->last ? (uint16_t)end : d->total;
    if (f->offset == 0) { /* its header is that of the datagram (RFC 791 3.2) */
        d->header_length = (uint8_t)(ip->payload - ip->header);
        size_t length = ETHERNET_HEADER + (size_t)d->header_length;
        memcpy(d->memory + PAYLOAD_AT - length, ip->header - ETHERNET_HEADER, length);
    }
}

/* What has come of it, as a packet. */
static void describe(struct net_datagram *d, struct ipv4_packet *ip)
{
    ip->header = d->memory + PAYLOAD_AT - d->header_length;
    ip->payload = d->memory + PAYLOAD_AT;
    ip->length = d->total;
    ip->source = d->source;
    ip->destination = d->destination;
    ip->protocol = d->protocol;
    ip->reassembled = true;
}

static bool checksum_right(const struct ipv4_packet *ip)
{
    if (ip->protocol != IPV4_PROTOCOL_TCP) {
        return true; /* verified where it is known how far it reaches */
    }
    return checksum_finish(ipv4_payload_sum(ip->header, ip->payload, ip->length, ip->length)) == 0;
}

static bool complete(struct net *net, struct net_datagram *d, struct ipv4_packet *ip)
{
    describe(d, ip);
    store_be16(ip->header + 2, d->header_length + (uint32_t)d->total);
    store_native16(ip->header + IPV4_FRAGMENT_FIELD, 0);
    ipv4_fill_checksum(ip->header);
    if (!checksum_right(ip)) {
        d->state = DATAGRAM_FREE;
        net_count_drop(net, NET_DROP_TCP);
        return false;
    }
    d->state = DATAGRAM_WHOLE;
    net->assembled = d;
    return true;
}

bool fragment_input(struct net *net, struct ipv4_packet *ip)
{
    struct fragment f;
    struct net_datagram *d = find_or_begin(net, ip);
    if (!d) {
        count(net);
        return false;
    }
    if (!read(ip, &f) || !ends_agree(d, &f)) {
        d->state = DATAGRAM_FREE;
        count(net);
        return false;
    }
    enum coverage covers = coverage(d, &f);
    if (covers != COVERS_NOTHING) {
        if (covers == COVERS_SOME || !is_repetition(d, &f)) {
            d->state = DATAGRAM_FREE;
        }
        count(net);
        return false;
    }
    add(d, ip, &f);
    return d->total != 0 && d->received == d->total && complete(net, d, ip);
}

void fragment_sent(struct net *net, uint32_t ticket)
{
    net->assembled->ticket = ticket;
    net->assembled->state = DATAGRAM_LEAVING;
    net->assembled->deadline_ms = net->now_ms + LEAVING_MS;
    net_timer_at(net, net->assembled->deadline_ms);
}

void fragment_release(struct net *net)
{
    if (net->assembled->state == DATAGRAM_WHOLE) {
        net->assembled->state = DATAGRAM_FREE;
    }
    net->assembled = NULL;
}

/* RFC 792: time exceeded is sent if the first fragment has come. */
static void expire(struct net *net, struct net_datagram *d)
{
    if (d->state == DATAGRAM_LEAVING) {
        reclaim(net, d);
        d->deadline_ms = net->now_ms + LEAVING_MS;
        return;
    }
    d->state = DATAGRAM_FREE;
    count(net);
    if (d->header_length != 0) {
        struct ipv4_packet ip;
        describe(d, &ip);
        ip.length = d->end;
        icmp_answer(net, &ip, ICMP_TIME_EXCEEDED, ICMP_CODE_REASSEMBLY);
    }
}

void fragment_timers(struct net *net)
{
    for (unsigned i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        struct net_datagram *d = &net->datagrams[i];
        bool timed = d->state == DATAGRAM_FILLING || d->state == DATAGRAM_LEAVING;
        if (timed && net_due(net, d->deadline_ms)) {
            expire(net, d);
        }
        if (d->state == DATAGRAM_FILLING || d->state == DATAGRAM_LEAVING) {
            net_timer_at(net, d->deadline_ms);
        }
    }
}

void fragment_forget(struct net *net)
{
    for (unsigned i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        struct net_datagram *d = &net->datagrams[i];
        d->state = d->state == DATAGRAM_FILLING ? DATAGRAM_FREE : d->state;
    }
}

/* One frame of it: `head` bytes of the head, and `length` of the tail at `tail`. */
static uint32_t send_piece(struct net *net, const struct ipv4_large *large, uint8_t *frame,
                           uint32_t id_and_fragment, size_t head, const uint8_t *tail, size_t length)
{
    uint8_t *header = frame + ETHERNET_HEADER;
    ethernet_build(frame, large->mac, net->mac, ETHERNET_TYPE_IPV4);
    uint32_t source = large->source ? large->source : net_source(net, large->destination);
    ipv4_build(header, source, large->destination, large->protocol, IPV4_HEADER + head + length, 0);
    store_be32(header + 4, id_and_fragment);
    header[1] = large->tos;
    header[8] = large->ttl;
    memcpy(header + IPV4_HEADER, large->head, head);
    if (!net_offloads(net, NET_DEVICE_CHECKSUM_TX)) {
        ipv4_fill_checksum(header);
    }
    return net_send(net, ETHERNET_HEADER + IPV4_HEADER + head, tail, length);
}

int ipv4_output_large(struct net *net, const struct ipv4_large *large, uint32_t *ticket)
{
    const size_t piece = ETHERNET_MTU - IPV4_HEADER; /* a multiple of eight */
    size_t total = IPV4_LARGE_HEAD + large->tail_length;
    uint32_t id = (uint32_t)ipv4_identification(net, large->destination) << 16;
    for (size_t offset = 0; offset < total;) {
        uint8_t *frame = net_reserve(net);
        if (!frame) {
            return NET_ERROR_BUSY;
        }
        size_t length = total - offset < piece ? total - offset : piece;
        size_t head = offset == 0 ? IPV4_LARGE_HEAD : 0;
        uint32_t more = offset + length < total ? IPV4_MORE_FRAGMENTS : 0;
        const uint8_t *tail = large->tail + (offset == 0 ? 0 : offset - IPV4_LARGE_HEAD);
        *ticket =
            send_piece(net, large, frame, id | more | (uint32_t)(offset / 8), head, tail, length - head);
        offset += length;
    }
    return NET_OK;
}
_Static_assert((ETHERNET_MTU - IPV4_HEADER) % 8 == 0, "fragments end at multiples of eight");

#endif
