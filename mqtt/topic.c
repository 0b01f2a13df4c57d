#include "mqtt/topic.h"

#include <string.h>

bool mqtt_is_shared(const struct mqtt_slice *filter)
{
    size_t length = sizeof MQTT_SHARE - 1;
    return filter->length >= length && memcmp(filter->data, MQTT_SHARE, length) == 0;
}

size_t mqtt_level_length(const char *from, const char *end)
{
    const char *s = from;
    while (s != end && *s != '/')
        s++;
    return (size_t)(s - from);
}

static void capture(struct mqtt_captures *captures, const char *from, const char *to)
{
    if (captures != NULL && captures->count < MQTT_CAPTURES_MAX)
        captures->text[captures->count++] = (struct mqtt_slice){from, (size_t)(to - from)};
}

bool mqtt_match(const struct mqtt_slice *filter, const struct mqtt_slice *topic,
                struct mqtt_captures *captures)
{
    const char *f = filter->data;
    const char *t = topic->data;
    const char *f_end = f + filter->length;
    const char *t_end = t + topic->length;

    if (f == f_end || t == t_end || (*t == '$' && *f != '$')) /* MQTT-4.7.2-1 */
        return false;
    while (f != f_end) {
        if (t == t_end && f_end - f == 2 && f[0] == '/' && f[1] == '#')
            f++; /* "a/#" matches "a": 4.7.1.2 */
        const char *from = t;
        char c = *f++;
        if (c == '#')
            t = t_end;
        else if (c == '+')
            t += mqtt_level_length(t, t_end);
        else if (t == t_end || c != *t++)
            return false;
        if (c == '#' || c == '+')
            capture(captures, from, t);
    }
    return t == t_end;
}

bool mqtt_topic_matches(struct mqtt_slice filter, struct mqtt_slice topic)
{
    return mqtt_match(&filter, &topic, NULL);
}
