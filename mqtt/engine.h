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

/* The send buffer's room, whole. */
size_t mqtt_available(const struct mqtt *m, struct mqtt_writer *w);

/*
 * Sends a packet whose body takes `remaining` bytes, or nothing of it. `count` above 0: it wants so many
 * reason codes in an acknowledgement. Returns the packet id if so, else 0; or a negative enum mqtt_error.
 */
int mqtt_send(struct mqtt *m, unsigned head, size_t remaining, mqtt_body *body, const void *packet,
              size_t count) __attribute__((warn_unused_result));

/* A packet of a few bytes, which may use the headroom. */
bool mqtt_send_small(struct mqtt *m, const uint8_t *bytes, size_t size);

#endif
