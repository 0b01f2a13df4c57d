/* Subscriptions that cannot be asked for, now or ever: told once in each connection, and not tried again. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_SESSIONS

static struct mqtt_subscription wanted[2];
static struct mqtt_filters standing;
static struct mqtt_config config;

static int configure(void **state)
{
    (void)state;
    wanted[0] = (struct mqtt_subscription){.filter = {TEXT("s")}, .qos = 1};
    wanted[1] = (struct mqtt_subscription){.filter = {TEXT("a/"), TEXT("b")}, .qos = 1};
    standing = (struct mqtt_filters){.subscriptions = wanted, .count = 2};
    config = bench_session();
    config.subscriptions = &standing;
    return 0;
}

/* Once; then nothing more comes of it, and nothing is sent. */
static void expect_refusal(struct bench *b, const char *connack, uint8_t reason)
{
    bench_accept(b, connack);
    bench_expect_event(b, MQTT_EVENT_SUBSCRIBED);
    assert_int_equal(b->event.subscribed.packet_id, 0);
    assert_int_equal(b->event.subscribed.reasons.length, 1);
    assert_int_equal(*(const uint8_t *)b->event.subscribed.reasons.data, reason);
    for (unsigned i = 0; i < 3; i++) {
        bench_expect_idle(b);
        b->now_ms += 1000;
    }
    bench_expect_sent(b, "");
    assert_int_equal(bench_store.used, 0);
}

/* The next connection tries again, whether the broker has the session or not, and may succeed. */
static void expect_all_well_later(struct bench *b, const char *connack)
{
    bench_back(b, connack);
    bench_expect_idle(b);
    assert_int_equal(b->wire[0], 0x82);
    bench_free(b);
}

static void told_once(struct bench *b, const char *connack, const char *later, uint8_t reason)
{
    bench_init(b, &config);
    bench_expect_idle(b);
    expect_refusal(b, connack, reason);
    bench_cut(b);
    expect_refusal(b, connack, reason);
    expect_all_well_later(b, later);
    configure(NULL);
}

#if MQTT_WITH_PROPERTIES
static void what_the_broker_has_not(void **state)
{
    struct bench b;
    (void)state;
    wanted[1].filter[1] = TEXT("+");
    told_once(&b, "20 (00 00 (28 00))", "20 03 01 00 00", 0xA2);
    wanted[0].filter[0] = TEXT("$share/x/y");
    told_once(&b, "20 (00 00 (2a 00))", "20 03 00 00 00", 0x9E);
    standing.identifier = 7;
    told_once(&b, "20 (00 00 (29 00))", "20 03 01 00 00", 0xA1);
}

#if MQTT_WITH_V311
static void no_identifiers_in_the_old_version(void **state)
{
    struct bench b;
    (void)state;
    config.version = 4;
    standing.identifier = 7;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    expect_refusal(&b, "20 02 00 00", 0xA1);
    bench_free(&b);
}
#endif
#endif

static void too_large(void **state)
{
    static char longest[600];
    struct bench b;
    (void)state;
    told_once(&b, "20 (00 00 (27 00 00 00 0e))", "20 03 01 00 00", 0x95);

    memset(longest, 'a', sizeof longest);
    wanted[0].filter[0] = (struct mqtt_slice){longest, sizeof longest}; /* the send buffer: 512 bytes */
    bench_init(&b, &config);
    bench_expect_idle(&b);
    expect_refusal(&b, "20 03 00 00 00", 0x95);
    bench_free(&b);
}

static void impossible(void **state)
{
    struct bench b;
    (void)state;
    wanted[0].filter[0] = TEXT("");
    bench_init(&b, &config);
    bench_expect_idle(&b);
    expect_refusal(&b, "20 03 00 00 00", 0x83);
    bench_free(&b);
}

/* What only has no room now is sent as soon as it has. */
static void no_room_now(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    b.wire_length = 0;
    b.hold = true;
    b.ring_used = b.ring_size;
    bench_feed(&b, "20 03 00 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    bench_expect_idle(&b);
    b.ring_used = 0;
    bench_expect_idle(&b);
    assert_int_equal(b.ring[b.ring_head], 0x82);
    bench_free(&b);
}

/* A SUBSCRIBE of the user that cannot be sent again: the broker takes less than it did. */
static void user_is_told(void **state)
{
    const struct mqtt_subscription s = {.filter = {TEXT("a/longer/filter")}};
    struct bench b;
    (void)state;
    config.subscriptions = NULL;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 1);
    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 2);
    bench_back(&b, "20 (01 00 (27 00 00 00 10))");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    assert_int_equal(b.event.subscribed.packet_id, 1);
    assert_int_equal(*(const uint8_t *)b.event.subscribed.reasons.data, 0x95);
    bench_expect_event(&b, MQTT_EVENT_UNSUBSCRIBED);
    assert_int_equal(b.event.unsubscribed.packet_id, 2);
    assert_int_equal(*(const uint8_t *)b.event.unsubscribed.reasons.data, 0x95);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}

/* With a store that will never take it, the device must not wait for it in silence. */
static void no_room_in_the_store(void **state)
{
    struct bench b;
    (void)state;
    mqtt_ram_store_init(&bench_store, bench_memory, 16);
    bench_init(&b, &config);
    bench_expect_idle(&b);
    expect_refusal(&b, "20 03 00 00 00", MQTT_REASON_QUOTA_EXCEEDED);
    bench_free(&b);
}

/* What is in flight will make room for it. */
static void no_room_in_the_store_yet(void **state)
{
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1, .payload = {TEXT("0123456789")}};
    struct bench b;
    (void)state;
    mqtt_ram_store_init(&bench_store, bench_memory, 48);
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_accept(&b, "20 03 00 00 00");
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_expect_idle(&b);
    b.wire_length = 0;
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    bench_expect_idle(&b);
    assert_int_equal(b.wire[0], 0x82);
    bench_free(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, configure)
    const struct CMUnitTest tests[] = {
        TEST(no_room_in_the_store_yet),
        TEST(no_room_in_the_store),
#if MQTT_WITH_PROPERTIES
        TEST(what_the_broker_has_not),
#if MQTT_WITH_V311
        TEST(no_identifiers_in_the_old_version),
#endif
#endif
        TEST(too_large),
        TEST(impossible),
        TEST(no_room_now),
        TEST(user_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
