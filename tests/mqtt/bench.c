#include "bench.h"

#include <stdlib.h>
#include <string.h>

const struct mqtt_config bench_config = {.client_id = "mote", .keep_alive_s = 60};

#if MQTT_WITH_SESSIONS
uint8_t bench_memory[512];
struct mqtt_ram_store bench_store;

struct mqtt_config bench_keep(const struct mqtt_config *config)
{
    struct mqtt_config kept = *config;
    mqtt_ram_store_init(&bench_store, bench_memory, sizeof bench_memory);
    kept.session_expiry_s = 100;
    kept.store = &bench_store.store;
    return kept;
}

struct mqtt_config bench_session(void)
{
    struct mqtt_config config = bench_keep(&bench_config);
#if MQTT_WITH_QOS2
    config.qos2 = true;
#endif
    return config;
}
#endif

static void drop_view(struct bench *b)
{
    free(b->view);
    b->view = NULL;
}

static int fake_open(void *context)
{
    struct bench *b = context;
    assert_int_equal(b->state, MQTT_TRANSPORT_CLOSED);
    drop_view(b);
    if (b->open_result < 0)
        return b->open_result;
    b->opens++;
    b->state = b->open_at_once ? MQTT_TRANSPORT_OPEN : MQTT_TRANSPORT_OPENING;
    b->rx_length = 0;
    b->ring_used = 0;
    return 0;
}

static enum mqtt_transport_state fake_state(void *context)
{
    return ((struct bench *)context)->state;
}

static void fake_close(void *context, bool abort)
{
    struct bench *b = context;
    drop_view(b);
    b->closes++;
    b->rx_length = 0;
    if (abort) {
        b->aborts++;
        b->ring_used = 0;
        b->state = MQTT_TRANSPORT_CLOSED;
    } else if (b->state != MQTT_TRANSPORT_CLOSED) {
        b->state = MQTT_TRANSPORT_ENDING;
    }
}

static size_t fake_receive(void *context, const uint8_t **data)
{
    struct bench *b = context;
    size_t length =
        b->rx_length < b->transport.receive_capacity ? b->rx_length : b->transport.receive_capacity;
    drop_view(b);
    b->view = malloc(length + (length == 0));
    memcpy(b->view, b->rx, length);
    *data = b->view;
    return length;
}

static void fake_consume(void *context, size_t length)
{
    struct bench *b = context;
    assert_true(length <= b->rx_length);
    b->rx_length -= length;
    memmove(b->rx, b->rx + length, b->rx_length);
}

static size_t fake_reserve(void *context, struct mqtt_span room[2])
{
    struct bench *b = context;
    drop_view(b);
    size_t left = b->state == MQTT_TRANSPORT_OPEN ? b->ring_size - b->ring_used : 0;
    size_t start = (b->ring_head + b->ring_used) % b->ring_size;
    size_t first = b->ring_size - start < left ? b->ring_size - start : left;
    room[0] = (struct mqtt_span){b->ring + start, first};
    room[1] = (struct mqtt_span){b->ring, left - first};
    return left;
}

void bench_drain(struct bench *b)
{
    for (; b->ring_used > 0; b->ring_used--) {
        assert_true(b->wire_length < sizeof b->wire);
        b->wire[b->wire_length++] = b->ring[b->ring_head];
        b->ring_head = (b->ring_head + 1) % b->ring_size;
    }
}

static void fake_commit(void *context, size_t length)
{
    struct bench *b = context;
    drop_view(b);
    assert_true(length <= b->ring_size - b->ring_used);
    b->ring_used += length;
    if (!b->hold)
        bench_drain(b);
}

void bench_init(struct bench *b, const struct mqtt_config *config)
{
    memset(b, 0, sizeof *b);
    b->transport = (struct mqtt_transport){
        .context = b,
        .open = fake_open,
        .state = fake_state,
        .close = fake_close,
        .receive = fake_receive,
        .consume = fake_consume,
        .reserve = fake_reserve,
        .commit = fake_commit,
        .receive_capacity = 1024,
    };
    b->ring_size = 512;
    b->open_at_once = true;
    b->now_ms = 0xFFFFFF00; /* wraps soon */
    mqtt_init(&b->m, config, &b->transport, 1);
}

void bench_free(struct bench *b)
{
    drop_view(b);
}

void bench_connect(struct bench *b, const char *connack)
{
    assert_false(bench_poll(b));
    assert_true(b->wire_length > 0 && b->wire[0] == 0x10);
    bench_accept(b, connack != NULL ? connack : "20 03 00 00 00");
    bench_expect_idle(b);
}

