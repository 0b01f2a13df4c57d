#include "net/ping.h"
#include "net/internal.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"

#if NET_WITH_PING

#include <string.h>

enum {
    HEADERS = ETHERNET_HEADER + IPV4_HEADER + ICMP_HEADER,
    HEAD_ROOM = NET_DEVICE_HEADER_MAX - HEADERS,
    ONE_FRAME = ETHERNET_MTU - IPV4_HEADER - ICMP_HEADER,
#if NET_WITH_FRAGMENTS
    DATA_MAX = NET_FRAGMENT_BYTES - ICMP_HEADER,
#else
    DATA_MAX = ONE_FRAME,
#endif
};

static struct ping *find(const struct net *net, uint16_t id)
{
    struct ping *p = net->pings;
    while (p && p->id != id) {
        p = p->next;
    }
    return p;
}

/* Where in the list it is, or else the end, where it can be put. */
static struct ping **link_of(struct net *net, const struct ping *p)
{
    struct ping **link = &net->pings;
    while (*link && *link != p) {
        link = &(*link)->next;
    }
    return link;
}

void ping_open(struct ping *p, struct net *net)
{
    uint16_t id;
    do { /* ends soon: few ids are taken */
        id = (uint16_t)net_random(net);
    } while (find(net, id));
    struct ping **link = link_of(net, p);
    *p = (struct ping){.net = net, .next = *link ? p->next : NULL, .id = id, .ttl = IPV4_TTL};
    p->ticket = net->device->sent(net->device->context);
    *link = p;
}

void ping_close(struct ping *p)
{
    struct ping **link = link_of(p->net, p);
    if (*link) {
        *link = p->next;
    }
}

void ping_set_ttl(struct ping *p, uint8_t ttl)
{
    p->ttl = ttl;
}

int ping_bind(struct ping *p, uint32_t address)
{
    if (address != 0 && !ipv4_is_host(address)) {
        return NET_ERROR_ARGUMENT;
    }
    p->local_address = address;
    return NET_OK;
}

bool ping_busy(const struct ping *p)
{
    return !net_ticket_done(p->net, p->ticket);
}

static void build_head(const struct ping *p, uint16_t seq, uint8_t head[ICMP_HEADER])
{
    store_be32(head, (uint32_t)ICMP_ECHO << 24);
    store_be32(head + 4, (uint32_t)p->id << 16 | seq);
}

static int send_small(struct ping *p, const uint8_t *mac, uint32_t address, const void *data, size_t length)
{
    struct net *net = p->net;
    uint8_t *frame = net_reserve(net);
    if (!frame) {
        return NET_ERROR_BUSY;
    }
    bool copied = length <= HEAD_ROOM;
    size_t head_length = ICMP_HEADER + (copied ? length : 0), tail_length = copied ? 0 : length;
    uint8_t *header = frame + ETHERNET_HEADER;
    ethernet_build(frame, mac, net->mac, ETHERNET_TYPE_IPV4);
    uint8_t *icmp = ipv4_output(net, header, address, IPV4_PROTOCOL_ICMP, ICMP_HEADER + length,
                                ipv4_identification(net, address));
    header[8] = p->ttl;
    if (p->local_address != 0) {
        store_be32(header + 12, p->local_address);
    }
    build_head(p, p->seq, icmp);
    if (copied && length) {
        memcpy(icmp + ICMP_HEADER, data, length);
    }
    icmp_finish(net, header, head_length, data, tail_length);
    uint32_t ticket = net_send(net, ETHERNET_HEADER + IPV4_HEADER + head_length, data, tail_length);
    if (!copied) {
        p->ticket = ticket;
    }
    return NET_OK;
}

