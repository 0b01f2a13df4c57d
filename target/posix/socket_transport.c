#define _GNU_SOURCE
#include "target/posix/socket_transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void drop(struct socket_transport *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    t->state = MQTT_TRANSPORT_CLOSED;
    t->closing = false;
    t->rx_length = 0;
    t->tx_length = 0;
}

static int connect_to(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* The one whose turn it is. Not none. */
static const struct addrinfo *choose(struct socket_transport *t, const struct addrinfo *list)
{
    t->addresses = 1;
    for (const struct addrinfo *each = list->ai_next; each != NULL; each = each->ai_next)
        t->addresses++;
    for (unsigned skip = t->turn % t->addresses; skip > 0; skip--)
        list = list->ai_next;
    return list;
}

static void failed(struct socket_transport *t, int error)
{
    t->error = error;
    t->turn++;
}

static int socket_open(void *context)
{
    struct socket_transport *t = context;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    drop(t);
    t->error = 0;
    t->addresses = 0;
    if (getaddrinfo(t->host, t->port, &hints, &addresses) != 0)
        return -1;
    do {
        t->fd = connect_to(choose(t, addresses));
        if (t->fd < 0)
            failed(t, errno);
    } while (t->fd < 0 && t->turn % t->addresses != 0);
    freeaddrinfo(addresses);
    if (t->fd < 0)
        return -1;
    t->state = MQTT_TRANSPORT_OPENING;
    return 0;
}

/* The handshake has come to its end, one way or the other. */
static void finish_opening(struct socket_transport *t)
{
    struct pollfd p = {.fd = t->fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;
    if (poll(&p, 1, 0) <= 0)
        return;
    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0) {
        t->state = MQTT_TRANSPORT_OPEN;
        return;
    }
    failed(t, error);
    drop(t);
}

static void flush(struct socket_transport *t)
{
    if (t->fd < 0 || t->state == MQTT_TRANSPORT_OPENING || t->tx_length == 0)
        return;
    ssize_t sent = send(t->fd, t->tx, t->tx_length, MSG_NOSIGNAL);
    if (sent < 0 && !would_block()) {
        t->tx_length = 0;
        t->state = MQTT_TRANSPORT_ENDING;
    } else if (sent > 0) {
        t->tx_length -= (size_t)sent;
        memmove(t->tx, t->tx + sent, t->tx_length);
    }
    if (t->closing && t->tx_length == 0)
        (void)shutdown(t->fd, SHUT_WR);
}

/* Takes in what there is room for. */
static void fill(struct socket_transport *t)
{
    if (t->fd < 0 || t->state == MQTT_TRANSPORT_OPENING)
        return;
    if (t->closing)
        t->rx_length = 0;
    if (t->rx_start > 0) {
        memmove(t->rx, t->rx + t->rx_start, t->rx_length);
        t->rx_start = 0;
    }
    if (t->rx_length == t->rx_size)
        return;
    ssize_t got = recv(t->fd, t->rx + t->rx_length, t->rx_size - t->rx_length, 0);
    if (got > 0)
        t->rx_length += (size_t)got;
    else if (got == 0 || !would_block())
        t->state = MQTT_TRANSPORT_ENDING;
    if (t->state == MQTT_TRANSPORT_ENDING && t->closing && got <= 0 && !(got < 0 && would_block()))
        drop(t);
}

static enum mqtt_transport_state socket_state(void *context)
{
    struct socket_transport *t = context;
    if (t->state == MQTT_TRANSPORT_OPENING)
        finish_opening(t);
    flush(t);
    if (t->closing)
        fill(t);
    return t->state;
}

static void socket_close(void *context, bool abort)
{
    struct socket_transport *t = context;
    if (t->fd < 0)
        return;
    if (abort || t->state == MQTT_TRANSPORT_OPENING) {
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        drop(t);
        return;
    }
    t->closing = true;
    t->state = MQTT_TRANSPORT_ENDING;
    if (t->tx_length == 0)
        (void)shutdown(t->fd, SHUT_WR);
    else
        flush(t);
}

static size_t socket_receive(void *context, const uint8_t **data)
{
    struct socket_transport *t = context;
    fill(t);
    *data = t->rx + t->rx_start;
    return t->rx_length;
}

static void socket_consume(void *context, size_t length)
{
    struct socket_transport *t = context;
    t->rx_start += length;
    t->rx_length -= length;
}

static size_t socket_reserve(void *context, struct mqtt_span room[2])
{
    struct socket_transport *t = context;
    flush(t);
    size_t left = t->state == MQTT_TRANSPORT_OPEN ? t->tx_size - t->tx_length : 0;
    room[0] = (struct mqtt_span){t->tx + t->tx_length, left};
    room[1] = (struct mqtt_span){t->tx, 0};
    return left;
}

static void socket_commit(void *context, size_t length)
{
    struct socket_transport *t = context;
    t->tx_length += length;
    flush(t);
}

void socket_transport_init(struct socket_transport *t, const char *host, const char *port, uint8_t *rx,
                           size_t rx_size, uint8_t *tx, size_t tx_size)
{
    *t = (struct socket_transport){
        .mqtt =
            {
                .context = t,
                .open = socket_open,
                .state = socket_state,
                .close = socket_close,
                .receive = socket_receive,
                .consume = socket_consume,
                .reserve = socket_reserve,
                .commit = socket_commit,
                .receive_capacity = rx_size,
            },
        .host = host,
        .port = port,
        .fd = -1,
        .state = MQTT_TRANSPORT_CLOSED,
        .rx = rx,
        .rx_size = rx_size,
        .tx = tx,
        .tx_size = tx_size,
    };
}

void socket_transport_wait(struct socket_transport *t, uint32_t timeout_ms)
{
    /* Takes in the end, which would wake us for ever. */
    if (t->closing && socket_state(t) == MQTT_TRANSPORT_CLOSED)
        return;
    short output = t->state == MQTT_TRANSPORT_OPENING || t->tx_length > 0 ? POLLOUT : 0;
    struct pollfd p = {.fd = t->fd, .events = (short)(POLLIN | output)};
    (void)poll(&p, t->fd >= 0 ? 1 : 0, timeout_ms > INT_MAX ? -1 : (int)timeout_ms);
}
