#include "mqtt/engine.h"

size_t mqtt_available(const struct mqtt *m, struct mqtt_writer *w)
{
    return m->transport->reserve(m->transport->context, w->room);
}

static void commit(struct mqtt *m, size_t size)
{
    m->sent_ms = m->now_ms;
    m->transport->commit(m->transport->context, size);
}

bool mqtt_send_small(struct mqtt *m, mqtt_small bytes, size_t size)
{
    struct mqtt_writer w;
    if (mqtt_available(m, &w) < size)
        return false;
    for (size_t left = size; left > 0; left--, bytes >>= 8)
        mqtt_write_u8(&w, (unsigned)(bytes & 0xFF));
    commit(m, size);
    return true;
}

/* PUBACK, SUBACK and UNSUBACK are the types after those that they acknowledge, PUBREC is the one after. */
static uint8_t acknowledged_by(unsigned head)
{
    bool qos2 = MQTT_WITH_QOS2 && head >> 4 == MQTT_PUBLISH && (head >> MQTT_PUBLISH_QOS_SHIFT & 2) != 0;
    return (uint8_t)((head >> 4) + (qos2 ? 2 : 1));
}

/*
 * The next packet id whose slot is free, slots being taken in turn: no two in
 * flight are equal, an acknowledgement finds its slot without a search, and an
 * id returns as late as can be. 0: all slots are taken.
 */
static uint16_t next_id(const struct mqtt *m)
{
    uint16_t id = m->last_id;
    for (unsigned i = 0; i <= MQTT_INFLIGHT_MAX; i++) {
        id++;
        if (id != 0 && m->inflight[id % MQTT_INFLIGHT_MAX].awaits == 0)
            return id;
    }
    return 0;
}

static size_t packet_size(size_t remaining)
{
    return 1 + mqtt_varint_size(remaining) + remaining;
}

int mqtt_send(struct mqtt *m, unsigned head, size_t remaining, mqtt_body *body, const void *packet,
              size_t count)
{
    if (remaining > MQTT_VARINT_MAX)
        return MQTT_ERROR_ARGUMENT;
    size_t size = packet_size(remaining);
    if (size > m->limits.maximum_packet_size)
        return MQTT_ERROR_TOO_LARGE; /* MQTT-3.2.2-15 */
    uint16_t packet_id = 0;
    if (count > 0 && (packet_id = next_id(m)) == 0)
        return MQTT_ERROR_INFLIGHT;
    struct mqtt_writer w;
    if (mqtt_available(m, &w) < size + MQTT_HEADROOM)
        return MQTT_ERROR_FULL;

    if (packet_id != 0) {
        m->last_id = packet_id;
        m->inflight[packet_id % MQTT_INFLIGHT_MAX] =
            (struct mqtt_inflight){packet_id, acknowledged_by(head), (uint8_t)count};
    }
    mqtt_write_u8(&w, head);
    mqtt_write_varint(&w, remaining);
    body(&w, packet, packet_id);
    commit(m, size);
    return packet_id;
}

size_t mqtt_room(const struct mqtt *m)
{
    struct mqtt_writer w;
    if (m->state != MQTT_CONNECTED)
        return 0;
    size_t room = mqtt_available(m, &w);
    room = room > MQTT_HEADROOM ? room - MQTT_HEADROOM : 0;
    return room < m->limits.maximum_packet_size ? room : m->limits.maximum_packet_size;
}

size_t mqtt_quota(const struct mqtt *m)
{
    if (m->state != MQTT_CONNECTED)
        return 0;
    size_t free_slots = 0;
    size_t allowed = m->limits.receive_maximum - m->publishing;
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++)
        free_slots += m->inflight[i].awaits == 0;
    return allowed < free_slots ? allowed : free_slots;
}

size_t mqtt_publish_size(const struct mqtt_publish *publish)
{
    struct mqtt_publication publication;
    size_t remaining = mqtt_measure_publish(&publication, publish);
    return remaining > MQTT_VARINT_MAX ? SIZE_MAX : packet_size(remaining);
}

int mqtt_publish(struct mqtt *m, const struct mqtt_publish *publish, uint32_t now_ms)
{
    unsigned qos = publish->qos;
    m->now_ms = now_ms;
    if (m->state != MQTT_CONNECTED)
        return MQTT_ERROR_NOT_CONNECTED;
    if (qos > mqtt_maximum_qos(m) || qos > m->limits.maximum_qos)
        return MQTT_ERROR_QOS; /* MQTT-3.2.2-11 */
    if (publish->retain && !m->limits.retain_available)
        return MQTT_ERROR_RETAIN; /* MQTT-3.2.2-14 */
    if (qos > 0 && m->publishing >= m->limits.receive_maximum)
        return MQTT_ERROR_INFLIGHT; /* MQTT-3.3.4-7 */

    struct mqtt_publication publication;
    unsigned flags = qos << MQTT_PUBLISH_QOS_SHIFT | (unsigned)publish->retain;
    int result = mqtt_send(m, MQTT_PUBLISH << 4 | flags, mqtt_measure_publish(&publication, publish),
                           mqtt_write_publish, &publication, qos > 0);
    if (result >= 0) {
        m->publishing = (uint8_t)(m->publishing + (qos > 0));
        m->statistics.sent++;
    }
    return result;
}

__attribute__((noinline)) static int request(struct mqtt *m, unsigned type, const struct mqtt_subscription *s,
                                             size_t count, uint32_t now_ms)
{
    const struct mqtt_filters filters = {s, count, type == MQTT_SUBSCRIBE, (uint8_t)mqtt_maximum_qos(m)};
    m->now_ms = now_ms;
    if (m->state != MQTT_CONNECTED)
        return MQTT_ERROR_NOT_CONNECTED;
    if (count == 0 || count > UINT8_MAX)
        return MQTT_ERROR_ARGUMENT;
    /* Flags 0010: MQTT-3.8.1-1, MQTT-3.10.1-1 */
    return mqtt_send(m, type << 4 | 2, mqtt_body_size(mqtt_write_filters, &filters), mqtt_write_filters,
                     &filters, count);
}

int mqtt_subscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                   uint32_t now_ms)
{
    return request(m, MQTT_SUBSCRIBE, subscriptions, count, now_ms);
}

int mqtt_unsubscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                     uint32_t now_ms)
{
    return request(m, MQTT_UNSUBSCRIBE, subscriptions, count, now_ms);
}
