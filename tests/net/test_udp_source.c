/* From which of our addresses a datagram leaves, and broadcasts to each of our networks (RFC
 * 1122 3.3.4, 3.3.6). */
#include "rig.h"

#include <string.h>

static struct rig rig;
static struct udp_socket udp;

enum { PORT = 5000 };
#define SECOND     0x0A000007U /* in the same network as the first */
#define ELSEWHERE  0xC0A80102U
#define BROADCAST  0x0A0000FFU
#define BROADCAST2 0xC0A801FFU

static int setup(void **state)
{
    (void)state;
    uint8_t frame[64];
    rig_open(&rig, 512, 512, 0);
#if NET_WITH_ROUTES
    assert_int_equal(net_add_address(&rig.net, SECOND, MASK), NET_OK);
    assert_int_equal(net_add_address(&rig.net, ELSEWHERE, MASK), NET_OK);
    rig_run(&rig, 100);
#endif
    assert_int_equal(udp_open(&udp, &rig.net, PORT), NET_OK);
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    udp_close(&udp);
    rig_close(&rig);
    return 0;
}

static void expect_datagram(uint32_t source, uint32_t destination)
{
    const struct frame *sent = rig_sent(&rig);
    assert_non_null(sent);
    assert_int_equal(get16(sent->bytes + 12), 0x0800);
    assert_int_equal(get32(sent->bytes + 26), source);
    assert_int_equal(get32(sent->bytes + 30), destination);
    bool to_all = sent->bytes[0] == 0xFF;
    assert_int_equal(to_all, destination != PEER);
    rig_nothing_sent(&rig);
}

static void send_to(uint32_t destination)
{
    assert_int_equal(udp_send(&udp, destination, 6000, "hello", 5), NET_OK);
}

static void broadcast_again_and_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        send_to(BROADCAST);
        expect_datagram(OURS, BROADCAST);
        send_to(0xFFFFFFFF);
        expect_datagram(OURS, 0xFFFFFFFF);
#if NET_WITH_ROUTES
        send_to(BROADCAST2);
        expect_datagram(ELSEWHERE, BROADCAST2);
        send_to(BROADCAST2);
        expect_datagram(ELSEWHERE, BROADCAST2);
#endif
    }
    send_to(PEER);
    expect_datagram(OURS, PEER);
    rig_expect_health(&rig);
}

#if NET_WITH_ROUTES && NET_WITH_UDP_OPTIONS

static void ask_at(uint32_t address, uint16_t port)
{
    uint8_t frame[128];
    size_t length = make_udp(frame, PEER, port, address, PORT, "ask", 3);
    if (address == BROADCAST) {
        memcpy(frame, everyone, 6);
    }
    rig_receive(&rig, frame, length);
}

static void expect_asked(void)
{
    struct udp_datagram datagram;
    assert_true(udp_receive(&udp, &datagram));
}

/* RFC 1122 4.1.3.5. */
static void answer_leaves_from_where_it_was_asked(void **state)
{
    (void)state;
    static const uint32_t at[] = {SECOND, OURS, ELSEWHERE};
    for (unsigned i = 0; i < 3; i++) {
        ask_at(at[i], 6000);
        expect_asked();
        rig_poll(&rig);
        send_to(PEER);
        expect_datagram(at[i], PEER);
    }
    ask_at(SECOND, 6001); /* whoever else is sent to has not asked */
    expect_asked();
    send_to(PEER);
    expect_datagram(OURS, PEER);
    ask_at(BROADCAST, 6000); /* which is no address to answer from */
    expect_asked();
    send_to(PEER);
    expect_datagram(OURS, PEER);
    ask_at(SECOND, 6000);
    expect_asked();
    assert_int_equal(net_remove_address(&rig.net, SECOND), NET_OK); /* nor is one that is gone */
    assert_int_equal(udp_send(&udp, PEER, 6000, "hello", 5), NET_OK);
    expect_datagram(OURS, PEER);
}

