/*
 * Normative statements of MQTT 5.0 that no other test shows (docs/mqtt-conformance.md). All that the engine
 * sends here is read by client_packet.c as strictly as a server may.
 */
#include "bench.h"

#include <string.h>

#include "client_packet.h"

static struct client_stream stream;

/* All that was sent since the last look is right; the last packet stays in `stream`. Returns how many. */
static unsigned sent_packets(struct bench *b)
{
    unsigned count = 0;
    size_t at = 0;
    for (size_t size; at < b->wire_length; at += size, count++) {
        size = client_packet_size(b->wire + at, b->wire_length - at);
        assert_in_range(size, 2, b->wire_length - at);
        const char *wrong = client_stream_packet(&stream, b->wire + at, size);
        if (wrong)
            fail_msg("packet type %u: %s", b->wire[at] >> 4, wrong);
    }
    b->wire_length = 0;
    return count;
}

static const struct client_packet *one_packet(struct bench *b, unsigned type)
{
    assert_int_equal(sent_packets(b), 1);
    assert_int_equal(stream.packet.type, type);
    return &stream.packet;
}

static void open_stream(struct bench *b, const struct mqtt_config *config)
{
    memset(&stream, 0, sizeof stream);
    bench_init(b, config);
    bench_expect_idle(b);
    (void)one_packet(b, 1);
}

static void accept_stream(struct bench *b, const char *connack)
{
    stream.accepted = true;
    bench_feed(b, connack != NULL ? connack : "20 03 00 00 00");
    bench_expect_event(b, MQTT_EVENT_CONNECTED);
    bench_expect_idle(b);
}

static void connect_stream(struct bench *b, const struct mqtt_config *config, const char *connack)
{
    open_stream(b, config);
    accept_stream(b, connack);
}

static bool same(struct client_text text, const char *expected)
{
    return text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

/* ---- CONNECT ---- */

/* MQTT-3.1.0-1: whatever the user calls before, and however the connection comes about. */
static void connect_comes_first(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    (void)state;
    memset(&stream, 0, sizeof stream);
    bench_init(&b, &bench_config);
    b.open_at_once = false;
    for (unsigned step = 0; step < 3; step++) {
        assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
        assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
        assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
        if (step < 2)
            bench_expect_sent(&b, "");
        b.state = step == 0 ? MQTT_TRANSPORT_CLOSED : MQTT_TRANSPORT_OPEN;
        bench_expect_idle(&b);
        if (step == 0) {
            b.state = MQTT_TRANSPORT_OPENING;
            bench_expect_idle(&b);
            bench_expect_sent(&b, "");
        }
    }
    (void)one_packet(&b, 1);
    bench_free(&b);
}

/* MQTT-3.1.2-9, -11, -12, -13: the will's flags and fields, or none of them. */
static void will_flags(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct bench b;
        const struct mqtt_will will = {
            .topic = {TEXT("w")}, .payload = TEXT("x"), .qos = (uint8_t)(i / 2), .retain = i % 2};
        const struct mqtt_config config = {.client_id = "mote", .will = &will};
        open_stream(&b, &config);
        assert_int_equal(stream.packet.connect_flags, 2 | 4 | i / 2 << 3 | i % 2 << 5);
        assert_true(same(stream.packet.will_topic, "w"));
        bench_free(&b);
    }
    struct bench b;
    open_stream(&b, &bench_config);
    assert_int_equal(stream.packet.connect_flags, 2);
    assert_null(stream.packet.will_topic.data);
    bench_free(&b);
}

/* MQTT-3.1.2-16 to -19, MQTT-3.1.3-1: each is there if its flag says so, in this order. */
static void user_name_and_password(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct bench b;
        const struct mqtt_will will = {.topic = {TEXT("w")}};
        struct mqtt_config config = {.client_id = "mote", .will = i & 4 ? &will : NULL};
        if (i & 1)
            config.user_name = "me";
        if (i & 2)
            config.password = TEXT("secret");
        open_stream(&b, &config);
        assert_int_equal(stream.packet.connect_flags >> 6, (i & 1) << 1 | (i & 2) >> 1);
        assert_true(same(stream.packet.client_id, "mote"));
        assert_int_equal(stream.packet.user_name.data != NULL, i & 1);
        assert_int_equal(stream.packet.password.data != NULL, (i & 2) >> 1);
        bench_free(&b);
    }
}

/* ---- Text ---- */

