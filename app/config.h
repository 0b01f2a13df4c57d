/* What the build's environment says (app/configure.sh). */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "net/features.h"

struct config {
    bool mac_given; /* false: made from the chip's unique id */
    uint8_t mac[6];
    uint32_t address; /* host order; 0: DHCP */
    uint32_t netmask;
    uint32_t gateway;
    uint32_t dns_server;
    uint32_t broker_address; /* 0: broker_host */
    const char *broker_host;
    uint16_t broker_port;
#if NET_WITH_SNTP
    uint32_t ntp_server;  /* 0: those that DHCP names, then ntp_host */
    const char *ntp_host; /* "": none */
#endif
};

extern const struct config config;

#endif
