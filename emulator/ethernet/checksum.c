/* Checksum offload (RM0090 33.5.5 and 33.5.7), with the faults that its users must know. */
#include "ethernet/ethernet.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86DD,
    ETHERTYPE_VLAN = 0x8100,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ICMPV6 = 58,
    IPV6_HOP_BY_HOP = 0,
    IPV6_ROUTING = 43,
    IPV6_DESTINATION = 60,
    IPV6_NO_NEXT = 59,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
};

#define RDES0_IPHCE BIT(7)
#define RDES0_FT    BIT(5)
#define RDES0_PCE   BIT(0)
#define TDES0_IHE   BIT(16)
#define TDES0_IPE   BIT(12)

enum { CIC_NONE, CIC_HEADER, CIC_PAYLOAD, CIC_PSEUDO_HEADER };

/* What the offload engine makes of a frame. */
struct datagram {
    const uint8_t *ip;
    size_t available; /* bytes in the frame from the IP header on */
    unsigned version; /* 4, 6; 0: neither */
    bool header_good; /* lengths and version; not the checksum */
    bool fragment;
    unsigned protocol;
    size_t header;   /* bytes before the payload */
    size_t payload;  /* bytes, by the IP header */
    bool known_type; /* the extension headers led to a protocol that is known */
};

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static uint32_t sum(uint32_t start, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        start += get16(data + i);
    return length & 1 ? start + ((uint32_t)data[length - 1] << 8) : start;
}

static unsigned fold(uint32_t value)
{
    value = (value & 0xFFFF) + (value >> 16);
    return (value & 0xFFFF) + (value >> 16);
}

