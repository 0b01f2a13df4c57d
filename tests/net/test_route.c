/* Several addresses, and the way that a packet takes. */
#include "rig.h"

#include <string.h>

#if NET_WITH_ROUTES

#include "net/internal.h"

#include "rig_case.h"

enum { MASK_28 = (int)0xFFFFFFF0 };

/* To whom, and as whom, does the net turn to send there? 0: nobody. */
static uint32_t asks_for(uint32_t destination, uint32_t *as)
{
    struct udp_socket socket;
    uint32_t hop = 0;
    rig_run(&rig, 4000); /* the last question is given up */
    rig_discard_sent(&rig);
    assert_int_equal(udp_open(&socket, &rig.net, 0), NET_OK);
    assert_int_equal(udp_send(&socket, destination, 9, "x", 1), NET_ERROR_NEIGHBOUR);
    const struct frame *request = rig_sent(&rig);
    if (request) {
        hop = get32(request->bytes + 38);
        *as = get32(request->bytes + 28);
    }
    udp_close(&socket);
    return hop;
}

static void expect_way(uint32_t destination, uint32_t hop, uint32_t source)
{
    uint32_t as = 0;
    assert_int_equal(asks_for(destination, &as), hop);
    if (hop) {
        assert_int_equal(as, source);
    }
}

static void longest_prefix_wins(void **state)
{
    (void)state;
    assert_int_equal(net_add_route(&rig.net, 0xC0A80000, 0xFFFF0000, 0x0A000011), NET_OK);
    assert_int_equal(net_add_route(&rig.net, 0xC0A80100, 0xFFFFFF00, 0x0A000012), NET_OK);
    assert_int_equal(net_add_route(&rig.net, 0xC0A80105, 0xFFFFFFFF, 0x0A000013), NET_OK);
    expect_way(0xC0A80105, 0x0A000013, OURS);
    expect_way(0xC0A80106, 0x0A000012, OURS);
    expect_way(0xC0A80206, 0x0A000011, OURS);
    expect_way(0x08080808, PEER, OURS);
    expect_way(0x0A000044, 0x0A000044, OURS);
    assert_int_equal(net_remove_route(&rig.net, 0xC0A80100, 0xFFFFFF00), NET_OK);
    expect_way(0xC0A80106, 0x0A000011, OURS);
    assert_int_equal(net_remove_route(&rig.net, 0xC0A80100, 0xFFFFFF00), NET_ERROR_STATE);
}

static void a_route_changes_its_gateway(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(net_add_route(&rig.net, 0xC0A80000, 0xFFFF0000, 0x0A000011 + i % 9), NET_OK);
    }
    expect_way(0xC0A80105, 0x0A000011 + 99 % 9, OURS);
}

static void table_full(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NET_ROUTES; i++) {
        assert_int_equal(net_add_route(&rig.net, 0xC0A80000 + (i << 8), 0xFFFFFF00, 0x0A000011), NET_OK);
    }
    assert_int_equal(net_add_route(&rig.net, 0xC0A88800, 0xFFFFFF00, 0x0A000011), NET_ERROR_BUSY);
    assert_int_equal(net_remove_route(&rig.net, 0xC0A80000, 0xFFFFFF00), NET_OK);
    assert_int_equal(net_add_route(&rig.net, 0xC0A88800, 0xFFFFFF00, 0x0A000011), NET_OK);
}

static void impossible_routes_and_addresses(void **state)
{
    (void)state;
    assert_int_equal(net_add_route(&rig.net, 0xC0A80001, 0xFFFFFF00, 0x0A000011), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_route(&rig.net, 0xC0A80000, 0xFF00FF00, 0x0A000011), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_route(&rig.net, 0xC0A80000, 0xFFFFFF00, 0xE0000001), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_address(&rig.net, 0xE0000001, 0xFFFFFF00), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_address(&rig.net, 0xC0A801FF, 0xFFFFFF00), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_address(&rig.net, 0xC0A80100, 0xFFFFFF00), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_address(&rig.net, 0xC0A80101, 0), NET_ERROR_ARGUMENT);
    assert_int_equal(net_add_address(&rig.net, OURS, MASK), NET_ERROR_STATE);
    assert_int_equal(net_remove_address(&rig.net, 0), NET_ERROR_STATE);
    assert_int_equal(net_remove_address(&rig.net, 0xC0A80101), NET_ERROR_STATE);
    /* A gateway that is nobody's neighbour is passed over. */
    assert_int_equal(net_add_route(&rig.net, 0xC0A80000, 0xFFFF0000, 0xC0A80001), NET_OK);
    expect_way(0xC0A80105, PEER, OURS);
}

