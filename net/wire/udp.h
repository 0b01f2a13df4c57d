/* User Datagram Protocol header (RFC 768). */
#ifndef NET_WIRE_UDP_H
#define NET_WIRE_UDP_H

#include "net/wire/ipv4.h"

enum { UDP_HEADER = 8, UDP_CHECKSUM = 6 /* where it is */ };

struct udp_header {
    uint16_t source;
    uint16_t destination;
    const uint8_t *payload;
    size_t length; /* of the payload */
};

/*
 * False: lengths that do not fit, destination port 0, or, with `verify`, a wrong
 * checksum. Bytes of the IP packet beyond the UDP length are ignored (RFC 9868 1).
 */
bool udp_parse(const struct ipv4_packet *ip, bool verify, struct udp_header *udp);

/* Writes UDP_HEADER bytes with checksum 0. */
void udp_build(uint8_t *header, uint16_t source, uint16_t destination, size_t payload_length);

#endif
