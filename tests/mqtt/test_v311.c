/* MQTT 3.1.1: chosen, or fallen back to. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_V311

static const struct mqtt_will will = {
    .topic = {MQTT_TEXT("w")}, .payload = MQTT_TEXT("gone"), .qos = 1, .retain = true, .utf8 = true};
static const struct mqtt_config old = {
    .client_id = "mote",
    .user_name = "me",
    .password = MQTT_TEXT("pw"),
    .will = &will,
    .keep_alive_s = 60,
    .version = 4,
#if MQTT_WITH_QOS2
    .qos2 = true,
#endif
};
static const struct mqtt_config falling = {.client_id = "mote", .keep_alive_s = 60, .fall_back = true};

static void connected(struct bench *b)
{
    bench_init(b, &old);
    bench_connect(b, "20 02 00 00");
    assert_int_equal(mqtt_version(&b->m), 4);
}

static void connect_has_no_properties(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &old);
    bench_expect_idle(&b);
    bench_expect_sent(
        &b, "10 (00 04 'MQTT' 04 ee 00 3c 00 04 'mote' 00 01 'w' 00 04 'gone' 00 02 'me' 00 02 'pw')");
    bench_free(&b);
}

static void exchanges(void **state)
{
    struct bench b;
    const struct mqtt_user_property user = {TEXT("k"), TEXT("v")};
    const struct mqtt_publish p = {.topic = {TEXT("t")},
                                   .payload = {TEXT("x")},
                                   .qos = 1,
                                   .utf8 = true,
                                   .message_expiry_s = 9,
                                   .correlation = TEXT("c"),
                                   .user = &user,
                                   .user_count = 1};
    const struct mqtt_subscription s[] = {{.filter = {TEXT("a")}, .qos = 1, .no_local = true},
                                          {.filter = {TEXT("b")}}};
    (void)state;
    connected(&b);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_expect_sent(&b, "32 06 00 01 't' 00 01 'x'");
    assert_int_equal(mqtt_subscribe(&b.m, s, 2, b.now_ms), 2);
    bench_expect_sent(&b, "82 0a 00 02 00 01 'a' 01 00 01 'b' 00");
    assert_int_equal(mqtt_unsubscribe(&b.m, s, 2, b.now_ms), 3);
    bench_expect_sent(&b, "a2 08 00 03 00 01 'a' 00 01 'b'");
    bench_feed(&b, "40 02 00 01 90 04 00 02 01 80 b0 02 00 03 32 06 00 01 't' 00 09 'y'");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(b.event.published.reason, 0);
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    assert_memory_equal(b.event.subscribed.reasons.data, "\x01\x80", 2);
    bench_expect_event(&b, MQTT_EVENT_UNSUBSCRIBED);
    assert_int_equal(b.event.unsubscribed.reasons.length, 0);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_true(bench_slice_is(b.event.message.payload, "y"));
    assert_int_equal(b.event.message.properties.length, 0);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "40 02 00 09");
    bench_free(&b);
}

#if MQTT_WITH_QOS2
static void qos2_without_reasons(void **state)
{
    struct bench b;
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 2};
    (void)state;
    connected(&b);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    b.wire_length = 0;
    bench_feed(&b, "50 02 00 01 50 02 00 05 62 02 00 06 34 05 00 01 't' 00 07");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "62 02 00 01 62 02 00 05 70 02 00 06 50 02 00 07");
    bench_feed(&b, "70 02 00 01 62 02 00 07");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "70 02 00 07");
    bench_free(&b);
}
#endif

/* DISCONNECT is a good-bye there: not said to a broker that is in the wrong, and not if the will is to be
 * published. */
static void disconnects(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t reason;
    } rows[] = {
        {"e0 00", 0x82},          {"f0 00", 0x82},           {"20 02 00 00", 0x82},
        {"40 03 00 01 00", 0x81}, {"90 04 00 01 00 00", 0},  {"b0 04 00 01 00 00", 0x81},
        {"30 02 00 00", 0x82},    {"30 03 00 01 '#'", 0x90}, {"36 05 00 01 't' 00 01", 0x81},
    };
    struct bench b;
    (void)state;
    connected(&b);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    bench_expect_sent(&b, "e0 00");
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    bench_free(&b);
    connected(&b);
    mqtt_disconnect(&b.m, MQTT_REASON_DISCONNECT_WITH_WILL, b.now_ms);
    bench_expect_sent(&b, "");
    assert_int_equal(b.closes, 1);
    bench_free(&b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        connected(&b);
        bench_feed(&b, rows[i].bytes);
        if (rows[i].reason != 0)
            bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, rows[i].reason);
        else
            bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        bench_free(&b);
    }
}

