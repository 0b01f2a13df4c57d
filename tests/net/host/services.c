#include "tests/net/host/services.h"

uint8_t pattern(uint64_t n)
{
    return (uint8_t)(n * 31 + n / 256);
}

bool service_open(struct service *service, struct net *net, uint16_t port, size_t tx_size, size_t rx_size,
                  uint32_t now_ms)
{
    service->port = port;
    if (tcp_listen(&service->listener, net, port, rx_size) != NET_OK)
        return false;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &service->connections[i];
        tcp_init(&c->tcp, net, c->tx, tx_size, c->rx, rx_size);
        tcp_set_nagle(&c->tcp, false);
        if (tcp_accept(&service->listener, &c->tcp, now_ms) != NET_OK)
            return false;
    }
    return true;
}

void connection_close(struct connection *connection)
{
    if (!connection->closed)
        tcp_close(&connection->tcp);
    connection->closed = true;
}

/* TIME-WAIT is given up: the next connection needs the socket. */
static void renew(struct service *service, struct connection *c, uint32_t now_ms)
{
    if (c->open && tcp_error(&c->tcp) == NET_OK)
        service->served++;
    else if (c->open)
        service->failed++;
    c->open = c->closed = false;
    c->received = c->sent = 0;
    if (tcp_accept(&service->listener, &c->tcp, now_ms) != NET_OK)
        service->failed++;
}

void service_run(struct service *service, uint32_t now_ms)
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &service->connections[i];
        enum tcp_state state = tcp_state(&c->tcp);
        if (state == TCP_CLOSED || state == TCP_TIME_WAIT) {
            renew(service, c, now_ms);
        } else if (state != TCP_LISTEN && state != TCP_SYN_RECEIVED) {
            c->open = true;
            service->serve(service, c);
        }
    }
}

bool service_at_rest(const struct service *service)
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        if (tcp_state(&service->connections[i].tcp) != TCP_LISTEN)
            return false;
    }
    return true;
}

/* No more will come, and all that has come is read. */
static bool peer_is_done(struct connection *c)
{
    const uint8_t *bytes;
    return tcp_peek(&c->tcp, &bytes) == 0 && tcp_state(&c->tcp) == TCP_CLOSE_WAIT;
}

void serve_echo(struct service *service, struct connection *c)
{
    const uint8_t *bytes;
    struct tcp_span room[2] = {{0}, {0}};
    size_t length = tcp_peek(&c->tcp, &bytes), free = tcp_reserve(&c->tcp, room);

    if (length > free)
        length = free;
    for (size_t i = 0; i < length; i++) {
        uint8_t *to = i < room[0].length ? &room[0].data[i] : &room[1].data[i - room[0].length];
        *to = bytes[i];
    }
    if (length > 0) {
        tcp_commit(&c->tcp, length);
        tcp_consume(&c->tcp, length);
    }
    service->received += length;
    service->sent += length;
    if (peer_is_done(c))
        connection_close(c);
}

void serve_discard(struct service *service, struct connection *c)
{
    const uint8_t *bytes;
    size_t length = tcp_peek(&c->tcp, &bytes);

    for (size_t i = 0; i < length; i++)
        service->bad += bytes[i] != pattern(c->received + i);
    tcp_consume(&c->tcp, length);
    c->received += length;
    service->received += length;
    if (peer_is_done(c))
        connection_close(c);
}

void serve_source(struct service *service, struct connection *c)
{
    const uint8_t *bytes;
    struct tcp_span room[2] = {{0}, {0}};
    size_t length = tcp_reserve(&c->tcp, room);

    if (length > service->limit - c->sent)
        length = (size_t)(service->limit - c->sent);
    for (size_t i = 0; i < length; i++) {
        uint8_t *to = i < room[0].length ? &room[0].data[i] : &room[1].data[i - room[0].length];
        *to = pattern(c->sent + i);
    }
    if (length > 0)
        tcp_commit(&c->tcp, length);
    c->sent += length;
    service->sent += length;
    tcp_consume(&c->tcp, tcp_peek(&c->tcp, &bytes));
    if (c->sent == service->limit)
        connection_close(c);
}
