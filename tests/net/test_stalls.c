/* What must not come to a stand, and what a stand (a debugger, a long erase, no link) must not bring about.
 */
#include "dhcp_server.h"
#include "tcp_case.h"

#if NET_WITH_TCP_WINDOW_SCALE
/* RFC 9293 3.8.6.2.2: a window that can only be told as 0 is closed, and opens by whatever room there is. */
static void less_than_a_unit_is_closed(void **state)
{
    static const uint8_t text[1460];
    struct options options = {.length = 0};
    uint32_t left = 65535;
    (void)state;
    teardown(NULL);
    rig_open(&lab, 4096, 65536, 0);
    add_mss(&options, 1460);
    add_scale(&options, 0);
    connect_with(&options, 65535);
    while (left > 0) {
        uint32_t length = left < sizeof text ? left : sizeof text;
        rig_segment(&lab, lab.seq, lab.ack, ACK, 65535, text, length);
        lab.seq += length;
        left -= length;
    }
    rig_run(&lab, 1000);
    rig_discard_sent(&lab);
    tcp_consume(&lab.tcp, 1000);
    rig_run(&lab, 1000);
    rig_discard_sent(&lab);
    rig_segment(&lab, lab.seq - 1, lab.ack, ACK, 65535, NULL, 0); /* as Linux probes */
    assert_int_equal(rig_expect_segment(&lab, ACK).window, 500);
}
#endif

/* RFC 9293 3.8.4: the peer is to have the time to answer each. */
static void probes_of_a_late_poll(void **state)
{
    (void)state;
    rig_connect(&lab);
    tcp_set_timeouts(&lab.tcp, 0, 10000);
    rig_poll(&lab);
    rig_advance(&lab, 60000);
    rig_expect_segment(&lab, ACK);
    rig_run(&lab, 2400);
    assert_null(rig_sent(&lab));
    ack_from_peer(4096);
    rig_run(&lab, 9900);
    assert_null(rig_sent(&lab));
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
}

/* Without a link nothing is due at once, poll after poll. */
static void no_link_is_no_hurry(void **state)
{
    (void)state;
    rig_connect(&lab);
    tcp_set_timeouts(&lab.tcp, 0, 10000);
    net_link(&lab.net, false, lab.now);
    for (unsigned i = 0; i < 100; i++) {
        rig_advance(&lab, 1000);
        rig_poll(&lab);
        assert_true(net_wait_ms(&lab.net, lab.now) > 0);
    }
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
}

#if NET_WITH_DHCP && NET_WITH_ACD
/* The lease's address is probed for when the time jumps: DHCP goes on. */
static void a_jump_while_the_lease_is_tried(void **state)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2}, .hostname = "mote-000002", .seed = {1, 2, 3, 4}};
    (void)state;
    rig_open_config(&rig, &config, 256, 256, 0);
    dhcp_wait_for(DISCOVER, 5000);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    dhcp_answer(ACKNOWLEDGE);
    rig_run(&rig, 1500);
    rig_advance(&rig, 20000);
    rig_run(&rig, 20000);
    assert_int_equal(net_address(&rig.net), OURS);
    rig_close(&rig);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if NET_WITH_TCP_WINDOW_SCALE
        TEST(less_than_a_unit_is_closed),
#endif
        TEST(probes_of_a_late_poll),
        TEST(no_link_is_no_hurry),
#if NET_WITH_DHCP && NET_WITH_ACD
        cmocka_unit_test(a_jump_while_the_lease_is_tried),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
