/*
 * settings/mm2.h with a tree of many leaves and a schema of several pages, against a session that plays the
 * broker's part: what stands in each publication, what happens between, and which acknowledgement is whose.
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

enum { LEAVES = MM2_LEAVES_MAX, LOG = 256, GROUP = 16 };

struct values {
    uint32_t number[LEAVES];
};

static char paths[LEAVES][32];
static struct settings_leaf leaves[LEAVES];
static const struct settings_tree tree = {leaves, LEAVES};

/* ---- The session ---- */

struct publication {
    char topic[64], payload[MM2_PAGE_MAX + 1];
    size_t payload_length, users;
    char code[8];
    bool retain, has_correlation;
    size_t correlation_length;
    unsigned qos;
    uint16_t id;
};

static struct {
    struct publication log[LOG];
    size_t count;
    uint16_t last_id, subscribe_id;
    int room;            /* publications that are taken before `error` */
    int error;           /* returned then */
    size_t payload_room; /* larger ones find no room */
} session;

static size_t join(char *to, size_t size, const struct mqtt_slice *parts, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(length + parts[i].length < size);
        if (parts[i].length > 0)
            memcpy(to + length, parts[i].data, parts[i].length);
        length += parts[i].length;
    }
    to[length] = '\0';
    return length;
}

int mqtt_publish(struct mqtt *m, const struct mqtt_publish *p, uint32_t now_ms)
{
    struct publication *entry = &session.log[session.count];
    (void)m;
    (void)now_ms;
    if (session.room == 0)
        return session.error;
    if (p->payload[0].length > session.payload_room)
        return MQTT_ERROR_FULL;
    session.room--;
    assert_true(session.count < LOG);
    memset(entry, 0, sizeof *entry);
    (void)join(entry->topic, sizeof entry->topic, p->topic, MQTT_TOPIC_PARTS);
    entry->payload_length = join(entry->payload, sizeof entry->payload, p->payload, MQTT_PAYLOAD_PARTS);
    entry->retain = p->retain;
    entry->users = p->user_count;
    entry->has_correlation = p->correlation.data != NULL;
    entry->correlation_length = p->correlation.length;
    entry->qos = p->qos;
    if (p->user_count > 0)
        (void)join(entry->code, sizeof entry->code, &p->user[0].value, 1);
    session.count++;
    entry->id = p->qos > 0 ? ++session.last_id : 0;
    return entry->id;
}

