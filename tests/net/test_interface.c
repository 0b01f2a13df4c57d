/* What the layers below TCP do when all is well; hostile input: test_hostile_*.c. */
#include "rig.h"

#include <string.h>

#include "rig_case.h"

static void arp_answers_in_place(void **state)
{
    (void)state;
    uint8_t frame[64];
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    const struct frame *reply = rig_sent(&rig);
    assert_non_null(reply);
    assert_memory_equal(reply->bytes, peer_mac, 6);
    assert_int_equal(get16(reply->bytes + 20), 2);
    assert_memory_equal(reply->bytes + 22, our_mac, 6);
    assert_int_equal(get32(reply->bytes + 28), OURS);
    assert_memory_equal(reply->bytes + 32, peer_mac, 6);
    assert_int_equal(get32(reply->bytes + 38), PEER);
    /* RFC 5227 probe: answered, not learned. For another target: silence. */
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, 0, OURS));
    assert_non_null(rig_sent(&rig));
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS + 1));
    rig_nothing_sent(&rig);
}

static void arp_requests_are_limited(void **state)
{
    (void)state;
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_OK);
    unsigned requests = 0;
    for (unsigned i = 0; i < 10000; i += 10) {
        rig_advance(&rig, 10);
        for (; rig_sent(&rig); requests++) {
        }
    }
    assert_in_range(requests, 9, 11); /* one a second */
    tcp_abort(&rig.tcp);
}

static void arp_entry_is_refreshed_and_dies(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_run(&rig, 301000); /* aged: the next use asks again and goes on with the old one */
    rig_nothing_sent(&rig);
    rig_write(&rig, "x", 1);
    const struct frame *request = rig_sent(&rig);
    assert_int_equal(get16(request->bytes + 12), 0x0806);
    rig_expect_segment(&rig, ACK | PSH);
    uint8_t frame[64];
    rig_receive(&rig, frame, make_arp(frame, 2, peer_mac, PEER, OURS));
    rig_segment(&rig, rig.seq, ++rig.ack, ACK, 8192, NULL, 0);
    rig_expect_health(&rig);
}

static void arp_follows_a_changed_address(void **state)
{
    (void)state;
    static const uint8_t other[6] = {2, 0, 0, 0, 7, 7};
    rig_connect(&rig);
    uint8_t frame[64];
    rig_receive(&rig, frame, make_arp(frame, 1, other, PEER, PEER)); /* gratuitous: updates an entry */
    rig_write(&rig, "x", 1);
    assert_memory_equal(rig_sent(&rig)->bytes, other, 6);
}

static void ipv4_padding_is_ignored(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_echo(frame, 12);
    memset(frame + length, 0xEE, 60 - length);
    rig_receive(&rig, frame, 60);
    assert_int_equal(rig_sent(&rig)->length, length);
    rig_expect_health(&rig);
}

static void icmp_echo(void **state)
{
    (void)state;
    uint8_t frame[1600];
    for (uint16_t length = 8; length <= 1480; length = (uint16_t)(length * 2 + 1)) {
        size_t total = make_echo(frame, length);
        rig_receive(&rig, frame, total);
        const struct frame *reply = rig_sent(&rig); /* its checksums were verified by the device */
        assert_int_equal(reply->length, total);
        assert_int_equal(reply->bytes[34], 0);
        assert_int_equal(get32(reply->bytes + 30), PEER);
        assert_memory_equal(reply->bytes + 38, frame + 38, total - 38);
    }
}

static void udp_expect(struct udp_socket *socket, const void *data, size_t length)
{
    struct udp_datagram datagram;
    assert_true(udp_receive(socket, &datagram));
    assert_int_equal(datagram.length, length);
    assert_int_equal(datagram.source, PEER);
    assert_int_equal(datagram.source_port, 7);
    assert_memory_equal(datagram.data, data, length);
    assert_false(udp_receive(socket, &datagram));
}

