/*
 * From topics to handlers: a table of filters, constant if you like, and which of them a message belongs to.
 * Works on the engine's events, is no part of the engine, and costs nothing where it is not called.
 *
 *     static const struct mqtt_route routes[] = {
 *         {.filter = "lamp/+/set", .qos = 1, .handle = switch_lamp, .context = lamps},
 *         {.filter = "$share/pool/jobs/#", .qos = 1, .handle = take_job},
 *         {.filter = "#", .handle = remark},
 *     };
 *     static struct mqtt_router router = {routes, 3};
 *
 *     while (mqtt_poll(&m, now_ms, &event))
 *         if (!mqtt_router_dispatch(&router, &event))
 *             handle(&event);
 */
#ifndef MQTT_ROUTER_H
#define MQTT_ROUTER_H

#include "mqtt/mqtt.h"

#ifndef MQTT_CAPTURES_MAX
#define MQTT_CAPTURES_MAX 4 /* wildcards of a filter whose text a handler is told; at least 1 */
#endif

/* What stands in the topic for the filter's wildcards, in order; `#` has all that is left, may be nothing.
 * Views into the topic. */
struct mqtt_captures {
    size_t count; /* further wildcards match, but are not here */
    struct mqtt_slice text[MQTT_CAPTURES_MAX];
};

/*
 * `event` is a MESSAGE, with its captures. With MQTT_WITH_STREAMING also a MESSAGE_BEGIN, with them, and
 * then, without any (NULL): each MESSAGE_PART, or the DISCONNECTED that the message did not survive.
 */
typedef void mqtt_handler(void *context, const struct mqtt_event *event,
                          const struct mqtt_captures *captures);

struct mqtt_route {
    const char *filter; /* a valid topic filter, with `$share/name/` if it is to be subscribed to like that */
    mqtt_handler *handle;
    void *context;
    uint8_t qos; /* for mqtt_router_subscriptions */
};

/* The routes are kept. The first one whose filter matches gets the message: put the special before the
 * general. Of two of which neither is more special the first one counts. */
struct mqtt_router {
    const struct mqtt_route *routes;
    size_t count;
#if MQTT_WITH_STREAMING
    const struct mqtt_route *streaming; /* private: the one whose message is coming in parts; start as NULL */
#endif
};

/*
 * Gives an event to the route that it belongs to. True: that was all there was to do. False: it is no
 * message, or a DISCONNECTED, which somebody else wants to know of as well, or no route takes it.
 */
bool mqtt_router_dispatch(struct mqtt_router *router, const struct mqtt_event *event);

/*
 * The first route from index `from` on that takes this topic; `count` if there is none. For those who want
 * all that match: go on from one behind. `captures` may be NULL.
 */
size_t mqtt_router_find(const struct mqtt_router *router, size_t from, struct mqtt_slice topic,
                        struct mqtt_captures *captures);

/* Fills in what subscribes to all routes, in order. Returns how many of `room` were taken: `count` of the
 * router, or `room` if that is less. */
size_t mqtt_router_subscriptions(const struct mqtt_router *router, struct mqtt_subscription *subscriptions,
                                 size_t room);

/* As mqtt_topic_matches, but `filter` may have its `$share/name/`, and the captures are filled in if there is
 * a match; `captures` may be NULL. */
bool mqtt_filter_captures(struct mqtt_slice filter, struct mqtt_slice topic, struct mqtt_captures *captures);

/* MQTT 5.0, 4.7.1 and 4.8.2: UTF-8, 1 to 65535 bytes, wildcards where they may stand, a share with a name and
 * a filter. */
bool mqtt_filter_is_valid(struct mqtt_slice filter);

/* MQTT 5.0, 4.7.3: UTF-8, 1 to 65535 bytes, no wildcard. */
bool mqtt_topic_is_valid(struct mqtt_slice topic);

#endif
