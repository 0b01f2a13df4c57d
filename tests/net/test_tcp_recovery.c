/* Recovery from losses and congestion control: RFC 3042, 5681, 6582, 6675, 6928, 9438, and Nagle's algorithm.
 */
#include "net/internal.h"
#include "tcp_case.h"

#include <string.h>

enum { MSS = 128, WINDOW = 60000 };

/* Twenty segments of which the first ten go out at once (RFC 6928). */
static void send_twenty(void)
{
    static uint8_t data[20 * MSS];
    rig_write(&lab, data, sizeof data);
    while (net_poll(&lab.net, lab.now)) {
    }
}

static void expect_at(uint32_t segment)
{
    const struct frame *frame = rig_sent(&lab);
    assert_non_null(frame);
    assert_int_equal(get32(frame->bytes + 38) - lab.ack, segment * MSS);
    assert_int_equal(frame->bytes[47] & ~PSH, ACK);
}

static void expect_from_to(uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i <= last; i++) {
        expect_at(i);
    }
    rig_nothing_sent(&lab);
}

static void ack_segments(uint32_t count) /* relative to the first ones */
{
    rig_segment(&lab, lab.seq, lab.ack + count * MSS, ACK, WINDOW, NULL, 0);
}

static void initial_window(void **state) /* RFC 6928 2 */
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    send_twenty();
    expect_from_to(0, 9);
    ack_segments(2); /* slow start: a segment for each acknowledgement */
    expect_from_to(10, 12);
}

static void initial_window_after_a_lost_syn(void **state) /* RFC 5681 3.1 */
{
    (void)state;
    begin_connect();
    time_to_segment(SYN, NULL, 2000);
    rig_segment(&lab, lab.seq++, lab.ack, SYN | ACK, WINDOW, NULL, 0);
    rig_expect_segment(&lab, ACK);
    rig_write(&lab, pattern, 2000);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 536);
    rig_nothing_sent(&lab);
}

/* RFC 5681 3.1: a timeout leaves one segment, and half of what was on its way as the threshold. */
static void after_a_timeout(void **state)
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    send_twenty();
    expect_from_to(0, 9);
    rig_advance(&lab, 1000);
    expect_from_to(0, 0);
    assert_int_equal(lab.tcp.ssthresh, 5 * MSS);
    ack_segments(1);
    expect_from_to(1, 2);
    ack_segments(3);
    expect_from_to(3, 5);
}

/* RFC 6582 3.2 step 1: duplicates for what a timeout has sent twice begin no recovery. */
static void duplicates_after_a_timeout(void **state)
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    send_twenty();
    expect_from_to(0, 9);
    rig_advance(&lab, 1000);
    expect_from_to(0, 0);
    ack_segments(1);
    rig_discard_sent(&lab);
    for (int i = 0; i < 5; i++) {
        ack_segments(1);
    }
    assert_false(lab.tcp.flags & TCP_RECOVERY);
    assert_int_equal(lab.tcp.ssthresh, 5 * MSS);
}

/* The same after more than 2 GB without a loss: `recover` is not what lies ahead then. */
static void recover_is_long_past(void **state)
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    lab.tcp.recover = lab.tcp.snd_una - 0x80000001U;
    send_twenty();
    expect_from_to(0, 9);
    for (int i = 0; i < 3; i++) {
        ack_segments(0);
    }
    assert_true(lab.tcp.flags & TCP_RECOVERY);
    rig_discard_sent(&lab);
}

/* A device that refuses: the fast retransmit goes out once, as soon as it takes frames again. */
static void no_room_for_a_fast_retransmit(void **state)
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    rig_write(&lab, pattern, 8 * MSS);
    rig_discard_sent(&lab);
    lab.fake.full = true;
    for (int i = 0; i < 3; i++) {
        ack_segments(0);
    }
    rig_run(&lab, 300);
    rig_nothing_sent(&lab);
    lab.fake.full = false;
    rig_run(&lab, 1);
    expect_from_to(0, 0);
    rig_run(&lab, 500);
    rig_nothing_sent(&lab);
    ack_segments(8);
    assert_int_equal(tcp_queued(&lab.tcp), 0);
    lab.ack += 8 * MSS;
    rig_expect_health(&lab);
}

#if NET_WITH_TCP_CONGESTION

static void limited_transmit(void **state) /* RFC 3042 */
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    send_twenty();
    expect_from_to(0, 9);
    ack_segments(0);
    expect_from_to(10, 10);
    ack_segments(0);
    expect_from_to(11, 11);
    ack_segments(0); /* the third: fast retransmit */
    expect_from_to(0, 0);
    assert_int_equal(lab.tcp.ssthresh, 6 * MSS);
}

