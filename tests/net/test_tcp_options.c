/* Window scale and timestamps (RFC 7323), selective acknowledgements sent and reassembly (RFC 2018). */
#include "tcp_case.h"

#include <stdlib.h>
#include <string.h>

static void nothing(void **state) /* so that a build without the features has a test */
{
    (void)state;
}

#if NET_WITH_TCP_WINDOW_SCALE

static void scale_is_offered_and_used(void **state) /* RFC 7323 2.2, 2.3 */
{
    (void)state;
    struct options options = {0};
    add_mss(&options, 1000);
    add_scale(&options, 3);
    struct sent_segment syn = connect_with(&options, 100);
    assert_int_equal(syn.scale, 0); /* 4096 bytes need none, but the peer may use it */
    rig_write(&lab, pattern, 3000);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 100); /* the window of a SYN is never scaled */
    lab.ack += 100;
    ack_from_peer(250); /* 2000 */
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 1000);
    assert_int_equal(rig_expect_segment(&lab, ACK).length, 1000);
    rig_nothing_sent(&lab);
    lab.ack += 2000;
    ack_from_peer(250);
    lab.ack += 900;
    ack_from_peer(250);
}

static void scale_above_14_counts_as_14(void **state) /* RFC 7323 2.3 */
{
    (void)state;
    struct options options = {0};
    add_mss(&options, 1000);
    add_scale(&options, 255);
    connect_with(&options, 100);
    ack_from_peer(1); /* 16384 */
    rig_write(&lab, pattern, 4000);
    for (int i = 0; i < 4; i++) {
        (void)rig_sent(&lab);
    }
    rig_nothing_sent(&lab);
    assert_int_equal(lab.tcp.snd_wnd, 16384);
}

static void scale_unanswered_means_none(void **state) /* RFC 7323 1.3 */
{
    (void)state;
    struct options options = {0};
    add_mss(&options, 1000);
    connect_with(&options, 500);
    ack_from_peer(500);
    assert_int_equal(lab.tcp.snd_wnd, 500);
    add_scale(&options, 7); /* too late: means nothing outside a SYN (2.2) */
    segment_with(&options, lab.seq, lab.ack, ACK, 600, NULL, 0);
    assert_int_equal(lab.tcp.snd_wnd, 600);
    rig_expect_health(&lab);
}

/* A buffer of 200 KB: the right edge never moves back (2.4), all of it can be filled. */
static void large_receive_buffer(void **state)
{
    (void)state;
    rig_close(&lab);
    rig_open(&lab, 4096, 200000, 0);
    struct options options = {0};
    add_mss(&options, 1460);
    add_scale(&options, 0);
    struct sent_segment syn = connect_with(&options, 8192);
    assert_int_equal(syn.scale, 2);
    assert_int_equal(syn.window, 65535);
    rig_write(&lab, "x", 1);
    struct sent_segment out = rig_expect_segment(&lab, ACK | PSH);
    assert_int_equal(out.window, 200000 / 4);
    uint32_t edge = out.ack + out.window * 4U, filled = 0;
    while (filled + 1001 < 200000) {
        rig_segment(&lab, lab.seq + filled, lab.ack + 1, ACK, 8192, pattern, 1001);
        filled += 1001;
        for (const struct frame *frame; (frame = rig_sent(&lab)) != NULL;) {
            uint32_t next = get32(frame->bytes + 42) + get16(frame->bytes + 48) * 4;
            assert_in_range(edge - next, 0, 3); /* rounded down at most */
        }
    }
    const uint8_t *data;
    assert_int_equal(tcp_peek(&lab.tcp, &data), filled);
    tcp_consume(&lab.tcp, filled);
    rig_poll(&lab);
    assert_int_equal(rig_expect_segment(&lab, ACK).window, 200000 / 4);
}

static void large_buffer_without_scale(void **state) /* is used up to what the field can say */
{
    (void)state;
    rig_close(&lab);
    rig_open(&lab, 4096, 100000, 0);
    rig_connect(&lab);
    rig_write(&lab, "x", 1);
    assert_int_equal(rig_expect_segment(&lab, ACK | PSH).window, 65535);
}

