/*
 * Reassembly: fragments of a few datagrams, in any order, overlapping, repeated, with other bytes, between
 * which time passes. Whatever comes out has at each place one of the bytes sent for it there, ends where a
 * fragment has said, and no place is taken for good.
 */
#include "fuzz/cable.h"
#include "fuzz/input.h"
#include "net/internal.h"
#include "net/udp.h"

#include <string.h>

enum { PORT = 5000, IDS = 3, LONGEST = NET_FRAGMENT_BYTES + 256 };

static struct cable cable;
static struct net net;
static struct udp_socket udp;
static uint32_t now;
static bool ends[IDS][LONGEST + 1]; /* told by a last fragment */

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1};

/* Of datagram `id`, in one of two versions; behind the UDP header, which has no checksum and a length of 0.
 */
static uint8_t byte_at(unsigned id, unsigned version, size_t offset)
{
    return (uint8_t)((offset * 7 + id * 50) << 1 | version);
}

static void put_bytes(uint8_t *to, unsigned id, unsigned version, size_t offset, size_t length,
                      uint16_t whole)
{
    for (size_t i = 0; i < length; i++) {
        size_t at = offset + i;
        uint8_t head[8] = {
            0, (uint8_t)(id + 1), PORT >> 8, PORT & 0xFF, (uint8_t)(whole >> 8), (uint8_t)whole, 0, 0};
        to[i] = at < sizeof head ? head[at] : byte_at(id, version, at);
    }
}

static void check_received(void)
{
    struct udp_datagram d;
    if (!udp_receive(&udp, &d)) {
        return;
    }
    unsigned id = d.source_port - 1U;
    MUST(id < IDS && d.length + 8U <= NET_FRAGMENT_BYTES);
    MUST(WITHIN(d.data, d.length, net.assembled ? net.assembled->memory : cable.lent,
                net.assembled ? sizeof net.assembled->memory : cable.lent_length));
    if (net.assembled) {
        MUST(d.length + 8U <= net.assembled->total && ends[id][net.assembled->total]);
    }
    for (size_t i = 0; i < d.length; i++) {
        MUST((d.data[i] & 0xFE) == (byte_at(id, 0, i + 8) & 0xFE));
    }
}

static void fragment(struct input *input)
{
    static uint8_t frame[NET_FRAME_MAX];
    uint8_t shape = input_byte(input), *ip = frame + ETHERNET_HEADER;
    unsigned id = shape % IDS;
    size_t offset = input_half(input) % (LONGEST / 8) * 8U, length = input_half(input) % 1481;
    bool more = shape & 0x40;
    length = more && !(shape & 0x10) ? length / 8 * 8 : length;
    ethernet_build(frame, our_mac, peer_mac, ETHERNET_TYPE_IPV4);
    ipv4_build(ip, CABLE_PEER, CABLE_OURS, IPV4_PROTOCOL_UDP, IPV4_HEADER + length, 0);
    store_be16(ip + 4, id);
    store_be16(ip + 6, (more ? IPV4_MORE_FRAGMENTS : 0) | (uint32_t)offset / 8);
    ipv4_fill_checksum(ip);
    put_bytes(ip + IPV4_HEADER, id, shape >> 7, offset, length, input_half(input));
    if (!more && offset + length <= LONGEST) {
        ends[id][offset + length] = true;
    }
    cable_arrives(&cable, frame, ETHERNET_HEADER + IPV4_HEADER + length);
}

static void poll(void)
{
    (void)net_poll(&net, now);
    check_received();
    (void)net_poll(&net, now);
    MUST(!cable.lent && !net.assembled);
}

static void expect_rest(void)
{
    for (uint32_t end = now + 61000; now != end; now += 1000) {
        poll();
    }
    for (unsigned i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        MUST(net.datagrams[i].state == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = CABLE_OURS,
                                .netmask = 0xFFFFFF00,
                                .seed = {1, 2, 3, 4},
                                .at_once = true};
    now = 0xFFFFFF00;
    memset(ends, 0, sizeof ends);
    cable_open(&cable);
    net_init(&net, &config, &cable.device);
    net.now_ms = now;
    net_link(&net, true, now);
    MUST(udp_open(&udp, &net, PORT) == NET_OK);
    while (input.size) {
        if (*input.data == 0xFF) {
            (void)input_byte(&input);
            now += input_half(&input);
        } else {
            fragment(&input);
        }
        poll();
    }
    expect_rest();
    cable_close(&cable);
    return 0;
}
