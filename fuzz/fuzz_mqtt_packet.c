/*
 * mqtt/packet.h: each packet of a server, in both versions: the first byte of the input says which version,
 * what QoS we speak and how large a packet may be. Whatever comes, all views lie within the packet.
 */
#include "fuzz/input.h"
#include "mqtt/packet.h"

#include <stdlib.h>

struct area {
    const uint8_t *at;
    size_t size;
};

static void within(const struct area *packet, const struct mqtt_slice *slice)
{
    MUST(!slice->data || WITHIN(slice->data, slice->length, packet->at, packet->size));
}

static void check_user_properties(const struct area *packet, struct mqtt_slice properties)
{
    struct mqtt_user_property user;
    uint32_t identifier;
    struct mqtt_slice rest = properties;
    while (mqtt_next_user_property(&rest, &user)) {
        within(packet, &user.name);
        within(packet, &user.value);
    }
    while (mqtt_next_subscription_id(&properties, &identifier)) {
        MUST(identifier != 0 && identifier <= MQTT_VARINT_MAX);
    }
}

static void check_details(const struct area *packet, const struct mqtt_details *details)
{
    within(packet, &details->client_id);
    within(packet, &details->response_information);
    within(packet, &details->server_reference);
    within(packet, &details->reason_string);
    within(packet, &details->method);
    within(packet, &details->authentication);
    within(packet, &details->properties);
    if (details->properties.data) {
        check_user_properties(packet, details->properties);
    }
}

static void publish(const struct area *packet, struct mqtt_frame *frame)
{
    struct mqtt_message message;
    uint16_t id;
    if (mqtt_decode_publish(frame, &message, &id) != MQTT_REASON_SUCCESS) {
        return;
    }
    MUST(message.qos <= 2 && (id != 0) == (message.qos > 0));
    MUST(message.qos || !message.duplicate);
    within(packet, &message.topic);
    within(packet, &message.payload);
    within(packet, &message.response_topic);
    within(packet, &message.correlation);
    within(packet, &message.content_type);
    within(packet, &message.properties);
    check_user_properties(packet, message.properties);
}

static void connack(const struct area *packet, struct mqtt_frame *frame)
{
    struct mqtt_details details = {.properties = {NULL, 0}};
    bool present;
    uint8_t refusal;
    if (mqtt_decode_connack(frame, &details, &present, &refusal) == MQTT_REASON_SUCCESS) {
        MUST(!present || refusal == MQTT_REASON_SUCCESS);
        check_details(packet, &details);
    }
}

static void ack(const struct area *packet, struct mqtt_frame *frame, unsigned maximum_qos)
{
    struct mqtt_details details = {.properties = {NULL, 0}};
    struct mqtt_ack ack;
    if (mqtt_decode_ack(frame, maximum_qos, &details, &ack) != MQTT_REASON_SUCCESS) {
        return;
    }
    MUST(ack.packet_id != 0);
    if (frame->head >> 4 > MQTT_PUBCOMP && ack.reasons.length) {
        within(packet, &ack.reasons);
    }
    check_details(packet, &details);
}

static void reason(const struct area *packet, struct mqtt_frame *frame, unsigned place)
{
    struct mqtt_details details = {.properties = {NULL, 0}};
    uint8_t code;
    if (mqtt_decode_reason(frame, place, &details, &code) == MQTT_REASON_SUCCESS) {
        check_details(packet, &details);
    }
}

static void body(const struct area *packet, struct mqtt_frame *frame, unsigned maximum_qos)
{
    switch (frame->head >> 4) {
    case MQTT_CONNACK: connack(packet, frame); break;
    case MQTT_PUBLISH: publish(packet, frame); break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: ack(packet, frame, maximum_qos); break;
    case MQTT_DISCONNECT: reason(packet, frame, MQTT_IN_DISCONNECT); break;
    case MQTT_AUTH: reason(packet, frame, MQTT_IN_AUTH); break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    unsigned how = input_byte(&input);
    size_t length = input.size;
    uint8_t *bytes = input_copy(&input, &length);
    const struct area packet = {bytes, length};
    struct mqtt_frame frame;
    size_t at = 0;
    while (at < length) {
        uint8_t wrong = mqtt_decode_frame(bytes + at, length - at, (size_t)64 << (how >> 4), &frame);
        if (wrong != MQTT_REASON_SUCCESS || frame.size == 0) {
            break;
        }
        MUST(frame.size >= 2 && frame.size <= length - at && frame.body.end == bytes + at + frame.size);
        frame.body.v311 = how & 1;
        body(&packet, &frame, how >> 1 & 1 ? 2 : 1);
        MUST(frame.body.at <= frame.body.end);
        at += frame.size;
    }
    free(bytes);
    return 0;
}
