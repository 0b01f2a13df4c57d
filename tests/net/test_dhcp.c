/* The DHCP client against a scripted server (RFC 2131), and hostile input of class DHCP. */
#include "rig.h"

#include <string.h>

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACKNOWLEDGE = 5, NAK = 6 };

static struct rig rig;

struct message {
    uint32_t xid, client, requested, server;
    uint8_t type;
    bool broadcast;
};

static struct message last;

static int setup(void **state)
{
    (void)state;
    rig_open_dhcp(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static struct message decode(const struct frame *frame)
{
    const uint8_t *dhcp = frame->bytes + 42;
    assert_int_equal(get16(frame->bytes + 34), 68);
    assert_int_equal(get16(frame->bytes + 36), 67);
    assert_true(frame->length >= 42 + 300);
    assert_int_equal(get32(dhcp), 0x01010600);
    assert_memory_equal(dhcp + 28, our_mac, 6);
    assert_int_equal(get32(dhcp + 236), 0x63825363);
    struct message message = {.xid = get32(dhcp + 4), .client = get32(dhcp + 12)};
    message.broadcast = memcmp(frame->bytes, everyone, 6) == 0;
    bool parameters = false, name = false;
    size_t at = 240;
    for (; dhcp[at] != 255; at += 2U + dhcp[at + 1]) {
        assert_true(42 + at + 2 + dhcp[at + 1] < frame->length);
        switch (dhcp[at]) {
        case 53: message.type = dhcp[at + 2]; break;
        case 50: message.requested = get32(dhcp + at + 2); break;
        case 54: message.server = get32(dhcp + at + 2); break;
        case 55: parameters = true; break;
        case 12: name = dhcp[at + 1] == 11 && memcmp(dhcp + at + 2, "mote-000002", 11) == 0; break;
        default: fail();
        }
    }
    assert_true(parameters && name);
    return message;
}

static void expect(uint8_t type)
{
    const struct frame *frame = rig_sent(&rig);
    assert_non_null(frame);
    last = decode(frame);
    assert_int_equal(last.type, type);
}

static uint32_t wait_for(uint8_t type, uint32_t limit)
{
    uint32_t start = rig.now;
    while (rig.fake.sent_head == rig.fake.sent_tail && rig.now - start <= limit) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now);
        rig_advance(&rig, wait ? wait : 1);
    }
    expect(type);
    return rig.now - start;
}

static const uint8_t good_options[] = {1, 4, 255, 255, 255, 0, 3,  4, 10, 0, 0,  1,
                                       6, 4, 10,  0,   0,   1, 51, 4, 0,  0, 14, 16};

struct reply {
    uint8_t type;
    uint32_t address, server; /* server 0: no option */
    const uint8_t *options;
    size_t length;
};

static size_t build(uint8_t *dhcp, const struct reply *reply)
{
    memset(dhcp, 0, 600);
    put32(dhcp, 0x02010600);
    put32(dhcp + 4, last.xid);
    put32(dhcp + 16, reply->address);
    memcpy(dhcp + 28, our_mac, 6);
    put32(dhcp + 236, 0x63825363);
    size_t at = 240;
    if (reply->type) {
        dhcp[at++] = 53;
        dhcp[at++] = 1;
        dhcp[at++] = reply->type;
    }
    if (reply->server) {
        dhcp[at++] = 54;
        dhcp[at++] = 4;
        put32(dhcp + at, reply->server);
        at += 4;
    }
    memcpy(dhcp + at, reply->options, reply->length);
    at += reply->length;
    dhcp[at++] = 255;
    return at;
}

static void send_raw(const uint8_t *dhcp, size_t length)
{
    uint8_t frame[1600];
    rig_receive(&rig, frame, make_udp(frame, PEER, 67, OURS, 68, dhcp, length));
}

static void answer_with(uint8_t type, uint32_t address, uint32_t server, const void *options, size_t length)
{
    uint8_t dhcp[800];
    send_raw(dhcp, build(dhcp, &(struct reply){type, address, server, options, length}));
}

static void answer(uint8_t type)
{
    answer_with(type, OURS, PEER, good_options, sizeof good_options);
}

