#include "net/wire/tcp.h"

#include "net/wire/bytes.h"
#include "net/wire/options.h"

enum {
    OPTION_MSS = 2,
    OPTION_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMPS = 8,
    SCALE_LENGTH = 3,
    SACK_PERMITTED_LENGTH = 2,
    TIMESTAMPS_LENGTH = 10,
    SACK_BLOCK = 8,
};

#if NET_WITH_TCP_OPTIONS

#define PLAIN_TIMESTAMPS                                                                                     \
    ((uint32_t)OPTION_NOP << 24 | OPTION_NOP << 16 | OPTION_TIMESTAMPS << 8 | TIMESTAMPS_LENGTH)

static bool take_sack(const uint8_t *option, struct tcp_segment *segment)
{
    unsigned blocks = (option[1] - 2U) / SACK_BLOCK;
    segment->sack = option + 2;
    segment->sack_blocks = (uint8_t)blocks;
    return blocks != 0 && option[1] == 2 + blocks * SACK_BLOCK;
}

/* False: not of the length that this kind has. The first byte of each length is there. */
static bool take_option(const uint8_t *option, struct tcp_segment *segment)
{
    switch (option[0]) {
    case OPTION_MSS:
        if (option[1] == TCP_MSS_OPTION) {
            segment->mss = load_be16(option + 2);
        }
        return option[1] == TCP_MSS_OPTION;
    case OPTION_SCALE:
        if (option[1] == SCALE_LENGTH) {
            segment->syn.scale = option[2] < TCP_SCALE_MAX ? option[2] : TCP_SCALE_MAX;
        }
        return option[1] == SCALE_LENGTH;
    case OPTION_SACK_PERMITTED: segment->syn.sack_permitted = true; return option[1] == SACK_PERMITTED_LENGTH;
    case OPTION_SACK: return take_sack(option, segment);
    case OPTION_TIMESTAMPS:
        if (option[1] == TIMESTAMPS_LENGTH) {
            segment->syn.timestamps = true;
            segment->timestamp = load_be32(option + 2);
            segment->echo = load_be32(option + 6);
        }
        return option[1] == TIMESTAMPS_LENGTH;
    default: return true;
    }
}

static bool parse_options(const uint8_t *options, size_t length, struct tcp_segment *segment)
{
    int kind;
    for (size_t at = 0; (kind = option_kind(options, length, &at)) > OPTION_END; at += options[at + 1]) {
        if (!take_option(options + at, segment)) {
            return false;
        }
    }
    return kind == OPTION_END;
}

#else

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

#endif

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
#if NET_WITH_TCP_OPTIONS
    segment->syn = (struct tcp_syn_options){.scale = TCP_SCALE_NONE};
    segment->sack_blocks = 0;
    segment->timestamp = segment->echo = 0;
#endif
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

#if NET_WITH_TCP_OPTIONS

static uint8_t *put_word(uint8_t *to, uint32_t word)
{
    store_be32(to, word);
    return to + 4;
}

uint8_t *tcp_put_mss(uint8_t *to, uint16_t mss)
{
    return put_word(to, (uint32_t)OPTION_MSS << 24 | (uint32_t)TCP_MSS_OPTION << 16 | mss);
}

uint8_t *tcp_put_scale(uint8_t *to, uint8_t scale)
{
    return put_word(to, (uint32_t)OPTION_NOP << 24 | OPTION_SCALE << 16 | SCALE_LENGTH << 8 | scale);
}

uint8_t *tcp_put_sack_permitted(uint8_t *to)
{
    return put_word(to, (uint32_t)OPTION_NOP << 24 | OPTION_NOP << 16 | OPTION_SACK_PERMITTED << 8 |
                            SACK_PERMITTED_LENGTH);
}

uint8_t *tcp_put_timestamps(uint8_t *to, uint32_t value, uint32_t echo)
{
    return put_word(put_word(put_word(to, PLAIN_TIMESTAMPS), value), echo);
}

uint8_t *tcp_put_sack(uint8_t *to, const struct tcp_range *blocks, unsigned count)
{
    to = put_word(to, (uint32_t)OPTION_NOP << 24 | OPTION_NOP << 16 | OPTION_SACK << 8 |
                          (2 + SACK_BLOCK * count));
    for (unsigned i = 0; i < count; i++) {
        to = put_word(put_word(to, blocks[i].start), blocks[i].end);
    }
    return to;
}

bool tcp_has_plain_timestamps(const uint8_t *header)
{
    return load_be32(header + TCP_HEADER) == PLAIN_TIMESTAMPS;
}

size_t tcp_finish_options(uint8_t *header, const uint8_t *end)
{
    size_t length = (size_t)(end - header);
    header[12] = (uint8_t)(length << 2); /* in words, in the upper half */
    return length;
}

#endif
