/* QoS 2 in both directions, where it is compiled in and configured; that it is refused, where not. */
#include "bench.h"

#include <string.h>

static const struct mqtt_publish publish_2 = {.topic = {MQTT_TEXT("t")}, .qos = 2};

static void refused_unless_configured(void **state)
{
    struct bench b;
    const struct mqtt_subscription s = {.filter = {TEXT("t")}, .qos = 2};
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), MQTT_ERROR_QOS);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), MQTT_ERROR_ARGUMENT);
    bench_expect_sent(&b, "");
    bench_feed(&b, "34 06 00 01 't' 00 01 00");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, MQTT_REASON_QOS_NOT_SUPPORTED);
    bench_expect_sent(&b, "e0 01 9b");
    bench_free(&b);
}

#if MQTT_WITH_QOS2

static const struct mqtt_config config = {.client_id = "mote", .keep_alive_s = 60, .qos2 = true};

static void connect_announces_the_receive_maximum(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "10 19 00 04 'MQTT' 05 02 00 3c 08 21 00 08 27 00 00 04 00 00 04 'mote'");
    bench_free(&b);
}

static void publish(struct bench *b, int packet_id)
{
    assert_int_equal(mqtt_publish(&b->m, &publish_2, b->now_ms), packet_id);
    b->wire_length = 0;
}

static void published_in_two_steps(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &publish_2, b.now_ms), 1);
    bench_expect_sent(&b, "34 06 00 01 't' 00 01 00");
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX - 1);
    bench_feed(&b, "50 03 00 01 10");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 01");
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX - 1);
    bench_feed(&b, "70 02 00 01");
    bench_expect_published(&b, 1, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    assert_int_equal(mqtt_statistics(&b.m)->acknowledged, 1);
    bench_free(&b);
}

/* MQTT-4.3.3-4: PUBREL only after a PUBREC with a reason below 0x80; with another, the id is free again. */
static void refused_by_pubrec(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1);
    bench_feed(&b, "50 03 00 01 97");
    bench_expect_published(&b, 1, 0x97);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    assert_int_equal(mqtt_statistics(&b.m)->refused, 1);
    bench_free(&b);
}

static void steps_out_of_order(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1);
    bench_feed(&b, "40 02 00 01 70 02 00 01"); /* of QoS 1, and too early */
    bench_expect_idle(&b);
    assert_int_equal(mqtt_statistics(&b.m)->unknown_acks, 2);
    bench_feed(&b, "50 02 00 01 50 02 00 01");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 01 62 02 00 01");
    bench_feed(&b, "50 02 00 02");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 03 00 02 92");
    assert_int_equal(mqtt_statistics(&b.m)->unknown_acks, 3);
    bench_feed(&b, "70 03 00 01 92");
    bench_expect_published(&b, 1, 0); /* PUBREC has said that the broker has it */
    bench_feed(&b, "70 02 00 01");
    bench_expect_idle(&b);
    assert_int_equal(mqtt_statistics(&b.m)->unknown_acks, 4);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

static void expect_message(struct bench *b, const char *payload)
{
    bench_expect_event(b, MQTT_EVENT_MESSAGE);
    assert_int_equal(b->event.message.qos, 2);
    assert_true(bench_slice_is(b->event.message.payload, payload));
}

/* MQTT-4.3.3-8 to MQTT-4.3.3-12 */
static void delivered_once(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    bench_feed(&b, "34 07 00 01 't' 12 34 00 'x'");
    expect_message(&b, "x");
    bench_expect_sent(&b, "");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "50 02 12 34");
    bench_feed(&b, "3c 07 00 01 't' 12 34 00 'x'");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "50 02 12 34");
    assert_int_equal(mqtt_statistics(&b.m)->duplicates, 1);
    assert_int_equal(mqtt_statistics(&b.m)->received, 1);
    bench_feed(&b, "62 02 12 34");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 02 12 34");
    bench_feed(&b, "62 02 12 34");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 03 12 34 92");
    bench_feed(&b, "34 07 00 01 't' 12 34 00 'y'"); /* the id again, for another message */
    expect_message(&b, "y");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "50 02 12 34");
    bench_free(&b);
}

/* MQTT-3.3.4-9: as many as announced, and not one more. */
static void receive_maximum(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    for (unsigned id = 1; id <= MQTT_RECEIVE_MAX + 1; id++) {
        const uint8_t bytes[] = {0x34, 6, 0, 1, 't', 0, (uint8_t)id, 0};
        bench_feed_bytes(&b, bytes, sizeof bytes);
        if (id <= MQTT_RECEIVE_MAX)
            expect_message(&b, "");
    }
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, MQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED);
    bench_free(&b);

    bench_connected(&b, &config);
    for (unsigned id = 1; id <= 3 * MQTT_RECEIVE_MAX; id++) {
        const uint8_t bytes[] = {0x34, 6, 0, 1, 't', 0, (uint8_t)id, 0, 0x62, 2, 0, (uint8_t)id};
        bench_feed_bytes(&b, bytes, sizeof bytes);
        expect_message(&b, "");
    }
    bench_expect_idle(&b);
    bench_free(&b);
}

