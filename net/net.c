#include "net/net.h"
#include "net/internal.h"

#include <string.h>

enum { TICKETS_MS = 1 << 22 };

void net_init(struct net *net, const struct net_config *config, const struct net_device *device)
{
    memset(net, 0, sizeof *net);
    net->device = device;
    net->hostname = config->hostname;
    memcpy(net->mac, config->mac, sizeof net->mac);
    memcpy(net->seed, config->seed, sizeof net->seed);
    net->scratch_ticket = device->sent(device->context);
    net->by_dhcp = config->address == 0;
    if (!net->by_dhcp) {
        net->address = config->address;
        net->netmask = config->netmask;
        net->gateway = config->gateway;
        net->dns_servers[0] = config->dns_server;
    }
#if NET_WITH_IGMP
    net->multicast_filter = config->multicast_filter;
#endif
#if NET_WITH_ACD
    net->at_once = config->at_once;
    if (!net->by_dhcp && !net->at_once) {
        net->acd->address = config->address;
        net->address = 0;
    }
#endif
    if (NET_WITH_MDNS) {
        mdns_init(net, config);
    }
    if (NET_WITH_SNTP) {
        sntp_init(net, config);
    }
}

bool net_ticket_done(const struct net *net, uint32_t ticket)
{
    /* What is not sent yet is among the next few: a ticket kept for 2^31 frames is old, not new. */
    return net->device->sent(net->device->context) - ticket < -(uint32_t)NET_DEVICE_FRAMES;
}

void net_count_drop(struct net *net, enum net_drop reason)
{
    net->statistics.dropped[reason]++;
}

void net_timer_at(struct net *net, uint32_t deadline_ms)
{
    if ((int32_t)(deadline_ms - net->timer_ms) < 0) {
        net->timer_ms = deadline_ms;
    }
}

void net_wake(struct net *net)
{
    net->neighbour_epoch++;
#if NET_WITH_ROUTES
    net->way.destination = 0;
#endif
    for (struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        s->flags |= TCP_ATTENTION;
    }
    if (NET_WITH_DNS) {
        dns_wake(net);
    }
    if (NET_WITH_SNTP) {
        sntp_wake(net);
    }
}

/* One that is being probed for again counts too: connections wait for it. */
static bool has_address(const struct net *net, uint32_t address)
{
    return address == net->address || (NET_WITH_ROUTES && route_is_alias(net, address));
}

/* End the connections from addresses that are not ours any more. */
static void end_orphans(struct net *net)
{
    for (struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        if (tcp_is_open(s) && !has_address(net, s->local_address)) {
            tcp_finish(s, NET_ERROR_ADDRESS);
        }
    }
}

void net_set_address(struct net *net, uint32_t address)
{
    net->address = address;
    end_orphans(net);
    if (NET_WITH_MDNS) {
        mdns_address(net);
    }
    net_wake(net);
#if NET_WITH_ACD
    acd_taken(net, net->acd, address);
#endif
    if (NET_WITH_IGMP) {
        igmp_restart(net);
    }
}

bool net_is_broadcast(const struct net *net, uint32_t address)
{
    uint32_t host = ~net->netmask;
    return address == IPV4_BROADCAST || (host > 1 && address == (net->address | host)) ||
           (net_has_aliases(net) && route_is_broadcast(net, address));
}

/* Nothing is to go unchecked because this build leaves it to the device. */
static bool device_suffices(const struct net_device *device)
{
    const unsigned checksums = NET_DEVICE_CHECKSUM_TX | NET_DEVICE_CHECKSUM_RX;
    return NET_WITH_SOFTWARE_CHECKSUMS || (device->capabilities & checksums) == checksums;
}

/* What was known of names belongs to the network that is gone. */
static void names_link(struct net *net)
{
    if (NET_WITH_DNS_CACHE) {
        dns_cache_forget(net);
    }
    if (NET_WITH_MDNS) {
        mdns_address(net);
    }
    if (NET_WITH_SNTP) {
        sntp_link(net);
    }
}

void net_link(struct net *net, bool up, uint32_t now_ms)
{
    net->now_ms = net->timer_ms = now_ms;
    net->link_up = up && device_suffices(net->device);
    arp_forget(net);
    if (NET_WITH_FRAGMENTS) {
        fragment_forget(net);
    }
    if (NET_WITH_ACD) {
        acd_link(net, net->link_up);
    }
    if (NET_WITH_IGMP) {
        igmp_restart(net);
    }
    if (NET_WITH_DHCP && net->by_dhcp) {
        dhcp_link(net, up);
    }
    names_link(net);
    for (struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        tcp_link(s);
    }
    net_wake(net);
}

uint8_t *net_reserve(struct net *net)
{
    return net->link_up ? net->device->reserve(net->device->context) : NULL;
}

uint32_t net_send(struct net *net, size_t header_length, const void *payload, size_t payload_length)
{
    net->statistics.frames_sent++;
    return net->device->send(net->device->context, header_length, payload, payload_length);
}

#if NET_WITH_FRAGMENTS
/* What was put together is no frame of the device: a short answer to it is copied. */
static enum frame_fate bounce_copy(struct net *net, const uint8_t *frame, size_t length)
{
    uint8_t *copy = length <= NET_DEVICE_HEADER_MAX ? net_reserve(net) : NULL;
    if (copy) {
        memcpy(copy, frame, length);
        ethernet_build(copy, frame + 6, net->mac, ETHERNET_TYPE_IPV4);
        (void)net_send(net, length, NULL, 0);
    }
    return FRAME_DONE;
}
#endif

