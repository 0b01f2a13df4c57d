/* A scripted broker: an engine on a fake transport, in virtual time, fed and read as bytes. */
#ifndef TESTS_MQTT_BENCH_H
#define TESTS_MQTT_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mqtt/mqtt.h"

enum { BENCH_BUFFER = 8192 };

struct bench {
    struct mqtt m;
    struct mqtt_transport transport;
    uint32_t now_ms;
    struct mqtt_event event;

    enum mqtt_transport_state state;
    int open_result;
    bool open_at_once;
    unsigned opens, closes, aborts;

    uint8_t rx[BENCH_BUFFER]; /* from the broker, not consumed */
    size_t rx_length;
    uint8_t *view; /* a copy for each receive(), so that reading beyond it or too late is seen */

    uint8_t ring[BENCH_BUFFER]; /* the send buffer */
    size_t ring_size, ring_head, ring_used;
    bool hold;                      /* the network takes nothing out of it */
    uint8_t wire[4 * BENCH_BUFFER]; /* what the broker has got and the test has not looked at */
    size_t wire_length;
};

extern const struct mqtt_config bench_config; /* "mote", no will, keep-alive 60 s */

#if MQTT_WITH_SESSIONS
extern uint8_t bench_memory[512];
extern struct mqtt_ram_store bench_store;
/* This configuration with a session that is kept in the store, which is empty now. */
struct mqtt_config bench_keep(const struct mqtt_config *config);
/* bench_config so, and with QoS 2 where that is compiled in. */
struct mqtt_config bench_session(void);
#endif

void bench_init(struct bench *b, const struct mqtt_config *config);
void bench_free(struct bench *b);
/* Connected: CONNECT taken off the wire, `connack` (NULL: plain success) answered, the event taken. */
void bench_connect(struct bench *b, const char *connack);
void bench_connected(struct bench *b, const struct mqtt_config *config);

/* The CONNECT taken off the wire and answered so; the event taken. */
void bench_accept(struct bench *b, const char *connack);
/* The connection breaks; the next CONNECT is on the wire. */
void bench_cut(struct bench *b);
/* Both. */
void bench_back(struct bench *b, const char *connack);

/* Bytes as text: hex pairs, 'quoted characters', ( one byte that counts what follows up to ), blanks. */
size_t bench_parse(const char *text, uint8_t *bytes, size_t size);
void bench_feed(struct bench *b, const char *text);
void bench_feed_bytes(struct bench *b, const uint8_t *bytes, size_t length);
/* What was sent since the last look is exactly this. */
void bench_expect_sent(struct bench *b, const char *text);
/* The network takes out what was held. */
void bench_drain(struct bench *b);

bool bench_poll(struct bench *b);
void bench_expect_event(struct bench *b, enum mqtt_event_type type);
void bench_expect_idle(struct bench *b);
void bench_expect_published(struct bench *b, uint16_t packet_id, uint8_t reason);
void bench_expect_end(struct bench *b, enum mqtt_cause cause, uint8_t reason);
/* The transport's close has come to its end; the wait until the next attempt is over; the next CONNECT is
 * sent. */
void bench_next_attempt(struct bench *b);

bool bench_slice_is(struct mqtt_slice slice, const char *text);
/* From 0 up to, but not including, `below`. `state` is the seed at first, and not 0. */
uint32_t bench_random(uint32_t *state, uint32_t below);

#define TEXT(literal)                                                                                        \
    (struct mqtt_slice)                                                                                      \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }

#endif
