#include "client.h"

#include "messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    USER_TIMEOUT_MS = 20000, /* as in the firmware */
    STORE = 8192,
    ALIAS_TOPIC = 8,
    PACKET_MOST = MESSAGE_MOST + 128,
};

static struct {
    struct mqtt m;
    struct mqtt_config config;
    struct mqtt_transport transport;
    struct tcp_socket tcp;
    uint8_t *tx, *rx;
    struct mqtt_ram_store store;
    uint8_t memory[STORE];
    uint8_t aliases[TOPICS * (2 + ALIAS_TOPIC)];
    bool stopped;
} client;

static struct client_style style;

/* What comes in parts. */
static struct {
    bool active;
    uint8_t topic[ALIAS_TOPIC];
    size_t topic_length, received;
    uint8_t qos;
    uint8_t payload[MESSAGE_MOST];
} partial;

/* ---- The transport, as in the firmware ---- */

static int transport_open(void *context)
{
    (void)context;
    return tcp_connect(&client.tcp, WORLD_SERVER, WORLD_PORT, world.link.now);
}

static enum mqtt_transport_state transport_state(void *context)
{
    (void)context;
    switch (tcp_state(&client.tcp)) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED: return MQTT_TRANSPORT_OPENING;
    case TCP_ESTABLISHED: return MQTT_TRANSPORT_OPEN;
    case TCP_CLOSED:
    case TCP_TIME_WAIT: return MQTT_TRANSPORT_CLOSED;
    default: return MQTT_TRANSPORT_ENDING;
    }
}

static void transport_close(void *context, bool abort)
{
    (void)context;
    if (abort) {
        tcp_abort(&client.tcp);
    } else {
        tcp_close(&client.tcp);
    }
}

static size_t transport_receive(void *context, const uint8_t **data)
{
    size_t length = tcp_peek(&client.tcp, data);
    (void)context;
    return length < style.rx_size ? length : style.rx_size;
}

static void transport_consume(void *context, size_t length)
{
    (void)context;
    tcp_consume(&client.tcp, length);
}

static size_t transport_reserve(void *context, struct mqtt_span room[2])
{
    struct tcp_span spans[2] = {{NULL, 0}, {NULL, 0}};
    size_t total = tcp_reserve(&client.tcp, spans);
    (void)context;
    for (size_t i = 0; i < 2; i++) {
        room[i] = (struct mqtt_span){spans[i].data, spans[i].length};
    }
    return total;
}

static void transport_commit(void *context, size_t length)
{
    (void)context;
    tcp_commit(&client.tcp, length);
}

/* ---- Publishing ---- */

static int source(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    const struct message *m = context;
    unsigned index = (unsigned)(m - up.list);
    if (world_chance(100)) {
        return 0; /* not now */
    }
    if (world_chance(300)) {
        length = 1 + world_random() % length;
    }
    for (size_t i = 0; i < length; i++) {
        to[i] = message_byte(index, offset + i);
    }
    return (int)length;
}

static bool comes_from_a_source(const struct message *m)
{
    return m->size > client.tcp.tx_size / 2;
}

/* The next of `up`: false: not now. */
static bool publish_next(void)
{
    static uint8_t payload[MESSAGE_MOST];
    struct message *m = &up.list[up.issued];
    char topic[8];
    struct mqtt_publish publish = {.qos = m->qos};
    publish.topic[0] = (struct mqtt_slice){topic, (size_t)snprintf(topic, sizeof topic, "up/%u", m->topic)};
    publish.alias = style.aliases ? (uint8_t)(m->topic + 1) : 0;
    bool large = comes_from_a_source(m);
    if (large) {
        publish.source = source;
        publish.source_context = m;
        publish.source_length = m->size;
    } else {
        for (size_t i = 0; i < m->size; i++) {
            payload[i] = message_byte(up.issued, i);
        }
        publish.payload[0] = (struct mqtt_slice){payload, m->size};
    }
    int result = mqtt_publish(&client.m, &publish, world.link.now);
    if (result == MQTT_ERROR_FULL || result == MQTT_ERROR_INFLIGHT || result == MQTT_ERROR_STORE ||
        result == MQTT_ERROR_NOT_CONNECTED) {
        return false;
    }
    if (result < 0 || (result > 0) != (m->qos > 0)) {
        broken("up: publishing message %u gives %d", up.issued, result);
    }
    trace("client publishes message %u, QoS %u, id %d, %u bytes", up.issued, m->qos, result, m->size);
    m->sent = true;
    m->packet_id = result;
    up.issued++;
    return true;
}

