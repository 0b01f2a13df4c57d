#include "mqtt/engine.h"
#include "mqtt/text.h"
#include "mqtt/topic.h"

size_t mqtt_available(const struct mqtt *m, struct mqtt_writer *w)
{
    if (mqtt_is_sending_parts(m))
        return 0;
    return m->transport->reserve(m->transport->context, w->room);
}

void mqtt_commit(struct mqtt *m, size_t size)
{
    m->sent_ms = m->now_ms;
    m->transport->commit(m->transport->context, size);
}

bool mqtt_send_small(struct mqtt *m, uint32_t bytes, size_t size)
{
    struct mqtt_writer w;
    uint32_t fifth = 0;
#if MQTT_WITH_QOS2
    fifth = (uint32_t)m->ack_reason << 24;
#endif
    if (mqtt_available(m, &w) < size)
        return false;
    for (size_t left = size; left > 0; left--, bytes = bytes >> 8 | fifth)
        mqtt_write_u8(&w, bytes & 0xFF);
    mqtt_commit(m, size);
    return true;
}

/* PUBACK, SUBACK and UNSUBACK are the types after those that they acknowledge, PUBREC is the one after. */
uint8_t mqtt_acknowledged_by(unsigned head)
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
    for (unsigned i = 0; i < 2 * MQTT_INFLIGHT_MAX; i++) { /* 0 is passed over, and a turn begins anew */
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

/* What of a packet is written at once: not a payload that comes from a source. */
static size_t at_once(const struct mqtt *m, size_t size)
{
#if MQTT_WITH_STREAMING
    return size - m->outgoing.pending;
#else
    (void)m;
    return size;
#endif
}

/* The most that is ever written at once. */
static size_t capacity(const struct mqtt *m)
{
#if MQTT_KNOWS_CAPACITY
    return m->send_capacity;
#else
    (void)m;
    return SIZE_MAX;
#endif
}

#if MQTT_WITH_SESSIONS
/* The packet just written, for another connection. False: there is no room for it. */
static bool keep(struct mqtt *m, uint16_t packet_id, const struct mqtt_span room[2], size_t size)
{
    size_t first = size < room[0].length ? size : room[0].length;
    const struct mqtt_slice parts[2] = {{room[0].data, first}, {room[1].data, size - first}};
    return mqtt_session_put(m, packet_id, parts) >= 0;
}
#endif

static void take_slot(struct mqtt *m, uint16_t packet_id, uint8_t awaits, size_t count)
{
    m->last_id = packet_id;
    *mqtt_slot(m, packet_id) = (struct mqtt_inflight)
    {
        .packet_id = packet_id, .awaits = awaits, .count = (uint8_t)count,
#if MQTT_WITH_ACK_TIMEOUT
        .since_ms = m->now_ms,
#endif
    };
}

int mqtt_send(struct mqtt *m, unsigned head, size_t remaining, mqtt_body *body, const void *packet,
              size_t count)
{
    if (remaining > MQTT_VARINT_MAX)
        return MQTT_ERROR_ARGUMENT;
    size_t size = packet_size(remaining);
    if (size > m->limits.maximum_packet_size || at_once(m, size) > capacity(m))
        return MQTT_ERROR_TOO_LARGE; /* MQTT-3.2.2-15 */
    uint16_t packet_id = 0;
    if (count > 0 && (packet_id = next_id(m)) == 0)
        return MQTT_ERROR_INFLIGHT;
    struct mqtt_writer w;
    size = at_once(m, size);
    if (mqtt_available(m, &w) < size + MQTT_HEADROOM)
        return MQTT_ERROR_FULL;
#if MQTT_WITH_SESSIONS
    const struct mqtt_writer begin = w;
#endif
    if (packet_id != 0)
        take_slot(m, packet_id, mqtt_acknowledged_by(head), count);
    mqtt_write_u8(&w, head);
    mqtt_write_varint(&w, remaining);
    body(&w, packet, packet_id);
#if MQTT_WITH_SESSIONS
    if (packet_id != 0 && !keep(m, packet_id, begin.room, size)) {
        mqtt_slot(m, packet_id)->awaits = 0;
        return MQTT_ERROR_STORE;
    }
#endif
    mqtt_commit(m, size);
    return packet_id;
}

#if MQTT_WITH_PROPERTIES
int mqtt_send_packet(struct mqtt *m, unsigned head, mqtt_body *body, const void *packet, size_t count)
{
    return mqtt_send(m, head, mqtt_body_size(body, packet), body, packet, count);
}
#endif

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
#if MQTT_WITH_SESSIONS
    /* More than allowed: answers to what the last connection took count, too. */
    if (m->replaying || m->publishing > m->limits.receive_maximum)
        return 0;
#endif
    size_t free_slots = 0;
    size_t allowed = m->limits.receive_maximum - m->publishing;
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++)
        free_slots += m->inflight[i].awaits == 0;
    return allowed < free_slots ? allowed : free_slots;
}

