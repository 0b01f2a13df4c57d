/* What a session brings over to the next connection, held against stores and brokers that bend the rules. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_SESSIONS && MQTT_WITH_QOS2

static struct mqtt_config config;
static const struct mqtt_subscription standing_list[] = {{.filter = {MQTT_TEXT("s")}, .qos = 1}};
static const struct mqtt_filters standing = {.subscriptions = standing_list, .count = 1};

#define SUBSCRIBE_1 "82 (00 01 00 00 01 's' 01)"

static int configure(void **state)
{
    (void)state;
    config = bench_session();
    return 0;
}

static void publish(struct bench *b, unsigned qos, int id)
{
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = (uint8_t)qos};
    assert_int_equal(mqtt_publish(&b->m, &p, b->now_ms), id);
}

static void subscribe(struct bench *b, int id)
{
    const struct mqtt_subscription s = {.filter = {TEXT("u")}};
    assert_int_equal(mqtt_subscribe(&b->m, &s, 1, b->now_ms), id);
}

static size_t records(void)
{
    struct mqtt_record record;
    size_t count = 0;
    while (bench_store.store.at(bench_store.store.context, count, &record))
        count++;
    return count;
}

static void put(uint32_t key, const char *text)
{
    uint8_t bytes[64];
    const struct mqtt_slice parts[2] = {{bytes, bench_parse(text, bytes, sizeof bytes)}, {NULL, 0}};
    assert_true(bench_store.store.put(bench_store.store.context, key, parts) >= 0);
}

/* ---- After a reset ---- */

/* Connected with what the store has, the broker knowing the session. */
static void resume(struct bench *b)
{
    config.resume = true;
    bench_init(b, &config);
    bench_connect(b, "20 03 01 00 00");
}

/* Whatever is damaged in a record: it is dropped, and the rest goes on. */
static void records_of_no_use(void **state)
{
    static const char *const damaged[] = {
        "62 00",                    /* PUBREL without its id */
        "32 01 00",                 /* PUBLISH of three bytes */
        "36 05 00 01 't' 00 01",    /* QoS 3 */
        "30 05 00 01 't' 00 01",    /* QoS 0 needs no answer */
        "82 06 00 01 00 00 01 's'", /* a SUBSCRIBE, though whole: nobody waits for it */
        "00 02 00 01",
        "32 86 00 00 01 't' 00 01 00", /* a length longer than needed */
    };
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct bench b;
        configure(NULL);
        put(1, damaged[i]);
        put(2, "32 (00 01 't' 00 02 00)");
        resume(&b);
        bench_expect_sent(&b, "3a (00 01 't' 00 02 00)");
        assert_int_equal(records(), 1);
        bench_feed(&b, "40 02 00 02");
        bench_expect_published(&b, 2, 0);
        bench_free(&b);
    }
}

/* Two that want one place among those in flight: the first one has it. */
static void records_of_one_place(void **state)
{
    struct bench b;
    (void)state;
    put(1, "32 (00 01 't' 00 01 00)");
    put(1 + MQTT_INFLIGHT_MAX, "32 (00 01 'x' 00 09 00)");
    resume(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00)");
    assert_int_equal(records(), 1);
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    assert_int_equal(records(), 0);
    bench_free(&b);
}

/* Ids go on behind the last one, of whatever use it is, also where they wrap. */
static void ids_go_on(void **state)
{
    struct bench b;
    (void)state;
    put(0xFFFF, "32 (00 01 't' ff ff 00)");
    put(3, "82 (00 03 00 00 01 's' 00)");
    put(1, "32 (00 01 't' 00 01 00)");
    resume(&b);
    b.wire_length = 0;
    publish(&b, 1, 4);
    bench_free(&b);
}

/* Ids of the broker's, more than there are places: the rest is let go. */
static void more_received_than_places(void **state)
{
    struct bench b;
    struct mqtt_record record;
    (void)state;
    bench_connected(&b, &config);
    bench_feed(&b, "34 (00 01 't' 00 01 00)");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    bench_free(&b);
    assert_true(bench_store.store.at(bench_store.store.context, 0, &record));
    for (uint32_t i = 1; i <= MQTT_RECEIVE_MAX; i++)
        put(record.key + i, "");
    assert_int_equal(records(), MQTT_RECEIVE_MAX + 1);
    resume(&b);
    assert_int_equal(records(), MQTT_RECEIVE_MAX);
    bench_feed(&b, "62 02 00 08");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 02 00 08");
    assert_int_equal(records(), MQTT_RECEIVE_MAX - 1);
    bench_free(&b);
}

