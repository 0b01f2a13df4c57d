/* The properties beyond those of every message, topic aliases, and the packets that end something with a
 * reason. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_PROPERTIES

static const struct mqtt_user_property user[] = {{MQTT_TEXT("k"), MQTT_TEXT("v")}};

static void connect_with_everything(void **state)
{
    struct bench b;
    const struct mqtt_will will = {
        .topic = {TEXT("w")},
        .payload = TEXT("x"),
        .qos = 2,
        .utf8 = true,
        .delay_s = 5,
        .message_expiry_s = 6,
        .content_type = TEXT("ct"),
        .response_topic = TEXT("r"),
        .correlation = TEXT("c"),
        .user = user,
        .user_count = 1,
    };
    const struct mqtt_config config = {
        .client_id = "mote",
        .will = &will,
        .request_response_information = true,
        .omit_problem_information = true,
        .user = user,
        .user_count = 1,
    };
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_expect_sent(
        &b, "10 (00 04 'MQTT' 05 16 00 00 (19 01 26 00 01 'k' 00 01 'v' 27 00 00 04 00 17 00) 00 04 'mote'"
            "(01 01 18 00 00 00 05 02 00 00 00 06 03 00 02 'ct' 08 00 01 'r' 09 00 01 'c'"
            "26 00 01 'k' 00 01 'v') 00 01 'w' 00 01 'x')");
    bench_free(&b);
}

static bool has_user(struct mqtt_slice properties)
{
    struct mqtt_user_property got;
    return mqtt_next_user_property(&properties, &got) && bench_slice_is(got.name, "k") &&
           bench_slice_is(got.value, "v") && !mqtt_next_user_property(&properties, &got);
}

static void connack_is_told(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    bench_expect_idle(&b);
    bench_feed(&b, "20 (00 00 (12 00 03 'you' 1a 00 03 'a/b' 1f 00 02 'hi' 26 00 01 'k' 00 01 'v'))");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_true(bench_slice_is(b.event.details.client_id, "you"));
    assert_true(bench_slice_is(b.event.details.response_information, "a/b"));
    assert_true(bench_slice_is(b.event.details.reason_string, "hi"));
    assert_true(has_user(b.event.details.properties));
    bench_free(&b);

    bench_init(&b, &bench_config);
    bench_expect_idle(&b);
    bench_feed(&b, "20 03 00 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_null(b.event.details.client_id.data);
    assert_null(b.event.details.response_information.data);
    assert_null(b.event.details.reason_string.data);
    assert_false(has_user(b.event.details.properties));
    bench_free(&b);
}

/* What the broker says at the end can be read before the transport is closed. */
static void end_is_told(void **state)
{
    static const struct {
        const char *connack, *bytes;
        enum mqtt_cause cause;
    } rows[] = {
        {"20 03 00 00 00", "e0 (9d (1c 00 05 'other' 1f 00 04 'busy' 26 00 01 'k' 00 01 'v'))",
         MQTT_CAUSE_SERVER},
        {"", "20 (00 9d (1c 00 05 'other' 1f 00 04 'busy' 26 00 01 'k' 00 01 'v'))", MQTT_CAUSE_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        bench_init(&b, &bench_config);
        bench_expect_idle(&b);
        bench_feed(&b, rows[i].connack);
        if (i == 0)
            bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        bench_feed(&b, rows[i].bytes);
        bench_expect_end(&b, rows[i].cause, MQTT_REASON_SERVER_MOVED);
        assert_true(bench_slice_is(b.event.details.server_reference, "other"));
        assert_true(bench_slice_is(b.event.details.reason_string, "busy"));
        assert_true(has_user(b.event.details.properties));
        assert_int_equal(b.closes, 0);
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 0);
        bench_expect_idle(&b);
        assert_int_equal(b.closes, 1);
        bench_next_attempt(&b);
        bench_free(&b);
    }
}

static void assigned_client_id(void **state)
{
    uint8_t room[8];
    struct bench b;
    const struct mqtt_config config = {.client_id = "", .assigned_id = {room, sizeof room}};
    const struct mqtt_config small = {.client_id = "", .assigned_id = {room, 2}};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        bench_init(&b, i == 0 ? &config : &small);
        bench_connect(&b, "20 (00 00 (12 00 03 'you'))");
        bench_cut(&b);
        bench_expect_sent(&b, i == 0 ? "10 15 00 04 'MQTT' 05 02 00 00 05 27 00 00 04 00 00 03 'you'"
                                     : "10 12 00 04 'MQTT' 05 02 00 00 05 27 00 00 04 00 00 00");
        bench_free(&b);
    }
}

