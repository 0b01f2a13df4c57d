/* Servers: RFC 9293 3.10.7.2, RFC 4987, RFC 6191; TTL and DSCP of sockets. */
#include "net/tcp_listen.h"
#include "tcp_case.h"

#include <stdlib.h>
#include <string.h>

static void nothing(void **state) /* so that a build without the features has a test */
{
    (void)state;
}

#if NET_WITH_TCP_LISTEN

static struct tcp_listener listener;

static int setup_listener(void **state)
{
    setup(state);
    assert_int_equal(tcp_listen(&listener, &lab.net, 80, 4096), NET_OK);
    assert_int_equal(tcp_accept(&listener, &lab.tcp, lab.now), NET_OK);
    lab.port = 80;
    lab.seq = 0xFFFFFF00;
    uint8_t frame[64]; /* so that the peer is known */
    rig_receive(&lab, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&lab);
    return 0;
}

#define SERVER(name) cmocka_unit_test_setup_teardown(name, setup_listener, teardown)

static struct sent_segment syn_from_peer(void)
{
    rig_segment(&lab, lab.seq, 0, SYN, 8192, NULL, 0);
    struct sent_segment answer = rig_expect_segment(&lab, SYN | ACK);
    assert_int_equal(answer.ack, lab.seq + 1);
    assert_int_equal(answer.mss, 1460);
    assert_int_equal(answer.window, 4096);
    assert_int_equal(answer.destination_port, BROKER);
    lab.ack = answer.seq + 1;
    return answer;
}

static void connect_from_peer(void)
{
    syn_from_peer();
    lab.seq++;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    rig_nothing_sent(&lab);
}

/* From anybody: address and port differ from the peer's. */
static void from(uint32_t address, uint16_t port, uint32_t seq, uint32_t ack, uint8_t flags)
{
    uint8_t frame[128];
    size_t length = make_tcp(&lab, frame, seq, ack, flags, 8192, NULL, 0);
    put32(frame + 26, address);
    put16(frame + 34, port);
    fix_ipv4(frame);
    fix_tcp(frame, length);
    rig_receive(&lab, frame, length);
}

static void accepts(void **state) /* 3.5 figure 6, the other side */
{
    (void)state;
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
    connect_from_peer();
    assert_int_equal(tcp_remote_address(&lab.tcp), PEER);
    assert_int_equal(tcp_remote_port(&lab.tcp), BROKER);
    assert_int_equal(tcp_local_port(&lab.tcp), 80);
    rig_expect_health(&lab);
    rig_segment(&lab, lab.seq++, lab.ack, ACK | FIN, 8192, NULL, 0);
    rig_expect_segment(&lab, ACK);
    tcp_close(&lab.tcp);
    rig_poll(&lab);
    rig_expect_segment(&lab, ACK | FIN);
    lab.ack++;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    assert_int_equal(tcp_accept(&listener, &lab.tcp, lab.now), NET_OK); /* and again */
    lab.seq += 1000;
    connect_from_peer();
    rig_expect_health(&lab);
}

static void refusals(void **state)
{
    (void)state;
    struct tcp_listener other;
    assert_int_equal(tcp_listen(&other, &lab.net, 80, 4096), NET_ERROR_PORT_IN_USE);
    assert_int_equal(tcp_listen(&other, &lab.net, 0, 4096), NET_ERROR_ARGUMENT);
    assert_int_equal(tcp_listen(&other, &lab.net, 81, TCP_BUFFER_MIN - 1), NET_ERROR_ARGUMENT);
    assert_int_equal(tcp_listen(&other, &lab.net, 81, 5000), NET_OK);
    assert_int_equal(tcp_accept(&other, &lab.tcp, lab.now), NET_ERROR_STATE);
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_ERROR_STATE);
    tcp_close(&lab.tcp);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    assert_int_equal(tcp_accept(&other, &lab.tcp, lab.now), NET_ERROR_ARGUMENT);
    tcp_unlisten(&other);
    tcp_unlisten(&listener);
    rig_segment(&lab, lab.seq, 0, SYN, 8192, NULL, 0);
    rig_expect_segment(&lab, RST | ACK);
}

