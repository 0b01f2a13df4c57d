/*
 * An MQTT 5.0 and 3.1.1 client engine. It owns no memory but struct mqtt, knows no clock
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
#include "mqtt/store.h"
#include "mqtt/transport.h"

#ifndef MQTT_INFLIGHT_MAX
#define MQTT_INFLIGHT_MAX 8 /* unacknowledged PUBLISH, SUBSCRIBE and UNSUBSCRIBE together; at most 255 */
#endif

#ifndef MQTT_RECEIVE_MAX
#define MQTT_RECEIVE_MAX 8 /* QoS 2 messages received, but not released by the broker yet; 1 to 65535 */
#endif

/* Announced to the broker. Less than MQTT_RECEIVE_MAX leaves room for brokers that send more than they may.
 */
#ifndef MQTT_RECEIVE_MAX_ANNOUNCED
#define MQTT_RECEIVE_MAX_ANNOUNCED MQTT_RECEIVE_MAX
#endif

enum {
    MQTT_TOPIC_PARTS = 3,
    MQTT_PAYLOAD_PARTS = 2,
};

/*
 * Bytes that somebody else owns; no terminator. Where it is a string: UTF-8 without U+0000, in a topic also
 * each part by itself. With MQTT_WITH_CHECKS another one is MQTT_ERROR_ARGUMENT, but not in struct
 * mqtt_config; otherwise it goes to the broker, which will end the connection.
 */
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
    MQTT_REASON_CONTINUE_AUTHENTICATION = 0x18,
    MQTT_REASON_REAUTHENTICATE = 0x19,
    MQTT_REASON_UNSPECIFIED = 0x80,
    MQTT_REASON_MALFORMED_PACKET = 0x81,
    MQTT_REASON_PROTOCOL_ERROR = 0x82,
    MQTT_REASON_IMPLEMENTATION_SPECIFIC = 0x83,
    MQTT_REASON_UNSUPPORTED_VERSION = 0x84,
    MQTT_REASON_BAD_USER_NAME_OR_PASSWORD = 0x86,
    MQTT_REASON_NOT_AUTHORIZED = 0x87,
    MQTT_REASON_BAD_AUTHENTICATION_METHOD = 0x8C,
    MQTT_REASON_KEEP_ALIVE_TIMEOUT = 0x8D,
    MQTT_REASON_SESSION_TAKEN_OVER = 0x8E,
    MQTT_REASON_TOPIC_NAME_INVALID = 0x90,
    MQTT_REASON_PACKET_ID_NOT_FOUND = 0x92,
    MQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED = 0x93,
    MQTT_REASON_TOPIC_ALIAS_INVALID = 0x94,
    MQTT_REASON_PACKET_TOO_LARGE = 0x95,
    MQTT_REASON_QUOTA_EXCEEDED = 0x97,
    MQTT_REASON_RETAIN_NOT_SUPPORTED = 0x9A,
    MQTT_REASON_QOS_NOT_SUPPORTED = 0x9B,
    MQTT_REASON_USE_ANOTHER_SERVER = 0x9C,
    MQTT_REASON_SERVER_MOVED = 0x9D,
    MQTT_REASON_SHARED_NOT_SUPPORTED = 0x9E,
    MQTT_REASON_IDENTIFIERS_NOT_SUPPORTED = 0xA1,
    MQTT_REASON_WILDCARDS_NOT_SUPPORTED = 0xA2,
};

