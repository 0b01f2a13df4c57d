#include "broker.h"

#include "messages.h"

#include <string.h>

enum {
    CONNECTIONS = 4,
    BUFFER = 4096, /* of TCP, each way */
    IN_FLIGHT = 32,
    OUT = 32768, /* waiting for TCP: it reads on, as brokers do */
    NONE = -1,
};

enum step { FREE, AWAITS_PUBACK, AWAITS_PUBREC, AWAITS_PUBCOMP };

/* A message on its way to the client. */
struct out_flight {
    enum step step;
    uint16_t id;
    unsigned message;
    unsigned order;
    unsigned connection; /* that it was sent over last */
};

static struct {
    bool exists, subscribed;
    bool known; /* the client has read the CONNACK that began it */
    uint16_t last_id;
    unsigned queued_from; /* of `down`: those from here on that wait are `waits` */
    bool waits[MESSAGES_MAX];
    struct out_flight flights[IN_FLIGHT];
    unsigned order;
    struct unreleased {
        uint16_t id; /* 0: free */
        unsigned message;
    } unreleased[IN_FLIGHT];
} session;

static struct connection {
    struct tcp_socket tcp;
    uint8_t tx[BUFFER], rx[BUFFER];
    bool used, greeted, closing;
    unsigned number;
    uint16_t receive_maximum, alias_maximum;
    bool alias_set[TOPICS];
    uint32_t maximum_packet_size, heard_ms, silence_ms; /* silence 0: for ever */
    struct client_stream stream;
    uint8_t in[MESSAGE_MOST + 256];
    size_t in_length;
    uint8_t out[OUT];
    size_t out_length;
} connections[CONNECTIONS];

static struct tcp_listener listener;
static struct broker_style style;
static unsigned connection_number;
static bool later; /* there was more to send */

static bool is_v311(const struct connection *c)
{
    return c->stream.version == 4;
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* ---- Packets ---- */

static void out_bytes(struct connection *c, const void *bytes, size_t length)
{
    assert_true(length <= OUT - c->out_length);
    memcpy(c->out + c->out_length, bytes, length);
    c->out_length += length;
}

static void out_packet(struct connection *c, uint8_t head, const uint8_t *body, size_t length)
{
    uint8_t size[4];
    size_t bytes = 0, left = length;
    do {
        size[bytes++] = (uint8_t)((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
        left >>= 7;
    } while (left);
    out_bytes(c, &head, 1);
    out_bytes(c, size, bytes);
    out_bytes(c, body, length);
}

/* With a reason other than 0 it has one. */
static void out_ack(struct connection *c, uint8_t head, uint16_t id, uint8_t reason)
{
    const uint8_t body[] = {(uint8_t)(id >> 8), (uint8_t)id, reason};
    out_packet(c, head, body, reason ? 3 : 2);
}

static void out_publish(struct connection *c, unsigned index, uint16_t id, bool again)
{
    static uint8_t body[MESSAGE_MOST + 32];
    const struct message *m = &down.list[index];
    size_t at = 2;
    bool alias = c->alias_maximum > m->topic && !is_v311(c);
    if (!alias || !c->alias_set[m->topic]) {
        memcpy(body + at, "down/0", 6);
        body[at + 5] = (uint8_t)('0' + m->topic);
        at += 6;
        c->alias_set[m->topic] = alias;
    }
    put16(body, (uint32_t)at - 2);
    if (m->qos) {
        put16(body + at, id);
        at += 2;
    }
    if (!is_v311(c)) {
        body[at++] = alias ? 3 : 0;
    }
    if (alias) {
        body[at++] = 0x23;
        put16(body + at, m->topic + 1U);
        at += 2;
    }
    for (size_t i = 0; i < m->size; i++) {
        body[at++] = message_byte(index, i);
    }
    trace("broker sends message %u, QoS %u, id %u%s", index, m->qos, id, again ? ", again" : "");
    out_packet(c, (uint8_t)(0x30 | m->qos << 1 | (again ? 8 : 0)), body, at);
}

/* ---- The session ---- */

/* Of what was on its way and is no more, nothing can be expected. */
static void lose_session(void)
{
    for (unsigned i = 0; i < MESSAGES_MAX; i++) {
        down.list[i].excused |= session.waits[i];
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (session.flights[i].step != FREE) {
            down.list[session.flights[i].message].excused = true;
        }
    }
    for (unsigned i = 0; i < MESSAGES_MAX; i++) {
        up.list[i].connection = 0; /* a new session: nothing goes again, all is new */
    }
    memset(&session, 0, sizeof session);
}

/* What the client began in another session it cannot end in this one: QoS 2 is given up. */
static void begin_session(void)
{
    for (unsigned i = 0; i < up.issued; i++) {
        up.list[i].excused |= up.list[i].qos == 2 && !up.list[i].settled;
    }
    session.exists = true;
}

static unsigned in_flight(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        count += session.flights[i].step != FREE;
    }
    return count;
}

static struct out_flight *find_flight(uint16_t id)
{
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (session.flights[i].step != FREE && session.flights[i].id == id) {
            return &session.flights[i];
        }
    }
    return NULL;
}

static uint16_t new_id(void)
{
    do {
        session.last_id++;
    } while (session.last_id == 0 || find_flight(session.last_id));
    return session.last_id;
}

/* The next in order that was not sent over this connection yet. */
static struct out_flight *next_again(const struct connection *c)
{
    struct out_flight *next = NULL;
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        struct out_flight *f = &session.flights[i];
        if (f->step != FREE && f->connection != c->number && (!next || f->order < next->order)) {
            next = f;
        }
    }
    return next;
}