static void bind(void)
{
    wait_for(DISCOVER, 5000);
    answer(OFFER);
    expect(REQUEST);
    answer(ACKNOWLEDGE);
    assert_true(net_is_up(&rig.net));
}

static void lease(void **state)
{
    (void)state;
    expect(DISCOVER);
    assert_true(last.broadcast && !last.requested && !last.server && !last.client);
    assert_false(net_is_up(&rig.net));
    answer(OFFER);
    expect(REQUEST); /* SELECTING: options 50 and 54, no ciaddr (table 4) */
    assert_true(last.broadcast && last.requested == OURS && last.server == PEER && !last.client);
    answer(ACKNOWLEDGE);
    assert_int_equal(net_address(&rig.net), OURS);
    assert_int_equal(net_netmask(&rig.net), MASK);
    assert_int_equal(net_gateway(&rig.net), PEER);
    assert_int_equal(net_dns_server(&rig.net), PEER);
    rig_nothing_sent(&rig);
    rig_expect_health(&rig);
}

static void back_off(void **state) /* 4.1 */
{
    (void)state;
    expect(DISCOVER);
    for (uint32_t wait = 4000; wait <= 64000; wait *= 2) {
        assert_in_range(wait_for(DISCOVER, 70000), wait - 1000, wait + 1000);
    }
    assert_in_range(wait_for(DISCOVER, 70000), 63000, 65000);
    answer(OFFER);
    expect(REQUEST);
    for (uint32_t wait = 4000; wait <= 16000; wait *= 2) {
        assert_in_range(wait_for(REQUEST, 70000), wait - 1000, wait + 1000);
    }
    wait_for(DISCOVER, 40000); /* the server went silent: anew */
    bind();
}

static void nak_begins_anew(void **state)
{
    (void)state;
    expect(DISCOVER);
    answer(NAK); /* nothing was asked: ignored */
    answer(OFFER);
    expect(REQUEST);
    answer_with(NAK, 0, PEER + 7, "", 0); /* of another server: ignored */
    rig_nothing_sent(&rig);
    answer_with(NAK, 0, PEER, "", 0);
    bind();
    rig_expect_health(&rig);
    rig_run(&rig, 1800000 - 1000);
    rig_discard_sent(&rig);
    rig_run(&rig, 1000);
    rig_resolve(&rig);
    wait_for(REQUEST, 2000);
    answer_with(NAK, 0, PEER, "", 0);
    assert_false(net_is_up(&rig.net));
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    bind();
    rig_expect_health(&rig);
}

static void renewal(void **state) /* 4.4.5 */
{
    (void)state;
    bind();
    rig_expect_health(&rig);
    rig_run(&rig, 1800000 - 1);
    rig_discard_sent(&rig);
    rig_run(&rig, 1);
    rig_resolve(&rig); /* the entry has aged out */
    wait_for(REQUEST, 5000);
    assert_true(!last.broadcast && last.client == OURS && !last.requested && !last.server);
    static const uint8_t only_lease[] = {51, 4, 0, 0, 14, 16};
    answer_with(ACKNOWLEDGE, OURS, PEER, only_lease,
                sizeof only_lease); /* without router and mask: keeps them */
    assert_int_equal(net_gateway(&rig.net), PEER);
    assert_int_equal(net_netmask(&rig.net), MASK);
    rig_expect_health(&rig); /* on the same connection */
}

static void rebinding_and_expiry(void **state)
{
    (void)state;
    bind();
    rig_expect_health(&rig);
    uint32_t start = rig.now;
    unsigned unicast = 0, broadcast = 0;
    while (net_is_up(&rig.net)) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now);
        rig_advance(&rig, wait ? wait : 1);
        const struct frame *frame;
        while (net_is_up(&rig.net) && (frame = rig_sent(&rig)) != NULL) {
            if (get16(frame->bytes + 12) == 0x0806) {
                uint8_t arp[64];
                rig_receive(&rig, arp, make_arp(arp, 2, peer_mac, PEER, OURS));
                continue;
            }
            last = decode(frame);
            assert_int_equal(last.type, REQUEST);
            *(last.broadcast ? &broadcast : &unicast) += 1;
            assert_true(last.broadcast == (rig.now - start >= 3150000));
        }
    }
    assert_int_equal(rig.now - start, 3600000);
    assert_in_range(unicast, 4, 10);
    assert_in_range(broadcast, 2, 8);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    bind();
    rig_expect_health(&rig);
}

