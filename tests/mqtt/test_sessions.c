/* Sessions that outlive their connection: what is kept, sent again, lost, and told. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_SESSIONS

static const struct mqtt_subscription standing_list[] = {{.filter = {MQTT_TEXT("s")}, .qos = 1}};
static const struct mqtt_filters standing = {.subscriptions = standing_list, .count = 1};
static struct mqtt_config config;

static const struct mqtt_publish publish_1 = {
    .topic = {MQTT_TEXT("t")}, .payload = {MQTT_TEXT("1")}, .qos = 1};
#if MQTT_WITH_QOS2
static const struct mqtt_publish publish_2 = {
    .topic = {MQTT_TEXT("t")}, .payload = {MQTT_TEXT("2")}, .qos = 2};
#endif

static int configure(void **state)
{
    (void)state;
    config = bench_session();
    return 0;
}

/* Reconnected: the CONNECT taken off; the broker has the session, or not. */
static void back(struct bench *b, bool present)
{
    bench_cut(b);
    assert_int_equal(b->wire[9] & 2, 0); /* no clean start */
    bench_accept(b, present ? "20 03 01 00 00" : "20 03 00 00 00");
    assert_int_equal(b->event.connected.session_present, present);
}

static void publish(struct bench *b, const struct mqtt_publish *p, int id)
{
    assert_int_equal(mqtt_publish(&b->m, p, b->now_ms), id);
}

static void first_starts_clean(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    assert_int_equal(b.wire[9], 2);
    const uint8_t expiry[] = {0x11, 0, 0, 0, 100};
    assert_memory_equal(b.wire + 13, expiry, sizeof expiry);
    bench_cut(&b); /* before the CONNACK: still nothing to resume */
    assert_int_equal(b.wire[9], 2);
    b.wire_length = 0;
    bench_feed(&b, "20 03 01 00 00"); /* present after a clean start: MQTT-3.2.2-4 */
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x82);
    bench_free(&b);

    config.resume = true;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    assert_int_equal(b.wire[9], 0);
    bench_accept(&b, "20 03 01 00 00");
    assert_true(b.event.connected.session_present);
    bench_free(&b);
}

static void unacknowledged_goes_again_in_order(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    for (int id = 1; id <= 4; id++)
        publish(&b, &publish_1, id);
    bench_feed(&b, "40 02 00 02");
    bench_expect_published(&b, 2, 0);
    back(&b, true);
    assert_int_equal(b.event.type, MQTT_EVENT_CONNECTED);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a 07 00 01 't' 00 01 00 '1' 3a 07 00 01 't' 00 03 00 '1'"
                          "3a 07 00 01 't' 00 04 00 '1'");
    assert_int_equal(mqtt_statistics(&b.m)->replayed, 3);
    assert_int_equal(mqtt_statistics(&b.m)->resumed, 1);
    assert_int_equal(mqtt_statistics(&b.m)->lost, 0);
    publish(&b, &publish_1, 5);
    bench_expect_sent(&b, "32 07 00 01 't' 00 05 00 '1'");
    bench_feed(&b, "40 02 00 01 40 02 00 03 40 02 00 04 40 02 00 05");
    bench_expect_published(&b, 1, 0);
    bench_expect_published(&b, 3, 0);
    bench_expect_published(&b, 4, 0);
    bench_expect_published(&b, 5, 0);
    bench_expect_idle(&b);
    assert_int_equal(bench_store.used, 0);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    back(&b, true);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

/* New ones wait until the old ones have gone; the broker's Receive Maximum and the room count for those, too.
 */
