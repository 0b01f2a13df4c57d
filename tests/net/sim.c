#include "sim.h"

#if NET_WITH_TCP_LISTEN

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/internal.h"

enum {
    CLIENT,
    SERVER,
    PORT = 80,
    ADDRESS = 0x0A000001, /* the client's; the server's is the next */
    PERIOD = 65521,       /* of the bytes sent: a prime, so that no buffer's size is a multiple */
    LIMIT_MS = 6 * 3600000,
    STEPS_MAX = 3000000,
    TIMER_MAX_MS = 60000, /* RFC 6298 2.5 */
    ARP_MS = 4000,  /* until an address is asked for anew, when a device had no room for three requests */
    SLOW_MS = 3000, /* that a slow application takes to read */
};

static uint8_t pattern[PERIOD + 65536];

_Noreturn static void fail(struct sim *sim, const struct sim_flow *flow, const char *what, unsigned long a,
                           unsigned long b)
{
    char text[160];
    (void)snprintf(text, sizeof text, what, a, b);
    if (flow) {
        (void)snprintf(
            sim->message, sizeof sim->message,
            "at %llu ms, connection %u, port %u: %s; client has %lu of %lu, server %lu of %lu bytes",
            (unsigned long long)sim->link.elapsed, flow->number, flow->port, text,
            (unsigned long)flow->side[CLIENT].received, (unsigned long)flow->side[SERVER].to_send,
            (unsigned long)flow->side[SERVER].received, (unsigned long)flow->side[CLIENT].to_send);
    } else {
        (void)snprintf(sim->message, sizeof sim->message, "at %llu ms: %s",
                       (unsigned long long)sim->link.elapsed, text);
    }
    longjmp(sim->failed, 1);
}

static void require(struct sim *sim, bool condition, const char *what)
{
    if (!condition) {
        fail(sim, NULL, what, 0, 0);
    }
}

static uint32_t below(struct sim *sim, uint32_t limit)
{
    return limit ? link_random(&sim->link) % limit : 0;
}

static bool chance(struct sim *sim, uint32_t per_mille)
{
    return link_chance(&sim->link, per_mille);
}

/* From `least` to `most`, each power of two as likely. */
static uint32_t any_size(struct sim *sim, uint32_t least, uint32_t most)
{
    uint32_t doublings = 0;
    while (least << doublings < most) {
        doublings++;
    }
    uint32_t size = least << below(sim, doublings + 1);
    size += below(sim, size);
    return size < most ? size : most;
}

/* ---- Devices ---- */

static struct sim_flow *flow_of_port(struct sim *sim, uint16_t port)
{
    for (struct sim_flow *flow = sim->flow; flow < sim->flow + SIM_CONNECTIONS; flow++) {
        if (flow->begun && !flow->over && flow->port == port) {
            return flow;
        }
    }
    return NULL;
}

static void count_lost(struct sim_end *end, const uint8_t *head)
{
    struct sim *sim = end->sim;
    sim->totals.lost++;
    const uint8_t *ports = head + 34, *client = end->which == CLIENT ? ports : ports + 2;
    struct sim_flow *flow = flow_of_port(sim, (uint16_t)(client[0] << 8 | client[1]));
    if (flow) {
        flow->lost++;
    }
}

static size_t device_receive(void *context, uint8_t **frame)
{
    struct sim_end *end = context;
    require(end->sim, !end->lent, "a frame was borrowed and never given back");
    if (!end->arrived) {
        return 0;
    }
    end->lent = end->arrived;
    end->arrived = NULL;
    *frame = end->lent->bytes;
    return end->lent->length;
}

static void device_release(void *context)
{
    struct sim_end *end = context;
    require(end->sim, end->lent, "a frame was given back twice");
    free(end->lent);
    end->lent = NULL;
}

