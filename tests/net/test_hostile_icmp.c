/* The class "ICMP" of hostile input; errors that are heard and sent (RFC 792, 1122 3.2.2), and ping. */
#include "rig.h"

#include "net/ping.h"

#include <string.h>

#include "rig_case.h"

static void receive_icmp(uint32_t source, uint8_t *icmp, size_t length)
{
    uint8_t frame[1600];
    put16(icmp + 2, 0);
    put16(icmp + 2, plain_checksum(0, icmp, length));
    rig_receive(&rig, frame, make_ipv4(frame, source, OURS, 1, icmp, length));
}

/* An error that quotes a packet of ours: header and `quoted` bytes of what followed it. */
static size_t make_error(uint8_t *icmp, uint8_t type, uint8_t code, uint8_t protocol, uint32_t destination,
                         const uint8_t *transport, size_t quoted)
{
    uint8_t frame[128];
    memset(icmp, 0, 8);
    icmp[0] = type;
    icmp[1] = code;
    (void)make_ipv4(frame, OURS, destination, protocol, transport, quoted);
    memcpy(icmp + 8, frame + 14, 20 + quoted);
    return 28 + quoted;
}

static void receive_error(uint8_t type, uint8_t code, uint8_t protocol, uint32_t destination,
                          const uint8_t *transport)
{
    uint8_t icmp[128];
    receive_icmp(PEER, icmp, make_error(icmp, type, code, protocol, destination, transport, 8));
}

static void make_ports(uint8_t *transport, uint16_t source, uint16_t destination, uint32_t seq)
{
    put16(transport, source);
    put16(transport + 2, destination);
    put32(transport + 4, seq);
}

/* ---- Hostile, by the line ---- */

static void quote_shorter_than_a_header(void **state)
{
    (void)state;
    rig_connect(&rig);
    uint8_t icmp[128], tcp[8];
    make_ports(tcp, rig.port, BROKER, rig.ack);
    for (uint8_t type = 3; type <= 12; type++) {
        size_t whole = make_error(icmp, type, 1, 6, PEER, tcp, 8);
        for (size_t length = 8; length < whole; length++) {
            uint32_t before = rig_dropped(&rig, NET_DROP_ICMP);
            if (type == 8) {
                continue;
            }
            receive_icmp(PEER, icmp, length);
            assert_int_equal(rig_dropped(&rig, NET_DROP_ICMP), before + 1);
        }
    }
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void quote_that_is_no_packet_of_ours(void **state)
{
    (void)state;
    rig_connect(&rig);
    uint8_t icmp[128], tcp[8];
    make_ports(tcp, rig.port, BROKER, rig.ack);
    static const struct {
        uint8_t at, value;
    } faults[] = {
        {8, 0x65},                   /* version */
        {8, 0x44},                   /* IHL below 5 */
        {8, 0x4F},                   /* IHL above what is there */
        {15, 1},                     /* a later fragment */
        {8 + 13, 9},                 /* not from us */
        {8 + 16, 0xE0},              /* to many */
        {8 + 16, 127},  {8 + 9, 99}, /* of a protocol that we do not send */
    };
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        size_t length = make_error(icmp, 3, 1, 6, PEER, tcp, 8);
        icmp[faults[i].at] = faults[i].value;
        uint32_t before = rig_dropped(&rig, NET_DROP_ICMP);
        receive_icmp(PEER, icmp, length);
        assert_int_equal(rig_dropped(&rig, NET_DROP_ICMP), before + 1);
    }
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_expect_health(&rig);
}

