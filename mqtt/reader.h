/*
 * A cursor over one packet. What is wrong first stays in `reason`, and the
 * cursor at the end: a read beyond the end yields zeros. So a decoder can read
 * on and look once.
 */
#ifndef MQTT_READER_H
#define MQTT_READER_H

#include "mqtt/mqtt.h"

struct mqtt_reader {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t reason; /* MQTT_REASON_SUCCESS, MQTT_READER_CUT, or why the packet is wrong */
#if MQTT_WITH_V311
    bool v311; /* packets have no properties */
#endif
};

/* A read went beyond the end: the packet is malformed, or not all of it is here. No reason code. */
#define MQTT_READER_CUT 1

static inline size_t mqtt_reader_left(const struct mqtt_reader *r)
{
    return (size_t)(r->end - r->at);
}

static inline bool mqtt_reader_is_v311(const struct mqtt_reader *r)
{
#if MQTT_WITH_V311
    return r->v311;
#else
    (void)r;
    return false;
#endif
}

/* With MQTT_REASON_SUCCESS nothing happens. */
void mqtt_reader_fail(struct mqtt_reader *r, uint8_t reason);
uint8_t mqtt_read_u8(struct mqtt_reader *r);
uint16_t mqtt_read_u16(struct mqtt_reader *r);
/* Fails on five bytes and on more bytes than needed (MQTT-1.5.5-1). */
uint32_t mqtt_read_varint(struct mqtt_reader *r);
/* The next `length` bytes. */
void mqtt_read_bytes(struct mqtt_reader *r, size_t length, struct mqtt_slice *out);
/* Two bytes of length, then as many bytes. */
void mqtt_read_binary(struct mqtt_reader *r, struct mqtt_slice *out);

#endif
