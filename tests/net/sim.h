/*
 * Simulation: two of our own stacks, client and server, that make connections over a bad link in virtual
 * time. One seed is one world: its link, its buffers, its options and CONNECTIONS connections, up to SOCKETS
 * at once.
 *
 * What is checked: each byte arrives once and in order; no connection stalls longer than the timers explain
 * (bound_of in sim.c); no connection fails but for what a listener may forget; in the end everything is at
 * rest.
 */
#ifndef TESTS_NET_SIM_H
#define TESTS_NET_SIM_H

#include "net/net.h"
#include "net/tcp.h"
#include "net/tcp_listen.h"

#if NET_WITH_TCP_LISTEN

#include <setjmp.h>

#include "sim_link.h"

enum {
    SIM_AT_ONCE = 4,
    SIM_SOCKETS = 6 /* of each end; some are in TIME-WAIT */,
    SIM_CONNECTIONS = 8,
    SIM_MESSAGE = 300
};

/* One side of a connection. */
struct sim_side {
    struct tcp_socket *socket; /* NULL: none yet */
    uint32_t to_send, sent, received;
    uint32_t read_at; /* an application that is slow reads again then */
    bool slow, closed, done;
};

struct sim_flow {
    unsigned number;
    bool begun, over;
    bool waited;             /* for the server to have a socket free */
    uint16_t port;           /* the client's */
    struct sim_side side[2]; /* client, server */
    uint32_t lost;           /* of its frames */
    /* Since when nothing has moved, and what was so then: */
    uint64_t still_since;
    uint32_t still_mark, still_lost, still_timer;
};

struct sim_end {
    struct sim *sim;
    unsigned which; /* 0: client */
    struct net net;
    struct net_device device;
    struct tcp_socket tcp[SIM_SOCKETS];
    struct sim_flow *flow[SIM_SOCKETS];
    uint8_t *tx[SIM_SOCKETS], *rx[SIM_SOCKETS];
    uint32_t tx_size, rx_size;
    uint32_t ticket;
    struct flying *arrived, *lent;
    uint8_t head[NET_DEVICE_HEADER_MAX];
};

/* What a world has seen. */
struct sim_totals {
    uint64_t connections, bytes, frames, lost, retransmissions, virtual_ms, longest_stall_ms;
    uint64_t forgotten; /* by the listener, while its answers were lost; begun again */
    uint32_t closest;   /* a stall to its bound, in per cent */
};

struct sim {
    struct link link;
    struct sim_end end[2];
    struct sim_flow flow[SIM_CONNECTIONS];
    struct tcp_listener listener;
    uint32_t full_rate; /* how often of a thousand times a device has no room */
    unsigned steps;
    struct sim_totals totals;
    char description[SIM_MESSAGE]; /* of the world */
    char message[SIM_MESSAGE];     /* what has failed */
    jmp_buf failed;
};

/* False: `sim->message` says what has failed. `capture`: a file for frames, or NULL. */
bool sim_run(struct sim *sim, unsigned seed, FILE *capture);

#endif

#endif
