/* Answers of both sides: what is right in one, which one it is, and that there is room for ours first. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static const struct mqtt_publish publish_1 = {.topic = {MQTT_TEXT("t")}, .qos = 1};
static const struct mqtt_subscription two[] = {{.filter = {MQTT_TEXT("a")}},
                                               {.filter = {MQTT_TEXT("b")}, .qos = 1}};

static void expect_wrong(struct bench *b, const char *packet, uint8_t reason)
{
    bench_feed(b, packet);
    bench_expect_end(b, MQTT_CAUSE_PROTOCOL, reason);
    bench_free(b);
}

/* ---- The broker's ---- */

/* MQTT-2.1.3-1: reserved flags in each packet of a server, in its own place, are malformed. */
static void reserved_flags(void **state)
{
    static const char *const packets[] = {"4%c 02 00 01", "9%c (00 02 00 00 00)", "b%c (00 03 00 00 00)",
                                          "d%c 00", "e%c 00"};
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        for (unsigned flags = 1; flags < 16; flags++) {
            struct bench b;
            char text[64];
            bench_connected(&b, &bench_config);
            assert_int_equal(mqtt_publish(&b.m, &publish_1, b.now_ms), 1);
            assert_int_equal(mqtt_subscribe(&b.m, two, 2, b.now_ms), 2);
            assert_int_equal(mqtt_unsubscribe(&b.m, two, 2, b.now_ms), 3);
            snprintf(text, sizeof text, packets[i], "0123456789abcdef"[flags]);
            expect_wrong(&b, text, MQTT_REASON_MALFORMED_PACKET);
        }
    }
    for (unsigned flags = 1; flags < 16; flags++) {
        struct bench b;
        char text[64];
        bench_init(&b, &bench_config);
        bench_expect_idle(&b);
        snprintf(text, sizeof text, "2%c 03 00 00 00", "0123456789abcdef"[flags]);
        expect_wrong(&b, text, MQTT_REASON_MALFORMED_PACKET);
    }
}

/* MQTT-3.8.4-7, MQTT-3.11.3-2: each code, not the first alone. */
static void every_reason_code_is_looked_at(void **state)
{
    static const char *const packets[] = {"90 (00 01 00 00 03)", "90 (00 01 00 01 7f)", "b0 (00 02 00 00 10)",
                                          "b0 (00 02 00 11 01)"};
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct bench b;
        bench_connected(&b, &bench_config);
        assert_int_equal(mqtt_subscribe(&b.m, two, 2, b.now_ms), 1);
        assert_int_equal(mqtt_unsubscribe(&b.m, two, 2, b.now_ms), 2);
        expect_wrong(&b, packets[i], MQTT_REASON_PROTOCOL_ERROR);
    }
}

/* 0x80 is the first of the refusals, 0x10 is none. */
static void where_refusals_begin(void **state)
{
    static const struct {
        const char *puback;
        uint8_t reason;
        uint32_t refused;
    } cases[] = {{"40 03 00 01 00", 0x00, 0}, {"40 03 00 01 10", 0x10, 0}, {"40 03 00 01 80", 0x80, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        bench_connected(&b, &bench_config);
        assert_int_equal(mqtt_publish(&b.m, &publish_1, b.now_ms), 1);
        bench_feed(&b, cases[i].puback);
        bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
        assert_int_equal(b.event.published.reason, cases[i].reason);
        assert_int_equal(mqtt_statistics(&b.m)->refused, cases[i].refused);
        assert_int_equal(mqtt_statistics(&b.m)->acknowledged, 1 - cases[i].refused);
        bench_free(&b);
    }
}

#if MQTT_WITH_QOS2
static const struct mqtt_config qos2_config = {.client_id = "mote", .qos2 = true};

static void where_refusals_begin_in_pubrec(void **state)
{
    struct bench b;
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 2};
    (void)state;
    bench_connected(&b, &qos2_config);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 2);
    b.wire_length = 0;
    bench_feed(&b, "50 03 00 01 10");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 01");
    bench_feed(&b, "50 03 00 02 80");
    bench_expect_published(&b, 2, 0x80);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}
