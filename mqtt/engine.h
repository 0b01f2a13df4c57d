/*
 * What the files of the engine share. Each has its concern: engine.c the poll, reception and dispatch;
 * connect.c the way to a session and its end; request.c what the user sends; and one for each of the larger
 * switches.
 */
#ifndef MQTT_ENGINE_H
#define MQTT_ENGINE_H

#include "mqtt/packet.h"

#include <string.h>

enum mqtt_state {
    MQTT_STARTING, /* attempt at once */
    MQTT_STOPPED,  /* until mqtt_connect */
    MQTT_WAITING,  /* deadline: the next attempt */
    MQTT_OPENING,  /* deadline: give up */
    MQTT_CONNECTING,
    MQTT_CONNECTED, /* deadline, if ping_pending: give up */
};

/* Kept free by the user's packets, so that these can always be sent. */
enum { MQTT_HEADROOM = MQTT_PUBACK_SIZE + MQTT_PINGREQ_SIZE + MQTT_DISCONNECT_SIZE };

/* ---- What is configured, and what the present session allows ---- */

/* Highest QoS that we speak. */
static inline unsigned mqtt_maximum_qos(const struct mqtt *m)
{
#if MQTT_WITH_QOS2
    return m->config->qos2 ? 2 : 1;
#else
    (void)m;
    return 1;
#endif
}

static inline bool mqtt_is_v311(const struct mqtt *m)
{
#if MQTT_WITH_V311
    return m->version == 4;
#else
    (void)m;
    return false;
#endif
}

/* The largest packet that we take, in parts or whole. */
static inline size_t mqtt_largest_packet(const struct mqtt *m, const struct mqtt_transport *transport)
{
#if MQTT_WITH_STREAMING
    if (m->config->maximum_packet_size > transport->receive_capacity)
        return m->config->maximum_packet_size;
#endif
    (void)m;
    return transport->receive_capacity;
}

/* Does the session outlive the connection? */
#if MQTT_WITH_SESSIONS
bool mqtt_keeps_session(const struct mqtt *m);
#else
static inline bool mqtt_keeps_session(const struct mqtt *m)
{
    (void)m;
    return false;
}
#endif

/* A payload of ours is on its way: no other packet can be sent. */
static inline bool mqtt_is_sending_parts(const struct mqtt *m)
{
#if MQTT_WITH_STREAMING
    return m->outgoing.left > 0;
#else
    (void)m;
    return false;
#endif
}

/* ---- Sessions (session.c) ---- */

/* The connection has ended; returns how many publications are lost by that. */
uint8_t mqtt_session_pause(struct mqtt *m);

#if MQTT_WITH_SESSIONS
/* Keys of the store: packet ids of ours; with the first of these what was sent with MQTT 3.1.1, with the
 * second those of the broker's. */
#define MQTT_STORE_V311     0x10000u
#define MQTT_STORE_RECEIVED 0x20000u

/* At the start: takes over what the store has, or empties it. */
void mqtt_session_restore(struct mqtt *m);
/* CONNACK has come; returns whether the broker knows our subscriptions. */
bool mqtt_session_begin(struct mqtt *m, bool present);
/* Sends what is due again, then the configured subscriptions. True: `event` tells of something lost. */
bool mqtt_session_continue(struct mqtt *m, struct mqtt_event *event);
int mqtt_session_put(struct mqtt *m, uint32_t key, const struct mqtt_slice *parts);
void mqtt_session_remove(struct mqtt *m, uint32_t key);
#endif

/* ---- Time ---- */

static inline uint32_t mqtt_until(uint32_t now_ms, uint32_t deadline_ms)
{
    int32_t left = (int32_t)(deadline_ms - now_ms);
    return left > 0 ? (uint32_t)left : 0;
}

/* ---- Sending (request.c) ---- */

/* The send buffer's room, whole; none while a payload is on its way. */
size_t mqtt_available(const struct mqtt *m, struct mqtt_writer *w);

/*
 * Sends a packet whose body takes `remaining` bytes, or nothing of it. `count` above 0: it wants so many
 * reason codes in an acknowledgement. Returns the packet id if so, else 0; or a negative enum mqtt_error.
 */
