/* What a broker, or somebody in its place, may send: each answer is defined. hostile-input classes of MQTT.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

struct row {
    const char *what;
    const char *bytes;
    uint8_t reason; /* the DISCONNECT that we send */
};

/* The connection is closed with this reason, and a new one works. */
static void expect_violation(struct bench *b, const struct row *row)
{
    print_message("  %s\n", row->what);
    bench_feed(b, row->bytes);
    bench_expect_end(b, MQTT_CAUSE_PROTOCOL, row->reason);
    const uint8_t disconnect[] = {0xE0, 1, row->reason};
    assert_int_equal(b->wire_length, sizeof disconnect);
    assert_memory_equal(b->wire, disconnect, sizeof disconnect);
    assert_int_equal(mqtt_statistics(&b->m)->violations, 1);
    assert_int_equal(b->closes, 1);
    bench_next_attempt(b);
    bench_feed(b, "20 03 00 00 00");
    bench_expect_event(b, MQTT_EVENT_CONNECTED);
    bench_feed(b, "30 04 00 01 't' 00");
    bench_expect_event(b, MQTT_EVENT_MESSAGE);
    bench_expect_idle(b);
    bench_free(b);
}

static void before_connack(void **state)
{
    static const struct row rows[] = {
        {"PUBLISH first", "30 04 00 01 't' 00", 0x82},
        {"PUBLISH QoS 1 first", "32 06 00 01 't' 00 01 00", 0x82},
        {"PINGRESP first", "d0 00", 0x82},
        {"DISCONNECT first", "e0 00", 0x82},
        {"AUTH first", "f0 00", 0x82},
        {"SUBACK first", "90 04 00 01 00 00", 0x82},
        {"type 0", "00 00", 0x81},
        {"CONNACK flags", "21 03 00 00 00", 0x81},
        {"CONNACK empty", "20 00", 0x81},
        {"CONNACK as in 3.1.1", "20 02 00 00", 0x81},
        {"CONNACK reserved bit", "20 03 02 00 00", 0x81},
        {"session present after a clean start", "20 03 01 00 00", 0x82},
        {"session present with a refusal", "20 03 01 87 00", 0x82},
        {"CONNACK reason below 0x80", "20 03 00 01 00", 0x82},
        {"CONNACK with more behind", "20 04 00 00 00 00", 0x81},
        {"property length beyond the packet", "20 03 00 00 01", 0x81},
        {"property length of five bytes", "20 08 00 00 80 80 80 80 01 00", 0x81},
        {"property length longer than needed", "20 04 00 00 80 00", 0x81},
        {"property cut", "20 (00 00 (27 00 00))", 0x81},
        {"string beyond the properties", "20 (00 00 (1f 00 05 'abc'))", 0x81},
        {"string length cut", "20 (00 00 (1f 00))", 0x81},
        {"unknown property 0", "20 (00 00 (00 00))", 0x81},
        {"unknown property 4", "20 (00 00 (04 00))", 0x81},
        {"unknown property 0x2b", "20 (00 00 (2b 00))", 0x81},
        {"unknown property 0xff", "20 (00 00 (ff 00))", 0x81},
        {"property of a PUBLISH", "20 (00 00 (01 00))", 0x81},
        {"property of a CONNECT", "20 (00 00 (17 00))", 0x81},
        {"authentication unasked", "20 (00 00 (15 00 01 'x'))", MQTT_WITH_AUTH ? 0x82 : 0x81},
        {"Receive Maximum 0", "20 (00 00 (21 00 00))", 0x82},
        {"Maximum Packet Size 0", "20 (00 00 (27 00 00 00 00))", 0x82},
        {"Maximum QoS 2", "20 (00 00 (24 02))", 0x82},
        {"Retain Available 2", "20 (00 00 (25 02))", 0x82},
        {"Wildcard Available 2", "20 (00 00 (28 02))", 0x82},
        {"Receive Maximum twice", "20 (00 00 (21 00 01 21 00 01))", 0x82},
        {"Reason String twice", "20 (00 00 (1f 00 00 1f 00 00))", 0x82},
        {"Reason String not UTF-8", "20 (00 00 (1f 00 01 ff))", 0x81},
        {"User Property cut", "20 (00 00 (26 00 01 'k' 00 01))", 0x81},
        {"User Property with NUL", "20 (00 00 (26 00 01 'k' 00 01 00))", 0x81},
        {"Remaining Length of five bytes", "20 80 80 80 80 01", 0x81},
        {"too large", "20 81 08", 0x95},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        bench_init(&b, &bench_config);
        bench_expect_idle(&b);
        b.wire_length = 0;
        expect_violation(&b, &rows[i]);
    }
}

