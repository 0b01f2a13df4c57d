/*
 * Whole connections to a model of a peer, over a link that loses, duplicates,
 * delays and reorders, with a device that is full at times and slow to give
 * memory back. Everything follows from the seed. Each byte must arrive once and
 * in order, both ways, and all be at rest in the end.
 *
 * Usage: net-simulation [first seed [number of seeds]]
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINK_FRAMES = 512, PEER_MSS = 536, PEER_RTO = 400, LIMIT_MS = 36000000 };

static unsigned first_seed = 1, seeds = 2000;

struct on_link {
    uint32_t due;
    bool to_us;
    struct frame frame;
};

struct model {
    uint32_t iss, una, nxt; /* relative sequence numbers begin with the SYN at iss */
    uint32_t rcv_nxt, edge, our_edge;
    uint32_t to_send, received, rto_at;
    bool established, fin_received, fin_acked;
};

static struct rig rig;
static struct on_link *wire[LINK_FRAMES]; /* the first `flying` are on the link, the others free */
static unsigned flying;
static struct model peer;
static uint64_t random_state;
static uint32_t loss, duplication, delay_max, full_rate, peer_window;

static uint32_t random32(void)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(random_state >> 33) ^ (uint32_t)(random_state >> 11);
}

static bool chance(uint32_t per_cent)
{
    return random32() % 100 < per_cent;
}

static uint8_t byte_at(uint32_t offset, bool ours)
{
    return (uint8_t)((offset * 2654435761U >> 13) ^ (ours ? 0x55 : 0));
}

static void put_on_link(const void *bytes, size_t length, bool to_us)
{
    if (chance(loss)) {
        return;
    }
    for (unsigned copies = chance(duplication) ? 2 : 1; copies; copies--) {
        if (flying == LINK_FRAMES) {
            return;
        }
        struct on_link *slot = wire[flying++];
        slot->due = rig.now + 1 + random32() % (delay_max + 1);
        slot->to_us = to_us;
        slot->frame.length = length;
        memcpy(slot->frame.bytes, bytes, length);
    }
}

/* ---- The model of a peer: goes back to the first lost byte, keeps nothing out of order ---- */

static void peer_transmit(uint8_t flags, uint32_t seq, uint32_t length)
{
    uint8_t data[PEER_MSS], frame[1600];
    for (uint32_t i = 0; i < length; i++) {
        data[i] = byte_at(seq - peer.iss - 1 + i, false);
    }
    uint32_t window = peer.edge - peer.rcv_nxt;
    put_on_link(frame, make_tcp(&rig, frame, seq, peer.rcv_nxt, flags, (uint16_t)window, data, length), true);
}

static void peer_opens_window(void)
{
    if (peer_window && (int32_t)(peer.rcv_nxt + peer_window - peer.edge) > 0 && chance(60)) {
        peer.edge = peer.rcv_nxt + 1 + random32() % peer_window;
        if ((int32_t)(peer.edge - peer.rcv_nxt) > 60000) {
            peer.edge = peer.rcv_nxt + 60000;
        }
    }
}

static void peer_output(void)
{
    if (!peer.established) {
        return;
    }
    uint32_t end = peer.iss + 1 + peer.to_send;
    while ((int32_t)(end - peer.nxt) > 0 && (int32_t)(peer.our_edge - peer.nxt) > 0) {
        uint32_t length = 1 + random32() % PEER_MSS;
        length = length < end - peer.nxt ? length : end - peer.nxt;
        length = length < peer.our_edge - peer.nxt ? length : peer.our_edge - peer.nxt;
        peer_transmit(ACK, peer.nxt, length);
        peer.nxt += length;
    }
    if (peer.nxt == end) {
        peer_transmit(ACK | FIN, peer.nxt++, 0);
    }
}

static void peer_timer(void)
{
    if ((int32_t)(rig.now - peer.rto_at) < 0) {
        return;
    }
    peer.rto_at = rig.now + PEER_RTO;
    if (!peer.established) {
        peer_transmit(SYN | ACK, peer.iss, 0);
        return;
    }
    if (peer.una != peer.nxt) {
        peer.nxt = peer.una;
    }
    if (peer.edge == peer.rcv_nxt && !peer.fin_received) {
        peer_opens_window();
        peer_transmit(ACK, peer.nxt, 0); /* window update */
    }
    if (!peer.fin_acked && peer.una != peer.iss + 1 + peer.to_send && peer.our_edge == peer.una) {
        peer_transmit(ACK, peer.una, 1); /* zero-window probe */
    }
    peer_output();
}

