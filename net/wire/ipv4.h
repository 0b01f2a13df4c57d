/* Internet Protocol version 4 header (RFC 791). */
#ifndef NET_WIRE_IPV4_H
#define NET_WIRE_IPV4_H

#include "net/features.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPV4_HEADER = 20,
    IPV4_HEADER_MAX = 60,
    IPV4_PROTOCOL_ICMP = 1,
    IPV4_PROTOCOL_IGMP = 2,
    IPV4_PROTOCOL_TCP = 6,
    IPV4_PROTOCOL_UDP = 17,
    IPV4_TTL = 64,
};

enum {
    IPV4_MORE_FRAGMENTS = 0x2000, /* of the half word at IPV4_FRAGMENT_FIELD; the rest is the offset / 8 */
    IPV4_FRAGMENT_OFFSET = 0x1FFF,
    IPV4_FRAGMENT_FIELD = 6,
    IPV4_DO_NOT_FRAGMENT = 0x4000,
    IPV4_ATOMIC = IPV4_DO_NOT_FRAGMENT << 16, /* in place of an identification (RFC 6864 4.1) */
};

#define IPV4_BROADCAST UINT32_MAX

enum ipv4_fault {
    IPV4_GOOD,
    IPV4_BAD_HEADER, /* version, lengths, TTL 0, malformed options or a source route */
    IPV4_BAD_CHECKSUM,
    IPV4_FRAGMENT, /* and good, so far */
};

struct ipv4_packet {
    uint8_t *header;
    uint8_t *payload;
    size_t length; /* of the payload, padding of the frame excluded */
    uint32_t source;
    uint32_t destination;
    uint8_t protocol;
#if NET_WITH_FRAGMENTS
    bool reassembled; /* of fragments, whose payload no device has verified */
#endif
};

/* `verify`: check the header's checksum in software. `ip` is filled in when the packet is good, or a
 * fragment. */
enum ipv4_fault ipv4_parse(uint8_t *packet, size_t length, bool verify, struct ipv4_packet *ip);

/* Loopback, group and reserved addresses, and "this network", can be no host's (RFC 1122 3.2.1.3). */
static inline bool ipv4_is_host(uint32_t address)
{
    uint32_t first = address >> 24;
    return first != 0 && first != 127 && first < 224;
}

static inline bool ipv4_is_multicast(uint32_t address)
{
    return address >> 28 == 14;
}

/* 169.254/16 (RFC 3927) */
static inline bool ipv4_is_link_local(uint32_t address)
{
    return address >> 16 == 0xA9FE;
}

/*
 * Writes IPV4_HEADER bytes with checksum 0. `length` includes the header. `id`: the identification, or
 * IPV4_ATOMIC.
 */
void ipv4_build(uint8_t *header, uint32_t source, uint32_t destination, uint8_t protocol, size_t length,
                uint32_t id);

/*
 * Sum, to be added to or finished, of the pseudo-header of TCP or UDP, `total` bytes long, and of the first
 * `length` of these.
 */
uint32_t ipv4_payload_sum(const uint8_t *header, const uint8_t *payload, size_t length, size_t total);

/* Compute and store the checksum of a header. */
void ipv4_fill_checksum(uint8_t *header);

#endif