static void in_session(void **state)
{
    static const struct row rows[] = {
        {"second CONNACK", "20 03 00 00 00", 0x82},
        {"CONNECT", "10 00", 0x82},
        {"SUBSCRIBE", "82 00", 0x81},
        {"UNSUBSCRIBE", "a0 00", 0x82},
        {"PINGREQ", "c0 00", 0x82},
        {"AUTH unasked", "f0 00", 0x82},
        {"type 0", "00 00", 0x81},
        {"PUBACK flags", "41 02 00 01", 0x81},
        {"PUBREC", "50 02 00 01", 0x82},
        {"PUBREL", "62 02 00 01", 0x82},
        {"PUBREL flags", "60 02 00 01", 0x81},
        {"PUBCOMP", "70 02 00 01", 0x82},
        {"PINGRESP flags", "d1 00", 0x81},
        {"PINGRESP with a body", "d0 01 00", 0x81},
        {"DISCONNECT flags", "e8 00", 0x81},
        {"DISCONNECT with more behind", "e0 03 00 00 00", 0x81},
        {"DISCONNECT property cut", "e0 02 00 01", 0x81},
        {"DISCONNECT with session expiry", "e0 (00 (11 00 00 00 00))", 0x81},
        {"Remaining Length of five bytes", "30 ff ff ff ff 7f", 0x81},
        {"Remaining Length longer than needed", "d0 80 00", 0x81},
        {"above our Maximum Packet Size", "30 fe 07", 0x95},
        {"far above our Maximum Packet Size", "30 ff ff ff 7f", 0x95},
        {"PUBLISH empty", "30 00", 0x81},
        {"PUBLISH topic cut", "30 03 00 05 't'", 0x81},
        {"PUBLISH without properties", "30 03 00 01 't'", 0x81},
        {"PUBLISH QoS 3", "36 06 00 01 't' 00 01 00", 0x81},
        {"PUBLISH QoS 2", "34 06 00 01 't' 00 01 00", 0x9B},
        {"PUBLISH QoS 0 with DUP", "38 04 00 01 't' 00", 0x81},
        {"PUBLISH packet id 0", "32 06 00 01 't' 00 00 00", 0x82},
        {"PUBLISH packet id cut", "32 04 00 01 't' 00", 0x81},
        {"PUBLISH topic empty", "30 03 00 00 00", 0x82},
        {"PUBLISH topic with NUL", "30 04 00 01 00 00", 0x81},
        {"PUBLISH topic with a surrogate", "30 06 00 03 ed a0 80 00", 0x81},
        {"PUBLISH topic overlong", "30 05 00 02 c0 af 00", 0x81},
        {"PUBLISH topic with #", "30 06 00 03 'a/#' 00", 0x90},
        {"PUBLISH topic with +", "30 0a 00 07 'a/+/bcd' 00", 0x90},
        {"topic alias 0", "30 (00 01 't' (23 00 00))", 0x94},
        {"topic alias 1, unknown", "30 (00 00 (23 00 01))", 0x94},
        {"topic alias above the maximum", "30 (00 01 't' (23 ff ff))", 0x94},
        {"property length beyond the packet", "30 04 00 01 't' 01", 0x81},
        {"property cut", "30 (00 01 't' (02 00 00 00))", 0x81},
        {"property misplaced", "30 (00 01 't' (21 00 01))", 0x81},
        {"Payload Format twice", "30 (00 01 't' (01 00 01 00))", 0x82},
        {"Payload Format 2", "30 (00 01 't' (01 02))", 0x82},
        {"Correlation twice", "30 (00 01 't' (09 00 00 09 00 00))", 0x82},
        {"Correlation cut", "30 (00 01 't' (09 00 03 00 00))", 0x81},
        {"Response Topic twice", "30 (00 01 't' (08 00 01 'r' 08 00 01 'r'))", 0x82},
        {"Response Topic with a wildcard", "30 (00 01 't' (08 00 01 '#'))", 0x90},
        {"Response Topic empty", "30 (00 01 't' (08 00 00))", 0x90},
        {"Response Topic not UTF-8", "30 (00 01 't' (08 00 01 80))", 0x81},
        {"Content Type not UTF-8", "30 (00 01 't' (03 00 01 80))", 0x81},
        {"Subscription Identifier 0", "30 (00 01 't' (0b 00))", 0x82},
        {"Subscription Identifier of five bytes", "30 (00 01 't' (0b 80 80 80 80 01))", 0x81},
        {"User Property name not UTF-8", "30 (00 01 't' (26 00 01 80 00 00))", 0x81},
        {"User Property without a value", "30 (00 01 't' (26 00 01 'k'))", 0x81},
        {"PUBACK empty", "40 00", 0x81},
        {"PUBACK cut", "40 01 00", 0x81},
        {"PUBACK packet id 0", "40 02 00 00", 0x82},
        {"PUBACK with more behind", "40 05 00 01 00 00 00", 0x81},
        {"PUBACK property misplaced", "40 (00 01 00 (01 00))", 0x81},
        {"PUBACK with a reason of none", "40 03 00 01 01", 0x82},
        {"SUBACK empty", "90 00", 0x81},
        {"SUBACK packet id 0", "90 04 00 00 00 00", 0x82},
        {"SUBACK for none", "90 03 00 02 00", 0x82},
        {"SUBACK for more than asked", "90 05 00 02 00 00 00", 0x82},
        {"SUBACK grants QoS 2", "90 04 00 02 00 02", 0x82},
        {"SUBACK without properties", "90 02 00 02", 0x81},
        {"UNSUBACK as in 3.1.1", "b0 02 00 03", 0x81},
        {"UNSUBACK for more than asked", "b0 05 00 03 00 00 00", 0x82},
        {"UNSUBACK with a reason of none", "b0 04 00 03 00 01", 0x82},
    };
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        bench_connected(&b, &bench_config);
        assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
        assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms), 2);
        assert_int_equal(mqtt_unsubscribe(&b.m, &s, 1, b.now_ms), 3);
        b.wire_length = 0;
        expect_violation(&b, &rows[i]);
    }
}

