#include "bench.h"

#include <string.h>

static void connect_is_minimal(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "10 16 00 04 'MQTT' 05 02 00 3c 05 27 00 00 04 00 00 04 'mote'");
    bench_feed(&b, "20 03 00 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_false(b.event.connected.session_present);
    assert_true(mqtt_is_connected(&b.m));
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_statistics(&b.m)->sessions, 1);
    bench_free(&b);
}

static void connect_has_all(void **state)
{
    struct bench b;
    const struct mqtt_will will = {
        .topic = {MQTT_TEXT("dt/"), MQTT_TEXT("mote"), MQTT_TEXT("/alive")},
        .payload = MQTT_TEXT("gone"),
        .qos = 1,
        .retain = true,
        .utf8 = true,
    };
    const struct mqtt_config config = {
        .client_id = "",
        .user_name = "me",
        .password = MQTT_TEXT("secret"),
        .will = &will,
    };
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "10 (00 04 'MQTT' 05 ee 00 00 05 27 00 00 04 00 00 00 02 01 01"
                          "00 0d 'dt/mote/alive' 00 04 'gone' 00 02 'me' 00 06 'secret')");
    bench_free(&b);
}

static void empty_will_payload(void **state)
{
    struct bench b;
    const struct mqtt_will will = {.topic = {MQTT_TEXT("a")}};
    const struct mqtt_config config = {.client_id = "x", .will = &will};
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "10 19 00 04 'MQTT' 05 06 00 00 05 27 00 00 04 00 00 01 'x' 00 00 01 'a' 00 00");
    bench_free(&b);
}

static void publish_qos0(void **state)
{
    struct bench b;
    const struct mqtt_publish plain = {.topic = {TEXT("a/"), TEXT("b")}, .payload = {TEXT("x"), TEXT("yz")}};
    const struct mqtt_publish retained = {.topic = {TEXT("a")}, .retain = true};
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish_size(&plain), 11);
    assert_int_equal(mqtt_publish(&b.m, &plain, b.now_ms), 0);
    bench_expect_sent(&b, "30 09 00 03 'a/b' 00 'xyz'");
    assert_int_equal(mqtt_publish(&b.m, &retained, b.now_ms), 0);
    bench_expect_sent(&b, "31 04 00 01 'a' 00");
    assert_int_equal(mqtt_statistics(&b.m)->sent, 2);
    bench_expect_idle(&b);
    bench_free(&b);
}

static void publish_properties(void **state)
{
    struct bench b;
    const struct mqtt_user_property user[] = {{TEXT("auth"), TEXT("")}, {TEXT("code"), TEXT("Ok")}};
    const struct mqtt_publish publish = {
        .topic = {TEXT("t")},
        .payload = {TEXT(""), TEXT("p")},
        .utf8 = true,
        .message_expiry_s = 30,
        .response_topic = TEXT("r"),
        .correlation = TEXT("\x01"),
        .user = user,
        .user_count = 2,
    };
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    bench_expect_sent(&b, "30 (00 01 't' (01 01 02 00 00 00 1e 08 00 01 'r' 09 00 01 01"
                          "26 00 04 'auth' 00 00 26 00 04 'code' 00 02 'Ok') 'p')");
    bench_free(&b);
}

/* Lengths of two and three bytes, of the packet and of its properties. */
static void long_lengths(void **state)
{
    static char text[20000];
    struct bench b;
    struct mqtt_publish publish = {.topic = {TEXT("t")}};
    (void)state;
    memset(text, 'x', sizeof text);
    bench_connected(&b, &bench_config);
    b.ring_size = sizeof b.ring;
    publish.payload[0] = (struct mqtt_slice){text, 124};
    publish.payload[1] = (struct mqtt_slice){text, 176};
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    assert_int_equal(b.wire_length, 3 + 304);
    assert_memory_equal(b.wire, "\x30\xb0\x02\x00\x01t\x00x", 8);
    b.wire_length = 0;
    publish.payload[1].length = 0;
    assert_int_equal(mqtt_publish_size(&publish), 131); /* 128: the first of two bytes */
    publish.payload[0].length = 123;
    assert_int_equal(mqtt_publish_size(&publish), 129);
    publish.payload[0].length = 16379;
    assert_int_equal(mqtt_publish_size(&publish), 3 + 16383);
    publish.payload[0].length = 16380;
    assert_int_equal(mqtt_publish_size(&publish), 4 + 16384);
    publish.payload[0].length = 0;
    publish.correlation = (struct mqtt_slice){text, 125};
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    assert_int_equal(b.wire_length, 3 + 133);
    assert_memory_equal(b.wire, "\x30\x85\x01\x00\x01t\x80\x01\x09\x00\x7dx", 12);
    bench_free(&b);
}

