/*
 * The MQTT engine on our TCP and a model of a broker on our TCP, in virtual time: frames are lost, delayed,
 * doubled and reordered, the cable is cut, either side breaks the connection off, the broker restarts with
 * its sessions or without, the device is reset and keeps its store. Whatever happens, QoS 0 comes at most
 * once, QoS 1 at least once, QoS 2 exactly once, what is of one topic and QoS in order; and in the end
 * nothing is in flight and nothing kept. All follows from the seed.
 *
 * Usage: integration-simulation [first seed [number of seeds]]; of one seed it tells the whole story.
 */
#include "broker.h"
#include "client.h"
#include "messages.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
enum { SEEDS = 500 };
#else
enum { SEEDS = 10000 };
#endif

enum { STEPS_MAX = 400000, REST_MS = 30 * 60000 };

static unsigned long long first_seed = 1, seeds = SEEDS;

/* What is going to happen. */
static struct {
    uint32_t cut_every_ms, publish_every_ms; /* on the average */
    unsigned cuts;                           /* that are left */
    bool loses_sessions, resets;
    uint32_t loss;                           /* of the link, until the end */
    uint64_t next_cut, next_publish, healed; /* elapsed ms; healed 0: nothing to heal */
} plan;

/* For the summary. */
static struct {
    unsigned long long messages;
} total;

static uint64_t after(uint32_t average_ms)
{
    return world.link.elapsed + 1 + world_random() % (2 * average_ms);
}

/* ---- What goes wrong ---- */

static void restart_broker(void)
{
    world.server.off = true;
    broker_restart(!plan.loses_sessions || world_chance(500));
    world.server.off = true; /* for as long as it takes */
    plan.healed = after(world_chance(500) ? 100 : 20000);
}

static void break_something(void)
{
    plan.cuts--;
    plan.next_cut = after(plan.cut_every_ms);
    switch (world_random() % 7) {
    case 0: broker_cut(BROKER_RESETS); break;
    case 1: broker_cut(BROKER_CLOSES); break;
    case 2: broker_cut(BROKER_SAYS_GOODBYE); break;
    case 3: restart_broker(); break;
    case 4:
        trace("the cable is pulled");
        world.link.cut = true;
        plan.healed = after(world_chance(500) ? 500 : 60000);
        break;
    case 5:
        client_disconnect();
        plan.healed = after(1000);
        break;
    default:
        if (plan.resets) {
            client_reset();
        } else {
            broker_cut(BROKER_RESETS);
        }
        break;
    }
}

static void heal(void)
{
    trace("all is well again");
    world.link.cut = false;
    world.server.off = false;
    client_connect();
    plan.healed = 0;
    if (plan.next_cut <= world.link.elapsed) {
        plan.next_cut = after(plan.cut_every_ms);
    }
}

static void happen(void)
{
    if (plan.healed && world.link.elapsed >= plan.healed) {
        heal();
    }
    if (!plan.healed && plan.cuts && world.link.elapsed >= plan.next_cut) {
        break_something();
    }
    if (down.issued < down.count && world.link.elapsed >= plan.next_publish) {
        broker_publish();
        plan.next_publish = world_chance(600) ? world.link.elapsed : after(plan.publish_every_ms);
    }
}

static uint32_t until(uint64_t when, uint32_t wait)
{
    uint64_t left = when > world.link.elapsed ? when - world.link.elapsed : 0;
    return left < wait ? (uint32_t)left : wait;
}

static uint32_t wait_for_all(void)
{
    uint32_t wait = link_wait(&world.link, NET_WAIT_FOREVER), other = client_wait();
    wait = other < wait ? other : wait;
    other = world.server.off ? NET_WAIT_FOREVER : broker_wait();
    wait = other < wait ? other : wait;
    if (plan.healed) {
        wait = until(plan.healed, wait);
    } else if (plan.cuts) {
        wait = until(plan.next_cut, wait);
    }
    return down.issued < down.count ? until(plan.next_publish, wait) : wait;
}

static void step(void)
{
    uint32_t wait = wait_for_all();
    link_advance(&world.link, wait);
    happen();
    bool arrived = false;
    for (struct host *host; (host = world_arrival()) != NULL; arrived = true) {
        if (host == &world.client) {
            client_run();
        } else {
            broker_run();
        }
    }
    if (!arrived) {
        client_run();
        if (!world.server.off) {
            broker_run();
        }
    }
}

/* ---- Runs ---- */

static void plan_run(void)
{
    world.link.quality.loss = plan.loss = world_chance(300) ? 0 : world_random() % 150;
    world.link.quality.duplication = world_chance(700) ? 0 : world_random() % 100;
    world.link.quality.delay_ms = world_random() % (world_chance(700) ? 20 : 300);
    world.link.quality.jitter_ms =
        world_chance(400) ? 0 : world_random() % (world.link.quality.delay_ms + 10);
    plan.cuts = world_chance(100) ? 0 : world_random() % 12;
    plan.cut_every_ms = world_between(1, world_chance(500) ? 300 : 5000);
    plan.publish_every_ms = world_between(1, world_chance(700) ? 200 : 5000);
    plan.loses_sessions = world_chance(300);
    plan.next_cut = after(plan.cut_every_ms);
    plan.next_publish = after(plan.publish_every_ms);
    plan.healed = 0;
}