enum mqtt_error {
    MQTT_ERROR_NOT_CONNECTED = -1,
    MQTT_ERROR_FULL = -2,      /* no room in the send buffer now: try again when some has been acknowledged */
    MQTT_ERROR_INFLIGHT = -3,  /* too many unacknowledged packets: try again after PUBLISHED or SUBSCRIBED */
    MQTT_ERROR_TOO_LARGE = -4, /* above the broker's Maximum Packet Size, or more than the send buffer is */
    MQTT_ERROR_QOS = -5,       /* above the broker's Maximum QoS, or QoS 2 and not configured */
    MQTT_ERROR_RETAIN = -6,    /* the broker keeps no retained messages */
    /* There can be no such packet: empty topic or filter, a string above 65535 bytes, no or 256
     * subscriptions, an impossible option; with MQTT_WITH_CHECKS also a string that is no UTF-8 or has
     * U+0000, a wildcard in a topic name, a reason code that is none of the packet. */
    MQTT_ERROR_ARGUMENT = -7,
    MQTT_ERROR_STORE = -8, /* no room in the session's store now: try again after PUBLISHED */
    /* The broker has no wildcard, shared or identified subscriptions, or the session's version not what is
     * asked. */
    MQTT_ERROR_UNAVAILABLE = -9,
};

struct mqtt_will {
    struct mqtt_slice topic[MQTT_TOPIC_PARTS]; /* concatenated */
    struct mqtt_slice payload;
    uint8_t qos; /* 0 to 2 */
    bool retain;
    bool utf8; /* payload format indicator 1 */
#if MQTT_WITH_PROPERTIES
    uint32_t delay_s;                 /* the broker waits so long for us to come back */
    uint32_t message_expiry_s;        /* 0: none */
    struct mqtt_slice content_type;   /* empty: none */
    struct mqtt_slice response_topic; /* empty: none */
    struct mqtt_slice correlation;    /* data NULL: none */
    const struct mqtt_user_property *user;
    size_t user_count;
#endif
};

enum mqtt_retain_handling {
    MQTT_RETAIN_SEND = 0,        /* retained messages come at each subscription */
    MQTT_RETAIN_SEND_IF_NEW = 1, /* only if the subscription is new to the broker */
    MQTT_RETAIN_SEND_NEVER = 2,
};

struct mqtt_subscription {
    struct mqtt_slice
        filter[MQTT_TOPIC_PARTS]; /* concatenated: a valid topic filter; `$share/` in the first */
    uint8_t qos;                  /* maximum, 0 or 1; 2 where it is configured */
    bool no_local;
    bool retain_as_published;
    enum mqtt_retain_handling retain_handling;
};

/* A SUBSCRIBE or UNSUBSCRIBE packet. */
struct mqtt_filters {
    const struct mqtt_subscription *subscriptions; /* of an UNSUBSCRIBE only the filters count */
    size_t count;                                  /* 1 to 255 */
#if MQTT_WITH_PROPERTIES
    uint32_t identifier; /* comes with each message for these subscriptions; 0: none; up to 268435455 */
    const struct mqtt_user_property *user;
    size_t user_count;
#endif
};

#if MQTT_WITH_AUTH
enum mqtt_auth_step {
    MQTT_AUTH_BEGIN,    /* of a connection or a mqtt_reauthenticate: the first data; `data` is empty */
    MQTT_AUTH_CONTINUE, /* the broker's challenge is in `data` */
    MQTT_AUTH_SUCCESS,  /* the broker is content; what it says of itself is in `data`; no answer */
};

/* Enhanced authentication (MQTT 5.0, 4.12). */
struct mqtt_authenticator {
    const char *method;
    /*
     * One step. `data` ends with the call; the answer's are the callee's until the next one; left alone,
     * there are none. Negative: the broker is not trusted, the connection ends with 0x87. Calls nothing of
     * the engine.
     */
    int (*step)(void *context, enum mqtt_auth_step step, struct mqtt_slice data, struct mqtt_slice *answer);
    void *context;
};
#endif

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
    bool qos2; /* speak it in both directions; MQTT_RECEIVE_MAX_ANNOUNCED is the Receive Maximum */
#endif
#if MQTT_WITH_V311
    uint8_t version; /* 0 or 5: MQTT 5.0; 4: MQTT 3.1.1 */
    /* To 3.1.1 if a broker refuses 5.0, or closes without an answer to it. What is in flight, also in a store
     * that outlived a reset, has the version that it was sent with tried first; over the other one it cannot
     * be sent again, and comes back as PUBLISHED with 0x92. */
    bool fall_back;
