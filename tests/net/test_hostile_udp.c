/* The class "UDP" of hostile input, by the line; and what sockets can be told (RFC 768, 1122 4.1). */
#include "rig.h"

#include <string.h>

static struct rig rig;
static struct udp_socket server;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig, 512, 512, 0);
    assert_int_equal(udp_open(&server, &rig.net, 5000), NET_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    udp_close(&server);
    rig_close(&rig);
    return 0;
}

static void expect_drop(const uint8_t *frame, size_t length, enum net_drop reason)
{
    struct udp_datagram datagram;
    uint32_t before = rig_dropped(&rig, reason);
    rig_receive(&rig, frame, length);
    assert_int_equal(rig_dropped(&rig, reason), before + 1);
    assert_false(udp_receive(&server, &datagram));
    rig_nothing_sent(&rig);
}

static void expect_data(const void *data, size_t length)
{
    struct udp_datagram datagram;
    assert_true(udp_receive(&server, &datagram));
    assert_int_equal(datagram.length, length);
    assert_memory_equal(datagram.data, data, length);
}

static void length_below_8(void **state)
{
    (void)state;
    uint8_t frame[128];
    for (uint16_t field = 0; field < 8; field++) {
        size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
        put16(frame + 38, field);
        put16(frame + 40, 0);
        expect_drop(frame, length, NET_DROP_UDP);
    }
    for (size_t n = 0; n < 8; n++) { /* nor is there a header of fewer bytes */
        expect_drop(frame, make_ipv4(frame, PEER, OURS, 17, "\0\7\x13\x88\0\x08\0\0", n), NET_DROP_UDP);
    }
    rig_expect_health(&rig);
}

static void length_beyond_the_ip_payload(void **state)
{
    (void)state;
    uint8_t frame[128];
    static const uint16_t lengths[] = {13, 14, 100, 1500, 65535};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
        put16(frame + 38, lengths[i]);
        put16(frame + 40, 0);
        memset(frame + length, 0xEE, 60 - length);
        expect_drop(frame, 60, NET_DROP_UDP); /* padding of the frame is no payload */
    }
    rig_expect_health(&rig);
}

static void length_unequal_to_the_ip_payload(void **state)
{
    (void)state;
    uint8_t frame[128];
    for (uint16_t n = 0; n <= 4; n++) {
        size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
        put16(frame + 38, 8U + n);
        put16(frame + 40, 0);
        rig_receive(&rig, frame, length);
        expect_data("data", n);
    }
    rig_expect_health(&rig);
}

static void checksum_0_and_ffff(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
    put16(frame + 40, 0); /* none */
    rig_receive(&rig, frame, length);
    expect_data("data", 4);
    length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
    put16(frame + 40, 0xFFFF); /* wrong */
    expect_drop(frame, length, NET_DROP_UDP);
    /* Data whose sum is 0: the checksum is sent as FFFF, and that is right. */
    for (uint32_t tail = 0; tail < 65536; tail++) {
        uint8_t data[4] = {0, 0, (uint8_t)(tail >> 8), (uint8_t)tail};
        length = make_udp(frame, PEER, 7, OURS, 5000, data, 4);
        if (get16(frame + 40) == 0xFFFF) {
            rig_receive(&rig, frame, length);
            expect_data(data, 4);
            rig_expect_health(&rig);
            return;
        }
    }
    fail();
}

