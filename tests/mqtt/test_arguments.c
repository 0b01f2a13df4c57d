/* What the user may not send is refused before anything of it is written. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_CHECKS

/* Ill-formed anywhere (1.5.4): cut off, overlong, a surrogate, beyond U+10FFFF, no lead, U+0000. */
static const char *const ill_formed[] = {
    "\xC3", "a\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "topic\x80zzz", "abcdefgh\xFFijkl", "\xE2\x82("};
enum { ILL_FORMED = sizeof ill_formed / sizeof ill_formed[0] };

static struct mqtt_slice text(const char *s)
{
    return (struct mqtt_slice){s, strlen(s)};
}

/* Row `i` of the strings that may stand nowhere. */
static struct mqtt_slice wrong_text(size_t i)
{
    return i < ILL_FORMED ? text(ill_formed[i]) : (struct mqtt_slice){"a\0b", 3};
}

static void expect_refused(struct bench *b, const struct mqtt_publish *p)
{
    assert_int_equal(mqtt_publish_size(p), SIZE_MAX);
    assert_int_equal(mqtt_publish(&b->m, p, b->now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(b->wire_length, 0);
    assert_int_equal(mqtt_quota(&b->m), MQTT_INFLIGHT_MAX);
}

static void publications(void **state)
{
    const struct mqtt_publish plain = {.topic = {TEXT("t"), TEXT("/x")}, .qos = 1};
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    for (size_t i = 0; i <= ILL_FORMED; i++) {
        const struct mqtt_slice wrong = wrong_text(i);
        const struct mqtt_user_property names = {wrong, TEXT("v")};
        const struct mqtt_user_property values[] = {{TEXT("k"), TEXT("v")}, {TEXT("k"), wrong}};
        struct mqtt_publish p = plain;
        p.topic[i % MQTT_TOPIC_PARTS] = wrong;
        expect_refused(&b, &p);
        p = plain;
        p.response_topic = wrong;
        expect_refused(&b, &p);
        p = plain;
        p.content_type = wrong;
        expect_refused(&b, &p);
        p = plain;
        p.user = &names;
        p.user_count = 1;
        expect_refused(&b, &p);
        p.user = values;
        p.user_count = 2;
        expect_refused(&b, &p);
    }
    static const char *const wild[] = {"+", "#", "a/+/b", "a/#", "long/enough/for/words/+/x"};
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        struct mqtt_publish p = plain;
        p.topic[2] = text(wild[i]); /* MQTT-3.3.2-2 */
        expect_refused(&b, &p);
        p = plain;
        p.response_topic = text(wild[i]); /* MQTT-3.3.2-14 */
        expect_refused(&b, &p);
    }
    bench_free(&b);
}

/* All that is well-formed goes, wildcards where they may stand, and bytes of any kind where no text is. */
static void what_is_right(void **state)
{
    const struct mqtt_user_property user = {TEXT("+#"), TEXT("\xF4\x8F\xBF\xBF")};
    const struct mqtt_publish p = {
        .topic = {TEXT("\xC3\xA4/"), TEXT("\xED\x9F\xBF/"), TEXT("\xEF\xBB\xBF")},
        .payload = {{"\0\xFF", 2}},
        .correlation = {"\0\xFF+", 3},
        .response_topic = TEXT("$SYS/\xE2\x82\xAC"),
        .content_type = TEXT("#+"),
        .user = &user,
        .user_count = 1,
    };
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    assert_int_equal(b.wire_length, mqtt_publish_size(&p));
    bench_free(&b);
}

static void subscriptions(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    for (size_t i = 0; i <= ILL_FORMED; i++) {
        const struct mqtt_subscription s[] = {{.filter = {TEXT("a/+/#")}},
                                              {.filter = {TEXT("a/"), wrong_text(i)}}};
        const struct mqtt_user_property user = {TEXT("k"), wrong_text(i)};
        const struct mqtt_filters filters = {.subscriptions = s, .count = 1, .user = &user, .user_count = 1};
        assert_int_equal(mqtt_subscribe(&b.m, s, 2, b.now_ms), MQTT_ERROR_ARGUMENT);
        assert_int_equal(mqtt_unsubscribe(&b.m, s, 2, b.now_ms), MQTT_ERROR_ARGUMENT);
        assert_int_equal(mqtt_subscribe_with(&b.m, &filters, b.now_ms), MQTT_ERROR_ARGUMENT);
        assert_int_equal(mqtt_unsubscribe_with(&b.m, &filters, b.now_ms), MQTT_ERROR_ARGUMENT);
        bench_expect_sent(&b, "");
    }
    bench_free(&b);
}

/* 3.4.2.1, 3.5.2.1 */
static bool is_ack_reason(unsigned reason)
{
    static const uint8_t all[] = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
    return memchr(all, (int)reason, sizeof all) != NULL;
}

static void acknowledgements(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    for (unsigned reason = 0; reason < 256; reason++) {
        const struct mqtt_closure closure = {.reason = (uint8_t)reason};
        bench_feed(&b, "32 06 00 01 't' 00 05 00");
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        bool right = is_ack_reason(reason);
        assert_int_equal(mqtt_acknowledge(&b.m, &closure, b.now_ms), right ? 0 : MQTT_ERROR_ARGUMENT);
        bench_expect_idle(&b);
        assert_int_equal(b.wire_length, right ? 6 : 4); /* otherwise the next poll does it */
        assert_int_equal(b.wire[0], 0x40);
        b.wire_length = 0;
    }
    for (size_t i = 0; i <= ILL_FORMED; i++) {
        const struct mqtt_closure closure = {.reason = 0x97, .reason_string = wrong_text(i)};
        bench_feed(&b, "32 06 00 01 't' 00 05 00");
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        assert_int_equal(mqtt_acknowledge(&b.m, &closure, b.now_ms), MQTT_ERROR_ARGUMENT);
        bench_expect_idle(&b);
        bench_expect_sent(&b, "40 02 00 05");
    }
    bench_free(&b);
}

/* It has to go all the same, with the reason alone. */
static void disconnect(void **state)
{
    const struct mqtt_closure closure = {.reason = 4, .reason_string = wrong_text(0)};
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    mqtt_disconnect_with(&b.m, &closure, b.now_ms);
    bench_expect_sent(&b, "e0 01 04");
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publications),     cmocka_unit_test(what_is_right), cmocka_unit_test(subscriptions),
        cmocka_unit_test(acknowledgements), cmocka_unit_test(disconnect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
