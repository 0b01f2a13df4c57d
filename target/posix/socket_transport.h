/*
 * An MQTT transport over a TCP socket of the host. Never blocks, except where
 * open() resolves a name; the caller's loop waits with socket_transport_wait.
 */
#ifndef TARGET_POSIX_SOCKET_TRANSPORT_H
#define TARGET_POSIX_SOCKET_TRANSPORT_H

#include "mqtt/transport.h"

struct socket_transport {
    struct mqtt_transport mqtt; /* give its address to mqtt_init */
    const char *host;
    const char *port;
    unsigned turn;      /* of the host's addresses: after a failure it is the next one's */
    unsigned addresses; /* how many there were at the last attempt */
    int error;          /* errno of the last failure to connect; 0: the name was not found */
    int fd;             /* -1: none */
    enum mqtt_transport_state state;
    bool closing; /* by our side: what still comes is dropped */
    uint8_t *rx;
    size_t rx_size, rx_start, rx_length;
    uint8_t *tx;
    size_t tx_size, tx_length;
};

/* `host` (name or address), `port` and the buffers are kept. */
void socket_transport_init(struct socket_transport *t, const char *host, const char *port, uint8_t *rx,
                           size_t rx_size, uint8_t *tx, size_t tx_size);

/* Sleeps until the socket has something to do, at most `timeout_ms`; UINT32_MAX: as long as it takes. */
void socket_transport_wait(struct socket_transport *t, uint32_t timeout_ms);

#endif
