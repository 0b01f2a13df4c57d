/* Enhanced authentication: the exchange of a connection, and again within it. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_AUTH

/* Answers a challenge X with "rX"; distrusts what is called "bad". */
static struct {
    unsigned begun, continued, succeeded;
    char last[32];
    char answer[32];
    bool refuses_to_begin;
    struct mqtt_slice first, next; /* instead of the usual answers */
} mechanism;
static char long_text[500];

static int step(void *context, enum mqtt_auth_step which, struct mqtt_slice data, struct mqtt_slice *answer)
{
    (void)context;
    assert_true(data.length < sizeof mechanism.last - 1);
    memset(mechanism.last, 0, sizeof mechanism.last);
    if (data.length > 0)
        memcpy(mechanism.last, data.data, data.length);
    if (bench_slice_is(data, "bad"))
        return -1;
    mechanism.begun += which == MQTT_AUTH_BEGIN;
    mechanism.continued += which == MQTT_AUTH_CONTINUE;
    mechanism.succeeded += which == MQTT_AUTH_SUCCESS;
    if (which == MQTT_AUTH_BEGIN) {
        if (mechanism.refuses_to_begin)
            return -1;
        *answer = mechanism.first.data != NULL ? mechanism.first : TEXT("hello");
    } else if (mechanism.next.data != NULL) {
        *answer = mechanism.next;
    } else if (which == MQTT_AUTH_CONTINUE && data.length > 0) {
        mechanism.answer[0] = 'r';
        memcpy(mechanism.answer + 1, data.data, data.length);
        *answer = (struct mqtt_slice){mechanism.answer, data.length + 1};
    }
    return 0;
}

static const struct mqtt_authenticator authenticator = {.method = "M", .step = step};
static const struct mqtt_config config = {
    .client_id = "mote", .keep_alive_s = 60, .authenticator = &authenticator};

static int reset(void **state)
{
    (void)state;
    memset(&mechanism, 0, sizeof mechanism);
    return 0;
}

static void greet(struct bench *b)
{
    bench_init(b, &config);
    bench_expect_idle(b);
    bench_expect_sent(
        b, "10 (00 04 'MQTT' 05 02 00 3c (27 00 00 04 00 15 00 01 'M' 16 00 05 'hello') 00 04 'mote')");
}

#define SUCCESS "20 (00 00 (15 00 01 'M' 16 00 04 'done'))"

static void exchange(void **state)
{
    struct bench b;
    (void)state;
    greet(&b);
    bench_feed(&b, "f0 (18 (15 00 01 'M' 16 00 02 'c1'))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "f0 (18 (15 00 01 'M' 16 00 03 'rc1'))");
    bench_feed(&b, "f0 (18 (15 00 01 'M'))"); /* no data either way */
    bench_expect_idle(&b);
    bench_expect_sent(&b, "f0 (18 (15 00 01 'M'))");
    bench_feed(&b, SUCCESS);
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_string_equal(mechanism.last, "done");
    assert_int_equal(mechanism.succeeded, 1);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

static void again_within_the_session(void **state)
{
    struct bench b;
    (void)state;
    greet(&b);
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_NOT_CONNECTED);
    bench_feed(&b, SUCCESS);
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    b.hold = true;
    b.ring_used = b.ring_size - 10;
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_INFLIGHT);
    bench_expect_idle(&b);
    b.ring_used = 0;
    bench_expect_idle(&b); /* as soon as there is room */
    bench_drain(&b);
    b.hold = false;
    bench_expect_sent(&b, "f0 (19 (15 00 01 'M' 16 00 05 'hello'))");
    bench_feed(&b,
               "30 04 00 01 't' 00 f0 (18 (15 00 01 'M' 16 00 01 'x'))"); /* the session goes on meanwhile */
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "f0 (18 (15 00 01 'M' 16 00 02 'rx'))");
    bench_feed(&b, "f0 (00 (15 00 01 'M'))");
    bench_expect_event(&b, MQTT_EVENT_AUTHENTICATED);
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
    bench_feed(&b, "e0 01 87"); /* refused */
    bench_expect_end(&b, MQTT_CAUSE_SERVER, 0x87);
    bench_next_attempt(&b);
    bench_feed(&b, SUCCESS);
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
    bench_free(&b);
}

