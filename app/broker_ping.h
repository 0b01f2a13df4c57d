/* Is the broker's host there at all, and how far away? Told in the log, of the full firmware. */
#ifndef APP_BROKER_PING_H
#define APP_BROKER_PING_H

#include "net/ping.h"

#if NET_WITH_PING

struct broker_ping {
    struct ping ping;
    uint32_t address; /* 0: nothing is asked */
    uint32_t deadline_ms;
    bool sent;
};

void broker_ping_init(struct broker_ping *p, struct net *net);

/* Ask this address, once; 0: nobody. What was asked before is forgotten. */
void broker_ping_start(struct broker_ping *p, uint32_t address, uint32_t now_ms);

/* After each net_poll. Returns the milliseconds after which it wants to be called again. */
uint32_t broker_ping_run(struct broker_ping *p, uint32_t now_ms);

#endif
#endif
