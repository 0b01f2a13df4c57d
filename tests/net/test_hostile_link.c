/* The class "Ethernet, ARP" of hostile input. */
#include "rig.h"

#include <string.h>

#include "rig_case.h"

static void ethernet_runt(void **state)
{
    (void)state;
    uint8_t frame[64];
    make_echo(frame, 16);
    for (size_t length = 1; length < 14; length++) {
        rig_expect_drop(&rig, frame, length, NET_DROP_ETHERNET);
    }
    rig_expect_drop(&rig, frame, 14, NET_DROP_IPV4_HEADER);
}

static void ethernet_length_field_vlan_and_strangers(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t length = make_echo(frame, 16);
    put16(frame + 12, 1500); /* IEEE 802.3 length beyond the frame */
    rig_expect_drop(&rig, frame, length, NET_DROP_ETHERTYPE);
    put16(frame + 12, 0x8100); /* VLAN tag, cut off */
    rig_expect_drop(&rig, frame, 14, NET_DROP_ETHERTYPE);
    rig_expect_drop(&rig, frame, 16, NET_DROP_ETHERTYPE);
    length = make_echo(frame, 16);
    frame[5] ^= 1;
    rig_expect_drop(&rig, frame, length, NET_DROP_ETHERNET);
    length = make_echo(frame, 16);
    frame[6] |= 1; /* group address as source */
    rig_expect_drop(&rig, frame, length, NET_DROP_ETHERNET);
    length = make_echo(frame, 16);
    memcpy(frame + 6, our_mac, 6);
    rig_expect_drop(&rig, frame, length, NET_DROP_ETHERNET);
}

static void arp_malformed(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t length = make_arp(frame, 1, peer_mac, PEER, OURS);
    for (size_t cut = 14; cut < length; cut++) {
        rig_expect_drop(&rig, frame, cut, NET_DROP_ARP);
    }
    for (size_t at = 14; at < 20; at++) { /* hardware, protocol, hlen, plen */
        frame[at] ^= 1;
        rig_expect_drop(&rig, frame, length, NET_DROP_ARP);
        frame[at] ^= 1;
    }
    put16(frame + 20, 3);
    rig_expect_drop(&rig, frame, length, NET_DROP_ARP);
}

static void arp_impossible_sender(void **state)
{
    (void)state;
    static const uint32_t addresses[] = {OURS, 0x0A0000FF, 0xFFFFFFFF, 0xE0000001, 0x7F000001};
    uint8_t frame[64];
    for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        rig_expect_drop(&rig, frame, make_arp(frame, 1, peer_mac, addresses[i], OURS), NET_DROP_ARP);
    }
    static const uint8_t macs[][6] = {
        {255, 255, 255, 255, 255, 255}, {1, 0, 0x5E, 0, 0, 1}, {0}, {2, 0, 0, 0, 0, 2}};
    for (unsigned i = 0; i < sizeof macs / sizeof *macs; i++) {
        size_t length = make_arp(frame, 1, peer_mac, PEER, OURS);
        memcpy(frame + 22, macs[i], 6);
        rig_expect_drop(&rig, frame, length, NET_DROP_ARP);
    }
}

/* Spoofed senders, gratuitous and asking us, while we talk to a host by way of the gateway. */
static void arp_flood_that_would_evict_the_gateway(void **state)
{
    (void)state;
    uint8_t frame[64], payload[4] = "data";
    rig_connect(&rig); /* to the gateway itself */
    struct udp_socket socket;
    assert_int_equal(udp_open(&socket, &rig.net, 0), NET_OK);
    const uint32_t neighbour = 0x0A0000FE;
    assert_int_equal(udp_send(&socket, neighbour, 9, payload, 4), NET_ERROR_NEIGHBOUR);
    rig_receive(&rig, frame, make_arp(frame, 2, (const uint8_t[6]){2, 0, 0, 0, 0, 254}, neighbour, OURS));
    rig_discard_sent(&rig);
    for (uint32_t i = 0; i < 10000; i++) {
        uint8_t mac[6] = {2, 9, 9, 9, (uint8_t)(i >> 8), (uint8_t)i};
        uint32_t sender = 0x0A000003 + i % 250;
        uint16_t operation = i % 3 == 0 ? 2 : 1;
        rig_receive(&rig, frame, make_arp(frame, operation, mac, sender, i % 2 ? sender : OURS));
        rig_discard_sent(&rig);
        if (i % 100 == 0) { /* a host elsewhere: the gateway is known all the time */
            assert_int_equal(udp_send(&socket, 0x08080808, 9, payload, 4), NET_OK);
            assert_memory_equal(rig_sent(&rig)->bytes, peer_mac, 6);
        }
    }
    assert_int_equal(udp_send(&socket, neighbour, 9, payload, 4), NET_OK); /* nor is who was talked to */
    udp_close(&socket);
    rig_expect_health(&rig); /* without a new ARP exchange */
}

/* All places taken by hosts that do not answer: an answer for each call, and room again when they are given
 * up. */
static void neighbours_exhausted(void **state)
{
    (void)state;
    struct udp_socket socket;
    unsigned requests = 0;
    assert_int_equal(udp_open(&socket, &rig.net, 0), NET_OK);
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(udp_send(&socket, 0x0A000010 + i, 9, "x", 1), NET_ERROR_NEIGHBOUR);
        for (; rig_sent(&rig); requests++) {
        }
    }
    assert_int_equal(requests, NET_NEIGHBOURS);
    rig_run(&rig, 4000);
    rig_discard_sent(&rig);
    for (int i = 0; i < NET_NEIGHBOURS; i++) {
        assert_int_equal(rig.net.neighbours[i].state, NEIGHBOUR_FREE);
    }
    udp_close(&socket);
    rig_expect_health(&rig);
}

/* As many frames as a device may hold, good and bad: each goes back. */
static void receive_descriptors_taken(void **state)
{
    (void)state;
    uint8_t frame[128];
    rig_connect(&rig);
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < RIG_QUEUE; i++) {
            size_t length = i % 3 == 0   ? make_echo(frame, 32)
                            : i % 3 == 1 ? make_udp(frame, PEER, 7, OURS, 5000, "data", 4)
                                         : make_arp(frame, 1, peer_mac, PEER, OURS);
            rig_queue(&rig, frame, i % 7 == 0 ? length / 2 : length);
        }
        unsigned polls = 0;
        while (net_poll(&rig.net, rig.now)) {
            assert_true(++polls <= RIG_QUEUE + 1);
            rig_discard_sent(&rig);
        }
    }
    rig_expect_health(&rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ethernet_runt),
        TEST(ethernet_length_field_vlan_and_strangers),
        TEST(arp_malformed),
        TEST(arp_impossible_sender),
        TEST(arp_flood_that_would_evict_the_gateway),
        TEST(neighbours_exhausted),
        TEST(receive_descriptors_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
