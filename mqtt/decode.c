#include "mqtt/packet.h"
#include "mqtt/property.h"
#include "mqtt/text.h"

bool mqtt_decode_frame(const uint8_t *data, size_t length, size_t capacity, struct mqtt_frame *frame)
{
    size_t remaining = 0;
    size_t i = 1;
    frame->size = 0;
    frame->body.reason = MQTT_REASON_MALFORMED_PACKET;
    for (unsigned shift = 0;; shift += 7) {
        if (shift == 28)
            return false; /* a fifth byte */
        if (i >= length)
            goto incomplete;
        uint8_t byte = data[i++];
        remaining |= (size_t)(byte & 0x7F) << shift;
        if (byte == 0 && shift > 0)
            return false; /* MQTT-1.5.5-1 */
        if (byte < 0x80)
            break;
    }
    if (i + remaining > capacity) {
        frame->body.reason = MQTT_REASON_PACKET_TOO_LARGE; /* MQTT-3.1.2-24 */
        return false;
    }
    if (i + remaining <= length) {
        frame->head = data[0];
        frame->size = i + remaining;
        frame->body.at = data + i;
        frame->body.end = data + frame->size;
    }
incomplete:
    frame->body.reason = MQTT_REASON_SUCCESS;
    return true;
}

/* After the last field. */
static bool finish(struct mqtt_reader *r)
{
    if (r->at != r->end)
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET);
    return r->reason == MQTT_REASON_SUCCESS;
}

bool mqtt_decode_publish(struct mqtt_frame *frame, struct mqtt_message *message, uint16_t *packet_id)
{
    struct mqtt_reader *r = &frame->body;
    unsigned qos = (frame->head >> MQTT_PUBLISH_QOS_SHIFT) & 3;
    /* Field by field: a library's memset may well cost more than all the rest here. */
    message->qos = (uint8_t)qos;
    message->retain = frame->head & MQTT_PUBLISH_RETAIN;
    message->duplicate = frame->head & MQTT_PUBLISH_DUP;
    message->utf8 = false;
    message->response_topic.data = NULL;
    message->response_topic.length = 0;
    message->correlation.data = NULL;
    message->correlation.length = 0;
    if (qos == 3 || (qos == 0 && message->duplicate))
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET); /* MQTT-3.3.1-4, MQTT-3.3.1-2 */
    if (qos == 2)
        mqtt_reader_fail(r, MQTT_REASON_QOS_NOT_SUPPORTED); /* our subscriptions ask for less */

    message->topic = mqtt_read_binary(r);
    *packet_id = qos > 0 ? mqtt_read_u16(r) : 0;
    mqtt_reader_fail(r, mqtt_check_text(message->topic)); /* MQTT-3.3.2-2 */
    message->properties = mqtt_read_properties(r, MQTT_IN_PUBLISH, message);
    message->payload = mqtt_read_bytes(r, mqtt_reader_left(r));
    /* MQTT-2.2.1-4, and 3.3.2.1, there being no alias */
    if ((qos > 0 && *packet_id == 0) || message->topic.length == 0)
        mqtt_reader_fail(r, MQTT_REASON_PROTOCOL_ERROR);
    return finish(r);
}

bool mqtt_decode_connack(struct mqtt_frame *frame, struct mqtt_limits *limits, uint8_t *refusal)
{
    struct mqtt_reader *r = &frame->body;
    unsigned flags = mqtt_read_u8(r);
    unsigned code = mqtt_read_u8(r);
    *refusal = (uint8_t)code;
    if (flags > 1)
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET);
    (void)mqtt_read_properties(r, MQTT_IN_CONNACK, limits);
    /* Session present: we started clean, and know of none (MQTT-3.2.2-4, MQTT-3.2.2-6). */
    if (finish(r) && (flags != 0 || (code != MQTT_REASON_SUCCESS && code < MQTT_REASON_UNSPECIFIED)))
        mqtt_reader_fail(r, MQTT_REASON_PROTOCOL_ERROR);
    return r->reason == MQTT_REASON_SUCCESS;
}

/* The reason code and properties that end a PUBACK and a DISCONNECT, and may be left out from the end. */
static struct mqtt_slice read_reason(struct mqtt_reader *r, enum mqtt_property_place place)
{
    static const uint8_t success = MQTT_REASON_SUCCESS;
    struct mqtt_slice reason = {&success, 1};
    if (r->at != r->end)
        reason = mqtt_read_bytes(r, 1);
    if (r->at != r->end)
        (void)mqtt_read_properties(r, place, NULL);
    return reason;
}

/* Below 0x80 there are few. */
static bool reasons_known(unsigned type, struct mqtt_slice reasons)
{
    unsigned extra = type == MQTT_PUBACK   ? 0x10  /* no matching subscribers */
                     : type == MQTT_SUBACK ? 0x01  /* granted QoS 1; we ask for no more */
                                           : 0x11; /* no subscription existed */
    const uint8_t *code = reasons.data;
    for (size_t i = 0; i < reasons.length; i++) {
        if (code[i] != MQTT_REASON_SUCCESS && code[i] != extra && code[i] < MQTT_REASON_UNSPECIFIED)
            return false;
    }
    return true;
}

bool mqtt_decode_ack(struct mqtt_frame *frame, struct mqtt_ack *ack)
{
    struct mqtt_reader *r = &frame->body;
    unsigned type = frame->head >> 4;
    ack->packet_id = mqtt_read_u16(r);
    if (type == MQTT_PUBACK) {
        ack->reasons = read_reason(r, MQTT_IN_ACK);
    } else {
        (void)mqtt_read_properties(r, MQTT_IN_ACK, NULL);
        ack->reasons = mqtt_read_bytes(r, mqtt_reader_left(r));
    }
    if (finish(r) && (ack->packet_id == 0 || !reasons_known(type, ack->reasons)))
        mqtt_reader_fail(r, MQTT_REASON_PROTOCOL_ERROR);
    return r->reason == MQTT_REASON_SUCCESS;
}

bool mqtt_decode_disconnect(struct mqtt_frame *frame, uint8_t *why)
{
    *why = *(const uint8_t *)read_reason(&frame->body, MQTT_IN_DISCONNECT).data;
    return finish(&frame->body);
}