static void send_again(struct connection *c)
{
    for (struct out_flight *f; (f = next_again(c)) != NULL && c->out_length < OUT / 2;) {
        if (f->step == AWAITS_PUBCOMP) {
            out_ack(c, 0x62, f->id, 0);
        } else {
            out_publish(c, f->message, f->id, true);
        }
        f->connection = c->number;
    }
}

static void send_message(struct connection *c, unsigned index)
{
    uint8_t qos = down.list[index].qos;
    session.waits[index] = false;
    if (!qos) {
        out_publish(c, index, 0, false);
        return;
    }
    unsigned i = 0;
    while (session.flights[i].step != FREE) {
        i++;
    }
    session.flights[i] = (struct out_flight){.step = qos == 1 ? AWAITS_PUBACK : AWAITS_PUBREC,
                                             .id = new_id(),
                                             .message = index,
                                             .order = session.order++,
                                             .connection = c->number};
    out_publish(c, index, session.flights[i].id, false);
}

static void send_queued(struct connection *c)
{
    unsigned most = c->receive_maximum && c->receive_maximum < IN_FLIGHT ? c->receive_maximum : IN_FLIGHT;
    for (unsigned i = 0; i < down.issued; i++) {
        if (!session.waits[i]) {
            continue;
        }
        later = world_chance(style.laziness);
        if (later || c->out_length > OUT / 2 || (down.list[i].qos && in_flight() >= most)) {
            return;
        }
        send_message(c, i);
    }
}

/* ---- What comes ---- */

static void close_connection(struct connection *c)
{
    tcp_close(&c->tcp);
    c->closing = true;
}

static void take_over(const struct connection *by)
{
    for (struct connection *c = connections; c < connections + CONNECTIONS; c++) {
        if (c != by && c->used && c->greeted) {
            tcp_abort(&c->tcp);
        }
    }
}