static void replay_is_paced(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    for (int id = 1; id <= 3; id++)
        publish(&b, &publish_1, id);
    bench_back(&b, "20 (01 00 (21 00 02))");
    assert_int_equal(mqtt_quota(&b.m), 0);
    assert_int_equal(mqtt_publish(&b.m, &publish_1, b.now_ms), MQTT_ERROR_INFLIGHT);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a 07 00 01 't' 00 01 00 '1' 3a 07 00 01 't' 00 02 00 '1'");
    assert_int_equal(mqtt_publish(&b.m, &publish_1, b.now_ms), MQTT_ERROR_INFLIGHT);
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a 07 00 01 't' 00 03 00 '1'");
    bench_free(&b);

    configure(NULL);
    bench_connected(&b, &config);
    publish(&b, &publish_1, 1);
    publish(&b, &publish_1, 2);
    bench_cut(&b);
    bench_feed(&b, "20 03 01 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    b.hold = true;
    b.ring_used = b.ring_size - 20; /* for one, with the headroom */
    bench_expect_idle(&b);
    assert_int_equal(b.ring_used, b.ring_size - 11);
    b.ring_used = 0;
    bench_expect_idle(&b);
    assert_int_equal(b.ring_used, 9);
    assert_int_equal(mqtt_statistics(&b.m)->replayed, 2);
    bench_free(&b);
}

/* Across each place of the wrap. */
static void replay_wraps(void **state)
{
    (void)state;
    for (size_t head = 0; head < 64; head++) {
        struct bench b;
        configure(NULL);
        bench_connected(&b, &config);
        publish(&b, &publish_1, 1);
        back(&b, true);
        b.ring_size = 64;
        b.ring_head = head;
        b.wire_length = 0;
        bench_expect_idle(&b);
        bench_expect_sent(&b, "3a 07 00 01 't' 00 01 00 '1'");
        bench_free(&b);
    }
}

/* MQTT-3.2.2-5: what belongs to the session is forgotten, and QoS 1 sent as new; QoS 2 cannot be kept. */
static void broker_lost_the_session(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, &publish_1, 1);
#if MQTT_WITH_QOS2
    publish(&b, &publish_2, 2);
    publish(&b, &publish_2, 3);
    bench_feed(&b, "50 02 00 03 34 07 00 01 't' 12 34 00 'x'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
#endif
    back(&b, false);
#if MQTT_WITH_QOS2
    bench_expect_published(&b, 2, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_published(&b, 3, MQTT_REASON_PACKET_ID_NOT_FOUND);
#endif
    bench_expect_idle(&b);
    bench_expect_sent(&b, "32 07 00 01 't' 00 01 00 '1'");
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX - 1);
#if MQTT_WITH_QOS2
    bench_feed(&b, "34 07 00 01 't' 12 34 00 'y'"); /* another message now */
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "50 02 12 34");
    bench_feed(&b, "62 02 12 34");
    bench_expect_idle(&b);
#endif
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    bench_expect_idle(&b);
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}

#if MQTT_WITH_QOS2
static void qos2_steps_go_on(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, &publish_2, 1);
    publish(&b, &publish_2, 2);
    publish(&b, &publish_2, 3);
    bench_feed(&b, "50 02 00 02 50 02 00 01");
    bench_expect_idle(&b);
    back(&b, true);
    bench_expect_idle(&b);
    /* PUBREL in the order of PUBREC (MQTT-4.6.0-4), after the PUBLISH that was before them in the store */
    bench_expect_sent(&b, "3c 07 00 01 't' 00 03 00 '2' 62 02 00 02 62 02 00 01");
    bench_feed(&b, "70 02 00 02 50 02 00 03 70 02 00 01 70 02 00 03");
    bench_expect_published(&b, 2, 0);
    bench_expect_published(&b, 1, 0);
    bench_expect_published(&b, 3, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 03");
    assert_int_equal(bench_store.used, 0);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    bench_free(&b);
}

static void duplicates_over_a_reconnection(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    bench_feed(&b, "34 07 00 01 't' 12 34 00 'x'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE); /* cut before its PUBREC */
    back(&b, true);
    bench_feed(&b, "3c 07 00 01 't' 12 34 00 'x'");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "50 02 12 34");
    assert_int_equal(mqtt_statistics(&b.m)->duplicates, 1);
    back(&b, true); /* the PUBREC got there, our PUBCOMP will not */
    bench_feed(&b, "62 02 12 34");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 02 12 34");
    back(&b, true);
    bench_feed(&b, "62 02 12 34");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 03 12 34 92");
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}