static void peer_takes_data(uint32_t seq, const uint8_t *data, uint32_t length, bool fin)
{
    uint32_t old = peer.rcv_nxt - seq;
    if ((int32_t)old < 0 || old > length || peer.fin_received) {
        return;
    }
    uint32_t room = peer.edge - peer.rcv_nxt, fresh = length - old;
    if (fresh > room) {
        fresh = room;
        fin = false;
    }
    for (uint32_t i = 0; i < fresh; i++) {
        assert_int_equal(data[old + i], byte_at(peer.received + i, true));
    }
    peer.received += fresh;
    peer.rcv_nxt += fresh;
    if (fin) {
        peer.rcv_nxt++;
        peer.edge++;
        peer.fin_received = true;
    }
}

static void peer_receives(const struct frame *frame)
{
    const uint8_t *tcp = frame->bytes + 34;
    uint32_t seq = get32(tcp + 4), ack = get32(tcp + 8);
    uint8_t flags = tcp[13];
    uint32_t header = (tcp[12] >> 4) * 4U, length = (uint32_t)frame->length - 34 - header;
    assert_false(flags & RST);
    if (flags & SYN) {
        if (!peer.established) {
            rig.port = (uint16_t)get16(tcp);
            if (peer.rcv_nxt != seq + 1) {
                peer.rcv_nxt = seq + 1;
                peer.edge = peer.rcv_nxt + peer_window / 2;
                peer.rto_at = rig.now + PEER_RTO;
            }
            peer_transmit(SYN | ACK, peer.iss, 0);
        }
        return;
    }
    if (ack - peer.una <= peer.to_send + 2 - (peer.una - peer.iss) && ack != peer.iss) {
        peer.established = true;
        peer.una = ack;
        peer.nxt = (int32_t)(ack - peer.nxt) > 0 ? ack : peer.nxt;
        uint32_t edge = ack + get16(tcp + 14);
        if (peer.our_edge == 0 || (int32_t)(edge - peer.our_edge) > 0) {
            peer.our_edge = edge;
        }
        peer.fin_acked = ack == peer.iss + 2 + peer.to_send;
    }
    peer_takes_data(seq, tcp + header, length, flags & FIN);
    peer_opens_window();
    if (length || (flags & FIN) || seq != peer.rcv_nxt) {
        peer_transmit(ACK, peer.nxt, 0);
    }
    peer_output();
}

/* ---- Our application ---- */

struct application {
    uint32_t to_send, sent, received;
    bool closed, lazy;
};

static struct application application;

static void application_runs(void)
{
    struct tcp_span room[2];
    size_t free = tcp_reserve(&rig.tcp, room);
    uint32_t left = application.to_send - application.sent;
    uint32_t length = chance(50) ? random32() % 700 : 0;
    length = length < left ? length : left;
    length = length < free ? length : (uint32_t)free;
    for (uint32_t i = 0; i < length; i++) {
        uint8_t *at = i < room[0].length ? room[0].data + i : room[1].data + i - room[0].length;
        *at = byte_at(application.sent + i, true);
    }
    if (length) {
        tcp_commit(&rig.tcp, length);
        application.sent += length;
    }
    const uint8_t *data;
    size_t unread = tcp_peek(&rig.tcp, &data);
    if (unread && !(application.lazy && chance(70))) {
        size_t eaten = 1 + random32() % unread;
        for (size_t i = 0; i < eaten; i++) {
            assert_int_equal(data[i], byte_at(application.received + (uint32_t)i, false));
        }
        tcp_consume(&rig.tcp, eaten);
        application.received += (uint32_t)eaten;
    }
    if (application.sent == application.to_send && !application.closed &&
        tcp_state(&rig.tcp) >= TCP_ESTABLISHED) {
        tcp_close(&rig.tcp);
        application.closed = true;
    }
}

/* ---- Link and device ---- */

static void complete_sent(void)
{
    struct fake_device *fake = &rig.fake;
    if (fake->kept && (fake->kept > RIG_QUEUE - 16 || chance(40))) {
        for (unsigned i = 0; i < fake->kept; i++) {
            if (fake->kept_length[i]) {
                assert_memory_equal(fake->kept_payload[i], fake->kept_copy[i], fake->kept_length[i]);
            }
        }
        fake->kept = 0;
        fake->ticket_done = fake->ticket;
    }
    fake->full = fake->kept > RIG_QUEUE - 16 || chance(full_rate);
}

