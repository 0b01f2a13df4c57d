/*
 * Two of our own stacks, client and server, over a link that loses, duplicates, delays, reorders and corrupts
 * frames, and that may be slow with a short queue. Buffers, options, congestion control and all else follow
 * from the seed. Each byte must arrive once and in order, both ways, and all be at rest in the end.
 *
 * Usage: net-full-tcp_pair [first seed [number of seeds]]; a single one is recorded, as tcp_pair-SEED.pcapng.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if NET_WITH_TCP_LISTEN

#include "net/internal.h"
#include "net/tcp_listen.h"
#include "sim_capture.h"
#include "sim_device.h"

enum {
    LIMIT_MS = 3 * 3600000,
    PORT = 80,
    CLIENT_ADDRESS = 0x0A000001,
    SERVER_ADDRESS = 0x0A000002,
};

#if defined(__SANITIZE_ADDRESS__)
static unsigned first_seed = 1, seeds = 3000;
#else
static unsigned first_seed = 1, seeds = 10000;
#endif

struct end {
    struct net net;
    struct sim_device device;
    struct tcp_socket tcp;
    struct end *peer;
    uint8_t *tx, *rx;
    uint32_t to_send, sent, received;
    bool closed, lazy;
};

static struct end client, server;
static struct tcp_listener listener;
static struct link wire;
static FILE *capture; /* of a single seed */

static uint32_t random32(void)
{
    return link_random(&wire);
}

static bool chance(uint32_t per_mille)
{
    return link_chance(&wire, per_mille);
}

/* From `least` up to `most`, each power of two as likely. */
static uint32_t any_size(uint32_t least, uint32_t most)
{
    uint32_t doublings = 0;
    while (least << doublings < most) {
        doublings++;
    }
    uint32_t size = least << random32() % (doublings + 1);
    size += random32() % size;
    return size < most ? size : most;
}

static uint8_t byte_at(uint32_t offset, const struct end *of)
{
    return (uint8_t)((offset * 2654435761U >> 13) ^ (of == &client ? 0x55 : 0));
}

/* ---- Applications ---- */

static void writes(struct end *end)
{
    struct tcp_span room[2];
    uint32_t free_room = (uint32_t)tcp_reserve(&end->tcp, room), left = end->to_send - end->sent;
    uint32_t length = left < free_room ? left : free_room;
    if (length && chance(300)) {
        length = 1 + random32() % length;
    }
    for (uint32_t i = 0; i < length; i++) {
        uint8_t *at = i < room[0].length ? room[0].data + i : room[1].data + i - room[0].length;
        *at = byte_at(end->sent + i, end);
    }
    if (length) {
        tcp_commit(&end->tcp, length);
        end->sent += length;
    }
    if (end->sent == end->to_send && !end->closed && tcp_state(&end->tcp) >= TCP_ESTABLISHED) {
        tcp_close(&end->tcp);
        end->closed = true;
    }
}

static void reads(struct end *end)
{
    const uint8_t *data;
    uint32_t unread = (uint32_t)tcp_peek(&end->tcp, &data);
    if (unread == 0 || (end->lazy && chance(700))) {
        return;
    }
    uint32_t eaten = chance(300) ? 1 + random32() % unread : unread;
    for (uint32_t i = 0; i < eaten; i++) {
        if (data[i] != byte_at(end->received + i, end->peer)) {
            fail_msg("byte %u differs", end->received + i);
        }
    }
    tcp_consume(&end->tcp, eaten);
    end->received += eaten;
}

static void runs(struct end *end)
{
    bool more;
    do {
        more = net_poll(&end->net, wire.now);
        reads(end);
        writes(end);
    } while (more);
    net_flush(&end->net, wire.now);
}

/* ---- Runs ---- */

