/* Scripted segments; each test names the clause that it holds TCP to. Without one: RFC 9293. */
#include "rig.h"

#include <string.h>

static struct rig rig;
static uint8_t pattern[8192];

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(i * 31 + i / 251);
    }
    rig_open(&rig, 4096, 4096, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static uint32_t retransmissions(void)
{
    return net_statistics(&rig.net)->tcp_retransmissions;
}

static void ack_from_peer(uint16_t window)
{
    rig_segment(&rig, rig.seq, rig.ack, ACK, window, NULL, 0);
}

static void expect_closed(int error)
{
    assert_int_equal(tcp_state(&rig.tcp), TCP_CLOSED);
    assert_int_equal(tcp_error(&rig.tcp), error);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

/* Advance until a segment goes out; how long that took. */
static uint32_t time_to_segment(uint8_t flags, struct sent_segment *segment, uint32_t limit)
{
    for (uint32_t ms = 1; ms <= limit; ms++) {
        rig_advance(&rig, 1);
        if (rig.fake.sent_head != rig.fake.sent_tail) {
            struct sent_segment sent = rig_expect_segment(&rig, flags);
            if (segment) {
                *segment = sent;
            }
            return ms;
        }
    }
    fail_msg("nothing sent in %u ms", limit);
    return 0;
}

/* ---- Handshake ---- */

static void handshake(void **state) /* 3.5 figure 6 */
{
    (void)state;
    rig_connect(&rig);
    rig_expect_health(&rig);
}

static void connect_refusals(void **state)
{
    (void)state;
    static const uint32_t addresses[] = {0, OURS, 0x0A0000FF, 0xFFFFFFFF, 0x7F000001, 0xE0000001};
    for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        assert_int_equal(tcp_connect(&rig.tcp, addresses[i], BROKER, rig.now), NET_ERROR_ARGUMENT);
    }
    assert_int_equal(tcp_connect(&rig.tcp, PEER, 0, rig.now), NET_ERROR_ARGUMENT);
    net_link(&rig.net, false, rig.now);
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_ERROR_DOWN);
    net_link(&rig.net, true, rig.now);
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_OK);
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_ERROR_STATE);
    tcp_close(&rig.tcp);
    expect_closed(NET_OK);
}

static void begin_connect(void)
{
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_OK);
    rig_poll(&rig);
    rig_resolve(&rig);
    struct sent_segment syn = rig_expect_segment(&rig, SYN);
    rig.port = syn.source_port;
    rig.ack = syn.seq + 1;
    rig.seq = 5000;
}

/* RFC 6298 2.1, 5.5: 1 s, doubled; given up at the user timeout. */
static void syn_back_off_and_give_up(void **state)
{
    (void)state;
    tcp_set_timeouts(&rig.tcp, 20000, 0);
    begin_connect();
    struct sent_segment syn;
    for (uint32_t wait = 1000; wait <= 8000; wait *= 2) {
        assert_int_equal(time_to_segment(SYN, &syn, 100000), wait);
        assert_int_equal(syn.seq + 1, rig.ack);
    }
    rig_run(&rig, 5000);
    rig_nothing_sent(&rig);
    expect_closed(NET_ERROR_TIMEOUT);
}

/* RFC 6298 5.7: after a repeated SYN data start with an RTO of 3 s. */
static void rto_after_repeated_syn(void **state)
{
    (void)state;
    begin_connect();
    time_to_segment(SYN, NULL, 2000);
    rig_segment(&rig, rig.seq++, rig.ack, SYN | ACK, 8192, NULL, 0);
    rig_expect_segment(&rig, ACK);
    rig_write(&rig, pattern, 10);
    rig_expect_segment(&rig, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 10000), 3000);
}

static void refused(void **state) /* 3.10.7.3 second */
{
    (void)state;
    begin_connect();
    rig_segment(&rig, 0, 0, RST, 0, NULL, 0);                 /* without ACK: ignored */
    rig_segment(&rig, 0, rig.ack + 1, RST | ACK, 0, NULL, 0); /* wrong ACK: ignored */
    rig_nothing_sent(&rig);
    assert_int_equal(tcp_state(&rig.tcp), TCP_SYN_SENT);
    rig_segment(&rig, 0, rig.ack, RST | ACK, 0, NULL, 0);
    expect_closed(NET_ERROR_REFUSED);
}

static void half_open_peer(void **state) /* 3.5.1 figure 8: the wrong ACK draws a reset */
{
    (void)state;
    begin_connect();
    rig_segment(&rig, 777, rig.ack + 100, ACK, 100, NULL, 0);
    struct sent_segment reset = rig_expect_segment(&rig, RST);
    assert_int_equal(reset.seq, rig.ack + 100);
    rig_segment(&rig, 777, rig.ack - 1, SYN | ACK, 100, NULL, 0);
    reset = rig_expect_segment(&rig, RST);
    assert_int_equal(reset.seq, rig.ack - 1);
    rig_segment(&rig, rig.seq++, rig.ack, SYN | ACK, 8192, NULL, 0);
    rig_expect_segment(&rig, ACK);
    rig_expect_health(&rig);
}

