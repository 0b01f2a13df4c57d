/*
 * A model of a broker: MQTT 5.0 and 3.1.1, one client's session, on our own TCP. It reads what the client
 * sends as strictly as a broker may, sends what it is given to the subscriber, and counts what it is sent.
 */
#ifndef TESTS_INTEGRATION_BROKER_H
#define TESTS_INTEGRATION_BROKER_H

#include "world.h"

#include "tests/mqtt/client_packet.h"

/* What the CONNACKs of a run say, and how the broker answers. */
struct broker_style {
    uint16_t receive_maximum, alias_maximum; /* 0: not said */
    uint16_t server_keep_alive_s;            /* 0: not said */
    uint32_t laziness;                       /* of 1000 times that it could go on, it does not */
};

void broker_open(const struct broker_style *style);
/* The process begins anew, on a host that does; with its sessions, or without. */
void broker_restart(bool keeps_sessions);
/* After a frame for its host, and when its time has come. */
void broker_run(void);
uint32_t broker_wait(void);

/* The next of `down` is published: nobody gets it if there is no subscription. */
void broker_publish(void);

enum broker_cut { BROKER_RESETS, BROKER_CLOSES, BROKER_SAYS_GOODBYE };
void broker_cut(enum broker_cut how);

/* Nothing is in flight or queued. */
bool broker_is_idle(void);
/* No connection is left in any state. */
bool broker_is_alone(void);

#endif
