/* From one connection to the next: how long is waited, for what, and how the next one begins. */
#include "bench.h"

#include <string.h>

enum { SEEDS = 40 };

static void start(struct bench *b, const struct mqtt_config *config, uint32_t seed)
{
    bench_init(b, config);
    mqtt_init(&b->m, config, &b->transport, seed);
}

/* The connection breaks; returns the wait until the next attempt. */
static uint32_t lose(struct bench *b)
{
    b->state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(b, MQTT_CAUSE_TRANSPORT, 0);
    return b->event.disconnected.retry_ms;
}

static void connect_again(struct bench *b)
{
    bench_next_attempt(b);
    bench_feed(b, "20 03 00 00 00");
    b->wire_length = 0;
    bench_expect_event(b, MQTT_EVENT_CONNECTED);
    bench_expect_idle(b);
}

/* ---- Back-off ---- */

/* The longest wait, over many seeds, of a third loss, after a session of `session_ms`. */
static uint32_t longest_wait(const struct mqtt_config *config, uint32_t session_ms)
{
    uint32_t longest = 0;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct bench b;
        start(&b, config, seed);
        bench_connect(&b, NULL);
        (void)lose(&b);
        for (unsigned i = 0; i < 5; i++) {
            bench_next_attempt(&b);
            (void)lose(&b);
        }
        connect_again(&b);
        b.now_ms += session_ms;
        uint32_t wait = lose(&b);
        longest = wait > longest ? wait : longest;
        bench_free(&b);
    }
    return longest;
}

/* Only a session that was stable makes the back-off start afresh: after six losses it is up to 64 s. */
static void stable_sessions_start_afresh(void **state)
{
    static const struct mqtt_config by_default = {
        .client_id = "mote", .backoff_max_ms = 1u << 30, .backoff_min_ms = 1000};
    static const struct mqtt_config short_one = {
        .client_id = "mote", .backoff_max_ms = 1u << 30, .backoff_min_ms = 1000, .stable_ms = 2000};
    (void)state;
    assert_true(longest_wait(&by_default, 29999) > 32000);
    assert_true(longest_wait(&by_default, 30000) <= 1000);
    assert_true(longest_wait(&short_one, 1999) > 32000);
    assert_true(longest_wait(&short_one, 2000) <= 1000);
}

/* Though the clock wraps between: a session of no length is not stable. */
static void wrapping_clock(void **state)
{
    static const struct mqtt_config config = {
        .client_id = "mote", .backoff_max_ms = 1u << 30, .backoff_min_ms = 1000};
    uint32_t longest = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct bench b;
        start(&b, &config, seed);
        bench_connect(&b, NULL);
        b.now_ms = 0xFFFFFFF0;
        for (unsigned i = 0; i < 3; i++) {
            uint32_t wait = lose(&b);
            if (i == 2 && wait > longest)
                longest = wait;
            b.state = MQTT_TRANSPORT_CLOSED;
            mqtt_connect(&b.m, b.now_ms);
            bench_expect_idle(&b);
            bench_feed(&b, "20 03 00 00 00");
            bench_expect_event(&b, MQTT_EVENT_CONNECTED);
            bench_expect_idle(&b);
        }
        bench_free(&b);
    }
    assert_in_range(longest, 2000, 4000);
}

/* A broker that refuses us is not asked again at once. */
static void refusals_wait(void **state)
{
    uint32_t longest = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct bench b;
        start(&b, &bench_config, seed);
        bench_expect_idle(&b);
        bench_feed(&b, "20 03 00 86 00");
        bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_BAD_USER_NAME_OR_PASSWORD);
        if (b.event.disconnected.retry_ms > longest)
            longest = b.event.disconnected.retry_ms;
        bench_free(&b);
    }
    assert_in_range(longest, 400, 500);
}

/* ---- Times and counts ---- */

static void connect_timeout_is_configurable(void **state)
{
    static const struct mqtt_config config = {.client_id = "mote", .connect_timeout_ms = 700};
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    b.open_at_once = false;
    bench_expect_idle(&b);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 700);
    b.state = MQTT_TRANSPORT_OPEN;
    b.now_ms += 600;
    bench_expect_idle(&b);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 700);
    b.now_ms += 700;
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    assert_int_equal(mqtt_statistics(&b.m)->timeouts, 1);
    bench_free(&b);
}

/* Only those are counted as time-outs. */
static void other_ends_are_no_timeouts(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    (void)lose(&b);
    connect_again(&b);
    bench_feed(&b, "e0 01 8b");
    bench_expect_end(&b, MQTT_CAUSE_SERVER, 0x8B);
    connect_again(&b);
    bench_feed(&b, "f1 00");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, MQTT_REASON_MALFORMED_PACKET);
    connect_again(&b);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
    assert_int_equal(mqtt_statistics(&b.m)->timeouts, 0);
    assert_int_equal(mqtt_statistics(&b.m)->violations, 1);
    bench_free(&b);
}

