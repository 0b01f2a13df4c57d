#include "target/posix/checksum_device.h"

#include "net/wire/bytes.h"
#include "net/wire/checksum.h"

enum {
    ETHERNET_HEADER = 14,
    ETHERTYPE = 12,
    ETHERTYPE_IPV4 = 0x0800,
    IPV4_HEADER_MIN = 20,
    IPV4_TOTAL_LENGTH = 2,
    IPV4_FRAGMENT = 6,
    IPV4_FRAGMENT_BITS = 0x3FFF, /* more fragments, and the offset */
    IPV4_PROTOCOL = 9,
    IPV4_CHECKSUM = 10,
    IPV4_SOURCE = 12,
    IPV4_DESTINATION = 16,
    ICMP = 1,
    TCP = 6,
    UDP = 17,
    UDP_CHECKSUM = 6,
};

/* Where in an IPv4 frame what is. */
struct layout {
    size_t header;    /* IPv4's, bytes */
    size_t transport; /* bytes above it */
    uint8_t protocol;
    size_t field; /* of the checksum from the frame's start; 0: a protocol or a fragment without one */
};

/* False: not IPv4, or not in its bounds; left as it is, for the stack to judge. */
static bool look(const uint8_t *frame, size_t head, size_t length, struct layout *at)
{
    const uint8_t *ip = frame + ETHERNET_HEADER;

    if (head < ETHERNET_HEADER + IPV4_HEADER_MIN || load_be16(frame + ETHERTYPE) != ETHERTYPE_IPV4 ||
        ip[0] >> 4 != 4)
        return false;
    size_t total = load_be16(ip + IPV4_TOTAL_LENGTH);
    at->header = (size_t)(ip[0] & 15) * 4;
    if (at->header < IPV4_HEADER_MIN || head < ETHERNET_HEADER + at->header || total < at->header ||
        length < ETHERNET_HEADER + total)
        return false;
    at->transport = total - at->header;
    at->protocol = ip[IPV4_PROTOCOL];
    size_t offset;
    switch (at->protocol) {
    case ICMP: offset = 2; break;
    case TCP: offset = 16; break;
    case UDP: offset = UDP_CHECKSUM; break;
    default: offset = 0; break;
    }
    bool whole = (load_be16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_BITS) == 0;
    at->field = ETHERNET_HEADER + at->header + offset;
    if (offset == 0 || !whole || at->transport < offset + 2 || at->field + 2 > head)
        at->field = 0;
    return true;
}

/* Over pseudo-header and transport layer, whose first bytes are in the head and the others at `payload`. */
static uint16_t transport_sum(const uint8_t *frame, size_t head, const void *payload, const struct layout *at)
{
    const uint8_t *ip = frame + ETHERNET_HEADER;
    size_t start = ETHERNET_HEADER + at->header;
    size_t in_head = head - start < at->transport ? head - start : at->transport;
    uint32_t sum = 0;

    if (at->protocol != ICMP)
        sum = checksum_pseudo_header(load_be32(ip + IPV4_SOURCE), load_be32(ip + IPV4_DESTINATION),
                                     at->protocol, at->transport);
    sum = checksum_add(sum, frame + start, in_head);
    if (at->transport > in_head)
        sum = checksum_add(sum, payload, at->transport - in_head);
    return checksum_finish(sum);
}

static void insert(uint8_t *frame, size_t head, const void *payload, size_t payload_length)
{
    uint8_t *ip = frame + ETHERNET_HEADER;
    struct layout at;

    if (!look(frame, head, head + payload_length, &at))
        return;
    store_native16(ip + IPV4_CHECKSUM, 0);
    store_native16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, at.header)));
    if (at.field == 0)
        return;
    store_native16(frame + at.field, 0);
    uint16_t sum = transport_sum(frame, head, payload, &at);
    store_native16(frame + at.field, at.protocol == UDP && sum == 0 ? 0xFFFF : sum); /* RFC 768: 0 is none */
}

static bool right(const uint8_t *frame, size_t length)
{
    struct layout at;

    if (!look(frame, length, length, &at))
        return true;
    if (checksum_finish(checksum_add(0, frame + ETHERNET_HEADER, at.header)) != 0)
        return false;
    if (at.field == 0 || (at.protocol == UDP && load_native16(frame + at.field) == 0))
        return true;
    return transport_sum(frame, length, NULL, &at) == 0;
}

/* ---- What the stack calls ---- */

static size_t receive(void *context, uint8_t **frame)
{
    struct checksum_device *d = context;
    size_t length;

    while ((length = d->inner->receive(d->inner->context, &d->lent)) != 0) {
        if (right(d->lent, length)) {
            *frame = d->lent;
            return length;
        }
        d->inner->release(d->inner->context);
        d->wrong++;
    }
    return 0;
}

static void release(void *context)
{
    struct checksum_device *d = context;
    d->inner->release(d->inner->context);
}

static bool bounce(void *context, size_t length)
{
    struct checksum_device *d = context;
    insert(d->lent, length, NULL, 0);
    return d->inner->bounce(d->inner->context, length);
}

static uint8_t *reserve(void *context)
{
    struct checksum_device *d = context;
    return d->room = d->inner->reserve(d->inner->context);
}

static uint32_t send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    struct checksum_device *d = context;
    insert(d->room, header_length, payload, payload_length);
    return d->inner->send(d->inner->context, header_length, payload, payload_length);
}

static uint32_t sent(void *context)
{
    struct checksum_device *d = context;
    return d->inner->sent(d->inner->context);
}

void checksum_device_init(struct checksum_device *d, const struct net_device *inner)
{
    *d = (struct checksum_device){
        .device =
            {
                .context = d,
                .capabilities = inner->capabilities | NET_DEVICE_CHECKSUM_TX | NET_DEVICE_CHECKSUM_RX,
                .receive = receive,
                .release = release,
                .bounce = bounce,
                .reserve = reserve,
                .send = send,
                .sent = sent,
            },
        .inner = inner,
    };
}
