/* Hostile frames of the classes Ethernet, ARP, IPv4, fragments, ICMP, UDP; and what the layers do when all is
 * well. */
#include "rig.h"

#include <string.h>

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    rig_open(&rig, 512, 512, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static uint32_t dropped(enum net_drop reason)
{
    return net_statistics(&rig.net)->dropped[reason];
}

/* The frame is dropped for this reason, nothing is answered, and all goes on. */
static void expect_drop(const uint8_t *frame, size_t length, enum net_drop reason)
{
    uint32_t before = dropped(reason);
    rig_discard_sent(&rig);
    rig_receive(&rig, frame, length);
    assert_int_equal(dropped(reason), before + 1);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void ethernet_runt(void **state)
{
    (void)state;
    uint8_t frame[64];
    make_echo(frame, 16);
    for (size_t length = 1; length < 14; length++) {
        expect_drop(frame, length, NET_DROP_ETHERNET);
    }
    expect_drop(frame, 14, NET_DROP_IPV4_HEADER);
}

static void ethernet_length_field_vlan_and_strangers(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t length = make_echo(frame, 16);
    put16(frame + 12, 1500); /* IEEE 802.3 length beyond the frame */
    expect_drop(frame, length, NET_DROP_ETHERTYPE);
    put16(frame + 12, 0x8100); /* VLAN tag, cut off */
    expect_drop(frame, 14, NET_DROP_ETHERTYPE);
    expect_drop(frame, 16, NET_DROP_ETHERTYPE);
    length = make_echo(frame, 16);
    frame[5] ^= 1;
    expect_drop(frame, length, NET_DROP_ETHERNET);
    length = make_echo(frame, 16);
    frame[6] |= 1; /* group address as source */
    expect_drop(frame, length, NET_DROP_ETHERNET);
    length = make_echo(frame, 16);
    memcpy(frame + 6, our_mac, 6);
    expect_drop(frame, length, NET_DROP_ETHERNET);
}

static void arp_malformed(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t length = make_arp(frame, 1, peer_mac, PEER, OURS);
    for (size_t cut = 14; cut < length; cut++) {
        expect_drop(frame, cut, NET_DROP_ARP);
    }
    for (size_t at = 14; at < 20; at++) { /* hardware, protocol, hlen, plen */
        frame[at] ^= 1;
        expect_drop(frame, length, NET_DROP_ARP);
        frame[at] ^= 1;
    }
    put16(frame + 20, 3);
    expect_drop(frame, length, NET_DROP_ARP);
}

static void arp_impossible_sender(void **state)
{
    (void)state;
    static const uint32_t addresses[] = {OURS, 0x0A0000FF, 0xFFFFFFFF, 0xE0000001, 0x7F000001};
    uint8_t frame[64];
    for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        expect_drop(frame, make_arp(frame, 1, peer_mac, addresses[i], OURS), NET_DROP_ARP);
    }
    static const uint8_t macs[][6] = {
        {255, 255, 255, 255, 255, 255}, {1, 0, 0x5E, 0, 0, 1}, {0}, {2, 0, 0, 0, 0, 2}};
    for (unsigned i = 0; i < sizeof macs / sizeof *macs; i++) {
        size_t length = make_arp(frame, 1, peer_mac, PEER, OURS);
        memcpy(frame + 22, macs[i], 6);
        expect_drop(frame, length, NET_DROP_ARP);
    }
}

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

/* "Gratuitous ARP flood that would evict the gateway". */
static void arp_flood_leaves_the_gateway(void **state)
{
    (void)state;
    rig_connect(&rig);
    uint8_t frame[64];
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t mac[6] = {2, 9, 9, 9, (uint8_t)(i >> 8), (uint8_t)i};
        uint32_t sender = 0x0A000003 + i % 250;
        rig_receive(&rig, frame, make_arp(frame, 1, mac, sender, i % 2 ? sender : OURS));
        rig_discard_sent(&rig);
    }
    rig_expect_health(&rig); /* without a new ARP exchange */
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

static void ipv4_header(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_echo(frame, 32);
    static const struct {
        uint8_t at, value;
    } cases[] = {{0, 0x55}, {0, 0x35}, {0, 0x44}, {0, 0x40}, {2, 0x10}, {3, 19}, {3, 0}, {3, 53}, {8, 0}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        length = make_echo(frame, 32);
        frame[14 + cases[i].at] = cases[i].value;
        if (cases[i].value != 0x40 && cases[i].value != 0x44) {
            fix_ipv4(frame);
        }
        expect_drop(frame, length, NET_DROP_IPV4_HEADER);
    }
    make_echo(frame, 32);
    frame[14] = 0x4B; /* IHL above the header present */
    expect_drop(frame, 14 + 20, NET_DROP_IPV4_HEADER);
    put16(frame + 16, 20); /* and total length below IHL * 4 */
    expect_drop(frame, length, NET_DROP_IPV4_HEADER);
    make_echo(frame, 32);
    for (size_t cut = 14; cut < length; cut++) {
        expect_drop(frame, cut, NET_DROP_IPV4_HEADER);
    }
    make_echo(frame, 32);
    frame[24] ^= 1;
    expect_drop(frame, length, NET_DROP_IPV4_CHECKSUM);
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

static void ipv4_addresses(void **state)
{
    (void)state;
    static const uint32_t sources[] = {0xFFFFFFFF, 0x0A0000FF, 0xE0000001, 0, 0x7F000001, OURS, 0xF0000001};
    uint8_t frame[128], payload[32] = {8};
    for (unsigned i = 0; i < sizeof sources / sizeof *sources; i++) {
        expect_drop(frame, make_ipv4(frame, sources[i], OURS, 1, payload, 32), NET_DROP_IPV4_ADDRESS);
    }
    static const uint32_t destinations[] = {OURS + 1, 0xE0000001, 0x7F000001, 0};
    for (unsigned i = 0; i < sizeof destinations / sizeof *destinations; i++) {
        expect_drop(frame, make_ipv4(frame, PEER, destinations[i], 1, payload, 32), NET_DROP_IPV4_ADDRESS);
    }
    size_t length =
        make_tcp(&rig, frame, 1, 0, SYN, 100, NULL, 0); /* unicast IP inside a broadcast frame with TCP */
    memcpy(frame, everyone, 6);
    expect_drop(frame, length, NET_DROP_IPV4_ADDRESS);
}

static void ipv4_options(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[4];
        bool good;
    } cases[] = {
        {{7, 0, 0, 0}, false}, {{7, 1, 0, 0}, false},   {{7, 5, 4, 0}, false},
        {{1, 1, 1, 7}, false}, {{131, 3, 9, 0}, false}, {{137, 3, 4, 0}, false},
        {{1, 1, 1, 0}, true},  {{148, 4, 0, 0}, true},  {{0, 7, 0, 0}, true},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t frame[128], icmp[64];
        size_t length = make_echo(frame, 24);
        memcpy(icmp, frame + 34, 24);
        memmove(frame + 38, icmp, 24);
        memcpy(frame + 34, cases[i].bytes, 4);
        frame[14] = 0x46;
        put16(frame + 16, 48);
        fix_ipv4(frame);
        if (!cases[i].good) {
            expect_drop(frame, length + 4, NET_DROP_IPV4_HEADER);
            continue;
        }
        rig_discard_sent(&rig);
        rig_receive(&rig, frame, length + 4);
        assert_non_null(rig_sent(&rig));
        rig_expect_health(&rig);
    }
}

static void ipv4_in_ipv4_is_no_protocol_of_ours(void **state) /* Ripple20 */
{
    (void)state;
    uint8_t frame[128], inner[64];
    size_t length = make_echo(inner, 20);
    uint32_t before = dropped(NET_DROP_IPV4_PROTOCOL);
    rig_receive(&rig, frame, make_ipv4(frame, PEER, OURS, 4, inner + 14, length - 14));
    assert_int_equal(dropped(NET_DROP_IPV4_PROTOCOL), before + 1);
    const struct frame *answer = rig_sent(&rig);
    assert_int_equal(answer->bytes[34], 3);
    assert_int_equal(answer->bytes[35], 2);
    assert_memory_equal(answer->bytes + 42, frame + 14, 28);
    rig_expect_health(&rig);
}

/* All of the class "Fragments": none is ever kept. */
static void fragments(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0x2000, 0x2001, 0x0001, 0x1FFF, 0x3FFF, 0x6000};
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint8_t frame[128];
        size_t length = make_echo(frame, 24);
        put16(frame + 20, fields[i]);
        fix_ipv4(frame);
        expect_drop(frame, length, NET_DROP_IPV4_FRAGMENT);
        length = make_ipv4(frame, PEER, OURS, 6, "", 0); /* zero length */
        put16(frame + 20, fields[i]);
        fix_ipv4(frame);
        expect_drop(frame, length, NET_DROP_IPV4_FRAGMENT);
    }
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

