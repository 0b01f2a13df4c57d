#include "app/config.h"

#include "config_values.h"

const struct config config = {
    .mac_given = CONFIG_MAC_GIVEN,
    .mac = CONFIG_MAC,
    .address = CONFIG_ADDRESS,
    .netmask = CONFIG_NETMASK,
    .gateway = CONFIG_GATEWAY,
    .dns_server = CONFIG_DNS_SERVER,
    .brokers = {CONFIG_BROKERS},
    .broker_port = CONFIG_BROKER_PORT,
#if MQTT_WITH_BROKERS
    .broker_count = CONFIG_BROKER_COUNT,
#endif
#if NET_WITH_SNTP
    .ntp_server = CONFIG_NTP_SERVER,
    .ntp_host = CONFIG_NTP_HOST,
#endif
};
