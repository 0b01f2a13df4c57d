/* The class "IPv4" of hostile input. */
#include "rig.h"

#include <string.h>

#include "rig_case.h"

static void ipv4_header(void **state)
{
    (void)state;
    uint8_t frame[128];
    size_t length = make_echo(frame, 32);
    static const struct {
        uint8_t at, value;
    } cases[] = {{0, 0x55}, {0, 0x35}, {0, 0x44}, {0, 0x40}, {2, 0x10}, {3, 19}, {3, 0}, {3, 53}, {8, 0}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        length = make_echo(frame, 32);
        frame[14 + cases[i].at] = cases[i].value;
        if (cases[i].value != 0x40 && cases[i].value != 0x44) {
            fix_ipv4(frame);
        }
        rig_expect_drop(&rig, frame, length, NET_DROP_IPV4_HEADER);
    }
    make_echo(frame, 32);
    frame[14] = 0x4B; /* IHL above the header present */
    rig_expect_drop(&rig, frame, 14 + 20, NET_DROP_IPV4_HEADER);
    put16(frame + 16, 20); /* and total length below IHL * 4 */
    rig_expect_drop(&rig, frame, length, NET_DROP_IPV4_HEADER);
    make_echo(frame, 32);
    for (size_t cut = 14; cut < length; cut++) {
        rig_expect_drop(&rig, frame, cut, NET_DROP_IPV4_HEADER);
    }
    make_echo(frame, 32);
    frame[24] ^= 1;
    rig_expect_drop(&rig, frame, length, NET_DROP_IPV4_CHECKSUM);
}

static void ipv4_addresses(void **state)
{
    (void)state;
    static const uint32_t sources[] = {0xFFFFFFFF, 0x0A0000FF, 0xE0000001, 0, 0x7F000001, OURS, 0xF0000001};
    uint8_t frame[128], payload[32] = {8};
    for (unsigned i = 0; i < sizeof sources / sizeof *sources; i++) {
        rig_expect_drop(&rig, frame, make_ipv4(frame, sources[i], OURS, 1, payload, 32),
                        NET_DROP_IPV4_ADDRESS);
    }
    static const uint32_t destinations[] = {OURS + 1, 0xE0000001, 0x7F000001, 0};
    for (unsigned i = 0; i < sizeof destinations / sizeof *destinations; i++) {
        rig_expect_drop(&rig, frame, make_ipv4(frame, PEER, destinations[i], 1, payload, 32),
                        NET_DROP_IPV4_ADDRESS);
    }
    size_t length =
        make_tcp(&rig, frame, 1, 0, SYN, 100, NULL, 0); /* unicast IP inside a broadcast frame with TCP */
    memcpy(frame, everyone, 6);
    rig_expect_drop(&rig, frame, length, NET_DROP_IPV4_ADDRESS);
}

static void ipv4_options(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[4];
        bool good;
    } cases[] = {
        {{7, 0, 0, 0}, false}, {{7, 1, 0, 0}, false},   {{7, 5, 4, 0}, false},
        {{1, 1, 1, 7}, false}, {{131, 3, 9, 0}, false}, {{137, 3, 4, 0}, false},
        {{1, 1, 1, 0}, true},  {{148, 4, 0, 0}, true},  {{0, 7, 0, 0}, true},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t frame[128], icmp[64];
        size_t length = make_echo(frame, 24);
        memcpy(icmp, frame + 34, 24);
        memmove(frame + 38, icmp, 24);
        memcpy(frame + 34, cases[i].bytes, 4);
        frame[14] = 0x46;
        put16(frame + 16, 48);
        fix_ipv4(frame);
        if (!cases[i].good) {
            rig_expect_drop(&rig, frame, length + 4, NET_DROP_IPV4_HEADER);
            continue;
        }
        rig_discard_sent(&rig);
        rig_receive(&rig, frame, length + 4);
        assert_non_null(rig_sent(&rig));
        rig_expect_health(&rig);
    }
}

static void ipv4_in_ipv4_is_no_protocol_of_ours(void **state) /* Ripple20 */
{
    (void)state;
    uint8_t frame[128], inner[64];
    size_t length = make_echo(inner, 20);
    uint32_t before = rig_dropped(&rig, NET_DROP_IPV4_PROTOCOL);
    rig_receive(&rig, frame, make_ipv4(frame, PEER, OURS, 4, inner + 14, length - 14));
    assert_int_equal(rig_dropped(&rig, NET_DROP_IPV4_PROTOCOL), before + 1);
    const struct frame *answer = rig_sent(&rig);
    assert_int_equal(answer->bytes[34], 3);
    assert_int_equal(answer->bytes[35], 2);
    assert_memory_equal(answer->bytes + 42, frame + 14, 28);
    rig_expect_health(&rig);
}

static void land(void **state) /* our own address and port as the source, of TCP, UDP and ICMP */
{
    (void)state;
    uint8_t frame[128];
    rig_connect(&rig);
    static const uint8_t flags[] = {SYN, SYN | ACK, ACK, RST, FIN | ACK};
    for (unsigned i = 0; i < sizeof flags; i++) {
        size_t length = make_tcp(&rig, frame, rig.seq, rig.ack, flags[i], 8192, NULL, 0);
        put32(frame + 26, OURS);
        put16(frame + 34, rig.port);
        fix_ipv4(frame);
        fix_tcp(frame, length);
        rig_expect_drop(&rig, frame, length, NET_DROP_IPV4_ADDRESS);
    }
    rig_expect_drop(&rig, frame, make_udp(frame, OURS, 5000, OURS, 5000, "data", 4), NET_DROP_IPV4_ADDRESS);
    size_t length = make_echo(frame, 32);
    put32(frame + 26, OURS);
    fix_ipv4(frame);
    rig_expect_drop(&rig, frame, length, NET_DROP_IPV4_ADDRESS);
}

/* Every value of every byte of the header, one at a time, with a right checksum: nothing is lost by it. */
static void every_header_byte(void **state)
{
    (void)state;
    uint8_t frame[128];
    for (unsigned at = 14; at < 34; at++) {
        for (unsigned value = 0; value < 256; value++) {
            size_t length = make_echo(frame, 64);
            frame[at] = (uint8_t)value;
            if ((frame[14] & 15) >= 5) {
                fix_ipv4(frame);
            }
            rig_receive(&rig, frame, length);
            rig_discard_sent(&rig);
        }
        rig_expect_health(&rig);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ipv4_header),  TEST(ipv4_addresses),
        TEST(ipv4_options), TEST(ipv4_in_ipv4_is_no_protocol_of_ours),
        TEST(land),         TEST(every_header_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
