#include "mqtt/writer.h"

#include <string.h>

static void wrap(struct mqtt_writer *w)
{
    w->at = w->next;
    w->end = NULL; /* far away: there is room for all that comes */
}

void mqtt_write_u8(struct mqtt_writer *w, unsigned value)
{
    if (w->at == NULL) {
        w->size++;
        return;
    }
    if (w->at == w->end)
        wrap(w);
    *w->at++ = (uint8_t)value;
}

void mqtt_write_u16(struct mqtt_writer *w, size_t value)
{
    if (value > UINT16_MAX)
        w->impossible = true;
    mqtt_write_u8(w, (value >> 8) & 0xFF);
    mqtt_write_u8(w, value & 0xFF);
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
    mqtt_write_u8(w, value & 0x7F);
}

size_t mqtt_varint_size(size_t value)
{
    size_t size = 1;
    while (value >>= 7)
        size++;
    return size;
}

void mqtt_write_bytes(struct mqtt_writer *w, const void *data, size_t length)
{
    const uint8_t *from = data;
    if (w->at == NULL) {
        w->size += length;
        return;
    }
    if (w->end != NULL && length > (size_t)(w->end - w->at)) {
        size_t first = (size_t)(w->end - w->at);
        memcpy(w->at, from, first);
        wrap(w);
        from += first;
        length -= first;
    }
    if (length > 0) /* the data of an empty slice may be NULL */
        memcpy(w->at, from, length);
    w->at += length;
}

void mqtt_write_binary(struct mqtt_writer *w, struct mqtt_slice slice)
{
    mqtt_write_u16(w, slice.length);
    mqtt_write_bytes(w, slice.data, slice.length);
}