static void closed_offers(void **state)
{
    (void)state;
    rig_advance(&lab, 1000);
    rig_poll(&lab);
    assert_true(net_wait_ms(&lab.net, lab.now) > 60000); /* listening keeps nobody awake */
    rig_run(&lab, TCP_USER_TIMEOUT_MS * 2);
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
    tcp_unlisten(&listener);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    assert_int_equal(tcp_error(&lab.tcp), NET_OK);
}

static void what_a_listener_answers(void **state) /* 3.10.7.2 */
{
    (void)state;
    rig_segment(&lab, lab.seq, 0, RST, 8192, NULL, 0);
    rig_segment(&lab, lab.seq, 0, FIN, 8192, NULL, 0);
    rig_segment(&lab, lab.seq, 0, 0, 8192, "x", 1);
    rig_segment(&lab, lab.seq, 0, SYN | RST, 8192, NULL, 0);
    rig_nothing_sent(&lab);
    rig_segment(&lab, lab.seq, 12345, ACK, 8192, NULL, 0);
    assert_int_equal(rig_expect_segment(&lab, RST).seq, 12345);
    rig_segment(&lab, lab.seq, 12345, SYN | ACK, 8192, NULL, 0);
    assert_int_equal(rig_expect_segment(&lab, RST).seq, 12345);
    connect_from_peer();
    rig_expect_health(&lab);
}

static void data_and_fin_with_the_handshake(void **state)
{
    (void)state;
    syn_from_peer();
    lab.seq++;
    rig_segment(&lab, lab.seq, lab.ack, ACK | FIN, 8192, "hello", 5); /* which completes it */
    rig_expect_read(&lab, "hello", 5);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSE_WAIT);
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq + 6);
}

static void syn_ack_is_sent_again(void **state) /* RFC 6298 5.5; given up after 63 s */
{
    (void)state;
    uint32_t iss = syn_from_peer().seq;
    struct sent_segment again;
    for (uint32_t wait = 1000; wait <= 16000; wait *= 2) {
        assert_int_equal(time_to_segment(SYN | ACK, &again, 40000), wait);
        assert_int_equal(again.seq, iss);
    }
    rig_segment(&lab, lab.seq, 0, SYN, 8192, NULL, 0); /* the SYN again: answered at once */
    assert_int_equal(rig_expect_segment(&lab, SYN | ACK).seq, iss);
    rig_run(&lab, 40000);
    rig_nothing_sent(&lab);
    lab.seq++;
    ack_from_peer(8192);
    rig_expect_segment(&lab, RST);
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
}

static void half_open_connections_are_robust(void **state) /* 3.10.7.4 in SYN-RECEIVED, RFC 5961 3 */
{
    (void)state;
    syn_from_peer();
    rig_segment(&lab, lab.seq + 2, 0, RST, 0, NULL, 0); /* near is not enough */
    rig_segment(&lab, lab.seq + 1, lab.ack, 0, 0, "x", 1);
    rig_segment(&lab, lab.seq + 5000, lab.ack, ACK, 8192, NULL, 0);
    rig_nothing_sent(&lab);
    rig_segment(&lab, lab.seq + 1, lab.ack + 1, ACK, 8192, NULL, 0);
    assert_int_equal(rig_expect_segment(&lab, RST).seq, lab.ack + 1);
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
    rig_segment(&lab, lab.seq + 1, 0, RST, 0, NULL, 0);
    lab.seq++;
    ack_from_peer(8192);
    rig_expect_segment(&lab, RST); /* forgotten */
    lab.seq += 99;
    connect_from_peer();
    rig_expect_health(&lab);
}

