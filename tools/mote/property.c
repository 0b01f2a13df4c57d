/* -D COMMAND NAME VALUE: the properties of MQTT 5.0, by the names that mosquitto's clients use. */
#include <stdio.h>
#include <string.h>

#include "target/posix/argument.h"
#include "tools/mote/mote.h"

enum kind {
    NUMBER_8,
    NUMBER_16,
    NUMBER_32,
    FLAG,
    NOT_FLAG, /* false stands for 1 */
    TEXT,
    BYTES,
    TOPIC,
    USER,
};

struct property {
    const char *command;
    const char *name;
    enum kind kind;
    uint32_t least, most;
    void *to;
};

static void set_number(const struct property *p, const char *text)
{
    uint64_t value;
    if (!argument_number(text, p->least, p->most, &value))
        usage_error("-D %s %s: %s is not a number from %u to %u", p->command, p->name, text, p->least,
                    p->most);
    switch (p->kind) {
    case NUMBER_8: *(uint8_t *)p->to = (uint8_t)value; break;
    case NUMBER_16: *(uint16_t *)p->to = (uint16_t)value; break;
    case NUMBER_32: *(uint32_t *)p->to = (uint32_t)value; break;
    default: *(bool *)p->to = (value != 0) == (p->kind == FLAG); break;
    }
}

static struct mqtt_slice string(const struct property *p, const char *text)
{
    char name[64];
    snprintf(name, sizeof name, "-D %s %s", p->command, p->name);
    switch (p->kind) {
    case BYTES: return checked_bytes(name, text);
    case TOPIC: return checked_topic(name, text);
    default: return checked_text(name, text);
    }
}

static void add_user(const struct property *p, const char *name, const char *value)
{
    struct user_properties *users = p->to;
    if (users->count == USERS_MAX)
        usage_error("-D %s user-property: at most %d", p->command, USERS_MAX);
    users->list[users->count++] = (struct mqtt_user_property){string(p, name), string(p, value)};
}

__attribute__((noreturn)) static void unknown(const struct property *list, size_t count, const char *command)
{
    char names[1024] = "";
    size_t length = 0;
    for (size_t i = 0; i < count && length < sizeof names; i++) {
        if (strcmp(list[i].command, command) == 0)
            length += (size_t)snprintf(names + length, sizeof names - length, " %s", list[i].name);
    }
    if (names[0] == '\0')
        usage_error("-D %s: it is one of connect, publish, will, subscribe, disconnect", command);
    usage_error("-D %s: the properties are%s", command, names);
}

int property_parse(struct options *o, char **arguments)
{
    const uint32_t all = UINT32_MAX;
    const struct property list[] = {
        {"connect", "session-expiry-interval", NUMBER_32, 0, all, &o->config.session_expiry_s},
        {"connect", "maximum-packet-size", NUMBER_32, BUFFER_MIN, 268435460, &o->config.maximum_packet_size},
        {"connect", "topic-alias-maximum", NUMBER_16, 0, 65535, &o->config.alias_maximum},
        {"connect", "request-response-information", FLAG, 0, 1, &o->config.request_response_information},
        {"connect", "request-problem-information", NOT_FLAG, 0, 1, &o->config.omit_problem_information},
        {"connect", "user-property", USER, 0, 0, &o->connect_users},
        {"publish", "payload-format-indicator", FLAG, 0, 1, &o->publish.utf8},
        {"publish", "message-expiry-interval", NUMBER_32, 1, all, &o->publish.message_expiry_s},
        {"publish", "topic-alias", NUMBER_8, 1, 32, &o->publish.alias},
        {"publish", "content-type", TEXT, 0, 0, &o->publish.content_type},
        {"publish", "response-topic", TOPIC, 0, 0, &o->publish.response_topic},
        {"publish", "correlation-data", BYTES, 0, 0, &o->publish.correlation},
        {"publish", "user-property", USER, 0, 0, &o->publish_users},
        {"will", "will-delay-interval", NUMBER_32, 0, all, &o->will.delay_s},
        {"will", "payload-format-indicator", FLAG, 0, 1, &o->will.utf8},
        {"will", "message-expiry-interval", NUMBER_32, 1, all, &o->will.message_expiry_s},
        {"will", "content-type", TEXT, 0, 0, &o->will.content_type},
        {"will", "response-topic", TOPIC, 0, 0, &o->will.response_topic},
        {"will", "correlation-data", BYTES, 0, 0, &o->will.correlation},
        {"will", "user-property", USER, 0, 0, &o->will_users},
        {"subscribe", "subscription-identifier", NUMBER_32, 1, 268435455, &o->filters.identifier},
        {"subscribe", "user-property", USER, 0, 0, &o->subscribe_users},
        {"disconnect", "session-expiry-interval", NUMBER_32, 0, all, &o->goodbye.session_expiry_s},
        {"disconnect", "reason-string", TEXT, 0, 0, &o->goodbye.reason_string},
        {"disconnect", "user-property", USER, 0, 0, &o->goodbye_users},
    };
    const size_t count = sizeof list / sizeof list[0];
    const char *command = arguments[0];
    const char *name = command != NULL ? arguments[1] : NULL;
    const char *value = name != NULL ? arguments[2] : NULL;

    if (value == NULL)
        usage_error("-D takes a command, a property and its value: -D publish content-type text/plain");
    for (const struct property *p = list; p < list + count; p++) {
        if (strcmp(p->command, command) != 0 || strcmp(p->name, name) != 0)
            continue;
        if (p->kind == USER && arguments[3] == NULL)
            usage_error("-D %s user-property takes a name and a value", command);
        if (p->kind == USER)
            add_user(p, value, arguments[3]);
        else if (p->kind == TEXT || p->kind == BYTES || p->kind == TOPIC)
            *(struct mqtt_slice *)p->to = string(p, value);
        else
            set_number(p, value);
        if (p->to == &o->config.session_expiry_s)
            o->expiry_given = true;
        if (p->to == &o->goodbye.session_expiry_s)
            o->goodbye.change_expiry = true;
        return p->kind == USER ? 4 : 3;
    }
    unknown(list, count, command);
}
