/* Connecting, and the header of every segment: scripted segments. Each test names the clause that it holds
 * TCP to; without one: RFC 9293. */
#include "tcp_case.h"

#include <string.h>

static void handshake(void **state) /* 3.5 figure 6 */
{
    (void)state;
    rig_connect(&lab);
    rig_expect_health(&lab);
}

static void connect_refusals(void **state)
{
    (void)state;
    static const uint32_t addresses[] = {0, OURS, 0x0A0000FF, 0xFFFFFFFF, 0x7F000001, 0xE0000001};
    for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        assert_int_equal(tcp_connect(&lab.tcp, addresses[i], BROKER, lab.now), NET_ERROR_ARGUMENT);
    }
    assert_int_equal(tcp_connect(&lab.tcp, PEER, 0, lab.now), NET_ERROR_ARGUMENT);
    net_link(&lab.net, false, lab.now);
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_ERROR_DOWN);
    net_link(&lab.net, true, lab.now);
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_OK);
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_ERROR_STATE);
    tcp_close(&lab.tcp);
    expect_closed(NET_OK);
}

/* RFC 6298 2.1, 5.5: 1 s, doubled; given up at the user timeout. */
static void syn_back_off_and_give_up(void **state)
{
    (void)state;
    tcp_set_timeouts(&lab.tcp, 20000, 0);
    begin_connect();
    struct sent_segment syn;
    for (uint32_t wait = 1000; wait <= 8000; wait *= 2) {
        assert_int_equal(time_to_segment(SYN, &syn, 100000), wait);
        assert_int_equal(syn.seq + 1, lab.ack);
    }
    rig_run(&lab, 5000);
    rig_nothing_sent(&lab);
    expect_closed(NET_ERROR_TIMEOUT);
}

/* RFC 6298 5.7: after a repeated SYN data start with an RTO of 3 s. */
static void rto_after_repeated_syn(void **state)
{
    (void)state;
    begin_connect();
    time_to_segment(SYN, NULL, 2000);
    rig_segment(&lab, lab.seq++, lab.ack, SYN | ACK, 8192, NULL, 0);
    rig_expect_segment(&lab, ACK);
    rig_write(&lab, pattern, 10);
    rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 10000), 3000);
}

static void refused(void **state) /* 3.10.7.3 second */
{
    (void)state;
    begin_connect();
    rig_segment(&lab, 0, 0, RST, 0, NULL, 0);                 /* without ACK: ignored */
    rig_segment(&lab, 0, lab.ack + 1, RST | ACK, 0, NULL, 0); /* wrong ACK: ignored */
    rig_nothing_sent(&lab);
    assert_int_equal(tcp_state(&lab.tcp), TCP_SYN_SENT);
    rig_segment(&lab, 0, lab.ack, RST | ACK, 0, NULL, 0);
    expect_closed(NET_ERROR_REFUSED);
}

static void half_open_peer(void **state) /* 3.5.1 figure 8: the wrong ACK draws a reset */
{
    (void)state;
    begin_connect();
    rig_segment(&lab, 777, lab.ack + 100, ACK, 100, NULL, 0);
    struct sent_segment reset = rig_expect_segment(&lab, RST);
    assert_int_equal(reset.seq, lab.ack + 100);
    rig_segment(&lab, 777, lab.ack - 1, SYN | ACK, 100, NULL, 0);
    reset = rig_expect_segment(&lab, RST);
    assert_int_equal(reset.seq, lab.ack - 1);
    rig_segment(&lab, lab.seq++, lab.ack, SYN | ACK, 8192, NULL, 0);
    rig_expect_segment(&lab, ACK);
    rig_expect_health(&lab);
}

static void simultaneous_open(void **state) /* 3.5 figure 7 */
{
    (void)state;
    begin_connect();
    rig_segment(&lab, lab.seq++, 0, SYN, 8192, NULL, 0);
    struct sent_segment answer = rig_expect_segment(&lab, SYN | ACK);
    assert_int_equal(answer.seq + 1, lab.ack);
    assert_int_equal(answer.ack, lab.seq);
    assert_int_equal(tcp_state(&lab.tcp), TCP_SYN_RECEIVED);
    rig_segment(&lab, lab.seq - 1, lab.ack, SYN | ACK, 8192, NULL,
                0); /* the peer's: out of window, answered */
    rig_expect_segment(&lab, ACK);
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    rig_expect_health(&lab);
}