/* MQTT-1.5.4-3: U+FEFF is a character like others, at the beginning as well. */
static void byte_order_mark_stays(void **state)
{
    struct bench b;
    struct mqtt_user_property user;
    const struct mqtt_publish publish = {.topic = {TEXT("\xEF\xBB\xBFt")}};
    (void)state;
    connect_stream(&b, &bench_config, NULL);
    bench_feed(&b, "30 (00 05 ef bb bf 't' 'u' (26 00 03 ef bb bf 00 03 ef bb bf) 'x')");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_true(bench_slice_is(b.event.message.topic, "\xEF\xBB\xBFtu"));
    assert_true(mqtt_next_user_property(&b.event.message.properties, &user));
    assert_true(bench_slice_is(user.name, "\xEF\xBB\xBF") && bench_slice_is(user.value, "\xEF\xBB\xBF"));
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    assert_true(same(one_packet(&b, 3)->topic, "\xEF\xBB\xBFt"));
    bench_free(&b);
}

/* ---- Acknowledgements ---- */

/* MQTT-4.5.0-2, MQTT-4.6.0-2, -3: in the order of reception, read or not. */
static void acknowledged_in_order(void **state)
{
    static struct mqtt_config config;
    struct bench b;
    bool qos2 = MQTT_WITH_QOS2;
    (void)state;
    config = bench_config;
#if MQTT_WITH_QOS2
    config.qos2 = true;
#endif
    connect_stream(&b, &config, NULL);
    for (unsigned i = 0; i < 6; i++) {
        const uint8_t publish[] = {i % 2 && qos2 ? 0x34 : 0x32, 6, 0, 1, 't', 0, (uint8_t)(60 - i), 0};
        bench_feed_bytes(&b, publish, sizeof publish);
    }
    for (unsigned i = 0; i < 6; i++)
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    assert_int_equal(b.wire_length, 24);
    for (unsigned i = 0; i < 6; i++) {
        const uint8_t answer[] = {i % 2 && qos2 ? 0x50 : 0x40, 2, 0, (uint8_t)(60 - i)};
        assert_memory_equal(b.wire + (size_t)i * 4, answer, sizeof answer);
    }
    assert_int_equal(sent_packets(&b), 6);
    bench_free(&b);
}

/* MQTT-4.3.2-5: after the PUBACK the same id, with DUP or without, is another message. */
static void qos1_id_again_is_another_message(void **state)
{
    struct bench b;
    (void)state;
    connect_stream(&b, &bench_config, NULL);
    for (unsigned i = 0; i < 3; i++) {
        bench_feed(&b, i == 1 ? "3a 06 00 01 't' 00 05 00" : "32 06 00 01 't' 00 05 00");
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        assert_int_equal(b.event.message.duplicate, i == 1);
        bench_expect_idle(&b);
        assert_int_equal(one_packet(&b, 4)->packet_id, 5);
    }
    bench_free(&b);
}

/* MQTT-3.3.1-3: DUP of what we send has nothing to do with DUP of what we got. */
static void dup_is_not_passed_on(void **state)
{
    struct bench b;
    (void)state;
    connect_stream(&b, &bench_config, NULL);
    bench_feed(&b, "3a 07 00 01 't' 00 05 00 'x'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_true(b.event.message.duplicate);
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .payload = {TEXT("x")}, .qos = 1};
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    assert_false(one_packet(&b, 3)->duplicate);
    bench_free(&b);
}

/* MQTT-3.3.4-7, -8, MQTT-4.9.0-2, -3: with the quota used up all but QoS 1 and 2 goes on. */
static void quota_holds_back_publications_only(void **state)
{
    struct bench b;
    struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    (void)state;
    connect_stream(&b, &bench_config, "20 (00 00 (21 00 01))");
    assert_int_equal(mqtt_quota(&b.m), 1);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    (void)one_packet(&b, 3);
    assert_int_equal(mqtt_quota(&b.m), 0);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_INFLIGHT);
    publish.qos = 0;
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    (void)one_packet(&b, 3);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 2);
    (void)one_packet(&b, 8);
    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 3);
    (void)one_packet(&b, 10);
    bench_feed(&b, "32 06 00 01 't' 00 05 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    (void)one_packet(&b, 4);
    b.now_ms += 60000;
    bench_expect_idle(&b);
    (void)one_packet(&b, 12);
    bench_feed(&b, "40 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(mqtt_quota(&b.m), 1);
    bench_free(&b);
}

/* ---- The end ---- */

/* MQTT-3.14.4-1, -2: after DISCONNECT nothing, whatever still comes in, and the connection is closed. */
static void nothing_after_disconnect(void **state)
{
    static const char *const wrongs[] = {NULL, "f0 00", "30 (00 01 '#' 00)", "20 03 00 00 00"};
    const struct mqtt_publish publish = {.topic = {TEXT("t")}};
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct bench b;
        connect_stream(&b, &bench_config, NULL);
        bench_feed(&b, "32 06 00 01 't' 00 05 00");
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        bench_expect_idle(&b);
        (void)one_packet(&b, 4);
        if (wrongs[i] != NULL)
            bench_feed(&b, wrongs[i]);
        else
            mqtt_disconnect(&b.m, 0, b.now_ms);
        bench_feed(&b, "32 06 00 01 't' 00 06 00");
        bench_expect_event(&b, MQTT_EVENT_DISCONNECTED);
        (void)one_packet(&b, 14);
        assert_int_equal(b.closes, 1);
        assert_int_equal(b.state, MQTT_TRANSPORT_ENDING);
        assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
        bench_feed(&b, "32 06 00 01 't' 00 07 00 62 02 00 05");
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        bench_free(&b);
    }
}

