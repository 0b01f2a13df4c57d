/*
 * What has gone over the present MQTT session, as JSON; the full firmware says
 * it on P/telemetry/session with each report:
 *
 *     {"sessions":1,"resumed":0,"received":2,"sent":13,"acknowledged":5,"refused":0,"lost":0,…}
 *
 * The first two are counted since the start, the others since the session
 * began (struct mqtt_statistics).
 */
#ifndef APP_TELEMETRY_SESSION_H
#define APP_TELEMETRY_SESSION_H

#include "mqtt/mqtt.h"

#if MQTT_WITH_SESSION_STATISTICS

enum { TELEMETRY_SESSION_MAX = 288 }; /* with 32 bits in each number */

/* Writes one report into `json`; returns its length. */
size_t telemetry_write_session(const struct mqtt *mqtt, char json[TELEMETRY_SESSION_MAX]);

#endif
#endif