static void publish_qos1(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    bench_expect_sent(&b, "32 06 00 01 't' 00 01 00");
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 2);
    bench_expect_sent(&b, "32 06 00 01 't' 00 02 00");
    bench_feed(&b, "40 02 00 02 40 03 00 01 10");
    bench_expect_published(&b, 2, 0);
    bench_expect_published(&b, 1, 0x10);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 3);
    bench_feed(&b, "40 09 00 03 87 05 1f 00 02 'no'");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(b.event.published.reason, 0x87);
    assert_int_equal(mqtt_statistics(&b.m)->acknowledged, 2);
    assert_int_equal(mqtt_statistics(&b.m)->refused, 1);
    assert_int_equal(mqtt_statistics(&b.m)->sent, 3);
    bench_free(&b);
}

/* All ids come round without 0 and without one that is in flight. */
static void packet_ids_wrap(void **state)
{
    static bool used[65536];
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    memset(used, 0, sizeof used);
    bench_connected(&b, &bench_config);
    int kept = mqtt_publish(&b.m, &publish, b.now_ms);
    for (unsigned i = 0; i < 70000; i++) {
        int id = mqtt_publish(&b.m, &publish, b.now_ms);
        assert_in_range(id, 1, 65535);
        assert_int_not_equal(id, kept);
        assert_true(i >= 50000 || !used[id]);
        used[id] = true;
        const uint8_t puback[] = {0x40, 2, (uint8_t)(id >> 8), (uint8_t)id};
        bench_feed_bytes(&b, puback, sizeof puback);
        bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
        assert_int_equal(b.event.published.packet_id, id);
        b.wire_length = 0;
    }
    bench_free(&b);
}

static void subscribes(void **state)
{
    struct bench b;
    const struct mqtt_subscription one = {
        .filter = {TEXT("p"), TEXT("/set/"), TEXT("#")}, .qos = 1, .no_local = true};
    const struct mqtt_subscription two[] = {
        {.filter = {TEXT("a")}, .retain_as_published = true, .retain_handling = MQTT_RETAIN_SEND_IF_NEW},
        {.filter = {TEXT("b")}, .retain_handling = MQTT_RETAIN_SEND_NEVER},
    };
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_subscribe(&b.m, &one, 1, b.now_ms), 1);
    bench_expect_sent(&b, "82 0d 00 01 00 00 07 'p/set/#' 05");
    assert_int_equal(mqtt_subscribe(&b.m, two, 2, b.now_ms), 2);
    bench_expect_sent(&b, "82 0b 00 02 00 00 01 'a' 18 00 01 'b' 20");
    assert_int_equal(mqtt_unsubscribe(&b.m, two, 2, b.now_ms), 3);
    bench_expect_sent(&b, "a2 09 00 03 00 00 01 'a' 00 01 'b'");
    bench_feed(&b, "90 04 00 01 00 01 90 05 00 02 00 00 87 b0 05 00 03 00 00 11");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    assert_int_equal(b.event.subscribed.packet_id, 1);
    assert_int_equal(b.event.subscribed.reasons.length, 1);
    assert_memory_equal(b.event.subscribed.reasons.data, "\x01", 1);
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    assert_int_equal(b.event.subscribed.packet_id, 2);
    assert_int_equal(b.event.subscribed.reasons.length, 2);
    assert_memory_equal(b.event.subscribed.reasons.data, "\x00\x87", 2);
    bench_expect_event(&b, MQTT_EVENT_UNSUBSCRIBED);
    assert_int_equal(b.event.unsubscribed.packet_id, 3);
    assert_memory_equal(b.event.unsubscribed.reasons.data, "\x00\x11", 2);
    bench_expect_idle(&b);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    bench_free(&b);
}

