/* Address conflict detection by the clauses of RFC 5227, on a net with a static address. */
#include "rig.h"

#include <string.h>

#if NET_WITH_ACD

#include "net/internal.h"

static struct rig rig;
static const uint8_t other_mac[6] = {2, 0, 0, 0, 7, 7};

static int setup(void **state)
{
    (void)state;
    struct net_config config = {
        .mac = {2, 0, 0, 0, 0, 2}, .address = OURS, .netmask = MASK, .gateway = PEER, .seed = {1, 2, 3, 4}};
    rig_open_config(&rig, &config, 512, 512, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

/* A broadcast ARP request of ours; returns the sender's address in it. */
static uint32_t expect_request(uint32_t target)
{
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_memory_equal(frame->bytes, everyone, 6);
    assert_int_equal(get16(frame->bytes + 12), 0x0806);
    assert_int_equal(get16(frame->bytes + 20), 1);
    assert_memory_equal(frame->bytes + 22, our_mac, 6);
    assert_memory_equal(frame->bytes + 32, "\0\0\0\0\0\0", 6);
    assert_int_equal(get32(frame->bytes + 38), target);
    return get32(frame->bytes + 28);
}

static void probe_through(void)
{
    rig_run(&rig, 7000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(expect_request(OURS), 0);
    }
    assert_int_equal(net_address(&rig.net), OURS);
    rig_run(&rig, 2000);
    assert_int_equal(expect_request(OURS), OURS);
    assert_int_equal(expect_request(OURS), OURS);
    rig_nothing_sent(&rig);
}

static void hear(uint16_t operation, const uint8_t *mac, uint32_t sender, uint32_t target)
{
    uint8_t frame[64];
    rig_receive(&rig, frame, make_arp(frame, operation, mac, sender, target));
}

static void clause_2_1_1_three_probes_one_to_two_seconds_apart(void **state)
{
    (void)state;
    uint32_t sent_at[3], start = rig.now;
    unsigned count = 0;
    while (net_address(&rig.net) == 0) {
        assert_true(rig.now - start < 7001);
        rig_advance(&rig, 1);
        if (rig.fake.sent_head != rig.fake.sent_tail && count < 3) {
            assert_int_equal(expect_request(OURS), 0); /* RFC 5227 1.1: the sender's address is 0 */
            sent_at[count++] = rig.now;
        }
    }
    assert_int_equal(count, 3);
    assert_true(sent_at[0] - start <= 1000); /* PROBE_WAIT */
    for (int i = 1; i < 3; i++) {
        assert_in_range(sent_at[i] - sent_at[i - 1], 1000, 2001);
    }
    assert_in_range(rig.now - sent_at[2], 2000, 2001); /* ANNOUNCE_WAIT */
    rig_discard_sent(&rig);
    rig_run(&rig, 5000);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

static void clause_2_3_two_announcements(void **state)
{
    (void)state;
    probe_through();
    rig_run(&rig, 60000);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void no_address_before_it_is_probed(void **state)
{
    (void)state;
    rig_run(&rig, 1500);
    rig_discard_sent(&rig);
    assert_false(net_is_up(&rig.net));
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_ERROR_DOWN);
    uint8_t frame[128];
    rig_receive(&rig, frame, make_echo(frame, 32));
    hear(1, peer_mac, PEER, OURS); /* an ordinary request is no conflict, and not answered */
    rig_nothing_sent(&rig);
    assert_false(net_address_conflict(&rig.net));
    rig_run(&rig, 7000);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

static void expect_conflict_then_another_try(void)
{
    assert_true(net_address_conflict(&rig.net));
    assert_int_equal(net_address(&rig.net), 0);
    rig_discard_sent(&rig);
    rig_run(&rig, 59000);
    rig_nothing_sent(&rig); /* RATE_LIMIT_INTERVAL */
    rig_run(&rig, 1000);
    rig_run(&rig, 10000);
    assert_int_equal(net_address(&rig.net), OURS);
    assert_false(net_address_conflict(&rig.net));
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

static void clause_2_1_1_conflict_by_use(void **state)
{
    (void)state;
    rig_run(&rig, 2500);
    hear(2, other_mac, OURS, OURS);
    expect_conflict_then_another_try();
}

static void clause_2_1_1_conflict_by_a_request_of_the_owner(void **state)
{
    (void)state;
    rig_run(&rig, 2500);
    hear(1, other_mac, OURS, PEER);
    expect_conflict_then_another_try();
}

static void clause_2_1_1_conflict_by_probing_too(void **state)
{
    (void)state;
    rig_run(&rig, 2500);
    hear(1, other_mac, 0, OURS);
    expect_conflict_then_another_try();
}

static void our_own_probe_come_back_is_no_conflict(void **state)
{
    (void)state;
    rig_run(&rig, 2500);
    uint8_t frame[64];
    size_t length = make_arp(frame, 1, other_mac, 0, OURS);
    memcpy(frame + 22, our_mac, 6); /* through a bridge that loops */
    rig_receive(&rig, frame, length);
    hear(1, other_mac, 0, OURS + 1); /* a probe for another address */
    hear(1, other_mac, PEER, OURS + 1);
    assert_false(net_address_conflict(&rig.net));
}

/* What was configured is kept, and defended once in ten seconds, however many say that it is theirs. */
static void clause_2_4_c_defended_at_most_once_in_ten_seconds(void **state)
{
    (void)state;
    probe_through();
    rig_connect(&rig);
    unsigned defences = 0;
    for (unsigned i = 0; i < 1000; i++) {
        hear(i % 2 ? 1 : 2, other_mac, OURS, i % 3 ? OURS : PEER);
        for (; rig.fake.sent_head != rig.fake.sent_tail; defences++) {
            assert_int_equal(expect_request(OURS), OURS);
        }
        rig_advance(&rig, 100);
    }
    assert_in_range(defences, 9, 10);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_ARP_CONFLICT], 1000);
    assert_false(net_address_conflict(&rig.net));
    rig_expect_health(&rig);
}

static void clause_2_1_probed_again_at_link_up(void **state)
{
    (void)state;
    probe_through();
    rig_connect(&rig);
    net_link(&rig.net, false, rig.now);
    rig_run(&rig, 20000);
    rig_nothing_sent(&rig);
    net_link(&rig.net, true, rig.now);
    assert_int_equal(net_address(&rig.net), 0);
    rig_run(&rig, 9000);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED); /* the connection has waited */
    rig_discard_sent(&rig);
    hear(1, peer_mac, PEER, OURS);
    rig_expect_health(&rig);
}

static void link_lost_while_probing(void **state)
{
    (void)state;
    rig_run(&rig, 2500);
    rig_discard_sent(&rig);
    net_link(&rig.net, false, rig.now);
    rig_run(&rig, 30000);
    rig_nothing_sent(&rig);
    assert_int_equal(net_address(&rig.net), 0);
    net_link(&rig.net, true, rig.now);
    probe_through();
    rig_expect_health(&rig);
}

static void full_transmit_ring_delays_the_probes(void **state)
{
    (void)state;
    rig.fake.full = true;
    rig_run(&rig, 5000);
    assert_int_equal(net_address(&rig.net), 0);
    rig.fake.full = false;
    probe_through();
    rig_expect_health(&rig);
}

/* What DHCP sees: the verdict waits for it, and its timers are called. A lease is given up, its connections
 * end. */
static void clause_2_4_b_and_the_interface_for_dhcp(void **state)
{
    (void)state;
    rig_close(&rig);
    rig_open_dhcp(&rig);
    rig.net.at_once = false;
    rig_discard_sent(&rig);
    acd_probe(&rig.net, OURS);
    assert_int_equal(acd_state(&rig.net), ACD_PROBING);
    for (unsigned i = 0; i < 700 && acd_state(&rig.net) == ACD_PROBING; i++) {
        rig_advance(&rig, 10);
        rig_discard_sent(&rig);
    }
    assert_int_equal(acd_state(&rig.net), ACD_FREE);
    assert_int_equal(acd_address(&rig.net), OURS);
    assert_int_equal(net_address(&rig.net), 0);
    rig.net.netmask = MASK;
    rig.net.gateway = PEER;
    net_set_address(&rig.net, OURS);
    assert_int_equal(acd_state(&rig.net), ACD_ANNOUNCING);
    rig_advance(&rig, 0);
    rig_advance(&rig, 2000);
    assert_int_equal(acd_state(&rig.net), ACD_DEFENDING);
    rig_discard_sent(&rig);
    rig_connect(&rig);
    hear(2, other_mac, OURS, PEER);
    assert_int_equal(expect_request(OURS), OURS);
    assert_int_equal(net_address(&rig.net), OURS);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    hear(2, other_mac, OURS, PEER);
    assert_int_equal(acd_state(&rig.net), ACD_CONFLICT);
    assert_int_equal(acd_address(&rig.net), OURS);
    assert_int_equal(net_address(&rig.net), 0);
    assert_int_equal(tcp_state(&rig.tcp), TCP_CLOSED);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    acd_stop(&rig.net);
    assert_int_equal(acd_state(&rig.net), ACD_IDLE);
}

#endif

int main(void)
{
#if NET_WITH_ACD
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(clause_2_1_1_three_probes_one_to_two_seconds_apart),
        TEST(clause_2_3_two_announcements),
        TEST(no_address_before_it_is_probed),
        TEST(clause_2_1_1_conflict_by_use),
        TEST(clause_2_1_1_conflict_by_a_request_of_the_owner),
        TEST(clause_2_1_1_conflict_by_probing_too),
        TEST(our_own_probe_come_back_is_no_conflict),
        TEST(clause_2_4_c_defended_at_most_once_in_ten_seconds),
        TEST(clause_2_1_probed_again_at_link_up),
        TEST(link_lost_while_probing),
        TEST(full_transmit_ring_delays_the_probes),
        TEST(clause_2_4_b_and_the_interface_for_dhcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
