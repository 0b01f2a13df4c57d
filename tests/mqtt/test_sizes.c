/* What is empty, absent, as small or as large as can be, in packets of ours. */
#include "bench.h"

#include <string.h>

enum { VARINT_MAX = 268435455, STRING_MAX = 65535 };

static char letters[STRING_MAX + 1];

static int fill(void **state)
{
    (void)state;
    memset(letters, 'x', sizeof letters);
    return 0;
}

static struct mqtt_slice of(size_t length)
{
    return (struct mqtt_slice){letters, length};
}

/* ---- PUBLISH ---- */

static void publish(struct bench *b, const struct mqtt_publish *p, const char *bytes)
{
    assert_int_equal(mqtt_publish(&b->m, p, b->now_ms), 0);
    bench_expect_sent(b, bytes);
}

/* Correlation data may be empty; a Response Topic and a Content Type that are so are none. */
static void empty_properties(void **state)
{
    struct bench b;
    struct mqtt_publish p = {.topic = {TEXT("t")}, .response_topic = {letters, 0}};
    (void)state;
    bench_connected(&b, &bench_config);
    publish(&b, &p, "30 (00 01 't' 00)");
    p.correlation = of(0);
    publish(&b, &p, "30 (00 01 't' (09 00 00))");
    p.correlation.data = NULL;
    p.message_expiry_s = 1;
    publish(&b, &p, "30 (00 01 't' (02 00 00 00 01))");
#if MQTT_WITH_PROPERTIES
    p.message_expiry_s = 0;
    p.content_type = of(0);
    publish(&b, &p, "30 (00 01 't' 00)");
#endif
    bench_free(&b);
}

/* MQTT-4.7.3-3 and its like: 65535 bytes, and not one more. */
static void longest_strings(void **state)
{
    const struct mqtt_user_property names[] = {{of(STRING_MAX), of(0)}, {of(STRING_MAX + 1), of(0)}};
    const struct mqtt_user_property values[] = {{of(0), of(STRING_MAX)}, {of(0), of(STRING_MAX + 1)}};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct mqtt_publish cases[] = {
            {.topic = {of(STRING_MAX + i)}},
            {.topic = {of(1), of(STRING_MAX - 1 + i)}},
            {.topic = {of(1)}, .response_topic = of(STRING_MAX + i)},
            {.topic = {of(1)}, .correlation = of(STRING_MAX + i)},
            {.topic = {of(1)}, .user = &names[i], .user_count = 1},
            {.topic = {of(1)}, .user = &values[i], .user_count = 1},
#if MQTT_WITH_PROPERTIES
            {.topic = {of(1)}, .content_type = of(STRING_MAX + i)},
#endif
        };
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            size_t size = mqtt_publish_size(&cases[k]);
            if (i == 0)
                assert_in_range(size, STRING_MAX + 7, STRING_MAX + 20);
            else
                assert_true(size == SIZE_MAX);
        }
    }
}

#if MQTT_WITH_STREAMING
static int nothing_now(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    (void)offset;
    (void)to;
    (void)length;
    return 0;
}

/* A Remaining Length of four bytes of 7 bits each, and not one more. */
static void longest_packet(void **state)
{
    struct mqtt_publish p = {.topic = {TEXT("t")}, .source = nothing_now};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct bench b;
        p.source_length = i < 2 ? VARINT_MAX - 4 + i : UINT32_MAX;
        bench_connected(&b, &bench_config);
        assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), i == 0 ? 0 : MQTT_ERROR_ARGUMENT);
        bench_expect_sent(&b, i == 0 ? "30 ff ff ff 7f 00 01 't' 00" : "");
        assert_true(mqtt_publish_size(&p) == (i == 0 ? (size_t)VARINT_MAX + 5 : SIZE_MAX));
        bench_free(&b);
    }
}
#endif

/* Slots are taken in turn, and the id 0 is passed over: also when the one place that is free lies behind it.
 */
