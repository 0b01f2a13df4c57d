/* What is open is opened again: it begins anew, and stays in its list once. */
#include "tcp_case.h"

#include "net/ping.h"
#include "net/tcp_listen.h"

#include <string.h>

/* Every list ends, and all who are in it are found. */
static void expect_lists(unsigned tcp, unsigned udp)
{
    for (const struct tcp_socket *s = lab.net.tcp_sockets; s; s = s->next) {
        assert_true(tcp-- != 0);
    }
    for (const struct udp_socket *s = lab.net.udp_sockets; s; s = s->next) {
        assert_true(udp-- != 0);
    }
    assert_int_equal(tcp, 0);
    assert_int_equal(udp, 0);
    rig_discard_sent(&lab);
    rig_advance(&lab, 1000);
    (void)net_wait_ms(&lab.net, lab.now);
}

static void datagram_to(uint16_t port, struct udp_socket *socket)
{
    uint8_t frame[128];
    struct udp_datagram datagram;
    rig_receive(&lab, frame, make_udp(frame, PEER, 7, OURS, port, "data", 4));
    assert_true(udp_receive(socket, &datagram));
}

static void udp_socket(void **state)
{
    (void)state;
    struct udp_socket a, b, c;
    memset(&a, 0xA5, sizeof a); /* as it may be before it is open */
    assert_int_equal(udp_open(&a, &lab.net, 5000), NET_OK);
    assert_int_equal(udp_open(&b, &lab.net, 5001), NET_OK);
    assert_int_equal(udp_open(&c, &lab.net, 5002), NET_OK);
    struct udp_socket *sockets[] = {&a, &b, &c};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(udp_open(sockets[i], &lab.net, (uint16_t)(6000 + i)), NET_OK);
        assert_int_equal(udp_open(sockets[i], &lab.net, (uint16_t)(6000 + i)), NET_OK); /* its own */
        expect_lists(1, 3);
        datagram_to((uint16_t)(6000 + i), sockets[i]);
    }
    assert_int_equal(udp_open(&a, &lab.net, 6001), NET_ERROR_PORT_IN_USE); /* and stays as it was */
    assert_int_equal(udp_open(&a, &lab.net, 68), NET_ERROR_ARGUMENT);
    assert_int_equal(udp_port(&a), 6000);
    for (unsigned i = 0; i < 3; i++) {
        datagram_to((uint16_t)(6000 + i), sockets[i]);
    }
    uint8_t frame[128];
    struct udp_datagram datagram;
    rig_receive(&lab, frame, make_udp(frame, PEER, 7, OURS, 6000, "data", 4));
    assert_int_equal(udp_open(&a, &lab.net, 6000), NET_OK); /* with a datagram unread */
    assert_false(udp_receive(&a, &datagram));
    for (unsigned i = 0; i < 3; i++) {
        udp_close(sockets[i]);
        udp_close(sockets[i]);
        expect_lists(1, 2 - i);
    }
    rig_expect_health(&lab);
}

/* What comes to that port is for the query. */
static void port_of_a_query(void **state)
{
    (void)state;
    struct udp_socket socket;
    assert_int_equal(dns_start(&lab.net, "broker.example", lab.now), NET_OK);
    uint16_t port = lab.net.dns[0].port;
    assert_int_equal(udp_open(&socket, &lab.net, port), NET_ERROR_PORT_IN_USE);
    dns_cancel(&lab.net);
    assert_int_equal(udp_open(&socket, &lab.net, port), NET_OK);
    datagram_to(port, &socket);
    udp_close(&socket);
}

