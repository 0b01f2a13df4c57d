/* QoS 2 (4.3.3), where it is configured: what comes is delivered at once, its packet id kept until PUBREL. */
#include "mqtt/engine.h"

#if MQTT_WITH_QOS2

uint16_t *mqtt_find_unreleased(struct mqtt *m, uint16_t packet_id)
{
    for (size_t i = 0; i < MQTT_RECEIVE_MAX; i++) {
        if (m->unreleased[i] == packet_id)
            return &m->unreleased[i];
    }
    return NULL;
}

uint8_t mqtt_qos2_receive(struct mqtt *m, uint16_t packet_id, bool *deliver)
{
    *deliver = mqtt_find_unreleased(m, packet_id) == NULL;
    if (*deliver)
        return mqtt_find_unreleased(m, 0) != NULL ? MQTT_REASON_SUCCESS
                                                  : MQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED; /* MQTT-3.3.4-9 */
    m->statistics.duplicates++;                                                           /* MQTT-4.3.3-10 */
    return MQTT_REASON_SUCCESS;
}

void mqtt_qos2_keep(struct mqtt *m, uint16_t packet_id)
{
    *mqtt_find_unreleased(m, 0) = packet_id; /* mqtt_qos2_receive has seen a free one */
#if MQTT_WITH_SESSIONS
    static const struct mqtt_slice none[2] = {{NULL, 0}, {NULL, 0}};
    /* Without success it is forgotten by a reset, but not by the loss of a connection. */
    (void)mqtt_session_put(m, MQTT_STORE_RECEIVED | packet_id, none);
#endif
}

void mqtt_qos2_release(struct mqtt *m, uint16_t *slot)
{
#if MQTT_WITH_SESSIONS
    mqtt_session_remove(m, MQTT_STORE_RECEIVED | *slot);
#else
    (void)m;
#endif
    *slot = 0;
}

static void owe(struct mqtt *m, unsigned head, uint16_t packet_id, uint8_t reason)
{
    m->ack_head = (uint8_t)head;
    m->ack_id = packet_id;
    m->ack_reason = reason;
    if (reason != MQTT_REASON_SUCCESS)
        m->statistics.unknown_acks++;
}

/* The broker has it: from now on only the packet id counts. */
static void received(struct mqtt *m, struct mqtt_inflight *slot)
{
    mqtt_answered(m, slot);
    slot->awaits = MQTT_PUBCOMP; /* MQTT-4.3.3-4 */
#if MQTT_WITH_SESSIONS
    const uint8_t pubrel[] = {MQTT_PUBREL << 4 | 2, 2, (uint8_t)(slot->packet_id >> 8),
                              (uint8_t)slot->packet_id};
    const struct mqtt_slice parts[2] = {{pubrel, sizeof pubrel}, {NULL, 0}};
    /* The message must not go over again. Without a record it is given up when the connection is lost. */
    if (mqtt_session_put(m, slot->packet_id, parts) < 0)
        mqtt_session_remove(m, slot->packet_id);
#endif
}

static void on_pubrec(struct mqtt *m, const struct mqtt_ack *ack, struct mqtt_event *event)
{
    struct mqtt_inflight *slot = mqtt_find_inflight(m, ack->packet_id, MQTT_PUBREC);
    if (slot != NULL && ack->reason >= MQTT_REASON_UNSPECIFIED) {
        mqtt_settle_publish(m, slot, ack->reason, event); /* 4.3.3: that was the end of it */
        return;
    }
    if (slot != NULL)
        received(m, slot);
    bool known = mqtt_find_inflight(m, ack->packet_id, MQTT_PUBCOMP) != NULL; /* now, or already */
    owe(m, MQTT_PUBREL << 4 | 2, ack->packet_id,
        known ? MQTT_REASON_SUCCESS : MQTT_REASON_PACKET_ID_NOT_FOUND);
}

static void on_pubrel(struct mqtt *m, const struct mqtt_ack *ack)
{
    uint16_t *slot = mqtt_find_unreleased(m, ack->packet_id);
    owe(m, MQTT_PUBCOMP << 4, ack->packet_id,
        slot != NULL ? MQTT_REASON_SUCCESS : MQTT_REASON_PACKET_ID_NOT_FOUND); /* MQTT-4.3.3-11 */
    if (slot != NULL)
        mqtt_qos2_release(m, slot);
}

/* PUBREC has said that the broker has it; that PUBCOMP knows nothing of it (0x92) is no error (3.7.2.1), and
 * takes nothing back. */
static void on_pubcomp(struct mqtt *m, const struct mqtt_ack *ack, struct mqtt_event *event)
{
    struct mqtt_inflight *slot = mqtt_find_inflight(m, ack->packet_id, MQTT_PUBCOMP);
    if (slot != NULL)
        mqtt_settle_publish(m, slot, MQTT_REASON_SUCCESS, event);
    else
        m->statistics.unknown_acks++;
}

void mqtt_on_qos2_step(struct mqtt *m, unsigned type, const struct mqtt_ack *ack, struct mqtt_event *event)
{
    switch (type) {
    case MQTT_PUBREC: on_pubrec(m, ack, event); break;
    case MQTT_PUBREL: on_pubrel(m, ack); break;
    default: on_pubcomp(m, ack, event); break;
    }
}

#endif
