/* UTF-8 encoded strings as MQTT 5.0, 1.5.4 restricts them. */
#ifndef MQTT_TEXT_H
#define MQTT_TEXT_H

#include "mqtt/mqtt.h"

/*
 * MQTT_REASON_MALFORMED_PACKET: not UTF-8, a surrogate, U+0000.
 * MQTT_REASON_TOPIC_NAME_INVALID: well-formed, but with `+` or `#`, which only matters in a topic name.
 */
uint8_t mqtt_check_text(const struct mqtt_slice *text);

#endif