enum frame_fate net_bounce(struct net *net, uint8_t *frame, size_t length)
{
#if NET_WITH_FRAGMENTS
    if (net->assembled) {
        return bounce_copy(net, frame, length);
    }
#endif
    __builtin_memcpy(frame, frame + 6, 6);
    __builtin_memcpy(frame + 6, net->mac, 6);
    if (net->device->bounce(net->device->context, length)) {
        net->statistics.frames_sent++;
    }
    return FRAME_BOUNCED;
}

/* The borrowed frame goes back; what is unread of it is saved first. */
static void settle(struct net *net)
{
    if (net->frame_reader) {
        tcp_settle(net->frame_reader);
        net->frame_reader = NULL;
    }
    if (net->frame_datagram) {
        net->frame_datagram->has_received = false;
        net->frame_datagram = NULL;
    }
#if NET_WITH_FRAGMENTS
    if (net->assembled) {
        fragment_release(net);
    }
#endif
    net->frame_held = false;
    net->device->release(net->device->context);
}

/* Of IPv4 (RFC 1112 6.4); whether the group is one of ours is looked at there. */
static bool is_multicast(const uint8_t *frame)
{
    return NET_WITH_IGMP && frame[0] == 0x01 && frame[1] == 0x00 && frame[2] == 0x5E &&
           ethernet_type(frame) == ETHERNET_TYPE_IPV4;
}

static enum frame_fate frame_input(struct net *net, uint8_t *frame, size_t length)
{
    if (length < ETHERNET_HEADER || ethernet_is_group(frame + 6) || ethernet_same(frame + 6, net->mac) ||
        !(ethernet_same(frame, net->mac) || ethernet_is_broadcast(frame) || is_multicast(frame))) {
        return net_dropped(NET_DROP_ETHERNET);
    }
    switch (ethernet_type(frame)) {
    case ETHERNET_TYPE_IPV4: return ipv4_input(net, frame, length);
    case ETHERNET_TYPE_ARP: return arp_input(net, frame, length);
    default: return net_dropped(NET_DROP_ETHERTYPE);
    }
}

static bool receive(struct net *net)
{
    uint8_t *frame;
    size_t length = net->device->receive(net->device->context, &frame);
    if (length == 0) {
        return false;
    }
    net->statistics.frames_received++;
    enum frame_fate fate = frame_input(net, frame, length);
    if (fate >= FRAME_DROPPED) {
        net_count_drop(net, (enum net_drop)(fate - FRAME_DROPPED));
        fate = FRAME_DONE;
    }
    if (fate == FRAME_BORROWED) {
        net->frame_held = true;
    } else if (fate == FRAME_DONE) {
        net->device->release(net->device->context);
    }
    return true;
}

/*
 * DHCP and DNS must not wait for what went out 2^32 frames ago, or it may be for ever: they are the ones who
 * send when nobody else does. Between two of these looks, a link of 100 Mbit/s carries a seventh of that.
 */
static void renew_scratch(struct net *net)
{
    if (net_ticket_done(net, net->scratch_ticket)) {
        net->scratch_ticket = net->device->sent(net->device->context);
    }
}

static void run_timers(struct net *net)
{
    if (!net_due(net, net->timer_ms)) {
        return;
    }
    net->timer_ms = net->now_ms + TICKETS_MS;
    renew_scratch(net);
    arp_timers(net);
    if (NET_WITH_ACD) {
        acd_timers(net);
    }
    if (NET_WITH_IGMP) {
        igmp_timers(net);
    }
    if (NET_WITH_FRAGMENTS) {
        fragment_timers(net);
    }
    if (NET_WITH_DHCP && net->by_dhcp) {
        dhcp_timers(net);
    }
    if (NET_WITH_DNS) {
        dns_timers(net);
    }
    if (NET_WITH_TCP_LISTEN) {
        tcp_listen_timers(net);
    }
    if (NET_WITH_MDNS) {
        mdns_timers(net);
    }
    if (NET_WITH_SNTP) {
        sntp_timers(net);
    }
}

/* True: a socket has more to send than one round allows. */
static bool serve_sockets(struct net *net)
{
    uint32_t flags = 0;
    for (struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        if ((s->flags & TCP_ATTENTION) || net_due(net, s->deadline_ms)) {
            tcp_service(s);
            flags |= s->flags;
        }
    }
    return flags & TCP_ATTENTION;
}

bool net_poll(struct net *net, uint32_t now_ms)
{
    net->now_ms = now_ms;
    if (net->frame_held) {
        settle(net);
    }
    bool received = receive(net);
    run_timers(net);
    bool more = serve_sockets(net);
    return received || more;
}

void net_flush(struct net *net, uint32_t now_ms)
{
    net->now_ms = now_ms;
    (void)serve_sockets(net);
}

uint32_t net_wait_ms(const struct net *net, uint32_t now_ms)
{
    uint32_t wait = net->timer_ms - now_ms;
    if ((int32_t)wait < 0) {
        return 0;
    }
    for (const struct tcp_socket *s = net->tcp_sockets; s; s = s->next) {
        uint32_t left = s->deadline_ms - now_ms;
        if ((s->flags & TCP_ATTENTION) || (int32_t)left < 0) {
            return 0;
        }
        wait = left < wait ? left : wait;
    }
    return wait;
}

uint32_t net_address(const struct net *net)
{
    return net->address;
}

uint32_t net_netmask(const struct net *net)
{
    return net->netmask;
}

uint32_t net_gateway(const struct net *net)
{
    return net->gateway;
}

uint32_t net_dns_server(const struct net *net)
{
    return net->dns_servers[0];
}

bool net_is_up(const struct net *net)
{
    return net->link_up && net_has_any_address(net);
}

const struct net_statistics *net_statistics(const struct net *net)
{
    return &net->statistics;
}
