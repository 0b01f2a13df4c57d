#include "world.h"

#include <stdlib.h>
#include <string.h>

struct flying {
    uint32_t due, order;
    struct host *to;
    size_t length;
    uint8_t bytes[];
};

struct world world;

uint32_t world_random(void)
{
    world.random = world.random * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(world.random >> 33) ^ (uint32_t)(world.random >> 11);
}

bool world_chance(uint32_t per_mille)
{
    return world_random() % 1000 < per_mille;
}

uint32_t world_between(uint32_t least, uint32_t most)
{
    return least + world_random() % (most - least + 1);
}

/* ---- The link ---- */

static bool before(const struct flying *a, const struct flying *b)
{
    return a->due != b->due ? (int32_t)(a->due - b->due) < 0 : (int32_t)(a->order - b->order) < 0;
}

static void push(struct flying *frame)
{
    unsigned at = world.flying++;
    for (; at && before(frame, world.heap[(at - 1) / 2]); at = (at - 1) / 2) {
        world.heap[at] = world.heap[(at - 1) / 2];
    }
    world.heap[at] = frame;
}

static struct flying *pop(void)
{
    struct flying *top = world.heap[0], *last = world.heap[--world.flying];
    unsigned at = 0, child;
    while ((child = 2 * at + 1) < world.flying) {
        child += child + 1 < world.flying && before(world.heap[child + 1], world.heap[child]);
        if (!before(world.heap[child], last)) {
            break;
        }
        world.heap[at] = world.heap[child];
        at = child;
    }
    world.heap[at] = last;
    return top;
}

static void fly(struct host *from, const uint8_t *head, size_t head_length, const void *tail,
                size_t tail_length)
{
    unsigned copies = world_chance(world.duplication) ? 2 : 1;
    if (world.cut || world_chance(world.loss)) {
        return;
    }
    for (; copies && world.flying < sizeof world.heap / sizeof world.heap[0]; copies--) {
        struct flying *frame = malloc(sizeof *frame + head_length + tail_length);
        frame->due = world.now + world.delay + world_random() % (world.jitter + 1);
        frame->order = world.order++;
        frame->to = from == &world.client ? &world.server : &world.client;
        frame->length = head_length + tail_length;
        memcpy(frame->bytes, head, head_length);
        if (tail_length) {
            memcpy(frame->bytes + head_length, tail, tail_length);
        }
        push(frame);
    }
}

uint32_t world_wait(void)
{
    if (!world.flying) {
        return NET_WAIT_FOREVER;
    }
    uint32_t left = world.heap[0]->due - world.now;
    return (int32_t)left < 0 ? 0 : left;
}

struct host *world_arrival(void)
{
    while (world_wait() == 0) {
        struct flying *frame = pop();
        if (!frame->to->off && !frame->to->arrived) {
            frame->to->arrived = frame;
            return frame->to;
        }
        free(frame);
    }
    return NULL;
}

/* ---- Devices ---- */

static size_t device_receive(void *context, uint8_t **frame)
{
    struct host *host = context;
    if (!host->arrived) {
        return 0;
    }
    size_t length = host->arrived->length;
    assert_null(host->lent);
    host->lent = malloc(length); /* so that a sanitizer sees every step beyond */
    memcpy(host->lent, host->arrived->bytes, length);
    free(host->arrived);
    host->arrived = NULL;
    *frame = host->lent;
    return length;
}

static void device_release(void *context)
{
    struct host *host = context;
    assert_non_null(host->lent);
    free(host->lent);
    host->lent = NULL;
}

static bool device_bounce(void *context, size_t length)
{
    struct host *host = context;
    fly(host, host->lent, length, NULL, 0);
    device_release(context);
    return true;
}

static uint8_t *device_reserve(void *context)
{
    return ((struct host *)context)->head;
}

static uint32_t device_send(void *context, size_t head_length, const void *tail, size_t tail_length)
{
    struct host *host = context;
    fly(host, host->head, head_length, tail, tail_length);
    return ++host->ticket;
}

static uint32_t device_sent(void *context)
{
    return ((struct host *)context)->ticket;
}

/* ---- Hosts ---- */

void world_reset(struct host *host, uint32_t address)
{
    struct net_config config = {.mac = {2, 0, 0, 0, 0, (uint8_t)address},
                                .address = address,
                                .netmask = 0xFFFFFF00,
                                .seed = {world_random(), world_random(), 3, address}};
#if NET_WITH_ACD
    config.at_once = true;
#endif
    free(host->lent);
    free(host->arrived);
    memset(host, 0, sizeof *host);
    host->address = address;
    host->device = (struct net_device){.context = host,
                                       .receive = device_receive,
                                       .release = device_release,
                                       .bounce = device_bounce,
                                       .reserve = device_reserve,
                                       .send = device_send,
                                       .sent = device_sent};
    net_init(&host->net, &config, &host->device);
    host->net.now_ms = world.now;
    net_link(&host->net, true, world.now);
}

void world_open(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.random = seed * 0x9E3779B97F4A7C15U;
    world.now = world_chance(300) ? 0xFFFFF000 : world_random(); /* time wraps now and then */
    world_reset(&world.client, WORLD_CLIENT);
    world_reset(&world.server, WORLD_SERVER);
}

static void close_host(struct host *host)
{
    free(host->lent);
    free(host->arrived);
    host->lent = NULL;
    host->arrived = NULL;
}

void world_close(void)
{
    while (world.flying) {
        free(pop());
    }
    close_host(&world.client);
    close_host(&world.server);
}
