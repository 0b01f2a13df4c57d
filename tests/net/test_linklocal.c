/* Link-local addresses (RFC 3927) while DHCP has none to give. */
#include "dhcp_server.h"

#include <string.h>

#if NET_WITH_LINK_LOCAL

static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 5};
static uint8_t mac_end, seed;

static void open_rig(void)
{
    struct net_config config = {
        .mac = {2, 0, 0, 0, 0, mac_end}, .hostname = "mote-000002", .seed = {1, seed, 3, 4}};
    rig_open_config(&rig, &config, 256, 256, 0);
}

static int setup(void **state)
{
    (void)state;
    mac_end = 2;
    seed = 2;
    open_rig();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_discard_sent(&rig);
    rig_close(&rig);
    return 0;
}

/* The address of the next ARP probe. */
static uint32_t wait_probe(uint32_t limit_ms)
{
    uint32_t start = rig.now;
    for (;;) {
        const struct frame *frame = rig_sent(&rig);
        if (frame && get16(frame->bytes + 12) == 0x0806) {
            assert_int_equal(get32(frame->bytes + 28), 0);
            assert_memory_equal(frame->bytes, everyone, 6);
            return get32(frame->bytes + 38);
        }
        if (!frame) {
            uint32_t wait = net_wait_ms(&rig.net, rig.now);
            assert_true(rig.now - start <= limit_ms);
            rig_advance(&rig, wait ? wait : 1);
        }
    }
}

static uint32_t wait_address(void)
{
    uint32_t start = rig.now;
    while (!net_is_up(&rig.net)) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now);
        rig_advance(&rig, wait ? wait : 1);
        assert_true(rig.now - start < 120000);
    }
    uint32_t address = net_address(&rig.net);
    assert_in_range(address, 0xA9FE0100, 0xA9FEFEFF); /* 2.1 */
    return address;
}

static void hear_of(uint32_t address)
{
    uint8_t arp[64];
    rig_receive(&rig, arp, make_arp(arp, 1, other_mac, address, address));
}

static void chosen_when_no_server_answers(void **state)
{
    (void)state;
    uint32_t start = rig.now;
    uint32_t probed = wait_probe(20000);
    assert_in_range(rig.now - start, 15000, 16000);
    assert_int_equal(wait_probe(2000), probed);
    assert_int_equal(wait_probe(2000), probed);
    assert_false(net_is_up(&rig.net));
    assert_int_equal(wait_address(), probed);
    assert_int_equal(net_netmask(&rig.net), 0xFFFF0000);
    assert_int_equal(net_gateway(&rig.net), 0);
    rig_run(&rig, 3000);
    unsigned announced = 0;
    const struct frame *frame;
    while ((frame = rig_sent(&rig)) != NULL) {
        announced += get16(frame->bytes + 12) == 0x0806 && get32(frame->bytes + 28) == probed;
    }
    assert_int_equal(announced, 2);
    uint8_t ping[128];
    size_t length = make_echo(ping, 40);
    put32(ping + 26, 0xA9FE0909);
    put32(ping + 30, probed);
    fix_ipv4(ping);
    rig_receive(&rig, ping, length);
    frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_int_equal(frame->bytes[34], 0);
}

/* 2.1: of the MAC address and nothing else, so that it is the same tomorrow. */
static void by_the_mac_address(void **state)
{
    (void)state;
    uint32_t first = wait_probe(20000);
    rig_discard_sent(&rig);
    rig_close(&rig);
    seed = 99;
    open_rig();
    assert_int_equal(wait_probe(20000), first);
    rig_discard_sent(&rig);
    rig_close(&rig);
    mac_end = 4;
    open_rig();
    assert_int_not_equal(wait_probe(20000), first);
}

/* DHCP goes on asking, without our address, which is no source to speak to a server from. */
static void back_to_dhcp(void **state)
{
    (void)state;
    uint32_t address = wait_address();
    rig_discard_sent(&rig);
    dhcp_wait_for(DISCOVER, 70000);
    assert_true(last.source == 0 && last.client == 0 && last.requested == 0 && last.wants_broadcast);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    assert_true(last.source == 0 && last.client == 0 && last.requested == OURS && last.wants_broadcast);
    dhcp_answer(ACKNOWLEDGE);
    assert_int_equal(net_address(&rig.net), address); /* until the lease's is known to be free */
    assert_int_equal(net_netmask(&rig.net), 0xFFFF0000);
    rig_run(&rig, 9000);
    assert_int_equal(net_address(&rig.net), OURS);
    assert_int_equal(net_netmask(&rig.net), MASK);
    assert_int_equal(net_gateway(&rig.net), PEER);
    rig_expect_health(&rig);
    rig_run(&rig, 600000);
    assert_int_equal(net_address(&rig.net), OURS);
}

