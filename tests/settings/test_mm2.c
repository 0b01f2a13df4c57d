/*
 * settings/mm2.h against a session that this file plays: it records what is
 * published and can refuse for want of room or for good. The whole way, with
 * the real engine and a real broker, is in tests/system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "settings/mm2.h"

#define PREFIX "dt/test/1"

struct values {
    bool led;
    uint32_t period;
};

static const struct settings_leaf leaves[] = {
    SETTINGS_BOOL("/led", struct values, led),
    SETTINGS_U32("/telemetry/period_ms", struct values, period, 100, 3600000),
};
static const struct settings_tree tree = {leaves, 2};

/* ---- The session ---- */

struct publication {
    char topic[200];
    char payload[300];
    char properties[300]; /* name=value; … */
    char correlation[40];
    bool retain;
    uint32_t expiry;
    uint16_t id;
};

static struct {
    struct publication log[64];
    size_t count;
    uint16_t next_id;
    int room;  /* publications that are taken before MQTT_ERROR_FULL; -1: no limit */
    int error; /* refused for good with this */
    size_t subscriptions;
    char filters[2][100];
} session;

static void join(char *to, size_t size, const struct mqtt_slice *parts, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        assert_true(length + parts[i].length < size);
        if (parts[i].length > 0)
            memcpy(to + length, parts[i].data, parts[i].length);
        length += parts[i].length;
    }
    to[length] = '\0';
}

int mqtt_publish(struct mqtt *m, const struct mqtt_publish *p, uint32_t now_ms)
{
    struct publication *entry = &session.log[session.count];

    (void)m;
    (void)now_ms;
    if (session.error != 0)
        return session.error;
    if (session.room == 0)
        return MQTT_ERROR_FULL;
    if (session.room > 0)
        session.room--;
    assert_true(session.count < 64);
    memset(entry, 0, sizeof *entry);
    join(entry->topic, sizeof entry->topic, p->topic, MQTT_TOPIC_PARTS);
    join(entry->payload, sizeof entry->payload, p->payload, MQTT_PAYLOAD_PARTS);
    join(entry->correlation, sizeof entry->correlation, &p->correlation, p->correlation.data != NULL);
    for (size_t i = 0; i < p->user_count; i++) {
        char one[128];
        const struct mqtt_slice parts[] = {p->user[i].name, MQTT_TEXT("="), p->user[i].value, MQTT_TEXT(";")};

        join(one, sizeof one, parts, 4);
        strcat(entry->properties, one);
    }
    assert_int_equal(p->qos, strcmp(entry->properties, "code=Busy;") != 0);
    assert_true(p->utf8);
    entry->retain = p->retain;
    entry->expiry = p->message_expiry_s;
    session.count++;
    if (p->qos == 0)
        return 0;
    entry->id = ++session.next_id;
    return entry->id;
}

int mqtt_subscribe(struct mqtt *m, const struct mqtt_subscription *s, size_t count, uint32_t now_ms)
{
    (void)m;
    (void)now_ms;
    if (session.room == 0)
        return MQTT_ERROR_FULL;
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        join(session.filters[i], sizeof session.filters[i], s[i].filter, MQTT_TOPIC_PARTS);
        assert_int_equal(s[i].qos, 1);
        assert_true(s[i].no_local);
    }
    assert_int_equal(s[1].retain_handling, MQTT_RETAIN_SEND_NEVER);
    session.subscriptions++;
    return ++session.next_id;
}

/* This file's messages carry their properties as an array. */
bool mqtt_next_user_property(struct mqtt_slice *properties, struct mqtt_user_property *user)
{
    if (properties->length == 0)
        return false;
    *user = *(const struct mqtt_user_property *)properties->data;
    properties->data = (const struct mqtt_user_property *)properties->data + 1;
    properties->length--;
    return true;
}

/* ---- Steps ---- */

static struct values values;
static struct mm2 mm2;

static struct mqtt_slice text(const char *string)
{
    return (struct mqtt_slice){string, strlen(string)};
}

static int pass(const struct mqtt_event *event)
{
    int changed = 99;

    (void)mm2_handle(&mm2, event, &changed);
    return changed;
}

static void poll(void)
{
    mm2_poll(&mm2, NULL, 0);
}

