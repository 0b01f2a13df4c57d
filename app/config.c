#include "app/config.h"

#include "config_values.h"

const struct config config = {
    .mac_given = CONFIG_MAC_GIVEN,
    .mac = CONFIG_MAC,
    .address = CONFIG_ADDRESS,
    .netmask = CONFIG_NETMASK,
    .gateway = CONFIG_GATEWAY,
    .dns_server = CONFIG_DNS_SERVER,
    .broker_address = CONFIG_BROKER_ADDRESS,
    .broker_host = CONFIG_BROKER_HOST,
    .broker_port = CONFIG_BROKER_PORT,
#if NET_WITH_SNTP
    .ntp_server = CONFIG_NTP_SERVER,
    .ntp_host = CONFIG_NTP_HOST,
#endif
};