static void lease_ends_and_server_gone(void **state)
{
    (void)state;
    rig.net.at_once = true;
    dhcp_bind();
    rig.net.at_once = false;
    rig_expect_health(&rig);
    for (int minute = 0; minute < 60; minute++) {
        assert_true(net_is_up(&rig.net));
        rig_run(&rig, 60000);
        rig_discard_sent(&rig);
    }
    assert_false(net_is_up(&rig.net));
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    wait_address();
    assert_int_equal(net_dns_server(&rig.net), 0);
}

static void nak_leaves_it(void **state)
{
    (void)state;
    uint32_t address = wait_address();
    rig_discard_sent(&rig);
    dhcp_wait_for(DISCOVER, 70000);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    dhcp_answer_with(NAK, 0, PEER, "", 0);
    assert_int_equal(net_address(&rig.net), address);
    dhcp_wait_for(DISCOVER, 5000);
}

/* A server that offers and never acknowledges is none. */
static void server_that_only_offers(void **state)
{
    (void)state;
    uint32_t start = rig.now;
    while (!net_is_up(&rig.net)) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now);
        rig_advance(&rig, wait ? wait : 1);
        assert_true(rig.now - start < 60000);
        const struct frame *frame = dhcp_next_message();
        if (frame) {
            last = dhcp_decode(frame);
            if (last.type == DISCOVER) {
                dhcp_answer(OFFER);
            }
        }
    }
    wait_address();
}

static void conflict_leads_to_another(void **state)
{
    (void)state;
    uint32_t first = wait_probe(20000);
    hear_of(first);
    uint32_t second = wait_probe(2000);
    assert_int_not_equal(second, first);
    assert_int_equal(wait_address(), second);
    rig_run(&rig, 20000);
    hear_of(second); /* 2.5 (b): defended once */
    assert_int_equal(net_address(&rig.net), second);
    hear_of(second);
    assert_false(net_is_up(&rig.net));
    rig_discard_sent(&rig);
    assert_int_not_equal(wait_probe(2000), second);
    assert_int_not_equal(wait_address(), second);
}

static void slower_after_ten_conflicts(void **state) /* 2.2.1 */
{
    (void)state;
    uint32_t seen[10];
    for (unsigned i = 0; i < 10; i++) {
        seen[i] = wait_probe(20000);
        for (unsigned j = 0; j < i; j++) {
            assert_int_not_equal(seen[i], seen[j]);
        }
        hear_of(seen[i]);
    }
    for (int i = 0; i < 3; i++) {
        uint32_t start = rig.now;
        uint32_t address = wait_probe(70000);
        assert_in_range(rig.now - start, 60000, 61000);
        hear_of(address);
    }
    for (int i = 0; i < 400; i++) { /* 2^8 and more of them */
        hear_of(wait_probe(70000));
    }
    wait_address();
}

static void another_dhcp_address_is_taken(void **state)
{
    (void)state;
    uint32_t address = wait_address();
    rig_discard_sent(&rig);
    dhcp_wait_for(DISCOVER, 70000);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    dhcp_answer(ACKNOWLEDGE);
    rig_run(&rig, 1500);
    rig_discard_sent(&rig);
    hear_of(OURS); /* the lease's address is another host's */
    dhcp_expect(DECLINE);
    assert_true(last.source == 0 && last.requested == OURS && last.server == PEER);
    assert_int_equal(net_address(&rig.net), address);
    rig_run(&rig, 8000);
    hear_of(address); /* ours is watched again */
    hear_of(address);
    assert_int_not_equal(net_address(&rig.net), address);
    wait_address();
}

