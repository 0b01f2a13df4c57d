/* CONNECT, and the packets that end an exchange with a reason. */
#include "mqtt/engine.h"
#include "mqtt/field.h"

enum {
    CONNECT_CLEAN_START = 1 << 1,
    CONNECT_WILL = 1 << 2,
    CONNECT_WILL_QOS_SHIFT = 3,
    CONNECT_WILL_RETAIN_SHIFT = 5,
    CONNECT_PASSWORD = 1 << 6,
    CONNECT_USER_NAME = 1 << 7,
};

/* ---- Properties ---- */

#if MQTT_WITH_SESSIONS || MQTT_WITH_PROPERTIES
static void write_authentication(struct mqtt_writer *w, const struct mqtt *m)
{
#if MQTT_WITH_AUTH
    if (m->config->authenticator != NULL) {
        mqtt_write_u8(w, MQTT_PROPERTY_AUTHENTICATION_METHOD);
        mqtt_write_text(w, m->config->authenticator->method);
    }
    if (m->auth_answer.data != NULL)
        mqtt_write_slice_property(w, MQTT_PROPERTY_AUTHENTICATION_DATA, MQTT_TYPE_BINARY, &m->auth_answer);
#else
    (void)w;
    (void)m;
#endif
}

static void write_connect_properties(struct mqtt_writer *w, const void *of)
{
    const struct mqtt *m = of;
    static const struct mqtt_field fields[] = {
#if MQTT_WITH_SESSIONS
        MQTT_FIELD(SESSION_EXPIRY, mqtt_config, session_expiry_s),
#endif
#if MQTT_WITH_ALIASES
        MQTT_FIELD(TOPIC_ALIAS_MAXIMUM, mqtt_config, alias_maximum),
#endif
#if MQTT_WITH_PROPERTIES
        MQTT_FIELD(REQUEST_RESPONSE_INFORMATION, mqtt_config, request_response_information),
        MQTT_FIELD(USER, mqtt_config, user),
#endif
        {0, 0},
    };
    mqtt_write_fields(w, fields, m->config);
    if (mqtt_maximum_qos(m) > 1)
        mqtt_write_number_property(w, MQTT_PROPERTY_RECEIVE_MAXIMUM, 2, MQTT_RECEIVE_MAX_ANNOUNCED);
    mqtt_write_number_property(w, MQTT_PROPERTY_MAXIMUM_PACKET_SIZE, 4,
                               (uint32_t)mqtt_largest_packet(m, m->transport));
#if MQTT_WITH_PROPERTIES
    if (m->config->omit_problem_information)
        mqtt_write_number_property(w, MQTT_PROPERTY_REQUEST_PROBLEM_INFORMATION, 1, 0);
#endif
    write_authentication(w, m);
}

static void write_sized_properties(struct mqtt_writer *w, const struct mqtt *m)
{
    if (!mqtt_is_v311(m))
        mqtt_write_properties(w, write_connect_properties, m);
}
#else
static void write_sized_properties(struct mqtt_writer *w, const struct mqtt *m)
{
    if (mqtt_is_v311(m))
        return;
    /* The properties' length, then they. */
    if (mqtt_maximum_qos(m) > 1) {
        mqtt_write_u16(w, 8 << 8 | MQTT_PROPERTY_RECEIVE_MAXIMUM);
        mqtt_write_u16(w, MQTT_RECEIVE_MAX_ANNOUNCED);
        mqtt_write_u8(w, MQTT_PROPERTY_MAXIMUM_PACKET_SIZE);
    } else {
        mqtt_write_u16(w, 5 << 8 | MQTT_PROPERTY_MAXIMUM_PACKET_SIZE);
    }
    mqtt_write_u32(w, (uint32_t)mqtt_largest_packet(m, m->transport));
}
#endif

#if MQTT_WITH_PROPERTIES
static void write_more_will_properties(struct mqtt_writer *w, const void *of)
{
    static const struct mqtt_field fields[] = {
        MQTT_FIELD(PAYLOAD_FORMAT, mqtt_will, utf8),
        MQTT_FIELD(WILL_DELAY, mqtt_will, delay_s),
        MQTT_FIELD(MESSAGE_EXPIRY, mqtt_will, message_expiry_s),
        MQTT_FIELD(CONTENT_TYPE, mqtt_will, content_type),
        MQTT_FIELD(RESPONSE_TOPIC, mqtt_will, response_topic),
        MQTT_FIELD(CORRELATION, mqtt_will, correlation),
        MQTT_FIELD(USER, mqtt_will, user),
        {0, 0},
    };
    mqtt_write_fields(w, fields, of);
}
#endif