/* An answer to what was sent over the last connection: it is not sent again. */
static void answered_before_the_replay(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, &publish_1, 1);
    publish(&b, &publish_2, 2);
    bench_back(&b, "20 03 01 00 00 40 02 00 01 50 02 00 02");
    bench_expect_published(&b, 1, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 02");
    bench_feed(&b, "70 02 00 02");
    bench_expect_published(&b, 2, 0);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}
#endif

/* A reset: another engine, the same store. SUBSCRIBE is not taken over, publications are. */
static void store_outlives_the_engine(void **state)
{
    struct bench b;
    const struct mqtt_subscription s = {.filter = {TEXT("x")}};
    (void)state;
    bench_connected(&b, &config);
    publish(&b, &publish_1, 1);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 2);
#if MQTT_WITH_QOS2
    publish(&b, &publish_2, 3);
    publish(&b, &publish_2, 4);
    bench_feed(&b, "50 02 00 03 34 07 00 01 't' 12 34 00 'x'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
#endif
    bench_free(&b);

    config.resume = true;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_accept(&b, "20 03 01 00 00");
    bench_expect_idle(&b);
#if MQTT_WITH_QOS2
    bench_expect_sent(&b, "3a 07 00 01 't' 00 01 00 '1' 3c 07 00 01 't' 00 04 00 '2' 62 02 00 03");
    bench_feed(&b, "3c 07 00 01 't' 12 34 00 'x'");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "50 02 12 34");
    publish(&b, &publish_1, 5);
#else
    bench_expect_sent(&b, "3a 07 00 01 't' 00 01 00 '1'");
#endif
    bench_free(&b);

    config.resume = false;
    bench_init(&b, &config);
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}

static void nonsense_in_the_store(void **state)
{
    static const struct {
        uint32_t key;
        const char *bytes;
    } records[] = {
        {0, "32 07 00 01 't' 00 00 00 '1'"},
        {1, ""},
        {2, "30 04 00 01 't' 00"},
        {3, "82 02 00 03"},
        {0x30001, "32 02 00 01"},
        {4, "62 02 00"},
        {0x10000, ""},
        {0x20000, ""},
        {5, "00 00 00 00"},
        {6, "40 02 00 06"},
        {7, "32 20 00 01 't' 00 07 00"},
        {0xFFFFFFFF, ""},
    };
    struct bench b;
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        uint8_t bytes[32];
        const struct mqtt_slice parts[2] = {{bytes, bench_parse(records[i].bytes, bytes, sizeof bytes)}};
        assert_int_equal(bench_store.store.put(&bench_store, records[i].key, parts), 0);
    }
    config.resume = true;
    bench_init(&b, &config);
    assert_int_equal(bench_store.used, 0);
    bench_connect(&b, "20 03 01 00 00");
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    bench_free(&b);
}

#if MQTT_WITH_QOS2
/* More answers to what the last connection took than this one allows to be in flight. */
static void answers_beyond_the_receive_maximum(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    for (int id = 1; id <= 3; id++)
        publish(&b, &publish_2, id);
    bench_back(&b, "20 (01 00 (21 00 01)) 50 02 00 01 50 02 00 02 50 02 00 03");
    bench_expect_idle(&b);
    bench_expect_idle(&b);
    assert_int_equal(mqtt_quota(&b.m), 0);
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), MQTT_ERROR_INFLIGHT);
    bench_feed(&b, "70 02 00 01 70 02 00 02 70 02 00 03");
    for (uint16_t id = 1; id <= 3; id++)
        bench_expect_published(&b, id, 0);
    assert_int_equal(mqtt_quota(&b.m), 1);
    bench_free(&b);
}
#endif

