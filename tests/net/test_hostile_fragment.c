/* The class "Fragments" of hostile input; and reassembly and fragmentation when all is well (RFC 791, 815,
 * 1122 3.3.2). */
#include "rig.h"

#include <string.h>

#include "rig_case.h"

enum { MORE = 0x2000 };

static uint8_t pattern[8192];

static uint32_t dropped(void)
{
    return rig_dropped(&rig, NET_DROP_IPV4_FRAGMENT);
}

/* `offset` in bytes. */
static void fragment(uint16_t id, uint32_t offset, bool more, uint8_t protocol, const void *payload,
                     size_t length)
{
    uint8_t frame[1600];
    size_t total = make_ipv4(frame, PEER, OURS, protocol, payload, length);
    put16(frame + 18, id);
    put16(frame + 20, offset / 8 | (more ? MORE : 0));
    fix_ipv4(frame);
    rig_receive(&rig, frame, total);
}

/* Every place for reassembly is free again once the time for it is over, and the net lives. */
static void expect_rest(void)
{
    rig_run(&rig, 61000);
    rig_discard_sent(&rig);
#if NET_WITH_FRAGMENTS
    assert_null(rig.net.assembled);
    for (int i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        assert_int_equal(rig.net.datagrams[i].state, 0);
    }
#endif
    rig_expect_health(&rig);
}

static void zero_length(void **state)
{
    (void)state;
    uint32_t before = dropped();
    fragment(1, 0, true, 17, pattern, 0);
    fragment(2, 64, true, 17, pattern, 0);
    fragment(3, 64, false, 17, pattern, 0);
    assert_int_equal(dropped(), before + 3);
    rig_nothing_sent(&rig);
    expect_rest();
}

static void length_no_multiple_of_eight(void **state)
{
    (void)state;
    uint32_t before = dropped();
    fragment(1, 0, true, 17, pattern, 1001);
    fragment(2, 8, true, 17, pattern, 7);
    assert_int_equal(dropped(), before + 2);
    expect_rest();
}

static void offset_and_length_beyond_65535(void **state) /* ping of death */
{
    (void)state;
    uint32_t before = dropped();
    fragment(1, 65528, false, 1, pattern, 1480);
    fragment(2, 65528, false, 1, pattern, 8);
    fragment(3, 65528, true, 1, pattern, 8);
    fragment(4, 65504, false, 1, pattern, 100);
    assert_int_equal(dropped(), before + 4);
    rig_nothing_sent(&rig);
    expect_rest();
}

static void never_completed(void **state) /* Rose and jolt2: many, and none ever ends */
{
    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        fragment((uint16_t)i, i % 3 * 800, i % 5 != 0, i % 2 ? 17 : 1, pattern, 8 + i % 100 * 8);
        rig_discard_sent(&rig);
    }
    expect_rest();
}

static void to_broadcast(void **state)
{
    (void)state;
    uint8_t frame[1600];
    size_t total = make_ipv4(frame, PEER, 0x0A0000FF, 1, pattern, 64);
    memcpy(frame, everyone, 6);
    put16(frame + 20, MORE);
    fix_ipv4(frame);
    rig_receive(&rig, frame, total);
    rig_run(&rig, 61000);
    rig_nothing_sent(&rig);
    expect_rest();
}

/* Fields and lengths at random: whatever comes out is at rest afterwards. */
static void anything(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {1, 6, 17, 2};
    uint32_t random = 1;
    for (unsigned i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t r = random >> 8;
        uint8_t frame[1600];
        size_t length = r % 7 == 0 ? r % 1480 : r % 64;
        size_t total = make_ipv4(frame, PEER, OURS, protocols[r % 4], pattern, length);
        put16(frame + 18, r / 4 % 3);
        put16(frame + 20, r % 11 == 0 ? r & 0xFFFF : (r / 16 % 16) | (r & 0x2000));
        fix_ipv4(frame);
        rig_receive(&rig, frame, total);
        rig_discard_sent(&rig);
        if (i % 1000 == 0) {
            rig_run(&rig, r % 70000);
            rig_discard_sent(&rig);
        }
    }
    rig_run(&rig, 61000);
    rig_discard_sent(&rig);
    if (tcp_state(&rig.tcp) != TCP_CLOSED) {
        tcp_abort(&rig.tcp);
    }
    expect_rest();
}

