/*
 * Writes a packet into the room that a transport lends, across the place where
 * its ring wraps; or, without room, only counts. Each packet is counted first,
 * so no write can fail.
 */
#ifndef MQTT_WRITER_H
#define MQTT_WRITER_H

#include "mqtt/mqtt.h"

struct mqtt_writer {
    uint8_t *at; /* NULL: only count */
    uint8_t *end;
    uint8_t *next;   /* where it goes on after `end` */
    size_t size;     /* counted so far */
    bool impossible; /* a string too long for its two bytes of length, an empty topic, an unknown option */
};

/* Field by field: a library's memset may well cost more than the rest of a small packet. */
static inline void mqtt_writer_init(struct mqtt_writer *w, uint8_t *at, uint8_t *end, uint8_t *next)
{
    w->at = at;
    w->end = end;
    w->next = next;
    w->size = 0;
    w->impossible = false;
}

void mqtt_write_u8(struct mqtt_writer *w, unsigned value);
void mqtt_write_u16(struct mqtt_writer *w, size_t value);
void mqtt_write_u32(struct mqtt_writer *w, uint32_t value);
void mqtt_write_varint(struct mqtt_writer *w, size_t value);
size_t mqtt_varint_size(size_t value);
void mqtt_write_bytes(struct mqtt_writer *w, const void *data, size_t length);
/* Two bytes of length, then the bytes. */
void mqtt_write_binary(struct mqtt_writer *w, struct mqtt_slice slice);

#endif