static void link_returns(void **state) /* 3.2, INIT-REBOOT */
{
    (void)state;
    bind();
    rig_expect_health(&rig);
    net_link(&rig.net, false, rig.now);
    assert_false(net_is_up(&rig.net));
    rig_run(&rig, 5000);
    rig_nothing_sent(&rig);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    expect(REQUEST);
    assert_true(last.broadcast && last.requested == OURS && !last.server && !last.client);
    assert_false(net_is_up(&rig.net));
    answer(ACKNOWLEDGE);
    assert_true(net_is_up(&rig.net));
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_write(&rig, "", 0);
    rig_resolve(&rig);
    rig_expect_health(&rig); /* the connection has lived on */
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    expect(REQUEST);
    static const uint8_t only_lease[] = {51, 4, 0, 0, 14, 16};
    answer_with(ACKNOWLEDGE, OURS + 1, PEER, only_lease,
                sizeof only_lease); /* another address: the connection ends */
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
}

static void link_returns_without_server(void **state)
{
    (void)state;
    bind();
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    expect(REQUEST);
    wait_for(REQUEST, 10000);
    rig_run(&rig, 20000); /* the lease runs: it is used on */
    assert_true(net_is_up(&rig.net));
    rig_expect_health(&rig);
}

/* ---- Hostile ---- */

static void expect_ignored(uint8_t type, uint32_t address, uint32_t server, const void *options,
                           size_t length)
{
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_DHCP];
    answer_with(type, address, server, options, length);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_DHCP], before + 1);
    rig_nothing_sent(&rig);
    assert_false(net_is_up(&rig.net));
}

static void bad_offers(void **state)
{
    (void)state;
    expect(DISCOVER);
    static const uint32_t addresses[] = {0, 0xFFFFFFFF, 0xE0000005, 0x7F000001};
    for (unsigned i = 0; i < 4; i++) {
        expect_ignored(OFFER, addresses[i], PEER, good_options, sizeof good_options);
    }
    expect_ignored(OFFER, OURS, 0, good_options, sizeof good_options); /* missing 54 */
    expect_ignored(OFFER, OURS, PEER, good_options, 18);               /* missing 51 */
    expect_ignored(0, OURS, PEER, good_options, sizeof good_options);  /* missing 53 */
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\0\0", 6);            /* lease 0 */
    expect_ignored(ACKNOWLEDGE, OURS, PEER, good_options, sizeof good_options);
    last.xid ^= 1;
    expect_ignored(OFFER, OURS, PEER, good_options, sizeof good_options); /* other xid */
    last.xid ^= 1;
    uint8_t dhcp[800];
    size_t length = build(dhcp, &(struct reply){OFFER, OURS, PEER, good_options, sizeof good_options});
    dhcp[28] ^= 4; /* other chaddr */
    send_raw(dhcp, length);
    rig_nothing_sent(&rig);
    bind();
    rig_expect_health(&rig);
}

static void bad_options(void **state)
{
    (void)state;
    expect(DISCOVER);
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\1\200", 8); /* length beyond the end */
    expect_ignored(OFFER, OURS, PEER, "\x33\3\0\0\16", 5);          /* wrong lengths */
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\3\5\1\2\3\4\5", 13);
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\6\0", 8);
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\65\2\2\2", 10);
    uint8_t dhcp[800];
    size_t length = build(dhcp, &(struct reply){OFFER, OURS, PEER, good_options, sizeof good_options});
    for (size_t cut = 0; cut < length - 26; cut++) { /* without lease at least */
        send_raw(dhcp, cut);
        rig_nothing_sent(&rig);
    }
    dhcp[length - 1] = 0; /* no end option: the message's end is one */
    send_raw(dhcp, length);
    expect(REQUEST);
}

