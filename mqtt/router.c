#include "mqtt/router.h"

#include <string.h>

#include "mqtt/text.h"

enum { TEXT_MAX = 65535 }; /* MQTT-1.5.4-1: two bytes of length */

static const char share_prefix[] = "$share/";
enum { SHARE_PREFIX = sizeof share_prefix - 1 };

/* ---- Filters ---- */

static struct mqtt_slice rest_of(struct mqtt_slice text, size_t from)
{
    return (struct mqtt_slice){(const char *)text.data + from, text.length - from};
}

/* How far it is to the next '/', or to the end. */
static size_t level_length(struct mqtt_slice text)
{
    const char *s = text.data;
    size_t length = 0;
    while (length < text.length && s[length] != '/')
        length++;
    return length;
}

static bool is_shared(struct mqtt_slice filter)
{
    return filter.length >= SHARE_PREFIX && memcmp(filter.data, share_prefix, SHARE_PREFIX) == 0;
}

/* What of a filter is held against topics; empty if a share names none. */
static struct mqtt_slice without_share(struct mqtt_slice filter)
{
    if (!is_shared(filter))
        return filter;
    filter = rest_of(filter, SHARE_PREFIX);
    size_t name = level_length(filter);
    return rest_of(filter, name < filter.length ? name + 1 : name);
}

static void capture(struct mqtt_captures *captures, struct mqtt_slice text)
{
    if (captures->count < MQTT_CAPTURES_MAX)
        captures->text[captures->count++] = text;
}

/* The next level, and its '/' if there is one. */
static struct mqtt_slice after_level(struct mqtt_slice text)
{
    size_t length = level_length(text);
    return rest_of(text, length < text.length ? length + 1 : length);
}

/* Of a filter that matches, level by level. */
static void capture_all(struct mqtt_slice filter, struct mqtt_slice topic, struct mqtt_captures *captures)
{
    captures->count = 0;
    for (; filter.length > 0; filter = after_level(filter), topic = after_level(topic)) {
        char first = *(const char *)filter.data;
        if (first == '#')
            capture(captures, topic);
        else if (first == '+')
            capture(captures, (struct mqtt_slice){topic.data, level_length(topic)});
    }
}

bool mqtt_filter_captures(struct mqtt_slice filter, struct mqtt_slice topic, struct mqtt_captures *captures)
{
    filter = without_share(filter);
    if (!mqtt_topic_matches(filter, topic))
        return false;
    if (captures != NULL)
        capture_all(filter, topic, captures);
    return true;
}

static bool is_text(struct mqtt_slice text, uint8_t *reason)
{
    if (text.length == 0 || text.length > TEXT_MAX)
        return false;
    *reason = mqtt_check_text(&text);
    return *reason != MQTT_REASON_MALFORMED_PACKET;
}

static bool has_wildcard(struct mqtt_slice text)
{
    const char *s = text.data;
    for (size_t i = 0; i < text.length; i++) {
        if (s[i] == '+' || s[i] == '#')
            return true;
    }
    return false;
}

/* A wildcard stands alone in its level, and `#` ends the filter (MQTT-4.7.1-1, MQTT-4.7.1-2). */
static bool levels_are_valid(struct mqtt_slice filter)
{
    for (;;) {
        struct mqtt_slice level = {filter.data, level_length(filter)};
        if (has_wildcard(level) && level.length != 1)
            return false;
        if (level.length == filter.length)
            return true;
        if (level.length == 1 && *(const char *)level.data == '#')
            return false;
        filter = rest_of(filter, level.length + 1);
    }
}

bool mqtt_filter_is_valid(struct mqtt_slice filter)
{
    uint8_t reason;
    if (!is_text(filter, &reason))
        return false;
    if (is_shared(filter)) {
        filter = rest_of(filter, SHARE_PREFIX);
        struct mqtt_slice name = {filter.data, level_length(filter)};
        if (name.length == 0 || has_wildcard(name) || filter.length <= name.length + 1)
            return false; /* MQTT-4.8.2-1, MQTT-4.8.2-2 */
        filter = rest_of(filter, name.length + 1);
    }
    return levels_are_valid(filter);
}

bool mqtt_topic_is_valid(struct mqtt_slice topic)
{
    uint8_t reason;
    return is_text(topic, &reason) && reason == MQTT_REASON_SUCCESS;
}

/* ---- Routes ---- */

static struct mqtt_slice filter_of(const struct mqtt_route *route)
{
    return (struct mqtt_slice){route->filter, strlen(route->filter)};
}

size_t mqtt_router_find(const struct mqtt_router *router, size_t from, struct mqtt_slice topic,
                        struct mqtt_captures *captures)
{
    while (from < router->count && !mqtt_filter_captures(filter_of(&router->routes[from]), topic, captures))
        from++;
    return from < router->count ? from : router->count;
}

size_t mqtt_router_subscriptions(const struct mqtt_router *router, struct mqtt_subscription *subscriptions,
                                 size_t room)
{
    size_t count = router->count < room ? router->count : room;
    for (size_t i = 0; i < count; i++)
        subscriptions[i] = (struct mqtt_subscription){.filter = {filter_of(&router->routes[i])},
                                                      .qos = router->routes[i].qos};
    return count;
}

/* The route that takes a message, which has been called then; NULL: none. */
static const struct mqtt_route *deliver(const struct mqtt_router *router, const struct mqtt_event *event)
{
    struct mqtt_captures captures;
    size_t index = mqtt_router_find(router, 0, event->message.topic, &captures);
    if (index == router->count)
        return NULL;
    router->routes[index].handle(router->routes[index].context, event, &captures);
    return &router->routes[index];
}

#if MQTT_WITH_STREAMING
/* The next part, or the end of the connection that the rest would have come over. */
static bool go_on(struct mqtt_router *router, const struct mqtt_event *event)
{
    const struct mqtt_route *route = router->streaming;
    bool part = event->type == MQTT_EVENT_MESSAGE_PART;
    if (route == NULL)
        return false;
    if (!part || event->part.offset + event->part.data.length == event->part.total)
        router->streaming = NULL;
    route->handle(route->context, event, NULL);
    return part;
}
#endif

bool mqtt_router_dispatch(struct mqtt_router *router, const struct mqtt_event *event)
{
    switch (event->type) {
    case MQTT_EVENT_MESSAGE: return deliver(router, event) != NULL;
#if MQTT_WITH_STREAMING
    case MQTT_EVENT_MESSAGE_BEGIN:
        router->streaming = deliver(router, event);
        return router->streaming != NULL;
    case MQTT_EVENT_MESSAGE_PART:
    case MQTT_EVENT_DISCONNECTED: return go_on(router, event);
#endif
    default: return false;
    }
}
