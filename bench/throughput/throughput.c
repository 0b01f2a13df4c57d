/*
 * The whole firmware, and a publisher or a subscriber in it: as many messages a second as it can sustain
 * (bench/throughput.sh). The first word of section .bench says what: 0 publish QoS 0, 1 publish QoS 1,
 * 2 receive, QoS as the broker sends it.
 */
#include "app/network.h"

static uint32_t measured_run(struct network *n, uint32_t now_ms, bool *more);
#define network_run measured_run
#include "app/main.c"
#undef network_run

enum { PAYLOAD = 64, WARM_UP = 2, SECONDS = 5 };

enum scenario { PUBLISH_QOS_0, PUBLISH_QOS_1, RECEIVE };

/* Changed by bench/throughput.sh in the ELF; a section of its own, in flash. */
static const uint32_t in_flash[3] __attribute__((section(".bench"), used)) = {PUBLISH_QOS_0};

static uint32_t scenario(void)
{
    return *(const volatile uint32_t *)in_flash;
}

static const uint8_t payload[PAYLOAD];
static uint64_t next_us, last_idle_us;
static uint32_t last_count;
static unsigned seconds_done;
static bool subscribed;

static uint32_t count_of(const struct network *n)
{
    const struct mqtt_statistics *s = mqtt_statistics(&n->mqtt);
    return scenario() == RECEIVE ? s->received : scenario() == PUBLISH_QOS_1 ? s->acknowledged : s->sent;
}

/* Once a second: how many, and the share of the core, in thousandths, that it took. */
static void report(const struct network *n)
{
    uint64_t now_us = clock_now(), idle_us = kernel_idle_us();
    if (now_us < next_us)
        return;
    uint32_t elapsed_ms = (uint32_t)(now_us - next_us) / 1000 + 1000;
    uint32_t idle = (uint32_t)(idle_us - last_idle_us) / elapsed_ms;
    uint32_t count = (uint32_t)((uint64_t)(count_of(n) - last_count) * 1000 / elapsed_ms);
    if (next_us != 0 && seconds_done++ >= WARM_UP)
        LOG_INFO("throughput %u messages, %u permille", (unsigned)count,
                 (unsigned)(idle < 1000 ? 1000 - idle : 0));
    if (seconds_done == WARM_UP + SECONDS)
        LOG_INFO("throughput done");
    next_us = now_us + seconds(1);
    last_idle_us = idle_us;
    last_count = count_of(n);
}

/* As many as there is room for. True: at least one. */
static bool publish(struct network *n, uint32_t now_ms)
{
    const struct mqtt_publish message = {
        .topic = {{identity_topics, sizeof identity_topics - 1}, MQTT_TEXT("/bench")},
        .payload = {{payload, sizeof payload}},
        .qos = scenario() == PUBLISH_QOS_1,
    };
    bool published = false;
    while (mqtt_publish(&n->mqtt, &message, now_ms) >= 0)
        published = true;
    return published;
}

static void subscribe(struct network *n, uint32_t now_ms)
{
    const struct mqtt_subscription all = {.filter = {MQTT_TEXT("bench/throughput/receive")}, .qos = 1};
    if (!subscribed && mqtt_subscribe(&n->mqtt, &all, 1, now_ms) > 0) {
        LOG_INFO("throughput subscribed");
        subscribed = true;
    }
}

static uint32_t measured_run(struct network *n, uint32_t now_ms, bool *more)
{
    if (mqtt_is_connected(&n->mqtt)) {
        if (scenario() == RECEIVE)
            subscribe(n, now_ms);
        else
            publish(n, now_ms);
        report(n);
    }
    uint32_t wait_ms = network_run(n, now_ms, more);
    /* In the places that acknowledgements have just freed. */
    if (scenario() == PUBLISH_QOS_1 && publish(n, now_ms))
        wait_ms = network_run(n, now_ms, more);
    return wait_ms;
}
