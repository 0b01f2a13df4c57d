/* What has waited while 2^31 frames and more went out, which a flood makes in hours, is not taken for new. */
#include "tcp_case.h"

#include "dhcp_server.h"
#include "net/ping.h"

#include <string.h>

/* So many frames go out, and come back. */
static void send_many(struct fake_device *fake, uint32_t frames)
{
    fake->ticket += frames;
    fake->ticket_done = fake->ticket;
}

static void know_peer(struct rig *of)
{
    uint8_t frame[64];
    rig_receive(of, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(of);
}

static const uint32_t many[] = {0x7FFFFFFFU, 0x80000001U, 0x80000000U, 0xC0000000U, 0xFFFF0000U};
enum { FLOODS = sizeof many / sizeof *many };

static void names_are_asked_for(void **state)
{
    (void)state;
    know_peer(&lab);
    for (unsigned i = 0; i < FLOODS; i++) {
        send_many(&lab.fake, many[i]);
        rig_discard_sent(&lab);
        assert_int_equal(dns_start(&lab.net, "broker.example", lab.now), NET_OK);
        rig_poll(&lab);
        const struct frame *query = rig_sent(&lab);
        assert_non_null(query);
        assert_int_equal(get16(query->bytes + 36), 53);
        dns_cancel(&lab.net);
    }
}

/* Even if their number comes round to where the last query was sent, over hours. */
static void as_many_as_can_be_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        send_many(&lab.fake, 0x3FFFFFFE);
        rig_run(&lab, 5000000);
        rig_discard_sent(&lab);
    }
    know_peer(&lab);
    assert_int_equal(dns_start(&lab.net, "broker.example", lab.now), NET_OK);
    rig_poll(&lab);
    assert_non_null(rig_sent(&lab));
    dns_cancel(&lab.net);
}

static void lease_is_renewed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FLOODS; i++) {
        rig_open_dhcp(&rig);
        dhcp_bind();
        know_peer(&rig);
        send_many(&rig.fake, many[i]);
        assert_in_range(dhcp_wait_for(REQUEST, 1900000), 1700000, 1900000);
        rig_close(&rig);
    }
}

static void payloads_are_free(void **state)
{
    (void)state;
    struct udp_socket udp;
    know_peer(&lab);
    assert_int_equal(udp_open(&udp, &lab.net, 5000), NET_OK);
    for (unsigned i = 0; i < FLOODS; i++) {
        send_many(&lab.fake, many[i]);
        assert_false(udp_busy(&udp));
        assert_int_equal(udp_send(&udp, PEER, 9, pattern, 1000), NET_OK);
    }
    udp_close(&udp);
    send_many(&lab.fake, 0xE0000000U);
    assert_false(udp_busy(&udp));
    rig_discard_sent(&lab);
}

#if NET_WITH_PING
static void pings_are_free(void **state)
{
    (void)state;
    struct ping ping;
    ping_open(&ping, &lab.net);
    for (unsigned i = 0; i < FLOODS; i++) {
        assert_false(ping_busy(&ping));
        send_many(&lab.fake, many[i]);
        assert_false(ping_busy(&ping));
        send_many(&lab.fake, 1U - many[i]);
    }
    ping_close(&ping);
}
#endif

/* What was queued and never sent is nobody's when the connection has ended. */
static void ring_is_free_after_an_attempt(void **state)
{
    (void)state;
    struct tcp_span room[2];
    for (unsigned i = 0; i < FLOODS; i++) {
        send_many(&lab.fake, many[i]);
        assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_OK);
        tcp_commit(&lab.tcp, 1000);
        tcp_abort(&lab.tcp);
        rig_run(&lab, 1000);
        rig_discard_sent(&lab);
        assert_int_equal(tcp_connect(&lab.tcp, PEER, BROKER, lab.now), NET_OK);
        assert_int_equal(tcp_reserve(&lab.tcp, room), 4096);
        tcp_abort(&lab.tcp);
        rig_discard_sent(&lab);
    }
}

/* The device may take its time with many frames, all the same. */
static void what_is_lent_stays_lent(void **state)
{
    (void)state;
    struct udp_socket udp;
    know_peer(&lab);
    assert_int_equal(udp_open(&udp, &lab.net, 5000), NET_OK);
    rig_discard_sent(&lab);
    lab.fake.keeps = true;
    for (unsigned i = 0; i < RIG_QUEUE - 1; i++) {
        assert_int_equal(udp_send(&udp, PEER, 9, pattern, 1000), NET_OK);
        assert_true(udp_busy(&udp));
        lab.fake.ticket_done += i % 2; /* half of them leave meanwhile */
        assert_true(udp_busy(&udp));
    }
    lab.fake.ticket_done = lab.fake.ticket - 1;
    assert_true(udp_busy(&udp));
    lab.fake.ticket_done = lab.fake.ticket;
    assert_false(udp_busy(&udp));
    udp_close(&udp);
    rig_discard_sent(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_asked_for),
        TEST(as_many_as_can_be_counted),
        cmocka_unit_test(lease_is_renewed),
        TEST(payloads_are_free),
#if NET_WITH_PING
        TEST(pings_are_free),
#endif
        TEST(ring_is_free_after_an_attempt),
        TEST(what_is_lent_stays_lent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