static void on_connect(struct connection *c)
{
    const struct client_packet *p = &c->stream.packet;
    bool clean = p->connect_flags & 2;
    uint8_t body[32] = {0, 0, 0};
    size_t at = 3;
    take_over(c);
    /*
     * A client that was not told that its session is lost, and is told of the next one that it is present,
     * cannot keep its promises: a hole in the protocol, which is none of this model's.
     */
    if (clean || !session.known) {
        lose_session();
    }
    body[0] = session.exists;
    trace("broker: CONNECT of version %u, clean start %d; session %s", p->version, clean,
          session.exists ? "present" : "new");
    if (!session.exists) {
        begin_session();
    }
    c->greeted = true;
    c->receive_maximum = is_v311(c) ? 8 : p->receive_maximum;
    c->alias_maximum = p->alias_maximum;
    c->silence_ms = p->keep_alive_s * 1500U;
    c->stream.accepted = true;
    if (is_v311(c)) {
        out_packet(c, 0x20, body, 2);
        return;
    }
    if (style.receive_maximum) {
        body[at++] = 0x21;
        put16(body + at, style.receive_maximum);
        at += 2;
    }
    if (style.alias_maximum) {
        body[at++] = 0x22;
        put16(body + at, style.alias_maximum);
        at += 2;
        c->stream.alias_maximum = style.alias_maximum;
    }
    if (style.server_keep_alive_s) {
        body[at++] = 0x13;
        put16(body + at, style.server_keep_alive_s);
        at += 2;
        c->silence_ms = style.server_keep_alive_s * 1500U;
    }
    body[2] = (uint8_t)(at - 3);
    out_packet(c, 0x20, body, at);
}

/* Was this received, and not released yet? */
static struct unreleased *find_unreleased(uint16_t id)
{
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        if (session.unreleased[i].id == id) {
            return &session.unreleased[i];
        }
    }
    return NULL;
}

/* Sent again over another connection: with DUP; over the same one: never. */
static void check_repetition(const struct connection *c, const struct client_packet *p, unsigned index)
{
    struct message *m = &up.list[index];
    if (m->connection == c->number) {
        broken("up: message %u comes again over the same connection [MQTT-4.4.0-1]", index);
    }
    if (m->connection && !p->duplicate) {
        broken("up: message %u comes again without DUP [MQTT-3.3.1-1]", index);
    }
    m->connection = c->number;
}

static void on_publish(struct connection *c)
{
    const struct client_packet *p = &c->stream.packet;
    char topic[] = "up/?"; /* an alias stands for that of its number */
    const void *name = p->topic.data;
    size_t length = p->topic.length;
    if (!length) {
        topic[3] = (char)('0' + p->alias - 1);
        name = topic;
        length = 4;
    }
    unsigned index = message_recognize(&up, p->payload.data, p->payload.length, name, length, p->qos);
    trace("broker gets message %u, QoS %u, id %u%s", index, p->qos, p->packet_id,
          p->duplicate ? ", again" : "");
    check_repetition(c, p, index);
    bool again = p->qos == 2 && find_unreleased(p->packet_id);
    bool refused = up.list[index].unwanted;
    if (!refused && !again) {
        message_arrives(&up, index);
    }
    if (p->qos == 1) {
        out_ack(c, 0x40, p->packet_id, refused ? 0x97 : 0);
    } else if (p->qos == 2) {
        if (!refused && !again) {
            struct unreleased *place = find_unreleased(0);
            assert_non_null(place);
            *place = (struct unreleased){p->packet_id, index};
        }
        out_ack(c, 0x50, p->packet_id, refused ? 0x97 : 0);
    }
}

static void on_answer(struct connection *c)
{
    const struct client_packet *p = &c->stream.packet;
    struct out_flight *f = find_flight(p->packet_id);
    static const enum step awaited[] = {[4] = AWAITS_PUBACK, [5] = AWAITS_PUBREC, [7] = AWAITS_PUBCOMP};
    if (!f || f->step != awaited[p->type]) {
        broken("an answer of type %u to id %u, which waits for none", p->type, p->packet_id);
    }
    if (p->reason >= 0x80 && p->type != 7) {
        broken("a refusal of id %u", p->packet_id);
    }
    trace("broker gets an answer of type %u to message %u, id %u", p->type, f->message, p->packet_id);
    if (p->type == 5) {
        f->step = AWAITS_PUBCOMP;
        f->order = session.order++;
        out_ack(c, 0x62, f->id, 0);
        return;
    }
    if (down.list[f->message].arrived == 0) {
        broken("down: message %u is acknowledged, but was not delivered", f->message);
    }
    f->step = FREE;
}