#if !NET_WITH_FRAGMENTS
static void expect_dropped(const uint8_t *frame, size_t length)
{
    uint32_t before = dropped();
    rig_receive(&rig, frame, length);
    assert_int_equal(dropped(), before + 1);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

/* Without reassembly. */
static void none_is_kept(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0x2000, 0x2001, 0x0001, 0x1FFF, 0x3FFF, 0x6000};
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint8_t frame[128];
        size_t length = make_echo(frame, 24);
        put16(frame + 20, fields[i]);
        fix_ipv4(frame);
        expect_dropped(frame, length);
        length = make_ipv4(frame, PEER, OURS, 6, "", 0); /* zero length */
        put16(frame + 20, fields[i]);
        fix_ipv4(frame);
        expect_dropped(frame, length);
    }
}
#endif

#if NET_WITH_FRAGMENTS

/* An echo request of `length` bytes, header included, in `pattern`-like memory. */
static void make_request(uint8_t *icmp, size_t length)
{
    memset(icmp, 0, 8);
    icmp[0] = 8;
    put16(icmp + 4, 0x1234);
    for (size_t i = 8; i < length; i++) {
        icmp[i] = (uint8_t)(i * 7 + i / 256);
    }
    put16(icmp + 2, plain_checksum(0, icmp, length));
}

static void send_in_order(uint16_t id, const uint8_t *icmp, size_t length, size_t piece)
{
    for (size_t at = 0; at < length; at += piece) {
        size_t n = length - at < piece ? length - at : piece;
        fragment(id, (uint32_t)at, at + n < length, 1, icmp + at, n);
    }
}

/* The reply comes in frames of 1500 bytes, in order. */
static void expect_reply(const uint8_t *icmp, size_t length)
{
    uint8_t whole[NET_FRAGMENT_BYTES];
    size_t at = 0;
    uint32_t id = 0, field;
    do {
        const struct frame *frame = rig_sent(&rig);
        assert_non_null(frame);
        assert_memory_equal(frame->bytes, peer_mac, 6);
        assert_int_equal(get32(frame->bytes + 26), OURS);
        assert_int_equal(get32(frame->bytes + 30), PEER);
        id = at == 0 ? get16(frame->bytes + 18) : id;
        assert_int_equal(get16(frame->bytes + 18), id);
        field = get16(frame->bytes + 20);
        assert_int_equal((field & 0x1FFF) * 8, at);
        assert_true(at + frame->length - 34 <= sizeof whole);
        memcpy(whole + at, frame->bytes + 34, frame->length - 34);
        at += frame->length - 34;
    } while (field & MORE);
    assert_int_equal(at, length);
    assert_int_equal(whole[0], 0);
    if (!(rig.fake.device.capabilities & NET_DEVICE_CHECKSUM_TX) || length > 1480) {
        assert_int_equal(plain_checksum(0, whole, length), 0);
    }
    assert_memory_equal(whole + 4, icmp + 4, length - 4);
}

static void echo_larger_than_the_mtu(void **state)
{
    (void)state;
    uint8_t icmp[NET_FRAGMENT_BYTES];
    uint16_t id = 0;
    for (size_t length = 9; length <= sizeof icmp; length += length < 2900 ? 289 : 399) {
        make_request(icmp, length);
        send_in_order(++id, icmp, length, 1480);
        if (length > 1480) {
            expect_reply(icmp, length);
        }
        rig_discard_sent(&rig);
        send_in_order(++id, icmp, length, 8 * (1 + length % 9));
        expect_reply(icmp, length);
        rig_nothing_sent(&rig);
    }
    make_request(icmp, sizeof icmp);
    send_in_order(++id, icmp, sizeof icmp, 1480);
    expect_reply(icmp, sizeof icmp);
    expect_rest();
}

static void larger_than_what_is_taken_in(void **state)
{
    (void)state;
    make_request(pattern, NET_FRAGMENT_BYTES + 1);
    send_in_order(1, pattern, NET_FRAGMENT_BYTES + 1, 1480);
    rig_nothing_sent(&rig);
    expect_rest();
}

static void any_order(void **state)
{
    (void)state;
    static const uint8_t orders[][4] = {{3, 2, 1, 0}, {3, 0, 2, 1}, {1, 3, 0, 2}, {0, 3, 1, 2}, {2, 0, 3, 1}};
    uint8_t icmp[100];
    make_request(icmp, sizeof icmp);
    for (uint16_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        for (unsigned j = 0; j < 4; j++) {
            unsigned part = orders[i][j];
            fragment(i, part * 32, part < 3, 1, icmp + part * 32, part < 3 ? 32 : 4);
        }
        expect_reply(icmp, sizeof icmp); /* the last first, among others */
    }
    expect_rest();
}

