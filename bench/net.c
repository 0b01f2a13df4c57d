/*
 * What net costs in instructions, for bench/net.sh: a device that does nothing
 * but lend and take frames, and a peer that makes them. The work is done
 * `repetitions` times with and without the stack's part (`dry`), so that the
 * difference of two runs, or rather of two pairs, is the stack's.
 */
#include "net/internal.h"
#include "net/wire/tcp.h"
#include "tests/target/semihosting.h"

#include <string.h>

/* Changed by bench/net.sh in the ELF; a section of its own, in flash. */
static const struct parameters {
    uint32_t scenario, repetitions, dry;
} in_flash __attribute__((section(".bench"), used)) = {0, 100, 0};

enum {
    OUR_ADDRESS = 0x0A000002,
    PEER_ADDRESS = 0x0A000001,
    PEER_PORT = 1883,
    HEADERS = ETHERNET_HEADER + IPV4_HEADER + TCP_HEADER,
    BULK = 1460,
    MESSAGE = 64,
    ECHO_DATA = 56, /* as ping sends */
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1};

static struct net net;
static struct tcp_socket tcp;
static struct udp_socket udp;
static uint8_t tx[8 * BULK], rx[8 * BULK];

/* ---- Device ---- */

static struct {
    uint8_t frame[NET_FRAME_MAX];
    size_t length; /* of the received frame, 0: none */
    uint8_t head[NET_DEVICE_HEADER_MAX];
    uint32_t ticket, bounced;
    size_t sent_length;
} wire;

static size_t receive(void *context, uint8_t **frame)
{
    (void)context;
    size_t length = wire.length;
    *frame = wire.frame;
    wire.length = 0;
    return length;
}

static void release(void *context)
{
    (void)context;
}

static bool bounce(void *context, size_t length)
{
    (void)context;
    wire.sent_length = length;
    wire.bounced++;
    return true;
}

static uint8_t *reserve(void *context)
{
    (void)context;
    return wire.head;
}

static uint32_t send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    (void)context;
    (void)payload;
    wire.sent_length = header_length + payload_length;
    return ++wire.ticket;
}

static uint32_t sent(void *context)
{
    (void)context;
    return wire.ticket;
}

static const struct net_device device = {
    .capabilities = NET_DEVICE_CHECKSUM_TX | NET_DEVICE_CHECKSUM_RX,
    .receive = receive,
    .release = release,
    .bounce = bounce,
    .reserve = reserve,
    .send = send,
    .sent = sent,
};

/* ---- Peer ---- */

static struct {
    uint32_t seq, ack;
    uint16_t port; /* ours */
} peer;

static void head(uint8_t protocol, size_t length)
{
    memcpy(wire.frame, our_mac, 6);
    memcpy(wire.frame + 6, peer_mac, 6);
    store_be16(wire.frame + 12, ETHERNET_TYPE_IPV4);
    uint8_t *ip = wire.frame + ETHERNET_HEADER;
    store_be32(ip, 0x45000000U | (uint32_t)(length + IPV4_HEADER));
    store_be32(ip + 4, 0x00004000);
    store_be32(ip + 8, (uint32_t)IPV4_TTL << 24 | (uint32_t)protocol << 16);
    store_be32(ip + 12, PEER_ADDRESS);
    store_be32(ip + 16, OUR_ADDRESS);
    wire.length = ETHERNET_HEADER + IPV4_HEADER + length;
}

static void segment(uint8_t flags, uint32_t length)
{
    uint8_t *header = wire.frame + ETHERNET_HEADER + IPV4_HEADER;
    head(IPV4_PROTOCOL_TCP, TCP_HEADER + length);
    store_be16(header, PEER_PORT);
    store_be16(header + 2, peer.port);
    store_be32(header + 4, peer.seq);
    store_be32(header + 8, peer.ack);
    store_be32(header + 12, 0x50000000U | (uint32_t)flags << 16 | 32768);
    store_be32(header + 16, 0);
}

static void arp_request(void)
{
    uint8_t *arp = wire.frame + ETHERNET_HEADER;
    memset(wire.frame, 0xFF, 6);
    memcpy(wire.frame + 6, peer_mac, 6);
    store_be16(wire.frame + 12, ETHERNET_TYPE_ARP);
    store_be32(arp, 0x00010800);
    store_be32(arp + 4, 0x06040001);
    memcpy(arp + 8, peer_mac, 6);
    store_be32(arp + 14, PEER_ADDRESS);
    store_be32(arp + 24, OUR_ADDRESS);
    wire.length = ETHERNET_HEADER + 46;
}

static void poll(void)
{
    (void)net_poll(&net, 1000);
}

static void connect(void)
{
    int error = tcp_connect(&tcp, PEER_ADDRESS, PEER_PORT, 1000);
    CHECK(error == NET_OK);
    poll();
    peer.port = load_be16(wire.head + ETHERNET_HEADER + IPV4_HEADER);
    peer.ack = load_be32(wire.head + ETHERNET_HEADER + IPV4_HEADER + 4) + 1;
    segment(TCP_SYN | TCP_ACK, 4);
    store_be32(wire.frame + HEADERS, 0x020405B4); /* MSS 1460 */
    wire.frame[HEADERS - 8] = 0x60;
    peer.seq++;
    poll();
    CHECK(tcp_state(&tcp) == TCP_ESTABLISHED);
}

/* Everything between the ARP request and a good many segments, so that the congestion window is wide. */
static void set_up(void)
{
    struct net_config config = {.address = OUR_ADDRESS, .netmask = 0xFFFFFF00, .seed = {1, 2, 3, 4}};
    memcpy(config.mac, our_mac, 6);
    net_init(&net, &config, &device);
    tcp_init(&tcp, &net, tx, sizeof tx, rx, sizeof rx);
    int error = udp_open(&udp, &net, 5000);
    CHECK(error == NET_OK);
    net_link(&net, true, 1000);
    arp_request();
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
    segment(TCP_ACK, BULK);
    peer.seq += BULK;
    if (!dry) {
        poll();
        take(BULK);
    }
}

/* To where a message can be read; the acknowledgement is not in it. */
static void receive_message(bool dry)
{
    segment(TCP_ACK | TCP_PSH, MESSAGE);
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
    segment(TCP_ACK | TCP_PSH, MESSAGE);
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
        segment(TCP_ACK, 0);
        if (!dry) {
            poll();
        }
    }
}

/* A message and its acknowledgement. */
static void send_message(bool dry)
{
    send_bytes(MESSAGE, dry);
    segment(TCP_ACK, 0);
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