static void transmit(struct sim_end *end, const uint8_t *head, size_t head_length, const uint8_t *tail,
                     size_t tail_length)
{
    end->sim->totals.frames++;
    if (!link_send(&end->sim->link, end->which, head, head_length, tail, tail_length)) {
        count_lost(end, head);
    }
}

static bool device_bounce(void *context, size_t length)
{
    struct sim_end *end = context;
    transmit(end, end->lent->bytes, length, NULL, 0);
    device_release(end);
    return true;
}

/* A socket tries again in a moment; a listener takes its answer for lost. */
static void count_refused(struct sim *sim)
{
    for (struct sim_flow *flow = sim->flow; flow < sim->flow + SIM_CONNECTIONS; flow++) {
        flow->lost += flow->begun && !flow->side[SERVER].socket;
    }
}

static uint8_t *device_reserve(void *context)
{
    struct sim_end *end = context;
    if (!chance(end->sim, end->sim->full_rate)) {
        return end->head;
    }
    count_refused(end->sim);
    return NULL;
}

static uint32_t device_send(void *context, size_t head_length, const void *tail, size_t tail_length)
{
    struct sim_end *end = context;
    require(end->sim, head_length + tail_length <= NET_FRAME_MAX, "a frame is too long");
    transmit(end, end->head, head_length, tail, tail_length);
    return ++end->ticket;
}

static uint32_t device_sent(void *context)
{
    return ((struct sim_end *)context)->ticket;
}

/* ---- Applications ---- */

/* What is at `offset` of a stream. */
static const uint8_t *bytes_at(const struct sim_flow *flow, unsigned from, uint32_t offset)
{
    return pattern + (offset + flow->number * 7919U + from * 31337U) % PERIOD;
}

static void writes(struct sim *sim, struct sim_flow *flow, unsigned which)
{
    struct sim_side *side = &flow->side[which];
    struct tcp_span room[2] = {{NULL, 0}, {NULL, 0}};
    uint32_t left = side->to_send - side->sent, free_room = (uint32_t)tcp_reserve(side->socket, room);
    uint32_t length = left < free_room ? left : free_room;
    if (length && chance(sim, 300)) {
        length = 1 + below(sim, length);
    }
    if (length) {
        uint32_t first = length < room[0].length ? length : (uint32_t)room[0].length;
        memcpy(room[0].data, bytes_at(flow, which, side->sent), first);
        memcpy(room[1].data, bytes_at(flow, which, side->sent + first), length - first);
        tcp_commit(side->socket, length);
        side->sent += length;
    }
    /* Without NET_WITH_TCP_HALF_CLOSE who has closed does not wait long for the peer's data. */
    bool ready = side->sent == side->to_send &&
                 (NET_WITH_TCP_HALF_CLOSE || side->received == flow->side[!which].to_send);
    if (ready && !side->closed && tcp_state(side->socket) >= TCP_ESTABLISHED) {
        tcp_close(side->socket);
        side->closed = true;
    }
}

static void reads(struct sim *sim, struct sim_flow *flow, unsigned which)
{
    struct sim_side *side = &flow->side[which];
    const uint8_t *data;
    uint32_t unread = (uint32_t)tcp_peek(side->socket, &data);
    if (unread == 0 || (int32_t)(sim->link.now - side->read_at) < 0) {
        return;
    }
    uint32_t eaten = chance(sim, 200) ? 1 + below(sim, unread) : unread;
    for (uint32_t done = 0, part; done < eaten; done += part) {
        part = eaten - done < 65536 ? eaten - done : 65536;
        if (memcmp(data + done, bytes_at(flow, !which, side->received + done), part) != 0) {
            fail(sim, flow, "a byte differs within the %lu after %lu", part, side->received + done);
        }
    }
    tcp_consume(side->socket, eaten);
    side->received += eaten;
    if (side->received > flow->side[!which].sent) {
        fail(sim, flow, "%lu bytes received, but %lu sent", side->received, flow->side[!which].sent);
    }
    side->read_at = sim->link.now;
    if (side->slow && chance(sim, 500)) {
        side->read_at += below(sim, SLOW_MS);
    }
}

