#include "sim_link.h"

#include <stdlib.h>
#include <string.h>

#include "sim_capture.h"

enum { FRAME_LONGEST = 1514, HEADER = 14 };

uint32_t link_random(struct link *link)
{
    link->random = link->random * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(link->random >> 33) ^ (uint32_t)(link->random >> 11);
}

bool link_chance(struct link *link, uint32_t per_mille)
{
    return per_mille != 0 && link_random(link) % 1000 < per_mille;
}

/* ---- A heap by the time of arrival ---- */

static bool before(const struct flying *a, const struct flying *b)
{
    return a->due != b->due ? (int32_t)(a->due - b->due) < 0 : a->order < b->order;
}

static void push(struct link *link, struct flying *frame)
{
    struct flying **heap = link->heap;
    unsigned at = link->length++;
    for (; at && before(frame, heap[(at - 1) / 2]); at = (at - 1) / 2) {
        heap[at] = heap[(at - 1) / 2];
    }
    heap[at] = frame;
}

static struct flying *pop(struct link *link)
{
    struct flying **heap = link->heap, *top = heap[0], *last = heap[--link->length];
    unsigned at = 0, child;
    while ((child = 2 * at + 1) < link->length) {
        child += child + 1 < link->length && before(heap[child + 1], heap[child]);
        if (!before(heap[child], last)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

/* ---- Sending ---- */

/* When the frame has left; false: the queue before the link is full. */
static bool leaves(struct link *link, unsigned from, size_t length, uint32_t *at)
{
    uint64_t now = link->elapsed * 64, begin = link->free_at[from] > now ? link->free_at[from] : now;
    *at = link->now;
    if (link->quality.rate == 0) {
        return true;
    }
    if (begin - now > link->quality.queue_ms * 64ULL) {
        return false;
    }
    link->free_at[from] = begin + length * 64 / link->quality.rate;
    *at += (uint32_t)((link->free_at[from] - now) / 64);
    return true;
}

static struct flying *make(struct link *link, unsigned from, const uint8_t *head, size_t head_length,
                           const uint8_t *tail, size_t tail_length)
{
    struct flying *frame = malloc(sizeof *frame + head_length + tail_length);
    frame->to = !from;
    frame->order = link->order++;
    frame->length = head_length + tail_length;
    memcpy(frame->bytes, head, head_length);
    if (tail_length) {
        memcpy(frame->bytes + head_length, tail, tail_length);
    }
    return frame;
}

static void record(const struct link *link, unsigned from, const struct flying *frame, const char *fate)
{
    if (link->capture) {
        capture_frame(link->capture, from, link->elapsed, frame->bytes, frame->length, fate);
    }
}

static bool is_arp(const struct flying *frame)
{
    return frame->bytes[12] == 0x08 && frame->bytes[13] == 0x06;
}

static bool damage(struct link *link, struct flying *frame)
{
    if (is_arp(frame) || !link_chance(link, link->quality.corruption)) {
        return false;
    }
    size_t at = HEADER + link_random(link) % (frame->length - HEADER);
    frame->bytes[at] ^= (uint8_t)(1U << link_random(link) % 8);
    return true;
}

/* Takes the frame. */
static bool fly(struct link *link, unsigned from, struct flying *frame, uint32_t left, const char *copy)
{
    if (link->length == LINK_FRAMES) {
        record(link, from, frame, "lost: too many");
        free(frame);
        return false;
    }
    bool damaged = damage(link, frame);
    record(link, from, frame, damaged ? "damaged" : copy);
    frame->due = left + link->quality.delay_ms + link_random(link) % (link->quality.jitter_ms + 1);
    push(link, frame);
    return !damaged;
}

bool link_send(struct link *link, unsigned from, const uint8_t *head, size_t head_length, const uint8_t *tail,
               size_t tail_length)
{
    struct flying *frame = make(link, from, head, head_length, tail, tail_length);
    uint32_t left;
    if (is_arp(frame) && !link->cut) {
        return fly(link, from, frame, link->now, "");
    }
    if (link->cut || link_chance(link, link->quality.loss) || !leaves(link, from, frame->length, &left)) {
        record(link, from, frame, "lost");
        free(frame);
        return false;
    }
    bool whole = true;
    if (link_chance(link, link->quality.duplication)) {
        whole = fly(link, from, make(link, from, head, head_length, tail, tail_length), left, "copy");
    }
    return fly(link, from, frame, left, "") && whole;
}

/* ---- Time and receiving ---- */

uint32_t link_wait(const struct link *link, uint32_t limit)
{
    if (link->length == 0) {
        return limit;
    }
    uint32_t left = link->heap[0]->due - link->now;
    return (int32_t)left < 0 ? 0 : left < limit ? left : limit;
}

void link_advance(struct link *link, uint32_t ms)
{
    link->now += ms;
    link->elapsed += ms;
}

struct flying *link_receive(struct link *link)
{
    bool due = link->length && (int32_t)(link->now - link->heap[0]->due) >= 0;
    return due ? pop(link) : NULL;
}

uint32_t link_slowest(const struct link *link)
{
    const struct link_quality *q = &link->quality;
    uint32_t way = q->delay_ms + q->jitter_ms;
    return q->rate ? way + q->queue_ms + FRAME_LONGEST / q->rate + 1 : way;
}

void link_clear(struct link *link)
{
    while (link->length) {
        free(pop(link));
    }
}