static void refusals(void **state)
{
    (void)state;
    for (unsigned code = 1; code <= 6; code++) {
        struct bench b;
        const uint8_t connack[] = {0x20, 2, 0, (uint8_t)code};
        bench_init(&b, &old);
        bench_expect_idle(&b);
        b.wire_length = 0;
        bench_feed_bytes(&b, connack, sizeof connack);
        bench_expect_end(&b, MQTT_CAUSE_REFUSED, (uint8_t)code);
        bench_expect_sent(&b, "");
        bench_next_attempt(&b);
        assert_int_equal(b.wire[8], 4);
        bench_free(&b);
    }
}

/* ---- Falling back ---- */

static void expect_attempt(struct bench *b, uint8_t version)
{
    bench_next_attempt(b);
    assert_int_equal(b->wire[8], version);
    assert_int_equal(mqtt_version(&b->m), version);
    b->wire_length = 0;
}

static void refused_in_words(void **state)
{
    static const char *const connacks[] = {"20 02 00 01", "20 03 00 84 00"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        bench_init(&b, &falling);
        bench_expect_idle(&b);
        assert_int_equal(b.wire[8], 5);
        b.wire_length = 0;
        bench_feed(&b, connacks[i]);
        bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_UNSUPPORTED_VERSION);
        assert_int_equal(b.event.disconnected.retry_ms, 0);
        expect_attempt(&b, 4);
        bench_feed(&b, "20 02 00 00 30 03 00 01 't'");
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        b.state = MQTT_TRANSPORT_CLOSED; /* a new session: 5.0 may be back */
        bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
        expect_attempt(&b, 5);
        bench_free(&b);
    }
}

static void refused_by_a_close(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &falling);
    bench_expect_idle(&b);
    b.wire_length = 0;
    for (unsigned i = 0; i < 4; i++) {
        b.state = MQTT_TRANSPORT_ENDING;
        bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
        expect_attempt(&b, i % 2 == 0 ? 4 : 5);
    }
    bench_free(&b);
}

#if MQTT_WITH_BROKERS
/* Each of several is tried with both. */
static void all_refuse_by_a_close(void **state)
{
    struct bench b;
    struct mqtt_config config = falling;
    (void)state;
    config.brokers = 2;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    b.wire_length = 0;
    for (unsigned i = 1; i < 9; i++) {
        b.state = MQTT_TRANSPORT_ENDING;
        bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
        assert_int_equal(b.event.disconnected.broker, i / 2 % 2);
        expect_attempt(&b, i % 2 == 0 ? 5 : 4);
    }
    bench_free(&b);
}
#endif

/* The longest of many waits before the attempts that follow closes without an answer. */
static uint32_t longest_wait_ms(const struct mqtt_config *config, unsigned attempt)
{
    uint32_t longest = 0;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        struct bench b;
        bench_init(&b, config);
        mqtt_init(&b.m, config, &b.transport, seed);
        bench_expect_idle(&b);
        for (unsigned i = 0; i < attempt; i++) {
            b.state = MQTT_TRANSPORT_ENDING;
            bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
            if (b.event.disconnected.retry_ms > longest && i + 1 == attempt)
                longest = b.event.disconnected.retry_ms;
            bench_next_attempt(&b);
        }
        bench_free(&b);
    }
    return longest;
}

/* The limit doubles when all have been tried with both, and not before. */
static void backs_off_once_a_round(void **state)
{
    struct mqtt_config config = falling;
    (void)state;
    config.backoff_min_ms = 1000;
    config.backoff_max_ms = 1000000;
    for (unsigned brokers = 1; brokers <= (MQTT_WITH_BROKERS ? 3 : 1); brokers++) {
#if MQTT_WITH_BROKERS
        config.brokers = (uint8_t)brokers;
#endif
        /* The wait before the first attempt of a round is the last one with the old limit. */
        for (unsigned attempt = 1; attempt <= 4 * brokers + 1; attempt++) {
            uint32_t limit_ms = 1000u << (attempt - 1) / (2 * brokers);
            uint32_t longest_ms = longest_wait_ms(&config, attempt);
            assert_in_range(longest_ms, limit_ms * 3 / 4, limit_ms);
        }
    }
}

/* What says nothing of the version: no connection, silence, another refusal, a wrong CONNACK. */
static void other_failures(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &falling);
    b.open_at_once = false;
    bench_expect_idle(&b);
    b.state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    b.open_at_once = true;
    expect_attempt(&b, 5);
    b.now_ms += 10000;
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    expect_attempt(&b, 5);
    bench_feed(&b, "20 03 00 87 00");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, 0x87);
    expect_attempt(&b, 5);
    bench_feed(&b, "20 02 00 00");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x81);
    expect_attempt(&b, 5);
    bench_free(&b);

    bench_init(&b, &bench_config); /* not configured to */
    bench_expect_idle(&b);
    b.wire_length = 0;
    bench_feed(&b, "20 03 00 84 00");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, 0x84);
    expect_attempt(&b, 5);
    bench_free(&b);
}

