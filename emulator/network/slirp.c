/*
 * User-mode network by libslirp: TCP and UDP of the board become sockets of
 * this process, so nothing needs privileges. IPv4 only; its timers, which only
 * IPv6 uses, are therefore not provided.
 */
#include "network/network.h"

#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slirp_network {
    struct network base;
    Slirp *slirp;
    struct pollfd *fds; /* during fill and dispatch */
    size_t capacity;
    size_t count;
};

static ssize_t to_board(const void *frame, size_t length, void *opaque)
{
    struct slirp_network *s = opaque;
    if (length <= NETWORK_FRAME_MAX)
        s->base.user.deliver(s->base.user.context, frame, length);
    return (ssize_t)length;
}

static void guest_error(const char *text, void *opaque)
{
    (void)opaque;
    (void)fprintf(stderr, "slirp: %s\n", text);
}

static int64_t clock_ns(void *opaque)
{
    struct slirp_network *s = opaque;
    return s->base.user.clock_ns(s->base.user.context);
}

/* The descriptors are asked for anew before each poll, so there is nothing to keep. */
static void ignore_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

static void ignore_notify(void *opaque)
{
    (void)opaque;
}

static const SlirpCb callbacks = {
    .send_packet = to_board,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .register_poll_fd = ignore_fd,
    .unregister_poll_fd = ignore_fd,
    .notify = ignore_notify,
};

static struct in_addr ipv4(const char *text)
{
    struct in_addr address = {0};
    (void)inet_pton(AF_INET, text, &address);
    return address;
}

/* "ADDRESS:PORT", the address may be missing. Leaves `address` alone then. */
static bool parse_endpoint(const char *text, size_t length, struct in_addr *address, int *port)
{
    char copy[32];
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *colon = strrchr(copy, ':');
    if (colon == NULL)
        return false;
    *colon = '\0';
    if (copy[0] != '\0' && inet_pton(AF_INET, copy, address) != 1)
        return false;
    char *end;
    const long number = strtol(colon + 1, &end, 10);
    *port = (int)number;
    return end != colon + 1 && *end == '\0' && number > 0 && number < 65536;
}

/* "tcp:127.0.0.1:8080-:80" */
static bool add_forward(Slirp *slirp, const char *text, size_t length, char *message, size_t size)
{
    struct in_addr host = ipv4("127.0.0.1"), guest = ipv4("10.0.2.15");
    int host_port, guest_port;
    const bool udp = length > 4 && memcmp(text, "udp:", 4) == 0;
    const char *dash = memchr(text, '-', length);
    if ((!udp && (length <= 4 || memcmp(text, "tcp:", 4) != 0)) || dash == NULL ||
        !parse_endpoint(text + 4, (size_t)(dash - text) - 4, &host, &host_port) ||
        !parse_endpoint(dash + 1, length - (size_t)(dash - text) - 1, &guest, &guest_port)) {
        (void)snprintf(message, size, "cannot read the forwarding '%.*s': write it as tcp:127.0.0.1:8080-:80",
                       (int)(length < 60 ? length : 60), text);
        return false;
    }
    if (slirp_add_hostfwd(slirp, udp, host, host_port, guest, guest_port) != 0) {
        (void)snprintf(message, size, "cannot listen on the host's port %d for '%.*s': is it in use?",
                       host_port, (int)(length < 60 ? length : 60), text);
        return false;
    }
    return true;
}

static bool apply_options(Slirp *slirp, const char *options, char *message, size_t size)
{
    static const char forward[] = "hostfwd=";
    while (*options != '\0') {
        const size_t length = strcspn(options, ",");
        if (length <= sizeof forward - 1 || memcmp(options, forward, sizeof forward - 1) != 0) {
            (void)snprintf(message, size, "unknown slirp option '%.*s': only hostfwd=... is known",
                           (int)(length < 60 ? length : 60), options);
            return false;
        }
        if (!add_forward(slirp, options + sizeof forward - 1, length - (sizeof forward - 1), message, size))
            return false;
        options += length + (options[length] == ',');
    }
    return true;
}

