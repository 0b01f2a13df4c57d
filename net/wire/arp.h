/* Address Resolution Protocol for IPv4 over Ethernet (RFC 826). */
#ifndef NET_WIRE_ARP_H
#define NET_WIRE_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARP_PACKET = 28, ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
    uint16_t operation;
    const uint8_t *sender_mac; /* into the packet */
    uint32_t sender;
    uint32_t target;
};

/* False: too short, not IPv4 over Ethernet, or neither request nor reply. */
bool arp_parse(const uint8_t *packet, size_t length, struct arp_packet *arp);

/* Writes ARP_PACKET bytes; `mac` and `address` are the sender's. */
void arp_build_request(uint8_t *packet, const uint8_t *mac, uint32_t address, uint32_t target);

/* The reply to the request in `packet`, in its place; `mac` and `address` are the sender's. */
void arp_turn_into_reply(uint8_t *packet, const uint8_t *mac, uint32_t address);

#endif
