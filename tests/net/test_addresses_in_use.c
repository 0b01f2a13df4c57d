/* Further addresses come and go while the first is probed for again. */
#include "rig.h"

#if NET_WITH_ROUTES && NET_WITH_ACD

#define SECOND 0xC0A80102U

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = OURS,
                                .netmask = MASK,
                                .gateway = PEER,
                                .dns_server = PEER,
                                .seed = {1, 2, 3, 4}};
    rig_open_config(&rig, &config, 512, 512, 0);
    assert_int_equal(net_add_address(&rig.net, SECOND, MASK), NET_OK);
    rig_run(&rig, 20000);
    assert_true(net_has_address(&rig.net, OURS));
    assert_true(net_has_address(&rig.net, SECOND));
    rig_discard_sent(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static void bounce_the_link(void)
{
    net_link(&rig.net, false, rig.now);
    rig_advance(&rig, 100);
    net_link(&rig.net, true, rig.now);
    rig_advance(&rig, 100);
    assert_int_equal(net_address(&rig.net), 0); /* it is being probed for */
}

static void expect_connection(void)
{
    uint8_t frame[64];
    rig_run(&rig, 10000);
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&rig);
    assert_int_equal(net_address(&rig.net), OURS);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_expect_health(&rig);
}

/* Loss of the link ends no connection, whatever becomes of another address meanwhile. */
static void another_is_removed(void **state)
{
    (void)state;
    rig_connect(&rig);
    bounce_the_link();
    assert_int_equal(net_remove_address(&rig.net, SECOND), NET_OK);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    expect_connection();
}

static void its_own_is_removed(void **state)
{
    (void)state;
    assert_int_equal(tcp_connect(&rig.tcp, SECOND - 1, BROKER, rig.now), NET_OK);
    bounce_the_link();
    assert_int_equal(tcp_state(&rig.tcp), TCP_SYN_SENT);
    assert_int_equal(net_remove_address(&rig.net, SECOND), NET_OK);
    assert_int_equal(tcp_state(&rig.tcp), TCP_CLOSED);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    rig_discard_sent(&rig);
}

/* The lease of a server may bring what was a further address before: connections go on from there. */
static void the_first_is_the_same(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig.net.aliases[1] = (struct net_alias){.address = OURS, .netmask = MASK, .usable = true};
    assert_int_equal(net_remove_address(&rig.net, OURS), NET_OK);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    expect_connection();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(another_is_removed),
        TEST(its_own_is_removed),
        TEST(the_first_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