static void simultaneous_open(void **state) /* 3.5 figure 7 */
{
    (void)state;
    begin_connect();
    rig_segment(&rig, rig.seq++, 0, SYN, 8192, NULL, 0);
    struct sent_segment answer = rig_expect_segment(&rig, SYN | ACK);
    assert_int_equal(answer.seq + 1, rig.ack);
    assert_int_equal(answer.ack, rig.seq);
    assert_int_equal(tcp_state(&rig.tcp), TCP_SYN_RECEIVED);
    rig_segment(&rig, rig.seq - 1, rig.ack, SYN | ACK, 8192, NULL,
                0); /* the peer's: out of window, answered */
    rig_expect_segment(&rig, ACK);
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_expect_health(&rig);
}

static void data_committed_before_the_handshake(void **state)
{
    (void)state;
    begin_connect();
    rig_write(&rig, pattern, 100);
    rig_nothing_sent(&rig);
    rig_segment(&rig, rig.seq++, rig.ack, SYN | ACK, 8192, NULL, 0);
    struct sent_segment out = rig_expect_segment(&rig, ACK | PSH);
    assert_int_equal(out.length, 100);
    assert_int_equal(out.seq, rig.ack);
}

/* NUMBER:JACK; RFC 6528, 6056: neither sequence numbers nor ports follow from earlier ones. */
static void sequence_numbers_and_ports_vary(void **state)
{
    (void)state;
    rig_connect(&rig);
    uint32_t last_ack = rig.ack, equal_steps = 0, last_step = 0;
    uint16_t last_port = rig.port;
    for (int i = 0; i < 50; i++) {
        tcp_abort(&rig.tcp);
        rig_discard_sent(&rig);
        rig_connect(&rig);
        assert_int_not_equal(rig.port, last_port);
        assert_true(rig.port >= 49152);
        uint32_t step = rig.ack - last_ack;
        equal_steps += step == last_step;
        last_step = step;
        last_port = rig.port;
        last_ack = rig.ack;
    }
    assert_int_equal(equal_steps, 0);
}

/* ---- Header ---- */

static void expect_tcp_drop(const uint8_t *frame, size_t length)
{
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_TCP];
    rig_receive(&rig, frame, length);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_TCP], before + 1);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void malformed_header(void **state)
{
    (void)state;
    rig_connect(&rig);
    uint8_t frame[128];
    for (size_t n = 0; n < 20; n++) {
        uint8_t tcp[20] = {0};
        expect_tcp_drop(frame, make_ipv4(frame, PEER, OURS, 6, tcp, n));
    }
    static const uint8_t offsets[] = {0x00, 0x10, 0x40, 0x70, 0xF0};
    for (unsigned i = 0; i < sizeof offsets; i++) {
        size_t length = make_tcp(&rig, frame, rig.seq, rig.ack, ACK, 8192, "1234", 4);
        frame[46] = offsets[i];
        fix_tcp(frame, length);
        expect_tcp_drop(frame, length);
    }
    size_t length = make_tcp(&rig, frame, rig.seq, rig.ack, ACK, 8192, "1234", 4);
    frame[length - 1] ^= 1;
    expect_tcp_drop(frame, length);
}

static void malformed_options(void **state)
{
    (void)state;
    rig_connect(&rig);
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
        size_t length = make_tcp(&rig, frame, rig.seq, rig.ack, ACK, 8192, options[i], 4);
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
        rig_establish_mss(&rig, cases[i].offered, 60000);
        rig_write(&rig, pattern, 3000);
        struct sent_segment out = rig_expect_segment(&rig, ACK);
        assert_int_equal(out.length, cases[i].used);
        tcp_abort(&rig.tcp);
        rig_discard_sent(&rig);
    }
}

/* ---- Receiving ---- */

static void receives_in_place_then_in_the_buffer(void **state)
{
    (void)state;
    rig_connect(&rig);
    const uint8_t *data;
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 1000);
    assert_int_equal(tcp_peek(&rig.tcp, &data), 1000);
    assert_ptr_equal(data, rig.fake.lent + 54); /* in the frame */
    tcp_consume(&rig.tcp, 400);
    rig_segment(&rig, rig.seq + 1000, rig.ack, ACK, 8192, pattern + 1000, 1000);
    assert_null(rig.fake.lent);
    assert_int_equal(tcp_peek(&rig.tcp, &data), 1600);
    assert_memory_equal(data, pattern + 400, 1600);
    rig_segment(&rig, rig.seq + 2000, rig.ack, ACK, 8192, pattern + 2000, 1400);
    rig_expect_read(&rig, pattern + 400, 3000); /* one piece, still */
    rig.seq += 3400;
    rig_poll(&rig);
    rig_expect_health(&rig);
}

