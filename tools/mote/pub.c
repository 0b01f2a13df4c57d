/* mote pub: publishes a message, a file or lines. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/mote/client.h"

enum { PAYLOAD_MAX = 268435455 - 65535 * 4 }; /* leaves room for topic and properties in a packet */

/* Standard input by lines: what was read and is not used yet. */
struct input {
    char *data;
    size_t start, length, size;
    bool ended;
};

struct pub {
    struct client client;
    const struct options *options;
    struct mqtt_publish publish;
    struct input input;
    int file;           /* -1: none */
    uint32_t published; /* handed to the engine */
    uint32_t settled;   /* the broker has them; of QoS 0 as soon as they were sent */
    bool streaming;     /* a message from a source is under way: nothing else until it is settled */
    uint16_t stream_id; /* its packet id; 0 with QoS 0 */
    uint32_t next_ms;   /* of the next repetition */
};

static void fail(struct pub *p)
{
    p->client.status = STATUS_FAILED;
    p->client.over = true;
}

__attribute__((noreturn)) static void fail_with(const char *what)
{
    complain("%s: %s", what, strerror(errno));
    exit(STATUS_FAILED);
}

/* ---- Payloads ---- */

/* What cannot be read twice goes into a file that can; of what is too large no more than shows it. */
static int spool(int from, const char *name)
{
    char block[65536];
    ssize_t length;
    size_t total = 0;
    FILE *file = tmpfile();
    if (file == NULL)
        fail_with("temporary file");
    while (total <= PAYLOAD_MAX && (length = read(from, block, sizeof block)) > 0) {
        total += (size_t)length;
        if (fwrite(block, 1, (size_t)length, file) != (size_t)length)
            fail_with("temporary file");
    }
    if (length < 0)
        fail_with(name);
    if (fflush(file) != 0)
        fail_with("temporary file");
    return dup(fileno(file));
}

static const char *file_name(const struct pub *p)
{
    return p->options->file != NULL ? p->options->file : "standard input";
}

/* A pipe has no size, and those of the kernel's files, as in /proc, are not true. */
static bool has_its_size(int file)
{
    struct stat status;
    char last;
    return fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
           pread(file, &last, 1, status.st_size - 1) == 1;
}

static void open_file(struct pub *p)
{
    struct stat status;
    const char *name = file_name(p);
    int file = p->options->file != NULL ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (file < 0)
        fail_with(name);
    p->file = p->options->file != NULL && has_its_size(file) ? file : spool(file, name);
    if (p->file < 0 || fstat(p->file, &status) < 0)
        fail_with(name);
    if (status.st_size > PAYLOAD_MAX)
        usage_error("%s: larger than any message, %d bytes", name, PAYLOAD_MAX);
    p->publish.source_length = (uint32_t)status.st_size;
}

static int handed_over(struct pub *p, size_t end, size_t length)
{
    p->client.sending = end < p->publish.source_length;
    return (int)length;
}

static int read_file(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    struct pub *p = context;
    ssize_t got = pread(p->file, to, length < BUFFER_MAX ? length : BUFFER_MAX, offset);
    if (got > 0)
        return handed_over(p, offset + (size_t)got, (size_t)got);
    complain("%s: %s", file_name(p), got < 0 ? strerror(errno) : "it has become shorter while it was sent");
    fail(p);
    return -1;
}

static int read_line(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    struct pub *p = context;
    length = length < BUFFER_MAX ? length : BUFFER_MAX;
    memcpy(to, p->input.data + p->input.start + offset, length);
    return handed_over(p, offset + length, length);
}

/* As much as can be read at once. */
static void fill(struct input *in)
{
    enum { LEAST = 4096 };
    if (in->start > 0)
        memmove(in->data, in->data + in->start, in->length);
    in->start = 0;
    if (in->size - in->length < LEAST) {
        in->size = in->size * 2 + LEAST;
        in->data = realloc(in->data, in->size);
        if (in->data == NULL)
            fail_with("standard input");
    }
    ssize_t got = read(STDIN_FILENO, in->data + in->length, in->size - in->length);
    if (got < 0 && errno != EINTR && errno != EAGAIN)
        fail_with("standard input");
    if (got == 0)
        in->ended = true;
    if (got > 0)
        in->length += (size_t)got;
    if (in->length > PAYLOAD_MAX) {
        errno = EFBIG;
        fail_with("standard input: a line");
    }
}

/* The next line without its end; false: there is none, or not yet. */
static bool line(const struct input *in, struct mqtt_slice *text)
{
    const char *from = in->data + in->start;
    const char *newline = in->length > 0 ? memchr(from, '\n', in->length) : NULL;
    if (newline == NULL && !(in->ended && in->length > 0))
        return false;
    *text = (struct mqtt_slice){from, newline != NULL ? (size_t)(newline - from) : in->length};
    return true;
}

static void drop_line(struct input *in, size_t length)
{
    length = length < in->length ? length + 1 : length;
    in->start += length;
    in->length -= length;
}

/* ---- Publishing ---- */

static bool by_lines(const struct pub *p)
{
    return p->options->payload_kind == PAYLOAD_LINES;
}