static int send_large(struct ping *p, const uint8_t *mac, uint32_t address, const void *data, size_t length)
{
#if NET_WITH_FRAGMENTS
    struct ipv4_large large = {.destination = address,
                               .source = p->local_address,
                               .mac = mac,
                               .protocol = IPV4_PROTOCOL_ICMP,
                               .ttl = p->ttl,
                               .tail = data,
                               .tail_length = length};
    build_head(p, p->seq, large.head);
    uint32_t sum = checksum_add(0, large.head, ICMP_HEADER);
    store_native16(large.head + 2, checksum_finish(checksum_add(sum, data, length)));
    return ipv4_output_large(p->net, &large, &p->ticket);
#else
    (void)p, (void)mac, (void)address, (void)data, (void)length;
    return NET_ERROR_TOO_LONG;
#endif
}

int ping_send(struct ping *p, uint32_t address, const void *data, size_t length, uint32_t now_ms)
{
    struct net *net = p->net;
    net->now_ms = now_ms;
    if (!net_is_up(net)) {
        return NET_ERROR_DOWN;
    }
    if (!ipv4_is_host(address) || net_is_ours(net, address) || net_is_broadcast(net, address)) {
        return NET_ERROR_ARGUMENT;
    }
    if (length > DATA_MAX) {
        return NET_ERROR_TOO_LONG;
    }
    if (p->local_address != 0 && !net_is_ours(net, p->local_address)) {
        return NET_ERROR_ADDRESS;
    }
    const uint8_t *mac = arp_resolve(net, address);
    if (!mac) {
        return NET_ERROR_NEIGHBOUR;
    }
    p->wrapped = p->wrapped || p->seq == UINT16_MAX;
    p->seq++;
    int error = length <= ONE_FRAME ? send_small(p, mac, address, data, length)
                                    : send_large(p, mac, address, data, length);
    if (error) {
        return error;
    }
    p->sent[p->seq % PING_REMEMBERED].address = address;
    p->sent[p->seq % PING_REMEMBERED].sent_ms = now_ms;
    return p->seq;
}

bool ping_receive(struct ping *p, struct ping_answer *answer)
{
    bool has = p->has_answer;
    p->has_answer = false;
    *answer = p->answer;
    return has;
}

/* Only what was asked is answered: a sequence number up to the newest, which the first is 1 of. */
static bool was_sent(const struct ping *p, uint16_t seq)
{
    return p->wrapped ? (int16_t)(p->seq - seq) >= 0 : seq != 0 && seq <= p->seq;
}

static void deliver(struct ping *p, struct ping_answer *answer, uint32_t address)
{
    uint16_t age = (uint16_t)(p->seq - answer->seq);
    uint32_t slot = answer->seq % PING_REMEMBERED;
    answer->rtt_ms = PING_RTT_UNKNOWN;
    if (age < PING_REMEMBERED && p->sent[slot].address == address) {
        answer->rtt_ms = p->net->now_ms - p->sent[slot].sent_ms;
        p->sent[slot].address = 0;
    }
    p->answer = *answer;
    p->has_answer = true;
}

enum frame_fate ping_input(struct net *net, const struct ipv4_packet *ip)
{
    struct ping *p = find(net, load_be16(ip->payload + 4));
    uint16_t seq = load_be16(ip->payload + 6);
    if (!p || !was_sent(p, seq)) {
        return net_dropped(NET_DROP_ICMP);
    }
    struct ping_answer answer = {
        .result = NET_OK,
        .source = ip->source,
        .seq = seq,
        .length = (uint16_t)(ip->length - ICMP_HEADER),
        .ttl = ip->header[8],
    };
    deliver(p, &answer, ip->source);
    return FRAME_DONE;
}

void ping_icmp_error(struct net *net, const struct icmp_error *error, const struct ipv4_packet *ip)
{
    struct ping *p = find(net, (uint16_t)(error->seq >> 16)); /* where TCP has its sequence number */
    if (!p || !was_sent(p, (uint16_t)error->seq)) {
        return;
    }
    struct ping_answer answer = {
        .result = NET_ERROR_UNREACHABLE,
        .source = ip->source,
        .seq = (uint16_t)error->seq,
        .ttl = ip->header[8],
        .type = error->type,
        .code = error->code,
    };
    deliver(p, &answer, error->destination);
}

#endif