/* 3.8.6.3, RFC 5681 4.2: within 500 ms, and at least every second segment. */
static void delayed_ack(void **state)
{
    (void)state;
    rig_connect(&rig);
    for (int i = 0; i < 3; i++) {
        rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 100);
        rig_expect_read(&rig, pattern, 100);
        rig_nothing_sent(&rig);
        rig.seq += 100;
        rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 100);
        rig.seq += 100;
        rig_expect_read(&rig, pattern, 100);
        assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    }
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 100);
    rig.seq += 100;
    rig_expect_read(&rig, pattern, 100);
    assert_in_range(time_to_segment(ACK, NULL, 500), 1, 499);
}

/* How long the stack wants to sleep once it has nothing left to do at this instant. */
static uint32_t settled_wait(void)
{
    while (net_poll(&rig.net, rig.now)) {
    }
    net_flush(&rig.net, rig.now);
    return net_wait_ms(&rig.net, rig.now);
}

/* An ACK that falls due while nothing can be sent must not keep the core awake. */
static void owed_ack_without_a_way_out(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 100);
    rig_expect_read(&rig, pattern, 100);
    rig.seq += 100;
    net_link(&rig.net, false, rig.now);
    rig.now += 50;
    settled_wait();
    assert_int_not_equal(settled_wait(), 0);
    rig.now += 5000;
    settled_wait();
    assert_int_not_equal(settled_wait(), 0);
    net_link(&rig.net, true, rig.now);
    settled_wait();
    assert_int_not_equal(settled_wait(), 0); /* the neighbour is being asked */
}

static void out_of_order_and_overlap(void **state) /* 3.10.7.4; RFC 5681 4.2: a hole is answered at once */
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq + 100, rig.ack, ACK, 8192, pattern + 100, 100);
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 100);
    rig_segment(&rig, rig.seq + 50, rig.ack, ACK, 8192, pattern + 50, 100); /* half old */
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq + 150);
    uint8_t other[150];
    memset(other, 0xEE, sizeof other);
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, other,
                149); /* all old, different bytes: the first ones stand */
    rig_expect_segment(&rig, ACK);
    rig_expect_read(&rig, pattern, 150);
    rig.seq += 150;
    rig_expect_health(&rig);
}

static void beyond_the_window(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq + 4096, rig.ack, ACK, 8192, pattern, 10);
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 1460);
    rig_segment(&rig, rig.seq + 1460, rig.ack, ACK, 8192, pattern + 1460, 1460);
    rig_expect_segment(&rig, ACK);
    rig_segment(&rig, rig.seq + 2920, rig.ack, ACK | FIN, 8192, pattern + 2920,
                1460); /* cut, the FIN with it */
    struct sent_segment ack = rig_expect_segment(&rig, ACK);
    assert_int_equal(ack.ack, rig.seq + 4096);
    assert_int_equal(ack.window, 0);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_segment(&rig, rig.seq + 4096, rig.ack, ACK, 8192, "p",
                1); /* zero-window probe: answered, not taken */
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq + 4096);
    rig_expect_read(&rig, pattern, 4096);
    rig.seq += 4096;
    rig_poll(&rig);
    assert_int_equal(rig_expect_segment(&rig, ACK).window, 4096); /* window update, unasked */
    rig_expect_health(&rig);
}

static void receiver_avoids_silly_windows(void **state) /* 3.8.6.2.2 */
{
    (void)state;
    rig_connect(&rig);
    for (uint32_t at = 0; at < 4096; at += 1024) {
        rig_segment(&rig, rig.seq + at, rig.ack, ACK, 8192, pattern + at, 1024);
    }
    rig_discard_sent(&rig);
    rig_poll(&rig);
    rig.seq += 4096;
    for (uint32_t eaten = 0; eaten < 1450; eaten += 50) {
        tcp_consume(&rig.tcp, 50);
        rig_poll(&rig);
        rig_nothing_sent(&rig);
    }
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, "p", 1);
    assert_int_equal(rig_expect_segment(&rig, ACK).window, 0);
    tcp_consume(&rig.tcp, 50);
    rig_poll(&rig);
    assert_int_equal(rig_expect_segment(&rig, ACK).window, 1500);
    tcp_consume(&rig.tcp, 4096);
    rig_poll(&rig);
    rig_discard_sent(&rig);
}

/* ---- Sending ---- */

