/* What time and the broker bring about: reception, acknowledgements, liveness. */
#include "mqtt/engine.h"

enum { MESSAGES_IN_A_ROW = 8 }; /* then what is to be sent has a turn */

/* The one deadline of each state. */
static bool due(const struct mqtt *m)
{
    return mqtt_until(m->now_ms, m->deadline_ms) == 0;
}

/* ---- Acknowledgements ---- */

/* The answer to the packet just delivered has had its room since before that. */
void mqtt_send_owed_ack(struct mqtt *m)
{
    uint32_t id = (uint32_t)m->ack_id >> 8 | (m->ack_id & 0xFFu) << 8;
    if (m->ack_id == 0)
        return;
    m->ack_id = 0;
#if MQTT_WITH_QOS2
    size_t size = MQTT_PUBACK_SIZE;
    if (m->ack_reason != MQTT_REASON_SUCCESS && !mqtt_is_v311(m))
        size++;
    (void)mqtt_send_small(m, m->ack_head | (uint32_t)(size - 2) << 8 | id << 16, size);
#else
    (void)mqtt_send_small(m, MQTT_PUBACK << 4 | 2u << 8 | id << 16, MQTT_PUBACK_SIZE);
#endif
}

void mqtt_tell_published(struct mqtt_event *event, uint16_t packet_id, uint8_t reason)
{
    event->type = MQTT_EVENT_PUBLISHED;
    event->published.packet_id = packet_id;
    event->published.reason = reason;
}

void mqtt_settle_publish(struct mqtt *m, struct mqtt_inflight *slot, uint8_t reason, struct mqtt_event *event)
{
    mqtt_free_slot(m, slot);
    mqtt_tell_published(event, slot->packet_id, reason);
    m->publishing--;
    if (reason < MQTT_REASON_UNSPECIFIED)
        m->statistics.acknowledged++;
    else
        m->statistics.refused++;
}

void mqtt_tell_filters(struct mqtt_event *event, unsigned type, uint16_t packet_id,
                       const struct mqtt_slice *reasons)
{
    event->type = type == MQTT_SUBACK ? MQTT_EVENT_SUBSCRIBED : MQTT_EVENT_UNSUBSCRIBED;
    event->subscribed.packet_id = packet_id;
    event->subscribed.reasons = *reasons;
}

static void settle_filters(struct mqtt *m, struct mqtt_inflight *slot, unsigned type,
                           const struct mqtt_ack *ack, struct mqtt_event *event)
{
    mqtt_free_slot(m, slot);
    mqtt_tell_filters(event, type, ack->packet_id, &ack->reasons);
#if MQTT_WITH_SESSIONS
    if (m->subscribe_id == ack->packet_id) {
        m->subscribe_id = 0;
        m->subscribing = NULL;
    }
#endif
}

static void on_ack(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    struct mqtt_ack ack;
    unsigned type = frame->head >> 4;
    if (mqtt_decode_ack(frame, mqtt_maximum_qos(m), mqtt_details_of(event), &ack) != MQTT_REASON_SUCCESS)
        return;
#if MQTT_WITH_QOS2
    if (type - MQTT_PUBREC <= MQTT_PUBCOMP - MQTT_PUBREC) {
        mqtt_on_qos2_step(m, type, &ack, event);
        return;
    }
#endif
    struct mqtt_inflight *slot = mqtt_find_inflight(m, ack.packet_id, type);
    if (slot == NULL) {
        m->statistics.unknown_acks++;
        return;
    }
    if (type == MQTT_PUBACK) {
        mqtt_settle_publish(m, slot, ack.reason, event);
        return;
    }
    /* MQTT-3.8.4-6, MQTT-3.11.3-1; an UNSUBACK of 3.1.1 has none */
    size_t expected = type == MQTT_UNSUBACK && mqtt_is_v311(m) ? 0 : slot->count;
    if (ack.reasons.length == expected)
        settle_filters(m, slot, type, &ack, event);
    else
        mqtt_reader_fail(&frame->body, MQTT_REASON_PROTOCOL_ERROR);
}

/* ---- Receiving: each handler gives the event its type if there is one; what is wrong is the frame's reason.
 * ---- */

/* The rest of a message comes before the next packet. */
static bool comes_in_parts(const struct mqtt *m)
{
#if MQTT_WITH_STREAMING
    return m->incoming.left > 0;
#else
    (void)m;
    return false;
#endif
}