static void acknowledge(uint16_t id, uint8_t reason)
{
    struct mqtt_event event = {.type = MQTT_EVENT_PUBLISHED, .published = {id, reason}};

    assert_int_equal(pass(&event), -1);
}

static void connect(void)
{
    static const uint8_t granted[] = {1, 1};
    struct mqtt_event connected = {.type = MQTT_EVENT_CONNECTED};
    struct mqtt_event subscribed = {.type = MQTT_EVENT_SUBSCRIBED};

    pass(&connected);
    poll();
    subscribed.subscribed.packet_id = session.next_id;
    subscribed.subscribed.reasons = (struct mqtt_slice){granted, 2};
    assert_true(mm2_handle(&mm2, &subscribed, &(int){0}));
    poll();
}

static struct mqtt_event message(const char *topic, const char *payload)
{
    struct mqtt_event event = {.type = MQTT_EVENT_MESSAGE};

    event.message.topic = text(topic);
    event.message.payload = text(payload);
    event.message.qos = 1;
    return event;
}

static int send(const char *topic, const char *payload)
{
    struct mqtt_event event = message(topic, payload);

    return pass(&event);
}

static int request(const char *path, const char *payload, const char *correlation)
{
    char topic[200];

    snprintf(topic, sizeof topic, PREFIX "/set%s", path);
    struct mqtt_event event = message(topic, payload);
    event.message.response_topic = text("my/answers");
    if (correlation != NULL)
        event.message.correlation = text(correlation);
    return pass(&event);
}

/* The publications since the last call, checked in order. */
static size_t read_up_to;

static const struct publication *next(void)
{
    assert_true(read_up_to < session.count);
    return &session.log[read_up_to++];
}

static void assert_no_more(void)
{
    assert_int_equal(read_up_to, session.count);
}

static int setup(void **state)
{
    (void)state;
    memset(&session, 0, sizeof session);
    session.room = -1;
    read_up_to = 0;
    values = (struct values){.led = false, .period = 1000};
    mm2_init(&mm2, &tree, &values, PREFIX, 1000);
    return 0;
}

static int setup_connected(void **state)
{
    setup(state);
    connect();
    read_up_to = session.count;
    assert_true(mm2_is_settled(&mm2));
    return 0;
}

static void assert_mirror(const char *topic, const char *payload)
{
    const struct publication *p = next();

    assert_string_equal(p->topic, topic);
    assert_string_equal(p->payload, payload);
    assert_string_equal(p->properties, "auth=;");
    assert_true(p->retain);
    assert_int_equal(p->expiry, 0);
}

static void assert_answer(const char *properties, const char *correlation)
{
    const struct publication *p = next();

    assert_string_equal(p->topic, "my/answers");
    assert_string_equal(p->properties, properties);
    assert_string_equal(p->correlation, correlation);
    assert_false(p->retain);
    assert_int_equal(p->expiry, 30);
}

/* ---- Tests ---- */

static void session_starts_with_schema_mirror_subscription_alive(void **state)
{
    static const char schema[] = "{}\n{\"i\":{\"k\":\"n\",\"c\":{\"period_ms\":0}}}\n"
                                 "{\"i\":{\"k\":\"n\",\"c\":{\"led\":0,\"telemetry\":1}}}\n";
    uint32_t fnv = 2166136261u;
    char alive[100];
    const struct publication *p;

    (void)state;
    poll();
    assert_int_equal(session.count, 0);
    connect();
    p = next();
    assert_string_equal(p->topic, PREFIX "/schema/0");
    assert_string_equal(p->payload, schema);
    assert_true(p->retain);
    assert_mirror(PREFIX "/settings/led", "false");
    assert_mirror(PREFIX "/settings/telemetry/period_ms", "1000");
    assert_string_equal(session.filters[0], PREFIX "/set/#");
    assert_string_equal(session.filters[1], PREFIX "/settings/#");
    for (size_t i = 0; i < strlen(schema); i++)
        fnv = (fnv ^ (uint8_t)schema[i]) * 16777619u;
    snprintf(alive, sizeof alive, "{\"proto\":1,\"epoch\":1001,\"schema_rev\":%u,\"pages\":1}", fnv);
    p = next();
    assert_string_equal(p->topic, PREFIX "/alive");
    assert_string_equal(p->payload, alive);
    assert_true(p->retain);
    assert_no_more();
}

