/*
 * ICMP and IGMP: a sequence of messages, their checksums made right or not, to us, to all and to a group,
 * while a ping waits for its answer and two groups are joined.
 */
#include "fuzz/cable.h"
#include "fuzz/input.h"
#include "net/internal.h"
#include "net/ping.h"
#include "net/wire/checksum.h"

#include <string.h>

static struct cable cable;
static struct net net;
static struct ping echo;
static uint32_t now;

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1};

static uint32_t destination_of(uint8_t shape)
{
    static const uint32_t destinations[4] = {CABLE_OURS, 0x0A0000FF, 0xE0000001, 0xE0000102};
    return destinations[shape >> 2 & 3];
}

static void address_frame(uint8_t *frame, uint32_t destination)
{
    ethernet_build(frame, our_mac, peer_mac, ETHERNET_TYPE_IPV4);
    if (ipv4_is_multicast(destination)) {
        igmp_link_address(frame, destination);
    } else if (destination != CABLE_OURS) {
        memset(frame, 0xFF, 6);
    }
}

static void message(struct input *input)
{
    static uint8_t frame[NET_FRAME_MAX];
    uint8_t shape = input_byte(input), *ip = frame + ETHERNET_HEADER, *body = ip + IPV4_HEADER;
    size_t length = input_half(input) % 1481;
    length = length < input->size ? length : input->size;
    memcpy(body, input->data, length);
    input->data += length;
    input->size -= length;
    if (shape & 1 && length >= 8) {
        store_native16(body + 2, 0);
        store_native16(body + 2, checksum_finish(checksum_add(0, body, length)));
    }
    uint32_t destination = destination_of(shape);
    address_frame(frame, destination);
    uint8_t protocol = shape & 2 ? IPV4_PROTOCOL_IGMP : IPV4_PROTOCOL_ICMP;
    ipv4_build(ip, CABLE_PEER, destination, protocol, IPV4_HEADER + length, 1);
    ip[8] = shape & 0x20 ? 1 : 64;
    ipv4_fill_checksum(ip);
    cable_arrives(&cable, frame, ETHERNET_HEADER + IPV4_HEADER + length);
}

static void open_net(void)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, 2},
                                .address = CABLE_OURS,
                                .netmask = 0xFFFFFF00,
                                .gateway = CABLE_PEER,
                                .seed = {1, 2, 3, 4},
                                .at_once = true};
    now = 0xFFFFFF00;
    cable_open(&cable);
    net_init(&net, &config, &cable.device);
    net.now_ms = now;
    net_link(&net, true, now);
    MUST(net_join(&net, 0xE0000102) == NET_OK && net_join(&net, 0xE0000103) == NET_OK);
    ping_open(&echo, &net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct ping_answer answer;
    open_net();
    while (input.size) {
        now += input_byte(&input) * 8U;
        (void)!ping_send(&echo, CABLE_PEER, "ping", 4, now);
        message(&input);
        while (net_poll(&net, now)) {
        }
        if (ping_receive(&echo, &answer)) {
            MUST(answer.result == NET_OK || answer.result == NET_ERROR_UNREACHABLE);
        }
        MUST(!cable.lent);
    }
    (void)net_leave(&net, 0xE0000102);
    cable_close(&cable);
    return 0;
}
