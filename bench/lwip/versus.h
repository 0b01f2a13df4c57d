/*
 * The same work for every stack, for bench/lwip/versus.sh. What includes it has defined, as static functions,
 * what this file declares, on top of the device and the peer of bench/wire.h.
 */
#ifndef BENCH_LWIP_VERSUS_H
#define BENCH_LWIP_VERSUS_H

#include "bench/wire.h"
#include "tests/target/semihosting.h"

#include <stdbool.h>

enum {
    BULK = 1460,
    MESSAGE = 64,
    ECHO_DATA = 56, /* as ping sends */
    OUR_PORT = 5000,
    NOW_MS = 1000,
};

static uint8_t tx[8 * BULK], rx[8 * BULK];

/* Our address is there, the link is up, a UDP socket is open. */
static void stack_set_up(void);
/* Begins; the SYN is in wire.head. */
static void stack_connect(void);
static bool stack_connected(void);
/* Handles what the device has, if anything. */
static void stack_poll(void);
/* So many bytes of TCP have come: reads them and is done with them. */
static void stack_take(size_t length);
/* Sends so many bytes of tx on the connection, from where they lie. */
static void stack_send(size_t length);
static bool stack_take_datagram(size_t length);
static void stack_send_datagram(size_t length);
/* Looks at the device, and at the clock. */
static void stack_idle(void);
/* What else a client of one broker calls: DHCP, and DNS for a name. For the size; never executed. */
static void stack_find_broker(void);

/* ---- Checksums of the peer, where the device has none: simple, since it is on neither stack's account. ----
 */

static uint16_t sum_of(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* Where the checksum is in the header of what IPv4 carries. */
static size_t checksum_at(uint8_t protocol)
{
    return protocol == IPV4_PROTOCOL_TCP ? 16 : protocol == IPV4_PROTOCOL_UDP ? 6 : 2;
}

static void seal(void)
{
    if (!BENCH_SOFTWARE_CHECKSUMS) {
        return;
    }
    uint8_t *ip = wire.frame + ETHERNET_HEADER, *inner = ip + IPV4_HEADER;
    size_t length = load_be16(ip + 2) - (size_t)IPV4_HEADER;
    uint8_t protocol = ip[9];
    uint32_t pseudo = 0;
    if (protocol != IPV4_PROTOCOL_ICMP) {
        pseudo = (uint32_t)protocol + (uint32_t)length;
        for (size_t i = 12; i < 20; i += 2) {
            pseudo += load_be16(ip + i);
        }
    }
    store_be16(ip + 10, 0);
    store_be16(ip + 10, sum_of(ip, IPV4_HEADER, 0));
    store_be16(inner + checksum_at(protocol), 0);
    store_be16(inner + checksum_at(protocol), sum_of(inner, length, pseudo));
}

static void segment(uint8_t flags, uint32_t length)
{
    peer_segment(flags, length);
    seal();
}

/* ---- Scenarios: `dry` is what is not the stack's work. ---- */

static void echo(bool dry)
{
    head(IPV4_PROTOCOL_ICMP, 8 + ECHO_DATA);
    store_be32(wire.frame + ETHERNET_HEADER + IPV4_HEADER, 0x08000000);
    seal();
    if (!dry) {
        stack_poll();
    }
}

static void receive(size_t length, bool dry)
{
    segment(TCP_ACK | TCP_PSH, (uint32_t)length);
    peer.seq += (uint32_t)length;
    if (!dry) {
        stack_poll();
        stack_take(length);
    }
}

static void receive_bulk(bool dry)
{
    receive(BULK, dry);
}

static void receive_message(bool dry)
{
    receive(MESSAGE, dry);
}

static void send_bytes(size_t length, bool dry)
{
    if (!dry) {
        stack_send(length);
    }
    peer.ack += (uint32_t)length;
}

static void acknowledge(bool dry)
{
    segment(TCP_ACK, 0);
    if (!dry) {
        stack_poll();
    }
}

/* The peer acknowledges every second segment. */
static void send_bulk(bool dry)
{
    static bool second;
    send_bytes(BULK, dry);
    second = !second;
    if (!second) {
        acknowledge(dry);
    }
}

static void send_message(bool dry)
{
    send_bytes(MESSAGE, dry);
    acknowledge(dry);
}

static void receive_datagram(bool dry)
{
    uint8_t *udp = wire.frame + ETHERNET_HEADER + IPV4_HEADER;
    head(IPV4_PROTOCOL_UDP, 8 + MESSAGE);
    store_be32(udp, 4000U << 16 | OUR_PORT);
    store_be32(udp + 4, (8U + MESSAGE) << 16);
    seal();
    if (!dry) {
        stack_poll();
        bool received = stack_take_datagram(MESSAGE);
        CHECK(received);
    }
}

static void send_datagram(bool dry)
{
    if (!dry) {
        stack_send_datagram(MESSAGE);
    }
}

static void idle(bool dry)
{
    if (!dry) {
        stack_idle();
    }
}

static void find_broker(bool dry)
{
    if (!dry) {
        stack_find_broker();
    }
}

static void (*const scenarios[])(bool dry) = {
    echo,          receive_bulk, send_bulk,   receive_message, send_message, receive_datagram,
    send_datagram, idle,         find_broker,
};

/* Changed by versus.sh in the ELF, as bench/count.sh says. */
static const struct parameters {
    uint32_t scenario, repetitions, dry;
} in_flash __attribute__((section(".bench"), used)) = {0, 100, 0};

int main(void)
{
    const struct parameters *bench = &in_flash;
    __asm__("" : "+r"(bench));                 /* the compiler must not know the values */
    __asm__ volatile("" : : "r"(tx), "r"(rx)); /* in every program, so that no stack is charged for them */
    stack_set_up();
    peer_arp_request();
    stack_poll();
    stack_connect();
    answer_syn();
    seal();
    stack_poll();
    CHECK(stack_connected());
    uint32_t frames = wire.ticket + wire.bounced;
    for (uint32_t i = 0; i < bench->repetitions; i++) {
        scenarios[bench->scenario](bench->dry);
    }
    CHECK(bench->dry || stack_connected());
    /* Each echo request had its reply. */
    CHECK(bench->dry || bench->scenario > 0 || wire.ticket + wire.bounced - frames == bench->repetitions);
    semihosting_exit(0);
}

#endif
