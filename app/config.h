/* What the build's environment says (app/configure.sh). */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

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
};

extern const struct config config;

#endif
