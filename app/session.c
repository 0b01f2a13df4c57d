#include "app/session.h"

#if MQTT_WITH_SESSIONS

#include "app/config.h"
#include "log/log.h"

const struct mqtt_config *session_init(struct session *session, const struct mqtt_config *base)
{
    mqtt_ram_store_init(&session->store, session->memory, sizeof session->memory);
    session->config = *base;
    session->config.session_expiry_s = SESSION_EXPIRY_S;
    session->config.store = &session->store.store;
#if MQTT_WITH_BROKERS
    session->config.brokers = config.broker_count;
#endif
    return &session->config;
}

void session_before(struct session *session, struct mqtt_event *event, const struct mm2 *mm2)
{
    if (event->type == MQTT_EVENT_DISCONNECTED && event->disconnected.established)
        session->settled = mm2_is_settled(mm2);
    if (event->type != MQTT_EVENT_CONNECTED)
        return;
    LOG_INFO("session %s", event->connected.session_present ? "resumed" : "new");
    event->connected.session_present = event->connected.session_present && session->settled;
}

void session_after(struct session *session, const struct mqtt_event *event, struct mm2 *mm2)
{
    if (event->type != MQTT_EVENT_CONNECTED)
        return;
    for (size_t leaf = 0; leaf < mm2->tree->leaf_count; leaf++)
        if (session->changed & 1u << leaf)
            mm2_touch(mm2, leaf);
    session->changed = 0;
}

#endif
