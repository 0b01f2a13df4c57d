/* The DHCP client against a scripted server (RFC 2131), and hostile input of class DHCP. */
#include "dhcp_server.h"

#include <string.h>

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

static void lease(void **state)
{
    (void)state;
    dhcp_expect(DISCOVER);
    assert_true(last.broadcast && !last.requested && !last.server && !last.client);
    assert_false(net_is_up(&rig.net));
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST); /* SELECTING: options 50 and 54, no ciaddr (table 4) */
    assert_true(last.broadcast && last.requested == OURS && last.server == PEER && !last.client);
    dhcp_answer(ACKNOWLEDGE);
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
    dhcp_expect(DISCOVER);
    for (uint32_t wait = 4000; wait <= 64000; wait *= 2) {
        assert_in_range(dhcp_wait_for(DISCOVER, 70000), wait - 1000, wait + 1000);
    }
    assert_in_range(dhcp_wait_for(DISCOVER, 70000), 63000, 65000);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    for (uint32_t wait = 4000; wait <= 16000; wait *= 2) {
        assert_in_range(dhcp_wait_for(REQUEST, 70000), wait - 1000, wait + 1000);
    }
    dhcp_wait_for(DISCOVER, 40000); /* the server went silent: anew */
    dhcp_bind();
}

static void nak_begins_anew(void **state)
{
    (void)state;
    dhcp_expect(DISCOVER);
    dhcp_answer(NAK); /* nothing was asked: ignored */
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    dhcp_answer_with(NAK, 0, PEER + 7, "", 0); /* of another server: ignored */
    rig_nothing_sent(&rig);
    dhcp_answer_with(NAK, 0, PEER, "", 0);
    dhcp_bind();
    rig_expect_health(&rig);
    rig_run(&rig, 1800000 - 1000);
    rig_discard_sent(&rig);
    rig_run(&rig, 1000);
    rig_resolve(&rig);
    dhcp_wait_for(REQUEST, 2000);
    dhcp_answer_with(NAK, 0, PEER, "", 0);
    assert_false(net_is_up(&rig.net));
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    dhcp_bind();
    rig_expect_health(&rig);
}

static void renewal(void **state) /* 4.4.5 */
{
    (void)state;
    dhcp_bind();
    rig_expect_health(&rig);
    rig_run(&rig, 1800000 - 1);
    rig_discard_sent(&rig);
    rig_run(&rig, 1);
    rig_resolve(&rig); /* the entry has aged out */
    dhcp_wait_for(REQUEST, 5000);
    assert_true(!last.broadcast && last.client == OURS && !last.requested && !last.server);
    static const uint8_t only_lease[] = {51, 4, 0, 0, 14, 16};
    dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, only_lease,
                     sizeof only_lease); /* without router and mask: keeps them */
    assert_int_equal(net_gateway(&rig.net), PEER);
    assert_int_equal(net_netmask(&rig.net), MASK);
    rig_expect_health(&rig); /* on the same connection */
}

static void rebinding_and_expiry(void **state)
{
    (void)state;
    dhcp_bind();
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
            last = dhcp_decode(frame);
            assert_int_equal(last.type, REQUEST);
            *(last.broadcast ? &broadcast : &unicast) += 1;
            assert_true(last.broadcast == (rig.now - start >= 3150000));
        }
    }
    assert_int_equal(rig.now - start, 3600000);
    assert_in_range(unicast, 4, 10);
    assert_in_range(broadcast, 2, 8);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    dhcp_bind();
    rig_expect_health(&rig);
}

static void link_returns(void **state) /* 3.2, INIT-REBOOT */
{
    (void)state;
    dhcp_bind();
    rig_expect_health(&rig);
    net_link(&rig.net, false, rig.now);
    assert_false(net_is_up(&rig.net));
    rig_run(&rig, 5000);
    rig_nothing_sent(&rig);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST);
    assert_true(last.broadcast && last.requested == OURS && !last.server && !last.client);
    assert_false(net_is_up(&rig.net));
    dhcp_answer(ACKNOWLEDGE);
    assert_true(net_is_up(&rig.net));
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    rig_write(&rig, "", 0);
    rig_resolve(&rig);
    rig_expect_health(&rig); /* the connection has lived on */
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST);
    static const uint8_t only_lease[] = {51, 4, 0, 0, 14, 16};
    dhcp_answer_with(ACKNOWLEDGE, OURS + 1, PEER, only_lease,
                     sizeof only_lease); /* another address: the connection ends */
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
}