/* What is wrong with it in this session; whether it is for the user, or was delivered before. */
static uint8_t admit(struct mqtt *m, const struct mqtt_frame *frame, struct mqtt_message *message,
                     bool *is_new)
{
    uint8_t wrong = MQTT_REASON_SUCCESS;
    *is_new = true;
    (void)m;
    (void)frame;
    (void)message;
#if MQTT_WITH_ALIASES
    wrong = mqtt_resolve_alias(m, message);
#endif
#if MQTT_WITH_QOS2
    bool qos2 = (frame->head >> MQTT_PUBLISH_QOS_SHIFT & 2) != 0;
    m->ack_reason = MQTT_REASON_SUCCESS;
    m->ack_head = qos2 ? MQTT_PUBREC << 4 : MQTT_PUBACK << 4;
    if (qos2 && wrong == MQTT_REASON_SUCCESS)
        wrong = mqtt_qos2_receive(m, m->ack_id, is_new);
#endif
    return wrong;
}

/* Whole, or its beginning. */
static void deliver_message(struct mqtt *m, struct mqtt_frame *frame, bool is_new, struct mqtt_event *event)
{
    (void)frame;
#if MQTT_WITH_STREAMING
    event->message.total = (uint32_t)event->message.payload.length;
    if (frame->total > frame->size)
        mqtt_begin_parts(m, frame, !is_new, event);
#endif
    if (!is_new) {
        event->type = 0;
        return;
    }
#if MQTT_WITH_QOS2
    if (m->ack_head == MQTT_PUBREC << 4 && !comes_in_parts(m))
        mqtt_qos2_keep(m, m->ack_id);
#endif
    m->statistics.received++;
}

static void on_publish(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    unsigned qos = frame->head >> MQTT_PUBLISH_QOS_SHIFT & 3;
    if (qos == 2 && mqtt_maximum_qos(m) < 2)
        mqtt_reader_fail(&frame->body, MQTT_REASON_QOS_NOT_SUPPORTED); /* our subscriptions ask for less */
    event->type = MQTT_EVENT_MESSAGE;
    if (mqtt_decode_publish(frame, &event->message, &m->ack_id) != MQTT_REASON_SUCCESS)
        return;
    bool is_new;
    uint8_t wrong = admit(m, frame, &event->message, &is_new);
    if (wrong == MQTT_REASON_SUCCESS)
        deliver_message(m, frame, is_new, event);
    else
        mqtt_reader_fail(&frame->body, wrong);
}

static void on_pingresp(struct mqtt *m, struct mqtt_frame *frame)
{
    m->ping_pending = false; /* one unasked for does no harm */
    if (frame->body.at != frame->body.end)
        mqtt_reader_fail(&frame->body, MQTT_REASON_MALFORMED_PACKET);
}

static void on_packet(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    unsigned type = frame->head >> 4;
    unsigned flags = frame->head & 0x0F;
    if (type != MQTT_PUBLISH)
        mqtt_clear_details(event);
    uint8_t wrong = MQTT_REASON_PROTOCOL_ERROR;
    if (type != MQTT_PUBLISH && (type == 0 || flags != (type == MQTT_PUBREL ? 2 : 0))) {
        wrong = MQTT_REASON_MALFORMED_PACKET; /* 2.1.2, 2.1.3 */
#if MQTT_WITH_AUTH
    } else if (type == MQTT_AUTH) {
        mqtt_on_auth(m, frame, event);
        return;
#endif
    } else if (m->state == MQTT_CONNECTING) {
        if (type == MQTT_CONNACK) {
            mqtt_on_connack(m, frame, event);
            return;
        }
    } else {
        switch (type) {
        case MQTT_PUBLISH: on_publish(m, frame, event); return;
        case MQTT_PUBREC:
        case MQTT_PUBREL:
        case MQTT_PUBCOMP:
            if (mqtt_maximum_qos(m) < 2)
                break;
            /* fall through */
        case MQTT_PUBACK:
        case MQTT_SUBACK:
        case MQTT_UNSUBACK: on_ack(m, frame, event); return;
        case MQTT_PINGRESP: on_pingresp(m, frame); return;
        case MQTT_DISCONNECT: mqtt_on_disconnect(m, frame, event); return;
        }
    }
    /* Anything else before the CONNACK (MQTT-3.2.0-1), a second one, steps of QoS 2, if we do not speak it,
     * AUTH, if we never asked for it, and what only a client sends. */
    mqtt_reader_fail(&frame->body, wrong);
}

static void consume_delivered(struct mqtt *m)
{
    m->transport->consume(m->transport->context, m->delivered);
    m->delivered = 0;
    if (!comes_in_parts(m))
        mqtt_send_owed_ack(m);
}

