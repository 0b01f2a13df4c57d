#define _GNU_SOURCE
/* Messages larger than the buffers: received in parts, sent from a source. */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_STREAMING

static const struct mqtt_config config = {
    .client_id = "mote",
    .keep_alive_s = 60,
    .maximum_packet_size = 16 << 20,
#if MQTT_WITH_QOS2
    .qos2 = true,
#endif
};

/* A payload that tells each place from the others. */
static uint8_t byte_at(uint32_t offset)
{
    return (uint8_t)(offset * 2654435761u >> 21);
}

static void announced(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    bench_expect_idle(&b);
    const uint8_t size[] = {0x27, 1, 0, 0, 0};
    assert_non_null(memmem(b.wire, b.wire_length, size, sizeof size));
    bench_free(&b);
}

/* ---- Received ---- */

static size_t varint(uint8_t *to, uint32_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        to[n++] = (uint8_t)(value | 0x80);
    to[n++] = (uint8_t)value;
    return n;
}

/* Fixed header, topic "big", id 7, content type or not. */
static size_t large_head(uint8_t *to, unsigned head, uint32_t payload)
{
    static const char *const rest = "00 03 'big' 00 07 (26 00 01 'k' 00 01 'v')";
    static const char *const rest_0 = "00 03 'big' (26 00 01 'k' 00 01 'v')";
    uint8_t bytes[32];
    size_t length = bench_parse(head & 6 ? rest : rest_0, bytes, sizeof bytes);
    to[0] = (uint8_t)head;
    size_t n = 1 + varint(to + 1, (uint32_t)length + payload);
    memcpy(to + n, bytes, length);
    return n + length;
}

/* The broker sends as the receive buffer has room. */
struct feeder {
    uint32_t total, fed;
    uint32_t got; /* by us, all right so far */
};

static void feed_more(struct bench *b, struct feeder *f, size_t most)
{
    while (f->fed < f->total && b->rx_length < b->transport.receive_capacity && most-- > 0) {
        uint8_t byte = byte_at(f->fed++);
        bench_feed_bytes(b, &byte, 1);
    }
}

static void expect_begin(struct bench *b, uint32_t total, unsigned qos)
{
    struct mqtt_user_property user;
    struct mqtt_slice properties = b->event.message.properties;
    assert_int_equal(b->event.type, MQTT_EVENT_MESSAGE_BEGIN);
    assert_true(bench_slice_is(b->event.message.topic, "big"));
    assert_true(mqtt_next_user_property(&properties, &user));
    assert_true(bench_slice_is(user.value, "v"));
    assert_int_equal(b->event.message.total, total);
    assert_int_equal(b->event.message.qos, qos);
    assert_int_equal(b->event.message.payload.length, 0);
}

static void take_part(struct bench *b, struct feeder *f)
{
    const uint8_t *data = b->event.part.data.data;
    assert_int_equal(b->event.type, MQTT_EVENT_MESSAGE_PART);
    assert_int_equal(b->event.part.offset, f->got);
    assert_int_equal(b->event.part.total, f->total);
    assert_true(b->event.part.data.length > 0);
    for (size_t i = 0; i < b->event.part.data.length; i++)
        assert_int_equal(data[i], byte_at(f->got + (uint32_t)i));
    f->got += (uint32_t)b->event.part.data.length;
}

static void receive_large(struct bench *b, uint32_t total, unsigned qos, size_t step)
{
    struct feeder f = {.total = total};
    uint8_t head[32];
    bench_feed_bytes(b, head, large_head(head, 0x30 | qos << 1, total));
    feed_more(b, &f, step);
    while (!bench_poll(b))
        feed_more(b, &f, step);
    expect_begin(b, total, qos);
    while (f.got < total) {
        if (bench_poll(b))
            take_part(b, &f);
        else
            assert_true(f.fed < total);
        feed_more(b, &f, step);
    }
    bench_expect_idle(b);
}

/* 8 MB through 4 KB, at once as much as fits. */
static void eight_megabytes_received(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, &config);
    b.transport.receive_capacity = 4096;
    bench_connect(&b, NULL);
    receive_large(&b, 8 << 20, 1, SIZE_MAX);
    bench_expect_sent(&b, "40 02 00 07");
    assert_int_equal(mqtt_statistics(&b.m)->received, 1);
    bench_feed(&b, "30 04 00 01 't' 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(b.event.message.total, 0);
    bench_free(&b);
}