static void answer_gateway(void)
{
    uint8_t arp[64];
    rig_receive(&rig, arp, make_arp(arp, 2, peer_mac, PEER, OURS));
    rig_discard_sent(&rig);
}

/* The link comes back to where nobody says anything to INIT-REBOOT. */
static void return_unheard(void)
{
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST);
    assert_in_range(dhcp_wait_for(DISCOVER, 10000), 3000, 5000);
    assert_true(last.broadcast && last.requested == OURS && !last.server && !last.client);
    assert_false(net_is_up(&rig.net));
}

static void link_returns_without_server(void **state)
{
    (void)state;
    dhcp_bind();
    rig_expect_health(&rig);
    return_unheard();
    rig_run(&rig, 9000);
    rig_resolve(&rig); /* the gateway is there, and the lease runs: it is used on */
    rig_run(&rig, 20000);
    assert_true(net_is_up(&rig.net));
    rig_expect_health(&rig); /* on the same connection */
}

/* A server that had forgotten us and gives the same address again: connections have waited for it. */
static void link_returns_to_a_forgetful_server(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        dhcp_bind();
        rig_expect_health(&rig);
        return_unheard();
        if (late) { /* a switch takes its time: the gateway is not heard either */
            rig_run(&rig, 9500);
            rig_discard_sent(&rig);
            dhcp_wait_for(DISCOVER, 3000);
            assert_int_equal(last.requested, 0);
            assert_false(net_is_up(&rig.net));
        }
        dhcp_answer(OFFER);
        dhcp_expect(REQUEST);
        assert_true(last.broadcast && last.requested == OURS && last.server == PEER);
        dhcp_answer(ACKNOWLEDGE);
        assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
        answer_gateway();
        rig_expect_health(&rig);
        rig_close(&rig);
        rig_open_dhcp(&rig);
    }
}

/* Another network: the address is another, and nothing is left of the lease of before. */
static void link_returns_elsewhere(void **state)
{
    (void)state;
    static const uint8_t options[] = {51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 0, 0};
    dhcp_bind();
    rig_expect_health(&rig);
    return_unheard();
    dhcp_answer_with(OFFER, 0xAC100005, 0xAC100001, options, sizeof options);
    dhcp_expect(REQUEST);
    assert_true(last.requested == 0xAC100005 && last.server == 0xAC100001);
    dhcp_answer_with(ACKNOWLEDGE, 0xAC100005, 0xAC100001, options, sizeof options);
    assert_int_equal(net_address(&rig.net), 0xAC100005);
    assert_int_equal(net_netmask(&rig.net), 0xFFFF0000);
    assert_int_equal(net_gateway(&rig.net), 0);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
}

/* The link goes while the old gateway is being looked for, and comes back: the lease is asked for again. */
static void link_lost_on_trial(void **state)
{
    (void)state;
    dhcp_bind();
    for (int i = 0; i < 3; i++) {
        return_unheard();
        rig_run(&rig, 9500);
        rig_discard_sent(&rig);
        assert_int_equal(net_address(&rig.net), OURS);
    }
    net_link(&rig.net, false, rig.now);
    rig_run(&rig, 3600000); /* the lease ends */
    rig_nothing_sent(&rig);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(DISCOVER);
    assert_int_equal(last.requested, 0);
}

/* ---- Hostile ---- */

static void expect_ignored(uint8_t type, uint32_t address, uint32_t server, const void *options,
                           size_t length)
{
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_DHCP];
    dhcp_answer_with(type, address, server, options, length);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_DHCP], before + 1);
    rig_nothing_sent(&rig);
    assert_false(net_is_up(&rig.net));
}

