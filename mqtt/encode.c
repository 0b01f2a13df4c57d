#include "mqtt/engine.h"
#include "mqtt/property.h"

#include <string.h>

enum {
    CONNECT_CLEAN_START = 1 << 1,
    CONNECT_WILL = 1 << 2,
    CONNECT_WILL_QOS_SHIFT = 3,
    CONNECT_WILL_RETAIN_SHIFT = 5,
    CONNECT_PASSWORD = 1 << 6,
    CONNECT_USER_NAME = 1 << 7,
};

size_t mqtt_body_size(mqtt_body *body, const void *packet)
{
    struct mqtt_writer counter;
    mqtt_writer_count(&counter);
    body(&counter, packet, 0);
    return counter.size;
}

__attribute__((noinline)) static void write_text(struct mqtt_writer *w, const char *text)
{
    mqtt_write_binary(w, text, strlen(text));
}

static void write_parts(struct mqtt_writer *w, const struct mqtt_slice parts[], size_t count)
{
    for (; count > 0; count--, parts++) {
        if (parts->length > 0)
            mqtt_write_bytes(w, parts->data, parts->length);
    }
}

static size_t parts_length(const struct mqtt_slice parts[], size_t count)
{
    size_t length = 0;
    for (; count > 0; count--, parts++)
        length += parts->length;
    return length;
}

static void write_topic(struct mqtt_writer *w, const struct mqtt_slice topic[MQTT_TOPIC_PARTS])
{
    size_t length = parts_length(topic, MQTT_TOPIC_PARTS);
    if (length == 0)
        w->size = MQTT_IMPOSSIBLE;
    mqtt_write_u16(w, length);
    write_parts(w, topic, MQTT_TOPIC_PARTS);
}

static void write_small_property(struct mqtt_writer *w, enum mqtt_property_id id, unsigned value)
{
    mqtt_write_u16(w, (unsigned)id << 8 | value);
}

static void write_will(struct mqtt_writer *w, const struct mqtt_will *will)
{
    mqtt_write_u8(w, will->utf8 ? 2 : 0);
    if (will->utf8)
        write_small_property(w, MQTT_PROPERTY_PAYLOAD_FORMAT, 1);
    write_topic(w, will->topic);
    mqtt_write_binary(w, will->payload.data, will->payload.length);
}

static unsigned connect_flags(const struct mqtt_config *config)
{
    unsigned flags = CONNECT_CLEAN_START;
    const struct mqtt_will *will = config->will;
    if (will != NULL)
        flags |= CONNECT_WILL | (unsigned)will->qos << CONNECT_WILL_QOS_SHIFT |
                 (unsigned)will->retain << CONNECT_WILL_RETAIN_SHIFT;
    if (config->user_name != NULL)
        flags |= CONNECT_USER_NAME;
    if (config->password.data != NULL)
        flags |= CONNECT_PASSWORD;
    return flags;
}

void mqtt_write_connect(struct mqtt_writer *w, const void *packet, uint16_t packet_id)
{
    static const uint8_t protocol[] = {0, 4, 'M', 'Q', 'T', 'T', 5};
    const struct mqtt *m = packet;
    const struct mqtt_config *config = m->config;
    (void)packet_id;

    mqtt_write_bytes(w, protocol, sizeof protocol);
    mqtt_write_u8(w, connect_flags(config));
    mqtt_write_u16(w, config->keep_alive_s);
    /* The properties' length, then they. */
    if (mqtt_maximum_qos(m) > 1) {
        mqtt_write_u16(w, 8 << 8 | MQTT_PROPERTY_RECEIVE_MAXIMUM);
        mqtt_write_u16(w, MQTT_RECEIVE_MAX);
        mqtt_write_u8(w, MQTT_PROPERTY_MAXIMUM_PACKET_SIZE);
    } else {
        mqtt_write_u16(w, 5 << 8 | MQTT_PROPERTY_MAXIMUM_PACKET_SIZE);
    }
    mqtt_write_u32(w, (uint32_t)m->transport->receive_capacity);
    write_text(w, config->client_id);
    if (config->will != NULL)
        write_will(w, config->will);
    if (config->user_name != NULL)
        write_text(w, config->user_name);
    if (config->password.data != NULL)
        mqtt_write_binary(w, config->password.data, config->password.length);
}