/* Each size around the buffer's, each step of arrival, each QoS. */
static void sizes_around_the_buffer(void **state)
{
    (void)state;
    for (unsigned qos = 0; qos <= (MQTT_WITH_QOS2 ? 2 : 1); qos++) {
        for (uint32_t payload = 40; payload < 80; payload++) {
            for (size_t step = 1; step < 70; step += step < 4 ? 1 : 20) {
                struct bench b;
                uint8_t head[32];
                bench_init(&b, &config);
                b.transport.receive_capacity = 64;
                bench_connect(&b, NULL);
                size_t head_size = large_head(head, 0x30 | qos << 1, payload);
                if (head_size + payload > 64) {
                    receive_large(&b, payload, qos, step);
                } else {
                    struct feeder f = {.total = payload};
                    bench_feed_bytes(&b, head, head_size);
                    while (!bench_poll(&b))
                        feed_more(&b, &f, step);
                    assert_int_equal(b.event.type, MQTT_EVENT_MESSAGE);
                    assert_int_equal(b.event.message.total, payload);
                    assert_int_equal(b.event.message.payload.length, payload);
                    bench_expect_idle(&b);
                }
                bench_expect_sent(&b, qos == 0 ? "" : qos == 1 ? "40 02 00 07" : "50 02 00 07");
                bench_free(&b);
            }
        }
    }
}

static void too_large_all_the_same(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t reason;
    } rows[] = {
        {"30 81 80 80 08", 0x95},                 /* above what we announced */
        {"90 80 08 00 01 00", 0x95},              /* not a PUBLISH */
        {"36 80 10 00 01 't' 00 01 00", 0x81},    /* QoS 3 */
        {"30 80 10 00 00 00", 0x82},              /* no topic */
        {"32 80 10 00 01 't' 00 00 00", 0x82},    /* packet id 0 */
        {"30 80 10 00 01 't' 03 02 00 00", 0x81}, /* property cut */
        {"30 80 10 00 01 '#' 00", 0x90},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        bench_connected(&b, &config);
        bench_feed(&b, rows[i].bytes);
        bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, rows[i].reason);
        bench_next_attempt(&b);
        bench_feed(&b, "20 03 00 00 00 30 04 00 01 't' 00");
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        bench_free(&b);
    }
    /* A topic that does not fit the buffer. */
    struct bench b;
    uint8_t bytes[1024] = {0x30, 0x80, 0x10, 0x07, 0xD0};
    memset(bytes + 5, 't', sizeof bytes - 5);
    bench_connected(&b, &config);
    bench_feed_bytes(&b, bytes, sizeof bytes - 1);
    bench_expect_idle(&b);
    bench_feed_bytes(&b, bytes + 5, 1);
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x95);
    bench_free(&b);
}

/* The connection is lost after each byte: begin and parts at most, and another session works. */
static void cut_while_receiving(void **state)
{
    enum { PAYLOAD = 100 };
    uint8_t packet[160];
    (void)state;
    size_t head = large_head(packet, 0x32, PAYLOAD);
    for (uint32_t i = 0; i < PAYLOAD; i++)
        packet[head + i] = byte_at(i);
    for (size_t cut = 0; cut < head + PAYLOAD; cut++) {
        struct bench b;
        struct feeder f = {.total = PAYLOAD};
        bench_init(&b, &config);
        b.transport.receive_capacity = 64;
        bench_connect(&b, NULL);
        for (size_t i = 0; i < cut; i++) {
            bench_feed_bytes(&b, packet + i, 1);
            while (bench_poll(&b)) {
                if (b.event.type == MQTT_EVENT_MESSAGE_BEGIN)
                    expect_begin(&b, PAYLOAD, 1);
                else
                    take_part(&b, &f);
            }
        }
        bench_expect_sent(&b, "");
        bench_cut(&b);
        bench_feed(&b, "20 03 00 00 00 30 04 00 01 't' 00");
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        bench_expect_event(&b, MQTT_EVENT_MESSAGE);
        bench_free(&b);
    }
}

/* The last part waits for the room of the acknowledgement. */
static void last_part_waits(void **state)
{
    struct bench b;
    struct feeder f = {.total = 100};
    uint8_t head[32];
    (void)state;
    bench_init(&b, &config);
    b.transport.receive_capacity = 64;
    bench_connect(&b, NULL);
    bench_feed_bytes(&b, head, large_head(head, 0x32, 100));
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
    b.hold = true;
    b.ring_used = b.ring_size - 3;
    feed_more(&b, &f, 40);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
    take_part(&b, &f);
    bench_expect_idle(&b);
    feed_more(&b, &f, 60);
    bench_expect_idle(&b);
    assert_int_equal(b.rx_length, 60);
    b.ring_used = 0;
    bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
    take_part(&b, &f);
    bench_expect_idle(&b);
    bench_drain(&b);
    bench_expect_sent(&b, "40 02 00 07");
    bench_free(&b);
}