int mqtt_subscribe(struct mqtt *m, const struct mqtt_subscription *s, size_t count, uint32_t now_ms)
{
    (void)m;
    (void)s;
    (void)now_ms;
    assert_int_equal(count, 2);
    return session.subscribe_id = ++session.last_id;
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

static void poll(void)
{
    mm2_poll(&mm2, NULL, 0);
}

static int pass(const struct mqtt_event *event)
{
    int changed = 99;
    (void)mm2_handle(&mm2, event, &changed);
    return changed;
}

static int setup(void **state)
{
    (void)state;
    memset(&session, 0, sizeof session);
    session.room = -1;
    session.payload_room = SIZE_MAX;
    for (size_t i = 0; i < LEAVES; i++) {
        snprintf(paths[i], sizeof paths[i], "/group_%zu/a_long_name_%02zu", i / GROUP, i);
        leaves[i] = (struct settings_leaf){.path = paths[i],
                                           .offset = (uint16_t)(offsetof(struct values, number) + 4 * i),
                                           .type = SETTINGS_TYPE_U32,
                                           .maximum = UINT32_MAX};
        values.number[i] = (uint32_t)i;
    }
    return 0;
}

/* A tree of so many leaves: of all, the schema's lines would be longer than a page. */
static struct settings_tree part;

static void init(size_t leaf_count)
{
    part = (struct settings_tree){leaves, leaf_count};
    mm2_init(&mm2, &part, &values, PREFIX, 1000);
}

static void suback(uint16_t id, uint8_t first, uint8_t second)
{
    const uint8_t reasons[] = {first, second};
    struct mqtt_event event = {.type = MQTT_EVENT_SUBSCRIBED};
    event.subscribed.packet_id = id;
    event.subscribed.reasons = (struct mqtt_slice){reasons, 2};
    (void)pass(&event);
}

static void connect(bool present)
{
    const struct mqtt_event event = {.type = MQTT_EVENT_CONNECTED, .connected = {present}};
    (void)pass(&event);
    poll();
}

static void served(size_t leaf_count)
{
    init(leaf_count);
    connect(false);
    suback(session.subscribe_id, 1, 1);
    poll();
    assert_true(mm2_is_settled(&mm2));
    session.count = 0;
}

static void puback(uint16_t id, uint8_t reason)
{
    const struct mqtt_event event = {.type = MQTT_EVENT_PUBLISHED, .published = {id, reason}};
    (void)pass(&event);
    poll();
}

static struct mqtt_event message(const char *topic, const char *payload)
{
    struct mqtt_event event = {.type = MQTT_EVENT_MESSAGE};
    event.message.topic = (struct mqtt_slice){topic, strlen(topic)};
    event.message.payload = (struct mqtt_slice){payload, strlen(payload)};
    return event;
}

static int request(size_t leaf, const char *payload, const struct mqtt_slice *correlation)
{
    char topic[64];
    snprintf(topic, sizeof topic, PREFIX "/set%s", paths[leaf]);
    struct mqtt_event event = message(topic, payload);
    event.message.response_topic = (struct mqtt_slice)MQTT_TEXT("answers");
    if (correlation != NULL)
        event.message.correlation = *correlation;
    return pass(&event);
}

static const struct publication *only(void)
{
    assert_int_equal(session.count, 1);
    session.count = 0;
    return &session.log[0];
}

static void expect_mirror(const struct publication *p, size_t leaf, const char *payload)
{
    char topic[64];
    snprintf(topic, sizeof topic, PREFIX "/settings%s", paths[leaf]);
    assert_string_equal(p->topic, topic);
    assert_string_equal(p->payload, payload);
    assert_true(p->retain);
    assert_int_equal(p->users, 1);
}

/* ---- The start ---- */

enum { PAGED = 20 }; /* leaves of a schema that takes more than one page, each line less than that */

static int setup_paged(void **state)
{
    setup(state);
    for (size_t i = 0; i < LEAVES; i++)
        snprintf(paths[i], sizeof paths[i], "/group_%zu/long_name_%02zu", i / 5, i);
    return 0;
}

/* Whole lines, pages numbered, as many as the manifest says, and its schema_rev over all of them. */
static void schema_of_several_pages(void **state)
{
    char number[16], rev[24], pages[24], lines[1200] = "", expected[1200] = "";
    uint32_t hash = 2166136261u;
    size_t at = 0;
    (void)state;
    init(PAGED);
    connect(false);
    for (; strncmp(session.log[at].topic, PREFIX "/schema/", sizeof PREFIX "/schema/" - 1) == 0; at++) {
        const struct publication *p = &session.log[at];
        snprintf(number, sizeof number, "%zu", at);
        assert_string_equal(p->topic + sizeof PREFIX "/schema/" - 1, number);
        assert_true(p->retain);
        assert_int_equal(p->users, 0);
        assert_int_equal(p->payload[p->payload_length - 1], '\n');
        for (size_t i = 0; i < p->payload_length; i++)
            hash = (hash ^ (uint8_t)p->payload[i]) * 16777619u;
        strcat(lines, p->payload);
    }
    assert_in_range(at, 2, 9);
    for (size_t id = 0; id < settings_schema_lines(&part); id++) {
        char line[SETTINGS_SCHEMA_LINE_MAX + 1] = "";
        assert_true(settings_schema_line(&part, id, line, sizeof line - 1) > 0);
        strcat(expected, line);
    }
    assert_string_equal(lines, expected);
    for (size_t leaf = 0; leaf < PAGED; leaf++) {
        snprintf(number, sizeof number, "%zu", leaf);
        expect_mirror(&session.log[at + leaf], leaf, number);
    }
    assert_int_equal(session.count, at + PAGED);
    session.count = 0;
    suback(session.subscribe_id, 1, 1);
    poll();
    const struct publication *alive = only();
    snprintf(rev, sizeof rev, "\"schema_rev\":%u,", hash);
    snprintf(pages, sizeof pages, "\"pages\":%zu}", at);
    assert_string_equal(alive->topic, PREFIX "/alive");
    assert_non_null(strstr(alive->payload, rev));
    assert_non_null(strstr(alive->payload, pages));
    assert_int_equal(alive->users, 0); /* `auth` marks values alone */
    assert_true(alive->retain);
}

/* A line that just fits the page is on it. */
static void line_that_just_fits(void **state)
{
    char line[SETTINGS_SCHEMA_LINE_MAX];
    (void)state;
    init(PAGED);
    size_t length = settings_schema_line(&part, 1, line, sizeof line);
    assert_true(length > 0);
    assert_int_equal(settings_schema_line(&part, 1, line, length), length);
    assert_int_equal(settings_schema_line(&part, 1, line, length - 1), 0);
}

/* Pages come before values, even where a value would find the room that a page does not. */
static void nothing_overtakes_the_start(void **state)
{
    (void)state;
    init(PAGED);
    session.payload_room = 20;
    connect(false);
    assert_int_equal(session.count, 0);
    mm2_touch(&mm2, 3);
    poll();
    assert_int_equal(session.count, 0);
    assert_false(mm2_is_settled(&mm2));
    session.payload_room = SIZE_MAX;
    poll();
    assert_non_null(strstr(session.log[0].topic, "/schema/0"));
}

/* Whatever passes is waited for: room, a place among what is in flight, the session itself. */
static void what_passes_is_waited_for(void **state)
{
    static const int errors[] = {MQTT_ERROR_FULL, MQTT_ERROR_INFLIGHT, MQTT_ERROR_NOT_CONNECTED};
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        setup(NULL);
        served(3);
        session.room = 0;
        session.error = errors[i];
        mm2_touch(&mm2, 2);
        poll();
        assert_int_equal(session.count, 0);
        assert_false(mm2_is_settled(&mm2));
        assert_int_equal(mm2.statistics.failures, 0);
        session.room = -1;
        poll();
        expect_mirror(only(), 2, "2");
        assert_true(mm2_is_settled(&mm2));
    }
}

