#include "messages.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stream_of_messages up, down;
uint64_t running_seed;
bool tracing;

void broken(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fail_msg("seed %llu, after %llu ms: %s", (unsigned long long)running_seed,
             (unsigned long long)world.link.elapsed, text);
    abort();
}

void trace(const char *format, ...)
{
    va_list arguments;
    if (!tracing) {
        return;
    }
    (void)printf("%9llu ", (unsigned long long)world.link.elapsed);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)printf("\n");
}

void messages_open(struct stream_of_messages *stream, const char *name, unsigned count, uint32_t unwanted)
{
    memset(stream, 0, sizeof *stream);
    memset(stream->newest, 0xFF, sizeof stream->newest);
    stream->name = name;
    stream->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct message *m = &stream->list[i];
        m->qos = (uint8_t)(world_random() % 3);
        m->topic = (uint8_t)(world_random() % TOPICS);
        m->unwanted = m->qos && world_chance(unwanted);
        m->size = (uint16_t)world_between(MESSAGE_LEAST, world_chance(150) ? MESSAGE_MOST : 60);
    }
}

uint8_t message_byte(unsigned index, size_t offset)
{
    if (offset < MESSAGE_LEAST) {
        return (uint8_t)(index >> 8 * offset);
    }
    return (uint8_t)((index * 31 + offset) * 2654435761U >> 13);
}

unsigned message_recognize(const struct stream_of_messages *stream, const uint8_t *payload, size_t size,
                           const void *topic, size_t topic_length, unsigned qos)
{
    char expected[16];
    unsigned index = 0;
    for (size_t i = 0; i < MESSAGE_LEAST && i < size; i++) {
        index |= (unsigned)payload[i] << 8 * i;
    }
    if (size < MESSAGE_LEAST || index >= stream->count) {
        broken("%s: a message that nobody has sent", stream->name);
    }
    const struct message *m = &stream->list[index];
    size_t length = (size_t)snprintf(expected, sizeof expected, "%s/%u", stream->name, m->topic);
    if (size != m->size || qos != m->qos || topic_length != length || memcmp(topic, expected, length) != 0) {
        broken("%s: message %u has size %zu for %u, QoS %u for %u, or another topic", stream->name, index,
               size, m->size, qos, m->qos);
    }
    for (size_t i = MESSAGE_LEAST; i < size; i++) {
        if (payload[i] != message_byte(index, i)) {
            broken("%s: message %u differs at byte %zu", stream->name, index, i);
        }
    }
    return index;
}

void message_arrives(struct stream_of_messages *stream, unsigned index)
{
    struct message *m = &stream->list[index];
    trace("%s: message %u of QoS %u arrives", stream->name, index, m->qos);
    if (!m->sent) {
        broken("%s: message %u was never sent", stream->name, index);
    }
    if (m->given_up) {
        broken("%s: message %u of QoS 2 comes though it was given up", stream->name, index);
    }
    if (m->arrived++) {
        if (m->qos != 1) {
            broken("%s: message %u of QoS %u delivered %u times", stream->name, index, m->qos, m->arrived);
        }
        return;
    }
    int *newest = &stream->newest[m->topic][m->qos];
    if (*newest > (int)index) {
        broken("%s: message %u of QoS %u comes after %d", stream->name, index, m->qos, *newest);
    }
    *newest = (int)index;
}

static void expect_kept(const struct stream_of_messages *stream, unsigned index)
{
    const struct message *m = &stream->list[index];
    if (m->sent && m->qos && !m->excused && !m->unwanted && m->arrived == 0) {
        broken("%s: message %u of QoS %u is lost", stream->name, index, m->qos);
    }
}

void messages_expect_kept(const struct stream_of_messages *stream)
{
    for (unsigned i = 0; i < stream->count; i++) {
        expect_kept(stream, i);
    }
}

bool messages_settled(void)
{
    for (unsigned i = 0; i < up.issued; i++) {
        const struct message *m = &up.list[i];
        if (m->sent && m->qos && !m->settled && !m->excused) {
            return false;
        }
    }
    return up.issued == up.count;
}
