/* Deadlines, in virtual time that wraps. */
#include "bench.h"

static void advance(struct bench *b, uint32_t ms)
{
    b->now_ms += ms;
}

/* Full jitter below 500 ms, 1 s, 2 s ... 60 s: never above, spread over the range, the same for a seed. */
static void backoff_doubles_to_the_ceiling(void **state)
{
    static const uint32_t limits[] = {500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    enum { SEEDS = 400, STEPS = sizeof limits / sizeof limits[0] };
    uint64_t sum[STEPS] = {0};
    uint32_t largest[STEPS] = {0};
    (void)state;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        struct bench b;
        bench_init(&b, &bench_config);
        mqtt_init(&b.m, &bench_config, &b.transport, seed);
        bench_expect_idle(&b);
        for (unsigned i = 0; i < STEPS; i++) {
            b.state = MQTT_TRANSPORT_CLOSED;
            bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
            uint32_t wait = b.event.disconnected.retry_ms;
            assert_true(wait <= limits[i]);
            assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), wait);
            sum[i] += wait;
            if (wait > largest[i])
                largest[i] = wait;
            if (wait > 0) {
                unsigned opens = b.opens;
                advance(&b, wait - 1);
                bench_expect_idle(&b);
                assert_int_equal(b.opens, opens);
                advance(&b, 1);
            }
            bench_expect_idle(&b);
            assert_int_equal(b.opens, i + 2);
        }
        bench_free(&b);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        assert_in_range(sum[i] / SEEDS, limits[i] * 2 / 5, limits[i] * 3 / 5);
        assert_true(largest[i] > limits[i] / 10 * 9);
    }
}

/* A session that was stable makes it start afresh, a short one does not. */
static void backoff_is_reset_by_stability(void **state)
{
    const struct mqtt_config config = {
        .client_id = "x", .backoff_min_ms = 100, .backoff_max_ms = 6400, .stable_ms = 5000};
    (void)state;
    for (unsigned stable = 0; stable < 2; stable++) {
        uint32_t largest = 0;
        for (uint32_t seed = 0; seed < 100; seed++) {
            struct bench b;
            bench_init(&b, &config);
            mqtt_init(&b.m, &config, &b.transport, seed);
            for (unsigned i = 0; i < 8; i++) {
                bench_expect_idle(&b);
                b.state = MQTT_TRANSPORT_CLOSED;
                bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
                advance(&b, b.event.disconnected.retry_ms);
            }
            bench_expect_idle(&b);
            bench_feed(&b, "20 03 00 00 00");
            bench_expect_event(&b, MQTT_EVENT_CONNECTED);
            advance(&b, 4999 + stable);
            b.state = MQTT_TRANSPORT_CLOSED;
            bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
            if (b.event.disconnected.retry_ms > largest)
                largest = b.event.disconnected.retry_ms;
            bench_free(&b);
        }
        assert_in_range(largest, stable ? 90 : 6000, stable ? 100 : 6400);
    }
}

static void no_network_is_asked_again_each_second(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    b.open_result = -1;
    for (unsigned i = 0; i < 100; i++) {
        bench_expect_idle(&b);
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 1000);
        advance(&b, 1000);
    }
    b.open_result = 0;
    advance(&b, (uint32_t)-500);
    mqtt_connect(&b.m, b.now_ms);
    bench_connect(&b, NULL);
    assert_int_equal(mqtt_statistics(&b.m)->attempts, 1);
    bench_free(&b);
}

static void opening_times_out(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    b.open_at_once = false;
    bench_expect_idle(&b);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 10000);
    advance(&b, 9999);
    bench_expect_idle(&b);
    advance(&b, 1);
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    assert_int_equal(b.aborts, 1);
    bench_free(&b);
}

static void connack_times_out(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    b.open_at_once = false;
    bench_expect_idle(&b);
    advance(&b, 9000);
    b.state = MQTT_TRANSPORT_OPEN;
    bench_expect_idle(&b);
    assert_int_equal(b.wire[0], 0x10);
    bench_feed(&b, "20 03 00 00"); /* all but the end */
    bench_expect_idle(&b);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 10000);
    advance(&b, 9999);
    bench_expect_idle(&b);
    advance(&b, 1);
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    assert_false(b.event.disconnected.established);
    assert_int_equal(mqtt_statistics(&b.m)->timeouts, 1);
    bench_next_attempt(&b);
    bench_free(&b);
}