size_t mqtt_publish_size(const struct mqtt_publish *publish)
{
    struct mqtt_publication publication = {.publish = publish};
#if MQTT_WITH_ALIASES
    publication.alias = publish->alias;
#endif
    size_t remaining = mqtt_measure_publish(&publication);
    return remaining > MQTT_VARINT_MAX ? SIZE_MAX : packet_size(remaining);
}

/* What the broker and the state of the session allow; 0 or an error. */
static int check_publish(const struct mqtt *m, const struct mqtt_publish *publish)
{
    unsigned qos = publish->qos;
    if (m->state != MQTT_CONNECTED)
        return MQTT_ERROR_NOT_CONNECTED;
    if (qos > mqtt_maximum_qos(m) || qos > m->limits.maximum_qos)
        return MQTT_ERROR_QOS; /* MQTT-3.2.2-11 */
    if (publish->retain && !m->limits.retain_available)
        return MQTT_ERROR_RETAIN; /* MQTT-3.2.2-14 */
    if (qos > 0 && m->publishing >= m->limits.receive_maximum)
        return MQTT_ERROR_INFLIGHT; /* MQTT-3.3.4-7 */
#if MQTT_WITH_SESSIONS
    if (qos > 0 && m->replaying)
        return MQTT_ERROR_INFLIGHT; /* MQTT-4.6.0-1: those before come first */
#endif
#if MQTT_WITH_STREAMING
    if (publish->source != NULL && m->outgoing.source != NULL)
        return MQTT_ERROR_INFLIGHT;
    if (publish->source != NULL && publish->source_length == 0)
        return MQTT_ERROR_ARGUMENT;
#endif
    return 0;
}

#if MQTT_WITH_STREAMING
/* Its head has been sent: the payload follows. */
static void begin_source(struct mqtt *m, const struct mqtt_publish *publish, uint16_t packet_id)
{
    if (publish->source == NULL)
        return;
    m->outgoing.source = publish->source;
    m->outgoing.context = publish->source_context;
    m->outgoing.total = m->outgoing.left = publish->source_length;
    m->source_id = packet_id;
}
#endif

int mqtt_publish(struct mqtt *m, const struct mqtt_publish *publish, uint32_t now_ms)
{
    struct mqtt_publication publication;
    unsigned qos = publish->qos;
    m->now_ms = now_ms;
    int result = check_publish(m, publish);
    if (result < 0)
        return result;
    publication.publish = publish;
#if MQTT_WITH_ALIASES
    mqtt_choose_alias(m, &publication);
#endif
#if MQTT_WITH_V311
    publication.v311 = mqtt_is_v311(m);
#endif
#if MQTT_WITH_STREAMING
    if (publish->source != NULL) {
        m->outgoing.pending = publish->source_length;
        if (m->incoming.left == 0)
            mqtt_send_owed_ack(m); /* later there is no place for it */
    }
#endif
    unsigned flags = qos << MQTT_PUBLISH_QOS_SHIFT | (unsigned)publish->retain;
    result = mqtt_send(m, MQTT_PUBLISH << 4 | flags, mqtt_measure_publish(&publication), mqtt_write_publish,
                       &publication, qos > 0);
#if MQTT_WITH_STREAMING
    m->outgoing.pending = 0;
#endif
    if (result < 0)
        return result;
    if (qos > 0)
        m->publishing++;
    m->statistics.sent++;
#if MQTT_WITH_ALIASES
    if (publication.alias != 0)
        m->aliases_set |= 1u << (publication.alias - 1);
#endif
#if MQTT_WITH_STREAMING
    begin_source(m, publish, (uint16_t)result);
#endif
    return result;
}

/* ---- Subscriptions ---- */

#if MQTT_WITH_PROPERTIES
static bool has_wildcard(const struct mqtt_subscription *s)
{
    bool found = false;
    for (size_t i = 0; i < MQTT_TOPIC_PARTS; i++)
        found |= s->filter[i].length != 0 && mqtt_check_text(&s->filter[i]) == MQTT_REASON_TOPIC_NAME_INVALID;
    return found;
}

/* 3.2.2.3.11 to 3.2.2.3.13; 3.1.1 has no identifiers. */
uint8_t mqtt_what_is_missing(const struct mqtt *m, const struct mqtt_filters *filters)
{
    const struct mqtt_limits *limits = &m->limits;
    const struct mqtt_subscription *s = filters->subscriptions;
    if (filters->identifier != 0 && (!limits->subscription_id_available || mqtt_is_v311(m)))
        return MQTT_REASON_IDENTIFIERS_NOT_SUPPORTED;
    for (size_t left = filters->count; left > 0; left--, s++) {
        if (mqtt_is_shared(&s->filter[0]) && (!limits->shared_available || s->no_local)) /* MQTT-3.8.3-4 */
            return MQTT_REASON_SHARED_NOT_SUPPORTED;
        if (!limits->wildcard_available && has_wildcard(s))
            return MQTT_REASON_WILDCARDS_NOT_SUPPORTED;
    }
    return 0;
}
#endif