/* The caller has dealt with the last event. */
static void finish_delivery(struct mqtt *m)
{
#if MQTT_WITH_PROPERTIES
    mqtt_finish_closing(m);
#endif
    if (m->delivered != 0)
        consume_delivered(m);
}

/* What the answer to this packet takes; 0: it has none. */
static size_t answer_size(const struct mqtt *m, uint8_t head)
{
    unsigned kind = head & ~(unsigned)(MQTT_PUBLISH_DUP | MQTT_PUBLISH_RETAIN);
    if (kind == (MQTT_PUBLISH << 4 | 1 << MQTT_PUBLISH_QOS_SHIFT))
        return MQTT_PUBACK_SIZE;
    if (mqtt_maximum_qos(m) < 2)
        return 0;
    bool answered = kind == (MQTT_PUBLISH << 4 | 2 << MQTT_PUBLISH_QOS_SHIFT) || head >> 4 == MQTT_PUBREC ||
                    head >> 4 == MQTT_PUBREL;
    return answered ? MQTT_PUBACK_SIZE + 1 : 0;
}

/* The largest packet that is taken which begins so: only a PUBLISH can come in parts. */
static size_t largest(const struct mqtt *m, const struct mqtt_transport *t, uint8_t head)
{
    return head >> 4 == MQTT_PUBLISH ? mqtt_largest_packet(m, t) : t->receive_capacity;
}

static bool is_piece(const struct mqtt_frame *frame)
{
#if MQTT_WITH_STREAMING
    return frame->size != frame->total;
#else
    return frame->size == 0;
#endif
}

/* So much is here of a packet, which may take long: what it grows by is a sign of life. */
static void note_piece(struct mqtt *m, size_t length)
{
    if (length != m->piece)
        m->received_ms = m->now_ms;
    m->piece = length;
}

/* False: no whole packet, or none that can be taken now, or a wrong one. */
static bool next_frame(struct mqtt *m, struct mqtt_frame *frame)
{
    const struct mqtt_transport *t = m->transport;
    const uint8_t *data;
    struct mqtt_writer w;
    size_t length = t->receive(t->context, &data);
    if (length == 0)
        return false;
    size_t answer = answer_size(m, data[0]);
    if (answer > 0) {
        /* Delivery waits until the answer has room: then it cannot get lost. */
        if (mqtt_available(m, &w) < answer)
            return false;
        /* The view need not have outlived the look at the send buffer. */
        length = t->receive(t->context, &data);
    }
    uint8_t wrong = mqtt_decode_frame(data, length, largest(m, t, data[0]), frame);
#if MQTT_WITH_V311
    frame->body.v311 = mqtt_is_v311(m);
#endif
#if MQTT_WITH_STREAMING
    if (frame->total > t->receive_capacity)
        frame->size = length; /* never whole: let us see what is here */
#endif
    if (wrong == MQTT_REASON_SUCCESS && is_piece(frame))
        note_piece(m, length);
    return wrong == MQTT_REASON_SUCCESS && frame->size != 0;
}

/* The packet is wrong, or of a large one not enough is here. */
static void refuse(struct mqtt *m, const struct mqtt_frame *frame)
{
    uint8_t reason = frame->body.reason;
    if (reason == MQTT_READER_CUT)
        reason = MQTT_REASON_MALFORMED_PACKET;
#if MQTT_WITH_STREAMING
    if (frame->body.reason == MQTT_READER_CUT && frame->total > frame->size) {
        m->ack_id = 0;
        if (frame->size < m->transport->receive_capacity)
            return;
        reason = MQTT_REASON_PACKET_TOO_LARGE; /* topic and properties have to fit */
    }
#endif
    mqtt_violation(m, reason);
}

/* Takes packets until one is an event. The receive buffer bounds the loop: nothing comes in meanwhile. */
static bool receive(struct mqtt *m, struct mqtt_event *event)
{
    struct mqtt_frame frame;
    frame.body.reason = MQTT_REASON_SUCCESS;
    while (!comes_in_parts(m) && next_frame(m, &frame)) {
        event->type = 0;
        on_packet(m, &frame, event);
        if (frame.body.reason != MQTT_REASON_SUCCESS)
            break;
        if (m->state < MQTT_CONNECTING) /* it was the last one */
            return MQTT_WITH_PROPERTIES && event->type != 0;
        m->received_ms = m->now_ms;
        m->delivered = frame.size;
        if (event->type != 0)
            return true;
        finish_delivery(m);
    }
    if (frame.body.reason != MQTT_REASON_SUCCESS)
        refuse(m, &frame);
    return false;
}

