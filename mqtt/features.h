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

/* Sessions that outlive their connection: session expiry, a store for what is in flight, replay. */
#ifndef MQTT_WITH_SESSIONS
#define MQTT_WITH_SESSIONS MQTT_FULL
#endif

/* Messages larger than the buffers, received in parts and sent from a source. */
#ifndef MQTT_WITH_STREAMING
#define MQTT_WITH_STREAMING MQTT_FULL
#endif

/* The properties that telemetry and settings do without, in both directions; DISCONNECT and acknowledgements
 * with reasons; user properties everywhere. */
#ifndef MQTT_WITH_PROPERTIES
#define MQTT_WITH_PROPERTIES MQTT_FULL
#endif

/* Topic aliases in both directions. */
#ifndef MQTT_WITH_ALIASES
#define MQTT_WITH_ALIASES MQTT_FULL
#endif

/* Enhanced authentication by a callback, at the beginning and again. */
#ifndef MQTT_WITH_AUTH
#define MQTT_WITH_AUTH MQTT_FULL
#endif

/* MQTT 3.1.1, chosen at run time or fallen back to. */
#ifndef MQTT_WITH_V311
#define MQTT_WITH_V311 MQTT_FULL
#endif

/* A time within which each acknowledgement has to come. */
#ifndef MQTT_WITH_ACK_TIMEOUT
#define MQTT_WITH_ACK_TIMEOUT MQTT_FULL
#endif

/* Several brokers in turn. */
#ifndef MQTT_WITH_BROKERS
#define MQTT_WITH_BROKERS MQTT_FULL
#endif

/* Statistics of the present session besides those since the start. */
#ifndef MQTT_WITH_SESSION_STATISTICS
#define MQTT_WITH_SESSION_STATISTICS MQTT_FULL
#endif

/* What the user passes is looked at before it is sent: UTF-8, wildcards in topics, reason codes. */
#ifndef MQTT_WITH_CHECKS
#define MQTT_WITH_CHECKS MQTT_FULL
#endif

/*
 * Speed or size, whichever the compiler was asked for. For speed, what is used seldom stays apart from what
 * is used often, which is inline, and two bytes are written at once; for size, what is used in many places is
 * there once.
 */
#ifdef __OPTIMIZE_SIZE__
#define MQTT_FAST 0
#define MQTT_APART
#define MQTT_SHARED __attribute__((noinline))
#define MQTT_OFTEN
#else
#define MQTT_FAST  1
#define MQTT_APART __attribute__((noinline))
#define MQTT_SHARED
#define MQTT_OFTEN __attribute__((always_inline)) inline
#endif

/* What can never fit the send buffer is told apart from what has no room now. */
#define MQTT_KNOWS_CAPACITY (MQTT_WITH_SESSIONS || MQTT_WITH_PROPERTIES)

#if (MQTT_WITH_ALIASES || MQTT_WITH_AUTH) && !MQTT_WITH_PROPERTIES
#error "MQTT_WITH_ALIASES and MQTT_WITH_AUTH need MQTT_WITH_PROPERTIES"
#endif

#endif
