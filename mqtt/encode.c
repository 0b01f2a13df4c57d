/* PUBLISH, SUBSCRIBE and UNSUBSCRIBE. */
#include "mqtt/engine.h"
#include "mqtt/field.h"

size_t mqtt_body_size(mqtt_body *body, const void *packet)
{
    struct mqtt_writer counter;
    mqtt_writer_count(&counter);
    body(&counter, packet, 0);
    return counter.size;
}

#if MQTT_WITH_PROPERTIES
/* Most have none of them: that is told faster than by a look at each. */
static bool is_plain(const struct mqtt_publish *p)
{
    return !(p->utf8 | p->message_expiry_s | p->response_topic.length | p->content_type.length |
             (uintptr_t)p->correlation.data | p->user_count);
}

static void write_publish_properties(struct mqtt_writer *w, const struct mqtt_publication *publication)
{
    static const struct mqtt_field fields[] = {
        MQTT_FIELD(PAYLOAD_FORMAT, mqtt_publish, utf8),
        MQTT_FIELD(MESSAGE_EXPIRY, mqtt_publish, message_expiry_s),
        MQTT_FIELD(RESPONSE_TOPIC, mqtt_publish, response_topic),
        MQTT_FIELD(CORRELATION, mqtt_publish, correlation),
        MQTT_FIELD(CONTENT_TYPE, mqtt_publish, content_type),
        MQTT_FIELD(USER, mqtt_publish, user),
        {0, 0},
    };
    if (!MQTT_FAST || !is_plain(publication->publish))
        mqtt_write_fields(w, fields, publication->publish);
#if MQTT_WITH_ALIASES
    if (publication->alias != 0)
        mqtt_write_number_property(w, MQTT_PROPERTY_TOPIC_ALIAS, 2, publication->alias);
#endif
}
#else
/* Without a table, which would not pay for so few, and takes more time. */
static void write_publish_properties(struct mqtt_writer *w, const struct mqtt_publication *publication)
{
    const struct mqtt_publish *p = publication->publish;
    if (p->utf8)
        mqtt_write_u16(w, MQTT_PROPERTY_PAYLOAD_FORMAT << 8 | 1);
    if (p->message_expiry_s != 0) {
        mqtt_write_u8(w, MQTT_PROPERTY_MESSAGE_EXPIRY);
        mqtt_write_u32(w, p->message_expiry_s);
    }
    if (p->response_topic.length > 0)
        mqtt_write_slice_property(w, MQTT_PROPERTY_RESPONSE_TOPIC, MQTT_TYPE_TOPIC, &p->response_topic);
    if (p->correlation.data != NULL)
        mqtt_write_slice_property(w, MQTT_PROPERTY_CORRELATION, MQTT_TYPE_BINARY, &p->correlation);
    mqtt_write_user_properties(w, p->user, p->user_count);
}
#endif

static bool has_properties(const struct mqtt_publication *publication)
{
#if MQTT_WITH_V311
    return !publication->v311;
#else
    (void)publication;
    return true;
#endif
}

static size_t payload_length(const struct mqtt_publish *p)
{
#if MQTT_WITH_STREAMING
    if (p->source != NULL)
        return p->source_length <= MQTT_VARINT_MAX ? p->source_length : MQTT_IMPOSSIBLE;
#endif
    return mqtt_parts_length(p->payload, MQTT_PAYLOAD_PARTS);
}

size_t mqtt_measure_publish(struct mqtt_publication *publication)
{
    const struct mqtt_publish *p = publication->publish;
    size_t topic = mqtt_topic_length(p->topic, false);
    size_t size = (p->qos > 0 ? 4u : 2u) + payload_length(p);
    struct mqtt_writer counter;
    mqtt_writer_count(&counter);
    if (has_properties(publication)) {
        write_publish_properties(&counter, publication);
        size += mqtt_varint_size(counter.size) + counter.size;
    }
    publication->properties = counter.size;
    publication->topic = topic;
    if (topic - 1 >= UINT16_MAX) /* also none at all */
        return MQTT_IMPOSSIBLE;
#if MQTT_WITH_ALIASES
    if (publication->alias_known)
        publication->topic = 0;
#endif
    return size + publication->topic;
}

void mqtt_write_publish(struct mqtt_writer *w, const void *packet, uint16_t packet_id)
{
    const struct mqtt_publication *publication = packet;
    const struct mqtt_publish *p = publication->publish;
    mqtt_write_u16(w, publication->topic);
    if (!MQTT_WITH_ALIASES || publication->topic > 0)
        mqtt_write_parts(w, p->topic, MQTT_TOPIC_PARTS);
    if (packet_id != 0)
        mqtt_write_u16(w, packet_id);
    if (has_properties(publication))
        mqtt_write_varint(w, publication->properties);
    if (publication->properties > 0)
        write_publish_properties(w, publication);
#if MQTT_WITH_STREAMING
    if (p->source != NULL)
        return;
#endif
    mqtt_write_parts(w, p->payload, MQTT_PAYLOAD_PARTS);
}

static unsigned subscription_options(const struct mqtt_subscription *s)
{
    return s->qos | (unsigned)s->no_local << 2 | (unsigned)s->retain_as_published << 3 |
           (unsigned)s->retain_handling << 4;
}

#if MQTT_WITH_PROPERTIES
static void write_filter_properties(struct mqtt_writer *w, const void *of)
{
    const struct mqtt_request *request = of;
    const struct mqtt_filters *filters = request->filters;
    if (filters->identifier != 0 && request->type == MQTT_SUBSCRIBE) {
        mqtt_write_u8(w, MQTT_PROPERTY_SUBSCRIPTION_ID);
        mqtt_write_varint(w, filters->identifier);
    }
    mqtt_write_user_properties(w, filters->user, filters->user_count);
}
#endif

static void write_filters_head(struct mqtt_writer *w, const struct mqtt_request *request)
{
    if (mqtt_is_v311(request->m))
        return;
#if MQTT_WITH_PROPERTIES
    mqtt_write_properties(w, write_filter_properties, request);
#else
    mqtt_write_u8(w, 0);
#endif
}

void mqtt_write_filters(struct mqtt_writer *w, const void *packet, uint16_t packet_id)
{
    const struct mqtt_request *request = packet;
    const struct mqtt_subscription *s = request->filters->subscriptions;
    mqtt_write_u16(w, packet_id);
    write_filters_head(w, request);
    for (size_t left = request->filters->count; left > 0; left--, s++) {
        mqtt_write_topic(w, s->filter, true);
        if (request->type != MQTT_SUBSCRIBE)
            continue;
        mqtt_write_u8(w, mqtt_is_v311(request->m) ? s->qos : subscription_options(s));
        if (s->qos > mqtt_maximum_qos(request->m) || s->retain_handling > MQTT_RETAIN_SEND_NEVER)
            w->size = MQTT_IMPOSSIBLE;
    }
}