static void bad_offers(void **state)
{
    (void)state;
    dhcp_expect(DISCOVER);
    static const uint32_t addresses[] = {0, 0xFFFFFFFF, 0xE0000005, 0x7F000001};
    for (unsigned i = 0; i < 4; i++) {
        expect_ignored(OFFER, addresses[i], PEER, good_options, GOOD_OPTIONS);
    }
    expect_ignored(OFFER, OURS, 0, good_options, GOOD_OPTIONS); /* missing 54 */
    expect_ignored(OFFER, OURS, PEER, good_options, 18);        /* missing 51 */
    expect_ignored(0, OURS, PEER, good_options, GOOD_OPTIONS);  /* missing 53 */
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\0\0", 6);     /* lease 0 */
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\0\1", 6);     /* 1: would be renewed without a pause */
    expect_ignored(ACKNOWLEDGE, OURS, PEER, good_options, GOOD_OPTIONS);
    last.xid ^= 1;
    expect_ignored(OFFER, OURS, PEER, good_options, GOOD_OPTIONS); /* other xid */
    last.xid ^= 1;
    uint8_t dhcp[800];
    size_t length = dhcp_build(dhcp, &(struct dhcp_answer){OFFER, OURS, PEER, good_options, GOOD_OPTIONS});
    dhcp[28] ^= 4; /* other chaddr */
    dhcp_send_raw(dhcp, length);
    rig_nothing_sent(&rig);
    dhcp_bind();
    rig_expect_health(&rig);
}

static void bad_options(void **state)
{
    (void)state;
    dhcp_expect(DISCOVER);
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\1\200", 8); /* length beyond the end */
    expect_ignored(OFFER, OURS, PEER, "\x33\3\0\0\16", 5);          /* wrong lengths */
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\3\5\1\2\3\4\5", 13);
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\6\0", 8);
    expect_ignored(OFFER, OURS, PEER, "\x33\4\0\0\16\20\65\2\2\2", 10);
    uint8_t dhcp[800];
    size_t length = dhcp_build(dhcp, &(struct dhcp_answer){OFFER, OURS, PEER, good_options, GOOD_OPTIONS});
    for (size_t cut = 0; cut < length - 26; cut++) { /* without lease at least */
        dhcp_send_raw(dhcp, cut);
        rig_nothing_sent(&rig);
    }
    dhcp[length - 1] = 0; /* no end option: the message's end is one */
    dhcp_send_raw(dhcp, length);
    dhcp_expect(REQUEST);
}

static void overload(void **state)
{
    (void)state;
    dhcp_expect(DISCOVER);
    uint8_t dhcp[800];
    struct dhcp_answer reply = {OFFER, OURS, PEER, (const uint8_t *)"\x34\1\3", 3};
    size_t length = dhcp_build(dhcp, &reply);
    memcpy(dhcp + 108, "\x33\4\0\0\16\20\x34\1\3",
           9); /* lease in file, and overload again, which means nothing */
    dhcp_send_raw(dhcp, length);
    dhcp_expect(REQUEST);
    memset(dhcp + 44, 77, 64); /* sname: an option that reaches beyond */
    dhcp[242] = ACKNOWLEDGE;
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_DHCP];
    dhcp_send_raw(dhcp, length);
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
        {{51, 4, 0, 0, 0, 2}, MASK},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_close(&rig);
        rig_open_dhcp(&rig);
        dhcp_expect(DISCOVER);
        dhcp_answer_with(OFFER, OURS, PEER, cases[i].options, sizeof cases[i].options);
        dhcp_expect(REQUEST);
        dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, cases[i].options, sizeof cases[i].options);
        assert_true(net_is_up(&rig.net));
        assert_int_equal(net_netmask(&rig.net), cases[i].mask);
        assert_int_equal(net_gateway(&rig.net), 0);
    }
    /* the network's own or its broadcast address is none for a host */
    rig_close(&rig);
    rig_open_dhcp(&rig);
    dhcp_expect(DISCOVER);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    expect_ignored(ACKNOWLEDGE, OURS | 255, PEER, good_options, GOOD_OPTIONS);
    expect_ignored(ACKNOWLEDGE, OURS & MASK, PEER, good_options, GOOD_OPTIONS);
    dhcp_answer(ACKNOWLEDGE);
    rig_expect_health(&rig);
}

static void infinite_lease(void **state)
{
    (void)state;
    static const uint8_t options[] = {51, 4, 255, 255, 255, 255, 1, 4, 255, 255, 255, 0};
    dhcp_expect(DISCOVER);
    dhcp_answer_with(OFFER, OURS, PEER, options, sizeof options);
    dhcp_expect(REQUEST);
    dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, options, sizeof options);
    for (int day = 0; day < 60; day++) {
        rig_run(&rig, 86400000);
        assert_true(net_is_up(&rig.net));
    }
    rig_nothing_sent(&rig);
}