/* 2.5: the reply goes to all. 2.6.2: every address is looked for on the link. */
static void spoken_to_and_speaking(void **state)
{
    (void)state;
    uint32_t address = wait_address();
    rig_run(&rig, 5000);
    rig_discard_sent(&rig);
    uint8_t arp[64];
    rig_receive(&rig, arp, make_arp(arp, 1, peer_mac, PEER, address));
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_int_equal(get16(frame->bytes + 20), 2);
    assert_memory_equal(frame->bytes, everyone, 6);
    assert_memory_equal(frame->bytes + 32, peer_mac, 6);
    assert_int_equal(get32(frame->bytes + 28), address);
    assert_int_equal(tcp_connect(&rig.tcp, PEER + 9, BROKER, rig.now), NET_OK);
    rig_poll(&rig);
    frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_int_equal(get16(frame->bytes + 12), 0x0806);
    assert_int_equal(get32(frame->bytes + 38), PEER + 9);
}

/* 2.6.2: who has been looked for there may answer, though the address is of no network of ours. */
static void answered_by_a_routable_host(void **state)
{
    (void)state;
    uint8_t arp[64];
    struct udp_socket socket;
    uint32_t ours = wait_address();
    rig_discard_sent(&rig);
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    assert_int_equal(udp_send(&socket, PEER, 9, "x", 1), NET_ERROR_NEIGHBOUR);
    assert_int_equal(get32(rig_sent(&rig)->bytes + 38), PEER);
    rig_receive(&rig, arp, make_arp(arp, 2, peer_mac, PEER, ours));
    rig_discard_sent(&rig); /* announcements */
    assert_int_equal(udp_send(&socket, PEER, 9, "x", 1), NET_OK);
    const struct frame *frame = rig_sent(&rig);
    assert_memory_equal(frame->bytes, peer_mac, 6);
    assert_int_equal(get32(frame->bytes + 26), ours);
    udp_close(&socket);
}

/* The device has no room when the link comes back: the lease comes before an address of our own all the same,
 * and its parameters are left alone. */
static void lease_goes_first(void **state)
{
    (void)state;
    rig.net.at_once = true;
    dhcp_bind();
    net_link(&rig.net, false, rig.now);
    rig.fake.full = true;
    net_link(&rig.net, true, rig.now);
    rig_run(&rig, 20000);
    rig.fake.full = false;
    dhcp_wait_for(REQUEST, 1000);
    uint32_t start = rig.now;
    while (!net_is_up(&rig.net)) {
        assert_true(rig.now - start < 15000);
        rig_advance(&rig, net_wait_ms(&rig.net, rig.now));
    }
    assert_int_equal(net_address(&rig.net), OURS);
    uint8_t arp[64];
    rig_receive(&rig, arp, make_arp(arp, 2, peer_mac, PEER, OURS));
    rig_run(&rig, 5000);
    rig_discard_sent(&rig);
    assert_int_equal(net_address(&rig.net), OURS);
    assert_int_equal(net_netmask(&rig.net), MASK);
    assert_int_equal(net_gateway(&rig.net), PEER);
}

/* A lease of another network does not keep the device from an address of its own for long. */
static void another_network_without_server(void **state)
{
    (void)state;
    rig.net.at_once = true;
    dhcp_bind();
    rig.net.at_once = false;
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    uint32_t start = rig.now;
    rig_run(&rig, 25000);
    rig_discard_sent(&rig);
    wait_address();
    assert_in_range(rig.now - start, 25000, 40000);
    dhcp_wait_for(DISCOVER, 70000); /* and goes on asking */
}

static void link_lost(void **state)
{
    (void)state;
    uint32_t address = wait_address();
    net_link(&rig.net, false, rig.now);
    assert_false(net_is_up(&rig.net));
    rig_run(&rig, 100000);
    rig_discard_sent(&rig);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(DISCOVER); /* another network, another chance */
    rig_run(&rig, 14000);
    assert_false(net_is_up(&rig.net));
    assert_int_equal(wait_address(), address);
}

#endif

int main(void)
{
#if NET_WITH_LINK_LOCAL
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(chosen_when_no_server_answers),
        TEST(by_the_mac_address),
        TEST(back_to_dhcp),
        TEST(lease_ends_and_server_gone),
        TEST(nak_leaves_it),
        TEST(server_that_only_offers),
        TEST(conflict_leads_to_another),
        TEST(slower_after_ten_conflicts),
        TEST(another_dhcp_address_is_taken),
        TEST(lease_goes_first),
        TEST(another_network_without_server),
        TEST(link_lost),
        TEST(spoken_to_and_speaking),
        TEST(answered_by_a_routable_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
