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

static bool send_puback(struct mqtt *m, uint16_t packet_id)
{
    const uint8_t puback[MQTT_PUBACK_SIZE] = {MQTT_PUBACK << 4, 2, (uint8_t)(packet_id >> 8),
                                              (uint8_t)packet_id};
    return mqtt_send_small(m, puback, sizeof puback);
}

static bool send_pingreq(struct mqtt *m)
{
    static const uint8_t pingreq[MQTT_PINGREQ_SIZE] = {MQTT_PINGREQ << 4, 0};
    return mqtt_send_small(m, pingreq, sizeof pingreq);
}

/* Without room the peer learns nothing but the close: nobody waits for it. */
static void send_disconnect(struct mqtt *m, uint8_t reason)
{
    const uint8_t disconnect[MQTT_DISCONNECT_SIZE] = {MQTT_DISCONNECT << 4, 1, reason};
    (void)mqtt_send_small(m, disconnect, sizeof disconnect);
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
    for (size_t i = 0; i < MQTT_INFLIGHT_MAX; i++)
        m->inflight[i].type = 0;
    m->publishing = 0;
    m->requesting = 0;
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

static uint32_t connect_deadline(const struct mqtt *m)
{
    return m->now_ms + value_or(m->config->connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT_MS);
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
        return;
    }
    if (t->open(t->context) < 0) {
        m->deadline_ms = m->now_ms + OPEN_RETRY_MS;
        return;
    }
    m->statistics.attempts++;
    m->state = MQTT_OPENING;
    m->deadline_ms = connect_deadline(m);
}

static void greet(struct mqtt *m)
{
    enum mqtt_transport_state state = transport_state(m);
    if (state == MQTT_TRANSPORT_OPEN) {
        m->limits = (struct mqtt_limits){
            .maximum_packet_size = MQTT_PACKET_MAX,
            .receive_maximum = UINT16_MAX,
            .keep_alive_s = m->config->keep_alive_s,
            .maximum_qos = 2,
            .retain_available = true,
        };
        if (mqtt_send(m, MQTT_CONNECT << 4, mqtt_body_size(mqtt_write_connect, m), mqtt_write_connect, m, 0) <
            0)
            return;
        m->state = MQTT_CONNECTING;
        m->deadline_ms = connect_deadline(m);
    } else if (state == MQTT_TRANSPORT_CLOSED || state == MQTT_TRANSPORT_ENDING) {
        end(m, MQTT_CAUSE_TRANSPORT, 0);
    }
}

/* Receiving: each handler returns true when it has an event; what is wrong is the frame's reason. */

static bool refuse(struct mqtt_frame *frame, uint8_t reason)
{
    mqtt_reader_fail(&frame->body, reason);
    return false;
}

static bool on_connack(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    uint8_t refusal;
    if (!mqtt_decode_connack(frame, &m->limits, &refusal))
        return false;
    if (refusal != MQTT_REASON_SUCCESS) {
        end(m, MQTT_CAUSE_REFUSED, refusal);
        return false;
    }
    if (m->limits.maximum_packet_size > MQTT_PACKET_MAX)
        m->limits.maximum_packet_size = MQTT_PACKET_MAX;
    m->state = MQTT_CONNECTED;
    m->connected_ms = m->now_ms;
    m->ping_pending = false;
    m->statistics.sessions++;
    event->type = MQTT_EVENT_CONNECTED;
    event->connected.session_present = false;
    return true;
}

static bool on_publish(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    event->type = MQTT_EVENT_MESSAGE;
    if (!mqtt_decode_publish(frame, &event->message, &m->ack_id))
        return false;
    m->statistics.received++;
    return true;
}

static struct mqtt_inflight *find_inflight(struct mqtt *m, uint16_t packet_id, uint8_t type)
{
    struct mqtt_inflight *slot = &m->inflight[packet_id % MQTT_INFLIGHT_MAX];
    return slot->type == type && slot->packet_id == packet_id ? slot : NULL;
}

static void settle_publish(struct mqtt *m, const struct mqtt_ack *ack, struct mqtt_event *event)
{
    event->published.reason = *(const uint8_t *)ack->reasons.data;
    m->publishing--;
    if (event->published.reason < MQTT_REASON_UNSPECIFIED)
        m->statistics.acknowledged++;
    else
        m->statistics.refused++;
}

