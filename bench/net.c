/*
 * What net costs in instructions, for bench/net.sh. The work is done `repetitions` times with and without the
 * stack's part (`dry`), so that the difference of two runs, or rather of two pairs, is the stack's.
 */
#include "bench/wire.h"
#include "net/internal.h"
#include "tests/target/semihosting.h"

#include <string.h>

/* Changed by bench/net.sh in the ELF; a section of its own, in flash. */
static const struct parameters {
    uint32_t scenario, repetitions, dry;
} in_flash __attribute__((section(".bench"), used)) = {0, 100, 0};

enum {
    BULK = 1460,
    MESSAGE = 64,
    ECHO_DATA = 56, /* as ping sends */
};

static struct net net;
static struct tcp_socket tcp;
static struct udp_socket udp;
static uint8_t tx[8 * BULK], rx[8 * BULK];

static void poll(void)
{
    (void)net_poll(&net, 1000);
}

static void connect(void)
{
    int error = tcp_connect(&tcp, PEER_ADDRESS, PEER_PORT, 1000);
    CHECK(error == NET_OK);
    poll();
    answer_syn();
    poll();
    CHECK(tcp_state(&tcp) == TCP_ESTABLISHED);
}

/* Everything between the ARP request and a good many segments, so that the congestion window is wide. */
static void set_up(void)
{
    struct net_config config = {.address = OUR_ADDRESS, .netmask = 0xFFFFFF00, .seed = {1, 2, 3, 4}};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    memcpy(config.mac, our_mac, 6);
    net_init(&net, &config, &device);
    tcp_init(&tcp, &net, tx, sizeof tx, rx, sizeof rx);
#if NET_WITH_TCP_NAGLE
    tcp_set_nagle(&tcp, false);
#endif
    int error = udp_open(&udp, &net, 5000);
    CHECK(error == NET_OK);
    net_link(&net, true, 1000);
    peer_arp_request();
    poll();
    CHECK(wire.bounced == 1);
    connect();
}

/* ---- Scenarios: `dry` is what is not the stack's work ---- */

static void echo(bool dry)
{
    uint8_t *icmp = wire.frame + ETHERNET_HEADER + IPV4_HEADER;
    head(IPV4_PROTOCOL_ICMP, 8 + ECHO_DATA);
    store_be32(icmp, 0x08000000);
    if (!dry) {
        poll();
    }
}

static void take(size_t length)
{
    const uint8_t *data;
    size_t n = tcp_peek(&tcp, &data);
    CHECK(n == length);
    tcp_consume(&tcp, n);
    net_flush(&net, 1000);
}

static void receive_bulk(bool dry)
{
    peer_segment(TCP_ACK, BULK);
    peer.seq += BULK;
    if (!dry) {
        poll();
        take(BULK);
    }
}

/* To where a message can be read; the acknowledgement is not in it. */
static void receive_message(bool dry)
{
    peer_segment(TCP_ACK | TCP_PSH, MESSAGE);
    peer.seq += MESSAGE;
    tcp.unread_length = 0;
    tcp.flags = 0;
    tcp.rcv_adv = tcp.rcv_nxt + sizeof rx;
    if (!dry) {
        poll();
    }
}

static void receive_and_acknowledge(bool dry)
{
    peer_segment(TCP_ACK | TCP_PSH, MESSAGE);
    peer.seq += MESSAGE;
    if (!dry) {
        poll();
        take(MESSAGE);
    }
}

static void send_bytes(size_t length, bool dry)
{
    struct tcp_span room[2];
    if (!dry) {
        size_t free = tcp_reserve(&tcp, room);
        CHECK(free >= length);
        tcp_commit(&tcp, length);
        net_flush(&net, 1000);
    }
    peer.ack += (uint32_t)length;
}

/* The peer acknowledges every second segment. */
static void send_bulk(bool dry)
{
    static bool second;
    send_bytes(BULK, dry);
    second = !second;
    if (!second) {
        peer_segment(TCP_ACK, 0);
        if (!dry) {
            poll();
        }
    }
}

/* A message and its acknowledgement. */
static void send_message(bool dry)
{
    send_bytes(MESSAGE, dry);
    peer_segment(TCP_ACK, 0);
    if (!dry) {
        poll();
    }
}

static void receive_datagram(bool dry)
{
    head(IPV4_PROTOCOL_UDP, 8 + MESSAGE);
    store_be32(wire.frame + ETHERNET_HEADER + IPV4_HEADER, 4000U << 16 | 5000);
    store_be32(wire.frame + ETHERNET_HEADER + IPV4_HEADER + 4, (8U + MESSAGE) << 16);
    if (!dry) {
        struct udp_datagram datagram;
        poll();
        bool received = udp_receive(&udp, &datagram);
        CHECK(received);
    }
}

static void send_datagram(bool dry)
{
    if (!dry) {
        int error = udp_send(&udp, PEER_ADDRESS, 4000, tx, MESSAGE);
        CHECK(error == NET_OK);
    }
}

static void idle(bool dry)
{
    if (!dry) {
        poll();
    }
}

static void (*const scenarios[])(bool dry) = {
    echo,      receive_bulk, receive_message,  receive_and_acknowledge,
    send_bulk, send_message, receive_datagram, send_datagram,
    idle,
};

int main(void)
{
    const struct parameters *bench = &in_flash;
    __asm__("" : "+r"(bench)); /* the compiler must not know the values */
    set_up();
    for (uint32_t i = 0; i < bench->repetitions; i++) {
        scenarios[bench->scenario](bench->dry);
    }
    CHECK(bench->dry || tcp_state(&tcp) == TCP_ESTABLISHED);
    semihosting_exit(0);
}
