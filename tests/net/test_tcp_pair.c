/*
 * Two of our own stacks, client and server, over a link that loses, duplicates, delays, reorders and corrupts
 * frames, and that may be slow with a short queue. Buffers, options, congestion control and all else follow
 * from the seed. Each byte must arrive once and in order, both ways, and all be at rest in the end.
 *
 * Usage: net-full-tcp_pair [first seed [number of seeds]]
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if NET_WITH_TCP_LISTEN

#include "net/internal.h"
#include "net/tcp_listen.h"

enum {
    LIMIT_MS = 3 * 3600000,
    PORT = 80,
    QUEUE = 4096, /* frames on the link */
    CLIENT_ADDRESS = 0x0A000001,
    SERVER_ADDRESS = 0x0A000002,
};

static unsigned first_seed = 1, seeds = 10000;

struct flying {
    uint32_t due, order;
    struct end *to;
    size_t length;
    uint8_t bytes[];
};

struct end {
    struct net net;
    struct net_device device;
    struct tcp_socket tcp;
    struct end *peer;
    uint8_t *tx, *rx, *lent;
    uint8_t head[NET_DEVICE_HEADER_MAX];
    struct flying *arrived; /* one at a time */
    uint32_t ticket;
    uint64_t free_at; /* the link's way out is busy until then, in 1/64 ms since the beginning */
    uint32_t to_send, sent, received;
    bool closed, lazy;
};

static struct end client, server;
static struct tcp_listener listener;
static struct flying *heap[QUEUE];
static unsigned heap_length;
static uint32_t now, order;
static uint64_t elapsed, last_frame; /* since the run began */
static uint64_t random_state;
static uint32_t loss, duplication, corruption, delay, jitter, rate, queue_ms;
static unsigned frames_lost;

static uint32_t random32(void)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(random_state >> 33) ^ (uint32_t)(random_state >> 11);
}

static bool chance(uint32_t per_mille)
{
    return random32() % 1000 < per_mille;
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

/* ---- The link: a heap by the time of arrival ---- */

static bool before(const struct flying *a, const struct flying *b)
{
    return a->due != b->due ? (int32_t)(a->due - b->due) < 0 : a->order < b->order;
}

static void push(struct flying *frame)
{
    unsigned at = heap_length++;
    for (; at && before(frame, heap[(at - 1) / 2]); at = (at - 1) / 2) {
        heap[at] = heap[(at - 1) / 2];
    }
    heap[at] = frame;
}

static struct flying *pop(void)
{
    struct flying *top = heap[0], *last = heap[--heap_length];
    unsigned at = 0, child;
    while ((child = 2 * at + 1) < heap_length) {
        child += child + 1 < heap_length && before(heap[child + 1], heap[child]);
        if (!before(heap[child], last)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

/* With one seed: all segments, as they leave. */
static void trace(const struct end *from, const struct flying *frame, const char *fate)
{
    const uint8_t *tcp = frame->bytes + 34;
    if (seeds != 1 || frame->bytes[12] != 8 || frame->bytes[13] != 0) {
        return;
    }
    size_t header = (tcp[12] >> 4) * 4U;
    print_message("%10u %s flags %02x seq %u ack %u window %u length %u%s\n", now,
                  from == &client ? "client" : "server", tcp[13], get32(tcp + 4), get32(tcp + 8),
                  get16(tcp + 14), (unsigned)(frame->length - 34 - header), fate);
}

static void fly(struct end *from, const struct flying *frame, uint32_t due, bool corrupt)
{
    if (heap_length == QUEUE) {
        return;
    }
    struct flying *copy = malloc(sizeof *copy + frame->length);
    memcpy(copy, frame, sizeof *copy + frame->length);
    copy->due = due;
    copy->order = order++;
    copy->to = from->peer;
    if (corrupt) {
        copy->bytes[14 + random32() % (frame->length - 14)] ^= (uint8_t)(1U << random32() % 8);
    }
    push(copy);
}

/* When the frame has left a link of `rate` bytes per millisecond; 0: the queue before it is full. */
static bool leaves(struct end *from, size_t length, uint32_t *at)
{
    if (rate == 0) {
        *at = now;
        return true;
    }
    uint64_t begin = from->free_at > elapsed * 64 ? from->free_at : elapsed * 64;
    uint64_t wait = begin - elapsed * 64;
    if (wait > queue_ms * 64) {
        return false;
    }
    from->free_at = begin + length * 64 / rate;
    *at = now + (uint32_t)((from->free_at - elapsed * 64) / 64);
    return true;
}

static void transmit(struct end *from, const struct flying *frame)
{
    last_frame = elapsed;
    if (frame->bytes[12] == 8 && frame->bytes[13] == 6) { /* ARP: whose loss other tests are about */
        fly(from, frame, now, false);
        return;
    }
    uint32_t at;
    if (chance(loss) || !leaves(from, frame->length, &at)) {
        frames_lost++;
        trace(from, frame, " lost");
        return;
    }
    trace(from, frame, "");
    for (unsigned copies = chance(duplication) ? 2 : 1; copies; copies--) {
        fly(from, frame, at + delay + random32() % (jitter + 1), chance(corruption));
    }
}

/* ---- Devices ---- */

static size_t device_receive(void *context, uint8_t **frame)
{
    struct end *end = context;
    if (!end->arrived) {
        return 0;
    }
    size_t length = end->arrived->length;
    end->lent = malloc(length); /* so that a sanitizer sees every step beyond */
    memcpy(end->lent, end->arrived->bytes, length);
    free(end->arrived);
    end->arrived = NULL;
    *frame = end->lent;
    return length;
}

static void device_release(void *context)
{
    struct end *end = context;
    assert_non_null(end->lent);
    free(end->lent);
    end->lent = NULL;
}

static void send_bytes(struct end *end, const uint8_t *head, size_t head_length, const void *tail,
                       size_t tail_length)
{
    static struct {
        struct flying flying;
        uint8_t bytes[NET_FRAME_MAX];
    } frame;
    assert_true(head_length + tail_length <= NET_FRAME_MAX);
    frame.flying.length = head_length + tail_length;
    memcpy(frame.flying.bytes, head, head_length);
    if (tail_length) {
        memcpy(frame.flying.bytes + head_length, tail, tail_length);
    }
    transmit(end, &frame.flying);
}

static bool device_bounce(void *context, size_t length)
{
    send_bytes(context, ((struct end *)context)->lent, length, NULL, 0);
    device_release(context);
    return true;
}

static uint8_t *device_reserve(void *context)
{
    return ((struct end *)context)->head;
}

static uint32_t device_send(void *context, size_t head_length, const void *tail, size_t tail_length)
{
    struct end *end = context;
    send_bytes(end, end->head, head_length, tail, tail_length);
    return ++end->ticket;
}

static uint32_t device_sent(void *context)
{
    return ((struct end *)context)->ticket;
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
        more = net_poll(&end->net, now);
        reads(end);
        writes(end);
    } while (more);
    net_flush(&end->net, now);
}

/* ---- Runs ---- */

static void open_end(struct end *end, struct end *peer, uint32_t address, unsigned seed)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, (uint8_t)address},
                                .address = address,
                                .netmask = 0xFFFFFF00,
                                .seed = {seed, address, 3, 4}};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    memset(end, 0, sizeof *end);
    end->peer = peer;
    end->device = (struct net_device){.context = end,
                                      .receive = device_receive,
                                      .release = device_release,
                                      .bounce = device_bounce,
                                      .reserve = device_reserve,
                                      .send = device_send,
                                      .sent = device_sent};
    net_init(&end->net, &config, &end->device);
    end->net.now_ms = now;
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
    net_link(&end->net, true, now);
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
    random_state = seed * 0x9E3779B97F4A7C15U;
    loss = chance(250) ? 0 : random32() % 301;
    duplication = chance(500) ? 0 : random32() % 200;
    corruption = chance(700) ? 0 : random32() % 50;
    delay = chance(500) ? random32() % 10 : random32() % 500;
    jitter = chance(400) ? 0 : random32() % (delay + 20);
    rate = chance(600) ? 0 : 20 + random32() % 2000;
    queue_ms = 20 + random32() % 300;
    now = chance(300) ? 0xFFFFF000 : random32();
    elapsed = last_frame = 0;
    open_end(&client, &server, CLIENT_ADDRESS, seed);
    open_end(&server, &client, SERVER_ADDRESS, seed);
    client.to_send = any_length(&client);
    server.to_send = any_length(&server);
    assert_int_equal(tcp_listen(&listener, &server.net, PORT, server.tcp.rx_size), NET_OK);
#if NET_WITH_TCP_OPTIONS
    tcp_listen_options(&listener, chance(700) ? (unsigned)TCP_OFFER_ALL : random32() % 8);
#endif
    assert_int_equal(tcp_accept(&listener, &server.tcp, now), NET_OK);
    assert_int_equal(tcp_connect(&client.tcp, SERVER_ADDRESS, PORT, now), NET_OK);
}