#endif

#if NET_WITH_TCP_TIMESTAMPS

static uint32_t ours, theirs; /* last timestamp seen, last sent */

static void connect_with_timestamps(void)
{
    struct options options = {0};
    add_mss(&options, 1000);
    add_timestamps(&options, theirs = 0xFFFFFFF0, 0); /* wraps early */
    struct sent_segment syn = connect_with(&options, 8192);
    assert_true(syn.timestamps);
    assert_int_equal(syn.echo, 0);
    ours = syn.timestamp;
}

static void stamped(uint32_t seq, uint8_t flags, uint32_t timestamp, uint32_t echo, const void *data,
                    size_t length)
{
    struct options options = {0};
    add_timestamps(&options, timestamp, echo);
    segment_with(&options, seq, lab.ack, flags, 8192, data, length);
}

static void timestamps_in_every_segment(void **state) /* RFC 7323 3.2, 4.3; RFC 6691 */
{
    (void)state;
    connect_with_timestamps();
    rig_advance(&lab, 10);
    rig_write(&lab, pattern, 1976);
    struct sent_segment out = rig_expect_segment(&lab, ACK);
    assert_int_equal(out.length, 988);
    assert_int_equal(out.timestamp, ours + 10); /* a millisecond each */
    assert_int_equal(out.echo, theirs);
    (void)rig_sent(&lab);
    lab.ack += 1976;
    stamped(lab.seq, ACK, theirs + 5, ours + 10, pattern, 50);
    rig_expect_read(&lab, pattern, 50);
    stamped(lab.seq + 50, ACK, theirs + 7, ours + 10, pattern, 50);
    rig_expect_read(&lab, pattern, 50);
    out = rig_expect_segment(&lab, ACK);
    assert_int_equal(out.ack, lab.seq + 100);
    assert_int_equal(out.echo, theirs + 5); /* delayed ACK: of the first that it answers (4.3) */
    tcp_abort(&lab.tcp);
    assert_true(rig_expect_segment(&lab, RST | ACK).timestamps);
}

static void different_peers_see_different_clocks(void **state) /* RFC 7323 7.1 */
{
    (void)state;
    connect_with_timestamps();
    uint32_t first = lab.tcp.timestamp_offset;
    lab.tcp.remote_address = PEER;
    tcp_abort(&lab.tcp);
    rig_discard_sent(&lab);
    connect_with_timestamps();
    assert_int_equal(lab.tcp.timestamp_offset, first); /* the same for the same: grows from one to the next */
    assert_int_not_equal(first, 0);
}

static void old_duplicates_are_dropped(void **state) /* PAWS: RFC 7323 5.3 R1 */
{
    (void)state;
    connect_with_timestamps();
    stamped(lab.seq, ACK, theirs - 1, ours, pattern, 50);
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq); /* answered with an ACK, not taken */
    rig_expect_read(&lab, NULL, 0);
    stamped(lab.seq, RST, theirs - 1, ours, NULL,
            0); /* a reset is judged by its sequence number alone (5.2) */
    assert_int_equal(tcp_error(&lab.tcp), NET_ERROR_RESET);
}

static void without_the_option_nothing_is_taken(void **state) /* RFC 7323 3.2 */
{
    (void)state;
    connect_with_timestamps();
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 50);
    rig_expect_read(&lab, NULL, 0);
    rig_nothing_sent(&lab);
    stamped(lab.seq, ACK, theirs, ours, pattern, 50);
    rig_expect_read(&lab, pattern, 50);
}

static void a_long_rest_makes_ts_recent_invalid(void **state) /* RFC 7323 5.5 */
{
    (void)state;
    connect_with_timestamps();
    for (int days = 0; days < 25; days++) {
        rig_advance(&lab, 86400000);
    }
    rig_discard_sent(&lab);
    if (lab.net.neighbours[0].state != NEIGHBOUR_REACHABLE) {
        lab.net.neighbours[0].state = NEIGHBOUR_REACHABLE;
    }
    stamped(lab.seq, ACK, theirs - 1000, ours, pattern, 50);
    rig_expect_read(&lab, pattern, 50);
}