static bool checksummed(unsigned version, unsigned protocol)
{
    return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP ||
           protocol == (version == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

static void parse_ipv4(struct datagram *d)
{
    d->version = 4;
    if (d->available < IPV4_HEADER)
        return;
    const size_t total = get16(d->ip + 2);
    d->header = 4u * (d->ip[0] & 15);
    d->header_good =
        d->ip[0] >> 4 == 4 && d->header >= IPV4_HEADER && total >= d->header && d->header <= d->available;
    if (!d->header_good)
        return;
    d->fragment = (get16(d->ip + 6) & 0x3FFF) != 0;
    d->protocol = d->ip[9];
    d->payload = total - d->header;
    d->known_type = checksummed(4, d->protocol);
}

/*
 * `lenient`: an unknown next header is taken for one more extension header and
 * followed. The transmitter does so (ES0206 2.17.1).
 */
static void parse_ipv6(struct datagram *d, bool lenient)
{
    d->version = 6;
    if (d->available < IPV6_HEADER)
        return;
    d->header_good = d->ip[0] >> 4 == 6;
    d->header = IPV6_HEADER;
    d->payload = get16(d->ip + 4);
    d->protocol = d->ip[6];
    while (!checksummed(6, d->protocol)) {
        const bool extension =
            d->protocol == IPV6_HOP_BY_HOP || d->protocol == IPV6_ROUTING || d->protocol == IPV6_DESTINATION;
        if ((!extension && !lenient) || d->header + 8 > d->available)
            return;
        const size_t length = 8u * (1u + d->ip[d->header + 1]);
        if (length > d->payload)
            return;
        d->protocol = d->ip[d->header];
        d->header += length;
        d->payload -= length;
    }
    d->known_type = true;
}

static struct datagram parse(const uint8_t *frame, size_t length, bool lenient)
{
    struct datagram d = {0};
    size_t at = 12;
    if (length < FRAME_HEADER)
        return d;
    if (get16(frame + at) == ETHERTYPE_VLAN && length >= FRAME_HEADER + 4)
        at += 4;
    const unsigned type = get16(frame + at);
    d.ip = frame + at + 2;
    d.available = length - at - 2;
    if (type == ETHERTYPE_IPV4)
        parse_ipv4(&d);
    else if (type == ETHERTYPE_IPV6)
        parse_ipv6(&d, lenient);
    return d;
}

static uint32_t pseudo_header(const struct datagram *d)
{
    if (d->version == 4 && d->protocol == PROTOCOL_ICMP)
        return 0;
    const uint32_t addresses = d->version == 4 ? sum(0, d->ip + 12, 8) : sum(0, d->ip + 8, 32);
    return addresses + d->protocol + (uint32_t)d->payload;
}

/* Where in the payload the checksum is. */
static size_t checksum_offset(const struct datagram *d)
{
    switch (d->protocol) {
    case PROTOCOL_TCP: return 16;
    case PROTOCOL_UDP: return 6;
    default: return 2;
    }
}

/* ---- Receiving ---- */

static bool payload_good(const struct datagram *d)
{
    const uint8_t *payload = d->ip + d->header;
    if (d->payload < checksum_offset(d) + 2 || d->header + d->payload > d->available)
        return false;
    if (d->protocol == PROTOCOL_UDP && d->version == 4 && get16(payload + 6) == 0)
        return true;
    if (d->protocol == PROTOCOL_UDP && get16(payload + 4) != d->payload)
        return false;
    return fold(sum(pseudo_header(d), payload, d->payload)) == 0xFFFF;
}

uint32_t checksum_verify(const uint8_t *frame, size_t length)
{
    const struct datagram d = parse(frame, length, false);
    if (d.version == 0)
        return get16(frame + 12) < 0x600 ? 0 : RDES0_IPHCE | RDES0_PCE;
    const bool header_good = d.header_good && d.header + d.payload <= d.available &&
                             (d.version == 6 || fold(sum(0, d.ip, d.header)) == 0xFFFF);
    if (!header_good)
        return RDES0_FT | RDES0_IPHCE;
    if (!d.known_type || d.fragment)
        return RDES0_PCE; /* payload not checked */
    return payload_good(&d) ? RDES0_FT : RDES0_FT | RDES0_PCE;
}

/* ---- Sending ---- */

static void insert_payload_checksum(uint8_t *frame, const struct datagram *d, unsigned cic)
{
    uint8_t *payload = frame + (d->ip - frame) + d->header;
    uint8_t *field = payload + checksum_offset(d);
    /* ICMP over IPv4 has no pseudo header: the field always counts (RM0090 33.5.5). */
    const bool whole = cic == CIC_PSEUDO_HEADER && !(d->version == 4 && d->protocol == PROTOCOL_ICMP);
    if (whole)
        put16(field, 0);
    const unsigned checksum = ~fold(sum(whole ? pseudo_header(d) : 0, payload, d->payload)) & 0xFFFF;
    put16(field, checksum == 0 && d->protocol == PROTOCOL_UDP ? 0xFFFF : checksum);
}

static void report_corruption(struct machine *m, const uint8_t *frame, size_t length,
                              const struct datagram *d)
{
    if (d->fragment)
        machine_report(m, REPORT_WARNING,
                       "ETH: checksum insertion (TDES0.CIC) overwrites two bytes of an IPv4 fragment");
    else if (d->version == 6 && !parse(frame, length, false).known_type)
        machine_report(
            m, REPORT_WARNING,
            "ETH: checksum insertion (TDES0.CIC) overwrites two bytes of an IPv6 packet that is not "
            "TCP, UDP or ICMP (ES0206 2.17.1)");
}

uint32_t checksum_insert(struct machine *m, uint8_t *frame, size_t length, unsigned cic)
{
    const struct datagram d = parse(frame, length, true);
    if (cic == CIC_NONE || d.version == 0)
        return 0;
    if (!d.header_good)
        return TDES0_IHE;
    if (d.version == 4) {
        uint8_t *field = frame + (d.ip - frame) + 10;
        put16(field, 0);
        put16(field, ~fold(sum(0, d.ip, d.header)) & 0xFFFF);
    }
    if (cic == CIC_HEADER || !d.known_type)
        return 0;
    if (d.header + d.payload > d.available || d.payload < checksum_offset(&d) + 2)
        return TDES0_IPE;
    report_corruption(m, frame, length, &d);
    insert_payload_checksum(frame, &d, cic);
    return 0;
}
