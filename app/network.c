#include "app/network.h"

#include <string.h>

#include "app/config.h"
#include "app/identity.h"
#include "app/log_ip.h"
#include "app/wall_clock.h"
#include "log/log.h"
#include "net/mdns.h"
#include "net/sntp.h"
#include "target/nucleo-f429zi/board.h"
#include "target/stm32f429/ethernet.h"

static const struct mqtt_slice topics = {identity_topics, sizeof identity_topics - 1};

/* Clears P/alive when the device is gone. */
static const struct mqtt_will will = {
    .topic = {{identity_topics, sizeof identity_topics - 1}, MQTT_TEXT("/alive")},
    .qos = 1,
    .retain = true,
};

static const struct mqtt_config mqtt_config = {
    .client_id = identity_name,
    .will = &will,
    .keep_alive_s = 60,
#if MQTT_WITH_QOS2
    .qos2 = true,
#endif
#if MQTT_WITH_ACK_TIMEOUT
    .ack_timeout_ms = 30000,
#endif
};

#if NET_WITH_MDNS
/* "mote-030200" of the MAC address's last half, for people to type; valid until the next call. */
static const char *short_name(void)
{
    static char name[] = "mote-xxxxxx";

    for (size_t i = 3; i < 6; i++)
        memcpy(name + strlen("mote-") + 2 * (i - 3), IDENTITY_MAC + 3 * i, 2);
    return name;
}
#endif

static void log_broker(const struct config_broker *broker)
{
    if (broker->address != 0)
        LOG_INFO("broker " LOG_IP_FORMAT ":%u", LOG_IP(broker->address), config.broker_port);
    else
        LOG_INFO("broker %s:%u", broker->host, config.broker_port);
}

static void log_brokers(void)
{
    log_broker(&config.brokers[0]);
#if MQTT_WITH_BROKERS
    for (size_t i = 1; i < config.broker_count; i++)
        log_broker(&config.brokers[i]);
#endif
}

static const struct mqtt_config *session_config(struct network *n)
{
#if MQTT_WITH_SESSIONS
    return session_init(&n->session, &mqtt_config);
#else
    (void)n;
    return &mqtt_config;
#endif
}

void network_init(struct network *n, const uint8_t mac[6], const uint32_t seed[4],
                  const struct net_device *device)
{
    struct net_config net_config = {
        .address = config.address,
        .netmask = config.netmask,
        .gateway = config.gateway,
        .dns_server = config.dns_server,
        .hostname = identity_name,
#if NET_WITH_SNTP
        .ntp_server = config.ntp_server,
        .ntp_name = config.ntp_host && config.ntp_host[0] ? config.ntp_host : NULL,
#endif
#if NET_WITH_MDNS
        .mdns_name = short_name(),
#endif
#if NET_WITH_IGMP
        .multicast_filter = ethernet_multicast,
#endif
    };

    memcpy(net_config.mac, mac, 6);
    memcpy(net_config.seed, seed, sizeof net_config.seed);
    log_brokers();
    net_init(&n->net, &net_config, device);
    broker_init(&n->broker, &n->net);
#if NET_WITH_PING
    broker_ping_init(&n->ping, &n->net);
#endif
    n->settings = settings_default;
    mqtt_init(&n->mqtt, session_config(n), &n->broker.transport, net_random(&n->net));
    mm2_init(&n->mm2, &settings_tree, &n->settings, identity_topics, net_random(&n->net));
}

void network_link(struct network *n, bool up, uint32_t now_ms)
{
    net_link(&n->net, up, now_ms);
}

/* ---- What the log tells ---- */

static void log_address(struct network *n)
{
    uint32_t address = net_address(&n->net);

    if (address == n->address)
        return;
    n->address = address;
    if (address == 0) {
        LOG_INFO("no address: asking DHCP");
        return;
    }
    LOG_INFO("address " LOG_IP_FORMAT ", gateway " LOG_IP_FORMAT, LOG_IP(address),
             LOG_IP(net_gateway(&n->net)));
}

