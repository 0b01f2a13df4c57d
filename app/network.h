/*
 * Everything between the Ethernet driver and the settings, as one resource:
 * the stack, the broker's connection, the MQTT session, the settings tree.
 */
#ifndef APP_NETWORK_H
#define APP_NETWORK_H

#include "app/broker.h"
#include "app/broker_ping.h"
#include "app/session.h"
#include "app/settings.h"
#include "mqtt/mqtt.h"
#include "net/net.h"
#include "settings/mm2.h"

struct network {
    struct net net;
    struct mqtt mqtt;
#if MQTT_WITH_SESSIONS
    struct session session;
#endif
    struct mm2 mm2;
    struct settings settings;
    bool was_up;
    uint32_t address; /* as last logged */
    uint32_t frames;  /* received and sent, when LD2 was toggled last */
#if NET_WITH_SNTP
    bool time_told; /* in the log, likewise the next */
#endif
#if NET_WITH_MDNS
    bool name_told;
#endif
#if NET_WITH_ACD
    bool conflict_told;
#endif
#if NET_WITH_PING
    struct broker_ping ping;
    bool ping_wanted; /* the broker's host, since something has become of the connection */
#endif
    uint32_t changed; /* settings changed since network_take_changes, a bit each */
    struct broker broker;
};

/* After identity_set. `seed`: four words from the true random source. `device` is kept. */
void network_init(struct network *n, const uint8_t mac[6], const uint32_t seed[4],
                  const struct net_device *device);

enum { NETWORK_FRAMES_MAX = 16 };

/*
 * Handles what has come in, sends what can go out. Returns the milliseconds
 * after which it wants to be called though nothing comes in. `*more`: there is
 * work left after NETWORK_FRAMES_MAX frames; let others run, then call again.
 */
uint32_t network_run(struct network *n, uint32_t now_ms, bool *more);

void network_link(struct network *n, bool up, uint32_t now_ms);

/* Publishes on P/`name`, QoS 0; dropped while there is no session. Call network_run afterwards. */
void network_publish(struct network *n, const char *name, const char *payload, size_t length,
                     uint32_t now_ms);

/* The program changes a setting itself. Call network_run afterwards. */
void network_set_led(struct network *n, bool on);

/* Which settings have changed, a bit each (enum setting), since the last call. */
uint32_t network_take_changes(struct network *n);

#endif
