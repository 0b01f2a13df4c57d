#include "mqtt/engine.h"

#include <string.h>

enum {
    DEFAULT_CONNECT_TIMEOUT_MS = 10000,
    DEFAULT_BACKOFF_MIN_MS = 500,
    DEFAULT_BACKOFF_MAX_MS = 60000,
    DEFAULT_STABLE_MS = 30000,

    OPEN_RETRY_MS = 1000,  /* while the transport has no network */
    CLOSE_GRACE_MS = 2000, /* for an orderly close, before the next attempt aborts it */
};

static uint32_t until(uint32_t now_ms, uint32_t deadline_ms)
{
    int32_t left = (int32_t)(deadline_ms - now_ms);
    return left > 0 ? (uint32_t)left : 0;
}

/* The one deadline of each state. */
static bool due(const struct mqtt *m)
{
    return until(m->now_ms, m->deadline_ms) == 0;
}

static uint32_t value_or(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static enum mqtt_transport_state transport_state(const struct mqtt *m)
{
    return m->transport->state(m->transport->context);
}

/* Sending. */

/* The answer to the packet just delivered has had its room since before that. */
static void send_owed_ack(struct mqtt *m)
{
    mqtt_small id = (mqtt_small)m->ack_id >> 8 | (m->ack_id & 0xFFu) << 8;
    if (m->ack_id == 0)
        return;
    m->ack_id = 0;
#if MQTT_WITH_QOS2
    size_t size = MQTT_PUBACK_SIZE + (m->ack_reason != MQTT_REASON_SUCCESS);
    mqtt_small rest = (size - 2) << 8 | id << 16 | (mqtt_small)m->ack_reason << 32;
    (void)mqtt_send_small(m, m->ack_head | rest, size);
#else
    (void)mqtt_send_small(m, MQTT_PUBACK << 4 | 2u << 8 | id << 16, MQTT_PUBACK_SIZE);
#endif
}

static bool send_pingreq(struct mqtt *m)
{
    return mqtt_send_small(m, MQTT_PINGREQ << 4, MQTT_PINGREQ_SIZE);
}

/* Without room the peer learns nothing but the close: nobody waits for it. */
static void send_disconnect(struct mqtt *m, uint8_t reason)
{
    (void)mqtt_send_small(m, MQTT_DISCONNECT << 4 | 1u << 8 | (uint32_t)reason << 16, MQTT_DISCONNECT_SIZE);
}

/* The end of a connection and the way to the next. */

static uint32_t next_random(struct mqtt *m)
{
    uint32_t x = m->random; /* xorshift32, never 0 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    m->random = x;
    return x;
}

/* Full jitter: anything between 0 and a limit that doubles with each failure up to a ceiling. */
static uint32_t backoff_ms(struct mqtt *m)
{
    uint32_t ceiling = value_or(m->config->backoff_max_ms, DEFAULT_BACKOFF_MAX_MS);
    uint32_t limit = value_or(m->backoff_ms, value_or(m->config->backoff_min_ms, DEFAULT_BACKOFF_MIN_MS));
    if (limit > ceiling)
        limit = ceiling;
    m->backoff_ms = limit * 2;
    return (uint32_t)(((uint64_t)next_random(m) * (limit + 1)) >> 32);
}

static uint8_t forget_inflight(struct mqtt *m)
{
    uint8_t lost = m->publishing;
    memset(m->inflight, 0, sizeof m->inflight);
#if MQTT_WITH_QOS2
    memset(m->unreleased, 0, sizeof m->unreleased);
#endif
    m->publishing = 0;
    m->statistics.lost += lost;
    return lost;
}

static void end(struct mqtt *m, enum mqtt_cause cause, uint8_t reason)
{
    struct mqtt_disconnected *told = &m->end;
    told->cause = cause;
    told->reason = reason;
    told->established = m->state == MQTT_CONNECTED;
    told->lost = forget_inflight(m);
    told->retry_ms = UINT32_MAX;
    if (told->established && m->now_ms - m->connected_ms >= value_or(m->config->stable_ms, DEFAULT_STABLE_MS))
        m->backoff_ms = 0;

    m->ack_id = 0;
    m->delivered = 0;
    m->aborting = false;
    m->state = MQTT_STOPPED;
    if (cause != MQTT_CAUSE_USER) {
        told->retry_ms = backoff_ms(m);
        m->deadline_ms = m->now_ms + told->retry_ms;
        m->state = MQTT_WAITING;
    }
    if (cause == MQTT_CAUSE_TIMEOUT)
        m->statistics.timeouts++;
    /* A peer that has fallen silent would not answer an orderly close. */
    m->transport->close(m->transport->context, cause == MQTT_CAUSE_TIMEOUT);
}

static void violation(struct mqtt *m, uint8_t reason)
{
    m->statistics.violations++;
    send_disconnect(m, reason);
    end(m, MQTT_CAUSE_PROTOCOL, reason);
}

static bool take_end(struct mqtt *m, struct mqtt_event *event)
{
    if (m->end.cause == 0)
        return false;
    event->type = MQTT_EVENT_DISCONNECTED;
    event->disconnected = m->end;
    m->end.cause = 0;
    return true;
}

/* From nothing to CONNECT sent. */

/* Until the transport is open or the CONNACK here. */
/* Apart, as check_liveness is. */
__attribute__((noinline)) static void await(struct mqtt *m, enum mqtt_state state)
{
    m->state = (uint8_t)state;
    m->deadline_ms = m->now_ms + value_or(m->config->connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT_MS);
}

static void attempt(struct mqtt *m)
{
    const struct mqtt_transport *t = m->transport;
    m->state = MQTT_WAITING;
    if (transport_state(m) != MQTT_TRANSPORT_CLOSED) {
        if (m->aborting)
            t->close(t->context, true);
        m->aborting = true;
        m->deadline_ms = m->now_ms + CLOSE_GRACE_MS;
    } else if (t->open(t->context) < 0) {
        m->deadline_ms = m->now_ms + OPEN_RETRY_MS;
    } else {
        m->statistics.attempts++;
        await(m, MQTT_OPENING);
    }
}

static void greet(struct mqtt *m)
{
    enum mqtt_transport_state state = transport_state(m);
    if (state == MQTT_TRANSPORT_OPENING)
        return;
    if (state != MQTT_TRANSPORT_OPEN) {
        end(m, MQTT_CAUSE_TRANSPORT, 0);
        return;
    }
    memset(&m->limits, 0xFF, sizeof m->limits); /* none: the CONNACK names them */
    m->limits.keep_alive_s = m->config->keep_alive_s;
    if (mqtt_send(m, MQTT_CONNECT << 4, mqtt_body_size(mqtt_write_connect, m), mqtt_write_connect, m, 0) >= 0)
        await(m, MQTT_CONNECTING);
}

/* Receiving: each handler gives the event its type if there is one; what is wrong is the frame's reason. */

static void on_connack(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    uint8_t refusal;
    if (mqtt_decode_connack(frame, &m->limits, &refusal) != MQTT_REASON_SUCCESS)
        return;
    if (refusal != MQTT_REASON_SUCCESS) {
        end(m, MQTT_CAUSE_REFUSED, refusal);
        return;
    }
    m->state = MQTT_CONNECTED;
    m->connected_ms = m->now_ms;
    m->ping_pending = false;
    m->statistics.sessions++;
    event->type = MQTT_EVENT_CONNECTED;
    event->connected.session_present = false;
}

#if MQTT_WITH_QOS2
/* QoS 2 (4.3.3), where it is configured: what comes is delivered at once, its packet id kept until PUBREL. */

static uint16_t *find_unreleased(struct mqtt *m, uint16_t packet_id)
{
    for (size_t i = 0; i < MQTT_RECEIVE_MAX; i++) {
        if (m->unreleased[i] == packet_id)
            return &m->unreleased[i];
    }
    return NULL;
}

/* A QoS 2 message has come, or has again: deliver it? */
static uint8_t qos2_receive(struct mqtt *m, uint16_t packet_id, bool *deliver)
{
    *deliver = find_unreleased(m, packet_id) == NULL;
    if (!*deliver) {
        m->statistics.duplicates++; /* MQTT-4.3.3-10 */
        return MQTT_REASON_SUCCESS;
    }
    uint16_t *slot = find_unreleased(m, 0);
    if (slot == NULL)
        return MQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED; /* MQTT-3.3.4-9, 3.3.4 */
    *slot = packet_id;
    return MQTT_REASON_SUCCESS;
}

#endif

static void on_publish(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    unsigned qos = frame->head >> MQTT_PUBLISH_QOS_SHIFT & 3;
    if (qos == 2 && mqtt_maximum_qos(m) < 2)
        mqtt_reader_fail(&frame->body, MQTT_REASON_QOS_NOT_SUPPORTED); /* our subscriptions ask for less */
    event->type = MQTT_EVENT_MESSAGE;
    if (mqtt_decode_publish(frame, &event->message, &m->ack_id) != MQTT_REASON_SUCCESS)
        return;
#if MQTT_WITH_QOS2
    bool deliver = true;
    m->ack_reason = MQTT_REASON_SUCCESS;
    m->ack_head = qos == 2 ? MQTT_PUBREC << 4 : MQTT_PUBACK << 4;
    if (qos == 2)
        mqtt_reader_fail(&frame->body, qos2_receive(m, m->ack_id, &deliver));
    if (!deliver) {
        event->type = 0;
        return;
    }
#endif
    m->statistics.received++;
}

static struct mqtt_inflight *find_inflight(struct mqtt *m, uint16_t packet_id, unsigned type)
{
    struct mqtt_inflight *slot = &m->inflight[packet_id % MQTT_INFLIGHT_MAX];
    return slot->awaits == type && slot->packet_id == packet_id ? slot : NULL;
}

static void settle_publish(struct mqtt *m, struct mqtt_inflight *slot, uint8_t reason,
                           struct mqtt_event *event)
{
    slot->awaits = 0;
    event->type = MQTT_EVENT_PUBLISHED;
    event->published.packet_id = slot->packet_id;
    event->published.reason = reason;
    m->publishing--;
    if (reason < MQTT_REASON_UNSPECIFIED)
        m->statistics.acknowledged++;
    else
        m->statistics.refused++;
}

static void on_ack(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    struct mqtt_ack ack;
    unsigned type = frame->head >> 4;
    if (mqtt_decode_ack(frame, mqtt_maximum_qos(m), &ack) != MQTT_REASON_SUCCESS)
        return;
    struct mqtt_inflight *slot = find_inflight(m, ack.packet_id, type);
    if (slot == NULL) {
        m->statistics.unknown_acks++;
        return;
    }
    if (type == MQTT_PUBACK) {
        settle_publish(m, slot, ack.reason, event);
        return;
    }
    if (ack.reasons.length != slot->count) {
        mqtt_reader_fail(&frame->body, MQTT_REASON_PROTOCOL_ERROR); /* MQTT-3.8.4-6, MQTT-3.11.3-1 */
        return;
    }
    slot->awaits = 0;
    event->type = type == MQTT_SUBACK ? MQTT_EVENT_SUBSCRIBED : MQTT_EVENT_UNSUBSCRIBED;
    event->subscribed.packet_id = ack.packet_id;
    event->subscribed.reasons = ack.reasons;
}

#if MQTT_WITH_QOS2
static void owe(struct mqtt *m, unsigned head, uint16_t packet_id, uint8_t reason)
{
    m->ack_head = (uint8_t)head;
    m->ack_id = packet_id;
    m->ack_reason = reason;
    if (reason != MQTT_REASON_SUCCESS)
        m->statistics.unknown_acks++;
}

static void on_pubrec(struct mqtt *m, const struct mqtt_ack *ack, struct mqtt_event *event)
{
    struct mqtt_inflight *slot = find_inflight(m, ack->packet_id, MQTT_PUBREC);
    bool again = find_inflight(m, ack->packet_id, MQTT_PUBCOMP) != NULL;
    if (slot != NULL && ack->reason >= MQTT_REASON_UNSPECIFIED) {
        settle_publish(m, slot, ack->reason, event); /* 4.3.3: that was the end of it */
        return;
    }
    if (slot != NULL)
        slot->awaits = MQTT_PUBCOMP; /* MQTT-4.3.3-4 */
    owe(m, MQTT_PUBREL << 4 | 2, ack->packet_id,
        slot != NULL || again ? MQTT_REASON_SUCCESS : MQTT_REASON_PACKET_ID_NOT_FOUND);
}

static void on_pubrel(struct mqtt *m, const struct mqtt_ack *ack)
{
    uint16_t *slot = find_unreleased(m, ack->packet_id);
    owe(m, MQTT_PUBCOMP << 4, ack->packet_id,
        slot != NULL ? MQTT_REASON_SUCCESS : MQTT_REASON_PACKET_ID_NOT_FOUND); /* MQTT-4.3.3-11 */
    if (slot != NULL)
        *slot = 0;
}

static void on_pubcomp(struct mqtt *m, const struct mqtt_ack *ack, struct mqtt_event *event)
{
    struct mqtt_inflight *slot = find_inflight(m, ack->packet_id, MQTT_PUBCOMP);
    if (slot != NULL)
        settle_publish(m, slot, ack->reason, event);
    else
        m->statistics.unknown_acks++;
}

static void on_qos2_step(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    struct mqtt_ack ack;
    if (mqtt_decode_ack(frame, 2, &ack) != MQTT_REASON_SUCCESS)
        return;
    switch (frame->head >> 4) {
    case MQTT_PUBREC: on_pubrec(m, &ack, event); break;
    case MQTT_PUBREL: on_pubrel(m, &ack); break;
    default: on_pubcomp(m, &ack, event); break;
    }
}

#endif

static void on_pingresp(struct mqtt *m, struct mqtt_frame *frame)
{
    m->ping_pending = false; /* one unasked for does no harm */
    if (frame->body.at != frame->body.end)
        mqtt_reader_fail(&frame->body, MQTT_REASON_MALFORMED_PACKET);
}

static void on_disconnect(struct mqtt *m, struct mqtt_frame *frame)
{
    uint8_t why;
    if (mqtt_decode_disconnect(frame, &why) == MQTT_REASON_SUCCESS)
        end(m, MQTT_CAUSE_SERVER, why);
}

static void on_packet(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    unsigned type = frame->head >> 4;
    unsigned flags = frame->head & 0x0F;
    uint8_t wrong = MQTT_REASON_PROTOCOL_ERROR;
    if (type != MQTT_PUBLISH && (type == 0 || flags != (type == MQTT_PUBREL ? 2 : 0))) {
        wrong = MQTT_REASON_MALFORMED_PACKET; /* 2.1.2, 2.1.3 */
    } else if (m->state == MQTT_CONNECTING) {
        if (type == MQTT_CONNACK) {
            on_connack(m, frame, event);
            return;
        }
    } else {
        switch (type) {
        case MQTT_PUBLISH: on_publish(m, frame, event); return;
        case MQTT_PUBACK:
        case MQTT_SUBACK:
        case MQTT_UNSUBACK: on_ack(m, frame, event); return;
#if MQTT_WITH_QOS2
        case MQTT_PUBREC:
        case MQTT_PUBREL:
        case MQTT_PUBCOMP:
            if (mqtt_maximum_qos(m) < 2)
                break;
            on_qos2_step(m, frame, event);
            return;
#endif
        case MQTT_PINGRESP: on_pingresp(m, frame); return;
        case MQTT_DISCONNECT: on_disconnect(m, frame); return;
        }
    }
    /* Anything else before the CONNACK (MQTT-3.2.0-1), a second one, steps of QoS 2, if we do not speak it,
     * AUTH, which we never asked for, and what only a client sends. */
    mqtt_reader_fail(&frame->body, wrong);
}

/* The caller has dealt with the last event. */
static void finish_delivery(struct mqtt *m)
{
    if (m->delivered == 0)
        return;
    m->transport->consume(m->transport->context, m->delivered);
    m->delivered = 0;
    send_owed_ack(m);
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
    return mqtt_decode_frame(data, length, t->receive_capacity, frame) == MQTT_REASON_SUCCESS &&
           frame->size != 0;
}

/* Takes packets until one is an event. The receive buffer bounds the loop: nothing comes in meanwhile. */
static bool receive(struct mqtt *m, struct mqtt_event *event)
{
    struct mqtt_frame frame;
    frame.body.reason = MQTT_REASON_SUCCESS;
    while (next_frame(m, &frame)) {
        event->type = 0;
        on_packet(m, &frame, event);
        if (frame.body.reason != MQTT_REASON_SUCCESS)
            break;
        if (m->state < MQTT_CONNECTING)
            return false; /* it was the last one */
        m->received_ms = m->now_ms;
        m->delivered = frame.size;
        if (event->type != 0)
            return true;
        finish_delivery(m);
    }
    if (frame.body.reason != MQTT_REASON_SUCCESS)
        violation(m, frame.body.reason);
    return false;
}

/* Liveness. */

/* Somewhat before the time that we promised, so that the packet gets there in time (MQTT-3.1.2-20). */
static uint32_t ping_after_ms(const struct mqtt *m)
{
    return m->limits.keep_alive_s * 875u;
}

/*
 * Both directions count: a client that sends all the time must notice a broker
 * that has fallen silent, too. Silence is given up after 7/8 + 1/2 keep-alives.
 */
static uint32_t ping_wait_ms(const struct mqtt *m, uint32_t now_ms)
{
    bool sent_first = (int32_t)(m->sent_ms - m->received_ms) < 0;
    return until(now_ms, (sent_first ? m->sent_ms : m->received_ms) + ping_after_ms(m));
}

static void keep_alive(struct mqtt *m)
{
    if (m->limits.keep_alive_s == 0)
        return;
    if (!m->ping_pending) {
        if (ping_wait_ms(m, m->now_ms) > 0)
            return;
        m->ping_pending = true;
        m->ping_sent = false;
        m->deadline_ms = m->now_ms + m->limits.keep_alive_s * 500u;
    }
    if (!m->ping_sent)
        m->ping_sent = send_pingreq(m);
    if (due(m))
        end(m, MQTT_CAUSE_TIMEOUT, MQTT_REASON_KEEP_ALIVE_TIMEOUT);
}

/* Apart: within mqtt_poll it would cost more. */
__attribute__((noinline)) static void check_liveness(struct mqtt *m)
{
    if (m->state != MQTT_OPENING && transport_state(m) != MQTT_TRANSPORT_OPEN)
        end(m, MQTT_CAUSE_TRANSPORT, 0);
    else if (m->state == MQTT_CONNECTED)
        keep_alive(m);
    else if (due(m))
        end(m, MQTT_CAUSE_TIMEOUT, 0);
}

/* Public. */

void mqtt_init(struct mqtt *m, const struct mqtt_config *config, const struct mqtt_transport *transport,
               uint32_t seed)
{
    memset(m, 0, sizeof *m);
    m->config = config;
    m->transport = transport;
    m->random = seed * 0x9E3779B1u | 1; /* spread, so that the seeds 1 and 2 do not begin alike; not 0 */
    m->state = MQTT_STARTING;
}

bool mqtt_poll(struct mqtt *m, uint32_t now_ms, struct mqtt_event *event)
{
    m->now_ms = now_ms;
    finish_delivery(m);
    if (m->state < MQTT_CONNECTING) {
        if (take_end(m, event))
            return true;
        if (m->state == MQTT_STARTING || (m->state == MQTT_WAITING && due(m)))
            attempt(m);
        if (m->state == MQTT_OPENING)
            greet(m);
    }
    if (m->state >= MQTT_CONNECTING && receive(m, event))
        return true;
    if (m->state >= MQTT_OPENING)
        check_liveness(m);
    return take_end(m, event);
}

uint32_t mqtt_wait_ms(const struct mqtt *m, uint32_t now_ms)
{
    if (m->end.cause != 0 || m->delivered != 0 || m->state == MQTT_STARTING)
        return 0;
    if (m->state == MQTT_STOPPED)
        return UINT32_MAX;
    if (m->state != MQTT_CONNECTED || m->ping_pending)
        return until(now_ms, m->deadline_ms);
    return m->limits.keep_alive_s != 0 ? ping_wait_ms(m, now_ms) : UINT32_MAX;
}

void mqtt_disconnect(struct mqtt *m, uint8_t reason, uint32_t now_ms)
{
    m->now_ms = now_ms;
    if (m->state >= MQTT_CONNECTING)
        send_disconnect(m, reason);
    if (m->state >= MQTT_OPENING)
        end(m, MQTT_CAUSE_USER, reason);
    m->state = MQTT_STOPPED;
}

void mqtt_connect(struct mqtt *m, uint32_t now_ms)
{
    if (m->state == MQTT_STOPPED || m->state == MQTT_WAITING) {
        m->state = MQTT_WAITING;
        m->deadline_ms = now_ms;
    }
}

bool mqtt_is_connected(const struct mqtt *m)
{
    return m->state == MQTT_CONNECTED;
}

const struct mqtt_statistics *mqtt_statistics(const struct mqtt *m)
{
    return &m->statistics;
}