static void echo_truncated(void **state)
{
    (void)state;
    uint8_t frame[64];
    for (uint16_t length = 0; length < 8; length++) {
        uint8_t icmp[8] = {8};
        uint32_t before = rig_dropped(&rig, NET_DROP_ICMP);
        put16(icmp + 2, plain_checksum(0, icmp, length));
        rig_receive(&rig, frame, make_ipv4(frame, PEER, OURS, 1, icmp, length));
        assert_int_equal(rig_dropped(&rig, NET_DROP_ICMP), before + 1);
    }
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void echo_to_many(void **state) /* smurf */
{
    (void)state;
    static const uint32_t many[] = {0x0A0000FF, 0xFFFFFFFF, 0xE0000001, 0xE00000FB};
    uint8_t frame[128];
    for (unsigned i = 0; i < 4; i++) {
        size_t length = make_echo(frame, 32);
        put32(frame + 30, many[i]);
        fix_ipv4(frame);
        memcpy(frame, i < 2 ? everyone : (const uint8_t *)"\1\0\x5E\0\0\1", 6);
        rig_receive(&rig, frame, length);
        rig_nothing_sent(&rig);
    }
    rig_expect_health(&rig);
}

static void echo_that_fills_the_frame(void **state)
{
    (void)state;
    uint8_t frame[1600];
    size_t length = make_echo(frame, 1480);
    rig_receive(&rig, frame, length);
    assert_int_equal(rig_sent(&rig)->length, 1514);
    put16(frame + 16, 1501); /* larger than the frame that it is in; in fragments: test_hostile_fragment.c */
    fix_ipv4(frame);
    rig_receive(&rig, frame, length);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

/* RFC 5927: a sequence number that is not in flight is a forgery. Nothing is in flight. */
static void forged_unreachable(void **state)
{
    (void)state;
    rig_connect(&rig);
    static const int32_t away[] = {-100000, -1, 0, 1, 100000, INT32_MAX};
    static const uint16_t mtus[] = {0, 1, 67, 68, 576, 1500, 9000, 65535};
    for (uint8_t code = 0; code < 16; code++) {
        for (unsigned i = 0; i < sizeof away / sizeof *away; i++) {
            for (unsigned j = 0; j < (code == 4 ? sizeof mtus / sizeof *mtus : 1); j++) {
                uint8_t icmp[128], tcp[8];
                make_ports(tcp, rig.port, BROKER, rig.ack + (uint32_t)away[i]);
                size_t length = make_error(icmp, 3, code, 6, PEER, tcp, 8);
                put16(icmp + 6, mtus[j]);
                receive_icmp(PEER, icmp, length);
                assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
                rig_nothing_sent(&rig);
            }
        }
    }
    rig_expect_health(&rig);
}

static void redirect_and_source_quench_are_ignored(void **state)
{
    (void)state;
    rig_connect(&rig);
    uint8_t tcp[8];
    make_ports(tcp, rig.port, BROKER, rig.ack);
    for (uint8_t code = 0; code < 4; code++) {
        uint32_t before = rig_dropped(&rig, NET_DROP_ICMP);
        receive_error(4, code, 6, PEER, tcp);
        receive_error(5, code, 6, PEER, tcp);
        assert_int_equal(rig_dropped(&rig, NET_DROP_ICMP), before + 2);
    }
    rig_write(&rig, "x", 1); /* still to the same place, at once */
    rig_expect_segment(&rig, ACK | PSH);
    rig_segment(&rig, rig.seq, ++rig.ack, ACK, 8192, NULL, 0);
    rig_expect_health(&rig);
}

static void unknown_types(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t icmp[64] = {(uint8_t)type, 0};
        if (type == 8) {
            continue;
        }
        uint32_t before = rig_dropped(&rig, NET_DROP_ICMP);
        receive_icmp(PEER, icmp, 40);
        assert_int_equal(rig_dropped(&rig, NET_DROP_ICMP), before + 1);
    }
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void wrong_checksum(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_echo(frame, 32);
    for (size_t at = 34; at < length; at++) {
        make_echo(frame, 32);
        frame[at] ^= 0x10;
        rig_receive(&rig, frame, length);
    }
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

/* ---- What we send ---- */

static unsigned count_answers(void)
{
    unsigned answers = 0;
    for (; rig_sent(&rig); answers++) {
    }
    return answers;
}

/* RFC 1812 4.3.2.8: ten at once, then ten a second. */
static void errors_are_limited(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_udp(frame, PEER, 7, OURS, 5000, "data", 4);
    for (unsigned i = 0; i < 30; i++) {
        rig_receive(&rig, frame, length);
    }
    assert_int_equal(count_answers(), 10);
    unsigned answers = 0;
    for (unsigned i = 0; i < 5000; i++) {
        rig.now += 1;
        rig_receive(&rig, frame, length);
        answers += count_answers();
    }
    assert_in_range(answers, 49, 51);
    rig_run(&rig, 0x7FFFFFF0); /* long after, when differences have wrapped, a whole bucket is there */
    rig_run(&rig, 0x10);
    for (unsigned i = 0; i < 30; i++) {
        rig_receive(&rig, frame, length);
    }
    assert_int_equal(count_answers(), 10);
    rig_expect_health(&rig);
}

/* RFC 792: the header with its options, and eight bytes more. */
static void quotes_options(void **state)
{
    (void)state;
    uint8_t frame[256], packet[128] = {0};
    memset(packet, 1, 40); /* options: NOPs */
    make_ports(packet + 40, 7, 5000, 0x00100000);
    size_t length = make_ipv4(frame, PEER, OURS, 17, packet, 56);
    frame[14] = 0x4F;
    fix_ipv4(frame);
    rig_receive(&rig, frame, length);
    const struct frame *answer = rig_sent(&rig);
    assert_non_null(answer);
    assert_int_equal(get16(answer->bytes + 34), 0x0303);
    assert_int_equal(answer->length, 34 + 8 + 60 + 8);
    assert_memory_equal(answer->bytes + 42, frame + 14, 68);
    rig_expect_health(&rig);
}

static void no_error_about_an_error_or_to_nobody(void **state)
{
    (void)state;
    uint8_t frame[128], payload[32] = {3, 3};
    static const uint32_t sources[] = {0, 0xFFFFFFFF, 0x0A0000FF, 0xE0000001, 0x7F000001, OURS};
    for (unsigned i = 0; i < sizeof sources / sizeof *sources; i++) {
        rig_receive(&rig, frame, make_udp(frame, sources[i], 7, OURS, 5000, "data", 4));
        rig_receive(&rig, frame, make_ipv4(frame, sources[i], OURS, 99, payload, 32));
    }
    for (unsigned i = 0; i < 2; i++) {
        size_t length = make_ipv4(frame, PEER, i ? 0x0A0000FF : 0xFFFFFFFF, 99, payload, 32);
        memcpy(frame, everyone, 6);
        rig_receive(&rig, frame, length);
    }
    receive_icmp(PEER, payload, 32);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

/* ---- What we hear ---- */

#if NET_WITH_ICMP_ERRORS

static void udp_socket_hears_errors(void **state)
{
    (void)state;
    struct udp_socket socket;
    uint8_t udp[8];
    static const struct {
        uint8_t type, code;
        int error;
    } cases[] = {{3, 3, NET_ERROR_REFUSED},
                 {3, 0, NET_ERROR_UNREACHABLE},
                 {3, 1, NET_ERROR_UNREACHABLE},
                 {3, 4, NET_ERROR_TOO_LONG},
                 {11, 0, NET_ERROR_UNREACHABLE},
                 {12, 0, NET_ERROR_UNREACHABLE},
                 {3, 13, NET_ERROR_UNREACHABLE},
                 {4, 0, NET_OK},
                 {5, 0, NET_OK}};
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    make_ports(udp, 5000, 7, 8 << 16);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        receive_error(cases[i].type, cases[i].code, 17, PEER, udp);
        assert_int_equal(udp_error(&socket), cases[i].error);
        assert_int_equal(udp_error(&socket), NET_OK);
    }
    make_ports(udp, 5001, 7, 8 << 16); /* of no socket */
    receive_error(3, 3, 17, PEER, udp);
    assert_int_equal(udp_error(&socket), NET_OK);
#if NET_WITH_UDP_OPTIONS
    assert_int_equal(udp_connect(&socket, PEER, 7), NET_OK);
    make_ports(udp, 5000, 8, 8 << 16); /* of a datagram to another port */
    receive_error(3, 3, 17, PEER, udp);
    make_ports(udp, 5000, 7, 8 << 16); /* to another host */
    receive_error(3, 3, 17, PEER + 8, udp);
    assert_int_equal(udp_error(&socket), NET_OK);
    receive_error(3, 3, 17, PEER, udp);
    assert_int_equal(udp_error(&socket), NET_ERROR_REFUSED);
#endif
    udp_close(&socket);
    rig_expect_health(&rig);
}

#endif

/* ---- Ping ---- */

#if NET_WITH_PING

static struct ping ping;

static void open_ping(void)
{
    ping_open(&ping, &rig.net);
    assert_int_equal(ping_send(&ping, PEER, "data", 4, rig.now), NET_ERROR_NEIGHBOUR);
    rig_resolve(&rig);
}

/* The request that was sent last, as an answer. */
static size_t take_request(uint8_t *icmp, uint32_t to)
{
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    assert_int_equal(frame->bytes[23], 1);
    assert_int_equal(get16(frame->bytes + 34), 0x0800);
    assert_int_equal(get32(frame->bytes + 30), to);
    memcpy(icmp, frame->bytes + 34, frame->length - 34);
    icmp[0] = 0;
    return frame->length - 34;
}

static void ping_round_trip(void **state)
{
    (void)state;
    struct ping_answer answer;
    uint8_t icmp[1600], data[1472] = {1, 2, 3};
    open_ping();
    static const uint16_t lengths[] = {0, 1, 56, 86, 87, 1000, 1472};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        int seq = ping_send(&ping, PEER, data, lengths[i], rig.now);
        assert_true(seq >= 0);
        size_t length = take_request(icmp, PEER);
        assert_int_equal(length, 8 + lengths[i]);
        assert_memory_equal(icmp + 8, data, lengths[i]);
        assert_false(ping_receive(&ping, &answer));
        rig_advance(&rig, 17);
        receive_icmp(PEER, icmp, length);
        assert_true(ping_receive(&ping, &answer));
        assert_int_equal(answer.result, NET_OK);
        assert_int_equal(answer.source, PEER);
        assert_int_equal(answer.seq, seq);
        assert_int_equal(answer.rtt_ms, 17);
        assert_int_equal(answer.length, lengths[i]);
        assert_int_equal(answer.ttl, 64);
        assert_false(ping_receive(&ping, &answer));
        receive_icmp(PEER, icmp, length); /* again: a duplicate has no time */
        assert_true(ping_receive(&ping, &answer));
        assert_int_equal(answer.rtt_ms, PING_RTT_UNKNOWN);
    }
    ping_close(&ping);
    rig_expect_health(&rig);
}

static void ping_several_under_way(void **state)
{
    (void)state;
    struct ping_answer answer;
    uint8_t icmp[6][64];
    size_t length = 0;
    open_ping();
    for (unsigned i = 0; i < 6; i++) {
        assert_true(ping_send(&ping, PEER, "data", 4, rig.now) >= 0);
        length = take_request(icmp[i], PEER);
        rig_advance(&rig, 10);
    }
    receive_icmp(PEER, icmp[1], length); /* its place is another's by now */
    assert_true(ping_receive(&ping, &answer));
    assert_int_equal(answer.rtt_ms, PING_RTT_UNKNOWN);
    for (unsigned i = 6; i-- > 0;) {
        receive_icmp(PEER, icmp[i], length);
        assert_true(ping_receive(&ping, &answer));
        assert_int_equal(answer.rtt_ms, i < 2 ? PING_RTT_UNKNOWN : (6 - i) * 10);
    }
    receive_icmp(PEER + 8, icmp[5], length); /* from another host than asked: told, without a time */
    assert_true(ping_receive(&ping, &answer));
    assert_int_equal(answer.rtt_ms, PING_RTT_UNKNOWN);
    ping_close(&ping);
    rig_expect_health(&rig);
}

static void ping_hears_only_its_own(void **state)
{
    (void)state;
    struct ping other;
    struct ping_answer answer;
    uint8_t icmp[64];
    open_ping();
    ping_open(&other, &rig.net);
    assert_true(ping_send(&ping, PEER, "data", 4, rig.now) >= 0);
    size_t length = take_request(icmp, PEER);
    icmp[7]++; /* not sent yet */
    receive_icmp(PEER, icmp, length);
    icmp[7]--;
    icmp[4] ^= 0x55; /* another's id */
    receive_icmp(PEER, icmp, length);
    icmp[4] ^= 0x55;
    assert_false(ping_receive(&ping, &answer));
    assert_false(ping_receive(&other, &answer));
    receive_icmp(PEER, icmp, length);
    assert_true(ping_receive(&ping, &answer));
    assert_false(ping_receive(&other, &answer));
    ping_close(&ping);
    receive_icmp(PEER, icmp, length); /* nobody's */
    ping_close(&other);
    rig_expect_health(&rig);
}

static void ping_errors(void **state)
{
    (void)state;
    uint8_t data[16] = {0};
    open_ping();
    assert_int_equal(ping_send(&ping, OURS, data, 4, rig.now), NET_ERROR_ARGUMENT);
    assert_int_equal(ping_send(&ping, 0xE0000001, data, 4, rig.now), NET_ERROR_ARGUMENT);
    assert_int_equal(ping_send(&ping, 0x0A0000FF, data, 4, rig.now), NET_ERROR_ARGUMENT);
    assert_int_equal(ping_send(&ping, PEER, data, 65536, rig.now), NET_ERROR_TOO_LONG);
    rig.fake.full = true;
    assert_int_equal(ping_send(&ping, PEER, data, 4, rig.now), NET_ERROR_BUSY);
    rig.fake.full = false;
    net_link(&rig.net, false, rig.now);
    assert_int_equal(ping_send(&ping, PEER, data, 4, rig.now), NET_ERROR_DOWN);
    ping_close(&ping);
}

#if NET_WITH_ICMP_ERRORS
/* As traceroute does: the router on the way answers, in place of the host. */
static void ping_hears_errors(void **state)
{
    (void)state;
    struct ping_answer answer;
    const uint32_t far = 0x08080808;
    uint8_t icmp[64];
    open_ping();
    ping_set_ttl(&ping, 1);
    int seq = ping_send(&ping, far, "data", 4, rig.now);
    assert_true(seq >= 0);
    assert_int_equal(rig.fake.sent[rig.fake.sent_tail % RIG_QUEUE].bytes[22], 1);
    (void)take_request(icmp, far);
    icmp[0] = 8;
    rig_advance(&rig, 5);
    receive_error(11, 0, 1, far, icmp);
    assert_true(ping_receive(&ping, &answer));
    assert_int_equal(answer.result, NET_ERROR_UNREACHABLE);
    assert_int_equal(answer.type, 11);
    assert_int_equal(answer.source, PEER);
    assert_int_equal(answer.seq, seq);
    assert_int_equal(answer.rtt_ms, 5);
    icmp[4] ^= 1; /* not of ours */
    receive_error(11, 0, 1, far, icmp);
    icmp[0] = 0; /* a reply of ours, which is nobody's request */
    receive_error(11, 0, 1, far, icmp);
    assert_false(ping_receive(&ping, &answer));
    ping_close(&ping);
    rig_expect_health(&rig);
}
#endif

#if NET_WITH_FRAGMENTS
static void ping_in_fragments(void **state)
{
    (void)state;
    static uint8_t data[3000];
    uint8_t whole[3200];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 3);
    }
    open_ping();
    rig.fake.keeps = true;
    assert_true(ping_send(&ping, PEER, data, sizeof data, rig.now) >= 0);
    assert_true(ping_busy(&ping));
    rig.fake.ticket_done = rig.fake.ticket;
    assert_false(ping_busy(&ping));
    size_t at = 0;
    const struct frame *frame;
    while ((frame = rig_sent(&rig)) != NULL) {
        assert_int_equal((get16(frame->bytes + 20) & 0x1FFF) * 8, at);
        memcpy(whole + at, frame->bytes + 34, frame->length - 34);
        at += frame->length - 34;
    }
    assert_int_equal(at, 8 + sizeof data);
    assert_int_equal(plain_checksum(0, whole, at), 0);
    assert_memory_equal(whole + 8, data, sizeof data);
    rig.fake.keeps = false;
    ping_close(&ping);
    rig_expect_health(&rig);
}
#endif

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(quote_shorter_than_a_header),
        TEST(quote_that_is_no_packet_of_ours),
        TEST(echo_truncated),
        TEST(echo_to_many),
        TEST(echo_that_fills_the_frame),
        TEST(forged_unreachable),
        TEST(redirect_and_source_quench_are_ignored),
        TEST(unknown_types),
        TEST(wrong_checksum),
        TEST(errors_are_limited),
        TEST(quotes_options),
        TEST(no_error_about_an_error_or_to_nobody),
#if NET_WITH_ICMP_ERRORS
        TEST(udp_socket_hears_errors),
#endif
#if NET_WITH_PING
        TEST(ping_round_trip),
        TEST(ping_several_under_way),
        TEST(ping_hears_only_its_own),
        TEST(ping_errors),
#if NET_WITH_ICMP_ERRORS
        TEST(ping_hears_errors),
#endif
#if NET_WITH_FRAGMENTS
        TEST(ping_in_fragments),
#endif
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
