/*
 * Frames of every kind with a few bytes changed, half of them with right checksums again, into a net with all
 * that it can have: nothing is lost by it. `net-hostile_mutations SEED COUNT` for more.
 */
#include "rig.h"

#include "net/internal.h"
#include "net/ping.h"

#include <stdlib.h>
#include <string.h>

static struct rig rig;
static uint32_t seed = 1, count = 20000;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

static size_t make_icmp_error(uint8_t *frame)
{
    uint8_t icmp[64] = {(uint8_t)(3 + draw(10)), (uint8_t)draw(5)}, quoted[64];
    static const uint8_t protocols[] = {1, 6, 17};
    uint8_t transport[8] = {8};
    for (unsigned i = 0; i < 8; i++) {
        transport[i] = (uint8_t)draw(256);
    }
    put16(transport, draw(2) ? 5000 : rig.port);
    (void)make_ipv4(quoted, OURS, PEER, protocols[draw(3)], transport, 8);
    memcpy(icmp + 8, quoted + 14, 28);
    return make_ipv4(frame, PEER, OURS, 1, icmp, 36);
}

static size_t make_any(uint8_t *frame)
{
    static uint8_t payload[1480];
    uint8_t igmp[8] = {0x11, 10};
    size_t length;
    switch (draw(8)) {
    case 0: return make_arp(frame, (uint16_t)(1 + draw(2)), peer_mac, PEER, OURS);
    case 1: return make_echo(frame, (uint16_t)(8 + draw(100)));
    case 2: return make_udp(frame, PEER, 7, OURS, 5000, "some data", 9);
    case 3: return make_tcp(&rig, frame, rig.seq, rig.ack, ACK | PSH, 8192, "some data", 9);
    case 4: return make_icmp_error(frame);
    case 5:
        length = make_ipv4(frame, PEER, 0xE0000001, 2, igmp, 8);
        memcpy(frame, "\1\0\x5E\0\0\1", 6);
        return length;
    case 6:
        length = make_udp(frame, PEER, 5353, 0xE00000FB, 5000, "some data", 9);
        memcpy(frame, "\1\0\x5E\0\0\xFB", 6);
        return length;
    default:
        length = make_ipv4(frame, PEER, OURS, draw(2) ? 1 : 17, payload, 8 * (1 + draw(20)));
        put16(frame + 18, draw(3));
        put16(frame + 20, draw(2) * 0x2000 + draw(30));
        fix_ipv4(frame);
        return length;
    }
}

static void repair(uint8_t *frame, size_t length)
{
    size_t header = (frame[14] & 15U) * 4U;
    if (length < 34 || get16(frame + 12) != 0x0800 || header < 20 || 14 + header + 20 > length) {
        return;
    }
    fix_ipv4(frame);
    size_t at = 14 + header + (frame[23] == 6 ? 16 : frame[23] == 17 ? 6 : 2);
    uint32_t sum = 0;
    if (frame[23] == 6 || frame[23] == 17) {
        sum = frame[23] + (uint32_t)(length - 14 - header);
        for (unsigned i = 26; i < 34; i += 2) {
            sum += get16(frame + i);
        }
    }
    put16(frame + at, 0);
    put16(frame + at, plain_checksum(sum, frame + 14 + header, length - 14 - header));
}

static void mutate_and_send(void)
{
    uint8_t frame[1600] = {0};
    size_t length = make_any(frame);
    for (uint32_t changes = draw(4); changes > 0; changes--) {
        size_t at = draw(3) ? 12 + draw((uint32_t)(length < 70 ? length : 70) - 12) : draw((uint32_t)length);
        frame[at] = (uint8_t)(draw(2) ? frame[at] ^ 1U << draw(8) : draw(256));
    }
    if (draw(8) == 0) {
        length = 1 + draw((uint32_t)length);
    }
    if (draw(2)) {
        repair(frame, length);
    }
    rig_receive(&rig, frame, length);
    rig_discard_sent(&rig);
}

/* The addresses and the net mask are what they were, whatever has been heard. */
static void expect_rest(void)
{
    tcp_abort(&rig.tcp);
    rig_run(&rig, 61000);
    rig_discard_sent(&rig);
    assert_int_equal(net_address(&rig.net), OURS);
    assert_int_equal(net_gateway(&rig.net), PEER);
#if NET_WITH_FRAGMENTS
    for (int i = 0; i < NET_FRAGMENT_SLOTS; i++) {
        assert_int_equal(rig.net.datagrams[i].state, 0);
    }
#endif
    uint8_t frame[64]; /* a mutation may have told of another link address */
    rig_receive(&rig, frame, make_arp(frame, 2, peer_mac, PEER, OURS));
    rig_expect_health(&rig);
}

static void mutations(void **state)
{
    (void)state;
    struct udp_socket socket;
    rig_open(&rig, 512, 512, 0);
    rig_connect(&rig);
    assert_int_equal(udp_open(&socket, &rig.net, 5000), NET_OK);
#if NET_WITH_PING
    struct ping ping;
    ping_open(&ping, &rig.net);
#endif
#if NET_WITH_ACD
    rig.net.at_once = false;
    net_set_address(&rig.net, OURS); /* announced and defended from now on */
#endif
#if NET_WITH_IGMP
    assert_int_equal(net_join(&rig.net, 0xE00000FB), NET_OK);
#endif
#if NET_WITH_ROUTES
    assert_int_equal(net_add_address(&rig.net, 0xC0A80102, 0xFFFFFF00), NET_OK);
#endif
    for (uint32_t i = 0; i < count; i++) {
        mutate_and_send();
        if (draw(100) == 0) {
            rig_run(&rig, draw(1000));
            rig_discard_sent(&rig);
        }
        if (tcp_state(&rig.tcp) == TCP_CLOSED && draw(50) == 0 &&
            tcp_connect(&rig.tcp, PEER, BROKER, rig.now) == NET_OK) {
            rig_poll(&rig);
            rig_discard_sent(&rig);
        }
    }
    expect_rest();
    udp_close(&socket);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutations)};
    seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : seed;
    count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : count;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