#if MQTT_WITH_QOS2 && MQTT_WITH_SESSIONS
/* Cut in its middle it was not delivered, and comes again; whole, it was. */
static void exactly_once_in_parts(void **state)
{
    static uint8_t memory[64];
    struct mqtt_ram_store ram;
    struct mqtt_config kept = config;
    struct bench b;
    (void)state;
    mqtt_ram_store_init(&ram, memory, sizeof memory);
    kept.store = &ram.store;
    kept.session_expiry_s = 60;
    bench_init(&b, &kept);
    b.transport.receive_capacity = 64;
    bench_connect(&b, NULL);
    for (unsigned round = 0; round < 3; round++) {
        struct feeder f = {.total = 100};
        uint8_t head[32];
        bench_feed_bytes(&b, head, large_head(head, round == 0 ? 0x34 : 0x3c, 100));
        if (round < 2) {
            bench_expect_event(&b, MQTT_EVENT_MESSAGE_BEGIN);
            feed_more(&b, &f, 40);
            bench_expect_event(&b, MQTT_EVENT_MESSAGE_PART);
            take_part(&b, &f);
        }
        for (unsigned i = 0; round > 0 && i < 10; i++) {
            feed_more(&b, &f, 40);
            if (bench_poll(&b))
                take_part(&b, &f);
        }
        assert_int_equal(f.got, round == 0 ? 40 : round == 1 ? 100 : 0);
        bench_expect_sent(&b, round == 0 ? "" : "50 02 00 07");
        bench_back(&b, "20 03 01 00 00");
        bench_expect_idle(&b);
    }
    assert_int_equal(mqtt_statistics(&b.m)->duplicates, 1);
    bench_free(&b);
}
#endif

/* ---- Sent ---- */

struct source {
    uint32_t most;  /* at a time */
    uint32_t asked; /* times */
    uint32_t fails_at;
};

static int source(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    struct source *s = context;
    s->asked++;
    if (s->fails_at != 0 && offset >= s->fails_at)
        return -1;
    if (length > s->most)
        length = s->most;
    for (size_t i = 0; i < length; i++)
        to[i] = byte_at(offset + (uint32_t)i);
    return (int)length;
}

static struct mqtt_publish large_publish(struct source *s, uint32_t total, uint8_t qos)
{
    return (struct mqtt_publish){
        .topic = {TEXT("t")}, .qos = qos, .source = source, .source_context = s, .source_length = total};
}

/* The network takes out what there is, byte by byte checked. */
static void drain_payload(struct bench *b, uint32_t *taken)
{
    bench_drain(b);
    for (size_t i = 0; i < b->wire_length; i++)
        assert_int_equal(b->wire[i], byte_at(*taken + (uint32_t)i));
    *taken += (uint32_t)b->wire_length;
    b->wire_length = 0;
}

static void eight_megabytes_sent(void **state)
{
    enum { TOTAL = 8 << 20 };
    struct bench b;
    struct source s = {.most = UINT32_MAX};
    const struct mqtt_publish p = large_publish(&s, TOTAL, 1);
    const struct mqtt_publish small = {.topic = {TEXT("t")}};
    uint32_t taken = 0;
    (void)state;
    bench_init(&b, &config);
    b.ring_size = 4096;
    bench_connect(&b, NULL);
    b.hold = true;
    assert_int_equal(mqtt_publish_size(&p), 5 + 6 + TOTAL);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_drain(&b);
    bench_expect_sent(&b, "32 86 80 80 04 00 01 't' 00 01 00");
    while (taken < TOTAL) {
        assert_int_equal(mqtt_publish(&b.m, &small, b.now_ms), MQTT_ERROR_FULL);
        assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), MQTT_ERROR_INFLIGHT);
        bench_expect_idle(&b);
        assert_true(b.ring_used > 0);
        drain_payload(&b, &taken);
    }
    assert_int_equal(taken, TOTAL);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), MQTT_ERROR_INFLIGHT); /* until PUBLISHED */
    bench_feed(&b, "40 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 2);
    bench_free(&b);
}