static void two_at_a_time(void **state)
{
    (void)state;
    uint8_t icmp[64];
    make_request(icmp, sizeof icmp);
    fragment(1, 0, true, 1, icmp, 32);
    fragment(2, 0, true, 1, icmp, 32);
    fragment(2, 32, false, 1, icmp + 32, 32);
    expect_reply(icmp, sizeof icmp);
    fragment(1, 32, false, 1, icmp + 32, 32);
    expect_reply(icmp, sizeof icmp);
    expect_rest();
}

static void repeated_fragments_do_no_harm(void **state)
{
    (void)state;
    uint8_t icmp[100];
    make_request(icmp, sizeof icmp);
    fragment(1, 0, true, 1, icmp, 32);
    fragment(1, 0, true, 1, icmp, 32);
    fragment(1, 96, false, 1, icmp + 96, 4);
    fragment(1, 96, false, 1, icmp + 96, 4);
    fragment(1, 8, true, 1, icmp + 8, 16); /* the same bytes as a part */
    rig_nothing_sent(&rig);
    fragment(1, 32, true, 1, icmp + 32, 64);
    expect_reply(icmp, sizeof icmp);
    expect_rest();
}

/* Teardrop, and all else that RFC 5722 refuses: the datagram is gone, whatever comes after. */
static void overlap(void **state)
{
    (void)state;
    uint8_t icmp[128], other[128] = {0};
    make_request(icmp, sizeof icmp);
    static const struct {
        uint16_t offset, length;
        bool more;
    } second[] = {
        {24, 40, true},   /* into it from behind */
        {0, 40, true},    /* around it */
        {0, 32, true},    /* the same place, other bytes */
        {8, 8, true},     /* within, other bytes */
        {24, 4, false},   /* within and the last: teardrop */
        {16, 112, false}, /* beyond and the last */
    };
    for (uint16_t i = 0; i < sizeof second / sizeof *second; i++) {
        fragment(i, 0, true, 1, icmp, 32);
        fragment(i, second[i].offset, second[i].more, 1, other, second[i].length);
        fragment(i, 32, false, 1, icmp + 32, 96);
        rig_nothing_sent(&rig);
        rig_run(&rig, 61000);
        rig_discard_sent(&rig);
    }
    expect_rest();
}

static void ends_that_disagree(void **state)
{
    (void)state;
    uint8_t icmp[128];
    make_request(icmp, sizeof icmp);
    static const struct {
        uint16_t offset[2];
        bool more[2];
    } cases[] = {
        {{64, 96}, {false, false}}, /* another end */
        {{64, 96}, {false, true}},  /* beyond the end */
        {{64, 32}, {true, false}},  /* ends before what has come */
        {{96, 64}, {false, false}},
    };
    for (uint16_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t before = dropped();
        fragment(i, cases[i].offset[0], cases[i].more[0], 1, icmp + cases[i].offset[0], 32);
        assert_int_equal(dropped(), before);
        fragment(i, cases[i].offset[1], cases[i].more[1], 1, icmp + cases[i].offset[1], 32);
        assert_int_equal(dropped(), before + 1);
        for (int j = 0; j < NET_FRAGMENT_SLOTS; j++) {
            assert_int_equal(rig.net.datagrams[j].state, 0);
        }
    }
    expect_rest();
}

/* What lies in the memory from another datagram is not what has come. */
static void overlap_with_old_bytes(void **state)
{
    (void)state;
    uint8_t icmp[128];
    make_request(icmp, sizeof icmp);
    send_in_order(1, icmp, sizeof icmp, 64);
    expect_reply(icmp, sizeof icmp);
    icmp[0] = 0; /* as the reply has left it */
    fragment(2, 0, true, 1, icmp, 32);
    fragment(2, 96, false, 1, icmp + 96, 32);
    fragment(2, 16, true, 1, icmp + 16, 88);
    for (int j = 0; j < NET_FRAGMENT_SLOTS; j++) {
        assert_int_not_equal(rig.net.datagrams[j].state, 1);
    }
    expect_rest();
}

static void none_without_an_address(void **state)
{
    (void)state;
    rig_close(&rig);
    rig_open_dhcp(&rig);
    rig_discard_sent(&rig);
    fragment(1, 0, true, 17, pattern, 64);
    assert_int_equal(dropped(), 1);
    assert_int_equal(rig.net.datagrams[0].state, 0);
}

