/* The broker as an MQTT transport: its name resolved by DNS if it has one, then one TCP connection. */
#ifndef APP_BROKER_H
#define APP_BROKER_H

#include "mqtt/features.h"
#include "mqtt/transport.h"
#include "net/dns.h"
#include "net/tcp.h"

enum {
    BROKER_TX_BYTES = 2048,
    BROKER_RX_BYTES = 1536, /* the largest MQTT packet that can be taken, and the TCP window */
};

struct broker {
    struct net *net;
    struct tcp_socket socket;
    struct mqtt_transport transport;
    bool resolving;
    uint32_t address; /* of the last attempt */
#if MQTT_WITH_BROKERS
    uint8_t number; /* broker_number; set between two attempts */
#endif
    uint32_t now_ms; /* of the present poll */
    uint8_t tx[BROKER_TX_BYTES];
    uint8_t rx[BROKER_RX_BYTES];
};

/* Which of config.brokers the present or next attempt is for. */
static inline uint8_t broker_number(const struct broker *broker)
{
#if MQTT_WITH_BROKERS
    return broker->number;
#else
    (void)broker;
    return 0;
#endif
}

void broker_init(struct broker *broker, struct net *net);
/* Before each mqtt_poll: takes a resolution that has ended further. */
void broker_poll(struct broker *broker, uint32_t now_ms);

#endif