static void udp_receives(void **state)
{
    (void)state;
    struct udp_socket socket, other;
    struct udp_datagram datagram;
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    assert_int_equal(udp_open(&other, &rig.net, 5000), NET_ERROR_PORT_IN_USE);
    assert_int_equal(udp_open(&other, &rig.net, 68), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_open(&other, &rig.net, 0), NET_OK);
    assert_true(udp_port(&other) >= 49152);
    uint8_t frame[1600];
    size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
    rig_receive(&rig, frame, length);
    udp_expect(&socket, "data", 4);
    rig_receive(&rig, frame, length); /* not fetched: gone at the next poll, the frame is back */
    rig_poll(&rig);
    assert_false(udp_receive(&socket, &datagram));
    put16(frame + 40, 0); /* no checksum */
    rig_receive(&rig, frame, length);
    udp_expect(&socket, "data", 4);
    put16(frame + 38, 10); /* shorter than the IP packet says */
    rig_receive(&rig, frame, length);
    udp_expect(&socket, "da", 2);
    length = make_udp(frame, PEER, 7, 0x0A0000FF, 5000, "all", 3); /* broadcast */
    memcpy(frame, everyone, 6);
    rig_receive(&rig, frame, length);
    udp_expect(&socket, "all", 3);
    udp_close(&socket);
    udp_close(&other);
    rig_expect_health(&rig);
}

/* A datagram whose computed checksum is 0 is sent with 0xFFFF. */
static void udp_sends(void **state)
{
    (void)state;
    struct udp_socket socket;
    uint8_t data[1472];
    memset(data, 0x5A, sizeof data);
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    assert_int_equal(udp_send(&socket, PEER, 7, data, 10), NET_ERROR_NEIGHBOUR);
    rig_resolve(&rig);
    for (uint32_t i = 0; i < 65536 / 64; i++) {
        put16(data, i * 64 + 17);
        assert_int_equal(udp_send(&socket, PEER, 7, data, 2 + i % 300), NET_OK);
        const struct frame *frame = rig_sent(&rig);
        assert_int_equal(frame->length, 42 + 2 + i % 300);
        assert_memory_equal(frame->bytes + 42, data, 2 + i % 300);
        assert_int_not_equal(get16(frame->bytes + 40), 0);
    }
    rig.fake.keeps = true;
    assert_int_equal(udp_send(&socket, PEER, 7, data, sizeof data), NET_OK);
    assert_true(udp_busy(&socket));
    rig.fake.ticket_done = rig.fake.ticket;
    assert_false(udp_busy(&socket));
    assert_int_equal(udp_send(&socket, PEER, 7, data, NET_WITH_FRAGMENTS ? 65500 : sizeof data + 1),
                     NET_ERROR_TOO_LONG);
    assert_int_equal(udp_send(&socket, PEER, 0, data, 1), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_send(&socket, 0x7F000001, 7, data, 1), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_send(&socket, 0xE0000001, 7, data, 1), NET_WITH_IGMP ? NET_OK : NET_ERROR_ARGUMENT);
    rig.fake.full = true;
    assert_int_equal(udp_send(&socket, PEER, 7, data, 1), NET_ERROR_BUSY);
    net_link(&rig.net, false, rig.now);
    assert_int_equal(udp_send(&socket, PEER, 7, data, 1), NET_ERROR_DOWN);
    udp_close(&socket);
}

