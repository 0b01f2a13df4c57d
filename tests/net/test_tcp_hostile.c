/*
 * Hostile segments, by class. The judgement after each: no frame is lost, a ping and a round trip over TCP
 * work (rig_expect_health), and what the peer in its right has sent is what is read.
 */
#include "tcp_case.h"

#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

static uint32_t random32(void)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(random_state >> 33) ^ (uint32_t)(random_state >> 11);
}

/* Once no acknowledgement is owed any more. */
static void expect_health(void)
{
    rig_advance(&lab, 50);
    rig_expect_health(&lab);
}

static void connect_with_all(void)
{
    struct options options = {0};
    add_mss(&options, 1460);
    add_sack_permitted(&options);
    add_scale(&options, 2);
    connect_with(&options, 8192);
}

/* ---- Header and options ---- */

static const struct {
    const char *name;
    uint8_t bytes[12];
    bool unknown_without_options; /* well-formed to a build that knows none but the MSS */
} bad_options[] = {
    {"MSS of length 0", {2, 4, 0, 0, 2, 0, 0, 0}, false},
    {"MSS of length 2", {2, 2, 5, 180}, false},
    {"MSS of length 5", {2, 5, 5, 180, 0}, false},
    {"MSS cut off", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4}, false},
    {"unknown kind of length 0", {254, 0}, false},
    {"unknown kind of length 1", {254, 1}, false},
    {"unknown kind beyond the header", {254, 13}, false},
    {"kind at the very end", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 254}, false},
    {"scale of length 2", {3, 2}, true},
    {"scale of length 4", {3, 4, 1, 1}, true},
    {"SACK permitted of length 3", {4, 3, 0}, true},
    {"SACK of no block", {5, 2}, true},
    {"SACK of odd length", {5, 9, 0, 0, 0, 0, 0, 0, 0}, true},
    {"SACK of huge length", {5, 255}, false},
    {"timestamps of length 9", {8, 9, 0, 0, 0, 0, 0, 0, 0}, true},
    {"timestamps of length 12", {8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, true},
};

static size_t with_raw_options(uint8_t *frame, const uint8_t options[12], uint32_t seq, uint8_t flags)
{
    uint8_t all[16];
    memcpy(all, options, 12);
    memcpy(all + 12, "data", 4);
    size_t length = make_tcp(&lab, frame, seq, lab.ack, flags, 8192, all, sizeof all);
    frame[46] = 0x80;
    fix_tcp(frame, length);
    return length;
}

static void options_of_a_segment(void **state)
{
    (void)state;
    connect_with_all();
    for (unsigned i = 0; i < sizeof bad_options / sizeof *bad_options; i++) {
        uint8_t frame[128];
        uint32_t before = net_statistics(&lab.net)->dropped[NET_DROP_TCP];
        rig_receive(&lab, frame, with_raw_options(frame, bad_options[i].bytes, lab.seq, ACK));
        bool taken = !NET_WITH_TCP_OPTIONS && bad_options[i].unknown_without_options;
        if (net_statistics(&lab.net)->dropped[NET_DROP_TCP] != before + !taken) {
            fail_msg("%s", bad_options[i].name);
        }
        rig_expect_read(&lab, "data", taken ? 4 : 0);
        lab.seq += taken ? 4 : 0;
        expect_health();
    }
}

static void options_of_a_syn_ack(void **state)
{
    (void)state;
    begin_connect();
    for (unsigned i = 0; i < sizeof bad_options / sizeof *bad_options; i++) {
        uint8_t frame[128];
        if (NET_WITH_TCP_OPTIONS || !bad_options[i].unknown_without_options) {
            rig_receive(&lab, frame, with_raw_options(frame, bad_options[i].bytes, lab.seq, SYN | ACK));
            assert_int_equal(tcp_state(&lab.tcp), TCP_SYN_SENT);
            rig_nothing_sent(&lab);
        }
    }
    rig_segment(&lab, lab.seq++, lab.ack, SYN | ACK, 8192, NULL, 0);
    rig_expect_segment(&lab, ACK);
    expect_health();
}

/* Any bytes as options, in any length that the header can have: seeded. */
static void options_at_random(void **state)
{
    (void)state;
    connect_with_all();
    random_state = 1;
    for (unsigned run = 0; run < 20000; run++) {
        uint8_t frame[128], options[40];
        size_t length = random32() % 11 * 4;
        for (size_t i = 0; i < length; i++) {
            options[i] = (uint8_t)(random32() % 3 ? random32() % 12 : random32());
        }
        uint32_t seq =
            lab.seq + (random32() % 4 ? 5000 + random32() % 100 : 0); /* mostly out of the window */
        size_t total = make_tcp(&lab, frame, seq, lab.ack, ACK, 8192, options, length);
        frame[46] = (uint8_t)((20 + length) << 2);
        fix_tcp(frame, total);
        rig_receive(&lab, frame, total);
        rig_discard_sent(&lab);
        if (run % 1000 == 0) {
            rig_advance(&lab, 5000); /* the limit on answers */
        }
    }
    rig_advance(&lab, 5000);
    ack_from_peer(2048);
    rig_discard_sent(&lab);
    expect_health();
}

