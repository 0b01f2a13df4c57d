/* Further addresses of ours, and which way a packet goes: the longest prefix among them and the routes. */
#include "net/internal.h"

#if NET_WITH_ROUTES

static bool is_prefix_mask(uint32_t netmask)
{
    uint32_t host = ~netmask;
    return (host & (host + 1)) == 0;
}

static bool matches(uint32_t address, uint32_t network, uint32_t netmask)
{
    return ((address ^ network) & netmask) == 0;
}

uint32_t route_first_address(const struct net *net)
{
    uint32_t address = net->address;
    for (unsigned i = 0; net->has_aliases && i < NET_ALIASES && address == 0; i++) {
        address = net->aliases[i].usable ? net->aliases[i].address : 0;
    }
    return address;
}

bool route_is_ours(const struct net *net, uint32_t address)
{
    if (address == net->address) {
        return address != 0;
    }
    for (unsigned i = 0; i < NET_ALIASES; i++) {
        if (net->aliases[i].usable && net->aliases[i].address == address) {
            return true;
        }
    }
    return false;
}

bool route_is_alias(const struct net *net, uint32_t address)
{
    for (unsigned i = 0; i < NET_ALIASES; i++) {
        if (address != 0 && net->aliases[i].address == address) {
            return true;
        }
    }
    return false;
}

bool route_is_broadcast(const struct net *net, uint32_t address)
{
    for (unsigned i = 0; i < NET_ALIASES; i++) {
        const struct net_alias *alias = &net->aliases[i];
        uint32_t host = ~alias->netmask;
        if (alias->usable && host > 1 && address == (alias->address | host)) {
            return true;
        }
    }
    return false;
}

/* Longest prefix first: a candidate found so far, and the next one. */
struct choice {
    uint32_t netmask;
    uint32_t hop;
    uint32_t source;
    bool found;
};

static void consider(struct choice *best, uint32_t netmask, uint32_t hop, uint32_t source)
{
    if (!best->found || netmask > best->netmask) { /* contiguous masks compare as their lengths */
        *best = (struct choice){.netmask = netmask, .hop = hop, .source = source, .found = true};
    }
}

/* Neighbours: the networks that our own addresses are in. */
static struct choice on_link(const struct net *net, uint32_t address)
{
    struct choice best = {.found = false};
    if (net->address != 0 && matches(address, net->address, net->netmask)) {
        consider(&best, net->netmask, address, net->address);
    }
    for (unsigned i = 0; net->has_aliases && i < NET_ALIASES; i++) {
        const struct net_alias *alias = &net->aliases[i];
        if (alias->usable && matches(address, alias->address, alias->netmask)) {
            consider(&best, alias->netmask, address, alias->address);
        }
    }
    return best;
}

/* A gateway that is no neighbour is none. */
static void consider_gateway(const struct net *net, struct choice *best, uint32_t netmask, uint32_t gateway)
{
    if (gateway == 0 || (best->found && netmask <= best->netmask)) {
        return;
    }
    struct choice way = on_link(net, gateway);
    if (way.found) {
        consider(best, netmask, gateway, way.source);
    }
}

static struct choice choose(const struct net *net, uint32_t destination)
{
    struct choice best = on_link(net, destination);
    for (unsigned i = 0; i < NET_ROUTES; i++) {
        const struct net_route *route = &net->routes[i];
        if (route->gateway != 0 && matches(destination, route->destination, route->netmask)) {
            consider_gateway(net, &best, route->netmask, route->gateway);
        }
    }
    consider_gateway(net, &best, 0, net->gateway);
    if (NET_WITH_LINK_LOCAL && !best.found && ipv4_is_link_local(net->address)) {
        consider(&best, 0, destination, net->address); /* whoever it is, is on this link (RFC 3927 2.6.2) */
    }
    return best;
}

bool route_is_neighbour(const struct net *net, uint32_t address)
{
    return on_link(net, address).found;
}

uint32_t route_hop(const struct net *net, uint32_t destination)
{
    return choose(net, destination).hop;
}

const struct net_way *route_way(struct net *net, uint32_t destination)
{
    if (destination != net->way.destination) {
        struct choice best = choose(net, destination);
        net->way = (struct net_way){destination, best.hop, best.found ? best.source : net->address};
    }
    return &net->way;
}

uint32_t route_source(struct net *net, uint32_t destination)
{
    if (net_has_kept(net, destination)) {
        return net->way.source;
    }
    if (destination == IPV4_BROADCAST || ipv4_is_multicast(destination)) {
        return route_first_address(net); /* no network's in particular */
    }
    if (net_is_broadcast(net, destination)) {
        return on_link(net, destination).source; /* not kept, for what is kept is a host */
    }
    return route_way(net, destination)->source;
}

