#include "mqtt/property.h"

#include "mqtt/text.h"

enum {
    BOOLEAN = 1 << 0, /* above 1 is a protocol error */
    NONZERO = 1 << 1, /* 0 is a protocol error */
    REPEATS = 1 << 2, /* may appear more than once */

    DROPPED = 0x1F, /* checked, and of no use to us */
};

/* All that is stored lies at words, numbers at those of 32 bits, strings at those of a pointer. */
#define NUMBER(where, member) (offsetof(struct where, member) / sizeof(uint32_t))
#define SLICE(where, member)  (offsetof(struct where, member) / sizeof(void *))
#define LIMIT(member)         NUMBER(mqtt_details, limits.member)
#if MQTT_WITH_PROPERTIES
#define MORE(word) (word)
#else
#define MORE(word) DROPPED
#endif
#if MQTT_WITH_ALIASES
#define ALIAS_WORD NUMBER(mqtt_message, topic_alias)
#else
#define ALIAS_WORD DROPPED
#endif

/* A property in 16 bits; places 0: there is none. Shifts, since compilers handle bit fields clumsily. */
#define KIND(type, flags, places, word) (MQTT_TYPE_##type | (flags) << 3 | (places) << 6 | (word) << 11)
#define TYPE(kind)                      ((kind)&7u)
#define FLAGS(kind)                     ((kind) >> 3)
#define PLACES(kind)                    ((kind) >> 6 & 31u)
#define WORD(kind)                      ((kind) >> 11) /* where its value goes */