#endif
#if MQTT_WITH_BROKERS
    /* How many there are to choose from; 0: one. A session is with one of them: another is connected to with
     * Clean Start; a store that outlived a reset is taken for the first one's. */
    uint8_t brokers;
#endif
#if MQTT_WITH_SESSIONS
    /* Ask for the broker's session at the first connection, too: with a store that outlived a reset, or for
     * what the broker has queued meanwhile. Otherwise the first one starts clean, and the store is emptied.
     * A session is resumed with the version of MQTT and the QoS that it was left with.
     */
    bool resume;
    /*
     * The session outlives its connection by this, in the broker and here; UINT32_MAX: for ever; 0: each
     * starts clean. Otherwise what is in flight is in `store`, and sent again, in order, over the next
     * connection.
     */
    uint32_t session_expiry_s;
    const struct mqtt_store *store;
    /* Subscribed to by the engine whenever a session is new; SUBSCRIBED tells. NULL: none. What the broker
     * cannot be asked for comes back at once, as SUBSCRIBED with packet id 0 and one reason for all: 0xA2,
     * 0x9E or 0xA1 if it has no wildcard, shared or identified subscriptions, 0x95 if the packet is too
     * large, 0x83 if there can be none, 0x97 if the store refuses it though nothing of ours is in flight;
     * the next connection tries again. */
    const struct mqtt_filters *subscriptions;
#endif
#if MQTT_WITH_STREAMING
    /* Take messages up to this many bytes, those above the transport's capacity in parts; 0: only whole ones.
     */
    uint32_t maximum_packet_size;
#endif
#if MQTT_WITH_PROPERTIES
    bool request_response_information;
    bool omit_problem_information; /* ask for no reason strings and user properties in what is no PUBLISH */
    const struct mqtt_user_property *user; /* of the CONNECT */
    size_t user_count;
    /* The id that the broker assigns, if `client_id` is empty, is kept here, so that the session can be found
     * again; data NULL or too short: each connection gets another one. */
    struct mqtt_span assigned_id;
#endif
#if MQTT_WITH_ALIASES
    /* Memory for `alias_maximum` topics of the broker's aliases, each of 2 + `alias_topic_bytes` bytes. An
     * alias for a longer topic ends the connection with 0x97. */
    uint8_t *alias_memory;
    uint16_t alias_topic_bytes;
    uint16_t alias_maximum; /* 0: none are allowed */
#endif
#if MQTT_WITH_AUTH
    const struct mqtt_authenticator *authenticator; /* NULL: user name and password at most */
#endif
#if MQTT_WITH_ACK_TIMEOUT
    uint32_t ack_timeout_ms; /* longest wait for any acknowledgement, then the connection is ended, but not
                                before all is read that has come; at most 2^30; 0: for ever */
#endif
    /* For the following 0 means the default; at most 2^30. */
    uint32_t connect_timeout_ms; /* for the transport to open, and again for the CONNACK; 10 000 */
    uint32_t backoff_min_ms;     /* most that is waited before the second attempt; 500 */
    /* Ceiling to which that doubles; 60 000. It doubles once in each round: when every broker
     * has been tried, with either version of MQTT if it may fall back. */
    uint32_t backoff_max_ms;
    uint32_t stable_ms; /* a session of this length makes the back-off start afresh; 30 000 */
};