static void close_end(struct end *end)
{
    (void)net_poll(&end->net, now);
    assert_null(end->lent);
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
    uint32_t wait = net_wait_ms(&end->net, now);
    bool hungry = end->sent != end->to_send || end->received != end->peer->to_send;
    return hungry && wait > 20 && end->lazy ? 20 : wait;
}

/* While anything is unacknowledged, no timer waits longer than RFC 6298 2.5 and RFC 9293 3.8.6.1 let it. */
static void expect_no_stall(void)
{
    bool busy = tcp_queued(&client.tcp) || tcp_queued(&server.tcp);
    if (busy && elapsed - last_frame > TCP_RTO_MAX_MS + delay + jitter + queue_ms) {
        fail_msg("nothing sent for %u ms", (unsigned)(elapsed - last_frame));
    }
}

static void step(void)
{
    uint32_t wait = wait_of(&client), other = wait_of(&server);
    wait = wait < other ? wait : other;
    if (heap_length) {
        uint32_t left = heap[0]->due - now;
        wait = (int32_t)left < 0 ? 0 : left < wait ? left : wait;
    }
    now += wait;
    elapsed += wait;
    bool arrived = false;
    while (heap_length && (int32_t)(now - heap[0]->due) >= 0) {
        struct flying *frame = pop();
        frame->to->arrived = frame;
        runs(frame->to);
        arrived = true;
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
    return loss > 150 && tcp_error(&client.tcp) == NET_ERROR_RESET && tcp_state(&server.tcp) == TCP_LISTEN;
}

static void release(void)
{
    free(client.tx);
    free(client.rx);
    free(server.tx);
    free(server.rx);
    while (heap_length) {
        free(pop());
    }
}

static void run(unsigned seed)
{
    open_run(seed);
    uint32_t begun = now;
    unsigned steps = 0;
    while (!at_rest() && !forgotten()) {
        if (now - begun > LIMIT_MS || ++steps > 3000000) {
            fail_msg("seed %u: after %u ms, states %d and %d: %u of %u, %u of %u", seed, now - begun,
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
                      client.to_send, server.to_send, now - begun,
                      net_statistics(&client.net)->tcp_retransmissions,
                      net_statistics(&server.net)->tcp_retransmissions, frames_lost);
    }
    close_run();
    release(); /* with what may still be on its way */
}

static void simulation(void **state)
{
    (void)state;
    for (unsigned seed = first_seed; seed < first_seed + seeds; seed++) {
        run(seed);
    }
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