static void no_socket_is_free(void **state)
{
    (void)state;
    connect_from_peer();
    from(PEER, 4000, 7000, 0, SYN);
    const struct frame *answer = rig_sent(&lab);
    uint32_t iss = get32(answer->bytes + 38);
    from(PEER, 4000, 7001, iss + 1, ACK);
    rig_nothing_sent(&lab);
    tcp_abort(&lab.tcp);
    rig_discard_sent(&lab);
    assert_int_equal(tcp_accept(&listener, &lab.tcp, lab.now), NET_OK); /* takes the one that waits */
    rig_poll(&lab);
    struct sent_segment again = rig_expect_segment(&lab, SYN | ACK);
    assert_int_equal(again.seq, iss);
    assert_int_equal(again.destination_port, 4000);
    from(PEER, 4000, 7001, iss + 1, ACK);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    assert_int_equal(tcp_remote_port(&lab.tcp), 4000);
}

static void sockets_take_turns(void **state)
{
    (void)state;
    struct tcp_socket second = {0};
    uint8_t tx[256], rx[4096];
    tcp_init(&second, &lab.net, tx, sizeof tx, rx, sizeof rx);
    assert_int_equal(tcp_accept(&listener, &second, lab.now + 1), NET_OK);
    connect_from_peer(); /* the one that was offered first */
    assert_int_equal(tcp_state(&second), TCP_LISTEN);
    from(PEER, 4000, 7000, 0, SYN);
    uint32_t iss = get32(rig_sent(&lab)->bytes + 38);
    from(PEER, 4000, 7001, iss + 1, ACK);
    assert_int_equal(tcp_state(&second), TCP_ESTABLISHED);
    rig_expect_health(&lab);
    tcp_abort(&second);
    rig_discard_sent(&lab);
    lab.net.tcp_sockets = second.next; /* its memory ends here */
}

/* A flood takes the queue and nothing else: no socket, and others still connect, by cookies (RFC 4987 3.6).
 */
static void flood(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10000; i++) {
        from(0x0A000010 + i % 200, (uint16_t)(1024 + i), i * 77777, 0, SYN);
        const struct frame *answer = rig_sent(&lab);
        assert_non_null(answer);
        assert_int_equal(answer->bytes[47], SYN | ACK);
        rig_nothing_sent(&lab);
    }
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
    connect_from_peer();
    rig_expect_health(&lab);
    tcp_abort(&lab.tcp);
    rig_discard_sent(&lab);
    rig_run(&lab, 70000); /* all SYN-ACKs have been given up */
    rig_discard_sent(&lab);
    for (unsigned i = 0; i < TCP_SYN_QUEUE; i++) {
        assert_int_equal(listener.queue[i].ports, 0);
    }
}

static void fill_queue(void)
{
    for (uint32_t i = 0; i < TCP_SYN_QUEUE; i++) {
        from(0x0A000010 + i, 1024, i, 0, SYN);
    }
    rig_discard_sent(&lab);
}

static void cookies_keep_the_mss_and_nothing_else(void **state)
{
    (void)state;
    fill_queue();
    struct options options = {0};
    add_mss(&options, 1300);
    add_sack_permitted(&options);
    add_scale(&options, 7);
    segment_with(&options, lab.seq++, 0, SYN, 8192, NULL, 0);
    struct sent_segment answer = rig_expect_segment(&lab, SYN | ACK);
    assert_int_equal(answer.options, 4);
    lab.ack = answer.seq + 1;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    assert_int_equal(lab.tcp.mss, 1220);
    rig_expect_health(&lab);
}

