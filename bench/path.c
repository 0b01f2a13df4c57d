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

static void feed_publish(void)
{
    static const uint8_t head[] = {0x30, 2 + TOPIC + 1 + PAYLOAD, 0, TOPIC};
    uint8_t packet[sizeof head + TOPIC + 1 + PAYLOAD] = {0};

    memcpy(packet, head, sizeof head);
    memcpy(packet + sizeof head, PREFIX NAME, TOPIC);
    feed(packet, sizeof packet);
}

static void receive_publish(bool dry)
{
    feed_publish();
    if (!dry)
        expect(MQTT_EVENT_MESSAGE);
}

static void receive_all(bool dry)
{
    receive_publish(dry);
    if (!dry)
        expect_nothing();
}

static uint16_t publish(uint8_t qos)
{
    static const struct mqtt_publish p[2] = {
        {.topic = {MQTT_TEXT(PREFIX), MQTT_TEXT(NAME)}, .payload = {{payload, sizeof payload}}},
        {.topic = {MQTT_TEXT(PREFIX), MQTT_TEXT(NAME)}, .payload = {{payload, sizeof payload}}, .qos = 1},
    };
    uint32_t ticket = wire.ticket;
    int id = mqtt_publish(&s.mqtt, &p[qos], now_ms);

    CHECK(id >= 0);
    net_flush(&s.net, now_ms);
    CHECK(wire.ticket == ticket + 1);
    return (uint16_t)id;
}

static void publish_0(bool dry)
{
    if (!dry)
        publish(0);
}

static void round_trip(bool dry)
{
    uint8_t puback[] = {0x40, 2, 0, 0};

    if (!dry) {
        uint16_t id = publish(1);
        puback[2] = (uint8_t)(id >> 8);
        puback[3] = (uint8_t)id;
    }
    peer.ack += 2 + 2 + TOPIC + 2 + 1 + PAYLOAD;
    feed(puback, sizeof puback);
    if (!dry) {
        expect(MQTT_EVENT_PUBLISHED);
        expect_nothing();
    }
}

static void set_up(void)
{
    static const struct mqtt_config session = {.client_id = "mote", .keep_alive_s = 60};
    static const uint8_t connack[] = {0x20, 3, 0, 0, 0};
    struct net_config network = {.address = OUR_ADDRESS, .netmask = 0xFFFFFF00, .seed = {1, 2, 3, 4}};
    struct mqtt_event event;

    memcpy(network.mac, our_mac, 6);
    net_init(&s.net, &network, &device);
    broker_init(&s.broker, &s.net);
    mqtt_init(&s.mqtt, &session, &s.broker.transport, 1);
    net_link(&s.net, true, now_ms);
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

static void (*const scenarios[])(bool dry) = {receive_publish, receive_all, publish_0, round_trip};

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
