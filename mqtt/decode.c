#include "mqtt/packet.h"
#include "mqtt/property.h"
#include "mqtt/text.h"

uint8_t mqtt_decode_frame(const uint8_t *data, size_t length, size_t capacity, struct mqtt_frame *frame)
{
    struct mqtt_reader *r = &frame->body;
    r->at = data + 1;
    r->end = data + length;
    r->reason = MQTT_REASON_SUCCESS;
    frame->size = 0;
    frame->head = data[0];
#if MQTT_WITH_STREAMING
    frame->total = 0;
#endif
    uint32_t remaining = mqtt_read_varint(r);
    if (remaining == 0 && r->reason == MQTT_READER_CUT)
        return r->reason = MQTT_REASON_SUCCESS; /* there is more to come */
    size_t size = (size_t)(r->at - data) + remaining;
#if MQTT_WITH_STREAMING
    frame->total = size;
#endif
    if (size > capacity)
        mqtt_reader_fail(r, MQTT_REASON_PACKET_TOO_LARGE); /* MQTT-3.1.2-24 */
    if (size <= length) {
        frame->size = size;
        r->end = data + size;
    }
    return r->reason;
}

/* After the last field. */
MQTT_SHARED static uint8_t finish(struct mqtt_reader *r)
{
    if (r->at != r->end)
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET);
    return r->reason;
}

/* After the last field of a packet whose fields contradict each other, or not. */
static uint8_t finish_unless(struct mqtt_reader *r, bool wrong)
{
    if (finish(r) == MQTT_REASON_SUCCESS && wrong)
        mqtt_reader_fail(r, MQTT_REASON_PROTOCOL_ERROR);
    return r->reason;
}

/* The rest of the packet. */
static void read_rest(struct mqtt_reader *r, struct mqtt_slice *out)
{
    out->data = r->at;
    out->length = mqtt_reader_left(r);
    r->at = r->end;
}

uint8_t mqtt_decode_publish(struct mqtt_frame *frame, struct mqtt_message *message, uint16_t *packet_id)
{
    struct mqtt_reader *r = &frame->body;
    unsigned qos = (frame->head >> MQTT_PUBLISH_QOS_SHIFT) & 3;
    uint16_t id = 0;
    /* Field by field: a library's memset may well cost more than all the rest here. */
    message->qos = (uint8_t)qos;
    message->retain = frame->head & MQTT_PUBLISH_RETAIN;
    message->duplicate = frame->head & MQTT_PUBLISH_DUP;
    message->utf8 = 0;
    message->response_topic = (struct mqtt_slice){NULL, 0};
    message->correlation = (struct mqtt_slice){NULL, 0};
#if MQTT_WITH_PROPERTIES
    message->content_type = (struct mqtt_slice){NULL, 0};
    message->message_expiry_s = UINT32_MAX;
#endif
#if MQTT_WITH_ALIASES
    message->topic_alias = UINT32_MAX;
#endif

    if (qos == 3 || (qos == 0 && message->duplicate))
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET); /* MQTT-3.3.1-4, MQTT-3.3.1-2 */
    mqtt_read_binary(r, &message->topic);
    uint8_t wrong = mqtt_check_text(&message->topic);
    if (wrong != MQTT_REASON_SUCCESS)
        mqtt_reader_fail(r, wrong); /* MQTT-3.3.2-2 */
    if (qos > 0 && (id = mqtt_read_u16(r)) == 0)
        mqtt_reader_fail(r, MQTT_REASON_PROTOCOL_ERROR); /* MQTT-2.2.1-4 */
    *packet_id = id;
    message->properties.data = mqtt_read_properties(r, MQTT_IN_PUBLISH, message);
    message->properties.length = (size_t)(r->at - (const uint8_t *)message->properties.data);
    read_rest(r, &message->payload);
    /* 3.3.2.1, unless there is an alias: alias.c looks. */
    return finish_unless(r, !MQTT_WITH_ALIASES && message->topic.length == 0);
}

/* Properties of what is no PUBLISH. */
static void read_details(struct mqtt_reader *r, enum mqtt_property_place place, void *details)
{
#if MQTT_WITH_PROPERTIES
    struct mqtt_details *d = details;
    d->properties.data = mqtt_read_properties(r, place, d);
    d->properties.length = (size_t)(r->at - (const uint8_t *)d->properties.data);
#else
    mqtt_read_properties(r, place, details);
#endif
}