static void alive_waits_for_the_subscription(void **state)
{
    struct mqtt_event connected = {.type = MQTT_EVENT_CONNECTED};

    (void)state;
    pass(&connected);
    poll();
    poll();
    assert_int_equal(session.subscriptions, 1);
    assert_int_equal(session.count, 3);
    assert_false(mm2_is_settled(&mm2));
}

static void little_room_only_slows_the_start(void **state)
{
    static const uint8_t granted[] = {1, 1};
    struct mqtt_event connected = {.type = MQTT_EVENT_CONNECTED};
    struct mqtt_event subscribed = {.type = MQTT_EVENT_SUBSCRIBED};

    (void)state;
    pass(&connected);
    for (size_t i = 0; i < 3; i++) {
        session.room = 0;
        poll();
        assert_int_equal(session.count, i);
        session.room = 1;
        poll();
        assert_int_equal(session.count, i + 1);
        assert_int_equal(session.subscriptions, 0);
    }
    session.room = 1;
    poll();
    subscribed.subscribed.packet_id = session.next_id;
    subscribed.subscribed.reasons = (struct mqtt_slice){granted, 2};
    session.room = 0;
    pass(&subscribed);
    poll();
    assert_int_equal(session.count, 3);
    session.room = 1;
    poll();
    assert_string_equal(session.log[3].topic, PREFIX "/alive");
    assert_true(mm2_is_settled(&mm2));
}

static void each_full_publication_has_a_new_epoch(void **state)
{
    struct mqtt_event disconnected = {.type = MQTT_EVENT_DISCONNECTED};

    (void)state;
    pass(&disconnected);
    poll();
    assert_no_more();
    connect();
    assert_int_equal(session.count, read_up_to + 4);
    assert_non_null(strstr(session.log[session.count - 1].payload, "\"epoch\":1002,"));
}

static void a_resumed_session_only_says_alive(void **state)
{
    struct mqtt_event connected = {.type = MQTT_EVENT_CONNECTED, .connected = {.session_present = true}};

    (void)state;
    pass(&connected);
    poll();
    assert_string_equal(next()->topic, PREFIX "/alive");
    assert_no_more();
    assert_non_null(strstr(session.log[session.count - 1].payload, "\"epoch\":1001,"));
}

static void request_is_answered_after_the_mirror_is_acknowledged(void **state)
{
    (void)state;
    assert_int_equal(request("/led", "true", "c1"), 0);
    assert_true(values.led);
    poll();
    assert_mirror(PREFIX "/settings/led", "true");
    poll();
    assert_no_more();
    acknowledge(session.next_id, 0);
    poll();
    assert_answer("code=Ok;", "c1");
    assert_string_equal(session.log[session.count - 1].payload, "");
    assert_true(mm2_is_settled(&mm2));
}

static void request_without_response_topic_is_mirrored(void **state)
{
    (void)state;
    assert_int_equal(send(PREFIX "/set/telemetry/period_ms", "250"), 1);
    poll();
    assert_mirror(PREFIX "/settings/telemetry/period_ms", "250");
    assert_no_more();
    assert_int_equal(send(PREFIX "/set/telemetry/period_ms", "50"), -1);
    poll();
    assert_no_more();
    assert_int_equal(values.period, 250);
}

static void errors_are_explained(void **state)
{
    static const struct {
        const char *path, *payload, *properties;
    } cases[] = {
        {"/led", "maybe", "code=Error;kind=set;class=ValueError;error=Syntax;depth=1;"},
        {"/led", "1", "code=Error;kind=set;class=ValueError;error=Type;depth=1;"},
        {"/telemetry/period_ms", "99", "code=Error;kind=set;class=ValueError;error=Range;depth=2;"},
        {"/telemetry", "1", "code=Error;kind=set;class=KeyError;error=TooShort;depth=1;"},
        {"", "1", "code=Error;kind=set;class=KeyError;error=TooShort;depth=0;"},
        {"/telemetry/x", "1", "code=Error;kind=lookup;class=KeyError;error=NotFound;depth=1;"},
        {"/led/x", "1", "code=Error;kind=lookup;class=KeyError;error=NotFound;depth=1;"},
        {"/", "1", "code=Error;kind=lookup;class=KeyError;error=NotFound;depth=0;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(request(cases[i].path, cases[i].payload, NULL), -1);
        poll();
        assert_answer(cases[i].properties, "");
        assert_true(strlen(session.log[session.count - 1].payload) > 5);
    }
    assert_no_more();
    assert_false(values.led);
    assert_int_equal(values.period, 1000);
    assert_int_equal(mm2.statistics.refusals, sizeof cases / sizeof cases[0]);
}

static void empty_request_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(request("/led", "", "c"), -1);
    assert_int_equal(request("/nothing", "", "c"), -1);
    poll();
    assert_no_more();
}