/* Is there a message to publish, now? */
static bool has_next(struct pub *p, struct mqtt_slice *text)
{
    if (p->streaming)
        return false;
    if (by_lines(p))
        return line(&p->input, text);
    return p->published < p->options->repeat &&
           (p->published == 0 || (int32_t)(client_now_ms() - p->next_ms) >= 0);
}

/* From a source, if it is in a file or a line larger than the buffer. For what is in the arguments there is
 * room in any case. */
static void set_payload(struct pub *p, const struct mqtt_slice *text)
{
    struct mqtt_publish *publish = &p->publish;
    if (p->file >= 0) {
        publish->source = publish->source_length > 0 ? read_file : NULL;
        return;
    }
    publish->payload[0] = *text;
    publish->source = NULL;
    if (!by_lines(p) || text->length <= p->options->buffer)
        return;
    publish->source_length = (uint32_t)text->length;
    publish->source = read_line;
    publish->payload[0].length = 0;
}

/* While a message streams, those before it may still be acknowledged. */
static void settle(struct pub *p, uint16_t packet_id)
{
    p->settled++;
    if (!p->streaming || packet_id != p->stream_id)
        return;
    if (by_lines(p))
        drop_line(&p->input, p->publish.source_length);
    p->streaming = p->client.sending = false;
}

/* Returns whether something was published. */
static bool publish_next(struct pub *p)
{
    struct mqtt_slice text = p->options->publish.payload[0];
    uint32_t now = client_now_ms();
    if (p->client.over || !mqtt_is_connected(&p->client.mqtt) || !has_next(p, &text))
        return false;
    set_payload(p, &text);
    int id = mqtt_publish(&p->client.mqtt, &p->publish, now);
    if (id < 0) {
        if (error_is_passing(id))
            return false;
        complain("not published: %s", error_text(id));
        fail(p);
        return false;
    }
    p->published++;
    p->next_ms = now + p->options->repeat_delay_ms;
    p->streaming = p->client.sending = p->publish.source != NULL;
    p->stream_id = (uint16_t)id;
    if (p->streaming)
        return true;
    if (by_lines(p))
        drop_line(&p->input, text.length);
    if (id == 0)
        settle(p, 0);
    return true;
}

/* ---- Events ---- */

static void on_published(struct pub *p, uint16_t packet_id, uint8_t reason)
{
    if (reason >= MQTT_REASON_UNSPECIFIED) {
        if (reason == MQTT_REASON_PACKET_ID_NOT_FOUND)
            complain("the broker has lost the session: a message may not have arrived");
        else
            complain("the broker refuses the message: %s", reason_text(reason));
        p->client.status = STATUS_FAILED;
    }
    settle(p, packet_id);
}

/* Without a session nobody knows what has become of what was under way; a half message is sent again. */
static void on_disconnected(struct pub *p, unsigned lost)
{
    if (lost > 0 && !p->client.over) {
        complain("%u messages were under way when the connection was lost, and may not have arrived; with -c "
                 "and -i they would be sent again",
                 lost);
        fail(p);
    }
    p->client.sending = p->streaming; /* from the start */
    if (p->streaming && p->publish.qos == 0) {
        p->streaming = p->client.sending = false;
        p->published--;
    }
}

static void handle(struct pub *p, const struct mqtt_event *event)
{
    if (event->type == MQTT_EVENT_PUBLISHED)
        on_published(p, event->published.packet_id, event->published.reason);
    else if (event->type == MQTT_EVENT_DISCONNECTED)
        on_disconnected(p, event->disconnected.lost);
}

static bool is_done(const struct pub *p)
{
    bool all = by_lines(p) ? p->input.ended && p->input.length == 0 : p->published == p->options->repeat;
    return all && p->settled == p->published && mqtt_is_connected(&p->client.mqtt);
}

static void wait(struct pub *p)
{
    struct mqtt_slice text;
    bool wants_input = by_lines(p) && !p->input.ended && !p->streaming && !line(&p->input, &text);
    uint32_t most = UINT32_MAX;
    if (!by_lines(p) && p->published > 0 && p->published < p->options->repeat) {
        int32_t left = (int32_t)(p->next_ms - client_now_ms());
        most = left > 0 ? (uint32_t)left : UINT32_MAX; /* due: then it waits for the broker */
    }
    if (client_wait(&p->client, wants_input ? STDIN_FILENO : -1, most))
        fill(&p->input);
}

int run_pub(const struct options *options)
{
    static struct pub p;
    struct mqtt_event event;

    p.options = options;
    p.publish = options->publish;
    p.file = -1;
    if (options->payload_kind == PAYLOAD_FILE)
        open_file(&p);
    p.publish.source_context = &p;
    client_init(&p.client, options);
    while (!p.client.over && !is_done(&p)) {
        bool progress = false;
        while (client_poll(&p.client, &event)) {
            handle(&p, &event);
            progress = true;
        }
        while (publish_next(&p))
            progress = true;
        if (!progress && !p.client.over && !is_done(&p))
            wait(&p);
    }
    free(p.input.data);
    p.input.data = NULL;
    if (p.file >= 0)
        close(p.file);
    return client_finish(&p.client);
}
