/* The messages of a run, in both directions, and what is known of each. */
#ifndef TESTS_INTEGRATION_MESSAGES_H
#define TESTS_INTEGRATION_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGES_MAX = 64, TOPICS = 3, MESSAGE_LEAST = 4, MESSAGE_MOST = 3000 };

struct message {
    uint8_t qos, topic;
    uint16_t size;
    bool sent;           /* taken over by the sender's side: the promise holds from here on */
    bool excused;        /* the promise of delivery does not hold: a session was lost, or no one was there */
    bool given_up;       /* up: the client knows that its session is lost, so that it cannot be kept */
    bool unwanted;       /* up: the broker refuses it, each time */
    bool settled;        /* up: PUBLISHED has come */
    uint8_t reason;      /* its reason */
    int packet_id;       /* up: as long as it is not settled */
    unsigned arrived;    /* how often it was delivered */
    unsigned connection; /* up: of its last arrival */
};

/* One direction: what the receiver sees first of each topic and QoS comes in the order of sending. */
struct stream_of_messages {
    const char *name;
    struct message list[MESSAGES_MAX];
    unsigned count, issued;
    int newest[TOPICS][3]; /* index of the newest that arrived; -1: none */
};

extern struct stream_of_messages up, down; /* from the client to the broker, and back */

/* `unwanted`: of 1000 with QoS 1 and 2. */
void messages_open(struct stream_of_messages *stream, const char *name, unsigned count, uint32_t unwanted);

/* The payload: the index, then what follows from it. */
uint8_t message_byte(unsigned index, size_t offset);
/* The message whose payload this is, all of it right; fails otherwise. */
unsigned message_recognize(const struct stream_of_messages *stream, const uint8_t *payload, size_t size,
                           const void *topic, size_t topic_length, unsigned qos);
/* It was delivered: not too often, and in order. */
void message_arrives(struct stream_of_messages *stream, unsigned index);

/* Everything is delivered as promised, in the end; fails otherwise, naming what is missing. */
void messages_expect_kept(const struct stream_of_messages *stream);
bool messages_settled(void); /* of `up` */

/* Reports the failure with the seed, which a run of its own replays. */
extern uint64_t running_seed;
extern bool tracing;
_Noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