/* Whether the SUBSCRIBE got there before the reset, nobody knows: it goes again. */
static void subscribes_after_a_reset(void **state)
{
    struct bench b;
    (void)state;
    config.subscriptions = &standing;
    resume(&b);
    bench_expect_sent(&b, SUBSCRIBE_1);
    bench_free(&b);
}

/* ---- Subscriptions ---- */

/* The user's own SUBACK is not that of the configured ones, which wait for a place. */
static void users_suback_is_another(void **state)
{
    struct bench b;
    (void)state;
    config.subscriptions = &standing;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_accept(&b, "20 03 00 00 00");
    for (int id = 1; id <= MQTT_INFLIGHT_MAX; id++)
        subscribe(&b, id);
    b.wire_length = 0;
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_feed(&b, "90 (00 01 00 00)");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "82 (00 09 00 00 01 's' 01)");
    bench_feed(&b, "90 (00 02 00 00)");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    bench_expect_idle(&b);
    bench_feed(&b, "90 (00 09 00 01)");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

/* A limit of one connection keeps them from going again: over the next one they do. */
static void subscribes_when_it_can(void **state)
{
    struct bench b;
    (void)state;
    config.subscriptions = &standing;
    bench_connected(&b, &config);
    bench_expect_sent(&b, SUBSCRIBE_1);
    bench_back(&b, "20 (01 00 (27 00 00 00 05))");
    while (bench_poll(&b))
        assert_int_equal(b.event.type, MQTT_EVENT_SUBSCRIBED); /* or not told */
    bench_expect_sent(&b, "");
    bench_back(&b, "20 03 01 00 00");
    bench_expect_idle(&b);
    assert_int_equal(b.wire[0], 0x82);
    bench_free(&b);
}

/* An answer to what the last connection took frees its place; of a SUBSCRIBE it is none among publications.
 */
static void answers_of_the_last_connection_do_not_count_twice(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    publish(&b, 1, 2);
    publish(&b, 1, 3);
    bench_back(&b, "20 (01 00 (21 00 01))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00)");
    bench_feed(&b, "40 02 00 02"); /* the broker had it already */
    bench_expect_published(&b, 2, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 03 00)");
    bench_feed(&b, "40 02 00 03");
    bench_expect_published(&b, 3, 0);
    bench_expect_idle(&b);
    assert_int_equal(mqtt_quota(&b.m), 1);
    publish(&b, 1, 4);
    bench_free(&b);
}

/* ---- Limits of the next connection ---- */