bool route_is_used(const struct net *net, uint32_t hop)
{
    for (const struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        if (s->state != TCP_CLOSED && route_hop(net, s->remote_address) == hop) {
            return true;
        }
    }
    return hop == net->gateway;
}

static void count_aliases(struct net *net)
{
    net->has_aliases = false;
    for (unsigned i = 0; i < NET_ALIASES; i++) {
        net->has_aliases = net->has_aliases || net->aliases[i].usable;
    }
}

void route_address_usable(struct net *net, unsigned alias, bool usable)
{
    net->aliases[alias].usable = usable;
    count_aliases(net);
    net_wake(net); /* the way of what waits may be another now */
    if (NET_WITH_IGMP && net->address == 0) {
        igmp_restart(net);
    }
}

static struct net_alias *find_alias(struct net *net, uint32_t address)
{
    for (unsigned i = 0; i < NET_ALIASES; i++) {
        if (net->aliases[i].address == address) {
            return &net->aliases[i];
        }
    }
    return NULL;
}

static void begin(struct net *net, unsigned alias)
{
#if NET_WITH_ACD
    if (net->link_up) {
        acd_begin(net, &net->acd[alias + 1], net->aliases[alias].address);
    } else {
        net->acd[alias + 1] = (struct net_acd){.address = net->aliases[alias].address};
    }
#else
    route_address_usable(net, alias, true);
#endif
}

int net_add_address(struct net *net, uint32_t address, uint32_t netmask)
{
    uint32_t host = ~netmask;
    if (!ipv4_is_host(address) || !is_prefix_mask(netmask) || netmask == 0 ||
        (host > 1 && ((address & host) == 0 || (address & host) == host))) {
        return NET_ERROR_ARGUMENT;
    }
    if (address == net->address || find_alias(net, address)) {
        return NET_ERROR_STATE;
    }
    struct net_alias *alias = find_alias(net, 0);
    if (!alias) {
        return NET_ERROR_BUSY;
    }
    *alias = (struct net_alias){.address = address, .netmask = netmask};
    begin(net, (unsigned)(alias - net->aliases));
    return NET_OK;
}

/* What DHCP has given us meanwhile is ours still. */
static void end_connections(struct net *net, uint32_t address)
{
    for (struct tcp_socket *s = net->tcp_sockets; s && address != net->address; s = s->next) {
        if (tcp_is_open(s) && s->local_address == address) {
            tcp_finish(s, NET_ERROR_ADDRESS);
        }
    }
}

int net_remove_address(struct net *net, uint32_t address)
{
    struct net_alias *alias = address != 0 ? find_alias(net, address) : NULL;
    if (!alias) {
        return NET_ERROR_STATE;
    }
    *alias = (struct net_alias){.address = 0};
    begin(net, (unsigned)(alias - net->aliases));
    alias->usable = false;
    count_aliases(net);
    end_connections(net, address);
    net_wake(net);
    return NET_OK;
}

bool net_has_address(const struct net *net, uint32_t address)
{
    return net_is_up(net) && route_is_ours(net, address);
}

static struct net_route *find_route(struct net *net, uint32_t destination, uint32_t netmask)
{
    for (unsigned i = 0; i < NET_ROUTES; i++) {
        struct net_route *route = &net->routes[i];
        if (route->gateway != 0 && route->destination == destination && route->netmask == netmask) {
            return route;
        }
    }
    return NULL;
}

static struct net_route *free_route(struct net *net)
{
    for (unsigned i = 0; i < NET_ROUTES; i++) {
        if (net->routes[i].gateway == 0) {
            return &net->routes[i];
        }
    }
    return NULL;
}

int net_add_route(struct net *net, uint32_t destination, uint32_t netmask, uint32_t gateway)
{
    if (!ipv4_is_host(gateway) || !is_prefix_mask(netmask) || (destination & ~netmask) != 0) {
        return NET_ERROR_ARGUMENT;
    }
    struct net_route *route = find_route(net, destination, netmask);
    route = route ? route : free_route(net);
    if (!route) {
        return NET_ERROR_BUSY;
    }
    *route = (struct net_route){.destination = destination, .netmask = netmask, .gateway = gateway};
    net_wake(net);
    return NET_OK;
}

int net_remove_route(struct net *net, uint32_t destination, uint32_t netmask)
{
    struct net_route *route = find_route(net, destination, netmask);
    if (!route) {
        return NET_ERROR_STATE;
    }
    route->gateway = 0;
    net_wake(net);
    return NET_OK;
}

#endif
