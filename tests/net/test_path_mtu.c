/*
 * A path that becomes narrow, silently or with ICMP to tell of it, and wide again later: a client of ours
 * sends bursts of data to a server of ours for an hour of virtual time. Every byte arrives; large segments
 * come back within the quiet times of RFC 1191 6.3; and a probe that is lost is no sign of congestion (RFC
 * 4821 7.6.2).
 *
 * Usage: net-full-path_mtu [first seed [number of seeds]].
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#if NET_WITH_TCP_PROBING && NET_WITH_TCP_LISTEN

#include "net/internal.h"
#include "net/tcp_listen.h"
#include "sim_device.h"

enum {
    PORT = 80,
    CLIENT_ADDRESS = 0x0A000001,
    SERVER_ADDRESS = 0x0A000002,
    ROUTER_ADDRESS = 0x0A000009,
    BUFFER = 65536,
    BURST_MS = 10000, /* by then all of the one before has arrived, if nothing is lost by chance */
    MINUTE = 60000,
    QUIET_MS = 10 * MINUTE,
    SETTLED_MS = 20000, /* a black hole is known after 7 s */
};

#if defined(__SANITIZE_ADDRESS__)
static unsigned first_seed = 1, seeds = 60, running;
#else
static unsigned first_seed = 1, seeds = 300, running;
#endif

struct end {
    struct net net;
    struct sim_device device;
    struct tcp_socket tcp;
    uint8_t tx[BUFFER], rx[BUFFER];
    uint32_t moved; /* sent by the client, received by the server */
};

static struct end client, server;
static struct tcp_listener listener;
static struct link wire;

static struct {
    uint32_t mtu; /* of the path; IPv4 packets that are longer vanish */
    bool told;    /* by ICMP */
    unsigned vanished;
} path;

/* ---- The path ---- */

static uint32_t (*send_on)(void *context, size_t head_length, const void *tail, size_t tail_length);

static void tell(const uint8_t *packet)
{
    uint8_t icmp[36] = {3, 4}, frame[128];
    put16(icmp + 6, (uint16_t)path.mtu);
    memcpy(icmp + 8, packet, 28);
    put16(icmp + 2, plain_checksum(0, icmp, sizeof icmp));
    size_t length = make_ipv4(frame, ROUTER_ADDRESS, CLIENT_ADDRESS, 1, icmp, sizeof icmp);
    memcpy(frame, client.net.mac, 6);
    (void)link_send(&wire, 1, frame, length, NULL, 0);
}

static uint32_t narrow_send(void *context, size_t head_length, const void *tail, size_t tail_length)
{
    struct sim_device *d = context;
    if (head_length + tail_length <= path.mtu + ETHERNET_HEADER) {
        return send_on(context, head_length, tail, tail_length);
    }
    path.vanished++;
    assert_int_equal(d->head[ETHERNET_HEADER + 6], 0x40); /* else a router would have cut it in pieces */
    if (path.told) {
        tell(d->head + ETHERNET_HEADER);
    }
    return ++d->ticket;
}

/* ---- Applications ---- */

static uint8_t byte_at(uint32_t offset)
{
    return (uint8_t)(offset * 2654435761U >> 13);
}

static void write_burst(uint32_t length)
{
    struct tcp_span room[2];
    size_t free_room = tcp_reserve(&client.tcp, room);
    length = length < free_room ? length : (uint32_t)free_room;
    for (uint32_t i = 0; i < length; i++) {
        uint8_t *at = i < room[0].length ? room[0].data + i : room[1].data + i - room[0].length;
        *at = byte_at(client.moved + i);
    }
    tcp_commit(&client.tcp, length);
    client.moved += length;
}

static void read_all(void)
{
    const uint8_t *data;
    size_t unread = tcp_peek(&server.tcp, &data);
    for (size_t i = 0; i < unread; i++) {
        if (data[i] != byte_at(server.moved + (uint32_t)i)) {
            fail_msg("byte %u differs", server.moved + (uint32_t)i);
        }
    }
    tcp_consume(&server.tcp, unread);
    server.moved += (uint32_t)unread;
}

static void runs(struct end *end)
{
    while (net_poll(&end->net, wire.now)) {
        read_all();
    }
    read_all();
    net_flush(&end->net, wire.now);
}

static void run_until(uint64_t when)
{
    while (wire.elapsed < when) {
        uint32_t wait = net_wait_ms(&client.net, wire.now), other = net_wait_ms(&server.net, wire.now);
        uint32_t left = (uint32_t)(when - wire.elapsed);
        wait = wait < other ? wait : other;
        link_advance(&wire, link_wait(&wire, wait < left ? wait : left));
        for (struct flying *frame; (frame = link_receive(&wire));) {
            struct end *to = frame->to ? &server : &client;
            to->device.arrived = frame;
            runs(to);
        }
        runs(&client);
        runs(&server);
    }
}

