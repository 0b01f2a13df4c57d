/*
 * Hostile input across the classes: sources that cannot be (RFC 1122 3.2.1.3), of every protocol, in whole
 * packets and in fragments, while a connection lives, and while a socket without a peer is offered.
 */
#include "net/tcp_listen.h"
#include "rig.h"

#include <string.h>

#include "rig_case.h"

static const uint32_t sources[] = {0xFFFFFFFF, 0x0A0000FF, 0xE0000001, 0,         0x00000001,
                                   0x7F000001, OURS,       0xF0000001, 0xEFFFFFFF};
enum { SOURCES = sizeof sources / sizeof *sources };

static void expect_silence(const uint8_t *frame, size_t length)
{
    enum tcp_state before = tcp_state(&rig.tcp);
    rig_receive(&rig, frame, length);
    rig_nothing_sent(&rig);
    assert_int_equal(tcp_state(&rig.tcp), before);
}

/* The same in two fragments, the last one first. */
static void expect_silence_in_fragments(const uint8_t *frame, size_t length)
{
    uint8_t part[128];
    size_t header = 34, half = 8;
    memcpy(part, frame, header);
    memcpy(part + header, frame + header + half, length - header - half);
    put16(part + 16, (uint32_t)(length - half - 14));
    put16(part + 20, 1);
    fix_ipv4(part);
    expect_silence(part, length - half);
    memcpy(part, frame, header + half);
    put16(part + 16, (uint32_t)(header + half - 14));
    put16(part + 20, 0x2000);
    fix_ipv4(part);
    expect_silence(part, header + half);
}

static void expect_silence_to_segment(uint32_t source, uint16_t from, uint16_t to, uint32_t seq,
                                      uint8_t flags)
{
    uint8_t frame[128];
    size_t length = make_tcp(&rig, frame, seq, rig.ack, flags, 8192, "data", 4);
    put32(frame + 26, source);
    put16(frame + 34, from);
    put16(frame + 36, to);
    fix_ipv4(frame);
    fix_tcp(frame, length);
    expect_silence(frame, length);
    expect_silence_in_fragments(frame, length);
}

static void expect_silence_from(uint32_t source)
{
    static const uint8_t flags[] = {0, SYN, ACK, RST, RST | ACK, SYN | ACK, FIN | ACK};
    static const uint16_t ports[] = {0, 80, 1883, 50000};
    for (unsigned i = 0; i < sizeof flags; i++) {
        for (unsigned port = 0; port < 16; port++) {
            expect_silence_to_segment(source, ports[port % 4], ports[port / 4], 0, flags[i]);
        }
        expect_silence_to_segment(source, BROKER, rig.port, rig.seq, flags[i]); /* as the live connection's */
    }
    uint8_t frame[128], echo[24] = {8, 0, 0xF7, 0xFF};
    size_t length = make_udp(frame, source, 5000, OURS, 5001, "datagram", 8);
    expect_silence(frame, length);
    expect_silence_in_fragments(frame, length);
    length = make_ipv4(frame, source, OURS, 1, echo, sizeof echo);
    expect_silence(frame, length);
    expect_silence_in_fragments(frame, length);
    length = make_ipv4(frame, source, OURS, 99, echo, sizeof echo);
    expect_silence(frame, length);
}

static void impossible_sources_beside_a_connection(void **state)
{
    (void)state;
    rig_connect(&rig);
    for (unsigned i = 0; i < SOURCES; i++) {
        expect_silence_from(sources[i]);
        rig_expect_health(&rig);
    }
}

static void impossible_sources_of_an_offered_socket(void **state)
{
    (void)state;
#if NET_WITH_TCP_LISTEN
    static struct tcp_listener listener;
    assert_int_equal(tcp_listen(&listener, &rig.net, 80, 512), NET_OK);
    assert_int_equal(tcp_accept(&listener, &rig.tcp, rig.now), NET_OK);
#endif
    for (unsigned i = 0; i < SOURCES; i++) {
        expect_silence_from(sources[i]);
    }
}

/* After a connection the socket remembers ports that an offer must not be reached by. */
static void impossible_sources_of_a_socket_offered_again(void **state)
{
    (void)state;
#if NET_WITH_TCP_LISTEN
    static struct tcp_listener listener;
    rig_connect(&rig);
    tcp_abort(&rig.tcp);
    rig_poll(&rig);
    rig_discard_sent(&rig);
    assert_int_equal(tcp_listen(&listener, &rig.net, 80, 512), NET_OK);
    assert_int_equal(tcp_accept(&listener, &rig.tcp, rig.now), NET_OK);
    for (unsigned i = 0; i < SOURCES; i++) {
        expect_silence_from(sources[i]);
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(impossible_sources_beside_a_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_sources_of_an_offered_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_sources_of_a_socket_offered_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
