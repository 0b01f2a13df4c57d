/* mote sub: prints what is published. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mqtt/router.h"
#include "tools/mote/client.h"

struct sub {
    struct client client;
    const struct options *options;
    struct mqtt_route routes[FILTERS_MAX + 2];
    struct mqtt_router router;
    const char *format;
    FILE *out; /* standard output, by `out_fd` */
    int out_fd;
    uint32_t printed;
    bool unsubscribe, subscribe; /* still to be sent */
    bool asked, answered;        /* SUBSCRIBE */
    /* A message that comes in parts waits here until it is whole: a half one is never printed. */
    FILE *spool;
    char *head, *tail; /* what is printed around it; NULL: the payload is not printed */
    size_t head_length, tail_length;
    bool hex, skip;
};

static void fail(struct sub *s, const char *what)
{
    complain("%s: %s", what, strerror(errno));
    s->client.status = STATUS_FAILED;
    s->client.over = true;
}

/* ---- Printing ---- */

static bool is_wanted(const struct sub *s, const struct mqtt_message *message)
{
    return !(message->retain ? s->options->no_retained : s->options->only_retained);
}

static const char *before_payload(const struct sub *s, FILE *out, const struct mqtt_message *message,
                                  bool *hex)
{
    return format_until_payload(out, s->format, message, hex);
}

static void after_payload(const struct sub *s, FILE *out, const char *rest,
                          const struct mqtt_message *message)
{
    bool hex;
    if (rest != NULL)
        (void)format_until_payload(out, rest, message, &hex);
    if (!s->options->no_newline)
        fputc('\n', out);
}

static ssize_t write_out(void *context, const char *data, size_t length)
{
    struct sub *s = context;
    return client_write(&s->client, s->out_fd, data, length) ? (ssize_t)length : 0;
}

/* A terminal that has room for a part makes write() sleep. Not if it is opened anew for that, which leaves
 * alone what others do with it. */
static int terminal(void)
{
    int fd = -1;
    if (isatty(STDOUT_FILENO))
        fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? STDOUT_FILENO : fd;
}

/* Standard output, but where nobody reads it a signal or -W still ends the program. */
static void open_out(struct sub *s)
{
    s->out_fd = terminal();
    s->out = fopencookie(s, "w", (cookie_io_functions_t){.write = write_out});
    if (s->out == NULL)
        fail(s, "standard output");
}

/* The broker is told that we have it by the next poll: so it has left us by then. */
static void printed(struct sub *s)
{
    s->printed++;
    if ((fflush(s->out) != 0 || ferror(s->out)) && !s->client.over)
        fail(s, "standard output");
}

static void print_whole(struct sub *s, const struct mqtt_message *message)
{
    bool hex = false;
    const char *rest = before_payload(s, s->out, message, &hex);
    if (rest != NULL)
        format_bytes(s->out, message->payload.data, message->payload.length, hex);
    after_payload(s, s->out, rest, message);
    printed(s);
}

/* ---- Messages in parts ---- */

static void drop_parts(struct sub *s)
{
    if (s->spool != NULL)
        fclose(s->spool);
    free(s->head);
    free(s->tail);
    s->spool = NULL;
    s->head = s->tail = NULL;
}

static void begin_parts(struct sub *s, const struct mqtt_message *message)
{
    drop_parts(s);
    s->skip = !is_wanted(s, message);
    if (s->skip)
        return;
    s->spool = tmpfile();
    FILE *head = open_memstream(&s->head, &s->head_length);
    FILE *tail = open_memstream(&s->tail, &s->tail_length);
    if (s->spool == NULL || head == NULL || tail == NULL) {
        fail(s, "a message larger than the buffer needs a temporary file");
        return;
    }
    const char *rest = before_payload(s, head, message, &s->hex);
    after_payload(s, tail, rest, message);
    fclose(head);
    fclose(tail);
    if (rest == NULL) {
        fclose(s->spool);
        s->spool = NULL;
    }
}

static void print_parts(struct sub *s)
{
    char block[4096];
    size_t length;
    fwrite(s->head, 1, s->head_length, s->out);
    if (s->spool != NULL) {
        rewind(s->spool);
        while (!s->client.over && (length = fread(block, 1, sizeof block, s->spool)) > 0)
            format_bytes(s->out, block, length, s->hex);
    }
    fwrite(s->tail, 1, s->tail_length, s->out);
    printed(s);
}

static void take_part(struct sub *s, const struct mqtt_slice *data, bool last)
{
    if (s->skip)
        return;
    if (s->spool != NULL && fwrite(data->data, 1, data->length, s->spool) != data->length) {
        fail(s, "temporary file");
        return;
    }
    if (!last)
        return;
    if (s->spool != NULL && fflush(s->spool) != 0)
        fail(s, "temporary file");
    else
        print_parts(s);
    drop_parts(s);
}

/* ---- Routes ---- */

