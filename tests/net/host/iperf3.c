/*
 * The first connection of a test is for control: a cookie of 37 bytes, then bytes that name states, between
 * which each side sends a JSON text behind its length in four bytes. Connections that begin with the same
 * cookie carry the data.
 */
#include "tests/net/host/iperf3.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COOKIE = 37, JSON_MAX = 4096 };

/* The states' names are iperf3's own. */
enum {
    TEST_START = 1,
    TEST_RUNNING = 2,
    TEST_END = 4,
    PARAM_EXCHANGE = 9,
    CREATE_STREAMS = 10,
    EXCHANGE_RESULTS = 13,
    DISPLAY_RESULTS = 14,
    IPERF_DONE = 16,
};

static struct {
    struct connection *control; /* NULL: no test */
    struct connection *stream;
    uint8_t cookie[COOKIE];
    int state; /* the last one that we have sent, or TEST_END */
    bool reverse;
    uint64_t bytes;
} test;

/* All or nothing: `length` bytes from the front. */
static bool take(struct connection *c, void *to, size_t length)
{
    const uint8_t *bytes;
    if (tcp_peek(&c->tcp, &bytes) < length)
        return false;
    memcpy(to, bytes, length);
    tcp_consume(&c->tcp, length);
    return true;
}

static void put(struct connection *c, const void *from, size_t length)
{
    struct tcp_span room[2];
    if (tcp_reserve(&c->tcp, room) < length) {
        tcp_abort(&c->tcp); /* the few bytes of control always fit */
        return;
    }
    size_t first = length < room[0].length ? length : room[0].length;
    memcpy(room[0].data, from, first);
    if (length > first)
        memcpy(room[1].data, (const uint8_t *)from + first, length - first);
    tcp_commit(&c->tcp, length);
}

static void tell(int state)
{
    uint8_t byte = (uint8_t)state;
    test.state = state;
    put(test.control, &byte, 1);
}

/* A whole JSON text behind its length; false: it has not come yet. */
static bool take_json(struct connection *c, char text[JSON_MAX])
{
    const uint8_t *bytes;
    size_t there = tcp_peek(&c->tcp, &bytes);
    if (there < 4)
        return false;
    size_t length = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    if (length >= JSON_MAX) {
        tcp_abort(&c->tcp);
        return false;
    }
    if (there < 4 + length)
        return false;
    memcpy(text, bytes + 4, length);
    text[length] = '\0';
    tcp_consume(&c->tcp, 4 + length);
    return true;
}

static void put_results(void)
{
    char text[512];
    int length = snprintf(text + 4, sizeof text - 4,
                          "{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,"
                          "\"sender_has_retransmits\":0,\"streams\":[{\"id\":1,\"bytes\":%" PRIu64
                          ",\"retransmits\":-1,\"jitter\":0,\"errors\":0,\"packets\":0,\"start_time\":0,"
                          "\"end_time\":1}]}",
                          test.bytes);
    text[0] = text[1] = 0;
    text[2] = (char)(length >> 8);
    text[3] = (char)length;
    put(test.control, text, 4 + (size_t)length);
}

static void serve_control(void)
{
    static char text[JSON_MAX];
    uint8_t state;

    switch (test.state) {
    case PARAM_EXCHANGE:
        if (take_json(test.control, text)) {
            test.reverse = strstr(text, "\"reverse\":") != NULL;
            tell(CREATE_STREAMS);
        }
        break;
    case CREATE_STREAMS:
        if (test.stream) {
            tell(TEST_START);
            tell(TEST_RUNNING);
        }
        break;
    case TEST_RUNNING:
        if (take(test.control, &state, 1) && state == TEST_END)
            tell(EXCHANGE_RESULTS);
        break;
    case EXCHANGE_RESULTS:
        if (take_json(test.control, text)) {
            put_results();
            tell(DISPLAY_RESULTS);
        }
        break;
    default: /* IPERF_DONE, and the end */ (void)take(test.control, &state, 1); break;
    }
}

static size_t drain(struct connection *c)
{
    const uint8_t *bytes;
    size_t length = tcp_peek(&c->tcp, &bytes);
    tcp_consume(&c->tcp, length);
    return length;
}

/*
 * What is sent means nothing to iperf3: what the ring holds will do. The client may be waiting for the rest
 * of a block when it has already told the end: so sending ends later.
 */
static void serve_stream(struct service *service)
{
    struct tcp_span room[2];
    size_t length = drain(test.stream);

    service->received += length;
    if (!test.reverse)
        test.bytes += length;
    if (test.reverse && (test.state == TEST_RUNNING || test.state == EXCHANGE_RESULTS)) {
        length = tcp_reserve(&test.stream->tcp, room);
        tcp_commit(&test.stream->tcp, length);
        service->sent += length;
        test.bytes += length;
    }
}

static void begin(struct connection *c)
{
    uint8_t cookie[COOKIE];
    if (!take(c, cookie, COOKIE))
        return;
    c->received = COOKIE;
    /* `received` is 0 again when the socket of an earlier test has been offered anew. */
    if (!test.control || test.control->received == 0) {
        test.control = c;
        test.stream = NULL;
        test.bytes = 0;
        memcpy(test.cookie, cookie, COOKIE);
        tell(PARAM_EXCHANGE);
    } else if (!test.stream && memcmp(cookie, test.cookie, COOKIE) == 0) {
        test.stream = c;
    } else {
        tcp_abort(&c->tcp);
    }
}

void serve_iperf3(struct service *service, struct connection *c)
{
    if (c->received == 0)
        begin(c);
    else if (c == test.control)
        serve_control();
    else if (c == test.stream)
        serve_stream(service);
    else
        (void)drain(c); /* of a test that has ended, for what was still on its way */
    if (tcp_state(&c->tcp) == TCP_CLOSE_WAIT)
        connection_close(c);
}