static void open_run(uint64_t seed)
{
    running_seed = seed;
    world_open(seed);
    plan_run();
    struct client_style client = {
        .session_expiry_s = world_chance(150) ? 0 : UINT32_MAX,
        .resume = world_chance(500),
        .version = world_chance(250) ? 4 : 5,
        .aliases = world_chance(300),
        .keep_alive_s = (uint16_t)world_between(5, 60),
        .tx_size = world_between(160, world_chance(500) ? 400 : 4000),
        .rx_size = world_between(128, world_chance(500) ? 400 : 4000),
        .ack_timeout_ms = world_chance(700) ? 0 : 30000,
        .laziness = world_chance(500) ? 0 : world_random() % 800,
    };
    client.window = world_chance(500) ? client.rx_size : 65535;
    const struct broker_style broker = {
        .receive_maximum = (uint16_t)(world_chance(500) ? 0 : world_between(1, 10)),
        .alias_maximum = (uint16_t)(world_chance(500) ? 0 : world_between(1, 10)),
        .server_keep_alive_s = (uint16_t)(world_chance(800) ? 0 : world_between(4, 30)),
        .laziness = world_chance(500) ? 0 : world_random() % 500,
    };
    messages_open(&up, "up", world_random() % 40, client.version == 5 && world_chance(300) ? 100 : 0);
    messages_open(&down, "down", world_random() % 40, 0);
    plan.resets = client.resume && client.session_expiry_s;
    for (unsigned i = 0; plan.resets && i < up.count; i++) {
        /* A source does not outlive a reset, nor does what the broker knows of it end: docs/mqtt.md. */
        if (up.list[i].qos == 2 && up.list[i].size > client.tx_size / 2) {
            up.list[i].size = (uint16_t)(client.tx_size / 2);
        }
    }
    trace("MQTT %u, session %u, cuts %u, loss %u, delay %u and %u, buffers %zu and %zu", client.version,
          client.session_expiry_s, plan.cuts, world.link.quality.loss, world.link.quality.delay_ms,
          world.link.quality.jitter_ms, client.tx_size, client.rx_size);
    broker_open(&broker);
    client_open(&client);
}

static bool at_rest(void)
{
    return !plan.cuts && !plan.healed && down.issued == down.count && client_is_idle() && broker_is_idle();
}

static void tell_missing(const struct stream_of_messages *stream)
{
    for (unsigned i = 0; i < stream->count; i++) {
        const struct message *m = &stream->list[i];
        if (m->qos && !m->excused && (m->arrived == 0 || (stream == &up && !m->settled))) {
            print_message("%s: message %u of QoS %u: sent %d, arrived %u times, settled %d\n", stream->name,
                          i, m->qos, m->sent, m->arrived, m->settled);
        }
    }
}

static void run_to_rest(void)
{
    uint64_t since = 0;
    for (unsigned steps = 0; !at_rest(); steps++) {
        step();
        bool ended = !plan.cuts && !plan.healed && down.issued == down.count;
        if (!ended) {
            since = world.link.elapsed;
        }
        if (steps > STEPS_MAX || world.link.elapsed - since > REST_MS) {
            tell_missing(&up);
            tell_missing(&down);
            client_explain();
            print_message("broker: idle %d\n", broker_is_idle());
            broken("no rest after %u steps, %llu ms without a fault", steps,
                   (unsigned long long)(world.link.elapsed - since));
        }
    }
}

/* The user says good-bye: both sides close, and no frame is in anybody's hands. */
static void run_to_end(void)
{
    world.link.quality.loss = 0;
    client_disconnect();
    for (unsigned steps = 0; !client_is_closed() || !broker_is_alone(); steps++) {
        step();
        if (steps > STEPS_MAX) {
            broken("the connection does not close");
        }
    }
    client_run();
    broker_run();
    assert_null(world.client.device.lent);
    assert_null(world.server.device.lent);
}

static void run(uint64_t seed)
{
    open_run(seed);
    run_to_rest();
    messages_expect_kept(&up);
    messages_expect_kept(&down);
    run_to_end();
    total.messages += up.count + down.count;
    client_close();
    world_close();
}

static void simulation(void **state)
{
    (void)state;
    tracing = seeds == 1;
    for (unsigned long long seed = first_seed; seed < first_seed + seeds; seed++) {
        run(seed);
    }
    print_message("%llu messages\n", total.messages);
}

int main(int count, char **arguments)
{
    if (count > 1) {
        first_seed = strtoull(arguments[1], NULL, 0);
        seeds = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(simulation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