static void unknown_acks_are_ignored(void **state)
{
    static const char *const packets[] = {
        "40 02 00 01",       "40 02 ff ff", "40 03 00 02 00",       "90 04 00 01 00 00",
        "90 04 00 0a 00 00", "40 02 00 0a", "b0 05 00 02 00 00 00", "b0 04 00 01 00 00",
    };
    enum { COUNT = sizeof packets / sizeof packets[0] };
    struct bench b;
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = 1};
    (void)state;
    bench_connected(&b, &bench_config);
    assert_int_equal(mqtt_publish(&b.m, &publish, b.now_ms), 1);
    bench_feed(&b, "40 02 00 01");
    bench_expect_event(&b, MQTT_EVENT_PUBLISHED);
    assert_int_equal(mqtt_subscribe(&b.m, &s, 1, b.now_ms),
                     2); /* an ack of another type does not settle it */
    for (size_t i = 0; i < COUNT; i++) {
        bench_feed(&b, packets[i]);
        bench_expect_idle(&b);
    }
    assert_true(mqtt_is_connected(&b.m));
    assert_int_equal(mqtt_statistics(&b.m)->unknown_acks, COUNT);
    bench_feed(&b, "90 04 00 02 00 00 d0 00 d0 00");
    bench_expect_event(&b, MQTT_EVENT_SUBSCRIBED);
    bench_expect_idle(&b);
    bench_free(&b);
}