#if MQTT_WITH_SESSIONS
static uint8_t memory[512];
static struct mqtt_ram_store ram;
static const struct mqtt_config kept = {
    .client_id = "mote",
    .keep_alive_s = 60,
    .session_expiry_s = UINT32_MAX,
    .store = &ram.store,
#if MQTT_WITH_QOS2
    .qos2 = true,
#endif
};

/* MQTT-4.3.3-7: sent once, a message is sent again though its time is over meanwhile. */
static void expiry_does_not_end_an_exchange(void **state)
{
    struct bench b;
    (void)state;
    for (unsigned qos = 1; qos <= (MQTT_WITH_QOS2 ? 2 : 1); qos++) {
        const struct mqtt_publish publish = {
            .topic = {TEXT("t")}, .qos = (uint8_t)qos, .message_expiry_s = 1};
        mqtt_ram_store_init(&ram, memory, sizeof memory);
        connect_stream(&b, &kept, NULL);
        assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
        assert_false(one_packet(&b, 3)->duplicate);
        b.state = MQTT_TRANSPORT_CLOSED;
        bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
        b.now_ms += 1000000;
        bench_expect_idle(&b);
        memset(&stream, 0, sizeof stream);
        assert_int_equal(one_packet(&b, 1)->connect_flags & 2, 0);
        accept_stream(&b, "20 03 01 00 00");
        assert_true(one_packet(&b, 3)->duplicate);
        assert_int_equal(stream.packet.packet_id, 1);
        bench_free(&b);
    }
}

/*
 * MQTT-2.2.1-3, MQTT-4.3.2-1, MQTT-4.3.3-1: an id is new until its message is settled, also over other
 * connections and another engine. MQTT-4.4.0-1: nothing is sent again within a connection, however long the
 * answer takes.
 */
static void ids_and_messages_stay_together(void **state)
{
    struct bench b;
    bool used[MQTT_INFLIGHT_MAX + 2] = {false};
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    mqtt_ram_store_init(&ram, memory, sizeof memory);
    connect_stream(&b, &kept, NULL);
    for (unsigned i = 0; i < 3; i++) {
        int id = mqtt_publish(&b.m, &publish, b.now_ms);
        assert_in_range(id, 1, 3);
        used[id] = true;
    }
    assert_int_equal(sent_packets(&b), 3);
    for (unsigned i = 0; i < 10; i++) {
        b.now_ms += 50000;
        bench_feed(&b, "d0 00");
        bench_expect_idle(&b);
        assert_true(sent_packets(&b) <= 1);
        assert_true(stream.packet.type != 3 || i == 0);
    }
    bench_free(&b);

    struct mqtt_config again = kept;
    again.resume = true;
    memset(&stream, 0, sizeof stream);
    bench_init(&b, &again);
    bench_expect_idle(&b);
    (void)one_packet(&b, 1);
    accept_stream(&b, "20 03 01 00 00");
    assert_int_equal(sent_packets(&b), 3);
    for (unsigned i = 3; i < MQTT_INFLIGHT_MAX; i++) {
        int id = mqtt_publish(&b.m, &publish, b.now_ms);
        assert_in_range(id, 4, MQTT_INFLIGHT_MAX + 1);
        assert_false(used[id]);
        used[id] = true;
    }
    bench_free(&b);
}
#endif

