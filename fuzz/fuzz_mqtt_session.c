/*
 * A live session with everything that the engine has: the input is the broker's bytes, the user's calls, the
 * transport's moods and the time. The views that the engine holds are freed as soon as the transport's
 * contract lets them go; what it sends is read as strictly as a server may; and whatever came, after it a
 * session works, and nothing is in flight.
 */
#include "fuzz/input.h"
#include "mqtt/mqtt.h"
#include "tests/mqtt/client_packet.h"

#include <stdlib.h>
#include <string.h>

enum { RECEIVED = 2048, CAPACITY = 256, RING = 512, STORE = 1024, LARGEST = 4000, WIRE = 8192 };

static struct {
    struct mqtt m;
    uint32_t now;
    enum mqtt_transport_state state;
    uint8_t received[RECEIVED];
    size_t received_length;
    uint8_t *view;
    uint8_t ring[RING];
    size_t ring_start, ring_used;
    bool holds;   /* the network takes nothing */
    bool damaged; /* the store had records of the fuzzer's, which go out as they are */
    uint8_t wire[WIRE];
    size_t wire_length;
    struct client_stream stream;
    uint32_t part_next, part_total; /* of a message in parts */
} world;

static struct mqtt_ram_store store;
static uint8_t store_memory[STORE], alias_memory[4 * (2 + 16)], assigned[32];

/* ---- The transport ---- */

static void drop_view(void)
{
    free(world.view);
    world.view = NULL;
}

static int transport_open(void *context)
{
    (void)context;
    MUST(world.state == MQTT_TRANSPORT_CLOSED);
    drop_view();
    world.state = MQTT_TRANSPORT_OPEN;
    world.received_length = world.ring_used = world.wire_length = 0;
    memset(&world.stream, 0, sizeof world.stream);
    world.stream.alias_maximum =
        UINT16_MAX; /* what the CONNACK says is the fuzzer's and the engine's affair */
    return 0;
}

static enum mqtt_transport_state transport_state(void *context)
{
    (void)context;
    return world.state;
}

static void transport_close(void *context, bool abort)
{
    (void)context;
    drop_view();
    world.received_length = 0;
    if (abort) {
        world.state = MQTT_TRANSPORT_CLOSED;
    } else if (world.state != MQTT_TRANSPORT_CLOSED) {
        world.state = MQTT_TRANSPORT_ENDING;
    }
}

static size_t transport_receive(void *context, const uint8_t **data)
{
    size_t length = world.received_length < CAPACITY ? world.received_length : CAPACITY;
    (void)context;
    drop_view();
    *data = world.view = exact_copy(world.received, length);
    return length;
}

static void transport_consume(void *context, size_t length)
{
    (void)context;
    MUST(length <= world.received_length);
    world.received_length -= length;
    memmove(world.received, world.received + length, world.received_length);
}

static size_t transport_reserve(void *context, struct mqtt_span room[2])
{
    (void)context;
    drop_view();
    size_t left = world.state == MQTT_TRANSPORT_OPEN ? RING - world.ring_used : 0;
    size_t start = (world.ring_start + world.ring_used) % RING;
    size_t first = RING - start < left ? RING - start : left;
    room[0] = (struct mqtt_span){world.ring + start, first};
    room[1] = (struct mqtt_span){world.ring, left - first};
    return left;
}

static void read_wire(void)
{
    for (;;) {
        size_t size = client_packet_size(world.wire, world.wire_length);
        if (world.damaged && (size == SIZE_MAX || size > WIRE)) {
            world.wire_length = 0;
            return;
        }
        MUST(size != SIZE_MAX && size <= WIRE);
        if (size == 0 || size > world.wire_length) {
            return;
        }
        const char *wrong = client_stream_packet(&world.stream, world.wire, size);
        if (wrong && !world.damaged) {
            fuzz_broken(wrong, __FILE__, __LINE__);
        }
        world.wire_length -= size;
        memmove(world.wire, world.wire + size, world.wire_length);
    }
}

