/*
 * A cable between two virtual boards: a Unix socket that keeps frames apart
 * (SOCK_SEQPACKET). Who finds nobody listening at the path listens himself.
 */
#include "network/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_BURST = 64 }; /* frames read at one dispatch */

struct socket_network {
    struct network base;
    struct sockaddr_un address;
    int listener; /* -1: we are the second */
    int peer;     /* -1: none yet */
};

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool join(struct socket_network *s)
{
    s->peer = new_socket();
    if (s->peer >= 0 && connect(s->peer, (const struct sockaddr *)&s->address, sizeof s->address) == 0)
        return true;
    const int error = errno;
    if (s->peer >= 0)
        (void)close(s->peer);
    s->peer = -1;
    errno = error;
    return false;
}

static bool wait_for_peer(struct socket_network *s)
{
    s->listener = new_socket();
    if (s->listener >= 0 && bind(s->listener, (const struct sockaddr *)&s->address, sizeof s->address) == 0 &&
        listen(s->listener, 1) == 0)
        return true;
    const int error = errno;
    if (s->listener >= 0)
        (void)close(s->listener);
    s->listener = -1;
    errno = error;
    return false;
}

static void socket_close(struct network *n)
{
    struct socket_network *s = (struct socket_network *)n;
    if (s->peer >= 0)
        (void)close(s->peer);
    if (s->listener >= 0) {
        (void)close(s->listener);
        (void)unlink(s->address.sun_path);
    }
    free(s);
}

static bool connect_or_listen(struct socket_network *s)
{
    if (join(s))
        return true;
    if (errno != ENOENT && errno != ECONNREFUSED)
        return false;
    if (errno == ECONNREFUSED) /* left behind by a program that died */
        (void)unlink(s->address.sun_path);
    return wait_for_peer(s);
}

static struct network *socket_open(const char *path, const struct network_user *user, char *message,
                                   size_t size)
{
    (void)user;
    struct socket_network *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)snprintf(message, size, "out of memory");
        return NULL;
    }
    s->listener = s->peer = -1;
    s->address.sun_family = AF_UNIX;
    if (path[0] == '\0' || strlen(path) >= sizeof s->address.sun_path) {
        (void)snprintf(message, size,
                       "give the socket's path in 1 to %zu characters, as in socket:/tmp/cable",
                       sizeof s->address.sun_path - 1);
        free(s);
        return NULL;
    }
    memcpy(s->address.sun_path, path, strlen(path) + 1);
    if (!connect_or_listen(s)) {
        (void)snprintf(message, size, "cannot use the socket '%s': %s", path, strerror(errno));
        free(s);
        return NULL;
    }
    return &s->base;
}

static void socket_send(struct network *n, const uint8_t *frame, size_t length)
{
    struct socket_network *s = (struct socket_network *)n;
    if (s->peer >= 0)
        (void)send(s->peer, frame, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static size_t socket_fill(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
    struct socket_network *s = (struct socket_network *)n;
    (void)timeout_ms;
    if (s->peer < 0 && s->listener < 0)
        (void)connect_or_listen(s); /* who listened has gone */
    const int fd = s->peer >= 0 ? s->peer : s->listener;
    if (capacity == 0 || fd < 0)
        return 0;
    fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
    return 1;
}

static void receive_frames(struct socket_network *s)
{
    uint8_t frame[NETWORK_FRAME_MAX];
    for (unsigned i = 0; i < SOCKET_BURST; i++) {
        const ssize_t length = recv(s->peer, frame, sizeof frame, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (length <= 0) {
            (void)close(s->peer);
            s->peer = -1;
            return;
        }
        s->base.user.deliver(s->base.user.context, frame, (size_t)length);
    }
}

static void socket_dispatch(struct network *n, const struct pollfd *fds, size_t count)
{
    struct socket_network *s = (struct socket_network *)n;
    if (count == 0 || fds[0].revents == 0)
        return;
    if (s->peer >= 0)
        receive_frames(s);
    else if (s->listener >= 0)
        s->peer = accept(s->listener, NULL, NULL);
}

const struct network_kind network_socket = {
    .name = "socket",
    .open = socket_open,
    .send = socket_send,
    .fill = socket_fill,
    .dispatch = socket_dispatch,
    .close = socket_close,
};