#if NET_WITH_TCP_REASSEMBLY
/* A timestamp of data not in order is not remembered: the echo must not shorten the round trip (4.3). */
static void holes_do_not_move_ts_recent(void **state)
{
    (void)state;
    connect_with_timestamps();
    stamped(lab.seq + 50, ACK, theirs + 9, ours, pattern + 50, 50);
    assert_int_equal(rig_expect_segment(&lab, ACK).echo, theirs);
    stamped(lab.seq, ACK, theirs + 10, ours, pattern, 50);
    struct sent_segment out = rig_expect_segment(&lab, ACK);
    assert_int_equal(out.ack, lab.seq + 100);
    assert_int_equal(out.echo, theirs + 10);
}
#endif

/* RFC 7323 4.1 in place of Karn's rule: the copy that was answered gives the sample. */
static void retransmissions_are_timed(void **state)
{
    (void)state;
    connect_with_timestamps();
    rig_write(&lab, pattern, 100);
    rig_expect_segment(&lab, ACK | PSH);
    struct sent_segment again;
    assert_int_equal(time_to_segment(ACK | PSH, &again, 5000), 1000);
    rig_advance(&lab, 1500);
    rig_discard_sent(&lab);
    lab.ack += 100;
    stamped(lab.seq, ACK, theirs, again.timestamp, NULL, 0); /* 1500 ms after that copy */
    assert_int_equal(lab.tcp.srtt8 / 8, 1500); /* the first sample, for the SYN-ACK echoed nothing */
    assert_int_equal(lab.tcp.rto_ms, 4500);
}

/* The answer to the first copy may have been lost: its echo tells nothing. Nor does one from the future. */
static void echoes_that_tell_nothing(void **state)
{
    (void)state;
    connect_with_timestamps();
    uint32_t srtt8 = lab.tcp.srtt8;
    rig_write(&lab, pattern, 100);
    uint32_t first = rig_expect_segment(&lab, ACK | PSH).timestamp;
    time_to_segment(ACK | PSH, NULL, 5000);
    lab.ack += 100;
    stamped(lab.seq, ACK, theirs, first, NULL, 0);
    assert_int_equal(lab.tcp.srtt8, srtt8);
    rig_write(&lab, pattern, 100);
    rig_expect_segment(&lab, ACK | PSH);
    lab.ack += 100;
    stamped(lab.seq, ACK, theirs, first + 100000, NULL, 0);
    assert_int_equal(lab.tcp.srtt8, srtt8);
}

#endif

#if NET_WITH_TCP_REASSEMBLY

/* All orders of six pieces, some of which overlap: the same bytes, once. */
static void pieces_in_any_order(void **state)
{
    (void)state;
    static const struct {
        uint32_t from, to;
    } pieces[6] = {{0, 100}, {100, 150}, {120, 300}, {300, 301}, {250, 420}, {420, 1000}};
    for (unsigned permutation = 0; permutation < 720; permutation++) {
        unsigned left[6] = {0, 1, 2, 3, 4, 5}, code = permutation;
        rig_connect(&lab);
        for (unsigned n = 6; n > 0; n--) {
            unsigned pick = code % n;
            code /= n;
            unsigned i = left[pick];
            left[pick] = left[n - 1];
            rig_segment(&lab, lab.seq + pieces[i].from, lab.ack, ACK, 8192, pattern + pieces[i].from,
                        pieces[i].to - pieces[i].from);
        }
        rig_expect_read(&lab, pattern, 1000);
        assert_int_equal(lab.tcp.kept_count, 0);
        tcp_abort(&lab.tcp);
        rig_discard_sent(&lab);
    }
}

/* What is unread lies before what is kept; both move together, and the buffer can be filled to its last byte.
 */
