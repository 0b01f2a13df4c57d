#include "mqtt/reader.h"

__attribute__((noinline)) void mqtt_reader_fail(struct mqtt_reader *r, uint8_t reason)
{
    if (reason == MQTT_REASON_SUCCESS)
        return;
    if (r->reason == MQTT_REASON_SUCCESS)
        r->reason = reason;
    r->at = r->end;
}

/* Apart, so that the readers that fail jump here and need no stack. */
__attribute__((noinline)) static uint8_t cut(struct mqtt_reader *r)
{
    mqtt_reader_fail(r, MQTT_READER_CUT);
    return 0;
}

void mqtt_read_bytes(struct mqtt_reader *r, size_t length, struct mqtt_slice *out)
{
    if (mqtt_reader_left(r) < length)
        length = cut(r);
    out->data = r->at;
    out->length = length;
    r->at += length;
}

uint8_t mqtt_read_u8(struct mqtt_reader *r)
{
    if (r->at == r->end)
        return cut(r);
    return *r->at++;
}

uint16_t mqtt_read_u16(struct mqtt_reader *r)
{
    const uint8_t *at = r->at;
    if (mqtt_reader_left(r) < 2)
        return cut(r);
    r->at = at + 2;
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Apart, so that one of a single byte needs no stack. */
__attribute__((noinline)) static uint32_t read_long_varint(struct mqtt_reader *r)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        unsigned byte = mqtt_read_u8(r);
        value |= (byte & 0x7F) << shift;
        if (byte == 0 && shift > 0)
            break;
        if (byte < 0x80)
            return value;
    }
    mqtt_reader_fail(r, MQTT_REASON_MALFORMED_PACKET); /* unless that was the packet's end */
    return 0;
}

uint32_t mqtt_read_varint(struct mqtt_reader *r)
{
    if (MQTT_FAST && r->at != r->end && *r->at < 0x80)
        return *r->at++;
    return read_long_varint(r);
}

void mqtt_read_binary(struct mqtt_reader *r, struct mqtt_slice *out)
{
    mqtt_read_bytes(r, mqtt_read_u16(r), out);
}