static void new_reno_inflates_and_deflates(void **state) /* RFC 6582 3.2 */
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    send_twenty();
    expect_from_to(0, 9);
    for (int i = 0; i < 3; i++) {
        ack_segments(0);
    }
    rig_discard_sent(&lab);                  /* 10, 11, and 0 again */
    assert_int_equal(lab.tcp.cwnd, 9 * MSS); /* 6 and 3 */
    for (int i = 0; i < 3; i++) {
        ack_segments(0);
        rig_nothing_sent(&lab);
    }
    ack_segments(0);
    expect_from_to(12, 12);
    ack_segments(4); /* partial: the next hole at once, and the window shrinks by what was acknowledged */
    expect_at(4);
    rig_discard_sent(&lab);
    assert_true(lab.tcp.flags & TCP_RECOVERY);
    ack_segments(12);
    assert_false(lab.tcp.flags & TCP_RECOVERY);
    assert_int_equal(lab.tcp.cwnd,
                     3 * MSS); /* 12 and 13 are on their way: min(ssthresh, max(flight, SMSS) + SMSS) */
}

static void restart_after_idleness(void **state) /* RFC 5681 4.1 */
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    for (int i = 0; i < 4; i++) {
        send_twenty();
        while (tcp_queued(&lab.tcp)) {
            lab.ack = lab.tcp.snd_max;
            rig_discard_sent(&lab);
            ack_segments(0);
        }
    }
    assert_true(lab.tcp.cwnd > 10 * MSS);
    rig_advance(&lab, 5000);
    send_twenty();
    expect_from_to(0, 9);
}

/* RFC 9438 5.8: what the application does not use is no proof that the path bears it. */
static void an_unused_window_does_not_grow(void **state)
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    for (int i = 0; i < 50; i++) {
        rig_write(&lab, pattern, MSS);
        expect_from_to(0, 0);
        lab.ack += MSS;
        ack_segments(0);
    }
    assert_int_equal(lab.tcp.cwnd, 10 * MSS);
}

/* ---- CUBIC: the figures of RFC 9438 5.1 ---- */

static void cubic_loses_three_tenths(void **state) /* 4.6 */
{
    (void)state;
    tcp_set_congestion_control(&lab.tcp, TCP_CUBIC);
    rig_establish_mss(&lab, MSS, WINDOW);
    send_twenty();
    for (int i = 0; i < 3; i++) {
        ack_segments(0);
    }
    assert_int_equal(lab.tcp.ssthresh, 12 * MSS / 10 * 7);
    assert_int_equal(lab.tcp.cubic.w_max, 10 * MSS);
    rig_discard_sent(&lab);
}

/*
 * From a loss at 100 segments on, acknowledged every 200 ms (Reno's window stays smaller): back at 100 after
 * K = cbrt(30 / 0.4) = 4.2 s, flat around it, and convex after it.
 */
static void cubic_follows_its_curve(void **state) /* 4.2, 4.4, 4.5 */
{
    (void)state;
    if (!NET_WITH_TCP_WINDOW_SCALE) {
        return; /* no window is large enough */
    }
    tcp_set_congestion_control(&lab.tcp, TCP_CUBIC);
    rig_establish_mss(&lab, 1000, WINDOW);
    struct tcp_socket *s = &lab.tcp;
    s->ssthresh = s->cwnd = 70000;
    s->cubic.w_max = s->cubic.prior = 100000;
    s->srtt8 = 0;
    uint32_t at[50], first = lab.net.now_ms;
    s->snd_max = s->snd_una + 200000; /* the window is in use */
    for (unsigned i = 0; i < 50; i++) {
        for (uint32_t acked = 0; acked < s->cwnd; acked += 1000) {
            tcp_forward_ack(s, s->snd_una, 1000);
        }
        at[i] = s->cwnd;
        lab.net.now_ms += 200;
    }
    lab.net.now_ms = first;
    s->snd_max = s->snd_una;
    assert_in_range(s->cubic.k, 42 * 1024 / 10 - 20, 42 * 1024 / 10 + 60);
    assert_in_range(at[5], 84000, 88500);    /* 1 s: 100 - 0.4 * 3.2^3 = 87 */
    assert_in_range(at[21], 98000, 101000);  /* K */
    assert_in_range(at[31], 99500, 105000);  /* 2 s later: 103 */
    assert_in_range(at[46], 140000, 155000); /* 5 s later: 150 */
}