static void write_will_properties(struct mqtt_writer *w, const struct mqtt_will *will)
{
#if MQTT_WITH_PROPERTIES
    mqtt_write_properties(w, write_more_will_properties, will);
#else
    mqtt_write_u8(w, will->utf8 ? 2 : 0);
    if (will->utf8)
        mqtt_write_u16(w, MQTT_PROPERTY_PAYLOAD_FORMAT << 8 | 1);
#endif
}

/* ---- CONNECT ---- */

static void write_will(struct mqtt_writer *w, const struct mqtt_will *will, bool v311)
{
    if (!v311)
        write_will_properties(w, will);
    mqtt_write_topic(w, will->topic, false);
    mqtt_write_binary(w, will->payload.data, will->payload.length);
}

/* In 3.1.1 a password needs one (its 3.1.2-22): an empty one does. */
static const char *user_name(const struct mqtt *m)
{
    const struct mqtt_config *config = m->config;
    bool needed = mqtt_is_v311(m) && config->password.data != NULL;
    return needed && config->user_name == NULL ? "" : config->user_name;
}

static unsigned connect_flags(const struct mqtt *m, const struct mqtt_config *config)
{
    unsigned flags = mqtt_starts_clean(m) ? CONNECT_CLEAN_START : 0;
    const struct mqtt_will *will = config->will;
    if (will != NULL)
        flags |= CONNECT_WILL | (unsigned)will->qos << CONNECT_WILL_QOS_SHIFT |
                 (unsigned)will->retain << CONNECT_WILL_RETAIN_SHIFT;
    if (user_name(m) != NULL)
        flags |= CONNECT_USER_NAME;
    if (config->password.data != NULL)
        flags |= CONNECT_PASSWORD;
    return flags;
}

static void write_client_id(struct mqtt_writer *w, const struct mqtt *m)
{
#if MQTT_WITH_PROPERTIES
    if (m->assigned_length > 0) {
        mqtt_write_binary(w, m->config->assigned_id.data, m->assigned_length);
        return;
    }
#endif
    mqtt_write_text(w, m->config->client_id);
}

void mqtt_write_connect(struct mqtt_writer *w, const void *packet, uint16_t packet_id)
{
    static const uint8_t protocol[] = {0, 4, 'M', 'Q', 'T', 'T', 5};
    const struct mqtt *m = packet;
    const struct mqtt_config *config = m->config;
    (void)packet_id;

#if MQTT_WITH_V311
    mqtt_write_bytes(w, protocol, sizeof protocol - 1);
    mqtt_write_u8(w, m->version);
#else
    mqtt_write_bytes(w, protocol, sizeof protocol);
#endif
    mqtt_write_u8(w, connect_flags(m, config));
    mqtt_write_u16(w, config->keep_alive_s);
    write_sized_properties(w, m);
    write_client_id(w, m);
    if (config->will != NULL)
        write_will(w, config->will, mqtt_is_v311(m));
    if (user_name(m) != NULL)
        mqtt_write_text(w, user_name(m));
    if (config->password.data != NULL)
        mqtt_write_binary(w, config->password.data, config->password.length);
}

/* ---- PUBACK, PUBREC, DISCONNECT, AUTH ---- */

#if MQTT_WITH_PROPERTIES
static void write_reasoned_properties(struct mqtt_writer *w, const void *of)
{
    static const struct mqtt_field fields[] = {
        MQTT_FIELD(REASON_STRING, mqtt_closure, reason_string),
        MQTT_FIELD(USER, mqtt_closure, user),
        {0, 0},
    };
    const struct mqtt_reasoned *reasoned = of;
    const struct mqtt_closure *closure = reasoned->closure;
    if (closure == NULL) {
        write_authentication(w, reasoned->m);
        return;
    }
    if (closure->change_expiry && reasoned->packet_id == 0)
        mqtt_write_number_property(w, MQTT_PROPERTY_SESSION_EXPIRY, 4, closure->session_expiry_s);
    mqtt_write_fields(w, fields, closure);
}

static uint8_t reason_of(const struct mqtt_reasoned *reasoned)
{
#if MQTT_WITH_AUTH
    if (reasoned->closure == NULL)
        return reasoned->m->auth_reason;
#endif
    return reasoned->closure->reason;
}

void mqtt_write_reasoned(struct mqtt_writer *w, const void *packet, uint16_t packet_id)
{
    const struct mqtt_reasoned *reasoned = packet;
    (void)packet_id;
    if (reasoned->packet_id != 0)
        mqtt_write_u16(w, reasoned->packet_id);
    mqtt_write_u8(w, reason_of(reasoned));
    mqtt_write_properties(w, write_reasoned_properties, reasoned);
}
#endif