/* All that a broker which knows 3.1.1 only says to a CONNECT of 5.0. */
static bool is_old_refusal(const struct mqtt_reader *r, unsigned code)
{
    return MQTT_WITH_V311 && code == MQTT_V311_UNACCEPTABLE_VERSION && r->at == r->end &&
           !mqtt_reader_is_v311(r);
}

uint8_t mqtt_decode_connack(struct mqtt_frame *frame, void *details, bool *session_present, uint8_t *refusal)
{
    struct mqtt_reader *r = &frame->body;
    unsigned flags = mqtt_read_u8(r);
    unsigned code = mqtt_read_u8(r);
    if (is_old_refusal(r, code))
        code = MQTT_REASON_UNSUPPORTED_VERSION;
    else
        read_details(r, MQTT_IN_CONNACK, details);
    *refusal = (uint8_t)code;
    if (MQTT_WITH_SESSIONS)
        *session_present = flags != 0;
    if (flags > 1)
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET);
    /* Session present: with a refusal (MQTT-3.2.2-6), or if each session starts clean (MQTT-3.2.2-4). */
    bool refused = code != MQTT_REASON_SUCCESS;
    bool known = code >= MQTT_REASON_UNSPECIFIED || mqtt_reader_is_v311(r);
    return finish_unless(r, (flags != 0 && (refused || !MQTT_WITH_SESSIONS)) || (refused && !known));
}

/* The reason code and properties that end a PUBACK, its like and a DISCONNECT, and may be left out from the
 * end. */
static uint8_t read_reason(struct mqtt_reader *r, enum mqtt_property_place place, void *details)
{
    if (r->at == r->end || mqtt_reader_is_v311(r))
        return MQTT_REASON_SUCCESS;
    uint8_t reason = mqtt_read_u8(r);
    if (r->at != r->end)
        read_details(r, place, details);
    return reason;
}

/* The one below 0x80 that there is besides success; SUBACK has all up to it. */
static unsigned known_reason(unsigned type, unsigned maximum_qos)
{
    if (MQTT_WITH_QOS2 && (type == MQTT_PUBREL || type == MQTT_PUBCOMP))
        return 0x00;
    return type == MQTT_SUBACK     ? maximum_qos /* granted */
           : type == MQTT_UNSUBACK ? 0x11        /* no subscription existed */
                                   : 0x10;       /* no matching subscribers */
}

static bool reasons_known(unsigned type, unsigned maximum_qos, const struct mqtt_slice *reasons)
{
    unsigned known = known_reason(type, maximum_qos);
    const uint8_t *code = reasons->data;
    for (size_t left = reasons->length; left > 0; left--, code++) {
        bool granted = MQTT_WITH_QOS2 && type == MQTT_SUBACK && *code < maximum_qos;
        if (*code != MQTT_REASON_SUCCESS && *code != known && !granted && *code < MQTT_REASON_UNSPECIFIED)
            return false;
    }
    return true;
}

uint8_t mqtt_decode_ack(struct mqtt_frame *frame, unsigned maximum_qos, void *details, struct mqtt_ack *ack)
{
    struct mqtt_reader *r = &frame->body;
    unsigned type = frame->head >> 4;
    ack->packet_id = mqtt_read_u16(r);
    if (type <= MQTT_PUBCOMP) {
        ack->reason = read_reason(r, MQTT_IN_ACK, details);
        ack->reasons = (struct mqtt_slice){&ack->reason, 1};
    } else {
        read_details(r, MQTT_IN_ACK, details);
        ack->reasons.length = 0;
        if (type != MQTT_UNSUBACK || !mqtt_reader_is_v311(r)) /* there it has none */
            read_rest(r, &ack->reasons);
    }
    return finish_unless(r, ack->packet_id == 0 || !reasons_known(type, maximum_qos, &ack->reasons));
}

uint8_t mqtt_decode_reason(struct mqtt_frame *frame, unsigned place, void *details, uint8_t *reason)
{
    *reason = read_reason(&frame->body, place, details);
    return finish(&frame->body);
}