static void last_place_behind_id_0(void **state)
{
    struct bench b;
    const struct mqtt_publish p = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    bench_connected(&b, &bench_config);
    for (unsigned id = 1; id <= 0xFFFF; id++) {
        uint8_t puback[] = {0x40, 2, (uint8_t)(id >> 8), (uint8_t)id};
        assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), id);
        b.wire_length = 0;
        if (id > 0xFFFF - MQTT_INFLIGHT_MAX + 1)
            continue;
        bench_feed_bytes(&b, puback, sizeof puback);
        bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
        bench_expect_idle(&b);
    }
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), MQTT_INFLIGHT_MAX);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), MQTT_ERROR_INFLIGHT);
    bench_free(&b);
}

/* ---- SUBSCRIBE, UNSUBSCRIBE ---- */

static void filters_and_options(void **state)
{
    static struct mqtt_subscription many[256];
    const struct mqtt_subscription retain_handling = {.filter = {TEXT("f")}, .retain_handling = 3};
    struct bench b;
    (void)state;
    for (size_t i = 0; i < 256; i++)
        many[i].filter[0] = of(1);
    bench_connected(&b, &bench_config);
    b.ring_size = sizeof b.ring;
    b.state = MQTT_TRANSPORT_CLOSED; /* so that the engine sees the larger buffer */
    bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
    bench_next_attempt(&b);
    bench_feed(&b, "20 03 00 00 00");
    bench_expect_event(&b, MQTT_EVENT_CONNECTED);
    bench_expect_idle(&b);
    assert_int_equal(mqtt_subscribe(&b.m, many, 256, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_unsubscribe(&b.m, many, 256, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_subscribe(&b.m, many, 0, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_unsubscribe(&b.m, many, 0, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_subscribe(&b.m, &retain_handling, 1, b.now_ms), MQTT_ERROR_ARGUMENT);
    b.wire_length = 0;
    assert_true(mqtt_subscribe(&b.m, many, 255, b.now_ms) > 0);
    assert_int_equal(b.wire_length, 1 + 2 + 3 + 255 * 4);
    bench_free(&b);
}

#if MQTT_WITH_PROPERTIES
/* Each filter is looked at, not the first alone; to unsubscribe is always allowed. */
static void what_the_broker_has_not(void **state)
{
    const struct mqtt_subscription list[] = {
        {.filter = {TEXT("a")}}, {.filter = {TEXT("b/+")}}, {.filter = {TEXT("$share/x/y")}}};
    struct bench b;
    (void)state;
    bench_init(&b, &bench_config);
    bench_connect(&b, "20 (00 00 (28 00 2a 00))");
    assert_int_equal(mqtt_subscribe(&b.m, list, 2, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    assert_int_equal(mqtt_subscribe(&b.m, list + 1, 1, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    assert_int_equal(mqtt_subscribe(&b.m, list + 2, 1, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    assert_true(mqtt_subscribe(&b.m, list, 1, b.now_ms) > 0);
    assert_true(mqtt_unsubscribe(&b.m, list, 3, b.now_ms) > 0);
    bench_free(&b);
}

#if MQTT_WITH_V311
static void no_identifiers_in_3_1_1(void **state)
{
    static const struct mqtt_config config = {.client_id = "mote", .version = 4};
    const struct mqtt_subscription s = {.filter = {TEXT("a")}};
    const struct mqtt_filters filters = {.subscriptions = &s, .count = 1, .identifier = 1};
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_connect(&b, "20 02 00 00");
    assert_int_equal(mqtt_subscribe_with(&b.m, &filters, b.now_ms), MQTT_ERROR_UNAVAILABLE);
    bench_expect_sent(&b, "");
    bench_free(&b);
}
#endif
#endif

/* ---- CONNECT ---- */

static void expect_connect(const struct mqtt_config *config, const char *bytes)
{
    struct bench b;
    bench_init(&b, config);
    bench_expect_idle(&b);
    bench_expect_sent(&b, bytes);
    bench_free(&b);
}

/* MQTT-3.1.2-19: a password that is empty is there all the same. */
static void empty_password(void **state)
{
    const struct mqtt_config config = {.client_id = "mote", .user_name = "u", .password = {"", 0}};
    (void)state;
    expect_connect(&config, "10 (00 04 'MQTT' 05 c2 00 00 (27 00 00 04 00) 00 04 'mote' 00 01 'u' 00 00)");
}

#if MQTT_WITH_PROPERTIES
static void will_of_the_smallest_values(void **state)
{
    const struct mqtt_will will = {
        .topic = {TEXT("w")}, .delay_s = 1, .message_expiry_s = 1, .correlation = {"", 0}};
    const struct mqtt_config config = {.client_id = "mote", .will = &will};
    (void)state;
    expect_connect(&config, "10 (00 04 'MQTT' 05 06 00 00 (27 00 00 04 00) 00 04 'mote' "
                            "(18 00 00 00 01 02 00 00 00 01 09 00 00) 00 01 'w' 00 00)");
}

/* The assigned client id may fill its place to the last byte. */
static void assigned_id_that_just_fits(void **state)
{
    (void)state;
    for (unsigned length = 4; length <= 5; length++) {
        uint8_t id[5] = "----!";
        const struct mqtt_config config = {.client_id = "", .assigned_id = {id, 4}};
        struct bench b;
        bench_init(&b, &config);
        bench_connect(&b, length == 4 ? "20 (00 00 (12 00 04 'abcd'))" : "20 (00 00 (12 00 05 'abcde'))");
        assert_memory_equal(id, length == 4 ? "abcd!" : "----!", 5);
        bench_cut(&b);
        bench_expect_sent(&b, length == 4 ? "10 (00 04 'MQTT' 05 02 00 00 (27 00 00 04 00) 00 04 'abcd')"
                                          : "10 (00 04 'MQTT' 05 02 00 00 (27 00 00 04 00) 00 00)");
        bench_free(&b);
    }
}
#endif

#if MQTT_WITH_ALIASES
static void one_alias(void **state)
{
    static uint8_t memory[2 + 8];
    const struct mqtt_config config = {
        .client_id = "mote", .alias_memory = memory, .alias_topic_bytes = 8, .alias_maximum = 1};
    (void)state;
    expect_connect(&config, "10 (00 04 'MQTT' 05 02 00 00 (22 00 01 27 00 00 04 00) 00 04 'mote')");
}
#endif

#if MQTT_WITH_SESSIONS
static void session_of_a_second(void **state)
{
    static uint8_t memory[64];
    struct mqtt_ram_store ram;
    const struct mqtt_config config = {.client_id = "mote", .session_expiry_s = 1, .store = &ram.store};
    (void)state;
    mqtt_ram_store_init(&ram, memory, sizeof memory);
    expect_connect(&config, "10 (00 04 'MQTT' 05 02 00 00 (11 00 00 00 01 27 00 00 04 00) 00 04 'mote')");
}
#endif

#if MQTT_WITH_STREAMING
/* What the buffer takes whole is taken whole, whatever less is configured. */
static void largest_packet_announced(void **state)
{
    static const struct {
        uint32_t configured;
        const char *bytes;
    } cases[] = {
        {0, "27 00 00 04 00"}, {100, "27 00 00 04 00"}, {1024, "27 00 00 04 00"}, {1025, "27 00 00 04 01"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mqtt_config config = {.client_id = "m", .maximum_packet_size = cases[i].configured};
        char text[96] = "10 (00 04 'MQTT' 05 02 00 00 (";
        strcat(strcat(text, cases[i].bytes), ") 00 01 'm')");
        expect_connect(&config, text);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_properties),
        cmocka_unit_test(longest_strings),
#if MQTT_WITH_STREAMING
        cmocka_unit_test(longest_packet),
#endif
        cmocka_unit_test(last_place_behind_id_0),
        cmocka_unit_test(filters_and_options),
#if MQTT_WITH_PROPERTIES
        cmocka_unit_test(what_the_broker_has_not),
#if MQTT_WITH_V311
        cmocka_unit_test(no_identifiers_in_3_1_1),
#endif
#endif
        cmocka_unit_test(empty_password),
#if MQTT_WITH_PROPERTIES
        cmocka_unit_test(will_of_the_smallest_values),
        cmocka_unit_test(assigned_id_that_just_fits),
#endif
#if MQTT_WITH_ALIASES
        cmocka_unit_test(one_alias),
#endif
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(session_of_a_second),
#endif
#if MQTT_WITH_STREAMING
        cmocka_unit_test(largest_packet_announced),
#endif
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
