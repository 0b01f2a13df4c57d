/*
 * What a client sends, read as strictly as a server may (MQTT 5.0 and 3.1.1), and independently of the
 * engine's encoder: for tests, the model broker and the fuzzing. Needs nothing but the C library.
 */
#ifndef TESTS_MQTT_CLIENT_PACKET_H
#define TESTS_MQTT_CLIENT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_PACKET_FILTERS = 8 };

struct client_text {
    const uint8_t *data;
    size_t length;
};

struct client_filter {
    struct client_text text;
    uint8_t options;
};

/* Views into the packet. Numbers that are absent are 0, texts that are absent have no data. */
struct client_packet {
    uint8_t type, flags;
    uint16_t packet_id;
    uint8_t reason;
    size_t properties;  /* bytes of them */
    size_t reason_size; /* of Reason String and User Properties among them */
    /* CONNECT */
    uint8_t version, connect_flags;
    uint16_t keep_alive_s, receive_maximum, alias_maximum;
    uint32_t maximum_packet_size, session_expiry_s;
    struct client_text client_id, will_topic, user_name, password;
    struct client_text method; /* also of AUTH */
    /* PUBLISH */
    uint8_t qos;
    bool duplicate, retain, has_alias;
    uint16_t alias;
    struct client_text topic, payload;
    /* SUBSCRIBE, UNSUBSCRIBE; no more than CLIENT_PACKET_FILTERS are kept */
    struct client_filter filters[CLIENT_PACKET_FILTERS];
    size_t filter_count;
};

/* Bytes of the packet that begins here; 0: not known yet; SIZE_MAX: there is no such packet. */
size_t client_packet_size(const uint8_t *bytes, size_t length);

/* A whole packet. NULL, or what is wrong with it. `v311` is not asked for a CONNECT. */
const char *client_packet_parse(struct client_packet *p, const uint8_t *bytes, size_t size, bool v311);

/* ---- A connection ---- */

/* What goes one way, and what the server has said; begins with zeros. */
struct client_stream {
    bool connected, closed; /* CONNECT and DISCONNECT have come */
    bool accepted;          /* the server has sent its CONNACK */
    bool authenticates;
    uint8_t version;
    /* What the CONNACK says; 0: no limit, but for `alias_maximum`. */
    uint32_t maximum_packet_size;
    uint16_t alias_maximum;
    bool no_retain;
    bool limits_qos;
    uint8_t maximum_qos;
    uint32_t aliases[3];         /* a bit for each that was set, up to 95 */
    struct client_packet packet; /* the last one */
};

/* The next packet of the client, whole. NULL, or what is wrong with it where it stands. */
const char *client_stream_packet(struct client_stream *s, const uint8_t *bytes, size_t size);

#endif
