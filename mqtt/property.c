#include "mqtt/property.h"

#include "mqtt/text.h"

enum {
    BYTE = 1, /* the numbers: how many bytes */
    TWO_BYTES = 2,
    VARINT = 3,
    FOUR_BYTES = 4,
    BINARY,
    STRING,
    TOPIC,
    PAIR,
    TYPE = 0x0F,

    BOOLEAN = 0x10, /* above 1 is a protocol error */
    NONZERO = 0x20, /* 0 is a protocol error */
    REPEATS = 0x40, /* may appear more than once */
    REFUSED = 0x80, /* a topic alias: we allow none (MQTT-3.1.2-26) */

    DROPPED = 0xFF, /* checked, and of no use to us */
};

#define MESSAGE(member) offsetof(struct mqtt_message, member)
#define LIMIT(member)   offsetof(struct mqtt_limits, member)

static const struct kind {
    uint8_t type; /* 0: no such property */
    uint8_t places;
    uint8_t offset; /* where its value goes */
} kinds[MQTT_PROPERTY_END] = {
    [MQTT_PROPERTY_PAYLOAD_FORMAT] = {BYTE | BOOLEAN, MQTT_IN_PUBLISH, MESSAGE(utf8)},
    [MQTT_PROPERTY_MESSAGE_EXPIRY] = {FOUR_BYTES, MQTT_IN_PUBLISH, DROPPED},
    [MQTT_PROPERTY_CONTENT_TYPE] = {STRING, MQTT_IN_PUBLISH, DROPPED},
    [MQTT_PROPERTY_RESPONSE_TOPIC] = {TOPIC, MQTT_IN_PUBLISH, MESSAGE(response_topic)},
    [MQTT_PROPERTY_CORRELATION] = {BINARY, MQTT_IN_PUBLISH, MESSAGE(correlation)},
    [MQTT_PROPERTY_SUBSCRIPTION_ID] = {VARINT | NONZERO | REPEATS, MQTT_IN_PUBLISH, DROPPED},
    [MQTT_PROPERTY_SESSION_EXPIRY] = {FOUR_BYTES, MQTT_IN_CONNACK, DROPPED},
    [MQTT_PROPERTY_ASSIGNED_CLIENT_ID] = {STRING, MQTT_IN_CONNACK, DROPPED},
    [MQTT_PROPERTY_SERVER_KEEP_ALIVE] = {TWO_BYTES, MQTT_IN_CONNACK, LIMIT(keep_alive_s)},
    [MQTT_PROPERTY_RESPONSE_INFORMATION] = {STRING, MQTT_IN_CONNACK, DROPPED},
    [MQTT_PROPERTY_SERVER_REFERENCE] = {STRING, MQTT_IN_CONNACK | MQTT_IN_DISCONNECT, DROPPED},
    [MQTT_PROPERTY_REASON_STRING] = {STRING, MQTT_IN_CONNACK | MQTT_IN_ACK | MQTT_IN_DISCONNECT, DROPPED},
    [MQTT_PROPERTY_RECEIVE_MAXIMUM] = {TWO_BYTES | NONZERO, MQTT_IN_CONNACK, LIMIT(receive_maximum)},
    [MQTT_PROPERTY_TOPIC_ALIAS_MAXIMUM] = {TWO_BYTES, MQTT_IN_CONNACK, DROPPED},
    [MQTT_PROPERTY_TOPIC_ALIAS] = {TWO_BYTES | REFUSED, MQTT_IN_PUBLISH, DROPPED},
    [MQTT_PROPERTY_MAXIMUM_QOS] = {BYTE | BOOLEAN, MQTT_IN_CONNACK, LIMIT(maximum_qos)},
    [MQTT_PROPERTY_RETAIN_AVAILABLE] = {BYTE | BOOLEAN, MQTT_IN_CONNACK, LIMIT(retain_available)},
    [MQTT_PROPERTY_USER] = {PAIR | REPEATS,
                            MQTT_IN_CONNACK | MQTT_IN_PUBLISH | MQTT_IN_ACK | MQTT_IN_DISCONNECT, DROPPED},
    [MQTT_PROPERTY_MAXIMUM_PACKET_SIZE] = {FOUR_BYTES | NONZERO, MQTT_IN_CONNACK, LIMIT(maximum_packet_size)},
    [MQTT_PROPERTY_WILDCARD_AVAILABLE] = {BYTE | BOOLEAN, MQTT_IN_CONNACK, DROPPED},
    [MQTT_PROPERTY_SUBSCRIPTION_ID_AVAILABLE] = {BYTE | BOOLEAN, MQTT_IN_CONNACK, DROPPED},
    [MQTT_PROPERTY_SHARED_AVAILABLE] = {BYTE | BOOLEAN, MQTT_IN_CONNACK, DROPPED},
};

