/*
 * What a message costs in instructions on its whole way through net, the
 * transport and mqtt, for bench/path.sh. Each repetition starts from the same
 * state, put back with and without the measured part (`dry`), so that it ends
 * where the row's name says, and nothing of what would follow is in it.
 */
#include "app/broker.h"
#include "app/config.h"
#include "bench/wire.h"
#include "mqtt/mqtt.h"
#include "tests/target/semihosting.h"

/* Changed by bench/path.sh in the ELF; a section of its own, in flash. */
static const struct parameters {
    uint32_t scenario, repetitions, dry;
} in_flash __attribute__((section(".bench"), used)) = {0, 100, 0};

#define PREFIX "dt/mote/02-00-00-00-01-42"
#define NAME   "/led"

enum {
    TOPIC = sizeof PREFIX NAME - 1,
    PAYLOAD = 64,
};

const struct config config = {.brokers = {{.address = PEER_ADDRESS}}, .broker_port = PEER_PORT};

struct state {
    struct net net;
    struct broker broker;
    struct mqtt mqtt;
    uint32_t seq, ack; /* the peer's */
};

static struct state s, connected;
static uint8_t payload[PAYLOAD];
static uint32_t now_ms = 1000;

static void expect(enum mqtt_event_type type)
{
    struct mqtt_event event;

    (void)net_poll(&s.net, now_ms);
    broker_poll(&s.broker, now_ms);
    bool more = mqtt_poll(&s.mqtt, now_ms, &event);
    CHECK(more && event.type == type);
}

static void expect_nothing(void)
{
    struct mqtt_event event;
    bool more = mqtt_poll(&s.mqtt, now_ms, &event);

    CHECK(!more);
    net_flush(&s.net, now_ms);
}

static void feed(const void *bytes, size_t length)
{
    memcpy(wire.frame + HEADERS, bytes, length);
    peer_segment(TCP_ACK | TCP_PSH, length);
    peer.seq += length;
}

/* QoS 1 and 2: with packet id 1. */
static void feed_publish(uint8_t qos)
{
    const size_t id = qos > 0 ? 2 : 0;
    const uint8_t head[] = {(uint8_t)(0x30 | qos << 1), (uint8_t)(2 + TOPIC + id + 1 + PAYLOAD), 0, TOPIC};
    uint8_t packet[sizeof head + TOPIC + 2 + 1 + PAYLOAD] = {0};

    memcpy(packet, head, sizeof head);
    memcpy(packet + sizeof head, PREFIX NAME, TOPIC);
    if (qos > 0)
        packet[sizeof head + TOPIC + 1] = 1;
    feed(packet, sizeof head + TOPIC + id + 1 + PAYLOAD);
}

/* An acknowledgement, the broker having what we sent before it. */
static void feed_step(uint8_t head, uint16_t id, size_t acknowledges)
{
    const uint8_t packet[] = {head, 2, (uint8_t)(id >> 8), (uint8_t)id};

    peer.ack += acknowledges;
    feed(packet, sizeof packet);
}

static void receive_publish(bool dry)
{
    feed_publish(0);
    if (!dry)
        expect(MQTT_EVENT_MESSAGE);
}

static void receive_all(bool dry, uint8_t qos)
{
    feed_publish(qos);
    if (!dry) {
        expect(MQTT_EVENT_MESSAGE);
        expect_nothing();
    }
}

static void receive_0(bool dry)
{
    receive_all(dry, 0);
}

static void receive_1(bool dry)
{
    receive_all(dry, 1);
}

static uint16_t publish(bool dry, uint8_t qos)
{
    static const struct mqtt_publish p[] = {
        {.topic = {MQTT_TEXT(PREFIX), MQTT_TEXT(NAME)}, .payload = {{payload, sizeof payload}}},
        {.topic = {MQTT_TEXT(PREFIX), MQTT_TEXT(NAME)}, .payload = {{payload, sizeof payload}}, .qos = 1},
        {.topic = {MQTT_TEXT(PREFIX), MQTT_TEXT(NAME)}, .payload = {{payload, sizeof payload}}, .qos = 2},
    };
    uint32_t ticket = wire.ticket;

    if (dry)
        return 0;
    int id = mqtt_publish(&s.mqtt, &p[qos], now_ms);
    CHECK(id >= 0);
    net_flush(&s.net, now_ms);
    CHECK(wire.ticket == ticket + 1);
    return (uint16_t)id;
}