/* RFC 6298: 5.1 to 5.5 with Karn's rule. */
static void retransmission(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_write(&rig, pattern, 300);
    struct sent_segment first = rig_expect_segment(&rig, ACK | PSH), again;
    for (uint32_t wait = 1000; wait <= 16000; wait *= 2) {
        assert_int_equal(time_to_segment(ACK | PSH, &again, 100000), wait);
        assert_int_equal(again.seq, first.seq);
        assert_int_equal(again.length, 300);
        assert_memory_equal(again.data, pattern, 300);
    }
    assert_int_equal(retransmissions(), 5);
    rig.ack += 300;
    ack_from_peer(8192);
    rig_write(&rig, pattern, 1); /* Karn: no sample was taken, the back-off stands */
    rig_expect_segment(&rig, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 100000), 32000);
    rig.ack += 1;
    ack_from_peer(8192);
    rig_write(&rig, pattern, 1);
    rig_expect_segment(&rig, ACK | PSH);
    rig.ack += 1;
    rig_advance(&rig, 30);
    ack_from_peer(8192); /* a sample: 30 ms, RTO at its minimum */
    rig_write(&rig, pattern, 1);
    rig_expect_segment(&rig, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 100000), 1000);
    rig.ack += 1;
    ack_from_peer(8192);
    rig_expect_health(&rig);
}

/* RFC 6298 2.2, 2.3: SRTT and RTTVAR as computed by hand for round trips of 800 and 1200 ms. */
static void round_trip_time(void **state)
{
    (void)state;
    begin_connect();
    rig_advance(&rig, 800);
    rig_segment(&rig, rig.seq++, rig.ack, SYN | ACK, 8192, NULL, 0); /* SRTT 800, RTTVAR 400: RTO 2400 */
    rig_expect_segment(&rig, ACK);
    rig_write(&rig, pattern, 1);
    rig_expect_segment(&rig, ACK | PSH);
    rig_advance(&rig, 1200);
    rig.ack++;
    ack_from_peer(8192); /* RTTVAR 0.75 * 400 + 0.25 * 400 = 400, SRTT 850: RTO 2450 */
    rig_write(&rig, pattern, 1);
    rig_expect_segment(&rig, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 10000), 2450);
}