static const uint16_t kinds[MQTT_PROPERTY_END] = {
    [MQTT_PROPERTY_PAYLOAD_FORMAT] = KIND(BYTE, BOOLEAN, MQTT_IN_PUBLISH, NUMBER(mqtt_message, utf8)),
    [MQTT_PROPERTY_MESSAGE_EXPIRY] =
        KIND(FOUR_BYTES, 0, MQTT_IN_PUBLISH, MORE(NUMBER(mqtt_message, message_expiry_s))),
    [MQTT_PROPERTY_CONTENT_TYPE] = KIND(STRING, 0, MQTT_IN_PUBLISH, MORE(SLICE(mqtt_message, content_type))),
    [MQTT_PROPERTY_RESPONSE_TOPIC] = KIND(TOPIC, 0, MQTT_IN_PUBLISH, SLICE(mqtt_message, response_topic)),
    [MQTT_PROPERTY_CORRELATION] = KIND(BINARY, 0, MQTT_IN_PUBLISH, SLICE(mqtt_message, correlation)),
    [MQTT_PROPERTY_SUBSCRIPTION_ID] = KIND(VARINT, NONZERO | REPEATS, MQTT_IN_PUBLISH, DROPPED),
    [MQTT_PROPERTY_SESSION_EXPIRY] = KIND(FOUR_BYTES, 0, MQTT_IN_CONNACK, MORE(LIMIT(session_expiry_s))),
    [MQTT_PROPERTY_ASSIGNED_CLIENT_ID] =
        KIND(STRING, 0, MQTT_IN_CONNACK, MORE(SLICE(mqtt_details, client_id))),
    [MQTT_PROPERTY_SERVER_KEEP_ALIVE] = KIND(TWO_BYTES, 0, MQTT_IN_CONNACK, LIMIT(keep_alive_s)),
#if MQTT_WITH_AUTH
    [MQTT_PROPERTY_AUTHENTICATION_METHOD] =
        KIND(STRING, 0, MQTT_IN_CONNACK | MQTT_IN_AUTH, SLICE(mqtt_details, method)),
    [MQTT_PROPERTY_AUTHENTICATION_DATA] =
        KIND(BINARY, 0, MQTT_IN_CONNACK | MQTT_IN_AUTH, SLICE(mqtt_details, authentication)),
#endif
    [MQTT_PROPERTY_RESPONSE_INFORMATION] =
        KIND(STRING, 0, MQTT_IN_CONNACK, MORE(SLICE(mqtt_details, response_information))),
    [MQTT_PROPERTY_SERVER_REFERENCE] =
        KIND(STRING, 0, MQTT_IN_CONNACK | MQTT_IN_DISCONNECT, MORE(SLICE(mqtt_details, server_reference))),
    [MQTT_PROPERTY_REASON_STRING] =
        KIND(STRING, 0, MQTT_IN_CONNACK | MQTT_IN_ACK | MQTT_IN_DISCONNECT | MQTT_IN_AUTH,
             MORE(SLICE(mqtt_details, reason_string))),
    [MQTT_PROPERTY_RECEIVE_MAXIMUM] = KIND(TWO_BYTES, NONZERO, MQTT_IN_CONNACK, LIMIT(receive_maximum)),
    [MQTT_PROPERTY_TOPIC_ALIAS_MAXIMUM] =
        KIND(TWO_BYTES, 0, MQTT_IN_CONNACK, MORE(LIMIT(topic_alias_maximum))),
    [MQTT_PROPERTY_TOPIC_ALIAS] = KIND(TWO_BYTES, 0, MQTT_IN_PUBLISH, ALIAS_WORD),
    [MQTT_PROPERTY_MAXIMUM_QOS] = KIND(BYTE, BOOLEAN, MQTT_IN_CONNACK, LIMIT(maximum_qos)),
    [MQTT_PROPERTY_RETAIN_AVAILABLE] = KIND(BYTE, BOOLEAN, MQTT_IN_CONNACK, LIMIT(retain_available)),
    [MQTT_PROPERTY_USER] =
        KIND(PAIR, REPEATS,
             MQTT_IN_CONNACK | MQTT_IN_PUBLISH | MQTT_IN_ACK | MQTT_IN_DISCONNECT | MQTT_IN_AUTH, DROPPED),
    [MQTT_PROPERTY_MAXIMUM_PACKET_SIZE] =
        KIND(FOUR_BYTES, NONZERO, MQTT_IN_CONNACK, LIMIT(maximum_packet_size)),
    [MQTT_PROPERTY_WILDCARD_AVAILABLE] =
        KIND(BYTE, BOOLEAN, MQTT_IN_CONNACK, MORE(LIMIT(wildcard_available))),
    [MQTT_PROPERTY_SUBSCRIPTION_ID_AVAILABLE] =
        KIND(BYTE, BOOLEAN, MQTT_IN_CONNACK, MORE(LIMIT(subscription_id_available))),
    [MQTT_PROPERTY_SHARED_AVAILABLE] = KIND(BYTE, BOOLEAN, MQTT_IN_CONNACK, MORE(LIMIT(shared_available))),
    /* Of a client only. */
    [MQTT_PROPERTY_REQUEST_PROBLEM_INFORMATION] = KIND(BYTE, 0, 0, 0),
    [MQTT_PROPERTY_WILL_DELAY] = KIND(FOUR_BYTES, 0, 0, 0),
    [MQTT_PROPERTY_REQUEST_RESPONSE_INFORMATION] = KIND(BYTE, 0, 0, 0),
};

enum mqtt_property_type mqtt_property_type(enum mqtt_property_id id)
{
    return TYPE(kinds[id]);
}

/* What a property's value is written to: a number, a string, a pair. */
union value {
    uint32_t number;
    struct mqtt_slice slice;
    struct mqtt_user_property pair;
};

static uint32_t read_number(struct mqtt_reader *r, unsigned type)
{
    if (type == MQTT_TYPE_VARINT)
        return mqtt_read_varint(r);
    uint32_t value = 0;
    for (; type > 0; type--)
        value = value << 8 | mqtt_read_u8(r);
    return value;
}

static uint8_t check_number(uint32_t value, unsigned flags)
{
    bool wrong = ((flags & BOOLEAN) && value > 1) || ((flags & NONZERO) && value == 0);
    return wrong ? MQTT_REASON_PROTOCOL_ERROR : MQTT_REASON_SUCCESS;
}

static void read_string(struct mqtt_reader *r, unsigned type, struct mqtt_slice *out)
{
    mqtt_read_binary(r, out);
    if (type == MQTT_TYPE_BINARY)
        return;
    uint8_t reason = mqtt_check_text(out);
    if (type == MQTT_TYPE_TOPIC && out->length == 0)
        reason = MQTT_REASON_TOPIC_NAME_INVALID;
    if (type == MQTT_TYPE_TOPIC || reason == MQTT_REASON_MALFORMED_PACKET) /* wildcards: MQTT-3.3.2-14 */
        mqtt_reader_fail(r, reason);
}