enum mqtt_event_type {
    MQTT_EVENT_CONNECTED = 1,
    MQTT_EVENT_DISCONNECTED, /* a session or an attempt at one has ended */
    MQTT_EVENT_MESSAGE,
    MQTT_EVENT_PUBLISHED, /* PUBACK, PUBCOMP: the broker has it, or refuses it (reason >= 0x80; then PUBREC)
                           */
    MQTT_EVENT_SUBSCRIBED,
    MQTT_EVENT_UNSUBSCRIBED,
#if MQTT_WITH_STREAMING
    MQTT_EVENT_MESSAGE_BEGIN, /* a message too large to come whole: all but its payload */
    /* The next part of it; DISCONNECTED instead: there will be no more. Between two of them there is no other
     * message, but events may tell what has become of packets of ours. */
    MQTT_EVENT_MESSAGE_PART,
#endif
#if MQTT_WITH_AUTH
    MQTT_EVENT_AUTHENTICATED, /* mqtt_reauthenticate has come to its end, well */
#endif
};

/* Who ended the connection. */
enum mqtt_cause {
    MQTT_CAUSE_USER = 1,  /* mqtt_disconnect; reason as given there */
    MQTT_CAUSE_SERVER,    /* DISCONNECT received, with its reason */
    MQTT_CAUSE_REFUSED,   /* CONNACK with reason >= 0x80; in 3.1.1 its return code, 1 to 5 */
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
#if MQTT_WITH_BROKERS
    uint8_t broker; /* the one to connect to then, from 0: let the transport's next open() do so */
#endif
};

struct mqtt_message {
    struct mqtt_slice topic;
    struct mqtt_slice payload;
    struct mqtt_slice response_topic; /* data NULL: none; otherwise a valid topic name */
    struct mqtt_slice correlation;    /* data NULL: none; may be empty */
    struct mqtt_slice properties;     /* for mqtt_next_user_property; else opaque */
#if MQTT_WITH_PROPERTIES
    struct mqtt_slice content_type; /* data NULL: none */
    uint32_t message_expiry_s;      /* what is left of it; UINT32_MAX: none */
#endif
#if MQTT_WITH_ALIASES
    uint32_t topic_alias; /* UINT32_MAX: none; `topic` is the whole one in any case */
#endif
#if MQTT_WITH_STREAMING
    uint32_t total; /* length of the payload, which is not here if there is more to come in parts */
#endif
    uint32_t utf8; /* 1: declared by the sender, not checked; 0: not declared */
    uint8_t qos;
    bool retain;
    bool duplicate;
};

/* What the broker allows us in this session. */
struct mqtt_limits {
    uint32_t maximum_packet_size;
    uint32_t receive_maximum;
    uint32_t keep_alive_s;
    uint32_t maximum_qos;
    uint32_t retain_available;
#if MQTT_WITH_PROPERTIES
    uint32_t session_expiry_s;
    uint32_t topic_alias_maximum;
    uint32_t wildcard_available;
    uint32_t subscription_id_available;
    uint32_t shared_available;
#endif
};

/* What a packet of the broker's says besides, if it is no PUBLISH. Slices: data NULL: nothing. */
struct mqtt_details {
    struct mqtt_limits limits; /* of a CONNACK */
#if MQTT_WITH_PROPERTIES
    struct mqtt_slice client_id; /* assigned in a CONNACK */
    struct mqtt_slice response_information;
    struct mqtt_slice server_reference;
    struct mqtt_slice reason_string;
    struct mqtt_slice method; /* of authentication */
    struct mqtt_slice authentication;
    struct mqtt_slice properties; /* for mqtt_next_user_property */
#endif
};

struct mqtt_event {
    enum mqtt_event_type type;
    union {
        struct {
            bool session_present; /* the broker knows our subscriptions; never if each session starts clean */
        } connected;
        struct mqtt_disconnected disconnected;
        struct mqtt_message message;
        struct {
            uint16_t packet_id;
            uint8_t reason;
        } published;
        struct {
            uint16_t packet_id;
            /* One byte for each filter, in order: >= 0x80 is a refusal. 3.1.1 has none for UNSUBSCRIBED. With
             * MQTT_WITH_SESSIONS also one for all: the request could not be sent, or not again. */
            struct mqtt_slice reasons;
        } subscribed, unsubscribed;
#if MQTT_WITH_STREAMING
        struct {
            struct mqtt_slice data;
            uint32_t offset;
            uint32_t total; /* offset + data.length == total: the last part */
        } part;
#endif
    };
#if MQTT_WITH_PROPERTIES
    struct mqtt_details details; /* of the packet behind the event, if it is none of MESSAGE */
#endif
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
#if MQTT_WITH_SESSIONS
    uint32_t resumed;  /* sessions that the broker still had */
    uint32_t replayed; /* packets sent again over another connection */
#endif
};