static void gives_up(void **state) /* 3.8.3 */
{
    (void)state;
    rig_connect(&rig);
    rig_write(&rig, pattern, 300);
    uint32_t start = rig.now;
    while (tcp_state(&rig.tcp) != TCP_CLOSED) {
        rig_advance(&rig, net_wait_ms(&rig.net, rig.now));
        assert_true(rig.now - start <= TCP_USER_TIMEOUT_MS);
        const struct frame *frame;
        while ((frame = rig_sent(&rig)) != NULL) {
            assert_int_equal((frame->bytes[47] & RST) != 0, tcp_state(&rig.tcp) == TCP_CLOSED);
        }
    }
    assert_int_equal(rig.now - start, TCP_USER_TIMEOUT_MS);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void user_timeout_begins_with_the_work(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig.now += 110000; /* asleep, no poll */
    rig_write(&rig, pattern, 10);
    rig_expect_segment(&rig, ACK | PSH);
    rig.ack += 10;
    ack_from_peer(8192);
    rig.now += 110000;
    tcp_close(&rig.tcp);
    rig_poll(&rig);
    rig_expect_segment(&rig, ACK | FIN);
    rig_advance(&rig, 10);
    assert_int_equal(tcp_state(&rig.tcp), TCP_FIN_WAIT_1);
}

static void fast_retransmit(void **state) /* RFC 5681 3.2, RFC 6582 */
{
    (void)state;
    rig_establish_mss(&rig, 500, 8192);
    rig_write(&rig, pattern, 2500);
    for (int i = 0; i < 5; i++) {
        rig_expect_segment(&rig, i == 4 ? ACK | PSH : ACK);
    }
    for (int i = 0; i < 3; i++) {
        rig_nothing_sent(&rig);
        ack_from_peer(8192);
    }
    struct sent_segment again = rig_expect_segment(&rig, ACK);
    assert_int_equal(again.seq, rig.ack);
    assert_int_equal(again.length, 500);
    rig.ack += 1000; /* partial: the next hole at once */
    ack_from_peer(8192);
    again = rig_expect_segment(&rig, ACK);
    assert_int_equal(again.seq, rig.ack);
    rig.ack += 1500;
    ack_from_peer(8192);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void obeys_the_window(void **state)
{
    (void)state;
    rig_establish_mss(&rig, 1460, 1000);
    rig_write(&rig, pattern, 3000);
    assert_int_equal(rig_expect_segment(&rig, ACK).length, 1000);
    rig_nothing_sent(&rig);
    rig.ack += 1000;
    ack_from_peer(300); /* silly: less than half of the largest (3.8.6.2.1) */
    rig_nothing_sent(&rig);
    ack_from_peer(600);
    assert_int_equal(rig_expect_segment(&rig, ACK).length, 600);
    rig.ack += 600;
    ack_from_peer(1460);
    assert_int_equal(rig_expect_segment(&rig, ACK | PSH).length, 1400);
    rig.ack += 1400;
    ack_from_peer(8192);
    rig_expect_health(&rig);
}

/* 3.8.6.1: probes backed off, for as long as the peer answers; the lost window update is survived. */
static void zero_window(void **state)
{
    (void)state;
    rig_establish_mss(&rig, 1460, 0);
    rig_write(&rig, pattern, 300);
    rig_nothing_sent(&rig);
    struct sent_segment probe;
    uint32_t wait = 1000, total = 0;
    while (total < 190000) { /* less than ARP entries take to age */
        uint32_t waited = time_to_segment(ACK, &probe, 100000);
        assert_int_equal(waited, wait);
        wait = wait < 32000 ? wait * 2 : 60000;
        total += waited;
        assert_int_equal(probe.seq, rig.ack);
        assert_int_equal(probe.length, 1);
        assert_int_equal(probe.data[0], pattern[0]);
        ack_from_peer(0);
    }
    ack_from_peer(8192);
    struct sent_segment out = rig_expect_segment(&rig, ACK | PSH);
    assert_int_equal(out.seq, rig.ack);
    assert_int_equal(out.length, 300);
    rig.ack += 300;
    ack_from_peer(8192);
    rig_expect_health(&rig);
}

static void zero_window_of_a_dead_peer(void **state)
{
    (void)state;
    rig_establish_mss(&rig, 1460, 0);
    rig_write(&rig, pattern, 300);
    rig_run(&rig, TCP_USER_TIMEOUT_MS);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void probe_taken(void **state)
{
    (void)state;
    rig_establish_mss(&rig, 1460, 0);
    rig_write(&rig, pattern, 3);
    for (int i = 0; i < 3; i++) {
        struct sent_segment probe;
        time_to_segment(i == 2 ? ACK | PSH : ACK, &probe, 70000);
        assert_int_equal(probe.seq, rig.ack);
        assert_int_equal(probe.data[0], pattern[i]);
        rig.ack++;
        ack_from_peer(0);
    }
    ack_from_peer(8192);
    rig_expect_health(&rig);
}

static void shrunk_window(void **state) /* 3.8.6: "shrinking the window" is survived */
{
    (void)state;
    rig_establish_mss(&rig, 1000, 3000);
    rig_write(&rig, pattern, 3000);
    for (int i = 0; i < 3; i++) {
        (void)rig_sent(&rig);
    }
    rig.ack += 1000;
    ack_from_peer(0);
    struct sent_segment probe;
    time_to_segment(ACK, &probe, 5000);
    assert_int_equal(probe.seq, rig.ack);
    ack_from_peer(4000);
    assert_int_equal(rig_expect_segment(&rig, ACK).length, 1000);
    assert_int_equal(rig_expect_segment(&rig, ACK | PSH).length, 1000);
    rig.ack += 2000;
    ack_from_peer(8192);
    rig_expect_health(&rig);
}

/* The ring's wrap cuts segments; acknowledged bytes that the device still holds are not given out as room. */
static void transmit_ring(void **state)
{
    (void)state;
    rig_connect(&rig);
    struct tcp_span room[2];
    for (int i = 0; i < 20; i++) {
        rig_write(&rig, pattern + i * 300, 1000);
        size_t got = 0;
        while (got < 1000) {
            struct sent_segment out = rig_expect_segment(
                &rig, (uint8_t)(rig.fake.sent_head == rig.fake.sent_tail + 1 ? ACK | PSH : ACK));
            assert_memory_equal(out.data, pattern + i * 300 + got, out.length);
            got += out.length;
        }
        rig.ack += 1000;
        ack_from_peer(8192);
    }
    rig.fake.keeps = true;
    rig_write(&rig, pattern, 4096);
    assert_int_equal(tcp_reserve(&rig.tcp, room), 0);
    rig.ack += 4096;
    ack_from_peer(8192);
    assert_int_equal(tcp_queued(&rig.tcp), 0);
    assert_int_equal(tcp_reserve(&rig.tcp, room), 0);
    assert_int_equal(net_wait_ms(&rig.net, rig.now), 1); /* room comes without a frame */
    tcp_commit(&rig.tcp, 10);                            /* cut to the room there is */
    assert_int_equal(tcp_queued(&rig.tcp), 0);
    for (unsigned i = 0; i < rig.fake.kept; i++) {
        assert_memory_equal(rig.fake.kept_payload[i], rig.fake.kept_copy[i], rig.fake.kept_length[i]);
    }
    rig.fake.ticket_done = rig.fake.ticket;
    rig.fake.keeps = false;
    assert_int_equal(tcp_reserve(&rig.tcp, room), 4096);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

static void full_device(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig.fake.full = true;
    rig_write(&rig, pattern, 100);
    rig_nothing_sent(&rig);
    assert_int_equal(net_wait_ms(&rig.net, rig.now), 1);
    rig.fake.full = false;
    rig_advance(&rig, 1);
    assert_int_equal(rig_expect_segment(&rig, ACK | PSH).length, 100);
    rig.ack += 100;
    ack_from_peer(8192);
    rig_expect_health(&rig);
}

static void flush_sends_at_once(void **state)
{
    (void)state;
    rig_connect(&rig);
    struct tcp_span room[2];
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 100);
    assert_int_equal(tcp_reserve(&rig.tcp, room), 4096);
    room[0].data[0] = 'x';
    tcp_commit(&rig.tcp, 1);
    assert_int_equal(net_wait_ms(&rig.net, rig.now), 0);
    net_flush(&rig.net, rig.now);
    rig_expect_segment(&rig, ACK | PSH);
    rig_expect_read(&rig, pattern, 100); /* still readable */
}

/* ---- Closing ---- */

static void active_close(void **state) /* 3.6 figure 12 */
{
    (void)state;
    rig_connect(&rig);
    rig_write(&rig, pattern, 10);
    rig_expect_segment(&rig, ACK | PSH);
    tcp_close(&rig.tcp);
    assert_int_equal(tcp_state(&rig.tcp), TCP_FIN_WAIT_1);
    rig_poll(&rig);
    assert_int_equal(rig_expect_segment(&rig, ACK | FIN).seq, rig.ack + 10);
    rig.ack += 10;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&rig.tcp), TCP_FIN_WAIT_1);
    rig.ack += 1;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&rig.tcp), TCP_FIN_WAIT_2);
    rig_segment(&rig, rig.seq, rig.ack, ACK | FIN, 8192, pattern,
                50); /* half closed: data still come, FIN with them */
    rig_expect_read(&rig, pattern, 50);
    rig.seq += 51;
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    assert_int_equal(tcp_state(&rig.tcp), TCP_TIME_WAIT);
    rig_run(&rig, 30000);
    rig_segment(&rig, rig.seq - 1, rig.ack, ACK | FIN, 8192, NULL,
                0); /* our ACK was lost: again, 2 MSL anew */
    rig_expect_segment(&rig, ACK);
    rig_run(&rig, 59999);
    assert_int_equal(tcp_state(&rig.tcp), TCP_TIME_WAIT);
    rig_run(&rig, 1);
    expect_closed(NET_OK);
}

