/* Topic aliases: the broker's in the caller's memory, ours as a bit each (3.3.2.3.4). */
#include "mqtt/engine.h"

#if MQTT_WITH_ALIASES

#include <string.h>

enum { LENGTH_BYTES = sizeof(uint16_t), OURS_MAX = 32 };

static uint8_t *place_of(const struct mqtt *m, uint32_t alias)
{
    return m->config->alias_memory + (alias - 1) * (LENGTH_BYTES + (size_t)m->config->alias_topic_bytes);
}

void mqtt_forget_aliases(struct mqtt *m)
{
    m->aliases_set = 0; /* MQTT-3.3.2-7 */
    for (uint32_t alias = 1; alias <= m->config->alias_maximum; alias++)
        memset(place_of(m, alias), 0, LENGTH_BYTES);
}

/* Apart: within mqtt_poll it would cost more. */
__attribute__((noinline)) uint8_t mqtt_resolve_alias(struct mqtt *m, struct mqtt_message *message)
{
    uint32_t alias = message->topic_alias;
    size_t length = message->topic.length;
    if (alias == UINT32_MAX)
        return length == 0 ? MQTT_REASON_PROTOCOL_ERROR : MQTT_REASON_SUCCESS;
    if (alias == 0 || alias > m->config->alias_maximum) /* MQTT-3.3.2-9, MQTT-3.1.2-26 */
        return MQTT_REASON_TOPIC_ALIAS_INVALID;
    uint8_t *place = place_of(m, alias);
    uint16_t known = (uint16_t)length;
    if (length > m->config->alias_topic_bytes)
        return MQTT_REASON_QUOTA_EXCEEDED;
    if (length > 0) {
        memcpy(place, &known, LENGTH_BYTES);
        memcpy(place + LENGTH_BYTES, message->topic.data, length);
    }
    memcpy(&known, place, LENGTH_BYTES);
    message->topic = (struct mqtt_slice){place + LENGTH_BYTES, known};
    return known == 0 ? MQTT_REASON_PROTOCOL_ERROR : MQTT_REASON_SUCCESS;
}

/* None for what may be sent again over a connection that knows nothing of it. */
void mqtt_choose_alias(const struct mqtt *m, struct mqtt_publication *publication)
{
    const struct mqtt_publish *p = publication->publish;
    publication->alias = 0;
    publication->alias_known = false;
    if (p->alias == 0 || p->alias > OURS_MAX || p->alias > m->limits.topic_alias_maximum || mqtt_is_v311(m) ||
        (p->qos > 0 && mqtt_keeps_session(m)))
        return;
    publication->alias = p->alias;
    publication->alias_known = (m->aliases_set >> (p->alias - 1) & 1) != 0;
}

#endif