struct mqtt_inflight {
    uint16_t packet_id;
    uint8_t awaits; /* type of the packet that comes next for it; 0: free */
    uint8_t count;  /* filters in it */
#if MQTT_WITH_ACK_TIMEOUT
    uint32_t since_ms; /* when its last packet was sent */
#endif
#if MQTT_WITH_SESSIONS
    bool resend; /* not sent over this connection yet */
#endif
};

#if MQTT_WITH_STREAMING
/*
 * Writes up to `length` bytes of a payload, from `offset` on, to `to`. Returns how many: 0: none now, the
 * caller polls again when there are some; negative: there will be no more, the connection is ended
 * (mqtt_publish). Calls nothing of the engine.
 */
typedef int mqtt_source(void *context, uint32_t offset, uint8_t *to, size_t length);
#endif

/* Private but for its size: use the functions. What is used most comes first, where instructions are short.
 */
struct mqtt {
    const struct mqtt_config *config;
    const struct mqtt_transport *transport;
    uint8_t state;
    bool ping_pending; /* PINGREQ due or sent, PINGRESP not here */
    bool ping_sent;
    bool aborting;      /* an orderly close is given no more time */
    uint8_t publishing; /* QoS 1 and 2 publications in flight */
#if MQTT_WITH_QOS2
    uint8_t ack_head; /* of the answer owed: PUBACK, PUBREC, PUBREL or PUBCOMP */
    uint8_t ack_reason;
#endif
#if MQTT_WITH_SESSIONS || MQTT_WITH_STREAMING
    uint8_t in_a_row; /* messages since what is to be sent had its turn */
#endif
#if MQTT_WITH_STREAMING
    bool dropping; /* the message that comes in parts was delivered before */
#endif
#if MQTT_WITH_SESSIONS
    bool has_session; /* there is something to resume */
    bool replaying;   /* there are records to be sent again */
    bool renewed;     /* the session is new to the broker: no DUP, and no QoS 2 */
    bool foreign;     /* what is stored is of the other version of MQTT */
    bool unservable;  /* they cannot be sent over this connection */
    uint8_t refusal;  /* of what is told to be given up */
#endif
#if MQTT_WITH_V311
    uint8_t version;         /* 5 or 4 */
    uint8_t session_version; /* of the session that there is to resume */
#endif
#if MQTT_WITH_PROPERTIES
    bool closing; /* the transport is closed when an event's views are done with */
#endif
#if MQTT_WITH_BROKERS
    uint8_t broker; /* of the present or next attempt */
    uint8_t home;   /* where the last session was, or the first attempt */
#endif
#if MQTT_WITH_AUTH
    bool reauthenticating;
    uint8_t auth_reason; /* of the AUTH that waits for room; 0: none */
#endif
    uint16_t ack_id;  /* of the answer owed for the packet being delivered; 0: none */
    uint16_t last_id; /* packet id that we used last */
#if MQTT_WITH_SESSIONS
    uint16_t subscribe_id; /* of the SUBSCRIBE with the configured filters; 0: not sent */
#endif
#if MQTT_WITH_STREAMING
    uint16_t source_id; /* packet id of what has one; 0: QoS 0 */
#endif
#if MQTT_WITH_PROPERTIES
    uint16_t assigned_length;
#endif
#if MQTT_WITH_SESSIONS
    const struct mqtt_filters *subscribing; /* the configured ones, until they are acknowledged; else NULL */
#endif
    size_t delivered;     /* bytes of the packet being delivered, consumed at the next poll */
    size_t piece;         /* how much of a packet was there when it was looked at last */
    uint32_t deadline_ms; /* meaning depends on the state */
    uint32_t now_ms;      /* as of the present call */
    uint32_t sent_ms;
    uint32_t received_ms;
    uint32_t connected_ms;
#if MQTT_WITH_STREAMING
    struct {
        uint32_t total, left; /* left 0: none under way */
    } incoming;
    struct {
        mqtt_source *source; /* NULL: none under way or unacknowledged */
        void *context;
        uint32_t total, left; /* left 0: sent */
        uint32_t pending;     /* of the packet that is just being written */
    } outgoing;
#endif
    struct mqtt_limits limits;
#if MQTT_KNOWS_CAPACITY
    size_t send_capacity; /* of the transport, for packets of the user's */
#endif
    struct mqtt_statistics statistics;
    uint32_t random;
    uint32_t backoff_ms;          /* limit of the next wait; 0: start afresh */
    struct mqtt_disconnected end; /* cause 0: nothing to tell */
#if MQTT_WITH_ALIASES
    uint32_t aliases_set; /* of ours that the broker knows, a bit each */
#endif
#if MQTT_WITH_AUTH
    struct mqtt_slice auth_answer;
    uint32_t auth_since_ms; /* of the last step */
#endif
    struct mqtt_inflight inflight[MQTT_INFLIGHT_MAX];
#if MQTT_WITH_QOS2
    uint16_t unreleased[MQTT_RECEIVE_MAX]; /* packet ids of QoS 2 messages delivered; 0: free */
#endif
#if MQTT_WITH_SESSION_STATISTICS
    struct mqtt_statistics before; /* at the beginning of the session */
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
 * the caller has dealt with it, or by mqtt_publish from a source.
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
#if MQTT_WITH_PROPERTIES
    struct mqtt_slice content_type; /* empty: none */
#endif
#if MQTT_WITH_ALIASES
    /*
     * A number that stands for this topic, always the same for the same, 1 to 32: the topic goes over each
     * connection once, if the broker allows so many. 0: none.
     */
    uint8_t alias;
#endif
#if MQTT_WITH_STREAMING
    /*
     * NULL, or what the payload comes from instead of `payload`, `source_length` bytes, however large: the
     * engine asks for it piece by piece, in mqtt_poll. Until it has it all, no other packet can be sent. It
     * may ask again from the start, over another connection, until PUBLISHED. If the last event was a message
     * that wants an answer, that is sent before.
     */
    mqtt_source *source;
    void *source_context;
    uint32_t source_length; /* not 0: that is no payload at all */
#endif
};

