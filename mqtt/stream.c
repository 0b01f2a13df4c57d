/* Messages that are larger than the buffers. */
#include "mqtt/engine.h"

#if MQTT_WITH_STREAMING

/* ---- Received ---- */

void mqtt_begin_parts(struct mqtt *m, struct mqtt_frame *frame, bool drop, struct mqtt_event *event)
{
    frame->size -= event->message.payload.length;
    event->message.payload.length = 0;
    event->message.total = (uint32_t)(frame->total - frame->size);
    event->type = MQTT_EVENT_MESSAGE_BEGIN;
    m->incoming.total = m->incoming.left = event->message.total;
    m->dropping = drop;
}

/* The whole message is here, and will be answered. */
static bool finish_parts(struct mqtt *m)
{
    struct mqtt_writer w;
    if (m->ack_id == 0)
        return true;
    if (mqtt_available(m, &w) < MQTT_PUBACK_SIZE)
        return false;
#if MQTT_WITH_QOS2
    if (m->ack_head >> 4 == MQTT_PUBREC && !m->dropping)
        mqtt_qos2_keep(m, m->ack_id);
#endif
    return true;
}

bool mqtt_receive_part(struct mqtt *m, struct mqtt_event *event)
{
    const struct mqtt_transport *t = m->transport;
    const uint8_t *data;
    size_t length = t->receive(t->context, &data);
    if (length == 0)
        return false;
    if (length >= m->incoming.left) {
        if (!finish_parts(m))
            return false;
        /* The view need not have outlived the look at the send buffer. */
        length = m->incoming.left;
        (void)t->receive(t->context, &data);
    }
    event->part.data = (struct mqtt_slice){data, length};
    event->part.offset = m->incoming.total - m->incoming.left;
    event->part.total = m->incoming.total;
    event->type = MQTT_EVENT_MESSAGE_PART;
    m->incoming.left -= (uint32_t)length;
    m->received_ms = m->now_ms;
    m->ping_pending = false; /* its answer is behind this message, which may take long */
    m->delivered = length;
    return !m->dropping;
}

/* ---- Sent ---- */

/* One piece into one span. Negative: the source has given up. */
static int send_span(struct mqtt *m, struct mqtt_span span)
{
    size_t length = span.length < m->outgoing.left ? span.length : m->outgoing.left;
    if (length == 0)
        return 0;
    int got =
        m->outgoing.source(m->outgoing.context, m->outgoing.total - m->outgoing.left, span.data, length);
    if (got > (int)length)
        return -1;
    m->outgoing.left -= (uint32_t)(got > 0 ? got : 0);
    return got;
}

static void abandon(struct mqtt *m)
{
    if (m->source_id != 0) {
        struct mqtt_inflight *slot = mqtt_slot(m, m->source_id);
        mqtt_free_slot(m, slot);
        m->publishing--;
        m->statistics.lost++;
    }
    m->outgoing.source = NULL;
    mqtt_end(m, MQTT_CAUSE_USER, MQTT_REASON_UNSPECIFIED);
}

/* True: it has filled all the room that there was. */
static bool send_piece(struct mqtt *m)
{
    const struct mqtt_transport *t = m->transport;
    struct mqtt_span room[2];
    if (t->reserve(t->context, room) == 0)
        return false;
    int first = send_span(m, room[0]);
    int second = first == (int)room[0].length ? send_span(m, room[1]) : 0;
    if (first < 0 || second < 0) {
        abandon(m);
        return false;
    }
    if (first + second == 0)
        return false;
    mqtt_commit(m, (size_t)first + (size_t)second);
    /* Room comes from the peer's acknowledgements, which a broker that reads nothing stops giving. */
    m->received_ms = m->now_ms;
    m->ping_pending = false;
    return (size_t)first + (size_t)second == room[0].length + room[1].length;
}

bool mqtt_send_parts(struct mqtt *m, struct mqtt_event *event)
{
    while (send_piece(m) && m->outgoing.left > 0) {
        /* a transport that sends at once has room anew, and nothing else would wake the caller */
    }
    if (m->outgoing.left > 0 || m->outgoing.source == NULL)
        return false;
    if (m->source_id != 0) {
#if MQTT_WITH_ACK_TIMEOUT
        mqtt_slot(m, m->source_id)->since_ms = m->now_ms;
#endif
        return false;
    }
    m->outgoing.source = NULL;
    mqtt_clear_details(event);
    mqtt_tell_published(event, 0, MQTT_REASON_SUCCESS);
    return true;
}

#endif
