/*
 * MQTT 5.0 control packets as bytes: what the decoder and the encoder offer to
 * the engine. Nothing here keeps state. Not a public header.
 */
#ifndef MQTT_PACKET_H
#define MQTT_PACKET_H

#include "mqtt/reader.h"
#include "mqtt/writer.h"

enum mqtt_packet_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
    MQTT_AUTH,
};

enum {
    MQTT_PUBLISH_RETAIN = 1 << 0,
    MQTT_PUBLISH_QOS_SHIFT = 1,
    MQTT_PUBLISH_DUP = 1 << 3,

    MQTT_VARINT_MAX = 268435455,
    MQTT_PACKET_MAX = 5 + MQTT_VARINT_MAX,

    MQTT_PUBACK_SIZE = 4,
    MQTT_PINGREQ_SIZE = 2,
    MQTT_DISCONNECT_SIZE = 3,
};

/* A whole packet, cut at its fixed header. */
struct mqtt_frame {
    uint8_t head;            /* type and flags */
    size_t size;             /* of the packet; 0: not whole yet */
    struct mqtt_reader body; /* with the reason to close the connection with, if there is one */
};

/* PUBACK, SUBACK and UNSUBACK. */
struct mqtt_ack {
    uint16_t packet_id;
    struct mqtt_slice reasons;
};

/* Decoders return false when something is wrong; the reason is in frame->body. */
bool mqtt_decode_frame(const uint8_t *data, size_t length, size_t capacity, struct mqtt_frame *frame);
bool mqtt_decode_publish(struct mqtt_frame *frame, struct mqtt_message *message, uint16_t *packet_id);
/* Limits that are not named in the packet stay as they are. `refusal`: the packet's own reason code. */
bool mqtt_decode_connack(struct mqtt_frame *frame, struct mqtt_limits *limits, uint8_t *refusal);
bool mqtt_decode_ack(struct mqtt_frame *frame, struct mqtt_ack *ack);
bool mqtt_decode_disconnect(struct mqtt_frame *frame, uint8_t *why);

/* What follows the fixed header of a packet that we send. */
typedef void mqtt_body(struct mqtt_writer *w, const void *packet, uint16_t packet_id);

/* A SUBSCRIBE or UNSUBSCRIBE. */
struct mqtt_filters {
    const struct mqtt_subscription *subscriptions;
    size_t count;
    bool options; /* SUBSCRIBE has them */
};

mqtt_body mqtt_write_connect; /* of a struct mqtt */
mqtt_body mqtt_write_publish; /* of a struct mqtt_publish */
mqtt_body mqtt_write_filters; /* of a struct mqtt_filters */

/* Remaining Length; above MQTT_VARINT_MAX: there can be no such packet. */
size_t mqtt_body_size(mqtt_body *body, const void *packet);
/* The same of a PUBLISH, faster. */
size_t mqtt_publish_remaining(const struct mqtt_publish *publish);

#endif