static void drain(void)
{
    for (; world.ring_used; world.ring_used--) {
        MUST(world.wire_length < WIRE);
        world.wire[world.wire_length++] = world.ring[world.ring_start];
        world.ring_start = (world.ring_start + 1) % RING;
    }
    read_wire();
}

static void transport_commit(void *context, size_t length)
{
    (void)context;
    drop_view();
    MUST(length <= RING - world.ring_used);
    world.ring_used += length;
    if (!world.holds) {
        drain();
    }
}

static const struct mqtt_transport transport = {
    .open = transport_open,
    .state = transport_state,
    .close = transport_close,
    .receive = transport_receive,
    .consume = transport_consume,
    .reserve = transport_reserve,
    .commit = transport_commit,
    .receive_capacity = CAPACITY,
};

/* ---- Events: all that they point to can be read ---- */

static volatile uint8_t sink;

static void touch(struct mqtt_slice slice)
{
    for (size_t i = 0; slice.data && i < slice.length; i++) {
        sink = (uint8_t)(sink ^ ((const uint8_t *)slice.data)[i]);
    }
}

static void touch_properties(struct mqtt_slice properties)
{
    struct mqtt_user_property user;
    while (properties.data && mqtt_next_user_property(&properties, &user)) {
        touch(user.name);
        touch(user.value);
    }
}

static void touch_message(const struct mqtt_message *message)
{
    MUST(message->topic.length > 0 && message->qos <= 2);
    touch(message->topic);
    touch(message->payload);
    touch(message->response_topic);
    touch(message->correlation);
    touch(message->content_type);
    touch_properties(message->properties);
}

static void take_part(const struct mqtt_event *event)
{
    MUST(world.part_total == event->part.total && world.part_next == event->part.offset);
    touch(event->part.data);
    world.part_next += (uint32_t)event->part.data.length;
    MUST(world.part_next <= world.part_total);
    if (world.part_next == world.part_total) {
        world.part_total = 0;
    }
}

static void take(const struct mqtt_event *event)
{
    /* Between the parts of a message there is no other one, only what has become of packets of ours. */
    MUST(!world.part_total || event->type == MQTT_EVENT_MESSAGE_PART ||
         event->type == MQTT_EVENT_DISCONNECTED || event->type == MQTT_EVENT_PUBLISHED ||
         event->type == MQTT_EVENT_SUBSCRIBED || event->type == MQTT_EVENT_UNSUBSCRIBED);
    switch (event->type) {
    case MQTT_EVENT_MESSAGE: touch_message(&event->message); return;
    case MQTT_EVENT_MESSAGE_BEGIN:
        touch_message(&event->message);
        world.part_next = 0;
        world.part_total = event->message.total;
        return;
    case MQTT_EVENT_MESSAGE_PART: take_part(event); return;
    case MQTT_EVENT_SUBSCRIBED:
    case MQTT_EVENT_UNSUBSCRIBED: touch(event->subscribed.reasons); break;
    case MQTT_EVENT_DISCONNECTED:
        world.part_total = 0;
        touch(event->details.server_reference);
        MUST(!mqtt_is_connected(&world.m));
        break;
    default: break;
    }
    touch(event->details.client_id);
    touch(event->details.response_information);
    touch(event->details.reason_string);
    touch_properties(event->details.properties);
}

static void poll_all(void)
{
    struct mqtt_event event;
    for (unsigned i = 0; mqtt_poll(&world.m, world.now, &event); i++) {
        MUST(i < 2000);
        take(&event);
    }
    MUST(mqtt_quota(&world.m) <= MQTT_INFLIGHT_MAX);
}

/* ---- What the input does ---- */

static int source(void *context, uint32_t offset, uint8_t *to, size_t length)
{
    (void)context;
    if (offset % 7 == 3) {
        length = 1;
    }
    memset(to, 'x', length);
    return (int)length;
}

