/*
 * Everything taken: defined answers, and all well again when it is free. What is shown elsewhere: neighbours
 * and received frames in test_hostile_link.c, reassembly in test_hostile_fragment.c, cookies in
 * test_tcp_listen.c, groups in test_igmp.c, routes and addresses in test_route.c, datagrams in
 * test_hostile_udp.c.
 */
#include "net/ping.h"
#include "net/tcp_listen.h"
#include "tcp_case.h"

#include <string.h>

/* ---- Transmit descriptors ---- */

/* No room for a long time: what is asked for says so, what runs waits, and no time-out is taken for a loss.
 */
static void transmit_descriptors_taken(void **state)
{
    (void)state;
    struct udp_socket udp;
    uint8_t frame[128];
    rig_connect(&lab);
    assert_int_equal(udp_open(&udp, &lab.net, 5000), NET_OK);
    lab.fake.full = true;
    assert_int_equal(udp_send(&udp, PEER, 9, "x", 1), NET_ERROR_BUSY);
    assert_int_equal(udp_send(&udp, PEER, 9, pattern, 1000), NET_ERROR_BUSY);
    assert_false(udp_busy(&udp));
#if NET_WITH_PING
    struct ping ping;
    ping_open(&ping, &lab.net);
    assert_int_equal(ping_send(&ping, PEER, "x", 1, lab.now), NET_ERROR_BUSY);
#endif
    assert_int_equal(dns_start(&lab.net, "host.example", lab.now), NET_OK);
    rig_write(&lab, "waits", 5);
    rig_segment(&lab, lab.seq, lab.ack, ACK | PSH, 8192, "hello", 5); /* whose ACK waits too */
    lab.seq += 5;
    rig_receive(&lab, frame, make_echo(frame, 32)); /* is lost */
    rig_run(&lab, 30000);
    rig_nothing_sent(&lab);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    lab.fake.full = false;
    rig_run(&lab, 1);
    struct sent_segment data = rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(data.seq, lab.ack);
    assert_int_equal(data.ack, lab.seq);
    assert_memory_equal(data.data, "waits", 5);
    lab.ack += 5;
    ack_from_peer(8192);
    rig_expect_read(&lab, "hello", 5);
    assert_int_equal(udp_send(&udp, PEER, 9, "x", 1), NET_OK);
    dns_cancel(&lab.net);
    udp_close(&udp);
#if NET_WITH_PING
    assert_true(ping_send(&ping, PEER, "x", 1, lab.now) >= 0);
    ping_close(&ping);
#endif
    rig_expect_health(&lab);
}

/* Frames that the device never gives back: the ring fills, tells so, and is whole again afterwards. */
static void device_keeps_all(void **state)
{
    (void)state;
    struct tcp_span room[2];
    rig_connect(&lab);
    lab.fake.keeps = true;
    for (unsigned i = 0; i < 4; i++) {
        rig_write(&lab, pattern + 1024 * i, 1024);
        lab.ack += 1024;
        ack_from_peer(8192); /* acknowledged, but still in the device's hands */
    }
    assert_int_equal(tcp_reserve(&lab.tcp, room), 0);
    assert_int_equal(tcp_queued(&lab.tcp), 0);
    rig_run(&lab, 10000);
    assert_int_equal(tcp_reserve(&lab.tcp, room), 0);
    for (unsigned i = 0; i < lab.fake.kept; i++) {
        assert_memory_equal(lab.fake.kept_payload[i], lab.fake.kept_copy[i], lab.fake.kept_length[i]);
    }
    lab.fake.keeps = false;
    lab.fake.ticket_done = lab.fake.ticket;
    rig_run(&lab, 2);
    assert_int_equal(tcp_reserve(&lab.tcp, room), 4096);
    rig_expect_health(&lab);
}

/* ---- Allowances ---- */

/* However many copies of old data come: what the peer sends again because our ACK was lost is acknowledged.
 */
