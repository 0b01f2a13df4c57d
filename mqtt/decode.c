#include "mqtt/packet.h"
#include "mqtt/property.h"
#include "mqtt/reader.h"
#include "mqtt/text.h"

uint8_t mqtt_decode_frame(const uint8_t *data, size_t length, size_t capacity, struct mqtt_frame *frame)
{
    frame->size = 0;
    size_t remaining = 0;
    for (size_t i = 1; i < length; i++) {
        uint8_t byte = data[i];
        remaining |= (size_t)(byte & 0x7F) << (7 * (i - 1));
        if (byte >= 0x80) {
            if (i == 4)
                return MQTT_REASON_MALFORMED_PACKET; /* a fifth byte */
            continue;
        }
        if (byte == 0 && i > 1)
            return MQTT_REASON_MALFORMED_PACKET; /* MQTT-1.5.5-1 */
        size_t header = i + 1;
        if (header > capacity || remaining > capacity - header)
            return MQTT_REASON_PACKET_TOO_LARGE; /* MQTT-3.1.2-24 */
        if (remaining <= length - header) {
            frame->head = data[0];
            frame->body = data + header;
            frame->length = remaining;
            frame->size = header + remaining;
        }
        break;
    }
    return MQTT_REASON_SUCCESS;
}

static struct mqtt_reader body_reader(const struct mqtt_frame *frame)
{
    return (struct mqtt_reader){.at = frame->body, .end = frame->body + frame->length};
}

static void expect_end(struct mqtt_reader *r)
{
    if (r->at != r->end)
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET);
}

uint8_t mqtt_decode_publish(const struct mqtt_frame *frame, struct mqtt_message *message, uint16_t *packet_id)
{
    struct mqtt_reader r = body_reader(frame);
    unsigned qos = (frame->head >> MQTT_PUBLISH_QOS_SHIFT) & 3;
    *message = (struct mqtt_message){
        .qos = (uint8_t)qos,
        .retain = frame->head & MQTT_PUBLISH_RETAIN,
        .duplicate = frame->head & MQTT_PUBLISH_DUP,
    };
    if (qos == 3 || (qos == 0 && message->duplicate))
        return MQTT_REASON_MALFORMED_PACKET; /* MQTT-3.3.1-4, MQTT-3.3.1-2 */
    if (qos == 2)
        return MQTT_REASON_QOS_NOT_SUPPORTED; /* our subscriptions ask for less */

    message->topic = mqtt_read_binary(&r);
    *packet_id = qos > 0 ? mqtt_read_u16(&r) : 0;
    mqtt_reader_fail(&r, mqtt_check_text(message->topic)); /* MQTT-3.3.2-2 */
    message->properties = mqtt_read_properties(&r, MQTT_IN_PUBLISH, message);
    message->payload = (struct mqtt_slice){r.at, mqtt_reader_left(&r)};
    /* MQTT-2.2.1-4, and 3.3.2.1, there being no alias */
    if ((qos > 0 && *packet_id == 0) || message->topic.length == 0)
        mqtt_reader_fail(&r, MQTT_REASON_PROTOCOL_ERROR);
    return r.reason;
}

uint8_t mqtt_decode_connack(const struct mqtt_frame *frame, struct mqtt_limits *limits, uint8_t *refusal)
{
    struct mqtt_reader r = body_reader(frame);
    uint8_t flags = mqtt_read_u8(&r);
    *refusal = mqtt_read_u8(&r);
    (void)mqtt_read_properties(&r, MQTT_IN_CONNACK, limits);
    expect_end(&r);
    if (flags > 1)
        mqtt_reader_fail(&r, MQTT_REASON_MALFORMED_PACKET);
    /* Session present: we started clean, and know of none (MQTT-3.2.2-4, MQTT-3.2.2-6). */
    if (flags != 0 || (*refusal != MQTT_REASON_SUCCESS && *refusal < MQTT_REASON_UNSPECIFIED))
        mqtt_reader_fail(&r, MQTT_REASON_PROTOCOL_ERROR);
    return r.reason;
}

/* Checks the reason codes at the end of an acknowledgement: below 0x80 there are few. */
static void check_reasons(struct mqtt_reader *r, unsigned type, struct mqtt_slice reasons)
{
    unsigned extra = type == MQTT_PUBACK   ? 0x10  /* no matching subscribers */
                     : type == MQTT_SUBACK ? 0x01  /* granted QoS 1; we ask for no more */
                                           : 0x11; /* no subscription existed */
    const uint8_t *code = reasons.data;
    for (size_t i = 0; i < reasons.length; i++) {
        if (code[i] != MQTT_REASON_SUCCESS && code[i] != extra && code[i] < MQTT_REASON_UNSPECIFIED)
            mqtt_reader_fail(r, MQTT_REASON_PROTOCOL_ERROR);
    }
}

uint8_t mqtt_decode_ack(const struct mqtt_frame *frame, struct mqtt_ack *ack)
{
    static const uint8_t success = MQTT_REASON_SUCCESS;
    struct mqtt_reader r = body_reader(frame);
    unsigned type = frame->head >> 4;

    ack->packet_id = mqtt_read_u16(&r);
    ack->reasons = (struct mqtt_slice){&success, 1}; /* of a PUBACK that ends here */
    if (type != MQTT_PUBACK) {
        (void)mqtt_read_properties(&r, MQTT_IN_ACK, NULL);
        ack->reasons = mqtt_read_bytes(&r, mqtt_reader_left(&r));
    } else if (r.at != r.end) {
        ack->reasons = mqtt_read_bytes(&r, 1);
        if (r.at != r.end)
            (void)mqtt_read_properties(&r, MQTT_IN_ACK, NULL);
        expect_end(&r);
    }
    if (ack->packet_id == 0)
        mqtt_reader_fail(&r, MQTT_REASON_PROTOCOL_ERROR);
    check_reasons(&r, type, ack->reasons);
    return r.reason;
}

uint8_t mqtt_decode_disconnect(const struct mqtt_frame *frame, uint8_t *why)
{
    struct mqtt_reader r = body_reader(frame);
    *why = MQTT_REASON_SUCCESS;
    if (r.at != r.end)
        *why = mqtt_read_u8(&r);
    if (r.at != r.end)
        (void)mqtt_read_properties(&r, MQTT_IN_DISCONNECT, NULL);
    expect_end(&r);
    return r.reason;
}