static void two_servers(void **state)
{
    (void)state;
    dhcp_expect(DISCOVER);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    expect_ignored(OFFER, OURS + 9, PEER + 9, good_options, GOOD_OPTIONS);
    expect_ignored(ACKNOWLEDGE, OURS + 9, PEER + 9, good_options, GOOD_OPTIONS);
    dhcp_answer(ACKNOWLEDGE);
    assert_int_equal(net_address(&rig.net), OURS);
}

/* Time in which nobody looks at what is sent. */
static void pass(uint32_t ms)
{
    for (; ms > 1000; ms -= 1000) {
        rig_run(&rig, 1000);
        rig_discard_sent(&rig);
    }
    rig_run(&rig, ms - 1);
    rig_discard_sent(&rig);
    rig_run(&rig, 1);
}

/* NAK where nothing is being asked, and where it is. */
static void nak_in_every_state(void **state)
{
    (void)state;
    dhcp_expect(DISCOVER);
    dhcp_answer_with(NAK, 0, PEER, "", 0); /* SELECTING */
    dhcp_bind();
    rig_expect_health(&rig);
    dhcp_answer_with(NAK, 0, PEER, "", 0); /* BOUND */
    assert_true(net_is_up(&rig.net));
    net_link(&rig.net, false, rig.now);
    dhcp_answer_with(NAK, 0, PEER, "", 0); /* no link */
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST);
    dhcp_answer_with(NAK, 0, PEER + 3, "", 0); /* INIT-REBOOT: any server may know that we have moved */
    assert_false(net_is_up(&rig.net));
    dhcp_bind();
    pass(3150000); /* REBINDING */
    dhcp_wait_for(REQUEST, 400000);
    assert_true(last.broadcast && net_is_up(&rig.net));
    dhcp_answer_with(NAK, 0, PEER + 3, "", 0);
    assert_false(net_is_up(&rig.net));
    dhcp_bind();
    rig_expect_health(&rig);
}

/* Whoever answers in REBINDING is the server from then on (4.4.5). */
static void another_server_at_rebinding(void **state)
{
    (void)state;
    dhcp_bind();
    rig_expect_health(&rig);
    pass(3150000);
    dhcp_wait_for(REQUEST, 400000);
    assert_true(last.broadcast && last.client == OURS && !last.server && !last.requested);
    dhcp_answer_with(ACKNOWLEDGE, OURS, PEER + 5, good_options, GOOD_OPTIONS);
    assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
    pass(1800000);
    const struct frame *frame = rig_sent(&rig); /* the server is unknown to ARP */
    assert_non_null(frame);
    assert_int_equal(get16(frame->bytes + 12), 0x0806);
    assert_int_equal(get32(frame->bytes + 38), PEER + 5);
    rig_discard_sent(&rig);
    uint8_t arp[64];
    rig_receive(&rig, arp, make_arp(arp, 2, peer_mac, PEER + 5, OURS));
    dhcp_wait_for(REQUEST, 5000);
    assert_false(last.broadcast);
}

/* A server that is not even there is not asked for without a pause. */
static void absent_server_at_renewal(void **state)
{
    (void)state;
    dhcp_bind();
    net_link(&rig.net, false, rig.now); /* so that ARP forgets */
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST);
    dhcp_answer(ACKNOWLEDGE);
    unsigned requests = 0;
    for (int second = 0; second < 3100; second++) {
        rig_run(&rig, 1000);
        while (rig_sent(&rig)) {
            requests++;
        }
    }
    assert_in_range(requests, 10, 80);
}

/* A server that changes the address at a renewal: the old one is not used on. */
static void another_address_at_renewal(void **state)
{
    (void)state;
    dhcp_bind();
    rig_expect_health(&rig);
    pass(1800000);
    dhcp_wait_for(REQUEST, 5000);
    dhcp_answer_with(ACKNOWLEDGE, OURS + 1, PEER, good_options, GOOD_OPTIONS);
    assert_int_equal(net_address(&rig.net), OURS + 1);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
}