static void icmp_hostile(void **state)
{
    (void)state;
    uint8_t frame[1600];
    for (uint16_t length = 0; length < 8; length++) { /* echo truncated */
        uint8_t icmp[8] = {8};
        expect_drop(frame, make_ipv4(frame, PEER, OURS, 1, icmp, length), NET_DROP_ICMP);
    }
    size_t length = make_echo(frame, 32);
    frame[60] ^= 1;
    expect_drop(frame, length, NET_DROP_ICMP);
    length = make_echo(frame, 32); /* echo to broadcast */
    put32(frame + 30, 0x0A0000FF);
    fix_ipv4(frame);
    memcpy(frame, everyone, 6);
    expect_drop(frame, length, NET_DROP_IPV4_ADDRESS);
    /* Unreachable, source quench, redirect, time exceeded, with no or a forged quote, MTU 0: ignored. */
    static const uint8_t types[] = {0, 3, 4, 5, 11, 12, 13, 255};
    for (unsigned i = 0; i < sizeof types; i++) {
        for (unsigned quote = 0; quote <= 28; quote += 14) {
            uint8_t icmp[64] = {types[i], 4};
            put16(icmp + 2, plain_checksum(0, icmp, 8 + quote));
            expect_drop(frame, make_ipv4(frame, PEER, OURS, 1, icmp, 8 + quote), NET_DROP_ICMP);
        }
    }
}