/* Without NET_WITH_TCP_HALF_CLOSE a FIN that is lost for a minute ends the waiting for it; all data are
 * there. */
static bool is_orderly(const struct tcp_socket *s)
{
    int error = tcp_error(s);
    return error == NET_OK ||
           (!NET_WITH_TCP_HALF_CLOSE && (error == NET_ERROR_TIMEOUT || error == NET_ERROR_RESET));
}

static void side_ends(struct sim *sim, struct sim_end *end, unsigned i)
{
    struct sim_flow *flow = end->flow[i];
    struct sim_side *side = &flow->side[end->which], *other = &flow->side[!end->which];
    const uint8_t *data;
    side->read_at = sim->link.now;
    while (tcp_peek(side->socket, &data)) {
        reads(sim, flow, end->which);
        side->read_at = sim->link.now;
    }
    if (!is_orderly(side->socket)) {
        fail(sim, flow, "error %ld at end %lu", (unsigned long)tcp_error(side->socket), end->which);
    }
    if (side->received != other->to_send || side->sent != side->to_send || tcp_queued(side->socket)) {
        fail(sim, flow, "closed too early, %lu bytes queued", tcp_queued(side->socket), 0);
    }
    side->done = true;
    end->flow[i] = NULL;
    flow->over = other->done;
}

/* The listener has given up a connection whose first data never came; RFC 9293 3.10.7.2 answers with a reset.
 */
static bool forgotten(const struct sim_flow *flow)
{
    const struct sim_side *client = &flow->side[CLIENT];
    return tcp_error(client->socket) == NET_ERROR_RESET && !flow->side[SERVER].socket &&
           client->received == 0 && (flow->lost >= 6 || flow->waited);
}

static void serve_flow(struct sim *sim, struct sim_end *end, unsigned i)
{
    struct sim_flow *flow = end->flow[i];
    reads(sim, flow, end->which);
    writes(sim, flow, end->which);
    if (tcp_state(&end->tcp[i]) != TCP_CLOSED) {
        return;
    }
    if (end->which == CLIENT && forgotten(flow)) {
        flow->begun = false;
        end->flow[i] = NULL;
        sim->totals.forgotten++;
        return;
    }
    side_ends(sim, end, i);
}

static void now_moves(const struct sim *sim, struct sim_flow *flow);

static void begin(struct sim *sim, unsigned i)
{
    struct sim_end *end = &sim->end[CLIENT];
    for (struct sim_flow *flow = sim->flow; flow < sim->flow + SIM_CONNECTIONS; flow++) {
        if (flow->begun) {
            continue;
        }
        if (tcp_connect(&end->tcp[i], ADDRESS + 1, PORT, sim->link.now) != NET_OK) {
            fail(sim, flow, "tcp_connect", 0, 0);
        }
        flow->begun = true;
        flow->waited = false;
        flow->port = tcp_local_port(&end->tcp[i]);
        flow->lost = 0;
        for (struct sim_side *side = flow->side; side < flow->side + 2; side++) {
            side->socket = NULL;
            side->sent = side->received = 0;
            side->closed = side->done = false;
        }
        flow->side[CLIENT].socket = &end->tcp[i];
        end->flow[i] = flow;
        now_moves(sim, flow);
        return;
    }
}

static void accept(struct sim *sim, unsigned i)
{
    struct sim_end *end = &sim->end[SERVER];
    struct tcp_socket *s = &end->tcp[i];
    if (tcp_state(s) == TCP_CLOSED) {
        require(sim, tcp_accept(&sim->listener, s, sim->link.now) == NET_OK, "tcp_accept");
    } else if (tcp_state(s) > TCP_LISTEN) {
        struct sim_flow *flow = flow_of_port(sim, tcp_remote_port(s));
        require(sim, flow && !flow->side[SERVER].socket, "a connection of nobody's was accepted");
        flow->side[SERVER].socket = s;
        end->flow[i] = flow;
    }
}