static void wrong_steps(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t reason;
    } rows[] = {
        {"60 02 00 01", 0x81}, /* flags: MQTT-3.6.1-1 */
        {"52 02 00 01", 0x81},
        {"72 02 00 01", 0x81},
        {"50 01 00", 0x81},
        {"50 02 00 00", 0x82},
        {"62 02 00 00", 0x82},
        {"70 02 00 00", 0x82},
        {"50 03 00 01 01", 0x82},
        {"62 03 00 01 10", 0x82},
        {"70 03 00 01 10", 0x82},
        {"50 05 00 01 00 00 00", 0x81},
        {"62 (00 01 00 (23 00 01))", 0x81},
        {"34 06 00 01 't' 00 00 00", 0x82},
        {"34 05 00 01 't' 00 01", 0x81},
        {"36 06 00 01 't' 00 01 00", 0x81},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        bench_connected(&b, &config);
        bench_feed(&b, rows[i].bytes);
        bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, rows[i].reason);
        bench_free(&b);
    }
}

static void granted(void **state)
{
    struct bench b;
    const struct mqtt_subscription s = {.filter = {TEXT("t")}, .qos = 2};
    static const char *const good[] = {"90 04 00 01 00 02", "90 04 00 01 00 01", "90 04 00 01 00 00"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        bench_connected(&b, &config);
        assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 1);
        bench_expect_sent(&b, "82 07 00 01 00 00 01 't' 02");
        bench_feed(&b, good[i]);
        bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
        bench_free(&b);
    }
    bench_connected(&b, &config);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 1);
    bench_feed(&b, "90 04 00 01 00 03");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, MQTT_REASON_PROTOCOL_ERROR);
    bench_free(&b);
}

/* A session starts clean: what was in flight is lost, and an id means another message. */
static void forgotten_at_the_end(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    publish(&b, 1);
    publish(&b, 2);
    bench_feed(&b, "50 02 00 02 34 07 00 01 't' 12 34 00 'x'");
    expect_message(&b, "x");
    b.state = MQTT_TRANSPORT_ENDING;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    assert_int_equal(b.event.disconnected.lost, 2);
    bench_next_attempt(&b);
    bench_feed(&b, "20 03 00 00 00 34 07 00 01 't' 12 34 00 'y'");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    expect_message(&b, "y");
    bench_free(&b);
}

/* Each answer has its room before its cause is dealt with. */
static void answers_wait_for_room(void **state)
{
    static const struct {
        const char *bytes, *answer;
        bool is_message;
    } rows[] = {
        {"34 06 00 01 't' 00 05 00", "50 02 00 05", true},
        {"62 02 00 05", "70 03 00 05 92", false},
        {"50 02 00 07", "62 03 00 07 92", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t room = 0; room < 5; room++) {
            struct bench b;
            bench_connected(&b, &config);
            b.hold = true;
            b.ring_used = b.ring_size - room;
            bench_feed(&b, rows[i].bytes);
            bench_expect_idle(&b);
            assert_int_equal(b.ring_used, b.ring_size - room);
            b.ring_used = 0;
            b.hold = false;
            if (rows[i].is_message)
                bench_expect_event(&b, MQTT_EVENT_MESSAGE);
            bench_expect_idle(&b);
            bench_expect_sent(&b, rows[i].answer);
            bench_free(&b);
        }
    }
}

static const char *const script[] = {
    "20 03 00 00 00",
    "50 02 00 01 34 07 00 01 't' 12 34 00 'x'",
    "3c 07 00 01 't' 12 34 00 'x' 70 02 00 01",
    "62 (12 34 00 (1f 00 02 'ok'))",
};
enum { PARTS = sizeof script / sizeof script[0] };

/* Feeds the script up to a byte; counts what it brought. */
static size_t play(struct bench *b, size_t bytes_before_the_cut, unsigned messages_and_settled[2])
{
    size_t fed = 0;
    for (unsigned part = 0; part < PARTS; part++) {
        uint8_t bytes[64];
        size_t length = bench_parse(script[part], bytes, sizeof bytes);
        if (part == 1)
            publish(b, 1);
        for (size_t i = 0; i < length; i++, fed++) {
            if (fed == bytes_before_the_cut)
                return fed;
            bench_feed_bytes(b, bytes + i, 1);
            while (bench_poll(b)) {
                messages_and_settled[0] += b->event.type == MQTT_EVENT_MESSAGE;
                messages_and_settled[1] += b->event.type == MQTT_EVENT_PUBLISHED;
            }
        }
    }
    return fed;
}

static void cut_everywhere(void **state)
{
    struct bench b;
    unsigned whole[2] = {0, 0};
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    size_t length = play(&b, SIZE_MAX, whole);
    assert_int_equal(whole[0], 1);
    assert_int_equal(whole[1], 1);
    bench_free(&b);
    for (size_t cut = 0; cut <= length; cut++) {
        unsigned seen[2] = {0, 0};
        bench_init(&b, &config);
        bench_expect_idle(&b);
        assert_int_equal(play(&b, cut, seen), cut);
        assert_true(seen[0] <= 1 && seen[1] <= 1);
        bench_cut(&b);
        bench_feed(&b, "20 03 00 00 00");
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
        assert_true(mqtt_publish(&b.m, &publish_2, b.now_ms) > 0);
        bench_free(&b);
    }
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_unless_configured),
#if MQTT_WITH_QOS2
        cmocka_unit_test(connect_announces_the_receive_maximum),
        cmocka_unit_test(published_in_two_steps),
        cmocka_unit_test(refused_by_pubrec),
        cmocka_unit_test(steps_out_of_order),
        cmocka_unit_test(delivered_once),
        cmocka_unit_test(receive_maximum),
        cmocka_unit_test(wrong_steps),
        cmocka_unit_test(granted),
        cmocka_unit_test(forgotten_at_the_end),
        cmocka_unit_test(answers_wait_for_room),
        cmocka_unit_test(cut_everywhere),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
