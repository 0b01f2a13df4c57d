/*
 * An MQTT 5.0 client engine. It owns no memory but struct mqtt, knows no clock
 * and no socket: the caller passes the present time, the engine moves bytes
 * through a transport (mqtt/transport.h) and hands out one event at a time.
 *
 * All functions on one struct mqtt are called from one context at a time.
 * `now_ms` is any monotonic millisecond count; it may wrap.
 *
 * Use: call mqtt_poll until it returns false, whenever the transport has
 * received, sent or changed its state, and after mqtt_wait_ms at the latest.
 */
#ifndef MQTT_MQTT_H
#define MQTT_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mqtt/features.h"
#include "mqtt/transport.h"

#ifndef MQTT_INFLIGHT_MAX
#define MQTT_INFLIGHT_MAX 8 /* unacknowledged PUBLISH, SUBSCRIBE and UNSUBSCRIBE together; at most 255 */
#endif

#ifndef MQTT_RECEIVE_MAX
#define MQTT_RECEIVE_MAX 8 /* QoS 2 messages received, but not released by the broker yet; 1 to 65535 */
#endif

enum {
    MQTT_TOPIC_PARTS = 3,
    MQTT_PAYLOAD_PARTS = 2,
};

/* Bytes that somebody else owns. UTF-8 where the text is a string; no terminator. */
struct mqtt_slice {
    const void *data;
    size_t length;
};

/* For initializers: MQTT_TEXT("/alive") */
#define MQTT_TEXT(literal)                                                                                   \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }

struct mqtt_user_property {
    struct mqtt_slice name;
    struct mqtt_slice value;
};

/* Reason codes that the engine sends or acts upon; others are passed through as numbers (MQTT 5.0, 2.4). */
enum mqtt_reason {
    MQTT_REASON_SUCCESS = 0x00, /* also: normal disconnection, granted QoS 0 */
    MQTT_REASON_DISCONNECT_WITH_WILL = 0x04,
    MQTT_REASON_NO_MATCHING_SUBSCRIBERS = 0x10,
    MQTT_REASON_UNSPECIFIED = 0x80,
    MQTT_REASON_MALFORMED_PACKET = 0x81,
    MQTT_REASON_PROTOCOL_ERROR = 0x82,
    MQTT_REASON_BAD_USER_NAME_OR_PASSWORD = 0x86,
    MQTT_REASON_NOT_AUTHORIZED = 0x87,
    MQTT_REASON_KEEP_ALIVE_TIMEOUT = 0x8D,
    MQTT_REASON_SESSION_TAKEN_OVER = 0x8E,
    MQTT_REASON_TOPIC_NAME_INVALID = 0x90,
    MQTT_REASON_PACKET_ID_NOT_FOUND = 0x92,
    MQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED = 0x93,
    MQTT_REASON_TOPIC_ALIAS_INVALID = 0x94,
    MQTT_REASON_PACKET_TOO_LARGE = 0x95,
    MQTT_REASON_QOS_NOT_SUPPORTED = 0x9B,
};

enum mqtt_error {
    MQTT_ERROR_NOT_CONNECTED = -1,
    MQTT_ERROR_FULL = -2,      /* no room in the send buffer now: try again when some has been acknowledged */
    MQTT_ERROR_INFLIGHT = -3,  /* too many unacknowledged packets: try again after PUBLISHED or SUBSCRIBED */
    MQTT_ERROR_TOO_LARGE = -4, /* above the broker's Maximum Packet Size */
    MQTT_ERROR_QOS = -5,       /* above the broker's Maximum QoS, or QoS 2 and not configured */
    MQTT_ERROR_RETAIN = -6,    /* the broker keeps no retained messages */
    /* There can be no such packet: empty topic or filter, a string above 65535 bytes, no or 256
     * subscriptions, an impossible option. */
    MQTT_ERROR_ARGUMENT = -7,
};

struct mqtt_will {
    struct mqtt_slice topic[MQTT_TOPIC_PARTS]; /* concatenated */
    struct mqtt_slice payload;
    uint8_t qos; /* 0 to 2 */
    bool retain;
    bool utf8; /* payload format indicator 1 */
};

/*
 * Constant for the life of the engine. Strings are valid UTF-8. The CONNECT that follows from it must fit the
 * transport's empty send buffer, else no connection ever comes about.
 */
struct mqtt_config {
    const char *client_id;
    const char *user_name;        /* NULL: none */
    struct mqtt_slice password;   /* data NULL: none */
    const struct mqtt_will *will; /* NULL: none */
    uint16_t keep_alive_s;        /* 0: none, and then a dead broker is only noticed by the transport */
#if MQTT_WITH_QOS2
    bool qos2; /* speak it in both directions; MQTT_RECEIVE_MAX is announced as Receive Maximum */
#endif
    /* For the following 0 means the default. */
    uint32_t connect_timeout_ms; /* for the transport to open, and again for the CONNACK; 10 000 */
    uint32_t backoff_min_ms;     /* most that is waited before the second attempt; 500 */
    uint32_t backoff_max_ms;     /* ceiling to which that doubles, at most 2^30; 60 000 */
    uint32_t stable_ms;          /* a session of this length makes the back-off start afresh; 30 000 */
};

