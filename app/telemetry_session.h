/*
 * What has gone over the present MQTT session, as JSON; the full firmware says
 * it on P/telemetry/session with each report:
 *
 *     {"attempts":1,"sessions":1,"resumed":0,"violations":0,"timeouts":0,"received":2,"sent":13,…}
 *
 * These five are counted since the start, the others since the session began
 * (struct mqtt_statistics, docs/mqtt.md).
 */
#ifndef APP_TELEMETRY_SESSION_H
#define APP_TELEMETRY_SESSION_H

#include "mqtt/mqtt.h"

#if MQTT_WITH_SESSION_STATISTICS

enum { TELEMETRY_SESSION_MAX = 320 }; /* with 32 bits in each number */

/* Writes one report into `json`; returns its length. */
size_t telemetry_write_session(const struct mqtt *mqtt, char json[TELEMETRY_SESSION_MAX]);

#endif
#endif
