#include "world.h"

#include <stdlib.h>
#include <string.h>

struct world world;

uint32_t world_random(void)
{
    return link_random(&world.link);
}

bool world_chance(uint32_t per_mille)
{
    return link_chance(&world.link, per_mille);
}

uint32_t world_between(uint32_t least, uint32_t most)
{
    return least + world_random() % (most - least + 1);
}

struct host *world_arrival(void)
{
    for (struct flying *frame; (frame = link_receive(&world.link)); free(frame)) {
        struct host *host = frame->to ? &world.server : &world.client;
        if (!host->off && !host->device.arrived) {
            host->device.arrived = frame;
            return host;
        }
    }
    return NULL;
}

void world_reset(struct host *host)
{
    unsigned which = host == &world.server;
    struct net_config config = sim_config(which ? WORLD_SERVER : WORLD_CLIENT, world_random());

    sim_device_clear(&host->device);
    memset(host, 0, sizeof *host);
    sim_device_init(&host->device, &world.link, which);
    net_init(&host->net, &config, &host->device.device);
    host->net.now_ms = world.link.now;
    net_link(&host->net, true, world.link.now);
}

void world_open(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.link.random = seed * 0x9E3779B97F4A7C15U;
    world.link.now = world_chance(300) ? 0xFFFFF000 : world_random(); /* time wraps now and then */
    world_reset(&world.client);
    world_reset(&world.server);
}

void world_close(void)
{
    link_clear(&world.link);
    sim_device_clear(&world.client.device);
    sim_device_clear(&world.server.device);
}
