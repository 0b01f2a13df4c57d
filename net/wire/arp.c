#include "net/wire/arp.h"

#include "net/wire/bytes.h"

enum {
    HARDWARE_AND_PROTOCOL = 0x00010800, /* Ethernet, IPv4 */
    ADDRESS_LENGTHS = 0x0604,
};

bool arp_parse(const uint8_t *packet, size_t length, struct arp_packet *arp)
{
    if (length < ARP_PACKET || load_be32(packet) != HARDWARE_AND_PROTOCOL ||
        load_be16(packet + 4) != ADDRESS_LENGTHS) {
        return false;
    }
    arp->operation = load_be16(packet + 6);
    arp->sender_mac = packet + 8;
    arp->sender = load_be32(packet + 14);
    arp->target_mac = packet + 18;
    arp->target = load_be32(packet + 24);
    return arp->operation == ARP_REQUEST || arp->operation == ARP_REPLY;
}

void arp_build(uint8_t *packet, const struct arp_packet *arp)
{
    store_be32(packet, HARDWARE_AND_PROTOCOL);
    store_be16(packet + 4, ADDRESS_LENGTHS);
    store_be16(packet + 6, arp->operation);
    __builtin_memcpy(packet + 8, arp->sender_mac, 6);
    store_be32(packet + 14, arp->sender);
    __builtin_memcpy(packet + 18, arp->target_mac, 6);
    store_be32(packet + 24, arp->target);
}