/* 4.4.1: a lease runs from the request on, however late its answer comes. */
static void lease_runs_from_the_request(void **state)
{
    (void)state;
    static const uint8_t short_lease[] = {51, 4, 0, 0, 0, 60};
    dhcp_expect(DISCOVER);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    rig_run(&rig, 2000);
    dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, short_lease, sizeof short_lease);
    assert_true(net_is_up(&rig.net));
    rig_run(&rig, 57999);
    assert_true(net_is_up(&rig.net));
    rig_run(&rig, 1);
    assert_false(net_is_up(&rig.net));
    rig_discard_sent(&rig);
}

/* What there is of servers of names and of the time, in order; what can be none is left out. */
static void lists_of_servers(void **state)
{
    (void)state;
    static const uint8_t options[] = {51, 4,  0, 0, 14, 16, 6, 20, 0, 0,  0, 0,  10, 0, 0, 7,  224, 0, 0,
                                      1,  10, 0, 0, 8,  10, 0, 0,  9, 42, 8, 10, 0,  0, 5, 10, 0,   0, 6};
    static const uint8_t fewer[] = {51, 4, 0, 0, 14, 16, 6, 4, 10, 0, 0, 8};
    static const uint8_t bad[] = {51, 4, 0, 0, 14, 16, 6, 6, 10, 0, 0, 8, 10, 0};
    dhcp_expect(DISCOVER);
    dhcp_answer_with(OFFER, OURS, PEER, options, sizeof options);
    dhcp_expect(REQUEST);
    uint32_t before = net_statistics(&rig.net)->dropped[NET_DROP_DHCP];
    dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, bad, sizeof bad);
    assert_int_equal(net_statistics(&rig.net)->dropped[NET_DROP_DHCP], before + 1);
    dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, options, sizeof options);
#if NET_DNS_SERVERS > 1 /* of the first three places */
    assert_int_equal(rig.net.dns_servers[0], 0x0A000007);
    assert_int_equal(rig.net.dns_servers[1], 0);
#endif
#if NET_WITH_SNTP
    assert_int_equal(rig.net.ntp_servers[0], 0x0A000005);
    assert_int_equal(rig.net.ntp_servers[1], 0x0A000006);
#endif
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST);
    dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, fewer, sizeof fewer);
    assert_int_equal(net_dns_server(&rig.net), 0x0A000008);
#if NET_WITH_SNTP
    assert_int_equal(rig.net.ntp_servers[1], 0x0A000006); /* kept, as the option is missing */
#endif
}

#if NET_WITH_DNS_SEARCH

/* Option 15: a name is kept, anything else is as if it was not there. */
static void domain(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        size_t length;
        const char *kept;
    } cases[] = {
        {"lan", 3, "lan"},
        {"a-1.Example", 11, "a-1.Example"},
        {"lan.\0", 5, "lan"},
        {"la n", 4, ""},
        {"l\0n", 3, ""},
        {"l\"n", 3, ""},
        {"\303\244", 2, ""},
        {"", 0, ""},
        {"..", 2, ""},
        {"0123456789012345678901234567890123456789012345678901234567890.x", 63,
         "0123456789012345678901234567890123456789012345678901234567890.x"},
        {"01234567890123456789012345678901234567890123456789012345678901.x", 64, ""},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t options[100] = {51, 4, 0, 0, 14, 16, 15, (uint8_t)cases[i].length};
        memcpy(options + 8, cases[i].value, cases[i].length);
        rig_close(&rig);
        rig_open_dhcp(&rig);
        dhcp_expect(DISCOVER);
        dhcp_answer_with(OFFER, OURS, PEER, options, 8 + cases[i].length);
        dhcp_expect(REQUEST);
        dhcp_answer_with(ACKNOWLEDGE, OURS, PEER, options, 8 + cases[i].length);
        assert_true(net_is_up(&rig.net));
        assert_string_equal(rig.net.domain, cases[i].kept);
    }
}

#endif

