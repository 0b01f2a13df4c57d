/* Enhanced authentication held against a broker that bends its rules (4.12). */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_AUTH

/* What the mechanism does at each kind of step, and how often it was asked. */
static int results[3];
static unsigned asked[3];
static struct mqtt_slice answers[3];

static int step(void *context, enum mqtt_auth_step which, struct mqtt_slice data, struct mqtt_slice *answer)
{
    (void)context;
    (void)data;
    asked[which]++;
    *answer = answers[which];
    return results[which];
}

static const struct mqtt_authenticator authenticator = {.method = "MET", .step = step};
static const struct mqtt_config config = {
    .client_id = "mote", .keep_alive_s = 60, .authenticator = &authenticator};

#define METHOD  "15 00 03 'MET' "
#define SUCCESS "20 (00 00 (" METHOD "))"

static int reset(void **state)
{
    (void)state;
    memset(results, 0, sizeof results);
    memset(asked, 0, sizeof asked);
    memset(answers, 0, sizeof answers);
    return 0;
}

static void expect_wrong(struct bench *b, const char *packet, uint8_t reason)
{
    bench_feed(b, packet);
    bench_expect_end(b, MQTT_CAUSE_PROTOCOL, reason);
    bench_free(b);
}

/* MQTT-4.12.0-5: the whole method, not the beginning of it, nor one that begins with it. */
static void method_is_just_ours(void **state)
{
    static const char *const packets[] = {
        "20 (00 00 (15 00 02 'ME'))", "20 (00 00 (15 00 04 'METH'))", "20 (00 00 (15 00 00))",
        "20 (00 00 (16 00 01 'd'))",  "f0 (18 (15 00 02 'ME'))",      "f0 (18 (15 00 04 'METH'))",
        "f0 (18 (15 00 03 'MEt'))",
    };
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct bench b;
        bench_init(&b, &config);
        bench_expect_idle(&b);
        expect_wrong(&b, packets[i], MQTT_REASON_PROTOCOL_ERROR);
    }
    assert_int_equal(asked[MQTT_AUTH_SUCCESS], 0);
}

/* MQTT-4.12.0-6, 3.2.2.3.18: neither a method nor data alone for those who have not asked. */
static void nothing_for_those_who_did_not_ask(void **state)
{
    static const char *const packets[] = {
        "20 (00 00 (15 00 03 'MET'))",
        "20 (00 00 (16 00 01 'd'))",
        "20 (00 00 (15 00 03 'MET' 16 00 01 'd'))",
    };
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct bench b;
        bench_init(&b, &bench_config);
        bench_expect_idle(&b);
        expect_wrong(&b, packets[i], MQTT_REASON_PROTOCOL_ERROR);
    }
}

/* Data that is empty is data all the same. */
static void empty_data(void **state)
{
    struct bench b;
    (void)state;
    answers[MQTT_AUTH_BEGIN] = TEXT("");
    bench_init(&b, &config);
    bench_expect_idle(&b);
    bench_expect_sent(&b,
                      "10 (00 04 'MQTT' 05 02 00 3c (27 00 00 04 00 15 00 03 'MET' 16 00 00) 00 04 'mote')");
    bench_free(&b);
}

/* Who cannot begin says nothing, whatever comes and whatever the user does, until the time is up. */
static void without_a_beginning(void **state)
{
    struct bench b;
    const struct mqtt_closure closure = {.reason = 0};
    (void)state;
    results[MQTT_AUTH_BEGIN] = -1;
    for (unsigned i = 0; i < 3; i++) {
        bench_init(&b, &config);
        bench_expect_idle(&b);
        bench_feed(&b, SUCCESS);
        bench_expect_idle(&b);
        assert_false(mqtt_is_connected(&b.m));
        if (i == 0) {
            b.now_ms += 10000;
            bench_expect_end(&b, MQTT_CAUSE_TIMEOUT, 0);
        } else if (i == 1) {
            mqtt_disconnect(&b.m, 0, b.now_ms);
            bench_expect_end(&b, MQTT_CAUSE_USER, 0);
        } else {
            mqtt_disconnect_with(&b.m, &closure, b.now_ms);
            bench_expect_end(&b, MQTT_CAUSE_USER, 0);
        }
        bench_expect_sent(&b, "");
        bench_free(&b);
    }
}

static void connected(struct bench *b)
{
    bench_init(b, &config);
    bench_connect(b, SUCCESS);
}

/* MQTT-4.12.1-2: we do not trust what the broker says at the end. */
static void success_is_judged_again(void **state)
{
    struct bench b;
    (void)state;
    connected(&b);
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
    results[MQTT_AUTH_SUCCESS] = -1;
    expect_wrong(&b, "f0 (00 (" METHOD "))", MQTT_REASON_NOT_AUTHORIZED);
}

/* 3.15.2.1: only a client says 0x19; other codes are none of AUTH. */
static void codes_of_a_server(void **state)
{
    static const char *const packets[] = {"f0 (19 (" METHOD "))", "f0 (01 (" METHOD "))",
                                          "f0 (80 (" METHOD "))"};
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct bench b;
        connected(&b);
        assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
        expect_wrong(&b, packets[i], MQTT_REASON_PROTOCOL_ERROR);
    }
}

/* An AUTH that had no room belongs to the connection that has ended. */
static void waiting_answer_ends_with_its_connection(void **state)
{
    struct bench b;
    (void)state;
    connected(&b);
    b.ring_used = b.ring_size;
    b.hold = true;
    assert_int_equal(mqtt_reauthenticate(&b.m, b.now_ms), 0);
    bench_expect_idle(&b);
    bench_cut(&b);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "10 (00 04 'MQTT' 05 02 00 3c (27 00 00 04 00 15 00 03 'MET') 00 04 'mote')");
    bench_feed(&b, SUCCESS);
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    expect_wrong(&b, "f0 (18 (" METHOD "))", MQTT_REASON_PROTOCOL_ERROR);
}

#endif

int main(void)
{
#if MQTT_WITH_AUTH
#define TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TEST(method_is_just_ours),
        TEST(nothing_for_those_who_did_not_ask),
        TEST(empty_data),
        TEST(without_a_beginning),
        TEST(success_is_judged_again),
        TEST(codes_of_a_server),
        TEST(waiting_answer_ends_with_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