/* What else has no room now stays as well; what can never be sent is counted, and done with. */
static void what_does_not_pass_is_counted(void **state)
{
    (void)state;
    served(3);
    session.room = 0;
    session.error = MQTT_ERROR_TOO_LARGE;
    mm2_touch(&mm2, 1);
    poll();
    assert_int_equal(mm2.statistics.failures, 1);
    assert_true(mm2_is_settled(&mm2));
}

/* A session that begins anew publishes everything once, not what was waiting in the last one besides. */
static void nothing_waits_over_a_new_session(void **state)
{
    const struct mqtt_event ended = {.type = MQTT_EVENT_DISCONNECTED};
    (void)state;
    served(3);
    session.room = 0;
    session.error = MQTT_ERROR_FULL;
    mm2_touch(&mm2, 1);
    poll();
    (void)pass(&ended);
    poll();
    mm2_touch(&mm2, 2);
    session.room = -1;
    connect(false);
    size_t pages = session.count - 3;
    for (size_t leaf = 0; leaf < 3; leaf++)
        assert_non_null(strstr(session.log[pages + leaf].topic, paths[leaf]));
    suback(session.subscribe_id, 1, 1);
    session.count = 0;
    poll();
    assert_string_equal(only()->topic, PREFIX "/alive");
}

/* Each bit of 64 stands for its own leaf. */
static void many_leaves(void **state)
{
    (void)state;
    mm2_init(&mm2, &tree, &values, PREFIX, 1000); /* the schema's lines are too long: no pages */
    connect(true);
    session.count = 0;
    for (size_t leaf = 0; leaf < LEAVES; leaf++) {
        char number[16];
        snprintf(number, sizeof number, "%zu", leaf);
        mm2_touch(&mm2, leaf);
        poll();
        expect_mirror(only(), leaf, number);
    }
}

/* ---- Acknowledgements ---- */

/* Only the answer to our own SUBSCRIBE, and only while it is awaited. */
static void suback_is_ours(void **state)
{
    (void)state;
    init(3);
    connect(false);
    session.count = 0;
    suback((uint16_t)(session.subscribe_id + 1), 1, 1);
    poll();
    assert_int_equal(session.count, 0);
    suback(session.subscribe_id, 0x80, 0x7F);
    poll();
    assert_string_equal(only()->topic, PREFIX "/alive");
    assert_int_equal(mm2.statistics.failures, 1);
    suback(session.subscribe_id, 1, 1);
    poll();
    assert_int_equal(session.count, 0); /* no second manifest */
}

