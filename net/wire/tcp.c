#include "net/wire/tcp.h"

#include "net/wire/bytes.h"
#include "net/wire/options.h"

enum { OPTION_MSS = 2 };

static bool parse_options(const uint8_t *options, size_t length, struct tcp_segment *segment)
{
    int kind;
    for (size_t at = 0; (kind = option_kind(options, length, &at)) > OPTION_END; at += options[at + 1]) {
        if (kind != OPTION_MSS) {
            continue;
        }
        if (options[at + 1] != TCP_MSS_OPTION) {
            return false;
        }
        segment->mss = load_be16(options + at + 2);
    }
    return kind == OPTION_END;
}

bool tcp_parse(const uint8_t *packet, size_t length, struct tcp_segment *segment)
{
    if (length < TCP_HEADER) {
        return false;
    }
    size_t header_length = (packet[12] >> 4) * 4U;
    if (header_length < TCP_HEADER || header_length > length) {
        return false;
    }
    segment->seq = load_be32(packet + 4);
    segment->ack = load_be32(packet + 8);
    segment->flags = packet[13];
    segment->window = load_be16(packet + 14);
    segment->payload = packet + header_length;
    segment->length = (uint32_t)(length - header_length);
    segment->mss = 0;
    return header_length == TCP_HEADER ||
           parse_options(packet + TCP_HEADER, header_length - TCP_HEADER, segment);
}

void tcp_build(uint8_t *header, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window)
{
    store_be32(header + 4, seq);
    store_be32(header + 8, ack);
    store_be32(header + 12, 5U << 28 | (uint32_t)flags << 16 | window);
    store_be32(header + 16, 0);
}

void tcp_build_mss(uint8_t *header, uint16_t mss)
{
    header[12] = 6 << 4;
    store_be32(header + TCP_HEADER, (uint32_t)OPTION_MSS << 24 | (uint32_t)TCP_MSS_OPTION << 16 | mss);
}