/* An AUTH that can never be sent: nothing has begun, and the session goes on. */
static void too_large_to_begin(void **state)
{
    struct bench b;
    (void)state;
    greet(&b);
    bench_feed(&b, "20 (00 00 (27 00 00 00 0f 15 00 01 'M'))");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_TOO_LARGE); /* for the broker */
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_TOO_LARGE);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_feed(&b, "f0 (18 (15 00 01 'M'))"); /* nobody asked for it */
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x82);
    bench_free(&b);

    const struct mqtt_slice long_answer = {long_text, 500};
    greet(&b); /* room for 512 bytes */
    bench_feed(&b, SUCCESS);
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    mechanism.first = long_answer;
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_TOO_LARGE);
    mechanism.first.length = 512 - 9 - 13;
    b.hold = true;
    b.ring_used = 1;
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0); /* when there is room */
    b.ring_used = 0;
    bench_expect_idle(&b);
    assert_int_equal(b.ring_used, 512 - 9);
    bench_free(&b);
}

/* An answer that can never be sent ends the connection. */
static void too_large_to_go_on(void **state)
{
    struct bench b;
    (void)state;
    mechanism.next = (struct mqtt_slice){long_text, 500};
    greet(&b);
    b.wire_length = 0;
    bench_feed(&b, "f0 (18 (15 00 01 'M' 16 00 02 'c1'))");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, MQTT_REASON_IMPLEMENTATION_SPECIFIC);
    bench_expect_sent(&b, "e0 01 83");
    bench_free(&b);
}

#if MQTT_WITH_ACK_TIMEOUT
/* No step of a re-authentication may be waited for longer than any other answer. */
static void times_out(void **state)
{
    struct mqtt_config limited = config;
    (void)state;
    limited.keep_alive_s = 0;
    limited.ack_timeout_ms = 3000;
    for (unsigned steps = 0; steps < 3; steps++) {
        struct bench b;
        bench_init(&b, &limited);
        bench_expect_idle(&b);
        bench_feed(&b, SUCCESS);
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        bench_expect_idle(&b);
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), UINT32_MAX);
        if (steps == 2) {
            b.hold = true;
            b.ring_used = b.ring_size; /* not even sent */
        }
        assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
        if (steps == 1) {
            b.now_ms += 2999;
            bench_feed(&b, "f0 (18 (15 00 01 'M'))");
            bench_expect_idle(&b);
        }
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 3000);
        b.now_ms += 2999;
        bench_expect_idle(&b);
        b.now_ms++;
        bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
        assert_int_equal(b.aborts, 1);
        bench_next_attempt(&b); /* the new connection has nothing to do with it */
        bench_feed(&b, SUCCESS);
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        b.now_ms += 10000;
        bench_expect_idle(&b);
        assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
        bench_feed(&b, "f0 (00 (15 00 01 'M'))");
        bench_expect_event(&b, MQTT_EVENT_AUTHENTICATED);
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 0);
        bench_expect_idle(&b);
        assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), UINT32_MAX);
        bench_free(&b);
    }
}
#endif

