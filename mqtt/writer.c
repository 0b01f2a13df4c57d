#include "mqtt/writer.h"

#include <string.h>

/* More than the first span takes: goes on in the second, or only counts. */
MQTT_APART static void write_across(struct mqtt_writer *w, const uint8_t *from, size_t length)
{
    const struct mqtt_span first = w->room[0];
    size_t rest = length - first.length;
    uint8_t *at = w->room[1].data;
    if (first.data == NULL) {
        w->size += length;
        return;
    }
    w->room[0] = (struct mqtt_span){at + rest, w->room[1].length - rest};
    memcpy(first.data, from, first.length);
    memcpy(at, from + first.length, rest);
}

/* The first span is full: goes on in the second and returns true, or only counts. */
static bool beyond(struct mqtt_writer *w)
{
    if (w->room[0].data == NULL) {
        w->size++;
        return false;
    }
    w->room[0] = w->room[1];
    return true;
}

void mqtt_write_u8(struct mqtt_writer *w, unsigned value)
{
    if (w->room[0].length == 0 && !beyond(w))
        return;
    w->room[0].length--;
    *w->room[0].data++ = (uint8_t)value;
}

void mqtt_write_u16(struct mqtt_writer *w, size_t value)
{
    if (!MQTT_FAST || w->room[0].length < 2) {
        mqtt_write_u8(w, (value >> 8) & 0xFF);
        mqtt_write_u8(w, value & 0xFF);
        return;
    }
    uint8_t *at = w->room[0].data;
    w->room[0] = (struct mqtt_span){at + 2, w->room[0].length - 2};
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void mqtt_write_u32(struct mqtt_writer *w, uint32_t value)
{
    mqtt_write_u16(w, value >> 16);
    mqtt_write_u16(w, value & 0xFFFF);
}

void mqtt_write_varint(struct mqtt_writer *w, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        mqtt_write_u8(w, (value & 0x7F) | 0x80);
    mqtt_write_u8(w, (unsigned)value);
}

MQTT_SHARED size_t mqtt_varint_size(size_t value)
{
    size_t size = 1;
    while (value >>= 7)
        size++;
    return size;
}

void mqtt_write_bytes(struct mqtt_writer *w, const void *data, size_t length)
{
    uint8_t *at = w->room[0].data;
    if (length > w->room[0].length) {
        write_across(w, data, length);
    } else if (length > 0) { /* the data of an empty slice may be NULL */
        w->room[0].data = at + length;
        w->room[0].length -= length;
        memcpy(at, data, length);
    }
}

void mqtt_write_binary(struct mqtt_writer *w, const void *data, size_t length)
{
    if (length > UINT16_MAX)
        w->size = MQTT_IMPOSSIBLE;
    mqtt_write_u16(w, length);
    mqtt_write_bytes(w, data, length);
}
