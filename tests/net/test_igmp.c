/* Multicast and IGMPv2 by the clauses of RFC 2236; its hostile input. */
#include "rig.h"

#include <string.h>

#if NET_WITH_IGMP

#define GROUP       0xE00000FBU /* 224.0.0.251 */
#define OTHER_GROUP 0xEF010203U
#define ALL_SYSTEMS 0xE0000001U
#define ALL_ROUTERS 0xE0000002U

static struct rig rig;
static uint8_t filter[8][6];
static size_t filter_count;

static void record_filter(void *context, const uint8_t (*groups)[6], size_t count)
{
    assert_ptr_equal(context, &rig.fake);
    assert_true(count <= 8);
    memcpy(filter, groups, count * 6);
    filter_count = count;
}

static int setup(void **state)
{
    (void)state;
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = OURS,
                                .netmask = MASK,
                                .gateway = PEER,
                                .seed = {1, 2, 3, 4},
                                .multicast_filter = record_filter};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    filter_count = 0;
    rig_open_config(&rig, &config, 512, 512, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static bool filter_has(const uint8_t mac[6])
{
    for (size_t i = 0; i < filter_count; i++) {
        if (memcmp(filter[i], mac, 6) == 0) {
            return true;
        }
    }
    return false;
}

static void multicast_mac(uint8_t mac[6], uint32_t group)
{
    mac[0] = 1;
    mac[1] = 0;
    mac[2] = 0x5E;
    mac[3] = (uint8_t)(group >> 16 & 127);
    mac[4] = (uint8_t)(group >> 8);
    mac[5] = (uint8_t)group;
}

/* RFC 2236 2: TTL 1, router alert; the device has verified the checksums. */
static void expect_message(uint8_t type, uint32_t group, uint32_t destination)
{
    uint8_t mac[6];
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    multicast_mac(mac, destination);
    assert_memory_equal(frame->bytes, mac, 6);
    assert_int_equal(frame->length, 14 + 24 + 8);
    assert_int_equal(frame->bytes[14], 0x46);
    assert_int_equal(frame->bytes[22], 1);
    assert_int_equal(frame->bytes[23], 2);
    assert_int_equal(get32(frame->bytes + 26), OURS);
    assert_int_equal(get32(frame->bytes + 30), destination);
    assert_int_equal(get32(frame->bytes + 34), 0x94040000);
    assert_int_equal(frame->bytes[38], type);
    assert_int_equal(frame->bytes[39], 0);
    assert_int_equal(get32(frame->bytes + 42), group);
}

static size_t make_igmp(uint8_t *frame, uint8_t type, uint8_t max, uint32_t group, uint32_t source,
                        uint32_t destination)
{
    uint8_t igmp[8] = {type, max};
    put32(igmp + 4, group);
    put16(igmp + 2, plain_checksum(0, igmp, 8));
    size_t length = make_ipv4(frame, source, destination, 2, igmp, 8);
    multicast_mac(frame, destination);
    return length;
}

static void hear(uint8_t type, uint8_t max, uint32_t group, uint32_t destination)
{
    uint8_t frame[128];
    rig_receive(&rig, frame, make_igmp(frame, type, max, group, PEER, destination));
}

/* Joined, and both unsolicited reports gone (RFC 2236 3). */
static void join(uint32_t group)
{
    assert_int_equal(net_join(&rig.net, group), NET_OK);
    rig_poll(&rig);
    expect_message(0x16, group, group);
    rig_nothing_sent(&rig);
    rig_run(&rig, 10001);
    expect_message(0x16, group, group);
    rig_run(&rig, 100000);
    rig_nothing_sent(&rig);
}

static void joins_and_leaves(void **state)
{
    (void)state;
    uint8_t mac[6], all[6];
    multicast_mac(mac, GROUP);
    multicast_mac(all, ALL_SYSTEMS);
    assert_true(filter_has(all) && !filter_has(mac));
    join(GROUP);
    assert_true(filter_has(all) && filter_has(mac));
    assert_int_equal(net_join(&rig.net, GROUP), NET_OK); /* counted */
    assert_int_equal(net_leave(&rig.net, GROUP), NET_OK);
    rig_nothing_sent(&rig);
    assert_true(filter_has(mac));
    assert_int_equal(net_leave(&rig.net, GROUP), NET_OK);
    expect_message(0x17, GROUP, ALL_ROUTERS);
    assert_true(filter_has(all) && !filter_has(mac));
    assert_int_equal(net_leave(&rig.net, GROUP), NET_ERROR_STATE);
    assert_int_equal(net_join(&rig.net, PEER), NET_ERROR_ARGUMENT);
    assert_int_equal(net_leave(&rig.net, 0), NET_ERROR_STATE);
    rig_expect_health(&rig);
}

static void groups_full(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NET_GROUPS; i++) {
        assert_int_equal(net_join(&rig.net, OTHER_GROUP + i), NET_OK);
    }
    assert_int_equal(net_join(&rig.net, GROUP), NET_ERROR_BUSY);
    assert_int_equal(net_leave(&rig.net, OTHER_GROUP), NET_OK);
    assert_int_equal(net_join(&rig.net, GROUP), NET_OK);
    rig_run(&rig, 30000);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

/* RFC 2236 3: a report within the time granted, at a random moment, one per group. */
static void answers_queries(void **state)
{
    (void)state;
    join(GROUP);
    join(OTHER_GROUP);
    bool differ = false;
    uint32_t first = 0;
    for (unsigned i = 0; i < 20; i++) {
        hear(0x11, 50, 0, ALL_SYSTEMS);
        uint32_t asked = rig.now, waited = UINT32_MAX;
        while (rig.now - asked < 5001) {
            rig_advance(&rig, 1);
            if (waited == UINT32_MAX && rig.fake.sent_head != rig.fake.sent_tail) {
                waited = rig.now - asked;
            }
        }
        assert_true(waited <= 5001);
        differ = differ || (i > 0 && waited != first);
        first = waited;
        assert_int_equal(rig.fake.sent_head - rig.fake.sent_tail, 2);
        rig_discard_sent(&rig);
    }
    assert_true(differ);
    hear(0x11, 10, GROUP, GROUP); /* group-specific */
    rig_run(&rig, 1001);
    expect_message(0x16, GROUP, GROUP);
    rig_run(&rig, 20000);
    rig_nothing_sent(&rig);
}

static void a_shorter_query_hastens(void **state)
{
    (void)state;
    join(GROUP);
    hear(0x11, 255, 0, ALL_SYSTEMS);
    hear(0x11, 1, 0, ALL_SYSTEMS);
    rig_run(&rig, 101);
    expect_message(0x16, GROUP, GROUP);
    rig_run(&rig, 30000);
    rig_nothing_sent(&rig);
    hear(0x11, 1, 0, ALL_SYSTEMS); /* and a longer one does not delay */
    hear(0x11, 255, 0, ALL_SYSTEMS);
    rig_run(&rig, 101);
    expect_message(0x16, GROUP, GROUP);
    rig_run(&rig, 30000);
    rig_nothing_sent(&rig);
}

/* Another member answers first: ours is left out, and so is the leave (RFC 2236 3). */
static void suppression(void **state)
{
    (void)state;
    join(GROUP);
    hear(0x11, 100, 0, ALL_SYSTEMS);
    hear(0x16, 0, GROUP, GROUP);
    rig_run(&rig, 20000);
    rig_nothing_sent(&rig);
    assert_int_equal(net_leave(&rig.net, GROUP), NET_OK);
    rig_nothing_sent(&rig);
}

/* RFC 2236 4: a router of version 1 gets reports of version 1, and no leave, for 400 s. */
static void version_1_router(void **state)
{
    (void)state;
    join(GROUP);
    hear(0x11, 0, 0, ALL_SYSTEMS);
    rig_run(&rig, 10001);
    expect_message(0x12, GROUP, GROUP);
    assert_int_equal(net_leave(&rig.net, GROUP), NET_OK);
    rig_nothing_sent(&rig);
    rig_run(&rig, 400000);
    join(GROUP);
}

static void all_systems_is_never_reported(void **state)
{
    (void)state;
    assert_int_equal(net_join(&rig.net, ALL_SYSTEMS), NET_OK);
    hear(0x11, 10, 0, ALL_SYSTEMS);
    hear(0x11, 10, ALL_SYSTEMS, ALL_SYSTEMS);
    rig_run(&rig, 30000);
    rig_nothing_sent(&rig);
    assert_int_equal(net_leave(&rig.net, ALL_SYSTEMS), NET_OK);
    rig_nothing_sent(&rig);
}

static void reported_again_at_link_up(void **state)
{
    (void)state;
    join(GROUP);
    net_link(&rig.net, false, rig.now);
    rig_run(&rig, 20000);
    rig_nothing_sent(&rig);
    filter_count = 0;
    net_link(&rig.net, true, rig.now);
    assert_int_equal(filter_count, 2);
    rig_poll(&rig);
    expect_message(0x16, GROUP, GROUP);
}

static void a_full_ring_delays_the_report(void **state)
{
    (void)state;
    rig.fake.full = true;
    assert_int_equal(net_join(&rig.net, GROUP), NET_OK);
    rig_run(&rig, 3000);
    rig.fake.full = false;
    rig_run(&rig, 101);
    expect_message(0x16, GROUP, GROUP);
}

static void udp_receives_and_sends(void **state)
{
    (void)state;
    struct udp_socket socket;
    struct udp_datagram datagram;
    uint8_t frame[128], mac[6];
    assert_int_equal(udp_open(&socket, &rig.net, 5353), NET_OK);
    multicast_mac(mac, OTHER_GROUP);
    size_t length = make_udp(frame, PEER, 5353, OTHER_GROUP, 5353, "hello", 5);
    memcpy(frame, mac, 6);
    uint32_t before = rig_dropped(&rig, NET_DROP_IPV4_ADDRESS);
    rig_receive(&rig, frame, length); /* not joined */
    assert_false(udp_receive(&socket, &datagram));
    assert_int_equal(rig_dropped(&rig, NET_DROP_IPV4_ADDRESS), before + 1);
    join(OTHER_GROUP);
    udp_close(&socket);
    assert_int_equal(udp_open(&socket, &rig.net, 5354), NET_OK);
    length = make_udp(frame, PEER, 5353, OTHER_GROUP, 5354, "hello", 5);
    memcpy(frame, mac, 6);
    rig_receive(&rig, frame, length);
    assert_true(udp_receive(&socket, &datagram));
    assert_int_equal(datagram.length, 5);
#if NET_WITH_UDP_OPTIONS
    assert_int_equal(datagram.destination, OTHER_GROUP);
#endif
    assert_int_equal(udp_send(&socket, OTHER_GROUP, 5354, "x", 1), NET_OK);
    const struct frame *sent = rig_sent(&rig);
    assert_non_null(sent);
    assert_memory_equal(sent->bytes, mac, 6);
    assert_int_equal(get32(sent->bytes + 30), OTHER_GROUP);
#if NET_WITH_UDP_OPTIONS
    assert_int_equal(sent->bytes[22], 1); /* RFC 1112 6.1 */
#endif
    udp_close(&socket);
    rig_expect_health(&rig);
}

/* RFC 1122 3.2.2: no errors about what went to many; nor is anything but UDP and IGMP taken. */
static void never_an_error_about_multicast(void **state)
{
    (void)state;
    uint8_t frame[128];
    join(OTHER_GROUP);
    static const uint8_t protocols[] = {1, 4, 6, 17, 99};
    for (unsigned i = 0; i < sizeof protocols; i++) {
        size_t length = make_udp(frame, PEER, 7, OTHER_GROUP, 9999, "data", 4);
        if (protocols[i] != 17) {
            uint8_t payload[20] = {8};
            length = make_ipv4(frame, PEER, OTHER_GROUP, protocols[i], payload, 20);
        }
        multicast_mac(frame, OTHER_GROUP);
        rig_receive(&rig, frame, length);
        rig_nothing_sent(&rig);
    }
    rig_expect_health(&rig);
}

static void hostile(void **state)
{
    (void)state;
    uint8_t frame[128];
    join(GROUP);
    for (size_t cut = 0; cut < 8; cut++) {
        uint8_t igmp[8] = {0x11, 1};
        size_t length = make_ipv4(frame, PEER, ALL_SYSTEMS, 2, igmp, cut);
        multicast_mac(frame, ALL_SYSTEMS);
        uint32_t before = rig_dropped(&rig, NET_DROP_IGMP);
        rig_receive(&rig, frame, length);
        assert_int_equal(rig_dropped(&rig, NET_DROP_IGMP), before + 1);
    }
    size_t length = make_igmp(frame, 0x11, 1, 0, PEER, ALL_SYSTEMS);
    frame[36] ^= 1; /* checksum */
    rig_receive(&rig, frame, length);
    hear(0x11, 1, GROUP, ALL_SYSTEMS);       /* not addressed to the group that it asks about */
    hear(0x11, 1, 0, GROUP);                 /* general, to one group */
    hear(0x11, 1, OTHER_GROUP, OTHER_GROUP); /* not joined */
    hear(0x16, 0, PEER, GROUP);
    hear(0x16, 0, 0, GROUP);
    hear(0x17, 0, GROUP, ALL_ROUTERS);
    hear(0x22, 0, 1, GROUP); /* IGMPv3 report */
    hear(0, 0, 0, ALL_SYSTEMS);
    length = make_igmp(frame, 0x11, 1, 0, PEER, ALL_SYSTEMS); /* in a frame to us alone */
    memcpy(frame, our_mac, 6);
    rig_receive(&rig, frame, length);
    rig_receive(&rig, frame, make_igmp(frame, 0x11, 1, 0, OURS, ALL_SYSTEMS)); /* from ourselves */
    rig_receive(&rig, frame, make_igmp(frame, 0x11, 1, 0, 0xE0000005, ALL_SYSTEMS));
    rig_run(&rig, 30000);
    rig_nothing_sent(&rig);
    rig_receive(&rig, frame,
                make_igmp(frame, 0x11, 1, 0, 0, ALL_SYSTEMS)); /* a switch without address: heard */
    rig_run(&rig, 101);
    expect_message(0x16, GROUP, GROUP);
    rig_expect_health(&rig);
}

/* Queries without pause: a report per tenth of a second at most, which is what they grant. */
static void query_flood(void **state)
{
    (void)state;
    join(GROUP);
    unsigned reports = 0;
    for (unsigned i = 0; i < 5000; i++) {
        hear(0x11, 1, 0, ALL_SYSTEMS);
        rig_advance(&rig, 1);
        for (; rig_sent(&rig); reports++) {
        }
    }
    assert_true(reports <= 5000 / 20);
    rig_expect_health(&rig);
}

static void other_multicast_frames_are_not_ours(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_echo(frame, 32);
    static const uint8_t macs[][6] = {
        {0x33, 0x33, 0, 0, 0, 1}, {1, 0x80, 0xC2, 0, 0, 0x0E}, {1, 0, 0x5F, 0, 0, 1}};
    for (unsigned i = 0; i < 3; i++) {
        uint32_t before = rig_dropped(&rig, NET_DROP_ETHERNET);
        memcpy(frame, macs[i], 6);
        rig_receive(&rig, frame, length);
        assert_int_equal(rig_dropped(&rig, NET_DROP_ETHERNET), before + 1);
    }
    length = make_arp(frame, 1, peer_mac, PEER, OURS);
    multicast_mac(frame, ALL_SYSTEMS);
    rig_receive(&rig, frame, length);
    length = make_echo(frame, 32); /* IP to us in a multicast frame */
    multicast_mac(frame, ALL_SYSTEMS);
    rig_receive(&rig, frame, length);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

#endif

int main(void)
{
#if NET_WITH_IGMP
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(joins_and_leaves),
        TEST(groups_full),
        TEST(answers_queries),
        TEST(a_shorter_query_hastens),
        TEST(suppression),
        TEST(version_1_router),
        TEST(all_systems_is_never_reported),
        TEST(reported_again_at_link_up),
        TEST(a_full_ring_delays_the_report),
        TEST(udp_receives_and_sends),
        TEST(never_an_error_about_multicast),
        TEST(hostile),
        TEST(query_flood),
        TEST(other_multicast_frames_are_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