/* Maximum QoS and Retain Available are about PUBLISH: a PUBREL or SUBSCRIBE is none. */
static void limits_of_publish_bind_publish(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    subscribe(&b, 1);
    publish(&b, 2, 2);
    bench_feed(&b, "50 02 00 02");
    bench_expect_idle(&b);
    bench_back(&b, "20 (01 00 (24 00 25 00))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "82 (00 01 00 00 01 'u' 00) 62 02 00 02");
    bench_free(&b);
}

/* MQTT-3.2.2-15: a packet of just the Maximum Packet Size goes, one byte less and it does not. */
static void just_the_largest_packet(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1); /* of 8 bytes */
    bench_back(&b, "20 (01 00 (27 00 00 00 08))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00)");
    bench_back(&b, "20 (01 00 (27 00 00 00 07))");
    memset(&b.event, 0xAA, sizeof b.event);
    bench_expect_published(&b, 1, MQTT_REASON_PACKET_TOO_LARGE);
#if MQTT_WITH_PROPERTIES
    assert_null(b.event.details.reason_string.data); /* no packet says anything */
    assert_int_equal(b.event.details.properties.length, 0);
#endif
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

/* MQTT-3.3.4-8: a SUBSCRIBE does not wait for the quota. */
static void subscribe_needs_no_quota(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    subscribe(&b, 2);
    bench_back(&b, "20 (01 00 (21 00 01))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00) 82 (00 02 00 00 01 'u' 00)");
    bench_free(&b);
}

/* And QoS 0 does not wait for the replay. */
static void qos0_during_the_replay(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    publish(&b, 1, 2);
    bench_back(&b, "20 (01 00 (21 00 01))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00)");
    publish(&b, 0, 0);
    publish(&b, 1, MQTT_ERROR_INFLIGHT);
    bench_expect_sent(&b, "30 (00 01 't' 00)");
    bench_free(&b);
}

/* ---- QoS 2 ---- */

/* MQTT-4.3.3-6: PUBREC has come, and its note finds no room: the message does not go again for that. */
static int (*put_of_ram)(void *context, uint32_t key, const struct mqtt_slice *parts);
static bool refuses_to_put;

static int put_or_not(void *context, uint32_t key, const struct mqtt_slice *parts)
{
    return refuses_to_put ? -1 : put_of_ram(context, key, parts);
}

static void not_again_after_pubrec(void **state)
{
    struct bench b;
    (void)state;
    put_of_ram = bench_store.store.put;
    bench_store.store.put = put_or_not;
    refuses_to_put = false;
    bench_connected(&b, &config);
    publish(&b, 2, 1);
    b.wire_length = 0;
    refuses_to_put = true;
    bench_feed(&b, "50 02 00 01");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 01");
    bench_back(&b, "20 03 01 00 00");
    bench_expect_published(&b, 1, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

/* MQTT-4.4.0-2: what was refused is done with, of either QoS. */
static void refused_is_not_sent_again(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    publish(&b, 2, 2);
    bench_feed(&b, "40 03 00 01 87 50 03 00 02 97");
    bench_expect_published(&b, 1, 0x87);
    bench_expect_published(&b, 2, 0x97);
    assert_int_equal(records(), 0);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    bench_back(&b, "20 03 01 00 00");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

/* MQTT-4.3.3-1: an id is in use until PUBCOMP. */
static void id_in_use_until_pubcomp(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    for (int id = 1; id <= MQTT_INFLIGHT_MAX; id++)
        publish(&b, 2, id);
    publish(&b, 2, MQTT_ERROR_INFLIGHT);
    bench_feed(&b, "50 02 00 01");
    bench_expect_idle(&b);
    publish(&b, 2, MQTT_ERROR_INFLIGHT);
    publish(&b, 1, MQTT_ERROR_INFLIGHT);
    subscribe(&b, MQTT_ERROR_INFLIGHT);
    bench_feed(&b, "70 02 00 01");
    bench_expect_published(&b, 1, 0);
    publish(&b, 2, MQTT_INFLIGHT_MAX + 1);
    publish(&b, 1, MQTT_ERROR_INFLIGHT);
    bench_free(&b);
}

/* ---- The session's end ---- */

#if MQTT_WITH_PROPERTIES
/* A DISCONNECT that ends the session: the next one starts clean, even if that DISCONNECT was lost. */
static void ended_by_disconnect(void **state)
{
    struct bench b;
    const struct mqtt_closure closure = {.change_expiry = true, .session_expiry_s = 0};
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    assert_int_equal(b.event.disconnected.lost, 1);
    mqtt_connect(&b.m, b.now_ms);
    bench_next_attempt(&b);
    assert_int_equal(b.wire[9] & 2, 2);
    bench_free(&b);
}

/* Without that wish it stays, whatever else the closure says. */
static void kept_by_disconnect(void **state)
{
    struct bench b;
    const struct mqtt_closure closure = {.change_expiry = false, .session_expiry_s = 0};
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    b.wire_length = 0;
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    bench_expect_sent(&b, "e0 02 00 00");
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    assert_int_equal(b.event.disconnected.lost, 0);
    mqtt_connect(&b.m, b.now_ms);
    bench_next_attempt(&b);
    assert_int_equal(b.wire[9] & 2, 0);
    bench_accept(&b, "20 03 01 00 00");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00)");
    bench_free(&b);
}
#endif

/* ---- What the quota of PUBLISH holds back (MQTT-3.3.4-8, 4.9.0-3) ---- */

static void pubrel_does_not_wait_for_the_quota(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    publish(&b, 2, 2);
    bench_feed(&b, "50 02 00 02");
    bench_expect_idle(&b);
    bench_back(&b, "20 (01 00 (21 00 01))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 02"); /* and the PUBLISH after its PUBCOMP */
    b.wire_length = 0;
    bench_feed(&b, "70 02 00 02");
    bench_expect_published(&b, 2, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00)");
    bench_free(&b);
}

static void subscribe_does_not_wait_behind_a_publish(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    publish(&b, 1, 2);
    subscribe(&b, 3);
    bench_back(&b, "20 (01 00 (21 00 01))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 01 00) 82 (00 03 00 00 01 'u' 00)");
    b.wire_length = 0;
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a (00 01 't' 00 02 00)");
    bench_free(&b);
}

#if MQTT_WITH_BROKERS
static bool starts_clean(const struct bench *b)
{
    return (b->wire[9] & 2) != 0; /* CONNECT: 10 LEN (00 04 'MQTT') VERSION FLAGS */
}

static void connect_to(struct bench *b, uint8_t broker, bool clean, const char *connack)
{
    assert_int_equal(b->event.disconnected.broker, broker);
    assert_int_equal(starts_clean(b), clean);
    bench_accept(b, connack);
}

/* What is kept means nothing to another broker, nor what that one has kept of times before to us. */
static void session_is_of_one_broker(void **state)
{
    struct bench b;
    (void)state;
    config.brokers = 2;
    bench_connected(&b, &config);
    publish(&b, 1, 1);
    publish(&b, 2, 2);
    bench_feed(&b, "34 (00 01 't' 00 05 00)");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_feed(&b, "e0 01 9c"); /* use another server */
    bench_expect_end(&b, MQTT_CAUSE_SERVER, MQTT_REASON_USE_ANOTHER_SERVER);
    b.wire_length = 0;
    bench_next_attempt(&b);
    connect_to(&b, 1, true, "20 03 00 00 00");
    bench_expect_published(&b, 2, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "32 (00 01 't' 00 01 00)"); /* anew */
    bench_feed(&b, "34 (00 01 't' 00 05 00)");        /* not that one */
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_false(b.event.message.duplicate);
    bench_cut(&b);
    connect_to(&b, 1, false, "20 03 01 00 00");
    bench_cut(&b);
    bench_cut(&b); /* without a word, so the first one's turn */
    connect_to(&b, 0, true, "20 03 00 00 00");
    bench_free(&b);
}

#if MQTT_WITH_V311
/* There nothing starts clean: what the broker says to have is not ours. */
static void session_of_another_broker_in_3_1_1(void **state)
{
    struct bench b;
    (void)state;
    config.brokers = 2;
    config.version = 4;
    bench_init(&b, &config);
    bench_connect(&b, "20 02 00 00");
    publish(&b, 2, 1);
    bench_feed(&b, "50 02 00 01");
    bench_expect_idle(&b);
    bench_cut(&b);
    bench_cut(&b);
    connect_to(&b, 1, false, "20 02 01 00");
    assert_false(b.event.connected.session_present);
    bench_expect_published(&b, 1, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}
#endif
#endif

#endif

#if !MQTT_WITH_SESSIONS
/* What was lost with a connection takes no place in the next one. */
static void places_come_back(void **state)
{
    struct bench b;
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (21 00 02))");
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 2);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), MQTT_ERROR_INFLIGHT);
    b.state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    assert_int_equal(b.event.disconnected.lost, 2);
    bench_next_attempt(&b);
    bench_feed(&b, "20 (00 00 (21 00 02))");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_int_equal(mqtt_quota(&b.m), 2);
    assert_true(mqtt_publish(&b.m, &p, b.now_ms) > 0);
    assert_true(mqtt_publish(&b.m, &p, b.now_ms) > 0);
    bench_free(&b);
}
#endif