/* RFC 1122 3.3.4.2: the application may choose. */
static void bound_to_an_address(void **state)
{
    (void)state;
    assert_int_equal(udp_bind(&udp, 0xE0000001), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_bind(&udp, 0xFFFFFFFF), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_bind(&udp, SECOND), NET_OK);
    send_to(PEER);
    expect_datagram(SECOND, PEER);
    send_to(BROADCAST);
    expect_datagram(SECOND, BROADCAST);
    ask_at(SECOND, 6000);
    expect_asked();
    struct udp_datagram datagram;
    ask_at(BROADCAST, 6000);
    assert_false(udp_receive(&udp, &datagram));
    rig_nothing_sent(&rig);
    ask_at(OURS, 6000); /* where nobody has that port */
    assert_false(udp_receive(&udp, &datagram));
    const struct frame *unreachable = rig_sent(&rig);
    assert_non_null(unreachable);
    assert_int_equal(get32(unreachable->bytes + 26), OURS);
    assert_int_equal(get16(unreachable->bytes + 34), 0x0303);
    assert_int_equal(udp_bind(&udp, 0), NET_OK);
    ask_at(OURS, 6000);
    expect_asked();
    send_to(PEER);
    expect_datagram(OURS, PEER);
}

/* Binding outlives the address: one may be chosen that is still to come, or is probed for again. */
static void bound_to_what_is_not_ours_now(void **state)
{
    (void)state;
    assert_int_equal(udp_bind(&udp, SECOND), NET_OK);
    assert_int_equal(net_remove_address(&rig.net, SECOND), NET_OK);
    assert_int_equal(udp_send(&udp, PEER, 6000, "hello", 5), NET_ERROR_ADDRESS);
    rig_nothing_sent(&rig);
    assert_int_equal(net_add_address(&rig.net, SECOND, MASK), NET_OK);
    rig_run(&rig, 100);
    rig_discard_sent(&rig);
    send_to(PEER);
    expect_datagram(SECOND, PEER);
}

#if NET_WITH_FRAGMENTS
static void large_ones_too(void **state)
{
    (void)state;
    static uint8_t large[3000];
    assert_int_equal(udp_bind(&udp, SECOND), NET_OK);
    assert_int_equal(udp_send(&udp, PEER, 6000, large, sizeof large), NET_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(get32(rig_sent(&rig)->bytes + 26), SECOND);
    }
    rig_nothing_sent(&rig);
}
#endif

#if NET_WITH_ICMP_ERRORS
/* An error about what another address has sent from this port is not about this socket. */
static void errors_by_address(void **state)
{
    (void)state;
    uint8_t frame[128], quoted[128], error[36] = {3, 3};
    static const uint32_t from[] = {OURS, SECOND};
    static const int reported[] = {NET_OK, NET_ERROR_REFUSED};
    assert_int_equal(udp_bind(&udp, SECOND), NET_OK);
    for (unsigned i = 0; i < 2; i++) {
        (void)make_udp(quoted, from[i], PORT, PEER, 6000, "hello", 5);
        memcpy(error + 8, quoted + 14, 28);
        put16(error + 2, 0);
        put16(error + 2, plain_checksum(0, error, sizeof error));
        rig_receive(&rig, frame, make_ipv4(frame, PEER, from[i], 1, error, sizeof error));
        assert_int_equal(udp_error(&udp), reported[i]);
    }
}
#endif

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(broadcast_again_and_again),
#if NET_WITH_ROUTES && NET_WITH_UDP_OPTIONS
        TEST(answer_leaves_from_where_it_was_asked),
        TEST(bound_to_an_address),
        TEST(bound_to_what_is_not_ours_now),
#if NET_WITH_FRAGMENTS
        TEST(large_ones_too),
#endif
#if NET_WITH_ICMP_ERRORS
        TEST(errors_by_address),
#endif
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