static void too_many_requests_are_told_so(void **state)
{
    (void)state;
    assert_int_equal(request("/led", "true", "1"), 0);
    assert_int_equal(request("/telemetry/period_ms", "200", "2"), 1);
    assert_int_equal(request("/led", "false", "3"), -1);
    assert_true(values.led);
    assert_int_equal(request("/led", "false", "4"), -1);
    assert_true(values.led);
    assert_int_equal(mm2.statistics.unanswered, 1);
    poll();
    assert_int_equal(session.count, read_up_to + 3);
    for (size_t i = read_up_to; i < session.count; i++)
        if (strcmp(session.log[i].topic, "my/answers") == 0)
            assert_string_equal(session.log[i].properties, "code=Busy;");
    for (size_t i = read_up_to, sent = session.count; i < sent; i++)
        acknowledge(session.log[i].id, 0);
    poll();
    assert_int_equal(session.count, read_up_to + 5);
    assert_true(mm2_is_settled(&mm2));
    assert_int_equal(request("/led", "false", "5"), 0);
}

static void a_response_that_cannot_be_kept_changes_nothing(void **state)
{
    static char long_topic[MM2_RESPONSE_TOPIC_MAX + 2];
    struct mqtt_event event = message(PREFIX "/set/led", "true");

    (void)state;
    memset(long_topic, 'a', sizeof long_topic - 1);
    event.message.response_topic = text(long_topic);
    assert_int_equal(pass(&event), -1);
    event.message.response_topic.length = MM2_RESPONSE_TOPIC_MAX;
    event.message.correlation = (struct mqtt_slice){long_topic, MM2_CORRELATION_MAX + 1};
    assert_int_equal(pass(&event), -1);
    assert_false(values.led);
    assert_int_equal(mm2.statistics.unanswered, 2);
    event.message.correlation.length = MM2_CORRELATION_MAX;
    assert_int_equal(pass(&event), 0);
    assert_true(values.led);
}

static void mirror_refused_by_the_broker_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(request("/led", "true", "c"), 0);
    poll();
    assert_mirror(PREFIX "/settings/led", "true");
    acknowledge(session.next_id, 0x87);
    poll();
    assert_answer("code=Error;kind=publish;class=PublishError;error=Refused;depth=1;", "c");

    assert_int_equal(request("/led", "false", "d"), 0);
    session.error = MQTT_ERROR_TOO_LARGE;
    poll();
    session.error = 0;
    poll();
    assert_answer("code=Error;kind=publish;class=PublishError;error=Refused;depth=1;", "d");
    assert_int_equal(mm2.statistics.failures, 1);
}

static void plain_tools_may_write_the_mirror(void **state)
{
    (void)state;
    assert_int_equal(send(PREFIX "/settings/led", "true"), 0);
    assert_true(values.led);
    poll();
    assert_mirror(PREFIX "/settings/led", "true");
    assert_no_more();
}

/* What is retained is never a lie. */
static void plain_refused_value_is_published_right(void **state)
{
    static const char *const bad[] = {"maybe", "", "1", "[[[["};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(send(PREFIX "/settings/led", bad[i]), -1);
        poll();
        assert_mirror(PREFIX "/settings/led", "false");
    }
    assert_int_equal(send(PREFIX "/settings/other", "1"), -1);
    assert_int_equal(send(PREFIX "/settings/telemetry", "1"), -1);
    poll();
    assert_no_more();
}

static void the_mirror_itself_is_no_request(void **state)
{
    static const struct mqtt_user_property properties[] = {{MQTT_TEXT("x"), MQTT_TEXT("y")},
                                                           {MQTT_TEXT("auth"), MQTT_TEXT("")}};
    struct mqtt_event event = message(PREFIX "/settings/led", "true");

    (void)state;
    event.message.properties = (struct mqtt_slice){properties, 2};
    assert_int_equal(pass(&event), -1);
    poll();
    assert_no_more();
    assert_false(values.led);
}