static void write_publish_properties(struct mqtt_writer *w, const struct mqtt_publish *p)
{
    if (p->utf8)
        write_small_property(w, MQTT_PROPERTY_PAYLOAD_FORMAT, 1);
    if (p->message_expiry_s != 0) {
        mqtt_write_u8(w, MQTT_PROPERTY_MESSAGE_EXPIRY);
        mqtt_write_u32(w, p->message_expiry_s);
    }
    if (p->response_topic.length > 0) {
        mqtt_write_u8(w, MQTT_PROPERTY_RESPONSE_TOPIC);
        mqtt_write_binary(w, p->response_topic.data, p->response_topic.length);
    }
    if (p->correlation.data != NULL) {
        mqtt_write_u8(w, MQTT_PROPERTY_CORRELATION);
        mqtt_write_binary(w, p->correlation.data, p->correlation.length);
    }
    const struct mqtt_user_property *user = p->user;
    for (size_t left = p->user_count; left > 0; left--, user++) {
        mqtt_write_u8(w, MQTT_PROPERTY_USER);
        mqtt_write_binary(w, user->name.data, user->name.length);
        mqtt_write_binary(w, user->value.data, user->value.length);
    }
}

size_t mqtt_measure_publish(struct mqtt_publication *publication, const struct mqtt_publish *p)
{
    size_t topic = parts_length(p->topic, MQTT_TOPIC_PARTS);
    struct mqtt_writer counter;
    mqtt_writer_count(&counter);
    write_publish_properties(&counter, p);
    publication->publish = p;
    publication->topic = topic;
    publication->properties = counter.size;
    if (topic - 1 >= UINT16_MAX) /* also none at all */
        return MQTT_IMPOSSIBLE;
    return 2 + topic + (p->qos > 0 ? 2 : 0) + mqtt_varint_size(counter.size) + counter.size +
           parts_length(p->payload, MQTT_PAYLOAD_PARTS);
}

void mqtt_write_publish(struct mqtt_writer *w, const void *packet, uint16_t packet_id)
{
    const struct mqtt_publication *publication = packet;
    const struct mqtt_publish *p = publication->publish;
    mqtt_write_u16(w, publication->topic);
    write_parts(w, p->topic, MQTT_TOPIC_PARTS);
    if (packet_id != 0)
        mqtt_write_u16(w, packet_id);
    mqtt_write_varint(w, publication->properties);
    if (publication->properties > 0)
        write_publish_properties(w, p);
    write_parts(w, p->payload, MQTT_PAYLOAD_PARTS);
}

static unsigned subscription_options(const struct mqtt_subscription *s)
{
    return s->qos | (unsigned)s->no_local << 2 | (unsigned)s->retain_as_published << 3 |
           (unsigned)s->retain_handling << 4;
}

void mqtt_write_filters(struct mqtt_writer *w, const void *packet, uint16_t packet_id)
{
    const struct mqtt_filters *filters = packet;
    const struct mqtt_subscription *s = filters->subscriptions;
    mqtt_write_u16(w, packet_id);
    mqtt_write_u8(w, 0);
    for (size_t left = filters->count; left > 0; left--, s++) {
        write_topic(w, s->filter);
        if (s->qos > filters->maximum_qos || s->retain_handling > MQTT_RETAIN_SEND_NEVER)
            w->size = MQTT_IMPOSSIBLE;
        if (filters->options)
            mqtt_write_u8(w, subscription_options(s));
    }
}