static void publish(unsigned how)
{
    struct mqtt_publish p = {.topic = {MQTT_TEXT("a/"), MQTT_TEXT("b")},
                             .payload = {MQTT_TEXT("hello")},
                             .qos = how % 3 > 2 ? 0 : (uint8_t)(how % 3),
                             .retain = how >> 2 & 1,
                             .alias = how >> 3 & 3};
    if (how >> 5 & 1) {
        p.source = source;
        p.source_length = 1 + how % 1000;
    }
    int result = mqtt_publish(&world.m, &p, world.now);
    MUST(result >= MQTT_ERROR_UNAVAILABLE && result <= 65535);
}

static void call(struct input *input)
{
    static const struct mqtt_subscription s = {.filter = {MQTT_TEXT("a/#")}, .qos = 2};
    static const struct mqtt_user_property user = {MQTT_TEXT("k"), MQTT_TEXT("v")};
    const struct mqtt_closure closure = {
        .reason = 0x80, .reason_string = MQTT_TEXT("no"), .user = &user, .user_count = 1};
    unsigned which = input_byte(input);
    int result = 0;
    switch (which & 7) {
    case 0:
    case 1: publish(which >> 3 | (unsigned)input_byte(input) << 5); break;
    case 2: result = mqtt_subscribe(&world.m, &s, 1, world.now); break;
    case 3: result = mqtt_unsubscribe(&world.m, &s, 1, world.now); break;
    case 4: result = mqtt_acknowledge(&world.m, &closure, world.now); break;
    case 5: result = mqtt_reauthenticate(&world.m, world.now); break;
    case 6:
        if (which & 8) {
            mqtt_disconnect_with(&world.m, &closure, world.now);
        } else {
            mqtt_disconnect(&world.m, 0, world.now);
        }
        break;
    default: mqtt_connect(&world.m, world.now); break;
    }
    MUST(result >= MQTT_ERROR_UNAVAILABLE);
}

static void feed(const uint8_t *bytes, size_t length)
{
    if (world.state != MQTT_TRANSPORT_OPEN || length > RECEIVED - world.received_length) {
        return;
    }
    world.stream.accepted = true; /* whatever it was: the engine knows */
    memcpy(world.received + world.received_length, bytes, length);
    world.received_length += length;
}

/* A plain CONNACK, if the fuzzer does not want to find one. */
static void accept(unsigned how)
{
    static const uint8_t plain[] = {0x20, 3, 0, 0, 0}, present[] = {0x20, 3, 1, 0, 0},
                         old[] = {0x20, 2, 0, 0}, with_method[] = {0x20, 7, 0, 0, 4, 0x15, 0, 1, 'M'};
    if (mqtt_version(&world.m) == 4) {
        feed(old, sizeof old);
    } else if (world.m.config->authenticator) {
        feed(with_method, sizeof with_method);
    } else {
        feed(how & 1 ? present : plain, 5);
    }
}

static void act(struct input *input)
{
    unsigned what = input_byte(input);
    size_t length;
    uint8_t *bytes;
    switch (what >> 5) {
    case 0:
    case 1:
    case 2:
        length = what & 0x3F;
        bytes = input_copy(input, &length);
        feed(bytes, length);
        free(bytes);
        break;
    case 3: call(input); break;
    case 4: world.now += (what & 31U) * 1000; break;
    case 5:
        world.holds = what & 1;
        if (!world.holds) {
            drain();
        }
        break;
    case 6:
        if (world.state == MQTT_TRANSPORT_ENDING || what & 1) {
            world.state = MQTT_TRANSPORT_CLOSED;
        }
        break;
    default: accept(what); break;
    }
    poll_all();
}

/* ---- A run ---- */

static int step(void *context, enum mqtt_auth_step which, struct mqtt_slice data, struct mqtt_slice *answer)
{
    (void)context;
    touch(data);
    if (which != MQTT_AUTH_SUCCESS) {
        *answer = (struct mqtt_slice)MQTT_TEXT("ab");
    }
    return data.length == 3 ? -1 : 0;
}