static void message_properties(void **state)
{
    struct bench b;
    uint32_t id = 0;
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .content_type = TEXT("text/plain")};
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "30 (00 01 't' (03 00 02 'ct' 02 00 00 00 09 0b 05 0b 80 01))");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_true(bench_slice_is(b.event.message.content_type, "ct"));
    assert_int_equal(b.event.message.message_expiry_s, 9);
    struct mqtt_slice rest = b.event.message.properties;
    assert_true(mqtt_next_subscription_id(&rest, &id));
    assert_int_equal(id, 5);
    assert_true(mqtt_next_subscription_id(&rest, &id));
    assert_int_equal(id, 128);
    assert_false(mqtt_next_subscription_id(&rest, &id));
    bench_feed(&b, "30 04 00 01 't' 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_null(b.event.message.content_type.data);
    assert_int_equal(b.event.message.message_expiry_s, UINT32_MAX);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 01 't' (03 00 0a 'text/plain'))");
    bench_free(&b);
}

static void acknowledgements_are_told(void **state)
{
    struct bench b;
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 2);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 3);
    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 4);
    bench_feed(&b, "40 (00 01 97 (1f 00 04 'full' 26 00 01 'k' 00 01 'v')) 40 02 00 02"
                   "90 (00 03 (1f 00 02 'no' 26 00 01 'k' 00 01 'v') 87) b0 (00 04 (1f 00 02 'so') 11)");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_true(bench_slice_is(b.event.details.reason_string, "full"));
    assert_true(has_user(b.event.details.properties));
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_null(b.event.details.reason_string.data);
    assert_false(has_user(b.event.details.properties));
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    assert_true(bench_slice_is(b.event.details.reason_string, "no"));
    assert_true(has_user(b.event.details.properties));
    bench_expect_event(&b, MQTT_EVENT_UNSUBSCRIBED);
    assert_true(bench_slice_is(b.event.details.reason_string, "so"));
    assert_false(has_user(b.event.details.properties));
    bench_free(&b);
}

static void subscription_properties(void **state)
{
    struct bench b;
    const struct mqtt_subscription s = {.filter = {TEXT("t")}, .qos = 1};
    struct mqtt_filters filters = {
        .subscriptions = &s, .count = 1, .identifier = 300, .user = user, .user_count = 1};
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_subscribe_with(&b.m, &filters, b.now_ms), 1);
    bench_expect_sent(&b, "82 (00 01 (0b ac 02 26 00 01 'k' 00 01 'v') 00 01 't' 01)");
    assert_int_equal(mqtt_unsubscribe_with(&b.m, &filters, b.now_ms), 2);
    bench_expect_sent(&b, "a2 (00 02 (26 00 01 'k' 00 01 'v') 00 01 't')");
    filters.identifier = 268435456;
    assert_int_equal(mqtt_subscribe_with(&b.m, &filters, b.now_ms), MQTT_ERROR_ARGUMENT);
    bench_free(&b);
}