static void refused_while_opening(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    b.open_at_once = false;
    bench_expect_idle(&b);
    b.state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    b.open_at_once = true;
    bench_next_attempt(&b);
    bench_free(&b);
}

/* An orderly close that does not end is aborted before the next attempt. */
static void endless_close_is_aborted(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    bench_feed(&b, "e0 00");
    bench_expect_end(&b, MQTT_CAUSE_SERVER, 0);
    advance(&b, b.event.disconnected.retry_ms);
    bench_expect_idle(&b);
    assert_int_equal(b.aborts, 0);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 2000);
    advance(&b, 2000);
    bench_expect_idle(&b);
    assert_int_equal(b.aborts, 1);
    advance(&b, mqtt_wait_ms(&b.m, b.now_ms));
    bench_expect_idle(&b);
    assert_int_equal(b.opens, 2);
    bench_free(&b);
}

static void pings_when_idle(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    for (unsigned i = 0; i < 5; i++) {
        /* Counted from the last packet sent: 29999 ms have gone by since the last ping. */
        uint32_t wait = i == 0 ? 52500 : 22501;
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), wait);
        advance(&b, wait - 1);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        advance(&b, 1);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "c0 00");
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 30000);
        advance(&b, 29999);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        bench_feed(&b, "d0 00");
        bench_expect_idle(&b);
    }
    advance(&b, 52500);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "c0 00");
    bench_feed(&b, "30 04 00 01 't' 00"); /* no answer to the question */
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    advance(&b, 30000);
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, MQTT_REASON_KEEP_ALIVE_TIMEOUT);
    assert_int_equal(b.aborts, 1);
    bench_next_attempt(&b);
    bench_free(&b);
}

/* A broker that acknowledges TCP and says nothing, while we publish all the time. */
static void silent_broker_is_noticed(void **state)
{
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}};
    unsigned seconds = 0;
    (void)state;
    bench_connected(&b, &bench_config);
    for (; mqtt_is_connected(&b.m) && seconds < 1000; seconds++) {
        advance(&b, 1000);
        b.wire_length = 0;
        if (mqtt_publish(&b.m, &publish, b.now_ms) == 0 && bench_poll(&b))
            break;
    }
    assert_int_equal(b.event.disconnected.cause, MQTT_CAUSE_TIMEOUT);
    assert_in_range(seconds, 60, 90);
    bench_free(&b);
}

/* One that only talks: it must hear from us, too. */
static void reception_does_not_replace_sending(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    for (unsigned i = 0; i < 52; i++) {
        advance(&b, 1000);
        bench_feed(&b, "30 04 00 01 't' 00");
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        bench_expect_idle(&b);
    }
    bench_expect_sent(&b, "");
    advance(&b, 1000);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "c0 00");
    bench_free(&b);
}

static void server_keep_alive_counts(void **state)
{
    struct bench b;
    const struct mqtt_config without = {.client_id = "x"};
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (13 00 08))");
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 7000);
    bench_free(&b);

    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (13 00 00))");
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), UINT32_MAX);
    advance(&b, 1000000);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);

    bench_init(&b, &without);
    bench_connect(&b, "20 (00 00 (13 ff ff))");
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 57343125);
    bench_free(&b);

    bench_connected(&b, &without);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), UINT32_MAX);
    bench_free(&b);
}

/* A ping that finds no room goes out as soon as there is some; the patience counts from when it was due. */
static void ping_waits_for_room(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    b.hold = true;
    b.ring_used = b.ring_size - 1;
    advance(&b, 52500);
    bench_expect_idle(&b);
    advance(&b, 10000);
    bench_expect_idle(&b);
    assert_int_equal(b.ring_used, b.ring_size - 1);
    b.ring_used = 0;
    b.ring_head = 0;
    bench_expect_idle(&b);
    bench_drain(&b);
    bench_expect_sent(&b, "c0 00");
    advance(&b, 20000);
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, MQTT_REASON_KEEP_ALIVE_TIMEOUT);
    bench_free(&b);
}