#if MQTT_WITH_SESSIONS && MQTT_WITH_QOS2
/* MQTT 5.0, 4.6: else the old SUBSCRIBE would have the last word. */
static void unsubscribe_does_not_overtake(void **state)
{
    const struct mqtt_subscription s = {.filter = {TEXT("u")}};
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    subscribe(&b, 1);
    publish(&b, 1, 2);
    bench_back(&b, "20 03 01 00 00");
    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_INFLIGHT);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "82 (00 01 00 00 01 'u' 00) 3a (00 01 't' 00 02 00)");
    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 3);
    bench_free(&b);
}
#endif

int main(void)
{
#if MQTT_WITH_SESSIONS && MQTT_WITH_QOS2
#define TEST(name) cmocka_unit_test_setup(name, configure)
    const struct CMUnitTest tests[] = {
#if MQTT_WITH_SESSIONS && MQTT_WITH_QOS2
        TEST(unsubscribe_does_not_overtake),
#endif
        TEST(pubrel_does_not_wait_for_the_quota),
        TEST(subscribe_does_not_wait_behind_a_publish),
#if MQTT_WITH_BROKERS
        TEST(session_is_of_one_broker),
#if MQTT_WITH_V311
        TEST(session_of_another_broker_in_3_1_1),
#endif
#endif
        TEST(records_of_no_use),
        TEST(records_of_one_place),
        TEST(ids_go_on),
        TEST(more_received_than_places),
        TEST(subscribes_after_a_reset),
        TEST(users_suback_is_another),
        TEST(subscribes_when_it_can),
        TEST(answers_of_the_last_connection_do_not_count_twice),
        TEST(limits_of_publish_bind_publish),
        TEST(just_the_largest_packet),
        TEST(subscribe_needs_no_quota),
        TEST(qos0_during_the_replay),
        TEST(not_again_after_pubrec),
        TEST(refused_is_not_sent_again),
        TEST(id_in_use_until_pubcomp),
#if MQTT_WITH_PROPERTIES
        TEST(ended_by_disconnect),
        TEST(kept_by_disconnect),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#elif !MQTT_WITH_SESSIONS
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_come_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
