#include "net/wire/icmp.h"
#include "net/internal.h"
#include "net/wire/checksum.h"

#if NET_WITH_PING || NET_WITH_ICMP_ERRORS
enum { ECHO_ONLY = 0 };
#else
enum { ECHO_ONLY = 1 };
#endif

/* ICMP errors (RFC 1812 4.3.2.8): a bucket of ten, one more every tenth of a second. */
enum {
    ANSWER_EVERY_MS = 100,
    ANSWERS_AT_ONCE_MS = 10 * ANSWER_EVERY_MS,
};

static bool may_answer(struct net *net)
{
    uint32_t saved_ms = net->now_ms - net->answer_ms;
    if (saved_ms > ANSWERS_AT_ONCE_MS) {
        saved_ms = ANSWERS_AT_ONCE_MS;
    }
    if (saved_ms < ANSWER_EVERY_MS) {
        return false;
    }
    net->answer_ms = net->now_ms - saved_ms + ANSWER_EVERY_MS;
    return true;
}

void icmp_finish(const struct net *net, uint8_t *header, size_t length, const void *tail, size_t tail_length)
{
    uint8_t *icmp = header + IPV4_HEADER;
    if (!net_offloads(net, NET_DEVICE_CHECKSUM_TX)) {
        ipv4_fill_checksum(header);
        uint32_t sum = checksum_add(0, icmp, length);
        store_native16(icmp + 2, checksum_finish(checksum_add(sum, tail, tail_length)));
    }
}

/* Only what a single host has sent to us alone is answered, and no error by an error (RFC 1122 3.2.2). */
static bool is_answerable(const struct net *net, const struct ipv4_packet *ip)
{
    /* But for TCP's the source was looked at when it came; of fragments that may be a while ago. */
    bool from_host = !NET_WITH_FRAGMENTS || ipv4_source_acceptable(net, ip->source);
    return from_host && net_is_ours(net, ip->destination) &&
           (ip->protocol != IPV4_PROTOCOL_ICMP || ip->payload[0] == ICMP_ECHO);
}

void icmp_answer(struct net *net, const struct ipv4_packet *ip, uint8_t type, uint8_t code)
{
    uint8_t *frame = is_answerable(net, ip) && may_answer(net) ? net_reserve(net) : NULL;
    if (!frame) {
        return;
    }
    size_t quote = (size_t)(ip->payload - ip->header) + (ip->length < ICMP_QUOTED ? ip->length : ICMP_QUOTED);
    uint8_t *header = frame + ETHERNET_HEADER;
    size_t length = ICMP_HEADER + quote;
    ethernet_build(frame, ip->header - 8, net->mac, ETHERNET_TYPE_IPV4);
    uint8_t *icmp = ipv4_output(net, header, ip->source, IPV4_PROTOCOL_ICMP, length, IPV4_ATOMIC);
    if (NET_WITH_ROUTES) {
        store_be32(header + 12, ip->destination);
    }
    store_be32(icmp, (uint32_t)type << 24 | (uint32_t)code << 16);
    store_be32(icmp + 4, 0);
    __builtin_memcpy(icmp + ICMP_HEADER, ip->header, quote);
    icmp_finish(net, header, length, NULL, 0);
    (void)net_send(net, ETHERNET_HEADER + IPV4_HEADER + length, NULL, 0);
}

/* Only the type differs between request and reply: correct the checksum by it (RFC 1624). */
static uint32_t reply_checksum(const uint8_t *request)
{
    uint32_t sum = load_be16(request + 2) + ((uint32_t)ICMP_ECHO << 8);
    return sum + (sum >> 16);
}

static void fix_checksums(struct net *net, const struct ipv4_packet *ip)
{
    uint8_t *icmp = ip->payload;
    bool offload = net_offloads(net, NET_DEVICE_CHECKSUM_TX);
    store_be16(icmp + 2, offload ? 0 : reply_checksum(icmp));
    store_native16(ip->header + 10, 0);
    if (!offload) {
        ipv4_fill_checksum(ip->header);
    }
}

#if NET_WITH_FRAGMENTS
/* The request came in fragments: so does the reply, from the memory that it was put together in. */
static enum frame_fate large_echo(struct net *net, const struct ipv4_packet *ip)
{
    uint8_t *icmp = ip->payload;
    struct ipv4_large large = {
        .destination = ip->source,
        .source = ip->destination,
        .mac = ip->header - 8,
        .protocol = IPV4_PROTOCOL_ICMP,
        .ttl = IPV4_TTL,
        .tail = icmp + ICMP_HEADER,
        .tail_length = ip->length - ICMP_HEADER,
    };
    bool one_frame = ip->length <= ETHERNET_MTU - IPV4_HEADER;
    bool inserted = one_frame && net_offloads(net, NET_DEVICE_CHECKSUM_TX);
    store_be16(icmp + 2, inserted ? 0 : reply_checksum(icmp));
    icmp[0] = ICMP_ECHO_REPLY;
    __builtin_memcpy(large.head, icmp, ICMP_HEADER);
    uint32_t ticket = net->device->sent(net->device->context);
    (void)ipv4_output_large(net, &large, &ticket); /* what does not go now is lost, as in any network */
    fragment_sent(net, ticket);
    return FRAME_DONE;
}
#endif

