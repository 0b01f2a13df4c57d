#include "bench.h"

#include "mqtt/router.h"

#include <stdlib.h>
#include <string.h>

static struct mqtt_slice slice(const char *text)
{
    return (struct mqtt_slice){text, strlen(text)};
}

/* In a block of its exact size, so that a read beyond shows. */
static struct mqtt_slice exact(const void *bytes, size_t length)
{
    char *block = malloc(length > 0 ? length : 1);
    memcpy(block, bytes, length);
    return (struct mqtt_slice){block, length};
}

static void release(struct mqtt_slice s)
{
    free((void *)(uintptr_t)s.data);
}

/* ---- Filters and topics ---- */

static void filters_as_4_7_and_4_8_say(void **state)
{
    static const struct {
        const char *filter;
        bool valid;
    } rows[] = {
        {"", false},
        {"a", true},
        {"/", true},
        {"//", true},
        {"a/b/c", true},
        {"+", true},
        {"#", true},
        {"/+", true},
        {"/#", true},
        {"+/", true},
        {"+/+/+", true},
        {"a/#", true},
        {"a/+/b/#", true},
        {"a+", false},
        {"+a", false},
        {"a/b+/c", false},
        {"++", false},
        {"a#", false},
        {"#a", false},
        {"##", false},
        {"#/", false},
        {"#/a", false},
        {"a/#/b", false},
        {"+#", false},
        {"$SYS/#", true},
        {"$SYS/+/x", true},
        {"$share", true}, /* an ordinary topic's filter */
        {"$share/", false},
        {"$share//a", false},
        {"$share/g", false},
        {"$share/g/", false},
        {"$share/g/a", true},
        {"$share/g//", true},
        {"$share/g/#", true},
        {"$share/+/a", false},
        {"$share/g#/a", false},
        {"$share/#", false},
        {"$share/g/a+", false},
        {"$share/g/$SYS/#", true},
        {"$Share/+/a", true}, /* not the prefix */
        {"\xC3\xA4/+", true},
        {"\xC3/+", false},
        {"\xED\xA0\x80", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mqtt_slice filter = exact(rows[i].filter, strlen(rows[i].filter));
        if (mqtt_filter_is_valid(filter) != rows[i].valid)
            fail_msg("filter %s", rows[i].filter);
        release(filter);
    }
    assert_false(mqtt_filter_is_valid((struct mqtt_slice){"a\0b", 3}));
}

static void topics_have_no_wildcards(void **state)
{
    char *longest = malloc(65536);
    (void)state;
    memset(longest, 'a', 65536);
    assert_true(mqtt_topic_is_valid((struct mqtt_slice){longest, 65535}));
    assert_false(mqtt_topic_is_valid((struct mqtt_slice){longest, 65536}));
    assert_true(mqtt_filter_is_valid((struct mqtt_slice){longest, 65535}));
    assert_false(mqtt_filter_is_valid((struct mqtt_slice){longest, 65536}));
    free(longest);
    assert_true(mqtt_topic_is_valid(slice("$SYS/a b")));
    assert_false(mqtt_topic_is_valid(slice("")));
    assert_false(mqtt_topic_is_valid(slice("a/+")));
    assert_false(mqtt_topic_is_valid(slice("a#")));
    assert_false(mqtt_topic_is_valid(slice("\xF5")));
    assert_false(mqtt_topic_is_valid((struct mqtt_slice){"a\0", 2}));
}

/* What the filter's wildcards stood for, joined by '|'; NULL: no match. */
static const char *captured(const char *filter, const char *topic)
{
    static char text[64];
    struct mqtt_captures captures;
    struct mqtt_slice f = exact(filter, strlen(filter));
    struct mqtt_slice t = exact(topic, strlen(topic));
    bool matches = mqtt_filter_captures(f, t, &captures);
    assert_int_equal(mqtt_filter_captures(f, t, NULL), matches);
    char *end = text;
    for (size_t i = 0; matches && i < captures.count; i++) {
        memcpy(end, captures.text[i].data, captures.text[i].length);
        end += captures.text[i].length;
        *end++ = '|';
    }
    *end = '\0';
    release(f);
    release(t);
    return matches ? text : "no";
}

static void wildcards_are_told(void **state)
{
    (void)state;
    assert_string_equal(captured("a/b", "a/b"), "");
    assert_string_equal(captured("a/b", "a/c"), "no");
    assert_string_equal(captured("+", "a"), "a|");
    assert_string_equal(captured("lamp/+/set", "lamp/hall/set"), "hall|");
    assert_string_equal(captured("+/+", "/a"), "|a|");
    assert_string_equal(captured("a/+", "a/"), "|");
    assert_string_equal(captured("#", "a/b"), "a/b|");
    assert_string_equal(captured("a/#", "a/b/c"), "b/c|");
    assert_string_equal(captured("a/#", "a/"), "|");
    assert_string_equal(captured("a/#", "a"), "|");
    assert_string_equal(captured("a/+/c/#", "a/b/c"), "b||");
    assert_string_equal(captured("+/b/#", "a/b/c/d"), "a|c/d|");
    assert_string_equal(captured("+/+/+/+/+/#", "a/b/c/d/e/f"), "a|b|c|d|");
    assert_string_equal(captured("#", "$SYS/x"), "no");
    assert_string_equal(captured("+/x", "$SYS/x"), "no");
    assert_string_equal(captured("$SYS/#", "$SYS/x/y"), "x/y|");
    assert_string_equal(captured("$share/g/a/+", "a/b"), "b|");
    assert_string_equal(captured("$share/g/#", "a/b"), "a/b|");
    assert_string_equal(captured("$share/g/#", "$SYS/x"), "no");
    assert_string_equal(captured("$share/g/$SYS/#", "$SYS/x"), "x|");
    assert_string_equal(captured("$share/g/a", "$share/g/a"), "no");
    assert_string_equal(captured("$share", "$share"), "");
    assert_string_equal(captured("$share/", "a"), "no");
    assert_string_equal(captured("$share/g", "g"), "no");
}

/* Levels by the thousand, in linear time, and what cannot be a topic at all. */
static void hostile_topics(void **state)
{
    enum { LENGTH = 65535 };
    char *topic = malloc(LENGTH);
    char *filter = malloc(LENGTH);
    struct mqtt_captures captures;
    (void)state;
    memset(topic, '/', LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        filter[i] = i % 2 == 0 ? '+' : '/';
    struct mqtt_slice all = {topic, LENGTH};
    assert_true(mqtt_filter_is_valid((struct mqtt_slice){filter, LENGTH}));
    assert_false(mqtt_filter_captures((struct mqtt_slice){filter, LENGTH}, all, &captures));
    assert_true(mqtt_filter_captures((struct mqtt_slice){filter, LENGTH},
                                     (struct mqtt_slice){topic, LENGTH / 2}, &captures));
    assert_int_equal(captures.count, MQTT_CAPTURES_MAX);
    filter[LENGTH - 1] = '#';
    assert_true(mqtt_filter_captures((struct mqtt_slice){filter, LENGTH}, all, &captures));
    assert_true(mqtt_filter_captures(slice("#"), all, &captures));
    assert_int_equal(captures.text[0].length, LENGTH);
    assert_true(mqtt_filter_captures(slice("/#"), all, &captures));
    assert_int_equal(captures.text[0].length, LENGTH - 1);
    assert_false(mqtt_filter_captures(slice("#"), (struct mqtt_slice){topic, 0}, &captures));
    assert_true(mqtt_filter_captures(slice("a/+"), (struct mqtt_slice){"a/\0\xFF", 4}, &captures));
    assert_int_equal(captures.text[0].length, 2);
    free(topic);
    free(filter);
}

/* All filters and topics of up to five bytes of a small alphabet, against the plainest recursive matcher. */
static bool plain_levels(const char *f, const char *t)
{
    size_t f_level = strcspn(f, "/"), t_level = strcspn(t, "/");
    bool same = (f_level == 1 && *f == '+') || (f_level == t_level && memcmp(f, t, f_level) == 0);
    if (*f == '#')
        return true;
    if (!same)
        return false;
    if (f[f_level] == '\0' || t[t_level] == '\0')
        return (f[f_level] == '\0' && t[t_level] == '\0') ||
               (t[t_level] == '\0' && strcmp(f + f_level, "/#") == 0);
    return plain_levels(f + f_level + 1, t + t_level + 1);
}

static void spell(unsigned number, const char *letters, char text[8])
{
    size_t length = 0;
    for (unsigned base = (unsigned)strlen(letters); number > 0; number = (number - 1) / base)
        text[length++] = letters[(number - 1) % base];
    text[length] = '\0';
}

static void every_short_filter_and_topic(void **state)
{
    enum { FILTERS = 1364, TOPICS = 363 }; /* up to five letters of four, up to five of three */
    unsigned matches = 0;
    (void)state;
    for (unsigned i = 1; i <= FILTERS; i++) {
        char filter[8], topic[8];
        spell(i, "a/+#", filter);
        if (!mqtt_filter_is_valid(slice(filter)))
            continue;
        for (unsigned k = 1; k <= TOPICS; k++) {
            spell(k, "a/$", topic);
            bool wild = *filter == '+' || *filter == '#';
            bool expected = !(wild && *topic == '$') && plain_levels(filter, topic);
            if (mqtt_filter_captures(slice(filter), slice(topic), NULL) != expected)
                fail_msg("%s against %s", filter, topic);
            matches += expected;
        }
    }
    assert_in_range(matches, 1000, 100000);
}

/* ---- Routes ---- */

struct log {
    char text[256];
};

static void note(void *context, const struct mqtt_event *event, const struct mqtt_captures *captures)
{
    struct log *log = context;
    char *end = log->text + strlen(log->text);
    *end++ = (char)('0' + event->type);
    for (size_t i = 0; captures != NULL && i < captures->count; i++) {
        *end++ = ':';
        memcpy(end, captures->text[i].data, captures->text[i].length);
        end += captures->text[i].length;
    }
    *end++ = ' ';
    *end = '\0';
}

static struct log special, general, shared;
static const struct mqtt_route routes[] = {
    {.filter = "lamp/+/set", .qos = 1, .handle = note, .context = &special},
    {.filter = "lamp/#", .qos = 0, .handle = note, .context = &general},
    {.filter = "$share/pool/jobs/+", .qos = 1, .handle = note, .context = &shared},
};
enum { ROUTES = sizeof routes / sizeof routes[0] };

static struct mqtt_router clean_router(void)
{
    memset(&special, 0, sizeof special);
    memset(&general, 0, sizeof general);
    memset(&shared, 0, sizeof shared);
    return (struct mqtt_router){.routes = routes, .count = ROUTES};
}

static bool message(struct mqtt_router *router, enum mqtt_event_type type, const char *topic)
{
    const struct mqtt_event event = {.type = type, .message = {.topic = slice(topic)}};
    return mqtt_router_dispatch(router, &event);
}

static void the_first_route_that_matches(void **state)
{
    struct mqtt_router router = clean_router();
    const struct mqtt_event connected = {.type = MQTT_EVENT_CONNECTED};
    (void)state;
    assert_true(message(&router, MQTT_EVENT_MESSAGE, "lamp/hall/set"));
    assert_true(message(&router, MQTT_EVENT_MESSAGE, "lamp/hall/get"));
    assert_true(message(&router, MQTT_EVENT_MESSAGE, "jobs/7"));
    assert_false(message(&router, MQTT_EVENT_MESSAGE, "jobs/7/8"));
    assert_false(message(&router, MQTT_EVENT_MESSAGE, "$SYS/lamp"));
    assert_false(mqtt_router_dispatch(&router, &connected));
    assert_string_equal(special.text, "3:hall ");
    assert_string_equal(general.text, "3:hall/get ");
    assert_string_equal(shared.text, "3:7 ");
    router.count = 0;
    assert_false(message(&router, MQTT_EVENT_MESSAGE, "lamp/hall/set"));
}

static void all_routes_that_match(void **state)
{
    const struct mqtt_router router = clean_router();
    (void)state;
    size_t first = mqtt_router_find(&router, 0, slice("lamp/hall/set"), NULL);
    assert_int_equal(first, 0);
    assert_int_equal(mqtt_router_find(&router, first + 1, slice("lamp/hall/set"), NULL), 1);
    assert_int_equal(mqtt_router_find(&router, 2, slice("lamp/hall/set"), NULL), ROUTES);
    assert_int_equal(mqtt_router_find(&router, ROUTES + 7, slice("lamp/hall/set"), NULL), ROUTES);
}

static void subscribes_to_its_filters(void **state)
{
    const struct mqtt_router router = clean_router();
    struct mqtt_subscription subscriptions[ROUTES + 1];
    (void)state;
    assert_int_equal(mqtt_router_subscriptions(&router, subscriptions, ROUTES + 1), ROUTES);
    assert_int_equal(mqtt_router_subscriptions(&router, subscriptions, 1), 1);
    for (size_t i = 0; i < ROUTES; i++) {
        assert_int_equal(subscriptions[i].filter[0].length, strlen(routes[i].filter));
        assert_ptr_equal(subscriptions[i].filter[0].data, routes[i].filter);
        assert_int_equal(subscriptions[i].filter[1].length, 0);
        assert_int_equal(subscriptions[i].qos, routes[i].qos);
    }
}

#if MQTT_WITH_STREAMING
static bool part(struct mqtt_router *router, uint32_t offset)
{
    const struct mqtt_event event = {.type = MQTT_EVENT_MESSAGE_PART,
                                     .part = {.data = TEXT("12345"), .offset = offset, .total = 10}};
    return mqtt_router_dispatch(router, &event);
}

static void parts_follow_their_message(void **state)
{
    const struct mqtt_event gone = {.type = MQTT_EVENT_DISCONNECTED};
    struct mqtt_router router = clean_router();
    (void)state;
    assert_true(message(&router, MQTT_EVENT_MESSAGE_BEGIN, "lamp/hall/set"));
    assert_true(part(&router, 0));
    assert_true(part(&router, 5));
    assert_false(part(&router, 5)); /* of nothing */
    assert_string_equal(special.text, "7:hall 8 8 ");
    assert_false(mqtt_router_dispatch(&router, &gone));
    assert_string_equal(special.text, "7:hall 8 8 ");

    assert_true(message(&router, MQTT_EVENT_MESSAGE_BEGIN, "jobs/1"));
    assert_true(part(&router, 0));
    assert_false(mqtt_router_dispatch(&router, &gone)); /* told, and others may want to know as well */
    assert_string_equal(shared.text, "7:1 8 2 ");
    assert_false(part(&router, 5));

    assert_true(message(&router, MQTT_EVENT_MESSAGE_BEGIN, "jobs/1"));
    assert_false(message(&router, MQTT_EVENT_MESSAGE_BEGIN, "nobody's"));
    assert_false(part(&router, 0));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_as_4_7_and_4_8_say),
        cmocka_unit_test(topics_have_no_wildcards),
        cmocka_unit_test(wildcards_are_told),
        cmocka_unit_test(hostile_topics),
        cmocka_unit_test(every_short_filter_and_topic),
        cmocka_unit_test(the_first_route_that_matches),
        cmocka_unit_test(all_routes_that_match),
        cmocka_unit_test(subscribes_to_its_filters),
#if MQTT_WITH_STREAMING
        cmocka_unit_test(parts_follow_their_message),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