static void checksum_wrong(void **state)
{
    (void)state;
    rig_connect(&lab);
    for (unsigned bit = 0; bit < 24 * 8; bit++) {
        uint8_t frame[128];
        size_t length = make_tcp(&lab, frame, lab.seq, lab.ack, ACK, 8192, "data", 4);
        frame[34 + bit / 8] ^= (uint8_t)(1U << bit % 8);
        rig_receive(&lab, frame, length);
        rig_expect_read(&lab, NULL, 0);
        rig_nothing_sent(&lab);
    }
    expect_health();
}

/* ---- States ---- */

static void urgent_pointer(void **state) /* 0, within, huge: data stay in line (3.8.5) */
{
    (void)state;
    rig_connect(&lab);
    static const uint16_t pointers[] = {0, 1, 3, 4, 65535};
    for (unsigned i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        uint8_t frame[128];
        size_t length = make_tcp(&lab, frame, lab.seq, lab.ack, ACK | URG, 8192, "data", 4);
        put16(frame + 52, pointers[i]);
        fix_tcp(frame, length);
        rig_receive(&lab, frame, length);
        rig_expect_read(&lab, "data", 4);
        lab.seq += 4;
        expect_health();
    }
}

static void half_open_after_the_peer_rebooted(void **state) /* 3.5.1 figure 9: its reset ends ours */
{
    (void)state;
    rig_connect(&lab);
    rig_segment(&lab, 1234, 0, SYN, 8192, NULL, 0); /* knows of nothing */
    struct sent_segment challenge = rig_expect_segment(&lab, ACK);
    assert_int_equal(challenge.ack, lab.seq);
    rig_segment(&lab, challenge.ack, 0, RST, 0, NULL, 0);
    expect_closed(NET_ERROR_RESET);
}

static void overlap_with_different_bytes(void **state) /* what has been read is never changed */
{
    (void)state;
    rig_connect(&lab);
    uint8_t other[300];
    memset(other, 0xEE, sizeof other);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
    rig_poll(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, other, 100);
    rig_segment(&lab, lab.seq + 50, lab.ack, ACK, 8192, other, 100);
    const uint8_t *data;
    assert_int_equal(tcp_peek(&lab.tcp, &data), 150);
    assert_memory_equal(data, pattern, 100);
    assert_memory_equal(data + 100, other, 50);
    tcp_consume(&lab.tcp, 150);
    lab.seq += 150;
    expect_health();
}

static void sequence_numbers_wrap(void **state) /* 3.4, both ways and through everything that counts them */
{
    (void)state;
    connect_with_all();
    uint32_t first = lab.seq;
    for (uint32_t sent = 0; sent < 6000; sent += 100) {
        rig_segment(&lab, lab.seq + 100, lab.ack, ACK, 8192, pattern + 100, 100); /* the second first */
        rig_segment(&lab, lab.seq, lab.ack, ACK, 8192, pattern, 100);
        if (!NET_WITH_TCP_REASSEMBLY) {
            rig_poll(&lab);
            rig_segment(&lab, lab.seq + 100, lab.ack, ACK, 8192, pattern + 100, 100);
        }
        rig_expect_read(&lab, pattern, 200);
        lab.seq += 200;
        rig_poll(&lab);
        rig_discard_sent(&lab);
    }
    assert_true(lab.seq < first);
    expect_health();
}

static void acknowledgement_of_what_was_not_sent(void **state) /* 3.10.7.4 fifth; RFC 5961 5.2 */
{
    (void)state;
    rig_connect(&lab);
    rig_write(&lab, pattern, 100);
    rig_discard_sent(&lab);
    rig_segment(&lab, lab.seq, lab.ack + 101, ACK, 8192, "bad", 3);
    assert_int_equal(rig_expect_segment(&lab, ACK).ack, lab.seq);
    assert_int_equal(tcp_queued(&lab.tcp), 100);
    lab.ack += 100;
    ack_from_peer(8192);
    expect_health();
}