static void publish_0(bool dry)
{
    publish(dry, 0);
}

enum { OUR_PUBLISH = 2 + 2 + TOPIC + 2 + 1 + PAYLOAD, STEP = 4 };

static void publish_1(bool dry)
{
    feed_step(0x40, publish(dry, 1), OUR_PUBLISH);
    if (!dry) {
        expect(MQTT_EVENT_PUBLISHED);
        expect_nothing();
    }
}

#if MQTT_WITH_QOS2
/* A step that the user hears nothing of. */
static void take_step(void)
{
    (void)net_poll(&s.net, now_ms);
    broker_poll(&s.broker, now_ms);
    expect_nothing();
}

/* PUBLISH, PUBREC, PUBREL, PUBCOMP. */
static void receive_2(bool dry)
{
    receive_all(dry, 2);
    feed_step(0x62, 1, STEP);
    if (!dry)
        take_step();
}

static void publish_2(bool dry)
{
    uint16_t id = publish(dry, 2);

    feed_step(0x50, id, OUR_PUBLISH);
    if (!dry)
        take_step();
    feed_step(0x70, id, STEP);
    if (!dry) {
        expect(MQTT_EVENT_PUBLISHED);
        expect_nothing();
    }
}
#endif

static void set_up(void)
{
    static const struct mqtt_config session = {
        .client_id = "mote",
        .keep_alive_s = 60,
#if MQTT_WITH_QOS2
        .qos2 = true,
#endif
    };
    static const uint8_t connack[] = {0x20, 3, 0, 0, 0};
    struct net_config network = {.address = OUR_ADDRESS, .netmask = 0xFFFFFF00, .seed = {1, 2, 3, 4}};
    struct mqtt_event event;

    memcpy(network.mac, our_mac, 6);
    net_init(&s.net, &network, &device);
    broker_init(&s.broker, &s.net);
    mqtt_init(&s.mqtt, &session, &s.broker.transport, 1);
    net_link(&s.net, true, now_ms);
    while (!net_is_up(&s.net)) { /* with everything on it probes for its address */
        now_ms += 1000;
        (void)net_poll(&s.net, now_ms);
    }
    peer_arp_request();
    (void)net_poll(&s.net, now_ms);
    broker_poll(&s.broker, now_ms);
    (void)!mqtt_poll(&s.mqtt, now_ms, &event);
    net_flush(&s.net, now_ms);
    answer_syn();
    (void)net_poll(&s.net, now_ms);
    (void)!mqtt_poll(&s.mqtt, now_ms, &event); /* CONNECT */
    net_flush(&s.net, now_ms);
    peer.ack += wire.sent_length - HEADERS;
    feed(connack, sizeof connack);
    expect(MQTT_EVENT_CONNECTED);
    expect_nothing();
    now_ms += 1000;
    (void)net_poll(&s.net, now_ms); /* no acknowledgement is owed any more */
}

static void (*const scenarios[])(bool dry) = {receive_publish, receive_0, publish_0, publish_1, receive_1,
#if MQTT_WITH_QOS2
                                              receive_2,       publish_2
#endif
};

int main(void)
{
    const volatile struct parameters *parameters = &in_flash;

    set_up();
    s.seq = peer.seq;
    s.ack = peer.ack;
    connected = s;
    uint32_t scenario = parameters->scenario;
    bool dry = parameters->dry != 0;
    for (uint32_t left = parameters->repetitions; left > 0; left--) {
        s = connected;
        peer.seq = s.seq;
        peer.ack = s.ack;
        scenarios[scenario](dry);
    }
    semihosting_exit(0);
}
