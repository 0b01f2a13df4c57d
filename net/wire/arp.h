/* Address Resolution Protocol for IPv4 over Ethernet (RFC 826). */
#ifndef NET_WIRE_ARP_H
#define NET_WIRE_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARP_PACKET = 28, ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
    uint16_t operation;
    const uint8_t *sender_mac; /* into the packet when parsed */
    const uint8_t *target_mac;
    uint32_t sender;
    uint32_t target;
};

/* False: too short, not IPv4 over Ethernet, or neither request nor reply. */
bool arp_parse(const uint8_t *packet, size_t length, struct arp_packet *arp);

/* Writes ARP_PACKET bytes. The link addresses must not lie in `packet`. */
void arp_build(uint8_t *packet, const struct arp_packet *arp);

#endif