static void kept_data_move_with_the_unread(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 1000);
    rig_poll(&lab);
    const uint8_t *data;
    assert_int_equal(tcp_peek(&lab.tcp, &data), 1000);
    tcp_consume(&lab.tcp, 900);
    rig_segment(&lab, lab.seq + 1100, lab.ack, ACK, 8192, pattern + 1100, 1000);
    uint32_t edge = lab.tcp.rcv_adv - lab.seq; /* of the window, at which the next one is cut */
    rig_segment(&lab, lab.seq + 3500, lab.ack, ACK, 8192, pattern + 3500, 1460);
    assert_int_equal(lab.tcp.kept_count, 2);
    rig_segment(&lab, lab.seq + 2100, lab.ack, ACK, 8192, pattern + 2100, 1400);
    assert_int_equal(lab.tcp.kept_count, 1);
    rig_segment(&lab, lab.seq + 1000, lab.ack, ACK, 8192, pattern + 1000, 100);
    assert_int_equal(lab.tcp.kept_count, 0);
    assert_in_range(edge, 4096, 4096 + 900);
    rig_expect_read(&lab, pattern + 900, (edge < 4960 ? edge : 4960) - 900);
}

static void too_many_holes(void **state) /* are left for the peer to fill; nothing of what is kept is lost */
{
    (void)state;
    rig_connect(&lab);
    for (uint32_t at = 50; at < 2000; at += 100) {
        rig_segment(&lab, lab.seq + at, lab.ack, ACK, 8192, pattern + at, 50);
    }
    assert_int_equal(lab.tcp.kept_count, TCP_RANGES);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 50 + 100 * (TCP_RANGES - 1));
    rig_expect_read(&lab, pattern, 100 * TCP_RANGES);
    lab.seq += 100 * TCP_RANGES;
    rig_expect_health(&lab);
}

static void fin_behind_a_hole_waits(void **state)
{
    (void)state;
    for (unsigned bare = 0; bare < 2; bare++) { /* with data, or all by itself */
        rig_connect(&lab);
        uint32_t end = lab.seq + 100;
        rig_segment(&lab, end - 50, lab.ack, bare ? ACK : ACK | FIN, 8192, pattern + 50, 50);
        rig_segment(&lab, end, lab.ack, ACK | FIN, 8192, NULL, 0);
        assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
        rig_discard_sent(&lab);
        rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 50);
        assert_int_equal(rig_expect_segment(&lab, ACK).ack, end + 1);
        assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSE_WAIT);
        rig_expect_read(&lab, pattern, 100);
        tcp_abort(&lab.tcp);
        rig_discard_sent(&lab);
    }
}

static void fin_that_comes_twice_counts_once(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq + 100, lab.ack, ACK | FIN, 8192, NULL, 0);
    rig_discard_sent(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK | FIN, 8192, pattern, 100); /* all of it again */
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq + 101);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSE_WAIT);
    rig_expect_read(&lab, pattern, 100);
}

static void the_end_forgets_what_is_kept(void **state)
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
    rig_segment(&lab, lab.seq + 200, lab.ack, ACK, 8192, pattern, 100);
    rig_segment(&lab, lab.seq + 100, lab.ack, RST, 0, NULL, 0);
    rig_expect_read(&lab, pattern, 100);
    assert_int_equal(lab.tcp.kept_count, 0);
    expect_closed(NET_ERROR_RESET);
}

#endif

#if NET_WITH_TCP_SACK

static void connect_with_sack(void)
{
    struct options options = {0};
    add_mss(&options, 1000);
    add_sack_permitted(&options);
    struct sent_segment syn = connect_with(&options, 8192);
    assert_true(syn.sack_permitted);
}

static struct sent_segment data_at(uint32_t offset, uint32_t length)
{
    rig_segment(&lab, lab.seq + offset, lab.ack, ACK, 8192, pattern + offset, length);
    return rig_expect_segment(&lab, ACK);
}

static void expect_block(const struct sent_segment *ack, unsigned i, uint32_t from, uint32_t to)
{
    assert_true(i < ack->sack_blocks);
    assert_int_equal(ack->sack[i][0] - lab.seq, from);
    assert_int_equal(ack->sack[i][1] - lab.seq, to);
}