/* What the broker has not, is not asked for (3.2.2.3.11 to 3.2.2.3.13). */
static void what_the_broker_has_not(void **state)
{
    const struct mqtt_subscription plain = {.filter = {TEXT("a"), TEXT("/b")}},
                                   plus = {.filter = {TEXT("a/"), TEXT("+")}}, hash = {.filter = {TEXT("#")}},
                                   shared = {.filter = {TEXT("$share/"), TEXT("g/t")}},
                                   own = {.filter = {TEXT("$share/g/t")}, .no_local = true};
    const struct mqtt_filters identified = {.subscriptions = &plain, .count = 1, .identifier = 1};
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (28 00 29 00 2a 00))");
    assert_int_equal(mqtt_subscribe(&b.m, &plus, 1, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    assert_int_equal(mqtt_subscribe(&b.m, &hash, 1, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    assert_int_equal(mqtt_subscribe(&b.m, &shared, 1, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    assert_int_equal(mqtt_subscribe_with(&b.m, &identified, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    assert_int_equal(mqtt_subscribe(&b.m, &plain, 1, b.now_ms), 1);
    bench_free(&b);
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_subscribe(&b.m, &plus, 1, b.now_ms), 1);
    assert_int_equal(mqtt_subscribe(&b.m, &shared, 1, b.now_ms), 2);
    assert_int_equal(mqtt_subscribe(&b.m, &own, 1, b.now_ms), MQTT_ERROR_UNAVAILABLE); /* MQTT-3.8.3-4 */
    bench_free(&b);
}

/* ---- Reasons of ours ---- */

static void acknowledges_with_a_reason(void **state)
{
    struct bench b;
    const struct mqtt_closure refuse = {
        .reason = 0x97, .reason_string = TEXT("full"), .user = user, .user_count = 1};
    const struct mqtt_closure plain = {.reason = 0x10};
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "32 06 00 01 't' 00 05 00 32 06 00 01 't' 00 06 00 30 04 00 01 't' 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_acknowledge(&b.m, &refuse, b.now_ms), 0);
    bench_expect_sent(&b, "40 (00 05 97 (1f 00 04 'full' 26 00 01 'k' 00 01 'v'))");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_acknowledge(&b.m, &plain, b.now_ms), 0);
    bench_expect_sent(&b, "40 04 00 06 10 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_acknowledge(&b.m, &plain, b.now_ms), 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_feed(&b, "32 06 00 01 't' 00 07 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    b.hold = true;
    b.ring_used = b.ring_size - 12;
    assert_int_equal(mqtt_acknowledge(&b.m, &refuse, b.now_ms), MQTT_ERROR_FULL);
    b.ring_used = 0;
    bench_expect_idle(&b);
    bench_drain(&b);
    bench_expect_sent(&b, "40 02 00 07");
    bench_free(&b);
}

#if MQTT_WITH_QOS2
/* Refused with PUBREC: the id is free for another message (4.3.3). */
static void refuses_qos2(void **state)
{
    struct bench b;
    const struct mqtt_config config = {.client_id = "mote", .qos2 = true};
    const struct mqtt_closure refuse = {.reason = 0x83};
    (void)state;
    bench_connected(&b, &config);
    for (unsigned i = 0; i < 2; i++) {
        bench_feed(&b, "34 06 00 01 't' 00 05 00");
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        assert_int_equal(mqtt_acknowledge(&b.m, &refuse, b.now_ms), 0);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "50 04 00 05 83 00");
    }
    bench_free(&b);
}
#endif

static void disconnects_with_details(void **state)
{
    struct bench b;
    const struct mqtt_closure closure = {.reason = MQTT_REASON_DISCONNECT_WITH_WILL,
                                         .reason_string = TEXT("bye"),
                                         .user = user,
                                         .user_count = 1,
                                         .change_expiry = true,
                                         .session_expiry_s = 7};
    (void)state;
    bench_connected(&b, &bench_config);
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    bench_expect_sent(&b, "e0 (04 (11 00 00 00 07 1f 00 03 'bye' 26 00 01 'k' 00 01 'v'))");
    bench_expect_end(&b, MQTT_CAUSE_USER, 4);
    bench_free(&b);
    bench_connected(&b, &bench_config);
    b.hold = true;
    b.ring_used = b.ring_size - 5;
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    assert_int_equal(b.ring_used, b.ring_size - 2);
    bench_expect_end(&b, MQTT_CAUSE_USER, 4);
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    bench_expect_idle(&b);
    bench_free(&b);
}

/* ---- Topic aliases ---- */

#if MQTT_WITH_ALIASES
static uint8_t alias_memory[2 * (2 + 4)];
static const struct mqtt_config aliases = {
    .client_id = "mote",
    .keep_alive_s = 60,
    .alias_memory = alias_memory,
    .alias_topic_bytes = 4,
    .alias_maximum = 2,
#if MQTT_WITH_QOS2
    .qos2 = true,
#endif
};

static void expect_topic(struct bench *b, const char *topic, uint32_t alias)
{
    bench_expect_event(b, MQTT_EVENT_MESSAGE);
    assert_true(bench_slice_is(b->event.message.topic, topic));
    assert_int_equal(b->event.message.topic_alias, alias);
}

static void the_brokers_aliases(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t reason;
    } rows[] = {
        {"30 (00 01 't' (23 00 00))", 0x94},     {"30 (00 01 't' (23 00 03))", 0x94},
        {"30 (00 00 (23 00 02))", 0x82},         {"30 (00 00 00)", 0x82},
        {"30 (00 05 'abcde' (23 00 02))", 0x97}, {"30 (00 01 't' (23 00 01 23 00 01))", 0x82},
    };
    struct bench b;
    (void)state;
    bench_init(&b, &aliases);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "10 (00 04 'MQTT' 05 02 00 3c (22 00 02 21 00 08 27 00 00 04 00) 00 04 'mote')");
    bench_feed(&b,
               "20 03 00 00 00 30 (00 03 'a/b' (23 00 01)) 30 (00 00 (23 00 01)) 30 (00 01 'c' (23 00 02))"
               "30 (00 00 (23 00 02)) 30 (00 04 'abcd' (23 00 01)) 30 (00 00 (23 00 01)) 30 (00 01 'd' 00)");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    expect_topic(&b, "a/b", 1);
    expect_topic(&b, "a/b", 1);
    expect_topic(&b, "c", 2);
    expect_topic(&b, "c", 2);
    expect_topic(&b, "abcd", 1);
    expect_topic(&b, "abcd", 1);
    expect_topic(&b, "d", UINT32_MAX);
    bench_cut(&b);
    bench_feed(&b, "20 03 00 00 00 30 (00 00 (23 00 01))"); /* forgotten with the connection: MQTT-3.3.2-7 */
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x82);
    bench_free(&b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_connected(&b, &aliases);
        bench_feed(&b, rows[i].bytes);
        bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, rows[i].reason);
        bench_free(&b);
    }
}

#if MQTT_WITH_QOS2
/* An alias counts, whether its message is new or not. */
static void alias_of_a_duplicate(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &aliases);
    bench_feed(&b, "34 (00 01 'a' 00 05 00) 3c (00 01 'a' 00 05 (23 00 01)) 30 (00 00 (23 00 01))");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    expect_topic(&b, "a", 1);
    bench_free(&b);
}
#endif

