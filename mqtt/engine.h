/* What the halves of the engine share: engine.c (time, reception) and request.c (what the user sends). */
#ifndef MQTT_ENGINE_H
#define MQTT_ENGINE_H

#include "mqtt/packet.h"

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

/* The bytes of a short packet, the first one lowest. With QoS 2 some have a fifth one, a reason code. */
#if MQTT_WITH_QOS2
typedef uint64_t mqtt_small;
#else
typedef uint32_t mqtt_small;
#endif

/* The send buffer's room, whole. */
size_t mqtt_available(const struct mqtt *m, struct mqtt_writer *w);

/*
 * Sends a packet whose body takes `remaining` bytes, or nothing of it. `count` above 0: it wants so many
 * reason codes in an acknowledgement. Returns the packet id if so, else 0; or a negative enum mqtt_error.
 */
int mqtt_send(struct mqtt *m, unsigned head, size_t remaining, mqtt_body *body, const void *packet,
              size_t count) __attribute__((warn_unused_result));

/* It may use the headroom. */
bool mqtt_send_small(struct mqtt *m, mqtt_small bytes, size_t size);

#endif