static void second_address(void **state)
{
    (void)state;
    const uint32_t second = 0xC0A80102, neighbour = 0xC0A80101;
    assert_int_equal(net_add_address(&rig.net, second, 0xFFFFFF00), NET_OK);
    assert_int_equal(net_add_address(&rig.net, second, 0xFFFFFF00), NET_ERROR_STATE);
    rig_run(&rig, 1);
    assert_true(net_has_address(&rig.net, second));
    expect_way(neighbour, neighbour, second);
    expect_way(0x08080808, PEER, OURS);
    /* ARP and echo of the second address are answered from it. */
    uint8_t frame[128];
    rig_discard_sent(&rig);
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, neighbour, second));
    const struct frame *reply = rig_sent(&rig);
    assert_non_null(reply);
    assert_int_equal(get32(reply->bytes + 28), second);
    size_t length = make_echo(frame, 32);
    put32(frame + 26, neighbour);
    put32(frame + 30, second);
    fix_ipv4(frame);
    rig_receive(&rig, frame, length);
    reply = rig_sent(&rig);
    assert_non_null(reply);
    assert_int_equal(get32(reply->bytes + 26), second);
    assert_int_equal(get32(reply->bytes + 30), neighbour);
    /* What it sends comes from it, too. */
    struct udp_socket socket;
    assert_int_equal(udp_open(&socket, &rig.net, 0), NET_OK);
    assert_int_equal(udp_send(&socket, neighbour, 9, "x", 1), NET_OK);
    assert_int_equal(get32(rig_sent(&rig)->bytes + 26), second);
    /* A closed port of it is unreachable from it; its network's broadcast is heard, not answered. */
    rig_receive(&rig, frame, make_udp(frame, neighbour, 7, second, 5000, "data", 4));
    reply = rig_sent(&rig);
    assert_non_null(reply);
    assert_int_equal(get32(reply->bytes + 26), second);
    length = make_udp(frame, neighbour, 7, 0xC0A801FF, udp_port(&socket), "all", 3);
    memcpy(frame, everyone, 6);
    rig_receive(&rig, frame, length);
    struct udp_datagram datagram;
    assert_true(udp_receive(&socket, &datagram));
    rig_nothing_sent(&rig);
    rig.net.gateway = neighbour;
    assert_int_equal(udp_send(&socket, 0xFFFFFFFF, 9, "x", 1), NET_OK); /* as DHCP does: from the first */
    assert_int_equal(get32(rig_sent(&rig)->bytes + 26), OURS);
    rig.net.gateway = PEER;
    udp_close(&socket);
    assert_int_equal(net_remove_address(&rig.net, second), NET_OK);
    assert_false(net_has_address(&rig.net, second));
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, neighbour, second));
    rig_nothing_sent(&rig);
    rig_run(&rig, 4000); /* what was asked before is given up, and can be asked again */
    rig_expect_health(&rig);
}

/* Connections from it live and end with it, whatever becomes of the first. */
static void connections_from_the_second_address(void **state)
{
    (void)state;
    const uint32_t second = 0xC0A80102, neighbour = 0xC0A80101;
    assert_int_equal(net_add_address(&rig.net, second, 0xFFFFFF00), NET_OK);
    rig_run(&rig, 1);
    assert_int_equal(tcp_connect(&rig.tcp, neighbour, BROKER, rig.now), NET_OK);
    net_set_address(&rig.net, OURS); /* as a renewal does */
    net_set_address(&rig.net, OURS + 7);
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_run(&rig, 2000);
    assert_int_equal(tcp_state(&rig.tcp), TCP_SYN_SENT);
    assert_int_equal(net_remove_address(&rig.net, second), NET_OK);
    assert_int_equal(tcp_state(&rig.tcp), TCP_CLOSED);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    net_set_address(&rig.net, OURS);
    rig_expect_health(&rig);
}