/* Random options in an otherwise good answer, in every state. */
static void random_options(void **state)
{
    (void)state;
    uint32_t seed = 4711;
    for (int run = 0; run < 5000; run++) {
        uint8_t options[64];
        for (size_t i = 0; i < sizeof options; i++) {
            seed = seed * 1664525 + 1013904223;
            static const uint8_t likely[] = {0, 255, 4, 51, 52, 1, 3, 6};
            options[i] = seed & 0x80000 ? likely[seed >> 24 & 7] : (uint8_t)(seed >> 24);
        }
        uint8_t type = seed >> 28 < 8 ? OFFER : seed >> 28 < 15 ? ACKNOWLEDGE : NAK;
        dhcp_answer_with(type, OURS, PEER, options, seed >> 20 & 63);
        rig_run(&rig, seed >> 18);
        const struct frame *frame;
        while ((frame = dhcp_next_message()) != NULL) {
            last = dhcp_decode(frame);
        }
    }
    net_link(&rig.net, false, rig.now);
    rig_discard_sent(&rig);
    rig_close(&rig);
    rig_open_dhcp(&rig);
    dhcp_bind();
    rig_expect_health(&rig);
}

/* ---- Conflicts: 2.2, 3.1 (5), 4.4.4; RFC 5227 2.1 ---- */

#if NET_WITH_ACD

static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 5};

static void expect_free(void)
{
    uint32_t start = rig.now;
    unsigned probes = 0;
    while (!net_is_up(&rig.net)) {
        uint32_t wait = net_wait_ms(&rig.net, rig.now);
        rig_advance(&rig, wait ? wait : 1);
        assert_true(rig.now - start < 10000);
        const struct frame *frame;
        while (!net_is_up(&rig.net) && (frame = rig_sent(&rig)) != NULL) {
            assert_int_equal(get16(frame->bytes + 12), 0x0806);
            assert_int_equal(get32(frame->bytes + 28), 0);
            assert_int_equal(get32(frame->bytes + 38), OURS);
            probes++;
        }
    }
    assert_int_equal(probes, 3);
    rig_run(&rig, 3000);
    rig_discard_sent(&rig); /* announcements */
}

static void lease_with_probes(void)
{
    rig.net.at_once = false;
    dhcp_wait_for(DISCOVER, 70000);
    dhcp_answer(OFFER);
    dhcp_expect(REQUEST);
    dhcp_answer(ACKNOWLEDGE);
    assert_false(net_is_up(&rig.net));
}

static void hear_of(uint32_t address)
{
    uint8_t arp[64];
    rig_receive(&rig, arp, make_arp(arp, 1, other_mac, address, address));
}

static void probed_before_use(void **state)
{
    (void)state;
    lease_with_probes();
    assert_int_equal(net_gateway(&rig.net), 0); /* nothing of the lease is in use */
    dhcp_answer_with(NAK, 0, PEER, "", 0);      /* nothing is being asked */
    dhcp_answer(ACKNOWLEDGE);
    expect_free();
    assert_int_equal(net_gateway(&rig.net), PEER);
    rig_expect_health(&rig);
    pass(1790000);
    dhcp_wait_for(REQUEST, 5000);
    dhcp_answer(ACKNOWLEDGE); /* the same address: in use all the time */
    assert_true(net_is_up(&rig.net));
    rig_expect_health(&rig);
}

static void declined_if_taken(void **state)
{
    (void)state;
    lease_with_probes();
    uint32_t xid = last.xid;
    rig_run(&rig, 1500);
    rig_discard_sent(&rig);
    rig.fake.full = true; /* it must be said, though later */
    hear_of(OURS);
    rig_run(&rig, 500);
    rig.fake.full = false;
    uint32_t told = dhcp_wait_for(DECLINE, 1000);
    assert_in_range(told, 0, 200);
    assert_true(last.broadcast && last.requested == OURS && last.server == PEER && !last.client);
    assert_int_not_equal(last.xid, xid);
    assert_in_range(dhcp_wait_for(DISCOVER, 20000), 10000, 10001);
    assert_int_equal(last.requested, 0);
    dhcp_answer_with(OFFER, OURS + 1, PEER, good_options, GOOD_OPTIONS);
    dhcp_expect(REQUEST);
    dhcp_answer_with(ACKNOWLEDGE, OURS + 1, PEER, good_options, GOOD_OPTIONS);
    rig_run(&rig, 8000);
    assert_int_equal(net_address(&rig.net), OURS + 1);
    rig_discard_sent(&rig);
}