/* ---- Runs ---- */

static void open_end(struct end *end, uint32_t address, unsigned seed)
{
    struct net_config config = sim_config(address, seed);
    end->moved = 0;
    sim_device_init(&end->device, &wire, end == &server);
    net_init(&end->net, &config, &end->device.device);
    end->net.now_ms = wire.now;
    tcp_init(&end->tcp, &end->net, end->tx, sizeof end->tx, end->rx, sizeof end->rx);
    tcp_set_options(&end->tcp, seed & 1 ? (unsigned)TCP_OFFER_ALL : link_random(&wire) % 8);
#if NET_WITH_TCP_CONGESTION
    tcp_set_congestion_control(&end->tcp, seed & 2 ? TCP_CUBIC : TCP_NEW_RENO);
#endif
    net_link(&end->net, true, wire.now);
}

static void open_run(unsigned seed)
{
    wire = (struct link){.random = seed * 0x9E3779B97F4A7C15U};
    wire.quality.loss = seed & 4 ? link_random(&wire) % 10 : 0;
    wire.quality.delay_ms = 1 + link_random(&wire) % 100;
    wire.now = seed & 8 ? 0xFFFFFFFF - 20 * MINUTE : link_random(&wire);
    path.mtu = ETHERNET_MTU;
    path.told = seed & 16;
    open_end(&client, CLIENT_ADDRESS, seed);
    open_end(&server, SERVER_ADDRESS, seed);
    send_on = client.device.device.send;
    client.device.device.send = narrow_send;
    assert_int_equal(tcp_listen(&listener, &server.net, PORT, BUFFER), NET_OK);
    assert_int_equal(tcp_accept(&listener, &server.tcp, wire.now), NET_OK);
    assert_int_equal(tcp_connect(&client.tcp, SERVER_ADDRESS, PORT, wire.now), NET_OK);
}

static void close_run(void)
{
    sim_device_clear(&client.device);
    sim_device_clear(&server.device);
    link_clear(&wire);
}

/* Bursts for so long; when no loss is by chance, each has arrived before the next. */
static void bursts(uint32_t for_ms)
{
    for (uint64_t end = wire.elapsed + for_ms; wire.elapsed < end;) {
        write_burst(10000 + link_random(&wire) % 20000);
        run_until(wire.elapsed + BURST_MS);
        assert_int_equal(tcp_state(&client.tcp), TCP_ESTABLISHED);
        if (wire.quality.loss == 0) {
            assert_int_equal(tcp_queued(&client.tcp), 0);
            assert_int_equal(server.moved, client.moved);
        }
    }
}

static void run(unsigned seed)
{
    open_run(seed);
    bursts(MINUTE);
    uint32_t full = ETHERNET_MTU - tcp_overhead(&client.tcp), threshold;
    assert_int_equal(client.tcp.mss, full);

    path.mtu = 600 + link_random(&wire) % 880; /* narrower ones may fragment */
    bursts(SETTLED_MS);
    assert_true(client.tcp.mss + tcp_overhead(&client.tcp) <= path.mtu);
    threshold = client.tcp.ssthresh;
    path.vanished = 0;
    bursts(12 * MINUTE + link_random(&wire) % QUIET_MS);
    assert_true(client.tcp.mss + tcp_overhead(&client.tcp) <= path.mtu);
    assert_in_range(path.vanished, 1,
                    12); /* it has been probed; by no more than three sizes in ten minutes */

    path.mtu = ETHERNET_MTU;
    bursts(2 * QUIET_MS + 5 * MINUTE);
    assert_int_equal(client.tcp.mss, full);
    assert_int_equal(*tcp_fragment_flags(&client.tcp), 0x40);
    if (wire.quality.loss == 0) {
        assert_int_equal(client.tcp.ssthresh, threshold); /* no probe was taken for congestion */
    }
    run_until(wire.elapsed + 2 * MINUTE);
    assert_int_equal(tcp_queued(&client.tcp), 0);
    assert_int_equal(server.moved, client.moved);
    close_run();
}

static void simulation(void **state)
{
    (void)state;
    for (running = first_seed; running < first_seed + seeds; running++) {
        run(running);
    }
}

static int tell_seed(void **state)
{
    (void)state;
    if (running < first_seed + seeds) {
        print_message("seed %u\n", running);
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count > 1) {
        first_seed = (unsigned)strtoul(arguments[1], NULL, 0);
        seeds = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 0) : 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(simulation, tell_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
