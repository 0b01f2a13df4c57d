/* What the simulation has found (tests/integration), each case by itself. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_SESSIONS

static struct mqtt_config config;

static int configure(void **state)
{
    (void)state;
    config = bench_session();
#if MQTT_WITH_STREAMING
    config.maximum_packet_size = 100000;
#endif
    return 0;
}

#if MQTT_WITH_QOS2
static const struct mqtt_publish publish_1 = {.topic = {MQTT_TEXT("t")}, .qos = 1};
static const struct mqtt_publish publish_2 = {.topic = {MQTT_TEXT("t")}, .qos = 2};

/* PUBCOMP was lost, and PUBREL goes again: that the broker does not know it any more is no refusal (3.7.2.1).
 */
static void pubcomp_takes_nothing_back(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), 1);
    bench_feed(&b, "50 02 00 01");
    bench_expect_idle(&b);
    bench_back(&b, "20 03 01 00 00");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 01");
    bench_feed(&b, "70 03 00 01 92");
    bench_expect_published(&b, 1, 0);
    assert_int_equal(mqtt_statistics(&b.m)->acknowledged, 1);
    assert_int_equal(mqtt_statistics(&b.m)->refused, 0);
    bench_free(&b);
}

/* The broker has lost the session, and the connection ends before all is dealt with: QoS 2 stays given up. */
static void given_up_for_good(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &publish_1, b.now_ms), 1);
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), 2);
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), 3);
    bench_feed(&b, "50 02 00 03");
    bench_expect_idle(&b);
    bench_back(&b, "20 03 00 00 00");
    bench_back(&b, "20 03 01 00 00");
    for (unsigned settled = 0; settled < 2; settled++) {
        bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
        assert_int_equal(b.event.published.reason, MQTT_REASON_PACKET_ID_NOT_FOUND);
        assert_in_range(b.event.published.packet_id, 2, 3);
    }
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a 06 00 01 't' 00 01 00");
    bench_feed(&b, "40 02 00 01");
    bench_expect_published(&b, 1, 0);
    assert_int_equal(bench_store.used, 0);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    bench_free(&b);
}
#endif

#if MQTT_WITH_V311
/* Likewise what is of another version: it would be no packet of this one. */
static void other_version_is_given_up_for_good(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    config.resume = true;
    config.fall_back = true;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    bench_feed(&b, "e0 01 8b");
    bench_expect_end(&b, MQTT_CAUSE_SERVER, 0x8B);
    bench_next_attempt(&b);
    bench_feed(&b, "20 02 00 01");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_UNSUPPORTED_VERSION);
    bench_next_attempt(&b);
    bench_accept(&b, "20 02 00 00");
    bench_back(&b, "20 02 01 00");
    bench_expect_published(&b, 1, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}
#endif

#if MQTT_WITH_STREAMING
static int give(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    (void)offset;
    memset(to, 'x', length);
    return (int)length;
}

/* Cut in its midst, QoS 0 is lost: the next one has its turn. */
static void source_of_qos0_ends_with_the_connection(void **state)
{
    struct bench b;
    struct mqtt_publish publish = {.topic = {TEXT("t")}, .source = give, .source_length = 2000};
    (void)state;
    bench_connected(&b, &config);
    b.hold = true;
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    bench_expect_idle(&b);
    b.ring_used = 0;
    b.hold = false;
    bench_back(&b, "20 03 01 00 00");
    publish.source_length = 3;
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
    bench_expect_published(&b, 0, 0);
    bench_expect_sent(&b, "30 07 00 01 't' 00 'xxx'");
    bench_free(&b);
}

#if MQTT_WITH_QOS2
/* The broker's session is lost, and the message with it: nothing of it goes over again. */
static void source_is_given_up_with_its_session(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .source = give, .source_length = 3, .qos = 2};
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    bench_expect_idle(&b);
    bench_back(&b, "20 03 00 00 00");
    bench_expect_published(&b, 1, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 2);
    bench_free(&b);
}

/* After a reset the message is lost, but the broker may know its id still: it is not used again at once. */
static void id_of_a_lost_source_is_not_used_again(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .source = give, .source_length = 3, .qos = 2};
    (void)state;
    config.resume = true;
    bench_init(&b, &config);
    bench_connect(&b, "20 03 00 00 00");
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), 1);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 2);
    bench_expect_idle(&b);
    bench_feed(&b, "50 02 00 01"); /* its PUBREL is the last record now */
    bench_expect_idle(&b);
    bench_free(&b);
    bench_init(&b, &config);
    bench_connect(&b, "20 03 01 00 00");
    bench_expect_sent(&b, "62 02 00 01");
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), 3);
    bench_free(&b);
}
#endif

/* PINGRESP waits behind a large message, whose parts show that the broker lives. */
static void parts_are_a_sign_of_life(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    bench_feed(&b, "30 e4 8f 03 00 01 't' 00"); /* 51 172 bytes */
    b.now_ms += 52400;
    for (unsigned i = 0; i < 50; i++) {
        static const uint8_t bytes[1024];
        bench_feed_bytes(&b, bytes, i < 49 ? 1024 : 51172 - 4 - 49 * 1024);
        while (bench_poll(&b))
            assert_int_not_equal(b.event.type, MQTT_EVENT_DISCONNECTED);
        b.now_ms += 5000;
    }
    assert_true(mqtt_is_connected(&b.m));
    assert_int_equal(b.event.part.offset + b.event.part.data.length, b.event.part.total);
    bench_free(&b);
}
#endif

#endif

int main(void)
{
#if MQTT_WITH_SESSIONS
#define TEST(name) cmocka_unit_test_setup(name, configure)
    const struct CMUnitTest tests[] = {
#if MQTT_WITH_QOS2
        TEST(pubcomp_takes_nothing_back),
        TEST(given_up_for_good),
#endif
#if MQTT_WITH_V311
        TEST(other_version_is_given_up_for_good),
#endif
#if MQTT_WITH_STREAMING
        TEST(source_of_qos0_ends_with_the_connection),
#if MQTT_WITH_QOS2
        TEST(source_is_given_up_with_its_session),
        TEST(id_of_a_lost_source_is_not_used_again),
#endif
        TEST(parts_are_a_sign_of_life),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
