/*
 * Headers cut short, with right checksums: nothing is read beyond what came, which the rig lends in memory of
 * exactly that length.
 */
#include "tcp_case.h"

#include <string.h>

static uint16_t transport_checksum(uint8_t protocol, const uint8_t *segment, size_t length)
{
    uint8_t sum[128] = {0};
    put32(sum, PEER);
    put32(sum + 4, OURS);
    put16(sum + 8, protocol);
    put16(sum + 10, (uint32_t)length);
    memcpy(sum + 12, segment, length);
    return plain_checksum(0, sum, 12 + length);
}

/* Of a connection, whose ports are there. */
static void tcp_headers(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (size_t length = 0; length < 20; length++) {
        uint8_t frame[128], segment[20] = {0};
        put16(segment, BROKER);
        put16(segment + 2, lab.port);
        put32(segment + 4, lab.seq);
        put32(segment + 8, lab.ack);
        put16(segment + 12, 0x5010);
        if (length >= 18) {
            put16(segment + 16, transport_checksum(6, segment, length));
        } else if (length >= 12) {
            put16(segment + 10, 0); /* makes up for the rest */
            put16(segment + 10, transport_checksum(6, segment, length));
        }
        rig_expect_drop(&lab, frame, make_ipv4(frame, PEER, OURS, 6, segment, length), NET_DROP_TCP);
    }
}

/* By whatever bytes, the sum is right where there are ports and two bytes more. */
static void tcp_ports_and_little_more(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (size_t length = 6; length < 12; length += 2) {
        uint8_t frame[128], segment[12] = {0};
        put16(segment, BROKER);
        put16(segment + 2, lab.port);
        put16(segment + 4, transport_checksum(6, segment, length));
        rig_expect_drop(&lab, frame, make_ipv4(frame, PEER, OURS, 6, segment, length), NET_DROP_TCP);
    }
}

static void udp_headers(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (size_t length = 0; length < 8; length++) {
        uint8_t frame[128], segment[8] = {0};
        put16(segment, 53);
        put16(segment + 2, 7);
        put16(segment + 4, (uint32_t)length);
        rig_expect_drop(&lab, frame, make_ipv4(frame, PEER, OURS, 17, segment, length), NET_DROP_UDP);
    }
}

static void icmp_headers(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (size_t length = 0; length < 8; length++) {
        uint8_t frame[128], message[8] = {8, 0};
        put16(message + 2, plain_checksum(0, message, length));
        rig_expect_drop(&lab, frame, make_ipv4(frame, PEER, OURS, 1, message, length), NET_DROP_ICMP);
    }
}

#if NET_WITH_IGMP
static void igmp_queries(void **state)
{
    (void)state;
    rig_connect(&lab);
    assert_int_equal(net_join(&lab.net, 0xEF010203), NET_OK);
    rig_run(&lab, 20000);
    rig_discard_sent(&lab);
    for (size_t length = 0; length < 8; length++) {
        uint8_t frame[128], message[8] = {0x11, 10};
        static const uint8_t all[6] = {1, 0, 0x5E, 0, 0, 1};
        put16(message + 2, plain_checksum(0, message, length));
        size_t total = make_ipv4(frame, PEER, 0xE0000001, 2, message, length);
        memcpy(frame, all, 6);
        rig_expect_drop(&lab, frame, total, NET_DROP_IGMP);
    }
    rig_run(&lab, 2000);
    rig_nothing_sent(&lab);
    assert_int_equal(net_leave(&lab.net, 0xEF010203), NET_OK);
    rig_discard_sent(&lab);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tcp_headers),
        TEST(tcp_ports_and_little_more),
        TEST(udp_headers),
        TEST(icmp_headers),
#if NET_WITH_IGMP
        TEST(igmp_queries),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
