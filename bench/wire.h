/*
 * For the benches of the stack: a device that does nothing but lend and take
 * frames, and a peer that makes them.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include "net/device.h"
#include "net/wire/bytes.h"
#include "net/wire/ethernet.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

#include <string.h>

enum {
    OUR_ADDRESS = 0x0A000002,
    PEER_ADDRESS = 0x0A000001,
    PEER_PORT = 1883,
    HEADERS = ETHERNET_HEADER + IPV4_HEADER + TCP_HEADER,
};

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1};

/* ---- Device ---- */

static struct {
    uint8_t frame[NET_FRAME_MAX];
    size_t length; /* of the received frame, 0: none */
    uint8_t head[NET_DEVICE_HEADER_MAX];
    uint32_t ticket, bounced;
    size_t sent_length;
} wire;

static size_t device_receive(void *context, uint8_t **frame)
{
    (void)context;
    size_t length = wire.length;
    *frame = wire.frame;
    wire.length = 0;
    return length;
}

static void device_release(void *context)
{
    (void)context;
}

static bool device_bounce(void *context, size_t length)
{
    (void)context;
    wire.sent_length = length;
    wire.bounced++;
    return true;
}

static uint8_t *device_reserve(void *context)
{
    (void)context;
    return wire.head;
}

static uint32_t device_send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    (void)context;
    (void)payload;
    wire.sent_length = header_length + payload_length;
    return ++wire.ticket;
}

static uint32_t device_sent(void *context)
{
    (void)context;
    return wire.ticket;
}

static const struct net_device device = {
    .capabilities = NET_DEVICE_CHECKSUM_TX | NET_DEVICE_CHECKSUM_RX,
    .receive = device_receive,
    .release = device_release,
    .bounce = device_bounce,
    .reserve = device_reserve,
    .send = device_send,
    .sent = device_sent,
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

static void peer_segment(uint8_t flags, uint32_t length)
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

static void peer_arp_request(void)
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

/* In answer to the SYN in wire.head. */
static void answer_syn(void)
{
    peer.port = load_be16(wire.head + ETHERNET_HEADER + IPV4_HEADER);
    peer.ack = load_be32(wire.head + ETHERNET_HEADER + IPV4_HEADER + 4) + 1;
    peer_segment(TCP_SYN | TCP_ACK, 4);
    store_be32(wire.frame + HEADERS, 0x020405B4); /* MSS 1460 */
    wire.frame[HEADERS - 8] = 0x60;
    peer.seq++;
}

#endif