static void publish_all(void)
{
    while (up.issued < up.count && !world_chance(style.laziness) && publish_next()) {
    }
}

static void on_published(uint16_t id, uint8_t reason)
{
    if (id == 0) {
        return; /* QoS 0 from a source: sent */
    }
    for (unsigned i = up.issued; i-- > 0;) {
        struct message *m = &up.list[i];
        if (m->qos == 0 || m->settled || m->packet_id != id) {
            continue;
        }
        trace("client: message %u, id %u is settled with 0x%02x", i, id, reason);
        m->settled = true;
        m->reason = reason;
        if (reason < 0x80 && m->arrived == 0) {
            broken("up: message %u of QoS %u is said to be published, and has not arrived", i, m->qos);
        }
        if (reason >= 0x80 && !m->unwanted && !m->excused) {
            broken("up: message %u is said to be refused with 0x%02x", i, reason);
        }
        return;
    }
    broken("PUBLISHED for id %u, which nobody waits for", id);
}

/* ---- Receiving ---- */

static void receive_whole(const struct mqtt_message *message)
{
    message_arrives(&down, message_recognize(&down, message->payload.data, message->payload.length,
                                             message->topic.data, message->topic.length, message->qos));
}

static void receive_begin(const struct mqtt_message *message)
{
    if (partial.active || message->topic.length > sizeof partial.topic) {
        broken("a message begins in another, or has a long topic");
    }
    partial.active = true;
    partial.received = 0;
    partial.qos = message->qos;
    partial.topic_length = message->topic.length;
    memcpy(partial.topic, message->topic.data, message->topic.length);
}

static void receive_part(const struct mqtt_event *event)
{
    size_t length = event->part.data.length;
    if (!partial.active || event->part.offset != partial.received || event->part.total > MESSAGE_MOST ||
        length > event->part.total - partial.received) {
        broken("a part out of place");
    }
    memcpy(partial.payload + partial.received, event->part.data.data, length);
    partial.received += length;
    if (partial.received == event->part.total) {
        partial.active = false;
        message_arrives(&down, message_recognize(&down, partial.payload, partial.received, partial.topic,
                                                 partial.topic_length, partial.qos));
    }
}

/* ---- The session ---- */

/* Without a session what is in flight is lost, and the engine says how much. */
static void on_disconnected(const struct mqtt_disconnected *end)
{
    unsigned lost = 0;
    trace("client: DISCONNECTED, cause %d, reason 0x%02x, lost %u, again in %u ms", (int)end->cause,
          end->reason, end->lost, end->retry_ms);
    partial.active = false;
    if (end->cause == MQTT_CAUSE_PROTOCOL || end->cause == MQTT_CAUSE_REFUSED) {
        broken("the engine accuses the broker, reason 0x%02x", end->reason);
    }
    for (unsigned i = 0; style.session_expiry_s == 0 && i < up.issued; i++) {
        struct message *m = &up.list[i];
        if (m->qos && !m->settled && !m->excused) {
            m->excused = true;
            lost++;
        }
    }
    if (lost != end->lost) {
        broken("%u publications lost, and the engine says %u", lost, end->lost);
    }
}

static void on_connected(bool present)
{
    trace("client: CONNECTED, session %s", present ? "present" : "new");
    for (unsigned i = 0; !present && i < up.issued; i++) {
        up.list[i].given_up = up.list[i].qos == 2 && !up.list[i].settled;
    }
}

static void handle(const struct mqtt_event *event)
{
    switch (event->type) {
    case MQTT_EVENT_CONNECTED: on_connected(event->connected.session_present); break;
    case MQTT_EVENT_DISCONNECTED: on_disconnected(&event->disconnected); break;
    case MQTT_EVENT_MESSAGE: receive_whole(&event->message); break;
    case MQTT_EVENT_MESSAGE_BEGIN: receive_begin(&event->message); break;
    case MQTT_EVENT_MESSAGE_PART: receive_part(event); break;
    case MQTT_EVENT_PUBLISHED: on_published(event->published.packet_id, event->published.reason); break;
    case MQTT_EVENT_SUBSCRIBED: trace("client: SUBSCRIBED"); break;
    default: broken("an event of type %d", (int)event->type);
    }
}