static void receives_messages(void **state)
{
    struct bench b;
    struct mqtt_user_property user;
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "31 08 00 03 'a/b' 00 'hi' 30 04 00 01 'c' 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_true(bench_slice_is(b.event.message.topic, "a/b"));
    assert_true(bench_slice_is(b.event.message.payload, "hi"));
    assert_true(b.event.message.retain && !b.event.message.duplicate && b.event.message.qos == 0);
    assert_null(b.event.message.response_topic.data);
    assert_null(b.event.message.correlation.data);
    assert_false(mqtt_next_user_property(&b.event.message.properties, &user));
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 0);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(b.event.message.payload.length, 0);
    assert_false(b.event.message.retain);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_statistics(&b.m)->received, 2);
    bench_free(&b);
}

static void receives_properties(void **state)
{
    struct bench b;
    struct mqtt_user_property user;
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "30 (00 01 't' (26 00 01 'k' 00 01 'v' 01 01 02 00 00 00 09 03 00 01 'c' 08 00 03 'r/t'"
                   "09 00 02 00 ff 0b 80 01 0b 05 26 00 00 00 00 26 00 01 'k' 00 02 'v2' 26 00 01 '+' 00 00)"
                   "'pay')");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    const struct mqtt_message *message = &b.event.message;
    assert_true(bench_slice_is(message->payload, "pay"));
    assert_true(message->utf8);
    assert_true(bench_slice_is(message->response_topic, "r/t"));
    assert_int_equal(message->correlation.length, 2);
    assert_memory_equal(message->correlation.data, "\x00\xff", 2);
    struct mqtt_slice rest = message->properties;
    assert_true(mqtt_next_user_property(&rest, &user));
    assert_true(bench_slice_is(user.name, "k") && bench_slice_is(user.value, "v"));
    assert_true(mqtt_next_user_property(&rest, &user));
    assert_true(bench_slice_is(user.name, "") && bench_slice_is(user.value, ""));
    assert_true(mqtt_next_user_property(&rest, &user));
    assert_true(bench_slice_is(user.name, "k") && bench_slice_is(user.value, "v2"));
    assert_true(mqtt_next_user_property(&rest, &user));
    assert_false(mqtt_next_user_property(&rest, &user));
    assert_false(mqtt_next_user_property(&rest, &user));
    bench_expect_idle(&b);
    bench_free(&b);
}

static void acknowledges_after_delivery(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}};
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "3a 07 00 01 't' 12 34 00 'x' 32 07 00 01 't' 12 35 00 'y'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(b.event.message.qos, 1);
    assert_true(b.event.message.duplicate);
    assert_true(bench_slice_is(b.event.message.payload, "x"));
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_sent(&b, "30 04 00 01 't' 00 40 02 12 34");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "40 02 12 35");
    bench_free(&b);
}

static void user_disconnects(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    bench_connected(&b, &bench_config);
    assert_true(mqtt_publish(&b.m, &publish, b.now_ms) > 0);
    bench_expect_sent(&b, "32 06 00 01 't' 00 01 00");
    mqtt_disconnect(&b.m, MQTT_REASON_DISCONNECT_WITH_WILL, b.now_ms);
    bench_expect_sent(&b, "e0 01 04");
    assert_int_equal(b.closes, 1);
    assert_int_equal(b.aborts, 0);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 0);
    bench_expect_end(&b, MQTT_CAUSE_USER, 4);
    assert_int_equal(b.event.disconnected.lost, 1);
    assert_true(b.event.disconnected.established);
    assert_int_equal(b.event.disconnected.retry_ms, UINT32_MAX);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), UINT32_MAX);
    bench_expect_idle(&b);
    b.state = MQTT_TRANSPORT_CLOSED;
    b.now_ms += 1000000;
    bench_expect_idle(&b);
    assert_int_equal(b.opens, 1);
    mqtt_connect(&b.m, b.now_ms);
    bench_connect(&b, NULL);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    bench_expect_idle(&b);
    bench_free(&b);
}

