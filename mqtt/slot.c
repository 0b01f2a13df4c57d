/* The packets of ours that wait for an acknowledgement. */
#include "mqtt/engine.h"

MQTT_SHARED struct mqtt_inflight *mqtt_slot(struct mqtt *m, uint16_t packet_id)
{
    return &m->inflight[packet_id % MQTT_INFLIGHT_MAX];
}

bool mqtt_has_inflight(const struct mqtt *m)
{
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++) {
        if (m->inflight[i].awaits != 0)
            return true;
    }
    return false;
}

bool mqtt_is_sent(const struct mqtt *m, const struct mqtt_inflight *slot)
{
    (void)m;
    (void)slot;
#if MQTT_WITH_STREAMING
    if (m->outgoing.left > 0 && m->source_id == slot->packet_id)
        return false;
#endif
#if MQTT_WITH_SESSIONS
    return !slot->resend;
#else
    return true;
#endif
}

#if MQTT_WITH_SESSIONS || MQTT_WITH_STREAMING || MQTT_WITH_ACK_TIMEOUT

struct mqtt_inflight *mqtt_find_inflight(struct mqtt *m, uint16_t packet_id, unsigned type)
{
    struct mqtt_inflight *slot = mqtt_slot(m, packet_id);
#if MQTT_WITH_STREAMING
    if (m->outgoing.left > 0 && m->source_id == packet_id)
        return NULL; /* nobody can have it yet */
#endif
    return slot->awaits == type && slot->packet_id == packet_id ? slot : NULL;
}

/* Apart: in each of its callers it would cost more. */
__attribute__((noinline)) void mqtt_answered(struct mqtt *m, struct mqtt_inflight *slot)
{
#if MQTT_WITH_STREAMING
    if (m->source_id == slot->packet_id)
        m->outgoing.source = NULL;
#endif
#if MQTT_WITH_ACK_TIMEOUT
    slot->since_ms = m->now_ms;
#endif
#if MQTT_WITH_SESSIONS
    if (slot->resend) /* an answer to what the last connection took */
        m->publishing = (uint8_t)(m->publishing + mqtt_is_publish(slot));
    slot->resend = false;
#endif
}

void mqtt_free_slot(struct mqtt *m, struct mqtt_inflight *slot)
{
    mqtt_answered(m, slot);
    slot->awaits = 0;
#if MQTT_WITH_SESSIONS
    mqtt_session_remove(m, slot->packet_id);
#endif
}

#endif