static void poll_engine(void)
{
    struct mqtt_event event;
    for (unsigned i = 0; mqtt_poll(&client.m, world.link.now, &event); i++) {
        if (i > 1000) {
            broken("the engine has no end of events");
        }
        handle(&event);
    }
}

void client_run(void)
{
    bool more;
    do {
        more = net_poll(&world.client.net, world.link.now);
        poll_engine();
        publish_all();
        poll_engine();
    } while (more);
    net_flush(&world.client.net, world.link.now);
}

uint32_t client_wait(void)
{
    uint32_t wait = net_wait_ms(&world.client.net, world.link.now),
             engine = mqtt_wait_ms(&client.m, world.link.now);
    bool busy = mqtt_is_connected(&client.m) && up.issued < up.count;
    wait = engine < wait ? engine : wait;
    /* A source that had nothing, and an application that did not feel like it. */
    return wait > 20 && (busy || (mqtt_is_connected(&client.m) && !messages_settled())) ? 20 : wait;
}

/* ---- For the run ---- */

static const struct mqtt_subscription subscription = {.filter = {MQTT_TEXT("down/#")}, .qos = 2};
static const struct mqtt_filters subscriptions = {.subscriptions = &subscription, .count = 1};

static void configure(void)
{
    client.config = (struct mqtt_config){
        .client_id = "mote",
        .keep_alive_s = style.keep_alive_s,
        .qos2 = true,
        .session_expiry_s = style.session_expiry_s,
        .store = &client.store.store,
        .resume = style.resume,
        .subscriptions = &subscriptions,
        .maximum_packet_size = PACKET_MOST,
        .version = style.version,
        .ack_timeout_ms = style.ack_timeout_ms,
        .backoff_max_ms = 4000,
    };
    if (style.aliases) {
        client.config.alias_memory = client.aliases;
        client.config.alias_topic_bytes = ALIAS_TOPIC;
        client.config.alias_maximum = TOPICS;
    }
    client.transport = (struct mqtt_transport){
        .open = transport_open,
        .state = transport_state,
        .close = transport_close,
        .receive = transport_receive,
        .consume = transport_consume,
        .reserve = transport_reserve,
        .commit = transport_commit,
        .receive_capacity = style.rx_size,
    };
}

static void boot(void)
{
    partial.active = false;
    tcp_init(&client.tcp, &world.client.net, client.tx, style.tx_size, client.rx, style.window);
    tcp_set_timeouts(&client.tcp, USER_TIMEOUT_MS, 0);
    tcp_set_nagle(&client.tcp, false);
    mqtt_init(&client.m, &client.config, &client.transport, world_random());
}

void client_open(const struct client_style *of)
{
    style = *of;
    memset(&client, 0, sizeof client);
    client.tx = malloc(style.tx_size);
    client.rx = malloc(style.window);
    mqtt_ram_store_init(&client.store, client.memory, sizeof client.memory);
    configure();
    boot();
}

void client_close(void)
{
    free(client.tx);
    free(client.rx);
}

void client_reset(void)
{
    trace("client is reset");
    for (unsigned i = 0; i < up.issued; i++) {
        up.list[i].excused |= comes_from_a_source(&up.list[i]); /* the store has not its payload */
    }
    world_reset(&world.client);
    boot();
}

void client_disconnect(void)
{
    trace("client disconnects");
    mqtt_disconnect(&client.m, 0, world.link.now);
    client.stopped = true;
}

void client_connect(void)
{
    if (client.stopped) {
        mqtt_connect(&client.m, world.link.now);
    }
    client.stopped = false;
}

bool client_is_idle(void)
{
    return mqtt_is_connected(&client.m) && messages_settled() &&
           mqtt_wait_ms(&client.m, world.link.now) > 0 && client.store.used == 0 &&
           tcp_queued(&client.tcp) == 0;
}

bool client_is_closed(void)
{
    enum tcp_state state = tcp_state(&client.tcp);
    return state == TCP_CLOSED || state == TCP_TIME_WAIT;
}

void client_explain(void)
{
    struct mqtt_record record = {0, 0};
    bool kept = client.store.store.at(&client.store, 0, &record);
    print_message("client: connected %d, quota %zu, to be polled in %u ms, %zu bytes kept, first under 0x%x "
                  "(%d), %zu bytes in TCP\n",
                  mqtt_is_connected(&client.m), mqtt_quota(&client.m),
                  mqtt_wait_ms(&client.m, world.link.now), client.store.used, record.key, kept,
                  tcp_queued(&client.tcp));
}