/*
 * Copies the whole packet into the send buffer, or nothing. > 0: the packet id
 * of a QoS 1 or 2 publication, which a PUBLISHED event or the end of the session
 * will settle; 0: QoS 0, sent; negative: enum mqtt_error, nothing was sent.
 */
int mqtt_publish(struct mqtt *m, const struct mqtt_publish *publish, uint32_t now_ms)
    __attribute__((warn_unused_result));

/*
 * Bytes that this publication takes of mqtt_room, in MQTT 5.0 (in 3.1.1 it has no properties), and with a
 * source, whose length is counted here, all but that; SIZE_MAX: there can be no such packet.
 */
size_t mqtt_publish_size(const struct mqtt_publish *publish);

/* The largest packet that would be accepted now; 0 when not connected. */
size_t mqtt_room(const struct mqtt *m);

/* How many more QoS 1 or 2 publications would be accepted now; 0 when not connected. */
size_t mqtt_quota(const struct mqtt *m);

/*
 * At most 255 at once. Returns the packet id or a negative enum mqtt_error; SUBSCRIBED follows. INFLIGHT also
 * while a SUBSCRIBE or UNSUBSCRIBE of the last connection is to be sent again, which mqtt_poll does as there
 * is room: in order, the last one counts.
 */
int mqtt_subscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                   uint32_t now_ms) __attribute__((warn_unused_result));

