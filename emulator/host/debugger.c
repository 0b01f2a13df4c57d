#define _GNU_SOURCE /* accept4 */

#include "host/debugger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void debugger_init(struct debugger *d, struct machine *m, const struct gdb_owner *owner)
{
    *d = (struct debugger){.listener = -1, .client = -1, .machine = m, .owner = *owner};
}

/* ---- The port ---- */

static int refuse_port(struct debugger *d, unsigned port, char *error, size_t size)
{
    if (errno == EADDRINUSE) {
        snprintf(error, size,
                 "GDB's port 127.0.0.1:%u is in use: choose another with --gdb "
                 "PORT, or 0 for any that is free",
                 port);
    } else {
        snprintf(error, size, "cannot listen for GDB on 127.0.0.1:%u: %s", port, strerror(errno));
    }
    if (d->listener >= 0) {
        close(d->listener);
        d->listener = -1;
    }
    return -1;
}

int debugger_listen(struct debugger *d, unsigned port, char *error, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    const int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (d->listener < 0 || setsockopt(d->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(d->listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(d->listener, 1) != 0 ||
        getsockname(d->listener, (struct sockaddr *)&address, &length) != 0) {
        return refuse_port(d, port, error, size);
    }
    return ntohs(address.sin_port);
}

/* ---- The client ---- */

static void lose_client(struct debugger *d)
{
    gdb_destroy(d->gdb);
    d->gdb = NULL;
    if (d->client >= 0) {
        close(d->client);
    }
    d->client = -1;
}

static void accept_client(struct debugger *d)
{
    const int on = 1;
    int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    if (d->client >= 0) { /* one at a time */
        close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    d->gdb = gdb_create(d->machine, &d->owner);
    if (d->gdb == NULL) {
        close(fd);
        return;
    }
    d->client = fd;
    d->input_used = d->input_length = 0;
    d->waiting = false;
}

/* False: the connection is gone. */
static bool send_output(struct debugger *d)
{
    size_t length;
    const uint8_t *bytes = gdb_output(d->gdb, &length);
    while (length > 0) {
        ssize_t sent = send(d->client, bytes, length, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        gdb_output_sent(d->gdb, (size_t)sent);
        bytes = gdb_output(d->gdb, &length);
    }
    return true;
}

static bool has_output(const struct debugger *d)
{
    size_t length;
    (void)gdb_output(d->gdb, &length);
    return length > 0;
}

/* The client can still change its mind, or say anything at all. */
static bool talks(const struct debugger *d)
{
    return gdb_mode(d->gdb) != GDB_DETACHED && gdb_mode(d->gdb) != GDB_KILLED;
}

/* False: the connection is gone. */
static bool read_input(struct debugger *d)
{
    if (d->input_used == d->input_length) {
        ssize_t got = recv(d->client, d->input, sizeof d->input, 0);
        if (got <= 0) {
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        }
        d->input_used = 0;
        d->input_length = (size_t)got;
    }
    return true;
}

static bool serve_client(struct debugger *d)
{
    if (!send_output(d) || (!has_output(d) && !read_input(d))) {
        return false;
    }
    while (d->input_used < d->input_length && !has_output(d) && talks(d)) {
        d->input_used += gdb_receive(d->gdb, d->input + d->input_used, d->input_length - d->input_used);
        if (!send_output(d)) {
            return false;
        }
    }
    return gdb_mode(d->gdb) != GDB_DETACHED || has_output(d);
}

/* ---- For the board ---- */

bool debugger_is_open(const struct debugger *d)
{
    return d->listener >= 0;
}

bool debugger_holds(const struct debugger *d)
{
    return d->waiting ||
           (d->gdb != NULL && (gdb_mode(d->gdb) == GDB_HALTED || gdb_mode(d->gdb) == GDB_EXITED));
}

bool debugger_kills(const struct debugger *d)
{
    return d->gdb != NULL && gdb_mode(d->gdb) == GDB_KILLED;
}

void debugger_stopped(struct debugger *d)
{
    if (d->gdb != NULL) {
        gdb_stopped(d->gdb);
        if (!send_output(d)) {
            lose_client(d);
        }
    }
}

void debugger_close(struct debugger *d, int status)
{
    if (d->gdb != NULL) {
        gdb_ended(d->gdb, status);
        (void)send_output(d);
    }
    lose_client(d);
    if (d->listener >= 0) {
        close(d->listener);
    }
    d->listener = -1;
}

size_t debugger_fill(const struct debugger *d, struct pollfd *fds)
{
    size_t count = 0;
    if (d->listener >= 0) {
        fds[count++] = (struct pollfd){.fd = d->listener, .events = POLLIN};
    }
    if (d->client >= 0) {
        fds[count++] = (struct pollfd){.fd = d->client, .events = (short)(has_output(d) ? POLLOUT : POLLIN)};
    }
    return count;
}

void debugger_dispatch(struct debugger *d, const struct pollfd *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i].revents == 0) {
            continue;
        }
        if (fds[i].fd == d->listener) {
            accept_client(d);
        } else if (fds[i].fd == d->client && !serve_client(d)) {
            lose_client(d);
        }
    }
}