static void data_committed_before_the_handshake(void **state)
{
    (void)state;
    begin_connect();
    rig_write(&lab, pattern, 100);
    rig_nothing_sent(&lab);
    rig_segment(&lab, lab.seq++, lab.ack, SYN | ACK, 8192, NULL, 0);
    struct sent_segment out = rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(out.length, 100);
    assert_int_equal(out.seq, lab.ack);
}

/* NUMBER:JACK; RFC 6528, 6056: neither sequence numbers nor ports follow from earlier ones. */
static void sequence_numbers_and_ports_vary(void **state)
{
    (void)state;
    rig_connect(&lab);
    uint32_t last_ack = lab.ack, equal_steps = 0, last_step = 0;
    uint16_t last_port = lab.port;
    for (int i = 0; i < 50; i++) {
        tcp_abort(&lab.tcp);
        rig_discard_sent(&lab);
        rig_connect(&lab);
        assert_int_not_equal(lab.port, last_port);
        assert_true(lab.port >= 49152);
        uint32_t step = lab.ack - last_ack;
        equal_steps += step == last_step;
        last_step = step;
        last_port = lab.port;
        last_ack = lab.ack;
    }
    assert_int_equal(equal_steps, 0);
}

static void expect_tcp_drop(const uint8_t *frame, size_t length)
{
    uint32_t before = net_statistics(&lab.net)->dropped[NET_DROP_TCP];
    rig_receive(&lab, frame, length);
    assert_int_equal(net_statistics(&lab.net)->dropped[NET_DROP_TCP], before + 1);
    rig_nothing_sent(&lab);
    rig_expect_health(&lab);
}

static void malformed_header(void **state)
{
    (void)state;
    rig_connect(&lab);
    uint8_t frame[128];
    for (size_t n = 0; n < 20; n++) {
        uint8_t tcp[20] = {0};
        expect_tcp_drop(frame, make_ipv4(frame, PEER, OURS, 6, tcp, n));
    }
    static const uint8_t offsets[] = {0x00, 0x10, 0x40, 0x70, 0xF0};
    for (unsigned i = 0; i < sizeof offsets; i++) {
        size_t length = make_tcp(&lab, frame, lab.seq, lab.ack, ACK, 8192, "1234", 4);
        frame[46] = offsets[i];
        fix_tcp(frame, length);
        expect_tcp_drop(frame, length);
    }
    size_t length = make_tcp(&lab, frame, lab.seq, lab.ack, ACK, 8192, "1234", 4);
    frame[length - 1] ^= 1;
    expect_tcp_drop(frame, length);
}

static void malformed_options(void **state)
{
    (void)state;
    rig_connect(&lab);
    static const uint8_t options[][4] = {
        {2, 4, 0, 0xFF} /* replaced by length 0 below */,
        {1, 1, 2, 5},
        {2, 5, 0, 0},
        {2, 3, 0, 0},
        {3, 0, 20, 0},
        {77, 0, 0, 0},
        {77, 1, 0, 0},
        {1, 1, 1, 8},
        {5, 11, 0, 0},
        {5, 255, 0, 0},
        {8, 10, 0, 0},
        {1, 1, 77, 40},
    };
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        uint8_t frame[128];
        size_t length = make_tcp(&lab, frame, lab.seq, lab.ack, ACK, 8192, options[i], 4);
        if (i == 0) {
            put32(frame + 54, 0x02000000);
        }
        frame[46] = 0x60;
        fix_tcp(frame, length);
        expect_tcp_drop(frame, length);
    }
}

static void mss_is_kept_in_bounds(void **state)
{
    (void)state;
    static const struct {
        uint16_t offered, used;
    } cases[] = {{0, 536}, {1, 64}, {63, 64}, {100, 100}, {65535, 1460}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_establish_mss(&lab, cases[i].offered, 60000);
        rig_write(&lab, pattern, 3000);
        struct sent_segment out = rig_expect_segment(&lab, ACK);
        assert_int_equal(out.length, cases[i].used);
        tcp_abort(&lab.tcp);
        rig_discard_sent(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(handshake),
        TEST(connect_refusals),
        TEST(syn_back_off_and_give_up),
        TEST(rto_after_repeated_syn),
        TEST(refused),
        TEST(half_open_peer),
        TEST(simultaneous_open),
        TEST(data_committed_before_the_handshake),
        TEST(sequence_numbers_and_ports_vary),
        TEST(malformed_header),
        TEST(malformed_options),
        TEST(mss_is_kept_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
