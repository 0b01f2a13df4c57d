/* What the packets that we send are made of: texts in parts, and properties. Not a public header. */
#ifndef MQTT_FIELD_H
#define MQTT_FIELD_H

#include "mqtt/property.h"
#include "mqtt/writer.h"

size_t mqtt_parts_length(const struct mqtt_slice parts[], size_t count);
void mqtt_write_parts(struct mqtt_writer *w, const struct mqtt_slice parts[], size_t count);
/* Of a topic name or, with wildcards, a filter; more than there can be if it is none. */
size_t mqtt_topic_length(const struct mqtt_slice topic[MQTT_TOPIC_PARTS], bool wildcards);
/* Two bytes of length, then the parts; an empty one is impossible. */
void mqtt_write_topic(struct mqtt_writer *w, const struct mqtt_slice topic[MQTT_TOPIC_PARTS], bool wildcards);
void mqtt_write_text(struct mqtt_writer *w, const char *text);

/* Properties: the id, then the value. */
void mqtt_write_byte_property(struct mqtt_writer *w, enum mqtt_property_id id, unsigned value);
void mqtt_write_u16_property(struct mqtt_writer *w, enum mqtt_property_id id, unsigned value);
void mqtt_write_u32_property(struct mqtt_writer *w, enum mqtt_property_id id, uint32_t value);
void mqtt_write_slice_property(struct mqtt_writer *w, enum mqtt_property_id id,
                               const struct mqtt_slice *value);
/* All of them, behind their length. */
typedef void mqtt_properties(struct mqtt_writer *w, const void *of);
void mqtt_write_properties(struct mqtt_writer *w, mqtt_properties *write, const void *of);
void mqtt_write_user_properties(struct mqtt_writer *w, const struct mqtt_user_property *user, size_t count);

#endif
