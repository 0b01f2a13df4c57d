#include "tcp_case.h"

#include <string.h>

struct rig lab;
uint8_t pattern[8192];

int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(i * 31 + i / 251);
    }
    rig_open(&lab, 4096, 4096, 0);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    rig_close(&lab);
    return 0;
}

uint32_t retransmissions(void)
{
    return net_statistics(&lab.net)->tcp_retransmissions;
}

void ack_from_peer(uint16_t window)
{
    rig_segment(&lab, lab.seq, lab.ack, ACK, window, NULL, 0);
}

void expect_closed(int error)
{
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    assert_int_equal(tcp_error(&lab.tcp), error);
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

uint32_t time_to_segment(uint8_t flags, struct sent_segment *segment, uint32_t limit)
{
    for (uint32_t ms = 1; ms <= limit; ms++) {
        rig_advance(&lab, 1);
        if (lab.fake.sent_head != lab.fake.sent_tail) {
            struct sent_segment sent = rig_expect_segment(&lab, flags);
            if (segment) {
                *segment = sent;
            }
            return ms;
        }
    }
    fail_msg("nothing sent in %u ms", limit);
    return 0;
}

void begin_connect(void)
{
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_OK);
    rig_poll(&lab);
    rig_resolve(&lab);
    struct sent_segment syn = rig_expect_segment(&lab, SYN);
    lab.port = syn.source_port;
    lab.ack = syn.seq + 1;
    lab.seq = 5000;
}

/* ---- With options ---- */

static uint8_t *add(struct options *options, uint8_t kind, uint8_t length)
{
    uint8_t *at = options->bytes + options->length;
    assert_true(options->length + length <= sizeof options->bytes);
    at[0] = kind;
    at[1] = length;
    options->length += length;
    return at + 2;
}

void add_mss(struct options *options, uint16_t mss)
{
    put16(add(options, 2, 4), mss);
}

void add_scale(struct options *options, uint8_t scale)
{
    *add(options, 3, 3) = scale;
}

void add_sack_permitted(struct options *options)
{
    add(options, 4, 2);
}

void add_timestamps(struct options *options, uint32_t value, uint32_t echo)
{
    uint8_t *at = add(options, 8, 10);
    put32(at, value);
    put32(at + 4, echo);
}

void add_sack(struct options *options, uint32_t start, uint32_t end)
{
    uint8_t *at = add(options, 5, 10);
    put32(at, start);
    put32(at + 4, end);
}

void segment_with(const struct options *options, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
                  const void *payload, size_t length)
{
    uint8_t frame[1600], all[1600] = {0};
    size_t padded = (options->length + 3) / 4 * 4;
    memset(all, 1, padded); /* no operation */
    memcpy(all + padded - options->length, options->bytes, options->length);
    if (length) {
        memcpy(all + padded, payload, length);
    }
    size_t total = make_tcp(&lab, frame, seq, ack, flags, window, all, padded + length);
    frame[46] = (uint8_t)((20 + padded) << 2);
    fix_tcp(frame, total);
    rig_receive(&lab, frame, total);
}

struct sent_segment connect_with(const struct options *options, uint16_t window)
{
    assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_OK);
    rig_poll(&lab);
    if (get16(lab.fake.sent[lab.fake.sent_tail % RIG_QUEUE].bytes + 12) == 0x0806) {
        rig_resolve(&lab);
    }
    struct sent_segment syn = rig_expect_segment(&lab, SYN);
    lab.port = syn.source_port;
    lab.ack = syn.seq + 1;
    lab.seq = 0xFFFFFF00; /* wraps early */
    segment_with(options, lab.seq++, lab.ack, SYN | ACK, window, NULL, 0);
    rig_expect_segment(&lab, ACK);
    assert_int_equal(tcp_state(&lab.tcp), TCP_ESTABLISHED);
    return syn;
}