#if MQTT_WITH_ACK_TIMEOUT
/* From the oldest packet that waits for its answer; answers to others do not help. */
static void acknowledgements_time_out(void **state)
{
    const struct mqtt_config config = {.client_id = "x", .ack_timeout_ms = 5000};
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), UINT32_MAX);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    advance(&b, 1000);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 2);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 4000);
    bench_feed(&b, "40 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    bench_expect_idle(&b);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 5000);
    advance(&b, 4999);
    bench_feed(&b, "30 04 00 01 't' 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    advance(&b, 1);
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    assert_int_equal(b.aborts, 1);
    bench_next_attempt(&b);
    bench_free(&b);
}

#if MQTT_WITH_QOS2
/* Each step has its time. */
static void steps_time_out(void **state)
{
    const struct mqtt_config config = {.client_id = "x", .ack_timeout_ms = 5000, .qos2 = true};
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 2};
    struct bench b;
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    advance(&b, 4000);
    bench_feed(&b, "50 02 00 01");
    bench_expect_idle(&b);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 5000);
    advance(&b, 5000);
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    bench_free(&b);
}
#endif
#endif

#if MQTT_WITH_BROKERS
static void expect_broker(struct bench *b, uint8_t broker)
{
    assert_int_equal(b->event.disconnected.broker, broker);
    bench_next_attempt(b);
    b->wire_length = 0;
}

static void break_off(struct bench *b, uint8_t next)
{
    b->state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(b, MQTT_CAUSE_TRANSPORT, 0);
    expect_broker(b, next);
}

/* Each failed attempt goes to the next; the back-off doubles once around; a lost session is taken up where it
 * was. */
static void brokers_in_turn(void **state)
{
    const struct mqtt_config config = {
        .client_id = "x", .brokers = 3, .backoff_min_ms = 100, .backoff_max_ms = 100000};
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    for (unsigned round = 0; round < 3; round++) {
        for (uint8_t next = 1; next <= 3; next++) {
            b.state = MQTT_TRANSPORT_CLOSED;
            bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
            assert_true(b.event.disconnected.retry_ms <= 100u << round);
            expect_broker(&b, next % 3);
        }
    }
    break_off(&b, 1);
    bench_feed(&b, "20 03 00 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    break_off(&b, 1);
    break_off(&b, 2);
    bench_feed(&b, "20 03 00 9c 00");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_USE_ANOTHER_SERVER);
    expect_broker(&b, 0);
    bench_feed(&b, "20 03 00 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    bench_feed(&b, "e0 01 9d"); /* the broker itself says so */
    bench_expect_end(&b, MQTT_CAUSE_SERVER, MQTT_REASON_SERVER_MOVED);
    expect_broker(&b, 1);
    mqtt_disconnect(&b.m, 0, b.now_ms); /* our own doing: no change */
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    assert_int_equal(b.event.disconnected.broker, 1);
    bench_free(&b);
}
#endif

#if MQTT_WITH_SESSION_STATISTICS
static void statistics_of_the_session(void **state)
{
    struct mqtt_statistics s;
    struct bench b;
    const struct mqtt_publish publish = {.topic = {TEXT("t")}};
    (void)state;
    bench_connected(&b, &bench_config);
    for (uint32_t round = 1; round < 4; round++) {
        for (uint32_t i = 1; i <= round; i++) {
            assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 0);
            mqtt_session_statistics(&b.m, &s);
            assert_int_equal(s.sent, i);
        }
        assert_int_equal(s.sessions, 1);
        assert_int_equal(s.attempts, 0);
        b.state = MQTT_TRANSPORT_CLOSED;
        bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
        mqtt_session_statistics(&b.m, &s); /* still of the last one */
        assert_int_equal(s.sent, round);
        bench_next_attempt(&b);
        bench_feed(&b, "20 03 00 00 00");
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    }
    assert_int_equal(mqtt_statistics(&b.m)->sent, 6);
    bench_free(&b);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_to_the_ceiling),
        cmocka_unit_test(backoff_is_reset_by_stability),
        cmocka_unit_test(no_network_is_asked_again_each_second),
        cmocka_unit_test(opening_times_out),
        cmocka_unit_test(connack_times_out),
        cmocka_unit_test(refused_while_opening),
        cmocka_unit_test(endless_close_is_aborted),
        cmocka_unit_test(pings_when_idle),
        cmocka_unit_test(silent_broker_is_noticed),
        cmocka_unit_test(reception_does_not_replace_sending),
        cmocka_unit_test(server_keep_alive_counts),
        cmocka_unit_test(ping_waits_for_room),
#if MQTT_WITH_ACK_TIMEOUT
        cmocka_unit_test(acknowledgements_time_out),
#if MQTT_WITH_QOS2
        cmocka_unit_test(steps_time_out),
#endif
#endif
#if MQTT_WITH_BROKERS
        cmocka_unit_test(brokers_in_turn),
#endif
#if MQTT_WITH_SESSION_STATISTICS
        cmocka_unit_test(statistics_of_the_session),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
