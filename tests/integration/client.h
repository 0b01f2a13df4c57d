/* The client of a run: the engine on our TCP, and an application that keeps count. */
#ifndef TESTS_INTEGRATION_CLIENT_H
#define TESTS_INTEGRATION_CLIENT_H

#include "world.h"

#include "mqtt/mqtt.h"

/* How the application and its engine are set up. */
struct client_style {
    uint32_t session_expiry_s; /* 0: each session starts clean */
    bool resume;               /* its store outlives a reset */
    uint8_t version;           /* of MQTT */
    bool aliases;
    uint16_t keep_alive_s;
    size_t tx_size, rx_size; /* of what the engine sees */
    size_t window;           /* of TCP; at least rx_size */
    uint32_t ack_timeout_ms;
    uint32_t laziness; /* of 1000 times that it could publish, it does not */
};

void client_open(const struct client_style *style);
void client_close(void);
/* After a frame for its host, and when its time has come. */
void client_run(void);
uint32_t client_wait(void);

/* The device begins anew; what its store keeps is there still. */
void client_reset(void);
void client_disconnect(void);
void client_connect(void);

/* Connected, nothing in flight, nothing kept. */
bool client_is_idle(void);
bool client_is_closed(void); /* of TCP */
/* Why it is not idle, for a message. */
void client_explain(void);

#endif