static void passive_close(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq, rig.ack, ACK | FIN, 8192, pattern, 50);
    rig.seq += 51;
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    assert_int_equal(tcp_state(&rig.tcp), TCP_CLOSE_WAIT);
    rig_expect_read(&rig, pattern, 50);
    rig_write(&rig, pattern, 20); /* we may still send */
    rig_expect_segment(&rig, ACK | PSH);
    tcp_close(&rig.tcp);
    assert_int_equal(tcp_state(&rig.tcp), TCP_LAST_ACK);
    rig_poll(&rig);
    rig_expect_segment(&rig, ACK | FIN);
    struct sent_segment again;
    time_to_segment(ACK | PSH | FIN, &again, 2000); /* both lost: together now */
    assert_int_equal(again.length, 20);
    rig.ack += 20;
    ack_from_peer(8192);
    rig.ack += 1;
    ack_from_peer(8192);
    expect_closed(NET_OK);
}

static void simultaneous_close(void **state) /* 3.6 figure 13 */
{
    (void)state;
    rig_connect(&rig);
    tcp_close(&rig.tcp);
    rig_poll(&rig);
    rig_expect_segment(&rig, ACK | FIN);
    rig_segment(&rig, rig.seq++, rig.ack, ACK | FIN, 8192, NULL, 0);
    rig_expect_segment(&rig, ACK);
    assert_int_equal(tcp_state(&rig.tcp), TCP_CLOSING);
    rig.ack++;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&rig.tcp), TCP_TIME_WAIT);
    rig_connect(&rig); /* TIME-WAIT is given up for a new connection, from another port */
    rig_expect_health(&rig);
}

static void fin_is_retransmitted_with_its_data(void **state)
{
    (void)state;
    rig_connect(&rig);
    struct tcp_span room[2];
    (void)tcp_reserve(&rig.tcp, room);
    memcpy(room[0].data, "bye", 3);
    tcp_commit(&rig.tcp, 3);
    tcp_close(&rig.tcp);
    rig_poll(&rig);
    assert_int_equal(rig_expect_segment(&rig, ACK | PSH | FIN).length, 3);
    assert_int_equal(tcp_reserve(&rig.tcp, room), 0);
    struct sent_segment again;
    assert_int_equal(time_to_segment(ACK | PSH | FIN, &again, 5000), 1000);
    assert_int_equal(again.seq, rig.ack);
    rig.ack += 4;
    rig_segment(&rig, rig.seq++, rig.ack, ACK | FIN, 8192, NULL, 0);
    assert_int_equal(tcp_state(&rig.tcp), TCP_TIME_WAIT);
    tcp_abort(&rig.tcp);
    expect_closed(NET_ERROR_ABORTED);
}