#if MQTT_WITH_QOS2
/* MQTT-4.3.3-13: the steps of a message whose time is over are those of any other. */
static void expiry_does_not_end_a_reception(void **state)
{
    struct bench b;
    const struct mqtt_config config = {.client_id = "mote", .qos2 = true};
    (void)state;
    connect_stream(&b, &config, NULL);
    bench_feed(&b, "34 (00 01 't' 00 05 (02 00 00 00 01))");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    b.now_ms += 100000;
    bench_expect_idle(&b);
    assert_int_equal(one_packet(&b, 5)->packet_id, 5);
    b.now_ms += 100000;
    bench_feed(&b, "62 02 00 05");
    bench_expect_idle(&b);
    assert_int_equal(one_packet(&b, 7)->packet_id, 5);
    bench_free(&b);
}
#endif

#if MQTT_WITH_PROPERTIES
static const struct mqtt_user_property user[] = {{MQTT_TEXT("k"), MQTT_TEXT("v")}};

/* MQTT-3.4.2-2, -3, MQTT-3.5.2-2, -3, MQTT-3.14.2-3, -4: without them, if the broker takes no more. */
static void properties_that_do_not_fit_are_left_out(void **state)
{
    const struct mqtt_closure long_one = {
        .reason_string = TEXT("so many words"), .user = user, .user_count = 1};
    struct mqtt_config config = bench_config;
    (void)state;
#if MQTT_WITH_QOS2
    config.qos2 = true;
#endif
    for (unsigned qos = 1; qos <= (MQTT_WITH_QOS2 ? 2 : 1); qos++) {
        struct bench b;
        const uint8_t publish[] = {(uint8_t)(0x30 | qos << 1), 6, 0, 1, 't', 0, 5, 0};
        connect_stream(&b, &config, "20 (00 00 (27 00 00 00 10))");
        stream.maximum_packet_size = 16;
        bench_feed_bytes(&b, publish, sizeof publish);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        assert_int_equal(mqtt_acknowledge(&b.m, &long_one, b.now_ms), MQTT_ERROR_TOO_LARGE);
        bench_expect_sent(&b, "");
        bench_expect_idle(&b);
        assert_int_equal(one_packet(&b, 3 + qos)->reason_size, 0);
        mqtt_disconnect_with(&b.m, &long_one, b.now_ms);
        assert_int_equal(one_packet(&b, 14)->reason_size, 0);
        bench_free(&b);
    }
}
#endif

#if MQTT_WITH_AUTH
static int answer_any(void *context, enum mqtt_auth_step step, struct mqtt_slice data,
                      struct mqtt_slice *answer)
{
    (void)context;
    (void)data;
    if (step != MQTT_AUTH_SUCCESS)
        *answer = TEXT("a");
    return 0;
}

/* MQTT-3.1.2-30: until the CONNACK nothing but AUTH and DISCONNECT. */
static void only_auth_before_the_connack(void **state)
{
    struct bench b;
    const struct mqtt_authenticator authenticator = {.method = "M", .step = answer_any};
    const struct mqtt_config config = {
        .client_id = "mote", .keep_alive_s = 1, .authenticator = &authenticator};
    const struct mqtt_publish publish = {.topic = {TEXT("t")}};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    (void)state;
    open_stream(&b, &config);
    assert_true(same(stream.packet.method, "M"));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
        assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
        assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
        b.now_ms += 2000; /* longer than the keep-alive, but no PINGREQ */
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        bench_feed(&b, "f0 (18 (15 00 01 'M'))");
        bench_expect_idle(&b);
        assert_int_equal(one_packet(&b, 15)->reason, 0x18);
        assert_true(same(stream.packet.method, "M"));
    }
    mqtt_disconnect(&b.m, 0, b.now_ms);
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    (void)one_packet(&b, 14);
    bench_free(&b);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_comes_first),
        cmocka_unit_test(will_flags),
        cmocka_unit_test(user_name_and_password),
        cmocka_unit_test(byte_order_mark_stays),
        cmocka_unit_test(acknowledged_in_order),
        cmocka_unit_test(qos1_id_again_is_another_message),
        cmocka_unit_test(dup_is_not_passed_on),
        cmocka_unit_test(quota_holds_back_publications_only),
        cmocka_unit_test(nothing_after_disconnect),
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(expiry_does_not_end_an_exchange),
        cmocka_unit_test(ids_and_messages_stay_together),
#endif
#if MQTT_WITH_QOS2
        cmocka_unit_test(expiry_does_not_end_a_reception),
#endif
#if MQTT_WITH_PROPERTIES
        cmocka_unit_test(properties_that_do_not_fit_are_left_out),
#endif
#if MQTT_WITH_AUTH
        cmocka_unit_test(only_auth_before_the_connack),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