static void tiny_first_fragment(void **state) /* RFC 1858: the transport header is split */
{
    (void)state;
    uint8_t frame[128];
    rig_connect(&rig);
    size_t length = make_tcp(&rig, frame, rig.seq, rig.ack, ACK | PSH, 8192, "hello", 5);
    fragment(1, 0, true, 6, frame + 34, 8);
    fragment(1, 8, true, 6, frame + 42, 8);
    rig_expect_read(&rig, "", 0);
    fragment(1, 16, false, 6, frame + 50, length - 50);
    rig_expect_read(&rig, "hello", 5); /* it is looked at as a whole only */
    rig.seq += 5;
    rig_run(&rig, 100);
    expect_rest();
}

static void tcp_in_fragments_is_verified(void **state)
{
    (void)state;
    uint8_t frame[128];
    rig_connect(&rig);
    rig.fake.device.capabilities = NET_DEVICE_CHECKSUM_RX; /* which is of no use for fragments */
    size_t length = make_tcp(&rig, frame, rig.seq, rig.ack, ACK | PSH, 8192, "hello", 5);
    frame[length - 1] ^= 1;
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_TCP];
    fragment(1, 0, true, 6, frame + 34, 16);
    fragment(1, 16, false, 6, frame + 50, length - 50);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_TCP], before + 1);
    rig_expect_read(&rig, "", 0);
    rig.fake.device.capabilities = 0;
    expect_rest();
}

/* Unread data of a reassembled segment are kept when the memory is needed again. */
static void tcp_in_fragments_unread(void **state)
{
    (void)state;
    uint8_t frame[128];
    rig_connect(&rig);
    size_t length = make_tcp(&rig, frame, rig.seq, rig.ack, ACK | PSH, 8192, "hello", 5);
    fragment(1, 16, false, 6, frame + 50, length - 50);
    fragment(1, 0, true, 6, frame + 34, 16);
    rig_poll(&rig);
    for (uint16_t i = 2; i < 6; i++) {
        fragment(i, 0, true, 17, pattern, 1480);
    }
    rig_expect_read(&rig, "hello", 5);
    rig.seq += 5;
    rig_run(&rig, 100);
    rig_discard_sent(&rig);
    expect_rest();
}

static void reset_in_answer_to_a_reassembled_segment(void **state)
{
    (void)state;
    uint8_t frame[128];
    rig.port = 4711;
    size_t length = make_tcp(&rig, frame, 1000, 0, SYN, 8192, NULL, 0);
    fragment(1, 0, true, 6, frame + 34, 16);
    fragment(1, 16, false, 6, frame + 50, length - 50);
    struct sent_segment answer = rig_expect_segment(&rig, RST | ACK);
    assert_int_equal(answer.ack, 1001);
    expect_rest();
}

static size_t udp_payload(uint8_t *udp, const void *data, size_t length)
{
    uint8_t frame[NET_FRAGMENT_BYTES + 64];
    put16(udp, 7);
    put16(udp + 2, 5000);
    put16(udp + 4, (uint32_t)(8 + length));
    put16(udp + 6, 0);
    memcpy(udp + 8, data, length);
    (void)make_ipv4(frame, PEER, OURS, 17, udp, 8 + length);
    uint32_t sum = 17 + (uint32_t)(8 + length);
    for (int i = 26; i < 34; i += 2) {
        sum += get16(frame + i);
    }
    put16(udp + 6, plain_checksum(sum, udp, 8 + length));
    return 8 + length;
}

static void udp_in_fragments(void **state)
{
    (void)state;
    struct udp_socket socket;
    struct udp_datagram datagram;
    uint8_t data[3000], udp[3008];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31);
    }
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    size_t length = udp_payload(udp, data, sizeof data);
    rig.fake.device.capabilities = NET_DEVICE_CHECKSUM_RX;
    for (uint16_t i = 0; i < 4; i++) {
        fragment(i, 0, true, 17, udp, 1480);
        fragment(i, 2960, false, 17, udp + 2960, length - 2960);
        fragment(i, 1480, true, 17, udp + 1480, 1480);
        assert_true(udp_receive(&socket, &datagram));
        assert_int_equal(datagram.length, sizeof data);
        assert_memory_equal(datagram.data, data, sizeof data);
        assert_int_equal(datagram.source, PEER);
    }
    udp[2000] ^= 1; /* nobody has verified it before us */
    fragment(9, 0, true, 17, udp, 1480);
    fragment(9, 2960, false, 17, udp + 2960, length - 2960);
    fragment(9, 1480, true, 17, udp + 1480, 1480);
    assert_false(udp_receive(&socket, &datagram));
    rig.fake.device.capabilities = 0;
    udp_close(&socket);
    expect_rest();
}

