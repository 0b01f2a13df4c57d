/* What the tests of TCP share: one connection to the scripted peer of rig.h. */
#ifndef TESTS_NET_TCP_CASE_H
#define TESTS_NET_TCP_CASE_H

#include "rig.h"

extern struct rig lab;
extern uint8_t pattern[8192];

/* Buffers of 4096 bytes; no connection yet. */
int setup(void **state);
int teardown(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

uint32_t retransmissions(void);
void ack_from_peer(uint16_t window);
/* Closed for that reason, and all is well. */
void expect_closed(int error);
/* Advance until a segment goes out; how long that took. */
uint32_t time_to_segment(uint8_t flags, struct sent_segment *segment, uint32_t limit);
/* Up to our SYN. */
void begin_connect(void);

/* ---- With options ---- */

/* Bytes of options, written in pieces; padded when they are sent. */
struct options {
    uint8_t bytes[40];
    size_t length;
};
void add_mss(struct options *options, uint16_t mss);
void add_scale(struct options *options, uint8_t scale);
void add_sack_permitted(struct options *options);
void add_timestamps(struct options *options, uint32_t value, uint32_t echo);
void add_sack(struct options *options, uint32_t start, uint32_t end);

/* As rig_segment, with options. */
void segment_with(const struct options *options, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
                  const void *payload, size_t length);
/* Through the handshake with these options in the peer's SYN-ACK; returns our SYN. */
struct sent_segment connect_with(const struct options *options, uint16_t window);

#endif