/* From a source that gives a little at a time, or nothing. */
static void slow_source(void **state)
{
    (void)state;
    for (uint32_t most = 1; most < 9; most++) {
        struct bench b;
        struct source s = {.most = most};
        const struct mqtt_publish p = large_publish(&s, 20, 0);
        bench_connected(&b, &config);
        assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
        bench_expect_sent(&b, "30 18 00 01 't' 00");
        unsigned polls = 0;
        s.most = 0;
        bench_expect_idle(&b);
        bench_expect_sent(&b, "");
        s.most = most;
        while (!bench_poll(&b))
            polls++;
        assert_int_equal(polls, (20 + most - 1) / most - 1);
        assert_int_equal(b.event.type, MQTT_EVENT_PUBLISHED);
        assert_int_equal(b.event.published.packet_id, 0);
        assert_int_equal(b.wire_length, 20);
        for (uint32_t i = 0; i < 20; i++)
            assert_int_equal(b.wire[i], byte_at(i));
        bench_free(&b);
    }
}

/* What comes meanwhile: QoS 0 is delivered, what wants an answer waits, as does the ping. */
static void meanwhile(void **state)
{
    struct bench b;
    struct source s = {.most = 0};
    const struct mqtt_publish p = large_publish(&s, 1000, 0);
    uint32_t taken = 0;
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    b.wire_length = 0;
    bench_feed(&b, "30 04 00 01 't' 00 32 06 00 01 't' 00 05 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    b.now_ms += 52500;
    bench_expect_idle(&b); /* a ping is due */
    s.most = 10;
    bench_expect_idle(&b); /* progress: the broker is there */
    drain_payload(&b, &taken);
    assert_int_equal(mqtt_wait_ms(&b.m, b.now_ms), 52500);
    s.most = UINT32_MAX;
    while (!bench_poll(&b))
        drain_payload(&b, &taken);
    drain_payload(&b, &taken);
    assert_int_equal(b.event.type, MQTT_EVENT_PUBLISHED);
    assert_int_equal(taken, 1000);
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(&b);
    bench_expect_sent(&b, "40 02 00 05");
    bench_free(&b);
}

/* A broker that takes nothing any more. */
static void stalled(void **state)
{
    struct bench b;
    struct source s = {.most = UINT32_MAX};
    const struct mqtt_publish p = large_publish(&s, 1000000, 1);
    uint32_t waited = 0;
    (void)state;
    bench_connected(&b, &config);
    b.hold = true;
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    while (!bench_poll(&b)) {
        uint32_t wait = mqtt_wait_ms(&b.m, b.now_ms);
        assert_true(wait > 0 && waited <= 90000);
        b.now_ms += wait;
        waited += wait;
    }
    assert_int_equal(b.event.disconnected.cause, MQTT_CAUSE_TIMEOUT);
    assert_int_equal(b.event.disconnected.lost, 1);
    assert_int_equal(waited, 82500);
    bench_free(&b);
}

/* A payload that begins in the answer to a message does not take the place of its acknowledgement. */
static void begins_while_delivering(void **state)
{
    struct bench b;
    struct source s = {.most = UINT32_MAX};
    const struct mqtt_publish p = large_publish(&s, 3, 0);
    (void)state;
    bench_connected(&b, &config);
    bench_feed(&b, "32 06 00 01 't' 00 07 00");
    bench_expect_event(&b, MQTT_EVENT_MESSAGE);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    bench_expect_idle(&b);
    static const uint8_t ack[] = {0x40, 2, 0, 7};
    assert_int_equal(b.wire_length, 9 + sizeof ack);
    assert_non_null(memmem(b.wire, b.wire_length, ack, sizeof ack));
    bench_free(&b);
}

/* More than any packet has, or than 32 bits reckon with. */
static void impossible_totals(void **state)
{
    struct bench b;
    struct source s = {.most = UINT32_MAX};
    (void)state;
    bench_connected(&b, &config);
    for (unsigned less = 0; less < 16; less++) {
        const struct mqtt_publish p = large_publish(&s, UINT32_MAX - less, 1);
        assert_true(mqtt_publish_size(&p) == SIZE_MAX);
        assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), MQTT_ERROR_ARGUMENT);
    }
    bench_expect_idle(&b);
    bench_expect_sent(&b, "");
    bench_free(&b);
}

static void source_gives_up(void **state)
{
    struct bench b;
    struct source s = {.most = UINT32_MAX, .fails_at = 600};
    const struct mqtt_publish p = large_publish(&s, 1000, 1), none = large_publish(&s, 0, 1);
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &none, b.now_ms), MQTT_ERROR_ARGUMENT);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_expect_end(&b, MQTT_CAUSE_USER, MQTT_REASON_UNSPECIFIED);
    assert_int_equal(b.event.disconnected.retry_ms, UINT32_MAX);
    assert_int_equal(mqtt_statistics(&b.m)->lost, 1);
    b.state = MQTT_TRANSPORT_CLOSED;
    mqtt_connect(&b.m, b.now_ms);
    b.wire_length = 0;
    bench_connect(&b, NULL);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 2);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX - 1);
    bench_free(&b);
}

