#include "target/posix/peer_network.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"

enum { PEER_FRAMES = 64 /* what it can have before it; more are lost, as at any host */ };

struct peer_frame {
    size_t length;
    uint8_t bytes[NET_FRAME_MAX];
};

struct peer {
    struct network base;
    struct net_device device;
    struct net net;
    struct peer_frame received[PEER_FRAMES];
    unsigned head, count;
    uint32_t ticket;
    uint8_t room[NET_FRAME_MAX];
};

static uint32_t now_ms(const struct peer *p)
{
    return (uint32_t)(p->base.user.clock_ns(p->base.user.context) / 1000000);
}

/* ---- Its device ---- */

static size_t receive(void *context, uint8_t **frame)
{
    struct peer *p = context;

    *frame = p->received[p->head].bytes;
    return p->count > 0 ? p->received[p->head].length : 0;
}

static void release(void *context)
{
    struct peer *p = context;

    p->head = (p->head + 1) % PEER_FRAMES;
    p->count--;
}

static bool bounce(void *context, size_t length)
{
    struct peer *p = context;

    p->base.user.deliver(p->base.user.context, p->received[p->head].bytes, length);
    release(p);
    return true;
}

static uint8_t *reserve(void *context)
{
    return ((struct peer *)context)->room;
}

static uint32_t send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    struct peer *p = context;

    if (payload_length)
        memcpy(p->room + header_length, payload, payload_length);
    p->base.user.deliver(p->base.user.context, p->room, header_length + payload_length);
    return ++p->ticket;
}

static uint32_t sent(void *context)
{
    return ((struct peer *)context)->ticket;
}

/* ---- The network ---- */

static void peer_send(struct network *n, const uint8_t *frame, size_t length)
{
    struct peer *p = (struct peer *)n;

    if (p->count == PEER_FRAMES || length > NET_FRAME_MAX)
        return;
    struct peer_frame *place = &p->received[(p->head + p->count++) % PEER_FRAMES];
    place->length = length;
    memcpy(place->bytes, frame, length);
}

static size_t peer_fill(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
    const struct peer *p = (const struct peer *)n;
    uint32_t wait_ms = p->count > 0 ? 0 : net_wait_ms(&p->net, now_ms(p));

    (void)fds;
    (void)capacity;
    if (wait_ms < INT_MAX && (*timeout_ms < 0 || wait_ms < (uint32_t)*timeout_ms))
        *timeout_ms = (int)wait_ms;
    return 0;
}

static void peer_dispatch(struct network *n, const struct pollfd *fds, size_t count)
{
    struct peer *p = (struct peer *)n;

    (void)fds;
    (void)count;
    while (net_poll(&p->net, now_ms(p))) {
    }
}

static void peer_close(struct network *n)
{
    free(n);
}

static const struct network_kind network_peer = {
    .name = "peer",
    .send = peer_send,
    .fill = peer_fill,
    .dispatch = peer_dispatch,
    .close = peer_close,
};

struct network *peer_network_open(const struct network_user *user, char *message, size_t size)
{
    static const struct net_config config = {
        .mac = {0x02, 0x00, 0x00, 0x00, 0x02, 0x02},
        .address = PEER_NETWORK_ADDRESS,
        .netmask = 0xFFFFFF00u,
        .seed = {1, 2, 3, 4},
    };
    struct peer *p = calloc(1, sizeof *p);

    if (!p) {
        (void)snprintf(message, size, "out of memory");
        return NULL;
    }
    p->base = (struct network){.kind = &network_peer, .user = *user};
    p->device = (struct net_device){
        .context = p,
        .receive = receive,
        .release = release,
        .bounce = bounce,
        .reserve = reserve,
        .send = send,
        .sent = sent,
    };
    net_init(&p->net, &config, &p->device);
    net_link(&p->net, true, now_ms(p));
    return &p->base;
}