#if MQTT_WITH_SESSIONS
static void sessions(void **state)
{
    const struct mqtt_config kept = bench_keep(&old);
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1};
    struct bench b;
    (void)state;
    bench_init(&b, &kept);
    bench_expect_idle(&b);
    assert_int_equal(b.wire[9] & 2, 0);
    bench_accept(&b, "20 02 01 00"); /* one from before: there is no other way */
    assert_true(b.event.connected.session_present);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_back(&b, "20 02 01 00");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a 05 00 01 't' 00 01");
    bench_feed(&b, "40 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(bench_store.used, 0);
    bench_free(&b);
}

/* What is in flight keeps to its version; of the other one it cannot be sent, and is given back. */
static void session_of_the_other_version(void **state)
{
    const struct mqtt_config kept = bench_keep(&falling);
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1};
    struct bench b;
    (void)state;
    bench_init(&b, &kept);
    bench_connect(&b, NULL);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    b.state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    expect_attempt(&b, 5);
    bench_feed(&b, "20 02 00 01");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_UNSUPPORTED_VERSION);
    expect_attempt(&b, 4);
    bench_feed(&b, "20 02 01 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_false(b.event.connected.session_present);
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(b.event.published.reason, MQTT_REASON_PACKET_ID_NOT_FOUND);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 2);
    b.state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    expect_attempt(&b, 4);
    bench_free(&b);
}

static uint8_t lasting_memory[256];
static struct mqtt_ram_store lasting;
static const struct mqtt_publish kept_publish = {.topic = {MQTT_TEXT("t")}, .qos = 1};

/* One publication in flight and one filter asked for, with 3.1.1 or 5.0; then a reset. */
static struct mqtt_config leave_in_store(bool v311)
{
    const struct mqtt_subscription s = {.filter = {TEXT("x")}};
    struct mqtt_config config = falling;
    struct bench b;
    mqtt_ram_store_init(&lasting, lasting_memory, sizeof lasting_memory);
    config.session_expiry_s = 60;
    config.store = &lasting.store;
    bench_init(&b, &config);
    if (v311) {
        bench_expect_idle(&b);
        bench_feed(&b, "20 02 00 01");
        bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_UNSUPPORTED_VERSION);
        bench_next_attempt(&b);
        bench_feed(&b, "20 02 00 00");
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    } else {
        bench_connect(&b, NULL);
    }
    assert_int_equal(mqtt_publish(&b.m, &kept_publish, b.now_ms), 1);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 2);
    bench_free(&b);
    config.resume = true;
    return config;
}

/* A reset does not make packets of 5.0 out of those of 3.1.1: with it they are sent again. */
static void store_of_the_old_version(void **state)
{
    struct bench b;
    const struct mqtt_config config = leave_in_store(true);
    (void)state;
    bench_init(&b, &config);
    assert_int_equal(mqtt_version(&b.m), 4);
    bench_connect(&b, "20 02 01 00");
    bench_expect_sent(&b, "3a 05 00 01 't' 00 01");
    bench_feed(&b, "40 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    bench_expect_idle(&b);
    assert_int_equal(lasting.used, 0);
    b.state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    expect_attempt(&b, 5);
    bench_free(&b);
}

/* If it is not spoken any more, by us or by the broker, they are told as lost, either way. */
static void store_of_no_version_that_is_spoken(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 3; row++) {
        struct bench b;
        struct mqtt_config config = leave_in_store(row < 2);
        bool now_311 = row == 2;
        config.fall_back = row == 1;
        config.version = now_311 ? 4 : 5;
        bench_init(&b, &config);
        bench_expect_idle(&b);
        if (row == 1) {
            assert_int_equal(b.wire[8], 4);
            bench_feed(&b, "20 02 00 01");
            bench_expect_end(&b, MQTT_CAUSE_REFUSED, 1);
            expect_attempt(&b, 5);
        } else {
            assert_int_equal(b.wire[9] & 2, now_311 ? 0 : 2); /* another session, where that can be said */
        }
        bench_accept(&b, now_311 ? "20 02 01 00" : "20 03 00 00 00");
        assert_false(b.event.connected.session_present);
        bench_expect_published(&b, 1, MQTT_REASON_PACKET_ID_NOT_FOUND);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        assert_int_equal(lasting.used, 0);
        assert_true(mqtt_publish(&b.m, &kept_publish, b.now_ms) > 0);
        bench_free(&b);
    }
}
#endif

