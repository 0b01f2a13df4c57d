/*
 * A bad link between two ends in virtual time: frames are lost, doubled, damaged, delayed, so that they
 * overtake each other, and held up by a rate and a short queue. All follows from the seed.
 */
#ifndef TESTS_NET_SIM_LINK_H
#define TESTS_NET_SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { LINK_FRAMES = 4096 };

struct link_quality {
    uint32_t loss, duplication, corruption; /* of a thousand frames */
    uint32_t delay_ms, jitter_ms;           /* the latter at random: frames overtake each other */
    uint32_t rate;                          /* bytes a millisecond; 0: any */
    uint32_t queue_ms;                      /* a frame that would wait longer for the rate is lost */
};

struct flying {
    uint32_t due, order;
    unsigned to;
    size_t length;
    uint8_t bytes[];
};

struct link {
    struct link_quality quality;
    uint64_t random;
    uint32_t now, order;
    uint64_t elapsed;    /* ms since the beginning */
    uint64_t free_at[2]; /* the way out of each end is busy until then, in 1/64 ms */
    struct flying *heap[LINK_FRAMES];
    unsigned length;
    bool cut;      /* what is sent is lost */
    FILE *capture; /* NULL: none */
};

uint32_t link_random(struct link *link);
bool link_chance(struct link *link, uint32_t per_mille);

/* False: the frame, or a copy of it, will not arrive as it was. */
bool link_send(struct link *link, unsigned from, const uint8_t *head, size_t head_length, const uint8_t *tail,
               size_t tail_length);
/* Milliseconds until the next frame is due, at most `limit`. */
uint32_t link_wait(const struct link *link, uint32_t limit);
void link_advance(struct link *link, uint32_t ms);
/* The next that is due, to be freed; NULL: none. */
struct flying *link_receive(struct link *link);
/* How long a frame may be under way. */
uint32_t link_slowest(const struct link *link);
void link_clear(struct link *link);

#endif