static void cookies_expire_and_cannot_be_guessed(void **state)
{
    (void)state;
    from(PEER, 4000, 7001, 0x12345678, ACK); /* none was given: not even looked at */
    assert_int_equal(get32(rig_sent(&lab)->bytes + 38), 0x12345678);
    fill_queue();
    uint32_t cookie = syn_from_peer().seq;
    for (unsigned bit = 0; bit < 32; bit++) {
        from(PEER, BROKER, lab.seq + 1, (cookie ^ 1U << bit) + 1, ACK);
        assert_int_equal(rig_sent(&lab)->bytes[47], RST);
    }
    from(PEER, BROKER + 1, lab.seq + 1, cookie + 1, ACK);
    assert_int_equal(rig_sent(&lab)->bytes[47], RST);
    from(PEER, BROKER, lab.seq + 2, cookie + 1, ACK);
    assert_int_equal(rig_sent(&lab)->bytes[47], RST);
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
    rig_run(&lab, 140000);
    rig_discard_sent(&lab);
    from(PEER, BROKER, lab.seq + 1, cookie + 1, ACK);
    assert_int_equal(rig_sent(&lab)->bytes[47], RST);
    lab.seq += 5000;
    connect_from_peer();
    rig_expect_health(&lab);
}

static void old_cookies_expire_while_new_ones_are_given(void **state)
{
    (void)state;
    fill_queue();
    uint32_t cookie = syn_from_peer().seq;
    for (int minutes = 0; minutes < 3; minutes++) {
        rig_run(&lab, 60000);
        fill_queue();
        from(PEER, 5000, 7000, 0, SYN);
        rig_discard_sent(&lab);
    }
    assert_true(listener.cookies);
    from(PEER, BROKER, lab.seq + 1, cookie + 1, ACK);
    assert_int_equal(rig_sent(&lab)->bytes[47], RST);
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
}

static void sequence_numbers_differ(void **state) /* RFC 6528 */
{
    (void)state;
    uint32_t last = 0;
    for (unsigned i = 0; i < 5; i++) {
        from(PEER, (uint16_t)(4000 + i), 7000, 0, SYN);
        uint32_t iss = get32(rig_sent(&lab)->bytes + 38);
        assert_true(iss - last > 10 || i == 0);
        last = iss;
    }
}

static void enter_time_wait(void)
{
    connect_from_peer();
    tcp_close(&lab.tcp);
    rig_poll(&lab);
    rig_expect_segment(&lab, ACK | FIN);
    lab.ack++;
    rig_segment(&lab, lab.seq++, lab.ack, ACK | FIN, 8192, NULL, 0);
    rig_expect_segment(&lab, ACK);
    assert_int_equal(tcp_state(&lab.tcp), TCP_TIME_WAIT);
}

static void port_reuse_in_time_wait(void **state) /* 3.6.1, RFC 6191 2 */
{
    (void)state;
    struct tcp_socket second = {0};
    uint8_t tx[256], rx[4096];
    enter_time_wait();
    tcp_init(&second, &lab.net, tx, sizeof tx, rx, sizeof rx);
    assert_int_equal(tcp_accept(&listener, &second, lab.now), NET_OK);
    rig_segment(&lab, lab.seq - 1, 0, SYN, 8192, NULL, 0); /* an old one */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    assert_int_equal(tcp_state(&lab.tcp), TCP_TIME_WAIT);
    lab.seq += 1000;
    uint32_t old_ack = lab.ack;
    syn_from_peer();
    assert_true((int32_t)(lab.ack - old_ack) > 0);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    lab.seq++;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&second), TCP_ESTABLISHED);
    tcp_abort(&second);
    rig_discard_sent(&lab);
    lab.net.tcp_sockets = second.next;
}