static void udp_sends_in_fragments(void **state)
{
    (void)state;
    struct udp_socket socket;
    static uint8_t data[NET_FRAGMENT_BYTES];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31 + i / 256);
    }
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
    assert_int_equal(udp_send(&socket, PEER, 7, data, 2000), NET_ERROR_NEIGHBOUR);
    rig_resolve(&rig);
    uint32_t id = UINT32_MAX;
    for (int offload = 0; offload < 2; offload++) {
        rig.fake.device.capabilities = offload ? NET_DEVICE_CHECKSUM_TX : 0;
        for (size_t length = 1473; length <= sizeof data - 8; length += 131) {
            uint8_t whole[NET_FRAGMENT_BYTES + 64], expected[NET_FRAGMENT_BYTES];
            assert_int_equal(udp_send(&socket, PEER, 7, data, length), NET_OK);
            size_t at = 0;
            uint32_t last_id = id;
            const struct frame *frame;
            while ((frame = rig_sent(&rig)) != NULL) {
                id = get16(frame->bytes + 18);
                assert_int_not_equal(id, last_id);
                assert_int_equal((get16(frame->bytes + 20) & 0x1FFF) * 8, at);
                memcpy(whole + at, frame->bytes + 34, frame->length - 34);
                at += frame->length - 34;
                assert_int_equal(!(get16(frame->bytes + 20) & MORE), at == length + 8);
            }
            size_t total = udp_payload(expected, data, length);
            memcpy(expected, whole, 4); /* ports are the other way round */
            assert_int_equal(at, total);
            assert_int_equal(get16(whole), 5000);
            assert_int_equal(get16(whole + 2), 7);
            assert_memory_equal(whole, expected, total);
        }
    }
    rig.fake.device.capabilities = 0;
    rig.fake.keeps = true;
    assert_int_equal(udp_send(&socket, PEER, 7, data, 3000), NET_OK);
    assert_true(udp_busy(&socket));
    rig.fake.ticket_done = rig.fake.ticket;
    assert_false(udp_busy(&socket));
    rig.fake.keeps = false;
    rig_discard_sent(&rig);
    rig.fake.full = true;
    assert_int_equal(udp_send(&socket, PEER, 7, data, 3000), NET_ERROR_BUSY);
    assert_int_equal(udp_send(&socket, PEER, 7, data, sizeof data), NET_ERROR_TOO_LONG);
    rig.fake.full = false;
    udp_close(&socket);
    expect_rest();
}

/* RFC 1122 3.3.2: given up after a minute, and the sender is told if the first fragment had come. */
static void timer(void **state)
{
    (void)state;
    uint8_t icmp[64];
    make_request(icmp, sizeof icmp);
    fragment(1, 0, true, 1, icmp, 32);
    fragment(2, 32, true, 17, icmp + 32, 32); /* the first is missing */
    rig_run(&rig, 59900);
    rig_nothing_sent(&rig);
    rig_run(&rig, 200);
    const struct frame *answer = rig_sent(&rig);
    assert_non_null(answer);
    assert_int_equal(get16(answer->bytes + 34), 0x0B01);
    assert_int_equal(get32(answer->bytes + 30), PEER);
    assert_memory_equal(answer->bytes + 62, icmp, 8);
    rig_nothing_sent(&rig);
    fragment(1, 32, false, 1, icmp + 32, 32); /* late */
    rig_nothing_sent(&rig);
    expect_rest();
}

/* No error about an error, nor about what went to many. */
static void timer_is_silent_about_errors(void **state)
{
    (void)state;
    uint8_t icmp[64] = {3, 1};
    fragment(1, 0, true, 1, icmp, 32);
    rig_run(&rig, 61000);
    rig_nothing_sent(&rig);
    expect_rest();
}

/* All places taken by what never ends: the oldest makes room, so that what comes whole gets through. */
static void exhaustion(void **state)
{
    (void)state;
    uint8_t icmp[64];
    make_request(icmp, sizeof icmp);
    for (uint16_t i = 0; i < 500; i++) {
        fragment((uint16_t)(1000 + i), 0, true, 17, pattern, 1480);
    }
    send_in_order(1, icmp, sizeof icmp, 32);
    expect_reply(icmp, sizeof icmp);
    expect_rest();
}