static void on_pubrel(struct connection *c)
{
    struct unreleased *place = find_unreleased(c->stream.packet.packet_id);
    trace("broker gets PUBREL of id %u%s", c->stream.packet.packet_id, place ? "" : ", which it has not");
    out_ack(c, 0x70, c->stream.packet.packet_id, place || is_v311(c) ? 0 : 0x92);
    if (place) {
        place->id = 0;
    }
}

static void on_subscribe(struct connection *c)
{
    const struct client_packet *p = &c->stream.packet;
    uint8_t body[] = {(uint8_t)(p->packet_id >> 8), (uint8_t)p->packet_id, 0, 2};
    if (is_v311(c)) {
        body[2] = 2;
    }
    session.subscribed = true;
    out_packet(c, 0x90, body, is_v311(c) ? 3 : 4);
}

static void on_packet(struct connection *c, const uint8_t *bytes, size_t size)
{
    const char *wrong = client_stream_packet(&c->stream, bytes, size);
    if (wrong) {
        broken("packet of type %u: %s", bytes[0] >> 4, wrong);
    }
    session.known |= c->stream.packet.type != 1 && c->stream.packet.type != 14;
    switch (c->stream.packet.type) {
    case 1: on_connect(c); break;
    case 3: on_publish(c); break;
    case 4:
    case 5:
    case 7: on_answer(c); break;
    case 6: on_pubrel(c); break;
    case 8: on_subscribe(c); break;
    case 12: out_packet(c, 0xD0, bytes, 0); break;
    case 14: close_connection(c); break;
    default: broken("packet of type %u", c->stream.packet.type);
    }
}

/* ---- Connections ---- */

static void read_packets(struct connection *c)
{
    for (;;) {
        size_t size = client_packet_size(c->in, c->in_length);
        if (size == SIZE_MAX || size > sizeof c->in) {
            broken("a packet of impossible size");
        }
        if (size == 0 || size > c->in_length || c->closing) {
            return;
        }
        on_packet(c, c->in, size);
        memmove(c->in, c->in + size, c->in_length -= size);
    }
}

static bool read_bytes(struct connection *c)
{
    const uint8_t *data;
    size_t length = tcp_peek(&c->tcp, &data);
    if (length > sizeof c->in - c->in_length) {
        length = sizeof c->in - c->in_length;
    }
    if (length) {
        memcpy(c->in + c->in_length, data, length);
        c->in_length += length;
        tcp_consume(&c->tcp, length);
        c->heard_ms = world.link.now;
    }
    return length > 0;
}

static void write_bytes(struct connection *c)
{
    struct tcp_span room[2];
    size_t free_room = tcp_reserve(&c->tcp, room), length = c->out_length;
    if (length > free_room) {
        length = free_room;
    }
    if (length == 0) {
        return;
    }
    if (world_chance(100)) {
        length = 1 + world_random() % length;
    }
    size_t first = length < room[0].length ? length : room[0].length;
    memcpy(room[0].data, c->out, first);
    if (first < length) {
        memcpy(room[1].data, c->out + first, length - first);
    }
    tcp_commit(&c->tcp, length);
    memmove(c->out, c->out + length, c->out_length -= length);
}

static void begin(struct connection *c)
{
    c->used = true;
    c->greeted = c->closing = false;
    c->number = ++connection_number;
    c->in_length = c->out_length = 0;
    c->heard_ms = world.link.now;
    c->silence_ms = 30000;
    memset(c->alias_set, 0, sizeof c->alias_set);
    memset(&c->stream, 0, sizeof c->stream);
}

