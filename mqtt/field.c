#include "mqtt/field.h"

#include <string.h>

#include "mqtt/text.h"

size_t mqtt_parts_length(const struct mqtt_slice parts[], size_t count)
{
    size_t length = 0;
    for (; count > 0; count--, parts++)
        length += parts->length;
    return length;
}

void mqtt_write_parts(struct mqtt_writer *w, const struct mqtt_slice parts[], size_t count)
{
    for (; count > 0; count--, parts++) {
        if (parts->length > 0)
            mqtt_write_bytes(w, parts->data, parts->length);
    }
}

/* No string, or one with wildcards where none may be (MQTT-1.5.4-1, MQTT-1.5.4-2, MQTT-3.3.2-2,
 * MQTT-3.3.2-14). */
static bool is_wrong(const struct mqtt_slice *text, bool wildcards)
{
    if (text->length == 0)
        return false; /* its data may be NULL */
    uint8_t wrong = mqtt_check_text(text);
    return wildcards ? wrong == MQTT_REASON_MALFORMED_PACKET : wrong != MQTT_REASON_SUCCESS;
}

size_t mqtt_topic_length(const struct mqtt_slice topic[MQTT_TOPIC_PARTS], bool wildcards)
{
    size_t length = 0;
    for (size_t left = MQTT_TOPIC_PARTS; left > 0; left--, topic++) {
        if (MQTT_WITH_CHECKS && is_wrong(topic, wildcards))
            return MQTT_IMPOSSIBLE;
        length += topic->length;
    }
    return length;
}

void mqtt_write_topic(struct mqtt_writer *w, const struct mqtt_slice topic[MQTT_TOPIC_PARTS], bool wildcards)
{
    size_t length = mqtt_topic_length(topic, wildcards);
    if (length - 1 >= UINT16_MAX) /* also none at all */
        w->size = MQTT_IMPOSSIBLE;
    mqtt_write_u16(w, length);
    mqtt_write_parts(w, topic, MQTT_TOPIC_PARTS);
}

__attribute__((noinline)) void mqtt_write_text(struct mqtt_writer *w, const char *text)
{
    mqtt_write_binary(w, text, strlen(text));
}

/* ---- Properties ---- */

void mqtt_write_number_property(struct mqtt_writer *w, enum mqtt_property_id id, unsigned bytes,
                                uint32_t value)
{
    mqtt_write_u8(w, id);
    while (bytes-- > 0)
        mqtt_write_u8(w, value >> 8 * bytes & 0xFF);
}

static void write_slice(struct mqtt_writer *w, enum mqtt_property_type type, const struct mqtt_slice *value)
{
    if (MQTT_WITH_CHECKS && type != MQTT_TYPE_BINARY && is_wrong(value, type != MQTT_TYPE_TOPIC))
        w->size = MQTT_IMPOSSIBLE;
    mqtt_write_binary(w, value->data, value->length);
}

void mqtt_write_slice_property(struct mqtt_writer *w, enum mqtt_property_id id, enum mqtt_property_type type,
                               const struct mqtt_slice *value)
{
    mqtt_write_u8(w, id);
    write_slice(w, type, value);
}

void mqtt_write_user_properties(struct mqtt_writer *w, const struct mqtt_user_property *user, size_t count)
{
    for (; count > 0; count--, user++) {
        mqtt_write_slice_property(w, MQTT_PROPERTY_USER, MQTT_TYPE_STRING, &user->name);
        write_slice(w, MQTT_TYPE_STRING, &user->value);
    }
}

static uint32_t number_at(const void *at, enum mqtt_property_type type)
{
    if (type == MQTT_TYPE_BYTE)
        return *(const uint8_t *)at;
    return type == MQTT_TYPE_TWO_BYTES ? *(const uint16_t *)at : *(const uint32_t *)at;
}

static void write_field(struct mqtt_writer *w, enum mqtt_property_id id, const void *at)
{
    enum mqtt_property_type type = mqtt_property_type(id);
    const struct mqtt_slice *slice = at;
    const struct mqtt_user_property *const *user = at;
    if (type == MQTT_TYPE_PAIR) {
        mqtt_write_user_properties(w, *user, *(const size_t *)(user + 1));
    } else if (type <= MQTT_TYPE_FOUR_BYTES) {
        uint32_t number = number_at(at, type);
        if (number != 0)
            mqtt_write_number_property(w, id, type, number);
    } else if (type == MQTT_TYPE_BINARY ? slice->data != NULL : slice->length > 0) {
        mqtt_write_slice_property(w, id, type, slice);
    }
}

void mqtt_write_fields(struct mqtt_writer *w, const struct mqtt_field *fields, const void *of)
{
    for (; fields->id != 0; fields++)
        write_field(w, fields->id, (const uint8_t *)of + fields->offset);
}

void mqtt_write_properties(struct mqtt_writer *w, mqtt_properties *write, const void *of)
{
    struct mqtt_writer counter;
    mqtt_writer_count(&counter);
    write(&counter, of);
    mqtt_write_varint(w, counter.size);
    write(w, of);
}
