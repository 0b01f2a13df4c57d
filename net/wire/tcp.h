/* Transmission Control Protocol header (RFC 9293 3.1). */
#ifndef NET_WIRE_TCP_H
#define NET_WIRE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TCP_HEADER = 20,
    TCP_CHECKSUM = 16, /* where it is */
    TCP_MSS_OPTION = 4,
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
};

struct tcp_segment {
    uint32_t seq;
    uint32_t ack;
    uint32_t length; /* of the payload */
    uint16_t window;
    uint16_t mss; /* 0: no such option */
    uint8_t flags;
    const uint8_t *payload;
};

/*
 * False: a header or an option that does not fit the segment. Options but MSS
 * are skipped; we offer none, so none may mean anything (RFC 9293 3.1).
 */
bool tcp_parse(const uint8_t *packet, size_t length, struct tcp_segment *segment);

/* Everything behind the ports, which are in place already; checksum and urgent pointer 0. */
void tcp_build(uint8_t *header, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window);

/* Appends the option to a header built without any and adjusts its data offset. */
void tcp_build_mss(uint8_t *header, uint16_t mss);

#endif
