#include "mqtt/router.h"

#include <string.h>

#include "mqtt/text.h"
#include "mqtt/topic.h"

enum { TEXT_MAX = 65535 }; /* MQTT-1.5.4-1: two bytes of length */

/* ---- Filters ---- */

/* Leaves what of a filter is held against topics; `name`: that of the share, data NULL if there is none. */
static void take_share(struct mqtt_slice *filter, struct mqtt_slice *name)
{
    name->data = NULL;
    if (!mqtt_is_shared(filter))
        return;
    const char *s = filter->data;
    const char *end = s + filter->length;
    s += sizeof MQTT_SHARE - 1;
    name->data = s;
    name->length = mqtt_level_length(s, end);
    s += name->length;
    if (s != end)
        s++;
    *filter = (struct mqtt_slice){s, (size_t)(end - s)};
}

bool mqtt_filter_captures(struct mqtt_slice filter, struct mqtt_slice topic, struct mqtt_captures *captures)
{
    struct mqtt_slice name;
    if (captures != NULL)
        captures->count = 0;
    take_share(&filter, &name);
    return mqtt_match(&filter, &topic, captures);
}

/* A wildcard stands alone in its level, and `#` ends the filter (MQTT-4.7.1-1, MQTT-4.7.1-2). */
static bool wildcards_are_valid(const char *s, size_t length)
{
    char before = '/';
    for (; length > 0; length--) {
        char c = *s++; // NOLINT(clang-analyzer-core.NullDereference): a slice with a length has bytes
        bool alone = before == '/' && (length == 1 || (c == '+' && *s == '/'));
        if ((c == '+' || c == '#') && !alone)
            return false;
        before = c;
    }
    return true;
}

MQTT_SHARED static uint8_t check(const struct mqtt_slice *text)
{
    return text->length - 1 < TEXT_MAX ? mqtt_check_text(text) : MQTT_REASON_MALFORMED_PACKET;
}

bool mqtt_filter_is_valid(struct mqtt_slice filter)
{
    struct mqtt_slice name;
    if (check(&filter) == MQTT_REASON_MALFORMED_PACKET)
        return false;
    take_share(&filter, &name);
    if (name.data != NULL && check(&name) != MQTT_REASON_SUCCESS)
        return false; /* MQTT-4.8.2-1, MQTT-4.8.2-2 */
    return filter.length > 0 && wildcards_are_valid(filter.data, filter.length);
}

bool mqtt_topic_is_valid(struct mqtt_slice topic)
{
    return check(&topic) == MQTT_REASON_SUCCESS;
}

/* ---- Routes ---- */

static struct mqtt_slice filter_of(const struct mqtt_route *route)
{
    return (struct mqtt_slice){route->filter, strlen(route->filter)};
}

size_t mqtt_router_find(const struct mqtt_router *router, size_t from, struct mqtt_slice topic,
                        struct mqtt_captures *captures)
{
    for (; from < router->count; from++) {
        if (mqtt_filter_captures(filter_of(&router->routes[from]), topic, captures))
            return from;
    }
    return router->count;
}

size_t mqtt_router_subscriptions(const struct mqtt_router *router, struct mqtt_subscription *subscriptions,
                                 size_t room)
{
    size_t count = router->count < room ? router->count : room;
    const struct mqtt_route *route = router->routes;
    memset(subscriptions, 0, count * sizeof *subscriptions);
    for (size_t left = count; left > 0; left--, route++, subscriptions++) {
        subscriptions->filter[0] = filter_of(route);
        subscriptions->qos = route->qos;
    }
    return count;
}

/* The route that takes a message, which has been called then; NULL: none. */
static const struct mqtt_route *deliver(const struct mqtt_router *router, const struct mqtt_event *event)
{
    struct mqtt_captures captures;
    size_t index = mqtt_router_find(router, 0, event->message.topic, &captures);
    const struct mqtt_route *route = &router->routes[index];
    if (index == router->count)
        return NULL;
    route->handle(route->context, event, &captures);
    return route;
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
    if (event->type == MQTT_EVENT_MESSAGE)
        return deliver(router, event) != NULL;
#if MQTT_WITH_STREAMING
    if (event->type == MQTT_EVENT_MESSAGE_BEGIN)
        return (router->streaming = deliver(router, event)) != NULL;
    if (event->type == MQTT_EVENT_MESSAGE_PART || event->type == MQTT_EVENT_DISCONNECTED)
        return go_on(router, event);
#endif
    return false;
}