#if MQTT_WITH_STREAMING
static int one_byte(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    (void)length;
    *to = (uint8_t)offset;
    return 1;
}

static void large_messages(void **state)
{
    struct mqtt_config streaming = old;
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .source = one_byte, .source_length = 3};
    struct bench b;
    (void)state;
    streaming.maximum_packet_size = 10000;
    bench_init(&b, &streaming);
    b.transport.receive_capacity = 16;
    bench_connect(&b, "20 02 00 00");
    bench_feed(&b, "30 14 00 01 't' 'abcdefghijk'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
    assert_int_equal(b.event.message.total, 17);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
    assert_true(bench_slice_is(b.event.part.data, "abcdefghijk"));
    bench_feed(&b, "'lmnopq'");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
    assert_int_equal(b.event.part.offset, 11);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    while (!bench_poll(&b))
        continue;
    bench_expect_sent(&b, "30 06 00 01 't' 00 01 02");
    bench_free(&b);
}
#endif

/* Every packet of 3.1.1, cut before each byte. */
static void cut_everywhere(void **state)
{
    static const char *const script[] = {
        "20 02 00 00",
        "40 02 00 01 32 06 00 01 't' 00 09 'y' 30 04 00 01 't' 'z'",
        "90 03 00 02 01 b0 02 00 03 d0 00",
    };
    (void)state;
    for (unsigned last = 0; last < 3; last++) {
        uint8_t bytes[64];
        size_t length = bench_parse(script[last], bytes, sizeof bytes);
        for (size_t cut = 0; cut <= length; cut++) {
            struct bench b;
            const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1};
            const struct mqtt_subscription s = {.filter = {TEXT("a")}, .qos = 1};
            bench_init(&b, &old);
            bench_expect_idle(&b);
            for (unsigned part = 0; part <= last; part++) {
                bool whole = part < last;
                if (part == 1)
                    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
                if (part == 2) {
                    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 2);
                    assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 3);
                }
                if (whole)
                    bench_feed(&b, script[part]);
                for (size_t i = 0; !whole && i < cut; i++) {
                    bench_feed_bytes(&b, bytes + i, 1);
                    while (bench_poll(&b))
                        continue;
                }
                while (bench_poll(&b))
                    continue;
            }
            bench_cut(&b);
            bench_feed(&b, "20 02 00 00 30 03 00 01 't'");
            bench_expect_event(&b, MQTT_EVENT_CONNECTED);
            bench_expect_event(&b, MQTT_EVENT_MESSAGE);
            assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
            bench_free(&b);
        }
    }
}

/* [MQTT-3.1.2-22] of 3.1.1: no password without a user name; there it is an empty one. */
static void password_alone(void **state)
{
    static const struct mqtt_config config = {.client_id = "m", .password = MQTT_TEXT("pw"), .version = 4};
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "10 (00 04 'MQTT' 04 c2 00 00 00 01 'm' 00 00 00 02 'pw')");
    bench_free(&b);
}

#if MQTT_WITH_SESSIONS
/* [MQTT-3.1.3-7] of 3.1.1: who has no client id has no session that could be kept. */
static void nameless_starts_clean(void **state)
{
    struct mqtt_config config = bench_session();
    struct bench b;
    (void)state;
    config.client_id = "";
    config.version = 4;
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0)
            bench_init(&b, &config);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "10 (00 04 'MQTT' 04 02 00 3c 00 00)");
        bench_accept(&b, "20 02 00 00");
        b.wire_length = 0;
        b.state = MQTT_TRANSPORT_CLOSED;
        bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
        bench_next_attempt(&b);
    }
    bench_free(&b);
}
#endif

#endif

int main(void)
{
#if MQTT_WITH_V311
    const struct CMUnitTest tests[] = {
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(nameless_starts_clean),
#endif
        cmocka_unit_test(password_alone),
        cmocka_unit_test(connect_has_no_properties),
        cmocka_unit_test(exchanges),
#if MQTT_WITH_QOS2
        cmocka_unit_test(qos2_without_reasons),
#endif
        cmocka_unit_test(disconnects),
        cmocka_unit_test(refusals),
        cmocka_unit_test(refused_in_words),
        cmocka_unit_test(refused_by_a_close),
#if MQTT_WITH_BROKERS
        cmocka_unit_test(all_refuse_by_a_close),
#endif
        cmocka_unit_test(backs_off_once_a_round),
        cmocka_unit_test(other_failures),
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(sessions),
        cmocka_unit_test(session_of_the_other_version),
        cmocka_unit_test(store_of_the_old_version),
        cmocka_unit_test(store_of_no_version_that_is_spoken),
#endif
#if MQTT_WITH_STREAMING
        cmocka_unit_test(large_messages),
#endif
        cmocka_unit_test(cut_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
