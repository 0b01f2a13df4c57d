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
    arp->target = load_be32(packet + 24);
    return arp->operation == ARP_REQUEST || arp->operation == ARP_REPLY;
}

static void put_sender(uint8_t *packet, uint16_t operation, const uint8_t *mac, uint32_t address)
{
    store_be16(packet + 6, operation);
    __builtin_memcpy(packet + 8, mac, 6);
    store_be32(packet + 14, address);
}

void arp_build_request(uint8_t *packet, const uint8_t *mac, uint32_t address, uint32_t target)
{
    store_be32(packet, HARDWARE_AND_PROTOCOL);
    store_be16(packet + 4, ADDRESS_LENGTHS);
    put_sender(packet, ARP_REQUEST, mac, address);
    store_native16(packet + 18, 0);
    store_be32(packet + 20, 0);
    store_be32(packet + 24, target);
}

void arp_turn_into_reply(uint8_t *packet, const uint8_t *mac, uint32_t address)
{
    __builtin_memcpy(packet + 18, packet + 8, 10);
    put_sender(packet, ARP_REPLY, mac, address);
}