static void optimistic_acknowledgements(void **state) /* each of one byte: no more than a segment for each */
{
    (void)state;
    rig_establish_mss(&lab, 100, 60000);
    rig_write(&lab, pattern, 4000);
    while (net_poll(&lab.net, lab.now)) {
    }
    rig_discard_sent(&lab);
    for (uint32_t i = 1; i < 1000; i++) {
        rig_segment(&lab, lab.seq, lab.ack + i, ACK, 60000, NULL, 0);
        assert_in_range(lab.fake.sent_head - lab.fake.sent_tail, 0, 2);
        rig_discard_sent(&lab);
    }
    assert_in_range(lab.tcp.cwnd, 1000, 1000 + 1000);
}

static void window_opens_by_a_byte(void **state) /* the silly window, offered for a long time: 3.8.6.2.1 */
{
    (void)state;
    rig_establish_mss(&lab, 1000, 1000);
    rig_write(&lab, pattern, 3000);
    rig_expect_segment(&lab, ACK);
    lab.ack += 1000;
    for (int i = 1; i < 100; i++) {
        ack_from_peer((uint16_t)i);
        rig_nothing_sent(&lab);
    }
    struct sent_segment out;
    assert_int_equal(time_to_segment(ACK, &out, 2000), 1000); /* the override: what there is, late */
    assert_in_range(out.length, 1, 99);
    lab.ack += (uint32_t)out.length;
    ack_from_peer(4000);
    rig_discard_sent(&lab);
    lab.ack = lab.tcp.snd_max;
    ack_from_peer(4000);
    rig_discard_sent(&lab);
    lab.ack = lab.tcp.snd_max;
    ack_from_peer(8192);
    expect_health();
}

static void a_war_of_acknowledgements_ends(void **state) /* RFC 5961 7 */
{
    (void)state;
    rig_connect(&lab);
    unsigned answers = 0;
    for (int i = 0; i < 1000; i++) {
        rig_segment(&lab, lab.seq - 1000, lab.ack, ACK, 8192, NULL, 0);
        answers += rig_sent(&lab) != NULL;
    }
    assert_int_equal(answers, 10);
    rig_advance(&lab, 5000);
    expect_health();
}

/* Segments near the window, flags, lengths, options and acknowledgements at random; data are always the same.
 */
static void near_the_window_at_random(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++) {
        random_state = seed;
        rig_close(&lab);
        rig_open(&lab, 4096, 4096, 0);
        connect_with_all();
        uint32_t read = 0, begin = lab.seq;
        for (unsigned run = 0; run < 300 && tcp_state(&lab.tcp) == TCP_ESTABLISHED; run++) {
            uint32_t offset = random32() % 3000, length = random32() % 600;
            struct options options = {0};
            if (random32() % 2) {
                add_sack(&options, lab.ack + random32() % 2000 - 500, lab.ack + random32() % 2000);
            }
            if (random32() % 8 == 0 && tcp_queued(&lab.tcp) < 2000) {
                rig_write(&lab, pattern, 1 + random32() % 500);
            }
            uint32_t acked = random32() % 3 ? 0 : random32() % ((uint32_t)tcp_queued(&lab.tcp) + 1);
            uint32_t una = lab.tcp.snd_una;
            uint8_t flags = random32() % 16 ? ACK : (uint8_t)(random32() & ~(unsigned)(RST | FIN));
            segment_with(&options, begin + read + offset - 1000, una + acked, flags, 2048,
                         pattern + (read + offset + 4096 - 1000) % 4096, length);
            rig_discard_sent(&lab);
            const uint8_t *data;
            size_t unread = tcp_peek(&lab.tcp, &data);
            for (size_t i = 0; i < unread; i++) {
                assert_int_equal(data[i], pattern[(read + i) % 4096]);
            }
            tcp_consume(&lab.tcp, unread);
            read += (uint32_t)unread;
            rig_advance(&lab, random32() % 20 ? 0 : 1500);
            rig_discard_sent(&lab);
        }
        tcp_abort(&lab.tcp);
        rig_poll(&lab);
        assert_int_equal(lab.fake.lent_total, lab.fake.returned_total);
        rig_discard_sent(&lab);
    }
    expect_health();
}

/* So that any 600 bytes from the first 4096 on are what follows them around. */
static int setup_periodic(void **state)
{
    setup(state);
    memcpy(pattern + 4096, pattern, 4096);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_of_a_segment),
        TEST(options_of_a_syn_ack),
        TEST(options_at_random),
        TEST(checksum_wrong),
        TEST(urgent_pointer),
        TEST(half_open_after_the_peer_rebooted),
        TEST(overlap_with_different_bytes),
        TEST(sequence_numbers_wrap),
        TEST(acknowledgement_of_what_was_not_sent),
        TEST(optimistic_acknowledgements),
        TEST(window_opens_by_a_byte),
        TEST(a_war_of_acknowledgements_ends),
        cmocka_unit_test_setup_teardown(near_the_window_at_random, setup_periodic, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
