/* A session over a socket, from the first connection to the last byte. */
#ifndef TOOLS_MOTE_CLIENT_H
#define TOOLS_MOTE_CLIENT_H

#include "target/posix/socket_transport.h"
#include "tools/mote/mote.h"

struct client {
    const struct options *options;
    struct mqtt_config config;
    struct mqtt mqtt;
    struct socket_transport transport;
    struct mqtt_ram_store store;
    uint64_t deadline_ms; /* of -W; UINT64_MAX: none */
    bool connected_once;
    bool sending;      /* a payload in pieces, of which some are left: room in the socket is of use */
    bool over;         /* there will be no further events; `status` says why */
    int status;        /* enum status */
    unsigned refusals; /* addresses of the host that did not answer, one after the other */
    int signals;       /* readable when there is one that ends the program */
};

/* `options` are kept. */
void client_init(struct client *c, const struct options *options);

uint32_t client_now_ms(void);

/* As mqtt_poll. Complains about what goes wrong, and ends the session if it cannot be mended. */
bool client_poll(struct client *c, struct mqtt_event *event) __attribute__((warn_unused_result));

/*
 * Sleeps until the socket, the clock or a signal has something, or `input_fd` can be read (-1: none), or
 * `most_ms` have passed. Returns whether the input can be read.
 */
bool client_wait(struct client *c, int input_fd, uint32_t most_ms);

/* Writes it all, however long that takes. False: a signal or -W has ended the session meanwhile, or errno
 * says what is wrong. */
bool client_write(struct client *c, int fd, const char *data, size_t length)
    __attribute__((warn_unused_result));

/* Ends the session in order, within some seconds, and frees everything. Returns the exit status. */
int client_finish(struct client *c);

#endif
