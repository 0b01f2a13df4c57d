/* Mutated packets against an engine that uses everything: always healthy or closed, and at the end a session
 * works. */
#include "bench.h"

#include <string.h>

#if MQTT_FULL

static uint32_t random_state = 4711;

static uint32_t rnd(uint32_t below)
{
    return bench_random(&random_state, below);
}

static uint8_t memory[256], alias_memory[3 * 10], assigned[8];
static struct mqtt_ram_store ram;

static int step(void *context, enum mqtt_auth_step which, struct mqtt_slice data, struct mqtt_slice *answer)
{
    static uint8_t copy[8];
    (void)context;
    if (data.length > 0 && data.length <= sizeof copy) {
        memcpy(copy, data.data, data.length);
        *answer = (struct mqtt_slice){copy, data.length};
    }
    return which != MQTT_AUTH_BEGIN && rnd(16) == 0 ? -1 : 0;
}

static const struct mqtt_authenticator authenticator = {.method = "M", .step = step};
static const struct mqtt_subscription list[] = {{.filter = {MQTT_TEXT("s/#")}, .qos = 2}};
static const struct mqtt_filters filters = {.subscriptions = list, .count = 1};

static const struct mqtt_config base = {
    .client_id = "",
    .keep_alive_s = 60,
    .qos2 = true,
    .session_expiry_s = 60,
    .store = &ram.store,
    .subscriptions = &filters,
    .maximum_packet_size = 5000,
    .assigned_id = {assigned, sizeof assigned},
    .alias_memory = alias_memory,
    .alias_topic_bytes = 8,
    .alias_maximum = 3,
    .fall_back = true,
    .brokers = 2,
    .ack_timeout_ms = 20000,
};

static int source(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    (void)offset;
    if (rnd(200) == 0)
        return -1;
    length = rnd((uint32_t)length + 1);
    memset(to, 'p', length);
    return (int)length;
}

static size_t random_packet(uint8_t *bytes, size_t size)
{
    static const char *const seeds[] = {
        "20 03 00 00 00",
        "20 03 01 00 00",
        "20 02 00 00",
        "20 02 00 01",
        "20 03 00 84 00",
        "20 (00 00 (15 00 01 'M' 16 00 01 'd' 12 00 02 'id'))",
        "20 (01 00 (21 00 02 24 01 25 01 27 00 00 10 00 22 00 05 11 00 00 00 09))",
        "32 (00 03 'a/b' 00 07 (01 01 03 00 01 'c' 08 00 01 'r' 23 00 02 26 00 01 'k' 00 01 'v' 0b 05) 'x')",
        "34 (00 03 'a/b' 00 08 00 'x')",
        "30 (00 00 (23 00 02))",
        "30 8f 10 00 01 't' 00 'start of something large'",
        "34 8f 10 00 01 't' 00 09 00 'start of something large'",
        "30 03 00 01 't'",
        "40 02 00 01",
        "50 02 00 02",
        "62 02 00 08",
        "70 02 00 02",
        "40 (00 01 10 (1f 00 01 'x'))",
        "90 (00 01 (26 00 00 00 00) 02)",
        "b0 (00 03 00 11)",
        "d0 00",
        "e0 (9d (1c 00 01 'x' 1f 00 01 'y'))",
        "f0 (18 (15 00 01 'M' 16 00 01 'c'))",
        "f0 (00 (15 00 01 'M'))",
    };
    size_t length = bench_parse(seeds[rnd(sizeof seeds / sizeof seeds[0])], bytes, size);
    if (rnd(4) == 0 && length > 3) /* one of the ids that are in use */
        bytes[3] = (uint8_t)rnd(12);
    for (unsigned n = rnd(8) < 4 ? 0 : rnd(4); n > 0; n--)
        bytes[rnd((uint32_t)length)] ^= (uint8_t)(rnd(2) ? rnd(256) : 1u << rnd(8));
    if (rnd(16) == 0)
        length = 1 + rnd((uint32_t)length);
    return length;
}

static uint32_t sum_of(struct mqtt_slice slice)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < slice.length; i++)
        sum += ((const uint8_t *)slice.data)[i];
    return sum;
}

/* Everything that an event points to can be read. */
static uint32_t touch(const struct mqtt_event *event)
{
    struct mqtt_slice rest = event->details.properties;
    struct mqtt_user_property user;
    uint32_t sum = 0, id;
    switch (event->type) {
    case MQTT_EVENT_MESSAGE:
    case MQTT_EVENT_MESSAGE_BEGIN:
        rest = event->message.properties;
        while (mqtt_next_subscription_id(&rest, &id))
            sum += id;
        rest = event->message.properties;
        sum += sum_of(event->message.topic) + sum_of(event->message.payload) +
               sum_of(event->message.correlation) + sum_of(event->message.content_type);
        break;
    case MQTT_EVENT_MESSAGE_PART: return sum_of(event->part.data);
    case MQTT_EVENT_SUBSCRIBED:
    case MQTT_EVENT_UNSUBSCRIBED: sum += sum_of(event->subscribed.reasons); break;
    default: break;
    }
    if (event->type != MQTT_EVENT_MESSAGE && event->type != MQTT_EVENT_MESSAGE_BEGIN)
        sum += sum_of(event->details.reason_string) + sum_of(event->details.server_reference) +
               sum_of(event->details.client_id) + sum_of(event->details.authentication);
    while (mqtt_next_user_property(&rest, &user))
        sum += sum_of(user.name) + sum_of(user.value);
    return sum;
}