static enum frame_fate echo(struct net *net, const struct ipv4_packet *ip)
{
    uint8_t *icmp = ip->payload;
#if NET_WITH_FRAGMENTS
    if (ip->reassembled) {
        return large_echo(net, ip);
    }
#endif
    icmp[0] = ICMP_ECHO_REPLY;
    ip->header[8] = IPV4_TTL;
    store_be32(ip->header + 12, ip->destination);
    store_be32(ip->header + 16, ip->source);
    fix_checksums(net, ip);
    size_t length = ETHERNET_HEADER + (size_t)(icmp - ip->header) + ip->length;
    return net_bounce(net, ip->header - ETHERNET_HEADER, length);
}

#if NET_WITH_ICMP_ERRORS
/* What the error quotes of the packet that it is about: whole header and eight bytes, from us, not a later
 * fragment. */
static bool read_quote(const struct net *net, const struct ipv4_packet *ip, struct icmp_error *error,
                       const uint8_t **quoted)
{
    const uint8_t *quote = ip->payload + ICMP_HEADER;
    size_t length = ip->length - ICMP_HEADER;
    if (length < IPV4_HEADER + ICMP_QUOTED || quote[0] >> 4 != 4) {
        return false;
    }
    size_t header_length = (quote[0] & 15U) * 4U;
    if (header_length < IPV4_HEADER || length < header_length + ICMP_QUOTED ||
        (load_be16(quote + IPV4_FRAGMENT_FIELD) & IPV4_FRAGMENT_OFFSET)) {
        return false;
    }
    const uint8_t *transport = quote + header_length;
    *error = (struct icmp_error){
        .type = ip->payload[0],
        .code = ip->payload[1],
        .mtu = load_be16(ip->payload + 6),
        .source = load_be32(quote + 12),
        .destination = load_be32(quote + 16),
        .source_port = load_be16(transport),
        .destination_port = load_be16(transport + 2),
        .seq = load_be32(transport + 4),
    };
    *quoted = quote;
    return net_is_ours(net, error->source) && ipv4_is_host(error->destination);
}

static enum frame_fate error_input(struct net *net, const struct ipv4_packet *ip)
{
    struct icmp_error error;
    const uint8_t *quote;
    uint8_t type = ip->payload[0];
    bool known = type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
    if (!known || !read_quote(net, ip, &error, &quote)) {
        return net_dropped(NET_DROP_ICMP);
    }
    switch (quote[9]) {
    case IPV4_PROTOCOL_TCP: tcp_icmp_error(net, &error); return FRAME_DONE;
    case IPV4_PROTOCOL_UDP: udp_icmp_error(net, &error); return FRAME_DONE;
    case IPV4_PROTOCOL_ICMP:
        if (NET_WITH_PING && quote[(quote[0] & 15U) * 4U] == ICMP_ECHO) {
            ping_icmp_error(net, &error, ip);
            return FRAME_DONE;
        }
        break;
    default: break;
    }
    return net_dropped(NET_DROP_ICMP);
}
#endif

static enum frame_fate other_input(struct net *net, const struct ipv4_packet *ip)
{
    if (NET_WITH_PING && load_be16(ip->payload) == ICMP_ECHO_REPLY << 8) {
        return ping_input(net, ip);
    }
#if NET_WITH_ICMP_ERRORS
    return error_input(net, ip);
#else
    return net_dropped(NET_DROP_ICMP);
#endif
}

enum frame_fate icmp_input(struct net *net, const struct ipv4_packet *ip)
{
    uint8_t *icmp = ip->payload;
    if (ip->length < ICMP_HEADER) {
        return net_dropped(NET_DROP_ICMP);
    }
    bool is_echo = icmp[0] == ICMP_ECHO; /* whatever the code, which comes back (RFC 792) */
    if (!is_echo && ECHO_ONLY) {
        return net_dropped(NET_DROP_ICMP);
    }
    if (!ipv4_is_verified(net, ip) && checksum_finish(checksum_add(0, icmp, ip->length)) != 0) {
        return net_dropped(NET_DROP_ICMP);
    }
    return is_echo ? echo(net, ip) : other_input(net, ip);
}