/* An acknowledgement of what is not whole yet means nothing. */
static void acknowledged_too_early(void **state)
{
    struct bench b;
    struct source s = {.most = 10};
    const struct mqtt_publish p = large_publish(&s, 20, 1);
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
    bench_feed(&b, "40 02 00 01");
    bench_expect_idle(&b);
    assert_int_equal(mqtt_statistics(&b.m)->unknown_acks, 1);
    bench_expect_idle(&b);
    bench_feed(&b, "40 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    bench_free(&b);
}

#if MQTT_WITH_SESSIONS
/* Cut at each place of it: it goes over again, whole, with DUP. */
static void sent_again(void **state)
{
    enum { TOTAL = 60 };
    static uint8_t memory[64];
    (void)state;
    for (uint32_t cut = 0; cut <= TOTAL; cut++) {
        struct mqtt_ram_store ram;
        struct mqtt_config kept = config;
        struct bench b;
        struct source s = {.most = 1};
        const struct mqtt_publish p = large_publish(&s, TOTAL, 1);
        uint32_t taken = 0;
        mqtt_ram_store_init(&ram, memory, sizeof memory);
        kept.store = &ram.store;
        kept.session_expiry_s = 60;
        bench_init(&b, &kept);
        bench_connect(&b, NULL);
        assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 1);
        for (uint32_t i = 0; i < cut; i++)
            bench_expect_idle(&b);
        assert_int_equal(b.wire_length, 8 + cut);
        b.state = MQTT_TRANSPORT_CLOSED;
        if (cut < TOTAL)
            s.most = 0;
        bench_expect_end(&b, MQTT_CAUSE_TRANSPORT, 0);
        assert_int_equal(b.event.disconnected.lost, 0);
        bench_next_attempt(&b);
        b.wire_length = 0;
        s.most = 7;
        bench_feed(&b, "20 03 01 00 00");
        bench_expect_event(&b, MQTT_EVENT_CONNECTED);
        for (unsigned i = 0; i < 12; i++)
            bench_expect_idle(&b);
        const uint8_t head[] = {0x3a, 66, 0, 1, 't', 0, 1, 0};
        assert_memory_equal(b.wire, head, sizeof head);
        b.wire_length -= sizeof head;
        memmove(b.wire, b.wire + sizeof head, b.wire_length);
        drain_payload(&b, &taken);
        assert_int_equal(taken, TOTAL);
        bench_feed(&b, "40 02 00 01");
        bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
        assert_int_equal(ram.used, 0);
        bench_free(&b);
    }
}
#endif

/* Not told as sent. */
static void source_of_qos0_gives_up(void **state)
{
    struct bench b;
    struct source s = {.most = UINT32_MAX, .fails_at = 600};
    const struct mqtt_publish p = large_publish(&s, 1000, 0);
    (void)state;
    bench_connected(&b, &config);
    assert_int_equal(mqtt_publish(&b.m, &p, b.now_ms), 0);
    bench_expect_end(&b, MQTT_CAUSE_USER, MQTT_REASON_UNSPECIFIED);
    bench_expect_idle(&b);
    bench_free(&b);
}

#endif

int main(void)
{
#if MQTT_WITH_STREAMING
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_of_qos0_gives_up),
        cmocka_unit_test(announced),
        cmocka_unit_test(eight_megabytes_received),
        cmocka_unit_test(sizes_around_the_buffer),
        cmocka_unit_test(too_large_all_the_same),
        cmocka_unit_test(cut_while_receiving),
        cmocka_unit_test(last_part_waits),
#if MQTT_WITH_QOS2 && MQTT_WITH_SESSIONS
        cmocka_unit_test(exactly_once_in_parts),
#endif
        cmocka_unit_test(eight_megabytes_sent),
        cmocka_unit_test(slow_source),
        cmocka_unit_test(meanwhile),
        cmocka_unit_test(stalled),
        cmocka_unit_test(begins_while_delivering),
        cmocka_unit_test(impossible_totals),
        cmocka_unit_test(source_gives_up),
        cmocka_unit_test(acknowledged_too_early),
#if MQTT_WITH_SESSIONS
        cmocka_unit_test(sent_again),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