#endif

/* ---- Messages: nothing of the one before stays ---- */

static void each_message_says_its_own(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "30 (00 01 't' (01 01 02 00 00 00 09 03 00 01 'c' 08 00 01 'r' 09 00 01 'd') 'x')");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(b.event.message.utf8, 1);
    assert_true(bench_slice_is(b.event.message.response_topic, "r"));
    assert_true(bench_slice_is(b.event.message.correlation, "d"));
    bench_feed(&b, "30 (00 01 't' (02 00 00 00 00))"); /* which has just expired is a message all the same */
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
#if MQTT_WITH_PROPERTIES
    assert_int_equal(b.event.message.message_expiry_s, 0);
#endif
    bench_feed(&b, "30 (00 01 't' 00)");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(b.event.message.utf8, 0);
    assert_null(b.event.message.response_topic.data);
    assert_null(b.event.message.correlation.data);
    assert_int_equal(b.event.message.payload.length, 0);
#if MQTT_WITH_PROPERTIES
    assert_null(b.event.message.content_type.data);
    assert_int_equal(b.event.message.message_expiry_s, UINT32_MAX);
#endif
    bench_free(&b);
}

/* Every head that there is: each flag is told, and none stands in another one's way. */
static void every_head(void **state)
{
    (void)state;
    for (unsigned head = 0x30; head <= 0x3F; head++) {
        struct bench b;
        char text[64];
        unsigned qos = head >> 1 & 3;
        if (qos > (MQTT_WITH_QOS2 ? 2 : 1) || (qos == 0 && (head & 8)))
            continue;
#if MQTT_WITH_QOS2
        bench_connected(&b, &qos2_config);
#else
        bench_connected(&b, &bench_config);
#endif
        snprintf(text, sizeof text, "%02x (00 01 't' %s 00 'x')", head, qos > 0 ? "00 07" : "");
        bench_feed(&b, text);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        assert_int_equal(b.event.message.qos, qos);
        assert_int_equal(b.event.message.retain, head & 1);
        assert_int_equal(b.event.message.duplicate, head >> 3 & 1);
        assert_true(bench_slice_is(b.event.message.payload, "x"));
        bench_expect_idle(&b);
        bench_expect_sent(&b, qos == 0 ? "" : qos == 1 ? "40 02 00 07" : "50 02 00 07");
        bench_free(&b);
    }
}

/* ---- Ours ---- */

/* Whatever its flags, a message of QoS 1 comes when its PUBACK has room, and not before. */
static void delivered_when_the_answer_has_room(void **state)
{
    static const char *const heads[] = {"32", "33", "3a", "3b"};
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct bench b;
        char text[64];
        bench_connected(&b, &bench_config);
        b.hold = true;
        b.ring_used = b.ring_size - 3;
        snprintf(text, sizeof text, "%s (00 01 't' 00 07 00)", heads[i]);
        bench_feed(&b, text);
        bench_expect_idle(&b);
        b.ring_used = b.ring_size - 4;
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        bench_expect_idle(&b);
        assert_int_equal(b.ring_used, b.ring_size);
        bench_free(&b);
    }
}

#if MQTT_WITH_QOS2 && MQTT_WITH_ALIASES
/* What is wrong with a message stays wrong with QoS 2. */
static void wrong_alias_of_qos2(void **state)
{
    static uint8_t memory[2 * 10];
    static const struct mqtt_config config = {.client_id = "mote",
                                              .qos2 = true,
                                              .alias_memory = memory,
                                              .alias_topic_bytes = 8,
                                              .alias_maximum = 2};
    static const struct {
        const char *packet;
        uint8_t reason;
    } cases[] = {
        {"34 (00 01 't' 00 01 (23 00 00))", 0x94},
        {"34 (00 01 't' 00 01 (23 00 03))", 0x94},
        {"34 (00 00 00 01 (23 00 02))", 0x82},
        {"34 (00 09 '123456789' 00 01 (23 00 02))", 0x97},
        {"34 (00 00 00 01 00)", 0x82},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        bench_connected(&b, &config);
        expect_wrong(&b, cases[i].packet, cases[i].reason);
    }
}