static void collect_sent(void)
{
    const struct frame *frame;
    while ((frame = rig_sent(&rig)) != NULL) {
        if (get16(frame->bytes + 12) == 0x0806) {
            uint8_t arp[64];
            rig_queue(&rig, arp, make_arp(arp, 2, peer_mac, PEER, OURS));
            continue;
        }
        put_on_link(frame->bytes, frame->length, false);
    }
}

static void deliver_due(void)
{
    for (unsigned i = 0; i < flying;) {
        struct on_link *slot = wire[i];
        if ((int32_t)(rig.now - slot->due) < 0) {
            i++;
            continue;
        }
        wire[i] = wire[--flying];
        wire[flying] = slot;
        if (!slot->to_us) {
            static struct frame frame; /* the answer may take the slot */
            memcpy(frame.bytes, slot->frame.bytes, frame.length = slot->frame.length);
            peer_receives(&frame);
        } else if (rig.fake.received_head - rig.fake.received_tail < RIG_QUEUE - 2) {
            rig_queue(&rig, slot->frame.bytes, slot->frame.length);
        }
    }
}

static uint32_t next_event(void)
{
    uint32_t wait = net_wait_ms(&rig.net, rig.now), left = peer.rto_at - rig.now;
    wait = (int32_t)left > 0 && left < wait ? left : wait;
    for (unsigned i = 0; i < flying; i++) {
        left = wire[i]->due - rig.now;
        wait = left < wait ? left : wait;
    }
    bool busy = rig.fake.kept || rig.fake.received_head != rig.fake.received_tail ||
                application.sent != application.to_send || application.received != peer.to_send;
    return busy && wait > 5 ? 5 : wait ? wait : 1;
}

static void open_run(unsigned seed)
{
    random_state = seed * 0x9E3779B97F4A7C15U;
    rig_open(&rig, 64 + random32() % 3000, 64 + random32() % 3000, 0);
    rig.net.seed[0] = seed;
    loss = random32() % 31;
    duplication = random32() % 20;
    delay_max = random32() % 4 ? random32() % 50 : random32() % 500;
    full_rate = random32() % 30;
    peer_window = 100 + random32() % (random32() % 2 ? 300 : 20000);
    peer = (struct model){.iss = random32() % 4 ? random32() : 0xFFFFFFF0, .to_send = random32() % 6000};
    peer.una = peer.nxt = peer.iss;
    peer.nxt++;
    peer.rto_at = rig.now + 0x40000000;
    application = (struct application){.to_send = random32() % 6000, .lazy = chance(30)};
    rig.fake.keeps = true;
    flying = 0;
    tcp_set_timeouts(&rig.tcp, LIMIT_MS, chance(50) ? 10000 : 0);
    assert_int_equal(tcp_connect(&rig.tcp, PEER, BROKER, rig.now), NET_OK);
}

static void run(unsigned seed)
{
    open_run(seed);
    uint32_t begun = rig.now;
    while (tcp_state(&rig.tcp) != TCP_CLOSED) {
        bool ended = tcp_state(&rig.tcp) == TCP_TIME_WAIT && peer.fin_acked;
        if (rig.now - begun > LIMIT_MS) {
            fail_msg("seed %u: state %d, sent %u of %u, received %u of %u", seed, (int)tcp_state(&rig.tcp),
                     peer.received, application.to_send, application.received, peer.to_send);
        }
        rig.now += ended ? net_wait_ms(&rig.net, rig.now) : next_event();
        complete_sent();
        deliver_due();
        peer_timer();
        bool more;
        do {
            more = net_poll(&rig.net, rig.now);
            application_runs();
            collect_sent();
        } while (more && !rig.fake.full);
    }
    const uint8_t *data;
    while (tcp_peek(&rig.tcp, &data)) {
        application_runs();
    }
    rig_poll(&rig);
    assert_int_equal(tcp_error(&rig.tcp), NET_OK);
    assert_int_equal(peer.received, application.to_send);
    assert_int_equal(application.received, peer.to_send);
    assert_int_equal(tcp_queued(&rig.tcp), 0);
    rig.fake.received_tail = rig.fake.received_head;
    rig_close(&rig);
}

static void simulation(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LINK_FRAMES; i++) {
        wire[i] = malloc(sizeof *wire[i]);
    }
    for (unsigned seed = first_seed; seed < first_seed + seeds; seed++) {
        if (seeds == 1 || seed % 1000 == 0) {
            print_message("seed %u\n", seed);
        }
        random_state = seed;
        run(seed);
    }
    for (unsigned i = 0; i < LINK_FRAMES; i++) {
        free(wire[i]);
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
