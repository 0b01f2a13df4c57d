/* IPv4 link-local addresses (RFC 3927), while DHCP has none to give. */
#include "net/internal.h"

#if NET_WITH_LINK_LOCAL

enum link_local_state {
    LL_OFF,
    LL_WAITING, /* for a server; or, after many conflicts, for the next try */
    LL_PROBING,
    LL_USED,
};

enum {
    PATIENCE_MS = 15000, /* for an answer of a server: DHCP has asked twice */
    MAX_CONFLICTS = 10,  /* 2.2.1; after these, one try per: */
    RATE_LIMIT_MS = 60000,
    FIRST_HOST = 0x0100, /* the first and the last 256 are reserved (2.1) */
    HOSTS = 0xFE00,
};

#define LL_NETWORK 0xA9FE0000U /* 169.254/16 */
#define LL_NETMASK 0xFFFF0000U

static void at(struct net *net, uint32_t delay_ms)
{
    net->link_local.deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, net->link_local.deadline_ms);
}

/* 2.1: pseudo-random by the MAC address, so that a device has the same each time, and two rarely the same. */
static uint32_t candidate(const struct net *net)
{
    static const uint32_t key[2] = {0, 0};
    uint32_t words[3] = {load_native32(net->mac), load_native16(net->mac + 4), net->link_local.conflicts};
    return LL_NETWORK + FIRST_HOST + net_keyed_hash(key, words, 3) % HOSTS;
}

static void probe(struct net *net)
{
    net->link_local.state = LL_PROBING;
    net->link_local.address = candidate(net);
    acd_probe(net, net->link_local.address);
    net_timer_at(net, net->now_ms);
}

void link_local_later(struct net *net)
{
    if (net->link_local.state != LL_USED) {
        net->link_local.state = LL_WAITING;
        at(net, PATIENCE_MS);
    }
}

void link_local_stop(struct net *net)
{
    net->link_local = (struct net_link_local){.state = LL_OFF};
}

/* In use, but not defended while DHCP's was probed for. */
void link_local_resume(struct net *net)
{
    if (link_local_in_use(net)) {
        net->link_local.state = LL_PROBING;
        acd_probe(net, net->link_local.address);
    } else {
        link_local_later(net);
    }
}

bool link_local_in_use(const struct net *net)
{
    return net->address != 0 && net->address == net->link_local.address;
}

static void use(struct net *net)
{
    net->link_local.state = LL_USED;
    net->netmask = LL_NETMASK;
    net->gateway = 0;
    net->dns_servers[0] = 0;
    net_set_address(net, net->link_local.address);
}

/* 2.2.1, 2.5 (b): another address, but no storm of probes where all are taken. */
static void give_way(struct net *net)
{
    struct net_link_local *ll = &net->link_local;
    acd_stop(net);
    if (link_local_in_use(net)) {
        net_set_address(net, 0);
    }
    ll->address = 0;
    ll->conflicts = (uint8_t)(ll->conflicts + (ll->conflicts < UINT8_MAX));
    if (ll->conflicts >= MAX_CONFLICTS) {
        ll->state = LL_WAITING;
        at(net, RATE_LIMIT_MS);
    } else {
        probe(net);
    }
}

static void watch(struct net *net)
{
    struct net_link_local *ll = &net->link_local;
    if (ll->state < LL_PROBING || acd_address(net) != ll->address) {
        return;
    }
    if (acd_state(net) == ACD_CONFLICT) {
        give_way(net);
    } else if (ll->state == LL_PROBING && acd_state(net) == ACD_FREE) {
        use(net);
    }
}

void link_local_timers(struct net *net)
{
    struct net_link_local *ll = &net->link_local;
    watch(net);
    if (ll->state != LL_WAITING) {
        return;
    }
    if (net_due(net, ll->deadline_ms)) {
        probe(net);
    } else {
        net_timer_at(net, ll->deadline_ms);
    }
}

#endif