static uint32_t read_number(struct mqtt_reader *r, unsigned type)
{
    if (type == VARINT)
        return mqtt_read_varint(r);
    uint32_t value = 0;
    for (unsigned i = 0; i < type; i++)
        value = value << 8 | mqtt_read_u8(r);
    return value;
}

static uint8_t check_number(uint32_t value, unsigned flags)
{
    if (flags & REFUSED)
        return MQTT_REASON_TOPIC_ALIAS_INVALID;
    bool wrong = ((flags & BOOLEAN) && value > 1) || ((flags & NONZERO) && value == 0);
    return wrong ? MQTT_REASON_PROTOCOL_ERROR : MQTT_REASON_SUCCESS;
}

static void store_number(void *out, unsigned type, uint32_t value)
{
    switch (type) {
    case BYTE: *(uint8_t *)out = (uint8_t)value; break;
    case TWO_BYTES: *(uint16_t *)out = (uint16_t)value; break;
    default: *(uint32_t *)out = value; break;
    }
}

static void read_string(struct mqtt_reader *r, unsigned type, struct mqtt_slice *out)
{
    *out = mqtt_read_binary(r);
    if (type == BINARY)
        return;
    uint8_t reason = mqtt_check_text(*out);
    if (type == TOPIC && out->length == 0)
        reason = MQTT_REASON_TOPIC_NAME_INVALID;
    if (type == TOPIC || reason == MQTT_REASON_MALFORMED_PACKET) /* wildcards: MQTT-3.3.2-14 */
        mqtt_reader_fail(r, reason);
}

/* `out` takes a number, a slice or, for a pair, a struct mqtt_user_property; NULL: not stored. */
static void read_value(struct mqtt_reader *r, unsigned flags, void *out)
{
    struct mqtt_user_property scratch;
    unsigned type = flags & TYPE;
    if (type <= FOUR_BYTES) {
        uint32_t value = read_number(r, type);
        mqtt_reader_fail(r, check_number(value, flags));
        if (out != NULL)
            store_number(out, type, value);
        return;
    }
    if (out == NULL)
        out = &scratch;
    read_string(r, type, out);
    if (type == PAIR)
        read_string(r, type, &((struct mqtt_user_property *)out)->value);
}

struct mqtt_slice mqtt_read_properties(struct mqtt_reader *outer, enum mqtt_property_place place, void *out)
{
    if (outer->at != outer->end && *outer->at == 0) /* none, as most have */
        return (struct mqtt_slice){++outer->at, 0};

    struct mqtt_slice raw = mqtt_read_bytes(outer, mqtt_read_varint(outer));
    struct mqtt_reader r = {.at = raw.data, .end = outer->at};
    uint32_t seen[2] = {0, 0};

    while (r.at != r.end) {
        uint8_t id = *r.at++;
        if (id >= MQTT_PROPERTY_END || !(kinds[id].places & place)) {
            r.reason = MQTT_REASON_MALFORMED_PACKET; /* 2.2.2.2 */
            break;
        }
        const struct kind *kind = &kinds[id];
        uint32_t *word = &seen[id / 32];
        uint32_t bit = 1u << id % 32;
        if ((*word & bit) && !(kind->type & REPEATS)) {
            r.reason = MQTT_REASON_PROTOCOL_ERROR;
            break;
        }
        *word |= bit;
        read_value(&r, kind->type, kind->offset != DROPPED ? (uint8_t *)out + kind->offset : NULL);
    }
    mqtt_reader_fail(outer, r.reason);
    return raw;
}

bool mqtt_next_user_property(struct mqtt_slice *properties, struct mqtt_user_property *user)
{
    struct mqtt_reader r = {.at = properties->data};
    bool found = false;
    r.end = r.at + properties->length;
    while (!found && r.at != r.end) {
        unsigned type = kinds[*r.at++].type; /* all were right when the message came */
        found = (type & TYPE) == PAIR;
        read_value(&r, type, found ? user : NULL);
    }
    properties->data = r.at;
    properties->length = mqtt_reader_left(&r);
    return found;
}
