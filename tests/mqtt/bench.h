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

void bench_init(struct bench *b, const struct mqtt_config *config);
void bench_free(struct bench *b);
/* Connected: CONNECT taken off the wire, `connack` (NULL: plain success) answered, the event taken. */
void bench_connect(struct bench *b, const char *connack);
void bench_connected(struct bench *b, const struct mqtt_config *config);

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
void bench_expect_end(struct bench *b, enum mqtt_cause cause, uint8_t reason);
/* The transport's close has come to its end; the wait until the next attempt is over; the next CONNECT is
 * sent. */
void bench_next_attempt(struct bench *b);

bool bench_slice_is(struct mqtt_slice slice, const char *text);

#define TEXT(literal)                                                                                        \
    (struct mqtt_slice)                                                                                      \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }

#endif