static bool on_ack(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    struct mqtt_ack ack;
    uint8_t type = frame->head >> 4;
    uint8_t asked = (uint8_t)(type - 1); /* PUBACK follows PUBLISH and so on */
    if (!mqtt_decode_ack(frame, &ack))
        return false;
    struct mqtt_inflight *slot = find_inflight(m, ack.packet_id, asked);
    if (slot == NULL) {
        m->statistics.unknown_acks++;
        return false;
    }
    if (ack.reasons.length != slot->count)
        return refuse(frame, MQTT_REASON_PROTOCOL_ERROR); /* MQTT-3.8.4-6, MQTT-3.11.3-1 */
    slot->type = 0;
    event->subscribed.packet_id = ack.packet_id;
    event->subscribed.reasons = ack.reasons;
    event->type = type == MQTT_SUBACK ? MQTT_EVENT_SUBSCRIBED : MQTT_EVENT_UNSUBSCRIBED;
    if (type == MQTT_PUBACK) {
        event->type = MQTT_EVENT_PUBLISHED;
        settle_publish(m, &ack, event);
    } else {
        m->requesting--;
    }
    return true;
}

static bool on_disconnect(struct mqtt *m, struct mqtt_frame *frame)
{
    uint8_t why;
    if (mqtt_decode_disconnect(frame, &why))
        end(m, MQTT_CAUSE_SERVER, why);
    return false;
}

static bool on_packet(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event)
{
    unsigned type = frame->head >> 4;
    unsigned flags = frame->head & 0x0F;
    if (type == MQTT_PUBLISH && m->state == MQTT_CONNECTED)
        return on_publish(m, frame, event);
    if (type == 0 || (type != MQTT_PUBLISH && flags != (type == MQTT_PUBREL ? 2 : 0)))
        return refuse(frame, MQTT_REASON_MALFORMED_PACKET); /* 2.1.2, 2.1.3 */
    if (m->state == MQTT_CONNECTING) {
        if (type == MQTT_CONNACK)
            return on_connack(m, frame, event);
    } else if (type == MQTT_PUBACK || type == MQTT_SUBACK || type == MQTT_UNSUBACK) {
        return on_ack(m, frame, event);
    } else if (type == MQTT_DISCONNECT) {
        return on_disconnect(m, frame);
    } else if (type == MQTT_PINGRESP) {
        m->ping_pending = false; /* one unasked for does no harm */
        return frame->body.at != frame->body.end && refuse(frame, MQTT_REASON_MALFORMED_PACKET);
    }
    /* Anything else before the CONNACK (MQTT-3.2.0-1), a second one, steps of QoS 2, which we never begin,
     * AUTH, which we never asked for, and what only a client sends. */
    return refuse(frame, MQTT_REASON_PROTOCOL_ERROR);
}

static bool wants_puback(const struct mqtt_frame *frame)
{
    return frame->head >> 4 == MQTT_PUBLISH && (frame->head >> MQTT_PUBLISH_QOS_SHIFT & 3) == 1;
}

/* The caller has dealt with the last event. */
static void finish_delivery(struct mqtt *m)
{
    if (m->delivered == 0)
        return;
    m->transport->consume(m->transport->context, m->delivered);
    m->delivered = 0;
    if (m->ack_id != 0) {
        (void)send_puback(m, m->ack_id); /* has its room since before the delivery */
        m->ack_id = 0;
    }
}

/* False: no whole packet, or none that can be taken now, or a wrong one. */
static bool next_frame(struct mqtt *m, struct mqtt_frame *frame)
{
    const struct mqtt_transport *t = m->transport;
    const uint8_t *data;
    struct mqtt_writer w;
    size_t length = t->receive(t->context, &data);
    if (!mqtt_decode_frame(data, length, t->receive_capacity, frame) || frame->size == 0)
        return false;
    if (!wants_puback(frame))
        return true;
    /* Delivery waits until the acknowledgement has room: then it cannot get lost. */
    if (mqtt_available(m, &w) < MQTT_PUBACK_SIZE)
        return false;
    /* The view need not have outlived the look at the send buffer. */
    length = t->receive(t->context, &data);
    return mqtt_decode_frame(data, length, t->receive_capacity, frame);
}

/* Takes packets until one is an event. The receive buffer bounds the loop: nothing comes in meanwhile. */
static bool receive(struct mqtt *m, struct mqtt_event *event)
{
    struct mqtt_frame frame;
    while (next_frame(m, &frame)) {
        bool is_event = on_packet(m, &frame, event);
        if (frame.body.reason != MQTT_REASON_SUCCESS)
            break;
        if (m->state < MQTT_CONNECTING)
            return false; /* it was the last one */
        m->received_ms = m->now_ms;
        m->delivered = frame.size;
        if (is_event)
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
    uint32_t sent = until(now_ms, m->sent_ms + ping_after_ms(m));
    uint32_t received = until(now_ms, m->received_ms + ping_after_ms(m));
    return sent < received ? sent : received;
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

static void check_liveness(struct mqtt *m)
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
    /* Spread, so that the seeds 1 and 2 do not begin alike. */
    m->random = value_or(seed * 0x9E3779B1u ^ 0x85EBCA6Bu, 1);
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