static const struct mqtt_authenticator authenticator = {.method = "M", .step = step};
static const struct mqtt_subscription standing = {.filter = {MQTT_TEXT("s")}, .qos = 1};
static const struct mqtt_filters subscriptions = {.subscriptions = &standing, .count = 1};

static struct mqtt_config configure(unsigned how)
{
    static const struct mqtt_will will = {.topic = {MQTT_TEXT("w")}, .delay_s = 1};
    return (struct mqtt_config){
        .client_id = how & 1 ? "" : "mote",
        .keep_alive_s = 30,
        .will = &will,
        .qos2 = how >> 1 & 1,
        .session_expiry_s = how >> 2 & 1 ? 100 : 0,
        .store = &store.store,
        .resume = how >> 3 & 1,
        .subscriptions = how >> 4 & 1 ? &subscriptions : NULL,
        .maximum_packet_size = how >> 5 & 1 ? LARGEST : 0,
        .assigned_id = {assigned, sizeof assigned},
        .alias_memory = alias_memory,
        .alias_topic_bytes = 16,
        .alias_maximum = how >> 6 & 1 ? 4 : 0,
        .authenticator = how >> 7 & 1 ? &authenticator : NULL,
        .version = how >> 8 & 1 ? 4 : 5,
        .fall_back = how >> 9 & 1,
        .brokers = how >> 10 & 1 ? 2 : 1,
        .ack_timeout_ms = how >> 11 & 1 ? 10000 : 0,
        .backoff_max_ms = 1000,
    };
}

/* Records that outlived a reset, and may be anything: checking them is the store's part. */
static void fill_store(struct input *input)
{
    for (unsigned left = input_byte(input) & 3; left; left--) {
        uint32_t key = input_byte(input) | (uint32_t)(input_byte(input) & 3) << 15;
        size_t size = input_byte(input) & 31;
        uint8_t *bytes = input_copy(input, &size);
        const struct mqtt_slice parts[2] = {{bytes, size}, {NULL, 0}};
        (void)store.store.put(&store, key, parts);
        free(bytes);
        world.damaged = true;
    }
}

/* The judgement: all is given up, and a session works. */
static void expect_health(void)
{
    static const uint8_t message[] = {0x30, 7, 0, 1, 't', 0, 'x', 'y', 'z'},
                         old_message[] = {0x30, 6, 0, 1, 't', 'x', 'y', 'z'};
    world.holds = false;
    drain();
    mqtt_disconnect(&world.m, 0, world.now);
    poll_all();
    world.state = MQTT_TRANSPORT_CLOSED;
    mqtt_connect(&world.m, world.now);
    for (unsigned i = 0; i < 5 && !mqtt_is_connected(&world.m); i++) {
        poll_all();
        if (world.state == MQTT_TRANSPORT_OPEN) {
            accept(0);
        } else {
            world.state = MQTT_TRANSPORT_CLOSED;
            world.now += 5000;
        }
        poll_all();
    }
    MUST(mqtt_is_connected(&world.m));
    uint32_t received = mqtt_statistics(&world.m)->received;
    if (mqtt_version(&world.m) == 4) {
        feed(old_message, sizeof old_message);
    } else {
        feed(message, sizeof message);
    }
    poll_all();
    MUST(mqtt_statistics(&world.m)->received == received + 1);
    mqtt_disconnect(&world.m, 0, world.now);
    poll_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    const struct mqtt_config config = configure(input_half(&input));
    memset(&world, 0, sizeof world);
    world.now = 0xFFFFF000;
    mqtt_ram_store_init(&store, store_memory, sizeof store_memory);
    fill_store(&input);
    mqtt_init(&world.m, &config, &transport, 1);
    poll_all();
    while (input.size) {
        act(&input);
    }
    expect_health();
    drop_view();
    return 0;
}