/* With a message in the caller's hands. */
static void user_disconnects_in_delivery(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "32 07 00 01 't' 12 34 00 'x'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "e0 01 00");
    bench_free(&b);
}

static void server_disconnects(void **state)
{
    static const struct {
        const char *packet;
        uint8_t reason;
    } rows[] = {
        {"e0 00", 0},
        {"e0 01 8b", 0x8B},
        {"e0 02 8e 00", 0x8E},
        {"e0 11 9c 0f 1c 00 05 'other' 1f 00 04 'busy'", 0x9C},
    };
    struct bench b;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_connected(&b, &bench_config);
        bench_feed(&b, rows[i].packet);
        b.state = MQTT_TRANSPORT_ENDING;
        bench_expect_end(&b, MQTT_CAUSE_SERVER, rows[i].reason);
        bench_expect_sent(&b, "");
        bench_next_attempt(&b);
        bench_free(&b);
    }
    for (unsigned reason = 0; reason < 256; reason++) {
        const uint8_t packet[] = {0xE0, 1, (uint8_t)reason};
        bench_connected(&b, &bench_config);
        bench_feed_bytes(&b, packet, sizeof packet);
        bench_expect_end(&b, MQTT_CAUSE_SERVER, (uint8_t)reason);
        bench_free(&b);
    }
}

static void limits_are_obeyed(void **state)
{
    struct bench b;
    struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (21 00 02 24 01 25 00 27 00 00 00 0a 22 00 05))");
    assert_int_equal(mqtt_room(&b.m), 10);
    assert_int_equal(mqtt_quota(&b.m), 2);
    publish.payload[0] = TEXT("abc"); /* 11 bytes */
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_TOO_LARGE);
    publish.payload[0] = TEXT("ab");
    assert_true(mqtt_publish(&b.m, &publish, b.now_ms) > 0);
    publish.retain = true;
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_RETAIN);
    publish.retain = false;
    int second = mqtt_publish(&b.m, &publish, b.now_ms);
    assert_true(second > 0);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_INFLIGHT);
    assert_int_equal(mqtt_quota(&b.m), 0);
    publish.qos = 0;
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    publish.qos = 2;
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_QOS);
    bench_feed(&b, "40 02 00 02");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(mqtt_quota(&b.m), 1);
    publish.qos = 1;
    assert_true(mqtt_publish(&b.m, &publish, b.now_ms) > 0);
    const struct mqtt_subscription too_long = {.filter = {TEXT("abcdef")}};
    assert_int_equal(mqtt_subscribe(&b.m, &too_long, 1, b.now_ms), MQTT_ERROR_TOO_LARGE);
    bench_free(&b);

    bench_init(&b, &bench_config);
    bench_connect(&b, "20 05 00 00 02 24 00");
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_QOS);
    bench_free(&b);
}

/* All that a CONNACK may carry; the next session starts with the defaults again. */
static void connack_with_everything(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1, .retain = true};
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (11 00 00 00 00 21 ff ff 24 00 25 00 27 ff ff ff ff 12 00 03 'you'"
                      "22 00 0a 1f 00 02 'hi' 26 00 01 'k' 00 01 'v' 26 00 01 'k' 00 01 'v' 28 00 29 00 2a 00"
                      "13 00 0a 1a 00 02 'rr' 1c 00 02 'sr'))");
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_QOS);
    assert_int_equal(mqtt_room(&b.m), 512 - 9);
    bench_cut(&b);
    bench_feed(&b, "20 03 00 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_true(mqtt_publish(&b.m, &publish, b.now_ms) > 0);
    bench_free(&b);
}

static void inflight_table_is_bounded(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    (void)state;
    bench_connected(&b, &bench_config);
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++) {
        assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX - i);
        assert_true(mqtt_publish(&b.m, &publish, b.now_ms) > 0);
    }
    b.wire_length = 0;
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_INFLIGHT);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_INFLIGHT);
    bench_expect_sent(&b, "");
    b.state = MQTT_TRANSPORT_ENDING;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    assert_int_equal(b.event.disconnected.lost, MQTT_INFLIGHT_MAX);
    assert_int_equal(mqtt_statistics(&b.m)->lost, MQTT_INFLIGHT_MAX);
    bench_free(&b);
}

