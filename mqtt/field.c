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

#if MQTT_WITH_CHECKS
/* No string, or one with wildcards where none may be (MQTT-1.5.4-1, MQTT-1.5.4-2, MQTT-3.3.2-2,
 * MQTT-3.3.2-14). */
static bool is_wrong(const struct mqtt_slice *text, bool wildcards)
{
    uint8_t wrong = mqtt_check_text(text);
    return wildcards ? wrong == MQTT_REASON_MALFORMED_PACKET : wrong != MQTT_REASON_SUCCESS;
}
#endif

static void check(struct mqtt_writer *w, const struct mqtt_slice *text, bool wildcards)
{
#if MQTT_WITH_CHECKS
    if (is_wrong(text, wildcards))
        w->size = MQTT_IMPOSSIBLE;
#else
    (void)w;
    (void)text;
    (void)wildcards;
#endif
}

size_t mqtt_topic_length(const struct mqtt_slice topic[MQTT_TOPIC_PARTS], bool wildcards)
{
    (void)wildcards;
#if MQTT_WITH_CHECKS
    for (size_t i = 0; i < MQTT_TOPIC_PARTS; i++) {
        if (is_wrong(&topic[i], wildcards))
            return MQTT_IMPOSSIBLE;
    }
#endif
    return mqtt_parts_length(topic, MQTT_TOPIC_PARTS);
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

void mqtt_write_byte_property(struct mqtt_writer *w, enum mqtt_property_id id, unsigned value)
{
    mqtt_write_u16(w, (unsigned)id << 8 | value);
}

void mqtt_write_u16_property(struct mqtt_writer *w, enum mqtt_property_id id, unsigned value)
{
    mqtt_write_u8(w, id);
    mqtt_write_u16(w, value);
}

void mqtt_write_u32_property(struct mqtt_writer *w, enum mqtt_property_id id, uint32_t value)
{
    mqtt_write_u8(w, id);
    mqtt_write_u32(w, value);
}

void mqtt_write_slice_property(struct mqtt_writer *w, enum mqtt_property_id id,
                               const struct mqtt_slice *value)
{
    bool binary = id == MQTT_PROPERTY_CORRELATION || id == MQTT_PROPERTY_AUTHENTICATION_DATA;
    if (!binary)
        check(w, value, id != MQTT_PROPERTY_RESPONSE_TOPIC);
    mqtt_write_u8(w, id);
    mqtt_write_binary(w, value->data, value->length);
}

void mqtt_write_properties(struct mqtt_writer *w, mqtt_properties *write, const void *of)
{
    struct mqtt_writer counter;
    mqtt_writer_count(&counter);
    write(&counter, of);
    mqtt_write_varint(w, counter.size);
    write(w, of);
}

void mqtt_write_user_properties(struct mqtt_writer *w, const struct mqtt_user_property *user, size_t count)
{
    for (; count > 0; count--, user++) {
        mqtt_write_slice_property(w, MQTT_PROPERTY_USER, &user->name);
        check(w, &user->value, true);
        mqtt_write_binary(w, user->value.data, user->value.length);
    }
}