enum mqtt_event_type {
    MQTT_EVENT_CONNECTED = 1,
    MQTT_EVENT_DISCONNECTED, /* a session or an attempt at one has ended */
    MQTT_EVENT_MESSAGE,
    MQTT_EVENT_PUBLISHED, /* PUBACK, PUBCOMP: the broker has it, or refuses it (reason >= 0x80; then PUBREC)
                           */
    MQTT_EVENT_SUBSCRIBED,
    MQTT_EVENT_UNSUBSCRIBED,
};

/* Who ended the connection. */
enum mqtt_cause {
    MQTT_CAUSE_USER = 1,  /* mqtt_disconnect; reason as given there */
    MQTT_CAUSE_SERVER,    /* DISCONNECT received, with its reason */
    MQTT_CAUSE_REFUSED,   /* CONNACK with reason >= 0x80 */
    MQTT_CAUSE_PROTOCOL,  /* the broker's bytes were not right; reason is what we told it */
    MQTT_CAUSE_TRANSPORT, /* connection refused, reset, or closed without DISCONNECT; reason 0 */
    MQTT_CAUSE_TIMEOUT,   /* no connection, no CONNACK or no PINGRESP in time */
};

struct mqtt_disconnected {
    enum mqtt_cause cause;
    uint8_t reason;
    bool established;  /* false: the session never came to CONNECTED */
    uint8_t lost;      /* QoS 1 and 2 publications sent and not settled: their ids mean nothing now */
    uint32_t retry_ms; /* the next attempt comes after this; UINT32_MAX: only by mqtt_connect */
};

struct mqtt_message {
    struct mqtt_slice topic;
    struct mqtt_slice payload;
    struct mqtt_slice response_topic; /* data NULL: none; otherwise a valid topic name */
    struct mqtt_slice correlation;    /* data NULL: none; may be empty */
    struct mqtt_slice properties;     /* for mqtt_next_user_property; else opaque */
    uint32_t utf8;                    /* 1: declared by the sender, not checked; 0: not declared */
    uint8_t qos;
    bool retain;
    bool duplicate;
};

struct mqtt_event {
    enum mqtt_event_type type;
    union {
        struct {
            bool session_present; /* never set as long as each session starts clean */
        } connected;
        struct mqtt_disconnected disconnected;
        struct mqtt_message message;
        struct {
            uint16_t packet_id;
            uint8_t reason;
        } published;
        struct {
            uint16_t packet_id;
            struct mqtt_slice reasons; /* one byte for each filter, in order: >= 0x80 is a refusal */
        } subscribed, unsubscribed;
    };
};

/* Since mqtt_init; wrapping. */
struct mqtt_statistics {
    uint32_t attempts;     /* transport opened */
    uint32_t sessions;     /* CONNACK with success */
    uint32_t received;     /* PUBLISH packets delivered */
    uint32_t sent;         /* PUBLISH packets */
    uint32_t acknowledged; /* publications of ours settled with success */
    uint32_t refused;      /* publications of ours settled with an error */
    uint32_t lost;         /* QoS 1 and 2 publications not settled at a disconnection */
    uint32_t unknown_acks; /* acknowledgements of nothing in flight, ignored */
    uint32_t violations;   /* connections closed because of what the broker sent */
    uint32_t timeouts;
#if MQTT_WITH_QOS2
    uint32_t duplicates; /* QoS 2 messages that came again, and were not delivered again */
#endif
};

/* What the broker allows us in this session. */
struct mqtt_limits {
    uint32_t maximum_packet_size;
    uint32_t receive_maximum;
    uint32_t keep_alive_s;
    uint32_t maximum_qos;
    uint32_t retain_available;
};

struct mqtt_inflight {
    uint16_t packet_id;
    uint8_t awaits; /* type of the packet that comes next for it; 0: free */
    uint8_t count;  /* filters in it */
};

/* Private but for its size: use the functions. */
struct mqtt {
    const struct mqtt_config *config;
    const struct mqtt_transport *transport;
    uint8_t state;
    bool ping_pending; /* PINGREQ due or sent, PINGRESP not here */
    bool ping_sent;
    bool aborting;      /* an orderly close is given no more time */
    uint8_t publishing; /* QoS 1 and 2 publications in flight */
    uint16_t ack_id;    /* of the answer owed for the packet being delivered; 0: none */
    uint16_t last_id;   /* packet id that we used last */
    size_t delivered;   /* bytes of the packet being delivered, consumed at the next poll */
    uint32_t random;
    uint32_t backoff_ms;  /* limit of the next wait; 0: start afresh */
    uint32_t deadline_ms; /* meaning depends on the state */
    uint32_t now_ms;      /* as of the present call */
    uint32_t sent_ms;
    uint32_t received_ms;
    uint32_t connected_ms;
    struct mqtt_limits limits;
    struct mqtt_disconnected end; /* cause 0: nothing to tell */
    struct mqtt_statistics statistics;
    struct mqtt_inflight inflight[MQTT_INFLIGHT_MAX];
#if MQTT_WITH_QOS2
    uint8_t ack_head; /* of the answer owed: PUBACK, PUBREC, PUBREL or PUBCOMP */
    uint8_t ack_reason;
    uint16_t unreleased[MQTT_RECEIVE_MAX]; /* packet ids of QoS 2 messages delivered; 0: free */
#endif
};