static void refusals(void **state)
{
    (void)state;
    for (unsigned reason = 0x80; reason < 0x100; reason++) {
        struct bench b;
        const uint8_t connack[] = {0x20, 3, 0, (uint8_t)reason, 0};
        bench_init(&b, &bench_config);
        bench_expect_idle(&b);
        b.wire_length = 0;
        bench_feed_bytes(&b, connack, sizeof connack);
        bench_expect_end(&b, MQTT_CAUSE_REFUSED, (uint8_t)reason);
        assert_false(b.event.disconnected.established);
        bench_expect_sent(&b, "");
        bench_next_attempt(&b);
        bench_free(&b);
    }
}

/* Of the largest size that we announce, a packet comes through. */
static void largest_packet(void **state)
{
    struct bench b;
    static uint8_t packet[1024];
    (void)state;
    for (unsigned size = 1023; size <= 1025; size++) {
        bench_connected(&b, &bench_config);
        unsigned remaining = size - 3;
        memset(packet, 'x', sizeof packet);
        const uint8_t head[] = {
            0x30, (uint8_t)(remaining & 0x7F) | 0x80, (uint8_t)(remaining >> 7), 0, 1, 't', 0};
        memcpy(packet, head, sizeof head);
        bench_feed_bytes(&b, packet, size <= 1024 ? size : 1024);
        if (size <= 1024) {
            bench_expect_event(&b, MQTT_EVENT_MESSAGE);
            assert_int_equal(b.event.message.payload.length, size - 7);
        } else {
            bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, MQTT_REASON_PACKET_TOO_LARGE);
        }
        bench_free(&b);
    }
}

/* Without room for the DISCONNECT the connection is closed all the same. */
static void violation_with_full_buffer(void **state)
{
    struct bench b;
    (void)state;
    bench_connected(&b, &bench_config);
    b.ring_used = b.ring_size;
    bench_feed(&b, "00 00");
    bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, 0x81);
    assert_int_equal(b.closes, 1);
    bench_free(&b);
}

static uint32_t random_state = 12345;

static uint32_t rnd(uint32_t below)
{
    return bench_random(&random_state, below);
}

static size_t random_packet(uint8_t *bytes, size_t size)
{
    static const char *const seeds[] = {
        "20 03 00 00 00",
        "20 (00 00 (21 00 02 24 01 25 01 27 00 00 10 00 12 00 01 'i' 13 00 05))",
        "30 08 00 03 'a/b' 00 'hi'",
        "32 (00 03 'a/b' 00 07 (01 01 08 00 01 'r' 09 00 02 01 02 26 00 01 'k' 00 01 'v' 0b 05) 'x')",
        "40 02 00 01",
        "40 (00 01 10 (1f 00 01 'x'))",
        "90 (00 02 (26 00 00 00 00) 00)",
        "b0 (00 03 00 11)",
        "d0 00",
        "e0 (8b (1c 00 01 'x'))",
        "f0 00",
    };
    size_t length = bench_parse(seeds[rnd(sizeof seeds / sizeof seeds[0])], bytes, size);
    if (rnd(8) == 0) {
        length = 1 + rnd(40);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)rnd(256);
        if (rnd(2))
            bytes[1] = (uint8_t)(length - 2);
    }
    for (unsigned n = rnd(4); n > 0; n--)
        bytes[rnd((uint32_t)length)] ^= (uint8_t)(rnd(2) ? rnd(256) : 1u << rnd(8));
    if (rnd(16) == 0)
        length = 1 + rnd((uint32_t)length);
    return length;
}

