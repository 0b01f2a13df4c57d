/*
 * The MQTT session of the full firmware outlives its connection (docs/mqtt.md):
 * what is in flight is kept in RAM and sent again over the next one.
 */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "mqtt/mqtt.h"
#include "settings/mm2.h"

#if MQTT_WITH_SESSIONS

enum {
    SESSION_EXPIRY_S = 3600, /* the broker keeps it for so long after the connection's end, and we likewise */
    SESSION_PACKET_MAX = MM2_PAGE_MAX + MM2_RESPONSE_TOPIC_MAX, /* the settings' largest packets */
    SESSION_STORE_BYTES = 4096,
};
_Static_assert(SESSION_STORE_BYTES >= MQTT_INFLIGHT_MAX * (SESSION_PACKET_MAX + MQTT_RAM_STORE_OVERHEAD),
               "whatever of the settings can be in flight fits");

struct session {
    struct mqtt_config config;
    struct mqtt_ram_store store;
    bool settled;     /* when the last connection ended, the settings were published and subscribed to */
    uint32_t changed; /* settings that the program has changed without a connection, a bit each */
    uint8_t memory[SESSION_STORE_BYTES];
};

/* `base` with what makes it a session, for mqtt_init; kept in `session`. */
const struct mqtt_config *session_init(struct session *session, const struct mqtt_config *base);

/*
 * Before the settings take an event of the session. They go on where they were if CONNECTED says that the
 * session is present. It is changed to say so only if they had been settled in it, not if it was cut while it
 * was set up.
 */
void session_before(struct session *session, struct mqtt_event *event, const struct mm2 *mm2);

/* After they have taken it: publishes what has changed without a connection. */
void session_after(struct session *session, const struct mqtt_event *event, struct mm2 *mm2);

#endif
#endif
