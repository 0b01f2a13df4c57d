/* Closing, and what tries to break a connection: scripted segments. Each test names the clause that it holds
 * TCP to; without one: RFC 9293. */
#include "tcp_case.h"

#include <string.h>

static void active_close(void **state) /* 3.6 figure 12 */
{
    (void)state;
    rig_connect(&lab);
    rig_write(&lab, pattern, 10);
    rig_expect_segment(&lab, ACK | PSH);
    tcp_close(&lab.tcp);
    assert_int_equal(tcp_state(&lab.tcp), TCP_FIN_WAIT_1);
    rig_poll(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK | FIN).seq, lab.ack + 10);
    lab.ack += 10;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&lab.tcp), TCP_FIN_WAIT_1);
    lab.ack += 1;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&lab.tcp), TCP_FIN_WAIT_2);
    rig_segment(&lab, lab.seq, lab.ack, ACK | FIN, 8192, pattern,
                50); /* half closed: data still come, FIN with them */
    rig_expect_read(&lab, pattern, 50);
    lab.seq += 51;
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    assert_int_equal(tcp_state(&lab.tcp), TCP_TIME_WAIT);
    rig_run(&lab, 30000);
    rig_segment(&lab, lab.seq - 1, lab.ack, ACK | FIN, 8192, NULL,
                0); /* our ACK was lost: again, 2 MSL anew */
    rig_expect_segment(&lab, ACK);
    rig_run(&lab, 59999);
    assert_int_equal(tcp_state(&lab.tcp), TCP_TIME_WAIT);
    rig_run(&lab, 1);
    expect_closed(NET_OK);
}

static void passive_close(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK | FIN, 8192, pattern, 50);
    lab.seq += 51;
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSE_WAIT);
    rig_expect_read(&lab, pattern, 50);
    rig_write(&lab, pattern, 20); /* we may still send */
    rig_expect_segment(&lab, ACK | PSH);
    tcp_close(&lab.tcp);
    assert_int_equal(tcp_state(&lab.tcp), TCP_LAST_ACK);
    rig_poll(&lab);
    rig_expect_segment(&lab, ACK | FIN);
    struct sent_segment again;
    time_to_segment(ACK | PSH | FIN, &again, 2000); /* both lost: together now */
    assert_int_equal(again.length, 20);
    lab.ack += 20;
    ack_from_peer(8192);
    lab.ack += 1;
    ack_from_peer(8192);
    expect_closed(NET_OK);
}

static void simultaneous_close(void **state) /* 3.6 figure 13 */
{
    (void)state;
    rig_connect(&lab);
    tcp_close(&lab.tcp);
    rig_poll(&lab);
    rig_expect_segment(&lab, ACK | FIN);
    rig_segment(&lab, lab.seq++, lab.ack, ACK | FIN, 8192, NULL, 0);
    rig_expect_segment(&lab, ACK);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSING);
    lab.ack++;
    ack_from_peer(8192);
    assert_int_equal(tcp_state(&lab.tcp), TCP_TIME_WAIT);
    rig_connect(&lab); /* TIME-WAIT is given up for a new connection, from another port */
    rig_expect_health(&lab);
}

static void fin_is_retransmitted_with_its_data(void **state)
{
    (void)state;
    rig_connect(&lab);
    struct tcp_span room[2];
    (void)tcp_reserve(&lab.tcp, room);
    memcpy(room[0].data, "bye", 3);
    tcp_commit(&lab.tcp, 3);
    tcp_close(&lab.tcp);
    rig_poll(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH | FIN).length, 3);
    assert_int_equal(tcp_reserve(&lab.tcp, room), 0);
    struct sent_segment again;
    assert_int_equal(time_to_segment(ACK | PSH | FIN, &again, 5000), 1000);
    assert_int_equal(again.seq, lab.ack);
    lab.ack += 4;
    rig_segment(&lab, lab.seq++, lab.ack, ACK | FIN, 8192, NULL, 0);
    assert_int_equal(tcp_state(&lab.tcp), TCP_TIME_WAIT);
    tcp_abort(&lab.tcp);
    expect_closed(NET_ERROR_ABORTED);
}