static bool is_number(unsigned kind)
{
    return TYPE(kind) - MQTT_TYPE_BYTE <= MQTT_TYPE_FOUR_BYTES - MQTT_TYPE_BYTE;
}

/* Where this value goes to. */
static void *place_of(unsigned kind, void *out, void *dropped)
{
    if (WORD(kind) == DROPPED)
        return dropped;
    return (uint8_t *)out + WORD(kind) * (is_number(kind) ? sizeof(uint32_t) : sizeof(void *));
}

static void read_value(struct mqtt_reader *r, unsigned kind, void *out)
{
    unsigned type = TYPE(kind);
    if (is_number(kind)) {
        uint32_t value = read_number(r, type);
        mqtt_reader_fail(r, check_number(value, FLAGS(kind)));
        *(uint32_t *)out = value;
        return;
    }
    struct mqtt_slice *slice = out;
    for (size_t left = type == MQTT_TYPE_PAIR ? 2 : 1; left > 0; left--)
        read_string(r, type, slice++);
}

/* Apart, so that a packet without any jumps here and needs no stack. */
MQTT_APART static const uint8_t *read_all(struct mqtt_reader *r, enum mqtt_property_place place, void *out)
{
    struct mqtt_slice raw;
    const uint8_t *end = r->end;
    uint32_t seen = 0;
    mqtt_read_bytes(r, mqtt_read_varint(r), &raw);
    r->end = r->at;
    r->at = raw.data;
    while (r->at != r->end) {
        union value dropped;
        unsigned id = *r->at++;
        unsigned kind = id < MQTT_PROPERTY_END ? kinds[id] : 0;
        uint32_t bit = 1u << (id + id / 32) % 32; /* no two of one packet share theirs */
        if (!(PLACES(kind) & place))
            mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET); /* 2.2.2.2 */
        else if ((seen & bit) && !(FLAGS(kind) & REPEATS))
            mqtt_reader_fail(r, MQTT_REASON_PROTOCOL_ERROR);
        else if (!MQTT_WITH_ALIASES && id == MQTT_PROPERTY_TOPIC_ALIAS)
            mqtt_reader_fail(r, MQTT_REASON_TOPIC_ALIAS_INVALID); /* we allow none: MQTT-3.1.2-26 */
        else
            read_value(r, kind, place_of(kind, out, &dropped));
        seen |= bit;
        if (r->reason == MQTT_READER_CUT)
            r->reason = MQTT_REASON_MALFORMED_PACKET; /* by the properties' length: that was all of them */
    }
    r->end = end;
    return raw.data;
}

const uint8_t *mqtt_read_properties(struct mqtt_reader *r, enum mqtt_property_place place, void *out)
{
    if (mqtt_reader_is_v311(r))
        return r->at;
    if (MQTT_FAST && r->at != r->end && *r->at == 0)
        return ++r->at;
    return read_all(r, place, out);
}

/* Takes properties off until one of this id has come. */
static bool next_property(struct mqtt_slice *properties, enum mqtt_property_id wanted, void *out)
{
    union value other;
    struct mqtt_reader r = {.at = properties->data};
    bool found = false;
    r.end = r.at + properties->length;
    while (!found && r.at != r.end) {
        unsigned id = *r.at++; /* all were right when the packet came */
        found = id == wanted;
        read_value(&r, kinds[id], found ? out : &other);
    }
    properties->data = r.at;
    properties->length = mqtt_reader_left(&r);
    return found;
}

bool mqtt_next_user_property(struct mqtt_slice *properties, struct mqtt_user_property *user)
{
    return next_property(properties, MQTT_PROPERTY_USER, user);
}

#if MQTT_WITH_PROPERTIES
bool mqtt_next_subscription_id(struct mqtt_slice *properties, uint32_t *identifier)
{
    return next_property(properties, MQTT_PROPERTY_SUBSCRIPTION_ID, identifier);
}
#endif
