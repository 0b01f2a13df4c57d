#define _GNU_SOURCE
#include "tools/mote/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    GOODBYE_MS = 5000,     /* for the last bytes to go, and the broker to close */
    PACKETS_OVERHEAD = 64, /* fixed headers, numbers, the engine's headroom */
};

/* They wait where the program sleeps, and are never taken away: so none is missed. */
static int catch_signals(void)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    int fd = signalfd(-1, &both, SFD_CLOEXEC);
    if (fd >= 0)
        sigprocmask(SIG_BLOCK, &both, NULL);
    signal(SIGPIPE, SIG_IGN);
    return fd;
}

static uint64_t now_64(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint32_t client_now_ms(void)
{
    return (uint32_t)now_64();
}

static void *memory(size_t size)
{
    void *block = malloc(size);
    if (block == NULL) {
        complain("out of memory");
        exit(STATUS_FAILED);
    }
    return block;
}

void client_init(struct client *c, const struct options *options)
{
    uint32_t seed = 1;
    size_t size = options->buffer + options->strings + PACKETS_OVERHEAD;
    size_t store =
        MQTT_INFLIGHT_MAX * (size + MQTT_RAM_STORE_OVERHEAD) + MQTT_RECEIVE_MAX * MQTT_RAM_STORE_OVERHEAD;
    *c = (struct client){.options = options, .config = options->config, .deadline_ms = UINT64_MAX};
    c->signals = catch_signals();
    (void)getrandom(&seed, sizeof seed, 0);
    mqtt_ram_store_init(&c->store, memory(store), store);
    c->config.store = &c->store.store;
    c->config.alias_topic_bytes = (uint16_t)(options->buffer < UINT16_MAX ? options->buffer : UINT16_MAX);
    if (c->config.alias_maximum > 0)
        c->config.alias_memory = memory((size_t)c->config.alias_maximum * (2u + c->config.alias_topic_bytes));
    if (options->timeout_s > 0)
        c->deadline_ms = now_64() + options->timeout_s * 1000ull;
    socket_transport_init(&c->transport, options->host, options->port, memory(options->buffer),
                          options->buffer, memory(size), size);
    mqtt_init(&c->mqtt, &c->config, &c->transport.mqtt, seed);
}

static void end(struct client *c, int status)
{
    c->over = true;
    c->status = status;
}

/* ---- What goes wrong ---- */

/* 3.1.1 has return codes of its own (3.2.2.3 there). */
static uint8_t refusal(const struct mqtt_disconnected *d)
{
    static const uint8_t reasons[] = {0x80, 0x84, 0x85, 0x88, 0x86, 0x87};
    return d->reason < sizeof reasons ? reasons[d->reason] : d->reason;
}

/* Another attempt would end the same way. */
static bool is_final(const struct mqtt_disconnected *d)
{
    static const uint8_t passing[] = {0x88, 0x89, 0x8B, 0x8D, 0x97, 0x98, 0x9F, 0xA0};
    if (d->cause == MQTT_CAUSE_SERVER && d->reason != MQTT_REASON_SESSION_TAKEN_OVER)
        return false;
    return (d->cause == MQTT_CAUSE_REFUSED || d->cause == MQTT_CAUSE_SERVER) &&
           memchr(passing, refusal(d), sizeof passing) == NULL;
}

static void tell_failure(const struct client *c, const struct mqtt_event *event)
{
    const struct mqtt_disconnected *d = &event->disconnected;
    const char *host = c->options->host, *port = c->options->port;
    const char *text = event->details.reason_string.length > 0 ? event->details.reason_string.data : "";
    int length = (int)event->details.reason_string.length;
    const char *between = length > 0 ? ": " : "";
    switch (d->cause) {
    case MQTT_CAUSE_REFUSED:
        complain("%s port %s refuses the connection: %s%s%.*s", host, port, reason_text(refusal(d)), between,
                 length, text);
        break;
    case MQTT_CAUSE_SERVER:
        complain("%s port %s has ended the connection: %s%s%.*s", host, port, reason_text(d->reason), between,
                 length, text);
        break;
    case MQTT_CAUSE_PROTOCOL:
        complain("%s port %s does not speak MQTT as it should: %s", host, port, reason_text(d->reason));
        break;
    case MQTT_CAUSE_TIMEOUT: complain("%s port %s does not answer", host, port); break;
    default:
        if (d->established)
            complain("%s port %s: the connection was lost", host, port);
        else if (c->transport.error != 0)
            complain("no connection to %s port %s: %s", host, port, strerror(c->transport.error));
        else
            complain("%s port %s: the connection was closed before an answer came", host, port);
    }
}

static void on_disconnected(struct client *c, const struct mqtt_event *event)
{
    const struct mqtt_disconnected *d = &event->disconnected;
    bool first = !d->established && d->cause == MQTT_CAUSE_TRANSPORT;
    if (d->cause == MQTT_CAUSE_USER || c->over)
        return;
    if (d->cause == MQTT_CAUSE_REFUSED && d->retry_ms == 0) /* at once with the older version */
        return;
    if (first && c->transport.error != 0 && ++c->refusals < c->transport.addresses) {
        mqtt_connect(&c->mqtt, client_now_ms()); /* the next address of this host */
        return;
    }
    c->refusals = 0;
    /* Closed without an answer: the engine tries the older version next, unless it is that one's turn. */
    if (first && c->transport.error == 0 && c->config.fall_back && !c->connected_once &&
        mqtt_version(&c->mqtt) == 4)
        return;
    bool final = is_final(d) || (!c->connected_once && !c->options->retry);
    if (final || !c->options->quiet)
        tell_failure(c, event);
    if (final)
        end(c, STATUS_FAILED);
}

/* No way to even begin, which the engine takes for a network that is not there yet. */
static void check_host(struct client *c)
{
    const struct options *o = c->options;
    if (c->connected_once || o->retry || c->over || c->mqtt.statistics.attempts != 0)
        return;
    if (c->transport.addresses == 0)
        complain("%s: no such host", o->host);
    else
        complain("no connection to %s port %s: %s", o->host, o->port, strerror(c->transport.error));
    end(c, STATUS_FAILED);
}

static void tell(const struct client *c, const struct mqtt_event *event)
{
    static const char *const names[] = {
        [MQTT_EVENT_CONNECTED] = "connected",
        [MQTT_EVENT_DISCONNECTED] = "disconnected",
        [MQTT_EVENT_MESSAGE] = "message",
        [MQTT_EVENT_PUBLISHED] = "published",
        [MQTT_EVENT_SUBSCRIBED] = "subscribed",
        [MQTT_EVENT_UNSUBSCRIBED] = "unsubscribed",
        [MQTT_EVENT_MESSAGE_BEGIN] = "message of several parts",
        [MQTT_EVENT_MESSAGE_PART] = "part",
        [MQTT_EVENT_AUTHENTICATED] = "authenticated",
    };
    if (event->type == MQTT_EVENT_CONNECTED)
        complain("connected with MQTT %s, client id %s, session %s",
                 mqtt_version(&c->mqtt) == 5 ? "5.0" : "3.1.1", c->config.client_id,
                 event->connected.session_present ? "resumed" : "new");
    else if (event->type == MQTT_EVENT_PUBLISHED)
        complain("published, packet id %u: %s", event->published.packet_id,
                 reason_text(event->published.reason));
    else
        complain("%s", names[event->type]);
}

bool client_poll(struct client *c, struct mqtt_event *event)
{
    if (c->over || !mqtt_poll(&c->mqtt, client_now_ms(), event)) {
        check_host(c);
        return false;
    }
    if (c->options->debug)
        tell(c, event);
    if (event->type == MQTT_EVENT_CONNECTED)
        c->connected_once = true;
    if (event->type == MQTT_EVENT_DISCONNECTED)
        on_disconnected(c, event);
    return true;
}

/* ---- Sleep ---- */

static uint32_t least(uint64_t a, uint64_t b)
{
    uint64_t value = a < b ? a : b;
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

enum { SIGNALS, OTHERS, FDS_MAX = 3 }; /* the signals come first */

static void await(struct client *c, struct pollfd fds[FDS_MAX], uint32_t most_ms)
{
    uint64_t now = now_64();
    uint32_t wait = least(most_ms, INT_MAX);
    if (c->deadline_ms != UINT64_MAX)
        wait = least(wait, c->deadline_ms > now ? c->deadline_ms - now : 0);
    fds[SIGNALS] = (struct pollfd){.fd = c->signals, .events = POLLIN};
    (void)poll(fds, FDS_MAX, (int)wait);
    if (fds[SIGNALS].revents != 0)
        end(c, c->options->command == COMMAND_SUB ? STATUS_DONE : STATUS_FAILED);
    else if (!c->over && now_64() >= c->deadline_ms)
        end(c, STATUS_TIMEOUT);
}

bool client_wait(struct client *c, int input_fd, uint32_t most_ms)
{
    struct socket_transport *t = &c->transport;
    if (t->closing)
        (void)t->mqtt.state(t); /* takes in the end, which would wake us for ever */
    bool sending = c->sending && mqtt_is_connected(&c->mqtt);
    short output = t->state == MQTT_TRANSPORT_OPENING || t->tx_length > 0 || sending ? POLLOUT : 0;
    struct pollfd fds[FDS_MAX] = {[OTHERS] = {.fd = t->fd, .events = (short)(POLLIN | output)},
                                  {.fd = input_fd, .events = POLLIN}};
    await(c, fds, least(mqtt_wait_ms(&c->mqtt, client_now_ms()), most_ms));
    return fds[OTHERS + 1].revents != 0;
}

bool client_write(struct client *c, int fd, const char *data, size_t length)
{
    while (length > 0 && !c->over) {
        struct pollfd fds[FDS_MAX] = {[OTHERS] = {.fd = fd, .events = POLLOUT}, {.fd = -1}};
        await(c, fds, UINT32_MAX);
        if (c->over || fds[OTHERS].revents == 0)
            continue;
        /* A pipe that has room has it for so many: write() does not sleep, where nothing could wake it. */
        ssize_t written = write(fd, data, length < PIPE_BUF ? length : PIPE_BUF);
        if (written < 0 && errno != EAGAIN)
            return false;
        if (written > 0) {
            data += written;
            length -= (size_t)written;
        }
    }
    return length == 0;
}

int client_finish(struct client *c)
{
    struct socket_transport *t = &c->transport;
    struct mqtt_event event;
    uint32_t start = client_now_ms();
    c->over = true;
    c->deadline_ms = UINT64_MAX;
    mqtt_disconnect_with(&c->mqtt, &c->options->goodbye, start);
    while (mqtt_poll(&c->mqtt, client_now_ms(), &event)) {
    }
    while (t->mqtt.state(t) != MQTT_TRANSPORT_CLOSED && client_now_ms() - start < GOODBYE_MS)
        socket_transport_wait(t, GOODBYE_MS - (client_now_ms() - start));
    t->mqtt.close(t, true);
    close(c->signals);
    free(t->rx);
    free(t->tx);
    free(c->store.memory);
    free(c->config.alias_memory);
    return c->status;
}