static void our_aliases(void **state)
{
    struct bench b;
    struct mqtt_publish p = {.topic = {TEXT("a/"), TEXT("b")}, .payload = {TEXT("x")}, .alias = 2};
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (22 00 02))");
    assert_int_equal(mqtt_publish_size(&p), 12);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 03 'a/b' (23 00 02) 'x')");
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 00 (23 00 02) 'x')");
    p.qos = 1;
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_expect_sent(&b, "32 (00 00 00 01 (23 00 02) 'x')");
    p.qos = 0;
    p.alias = 3; /* above what the broker allows: MQTT-3.3.2-9 */
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 03 'a/b' 00 'x')");
    p.alias = 1;
    b.hold = true;
    b.ring_used = b.ring_size;
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), MQTT_ERROR_FULL);
    b.ring_used = 0;
    b.hold = false;
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0); /* it was not sent, so it is not set */
    bench_expect_sent(&b, "30 (00 03 'a/b' (23 00 01) 'x')");
    bench_back(&b, "20 (00 00 (22 ff ff))");
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 03 'a/b' (23 00 01) 'x')");
    p.alias = 33;
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 03 'a/b' 00 'x')");
    bench_free(&b);
}

#if MQTT_WITH_SESSIONS
/* What may go over another connection goes with its topic. */
static void no_alias_for_what_is_kept(void **state)
{
    static uint8_t memory[64];
    struct mqtt_ram_store ram;
    const struct mqtt_config kept = {.client_id = "mote", .session_expiry_s = 9, .store = &ram.store};
    struct mqtt_publish p = {.topic = {TEXT("t")}, .alias = 1, .qos = 1};
    struct bench b;
    (void)state;
    mqtt_ram_store_init(&ram, memory, sizeof memory);
    bench_init(&b, &kept);
    bench_connect(&b, "20 (00 00 (22 00 02))");
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_expect_sent(&b, "32 06 00 01 't' 00 01 00");
    p.qos = 0;
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 01 't' (23 00 01))");
    bench_free(&b);
}
#endif
#endif

#endif

int main(void)
{
#if MQTT_WITH_PROPERTIES
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_with_everything),
        cmocka_unit_test(connack_is_told),
        cmocka_unit_test(end_is_told),
        cmocka_unit_test(assigned_client_id),
        cmocka_unit_test(message_properties),
        cmocka_unit_test(acknowledgements_are_told),
        cmocka_unit_test(subscription_properties),
        cmocka_unit_test(what_the_broker_has_not),
        cmocka_unit_test(acknowledges_with_a_reason),
#if MQTT_WITH_QOS2
        cmocka_unit_test(refuses_qos2),
#endif
        cmocka_unit_test(disconnects_with_details),
#if MQTT_WITH_ALIASES
        cmocka_unit_test(the_brokers_aliases),
#if MQTT_WITH_QOS2
        cmocka_unit_test(alias_of_a_duplicate),
#endif
        cmocka_unit_test(our_aliases),
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(no_alias_for_what_is_kept),
#endif
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