static void checksum_wrong(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
    for (size_t at = 34; at < length; at++) {
        make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
        frame[at] ^= 0x01;
        uint32_t before = rig_dropped(&rig, NET_DROP_UDP);
        rig_receive(&rig, frame, length);
        assert_int_equal(rig_dropped(&rig, NET_DROP_UDP), before + 1);
    }
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void port_0(void **state)
{
    (void)state;
    uint8_t frame[128];
    expect_drop(frame, make_udp(frame, PEER, 7, OURS, 0, "data", 4), NET_DROP_UDP);
    rig_receive(&rig, frame, make_udp(frame, PEER, 0, OURS, 5000, "data", 4)); /* 0 says: no answer wanted */
    expect_data("data", 4);
    assert_int_equal(udp_send(&server, PEER, 0, "x", 1), NET_ERROR_ARGUMENT);
    rig_expect_health(&rig);
}

static void closed_port(void **state)
{
    (void)state;
    uint8_t frame[128];
    unsigned answers = 0;
    for (uint16_t port = 6000; port < 6100; port++) {
        rig_receive(&rig, frame, make_udp(frame, PEER, 7, OURS, port, "data", 4));
        for (const struct frame *answer; (answer = rig_sent(&rig)) != NULL; answers++) {
            assert_int_equal(get16(answer->bytes + 34), 0x0303);
            assert_int_equal(get16(answer->bytes + 64), port);
        }
    }
    assert_int_equal(answers, 10);
    rig_expect_health(&rig);
}

/* Those who send faster than the application fetches lose: one datagram at a time, none kept. */
static void queue_of_one(void **state)
{
    (void)state;
    uint8_t frame[128];
    struct udp_socket other;
    struct udp_datagram datagram;
    assert_int_equal(udp_open(&other, &rig.net, 5001), NET_OK);
    rig_queue(&rig, frame, make_udp(frame, PEER, 7, OURS, 5000, "one", 3));
    rig_queue(&rig, frame, make_udp(frame, PEER, 7, OURS, 5000, "two", 3));
    rig_queue(&rig, frame, make_udp(frame, PEER, 7, OURS, 5001, "three", 5));
    assert_true(net_poll(&rig.net, rig.now));
    expect_data("one", 3);
    assert_true(net_poll(&rig.net, rig.now));
    assert_true(net_poll(&rig.net, rig.now)); /* not fetched: gone, for another's sake too */
    assert_false(udp_receive(&server, &datagram));
    assert_true(udp_receive(&other, &datagram));
    assert_memory_equal(datagram.data, "three", 5);
    rig_poll(&rig);
    assert_int_equal(rig.fake.lent_total, rig.fake.returned_total);
    rig_receive(&rig, frame, make_udp(frame, PEER, 7, OURS, 5001, "four", 4));
    udp_close(&other); /* while it has one */
    rig_poll(&rig);
    assert_int_equal(rig.fake.lent_total, rig.fake.returned_total);
    rig_expect_health(&rig);
}

static void many_sockets(void **state)
{
    (void)state;
    static struct udp_socket sockets[200];
    uint8_t frame[128];
    struct udp_datagram datagram;
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(udp_open(&sockets[i], &rig.net, 0), NET_OK);
        assert_true(udp_port(&sockets[i]) >= 49152);
        for (unsigned j = 0; j < i; j++) {
            assert_int_not_equal(udp_port(&sockets[i]), udp_port(&sockets[j]));
        }
    }
    for (unsigned i = 0; i < 200; i++) {
        rig_receive(&rig, frame, make_udp(frame, PEER, 7, OURS, udp_port(&sockets[i]), "data", 4));
        assert_true(udp_receive(&sockets[i], &datagram));
    }
    for (unsigned i = 0; i < 200; i++) {
        udp_close(&sockets[i * 7 % 200]);
        udp_close(&sockets[i * 7 % 200]); /* twice does no harm */
    }
    rig_expect_health(&rig);
}

static void broadcast(void **state)
{
    (void)state;
    static const uint32_t addresses[] = {0xFFFFFFFF, 0x0A0000FF};
    uint8_t frame[128];
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(udp_send(&server, addresses[i], 7, "all", 3), NET_OK);
        assert_memory_equal(rig_sent(&rig)->bytes, everyone, 6);
        size_t length = make_udp(frame, PEER, 7, addresses[i], 5000, "all", 3);
        memcpy(frame, everyone, 6);
        rig_receive(&rig, frame, length);
        expect_data("all", 3);
        length = make_udp(frame, PEER, 7, addresses[i], 5001, "all", 3);
        memcpy(frame, everyone, 6);
        rig_receive(&rig, frame, length);
        rig_nothing_sent(&rig);
    }
    rig_expect_health(&rig);
}