static void arguments_are_checked(void **state)
{
    static char huge[65536];
    struct bench b;
    struct mqtt_publish publish = {.payload = {TEXT("x")}};
    struct mqtt_subscription s = {.qos = 1};
    (void)state;
    memset(huge, 'x', sizeof huge);
    bench_init(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
    assert_int_equal(mqtt_room(&b.m), 0);
    assert_int_equal(mqtt_quota(&b.m), 0);
    bench_connect(&b, NULL);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 0, b.now_ms), MQTT_ERROR_ARGUMENT);
    s.filter[1] = TEXT("x");
    s.qos = 2;
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_ARGUMENT);
    s.qos = 0;
    s.filter[2] = (struct mqtt_slice){huge, sizeof huge - 1};
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_ARGUMENT);
    publish.topic[0] = (struct mqtt_slice){huge, sizeof huge};
    assert_int_equal(mqtt_publish_size(&publish), SIZE_MAX);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), MQTT_ERROR_ARGUMENT);
    publish.topic[0].length = 65535;
    assert_int_equal(mqtt_publish_size(&publish), 65535 + 2 + 1 + 1 + 4);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms),
                     MQTT_KNOWS_CAPACITY ? MQTT_ERROR_TOO_LARGE : MQTT_ERROR_FULL);
    publish.correlation = (struct mqtt_slice){huge, sizeof huge};
    assert_int_equal(mqtt_publish_size(&publish), SIZE_MAX);
    publish.correlation = TEXT("");
    publish.payload[0].length = 268435455;
    assert_int_equal(mqtt_publish_size(&publish), SIZE_MAX);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

/* 2.2.1: near the end of the numbers, where 0 is passed over, too. */
static void the_one_free_id_is_found(void **state)
{
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1};
    struct bench b;
    (void)state;
    for (uint32_t last = 65536 - 2 * MQTT_INFLIGHT_MAX; last <= 65535; last++) {
        for (uint32_t free_slot = 0; free_slot < MQTT_INFLIGHT_MAX; free_slot++) {
            bench_connected(&b, &bench_config);
            b.m.last_id = (uint16_t)last;
            for (uint32_t i = 0; i < MQTT_INFLIGHT_MAX; i++)
                b.m.inflight[i].awaits = i == free_slot ? 0 : 4;
            assert_int_equal(mqtt_quota(&b.m), 1);
            assert_int_equal((uint32_t)mqtt_publish(&b.m, &p, b.now_ms) % MQTT_INFLIGHT_MAX, free_slot);
            bench_free(&b);
        }
    }
}

/* So that the table of the subscriptions serves for both. */
static void unsubscribe_heeds_filters_alone(void **state)
{
    const struct mqtt_subscription s = {
        .filter = {TEXT("u")}, .qos = 3, .retain_handling = 3, .no_local = true};
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 1);
    bench_expect_sent(&b, "a2 (00 01 00 00 01 'u')");
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsubscribe_heeds_filters_alone),
        cmocka_unit_test(the_one_free_id_is_found),
        cmocka_unit_test(connect_is_minimal),
        cmocka_unit_test(connect_has_all),
        cmocka_unit_test(empty_will_payload),
        cmocka_unit_test(publish_qos0),
        cmocka_unit_test(publish_properties),
        cmocka_unit_test(long_lengths),
        cmocka_unit_test(publish_qos1),
        cmocka_unit_test(packet_ids_wrap),
        cmocka_unit_test(subscribes),
        cmocka_unit_test(receives_messages),
        cmocka_unit_test(receives_properties),
        cmocka_unit_test(acknowledges_after_delivery),
        cmocka_unit_test(user_disconnects),
        cmocka_unit_test(user_disconnects_in_delivery),
        cmocka_unit_test(server_disconnects),
        cmocka_unit_test(limits_are_obeyed),
        cmocka_unit_test(connack_with_everything),
        cmocka_unit_test(inflight_table_is_bounded),
        cmocka_unit_test(arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
