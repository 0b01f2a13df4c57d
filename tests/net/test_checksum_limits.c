/* Checksums where they carry, vanish or end: sums of all ones, a UDP checksum of 0, quotes and short lengths.
 */
#include "net/ping.h"
#include "net/wire/checksum.h"
#include "udp_case.h"

#include <string.h>

static void know_the_peer(void)
{
    uint8_t frame[64];
    rig_receive(&udp_rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&udp_rig);
}

/* The sum of the halves of the 64 bits carries once more. */
static void sums_that_carry(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (unsigned low = 0; low < 64; low++) {
        memset(bytes, 0xFF, sizeof bytes);
        uint32_t word = low;
        memcpy(bytes + 12, &word, sizeof word);
        for (size_t length = 16; length <= sizeof bytes; length += 4) {
            assert_int_equal(__builtin_bswap16(checksum_finish(checksum_add(0, bytes, length))),
                             plain_checksum(0, bytes, length));
        }
    }
}

/* A payload of `length` bytes whose checksum comes to 0 is sent with all ones in its place (RFC 768). */
static void expect_ones(size_t length)
{
    static uint8_t payload[4000];
    uint8_t whole[4100] = {0};
    memset(payload, 0x5A, sizeof payload);
    memset(payload, 0, 2);
    put32(whole, OURS);
    put32(whole + 4, PEER);
    put16(whole + 8, 17);
    put16(whole + 10, (uint32_t)length + 8);
    put16(whole + 12, 5000);
    put16(whole + 14, 9);
    put16(whole + 16, (uint32_t)length + 8);
    memcpy(whole + 20, payload, length);
    put16(payload, plain_checksum(0, whole, 20 + length));
    assert_int_equal(udp_send(&udp, PEER, 9, payload, length), NET_OK);
    const struct frame *sent = rig_sent(&udp_rig);
    assert_non_null(sent);
    assert_int_equal(get16(sent->bytes + 40), 0xFFFF);
    rig_discard_sent(&udp_rig);
}

static void checksum_is_never_0(void **state)
{
    (void)state;
    know_the_peer();
    expect_ones(2);
    expect_ones(500);
#if NET_WITH_FRAGMENTS
    expect_ones(3000);
#endif
}

/* What lies behind the UDP length is in no sum, and not delivered (RFC 768, RFC 1122 4.1). */
static void bytes_behind_the_datagram(void **state)
{
    (void)state;
    uint8_t frame[256], segment[64] = {0}, sum[64] = {0};
    memset(segment, 0xA7, 40);
    put16(segment, 9);
    put16(segment + 2, 5000);
    put16(segment + 4, 8 + 10);
    put16(segment + 6, 0);
    put32(sum, PEER);
    put32(sum + 4, OURS);
    put16(sum + 8, 17);
    put16(sum + 10, 18);
    memcpy(sum + 12, segment, 18);
    put16(segment + 6, plain_checksum(0, sum, 30));
    rig_receive(&udp_rig, frame, make_ipv4(frame, PEER, OURS, 17, segment, 40));
    struct udp_datagram got;
    assert_true(udp_receive(&udp, &got));
    assert_int_equal(got.length, 10);
}

/* RFC 792: the second word of an unreachable is unused, 0. */
static void unused_is_0(void **state)
{
    (void)state;
    uint8_t frame[256];
    know_the_peer();
    rig_receive(&udp_rig, frame, make_udp(frame, PEER, 9, OURS, 5001, "hello", 5));
    const struct frame *error = rig_sent(&udp_rig);
#if NET_WITH_ICMP_ERRORS
    assert_non_null(error);
#endif
    if (error) {
        assert_int_equal(get32(error->bytes + 34) >> 16, 0x0303);
        assert_int_equal(get32(error->bytes + 38), 0);
    }
}

#if NET_WITH_ICMP_ERRORS
/* An error that quotes a header of six words needs eight bytes behind it, as one of five does. */
static void quote_with_options(void **state)
{
    (void)state;
    uint8_t frame[256], icmp[64] = {3, 3}, quoted[128];
    size_t length = make_udp(quoted, OURS, 5000, PEER, 9, "hello", 5) - 14;
    for (unsigned cut = 0; cut <= 1; cut++) {
        memcpy(icmp + 8, quoted + 14, 20);
        icmp[8] = 0x46;
        memset(icmp + 28, 1, 4); /* no operation */
        memcpy(icmp + 32, quoted + 34, 8);
        put16(icmp + 2, 0);
        put16(icmp + 2, plain_checksum(0, icmp, 8 + 24 + 8 - cut));
        length = make_ipv4(frame, PEER, OURS, 1, icmp, 8 + 24 + 8 - cut);
        rig_receive(&udp_rig, frame, length);
        assert_int_equal(udp_error(&udp), cut ? NET_OK : NET_ERROR_REFUSED);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sums_that_carry),
        TEST(checksum_is_never_0),
        TEST(bytes_behind_the_datagram),
        TEST(unused_is_0),
#if NET_WITH_ICMP_ERRORS
        TEST(quote_with_options),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
