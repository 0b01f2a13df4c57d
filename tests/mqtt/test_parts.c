/* Messages in parts, where connections, answers and sources end at the wrong moment. */
#include "bench.h"

#include <string.h>

#include "mqtt/router.h"

#if MQTT_WITH_STREAMING && MQTT_WITH_SESSIONS && MQTT_WITH_QOS2

static struct mqtt_config config;

static int configure(void **state)
{
    (void)state;
    config = bench_session();
    config.maximum_packet_size = 1 << 20;
    return 0;
}

/* ---- Received ---- */

enum { LARGE = 2000 };

/* The head of a PUBLISH of topic "t", id 7 if its QoS has one, and LARGE bytes of payload. */
static void feed_head(struct bench *b, uint8_t head)
{
    bool has_id = (head & 6) != 0;
    size_t remaining = 4 + (has_id ? 2 : 0) + LARGE;
    const uint8_t bytes[] = {head, (uint8_t)(remaining | 0x80), (uint8_t)(remaining >> 7)};
    bench_feed_bytes(b, bytes, sizeof bytes);
    bench_feed(b, has_id ? "00 01 't' 00 07 00" : "00 01 't' 00");
}

static void feed_payload(struct bench *b, size_t length)
{
    static const uint8_t zeros[LARGE];
    bench_feed_bytes(b, zeros, length);
}

/* Takes what comes of the payload, which has all come; false: nothing was for the user. */
static bool take_parts(struct bench *b, size_t length)
{
    size_t got = 0;
    while (b->rx_length > 0 && bench_poll(b)) {
        assert_int_equal(b->event.type, MQTT_EVENT_MESSAGE_PART);
        assert_int_equal(b->event.part.offset, got);
        assert_int_equal(b->event.part.total, LARGE);
        got += b->event.part.data.length;
    }
    assert_true(got == 0 || got == length);
    return got > 0;
}

/* Of QoS 0 there is no answer that would need room. */
static void qos0_needs_no_room(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    b.hold = true;
    b.ring_used = b.ring_size;
    feed_head(&b, 0x30);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
    feed_payload(&b, LARGE);
    assert_true(take_parts(&b, LARGE));
    bench_expect_idle(&b);
    assert_int_equal(b.rx_length, 0);
    bench_free(&b);
}

/* MQTT-4.3.3-10, -12: sent again in parts it is dropped, and its id is free again after PUBREL. */
static void duplicate_in_parts(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    for (unsigned i = 0; i < 2; i++) {
        feed_head(&b, 0x34);
        feed_payload(&b, LARGE);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
        assert_true(take_parts(&b, LARGE));
        bench_expect_idle(&b);
        bench_expect_sent(&b, "50 02 00 07");
        feed_head(&b, 0x3c);
        feed_payload(&b, LARGE);
        assert_false(take_parts(&b, LARGE));
        bench_expect_idle(&b);
        bench_expect_sent(&b, "50 02 00 07");
        bench_feed(&b, "62 02 00 07");
        bench_expect_idle(&b);
        bench_expect_sent(&b, "70 02 00 07");
    }
    bench_feed(&b, "62 02 00 07");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 03 00 07 92");
    bench_free(&b);
}

/* A payload that takes minutes is a sign of life. */
static void parts_are_signs_of_life(void **state)
{
    struct bench b;
    unsigned pings = 0;
    (void)state;
    bench_connected(&b, &config);
    feed_head(&b, 0x30);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
    for (unsigned second = 1; second <= 300; second++) {
        b.now_ms += 1000;
        feed_payload(&b, 1);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
        bench_expect_idle(&b);
        pings += b.wire_length > 0;
        if (b.wire_length > 0)
            bench_expect_sent(&b, "c0 00");
    }
    assert_in_range(pings, 4, 6);
    bench_free(&b);
}

