/* What the build's environment says (app/configure.sh). */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "mqtt/features.h"
#include "net/features.h"

enum { CONFIG_BROKERS_MAX = MQTT_WITH_BROKERS ? 4 : 1 };

struct config_broker {
    uint32_t address; /* 0: host */
    const char *host;
};

struct config {
    bool mac_given; /* false: made from the chip's unique id */
    uint8_t mac[6];
    uint32_t address; /* host order; 0: DHCP */
    uint32_t netmask;
    uint32_t gateway;
    uint32_t dns_server;
    struct config_broker brokers[CONFIG_BROKERS_MAX]; /* in the order in which they are tried */
    uint16_t broker_port;
#if MQTT_WITH_BROKERS
    uint8_t broker_count;
#endif
#if NET_WITH_SNTP
    uint32_t ntp_server;  /* 0: those that DHCP names, then ntp_host */
    const char *ntp_host; /* "": none */
#endif
};

extern const struct config config;

#endif
