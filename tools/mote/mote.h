/* mote pub, mote sub: what their files share (docs/mote-tool.md). */
#ifndef TOOLS_MOTE_MOTE_H
#define TOOLS_MOTE_MOTE_H

#include <stdio.h>

#include "mqtt/mqtt.h"

enum command { COMMAND_PUB = 1, COMMAND_SUB = 2 };

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,  /* no connection, refused, lost */
    STATUS_USAGE = 2,   /* the command line */
    STATUS_TIMEOUT = 27 /* -W; the same number as mosquitto_sub's */
};

enum payload_kind {
    PAYLOAD_NONE,
    PAYLOAD_MESSAGE, /* -m, -n */
    PAYLOAD_FILE,    /* -f, -s */
    PAYLOAD_LINES,   /* -l */
};

enum {
    FILTERS_MAX = 255,
    USERS_MAX = 32,
    BUFFER_DEFAULT = 65536,
    BUFFER_MIN = 1024,
    BUFFER_MAX = 16 << 20,
};

struct user_properties {
    struct mqtt_user_property list[USERS_MAX];
    size_t count;
};

struct options {
    enum command command;
    const char *host;
    const char *port;
    char client_id[64]; /* if none was given */
    struct mqtt_config config;
    struct mqtt_will will;
    struct mqtt_closure goodbye;
    struct mqtt_publish publish;
    struct mqtt_filters filters;
    struct mqtt_subscription subscriptions[FILTERS_MAX];
    struct mqtt_subscription unsubscriptions[FILTERS_MAX];
    size_t unsubscription_count;
    const char *filtered_out[FILTERS_MAX];
    size_t filtered_out_count;
    bool expiry_given; /* of the session */
    struct user_properties connect_users, publish_users, will_users, subscribe_users, goodbye_users;
    size_t strings; /* bytes of all arguments: what packets are made of besides payloads */
    uint32_t buffer;
    uint32_t timeout_s; /* 0: none */
    bool retry;         /* also if there never was a session */
    bool quiet, debug;

    enum payload_kind payload_kind;
    const char *file; /* NULL: standard input */
    uint32_t repeat;
    uint32_t repeat_delay_ms;

    uint32_t count;     /* messages to receive; 0: no end */
    const char *format; /* NULL: the payload */
    bool verbose, no_newline, no_retained, only_retained;
    uint8_t qos;
    enum mqtt_retain_handling retain_handling;
    bool no_local, retain_as_published;
};

/* Ends the program with STATUS_USAGE if they are not right, or with STATUS_DONE after --help. */
void options_parse(struct options *o, enum command command, int argc, char **argv);
/* -D: takes `arguments[0]` and what follows it; returns how many. Ends the program if they are not right. */
int property_parse(struct options *o, char **arguments);

__attribute__((noreturn, format(printf, 1, 2))) void usage_error(const char *format, ...);
/* A line "mote: ..." on standard error. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);
/* What a reason code says (MQTT 5.0, 2.4). */
const char *reason_text(uint8_t reason);
const char *error_text(int error);
/* Another time it may be sent. */
bool error_is_passing(int error);

struct mqtt_slice text_slice(const char *text);

/* Of the argument of an option, or "-D COMMAND PROPERTY": these end the program if there can be no such
 * thing. */
struct mqtt_slice checked_text(const char *name, const char *text);
struct mqtt_slice checked_bytes(const char *name, const char *text);
struct mqtt_slice checked_topic(const char *name, const char *text);

/* ---- Output (format.c) ---- */

/* NULL, or what is wrong with it. */
const char *format_check(const char *format);
/* Writes what comes before the payload. Returns the rest of the format, `*hex` telling how the payload goes;
 * NULL: it has no payload. */
const char *format_until_payload(FILE *out, const char *format, const struct mqtt_message *message,
                                 bool *hex);
void format_bytes(FILE *out, const void *data, size_t length, bool hex);

int run_pub(const struct options *options);
int run_sub(const struct options *options);

#endif
