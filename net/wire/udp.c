#include "net/wire/udp.h"

#include "net/wire/bytes.h"
#include "net/wire/checksum.h"

static bool checksum_right(const struct ipv4_packet *ip, size_t length)
{
    if (load_native16(ip->payload + 6) == 0) {
        return true; /* the sender has not computed one */
    }
    return checksum_finish(ipv4_payload_sum(ip->header, ip->payload, length, length)) == 0;
}

bool udp_parse(const struct ipv4_packet *ip, bool verify, struct udp_header *udp)
{
    if (ip->length < UDP_HEADER) {
        return false;
    }
    size_t length = load_be16(ip->payload + 4);
    if (length < UDP_HEADER || length > ip->length || (verify && !checksum_right(ip, length))) {
        return false;
    }
    udp->source = load_be16(ip->payload);
    udp->destination = load_be16(ip->payload + 2);
    udp->payload = ip->payload + UDP_HEADER;
    udp->length = length - UDP_HEADER;
    return udp->destination != 0;
}

void udp_build(uint8_t *header, uint16_t source, uint16_t destination, size_t payload_length)
{
    store_be16(header, source);
    store_be16(header + 2, destination);
    store_be16(header + 4, (uint32_t)(payload_length + UDP_HEADER));
    store_native16(header + 6, 0);
}