#if NET_WITH_UDP_OPTIONS

static void connected(void **state)
{
    (void)state;
    uint8_t frame[128];
    struct udp_datagram datagram;
    assert_int_equal(udp_send(&server, 0, 0, "x", 1), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_connect(&server, PEER, 0), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_connect(&server, 0, 7), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_connect(&server, 0xE0000001, 7), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_connect(&server, PEER, 7), NET_OK);
    rig_receive(&rig, frame, make_udp(frame, PEER, 7, OURS, 5000, "data", 4));
    expect_data("data", 4);
    expect_drop(frame, make_udp(frame, PEER, 8, OURS, 5000, "data", 4), NET_DROP_UDP_PORT);
    expect_drop(frame, make_udp(frame, PEER + 8, 7, OURS, 5000, "data", 4), NET_DROP_UDP_PORT);
    assert_int_equal(udp_send(&server, 0, 0, "x", 1), NET_ERROR_NEIGHBOUR);
    rig_resolve(&rig);
    assert_int_equal(udp_send(&server, 0, 0, "x", 1), NET_OK);
    const struct frame *sent = rig_sent(&rig);
    assert_int_equal(get32(sent->bytes + 30), PEER);
    assert_int_equal(get16(sent->bytes + 36), 7);
    assert_int_equal(udp_connect(&server, 0, 0), NET_OK);
    rig_receive(&rig, frame, make_udp(frame, PEER + 8, 8, OURS, 5000, "data", 4));
    assert_true(udp_receive(&server, &datagram));
    assert_int_equal(datagram.destination, OURS);
    assert_int_equal(datagram.ttl, 64);
    rig_expect_health(&rig);
}

static void ttl_and_dscp(void **state)
{
    (void)state;
    assert_int_equal(udp_send(&server, PEER, 7, "x", 1), NET_ERROR_NEIGHBOUR);
    rig_resolve(&rig);
    assert_int_equal(udp_send(&server, PEER, 7, "x", 1), NET_OK);
    const struct frame *sent = rig_sent(&rig);
    assert_int_equal(sent->bytes[22], 64);
    assert_int_equal(sent->bytes[15], 0);
    assert_int_equal(udp_send(&server, OURS, 7, "x", 1), NET_ERROR_ARGUMENT); /* there is no loopback */
    udp_set_ttl(&server, 255);
    udp_set_dscp(&server, 46);
    assert_int_equal(udp_send(&server, PEER, 7, "x", 1), NET_OK);
    sent = rig_sent(&rig);
    assert_int_equal(sent->bytes[22], 255);
    assert_int_equal(sent->bytes[15], 46 << 2);
#if NET_WITH_FRAGMENTS
    static const uint8_t large[2000];
    assert_int_equal(udp_send(&server, PEER, 7, large, sizeof large), NET_OK);
    for (int i = 0; i < 2; i++) {
        sent = rig_sent(&rig);
        assert_int_equal(sent->bytes[22], 255);
        assert_int_equal(sent->bytes[15], 46 << 2);
    }
#endif
    udp_set_ttl(&server, 0);
    udp_set_dscp(&server, 0);
    assert_int_equal(udp_send(&server, PEER, 7, "x", 1), NET_OK);
    assert_int_equal(rig_sent(&rig)->bytes[22], 64);
    rig_expect_health(&rig);
}

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(length_below_8),
        TEST(length_beyond_the_ip_payload),
        TEST(length_unequal_to_the_ip_payload),
        TEST(checksum_0_and_ffff),
        TEST(checksum_wrong),
        TEST(port_0),
        TEST(closed_port),
        TEST(queue_of_one),
        TEST(many_sockets),
        TEST(broadcast),
#if NET_WITH_UDP_OPTIONS
        TEST(connected),
        TEST(ttl_and_dscp),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
