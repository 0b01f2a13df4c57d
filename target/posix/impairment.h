/*
 * One direction of a bad link: frames are lost, doubled, held back behind
 * later ones, damaged in a bit, delayed, and let through no faster than a rate
 * allows. Everything follows from the seed and the times given: the same calls
 * have the same outcome.
 *
 * It knows no clock, so time may be virtual or real: microseconds that never go
 * back. Frames are copied in and are heap memory of their exact length, so that
 * a sanitizer sees every step beyond. One context at a time.
 */
#ifndef TARGET_POSIX_IMPAIRMENT_H
#define TARGET_POSIX_IMPAIRMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IMPAIRMENT_ALWAYS_PPM = 1000000,
    IMPAIRMENT_QUEUE_FRAMES = 1000, /* default of queue_frames: as Linux's interfaces have */
    IMPAIRMENT_REORDER_US = 5000,   /* default of reorder_us */
    IMPAIRMENT_MESSAGE = 160,       /* room for an error text */
};

/* All zeros is a perfect link. Probabilities are of one frame, in millionths. */
struct impairment_config {
    uint64_t seed;
    uint32_t loss_ppm;
    uint32_t duplicate_ppm; /* a second copy follows */
    uint32_t reorder_ppm;   /* held back by reorder_us, so that later frames overtake it */
    uint32_t corrupt_ppm;   /* one bit, anywhere from the destination address on, is the other way round */
    uint32_t delay_us;
    uint32_t jitter_us;    /* up to so much more, evenly spread; the order stays */
    uint32_t reorder_us;   /* 0: IMPAIRMENT_REORDER_US */
    uint32_t rate_kbps;    /* kilobits a second, gaps between frames counted; 0: as fast as can be */
    uint32_t queue_frames; /* what waits beyond that is lost; 0: IMPAIRMENT_QUEUE_FRAMES */
};

struct impairment_statistics {
    uint64_t taken; /* given to impairment_push */
    uint64_t passed;
    uint64_t lost;
    uint64_t overflowed; /* lost because the queue was full, or memory was out */
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t corrupted;
};

struct impaired_frame {
    struct impaired_frame *next; /* the owner's, once popped */
    uint64_t due_us;
    size_t length;
    uint8_t bytes[];
};

struct impairment {
    struct impairment_config config;
    struct impairment_statistics statistics;
    uint64_t random;
    uint64_t link_free_ns;        /* when the last bit of the frame before is on the wire */
    uint64_t last_due_us;         /* of the frames that keep their order */
    struct impaired_frame *queue; /* by time, and of one time as they came */
    uint32_t queued;
};

/*
 * Reads "loss=1.5,dup=1,reorder=2,corrupt=0.1,delay=20,jitter=5,hold=10,rate=10000,queue=50,seed=7": percent,
 * milliseconds, kilobits a second, frames; each may be missing. `*config` keeps what the text does not
 * name. False: `message` (IMPAIRMENT_MESSAGE bytes or more) is one line for the user.
 */
bool impairment_parse(const char *text, struct impairment_config *config, char *message, size_t size)
    __attribute__((warn_unused_result));

void impairment_init(struct impairment *i, const struct impairment_config *config);
/* Drops what is under way. */
void impairment_clear(struct impairment *i);

/* A frame enters the link, as two pieces of which either may be empty. */
void impairment_push(struct impairment *i, uint64_t now_us, const void *head, size_t head_length,
                     const void *tail, size_t tail_length);

/* When the next frame leaves it; UINT64_MAX: none is under way. */
uint64_t impairment_due_us(const struct impairment *i);
/* The next frame that is due, now the caller's, to be freed by free(); NULL: none. */
struct impaired_frame *impairment_pop(struct impairment *i, uint64_t now_us)
    __attribute__((warn_unused_result));

#endif
