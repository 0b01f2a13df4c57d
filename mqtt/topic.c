#include "mqtt/mqtt.h"

bool mqtt_topic_matches(struct mqtt_slice filter, struct mqtt_slice topic)
{
    const char *f = filter.data;
    const char *t = topic.data;
    const char *f_end = f + filter.length;
    const char *t_end = t + topic.length;

    if (f == f_end || t == t_end || (*t == '$' && *f != '$')) /* MQTT-4.7.2-1 */
        return false;
    while (f != f_end) {
        if (*f == '#')
            return true;
        if (*f == '+') {
            f++;
            while (t != t_end && *t != '/')
                t++;
        } else if (t == t_end) {
            return f_end - f == 2 && f[0] == '/' && f[1] == '#'; /* "a/#" matches "a": 4.7.1.2 */
        } else if (*f++ != *t++) {
            return false;
        }
    }
    return t == t_end;
}