static void overload(void **state)
{
    (void)state;
    expect(DISCOVER);
    uint8_t dhcp[800];
    struct reply reply = {OFFER, OURS, PEER, (const uint8_t *)"\x34\1\3", 3};
    size_t length = build(dhcp, &reply);
    memcpy(dhcp + 108, "\x33\4\0\0\16\20\x34\1\3",
           9); /* lease in file, and overload again, which means nothing */
    send_raw(dhcp, length);
    expect(REQUEST);
    memset(dhcp + 44, 77, 64); /* sname: an option that reaches beyond */
    dhcp[242] = ACKNOWLEDGE;
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_DHCP];
    send_raw(dhcp, length);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_DHCP], before + 1);
    assert_false(net_is_up(&rig.net));
}

static void odd_masks_and_times(void **state)
{
    (void)state;
    static const struct {
        uint8_t options[24];
        uint32_t mask;
    } cases[] = {
        {{51, 4, 0, 0, 14, 16, 1, 4, 0, 0, 0, 0}, MASK},
        {{51, 4, 0, 0, 14, 16, 1, 4, 255, 0, 255, 0}, MASK},
        {{51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 255, 255}, 0xFFFFFFFF},
        {{51, 4, 0, 0, 14, 16, 58, 4, 0, 0, 14, 0, 59, 4, 0, 0, 1, 0}, MASK}, /* T1 > T2 */
        {{51, 4, 0, 0, 0, 100, 58, 4, 0, 0, 1, 0, 59, 4, 0, 0, 2, 0}, MASK},  /* both beyond the lease */
        {{51, 4, 255, 255, 255, 255}, MASK},
        {{51, 4, 255, 255, 255, 254}, MASK},
        {{51, 4, 0, 0, 0, 1}, MASK},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_close(&rig);
        rig_open_dhcp(&rig);
        expect(DISCOVER);
        answer_with(OFFER, OURS, PEER, cases[i].options, sizeof cases[i].options);
        expect(REQUEST);
        answer_with(ACKNOWLEDGE, OURS, PEER, cases[i].options, sizeof cases[i].options);
        assert_true(net_is_up(&rig.net));
        assert_int_equal(net_netmask(&rig.net), cases[i].mask);
        assert_int_equal(net_gateway(&rig.net), 0);
    }
    /* the network's own or its broadcast address is none for a host */
    rig_close(&rig);
    rig_open_dhcp(&rig);
    expect(DISCOVER);
    answer(OFFER);
    expect(REQUEST);
    expect_ignored(ACKNOWLEDGE, OURS | 255, PEER, good_options, sizeof good_options);
    expect_ignored(ACKNOWLEDGE, OURS & MASK, PEER, good_options, sizeof good_options);
    answer(ACKNOWLEDGE);
    rig_expect_health(&rig);
}

static void infinite_lease(void **state)
{
    (void)state;
    static const uint8_t options[] = {51, 4, 255, 255, 255, 255, 1, 4, 255, 255, 255, 0};
    expect(DISCOVER);
    answer_with(OFFER, OURS, PEER, options, sizeof options);
    expect(REQUEST);
    answer_with(ACKNOWLEDGE, OURS, PEER, options, sizeof options);
    for (int day = 0; day < 60; day++) {
        rig_run(&rig, 86400000);
        assert_true(net_is_up(&rig.net));
    }
    rig_nothing_sent(&rig);
}

static void two_servers(void **state)
{
    (void)state;
    expect(DISCOVER);
    answer(OFFER);
    expect(REQUEST);
    expect_ignored(OFFER, OURS + 9, PEER + 9, good_options, sizeof good_options);
    expect_ignored(ACKNOWLEDGE, OURS + 9, PEER + 9, good_options, sizeof good_options);
    answer(ACKNOWLEDGE);
    assert_int_equal(net_address(&rig.net), OURS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(lease),
        TEST(back_off),
        TEST(nak_begins_anew),
        TEST(renewal),
        TEST(rebinding_and_expiry),
        TEST(link_returns),
        TEST(link_returns_without_server),
        TEST(bad_offers),
        TEST(bad_options),
        TEST(overload),
        TEST(odd_masks_and_times),
        TEST(infinite_lease),
        TEST(two_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