#if MQTT_WITH_STREAMING
/* The parts of a message come before the next packet. */
static bool receive_parts(struct mqtt *m, struct mqtt_event *event)
{
    while (m->incoming.left > 0) {
        if (mqtt_receive_part(m, event))
            return true;
        if (m->delivered == 0)
            return false;
        finish_delivery(m); /* a message that was delivered before */
    }
    return false;
}
#endif

/* All that is here. True: an event. */
static bool receive_all(struct mqtt *m, struct mqtt_event *event)
{
#if MQTT_WITH_STREAMING
    do {
        if (comes_in_parts(m) && receive_parts(m, event))
            return true;
        if (comes_in_parts(m))
            return false;
        if (receive(m, event))
            return true;
    } while (comes_in_parts(m)); /* of a message to be dropped the beginning has been */
    return false;
#else
    return receive(m, event);
#endif
}

/* ---- Liveness ---- */

/* Somewhat before the time that we promised, so that the packet gets there in time (MQTT-3.1.2-20). */
static uint32_t ping_after_ms(const struct mqtt *m)
{
    return m->limits.keep_alive_s * 875u;
}

/* With what follows a PINGREQ: the answer may be behind much else. */
static uint32_t ping_patience_ms(const struct mqtt *m)
{
    return m->limits.keep_alive_s * 500u;
}

/*
 * Both directions count: a client that sends all the time must notice a broker
 * that has fallen silent, too. Silence is given up after 7/8 + 1/2 keep-alives.
 */
static uint32_t ping_wait_ms(const struct mqtt *m, uint32_t now_ms)
{
    bool sent_first = (int32_t)(m->sent_ms - m->received_ms) < 0;
    return mqtt_until(now_ms, (sent_first ? m->sent_ms : m->received_ms) + ping_after_ms(m));
}

#if MQTT_WITH_ACK_TIMEOUT
/* Until the first packet of ours has waited too long for its answer. */
static uint32_t ack_wait_ms(const struct mqtt *m, uint32_t now_ms)
{
    uint32_t limit = m->config->ack_timeout_ms;
    uint32_t wait = UINT32_MAX;
    if (limit == 0)
        return wait;
#if MQTT_WITH_AUTH
    if (m->reauthenticating)
        wait = mqtt_until(now_ms, m->auth_since_ms + limit);
#endif
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++) {
        const struct mqtt_inflight *slot = &m->inflight[i];
        if (slot->awaits == 0 || !mqtt_is_sent(m, slot))
            continue;
        uint32_t left = mqtt_until(now_ms, slot->since_ms + limit);
        if (left < wait)
            wait = left;
    }
    return wait;
}
#endif

MQTT_OFTEN static void ping(struct mqtt *m)
{
    if (m->state != MQTT_CONNECTED || m->limits.keep_alive_s == 0)
        return;
    if (!m->ping_pending) {
        if (ping_wait_ms(m, m->now_ms) > 0)
            return;
        m->ping_pending = true;
        m->ping_sent = false;
        m->deadline_ms = m->now_ms + ping_patience_ms(m);
    }
    if (!m->ping_sent)
        m->ping_sent = mqtt_send_small(m, MQTT_PINGREQ << 4, MQTT_PINGREQ_SIZE);
}

static void stay_connected(struct mqtt *m)
{
#if MQTT_WITH_ACK_TIMEOUT
    if (ack_wait_ms(m, m->now_ms) == 0) {
        mqtt_end(m, MQTT_CAUSE_TIMEOUT, 0);
        return;
    }
#endif
    ping(m);
    if (m->ping_pending && due(m))
        m->deadline_ms = m->received_ms + ping_patience_ms(m);
    if (m->ping_pending && due(m))
        mqtt_end(m, MQTT_CAUSE_TIMEOUT, MQTT_REASON_KEEP_ALIVE_TIMEOUT);
}

MQTT_APART static void check_liveness(struct mqtt *m)
{
    if (m->state != MQTT_OPENING && mqtt_transport_state(m) != MQTT_TRANSPORT_OPEN)
        mqtt_end(m, MQTT_CAUSE_TRANSPORT, 0);
    else if (m->state == MQTT_CONNECTED)
        stay_connected(m);
    else if (due(m))
        mqtt_end(m, MQTT_CAUSE_TIMEOUT, 0);
}

