/* The application chooses the address that it sends from (RFC 1122 3.3.4.2, RFC 9293 3.9.1.1). */
#include "rig.h"

#if NET_WITH_ROUTES

#include "net/ping.h"

#include <string.h>

static struct rig rig;

#define SECOND 0x0A000007U

static int setup(void **state)
{
    (void)state;
    uint8_t frame[64];
    rig_open(&rig, 512, 512, 0);
    assert_int_equal(net_add_address(&rig.net, SECOND, MASK), NET_OK);
    rig_run(&rig, 100);
    rig_receive(&rig, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static void expect_packet_from(uint32_t source)
{
    const struct frame *sent = rig_sent(&rig);
    assert_non_null(sent);
    assert_int_equal(get16(sent->bytes + 12), 0x0800);
    assert_int_equal(get32(sent->bytes + 26), source);
    assert_int_equal(get32(sent->bytes + 30), PEER);
}

static void connection(void **state)
{
    (void)state;
    assert_int_equal(tcp_bind(&rig.tcp, 0xE0000001), NET_ERROR_ARGUMENT);
    assert_int_equal(tcp_bind(&rig.tcp, SECOND), NET_OK);
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_OK);
    rig_poll(&rig);
    expect_packet_from(SECOND);
    assert_int_equal(net_remove_address(&rig.net, SECOND), NET_OK);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_ERROR_ADDRESS);
    assert_int_equal(tcp_state(&rig.tcp), TCP_CLOSED);
    assert_int_equal(tcp_bind(&rig.tcp, 0), NET_OK);
    rig_expect_health(&rig);
}

/* The next connection's, not the present one's. */
static void next_connection(void **state)
{
    (void)state;
    rig_connect(&rig);
    assert_int_equal(tcp_bind(&rig.tcp, SECOND), NET_OK);
    rig_write(&rig, "data", 4);
    expect_packet_from(OURS);
    tcp_abort(&rig.tcp);
    rig_discard_sent(&rig);
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_OK);
    rig_poll(&rig);
    expect_packet_from(SECOND);
}

#if NET_WITH_PING
static void echo_request(void **state)
{
    (void)state;
    static uint8_t data[3000];
    static const size_t lengths[] = {8, 1000, NET_WITH_FRAGMENTS ? sizeof data : 8};
    struct ping ping;
    ping_open(&ping, &rig.net);
    assert_int_equal(ping_bind(&ping, 0xE0000001), NET_ERROR_ARGUMENT);
    assert_int_equal(ping_bind(&ping, SECOND), NET_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(ping_send(&ping, PEER, data, lengths[i], rig.now) >= 0);
        expect_packet_from(SECOND);
        rig_discard_sent(&rig);
    }
    assert_int_equal(net_remove_address(&rig.net, SECOND), NET_OK);
    assert_int_equal(ping_send(&ping, PEER, data, 8, rig.now), NET_ERROR_ADDRESS);
    assert_int_equal(ping_bind(&ping, 0), NET_OK);
    assert_true(ping_send(&ping, PEER, data, 8, rig.now) >= 0);
    expect_packet_from(OURS);
    ping_close(&ping);
}

/* An answer before anything was asked, whatever its number, is none. */
static void unasked_echo_reply(void **state)
{
    (void)state;
    struct ping ping;
    struct ping_answer answer;
    uint8_t frame[128], reply[16] = {0};
    ping_open(&ping, &rig.net);
    static const uint16_t numbers[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        put16(reply + 2, 0);
        put16(reply + 4, ping.id);
        put16(reply + 6, numbers[i]);
        put16(reply + 2, plain_checksum(0, reply, sizeof reply));
        rig_expect_drop(&rig, frame, make_ipv4(frame, PEER, OURS, 1, reply, sizeof reply), NET_DROP_ICMP);
        assert_false(ping_receive(&ping, &answer));
    }
    ping_close(&ping);
}
#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(connection),
        TEST(next_connection),
#if NET_WITH_PING
        TEST(echo_request),
        TEST(unasked_echo_reply),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
