#include "mqtt/topic.h"

#include <string.h>

bool mqtt_is_shared(const struct mqtt_slice *filter)
{
    size_t length = sizeof MQTT_SHARE - 1;
    return filter->length >= length && memcmp(filter->data, MQTT_SHARE, length) == 0;
}

static void capture(struct mqtt_captures *captures, const char *from, const char *to)
{
    if (captures != NULL && captures->count < MQTT_CAPTURES_MAX)
        captures->text[captures->count++] = (struct mqtt_slice){from, (size_t)(to - from)};
}

bool mqtt_match(struct mqtt_slice filter, struct mqtt_slice topic, struct mqtt_captures *captures)
{
    const char *f = filter.data;
    const char *t = topic.data;
    const char *f_end = f + filter.length;
    const char *t_end = t + topic.length;

    if (f == f_end || t == t_end || (*t == '$' && *f != '$')) /* MQTT-4.7.2-1 */
        return false;
    while (f != f_end) {
        if (*f == '#') {
            capture(captures, t, t_end);
            return true;
        }
        if (*f == '+') {
            const char *level = t;
            f++;
            while (t != t_end && *t != '/')
                t++;
            capture(captures, level, t);
        } else if (t == t_end) {
            bool parent = f_end - f == 2 && f[0] == '/' && f[1] == '#'; /* "a/#" matches "a": 4.7.1.2 */
            if (parent)
                capture(captures, t, t);
            return parent;
        } else if (*f++ != *t++) {
            return false;
        }
    }
    return t == t_end;
}

bool mqtt_topic_matches(struct mqtt_slice filter, struct mqtt_slice topic)
{
    return mqtt_match(filter, topic, NULL);
}
