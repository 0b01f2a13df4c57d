/* Sending: scripted segments. Each test names the clause that it holds TCP to; without one: RFC 9293. */
#include "tcp_case.h"

#include <string.h>

/* RFC 6298: 5.1 to 5.5 with Karn's rule. */
static void retransmission(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_write(&lab, pattern, 300);
    struct sent_segment first = rig_expect_segment(&lab, ACK | PSH), again;
    for (uint32_t wait = 1000; wait <= 16000; wait *= 2) {
        assert_int_equal(time_to_segment(ACK | PSH, &again, 100000), wait);
        assert_int_equal(again.seq, first.seq);
        assert_int_equal(again.length, 300);
        assert_memory_equal(again.data, pattern, 300);
    }
    assert_int_equal(retransmissions(), 5);
    lab.ack += 300;
    ack_from_peer(8192);
    rig_write(&lab, pattern, 1); /* Karn: no sample was taken, the back-off stands */
    rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 100000), 32000);
    lab.ack += 1;
    ack_from_peer(8192);
    rig_write(&lab, pattern, 1);
    rig_expect_segment(&lab, ACK | PSH);
    lab.ack += 1;
    rig_advance(&lab, 30);
    ack_from_peer(8192); /* a sample: 30 ms, RTO at its minimum */
    rig_write(&lab, pattern, 1);
    rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 100000), 1000);
    lab.ack += 1;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

/* RFC 6298 2.2, 2.3: SRTT and RTTVAR as computed by hand for round trips of 800 and 1200 ms. */
static void round_trip_time(void **state)
{
    (void)state;
    begin_connect();
    rig_advance(&lab, 800);
    rig_segment(&lab, lab.seq++, lab.ack, SYN | ACK, 8192, NULL, 0); /* SRTT 800, RTTVAR 400: RTO 2400 */
    rig_expect_segment(&lab, ACK);
    rig_write(&lab, pattern, 1);
    rig_expect_segment(&lab, ACK | PSH);
    rig_advance(&lab, 1200);
    lab.ack++;
    ack_from_peer(8192); /* RTTVAR 0.75 * 400 + 0.25 * 400 = 400, SRTT 850: RTO 2450 */
    rig_write(&lab, pattern, 1);
    rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(time_to_segment(ACK | PSH, NULL, 10000), 2450);
}

static void gives_up(void **state) /* 3.8.3 */
{
    (void)state;
    rig_connect(&lab);
    rig_write(&lab, pattern, 300);
    uint32_t start = lab.now;
    while (tcp_state(&lab.tcp) != TCP_CLOSED) {
        rig_advance(&lab, net_wait_ms(&lab.net, lab.now));
        assert_true(lab.now - start <= TCP_USER_TIMEOUT_MS);
        const struct frame *frame;
        while ((frame = rig_sent(&lab)) != NULL) {
            assert_int_equal((frame->bytes[47] & RST) != 0, tcp_state(&lab.tcp) == TCP_CLOSED);
        }
    }
    assert_int_equal(lab.now - start, TCP_USER_TIMEOUT_MS);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void user_timeout_begins_with_the_work(void **state)
{
    (void)state;
    rig_connect(&lab);
    lab.now += 110000; /* asleep, no poll */
    rig_write(&lab, pattern, 10);
    rig_expect_segment(&lab, ACK | PSH);
    lab.ack += 10;
    ack_from_peer(8192);
    lab.now += 110000;
    tcp_close(&lab.tcp);
    rig_poll(&lab);
    rig_expect_segment(&lab, ACK | FIN);
    rig_advance(&lab, 10);
    assert_int_equal(tcp_state(&lab.tcp), TCP_FIN_WAIT_1);
}

static void fast_retransmit(void **state) /* RFC 5681 3.2, RFC 6582 */
{
    (void)state;
    rig_establish_mss(&lab, 500, 8192);
    rig_write(&lab, pattern, 2500);
    for (int i = 0; i < 5; i++) {
        rig_expect_segment(&lab, i == 4 ? ACK | PSH : ACK);
    }
    for (int i = 0; i < 3; i++) {
        rig_nothing_sent(&lab);
        ack_from_peer(8192);
    }
    struct sent_segment again = rig_expect_segment(&lab, ACK);
    assert_int_equal(again.seq, lab.ack);
    assert_int_equal(again.length, 500);
    lab.ack += 1000; /* partial: the next hole at once */
    ack_from_peer(8192);
    again = rig_expect_segment(&lab, ACK);
    assert_int_equal(again.seq, lab.ack);
    lab.ack += 1500;
    ack_from_peer(8192);
    rig_nothing_sent(&lab);
    rig_expect_health(&lab);
}

static void obeys_the_window(void **state)
{
    (void)state;
    rig_establish_mss(&lab, 1460, 1000);
    rig_write(&lab, pattern, 3000);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 1000);
    rig_nothing_sent(&lab);
    lab.ack += 1000;
    ack_from_peer(300); /* silly: less than half of the largest (3.8.6.2.1) */
    rig_nothing_sent(&lab);
    ack_from_peer(600);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 600);
    lab.ack += 600;
    ack_from_peer(1460);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 1400);
    lab.ack += 1400;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