#if NET_WITH_ACD
static void log_conflict(struct network *n)
{
    bool conflict = net_address_conflict(&n->net);

    if (conflict && !n->conflict_told)
        LOG_WARNING("another host has our address: doing without it for now");
    n->conflict_told = conflict;
}
#endif

#if NET_WITH_SNTP
/* Once: the line's own time since the start and the time of day in it give that of every other line. */
static void log_time(struct network *n, uint32_t now_ms)
{
    struct sntp_time time;
    char clock[sizeof WALL_CLOCK_TEXT];

    if (n->time_told || !sntp_time(&n->net, now_ms, &time))
        return;
    n->time_told = true;
    wall_clock_write(time.unix_s, time.ms, clock);
    LOG_INFO("time %s, by " LOG_IP_FORMAT, clock, LOG_IP(sntp_server(&n->net)));
}
#endif

#if NET_WITH_MDNS
static void log_name(struct network *n)
{
    char name[MDNS_TEXT_MAX + 1];
    bool ours = mdns_name(&n->net, name);

    if (ours && !n->name_told)
        LOG_INFO("found as %s", name);
    n->name_told = ours;
}
#endif

static void log_changes(struct network *n, uint32_t now_ms)
{
    (void)now_ms;
    log_address(n);
#if NET_WITH_ACD
    log_conflict(n);
#endif
#if NET_WITH_SNTP
    log_time(n, now_ms);
#endif
#if NET_WITH_MDNS
    log_name(n);
#endif
}

static void log_disconnected(const struct mqtt_event *event)
{
    static const char *const causes[] = {
        [MQTT_CAUSE_USER] = "closed by us",
        [MQTT_CAUSE_SERVER] = "closed by the broker",
        [MQTT_CAUSE_REFUSED] = "refused by the broker",
        [MQTT_CAUSE_PROTOCOL] = "it broke the protocol",
        [MQTT_CAUSE_TRANSPORT] = "connection failed",
        [MQTT_CAUSE_TIMEOUT] = "no answer in time",
    };

    LOG_WARNING("broker %s: %s (reason 0x%02x); next attempt in %u ms",
                event->disconnected.established ? "lost" : "not reached", causes[event->disconnected.cause],
                event->disconnected.reason, (unsigned)event->disconnected.retry_ms);
}

static void log_setting(const struct network *n, size_t leaf)
{
    char json[SETTINGS_JSON_MAX + 1] = {0};

    settings_get(&settings_tree, &n->settings, leaf, json);
    LOG_INFO("setting %s = %s", settings_tree.leaves[leaf].path, json);
}

/* ---- Events ---- */

static void setting_changed(struct network *n, size_t leaf)
{
    if (leaf == SETTING_LED)
        board_led(BOARD_LD3, n->settings.led);
    log_setting(n, leaf);
    n->changed |= 1u << leaf;
#if MQTT_WITH_SESSIONS
    if (!mqtt_is_connected(&n->mqtt))
        n->session.changed |= 1u << leaf;
#endif
}

/* The settings' share of an event; returns the setting that a client has changed, or -1. */
static int handle_settings(struct network *n, struct mqtt_event *event)
{
    int leaf;

#if MQTT_WITH_SESSIONS
    session_before(&n->session, event, &n->mm2);
#endif
    mm2_handle(&n->mm2, event, &leaf);
#if MQTT_WITH_SESSIONS
    session_after(&n->session, event, &n->mm2);
#endif
    return leaf;
}

/* The engine has said which is next. */
static void turn_to_broker(struct network *n, const struct mqtt_event *event)
{
#if MQTT_WITH_BROKERS
    if (n->broker.number == event->disconnected.broker)
        return;
    n->broker.number = event->disconnected.broker;
    log_broker(&config.brokers[n->broker.number]);
#else
    (void)n;
    (void)event;
#endif
}

