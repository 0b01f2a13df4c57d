/* Internet Protocol version 4 header (RFC 791). */
#ifndef NET_WIRE_IPV4_H
#define NET_WIRE_IPV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPV4_HEADER = 20,
    IPV4_PROTOCOL_ICMP = 1,
    IPV4_PROTOCOL_TCP = 6,
    IPV4_PROTOCOL_UDP = 17,
    IPV4_TTL = 64,
};

#define IPV4_BROADCAST UINT32_MAX

enum ipv4_fault {
    IPV4_GOOD,
    IPV4_BAD_HEADER, /* version, lengths, TTL 0, malformed options or a source route */
    IPV4_BAD_CHECKSUM,
    IPV4_FRAGMENT,
};

struct ipv4_packet {
    uint8_t *header;
    uint8_t *payload;
    size_t length; /* of the payload, padding of the frame excluded */
    uint32_t source;
    uint32_t destination;
    uint8_t protocol;
};

/* `verify`: check the header's checksum in software. */
enum ipv4_fault ipv4_parse(uint8_t *packet, size_t length, bool verify, struct ipv4_packet *ip);

/* Loopback, group and reserved addresses, and "this network", can be no host's (RFC 1122 3.2.1.3). */
static inline bool ipv4_is_host(uint32_t address)
{
    uint32_t first = address >> 24;
    return first != 0 && first != 127 && first < 224;
}

/* Writes IPV4_HEADER bytes with checksum 0. `length` includes the header. */
void ipv4_build(uint8_t *header, uint32_t source, uint32_t destination, uint8_t protocol, size_t length,
                uint16_t id);

/*
 * Sum, to be added to or finished, of the pseudo-header of TCP or UDP, `total` bytes long, and of the first
 * `length` of these.
 */
uint32_t ipv4_payload_sum(const uint8_t *header, const uint8_t *payload, size_t length, size_t total);

/* Compute and store the checksum of a header. */
void ipv4_fill_checksum(uint8_t *header);

#endif