/* Each orderly close is given its time, the second one, too. */
static void each_close_has_its_grace(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    for (unsigned i = 1; i <= 2; i++) {
        bench_feed(&b, "20 02 00 00 00");
        bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x82);
        assert_int_equal(b.state, MQTT_TRANSPORT_ENDING);
        b.now_ms += mqtt_wait_ms(&b.m, b.now_ms);
        bench_expect_idle(&b);
        assert_int_equal(b.aborts, i - 1);
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 2000);
        b.now_ms += 2000;
        bench_expect_idle(&b);
        assert_int_equal(b.aborts, i);
        b.now_ms += mqtt_wait_ms(&b.m, b.now_ms);
        bench_expect_idle(&b);
        assert_int_equal(b.opens, i + 1);
        bench_accept(&b, "20 03 00 00 00");
        bench_expect_idle(&b);
    }
    bench_free(&b);
}

/* A PINGREQ that was never answered belongs to the connection that has ended. */
static void ping_ends_with_its_connection(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    b.now_ms += 52500;
    bench_expect_idle(&b);
    bench_expect_sent(&b, "c0 00");
    (void)lose(&b);
    connect_again(&b);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 52500);
    b.now_ms += 52500;
    bench_expect_idle(&b);
    bench_expect_sent(&b, "c0 00");
    bench_free(&b);
}

/* MQTT-3.1.2-21: the broker's keep-alive also says how long its PINGRESP may take. */
static void pingresp_in_the_brokers_time(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (13 00 08))");
    b.now_ms += 7000;
    bench_expect_idle(&b);
    bench_expect_sent(&b, "c0 00");
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 4000);
    b.now_ms += 3999;
    bench_expect_idle(&b);
    b.now_ms += 1;
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, MQTT_REASON_KEEP_ALIVE_TIMEOUT);
    bench_free(&b);
}

/* ---- The user's part ---- */

static void disconnect_while_waiting(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    (void)lose(&b);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), UINT32_MAX);
    b.now_ms += 3600000;
    bench_expect_idle(&b);
    assert_int_equal(b.opens, 1);
    mqtt_connect(&b.m, b.now_ms);
    connect_again(&b);
    bench_free(&b);
}

static void connect_changes_nothing_in_a_session(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    mqtt_connect(&b.m, b.now_ms);
    assert_true(mqtt_is_connected(&b.m));
    bench_expect_idle(&b);
    assert_int_equal(b.opens, 1);
    assert_int_equal(b.closes, 0);
    bench_free(&b);
}

/* Before the CONNACK there is room for nothing of the user's. */
static void no_room_before_the_connack(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    bench_expect_idle(&b);
    assert_true(b.wire_length > 0);
    assert_int_equal(mqtt_room(&b.m), 0);
    assert_int_equal(mqtt_quota(&b.m), 0);
    bench_free(&b);
}

/* ---- Versions ---- */

#if MQTT_WITH_V311 && MQTT_WITH_BROKERS
static void expect_version(struct bench *b, unsigned version)
{
    bench_next_attempt(b);
    assert_int_equal(b->wire[8], version);
    b->wire_length = 0;
}

/* Whoever asks for 3.1.1 never gets anything else. */
static void no_fall_up(void **state)
{
    (void)state;
    for (uint8_t brokers = 1; brokers <= 2; brokers++) {
        const struct mqtt_config config = {
            .client_id = "mote", .version = 4, .fall_back = true, .brokers = brokers};
        struct bench b;
        bench_init(&b, &config);
        bench_expect_idle(&b);
        assert_int_equal(b.wire[8], 4);
        for (unsigned i = 0; i < 4; i++) {
            (void)lose(&b);
            expect_version(&b, 4);
        }
        bench_feed(&b, "20 02 00 01");
        bench_expect_end(&b, MQTT_CAUSE_REFUSED, 1);
        expect_version(&b, 4);
        bench_free(&b);
    }
}

/* The next broker may well know 5.0. */
static void each_broker_is_asked_for_5_first(void **state)
{
    static const struct mqtt_config config = {.client_id = "mote", .fall_back = true, .brokers = 2};
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    assert_int_equal(b.wire[8], 5);
    bench_feed(&b, "20 02 00 01");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_UNSUPPORTED_VERSION);
    assert_int_equal(b.event.disconnected.broker, 0);
    expect_version(&b, 4);
    bench_feed(&b, "20 02 00 05");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, 5);
    assert_int_equal(b.event.disconnected.broker, 1);
    expect_version(&b, 5);
    bench_free(&b);
}

/* Of 3.1.1 the reasons and properties of a DISCONNECT stay here. */
static void disconnect_of_3_1_1_is_bare(void **state)
{
    static const struct mqtt_config config = {.client_id = "mote", .version = 4};
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_connect(&b, "20 02 00 00");
#if MQTT_WITH_PROPERTIES
    const struct mqtt_closure closure = {.reason_string = TEXT("why")};
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    bench_expect_sent(&b, "e0 00");
    bench_expect_end(&b, MQTT_CAUSE_USER, 0);
#endif
    bench_free(&b);
}