static void fin_wait_2_ends(void **state)
{
    (void)state;
    rig_connect(&lab);
    tcp_close(&lab.tcp);
    rig_poll(&lab);
    lab.ack++;
    ack_from_peer(8192);
    rig_run(&lab, (NET_WITH_TCP_HALF_CLOSE ? TCP_USER_TIMEOUT_MS : 60000) - 1);
    assert_int_equal(tcp_state(&lab.tcp), TCP_FIN_WAIT_2);
    rig_run(&lab, 1);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void abort_resets(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 50);
    tcp_abort(&lab.tcp);
    assert_int_equal(rig_expect_segment(&lab, RST | ACK).seq, lab.ack);
    rig_expect_read(&lab, NULL, 0);
    rig_segment(&lab, lab.seq + 50, lab.ack, ACK, 8192, pattern, 50); /* nobody: reset (3.10.7.1) */
    assert_int_equal(rig_expect_segment(&lab, RST).seq, lab.ack);
    rig_segment(&lab, lab.seq, 0, SYN | FIN, 8192, pattern, 50);
    struct sent_segment reset = rig_expect_segment(&lab, RST | ACK);
    assert_int_equal(reset.ack, lab.seq + 52);
    rig_segment(&lab, lab.seq, 0, RST, 8192, NULL, 0); /* never to a reset */
    rig_nothing_sent(&lab);
    expect_closed(NET_ERROR_ABORTED);
}

static void reset_in_the_window(void **state) /* RFC 5961 3 */
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq - 1, lab.ack, RST, 0, NULL, 0); /* out: silence */
    rig_segment(&lab, lab.seq + 4096, lab.ack, RST, 0, NULL, 0);
    rig_nothing_sent(&lab);
    rig_segment(&lab, lab.seq + 1, lab.ack, RST, 0, NULL, 0); /* in: challenge */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern,
                50); /* what came before the reset stays readable */
    rig_segment(&lab, lab.seq + 50, lab.ack, RST, 0, NULL, 0);
    assert_int_equal(tcp_error(&lab.tcp), NET_ERROR_RESET);
    rig_expect_read(&lab, pattern, 50);
    expect_closed(NET_ERROR_RESET);
}

static void challenges_are_limited(void **state) /* RFC 5961 4, 7 */
{
    (void)state;
    rig_connect(&lab);
    unsigned answers = 0;
    for (int i = 0; i < 100; i++) {
        rig_segment(&lab, lab.seq, lab.ack, i % 2 ? SYN : SYN | ACK, 8192, NULL, 0);
        while (rig_sent(&lab)) {
            answers++;
        }
    }
    assert_int_equal(answers, 10);
    rig_advance(&lab, 5000);
    rig_expect_health(&lab);
}

static void blind_data(void **state) /* RFC 5961 5.2 */
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack + 1, ACK, 8192, "bad", 3); /* of data not sent */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    rig_segment(&lab, lab.seq, lab.ack - 8193, ACK, 8192, "bad", 3); /* before any window */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    rig_segment(&lab, lab.seq, lab.ack + 0x80000000, ACK, 8192, "bad", 3);
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    rig_segment(&lab, lab.seq, 0, 0, 8192, "bad", 3); /* no flags at all */
    rig_expect_read(&lab, NULL, 0);
    rig_expect_health(&lab);
}

static void enter(enum tcp_state wanted)
{
    if (wanted == TCP_CLOSED) {
        return;
    }
    if (wanted <= TCP_SYN_RECEIVED) {
        begin_connect();
        if (wanted == TCP_SYN_RECEIVED) {
            rig_segment(&lab, lab.seq++, 0, SYN, 8192, NULL, 0);
        }
        return;
    }
    rig_connect(&lab);
    bool we_close = wanted == TCP_FIN_WAIT_1 || wanted == TCP_FIN_WAIT_2 || wanted == TCP_CLOSING ||
                    wanted == TCP_TIME_WAIT;
    if (we_close) {
        tcp_close(&lab.tcp);
        rig_poll(&lab);
        lab.ack++;
    }
    if (wanted == TCP_FIN_WAIT_2 || wanted == TCP_TIME_WAIT) {
        ack_from_peer(8192);
    }
    if (wanted == TCP_CLOSING || wanted == TCP_TIME_WAIT || wanted == TCP_CLOSE_WAIT ||
        wanted == TCP_LAST_ACK) {
        uint32_t ack = wanted == TCP_CLOSING ? lab.ack - 1 : lab.ack;
        rig_segment(&lab, lab.seq++, ack, ACK | FIN, 8192, NULL, 0);
    }
    if (wanted == TCP_LAST_ACK) {
        tcp_close(&lab.tcp);
        rig_poll(&lab);
        lab.ack++;
    }
}