static void slirp_network_close(struct network *n)
{
    struct slirp_network *s = (struct slirp_network *)n;
    if (s->slirp != NULL)
        slirp_cleanup(s->slirp);
    free(s);
}

static struct network *slirp_network_open(const char *argument, const struct network_user *user,
                                          char *message, size_t size)
{
    const SlirpConfig config = {
        .version = 1,
        .in_enabled = true,
        .vnetwork = ipv4("10.0.2.0"),
        .vnetmask = ipv4("255.255.255.0"),
        .vhost = ipv4("10.0.2.2"),
        .vdhcp_start = ipv4("10.0.2.15"),
        .vnameserver = ipv4("10.0.2.3"),
        .vhostname = "virtual-board",
    };
    struct slirp_network *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)snprintf(message, size, "out of memory");
        return NULL;
    }
    s->base.user = *user; /* slirp_new asks for the time already */
    s->slirp = slirp_new(&config, &callbacks, s);
    if (s->slirp == NULL)
        (void)snprintf(message, size, "libslirp %s refused its configuration", slirp_version_string());
    if (s->slirp == NULL || !apply_options(s->slirp, argument, message, size)) {
        slirp_network_close(&s->base);
        return NULL;
    }
    return &s->base;
}

static void slirp_send(struct network *n, const uint8_t *frame, size_t length)
{
    struct slirp_network *s = (struct slirp_network *)n;
    slirp_input(s->slirp, frame, (int)length);
}

static const struct {
    int slirp;
    short poll;
} poll_bits[] = {
    {SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
    {SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};
enum { POLL_BITS = sizeof poll_bits / sizeof poll_bits[0] };

static int add_poll(int fd, int events, void *opaque)
{
    struct slirp_network *s = opaque;
    if (s->count == s->capacity)
        return -1;
    struct pollfd *entry = &s->fds[s->count];
    *entry = (struct pollfd){.fd = fd};
    for (size_t i = 0; i < POLL_BITS; i++)
        if (events & poll_bits[i].slirp)
            entry->events = (short)(entry->events | poll_bits[i].poll);
    return (int)s->count++;
}

static int get_revents(int index, void *opaque)
{
    const struct slirp_network *s = opaque;
    int events = 0;
    if (index < 0 || (size_t)index >= s->count)
        return 0;
    for (size_t i = 0; i < POLL_BITS; i++)
        if (s->fds[index].revents & poll_bits[i].poll)
            events |= poll_bits[i].slirp;
    return events;
}

static size_t slirp_fill(struct network *n, struct pollfd *fds, size_t capacity, int *timeout_ms)
{
    struct slirp_network *s = (struct slirp_network *)n;
    uint32_t timeout = *timeout_ms < 0 ? UINT32_MAX : (uint32_t)*timeout_ms;
    s->fds = fds;
    s->capacity = capacity;
    s->count = 0;
    slirp_pollfds_fill(s->slirp, &timeout, add_poll, s);
    *timeout_ms = timeout > INT32_MAX ? -1 : (int)timeout;
    return s->count;
}

static void slirp_dispatch(struct network *n, const struct pollfd *fds, size_t count)
{
    struct slirp_network *s = (struct slirp_network *)n;
    struct pollfd copy[NETWORK_POLLFDS];
    s->count = count < NETWORK_POLLFDS ? count : NETWORK_POLLFDS;
    memcpy(copy, fds, s->count * sizeof copy[0]);
    s->fds = copy;
    slirp_pollfds_poll(s->slirp, 0, get_revents, s);
    s->fds = NULL;
}

const struct network_kind network_slirp = {
    .name = "slirp",
    .open = slirp_network_open,
    .send = slirp_send,
    .fill = slirp_fill,
    .dispatch = slirp_dispatch,
    .close = slirp_network_close,
};