/* ---- Public ---- */

void mqtt_init(struct mqtt *m, const struct mqtt_config *config, const struct mqtt_transport *transport,
               uint32_t seed)
{
    memset(m, 0, sizeof *m);
    m->config = config;
    m->transport = transport;
    m->random = seed * 0x9E3779B1u | 1; /* spread, so that the seeds 1 and 2 do not begin alike; not 0 */
    m->state = MQTT_STARTING;
#if MQTT_WITH_SESSIONS
    mqtt_session_restore(m);
#endif
#if MQTT_WITH_V311
    m->version = mqtt_first_version(m);
#endif
}

/* What goes on by itself in a session. */
MQTT_OFTEN static bool go_on(struct mqtt *m, struct mqtt_event *event)
{
#if MQTT_WITH_AUTH
    if (m->state >= MQTT_CONNECTING && m->auth_reason != 0)
        mqtt_auth_continue(m);
#endif
    if (m->state != MQTT_CONNECTED)
        return false;
#if MQTT_WITH_STREAMING
    if (m->outgoing.left > 0 && mqtt_send_parts(m, event))
        return true;
#endif
#if MQTT_WITH_SESSIONS
    if ((m->replaying || m->subscribing != NULL) && m->state == MQTT_CONNECTED &&
        mqtt_session_continue(m, event))
        return true;
#endif
    (void)event;
    return false;
}

/* Between two messages, of which there may be no end: is there something to send? */
static bool is_our_turn(struct mqtt *m)
{
#if MQTT_WITH_SESSIONS || MQTT_WITH_STREAMING
    if (++m->in_a_row % MESSAGES_IN_A_ROW == 0)
        return true;
#endif
    return m->now_ms - m->sent_ms >= ping_after_ms(m);
}

MQTT_APART static bool take_turn(struct mqtt *m, struct mqtt_event *event)
{
    ping(m);
    return go_on(m, event);
}

bool mqtt_poll(struct mqtt *m, uint32_t now_ms, struct mqtt_event *event)
{
    m->now_ms = now_ms;
    bool delivered = m->delivered != 0;
    finish_delivery(m);
    if (delivered && is_our_turn(m) && take_turn(m, event))
        return true;
    if (m->state < MQTT_CONNECTING) {
        if (mqtt_take_end(m, event))
            return true;
        if (m->state == MQTT_STARTING || (m->state == MQTT_WAITING && due(m)))
            mqtt_attempt(m);
        if (m->state == MQTT_OPENING)
            mqtt_greet(m);
    }
    if (m->state >= MQTT_CONNECTING && receive_all(m, event))
        return true;
    if (m->state >= MQTT_OPENING)
        check_liveness(m);
    if (go_on(m, event))
        return true;
    return mqtt_take_end(m, event);
}

uint32_t mqtt_wait_ms(const struct mqtt *m, uint32_t now_ms)
{
    if (m->end.cause != 0 || m->delivered != 0 || m->state == MQTT_STARTING)
        return 0;
#if MQTT_WITH_PROPERTIES
    if (m->closing)
        return 0;
#endif
    if (m->state == MQTT_STOPPED)
        return UINT32_MAX;
    uint32_t wait = UINT32_MAX;
    if (m->state != MQTT_CONNECTED || m->ping_pending)
        wait = mqtt_until(now_ms, m->deadline_ms);
    else if (m->limits.keep_alive_s != 0)
        wait = ping_wait_ms(m, now_ms);
#if MQTT_WITH_ACK_TIMEOUT
    uint32_t ack = ack_wait_ms(m, now_ms);
    if (m->state == MQTT_CONNECTED && ack < wait)
        wait = ack;
#endif
    return wait;
}

bool mqtt_is_connected(const struct mqtt *m)
{
    return m->state == MQTT_CONNECTED;
}

#if MQTT_WITH_V311
uint8_t mqtt_version(const struct mqtt *m)
{
    return m->version;
}
#endif

const struct mqtt_statistics *mqtt_statistics(const struct mqtt *m)
{
    return &m->statistics;
}

#if MQTT_WITH_SESSION_STATISTICS
void mqtt_session_statistics(const struct mqtt *m, struct mqtt_statistics *statistics)
{
    const uint32_t *now = (const uint32_t *)&m->statistics;
    const uint32_t *before = (const uint32_t *)&m->before;
    uint32_t *out = (uint32_t *)statistics;
    for (size_t i = 0; i < sizeof *statistics / sizeof *out; i++)
        out[i] = now[i] - before[i];
}
#endif