/*
 * `config` and `transport` are kept. `seed` drives the jitter of reconnection:
 * let it differ between devices and boots. The first poll begins to connect.
 */
void mqtt_init(struct mqtt *m, const struct mqtt_config *config, const struct mqtt_transport *transport,
               uint32_t seed);

/*
 * Does what is due and returns true when it has filled `event`; call again
 * then. What the event points to is valid until the next call on `m`. A message
 * of QoS 1 or 2 is acknowledged by that next call of mqtt_poll, which is when
 * the caller has dealt with it.
 */
bool mqtt_poll(struct mqtt *m, uint32_t now_ms, struct mqtt_event *event) __attribute__((warn_unused_result));

/* Time until mqtt_poll has something to do without any input; UINT32_MAX: for ever. */
uint32_t mqtt_wait_ms(const struct mqtt *m, uint32_t now_ms);

struct mqtt_publish {
    struct mqtt_slice topic[MQTT_TOPIC_PARTS];     /* concatenated: a valid topic name without wildcards */
    struct mqtt_slice payload[MQTT_PAYLOAD_PARTS]; /* concatenated */
    uint8_t qos;                                   /* 0 or 1; 2 where it is configured */
    bool retain;
    bool utf8;                        /* payload format indicator 1 */
    uint32_t message_expiry_s;        /* 0: none */
    struct mqtt_slice response_topic; /* empty: none */
    struct mqtt_slice correlation;    /* data NULL: none */
    const struct mqtt_user_property *user;
    size_t user_count;
};

/*
 * Copies the whole packet into the send buffer, or nothing. > 0: the packet id
 * of a QoS 1 or 2 publication, which a PUBLISHED event or the end of the session
 * will settle; 0: QoS 0, sent; negative: enum mqtt_error, nothing was sent.
 */
int mqtt_publish(struct mqtt *m, const struct mqtt_publish *publish, uint32_t now_ms)
    __attribute__((warn_unused_result));

/* Bytes that this publication takes of mqtt_room; SIZE_MAX: there can be no such packet. */
size_t mqtt_publish_size(const struct mqtt_publish *publish);

/* The largest packet that would be accepted now; 0 when not connected. */
size_t mqtt_room(const struct mqtt *m);

/* How many more QoS 1 or 2 publications would be accepted now; 0 when not connected. */
size_t mqtt_quota(const struct mqtt *m);

enum mqtt_retain_handling {
    MQTT_RETAIN_SEND = 0,        /* retained messages come at each subscription */
    MQTT_RETAIN_SEND_IF_NEW = 1, /* only if the subscription is new to the broker */
    MQTT_RETAIN_SEND_NEVER = 2,
};

struct mqtt_subscription {
    struct mqtt_slice filter[MQTT_TOPIC_PARTS]; /* concatenated: a valid topic filter */
    uint8_t qos;                                /* maximum, 0 or 1; 2 where it is configured */
    bool no_local;
    bool retain_as_published;
    enum mqtt_retain_handling retain_handling;
};

/* At most 255 at once. Returns the packet id or a negative enum mqtt_error; SUBSCRIBED follows. */
int mqtt_subscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                   uint32_t now_ms) __attribute__((warn_unused_result));

/* Only the filters count here; UNSUBSCRIBED follows. */
int mqtt_unsubscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                     uint32_t now_ms) __attribute__((warn_unused_result));

/*
 * End the session and stay away until mqtt_connect. MQTT_REASON_SUCCESS has the
 * broker drop the will, MQTT_REASON_DISCONNECT_WITH_WILL publish it. A
 * DISCONNECTED event follows if there was a session or an attempt.
 */
void mqtt_disconnect(struct mqtt *m, uint8_t reason, uint32_t now_ms);

/* Try now: after mqtt_disconnect, or instead of waiting on, for instance when the network has come up. */
void mqtt_connect(struct mqtt *m, uint32_t now_ms);

bool mqtt_is_connected(const struct mqtt *m);

const struct mqtt_statistics *mqtt_statistics(const struct mqtt *m);

/*
 * Walks over a message's user properties: start with a copy of
 * message.properties, call until false.
 */
bool mqtt_next_user_property(struct mqtt_slice *properties, struct mqtt_user_property *user)
    __attribute__((warn_unused_result));

/*
 * Of a valid filter and a valid topic (MQTT 5.0, 4.7): `+`, `#`, and no
 * wildcard at the start matches a topic that starts with `$`. A shared
 * subscription's filter is given without its `$share/name/`.
 */
bool mqtt_topic_matches(struct mqtt_slice filter, struct mqtt_slice topic);

#endif