/* Only the filters count here; UNSUBSCRIBED follows. */
int mqtt_unsubscribe(struct mqtt *m, const struct mqtt_subscription *subscriptions, size_t count,
                     uint32_t now_ms) __attribute__((warn_unused_result));

#if MQTT_WITH_PROPERTIES
/* The same with properties. */
int mqtt_subscribe_with(struct mqtt *m, const struct mqtt_filters *filters, uint32_t now_ms)
    __attribute__((warn_unused_result));
int mqtt_unsubscribe_with(struct mqtt *m, const struct mqtt_filters *filters, uint32_t now_ms)
    __attribute__((warn_unused_result));

/* What a PUBACK, PUBREC or DISCONNECT of ours says. */
struct mqtt_closure {
    uint8_t reason; /* one that the packet can have and a client may send: 3.4.2.1, 3.5.2.1, 3.14.2.1 */
    struct mqtt_slice reason_string; /* empty: none */
    const struct mqtt_user_property *user;
    size_t user_count;
    /* Of a DISCONNECT only: whether the session's expiry is another one than configured, which may not have
     * been 0 then. With 0 the session ends at once. */
    bool change_expiry;
    uint32_t session_expiry_s;
};

/*
 * Acknowledges the message of the last event now, with a reason: 0x80 and above refuse it. Otherwise the next
 * poll does so. Ends the event's views. Of QoS 0, and in 3.1.1, nothing is sent. Negative: enum mqtt_error,
 * the next poll will acknowledge.
 */
int mqtt_acknowledge(struct mqtt *m, const struct mqtt_closure *closure, uint32_t now_ms)
    __attribute__((warn_unused_result));

/* As mqtt_disconnect. If there is no room for it all, or the rest is no text, the DISCONNECT has the reason
 * alone. */
void mqtt_disconnect_with(struct mqtt *m, const struct mqtt_closure *closure, uint32_t now_ms);

/* The subscription identifiers of a message, as mqtt_next_user_property. */
bool mqtt_next_subscription_id(struct mqtt_slice *properties, uint32_t *identifier)
    __attribute__((warn_unused_result));
#endif

#if MQTT_WITH_AUTH
/*
 * Begins a re-authentication; AUTHENTICATED or the end of the connection follows, at the latest
 * `ack_timeout_ms` after a step that the broker does not answer. Negative: enum mqtt_error, nothing was
 * begun.
 */
int mqtt_reauthenticate(struct mqtt *m, uint32_t now_ms) __attribute__((warn_unused_result));
#endif

/*
 * End the connection, and the session if it does not outlive that, and stay away until mqtt_connect.
 * MQTT_REASON_SUCCESS has the broker drop the will, MQTT_REASON_DISCONNECT_WITH_WILL publish it; other
 * reasons are those of 3.14.2.1 that a client may send. A DISCONNECTED event follows if there was a session
 * or an attempt.
 */
void mqtt_disconnect(struct mqtt *m, uint8_t reason, uint32_t now_ms);

/* Try now: after mqtt_disconnect, or instead of waiting on, for instance when the network has come up. */
void mqtt_connect(struct mqtt *m, uint32_t now_ms);

bool mqtt_is_connected(const struct mqtt *m);

#if MQTT_WITH_V311
/* 5 or 4, of the present session, or of the present or next attempt. */
uint8_t mqtt_version(const struct mqtt *m);
#endif

const struct mqtt_statistics *mqtt_statistics(const struct mqtt *m);

#if MQTT_WITH_SESSION_STATISTICS
/* The same since the present session began, or the last one. */
void mqtt_session_statistics(const struct mqtt *m, struct mqtt_statistics *statistics);
#endif

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