/* The longest topic in each place: none reaches into the next. */
static void alias_places_are_apart(void **state)
{
    static uint8_t memory[2 * 10];
    static const struct mqtt_config config = {
        .client_id = "mote", .alias_memory = memory, .alias_topic_bytes = 8, .alias_maximum = 2};
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    bench_feed(&b, "30 (00 08 'abcdefgh' (23 00 01)) 30 (00 08 'ABCDEFGH' (23 00 02)) "
                   "30 (00 00 (23 00 01)) 30 (00 00 (23 00 02))");
    for (unsigned i = 0; i < 4; i++) {
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        assert_true(bench_slice_is(b.event.message.topic, i % 2 == 0 ? "abcdefgh" : "ABCDEFGH"));
    }
    bench_free(&b);
}
#endif

#if MQTT_WITH_PROPERTIES
#if MQTT_WITH_QOS2
/* A reason below 0x80 takes the message: its id waits for PUBREL. From 0x80 on it does not. */
static void reasons_of_our_pubrec(void **state)
{
    struct bench b;
    struct mqtt_closure closure = {.reason = 0x10};
    (void)state;
    bench_connected(&b, &qos2_config);
    bench_feed(&b, "34 (00 01 't' 00 01 00)");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_acknowledge(&b.m, &closure, b.now_ms), 0);
    bench_expect_idle(&b);
    b.wire_length = 0;
    bench_feed(&b, "62 02 00 01");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 02 00 01");
    closure.reason = 0x80;
    bench_feed(&b, "34 (00 01 't' 00 02 00)");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_acknowledge(&b.m, &closure, b.now_ms), 0);
    bench_expect_idle(&b);
    b.wire_length = 0;
    bench_feed(&b, "62 02 00 02");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 03 00 02 92");
    bench_free(&b);
}
#endif

/* What a DISCONNECT alone may say is no part of a PUBACK. */
static void expiry_is_for_disconnect(void **state)
{
    struct bench b;
    const struct mqtt_closure closure = {
        .change_expiry = true, .session_expiry_s = 9, .reason_string = {"", 0}};
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "32 (00 01 't' 00 07 00)");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_acknowledge(&b.m, &closure, b.now_ms), 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "40 (00 07 00 00)");
    bench_free(&b);
}

#if MQTT_WITH_V311
/* 3.1.1 has no reasons: the plain answer goes, once, when the message is dealt with. */
static void acknowledges_in_3_1_1(void **state)
{
    static const struct mqtt_config config = {.client_id = "mote", .version = 4};
    struct bench b;
    const struct mqtt_closure closure = {.reason = 0x80};
    (void)state;
    bench_init(&b, &config);
    bench_connect(&b, "20 02 00 00");
    bench_feed(&b, "32 (00 01 't' 00 07)");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_acknowledge(&b.m, &closure, b.now_ms), 0);
    bench_expect_sent(&b, "");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "40 02 00 07");
    bench_free(&b);
}
#endif
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserved_flags),
        cmocka_unit_test(every_reason_code_is_looked_at),
        cmocka_unit_test(where_refusals_begin),
#if MQTT_WITH_QOS2
        cmocka_unit_test(where_refusals_begin_in_pubrec),
#endif
        cmocka_unit_test(each_message_says_its_own),
        cmocka_unit_test(every_head),
        cmocka_unit_test(delivered_when_the_answer_has_room),
#if MQTT_WITH_QOS2 && MQTT_WITH_ALIASES
        cmocka_unit_test(wrong_alias_of_qos2),
        cmocka_unit_test(alias_places_are_apart),
#endif
#if MQTT_WITH_PROPERTIES
#if MQTT_WITH_QOS2
        cmocka_unit_test(reasons_of_our_pubrec),
#endif
        cmocka_unit_test(expiry_is_for_disconnect),
#if MQTT_WITH_V311
        cmocka_unit_test(acknowledges_in_3_1_1),
#endif
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