static void serve(struct sim_end *end)
{
    for (unsigned i = 0; i < SIM_SOCKETS; i++) {
        if (end->flow[i]) {
            serve_flow(end->sim, end, i);
        }
        if (!end->flow[i] && end->which == SERVER) {
            accept(end->sim, i);
        }
        if (i < SIM_AT_ONCE && !end->flow[i] && end->which == CLIENT &&
            tcp_state(&end->tcp[i]) == TCP_CLOSED) {
            begin(end->sim, i);
        }
    }
}

static void run_end(struct sim_end *end)
{
    struct sim *sim = end->sim;
    unsigned rounds = 0;
    bool more;
    do {
        more = net_poll(&end->net, sim->link.now);
        serve(end);
        require(sim, ++rounds < 10000, "net_poll never has enough");
    } while (more && sim->full_rate == 0);
    net_flush(&end->net, sim->link.now);
}

/* ---- Stalls ---- */

static bool is_offered(const struct sim *sim)
{
    bool offered = false;
    for (const struct tcp_socket *s = sim->end[SERVER].tcp; s < sim->end[SERVER].tcp + SIM_SOCKETS; s++) {
        offered = offered || tcp_state(s) == TCP_LISTEN;
    }
    return offered;
}

/*
 * Is anything yet to be sent or acknowledged, and not held up by an application that does not read, or by a
 * server without a socket to spare?
 */
static bool is_awaited(const struct sim *sim, struct sim_flow *flow)
{
    bool awaited = false;
    for (const struct sim_side *side = flow->side; side < flow->side + 2; side++) {
        if (side->done) {
            continue;
        }
        if (!side->socket) {
            flow->waited = flow->waited || !is_offered(sim);
            if (!is_offered(sim)) {
                return false;
            }
            awaited = true;
            continue;
        }
        if ((int32_t)(side->read_at - sim->link.now) > 0) {
            return false;
        }
        awaited = awaited || tcp_queued(side->socket) || side->sent != side->to_send || !side->closed ||
                  (tcp_state(side->socket) != TCP_TIME_WAIT && tcp_state(side->socket) != TCP_FIN_WAIT_2);
    }
    return awaited;
}

/* Changes whenever anything moves. */
static uint32_t mark_of(const struct sim_flow *flow)
{
    uint32_t mark = 0;
    for (const struct sim_side *side = flow->side; side < flow->side + 2; side++) {
        if (side->socket && !side->done) {
            mark = mark * 31 + side->socket->snd_una + side->socket->rcv_nxt * 7 + side->socket->state;
        }
        mark = mark * 31 + side->received + side->sent;
    }
    return mark;
}

/* The longest that a timer of either side waits as things are. */
static uint32_t timer_of(const struct sim *sim, const struct sim_flow *flow)
{
    uint32_t most = TCP_RTO_INITIAL_MS;
    for (const struct sim_side *side = flow->side; side < flow->side + 2; side++) {
        const struct tcp_socket *s = side->socket;
        if (s && !side->done) {
            uint32_t wait = s->rto_ms << s->probe_shift, armed = s->rtx_ms - sim->link.now;
            wait = (s->flags & TCP_RTX_ARMED) && (int32_t)armed > (int32_t)wait ? armed : wait;
            most = wait > most ? wait : most;
        }
    }
    for (const struct tcp_half_open *h = sim->listener.queue; h < sim->listener.queue + TCP_SYN_QUEUE; h++) {
        uint32_t wait = h->ports ? (uint32_t)TCP_RTO_INITIAL_MS << h->tries : 0;
        most = wait > most ? wait : most;
    }
    return most < TIMER_MAX_MS ? most : TIMER_MAX_MS;
}