static void full_store(void **state)
{
    struct bench b;
    (void)state;
    mqtt_ram_store_init(&bench_store, bench_memory, 2 * (9 + MQTT_RAM_STORE_OVERHEAD) + 7);
    bench_connected(&b, &config);
    publish(&b, &publish_1, 1);
    publish(&b, &publish_1, 2);
    b.wire_length = 0;
    assert_int_equal(mqtt_publish(&b.m, &publish_1, b.now_ms), MQTT_ERROR_STORE);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX - 2);
    const struct mqtt_publish none = {.topic = {TEXT("t")}};
    assert_int_equal(mqtt_publish(&b.m, &none, b.now_ms), 0);
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    assert_true(mqtt_publish(&b.m, &publish_1, b.now_ms) > 0);
    bench_free(&b);
}

static void configured_subscriptions(void **state)
{
    struct bench b;
    (void)state;
    config.subscriptions = &standing;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_accept(&b, "20 03 00 00 00");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "82 07 00 01 00 00 01 's' 01");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    back(&b, true); /* not acknowledged: again */
    bench_expect_idle(&b);
    bench_expect_sent(&b, "82 07 00 01 00 00 01 's' 01");
    bench_feed(&b, "90 04 00 01 00 01");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    back(&b, true);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    back(&b, false);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "82 07 00 02 00 00 01 's' 01");
    bench_feed(&b, "90 04 00 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    bench_free(&b);

    configure(NULL); /* each session is new, if it ends with the connection */
    config.subscriptions = &standing;
    config.session_expiry_s = 0;
    config.store = NULL;
    bench_init(&b, &config);
    for (unsigned i = 0; i < 2; i++) {
        bench_expect_idle(&b);
        bench_accept(&b, "20 03 00 00 00");
        bench_expect_idle(&b);
        assert_int_equal(b.wire_length, 9);
        bench_cut(&b);
    }
    bench_free(&b);
}

/* SUBSCRIBE and UNSUBSCRIBE of the user are settled over another connection, too. */
static void subscribing_outlives_the_connection(void **state)
{
    struct bench b;
    const struct mqtt_subscription s = {.filter = {TEXT("x")}};
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 1);
    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 2);
    back(&b, true);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "82 07 00 01 00 00 01 'x' 00 a2 06 00 02 00 00 01 'x'");
    bench_feed(&b, "90 04 00 01 00 00 b0 04 00 02 00 00");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    bench_expect_event(&b, MQTT_EVENT_UNSUBSCRIBED);
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}

/* Another broker's limits, or the same one's after a change: what it forbids is given back. */
static void limits_have_changed(void **state)
{
    static const struct {
        const char *connack;
        uint8_t reason;
    } rows[] = {
        {"20 (01 00 (27 00 00 00 08))", MQTT_REASON_PACKET_TOO_LARGE},
        {"20 (01 00 (24 00))", MQTT_REASON_QOS_NOT_SUPPORTED},
        {"20 (01 00 (25 00))", MQTT_REASON_RETAIN_NOT_SUPPORTED},
    };
    struct mqtt_publish retained = publish_1;
    (void)state;
    retained.retain = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        configure(NULL);
        bench_connected(&b, &config);
        publish(&b, &retained, 1);
        bench_back(&b, rows[i].connack);
        bench_expect_published(&b, 1, rows[i].reason);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        assert_int_equal(bench_store.used, 0);
        bench_free(&b);
    }
}

#if MQTT_WITH_PROPERTIES
/* The broker keeps nothing, or the user ends the session: all is forgotten. */
static void session_is_given_up(void **state)
{
    struct bench b;
    const struct mqtt_closure closure = {.change_expiry = true};
    (void)state;
    bench_init(&b, &config);
    bench_connect(&b, "20 (00 00 (11 00 00 00 00))");
    publish(&b, &publish_1, 1);
    assert_int_equal(bench_store.used, 0);
    b.state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    assert_int_equal(b.event.disconnected.lost, 1);
    bench_next_attempt(&b);
    assert_int_equal(b.wire[9], 2);
    bench_accept(&b, "20 03 00 00 00");
    publish(&b, &publish_1, 2);
    b.wire_length = 0;
    assert_true(bench_store.used > 0);
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    bench_expect_sent(&b, "e0 (00 (11 00 00 00 00))");
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    assert_int_equal(b.event.disconnected.lost, 1);
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}
#endif