static void cubic_is_no_worse_than_reno(void **state) /* 4.3: on short paths */
{
    (void)state;
    tcp_set_congestion_control(&lab.tcp, TCP_CUBIC);
    rig_establish_mss(&lab, 1000, WINDOW);
    struct tcp_socket *s = &lab.tcp;
    s->ssthresh = s->cwnd = 7000;
    s->cubic.w_max = s->cubic.prior = 10000;
    s->snd_max = s->snd_una + 200000;
    uint32_t first = lab.net.now_ms;
    for (unsigned round = 0; round < 100; round++) { /* of 5 ms: half a second */
        for (uint32_t acked = 0; acked < s->cwnd; acked += 1000) {
            tcp_forward_ack(s, s->snd_una, 1000);
        }
        lab.net.now_ms += 5;
    }
    lab.net.now_ms = first;
    s->snd_max = s->snd_una;
    assert_in_range(s->cwnd, 50000, 110000); /* some 0.5 to 1 segments a round */
}

#endif

#if NET_WITH_TCP_SACK

static void connect_with_sack(void)
{
    struct options options = {0};
    add_mss(&options, MSS);
    add_sack_permitted(&options);
    tcp_set_options(&lab.tcp, TCP_OFFER_SACK);
    connect_with(&options, WINDOW);
}

/* Acknowledges `count` segments and tells that those from `first` up to `last` have come. */
static void sack_segments(uint32_t count, uint32_t first, uint32_t last)
{
    struct options options = {0};
    add_sack(&options, lab.ack + first * MSS, lab.ack + (last + 1) * MSS);
    segment_with(&options, lab.seq, lab.ack + count * MSS, ACK, WINDOW, NULL, 0);
}

static void only_the_holes_are_sent_again(void **state) /* RFC 6675 5 */
{
    (void)state;
    connect_with_sack();
    send_twenty();
    expect_from_to(0, 9);
    sack_segments(0, 1, 1);
    expect_from_to(10, 10); /* limited transmit */
    sack_segments(0, 3, 3);
    expect_from_to(11, 11);
    sack_segments(0, 5, 5); /* the third duplicate: 0 is lost; pipe 12 - 3 - 1, window 6 */
    expect_from_to(0, 0);
    assert_int_equal(lab.tcp.cwnd, 6 * MSS);
    sack_segments(0, 7, 9); /* 2 and 4 are lost too now, 6 for lack of three above it is not */
    sack_segments(0, 10, 11);
    expect_at(2);
    expect_at(4);
    rig_discard_sent(&lab);
    sack_segments(6, 7, 11);
    assert_true(lab.tcp.flags & TCP_RECOVERY);
    for (const struct frame *frame; (frame = rig_sent(&lab)) != NULL;) {
        uint32_t segment = (get32(frame->bytes + 38) - lab.ack) / MSS;
        assert_true(segment == 6 || segment >= 12); /* nothing that the peer has */
    }
    ack_segments(12);
    assert_false(lab.tcp.flags & TCP_RECOVERY);
}

static void loss_is_known_from_the_bytes(void **state) /* RFC 6675 4: IsLost, before the third duplicate */
{
    (void)state;
    connect_with_sack();
    send_twenty();
    expect_from_to(0, 9);
    sack_segments(0, 1, 3);
    expect_at(0);
    rig_discard_sent(&lab);
    assert_true(lab.tcp.flags & TCP_RECOVERY);
}

static void the_same_blocks_again_say_nothing(void **state) /* RFC 6675 2 */
{
    (void)state;
    connect_with_sack();
    send_twenty();
    expect_from_to(0, 9);
    sack_segments(0, 2, 2);
    rig_discard_sent(&lab);
    for (int i = 0; i < 5; i++) {
        sack_segments(0, 2, 2);
    }
    rig_nothing_sent(&lab);
    assert_false(lab.tcp.flags & TCP_RECOVERY);
}

static void impossible_blocks_are_ignored(void **state)
{
    (void)state;
    connect_with_sack();
    send_twenty();
    expect_from_to(0, 9);
    sack_segments(0, 5, 100);           /* beyond what was sent */
    sack_segments(0, 0, 3);             /* which the ACK would have said */
    sack_segments(0, (uint32_t)-50, 3); /* long acknowledged */
    sack_segments(0, 5, 3);             /* backwards */
    sack_segments(0, 4, 3);             /* empty */
    sack_segments(0, 0x1000000, 0x1000001);
    assert_int_equal(lab.tcp.sacked_count, 0);
    rig_nothing_sent(&lab);
    ack_segments(10);
    rig_discard_sent(&lab);
}

/* RFC 2018 8: the peer may throw away what it has kept; a timeout forgets what it told. */
static void reneging(void **state)
{
    (void)state;
    connect_with_sack();
    send_twenty();
    expect_from_to(0, 9);
    sack_segments(0, 4, 9);
    expect_at(0);
    rig_discard_sent(&lab);
    rig_advance(&lab, 1000);
    assert_int_equal(lab.tcp.sacked_count, 0);
    rig_discard_sent(&lab);
    ack_segments(1); /* without any blocks: from there on everything */
    expect_at(1);
    expect_at(2);
    rig_discard_sent(&lab);
    ack_segments(3);
    expect_at(3);
    expect_at(4);
    rig_discard_sent(&lab);
}