static void fin_wait_2_ends(void **state)
{
    (void)state;
    rig_connect(&rig);
    tcp_close(&rig.tcp);
    rig_poll(&rig);
    rig.ack++;
    ack_from_peer(8192);
    rig_run(&rig, 60000);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void abort_resets(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern, 50);
    tcp_abort(&rig.tcp);
    assert_int_equal(rig_expect_segment(&rig, RST | ACK).seq, rig.ack);
    rig_expect_read(&rig, NULL, 0);
    rig_segment(&rig, rig.seq + 50, rig.ack, ACK, 8192, pattern, 50); /* nobody: reset (3.10.7.1) */
    assert_int_equal(rig_expect_segment(&rig, RST).seq, rig.ack);
    rig_segment(&rig, rig.seq, 0, SYN | FIN, 8192, pattern, 50);
    struct sent_segment reset = rig_expect_segment(&rig, RST | ACK);
    assert_int_equal(reset.ack, rig.seq + 52);
    rig_segment(&rig, rig.seq, 0, RST, 8192, NULL, 0); /* never to a reset */
    rig_nothing_sent(&rig);
    expect_closed(NET_ERROR_ABORTED);
}

/* ---- RFC 5961 ---- */

static void reset_in_the_window(void **state) /* RFC 5961 3 */
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq - 1, rig.ack, RST, 0, NULL, 0); /* out: silence */
    rig_segment(&rig, rig.seq + 4096, rig.ack, RST, 0, NULL, 0);
    rig_nothing_sent(&rig);
    rig_segment(&rig, rig.seq + 1, rig.ack, RST, 0, NULL, 0); /* in: challenge */
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_segment(&rig, rig.seq, rig.ack, ACK, 8192, pattern,
                50); /* what came before the reset stays readable */
    rig_segment(&rig, rig.seq + 50, rig.ack, RST, 0, NULL, 0);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_RESET);
    rig_expect_read(&rig, pattern, 50);
    expect_closed(NET_ERROR_RESET);
}

static void challenges_are_limited(void **state) /* RFC 5961 4, 7 */
{
    (void)state;
    rig_connect(&rig);
    unsigned answers = 0;
    for (int i = 0; i < 100; i++) {
        rig_segment(&rig, rig.seq, rig.ack, i % 2 ? SYN : SYN | ACK, 8192, NULL, 0);
        while (rig_sent(&rig)) {
            answers++;
        }
    }
    assert_int_equal(answers, 10);
    rig_advance(&rig, 5000);
    rig_expect_health(&rig);
}

static void blind_data(void **state) /* RFC 5961 5.2 */
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq, rig.ack + 1, ACK, 8192, "bad", 3); /* of data not sent */
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    rig_segment(&rig, rig.seq, rig.ack - 8193, ACK, 8192, "bad", 3); /* before any window */
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    rig_segment(&rig, rig.seq, rig.ack + 0x80000000, ACK, 8192, "bad", 3);
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    rig_segment(&rig, rig.seq, 0, 0, 8192, "bad", 3); /* no flags at all */
    rig_expect_read(&rig, NULL, 0);
    rig_expect_health(&rig);
}

/* ---- Every flag in every state ---- */

static void enter(enum tcp_state wanted)
{
    if (wanted == TCP_CLOSED) {
        return;
    }
    if (wanted <= TCP_SYN_RECEIVED) {
        begin_connect();
        if (wanted == TCP_SYN_RECEIVED) {
            rig_segment(&rig, rig.seq++, 0, SYN, 8192, NULL, 0);
        }
        return;
    }
    rig_connect(&rig);
    bool we_close = wanted == TCP_FIN_WAIT_1 || wanted == TCP_FIN_WAIT_2 || wanted == TCP_CLOSING ||
                    wanted == TCP_TIME_WAIT;
    if (we_close) {
        tcp_close(&rig.tcp);
        rig_poll(&rig);
        rig.ack++;
    }
    if (wanted == TCP_FIN_WAIT_2 || wanted == TCP_TIME_WAIT) {
        ack_from_peer(8192);
    }
    if (wanted == TCP_CLOSING || wanted == TCP_TIME_WAIT || wanted == TCP_CLOSE_WAIT ||
        wanted == TCP_LAST_ACK) {
        uint32_t ack = wanted == TCP_CLOSING ? rig.ack - 1 : rig.ack;
        rig_segment(&rig, rig.seq++, ack, ACK | FIN, 8192, NULL, 0);
    }
    if (wanted == TCP_LAST_ACK) {
        tcp_close(&rig.tcp);
        rig_poll(&rig);
        rig.ack++;
    }
}

