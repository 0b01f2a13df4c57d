/*
 * A session whose connection is cut after every byte, of either direction, and again soon after: with a
 * broker that keeps its side of the session, nothing of QoS 1 is lost, and everything of QoS 2 arrives
 * exactly once, in order.
 */
#include "bench.h"

#include <string.h>

#if MQTT_WITH_SESSIONS && MQTT_WITH_QOS2

enum { MESSAGES = 4 }; /* each way; the odd ones are QoS 2 */

static unsigned qos_of(unsigned i)
{
    return 1 + i % 2;
}

/* What a broker that is right does, as far as these messages need it. */
struct model {
    bool has_session;
    enum { TO_SEND, SENT, RELEASED, DONE } out[MESSAGES];
    uint16_t held[MESSAGES]; /* packet ids of QoS 2 that are not released */
    unsigned held_count;
    unsigned got[MESSAGES]; /* how often */
    unsigned last_new;      /* order: each new one is the next */
    uint8_t to_client[512];
    size_t length;
};

struct run {
    struct bench b;
    struct model broker;
    size_t budget; /* bytes until the cut */
    size_t passed;
    unsigned next; /* to be published */
    unsigned settled;
    unsigned got[MESSAGES];
    unsigned order;
};

static void say(struct model *model, const uint8_t *bytes, size_t length)
{
    assert_true(model->length + length <= sizeof model->to_client);
    memcpy(model->to_client + model->length, bytes, length);
    model->length += length;
}

static void say_short(struct model *model, uint8_t head, unsigned id)
{
    const uint8_t packet[] = {head, 2, 0, (uint8_t)id};
    say(model, packet, sizeof packet);
}

static void say_message(struct model *model, unsigned i)
{
    const uint8_t dup = model->out[i] == SENT ? 8 : 0;
    const uint8_t packet[] = {
        (uint8_t)(0x30 | dup | qos_of(i) << 1), 7, 0, 1, 't', 0, (uint8_t)(i + 1), 0, (uint8_t)i};
    say(model, packet, sizeof packet);
    model->out[i] = SENT;
}

static void on_connect(struct model *model, bool clean)
{
    if (clean) {
        model->has_session = false;
        model->held_count = 0;
        for (unsigned i = 0; i < MESSAGES; i++)
            model->out[i] = TO_SEND; /* the client has seen nothing of that session */
    }
    const uint8_t connack[] = {0x20, 3, model->has_session, 0, 0};
    say(model, connack, sizeof connack);
    model->has_session = true;
    for (unsigned i = 0; i < MESSAGES; i++) {
        if (model->out[i] == TO_SEND || model->out[i] == SENT)
            say_message(model, i);
        else if (model->out[i] == RELEASED)
            say_short(model, 0x62, i + 1);
    }
}

static void note(struct model *model, unsigned i)
{
    assert_true(i < MESSAGES);
    if (model->got[i]++ == 0)
        assert_int_equal(model->last_new++, i);
}

static uint16_t *held(struct model *model, uint16_t id)
{
    for (unsigned i = 0; i < model->held_count; i++)
        if (model->held[i] == id)
            return &model->held[i];
    return NULL;
}

static void on_publish(struct model *model, const uint8_t *packet)
{
    uint16_t id = (uint16_t)(packet[5] << 8 | packet[6]);
    if ((packet[0] & 6) == 2) {
        note(model, packet[8]);
        say_short(model, 0x40, id);
        return;
    }
    if (held(model, id) == NULL) {
        note(model, packet[8]);
        model->held[model->held_count++] = id;
    }
    say_short(model, 0x50, id);
}

static void on_packet(struct model *model, const uint8_t *packet)
{
    unsigned i = packet[3] - 1u;
    switch (packet[0] >> 4) {
    case 1: on_connect(model, packet[9] & 2); break;
    case 3: on_publish(model, packet); break;
    case 4: model->out[i] = DONE; break;
    case 5:
        model->out[i] = RELEASED;
        say_short(model, 0x62, i + 1);
        break;
    case 6: {
        uint16_t *id = held(model, packet[3]);
        if (id != NULL)
            *id = model->held[--model->held_count];
        say_short(model, 0x70, packet[3]);
        break;
    }
    case 7: model->out[i] = DONE; break;
    default: fail();
    }
}

/* ---- The wire ---- */

static bool pass(struct run *run)
{
    run->passed++;
    if (run->budget > 0)
        run->budget--;
    return run->budget > 0;
}

/* What the client has sent gets there byte by byte. */
static bool to_broker(struct run *run)
{
    struct bench *b = &run->b;
    size_t at = 0;
    while (at < b->wire_length) {
        size_t size = 2u + b->wire[at + 1];
        for (size_t i = 0; i < size; i++)
            if (!pass(run))
                return false;
        on_packet(&run->broker, b->wire + at);
        at += size;
    }
    b->wire_length = 0;
    return true;
}