static void retransmissions_are_acknowledged_without_limit(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK | PSH, 8192, "hello", 5);
    rig_advance(&lab, 50);
    rig_expect_segment(&lab, ACK);
    for (unsigned i = 0; i < 100; i++) {
        rig_segment(&lab, lab.seq, lab.ack, ACK | PSH, 8192, "hello", 5);
        assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq + 5);
    }
    lab.seq += 5;
    rig_expect_read(&lab, "hello", 5);
    rig_expect_health(&lab);
}

/* But empty segments out of the window are not: two ends that answer each other's would do so for ever. */
static void empty_segments_are_answered_within_a_limit(void **state)
{
    (void)state;
    unsigned answers = 0;
    rig_connect(&lab);
    for (unsigned i = 0; i < 100; i++) {
        rig_segment(&lab, lab.seq - 1, lab.ack, ACK, 8192, NULL, 0);
        for (; rig_sent(&lab); answers++) {
        }
    }
    assert_int_equal(answers, 10);
    rig_expect_health(&lab);
}

/* ---- What a TCP socket keeps ---- */

#if NET_WITH_TCP_REASSEMBLY
/* More holes than can be remembered: what lies behind the last is dropped, and comes again. */
static void too_many_holes(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (uint32_t i = 1; i <= TCP_RANGES + 3; i++) {
        rig_segment(&lab, lab.seq + 20 * i, lab.ack, ACK, 8192, pattern + 20 * i, 10);
        assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    }
    assert_int_equal(lab.tcp.kept_count, TCP_RANGES);
    uint32_t begun = lab.seq;
    for (uint32_t at = 0; at < 20 * (TCP_RANGES + 4); at += 10) { /* all of it, once more */
        rig_segment(&lab, begun + at, lab.ack, ACK, 8192, pattern + at, 10);
        rig_discard_sent(&lab);
    }
    lab.seq = begun + 20 * (TCP_RANGES + 4);
    assert_int_equal(lab.tcp.kept_count, 0);
    rig_expect_read(&lab, pattern, 20 * (TCP_RANGES + 4));
    rig_advance(&lab, 50);
    rig_expect_health(&lab);
}
#endif

#if NET_WITH_TCP_SACK
/* More blocks told than can be remembered. */
static void too_many_sack_blocks(void **state)
{
    (void)state;
    struct options options = {.length = 0};
    add_mss(&options, 100);
    add_sack_permitted(&options);
    (void)connect_with(&options, 8192);
    lab.tcp.cwnd = 8192;
    rig_write(&lab, pattern, 4000);
    rig_run(&lab, 10);
    rig_discard_sent(&lab);
    for (uint32_t i = 0; i < TCP_RANGES + 5; i++) {
        struct options sack = {.length = 0};
        add_sack(&sack, lab.ack + 200 * i + 100, lab.ack + 200 * i + 150);
        segment_with(&sack, lab.seq, lab.ack, ACK, 8192, NULL, 0);
        rig_discard_sent(&lab);
        assert_true(lab.tcp.sacked_count <= TCP_RANGES);
    }
    rig_run(&lab, 5000); /* whatever is sent again */
    rig_discard_sent(&lab);
    lab.ack += 4000;
    ack_from_peer(8192);
    assert_int_equal(lab.tcp.sacked_count, 0);
    rig_expect_health(&lab);
}
#endif

/* ---- Sockets ---- */

static void socket_in_use(void **state)
{
    (void)state;
    rig_connect(&lab);
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_ERROR_STATE);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    rig_expect_health(&lab);
    tcp_abort(&lab.tcp);
    rig_poll(&lab);
    rig_expect_segment(&lab, ACK | RST);
    rig_expect_health(&lab);
}

#if NET_WITH_TCP_LISTEN

static struct tcp_listener listener;

static void listen_with_one_socket(void)
{
    uint8_t frame[64];
    assert_int_equal(tcp_listen(&listener, &lab.net, 80, 4096), NET_OK);
    assert_int_equal(tcp_accept(&listener, &lab.tcp, lab.now), NET_OK);
    rig_receive(&lab, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&lab);
    lab.port = 80;
}