static void options_are_agreed(void **state)
{
    (void)state;
    struct options options = {0};
    add_mss(&options, 1000);
    add_sack_permitted(&options);
    add_timestamps(&options, 777, 0);
    add_scale(&options, 5);
    segment_with(&options, lab.seq++, 0, SYN, 8192, NULL, 0);
    struct sent_segment answer = rig_expect_segment(&lab, SYN | ACK);
    assert_int_equal(answer.sack_permitted, NET_WITH_TCP_SACK);
    assert_int_equal(answer.timestamps, NET_WITH_TCP_TIMESTAMPS);
    assert_int_equal(answer.scale, NET_WITH_TCP_WINDOW_SCALE ? 0 : -1);
    lab.ack = answer.seq + 1;
    struct options stamp = {0};
    add_timestamps(&stamp, 778, answer.timestamp);
    rig_advance(&lab, 80);
    segment_with(&stamp, lab.seq, lab.ack, ACK, 100, NULL, 0);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    if (NET_WITH_TCP_TIMESTAMPS && NET_WITH_TCP_WINDOW_SCALE) {
        assert_int_equal(answer.echo, 777);
        assert_int_equal(lab.tcp.srtt8 / 8, 80);
        assert_int_equal(lab.tcp.snd_wnd, 3200);
        rig_write(&lab, pattern, 988);
        assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 988);
    }
}

#if NET_WITH_TCP_OPTIONS
static void options_can_be_withheld(void **state)
{
    (void)state;
    struct options options = {0};
    add_mss(&options, 1000);
    add_sack_permitted(&options);
    add_timestamps(&options, 777, 0);
    add_scale(&options, 5);
    tcp_listen_options(&listener, 0);
    segment_with(&options, lab.seq++, 0, SYN, 8192, NULL, 0);
    struct sent_segment answer = rig_expect_segment(&lab, SYN | ACK);
    assert_int_equal(answer.options, 4);
    lab.ack = answer.seq + 1;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}
#endif

/* 5000 segments of any flags to a listener: nothing is lost, and it still listens. */
static void any_flags(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        from(0x0A000010 + i % 7, (uint16_t)(1024 + i % 5), i * 7919, i * 104729, (uint8_t)i);
        assert_in_range(lab.fake.sent_head - lab.fake.sent_tail, 0, 1);
        rig_discard_sent(&lab);
    }
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
    rig_run(&lab, 140000);
    rig_discard_sent(&lab);
    connect_from_peer();
    rig_expect_health(&lab);
}

#endif

#if NET_WITH_TCP_TTL

static void ttl_and_dscp(void **state)
{
    (void)state;
    tcp_set_ttl(&lab.tcp, 3);
    tcp_set_dscp(&lab.tcp, 46);
    rig_connect(&lab);
    rig_write(&lab, pattern, 10);
    const struct frame *frame = rig_sent(&lab);
    assert_int_equal(frame->bytes[15], 46 << 2);
    assert_int_equal(frame->bytes[22], 3);
    tcp_set_ttl(&lab.tcp, 64);
    tcp_set_dscp(&lab.tcp, 0);
    rig_write(&lab, pattern, 1460);
    frame = rig_sent(&lab);
    assert_int_equal(frame->bytes[15], 0);
    assert_int_equal(frame->bytes[22], 64);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing),
#if NET_WITH_TCP_LISTEN
        SERVER(accepts),
        SERVER(refusals),
        SERVER(closed_offers),
        SERVER(what_a_listener_answers),
        SERVER(data_and_fin_with_the_handshake),
        SERVER(syn_ack_is_sent_again),
        SERVER(half_open_connections_are_robust),
        SERVER(no_socket_is_free),
        SERVER(sockets_take_turns),
        SERVER(flood),
        SERVER(cookies_keep_the_mss_and_nothing_else),
        SERVER(cookies_expire_and_cannot_be_guessed),
        SERVER(old_cookies_expire_while_new_ones_are_given),
        SERVER(sequence_numbers_differ),
        SERVER(port_reuse_in_time_wait),
        SERVER(options_are_agreed),
#if NET_WITH_TCP_OPTIONS
        SERVER(options_can_be_withheld),
#endif
        SERVER(any_flags),
#endif
#if NET_WITH_TCP_TTL
        TEST(ttl_and_dscp),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
