#include "sim_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t device_receive(void *context, uint8_t **frame)
{
    struct sim_device *d = context;
    assert_null(d->lent);
    if (!d->arrived) {
        return 0;
    }
    d->lent = d->arrived;
    d->arrived = NULL;
    *frame = d->lent->bytes;
    return d->lent->length;
}

static void device_release(void *context)
{
    struct sim_device *d = context;
    assert_non_null(d->lent);
    free(d->lent);
    d->lent = NULL;
}

static void transmit(struct sim_device *d, const uint8_t *head, size_t head_length, const uint8_t *tail,
                     size_t tail_length)
{
    assert_true(head_length + tail_length <= NET_FRAME_MAX);
    d->last_ms = d->link->elapsed;
    d->lost += !link_send(d->link, d->which, head, head_length, tail, tail_length);
}

static bool device_bounce(void *context, size_t length)
{
    struct sim_device *d = context;
    transmit(d, d->lent->bytes, length, NULL, 0);
    device_release(d);
    return true;
}

static uint8_t *device_reserve(void *context)
{
    return ((struct sim_device *)context)->head;
}

static uint32_t device_send(void *context, size_t head_length, const void *tail, size_t tail_length)
{
    struct sim_device *d = context;
    transmit(d, d->head, head_length, tail, tail_length);
    return ++d->ticket;
}

static uint32_t device_sent(void *context)
{
    return ((struct sim_device *)context)->ticket;
}

void sim_device_init(struct sim_device *d, struct link *link, unsigned which)
{
    *d = (struct sim_device){.link = link,
                             .which = which,
                             .device = {.context = d,
                                        .receive = device_receive,
                                        .release = device_release,
                                        .bounce = device_bounce,
                                        .reserve = device_reserve,
                                        .send = device_send,
                                        .sent = device_sent}};
}

void sim_device_clear(struct sim_device *d)
{
    free(d->arrived);
    free(d->lent);
    d->arrived = d->lent = NULL;
}

struct net_config sim_config(uint32_t address, uint32_t seed)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, (uint8_t)address},
                                .address = address,
                                .netmask = 0xFFFFFF00,
                                .seed = {seed, address, 3, 4}};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    return config;
}