static void now_moves(const struct sim *sim, struct sim_flow *flow)
{
    flow->still_since = sim->link.elapsed;
    flow->still_mark = mark_of(flow);
    flow->still_lost = flow->lost;
    flow->still_timer = timer_of(sim, flow);
}

/*
 * The longest that nothing may move. Each expiry of a timer sends something that moves the connection if it
 * and its answer arrive. So n lost frames can waste n expiries, and what was lost before costs one more; the
 * k-th of them waits T * 2^k, at most 60 s (RFC 6298 2.5, 5.5; RFC 9293 3.8.6.1), T being the timer when the
 * stall began. Then there is the way there and back, the acknowledgement's delay, an application that takes
 * its time, and ARP.
 */
static uint64_t bound_of(const struct sim *sim, const struct sim_flow *flow)
{
    uint64_t timer = flow->still_timer, bound = 0;
    for (uint32_t expiries = flow->lost - flow->still_lost + 1; expiries; expiries--) {
        bound += timer;
        timer = timer * 2 < TIMER_MAX_MS ? timer * 2 : TIMER_MAX_MS;
    }
    return bound + 4 * link_slowest(&sim->link) + TCP_DELAYED_ACK_MS + 20 + (sim->full_rate ? ARP_MS : 0);
}

static void watch(struct sim *sim)
{
    for (struct sim_flow *flow = sim->flow; flow < sim->flow + SIM_CONNECTIONS; flow++) {
        if (!flow->begun || flow->over) {
            continue;
        }
        uint64_t still = sim->link.elapsed - flow->still_since;
        if (mark_of(flow) != flow->still_mark || !is_awaited(sim, flow)) {
            now_moves(sim, flow);
        } else if (still) {
            uint64_t bound = bound_of(sim, flow);
            uint32_t per_cent = (uint32_t)(still * 100 / bound);
            struct sim_totals *totals = &sim->totals;
            totals->longest_stall_ms = still > totals->longest_stall_ms ? still : totals->longest_stall_ms;
            totals->closest = per_cent > totals->closest ? per_cent : totals->closest;
            if (still > bound) {
                fail(sim, flow, "nothing has moved for %lu ms, more than the timers explain: %lu",
                     (unsigned long)still, (unsigned long)bound);
            }
        }
    }
}

/* ---- Time ---- */

static uint32_t wait_of(struct sim_end *end)
{
    uint32_t now = end->sim->link.now, wait = net_wait_ms(&end->net, now);
    for (unsigned i = 0; i < SIM_SOCKETS; i++) {
        uint32_t left = end->flow[i] ? end->flow[i]->side[end->which].read_at - now : 0;
        wait = (int32_t)left > 0 && left < wait ? left : wait;
    }
    return wait;
}

static void step(struct sim *sim)
{
    uint32_t wait = wait_of(&sim->end[CLIENT]), other = wait_of(&sim->end[SERVER]);
    link_advance(&sim->link, link_wait(&sim->link, wait < other ? wait : other));
    struct flying *frame = link_receive(&sim->link);
    if (!frame) {
        run_end(&sim->end[CLIENT]);
        run_end(&sim->end[SERVER]);
    }
    for (; frame; frame = link_receive(&sim->link)) {
        struct sim_end *end = &sim->end[frame->to];
        end->arrived = frame;
        while (end->arrived) {
            run_end(end);
        }
    }
    watch(sim);
}

/* ---- Worlds ---- */

static void make_link(struct sim *sim)
{
    struct link_quality *q = &sim->link.quality;
    q->loss = chance(sim, 200) ? 0 : below(sim, 301);
    q->duplication = chance(sim, 500) ? 0 : below(sim, 200);
    q->corruption = chance(sim, 800) ? 0 : below(sim, 30);
    q->delay_ms = chance(sim, 400) ? below(sim, 10) : below(sim, 501);
    q->jitter_ms = chance(sim, 400) ? 0 : below(sim, q->delay_ms + 20);
    q->rate = chance(sim, 700) ? 0 : 20 + below(sim, 2000);
    q->queue_ms = 20 + below(sim, 300);
    sim->full_rate = chance(sim, 800) ? 0 : below(sim, 200);
    sim->link.now = chance(sim, 300) ? 0xFFFFF000 : link_random(&sim->link);
}