void bench_accept(struct bench *b, const char *connack)
{
    b->wire_length = 0;
    bench_feed(b, connack);
    bench_expect_event(b, MQTT_EVENT_CONNECTED);
}

void bench_connected(struct bench *b, const struct mqtt_config *config)
{
    bench_init(b, config);
    bench_connect(b, NULL);
}

static unsigned hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c | 0x20);
    assert_non_null(at);
    return (unsigned)(at - digits);
}

size_t bench_parse(const char *text, uint8_t *bytes, size_t size)
{
    size_t length = 0;
    bool quoted = false;
    size_t open[4], depth = 0;
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            quoted = !quoted;
        } else if (quoted) {
            assert_true(length < size);
            bytes[length++] = (uint8_t)*text;
        } else if (*text == '(') {
            assert_true(depth < 4 && length < size);
            open[depth++] = length++;
        } else if (*text == ')') {
            assert_true(depth > 0);
            size_t at = open[--depth];
            assert_true(length - at - 1 < 128);
            bytes[at] = (uint8_t)(length - at - 1);
        } else if (*text != ' ') {
            assert_true(length < size);
            bytes[length++] = (uint8_t)(hex(text[0]) << 4 | hex(text[1]));
            text++;
        }
    }
    assert_true(depth == 0 && !quoted);
    return length;
}

void bench_feed_bytes(struct bench *b, const uint8_t *bytes, size_t length)
{
    assert_true(length <= sizeof b->rx - b->rx_length);
    memcpy(b->rx + b->rx_length, bytes, length);
    b->rx_length += length;
}

void bench_feed(struct bench *b, const char *text)
{
    b->rx_length += bench_parse(text, b->rx + b->rx_length, sizeof b->rx - b->rx_length);
}

void bench_expect_sent(struct bench *b, const char *text)
{
    uint8_t bytes[BENCH_BUFFER];
    size_t length = bench_parse(text, bytes, sizeof bytes);
    assert_int_equal(b->wire_length, length);
    if (length > 0)
        assert_memory_equal(b->wire, bytes, length);
    b->wire_length = 0;
}

bool bench_poll(struct bench *b)
{
    return mqtt_poll(&b->m, b->now_ms, &b->event);
}

void bench_expect_event(struct bench *b, enum mqtt_event_type type)
{
    assert_true(bench_poll(b));
    assert_int_equal(b->event.type, type);
}

void bench_expect_idle(struct bench *b)
{
    assert_false(bench_poll(b));
}

void bench_expect_published(struct bench *b, uint16_t packet_id, uint8_t reason)
{
    bench_expect_event(b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(b->event.published.packet_id, packet_id);
    assert_int_equal(b->event.published.reason, reason);
}

void bench_expect_end(struct bench *b, enum mqtt_cause cause, uint8_t reason)
{
    bench_expect_event(b, MQTT_EVENT_DISCONNECTED);
    assert_int_equal(b->event.disconnected.cause, cause);
    assert_int_equal(b->event.disconnected.reason, reason);
    assert_false(mqtt_is_connected(&b->m));
}

void bench_next_attempt(struct bench *b)
{
    unsigned opens = b->opens;
    b->state = MQTT_TRANSPORT_CLOSED;
    b->wire_length = 0;
    b->ring_used = 0;
    b->hold = false;
    if (mqtt_wait_ms(&b->m, b->now_ms) == 0) /* a close that waited for the end of the last event */
        bench_expect_idle(b);
    if (b->opens == opens) {
        b->state = MQTT_TRANSPORT_CLOSED;
        b->now_ms += mqtt_wait_ms(&b->m, b->now_ms);
        bench_expect_idle(b);
    }
    assert_int_equal(b->opens, opens + 1);
    assert_int_equal(b->wire[0], 0x10);
}

void bench_cut(struct bench *b)
{
    b->state = MQTT_TRANSPORT_CLOSED;
    bench_expect_end(b, MQTT_CAUSE_TRANSPORT, 0);
    bench_next_attempt(b);
}

void bench_back(struct bench *b, const char *connack)
{
    bench_cut(b);
    bench_accept(b, connack);
}

uint32_t bench_random(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

bool bench_slice_is(struct mqtt_slice slice, const char *text)
{
    return slice.length == strlen(text) && memcmp(slice.data, text, slice.length) == 0;
}
