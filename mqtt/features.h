/*
 * What the engine is built with. A switch that is 0 costs no code and no RAM. MQTT_FULL=1 turns on all
 * that is not set by itself; without it the engine is an MQTT 5.0 client for QoS 0 and 1.
 */
#ifndef MQTT_FEATURES_H
#define MQTT_FEATURES_H

#ifndef MQTT_FULL
#define MQTT_FULL 0
#endif

/* QoS 2 can be spoken by those whose configuration asks for it. */
#ifndef MQTT_WITH_QOS2
#define MQTT_WITH_QOS2 MQTT_FULL
#endif

#endif