/* Two requests under way: each is answered after its own PUBACK, by its own result. */
static void puback_is_the_requests_own(void **state)
{
    const struct mqtt_slice first = {"1", 1}, second = {"22", 2};
    (void)state;
    served(3);
    assert_int_equal(request(0, "70", &first), 0);
    assert_int_equal(request(1, "71", &second), 1);
    poll();
    assert_int_equal(session.count, 2);
    size_t at = strcmp(session.log[0].payload, "70") == 0 ? 0 : 1; /* in either order */
    expect_mirror(&session.log[at], 0, "70");
    expect_mirror(&session.log[1 - at], 1, "71");
    uint16_t of_first = session.log[at].id, of_second = session.log[1 - at].id;
    session.count = 0;
    puback((uint16_t)(of_second + 100), 0);
    assert_int_equal(session.count, 0);
    puback(of_second, 0x10); /* no matching subscribers is no refusal */
    const struct publication *answer = only();
    assert_string_equal(answer->code, "Ok");
    assert_int_equal(answer->correlation_length, 2);
    puback(of_first, 0x80);
    answer = only();
    assert_string_equal(answer->code, "Error");
    assert_int_equal(answer->correlation_length, 1);
    assert_true(mm2_is_settled(&mm2));
}

/* Correlation data that is empty comes back empty; none comes back as none. */
static void correlation_as_it_came(void **state)
{
    const struct mqtt_slice cases[] = {{NULL, 0}, {"", 0}, {"x", 1}};
    (void)state;
    served(3);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(request(0, "5", &cases[i]), 0);
        poll();
        puback(session.log[0].id, 0);
        assert_int_equal(session.count, 2);
        assert_int_equal(session.log[1].has_correlation, cases[i].data != NULL);
        assert_int_equal(session.log[1].correlation_length, cases[i].length);
        session.count = 0;
    }
    assert_int_equal(mm2.statistics.changes, 3);
    assert_int_equal(mm2.statistics.refusals, 0);
}

/* With one place left the answer is Busy: counted, and nothing changes. */
static void busy_is_counted(void **state)
{
    (void)state;
    served(3);
    session.room = 0;
    session.error = MQTT_ERROR_FULL;
    for (unsigned i = 0; i < MM2_ANSWERS_MAX; i++)
        assert_int_equal(request(0, "9", NULL), i + 1 < MM2_ANSWERS_MAX ? 0 : -1);
    assert_int_equal(mm2.statistics.changes, MM2_ANSWERS_MAX - 1);
    assert_int_equal(mm2.statistics.refusals, 1);
}

/* ---- Messages ---- */

/* `auth` by its name, not by its length, and wherever it stands among the properties. */
static void auth_by_its_name(void **state)
{
    static const struct mqtt_user_property blah[] = {{MQTT_TEXT("blah"), MQTT_TEXT("")}};
    static const struct mqtt_user_property two[] = {{MQTT_TEXT("a"), MQTT_TEXT("")},
                                                    {MQTT_TEXT("auth"), MQTT_TEXT("")}};
    char topic[64];
    (void)state;
    served(3);
    snprintf(topic, sizeof topic, PREFIX "/settings%s", paths[1]);
    struct mqtt_event event = message(topic, "8");
    event.message.properties = (struct mqtt_slice){two, 2};
    assert_int_equal(pass(&event), -1);
    poll();
    assert_int_equal(session.count, 0);
    event.message.properties = (struct mqtt_slice){blah, 1};
    assert_int_equal(pass(&event), 1);
    poll();
    expect_mirror(only(), 1, "8");
}

/* A topic ends with its slice. */
static void topic_that_ends_early(void **state)
{
    char topic[64];
    (void)state;
    served(3);
    snprintf(topic, sizeof topic, PREFIX "/set%s", paths[1]);
    for (size_t length = 0; length < strlen(topic); length++) {
        struct mqtt_event event = message(topic, "8");
        int changed;
        event.message.topic.length = length;
        bool ours = length == sizeof PREFIX "/set" - 1 || length > sizeof PREFIX "/set/" - 2;
        assert_int_equal(mm2_handle(&mm2, &event, &changed), ours);
        assert_int_equal(changed, -1);
    }
    assert_int_equal(values.number[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(schema_of_several_pages, setup_paged),
        cmocka_unit_test_setup(line_that_just_fits, setup_paged),
        cmocka_unit_test_setup(nothing_overtakes_the_start, setup_paged),
        cmocka_unit_test_setup(what_passes_is_waited_for, setup),
        cmocka_unit_test_setup(what_does_not_pass_is_counted, setup),
        cmocka_unit_test_setup(nothing_waits_over_a_new_session, setup),
        cmocka_unit_test_setup(many_leaves, setup),
        cmocka_unit_test_setup(suback_is_ours, setup),
        cmocka_unit_test_setup(puback_is_the_requests_own, setup),
        cmocka_unit_test_setup(correlation_as_it_came, setup),
        cmocka_unit_test_setup(busy_is_counted, setup),
        cmocka_unit_test_setup(auth_by_its_name, setup),
        cmocka_unit_test_setup(topic_that_ends_early, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