static void all_flags_in_all_states(void **state)
{
    (void)state;
    for (unsigned which = TCP_CLOSED; which <= TCP_TIME_WAIT; which++) {
        for (unsigned flags = 0; flags < 256; flags++) {
            static const int32_t offsets[] = {0, -1, 1, 5000, INT32_MIN};
            for (unsigned i = 0; i < 25; i++) {
                rig_close(&rig);
                rig_open(&rig, 512, 512, 0);
                enter((enum tcp_state)which);
                assert_int_equal(tcp_state(&rig.tcp), which);
                rig_discard_sent(&rig);
                uint8_t frame[128];
                size_t length =
                    make_tcp(&rig, frame, rig.seq + (uint32_t)offsets[i % 5],
                             rig.ack + (uint32_t)offsets[i / 5], (uint8_t)flags, 8192, pattern, i % 3 * 20);
                put16(frame + 52, i % 2 ? 0xFFFF : 0); /* urgent pointer: means nothing to us */
                fix_tcp(frame, length);
                rig_receive(&rig, frame, length);
                assert_true(rig.fake.sent_head - rig.fake.sent_tail <= 1); /* never more than one answer */
                const struct frame *answer = rig_sent(&rig);
                assert_false(answer && (flags & RST) && (answer->bytes[47] & RST));
                if (which > TCP_SYN_RECEIVED && (flags & (SYN | RST)) == SYN) {
                    assert_int_equal(tcp_state(&rig.tcp), which); /* RFC 5961 4 */
                }
                tcp_abort(&rig.tcp);
                rig_poll(&rig);
                assert_int_equal(rig.fake.lent_total, rig.fake.returned_total);
            }
        }
    }
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

/* ---- Timers of an idle connection, the link ---- */

static void keep_alive(void **state) /* 3.8.4 */
{
    (void)state;
    tcp_set_timeouts(&rig.tcp, 0, 20000);
    rig_connect(&rig);
    struct sent_segment probe;
    assert_int_equal(time_to_segment(ACK, &probe, 30000), 20000);
    assert_int_equal(probe.seq, rig.ack - 1);
    assert_int_equal(probe.length, 0);
    ack_from_peer(8192); /* alive */
    assert_int_equal(time_to_segment(ACK, NULL, 30000), 20000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(time_to_segment(ACK, NULL, 30000), 5000);
    }
    rig_run(&rig, 4999);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_run(&rig, 1);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void keep_alive_is_answered(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_segment(&rig, rig.seq - 1, rig.ack, ACK, 8192, NULL, 0);
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    rig_segment(&rig, rig.seq - 1, rig.ack, ACK, 8192, "g", 1); /* with a garbage byte, as old stacks do */
    assert_int_equal(rig_expect_segment(&rig, ACK).ack, rig.seq);
    rig_expect_health(&rig);
}

static void idle_connection_sleeps(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_expect_health(&rig);
    rig_run(&rig, 1000);
    assert_true(net_wait_ms(&rig.net, rig.now) > 60000);
}

static void short_loss_of_the_link(void **state)
{
    (void)state;
    rig_connect(&rig);
    net_link(&rig.net, false, rig.now);
    rig_write(&rig, pattern, 100);
    rig_run(&rig, 50000);
    rig_nothing_sent(&rig);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    rig_resolve(&rig);
    assert_int_equal(rig_expect_segment(&rig, ACK | PSH).length, 100);
    rig.ack += 100;
    ack_from_peer(8192);
    rig_expect_health(&rig);
}

static void long_loss_of_the_link(void **state)
{
    (void)state;
    rig_connect(&rig);
    net_link(&rig.net, false, rig.now);
    rig_write(&rig, pattern, 100);
    rig_run(&rig, TCP_USER_TIMEOUT_MS);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_TIMEOUT);
    net_link(&rig.net, true, rig.now);
    expect_closed(NET_ERROR_TIMEOUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
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
        TEST(receives_in_place_then_in_the_buffer),
        TEST(delayed_ack),
        TEST(owed_ack_without_a_way_out),
        TEST(out_of_order_and_overlap),
        TEST(beyond_the_window),
        TEST(receiver_avoids_silly_windows),
        TEST(retransmission),
        TEST(round_trip_time),
        TEST(gives_up),
        TEST(user_timeout_begins_with_the_work),
        TEST(fast_retransmit),
        TEST(obeys_the_window),
        TEST(zero_window),
        TEST(zero_window_of_a_dead_peer),
        TEST(probe_taken),
        TEST(shrunk_window),
        TEST(transmit_ring),
        TEST(full_device),
        TEST(flush_sends_at_once),
        TEST(active_close),
        TEST(passive_close),
        TEST(simultaneous_close),
        TEST(fin_is_retransmitted_with_its_data),
        TEST(fin_wait_2_ends),
        TEST(abort_resets),
        TEST(reset_in_the_window),
        TEST(challenges_are_limited),
        TEST(blind_data),
        TEST(all_flags_in_all_states),
        TEST(keep_alive),
        TEST(keep_alive_is_answered),
        TEST(idle_connection_sleeps),
        TEST(short_loss_of_the_link),
        TEST(long_loss_of_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