static void tcp_socket(void **state)
{
    (void)state;
    struct tcp_socket other;
    uint8_t tx[256], rx[256];
    memset(&other, 0xA5, sizeof other);
    tcp_init(&other, &lab.net, tx, sizeof tx, rx, sizeof rx);
    expect_lists(2, 0);
    rig_connect(&lab);
    tcp_init(&lab.tcp, &lab.net, lab.tx, 4096, lab.rx, 4096); /* in the midst of a connection */
    tcp_init(&other, &lab.net, tx, sizeof tx, rx, sizeof rx);
    tcp_init(&other, &lab.net, tx, sizeof tx, rx, sizeof rx);
    expect_lists(2, 0);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    rig_segment(&lab, lab.seq, lab.ack, ACK | PSH, 8192, "data", 4); /* the peer is told when it asks */
    rig_expect_segment(&lab, RST);
    rig_expect_health(&lab);
}

/* The borrowed frame has bytes for it. */
static void tcp_socket_with_unread_bytes(void **state)
{
    (void)state;
    const uint8_t *data;
    rig_connect(&lab);
    rig_segment(&lab, lab.seq, lab.ack, ACK | PSH, 8192, "data", 4);
    tcp_init(&lab.tcp, &lab.net, lab.tx, 4096, lab.rx, 4096);
    assert_int_equal(tcp_peek(&lab.tcp, &data), 0);
    rig_poll(&lab);
    assert_int_equal(tcp_peek(&lab.tcp, &data), 0);
    rig_discard_sent(&lab);
    rig_expect_health(&lab);
}

#if NET_WITH_PING
static void ping(void **state)
{
    (void)state;
    struct ping a, b;
    ping_open(&a, &lab.net);
    ping_open(&b, &lab.net);
    for (unsigned i = 0; i < 3; i++) {
        ping_open(i % 2 ? &b : &a, &lab.net);
        unsigned count = 0;
        for (const struct ping *p = lab.net.pings; p; p = p->next) {
            assert_true(++count <= 2);
        }
        assert_int_equal(count, 2);
        assert_int_not_equal(a.id, b.id);
    }
    ping_close(&a);
    ping_close(&a);
    ping_close(&b);
    assert_null(lab.net.pings);
}
#endif

#if NET_WITH_TCP_LISTEN
static void listener(void **state)
{
    (void)state;
    struct tcp_listener a, b;
    memset(&a, 0xA5, sizeof a);
    assert_int_equal(tcp_listen(&a, &lab.net, 80, 4096), NET_OK);
    assert_int_equal(tcp_listen(&b, &lab.net, 81, 4096), NET_OK);
    assert_int_equal(tcp_accept(&a, &lab.tcp, lab.now), NET_OK);
    assert_int_equal(tcp_listen(&a, &lab.net, 81, 4096), NET_ERROR_PORT_IN_USE); /* and listens on */
    assert_int_equal(tcp_listen(&a, &lab.net, 0, 4096), NET_ERROR_ARGUMENT);
    assert_int_equal(tcp_state(&lab.tcp), TCP_LISTEN);
    assert_int_equal(tcp_listen(&a, &lab.net, 80, 2048), NET_OK);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED); /* as with tcp_unlisten */
    assert_int_equal(tcp_listen(&b, &lab.net, 82, 2048), NET_OK);
    unsigned count = 0;
    for (const struct tcp_listener *l = lab.net.tcp_listeners; l; l = l->next) {
        assert_true(++count <= 2);
    }
    assert_int_equal(count, 2);
    assert_int_equal(tcp_accept(&a, &lab.tcp, lab.now), NET_OK);
    rig_advance(&lab, 1000);
    tcp_unlisten(&a);
    tcp_unlisten(&a);
    tcp_unlisten(&b);
    assert_null(lab.net.tcp_listeners);
    assert_int_equal(tcp_state(&lab.tcp), TCP_CLOSED);
    rig_expect_health(&lab);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(udp_socket),
        TEST(port_of_a_query),
        TEST(tcp_socket),
        TEST(tcp_socket_with_unread_bytes),
#if NET_WITH_PING
        TEST(ping),
#endif
#if NET_WITH_TCP_LISTEN
        TEST(listener),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