#if MQTT_WITH_SESSIONS
/* A session of 3.1.1 is not resumed with 5.0: that one starts clean. */
static void versions_do_not_share_a_session(void **state)
{
    static uint8_t memory[256];
    static struct mqtt_ram_store ram;
    const struct mqtt_config config = {
        .client_id = "mote", .fall_back = true, .session_expiry_s = 100, .store = &ram.store};
    struct bench b;
    (void)state;
    mqtt_ram_store_init(&ram, memory, sizeof memory);
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_feed(&b, "20 02 00 01");
    bench_expect_end(&b, MQTT_CAUSE_REFUSED, MQTT_REASON_UNSUPPORTED_VERSION);
    expect_version(&b, 4);
    bench_feed(&b, "20 02 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    (void)lose(&b);
    bench_next_attempt(&b);
    assert_int_equal(b.wire[8], 5);
    assert_int_equal(b.wire[9] & 2, 2);
    bench_free(&b);
}
#endif
#endif

/* ---- Brokers ---- */

#if MQTT_WITH_BROKERS
static void fail_once(struct bench *b, unsigned next)
{
    (void)lose(b);
    assert_int_equal(b->event.disconnected.broker, next);
}

/* "Use another server" and "Server moved" both mean the next one; other reasons do not. */
static void moved_by_the_broker(void **state)
{
    static const struct mqtt_config config = {.client_id = "mote", .brokers = 3};
    static const struct {
        const char *disconnect;
        uint8_t reason, next;
    } cases[] = {{"e0 01 9c", 0x9C, 1}, {"e0 01 9d", 0x9D, 1}, {"e0 01 8b", 0x8B, 0}, {"e0 00", 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench b;
        bench_connected(&b, &config);
        bench_feed(&b, cases[i].disconnect);
        bench_expect_end(&b, MQTT_CAUSE_SERVER, cases[i].reason);
        assert_int_equal(b.event.disconnected.broker, cases[i].next);
        bench_free(&b);
    }
}

/* The wait doubles when all have been tried since the one that was there last. */
static void round_begins_where_a_session_was(void **state)
{
    static const struct mqtt_config config = {
        .client_id = "mote", .brokers = 3, .backoff_min_ms = 1000, .backoff_max_ms = 1u << 30};
    uint32_t longest[5] = {0};
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        static const uint8_t next[5] = {1, 2, 0, 1, 2}; /* after a session with 1 was lost */
        struct bench b;
        start(&b, &config, seed);
        bench_expect_idle(&b);
        fail_once(&b, 1);
        connect_again(&b);
        b.now_ms += 30000;
        for (unsigned i = 0; i < 5; i++) {
            fail_once(&b, next[i]);
            uint32_t wait = b.event.disconnected.retry_ms;
            longest[i] = wait > longest[i] ? wait : longest[i];
            bench_next_attempt(&b);
        }
        bench_free(&b);
    }
    static const uint32_t limits[5] = {1000, 2000, 2000, 2000, 4000};
    for (unsigned i = 0; i < 5; i++)
        assert_in_range(longest[i], limits[i] / 2 + 1, limits[i]);
}
#endif

#if MQTT_WITH_BROKERS
/* Two brokers that accept and then send to the other one are not asked at full speed for ever. */
static void sent_away_again_and_again(void **state)
{
    static const struct mqtt_config config = {
        .client_id = "mote", .brokers = 2, .backoff_min_ms = 100, .backoff_max_ms = 1u << 30};
    uint32_t longest = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct bench b;
        start(&b, &config, seed);
        bench_connect(&b, NULL);
        for (unsigned i = 0; i < 6; i++) {
            bench_feed(&b, "e0 01 9c");
            bench_expect_end(&b, MQTT_CAUSE_SERVER, MQTT_REASON_USE_ANOTHER_SERVER);
            longest = b.event.disconnected.retry_ms > longest ? b.event.disconnected.retry_ms : longest;
            b.state = MQTT_TRANSPORT_CLOSED;
            connect_again(&b);
        }
        bench_free(&b);
    }
    assert_in_range(longest, 100u << 4, 100u << 5);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if MQTT_WITH_BROKERS
        cmocka_unit_test(sent_away_again_and_again),
#endif
        cmocka_unit_test(stable_sessions_start_afresh),
        cmocka_unit_test(wrapping_clock),
        cmocka_unit_test(refusals_wait),
        cmocka_unit_test(connect_timeout_is_configurable),
        cmocka_unit_test(other_ends_are_no_timeouts),
        cmocka_unit_test(each_close_has_its_grace),
        cmocka_unit_test(ping_ends_with_its_connection),
        cmocka_unit_test(pingresp_in_the_brokers_time),
        cmocka_unit_test(disconnect_while_waiting),
        cmocka_unit_test(connect_changes_nothing_in_a_session),
        cmocka_unit_test(no_room_before_the_connack),
#if MQTT_WITH_V311 && MQTT_WITH_BROKERS
        cmocka_unit_test(no_fall_up),
        cmocka_unit_test(each_broker_is_asked_for_5_first),
        cmocka_unit_test(disconnect_of_3_1_1_is_bare),
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(versions_do_not_share_a_session),
#endif
#endif
#if MQTT_WITH_BROKERS
        cmocka_unit_test(moved_by_the_broker),
        cmocka_unit_test(round_begins_where_a_session_was),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