static void print(void *context, const struct mqtt_event *event, const struct mqtt_captures *captures)
{
    struct sub *s = context;
    (void)captures;
    switch (event->type) {
    case MQTT_EVENT_MESSAGE:
        if (is_wanted(s, &event->message))
            print_whole(s, &event->message);
        break;
    case MQTT_EVENT_MESSAGE_BEGIN: begin_parts(s, &event->message); break;
    case MQTT_EVENT_MESSAGE_PART:
        take_part(s, &event->part.data, event->part.offset + event->part.data.length == event->part.total);
        break;
    default: /* there will be no more of it */ drop_parts(s);
    }
}

static void ignore(void *context, const struct mqtt_event *event, const struct mqtt_captures *captures)
{
    (void)context;
    (void)event;
    (void)captures;
}

/* -T first; the rest is printed, whichever filter it came for. */
static void set_routes(struct sub *s)
{
    size_t count = 0;
    for (; count < s->options->filtered_out_count; count++)
        s->routes[count] = (struct mqtt_route){.filter = s->options->filtered_out[count], .handle = ignore};
    s->routes[count++] = (struct mqtt_route){.filter = "#", .handle = print, .context = s};
    for (size_t i = 0; i < s->options->filters.count; i++)
        s->routes[count++] = (struct mqtt_route){
            .filter = s->options->subscriptions[i].filter[0].data, .handle = print, .context = s};
    s->router = (struct mqtt_router){.routes = s->routes, .count = count};
}

/* ---- Events ---- */

static void on_subscribed(struct sub *s, const struct mqtt_slice *reasons)
{
    const uint8_t *reason = reasons->data;
    size_t refused = 0;
    s->answered = true;
    for (size_t i = 0; i < reasons->length && i < s->options->filters.count; i++) {
        if (reason[i] < MQTT_REASON_UNSPECIFIED)
            continue;
        refused++;
        complain("the broker refuses the subscription to %s: %s",
                 (const char *)s->options->subscriptions[i].filter[0].data, reason_text(reason[i]));
    }
    if (refused < s->options->filters.count)
        return;
    s->client.status = STATUS_FAILED;
    s->client.over = true;
}

/* At the first connection, and whenever the broker has lost the session. A SUBSCRIBE of a session that is
 * kept is sent again by the engine. */
static void on_connected(struct sub *s, bool session_present)
{
    if (s->asked && (session_present || (!s->answered && s->options->config.session_expiry_s != 0)))
        return;
    s->subscribe = true;
}

/* False: not yet, for what the session has in flight goes first; or never. */
static bool is_sent(struct sub *s, int result, const char *what)
{
    if (result < 0 && !error_is_passing(result)) {
        complain("%s: %s", what, error_text(result));
        s->client.status = STATUS_FAILED;
        s->client.over = true;
    }
    return result > 0;
}

/* The answer to UNSUBSCRIBE is not waited for: the broker handles packets in order. */
static void request(struct sub *s)
{
    const struct options *o = s->options;
    struct mqtt *m = &s->client.mqtt;
    uint32_t now = client_now_ms();
    if (s->client.over || !s->subscribe)
        return;
    if (s->unsubscribe)
        s->unsubscribe = !is_sent(s, mqtt_unsubscribe(m, o->unsubscriptions, o->unsubscription_count, now),
                                  "not unsubscribed");
    if (s->client.over || s->unsubscribe)
        return;
    s->subscribe = !is_sent(s, mqtt_subscribe_with(m, &o->filters, now), "no subscription");
    if (!s->subscribe) {
        s->asked = true;
        s->answered = false;
    }
}

static void handle(struct sub *s, const struct mqtt_event *event)
{
    if (mqtt_router_dispatch(&s->router, event))
        return;
    if (event->type == MQTT_EVENT_CONNECTED)
        on_connected(s, event->connected.session_present);
    else if (event->type == MQTT_EVENT_SUBSCRIBED)
        on_subscribed(s, &event->subscribed.reasons);
}

static bool has_enough(const struct sub *s)
{
    return s->options->count != 0 && s->printed >= s->options->count;
}

int run_sub(const struct options *options)
{
    static struct sub s;
    struct mqtt_event event;

    s.options = options;
    s.format = options->format != NULL ? options->format : options->verbose ? "%t %p" : "%p";
    s.unsubscribe = options->unsubscription_count > 0;
    set_routes(&s);
    client_init(&s.client, options);
    open_out(&s);
    while (!s.client.over && !has_enough(&s)) {
        bool more = client_poll(&s.client, &event);
        if (more)
            handle(&s, &event);
        request(&s);
        if (!more && !s.client.over)
            client_wait(&s.client, -1, UINT32_MAX);
    }
    /* Acknowledges what was printed last; what comes by that is not printed, and not acknowledged. */
    if (has_enough(&s) && client_poll(&s.client, &event))
        s.client.over = true;
    drop_parts(&s);
    if (s.out != NULL)
        fclose(s.out);
    return client_finish(&s.client);
}