static void all_flags_in_all_states(void **state)
{
    (void)state;
    for (unsigned which = TCP_CLOSED; which <= TCP_TIME_WAIT; which = which ? which + 1 : TCP_SYN_SENT) {
        for (unsigned flags = 0; flags < 256; flags++) {
            static const int32_t offsets[] = {0, -1, 1, 5000, INT32_MIN};
            for (unsigned i = 0; i < 25; i++) {
                rig_close(&lab);
                rig_open(&lab, 512, 512, 0);
                enter((enum tcp_state)which);
                assert_int_equal(tcp_state(&lab.tcp), which);
                rig_discard_sent(&lab);
                uint8_t frame[128];
                size_t length =
                    make_tcp(&lab, frame, lab.seq + (uint32_t)offsets[i % 5],
                             lab.ack + (uint32_t)offsets[i / 5], (uint8_t)flags, 8192, pattern, i % 3 * 20);
                put16(frame + 52, i % 2 ? 0xFFFF : 0); /* urgent pointer: means nothing to us */
                fix_tcp(frame, length);
                rig_receive(&lab, frame, length);
                assert_true(lab.fake.sent_head - lab.fake.sent_tail <= 1); /* never more than one answer */
                const struct frame *answer = rig_sent(&lab);
                assert_false(answer && (flags & RST) && (answer->bytes[47] & RST));
                if (which > TCP_SYN_RECEIVED && (flags & (SYN | RST)) == SYN) {
                    assert_int_equal(tcp_state(&lab.tcp), which); /* RFC 5961 4 */
                }
                tcp_abort(&lab.tcp);
                rig_poll(&lab);
                assert_int_equal(lab.fake.lent_total, lab.fake.returned_total);
            }
        }
    }
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

static void keep_alive(void **state) /* 3.8.4 */
{
    (void)state;
    tcp_set_timeouts(&lab.tcp, 0, 20000);
    rig_connect(&lab);
    struct sent_segment probe;
    assert_int_equal(time_to_segment(ACK, &probe, 30000), 20000);
    assert_int_equal(probe.seq, lab.ack - 1);
    assert_int_equal(probe.length, 0);
    ack_from_peer(8192); /* alive */
    assert_int_equal(time_to_segment(ACK, NULL, 30000), 20000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(time_to_segment(ACK, NULL, 30000), 5000);
    }
    rig_run(&lab, 4999);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    rig_run(&lab, 1);
    expect_closed(NET_ERROR_TIMEOUT);
}

static void keep_alive_is_answered(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq - 1, lab.ack, ACK, 8192, NULL, 0);
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    rig_segment(&lab, lab.seq - 1, lab.ack, ACK, 8192, "g", 1); /* with a garbage byte, as old stacks do */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    rig_expect_health(&lab);
}

static void idle_connection_sleeps(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_expect_health(&lab);
    rig_run(&lab, 1000);
    assert_true(net_wait_ms(&lab.net, lab.now) > 60000);
}

static void short_loss_of_the_link(void **state)
{
    (void)state;
    rig_connect(&lab);
    net_link(&lab.net, false, lab.now);
    rig_write(&lab, pattern, 100);
    rig_run(&lab, 50000);
    rig_nothing_sent(&lab);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    net_link(&lab.net, true, lab.now);
    rig_poll(&lab);
    rig_resolve(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 100);
    lab.ack += 100;
    ack_from_peer(8192);
    rig_expect_health(&lab);
}

static void long_loss_of_the_link(void **state)
{
    (void)state;
    rig_connect(&lab);
    net_link(&lab.net, false, lab.now);
    rig_write(&lab, pattern, 100);
    rig_run(&lab, TCP_USER_TIMEOUT_MS);
    assert_int_equal(tcp_error(&lab.tcp), NET_ERROR_TIMEOUT);
    net_link(&lab.net, true, lab.now);
    expect_closed(NET_ERROR_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
