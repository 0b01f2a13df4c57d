/*
 * TCP services for tests against other stacks, as the small ones of inetd: each has a listener, some sockets,
 * and never waits.
 */
#ifndef TESTS_NET_HOST_SERVICES_H
#define TESTS_NET_HOST_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tcp_listen.h"

#ifndef BUFFER_MAX
#define BUFFER_MAX 65535
#endif

enum {
    CONNECTIONS = 4, /* at a time, of each service */
    ECHO_PORT = 7,
    DISCARD_PORT = 9,
    SOURCE_PORT = 19,
    IPERF_PORT = 5201,
};

struct connection {
    struct tcp_socket tcp;
    bool open, closed; /* by the peer's arrival, by us */
    uint64_t received, sent;
    uint8_t tx[BUFFER_MAX], rx[BUFFER_MAX];
};

struct service {
    uint16_t port;
    /* After each poll, for each connection that is established or being closed. */
    void (*serve)(struct service *service, struct connection *connection);
    struct tcp_listener listener;
    struct connection connections[CONNECTIONS];
    uint64_t limit;               /* source: bytes of each connection */
    uint64_t served, failed;      /* connections that ended in order, or not */
    uint64_t received, sent, bad; /* bytes; discard: not those of the pattern */
};

/* Byte n is n * 31 + n / 256 modulo 256. */
uint8_t pattern(uint64_t n);

/* False: there is no room for the buffers asked for. */
bool service_open(struct service *service, struct net *net, uint16_t port, size_t tx_size, size_t rx_size,
                  uint32_t now_ms);
/* Serves all connections, and offers the sockets of those that have ended again. */
void service_run(struct service *service, uint32_t now_ms);
/* All sockets are offered. */
bool service_at_rest(const struct service *service);

/* For connections: closes once. */
void connection_close(struct connection *connection);

void serve_echo(struct service *service, struct connection *connection);
/* Reads the pattern, and compares. */
void serve_discard(struct service *service, struct connection *connection);
/* Sends `limit` bytes of the pattern and closes. */
void serve_source(struct service *service, struct connection *connection);

#endif