static void declined_if_lost(void **state)
{
    (void)state;
    lease_with_probes();
    expect_free();
    rig_expect_health(&rig);
    hear_of(OURS); /* is defended once */
    assert_true(net_is_up(&rig.net));
    rig_discard_sent(&rig);
    hear_of(OURS);
    assert_false(net_is_up(&rig.net));
    dhcp_expect(DECLINE);
    assert_true(last.broadcast && last.requested == OURS && last.server == PEER && !last.client);
    assert_int_equal(tcp_error(&rig.tcp), NET_ERROR_ADDRESS);
    lease_with_probes();
    expect_free();
    rig_expect_health(&rig);
}

static void probed_again_on_a_new_link(void **state)
{
    (void)state;
    lease_with_probes();
    expect_free();
    rig_expect_health(&rig);
    for (int answered = 0; answered < 2; answered++) {
        net_link(&rig.net, false, rig.now);
        net_link(&rig.net, true, rig.now);
        rig_poll(&rig);
        dhcp_expect(REQUEST);
        if (answered) {
            dhcp_answer(ACKNOWLEDGE);
        } else {
            dhcp_wait_for(DISCOVER, 6000);
            rig_run(&rig, 9000); /* no server; the lease runs */
            rig_discard_sent(&rig);
            while (net_address(&rig.net) == 0) {
                rig_advance(&rig, net_wait_ms(&rig.net, rig.now));
            }
            answer_gateway();
        }
        rig_run(&rig, 10000);
        assert_int_equal(net_address(&rig.net), OURS);
        assert_int_equal(net_gateway(&rig.net), PEER);
        assert_int_equal(tcp_state(&rig.tcp), TCP_ESTABLISHED);
        rig_discard_sent(&rig);
    }
}

/* Another host has the address in the network where the old gateway is being looked for. */
static void taken_on_trial(void **state)
{
    (void)state;
    lease_with_probes();
    expect_free();
    rig_expect_health(&rig);
    return_unheard();
    rig_run(&rig, 9000);
    rig_discard_sent(&rig);
    while (net_address(&rig.net) == 0) {
        rig_advance(&rig, net_wait_ms(&rig.net, rig.now));
    }
    rig_discard_sent(&rig);
    hear_of(OURS);
    assert_false(net_is_up(&rig.net));
    dhcp_expect(DECLINE);
    assert_in_range(dhcp_wait_for(DISCOVER, 20000), 10000, 10001);
}

/* Nobody is there: what was probed for is not watched on, so that no conflict is told of an address not used.
 */
static void not_watched_after_the_trial(void **state)
{
    (void)state;
    lease_with_probes();
    expect_free();
    return_unheard();
    rig_run(&rig, 20000);
    rig_discard_sent(&rig);
    assert_false(net_is_up(&rig.net));
    hear_of(OURS);
    assert_false(net_address_conflict(&rig.net));
    rig_discard_sent(&rig);
}

static void link_lost_while_probing(void **state)
{
    (void)state;
    lease_with_probes();
    net_link(&rig.net, false, rig.now);
    rig_discard_sent(&rig);
    net_link(&rig.net, true, rig.now);
    rig_poll(&rig);
    dhcp_expect(REQUEST); /* it has a lease */
    assert_true(last.requested == OURS && !last.server);
    dhcp_answer(ACKNOWLEDGE);
    expect_free();
    rig_expect_health(&rig);
}

#endif

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
        TEST(link_returns_to_a_forgetful_server),
        TEST(link_returns_elsewhere),
        TEST(link_lost_on_trial),
        TEST(bad_offers),
        TEST(bad_options),
        TEST(overload),
        TEST(odd_masks_and_times),
        TEST(infinite_lease),
        TEST(two_servers),
        TEST(nak_in_every_state),
        TEST(another_server_at_rebinding),
        TEST(another_address_at_renewal),
        TEST(absent_server_at_renewal),
        TEST(lease_runs_from_the_request),
        TEST(lists_of_servers),
        TEST(random_options),
#if NET_WITH_DNS_SEARCH
        TEST(domain),
#endif
#if NET_WITH_ACD
        TEST(probed_before_use),
        TEST(declined_if_taken),
        TEST(declined_if_lost),
        TEST(probed_again_on_a_new_link),
        TEST(link_lost_while_probing),
        TEST(taken_on_trial),
        TEST(not_watched_after_the_trial),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