static void handle(struct network *n, struct mqtt_event *event)
{
    if (event->type == MQTT_EVENT_CONNECTED)
        LOG_INFO("connected to broker " LOG_IP_FORMAT, LOG_IP(n->broker.address));
    else if (event->type == MQTT_EVENT_DISCONNECTED)
        log_disconnected(event);
#if NET_WITH_PING
    if (event->type == MQTT_EVENT_CONNECTED || event->type == MQTT_EVENT_DISCONNECTED)
        n->ping_wanted = true;
#endif
    int leaf = handle_settings(n, event);
    if (leaf >= 0)
        setting_changed(n, (size_t)leaf);
    if (event->type == MQTT_EVENT_DISCONNECTED)
        turn_to_broker(n, event);
}

/* Without a network there is nothing to attempt; a session outlives a short absence of it. */
static bool session_runs(const struct network *n)
{
    return n->was_up || mqtt_is_connected(&n->mqtt);
}

static void run_session(struct network *n, uint32_t now_ms)
{
    struct mqtt_event event;
    bool up = net_is_up(&n->net);

    if (up && !n->was_up && !mqtt_is_connected(&n->mqtt))
        mqtt_connect(&n->mqtt, now_ms);
    n->was_up = up;
    broker_poll(&n->broker, now_ms);
    if (!session_runs(n))
        return;
    bool more;
    do {
        more = mqtt_poll(&n->mqtt, now_ms, &event);
        if (more)
            handle(n, &event);
        mm2_poll(&n->mm2, &n->mqtt, now_ms); /* each time, so that there is a place for the next answer */
    } while (more);
}

static uint32_t run_ping(struct network *n, uint32_t now_ms)
{
#if NET_WITH_PING
    if (n->ping_wanted)
        broker_ping_start(&n->ping, n->broker.address, now_ms);
    n->ping_wanted = false;
    return broker_ping_run(&n->ping, now_ms);
#else
    (void)n;
    (void)now_ms;
    return UINT32_MAX;
#endif
}

static uint32_t earlier(uint32_t a_ms, uint32_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

uint32_t network_run(struct network *n, uint32_t now_ms, bool *more)
{
    const struct net_statistics *statistics = net_statistics(&n->net);
    unsigned frames = 0;

    do {
        *more = net_poll(&n->net, now_ms);
        run_session(n, now_ms);
        net_flush(&n->net, now_ms);
    } while (*more && ++frames < NETWORK_FRAMES_MAX);

    log_changes(n, now_ms);
    if (statistics->frames_received + statistics->frames_sent != n->frames) {
        n->frames = statistics->frames_received + statistics->frames_sent;
        board_led_toggle(BOARD_LD2);
    }
    uint32_t wait_ms = run_ping(n, now_ms);
    wait_ms = earlier(wait_ms, net_wait_ms(&n->net, now_ms));
    return session_runs(n) ? earlier(wait_ms, mqtt_wait_ms(&n->mqtt, now_ms)) : wait_ms;
}

void network_publish(struct network *n, const char *name, const char *payload, size_t length, uint32_t now_ms)
{
    const struct mqtt_publish publish = {
        .topic = {topics, MQTT_TEXT("/"), {name, strlen(name)}},
        .payload = {{payload, length}},
        .utf8 = true,
    };
    int error = mqtt_publish(&n->mqtt, &publish, now_ms);

    if (error < 0 && error != MQTT_ERROR_NOT_CONNECTED)
        LOG_DEBUG("%s not published (%d)", name, error);
}

void network_set_led(struct network *n, bool on)
{
    n->settings.led = on;
    setting_changed(n, SETTING_LED);
    mm2_touch(&n->mm2, SETTING_LED);
}

uint32_t network_take_changes(struct network *n)
{
    uint32_t changed = n->changed;

    n->changed = 0;
    return changed;
}
