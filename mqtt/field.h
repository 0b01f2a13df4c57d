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

/* Properties: the id, then the value; a number takes that many bytes. */
void mqtt_write_number_property(struct mqtt_writer *w, enum mqtt_property_id id, unsigned bytes,
                                uint32_t value);
void mqtt_write_slice_property(struct mqtt_writer *w, enum mqtt_property_id id, enum mqtt_property_type type,
                               const struct mqtt_slice *value);
void mqtt_write_user_properties(struct mqtt_writer *w, const struct mqtt_user_property *user, size_t count);

/*
 * What of a struct becomes a property if it is there: a number unless it is 0, a string unless it is empty,
 * binary data unless it is NULL, and user properties, behind whose pointer their count follows.
 */
struct mqtt_field {
    uint8_t id;     /* enum mqtt_property_id; 0 ends a list */
    uint8_t offset; /* of the member, which has the property's type */
};
#define MQTT_FIELD(id, where, member)                                                                        \
    {                                                                                                        \
        MQTT_PROPERTY_##id, offsetof(struct where, member)                                                   \
    }
void mqtt_write_fields(struct mqtt_writer *w, const struct mqtt_field *fields, const void *of);

/* All of them, behind their length. */
typedef void mqtt_properties(struct mqtt_writer *w, const void *of);
void mqtt_write_properties(struct mqtt_writer *w, mqtt_properties *write, const void *of);

#endif