/* A disconnection by the user is no end of the session. */
static void user_comes_back(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, &publish_1, 1);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    assert_int_equal(b.event.disconnected.lost, 0);
    b.state = MQTT_TRANSPORT_CLOSED;
    b.wire_length = 0;
    mqtt_connect(&b.m, b.now_ms);
    bench_expect_idle(&b);
    assert_int_equal(b.wire[9], 0);
    bench_accept(&b, "20 03 01 00 00");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a 07 00 01 't' 00 01 00 '1'");
    bench_free(&b);
}

/* ---- The store itself ---- */

static void ram_store(void **state)
{
    struct mqtt_record record;
    uint8_t got[8];
    static const uint8_t thirty[30];
    const struct mqtt_slice abc[2] = {TEXT("a"), TEXT("bc")}, d[2] = {TEXT("d"), {NULL, 0}},
                            none[2] = {{NULL, 0}, {NULL, 0}},
                            long_one[2] = {{thirty, sizeof thirty}, {NULL, 0}};
    (void)state;
    mqtt_ram_store_init(&bench_store, bench_memory, 40);
    assert_false(bench_store.store.at(&bench_store, 0, &record));
    bench_store.store.remove(&bench_store, 7);
    assert_int_equal(bench_store.store.put(&bench_store, 7, abc), 0);
    assert_int_equal(bench_store.store.put(&bench_store, 8, none), 0);
    assert_int_equal(bench_store.store.put(&bench_store, 9, d), 0);
    assert_true(bench_store.store.at(&bench_store, 0, &record) && record.key == 7 && record.size == 3);
    assert_true(bench_store.store.at(&bench_store, 1, &record) && record.key == 8 && record.size == 0);
    assert_true(bench_store.store.at(&bench_store, 2, &record) && record.key == 9 && record.size == 1);
    assert_false(bench_store.store.at(&bench_store, 3, &record));
    bench_store.store.read(&bench_store, 7, 1, got, 2);
    assert_memory_equal(got, "bc", 2);
    assert_int_equal(bench_store.store.put(&bench_store, 7, d), 0); /* replaced, and the last one now */
    assert_true(bench_store.store.at(&bench_store, 2, &record) && record.key == 7 && record.size == 1);
    assert_true(bench_store.store.put(&bench_store, 10, long_one) < 0);
    assert_true(bench_store.store.put(&bench_store, 7, long_one) < 0); /* nothing has changed */
    bench_store.store.read(&bench_store, 7, 0, got, 1);
    assert_memory_equal(got, "d", 1);
    bench_store.store.remove(&bench_store, 8);
    bench_store.store.remove(&bench_store, 9);
    bench_store.store.remove(&bench_store, 7);
    assert_int_equal(bench_store.used, 0);
    assert_int_equal(bench_store.store.put(&bench_store, 1, long_one), 0);
}

#endif

int main(void)
{
#if MQTT_WITH_SESSIONS
#define TEST(name) cmocka_unit_test_setup(name, configure)
    const struct CMUnitTest tests[] = {
        TEST(first_starts_clean),
        TEST(unacknowledged_goes_again_in_order),
        TEST(replay_is_paced),
        TEST(replay_wraps),
        TEST(broker_lost_the_session),
#if MQTT_WITH_QOS2
        TEST(qos2_steps_go_on),
        TEST(duplicates_over_a_reconnection),
        TEST(answered_before_the_replay),
        TEST(answers_beyond_the_receive_maximum),
#endif
        TEST(store_outlives_the_engine),
        TEST(nonsense_in_the_store),
        TEST(full_store),
        TEST(configured_subscriptions),
        TEST(subscribing_outlives_the_connection),
        TEST(limits_have_changed),
#if MQTT_WITH_PROPERTIES
        TEST(session_is_given_up),
#endif
        TEST(user_comes_back),
        TEST(ram_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