/* Memory that a reply is still sent from is nobody else's. */
static void reply_under_way(void **state)
{
    (void)state;
    uint8_t icmp[NET_FRAGMENT_BYTES];
    make_request(icmp, 3000);
    rig.fake.keeps = true;
    for (uint16_t i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        send_in_order(i, icmp, 3000, 1480);
    }
    unsigned kept = rig.fake.kept;
    assert_int_equal(kept, 3 * NET_FRAGMENT_SLOTS);
    uint32_t before = dropped();
    send_in_order(7, icmp, 3000, 1480); /* no place */
    assert_int_equal(dropped(), before + 3);
    for (unsigned i = 0; i < kept; i++) {
        assert_memory_equal(rig.fake.kept_payload[i], rig.fake.kept_copy[i], rig.fake.kept_length[i]);
    }
    rig.fake.keeps = false;
    rig.fake.ticket_done = rig.fake.ticket;
    rig_discard_sent(&rig);
    send_in_order(8, icmp, 3000, 1480);
    expect_reply(icmp, 3000);
    rig.net.datagrams[0].ticket = rig.net.datagrams[1].ticket = rig.fake.ticket;
    send_in_order(9, icmp, 64, 32);
    send_in_order(10, icmp, 64, 32);
    rig_discard_sent(&rig);
    rig_expect_health(&rig);
}

static void full_ring_loses_the_reply(void **state)
{
    (void)state;
    uint8_t icmp[3000];
    make_request(icmp, sizeof icmp);
    rig.fake.full = true;
    for (uint16_t i = 0; i < 5; i++) {
        send_in_order(i, icmp, sizeof icmp, 1480);
    }
    rig.fake.full = false;
    rig_nothing_sent(&rig);
    send_in_order(9, icmp, sizeof icmp, 1480);
    expect_reply(icmp, sizeof icmp);
    rig_expect_health(&rig);
}

static void offloaded(void **state)
{
    (void)state;
    uint8_t icmp[3000];
    rig_close(&rig);
    rig_open(&rig, 512, 512, NET_DEVICE_CHECKSUM_TX | NET_DEVICE_CHECKSUM_RX);
    make_request(icmp, sizeof icmp);
    send_in_order(1, icmp, sizeof icmp, 1480);
    expect_reply(icmp, sizeof icmp);
    send_in_order(2, icmp, 300, 1480); /* whole: not even a fragment */
    rig_discard_sent(&rig);
    make_request(icmp, 300);
    send_in_order(3, icmp, 300, 160);
    expect_reply(icmp, 300);
    icmp[100] ^= 1;
    send_in_order(4, icmp, 300, 160);
    rig_nothing_sent(&rig);
}

static void lost_with_the_link(void **state)
{
    (void)state;
    uint8_t icmp[64];
    make_request(icmp, sizeof icmp);
    fragment(1, 0, true, 1, icmp, 32);
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    fragment(1, 32, false, 1, icmp + 32, 32);
    rig_nothing_sent(&rig);
    expect_rest();
}

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(zero_length),
        TEST(length_no_multiple_of_eight),
        TEST(offset_and_length_beyond_65535),
        TEST(never_completed),
        TEST(to_broadcast),
        TEST(anything),
#if !NET_WITH_FRAGMENTS
        TEST(none_is_kept),
#endif
#if NET_WITH_FRAGMENTS
        TEST(echo_larger_than_the_mtu),
        TEST(larger_than_what_is_taken_in),
        TEST(any_order),
        TEST(two_at_a_time),
        TEST(repeated_fragments_do_no_harm),
        TEST(overlap),
        TEST(ends_that_disagree),
        TEST(overlap_with_old_bytes),
        TEST(none_without_an_address),
        TEST(tiny_first_fragment),
        TEST(tcp_in_fragments_is_verified),
        TEST(tcp_in_fragments_unread),
        TEST(reset_in_answer_to_a_reassembled_segment),
        TEST(udp_in_fragments),
        TEST(udp_sends_in_fragments),
        TEST(timer),
        TEST(timer_is_silent_about_errors),
        TEST(exhaustion),
        TEST(reply_under_way),
        TEST(full_ring_loses_the_reply),
        TEST(offloaded),
        TEST(lost_with_the_link),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