static void serve(struct connection *c)
{
    enum tcp_state state = tcp_state(&c->tcp);
    if (state == TCP_CLOSED || state == TCP_TIME_WAIT) {
        c->used = false;
        assert_int_equal(tcp_accept(&listener, &c->tcp, world.link.now), NET_OK);
        return;
    }
    if (state == TCP_LISTEN) {
        return;
    }
    if (!c->used) {
        begin(c);
    }
    do {
        read_packets(c);
    } while (!c->closing && read_bytes(c));
    if (c->closing) {
        return;
    }
    if (c->greeted && !c->stream.closed) {
        send_again(c);
        send_queued(c);
    }
    write_bytes(c);
    if (state >= TCP_CLOSE_WAIT && c->in_length == 0) {
        close_connection(c);
    } else if (c->silence_ms && world.link.now - c->heard_ms > c->silence_ms) {
        trace("broker: the client is silent");
        tcp_abort(&c->tcp);
    }
}

void broker_run(void)
{
    bool more;
    later = false;
    do {
        more = net_poll(&world.server.net, world.link.now);
        for (struct connection *c = connections; c < connections + CONNECTIONS; c++) {
            serve(c);
        }
    } while (more);
    net_flush(&world.server.net, world.link.now);
}

uint32_t broker_wait(void)
{
    uint32_t wait = net_wait_ms(&world.server.net, world.link.now);
    wait = later && wait > 5 ? 5 : wait;
    for (const struct connection *c = connections; c < connections + CONNECTIONS; c++) {
        if (c->used && c->silence_ms && !c->closing) {
            uint32_t left = c->heard_ms + c->silence_ms + 1 - world.link.now;
            left = (int32_t)left < 0 ? 0 : left;
            wait = left < wait ? left : wait;
        }
    }
    return wait;
}

/* ---- For the run ---- */

static void listen(void)
{
    memset(&listener, 0, sizeof listener);
    assert_int_equal(tcp_listen(&listener, &world.server.net, WORLD_PORT, BUFFER), NET_OK);
    for (struct connection *c = connections; c < connections + CONNECTIONS; c++) {
        c->used = false;
        tcp_init(&c->tcp, &world.server.net, c->tx, BUFFER, c->rx, BUFFER);
        tcp_set_timeouts(&c->tcp, 60000, 0);
        assert_int_equal(tcp_accept(&listener, &c->tcp, world.link.now), NET_OK);
    }
}

void broker_open(const struct broker_style *of)
{
    style = *of;
    connection_number = 0;
    memset(&session, 0, sizeof session);
    listen();
}

void broker_restart(bool keeps_sessions)
{
    trace("broker restarts %s its sessions", keeps_sessions ? "with" : "without");
    if (!keeps_sessions) {
        lose_session();
    }
    world_reset(&world.server);
    listen();
}

void broker_publish(void)
{
    struct message *m = &down.list[down.issued];
    m->sent = true;
    session.waits[down.issued] = session.subscribed;
    m->excused = !session.subscribed;
    down.issued++;
}

void broker_cut(enum broker_cut how)
{
    static const uint8_t busy[] = {0x89};
    for (struct connection *c = connections; c < connections + CONNECTIONS; c++) {
        if (!c->used || c->closing) {
            continue;
        }
        trace("broker cuts a connection, way %d", (int)how);
        if (how == BROKER_RESETS) {
            tcp_abort(&c->tcp);
            continue;
        }
        if (how == BROKER_SAYS_GOODBYE && c->greeted && !is_v311(c)) {
            out_packet(c, 0xE0, busy, sizeof busy);
            write_bytes(c);
        }
        close_connection(c);
    }
}

bool broker_is_idle(void)
{
    bool waits = false;
    for (unsigned i = 0; i < MESSAGES_MAX; i++) {
        waits |= session.waits[i];
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        /* Of a message that the client has forgotten there will be no PUBREL. */
        waits |= session.unreleased[i].id != 0 && !up.list[session.unreleased[i].message].excused;
    }
    return !waits && in_flight() == 0;
}

bool broker_is_alone(void)
{
    for (const struct connection *c = connections; c < connections + CONNECTIONS; c++) {
        if (c->used) {
            return false;
        }
    }
    return true;
}
