/*
 * The byte stream below an MQTT session: our TCP on the chip, sockets on a
 * host, TLS some day. The engine pulls; nothing here calls back.
 */
#ifndef MQTT_TRANSPORT_H
#define MQTT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_transport_state {
    MQTT_TRANSPORT_CLOSED,  /* no connection; open() may be called */
    MQTT_TRANSPORT_OPENING, /* name resolution, handshake */
    MQTT_TRANSPORT_OPEN,
    MQTT_TRANSPORT_ENDING, /* the peer has sent its last byte, or we closed; unread bytes may remain */
};

struct mqtt_span {
    uint8_t *data;
    size_t length;
};

struct mqtt_transport {
    void *context;
    /* Start connecting to the broker. Negative: not now (no link, no address): the engine tries again later.
     */
    int (*open)(void *context);
    enum mqtt_transport_state (*state)(void *context);
    /* Orderly close after what was committed has been sent, or abort at once. State goes to CLOSED in its
     * time. */
    void (*close)(void *context, bool abort);
    /* All unread bytes, contiguous, valid until the next call of anything below but consume. */
    size_t (*receive)(void *context, const uint8_t **data);
    void (*consume)(void *context, size_t length);
    /* Free room in the send buffer, in order, the second span used where a ring wraps. Returns the total: the
     * whole buffer when the connection has just come to OPEN. */
    size_t (*reserve)(void *context, struct mqtt_span room[2]);
    /* The first `length` bytes of the reserved room are written: send them. */
    void (*commit)(void *context, size_t length);
    /* The most that receive() can ever return, at most UINT32_MAX: larger packets cannot be taken whole. */
    size_t receive_capacity;
};

#endif
