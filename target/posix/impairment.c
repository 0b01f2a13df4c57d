#include "target/posix/impairment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/posix/random.h"

enum { WIRE_OVERHEAD = 24 /* preamble, FCS and gap of a frame, bytes (IEEE 802.3 4A.4.2) */ };

/* ---- Configuration as text ---- */

static const struct parameter {
    const char *name;
    const char *unit;
    size_t offset;
    double scale;
    double most; /* in the text's unit */
} parameters[] = {
    {"loss", "percent", offsetof(struct impairment_config, loss_ppm), 10000, 100},
    {"dup", "percent", offsetof(struct impairment_config, duplicate_ppm), 10000, 100},
    {"reorder", "percent", offsetof(struct impairment_config, reorder_ppm), 10000, 100},
    {"corrupt", "percent", offsetof(struct impairment_config, corrupt_ppm), 10000, 100},
    {"delay", "milliseconds", offsetof(struct impairment_config, delay_us), 1000, 1000000},
    {"jitter", "milliseconds", offsetof(struct impairment_config, jitter_us), 1000, 1000000},
    {"hold", "milliseconds", offsetof(struct impairment_config, reorder_us), 1000, 1000000},
    {"rate", "kilobits a second", offsetof(struct impairment_config, rate_kbps), 1, 100000000},
    {"queue", "frames", offsetof(struct impairment_config, queue_frames), 1, 1000000},
};

static const struct parameter *find_parameter(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (strlen(parameters[i].name) == length && memcmp(parameters[i].name, text, length) == 0)
            return &parameters[i];
    }
    return NULL;
}

/* "NAME=NUMBER" up to `end`. */
static bool parse_one(const char *text, const char *end, struct impairment_config *config, char *message,
                      size_t size)
{
    const char *equals = memchr(text, '=', (size_t)(end - text));
    char *stopped;

    if (!equals || equals + 1 == end) {
        (void)snprintf(message, size, "impairments: '%.*s' is not NAME=NUMBER, as in loss=5",
                       (int)(end - text), text);
        return false;
    }
    size_t length = (size_t)(equals - text);
    if (length == 4 && memcmp(text, "seed", 4) == 0) {
        config->seed = strtoull(equals + 1, &stopped, 0);
        if (stopped == end)
            return true;
    }
    const struct parameter *parameter = find_parameter(text, length);
    if (!parameter) {
        (void)snprintf(
            message, size,
            "impairments: '%.*s' is none of loss, dup, reorder, corrupt, delay, jitter, hold, rate, "
            "queue, seed",
            (int)(end - text), text);
        return false;
    }
    double value = strtod(equals + 1, &stopped);
    if (stopped != end || !(value >= 0 && value <= parameter->most)) {
        (void)snprintf(message, size, "impairments: '%.*s': %s is a number of %s from 0 to %.0f",
                       (int)(end - text), text, parameter->name, parameter->unit, parameter->most);
        return false;
    }
    uint32_t scaled = (uint32_t)lround(value * parameter->scale);
    memcpy((char *)config + parameter->offset, &scaled, sizeof scaled);
    return true;
}

bool impairment_parse(const char *text, struct impairment_config *config, char *message, size_t size)
{
    while (*text != '\0') {
        const char *end = text + strcspn(text, ",");
        if (!parse_one(text, end, config, message, size))
            return false;
        text = end + (*end == ',');
    }
    return true;
}

/* ---- Chance ---- */

static bool chance(struct impairment *i, uint32_t ppm)
{
    return random_next(&i->random) % IMPAIRMENT_ALWAYS_PPM < ppm;
}

/* From 0 to `most`. */
static uint32_t spread(struct impairment *i, uint32_t most)
{
    return (uint32_t)(random_next(&i->random) % ((uint64_t)most + 1));
}

/* ---- The link ---- */

void impairment_init(struct impairment *i, const struct impairment_config *config)
{
    *i = (struct impairment){.config = *config, .random = config->seed};
    if (i->config.reorder_us == 0)
        i->config.reorder_us = IMPAIRMENT_REORDER_US;
    if (i->config.queue_frames == 0)
        i->config.queue_frames = IMPAIRMENT_QUEUE_FRAMES;
}

void impairment_clear(struct impairment *i)
{
    while (i->queue) {
        struct impaired_frame *frame = i->queue;
        i->queue = frame->next;
        free(frame);
    }
    i->queued = 0;
}

/* When the frame's last bit has left, at the link's rate. */
static uint64_t transmit(struct impairment *i, uint64_t now_us, size_t length)
{
    uint64_t now_ns = now_us * 1000;

    if (i->config.rate_kbps == 0)
        return now_us;
    if (i->link_free_ns < now_ns)
        i->link_free_ns = now_ns;
    i->link_free_ns += (length + WIRE_OVERHEAD) * 8 * 1000000 / i->config.rate_kbps;
    return (i->link_free_ns + 999) / 1000;
}

static uint64_t arrival(struct impairment *i, uint64_t now_us, size_t length)
{
    uint64_t due = transmit(i, now_us, length) + i->config.delay_us + spread(i, i->config.jitter_us);

    if (chance(i, i->config.reorder_ppm)) {
        i->statistics.reordered++;
        return due + i->config.reorder_us;
    }
    if (due < i->last_due_us)
        due = i->last_due_us;
    i->last_due_us = due;
    return due;
}

static void insert(struct impairment *i, struct impaired_frame *frame)
{
    struct impaired_frame **link = &i->queue;

    while (*link && (*link)->due_us <= frame->due_us)
        link = &(*link)->next;
    frame->next = *link;
    *link = frame;
    i->queued++;
}

static void enter(struct impairment *i, uint64_t now_us, const void *head, size_t head_length,
                  const void *tail, size_t tail_length)
{
    size_t length = head_length + tail_length;
    struct impaired_frame *frame = i->queued < i->config.queue_frames ? malloc(sizeof *frame + length) : NULL;

    if (!frame) {
        i->statistics.overflowed++;
        return;
    }
    frame->length = length;
    if (head_length)
        memcpy(frame->bytes, head, head_length);
    if (tail_length)
        memcpy(frame->bytes + head_length, tail, tail_length);
    frame->due_us = arrival(i, now_us, length);
    if (chance(i, i->config.corrupt_ppm) && length > 0) {
        uint64_t bit = random_next(&i->random) % (8 * length);
        frame->bytes[bit / 8] = (uint8_t)(frame->bytes[bit / 8] ^ 1u << bit % 8);
        i->statistics.corrupted++;
    }
    insert(i, frame);
}

void impairment_push(struct impairment *i, uint64_t now_us, const void *head, size_t head_length,
                     const void *tail, size_t tail_length)
{
    i->statistics.taken++;
    if (chance(i, i->config.loss_ppm)) {
        i->statistics.lost++;
        return;
    }
    enter(i, now_us, head, head_length, tail, tail_length);
    if (chance(i, i->config.duplicate_ppm)) {
        i->statistics.duplicated++;
        enter(i, now_us, head, head_length, tail, tail_length);
    }
}

uint64_t impairment_due_us(const struct impairment *i)
{
    return i->queue ? i->queue->due_us : UINT64_MAX;
}

struct impaired_frame *impairment_pop(struct impairment *i, uint64_t now_us)
{
    struct impaired_frame *frame = i->queue;

    if (!frame || frame->due_us > now_us)
        return NULL;
    i->queue = frame->next;
    i->queued--;
    i->statistics.passed++;
    return frame;
}