int mqtt_send(struct mqtt *m, unsigned head, size_t remaining, mqtt_body *body, const void *packet,
              size_t count) __attribute__((warn_unused_result));

/* The same, measured here: a function only where enough packets are sent so. */
#if MQTT_WITH_PROPERTIES
int mqtt_send_packet(struct mqtt *m, unsigned head, mqtt_body *body, const void *packet, size_t count)
    __attribute__((warn_unused_result));
#else
__attribute__((always_inline, warn_unused_result)) static inline int
mqtt_send_packet(struct mqtt *m, unsigned head, mqtt_body *body, const void *packet, size_t count)
{
    return mqtt_send(m, head, mqtt_body_size(body, packet), body, packet, count);
}
#endif

/* The bytes of a short packet, the first one lowest, and ack_reason as the fifth. It may use the headroom. */
bool mqtt_send_small(struct mqtt *m, uint32_t bytes, size_t size);

void mqtt_commit(struct mqtt *m, size_t size);

/* The answer to the packet just delivered, if it has one. */
void mqtt_send_owed_ack(struct mqtt *m);

/* A SUBSCRIBE or UNSUBSCRIBE; as mqtt_send. */
int mqtt_send_filters(struct mqtt *m, unsigned type, const struct mqtt_filters *filters)
    __attribute__((warn_unused_result));
#if MQTT_WITH_PROPERTIES
/* What the broker has not of what these subscriptions ask for; 0: it has all. */
uint8_t mqtt_what_is_missing(const struct mqtt *m, const struct mqtt_filters *filters);
#endif

/* The type of what answers a packet with this first byte. */
uint8_t mqtt_acknowledged_by(unsigned head);

struct mqtt_inflight *mqtt_slot(struct mqtt *m, uint16_t packet_id);

/* Is there a packet that waits for an acknowledgement? */
bool mqtt_has_inflight(const struct mqtt *m);
/* Does it wait to send, or for what answers, a PUBLISH? */
static inline bool mqtt_is_publish(const struct mqtt_inflight *slot)
{
    return slot->awaits == MQTT_PUBACK || slot->awaits == MQTT_PUBREC;
}
/* Has it gone over this connection, whole? */
bool mqtt_is_sent(const struct mqtt *m, const struct mqtt_inflight *slot);

#if MQTT_WITH_SESSIONS || MQTT_WITH_STREAMING || MQTT_WITH_ACK_TIMEOUT
struct mqtt_inflight *mqtt_find_inflight(struct mqtt *m, uint16_t packet_id, unsigned type);
/* The broker has it: the message is not needed any more. */
void mqtt_answered(struct mqtt *m, struct mqtt_inflight *slot);
/* That was the last answer. */
void mqtt_free_slot(struct mqtt *m, struct mqtt_inflight *slot);
#else
static inline struct mqtt_inflight *mqtt_find_inflight(struct mqtt *m, uint16_t packet_id, unsigned type)
{
    struct mqtt_inflight *slot = mqtt_slot(m, packet_id);
    return slot->awaits == type && slot->packet_id == packet_id ? slot : NULL;
}

static inline void mqtt_answered(struct mqtt *m, struct mqtt_inflight *slot)
{
    (void)m;
    (void)slot;
}

static inline void mqtt_free_slot(struct mqtt *m, struct mqtt_inflight *slot)
{
    (void)m;
    slot->awaits = 0;
}
#endif

/* Where what a packet says besides goes to, and that it says nothing. */
static inline void *mqtt_details_of(struct mqtt_event *event)
{
#if MQTT_WITH_PROPERTIES
    return &event->details;
#else
    (void)event;
    return NULL;
#endif
}

#if MQTT_WITH_PROPERTIES
void mqtt_clear_details(struct mqtt_event *event);
#else
static inline void mqtt_clear_details(struct mqtt_event *event)
{
    (void)event;
}
#endif

void mqtt_tell_published(struct mqtt_event *event, uint16_t packet_id, uint8_t reason);
/* A SUBACK or UNSUBACK has come, or what is told in its place. */
void mqtt_tell_filters(struct mqtt_event *event, unsigned type, uint16_t packet_id,
                       const struct mqtt_slice *reasons);
