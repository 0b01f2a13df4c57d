/* Properties, and how those of the packets that a server sends are read (MQTT 5.0, 2.2.2). */
#ifndef MQTT_PROPERTY_H
#define MQTT_PROPERTY_H

#include "mqtt/mqtt.h"
#include "mqtt/reader.h"

enum mqtt_property_id {
    MQTT_PROPERTY_PAYLOAD_FORMAT = 0x01,
    MQTT_PROPERTY_MESSAGE_EXPIRY = 0x02,
    MQTT_PROPERTY_CONTENT_TYPE = 0x03,
    MQTT_PROPERTY_RESPONSE_TOPIC = 0x08,
    MQTT_PROPERTY_CORRELATION = 0x09,
    MQTT_PROPERTY_SUBSCRIPTION_ID = 0x0B,
    MQTT_PROPERTY_SESSION_EXPIRY = 0x11,
    MQTT_PROPERTY_ASSIGNED_CLIENT_ID = 0x12,
    MQTT_PROPERTY_SERVER_KEEP_ALIVE = 0x13,
    MQTT_PROPERTY_AUTHENTICATION_METHOD = 0x15,
    MQTT_PROPERTY_AUTHENTICATION_DATA = 0x16,
    MQTT_PROPERTY_REQUEST_PROBLEM_INFORMATION = 0x17, /* of a client, as the next two */
    MQTT_PROPERTY_WILL_DELAY = 0x18,
    MQTT_PROPERTY_REQUEST_RESPONSE_INFORMATION = 0x19,
    MQTT_PROPERTY_RESPONSE_INFORMATION = 0x1A,
    MQTT_PROPERTY_SERVER_REFERENCE = 0x1C,
    MQTT_PROPERTY_REASON_STRING = 0x1F,
    MQTT_PROPERTY_RECEIVE_MAXIMUM = 0x21,
    MQTT_PROPERTY_TOPIC_ALIAS_MAXIMUM = 0x22,
    MQTT_PROPERTY_TOPIC_ALIAS = 0x23,
    MQTT_PROPERTY_MAXIMUM_QOS = 0x24,
    MQTT_PROPERTY_RETAIN_AVAILABLE = 0x25,
    MQTT_PROPERTY_USER = 0x26,
    MQTT_PROPERTY_MAXIMUM_PACKET_SIZE = 0x27,
    MQTT_PROPERTY_WILDCARD_AVAILABLE = 0x28,
    MQTT_PROPERTY_SUBSCRIPTION_ID_AVAILABLE = 0x29,
    MQTT_PROPERTY_SHARED_AVAILABLE = 0x2A,
    MQTT_PROPERTY_END,
};

/* How a property's value is represented (1.5). */
enum mqtt_property_type {
    MQTT_TYPE_PAIR = 0,
    MQTT_TYPE_BYTE = 1, /* the numbers: how many bytes */
    MQTT_TYPE_TWO_BYTES = 2,
    MQTT_TYPE_VARINT = 3,
    MQTT_TYPE_FOUR_BYTES = 4,
    MQTT_TYPE_BINARY,
    MQTT_TYPE_STRING,
    MQTT_TYPE_TOPIC,
};

enum mqtt_property_type mqtt_property_type(enum mqtt_property_id id);

/* Packets that carry properties to a client. */
enum mqtt_property_place {
    MQTT_IN_CONNACK = 1 << 0,
    MQTT_IN_PUBLISH = 1 << 1,
    MQTT_IN_ACK = 1 << 2, /* PUBACK, SUBACK, UNSUBACK */
    MQTT_IN_DISCONNECT = 1 << 3,
    MQTT_IN_AUTH = 1 << 4,
};

/*
 * Reads the property length and the properties, checks all and stores those
 * that somebody asks for: of a PUBLISH into the struct mqtt_message at `out`,
 * of others into the struct mqtt_details; without MQTT_WITH_PROPERTIES only a
 * CONNACK has any there. What is absent stays as it was. Returns where the
 * properties begin; they end where the reader stands then, whose reason says
 * what is wrong with them.
 */
const uint8_t *mqtt_read_properties(struct mqtt_reader *r, enum mqtt_property_place place, void *out);

#endif
