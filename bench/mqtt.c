/*
 * What the MQTT engine costs in instructions, for bench/mqtt.sh: one session on
 * a transport that does nothing but lend its buffers, and a broker that fills
 * them. The work is done `repetitions` times, with and without the engine's
 * part (`dry`), so that the difference of two pairs of runs is the engine's.
 */
#include "mqtt/mqtt.h"
#include "tests/target/semihosting.h"

#include <string.h>

/* Changed by bench/mqtt.sh in the ELF; a section of its own, in flash. */
static const struct parameters {
    uint32_t scenario, repetitions, dry;
} in_flash __attribute__((section(".bench"), used)) = {0, 100, 0};

#define PREFIX "dt/mote/02-00-00-00-01-42"
#define NAME   "/led"

enum {
    TOPIC = sizeof PREFIX NAME - 1,
    PAYLOAD = 64,
    BUFFER = 512,
    NOW_MS = 1000,
};

static uint8_t tx[BUFFER], rx[BUFFER], payload[PAYLOAD];
static size_t rx_length, sent;
static enum mqtt_transport_state state;
static struct mqtt m;

/* ---- Transport ---- */

static int open_(void *context)
{
    (void)context;
    state = MQTT_TRANSPORT_OPEN;
    return 0;
}

static enum mqtt_transport_state state_(void *context)
{
    (void)context;
    return state;
}

static void close_(void *context, bool abort)
{
    (void)context;
    (void)abort;
    semihosting_exit(1);
}

static size_t receive(void *context, const uint8_t **data)
{
    (void)context;
    *data = rx;
    return rx_length;
}

static void consume(void *context, size_t length)
{
    (void)context;
    rx_length -= length;
}

static size_t reserve(void *context, struct mqtt_span room[2])
{
    (void)context;
    room[0] = (struct mqtt_span){tx, sizeof tx};
    room[1] = (struct mqtt_span){tx, 0};
    return sizeof tx;
}

static void commit(void *context, size_t length)
{
    (void)context;
    sent = length;
}

static const struct mqtt_transport transport = {
    .open = open_,
    .state = state_,
    .close = close_,
    .receive = receive,
    .consume = consume,
    .reserve = reserve,
    .commit = commit,
    .receive_capacity = BUFFER,
};

/* ---- Broker ---- */

static void feed(const void *bytes, size_t length)
{
    memcpy(rx, bytes, length);
    rx_length = length;
}

static void feed_publish(unsigned qos)
{
    uint8_t *p = rx;
    *p++ = (uint8_t)(0x30 | qos << 1);
    *p++ = (uint8_t)(2 + TOPIC + (qos > 0 ? 2 : 0) + 1 + PAYLOAD);
    *p++ = 0;
    *p++ = TOPIC;
    memcpy(p, PREFIX NAME, TOPIC);
    p += TOPIC;
    if (qos > 0) {
        *p++ = 0;
        *p++ = 1;
    }
    *p++ = 0;
    memcpy(p, payload, PAYLOAD);
    rx_length = (size_t)(p + PAYLOAD - rx);
}

/* ---- What is counted ---- */

static void expect_event(enum mqtt_event_type type)
{
    struct mqtt_event event;
    CHECK(mqtt_poll(&m, NOW_MS, &event));
    CHECK(event.type == type);
    CHECK(!mqtt_poll(&m, NOW_MS, &event));
}

static void receive_publish(bool dry, unsigned qos)
{
    feed_publish(qos);
    if (!dry)
        expect_event(MQTT_EVENT_MESSAGE);
}

/* What copying costs is the C library's matter: it drops out. */
__attribute__((noipa)) static void copy(const struct mqtt_publish *p)
{
    uint8_t *to = tx + 4;
    for (size_t i = 0; i < 2; i++) {
        memcpy(to, p->topic[i].data, p->topic[i].length);
        to += p->topic[i].length;
    }
    memcpy(to + 1, p->payload[0].data, p->payload[0].length);
}

static int publish(bool dry, uint8_t qos)
{
    const struct mqtt_publish p = {
        .topic = {MQTT_TEXT(PREFIX), MQTT_TEXT(NAME)},
        .payload = {{payload, sizeof payload}},
        .qos = qos,
    };
    if (!dry)
        return mqtt_publish(&m, &p, NOW_MS);
    copy(&p);
    return 0;
}

static void round_trip(bool dry)
{
    static uint8_t puback[4] = {0x40, 2};
    int id = publish(dry, 1);
    puback[2] = (uint8_t)(id >> 8);
    puback[3] = (uint8_t)id;
    feed(puback, sizeof puback);
    if (!dry)
        expect_event(MQTT_EVENT_PUBLISHED);
}

#if MQTT_WITH_QOS2
static void feed_step(uint8_t head, int id)
{
    uint8_t packet[4] = {head, 2, (uint8_t)(id >> 8), (uint8_t)id};
    feed(packet, sizeof packet);
}

static void poll_nothing(void)
{
    struct mqtt_event event;
    CHECK(!mqtt_poll(&m, NOW_MS, &event));
}

/* PUBLISH, PUBREC, PUBREL, PUBCOMP. */
static void receive_qos2(bool dry)
{
    receive_publish(dry, 2);
    feed_step(0x62, 1);
    if (!dry)
        poll_nothing();
}

static void publish_qos2(bool dry)
{
    int id = publish(dry, 2);
    feed_step(0x50, id);
    if (!dry)
        poll_nothing();
    feed_step(0x70, id);
    if (!dry)
        expect_event(MQTT_EVENT_PUBLISHED);
}
#endif

static void idle(bool dry)
{
    struct mqtt_event event;
    rx_length = 0;
    if (!dry)
        CHECK(!mqtt_poll(&m, NOW_MS, &event));
}

static void run(uint32_t scenario, bool dry)
{
    switch (scenario) {
    case 0: receive_publish(dry, 0); break;
    case 1: receive_publish(dry, 1); break;
    case 2: CHECK(publish(dry, 0) == 0); break;
    case 3: round_trip(dry); break;
#if MQTT_WITH_QOS2
    case 5: receive_qos2(dry); break;
    case 6: publish_qos2(dry); break;
#endif
    default: idle(dry); break;
    }
}

int main(void)
{
    static const struct mqtt_config config = {
        .client_id = "mote",
        .keep_alive_s = 60,
#if MQTT_WITH_QOS2
        .qos2 = true,
#endif
    };
    static const uint8_t connack[] = {0x20, 3, 0, 0, 0};
    const volatile struct parameters *parameters = &in_flash;
    struct mqtt_event event;

    mqtt_init(&m, &config, &transport, 1);
    CHECK(!mqtt_poll(&m, NOW_MS, &event));
    feed(connack, sizeof connack);
    expect_event(MQTT_EVENT_CONNECTED);
    uint32_t scenario = parameters->scenario;
    bool dry = parameters->dry != 0;
    for (uint32_t left = parameters->repetitions; left > 0; left--)
        run(scenario, dry);
    semihosting_exit(0);
}