#if MQTT_WITH_SESSIONS
/* Is there a SUBSCRIBE or UNSUBSCRIBE to be sent again? */
static bool waits_for_replay(const struct mqtt *m)
{
    size_t i = 0;
    while (i < MQTT_INFLIGHT_MAX && !(m->inflight[i].resend && m->inflight[i].awaits > MQTT_PUBCOMP))
        i++;
    return i < MQTT_INFLIGHT_MAX;
}
#endif

int mqtt_send_filters(struct mqtt *m, unsigned type, const struct mqtt_filters *filters)
{
    const struct mqtt_request request = {m, filters, type};
    if (m->state != MQTT_CONNECTED)
        return MQTT_ERROR_NOT_CONNECTED;
    if (filters->count == 0 || filters->count > UINT8_MAX)
        return MQTT_ERROR_ARGUMENT;
#if MQTT_WITH_SESSIONS
    if (waits_for_replay(m))
        return MQTT_ERROR_INFLIGHT; /* the one before comes first */
#endif
#if MQTT_WITH_PROPERTIES
    if (filters->identifier > MQTT_VARINT_MAX)
        return MQTT_ERROR_ARGUMENT;
    if (type == MQTT_SUBSCRIBE && mqtt_what_is_missing(m, filters) != 0)
        return MQTT_ERROR_UNAVAILABLE;
#endif
    /* Flags 0010: MQTT-3.8.1-1, MQTT-3.10.1-1 */
    return mqtt_send_packet(m, type << 4 | 2, mqtt_write_filters, &request, filters->count);
}

__attribute__((noinline)) static int request(struct mqtt *m, const struct mqtt_subscription *s, size_t count,
                                             unsigned type)
{
    const struct mqtt_filters filters = {.subscriptions = s, .count = count};
    return mqtt_send_filters(m, type, &filters);
}

int mqtt_subscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                   uint32_t now_ms)
{
    m->now_ms = now_ms;
    return request(m, subscriptions, count, MQTT_SUBSCRIBE);
}

int mqtt_unsubscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                     uint32_t now_ms)
{
    m->now_ms = now_ms;
    return request(m, subscriptions, count, MQTT_UNSUBSCRIBE);
}

#if MQTT_WITH_PROPERTIES
int mqtt_subscribe_with(struct mqtt *m, const struct mqtt_filters *filters, uint32_t now_ms)
{
    m->now_ms = now_ms;
    return mqtt_send_filters(m, MQTT_SUBSCRIBE, filters);
}

int mqtt_unsubscribe_with(struct mqtt *m, const struct mqtt_filters *filters, uint32_t now_ms)
{
    m->now_ms = now_ms;
    return mqtt_send_filters(m, MQTT_UNSUBSCRIBE, filters);
}

#if MQTT_WITH_CHECKS
/* May a PUBACK or PUBREC have it (MQTT-3.4.2-1, MQTT-3.5.2-1)? */
static bool is_ack_reason(uint8_t reason)
{
    static const uint8_t all[] = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
    size_t i = 0;
    while (i < sizeof all && all[i] != reason)
        i++;
    return i < sizeof all;
}
#endif

int mqtt_acknowledge(struct mqtt *m, const struct mqtt_closure *closure, uint32_t now_ms)
{
    const struct mqtt_reasoned reasoned = {.closure = closure, .packet_id = m->ack_id};
    unsigned type = MQTT_PUBACK;
    m->now_ms = now_ms;
#if MQTT_WITH_CHECKS
    if (!is_ack_reason(closure->reason))
        return MQTT_ERROR_ARGUMENT;
#endif
    if (m->ack_id == 0 || mqtt_is_v311(m))
        return 0;
#if MQTT_WITH_STREAMING
    if (m->incoming.left > 0)
        return MQTT_ERROR_INFLIGHT; /* not before its last part */
#endif
#if MQTT_WITH_QOS2
    type = m->ack_head >> 4;
#endif
    int result = mqtt_send_packet(m, type << 4, mqtt_write_reasoned, &reasoned, 0);
    if (result < 0)
        return result;
#if MQTT_WITH_QOS2
    if (type == MQTT_PUBREC && closure->reason >= MQTT_REASON_UNSPECIFIED)
        mqtt_qos2_release(m, mqtt_find_unreleased(m, m->ack_id)); /* 4.3.3: that was the end of it */
#endif
    m->ack_id = 0;
    return 0;
}
#endif