static void after_a_timeout_what_is_kept_is_skipped(void **state)
{
    (void)state;
    connect_with_sack();
    send_twenty();
    expect_from_to(0, 9);
    rig_advance(&lab, 1000);
    expect_from_to(0, 0);
    sack_segments(2, 4, 6);
    expect_from_to(2, 3);
    sack_segments(3, 4, 6);
    expect_from_to(7, 8);
}

static void rescue(void **state) /* RFC 6675 4, NextSeg rule 4 */
{
    (void)state;
    connect_with_sack();
    rig_write(&lab, pattern, 10 * MSS);
    rig_poll(&lab);
    expect_from_to(0, 9);
    sack_segments(0, 1, 4); /* 0 is lost, and perhaps 9 too: nobody will say */
    expect_from_to(0, 0);
    sack_segments(0, 1, 6);
    expect_from_to(9, 9);
    sack_segments(0, 1, 7); /* once */
    rig_nothing_sent(&lab);
    ack_segments(10);
}

#endif

#if NET_WITH_TCP_NAGLE

static void nagle(void **state) /* 3.7.4 */
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    rig_write(&lab, pattern, 10); /* nothing is unacknowledged */
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 10);
    rig_write(&lab, pattern, 20);
    rig_write(&lab, pattern, 30);
    rig_nothing_sent(&lab);
    rig_write(&lab, pattern, 88); /* a full segment goes, the rest waits */
    assert_int_equal(rig_expect_segment(&lab, ACK).length, MSS);
    rig_nothing_sent(&lab);
    lab.ack += 10 + MSS;
    ack_from_peer(WINDOW);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 10);
    lab.ack += 10;
    ack_from_peer(WINDOW);
    rig_expect_health(&lab);
}

static void nagle_can_be_turned_off(void **state)
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    rig_write(&lab, pattern, 10);
    rig_expect_segment(&lab, ACK | PSH);
    rig_write(&lab, pattern, 20);
    rig_nothing_sent(&lab);
    tcp_set_nagle(&lab.tcp, false);
    rig_poll(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 20);
    rig_write(&lab, pattern, 20);
    rig_expect_segment(&lab, ACK | PSH);
}

static void nagle_lets_the_ring_wrap(void **state) /* what the wrap cuts off goes out with the rest */
{
    (void)state;
    rig_establish_mss(&lab, 1460, WINDOW);
    tcp_set_nagle(&lab.tcp, false);
    rig_write(&lab, pattern, 4090);
    rig_discard_sent(&lab);
    lab.ack += 4090;
    ack_from_peer(WINDOW);
    assert_int_equal(tcp_queued(&lab.tcp), 0);
    tcp_set_nagle(&lab.tcp, true);
    rig_write(&lab, pattern, 50);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 6);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).length, 44);
}

static void nagle_does_not_hold_the_end(void **state)
{
    (void)state;
    rig_establish_mss(&lab, MSS, WINDOW);
    rig_write(&lab, pattern, 10);
    rig_expect_segment(&lab, ACK | PSH);
    rig_write(&lab, pattern, 20);
    tcp_close(&lab.tcp);
    rig_poll(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH | FIN).length, 20);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(initial_window),
        TEST(initial_window_after_a_lost_syn),
        TEST(after_a_timeout),
        TEST(duplicates_after_a_timeout),
        TEST(recover_is_long_past),
        TEST(no_room_for_a_fast_retransmit),
#if NET_WITH_TCP_CONGESTION
        TEST(limited_transmit),
        TEST(new_reno_inflates_and_deflates),
        TEST(restart_after_idleness),
        TEST(an_unused_window_does_not_grow),
        TEST(cubic_loses_three_tenths),
        TEST(cubic_follows_its_curve),
        TEST(cubic_is_no_worse_than_reno),
#endif
#if NET_WITH_TCP_SACK
        TEST(only_the_holes_are_sent_again),
        TEST(loss_is_known_from_the_bytes),
        TEST(the_same_blocks_again_say_nothing),
        TEST(impossible_blocks_are_ignored),
        TEST(reneging),
        TEST(after_a_timeout_what_is_kept_is_skipped),
        TEST(rescue),
#endif
#if NET_WITH_TCP_NAGLE
        TEST(nagle),
        TEST(nagle_can_be_turned_off),
        TEST(nagle_lets_the_ring_wrap),
        TEST(nagle_does_not_hold_the_end),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