static void addresses_full(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NET_ALIASES; i++) {
        assert_int_equal(net_add_address(&rig.net, 0xC0A80102 + (i << 8), 0xFFFFFF00), NET_OK);
    }
    assert_int_equal(net_add_address(&rig.net, 0xC0A88802, 0xFFFFFF00), NET_ERROR_BUSY);
    assert_int_equal(net_remove_address(&rig.net, 0xC0A80102), NET_OK);
    assert_int_equal(net_add_address(&rig.net, 0xC0A88802, 0xFFFFFF00), NET_OK);
}

#if NET_WITH_ACD
/* RFC 5227 for further addresses: one that another host has is not used until it is free. */
static void second_address_is_probed(void **state)
{
    (void)state;
    const uint32_t second = 0xC0A80102;
    uint8_t frame[64];
    rig.net.at_once = false;
    assert_int_equal(net_add_address(&rig.net, second, 0xFFFFFF00), NET_OK);
    rig_run(&rig, 2000);
    assert_false(net_has_address(&rig.net, second));
    rig_receive(&rig, frame, make_arp(frame, 2, peer_mac, second, second));
    rig_run(&rig, 50000);
    assert_false(net_has_address(&rig.net, second));
    assert_true(net_has_address(&rig.net, OURS));
    rig_run(&rig, 20000);
    assert_true(net_has_address(&rig.net, second));
    rig_discard_sent(&rig);
    rig_receive(&rig, frame, make_arp(frame, 2, peer_mac, second, second)); /* defended */
    assert_int_equal(get32(rig_sent(&rig)->bytes + 28), second);
    rig_receive(&rig, frame, make_arp(frame, 2, peer_mac, second, second));
    rig_nothing_sent(&rig);
    assert_true(net_has_address(&rig.net, second));
    rig_expect_health(&rig);
}
#endif

/* A flood, and our own look-ups, leave the next hops of connections and the gateway alone. */
static void neighbours_in_use_stay(void **state)
{
    (void)state;
    uint8_t frame[64];
    const uint32_t broker = 0x0A000009;
    static const uint8_t broker_mac[6] = {2, 0, 0, 0, 0, 9};
    rig_connect(&rig); /* by way of the gateway: the peer is that */
    struct tcp_socket other;
    uint8_t tx[64], rx[64];
    tcp_init(&other, &rig.net, tx, sizeof tx, rx, sizeof rx);
    assert_int_equal(tcp_connect(&other, broker, BROKER, rig.now), NET_OK);
    rig_poll(&rig);
    rig_receive(&rig, frame, make_arp(frame, 2, broker_mac, broker, OURS));
    rig_discard_sent(&rig);
    struct udp_socket socket;
    assert_int_equal(udp_open(&socket, &rig.net, 0), NET_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t mac[6] = {2, 9, 9, 9, 9, (uint8_t)i};
        uint32_t address = 0x0A000010 + i % 200;
        int sent = udp_send(&socket, address, 9, "x", 1);
        assert_true(sent == NET_OK || sent == NET_ERROR_NEIGHBOUR);
        rig_receive(&rig, frame, make_arp(frame, 2, mac, address, OURS));
        rig_discard_sent(&rig);
    }
    rig.now += 1;
    assert_int_equal(udp_send(&socket, broker, 9, "x", 1), NET_OK); /* known still */
    assert_memory_equal(rig_sent(&rig)->bytes, broker_mac, 6);
    assert_int_equal(udp_send(&socket, PEER, 9, "x", 1), NET_OK);
    assert_memory_equal(rig_sent(&rig)->bytes, peer_mac, 6);
    udp_close(&socket);
    tcp_abort(&other);
    rig_expect_health(&rig);
}

#endif

int main(void)
{
#if NET_WITH_ROUTES
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(longest_prefix_wins),
        TEST(a_route_changes_its_gateway),
        TEST(table_full),
        TEST(impossible_routes_and_addresses),
        TEST(second_address),
        TEST(connections_from_the_second_address),
        TEST(addresses_full),
#if NET_WITH_ACD
        TEST(second_address_is_probed),
#endif
        TEST(neighbours_in_use_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
