#include "net/wire/ipv4.h"

#include "net/wire/bytes.h"
#include "net/wire/checksum.h"
#include "net/wire/options.h"

enum {
    VERSION_AND_IHL = 0x45,
    IHL_MIN = 5,
    IHL_MAX = 15,
    OPTION_LSRR = 131,
    OPTION_SSRR = 137,
};

/*
 * Options are skipped, once they are known to be well-formed. A host that is no
 * router drops source routes whatever their pointer says (RFC 7126 4.3, 4.4).
 */
static bool options_acceptable(const uint8_t *options, size_t length)
{
    int kind;
    for (size_t at = 0; (kind = option_kind(options, length, &at)) > OPTION_END; at += options[at + 1]) {
        if (kind == OPTION_LSRR || kind == OPTION_SSRR) {
            return false;
        }
    }
    return kind == OPTION_END;
}

static bool is_fragment(const uint8_t *header)
{
    return load_be16(header + IPV4_FRAGMENT_FIELD) & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET);
}

enum ipv4_fault ipv4_parse(uint8_t *packet, size_t length, bool verify, struct ipv4_packet *ip)
{
    if (length < IPV4_HEADER) {
        return IPV4_BAD_HEADER;
    }
    size_t header_length = (packet[0] & 15U) * 4U;
    size_t total = load_be16(packet + 2);
    bool version_4 = packet[0] - (unsigned)VERSION_AND_IHL <= IHL_MAX - IHL_MIN; /* and five words or more */
    if (!version_4 || total < header_length || total > length) {
        return IPV4_BAD_HEADER;
    }
    if (verify && checksum_finish(checksum_add(0, packet, header_length)) != 0) {
        return IPV4_BAD_CHECKSUM;
    }
    if (packet[8] == 0 || (header_length > IPV4_HEADER &&
                           !options_acceptable(packet + IPV4_HEADER, header_length - IPV4_HEADER))) {
        return IPV4_BAD_HEADER;
    }
    if (!NET_WITH_FRAGMENTS && is_fragment(packet)) {
        return IPV4_FRAGMENT;
    }
    ip->header = packet;
    ip->payload = packet + header_length;
    ip->length = total - header_length;
    ip->source = load_be32(packet + 12);
    ip->destination = load_be32(packet + 16);
    ip->protocol = packet[9];
#if NET_WITH_FRAGMENTS
    ip->reassembled = false;
    if (is_fragment(packet)) {
        return IPV4_FRAGMENT;
    }
#endif
    return IPV4_GOOD;
}

void ipv4_build(uint8_t *header, uint32_t source, uint32_t destination, uint8_t protocol, size_t length,
                uint32_t id)
{
    store_be32(header, (uint32_t)VERSION_AND_IHL << 24 | (uint32_t)length);
    store_be32(header + 4, id << 16 | id >> 16);
    store_be32(header + 8, (uint32_t)IPV4_TTL << 24 | (uint32_t)protocol << 16);
    store_be32(header + 12, source);
    store_be32(header + 16, destination);
}

uint32_t ipv4_payload_sum(const uint8_t *header, const uint8_t *payload, size_t length, size_t total)
{
    uint32_t sum = checksum_pseudo_header(load_be32(header + 12), load_be32(header + 16), header[9], total);
    return checksum_add(sum, payload, length);
}

void ipv4_fill_checksum(uint8_t *header)
{
    store_native16(header + 10, 0);
    store_native16(header + 10, checksum_finish(checksum_add(0, header, (header[0] & 15U) * 4U)));
}