/* Not before the last part. */
static void acknowledged_after_the_last_part(void **state)
{
    struct bench b;
    const struct mqtt_closure closure = {.reason = 0x10};
    (void)state;
    bench_connected(&b, &config);
    feed_head(&b, 0x32);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
    assert_true(mqtt_acknowledge(&b.m, &closure, b.now_ms) < 0);
    feed_payload(&b, 1000);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
    assert_true(mqtt_acknowledge(&b.m, &closure, b.now_ms) < 0);
    bench_expect_sent(&b, "");
    feed_payload(&b, 1000);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
    assert_int_equal(mqtt_acknowledge(&b.m, &closure, b.now_ms), 0);
    bench_expect_sent(&b, "40 (00 07 10 00)");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

/* ---- Routed ---- */

static unsigned handled;

static void handle(void *context, const struct mqtt_event *event, const struct mqtt_captures *captures)
{
    (void)context;
    (void)event;
    (void)captures;
    handled++;
}

/* The connection's end is told once to the route whose message was cut off, and never again. */
static void cut_off_once(void **state)
{
    static const struct mqtt_route routes[] = {{.filter = "t", .handle = handle}};
    struct mqtt_router router = {.routes = routes, .count = 1};
    struct mqtt_event event = {.type = MQTT_EVENT_MESSAGE_BEGIN, .message = {.topic = TEXT("t"), .total = 9}};
    (void)state;
    handled = 0;
    assert_true(mqtt_router_dispatch(&router, &event));
    memset(&event, 0x11, sizeof event); /* what is of other events says nothing */
    event.type = MQTT_EVENT_DISCONNECTED;
    event.disconnected = (struct mqtt_disconnected){.cause = MQTT_CAUSE_TRANSPORT, .retry_ms = 1000};
    assert_false(mqtt_router_dispatch(&router, &event));
    assert_int_equal(handled, 2);
    assert_false(mqtt_router_dispatch(&router, &event));
    event = (struct mqtt_event){.type = MQTT_EVENT_MESSAGE_PART, .part = {.data = TEXT("x"), .total = 9}};
    assert_false(mqtt_router_dispatch(&router, &event));
    assert_int_equal(handled, 2);
}

/* ---- Sent ---- */

static struct {
    int now;   /* bytes that it has now; negative: no more; above what is asked for: it is broken */
    int later; /* the same, from the second call on */
    unsigned calls;
} source;

static int give(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    (void)offset;
    int has = source.calls++ == 0 ? source.now : source.later;
    int given = has > (int)length && has != 9999 ? (int)length : has;
    if (has >= 0)
        memset(to, 'x', (size_t)given < length ? (size_t)given : length);
    return given;
}

static void publish_source(struct bench *b, unsigned qos, int id, int now, int later)
{
    const struct mqtt_publish p = {
        .topic = {TEXT("t")}, .qos = (uint8_t)qos, .source = give, .source_length = 100};
    source.calls = 0;
    source.now = now;
    source.later = later;
    assert_int_equal(mqtt_publish(&b->m, &p, b->now_ms), id);
}

/* MQTT-3.2.2-15: its payload counts, though it is not in the store. */
static void too_large_for_the_next_broker(void **state)
{
    struct bench b;
    (void)state;
    for (unsigned maximum = 107; maximum <= 108; maximum++) {
        configure(NULL);
        bench_connected(&b, &config);
        publish_source(&b, 1, 1, 100, 0);
        bench_expect_idle(&b);
        assert_int_equal(b.wire_length, 108);
        source.calls = 0;
        bench_back(&b, maximum == 107 ? "20 (01 00 (27 00 00 00 6b))" : "20 (01 00 (27 00 00 00 6c))");
        if (maximum == 107) {
            bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
            assert_int_equal(b.event.published.reason, MQTT_REASON_PACKET_TOO_LARGE);
        }
        bench_expect_idle(&b); /* its head */
        bench_expect_idle(&b);
        assert_int_equal(b.wire_length, maximum == 107 ? 0 : 108);
        bench_free(&b);
    }
}

/* The broker has lost the session: QoS 2 is given up, its payload as well. */
static void session_lost_of_qos2(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish_source(&b, 2, 1, 100, 0);
    bench_expect_idle(&b);
    source.calls = 0;
    bench_back(&b, "20 03 00 00 00");
    bench_expect_published(&b, 1, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(source.calls, 0);
    publish_source(&b, 2, 2, 100, 0); /* the place of the source is free */
    bench_free(&b);
}

/* A source that gives up, at once, in the second span, or by giving more than there is room for: the
 * connection ends, and the message with it. */
static void source_gives_up(void **state)
{
    static const struct {
        int now, later;
    } cases[] = {{-1, -1}, {20, -1}, {9999, 9999}, {20, 9999}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        struct mqtt_record record;
        configure(NULL);
        bench_init(&b, &config);
        bench_connect(&b, NULL);
        b.ring_head = b.ring_size - 8 - 20; /* head, then 20 bytes up to where the ring wraps */
        publish_source(&b, 1, 1, cases[i].now, cases[i].later);
        bench_expect_end(&b, MQTT_CAUSE_USER, MQTT_REASON_UNSPECIFIED);
        assert_int_equal(mqtt_statistics(&b.m)->lost, 1);
        assert_false(bench_store.store.at(bench_store.store.context, 0, &record));
        mqtt_connect(&b.m, b.now_ms);
        bench_next_attempt(&b);
        bench_accept(&b, "20 03 01 00 00");
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
        bench_free(&b);
    }
}

static int give_all(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    (void)offset;
    memset(to, 'x', length);
    return (int)length;
}

/* The network takes all at once, as a socket's does: nothing else will wake us to send the rest. */
static void all_that_there_is_room_for(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .source = give_all, .source_length = LARGE};
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(b.wire_length, LARGE + 7);
    bench_free(&b);
}

#if MQTT_WITH_ACK_TIMEOUT
/* The broker's time begins when it has the payload. */
static void acknowledgement_is_awaited_from_the_end(void **state)
{
    struct bench b;
    (void)state;
    config.ack_timeout_ms = 1000;
    bench_connected(&b, &config);
    publish_source(&b, 1, 1, 40, 0);
    for (unsigned i = 0; i < 5; i++) {
        b.now_ms += 900;
        bench_expect_idle(&b);
        assert_true(mqtt_is_connected(&b.m));
    }
    source.later = 100;
    bench_expect_idle(&b);
    assert_int_equal(b.wire_length, 108);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 1000);
    b.now_ms += 999;
    bench_expect_idle(&b);
    b.now_ms += 1;
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    bench_free(&b);
}
#endif

#endif

int main(void)
{
#if MQTT_WITH_STREAMING && MQTT_WITH_SESSIONS && MQTT_WITH_QOS2
#define TEST(name) cmocka_unit_test_setup(name, configure)
    const struct CMUnitTest tests[] = {
        TEST(qos0_needs_no_room),
        TEST(duplicate_in_parts),
        TEST(parts_are_signs_of_life),
        TEST(acknowledged_after_the_last_part),
        TEST(cut_off_once),
        TEST(too_large_for_the_next_broker),
        TEST(session_lost_of_qos2),
        TEST(source_gives_up),
        TEST(all_that_there_is_room_for),
#if MQTT_WITH_ACK_TIMEOUT
        TEST(acknowledgement_is_awaited_from_the_end),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
