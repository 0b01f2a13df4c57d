/* Receiving: scripted segments. Each test names the clause that it holds TCP to; without one: RFC 9293. */
#include "tcp_case.h"

#include <string.h>

static void receives_in_place_then_in_the_buffer(void **state)
{
    (void)state;
    rig_connect(&lab);
    const uint8_t *data;
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 1000);
    assert_int_equal(tcp_peek(&lab.tcp, &data), 1000);
    assert_ptr_equal(data, lab.fake.lent + 54); /* in the frame */
    tcp_consume(&lab.tcp, 400);
    rig_segment(&lab, lab.seq + 1000, lab.ack, ACK, 8192, pattern + 1000, 1000);
    assert_null(lab.fake.lent);
    assert_int_equal(tcp_peek(&lab.tcp, &data), 1600);
    assert_memory_equal(data, pattern + 400, 1600);
    rig_segment(&lab, lab.seq + 2000, lab.ack, ACK, 8192, pattern + 2000, 1400);
    rig_expect_read(&lab, pattern + 400, 3000); /* one piece, still */
    lab.seq += 3400;
    rig_poll(&lab);
    rig_expect_health(&lab);
}

/* 3.8.6.3, RFC 5681 4.2: within 500 ms, and at least every second segment. */
static void delayed_ack(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (int i = 0; i < 3; i++) {
        rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
        rig_expect_read(&lab, pattern, 100);
        rig_nothing_sent(&lab);
        lab.seq += 100;
        rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
        lab.seq += 100;
        rig_expect_read(&lab, pattern, 100);
        assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    }
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
    lab.seq += 100;
    rig_expect_read(&lab, pattern, 100);
    assert_in_range(time_to_segment(ACK, NULL, 500), 1, 499);
}

/* How long the stack wants to sleep once it has nothing left to do at this instant. */
static uint32_t settled_wait(void)
{
    while (net_poll(&lab.net, lab.now)) {
    }
    net_flush(&lab.net, lab.now);
    return net_wait_ms(&lab.net, lab.now);
}

/* An ACK that falls due while nothing can be sent must not keep the core awake. */
static void owed_ack_without_a_way_out(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
    rig_expect_read(&lab, pattern, 100);
    lab.seq += 100;
    net_link(&lab.net, false, lab.now);
    lab.now += 50;
    settled_wait();
    assert_int_not_equal(settled_wait(), 0);
    lab.now += 5000;
    settled_wait();
    assert_int_not_equal(settled_wait(), 0);
    net_link(&lab.net, true, lab.now);
    settled_wait();
    assert_int_not_equal(settled_wait(), 0); /* the neighbour is being asked */
}

static void out_of_order_and_overlap(void **state) /* 3.10.7.4; RFC 5681 4.2: a hole is answered at once */
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq + 100, lab.ack, ACK, 8192, pattern + 100, 100);
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
    if (NET_WITH_TCP_REASSEMBLY) {
        assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq + 200);
        rig_expect_read(&lab, pattern, 200);
        lab.seq += 200;
        rig_expect_health(&lab);
        return;
    }
    rig_segment(&lab, lab.seq + 50, lab.ack, ACK, 8192, pattern + 50, 100); /* half old */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq + 150);
    uint8_t other[150];
    memset(other, 0xEE, sizeof other);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, other,
                149); /* all old, different bytes: the first ones stand */
    rig_expect_segment(&lab, ACK);
    rig_expect_read(&lab, pattern, 150);
    lab.seq += 150;
    rig_expect_health(&lab);
}

static void beyond_the_window(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq + 4096, lab.ack, ACK, 8192, pattern, 10);
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 1460);
    rig_segment(&lab, lab.seq + 1460, lab.ack, ACK, 8192, pattern + 1460, 1460);
    rig_expect_segment(&lab, ACK);
    rig_segment(&lab, lab.seq + 2920, lab.ack, ACK | FIN, 8192, pattern + 2920,
                1460); /* cut, the FIN with it */
    struct sent_segment ack = rig_expect_segment(&lab, ACK);
    assert_int_equal(ack.ack, lab.seq + 4096);
    assert_int_equal(ack.window, 0);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    rig_segment(&lab, lab.seq + 4096, lab.ack, ACK, 8192, "p",
                1); /* zero-window probe: answered, not taken */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq + 4096);
    rig_expect_read(&lab, pattern, 4096);
    lab.seq += 4096;
    rig_poll(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK).window, 4096); /* window update, unasked */
    rig_expect_health(&lab);
}

static void receiver_avoids_silly_windows(void **state) /* 3.8.6.2.2 */
{
    (void)state;
    rig_connect(&lab);
    for (uint32_t at = 0; at < 4096; at += 1024) {
        rig_segment(&lab, lab.seq + at, lab.ack, ACK, 8192, pattern + at, 1024);
    }
    rig_discard_sent(&lab);
    rig_poll(&lab);
    lab.seq += 4096;
    for (uint32_t eaten = 0; eaten < 1450; eaten += 50) {
        tcp_consume(&lab.tcp, 50);
        rig_poll(&lab);
        rig_nothing_sent(&lab);
    }
    tcp_consume(&lab.tcp, 50);
    rig_poll(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK).window, 1500);
    tcp_consume(&lab.tcp, 4096);
    rig_poll(&lab);
    rig_discard_sent(&lab);
}

/* Else the peer would never send the end of a message of which the buffer holds more than half. */
static void a_closed_window_opens_when_asked(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (uint32_t at = 0; at < 4096; at += 1024) {
        rig_segment(&lab, lab.seq + at, lab.ack, ACK, 8192, pattern + at, 1024);
    }
    rig_discard_sent(&lab);
    lab.seq += 4096;
    tcp_consume(&lab.tcp, 50);
    rig_poll(&lab);
    rig_nothing_sent(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, "p", 1);
    assert_int_equal(rig_expect_segment(&lab, ACK).window, 50);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 50);
    const uint8_t *data;
    assert_int_equal(tcp_peek(&lab.tcp, &data), 4096);
    tcp_consume(&lab.tcp, 4096);
    rig_poll(&lab);
    rig_discard_sent(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(receives_in_place_then_in_the_buffer),
        TEST(delayed_ack),
        TEST(owed_ack_without_a_way_out),
        TEST(out_of_order_and_overlap),
        TEST(beyond_the_window),
        TEST(receiver_avoids_silly_windows),
        TEST(a_closed_window_opens_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
