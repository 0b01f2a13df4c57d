/* A switch with nothing else on it: the link is up, frames go nowhere. */
#include "network/network.h"

#include <stdio.h>
#include <stdlib.h>

static struct network *none_open(const char *argument, const struct network_user *user, char *message,
                                 size_t size)
{
    (void)user;
    if (argument[0] != '\0') {
        (void)snprintf(message, size, "network 'none' takes no argument");
        return NULL;
    }
    struct network *n = calloc(1, sizeof *n);
    if (n == NULL)
        (void)snprintf(message, size, "out of memory");
    return n;
}

static void none_send(struct network *n, const uint8_t *frame, size_t length)
{
    (void)n;
    (void)frame;
    (void)length;
}

static size_t none_fill(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
    (void)n;
    (void)fds;
    (void)capacity;
    (void)timeout_ms;
    return 0;
}

static void none_dispatch(struct network *n, const struct pollfd *fds, size_t count)
{
    (void)n;
    (void)fds;
    (void)count;
}

static void none_close(struct network *n)
{
    free(n);
}

const struct network_kind network_none = {
    .name = "none",
    .open = none_open,
    .send = none_send,
    .fill = none_fill,
    .dispatch = none_dispatch,
    .close = none_close,
};