static void random_act(struct bench *b)
{
    const struct mqtt_publish small = {.topic = {TEXT("t")},
                                       .payload = {TEXT("0123456789")},
                                       .qos = (uint8_t)rnd(3),
                                       .alias = (uint8_t)rnd(4)};
    const struct mqtt_publish large = {
        .topic = {TEXT("t")}, .qos = (uint8_t)rnd(3), .source = source, .source_length = 1 + rnd(2000)};
    const struct mqtt_closure closure = {.reason = (uint8_t)(rnd(2) ? 0x97 : 0), .change_expiry = rnd(2)};
    int ignored = 0;
    switch (rnd(16)) {
    case 0:
    case 1:
    case 2: ignored = mqtt_publish(&b->m, &small, b->now_ms); break;
    case 3: ignored = mqtt_publish(&b->m, &large, b->now_ms); break;
    case 4: ignored = mqtt_subscribe_with(&b->m, &filters, b->now_ms); break;
    case 5: ignored = mqtt_unsubscribe_with(&b->m, &filters, b->now_ms); break;
    case 6: ignored = mqtt_reauthenticate(&b->m, b->now_ms); break;
    case 7: b->now_ms += rnd(4000); break;
    case 8: b->hold = rnd(4) == 0; break;
    case 9: bench_drain(b); break;
    case 10:
        if (rnd(50) == 0)
            mqtt_disconnect_with(&b->m, &closure, b->now_ms);
        break;
    case 11: mqtt_connect(&b->m, b->now_ms); break;
    case 12:
        if (rnd(8) == 0)
            b->state = MQTT_TRANSPORT_ENDING;
        break;
    default: break;
    }
    (void)ignored;
}

static void feed(struct bench *b)
{
    uint8_t bytes[256];
    if (!mqtt_is_connected(&b->m) && rnd(2))
        bench_feed(b, mqtt_version(&b->m) == 4 ? "20 02 00 00" : "20 (00 00 (22 00 03))");
    else
        bench_feed_bytes(b, bytes, random_packet(bytes, sizeof bytes));
}

static void play(const struct mqtt_config *config, unsigned rounds)
{
    static struct bench b;
    uint32_t sum = 0;
    unsigned connected = 0, parts = 0;
    mqtt_ram_store_init(&ram, memory, sizeof memory);
    bench_init(&b, config);
    b.transport.receive_capacity = 128;
    for (unsigned i = 0; i < rounds; i++) {
        b.wire_length = 0;
        random_act(&b);
        if (b.state == MQTT_TRANSPORT_OPEN && b.rx_length < 1024)
            feed(&b);
        else
            b.now_ms += mqtt_wait_ms(&b.m, b.now_ms) == UINT32_MAX ? 1 : mqtt_wait_ms(&b.m, b.now_ms);
        for (unsigned polls = 0; bench_poll(&b); polls++) {
            assert_true(polls < 400);
            sum += touch(&b.event);
            connected += b.event.type == MQTT_EVENT_CONNECTED;
            parts += b.event.type == MQTT_EVENT_MESSAGE_PART;
            if (b.event.type == MQTT_EVENT_MESSAGE && rnd(4) == 0) {
                const struct mqtt_closure closure = {.reason = 0x83};
                sum += (uint32_t)mqtt_acknowledge(&b.m, &closure, b.now_ms);
            }
        }
        if (b.state == MQTT_TRANSPORT_ENDING && rnd(2))
            b.state = MQTT_TRANSPORT_CLOSED;
        if (b.rx_length >= 1024)
            b.state = MQTT_TRANSPORT_CLOSED;
        assert_true(ram.used <= sizeof memory);
        assert_true(mqtt_quota(&b.m) <= MQTT_INFLIGHT_MAX);
    }
    print_message("  %u sessions, %u parts, sum %u\n", connected, parts, (unsigned)sum);
    assert_true(connected > rounds / 200);
    bench_free(&b);
}

static void every_feature(void **state)
{
    struct mqtt_config config = base;
    (void)state;
    play(&config, 100000);
    config.authenticator = &authenticator;
    play(&config, 50000);
    config.authenticator = NULL;
    config.version = 4;
    play(&config, 50000);
    config.session_expiry_s = 0;
    config.version = 5;
    play(&config, 50000);
}

#endif

int main(void)
{
#if MQTT_FULL
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_feature)};
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
