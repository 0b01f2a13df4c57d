/* ICMP errors about our own connections: RFC 1122 4.2.3.9, RFC 1191, RFC 5461, RFC 5927. */
#include "tcp_case.h"

#include <string.h>

static void nothing(void **state) /* so that a build without the feature has a test */
{
    (void)state;
}

#if NET_WITH_ICMP_ERRORS

enum {
    UNREACHABLE = 3,
    TIME_EXCEEDED = 11,
    PARAMETER_PROBLEM = 12,
    HOST = 1,
    PROTOCOL = 2,
    PORT = 3,
    TOO_BIG = 4
};

/* An error that quotes the frame, whose sequence number is moved by `offset`. */
static void error_about(const struct frame *frame, uint8_t type, uint8_t code, uint16_t mtu, uint32_t offset)
{
    uint8_t icmp[36] = {type, code}, out[128];
    put16(icmp + 6, mtu);
    memcpy(icmp + 8, frame->bytes + 14, 28);
    put32(icmp + 32, get32(icmp + 32) + offset);
    put16(icmp + 2, plain_checksum(0, icmp, sizeof icmp));
    rig_receive(&lab, out, make_ipv4(out, 0x0A000001, OURS, 1, icmp, sizeof icmp));
}

static struct frame syn_frame(void)
{
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_OK);
    rig_poll(&lab);
    rig_resolve(&lab);
    return *rig_sent(&lab);
}

static void ends_an_attempt_to_connect(void **state)
{
    (void)state;
    struct frame syn = syn_frame();
    error_about(&syn, UNREACHABLE, PORT, 0, 1); /* not what we have sent */
    error_about(&syn, UNREACHABLE, PORT, 0, (uint32_t)-1);
    error_about(&syn, UNREACHABLE, PORT, 0, 0x80000000);
    assert_int_equal(tcp_state(&lab.tcp), TCP_SYN_SENT);
    error_about(&syn, UNREACHABLE, HOST, 0, 0);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    assert_int_equal(tcp_error(&lab.tcp), NET_ERROR_UNREACHABLE);
    expect_closed(NET_ERROR_UNREACHABLE);
}

static struct frame data_frame(size_t length)
{
    rig_write(&lab, pattern, length);
    struct frame data = *rig_sent(&lab);
    rig_discard_sent(&lab);
    return data;
}

static void is_remembered_when_established(void **state) /* a soft error, RFC 1122 4.2.3.9 */
{
    (void)state;
    rig_connect(&lab);
    struct frame data = data_frame(100);
    error_about(&data, UNREACHABLE, HOST, 0, 100); /* SND.NXT: not yet sent */
    error_about(&data, UNREACHABLE, HOST, 0, (uint32_t)-1);
    assert_int_equal(lab.tcp.soft_error, 0);
    error_about(&data, UNREACHABLE, HOST, 0, 99);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    rig_run(&lab, TCP_USER_TIMEOUT_MS);
    assert_int_equal(tcp_error(&lab.tcp), NET_ERROR_UNREACHABLE);
}

/* Every code of every type that the stack knows: only two of them end what is established. */
static void hard_and_soft(void **state)
{
    (void)state;
    static const uint8_t types[] = {UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM};
    for (unsigned i = 0; i < sizeof types; i++) {
        uint8_t type = types[i];
        for (unsigned code = 0; code < 256; code++) {
            if (type == UNREACHABLE && code == TOO_BIG) {
                continue;
            }
            rig_connect(&lab);
            struct frame data = data_frame(100);
            error_about(&data, type, (uint8_t)code, 0, 100);
            assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
            error_about(&data, type, (uint8_t)code, 0, 0);
            bool hard = type == UNREACHABLE && (code == PROTOCOL || code == PORT);
            assert_int_equal(tcp_state(&lab.tcp), hard ? TCP_CLOSED : TCP_ESTABLISHED);
            if (hard) {
                rig_expect_segment(&lab, RST | ACK);
                assert_int_equal(tcp_error(&lab.tcp), NET_ERROR_NO_SERVICE);
                continue;
            }
            tcp_abort(&lab.tcp);
            rig_discard_sent(&lab);
        }
    }
    rig_expect_health(&lab);
}

