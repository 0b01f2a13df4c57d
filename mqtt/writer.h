/*
 * Writes a packet into the room that a transport lends, across the place where
 * its ring wraps; or, without room, only counts. Each packet is counted first,
 * so no write can fail.
 */
#ifndef MQTT_WRITER_H
#define MQTT_WRITER_H

#include "mqtt/mqtt.h"

struct mqtt_writer {
    struct mqtt_span room[2]; /* what is left of it: first here, then there; data NULL: only count */
    size_t size;              /* counted so far */
};

/* The size of what cannot be: a string too long for its two bytes of length, an empty topic, a wrong option.
 */
#define MQTT_IMPOSSIBLE (SIZE_MAX / 2)

/* Field by field: a library's memset may well cost more than the rest of a small packet. */
static inline void mqtt_writer_count(struct mqtt_writer *w)
{
    w->room[0].data = NULL;
    w->room[0].length = 0;
    w->size = 0;
}

void mqtt_write_u8(struct mqtt_writer *w, unsigned value);
void mqtt_write_u16(struct mqtt_writer *w, size_t value);
void mqtt_write_u32(struct mqtt_writer *w, uint32_t value);
void mqtt_write_varint(struct mqtt_writer *w, size_t value);
size_t mqtt_varint_size(size_t value);
void mqtt_write_bytes(struct mqtt_writer *w, const void *data, size_t length);
/* Two bytes of length, then the bytes. */
void mqtt_write_binary(struct mqtt_writer *w, const void *data, size_t length);

#endif