/* Everything that an event points to can be read. */
static uint32_t touch(const struct mqtt_event *event)
{
    uint32_t sum = 0;
    struct mqtt_slice slices[3] = {{NULL, 0}};
    if (event->type == MQTT_EVENT_MESSAGE) {
        struct mqtt_slice rest = event->message.properties;
        struct mqtt_user_property user;
        while (mqtt_next_user_property(&rest, &user))
            sum += (uint32_t)(user.name.length + user.value.length);
        slices[0] = event->message.topic;
        slices[1] = event->message.payload;
        slices[2] = event->message.correlation;
    } else if (event->type == MQTT_EVENT_SUBSCRIBED || event->type == MQTT_EVENT_UNSUBSCRIBED) {
        slices[0] = event->subscribed.reasons;
    }
    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < slices[s].length; i++)
            sum += ((const uint8_t *)slices[s].data)[i];
    }
    return sum;
}

static void random_act(struct bench *b)
{
    const struct mqtt_publish publish = {.topic = {TEXT("t")}, .qos = (uint8_t)rnd(2)};
    const struct mqtt_subscription s = {.filter = {TEXT("t")}};
    int ignored = 0;
    switch (rnd(8)) {
    case 0: ignored = mqtt_publish(&b->m, &publish, b->now_ms); break;
    case 1: ignored = mqtt_subscribe(&b->m, &s, 1, b->now_ms); break;
    case 2: ignored = mqtt_unsubscribe(&b->m, &s, 1, b->now_ms); break;
    case 3: b->now_ms += rnd(2000); break;
    case 4: b->hold = rnd(4) == 0; break;
    case 5: bench_drain(b); break;
    default: break;
    }
    (void)ignored;
}

/* 200 000 mutated packets: always healthy or closed, nothing lost, and at the end a session works. */
static void random_packets(void **state)
{
    static struct bench b;
    uint8_t bytes[256];
    uint32_t sum = 0;
    unsigned connected = 0, ended = 0;
    (void)state;
    bench_init(&b, &bench_config);
    for (unsigned i = 0; i < 200000; i++) {
        b.wire_length = 0;
        if (b.state == MQTT_TRANSPORT_ENDING)
            b.state = MQTT_TRANSPORT_CLOSED;
        random_act(&b);
        if (b.state == MQTT_TRANSPORT_OPEN) {
            if (!mqtt_is_connected(&b.m) && rnd(2))
                bench_feed(&b, "20 03 00 00 00");
            else
                bench_feed_bytes(&b, bytes, random_packet(bytes, sizeof bytes));
        } else {
            b.now_ms += mqtt_wait_ms(&b.m, b.now_ms);
        }
        unsigned closes = b.closes;
        for (unsigned polls = 0; bench_poll(&b); polls++) {
            assert_true(polls < 200);
            sum += touch(&b.event);
            connected += b.event.type == MQTT_EVENT_CONNECTED;
            ended += b.event.type == MQTT_EVENT_DISCONNECTED;
        }
        assert_true(b.closes == closes || !mqtt_is_connected(&b.m) || b.state == MQTT_TRANSPORT_OPEN);
        assert_true(!mqtt_is_connected(&b.m) || mqtt_quota(&b.m) <= MQTT_INFLIGHT_MAX);
        if (b.rx_length > 4096)
            b.state = MQTT_TRANSPORT_CLOSED;
    }
    print_message("  %u sessions, %u ends, sum %u\n", connected, ended, (unsigned)sum);
    assert_true(connected > 1000 && ended > 1000);
    assert_int_equal(mqtt_statistics(&b.m)->sessions, connected);
    mqtt_disconnect(&b.m, 0, b.now_ms);
    while (bench_poll(&b))
        continue;
    b.state = MQTT_TRANSPORT_CLOSED;
    b.hold = false;
    b.ring_used = 0;
    b.rx_length = 0;
    b.wire_length = 0;
    mqtt_connect(&b.m, b.now_ms);
    bench_connect(&b, NULL);
    assert_int_equal(mqtt_quota(&b.m), MQTT_INFLIGHT_MAX);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_connack),           cmocka_unit_test(in_session),
        cmocka_unit_test(unknown_acks_are_ignored), cmocka_unit_test(refusals),
        cmocka_unit_test(largest_packet),           cmocka_unit_test(violation_with_full_buffer),
        cmocka_unit_test(random_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
