/* net/wire/arp.h: a packet. */
#include "fuzz/input.h"
#include "net/wire/arp.h"
#include "net/wire/bytes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    uint8_t *packet = exact_copy(data, size);
    struct arp_packet arp, reply;
    if (arp_parse(packet, size, &arp)) {
        MUST(size >= ARP_PACKET && WITHIN(arp.sender_mac, 6, packet, size));
        arp_turn_into_reply(packet, mac, arp.target);
        MUST(arp_parse(packet, size, &reply));
        MUST(reply.operation == ARP_REPLY && reply.sender == arp.target && reply.target == arp.sender);
    }
    free(packet);
    return 0;
}