/* 3.8.6.1: probes backed off, for as long as the peer answers; the lost window update is survived. */
static void zero_window(void **state)
{
    (void)state;
    rig_establish_mss(&lab, 1460, 0);
    rig_write(&lab, pattern, 300);
    rig_nothing_sent(&lab);
    struct sent_segment probe;
    uint32_t wait = 1000, total = 0;
    while (total < 190000) { /* less than ARP entries take to age */
        uint32_t waited = time_to_segment(ACK, &probe, 100000);
        assert_int_equal(waited, wait);
        wait = wait < 32000 ? wait * 2 : 60000;
        total += waited;
        assert_int_equal(probe.seq, lab.ack);
        assert_int_equal(probe.length, 1);
        assert_int_equal(probe.data[0], pattern[0]);
        ack_from_peer(0);
    }
    ack_from_peer(8192);
    struct sent_segment out = rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(out.seq, lab.ack);
    assert_int_equal(out.length, 300);
    lab.ack += 300;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

static void each_zero_window_begins_anew(void **state)
{
    (void)state;
    rig_establish_mss(&lab, 1460, 0);
    rig_write(&lab, pattern, 300);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(time_to_segment(ACK, NULL, 10000), 1000);
        ack_from_peer(0);
        assert_int_equal(time_to_segment(ACK, NULL, 10000), 2000);
        ack_from_peer(100);
        assert_int_equal(rig_expect_segment(&lab, i == 2 ? ACK | PSH : ACK).length, 100);
        lab.ack += 100;
        ack_from_peer(0);
    }
}

static void zero_window_of_a_dead_peer(void **state)
{
    (void)state;
    rig_establish_mss(&lab, 1460, 0);
    rig_write(&lab, pattern, 300);
    rig_run(&lab, TCP_USER_TIMEOUT_MS);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void probe_taken(void **state)
{
    (void)state;
    rig_establish_mss(&lab, 1460, 0);
    rig_write(&lab, pattern, 3);
    for (int i = 0; i < 3; i++) {
        struct sent_segment probe;
        time_to_segment(i == 2 ? ACK | PSH : ACK, &probe, 70000);
        assert_int_equal(probe.seq, lab.ack);
        assert_int_equal(probe.data[0], pattern[i]);
        lab.ack++;
        ack_from_peer(0);
    }
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

static void shrunk_window(void **state) /* 3.8.6: "shrinking the window" is survived */
{
    (void)state;
    rig_establish_mss(&lab, 1000, 3000);
    rig_write(&lab, pattern, 3000);
    for (int i = 0; i < 3; i++) {
        (void)rig_sent(&lab);
    }
    lab.ack += 1000;
    ack_from_peer(0);
    struct sent_segment probe;
    time_to_segment(ACK, &probe, 5000);
    assert_int_equal(probe.seq, lab.ack);
    ack_from_peer(4000);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 1000);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 1000);
    lab.ack += 2000;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

/* The ring's wrap cuts segments; acknowledged bytes that the device still holds are not given out as room. */
static void transmit_ring(void **state)
{
    (void)state;
    rig_connect(&lab);
#if NET_WITH_TCP_NAGLE
    tcp_set_nagle(&lab.tcp, false);
#endif
    struct tcp_span room[2];
    for (int i = 0; i < 20; i++) {
        rig_write(&lab, pattern + i * 300, 1000);
        size_t got = 0;
        while (got < 1000) {
            struct sent_segment out = rig_expect_segment(
                &lab, (uint8_t)(lab.fake.sent_head == lab.fake.sent_tail + 1 ? ACK | PSH : ACK));
            assert_memory_equal(out.data, pattern + i * 300 + got, out.length);
            got += out.length;
        }
        lab.ack += 1000;
        ack_from_peer(8192);
    }
    lab.fake.keeps = true;
    rig_write(&lab, pattern, 4096);
    assert_int_equal(tcp_reserve(&lab.tcp, room), 0);
    lab.ack += 4096;
    ack_from_peer(8192);
    assert_int_equal(tcp_queued(&lab.tcp), 0);
    assert_int_equal(tcp_reserve(&lab.tcp, room), 0);
    assert_int_equal(net_wait_ms(&lab.net, lab.now), 1); /* room comes without a frame */
    tcp_commit(&lab.tcp, 10);                            /* cut to the room there is */
    assert_int_equal(tcp_queued(&lab.tcp), 0);
    for (unsigned i = 0; i < lab.fake.kept; i++) {
        assert_memory_equal(lab.fake.kept_payload[i], lab.fake.kept_copy[i], lab.fake.kept_length[i]);
    }
    lab.fake.ticket_done = lab.fake.ticket;
    lab.fake.keeps = false;
    assert_int_equal(tcp_reserve(&lab.tcp, room), 4096);
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

static void full_device(void **state)
{
    (void)state;
    rig_connect(&lab);
    lab.fake.full = true;
    rig_write(&lab, pattern, 100);
    rig_nothing_sent(&lab);
    assert_int_equal(net_wait_ms(&lab.net, lab.now), 1);
    lab.fake.full = false;
    rig_advance(&lab, 1);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 100);
    lab.ack += 100;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

static void flush_sends_at_once(void **state)
{
    (void)state;
    rig_connect(&lab);
    struct tcp_span room[2];
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
    assert_int_equal(tcp_reserve(&lab.tcp, room), 4096);
    room[0].data[0] = 'x';
    tcp_commit(&lab.tcp, 1);
    assert_int_equal(net_wait_ms(&lab.net, lab.now), 0);
    net_flush(&lab.net, lab.now);
    rig_expect_segment(&lab, ACK | PSH);
    rig_expect_read(&lab, pattern, 100); /* still readable */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(retransmission),
        TEST(round_trip_time),
        TEST(gives_up),
        TEST(user_timeout_begins_with_the_work),
        TEST(fast_retransmit),
        TEST(obeys_the_window),
        TEST(zero_window),
        TEST(each_zero_window_begins_anew),
        TEST(zero_window_of_a_dead_peer),
        TEST(probe_taken),
        TEST(shrunk_window),
        TEST(transmit_ring),
        TEST(full_device),
        TEST(flush_sends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