static void open_end(struct end *end, struct end *peer, uint32_t address, unsigned seed)
{
    struct net_config config = sim_config(address, seed);
    memset(end, 0, sizeof *end);
    end->peer = peer;
    sim_device_init(&end->device, &wire, end == &server);
    net_init(&end->net, &config, &end->device.device);
    end->net.now_ms = wire.now;
    uint32_t most = NET_WITH_TCP_WINDOW_SCALE ? 262144 : 65535, tx_size = any_size(64, most),
             rx_size = any_size(64, most);
    end->tx = malloc(tx_size);
    end->rx = malloc(rx_size);
    tcp_init(&end->tcp, &end->net, end->tx, tx_size, end->rx, rx_size);
    end->lazy = chance(200);
#if NET_WITH_TCP_OPTIONS
    tcp_set_options(&end->tcp, chance(500) ? (unsigned)TCP_OFFER_ALL : random32() % 8);
#endif
#if NET_WITH_TCP_CONGESTION
    tcp_set_congestion_control(&end->tcp, chance(500) ? TCP_CUBIC : TCP_NEW_RENO);
#endif
#if NET_WITH_TCP_NAGLE
    tcp_set_nagle(&end->tcp, chance(500));
#endif
    tcp_set_timeouts(&end->tcp, LIMIT_MS, chance(300) ? 10000 : 0);
    net_link(&end->net, true, wire.now);
}

/* Some thirty windows at most, so that no run takes for ever. */
static uint32_t any_length(const struct end *end)
{
    uint32_t window = end->tcp.tx_size < end->peer->tcp.rx_size ? end->tcp.tx_size : end->peer->tcp.rx_size;
    uint32_t most = NET_WITH_TCP_REASSEMBLY ? 180000 : 60000;
    return random32() % (30 * window < most ? 30 * window : most);
}

static void open_run(unsigned seed)
{
    struct link_quality *q = &wire.quality;
    wire = (struct link){.random = seed * 0x9E3779B97F4A7C15U};
    q->loss = chance(250) ? 0 : random32() % 301;
    q->duplication = chance(500) ? 0 : random32() % 200;
    q->corruption = chance(700) ? 0 : random32() % 50;
    q->delay_ms = chance(500) ? random32() % 10 : random32() % 500;
    q->jitter_ms = chance(400) ? 0 : random32() % (q->delay_ms + 20);
    q->rate = chance(600) ? 0 : 20 + random32() % 2000;
    q->queue_ms = 20 + random32() % 300;
    wire.now = chance(300) ? 0xFFFFF000 : random32();
    wire.capture = capture;
    open_end(&client, &server, CLIENT_ADDRESS, seed);
    open_end(&server, &client, SERVER_ADDRESS, seed);
    client.to_send = any_length(&client);
    server.to_send = any_length(&server);
    assert_int_equal(tcp_listen(&listener, &server.net, PORT, server.tcp.rx_size), NET_OK);
#if NET_WITH_TCP_OPTIONS
    tcp_listen_options(&listener, chance(700) ? (unsigned)TCP_OFFER_ALL : random32() % 8);
#endif
    assert_int_equal(tcp_accept(&listener, &server.tcp, wire.now), NET_OK);
    assert_int_equal(tcp_connect(&client.tcp, SERVER_ADDRESS, PORT, wire.now), NET_OK);
}

static void close_end(struct end *end)
{
    (void)net_poll(&end->net, wire.now);
    assert_null(end->device.lent);
    assert_int_equal(tcp_error(&end->tcp), NET_OK);
    assert_int_equal(tcp_queued(&end->tcp), 0);
    assert_int_equal(end->received, end->peer->to_send);
}

static void close_run(void)
{
    close_end(&client);
    close_end(&server);
    for (const struct tcp_half_open *h = listener.queue; h < listener.queue + TCP_SYN_QUEUE; h++) {
        assert_int_equal(h->ports, 0);
    }
}

static uint32_t wait_of(const struct end *end)
{
    uint32_t wait = net_wait_ms(&end->net, wire.now);
    bool hungry = end->sent != end->to_send || end->received != end->peer->to_send;
    return hungry && wait > 20 && end->lazy ? 20 : wait;
}

