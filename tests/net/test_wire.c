/* The word-wise checksum against the plainest form, and parsers on random bytes in memory of the exact size.
 */
#include "rig.h"

#include "net/wire/arp.h"
#include "net/wire/bytes.h"
#include "net/wire/checksum.h"
#include "net/wire/dhcp.h"
#include "net/wire/dns.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"
#include "net/wire/udp.h"

#include <stdlib.h>
#include <string.h>

static uint32_t seed = 1;

static uint8_t random8(void)
{
    seed = seed * 1664525 + 1013904223;
    return (uint8_t)(seed >> 24);
}

static void checksum_equals_the_plain_form(void **state)
{
    (void)state;
    for (int run = 0; run < 20000; run++) {
        uint8_t data[1500];
        size_t offset = random8() % 4, length = (size_t)(random8() * 6) % (sizeof data - 4);
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = run % 3 ? random8() : run % 2 ? 0xFF : 0;
        }
        uint16_t expected = plain_checksum(0, data + offset, length);
        size_t cut = length / 2 & ~(size_t)1;
        uint32_t sum = checksum_add(checksum_add(0, data + offset, cut), data + offset + cut, length - cut);
        uint16_t swapped = checksum_finish(sum);
        assert_int_equal((uint16_t)(swapped << 8 | swapped >> 8), expected);
    }
}

static void pseudo_header(void **state)
{
    (void)state;
    uint8_t bytes[12] = {0};
    for (int run = 0; run < 10000; run++) {
        for (int i = 0; i < 8; i++) {
            bytes[i] = random8();
        }
        bytes[9] = random8();
        bytes[10] = random8();
        bytes[11] = random8();
        uint32_t sum = checksum_pseudo_header(get32(bytes), get32(bytes + 4), bytes[9], get16(bytes + 10));
        uint16_t swapped = checksum_finish(sum);
        assert_int_equal((uint16_t)(swapped << 8 | swapped >> 8), plain_checksum(0, bytes, 12));
    }
}

/* What the parsers return must lie within the bytes given; a sanitizer watches the reading. */
static void parsers_on_noise(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    for (int run = 0; run < 60000; run++) {
        size_t length = random8() % 120U + (run % 8 == 0 ? 240 : 0);
        uint8_t *bytes = malloc(length ? length : 1);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = random8() & (run % 2 ? 0xFF : 0x0F);
        }
        struct ipv4_packet ip;
        struct tcp_segment segment;
        struct udp_header udp;
        struct arp_packet arp;
        struct dhcp_reply reply;
        struct dns_found found;
        if (length >= 241) {
            put32(bytes, 0x02010600);
            put32(bytes + 236, 0x63825363);
            memcpy(bytes + 28, mac, 6);
        }
        (void)dhcp_parse(bytes, length, mac, &reply);
        if (length > 20 && run % 4) {
            bytes[0] = (uint8_t)(0x45 + random8() % 3);
            put16(bytes + 2, (uint32_t)length - random8() % 2);
            put16(bytes + 6, 0);
        }
        if (ipv4_parse(bytes, length, false, &ip) == IPV4_GOOD) {
            assert_true(ip.payload >= bytes + 20 && ip.payload + ip.length <= bytes + length);
            if (udp_parse(&ip, true, &udp)) {
                assert_true(udp.payload + udp.length <= ip.payload + ip.length);
            }
            if (tcp_parse(ip.payload, ip.length, &segment)) {
                assert_true(segment.payload + segment.length == ip.payload + ip.length);
            }
        }
        (void)arp_parse(bytes, length, &arp);
        (void)dns_parse(bytes, length, length > 1 ? load_be16(bytes) : 0, "a.b", &found);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_equals_the_plain_form),
        cmocka_unit_test(pseudo_header),
        cmocka_unit_test(parsers_on_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