/* The features by the seed: 16 of the client, CUBIC at the server by the next bit. */
static void set_features(struct sim_end *end, struct tcp_socket *s, unsigned seed)
{
#if NET_WITH_TCP_OPTIONS
    tcp_set_options(s, seed & TCP_OFFER_ALL);
#endif
#if NET_WITH_TCP_CONGESTION
    tcp_set_congestion_control(s, seed >> (end->which == CLIENT ? 3 : 4) & 1 ? TCP_CUBIC : TCP_NEW_RENO);
#endif
#if NET_WITH_TCP_NAGLE
    tcp_set_nagle(s, chance(end->sim, 500));
#endif
    bool keep_alive =
        end->sim->link.quality.loss == 0 && end->sim->link.quality.corruption == 0; /* or it gives up */
    tcp_set_timeouts(s, LIMIT_MS, keep_alive ? 10000 : 0);
    (void)end, (void)seed;
}

static void open_end(struct sim *sim, unsigned which, unsigned seed)
{
    struct sim_end *end = &sim->end[which];
    struct net_config config = {.mac = {2, 0, 0, 0, 0, (uint8_t)(1 + which)},
                                .address = ADDRESS + which,
                                .netmask = 0xFFFFFF00,
                                .seed = {seed, which, 3, 4}};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    end->sim = sim;
    end->which = which;
    end->device = (struct net_device){.context = end,
                                      .receive = device_receive,
                                      .release = device_release,
                                      .bounce = device_bounce,
                                      .reserve = device_reserve,
                                      .send = device_send,
                                      .sent = device_sent};
    net_init(&end->net, &config, &end->device);
    end->net.now_ms = sim->link.now;
    const uint32_t most = TCP_BUFFER_MAX < 65536 ? TCP_BUFFER_MAX : 65536;
    end->tx_size = any_size(sim, 128, most);
    end->rx_size = any_size(sim, 128, most);
    for (unsigned i = 0; i < SIM_SOCKETS; i++) {
        end->tx[i] = malloc(end->tx_size);
        end->rx[i] = malloc(end->rx_size);
        tcp_init(&end->tcp[i], &end->net, end->tx[i], end->tx_size, end->rx[i], end->rx_size);
        set_features(end, &end->tcp[i], seed);
    }
    net_link(&end->net, true, sim->link.now);
}

/* Most are short; none is more than some windows long, so that no world takes for ever. */
static uint32_t any_length(struct sim *sim, unsigned from)
{
    uint32_t tx = sim->end[from].tx_size, rx = sim->end[!from].rx_size, window = tx < rx ? tx : rx;
    uint32_t most = chance(sim, 30) ? 150000 : chance(sim, 300) ? 16000 : 3000;
    return below(sim, 20 * window < most ? 20 * window : most);
}

