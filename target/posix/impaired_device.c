#include "target/posix/impaired_device.h"

#include <stdlib.h>
#include <string.h>

static void take_in(struct impaired_device *d)
{
    uint8_t *frame;
    size_t length;

    while ((length = d->inner->receive(d->inner->context, &frame)) != 0) {
        impairment_push(&d->in, d->now_us(d->clock), frame, length, NULL, 0);
        d->inner->release(d->inner->context);
    }
}

/* The frame's memory is the device's until its ticket has passed; one at a time is enough here. */
static bool hands_are_free(struct impaired_device *d)
{
    if (d->under && (int32_t)(d->inner->sent(d->inner->context) - d->under_ticket) < 0)
        return false;
    free(d->under);
    d->under = NULL;
    return true;
}

static void hand_down(struct impaired_device *d)
{
    while (impairment_due_us(&d->out) <= d->now_us(d->clock) && hands_are_free(d)) {
        uint8_t *room = d->inner->reserve(d->inner->context);
        if (!room)
            return;
        struct impaired_frame *frame = impairment_pop(&d->out, d->now_us(d->clock));
        size_t head = frame->length < NET_DEVICE_HEADER_MAX ? frame->length : NET_DEVICE_HEADER_MAX;
        memcpy(room, frame->bytes, head);
        d->under = frame;
        d->under_ticket = d->inner->send(d->inner->context, head, frame->bytes + head, frame->length - head);
    }
}

void impaired_device_run(struct impaired_device *d)
{
    take_in(d);
    hand_down(d);
}

uint64_t impaired_device_due_us(const struct impaired_device *d)
{
    uint64_t in = impairment_due_us(&d->in);
    uint64_t out = impairment_due_us(&d->out);
    return in < out ? in : out;
}

/* ---- What the stack calls ---- */

static size_t receive(void *context, uint8_t **frame)
{
    struct impaired_device *d = context;

    take_in(d);
    if (!d->lent)
        d->lent = impairment_pop(&d->in, d->now_us(d->clock));
    if (!d->lent)
        return 0;
    *frame = d->lent->bytes;
    return d->lent->length;
}

static void release(void *context)
{
    struct impaired_device *d = context;

    free(d->lent);
    d->lent = NULL;
}

static uint32_t send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    struct impaired_device *d = context;

    impairment_push(&d->out, d->now_us(d->clock), d->room, header_length, payload, payload_length);
    hand_down(d);
    return ++d->ticket;
}

static bool bounce(void *context, size_t length)
{
    struct impaired_device *d = context;

    impairment_push(&d->out, d->now_us(d->clock), d->lent->bytes, length, NULL, 0);
    release(d);
    hand_down(d);
    return true;
}

static uint8_t *reserve(void *context)
{
    return ((struct impaired_device *)context)->room;
}

static uint32_t sent(void *context)
{
    return ((struct impaired_device *)context)->ticket;
}

bool impaired_device_init(struct impaired_device *d, const struct net_device *inner,
                          const struct impairment_config *out, const struct impairment_config *in,
                          uint64_t (*now_us)(void *clock), void *clock)
{
    struct impairment_config other_way = *in;

    other_way.seed = ~in->seed;
    *d = (struct impaired_device){
        .device =
            {
                .context = d,
                .capabilities = inner->capabilities,
                .receive = receive,
                .release = release,
                .bounce = bounce,
                .reserve = reserve,
                .send = send,
                .sent = sent,
            },
        .inner = inner,
        .now_us = now_us,
        .clock = clock,
    };
    impairment_init(&d->out, out);
    impairment_init(&d->in, &other_way);
    return inner->capabilities == 0 || (out->corrupt_ppm == 0 && in->corrupt_ppm == 0);
}

void impaired_device_close(struct impaired_device *d)
{
    release(d);
    free(d->under);
    d->under = NULL;
    impairment_clear(&d->out);
    impairment_clear(&d->in);
}