static void take_events(struct run *run)
{
    while (bench_poll(&run->b)) {
        const struct mqtt_event *event = &run->b.event;
        if (event->type == MQTT_EVENT_PUBLISHED) {
            assert_int_equal(event->published.reason, 0);
            run->settled++;
        } else if (event->type == MQTT_EVENT_MESSAGE) {
            unsigned i = *(const uint8_t *)event->message.payload.data;
            if (run->got[i]++ == 0)
                assert_int_equal(run->order++, i);
        }
    }
}

static void publish_more(struct run *run)
{
    while (run->next < MESSAGES && mqtt_is_connected(&run->b.m)) {
        const uint8_t payload = (uint8_t)run->next;
        const struct mqtt_publish p = {
            .topic = {TEXT("t")}, .payload = {{&payload, 1}}, .qos = (uint8_t)qos_of(run->next)};
        if (mqtt_publish(&run->b.m, &p, run->b.now_ms) <= 0)
            break;
        run->next++;
    }
}

/* What the broker has said gets there in steps. */
static bool to_client(struct run *run, size_t step)
{
    struct model *model = &run->broker;
    size_t at = 0;
    while (at < model->length) {
        size_t n = 0;
        bool alive = true;
        for (; n < step && at + n < model->length && alive; n++)
            alive = pass(run);
        bench_feed_bytes(&run->b, model->to_client + at, n - !alive);
        take_events(run);
        if (!alive)
            return false;
        publish_more(run);
        at += n;
    }
    model->length = 0;
    return true;
}

static bool is_done(const struct run *run)
{
    if (run->next < MESSAGES || run->settled < MESSAGES)
        return false;
    for (unsigned i = 0; i < MESSAGES; i++)
        if (run->broker.out[i] != DONE)
            return false;
    return true;
}

static void cut(struct run *run)
{
    struct bench *b = &run->b;
    run->broker.length = 0;
    b->state = MQTT_TRANSPORT_CLOSED;
    b->rx_length = 0;
    take_events(run);
    b->wire_length = 0;
    b->ring_used = 0;
    b->now_ms += mqtt_wait_ms(&b->m, b->now_ms);
    b->state = MQTT_TRANSPORT_CLOSED;
}

/* To the end, with a cut after each of `cuts` bytes; returns how many bytes went over. */
static size_t play(const size_t cuts[2], size_t step)
{
    static uint8_t memory[512];
    static struct run run;
    struct mqtt_ram_store ram;
    unsigned next_cut = 0;
    const struct mqtt_config config = {
        .client_id = "m", .qos2 = true, .session_expiry_s = 60, .store = &ram.store};
    mqtt_ram_store_init(&ram, memory, sizeof memory);
    memset(&run, 0, sizeof run);
    bench_init(&run.b, &config);
    run.budget = cuts[0];
    for (unsigned turns = 0; !is_done(&run); turns++) {
        assert_true(turns < 200);
        take_events(&run);
        publish_more(&run);
        if (to_broker(&run) && to_client(&run, step))
            continue;
        cut(&run);
        next_cut++;
        run.budget = next_cut < 2 ? cuts[next_cut] : SIZE_MAX;
    }
    for (unsigned i = 0; i < MESSAGES; i++) {
        assert_true(qos_of(i) == 2 ? run.got[i] == 1 : run.got[i] >= 1);
        assert_true(qos_of(i) == 2 ? run.broker.got[i] == 1 : run.broker.got[i] >= 1);
    }
    assert_int_equal(run.settled, MESSAGES);
    assert_int_equal(mqtt_quota(&run.b.m), MQTT_INFLIGHT_MAX);
    assert_int_equal(ram.used, 0);
    bench_free(&run.b);
    return run.passed;
}

static void uncut(void **state)
{
    const size_t never[2] = {SIZE_MAX, SIZE_MAX};
    (void)state;
    for (size_t step = 1; step < 40; step++)
        assert_true(play(never, step) > 150);
}

static void cut_after_each_byte(void **state)
{
    static const size_t steps[] = {1, 5, SIZE_MAX};
    const size_t never[2] = {SIZE_MAX, SIZE_MAX};
    (void)state;
    for (size_t s = 0; s < 3; s++) {
        size_t length = play(never, steps[s]);
        for (size_t i = 1; i <= length; i++) {
            const size_t once[2] = {i, SIZE_MAX};
            (void)play(once, steps[s]);
        }
    }
}

static void cut_twice(void **state)
{
    const size_t never[2] = {SIZE_MAX, SIZE_MAX};
    size_t length = play(never, 1);
    (void)state;
    for (size_t i = 1; i <= length; i += 3) {
        for (size_t j = 1; j <= length; j += 2) {
            const size_t twice[2] = {i, j};
            (void)play(twice, 1);
        }
    }
}

#endif

int main(void)
{
#if MQTT_WITH_SESSIONS && MQTT_WITH_QOS2
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uncut),
        cmocka_unit_test(cut_after_each_byte),
        cmocka_unit_test(cut_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
