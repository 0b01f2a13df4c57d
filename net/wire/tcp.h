/* Transmission Control Protocol header (RFC 9293 3.1) and options (RFC 2018, RFC 7323). */
#ifndef NET_WIRE_TCP_H
#define NET_WIRE_TCP_H

#include "net/features.h"
#include "net/wire/tcp_range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TCP_HEADER = 20,
    TCP_CHECKSUM = 16, /* where it is */
    TCP_MSS_OPTION = 4,
    TCP_TIMESTAMPS_OPTION = 12, /* with two NOPs before it */
    TCP_OPTIONS_MAX = 40,
    TCP_SACK_BLOCKS_MAX = 4,
    TCP_SCALE_MAX = 14, /* RFC 7323 2.3 */
    TCP_SCALE_NONE = 0xFF,
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
};

/* What stands in the options of a SYN but for the MSS, or is to stand there. */
struct tcp_syn_options {
    uint8_t scale; /* TCP_SCALE_NONE: no such option */
    bool sack_permitted;
    bool timestamps;
};

struct tcp_segment {
    uint32_t seq;
    uint32_t ack;
    uint32_t length; /* of the payload */
#if NET_WITH_TCP_WINDOW_SCALE
    uint32_t window; /* as in the header, to be scaled by whom it concerns */
#else
    uint16_t window;
#endif
    uint16_t mss; /* 0: no such option */
    uint8_t flags;
    const uint8_t *payload;
#if NET_WITH_TCP_OPTIONS
    struct tcp_syn_options syn; /* `timestamps` and what follows, in any segment */
    uint8_t sack_blocks;
    const uint8_t *sack; /* eight bytes each */
    uint32_t timestamp, echo;
#endif
};

/*
 * False: a header or an option that does not fit the segment. Options that the build does not know
 * are skipped (RFC 9293 3.1).
 */
bool tcp_parse(const uint8_t *packet, size_t length, struct tcp_segment *segment);

/* Everything behind the ports, which are in place already; checksum and urgent pointer 0. */
void tcp_build(uint8_t *header, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window);

/* Appends the option to a header built without any and adjusts its data offset. */
void tcp_build_mss(uint8_t *header, uint16_t mss);

#if NET_WITH_TCP_OPTIONS
/* Each writes an option at `to`, a multiple of four bytes, whose end is returned. */
uint8_t *tcp_put_mss(uint8_t *to, uint16_t mss);
uint8_t *tcp_put_scale(uint8_t *to, uint8_t scale);
uint8_t *tcp_put_sack_permitted(uint8_t *to);
uint8_t *tcp_put_timestamps(uint8_t *to, uint32_t value, uint32_t echo);
uint8_t *tcp_put_sack(uint8_t *to, const struct tcp_range *blocks, unsigned count);

/* The only options are timestamps, laid out as by tcp_put_timestamps (RFC 7323 appendix A). */
bool tcp_has_plain_timestamps(const uint8_t *header);

/* Puts the data offset into a header whose options end at `end`; the header's length. */
size_t tcp_finish_options(uint8_t *header, const uint8_t *end);
#endif

#endif
