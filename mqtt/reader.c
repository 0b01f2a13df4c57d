#include "mqtt/reader.h"

void mqtt_reader_fail(struct mqtt_reader *r, uint8_t reason)
{
    if (reason == MQTT_REASON_SUCCESS)
        return;
    if (r->reason == MQTT_REASON_SUCCESS)
        r->reason = reason;
    r->at = r->end;
}

struct mqtt_slice mqtt_read_bytes(struct mqtt_reader *r, size_t length)
{
    if (mqtt_reader_left(r) < length) {
        mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET);
        length = 0;
    }
    struct mqtt_slice slice = {r->at, length};
    r->at += length;
    return slice;
}

uint8_t mqtt_read_u8(struct mqtt_reader *r)
{
    struct mqtt_slice slice = mqtt_read_bytes(r, 1);
    return slice.length != 0 ? *(const uint8_t *)slice.data : 0;
}

uint16_t mqtt_read_u16(struct mqtt_reader *r)
{
    unsigned high = mqtt_read_u8(r);
    return (uint16_t)(high << 8 | mqtt_read_u8(r));
}

uint32_t mqtt_read_varint(struct mqtt_reader *r)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        uint8_t byte = mqtt_read_u8(r);
        value |= (uint32_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            if (byte == 0 && shift > 0)
                break;
            return value;
        }
    }
    mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET);
    return 0;
}

struct mqtt_slice mqtt_read_binary(struct mqtt_reader *r)
{
    return mqtt_read_bytes(r, mqtt_read_u16(r));
}
