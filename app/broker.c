#include "app/broker.h"

#include "app/config.h"
#include "log/log.h"

enum {
    USER_TIMEOUT_MS = 20000, /* unacknowledged data: the broker or the way to it is gone */
    KEEP_ALIVE_MS = 0,       /* MQTT's own keep-alive does it */
};

static const struct config_broker *chosen(const struct broker *broker)
{
    return &config.brokers[broker_number(broker)];
}

static int open(void *context)
{
    struct broker *broker = context;

    broker->address = chosen(broker)->address;
    if (broker->address != 0)
        return tcp_connect(&broker->socket, broker->address, config.broker_port, broker->now_ms);
    int error = dns_start(broker->net, chosen(broker)->host, broker->now_ms);
    broker->resolving = error == NET_OK;
    return error;
}

static enum mqtt_transport_state state(void *context)
{
    struct broker *broker = context;

    if (broker->resolving)
        return MQTT_TRANSPORT_OPENING;
    switch (tcp_state(&broker->socket)) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED: return MQTT_TRANSPORT_OPENING;
    case TCP_ESTABLISHED: return MQTT_TRANSPORT_OPEN;
    case TCP_CLOSED:
    case TCP_TIME_WAIT: return MQTT_TRANSPORT_CLOSED;
    default: return MQTT_TRANSPORT_ENDING;
    }
}

static void close(void *context, bool abort)
{
    struct broker *broker = context;

    if (broker->resolving)
        dns_cancel(broker->net);
    broker->resolving = false;
    if (abort)
        tcp_abort(&broker->socket);
    else
        tcp_close(&broker->socket);
}

static size_t receive(void *context, const uint8_t **data)
{
    return tcp_peek(&((struct broker *)context)->socket, data);
}

static void consume(void *context, size_t length)
{
    tcp_consume(&((struct broker *)context)->socket, length);
}

static size_t reserve(void *context, struct mqtt_span room[2])
{
    struct tcp_span spans[2];
    size_t total = tcp_reserve(&((struct broker *)context)->socket, spans);

    for (size_t i = 0; i < 2; i++)
        room[i] = (struct mqtt_span){spans[i].data, spans[i].length};
    return total;
}

static void commit(void *context, size_t length)
{
    tcp_commit(&((struct broker *)context)->socket, length);
}

void broker_init(struct broker *broker, struct net *net)
{
    broker->net = net;
    broker->transport = (struct mqtt_transport){
        .context = broker,
        .open = open,
        .state = state,
        .close = close,
        .receive = receive,
        .consume = consume,
        .reserve = reserve,
        .commit = commit,
        .receive_capacity = sizeof broker->rx,
    };
    tcp_init(&broker->socket, net, broker->tx, sizeof broker->tx, broker->rx, sizeof broker->rx);
    tcp_set_timeouts(&broker->socket, USER_TIMEOUT_MS, KEEP_ALIVE_MS);
#if NET_WITH_TCP_NAGLE
    tcp_set_nagle(&broker->socket,
                  false); /* messages are small, and late if they wait for an acknowledgement */
#endif
}

void broker_poll(struct broker *broker, uint32_t now_ms)
{
    int result;

    broker->now_ms = now_ms;
    if (!broker->resolving || (result = dns_result(broker->net, &broker->address)) == NET_ERROR_PENDING)
        return;
    broker->resolving = false;
    if (result == NET_OK)
        result = tcp_connect(&broker->socket, broker->address, config.broker_port, now_ms);
    if (result != NET_OK)
        LOG_WARNING("broker: no address for %s (%d)", chosen(broker)->host, result);
}