static void blocks_name_the_latest_first(void **state) /* RFC 2018 4 */
{
    (void)state;
    connect_with_sack();
    struct sent_segment ack = data_at(100, 100);
    expect_block(&ack, 0, 100, 200);
    ack = data_at(500, 100);
    expect_block(&ack, 0, 500, 600);
    expect_block(&ack, 1, 100, 200);
    ack = data_at(300, 100);
    ack = data_at(700, 100);
    ack = data_at(900, 100);
    assert_int_equal(ack.sack_blocks, 4);
    expect_block(&ack, 0, 900, 1000);
    expect_block(&ack, 1, 700, 800);
    expect_block(&ack, 2, 300, 400);
    expect_block(&ack, 3, 500, 600);
    ack = data_at(200, 100);
    expect_block(&ack, 0, 100, 400); /* what it has grown together with */
    ack = data_at(0, 100);
    assert_int_equal(ack.ack, lab.seq + 400);
    expect_block(&ack, 0, 900, 1000);
    assert_int_equal(ack.sack_blocks, 3);
}

static void blocks_take_room_from_data(void **state)
{
    (void)state;
    connect_with_sack();
    data_at(100, 100);
    rig_write(&lab, pattern, 1000);
    struct sent_segment out = rig_expect_segment(&lab, ACK);
    assert_int_equal(out.length + out.options, 1000);
    assert_int_equal(out.sack_blocks, 1);
}

static void not_permitted_not_sent(void **state) /* RFC 2018 2 */
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq + 100, lab.ack, ACK, 8192, pattern, 100);
    assert_int_equal(rig_expect_segment(&lab, ACK).sack_blocks, 0);
}

static void offers_can_be_withheld(void **state)
{
    (void)state;
    tcp_set_options(&lab.tcp, 0);
    struct options options = {0};
    add_mss(&options, 1000);
    add_sack_permitted(&options);
    add_scale(&options, 3);
    add_timestamps(&options, 1, 2);
    struct sent_segment syn = connect_with(&options, 8192);
    assert_int_equal(syn.options, 4);
    rig_expect_health(&lab);
}

/* SYN of a simultaneous open: our SYN-ACK has what both have offered, and nothing else (RFC 7323 1.3). */
static void options_of_a_simultaneous_open(void **state)
{
    (void)state;
    begin_connect();
    struct options options = {0};
    add_mss(&options, 700);
    add_sack_permitted(&options);
    segment_with(&options, lab.seq++, 0, SYN, 8192, NULL, 0);
    struct sent_segment answer = rig_expect_segment(&lab, SYN | ACK);
    assert_true(answer.sack_permitted);
    assert_false(answer.timestamps);
    assert_int_equal(answer.scale, -1);
    assert_int_equal(answer.mss, 1460);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing),
#if NET_WITH_TCP_WINDOW_SCALE
        TEST(scale_is_offered_and_used),
        TEST(scale_above_14_counts_as_14),
        TEST(scale_unanswered_means_none),
        TEST(large_receive_buffer),
        TEST(large_buffer_without_scale),
#endif
#if NET_WITH_TCP_TIMESTAMPS
        TEST(timestamps_in_every_segment),
        TEST(different_peers_see_different_clocks),
        TEST(old_duplicates_are_dropped),
        TEST(without_the_option_nothing_is_taken),
        TEST(a_long_rest_makes_ts_recent_invalid),
#if NET_WITH_TCP_REASSEMBLY
        TEST(holes_do_not_move_ts_recent),
#endif
        TEST(retransmissions_are_timed),
        TEST(echoes_that_tell_nothing),
#endif
#if NET_WITH_TCP_REASSEMBLY
        TEST(pieces_in_any_order),
        TEST(kept_data_move_with_the_unread),
        TEST(too_many_holes),
        TEST(fin_behind_a_hole_waits),
        TEST(fin_that_comes_twice_counts_once),
        TEST(the_end_forgets_what_is_kept),
#endif
#if NET_WITH_TCP_SACK
        TEST(blocks_name_the_latest_first),
        TEST(blocks_take_room_from_data),
        TEST(not_permitted_not_sent),
        TEST(offers_can_be_withheld),
        TEST(options_of_a_simultaneous_open),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
