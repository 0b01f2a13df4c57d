/*
 * net/wire/ipv4.h, options.h and udp.h: a packet with UDP in it, its header's checksum verified or not. The
 * first byte says which checksums are made right first.
 */
#include "fuzz/input.h"
#include "net/wire/bytes.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"
#include "net/wire/udp.h"

#include <stdlib.h>

static void check_udp(const struct ipv4_packet *ip)
{
    struct udp_header udp;
    bool verified = udp_parse(ip, true, &udp), unverified = udp_parse(ip, false, &udp);
    MUST(unverified || !verified);
    if (unverified) {
        MUST(WITHIN(udp.payload, udp.length, ip->payload, ip->length) && udp.destination != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    bool mend = input_byte(&input) & 1;
    uint8_t *packet = input_copy(&input, &size);
    struct ipv4_packet ip;
    if (mend && size >= IPV4_HEADER && (packet[0] & 15U) * 4U <= size &&
        (packet[0] & 15U) * 4U >= IPV4_HEADER) {
        ipv4_fill_checksum(packet);
    }
    enum ipv4_fault verified = ipv4_parse(packet, size, true, &ip);
    enum ipv4_fault fault = ipv4_parse(packet, size, false, &ip);
    MUST(verified == fault || verified == IPV4_BAD_CHECKSUM);
    MUST(fault != IPV4_BAD_CHECKSUM);
    if (fault == IPV4_GOOD || fault == IPV4_FRAGMENT) {
        MUST(ip.header == packet && ip.payload >= packet + IPV4_HEADER);
        MUST(WITHIN(ip.payload, ip.length, packet, size));
        check_udp(&ip);
    }
    free(packet);
    return 0;
}