/* While anything is unacknowledged, no timer waits longer than RFC 6298 2.5 and RFC 9293 3.8.6.1 let it. */
static void expect_no_stall(void)
{
    uint64_t last =
        client.device.last_ms > server.device.last_ms ? client.device.last_ms : server.device.last_ms;
    bool busy = tcp_queued(&client.tcp) || tcp_queued(&server.tcp);
    if (busy && wire.elapsed - last > TCP_RTO_MAX_MS + link_slowest(&wire)) {
        fail_msg("nothing sent for %u ms", (unsigned)(wire.elapsed - last));
    }
}

static void step(void)
{
    uint32_t wait = wait_of(&client), other = wait_of(&server);
    link_advance(&wire, link_wait(&wire, wait < other ? wait : other));
    bool arrived = false;
    for (struct flying *frame; (frame = link_receive(&wire)); arrived = true) {
        struct end *to = frame->to ? &server : &client;
        to->device.arrived = frame;
        runs(to);
    }
    if (!arrived) {
        runs(&client);
        runs(&server);
    }
    expect_no_stall();
}

static bool at_rest(void)
{
    return tcp_state(&client.tcp) == TCP_CLOSED && tcp_state(&server.tcp) == TCP_CLOSED;
}

/* All that the client has sent for a minute was lost, so that the listener has given it up. */
static bool forgotten(void)
{
    return wire.quality.loss > 150 && tcp_error(&client.tcp) == NET_ERROR_RESET &&
           tcp_state(&server.tcp) == TCP_LISTEN;
}

static void release(void)
{
    free(client.tx);
    free(client.rx);
    free(server.tx);
    free(server.rx);
    sim_device_clear(&client.device);
    sim_device_clear(&server.device);
    link_clear(&wire);
}

static void run(unsigned seed)
{
    open_run(seed);
    uint32_t begun = wire.now;
    unsigned steps = 0;
    while (!at_rest() && !forgotten()) {
        if (wire.now - begun > LIMIT_MS || ++steps > 3000000) {
            fail_msg("seed %u: after %u ms, states %d and %d: %u of %u, %u of %u", seed, wire.now - begun,
                     (int)tcp_state(&client.tcp), (int)tcp_state(&server.tcp), server.received,
                     client.to_send, client.received, server.to_send);
        }
        step();
    }
    if (forgotten()) {
        release();
        return;
    }
    if (tcp_error(&client.tcp) || tcp_error(&server.tcp)) {
        fail_msg("seed %u: errors %d and %d", seed, tcp_error(&client.tcp), tcp_error(&server.tcp));
    }
    while (client.received != server.to_send || server.received != client.to_send) {
        uint32_t had = client.received + server.received;
        client.lazy = server.lazy = false;
        reads(&client);
        reads(&server);
        if (client.received + server.received == had) {
            fail_msg("seed %u: %u of %u, %u of %u", seed, server.received, client.to_send, client.received,
                     server.to_send);
        }
    }
    if (seeds == 1) {
        print_message("%u bytes one way, %u the other, in %u ms; %u and %u retransmissions, %u frames lost\n",
                      client.to_send, server.to_send, wire.now - begun,
                      net_statistics(&client.net)->tcp_retransmissions,
                      net_statistics(&server.net)->tcp_retransmissions,
                      client.device.lost + server.device.lost);
    }
    close_run();
    release(); /* with what may still be on its way */
}

static void simulation(void **state)
{
    (void)state;
    if (seeds == 1) {
        const char *const names[2] = {"client", "server"};
        char path[64];
        (void)snprintf(path, sizeof path, "tcp_pair-%u.pcapng", first_seed);
        assert_non_null(capture = capture_open(path, names));
        print_message("frames: %s\n", path);
    }
    for (unsigned seed = first_seed; seed < first_seed + seeds; seed++) {
        run(seed);
    }
    assert_true(!capture || capture_close(capture));
}

int main(int count, char **arguments)
{
    if (count > 1) {
        first_seed = (unsigned)strtoul(arguments[1], NULL, 0);
        seeds = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 0) : 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(simulation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
