/*
 * MQTT 5.0 control packets as bytes: what the decoder and the encoder offer to
 * the engine. Nothing here keeps state. Not a public header.
 */
#ifndef MQTT_PACKET_H
#define MQTT_PACKET_H

#include "mqtt/property.h"
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

    MQTT_V311_UNACCEPTABLE_VERSION = 1, /* a return code of CONNACK there */
};

/* A packet, cut at its fixed header. */
struct mqtt_frame {
    struct mqtt_reader body; /* with the reason to close the connection with, if there is one */
    size_t size;             /* of the packet, or what of it is taken now; 0: nothing yet */
    uint8_t head;            /* type and flags */
#if MQTT_WITH_STREAMING
    size_t total; /* of the packet, what has not come included; 0: not known yet */
#endif
};

/* PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK. */
struct mqtt_ack {
    struct mqtt_slice reasons; /* all of them; one in what belongs to a PUBLISH */
    uint16_t packet_id;
    uint8_t reason; /* that one */
};

/* Decoders return the reason to close the connection with, mostly MQTT_REASON_SUCCESS, or MQTT_READER_CUT. */
/* Of the packet at `data`, of which `length` bytes have come, at least 1. */
uint8_t mqtt_decode_frame(const uint8_t *data, size_t length, size_t capacity, struct mqtt_frame *frame);
uint8_t mqtt_decode_publish(struct mqtt_frame *frame, struct mqtt_message *message, uint16_t *packet_id);
/* `refusal`: its reason code. What the packet does not name stays in `details`, as in the next
 * ones. */
uint8_t mqtt_decode_connack(struct mqtt_frame *frame, void *details, bool *session_present, uint8_t *refusal);
uint8_t mqtt_decode_ack(struct mqtt_frame *frame, unsigned maximum_qos, void *details, struct mqtt_ack *ack);
/* A DISCONNECT or an AUTH. */
uint8_t mqtt_decode_reason(struct mqtt_frame *frame, unsigned place, void *details, uint8_t *reason);

/* What follows the fixed header of a packet that we send. */
typedef void mqtt_body(struct mqtt_writer *w, const void *packet, uint16_t packet_id);

#if MQTT_WITH_PROPERTIES
/* A PUBACK, PUBREC, DISCONNECT or AUTH with properties. */
struct mqtt_reasoned {
    const struct mqtt *m;
    const struct mqtt_closure *closure; /* NULL: the AUTH that is due */
    uint16_t packet_id;                 /* 0: it has none */
};
#endif

/* A SUBSCRIBE or UNSUBSCRIBE. */
struct mqtt_request {
    const struct mqtt *m;
    const struct mqtt_filters *filters;
    unsigned type;
};

/* A PUBLISH. */
struct mqtt_publication {
    const struct mqtt_publish *publish;
    size_t topic; /* bytes */
    size_t properties;
#if MQTT_WITH_ALIASES
    uint8_t alias;    /* to be sent with it; 0: none */
    bool alias_known; /* instead of the topic */
#endif
#if MQTT_WITH_V311
    bool v311;
#endif
};

mqtt_body mqtt_write_connect; /* of a struct mqtt */
mqtt_body mqtt_write_publish; /* of a struct mqtt_publication, up to a payload that comes from a source */
mqtt_body mqtt_write_filters; /* of a struct mqtt_request */
#if MQTT_WITH_PROPERTIES
mqtt_body mqtt_write_reasoned; /* of a struct mqtt_reasoned */
#endif

/* Remaining Length; above MQTT_VARINT_MAX: there can be no such packet. */
size_t mqtt_body_size(mqtt_body *body, const void *packet);
/* The same of a PUBLISH, `publication` but for its sizes, which are filled in; a payload from a source
 * counts. */
size_t mqtt_measure_publish(struct mqtt_publication *publication);

#endif
