/* What mqtt_topic_matches and mqtt_filter_captures share. Not a public header. */
#ifndef MQTT_TOPIC_H
#define MQTT_TOPIC_H

#include "mqtt/router.h"

#define MQTT_SHARE "$share/"

/* Does a filter begin like one of a shared subscription? */
bool mqtt_is_shared(const struct mqtt_slice *filter);

/* As mqtt_topic_matches; what the wildcards stand for is added to `captures`, if they are not NULL. */
bool mqtt_match(const struct mqtt_slice *filter, const struct mqtt_slice *topic,
                struct mqtt_captures *captures);

/* How far it is to the next '/', or to the end. */
size_t mqtt_level_length(const char *from, const char *end);

#endif
