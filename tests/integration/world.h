/*
 * Two hosts of our own stack, a client and a server, over a link that loses, delays and reorders frames, in
 * virtual time. Everything follows from the seed.
 */
#ifndef TESTS_INTEGRATION_WORLD_H
#define TESTS_INTEGRATION_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/net.h"
#include "net/tcp_listen.h"
#include "sim_device.h"

enum { WORLD_CLIENT = 0x0A000001, WORLD_SERVER = 0x0A000002, WORLD_PORT = 1883 };

struct host {
    struct net net;
    struct sim_device device;
    bool off; /* what is sent to it is lost */
};

struct world {
    struct link link;
    struct host client, server;
};

extern struct world world;

uint32_t world_random(void);
/* So many times in 1000. */
bool world_chance(uint32_t per_mille);
uint32_t world_between(uint32_t least, uint32_t most);

void world_open(uint64_t seed);
/* What flies is dropped, frames in a host's hands are an error. */
void world_close(void);
/* The host begins anew: sockets have to be registered after that. */
void world_reset(struct host *host);

/* Takes the next frame that is due, if there is one; its host has to run then. */
struct host *world_arrival(void);

#endif