void mqtt_settle_publish(struct mqtt *m, struct mqtt_inflight *slot, uint8_t reason,
                         struct mqtt_event *event);

static inline enum mqtt_transport_state mqtt_transport_state(const struct mqtt *m)
{
    return m->transport->state(m->transport->context);
}

/* ---- Connection (connect.c) ---- */

#if MQTT_WITH_V311
/* The version that a broker is tried with first: that of what is in flight, if it may be chosen. */
uint8_t mqtt_first_version(const struct mqtt *m);
#endif
bool mqtt_starts_clean(const struct mqtt *m);
/* Are we with the broker that the session is with? What is kept of it means nothing to another. */
static inline bool mqtt_is_home(const struct mqtt *m)
{
#if MQTT_WITH_BROKERS
    return m->broker == m->home;
#else
    (void)m;
    return true;
#endif
}
/* As they are until a CONNACK says otherwise. */
void mqtt_reset_limits(const struct mqtt *m, struct mqtt_limits *limits);
/* From nothing to CONNECT sent. */
void mqtt_attempt(struct mqtt *m);
void mqtt_greet(struct mqtt *m);
void mqtt_on_connack(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event);
void mqtt_on_disconnect(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event);
void mqtt_end(struct mqtt *m, enum mqtt_cause cause, uint8_t reason);
void mqtt_violation(struct mqtt *m, uint8_t reason);
bool mqtt_take_end(struct mqtt *m, struct mqtt_event *event);
#if MQTT_WITH_PROPERTIES
/* Closes the transport, if that has waited for the end of an event. */
void mqtt_finish_closing(struct mqtt *m);
#endif

/* ---- QoS 2 (qos2.c) ---- */

#if MQTT_WITH_QOS2
uint16_t *mqtt_find_unreleased(struct mqtt *m, uint16_t packet_id);
/* A QoS 2 message has come, or has again: deliver it? */
uint8_t mqtt_qos2_receive(struct mqtt *m, uint16_t packet_id, bool *deliver);
/* It is delivered: not again until PUBREL. */
void mqtt_qos2_keep(struct mqtt *m, uint16_t packet_id);
void mqtt_qos2_release(struct mqtt *m, uint16_t *slot);
/* A PUBREC, PUBREL or PUBCOMP. */
void mqtt_on_qos2_step(struct mqtt *m, unsigned type, const struct mqtt_ack *ack, struct mqtt_event *event);
#endif

/* ---- Streaming (stream.c) ---- */

#if MQTT_WITH_STREAMING
/* The event's payload is to come in parts: cuts the frame before it. */
void mqtt_begin_parts(struct mqtt *m, struct mqtt_frame *frame, bool drop, struct mqtt_event *event);
/* Takes what has come of it. False: nothing for the user. */
bool mqtt_receive_part(struct mqtt *m, struct mqtt_event *event);
/* Asks the source for more, as the send buffer has room. True: `event` tells that it was the last. */
bool mqtt_send_parts(struct mqtt *m, struct mqtt_event *event);
#endif

/* ---- Topic aliases (alias.c) ---- */

#if MQTT_WITH_ALIASES
void mqtt_forget_aliases(struct mqtt *m);
/* Returns what is wrong with the message's alias, or puts its topic in. */
uint8_t mqtt_resolve_alias(struct mqtt *m, struct mqtt_message *message);
void mqtt_choose_alias(const struct mqtt *m, struct mqtt_publication *publication);
#endif

/* ---- Enhanced authentication (auth.c) ---- */

#if MQTT_WITH_AUTH
/* Of a connection: the first data. False: it cannot be begun. */
bool mqtt_auth_begin(struct mqtt *m);
/* Of a CONNACK with success: what is wrong with it. */
uint8_t mqtt_auth_finish(struct mqtt *m, const struct mqtt_details *details);
void mqtt_on_auth(struct mqtt *m, struct mqtt_frame *frame, struct mqtt_event *event);
/* Sends an answer that had no room. */
void mqtt_auth_continue(struct mqtt *m);
#endif

#endif