static void udp_closed_port_is_answered_within_limits(void **state)
{
    (void)state;
    uint8_t frame[1600];
    size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
    unsigned answers = 0;
    for (unsigned i = 0; i < 50; i++) {
        rig_receive(&rig, frame, length);
        const struct frame *answer = rig_sent(&rig);
        if (answer) {
            answers++;
            assert_int_equal(get16(answer->bytes + 34), 0x0303);
            assert_memory_equal(answer->bytes + 42, frame + 14, 28);
        }
    }
    assert_int_equal(answers, 10);
    memcpy(frame, everyone, 6);
    put32(frame + 30, 0xFFFFFFFF);
    put16(frame + 40, 0);
    fix_ipv4(frame);
    rig_advance(&rig, 2000);
    rig_receive(&rig, frame, length); /* broadcast: never */
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void full_transmit_ring(void **state)
{
    (void)state;
    uint8_t frame[128];
    rig.fake.full = true;
    rig_receive(&rig, frame, make_echo(frame, 32));
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_receive(&rig, frame, make_udp(frame, PEER, 7, OURS, 5000, "data", 4));
    rig_nothing_sent(&rig);
    rig.fake.full = false;
    rig_expect_health(&rig);
}

static void offloaded_checksums(void **state)
{
    (void)state;
    rig_close(&rig);
    rig_open(&rig, 512, 512, NET_DEVICE_CHECKSUM_TX | NET_DEVICE_CHECKSUM_RX);
    uint8_t frame[128];
    size_t length = make_echo(frame, 40);
    frame[24] ^= 1; /* the device has checked: we do not */
    frame[36] ^= 1;
    rig_receive(&rig, frame, length);
    const struct frame *reply = rig_sent(&rig);
    assert_non_null(reply);
    rig_connect(&rig);
    rig_write(&rig, "x", 1);
    rig_expect_segment(&rig, ACK | PSH);
}

static uint16_t sent_id(uint32_t destination)
{
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_int_equal(get32(frame->bytes + 30), destination);
    return (uint16_t)get16(frame->bytes + 18);
}

/* They differ to one host, and to others are, where datagrams are sent in fragments, others. */
static void identifications(void **state) /* RFC 6864 4.3, RFC 7739 3 */
{
    (void)state;
    uint32_t hosts[] = {PEER, PEER + 5};
    uint8_t frame[64];
    struct udp_socket socket;
    uint16_t ids[2][20];
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    for (unsigned i = 0; i < 2; i++) {
        rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, hosts[i], OURS));
        assert_non_null(rig_sent(&rig));
    }
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(udp_send(&socket, hosts[i % 2], 7, "some data that is sent", 22), NET_OK);
        ids[i % 2][i / 2] = sent_id(hosts[i % 2]);
    }
    unsigned shared = 0;
    for (unsigned i = 0; i < 20; i++) {
        for (unsigned k = 0; k < 20; k++) {
            assert_true(i == k || ids[0][i] != ids[0][k]);
            assert_true(i == k || ids[1][i] != ids[1][k]);
            uint16_t ahead = (uint16_t)(ids[1][k] - ids[0][i]);
            shared += ahead < 100 || ahead > UINT16_MAX - 100;
        }
    }
    assert_int_equal(shared, NET_WITH_FRAGMENTS ? 0 : 400);
    udp_close(&socket);
}

/* Of the segments of a connection, which are counted by no one else. */
static void identifications_of_segments(void **state)
{
    (void)state;
    uint16_t ids[64];
    rig_connect(&rig);
    for (unsigned i = 0; i < 64; i++) {
        uint8_t data[256] = {0};
        rig_write(&rig, data, sizeof data);
        ids[i] = sent_id(PEER);
        for (unsigned k = 0; k < i; k++) {
            assert_int_not_equal(ids[k], ids[i]);
        }
        rig.ack += sizeof data;
        rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, NULL, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(arp_answers_in_place),
        TEST(arp_requests_are_limited),
        TEST(arp_entry_is_refreshed_and_dies),
        TEST(arp_follows_a_changed_address),
        TEST(ipv4_padding_is_ignored),
        TEST(icmp_echo),
        TEST(udp_receives),
        TEST(udp_sends),
        TEST(udp_closed_port_is_answered_within_limits),
        TEST(full_transmit_ring),
        TEST(identifications),
        TEST(identifications_of_segments),
        TEST(offloaded_checksums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