static void wrong(void **state)
{
    static const struct {
        const char *first, *bytes;
        uint8_t reason;
    } rows[] = {
        {NULL, "f0 (18 (15 00 01 'N'))", 0x82},
        {NULL, "f0 (18 (15 00 02 'MM'))", 0x82},
        {NULL, "f0 (18 00)", 0x82}, /* no method */
        {NULL, "f0 00", 0x82},
        {NULL, "f0 01 18", 0x82},
        {NULL, "f1 (18 (15 00 01 'M'))", 0x81},
        {NULL, "f0 (18 (15 00 01 'M' 15 00 01 'M'))", 0x82},
        {NULL, "f0 (18 (15 00 01 'M' 16 00 09 'x'))", 0x81},
        {NULL, "f0 (18 (15 00 01 'M' 21 00 01))", 0x81},
        {NULL, "f0 (18 (15 00 01 'M') 00)", 0x81},
        {NULL, "f0 (18 (15 00 01 'M' 16 00 03 'bad'))", 0x87},
        {NULL, "f0 (00 (15 00 01 'M'))", 0x82}, /* success is the CONNACK's to tell */
        {NULL, "f0 (19 (15 00 01 'M'))", 0x82},
        {NULL, "20 03 00 00 00", 0x82},
        {NULL, "20 (00 00 (15 00 01 'N'))", 0x82},
        {NULL, "20 (00 00 (15 00 01 'M' 16 00 03 'bad'))", 0x87},
        {SUCCESS, "f0 (18 (15 00 01 'M'))", 0x82}, /* unasked */
        {SUCCESS, "f0 (00 (15 00 01 'M'))", 0x82},
    };
    struct bench b;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        greet(&b);
        if (rows[i].first != NULL) {
            bench_feed(&b, rows[i].first);
            bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        }
        bench_feed(&b, rows[i].bytes);
        bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, rows[i].reason);
        bench_next_attempt(&b);
        bench_feed(&b, SUCCESS);
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        bench_free(&b);
    }
    bench_connected(&b, &bench_config); /* not configured */
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    bench_feed(&b, "f0 (18 (15 00 01 'M'))");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x82);
    bench_free(&b);
}

static void cannot_begin(void **state)
{
    struct bench b;
    (void)state;
    mechanism.refuses_to_begin = true;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    b.now_ms += 10000;
    bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
    mechanism.refuses_to_begin = false;
    bench_next_attempt(&b);
    bench_feed(&b, SUCCESS);
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    mechanism.refuses_to_begin = true;
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    bench_free(&b);
}

static void cut_everywhere(void **state)
{
    static const char script[] = "f0 (18 (15 00 01 'M' 16 00 02 'c1'))" SUCCESS;
    uint8_t bytes[64];
    size_t length = bench_parse(script, bytes, sizeof bytes);
    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        struct bench b;
        greet(&b);
        for (size_t i = 0; i < cut; i++) {
            bench_feed_bytes(&b, bytes + i, 1);
            bench_expect_idle(&b);
        }
        bench_cut(&b);
        bench_feed_bytes(&b, bytes, length);
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        bench_free(&b);
    }
}

#if MQTT_WITH_SESSIONS
/* Who is not trusted cannot end the session either. */
static void impostor_says_there_is_no_session(void **state)
{
    struct bench b;
    const struct mqtt_config lasting = bench_keep(&config);
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    bench_init(&b, &lasting);
    bench_expect_idle(&b);
    bench_accept(&b, SUCCESS);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    bench_cut(&b);
    bench_feed(&b, "20 (01 00 (11 00 00 00 00 15 00 01 'M' 16 00 03 'bad'))");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x87);
    assert_int_equal(b.event.disconnected.lost, 0);
    bench_next_attempt(&b);
    bench_accept(&b, "20 (01 00 (15 00 01 'M' 16 00 04 'done'))");
    bench_expect_idle(&b);
    bench_expect_sent(&b, "3a 06 00 01 't' 00 01 00");
    bench_free(&b);
}
#endif

#endif

int main(void)
{
#if MQTT_WITH_AUTH
#define TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TEST(exchange),
        TEST(again_within_the_session),
        TEST(too_large_to_begin),
        TEST(too_large_to_go_on),
#if MQTT_WITH_ACK_TIMEOUT
        TEST(times_out),
#endif
        TEST(wrong),
        TEST(cannot_begin),
        TEST(cut_everywhere),
#if MQTT_WITH_SESSIONS
        TEST(impostor_says_there_is_no_session),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
