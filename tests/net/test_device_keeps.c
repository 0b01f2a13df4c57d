/*
 * A device that is slow to send: memory that it still reads from stays as it is, and nobody is kept awake for
 * that, or for what has ended.
 */
#include "dhcp_server.h"
#include "net/ping.h"
#include "tcp_case.h"

#include <stdlib.h>
#include <string.h>

enum { COPIED = NET_DEVICE_HEADER_MAX - 42, HOUR_MS = 3600000 };

static void expect_unchanged(const struct fake_device *fake)
{
    for (unsigned i = 0; i < fake->kept; i++) {
        assert_memory_equal(fake->kept_payload[i], fake->kept_copy[i], fake->kept_length[i]);
    }
}

static void give_back_all(struct fake_device *fake)
{
    expect_unchanged(fake);
    fake->keeps = false;
    fake->ticket_done = fake->ticket;
}

static unsigned count_sent(struct rig *of)
{
    unsigned count = 0;
    while (rig_sent(of)) {
        count++;
    }
    return count;
}

/* The message being sent is not written over by the next one. */
static void dhcp_waits(void **state)
{
    (void)state;
    rig_open_dhcp(&rig);
    rig_discard_sent(&rig);
    rig.fake.keeps = true;
    net_link(&rig.net, false, rig.now);
    net_link(&rig.net, true, rig.now);
    rig_run(&rig, 14000); /* before there is a link-local address */
    assert_int_equal(count_sent(&rig), 1);
    give_back_all(&rig.fake);
    rig_run(&rig, 100);
    dhcp_expect(DISCOVER);
    rig_close(&rig);
}

static void dns_waits(void **state)
{
    (void)state;
    uint8_t frame[64];
    rig_receive(&lab, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    rig_discard_sent(&lab);
    lab.fake.keeps = true;
    assert_int_equal(dns_start(&lab.net, "one.example", lab.now), NET_OK);
    rig_run(&lab, 10);
    assert_int_equal(dns_start(&lab.net, "other.example", lab.now), NET_OK);
    rig_run(&lab, 5000);
    assert_int_equal(count_sent(&lab), 1);
    give_back_all(&lab.fake);
    rig_run(&lab, 20);
    const struct frame *query = rig_sent(&lab);
    assert_non_null(query);
    assert_memory_equal(query->bytes + 54, "\5other", 6);
    dns_cancel(&lab.net);
}

/* A new connection does not write where the last one's data are still read from. */
static void next_connection(void **state)
{
    (void)state;
    rig_connect(&lab);
    lab.fake.keeps = true;
    rig_write(&lab, pattern, 100);
    tcp_abort(&lab.tcp);
    rig_discard_sent(&lab);
    rig_connect(&lab);
    rig_write(&lab, pattern + 1000, 4096 - 100);
    rig_discard_sent(&lab);
    give_back_all(&lab.fake);
    tcp_abort(&lab.tcp);
    rig_discard_sent(&lab);
}

static void ring_is_free_without_being_asked(void **state)
{
    (void)state;
    rig_connect(&lab);
    lab.fake.keeps = true;
    rig_write(&lab, pattern, 100);
    lab.ack += 100;
    ack_from_peer(8192);
    give_back_all(&lab.fake);
    rig_run(&lab, 2000); /* so has ARP */
    assert_true(net_wait_ms(&lab.net, lab.now) > HOUR_MS / 60);
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

/* What is short is copied, to the byte that net/udp.h and net/ping.h name. */
static void short_payloads_are_copied(void **state)
{
    (void)state;
    struct udp_socket udp;
    uint8_t frame[64];
    rig_receive(&lab, frame, make_arp(frame, 1, peer_mac, PEER, OURS));
    assert_int_equal(udp_open(&udp, &lab.net, 5000), NET_OK);
    lab.fake.keeps = true;
    assert_int_equal(udp_send(&udp, PEER, 9, pattern, COPIED), NET_OK);
    assert_false(udp_busy(&udp));
    assert_int_equal(udp_send(&udp, PEER, 9, pattern, COPIED + 1), NET_OK);
    assert_true(udp_busy(&udp));
#if NET_WITH_PING
    struct ping ping;
    ping_open(&ping, &lab.net);
    assert_true(ping_send(&ping, PEER, pattern, COPIED, lab.now) >= 0);
    assert_false(ping_busy(&ping));
    assert_true(ping_send(&ping, PEER, pattern, COPIED + 1, lab.now) >= 0);
    assert_true(ping_busy(&ping));
    ping_close(&ping);
#endif
    give_back_all(&lab.fake);
    assert_false(udp_busy(&udp));
    udp_close(&udp);
    rig_discard_sent(&lab);
}

/* A socket that was closed with a datagram unread may be gone by the next poll. */
static void closed_with_a_datagram_unread(void **state)
{
    (void)state;
    struct udp_socket *udp = malloc(sizeof *udp);
    uint8_t frame[256];
    assert_int_equal(udp_open(udp, &lab.net, 5000), NET_OK);
    rig_receive(&lab, frame, make_udp(frame, PEER, 9, OURS, 5000, "hello", 5));
    udp_close(udp);
    memset(udp, 0x77, sizeof *udp);
    struct udp_socket before = *udp;
    rig_poll(&lab);
    assert_memory_equal(udp, &before, sizeof before);
    free(udp);
    rig_expect_health(&lab);
}

/* ---- Who wakes us ---- */

static void closed_socket_keeps_nobody_awake(void **state)
{
    (void)state;
    rig_connect(&lab);
    tcp_abort(&lab.tcp);
    tcp_set_timeouts(&lab.tcp, 0, 5000); /* keep-alive */
    rig_run(&lab, 400000);               /* the neighbour's entry ages, too */
    rig_discard_sent(&lab);
    assert_true(net_wait_ms(&lab.net, lab.now) > HOUR_MS);
}

static void late_is_at_once(void **state)
{
    (void)state;
    begin_connect();
    rig_discard_sent(&lab);
    assert_in_range(net_wait_ms(&lab.net, lab.now), 1, 1000);
    tcp_abort(&lab.tcp);
    rig_poll(&lab);
    uint32_t next = net_wait_ms(&lab.net, lab.now); /* of the neighbours */
    assert_int_equal(net_wait_ms(&lab.net, lab.now + next), 0);
    assert_int_equal(net_wait_ms(&lab.net, lab.now + next + 1), 0);
    assert_int_equal(net_wait_ms(&lab.net, lab.now + next + HOUR_MS), 0);
    rig_discard_sent(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dhcp_waits),
        TEST(dns_waits),
        TEST(next_connection),
        TEST(ring_is_free_without_being_asked),
        TEST(short_payloads_are_copied),
        TEST(closed_with_a_datagram_unread),
        TEST(closed_socket_keeps_nobody_awake),
        TEST(late_is_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