/* Of the peer, from the given port. */
static void from_port(uint16_t port, uint32_t seq, uint32_t ack, uint8_t flags)
{
    uint8_t frame[128];
    size_t length = make_tcp(&lab, frame, seq, ack, flags, 8192, NULL, 0);
    put16(frame + 34, port);
    fix_tcp(frame, length);
    rig_receive(&lab, frame, length);
}

static uint32_t syn_ack_to(uint16_t port)
{
    struct sent_segment answer = rig_expect_segment(&lab, SYN | ACK);
    assert_int_equal(answer.destination_port, port);
    return answer.seq;
}

static void connect_from(uint16_t port, uint32_t seq)
{
    from_port(port, seq, 0, SYN);
    from_port(port, seq + 1, syn_ack_to(port) + 1, ACK);
}

/* The second connection waits in the queue for a socket, and gets it when the first one is over. */
static void server_sockets_taken(void **state)
{
    (void)state;
    listen_with_one_socket();
    connect_from(1000, 5000);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    connect_from(1001, 7000);
    rig_nothing_sent(&lab);
    assert_int_equal(tcp_remote_port(&lab.tcp), 1000);
    tcp_abort(&lab.tcp);
    rig_poll(&lab);
    rig_expect_segment(&lab, ACK | RST);
    assert_int_equal(tcp_accept(&listener, &lab.tcp, lab.now), NET_OK);
    rig_poll(&lab);
    from_port(1001, 7001, syn_ack_to(1001) + 1, ACK);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    assert_int_equal(tcp_remote_port(&lab.tcp), 1001);
    tcp_abort(&lab.tcp);
    tcp_unlisten(&listener);
    rig_poll(&lab);
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

/* Nobody ever takes the connection: it is forgotten, and whoever then writes is told. */
static void server_socket_never_free(void **state)
{
    (void)state;
    listen_with_one_socket();
    connect_from(1000, 5000);
    from_port(1001, 7000, 0, SYN);
    uint32_t iss = syn_ack_to(1001);
    from_port(1001, 7001, iss + 1, ACK);
    rig_run(&lab, 64000);
    for (unsigned i = 0; i < TCP_SYN_QUEUE; i++) {
        assert_int_equal(listener.queue[i].ports, 0);
    }
    rig_discard_sent(&lab);
    from_port(1001, 7001, iss + 1, ACK | PSH);
    rig_expect_segment(&lab, RST);
    tcp_abort(&lab.tcp);
    tcp_unlisten(&listener);
    rig_poll(&lab);
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

/* SYNs that nobody means: each gets one answer, connections go on being made, and the queue empties by
 * itself. */
static void syn_queue_taken(void **state)
{
    (void)state;
    listen_with_one_socket();
    for (uint16_t i = 0; i < 500; i++) {
        from_port((uint16_t)(2000 + i), 9000, 0, SYN);
        syn_ack_to((uint16_t)(2000 + i));
    }
    for (unsigned i = 0; i < TCP_SYN_QUEUE; i++) {
        assert_int_not_equal(listener.queue[i].ports, 0);
    }
    connect_from(1000, 5000);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    for (unsigned ms = 0; ms < 64000; ms += 1000) {
        rig_run(&lab, 1000);
        rig_discard_sent(&lab);
    }
    for (unsigned i = 0; i < TCP_SYN_QUEUE; i++) {
        assert_int_equal(listener.queue[i].ports, 0);
    }
    tcp_abort(&lab.tcp);
    tcp_unlisten(&listener);
    rig_poll(&lab);
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(transmit_descriptors_taken),
        TEST(device_keeps_all),
        TEST(retransmissions_are_acknowledged_without_limit),
        TEST(empty_segments_are_answered_within_a_limit),
        TEST(socket_in_use),
#if NET_WITH_TCP_REASSEMBLY
        TEST(too_many_holes),
#endif
#if NET_WITH_TCP_SACK
        TEST(too_many_sack_blocks),
#endif
#if NET_WITH_TCP_LISTEN
        TEST(server_sockets_taken),
        TEST(server_socket_never_free),
        TEST(syn_queue_taken),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