static void udp_hostile(void **state)
{
    (void)state;
    struct udp_socket socket;
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    uint8_t frame[1600];
    for (size_t n = 0; n < 8; n++) {
        expect_drop(frame, make_ipv4(frame, PEER, OURS, 17, "\x13\x88\x13\x88\0\7\0\0", n), NET_DROP_UDP);
    }
    static const uint16_t lengths[] = {0, 7, 13, 1000, 65535};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
        put16(frame + 38, lengths[i]);
        put16(frame + 40, 0);
        expect_drop(frame, length, NET_DROP_UDP);
    }
    size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
    frame[44] ^= 1;
    expect_drop(frame, length, NET_DROP_UDP);
    expect_drop(frame, make_udp(frame, PEER, 7, OURS, 0, "data", 4), NET_DROP_UDP);
    udp_close(&socket);
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
    assert_int_equal(udp_send(&socket, PEER, 7, data, sizeof data + 1), NET_ERROR_TOO_LONG);
    assert_int_equal(udp_send(&socket, PEER, 0, data, 1), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_send(&socket, 0xE0000001, 7, data, 1), NET_ERROR_ARGUMENT);
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ethernet_runt),
        TEST(ethernet_length_field_vlan_and_strangers),
        TEST(arp_malformed),
        TEST(arp_impossible_sender),
        TEST(arp_answers_in_place),
        TEST(arp_flood_leaves_the_gateway),
        TEST(arp_requests_are_limited),
        TEST(arp_entry_is_refreshed_and_dies),
        TEST(arp_follows_a_changed_address),
        TEST(ipv4_header),
        TEST(ipv4_padding_is_ignored),
        TEST(ipv4_addresses),
        TEST(ipv4_options),
        TEST(ipv4_in_ipv4_is_no_protocol_of_ours),
        TEST(fragments),
        TEST(icmp_echo),
        TEST(icmp_hostile),
        TEST(udp_hostile),
        TEST(udp_receives),
        TEST(udp_sends),
        TEST(udp_closed_port_is_answered_within_limits),
        TEST(full_transmit_ring),
        TEST(offloaded_checksums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
