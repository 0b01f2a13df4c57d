#include "target/posix/linux_device.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "target/posix/peer_network.h"

struct linux_frame {
    size_t length;
    uint8_t bytes[];
};

static void record(struct linux_device *d, const uint8_t *frame, size_t length)
{
    if (d->pcap && !pcap_write(d->pcap, d->now_us() * 1000000, frame, length)) {
        (void)fputs("pcap: the file cannot be written any more; the record ends here\n", stderr);
        d->pcap = NULL;
    }
}

/* From the network; it may come while the stack sends. */
static void deliver(void *context, const uint8_t *frame, size_t length)
{
    struct linux_device *d = context;
    struct linux_frame *copy = NULL;

    if (d->unplugged || length == 0 || length > NET_FRAME_MAX)
        return;
    record(d, frame, length);
    if (d->rx_count < LINUX_DEVICE_RX_FRAMES)
        copy = malloc(sizeof *copy + length);
    if (!copy) {
        d->missed++;
        return;
    }
    d->frames_in++;
    copy->length = length;
    memcpy(copy->bytes, frame, length);
    d->rx[(d->rx_head + d->rx_count++) % LINUX_DEVICE_RX_FRAMES] = copy;
}

static int64_t clock_ns(void *context)
{
    return (int64_t)(((struct linux_device *)context)->now_us() * 1000);
}

/* ---- What the stack calls ---- */

static size_t receive(void *context, uint8_t **frame)
{
    struct linux_device *d = context;

    if (!d->lent && d->rx_count > 0) {
        d->lent = d->rx[d->rx_head];
        d->rx_head = (d->rx_head + 1) % LINUX_DEVICE_RX_FRAMES;
        d->rx_count--;
    }
    if (!d->lent)
        return 0;
    *frame = d->lent->bytes;
    return d->lent->length;
}

static void release(void *context)
{
    struct linux_device *d = context;

    free(d->lent);
    d->lent = NULL;
}

static void put_on_wire(struct linux_device *d, const uint8_t *frame, size_t length)
{
    if (d->unplugged)
        return;
    record(d, frame, length);
    d->frames_out++;
    network_send(d->network, frame, length);
}

static bool bounce(void *context, size_t length)
{
    struct linux_device *d = context;

    put_on_wire(d, d->lent->bytes, length);
    release(d);
    return true;
}

static uint8_t *reserve(void *context)
{
    return ((struct linux_device *)context)->room;
}

static uint32_t send(void *context, size_t header_length, const void *payload, size_t payload_length)
{
    struct linux_device *d = context;
    uint8_t frame[NET_FRAME_MAX];

    if (header_length + payload_length <= sizeof frame) {
        memcpy(frame, d->room, header_length);
        if (payload_length)
            memcpy(frame + header_length, payload, payload_length);
        put_on_wire(d, frame, header_length + payload_length);
    }
    return ++d->ticket;
}

static uint32_t sent(void *context)
{
    return ((struct linux_device *)context)->ticket;
}

/* ---- What the program calls ---- */

bool linux_device_open(struct linux_device *d, const char *spec, uint64_t (*now_us)(void), char *message,
                       size_t size)
{
    const struct network_user user = {.context = d, .deliver = deliver, .clock_ns = clock_ns};

    *d = (struct linux_device){
        .device =
            {
                .context = d,
                .receive = receive,
                .release = release,
                .bounce = bounce,
                .reserve = reserve,
                .send = send,
                .sent = sent,
            },
        .now_us = now_us,
        .room = malloc(NET_DEVICE_HEADER_MAX),
    };
    if (!d->room)
        (void)snprintf(message, size, "out of memory");
    else if (strcmp(spec, "peer") == 0)
        d->network = peer_network_open(&user, message, size);
    else
        d->network = network_open(spec, &user, message, size);
    if (!d->network)
        free(d->room);
    return d->network != NULL;
}

static void drop_received(struct linux_device *d)
{
    for (; d->rx_count > 0; d->rx_count--) {
        free(d->rx[d->rx_head]);
        d->rx_head = (d->rx_head + 1) % LINUX_DEVICE_RX_FRAMES;
    }
}

void linux_device_close(struct linux_device *d)
{
    network_close(d->network);
    drop_received(d);
    release(d);
    free(d->room);
}

void linux_device_plug(struct linux_device *d, bool in)
{
    d->unplugged = !in;
    if (!in)
        drop_received(d);
}

bool linux_device_has_frames(const struct linux_device *d)
{
    return d->rx_count > 0;
}

size_t linux_device_fill(struct linux_device *d, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
    if (d->rx_count >= LINUX_DEVICE_RX_ENOUGH)
        return 0;
    return network_fill(d->network, fds, capacity, timeout_ms);
}

void linux_device_dispatch(struct linux_device *d, const struct pollfd *fds, size_t count)
{
    if (d->rx_count < LINUX_DEVICE_RX_ENOUGH)
        network_dispatch(d->network, fds, count);
}

void linux_device_wait(struct linux_device *d, uint32_t timeout_ms)
{
    struct pollfd fds[NETWORK_POLLFDS];
    int timeout = timeout_ms > INT_MAX ? -1 : (int)timeout_ms;
    size_t count = linux_device_fill(d, fds, NETWORK_POLLFDS, &timeout);

    if (d->rx_count > 0)
        timeout = 0;
    if (poll(fds, count, timeout) < 0) {
        for (size_t i = 0; i < count; i++)
            fds[i].revents = 0;
    }
    linux_device_dispatch(d, fds, count);
}

uint64_t linux_now_us(void)
{
    static uint64_t start_us;
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    if (start_us == 0)
        start_us = us;
    return us - start_us;
}
