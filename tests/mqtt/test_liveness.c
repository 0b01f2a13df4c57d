/* Who comes to his turn when the other never stops, and who counts as silent. */
#include "bench.h"

#include <string.h>

#define MESSAGE "30 04 00 01 't' 00"

/* The user takes 100 ms for each message, and there are always more. */
static void busy(struct bench *b, uint32_t ms)
{
    for (uint32_t passed = 0; passed < ms; passed += 100, b->now_ms += 100) {
        while (b->rx_length < 500)
            bench_feed(b, MESSAGE);
        bench_expect_event(b, MQTT_EVENT_MESSAGE);
    }
}

/* MQTT-3.1.2-20 holds for one who is busy receiving, too. */
static void pings_while_messages_come(void **state)
{
    static const struct mqtt_config config = {.client_id = "mote", .keep_alive_s = 10};
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    busy(&b, 8700);
    bench_expect_sent(&b, "");
    busy(&b, 200);
    bench_expect_sent(&b, "c0 00");
    bench_free(&b);
}

/* The answer is behind them. */
static void talking_is_no_silence(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    for (unsigned i = 0; i < 300; i++) {
        b.now_ms += 1000;
        bench_feed(&b, MESSAGE);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        bench_expect_idle(&b);
    }
    bench_expect_sent(&b, "c0 00"); /* one, until it is answered */
    b.now_ms += 29999;
    bench_expect_idle(&b);
    b.now_ms += 1;
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, MQTT_REASON_KEEP_ALIVE_TIMEOUT);
    bench_free(&b);
}

/* A whole message of 1003 bytes, one each second; then no more of the next. */
static void slowly_is_no_silence(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "30 e8 07 00 01 't' 00");
    for (unsigned i = 0; i < 995; i++) {
        b.now_ms += 1000;
        bench_feed(&b, "'x'");
        bench_expect_idle(&b);
    }
    bench_feed(&b, "'x'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(b.event.message.payload.length, 996);
    bench_feed(&b, "30 e8 07 00 01 't' 00");
    bench_expect_idle(&b);
    b.now_ms += 82500;
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, MQTT_REASON_KEEP_ALIVE_TIMEOUT);
    bench_free(&b);
}

#if MQTT_WITH_STREAMING
static int give(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    (void)offset;
    memset(to, 'x', length);
    return (int)length;
}

static void payloads_go_out_while_messages_come(void **state)
{
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .source = give, .source_length = BENCH_BUFFER + 1};
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    for (unsigned i = 0; i < 64 && b.event.type != MQTT_EVENT_PUBLISHED; i++) {
        while (b.rx_length < 500)
            bench_feed(&b, MESSAGE);
        assert_true(bench_poll(&b));
    }
    assert_int_equal(b.event.type, MQTT_EVENT_PUBLISHED);
    bench_free(&b);
}
#endif

#if MQTT_WITH_SESSIONS
static void sessions_go_on_while_messages_come(void **state)
{
    static struct mqtt_subscription wanted = {.filter = {TEXT("s")}, .qos = 1};
    static struct mqtt_filters standing = {.subscriptions = &wanted, .count = 1};
    struct mqtt_config config = bench_session();
    struct bench b;
    (void)state;
    config.subscriptions = &standing;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    b.wire_length = 0;
    bench_feed(&b, "20 03 00 00 00");
    for (unsigned i = 0; i < 100; i++)
        bench_feed(&b, MESSAGE);
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    for (unsigned i = 0; i < 16; i++)
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_sent(&b, "82 07 00 01 00 00 01 's' 01");
    bench_free(&b);
}
#endif

#if MQTT_WITH_STREAMING && MQTT_WITH_QOS2
/* Its beginning is nothing for the user, but what lies behind it is to be read. */
static void a_repetition_is_read_on(void **state)
{
    struct mqtt_config config = bench_config;
    struct bench b;
    (void)state;
    config.qos2 = true;
    config.maximum_packet_size = 100000;
    bench_connected(&b, &config);
    for (unsigned i = 0; i < 2; i++) {
        bench_feed(&b, i == 0 ? "34 a6 9c 01 00 01 't' 00 07 00" : "3c a6 9c 01 00 01 't' 00 07 00");
        for (uint32_t sent = 0; sent < 20000; sent += 500) {
            static const uint8_t some[500];
            bench_feed_bytes(&b, some, sizeof some);
            if (sent % 1000 == 0)
                continue; /* the head and a part at once */
            while (bench_poll(&b)) {
            }
            assert_int_equal(b.rx_length, 0);
        }
    }
    bench_expect_sent(&b, "50 02 00 07 50 02 00 07");
    bench_free(&b);
}
#endif

#if MQTT_WITH_STREAMING
/* Of a message that comes in parts, whose topic alone takes 200 s. */
static void slow_beginnings_are_no_silence(void **state)
{
    struct mqtt_config config = bench_config;
    struct bench b;
    (void)state;
    config.maximum_packet_size = 100000;
    bench_connected(&b, &config);
    bench_feed(&b, "30 88 27 00 c8");
    for (unsigned i = 0; i < 200; i++) {
        b.now_ms += 1000;
        bench_feed(&b, "'t'");
        bench_expect_idle(&b);
    }
    bench_feed(&b, "00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
    bench_free(&b);
}
#endif

int main(void)
{
    static const struct CMUnitTest tests[] = {
#if MQTT_WITH_STREAMING
        cmocka_unit_test(slow_beginnings_are_no_silence),
#endif
#if MQTT_WITH_STREAMING && MQTT_WITH_QOS2
        cmocka_unit_test(a_repetition_is_read_on),
#endif
        cmocka_unit_test(pings_while_messages_come),
        cmocka_unit_test(talking_is_no_silence),
        cmocka_unit_test(slowly_is_no_silence),
#if MQTT_WITH_STREAMING
        cmocka_unit_test(payloads_go_out_while_messages_come),
#endif
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(sessions_go_on_while_messages_come),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