static void is_forgotten_with_progress(void **state)
{
    (void)state;
    rig_connect(&lab);
    struct frame data = data_frame(100);
    error_about(&data, TIME_EXCEEDED, 0, 0, 0);
    lab.ack += 100;
    ack_from_peer(8192);
    rig_write(&lab, pattern, 100);
    rig_run(&lab, TCP_USER_TIMEOUT_MS);
    assert_int_equal(tcp_error(&lab.tcp), NET_ERROR_TIMEOUT);
}

static void other_connections_are_not_touched(void **state)
{
    (void)state;
    rig_connect(&lab);
    struct frame data = data_frame(100), other = data;
    put16(other.bytes + 34, get16(other.bytes + 34) ^ 1);
    error_about(&other, UNREACHABLE, PORT, 0, 0);
    other = data;
    put32(other.bytes + 30, PEER + 5);
    error_about(&other, UNREACHABLE, PORT, 0, 0);
    assert_int_equal(lab.tcp.soft_error, 0);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
}

static void fragmentation_needed(void **state) /* RFC 1191 3, 6.2 */
{
    (void)state;
    rig_connect(&lab);
    struct frame data = data_frame(1460);
    assert_int_equal(get16(data.bytes + 20), 0x4000); /* do not fragment */
    uint32_t cwnd = lab.tcp.cwnd;
    error_about(&data, UNREACHABLE, TOO_BIG, 1400, 0);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 1360); /* at once */
    rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(lab.tcp.cwnd, cwnd);              /* no congestion */
    error_about(&data, UNREACHABLE, TOO_BIG, 1400, 0); /* said already */
    error_about(&data, UNREACHABLE, TOO_BIG, 9000, 0); /* larger than ours */
    rig_nothing_sent(&lab);
    assert_int_equal(lab.tcp.mss, 1360);
    lab.ack += 1460;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

static void routers_that_do_not_tell(void **state) /* RFC 1191 5, 7.1 */
{
    (void)state;
    rig_connect(&lab);
    struct frame data = data_frame(1460);
    error_about(&data, UNREACHABLE, TOO_BIG, 0, 0);
    assert_int_equal(lab.tcp.mss, 1452);
    error_about(&data, UNREACHABLE, TOO_BIG, 0, 0);
    assert_int_equal(lab.tcp.mss, 966);
}

/* MTU 68 or less, forged or not: no smaller segments than 536, but they may be fragmented. */
static void forged_small_mtu(void **state) /* RFC 5927 7.2 */
{
    (void)state;
    rig_connect(&lab);
    struct frame data = data_frame(1460);
    error_about(&data, UNREACHABLE, TOO_BIG, 68, 5000); /* not in flight */
    assert_int_equal(lab.tcp.mss, 1460);
    rig_nothing_sent(&lab);
    error_about(&data, UNREACHABLE, TOO_BIG, 68, 0);
    assert_int_equal(lab.tcp.mss, 536);
    const struct frame *again = rig_sent(&lab);
    assert_int_equal(get16(again->bytes + 20), 0);
    rig_discard_sent(&lab);
    for (uint16_t mtu = 0; mtu < 600; mtu += 20) { /* nothing changes any more, so nothing is sent again */
        error_about(&data, UNREACHABLE, TOO_BIG, mtu, 0);
    }
    rig_nothing_sent(&lab);
    assert_int_equal(lab.tcp.mss, 536);
    lab.ack += 1460;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

static void black_hole(void **state) /* RFC 2923 2.1: what is too long vanishes, and nobody tells */
{
    (void)state;
    rig_connect(&lab);
    rig_write(&lab, pattern, 1460);
    rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 5000), 1000);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 5000), 2000);
    struct sent_segment again;
    assert_int_equal(time_to_segment(ACK, &again, 5000), 4000);
    assert_int_equal(again.length, 536);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing),
#if NET_WITH_ICMP_ERRORS
        TEST(ends_an_attempt_to_connect),
        TEST(is_remembered_when_established),
        TEST(hard_and_soft),
        TEST(is_forgotten_with_progress),
        TEST(other_connections_are_not_touched),
        TEST(fragmentation_needed),
        TEST(routers_that_do_not_tell),
        TEST(forged_small_mtu),
        TEST(black_hole),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