static void open_world(struct sim *sim, unsigned seed)
{
    sim->link.random = (uint64_t)seed * 0x9E3779B97F4A7C15U;
    make_link(sim);
    open_end(sim, CLIENT, seed);
    open_end(sim, SERVER, seed);
    for (unsigned i = 0; i < SIM_CONNECTIONS; i++) {
        struct sim_flow *flow = &sim->flow[i];
        flow->number = i;
        for (unsigned from = CLIENT; from <= SERVER; from++) {
            flow->side[from].to_send = any_length(sim, from);
            flow->side[from].slow = chance(sim, 100);
            flow->side[from].read_at = sim->link.now;
        }
    }
    require(sim, tcp_listen(&sim->listener, &sim->end[SERVER].net, PORT, sim->end[SERVER].rx_size) == NET_OK,
            "tcp_listen");
    const struct link_quality *q = &sim->link.quality;
    (void)snprintf(
        sim->description, sizeof sim->description,
        "loss %.1f %%, duplication %.1f %%, damage %.1f %%, delay %u ms, jitter %u ms, rate %u B/ms, "
        "device full %.1f %%, client's buffers %u and %u, server's %u and %u, features %u",
        q->loss / 10.0, q->duplication / 10.0, q->corruption / 10.0, q->delay_ms, q->jitter_ms, q->rate,
        sim->full_rate / 10.0, sim->end[CLIENT].tx_size, sim->end[CLIENT].rx_size, sim->end[SERVER].tx_size,
        sim->end[SERVER].rx_size, seed & 31);
}

static bool all_over(const struct sim *sim)
{
    for (const struct sim_flow *flow = sim->flow; flow < sim->flow + SIM_CONNECTIONS; flow++) {
        if (!flow->over) {
            return false;
        }
    }
    for (const struct tcp_half_open *h = sim->listener.queue; h < sim->listener.queue + TCP_SYN_QUEUE; h++) {
        if (h->ports) {
            return false; /* an old SYN has come again */
        }
    }
    return sim->link.length == 0;
}

static void expect_rest(struct sim *sim)
{
    for (struct sim_end *end = sim->end; end < sim->end + 2; end++) {
        (void)net_poll(&end->net, sim->link.now);
        require(sim, !end->lent, "a frame was never given back");
        for (const struct tcp_socket *s = end->tcp; s < end->tcp + SIM_SOCKETS; s++) {
            require(sim, s->state == TCP_CLOSED || s->state == TCP_LISTEN, "a socket is open still");
            require(sim, s->tx_used == 0 && s->tx_held == 0 && s->unread_length == 0,
                    "a buffer is not empty");
        }
        sim->totals.retransmissions += net_statistics(&end->net)->tcp_retransmissions;
    }
    for (const struct sim_flow *flow = sim->flow; flow < sim->flow + SIM_CONNECTIONS; flow++) {
        sim->totals.bytes += flow->side[CLIENT].received + flow->side[SERVER].received;
    }
    sim->totals.connections += SIM_CONNECTIONS;
    sim->totals.virtual_ms += sim->link.elapsed;
}

static void close_world(struct sim *sim)
{
    link_clear(&sim->link);
    for (struct sim_end *end = sim->end; end < sim->end + 2; end++) {
        free(end->arrived);
        free(end->lent);
        for (unsigned i = 0; i < SIM_SOCKETS; i++) {
            free(end->tx[i]);
            free(end->rx[i]);
        }
    }
}

static void fill_pattern(void)
{
    uint32_t random = 1;
    for (uint32_t i = 0; i < PERIOD; i++) {
        random = random * 1664525 + 1013904223;
        pattern[i] = (uint8_t)(random >> 24);
    }
    for (uint32_t i = PERIOD; i < sizeof pattern; i++) {
        pattern[i] = pattern[i - PERIOD];
    }
}

bool sim_run(struct sim *sim, unsigned seed, FILE *capture)
{
    if (pattern[0] == pattern[1] && pattern[1] == pattern[2]) {
        fill_pattern();
    }
    memset(sim, 0, sizeof *sim);
    sim->link.capture = capture;
    if (setjmp(sim->failed)) {
        close_world(sim);
        return false;
    }
    open_world(sim, seed);
    while (!all_over(sim)) {
        if (sim->link.elapsed > LIMIT_MS || ++sim->steps > STEPS_MAX) {
            fail(sim, NULL, "still not over after %lu steps", sim->steps, 0);
        }
        step(sim);
    }
    expect_rest(sim);
    close_world(sim);
    return true;
}

#endif
