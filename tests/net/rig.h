/*
 * A net with one TCP socket on a fake device, in virtual time. Frames are
 * written by hand with checksums of the plainest form; every frame that the net
 * sends is verified in the same way before a test sees it.
 */
#ifndef TESTS_NET_RIG_H
#define TESTS_NET_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/dns.h"
#include "net/net.h"
#include "net/tcp.h"
#include "net/udp.h"

enum { RIG_QUEUE = 64 };

struct frame {
    size_t length;
    uint8_t bytes[1600];
};

struct fake_device {
    struct net_device device;
    uint8_t *lent; /* allocated at exactly the frame's length, so that a sanitizer sees every step beyond */
    size_t lent_length;
    struct frame received[RIG_QUEUE];
    unsigned received_head, received_tail;
    struct frame sent[RIG_QUEUE];
    unsigned sent_head, sent_tail;
    uint8_t *room;
    bool full;  /* no room to send */
    bool keeps; /* frames sent stay in the device's hands */
    uint32_t ticket, ticket_done;
    const uint8_t *kept_payload[RIG_QUEUE];
    uint8_t kept_copy[RIG_QUEUE][1600];
    size_t kept_length[RIG_QUEUE];
    unsigned kept;
    unsigned lent_total, returned_total;
};

struct rig {
    struct fake_device fake;
    struct net net;
    struct tcp_socket tcp;
    uint8_t *tx, *rx;
    size_t tx_size, rx_size;
    uint32_t now;
    uint32_t seq, ack; /* of the peer: next to send, next expected */
    uint16_t port;     /* ours, as seen in the SYN */
};

#define PEER   0x0A000001U /* also the gateway and DNS server */
#define OURS   0x0A000002U
#define MASK   0xFFFFFF00U
#define BROKER 1883

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

struct sent_segment {
    uint32_t seq, ack;
    uint16_t window, source_port, destination_port, mss;
    uint8_t flags;
    size_t length;
    uint8_t data[1600];
    /* Options; `options` is all of their bytes. */
    size_t options;
    int scale; /* -1: none */
    bool sack_permitted, timestamps;
    uint32_t timestamp, echo;
    unsigned sack_blocks;
    uint32_t sack[4][2];
};

extern const uint8_t our_mac[6], peer_mac[6], everyone[6];

/* Static address, link up. Sizes of the TCP buffers; `capabilities` of the device. */
void rig_open(struct rig *rig, size_t tx_size, size_t rx_size, unsigned capabilities);
void rig_open_dhcp(struct rig *rig);
/* The same with any configuration. */
void rig_open_config(struct rig *rig, const struct net_config *config, size_t tx_size, size_t rx_size,
                     unsigned capabilities);
/* Checks that no frame is still borrowed, and frees. */
void rig_close(struct rig *rig);

void rig_poll(struct rig *rig);
void rig_advance(struct rig *rig, uint32_t ms);
/* Advance in the steps that net_wait_ms asks for. */
void rig_run(struct rig *rig, uint32_t ms);

/* Queue a frame for reception, and poll until it is taken in. */
void rig_queue(struct rig *rig, const void *frame, size_t length);
void rig_receive(struct rig *rig, const void *frame, size_t length);

/* The oldest frame sent; NULL: none. Valid until the next call. */
const struct frame *rig_sent(struct rig *rig);
void rig_nothing_sent(struct rig *rig);
void rig_discard_sent(struct rig *rig);

uint16_t plain_checksum(uint32_t start, const uint8_t *data, size_t length);
void put16(uint8_t *to, uint32_t value);
void put32(uint8_t *to, uint32_t value);
uint32_t get16(const uint8_t *from);
uint32_t get32(const uint8_t *from);

/* Frames; they return the length. */
size_t make_arp(uint8_t *frame, uint16_t operation, const uint8_t *mac, uint32_t sender, uint32_t target);
size_t make_ipv4(uint8_t *frame, uint32_t source, uint32_t destination, uint8_t protocol, const void *payload,
                 size_t length);
void fix_ipv4(uint8_t *frame);
size_t make_udp(uint8_t *frame, uint32_t source, uint16_t source_port, uint32_t destination,
                uint16_t destination_port, const void *payload, size_t length);
size_t make_echo(uint8_t *frame, uint16_t length);
size_t make_tcp(struct rig *rig, uint8_t *frame, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
                const void *payload, size_t length);
void fix_tcp(uint8_t *frame, size_t length);

/* Answer the pending ARP request for the peer. */
void rig_resolve(struct rig *rig);
/* TCP with the peer: */
void rig_segment(struct rig *rig, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t window,
                 const void *payload, size_t length);
struct sent_segment rig_expect_segment(struct rig *rig, uint8_t flags);
void rig_connect(struct rig *rig); /* through the handshake; rig->seq, ack set */
void rig_establish_mss(struct rig *rig, uint16_t mss, uint16_t window);
void rig_write(struct rig *rig, const void *data, size_t length);
void rig_expect_read(struct rig *rig, const void *data, size_t length);
/* Ping is answered, a TCP round trip works, all frames are back: the judgement after any hostile input. */
void rig_expect_health(struct rig *rig);

/* Frames that the net has dropped for this reason. */
uint32_t rig_dropped(const struct rig *rig, enum net_drop reason);
/* The frame is dropped for this reason, nothing is answered, and all goes on. */
void rig_expect_drop(struct rig *rig, const uint8_t *frame, size_t length, enum net_drop reason);

#endif