static void other_topics_are_not_ours(void **state)
{
    static const char *const topics[] = {
        "",
        "x",
        PREFIX,
        PREFIX "/",
        PREFIX "/sett/led",
        PREFIX "/setting",
        "dt/test/10/set/led",
        PREFIX "/settingsx",
    };
    int changed;

    (void)state;
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        struct mqtt_event event = message(topics[i], "true");
        assert_false(mm2_handle(&mm2, &event, &changed));
        assert_int_equal(changed, -1);
    }
    poll();
    assert_no_more();
}

/* A storm of retained values after a reconnect: each leaf is published once. */
static void a_storm_is_answered_once_a_leaf(void **state)
{
    (void)state;
    for (size_t i = 0; i < 1000; i++)
        (void)send(PREFIX "/settings/led", i % 2 ? "true" : "false");
    poll();
    assert_mirror(PREFIX "/settings/led", "true");
    assert_no_more();
    assert_int_equal(mm2.statistics.changes, 1000);
}

static void own_change_is_published(void **state)
{
    (void)state;
    values.led = true;
    mm2_touch(&mm2, 0);
    session.room = 0;
    poll();
    session.room = -1;
    poll();
    assert_mirror(PREFIX "/settings/led", "true");
    assert_no_more();
}

static void nothing_is_carried_over_a_lost_session(void **state)
{
    struct mqtt_event disconnected = {.type = MQTT_EVENT_DISCONNECTED};

    (void)state;
    assert_int_equal(request("/led", "true", "c"), 0);
    pass(&disconnected);
    poll();
    assert_no_more();
    values.period = 500;
    mm2_touch(&mm2, 1);
    connect();
    next();
    assert_mirror(PREFIX "/settings/led", "true");
    assert_mirror(PREFIX "/settings/telemetry/period_ms", "500");
    assert_string_equal(next()->topic, PREFIX "/alive");
    assert_no_more();
}

static void refused_subscription_is_counted(void **state)
{
    static const uint8_t refused[] = {1, 0x87};
    struct mqtt_event connected = {.type = MQTT_EVENT_CONNECTED};
    struct mqtt_event subscribed = {.type = MQTT_EVENT_SUBSCRIBED};

    (void)state;
    pass(&connected);
    poll();
    subscribed.subscribed.packet_id = session.next_id;
    subscribed.subscribed.reasons = (struct mqtt_slice){refused, 2};
    pass(&subscribed);
    assert_int_equal(mm2.statistics.failures, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(session_starts_with_schema_mirror_subscription_alive, setup),
        cmocka_unit_test_setup(alive_waits_for_the_subscription, setup),
        cmocka_unit_test_setup(little_room_only_slows_the_start, setup),
        cmocka_unit_test_setup(each_full_publication_has_a_new_epoch, setup_connected),
        cmocka_unit_test_setup(a_resumed_session_only_says_alive, setup_connected),
        cmocka_unit_test_setup(request_is_answered_after_the_mirror_is_acknowledged, setup_connected),
        cmocka_unit_test_setup(request_without_response_topic_is_mirrored, setup_connected),
        cmocka_unit_test_setup(errors_are_explained, setup_connected),
        cmocka_unit_test_setup(empty_request_is_ignored, setup_connected),
        cmocka_unit_test_setup(too_many_requests_are_told_so, setup_connected),
        cmocka_unit_test_setup(a_response_that_cannot_be_kept_changes_nothing, setup_connected),
        cmocka_unit_test_setup(mirror_refused_by_the_broker_is_an_error, setup_connected),
        cmocka_unit_test_setup(plain_tools_may_write_the_mirror, setup_connected),
        cmocka_unit_test_setup(plain_refused_value_is_published_right, setup_connected),
        cmocka_unit_test_setup(the_mirror_itself_is_no_request, setup_connected),
        cmocka_unit_test_setup(other_topics_are_not_ours, setup_connected),
        cmocka_unit_test_setup(a_storm_is_answered_once_a_leaf, setup_connected),
        cmocka_unit_test_setup(own_change_is_published, setup_connected),
        cmocka_unit_test_setup(nothing_is_carried_over_a_lost_session, setup_connected),
        cmocka_unit_test_setup(refused_subscription_is_counted, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
