/* DHCP client (RFC 2131 4.4); states as in its figure 5, INIT being left at once. */
#include "net/wire/dhcp.h"
#include "net/internal.h"

#include <string.h>

enum dhcp_state {
    DHCP_IDLE,      /* link down */
    DHCP_DECLINING, /* somebody else has the address: the server is being told */
    DHCP_SELECTING,
    DHCP_REQUESTING,
    DHCP_REBOOTING,
    DHCP_PROBING, /* leased; does somebody else have it? */
    DHCP_TRYING,  /* leased before, on another link: is its gateway there? */
    DHCP_BOUND,
    DHCP_RENEWING,
    DHCP_REBINDING,
};

enum {
    RETRY_FIRST_MS = 4000, /* doubled up to the last, each with a second of jitter either way (4.1) */
    RETRY_DOUBLINGS = 4,
    JITTER_MS = 1000,
    REQUEST_TRIES = 4,
    REBOOT_TRIES = 2,
    TRIAL_MS = 2500,      /* ARP asks three times */
    RENEW_MIN_MS = 60000, /* between renewal attempts (4.4.5) */
    UNSENT_RETRY_MS = 100,
    AFTER_NAK_MS = 2000,
    AFTER_DECLINE_MS = 10000, /* 3.1 (5) */
    LEASE_MIN_S = 2,          /* one second would be renewed without a pause */
    LEASE_MAX_S = 1000000,    /* 11 days: longer leases are renewed earlier than need be */
};

#define LEASE_INFINITE UINT32_MAX

static void at(struct net *net, uint32_t delay_ms)
{
    net->dhcp.deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, net->dhcp.deadline_ms);
}

static void enter(struct net *net, enum dhcp_state state, uint32_t delay_ms)
{
    net->dhcp.state = state;
    net->dhcp.tries = 0;
    at(net, delay_ms);
}

static void discover(struct net *net, uint32_t delay_ms)
{
    net->dhcp.xid = net_random(net);
    net->dhcp.address = 0;
    net->dhcp.server = 0;
    enter(net, DHCP_SELECTING, delay_ms);
}

/* A link-local address, in use while no server answers, stays. */
static void lose_address(struct net *net, uint32_t delay_ms)
{
    if (!NET_WITH_LINK_LOCAL || !link_local_in_use(net)) {
        net_set_address(net, 0);
    }
    if (NET_WITH_LINK_LOCAL) {
        link_local_later(net);
    }
    discover(net, delay_ms);
}

static bool lease_runs(const struct net *net)
{
    return net->dhcp.address != 0 && (net->dhcp.infinite || !net_due(net, net->dhcp.lease_end_ms));
}

void dhcp_link(struct net *net, bool up)
{
    bool leased = net->dhcp.state >= DHCP_REBOOTING || net->dhcp.state == DHCP_IDLE;
    if (NET_WITH_LINK_LOCAL) {
        link_local_stop(net);
    }
    if (!up) {
        if (!leased) {
            net->dhcp.address = 0; /* offered only */
        }
        net->dhcp.state = DHCP_IDLE;
        return;
    }
    net->address = 0; /* until the server of this network agrees; connections wait for that */
    if (NET_WITH_LINK_LOCAL) {
        link_local_later(net);
    }
    if (leased && lease_runs(net)) {
        net->dhcp.xid = net_random(net);
        enter(net, DHCP_REBOOTING, 0);
    } else {
        discover(net, 0);
    }
}

static int build_and_send(struct net *net, enum dhcp_type type, bool broadcast)
{
    struct net_dhcp *dhcp = &net->dhcp;
    bool names_server = dhcp->state == DHCP_REQUESTING || type == DHCP_DECLINE; /* tables 4 and 5 */
    struct dhcp_request request = {
        .xid = dhcp->xid,
        .client_address = net->address,
        .requested_address = net->address ? 0 : dhcp->address,
        .server = names_server ? dhcp->server : 0,
        .mac = net->mac,
        .hostname = net->hostname,
        .type = (uint8_t)type,
        .broadcast = broadcast,
    };
    uint8_t head[DHCP_HEAD];
    dhcp_build_head(head, &request);
    dhcp_build_tail(net->scratch, NET_SCRATCH_BYTES, &request);
    struct udp_message message = {
        .destination = dhcp->state == DHCP_RENEWING ? dhcp->server : IPV4_BROADCAST,
        .source_port = DHCP_CLIENT_PORT,
        .destination_port = DHCP_SERVER_PORT,
        .head = head,
        .head_length = sizeof head,
        .tail = net->scratch,
        .tail_length = NET_SCRATCH_BYTES,
    };
    return udp_output(net, &message, &net->scratch_ticket);
}

/*
 * With a link-local address we ask as if we had none, which is no address to ask a server from; the answer
 * must then be a broadcast (4.1), since an address not yet ours is not received.
 */
static int send_message(struct net *net, enum dhcp_type type)
{
    if (!net_ticket_done(net, net->scratch_ticket)) {
        return NET_ERROR_BUSY;
    }
    net->dhcp.asked_ms = net->now_ms;
    if (!NET_WITH_LINK_LOCAL || !link_local_in_use(net)) {
        return build_and_send(net, type, false);
    }
    uint32_t address = net->address;
    net->address = 0;
    int result = build_and_send(net, type, true);
    net->address = address;
    return result;
}

static uint32_t back_off(struct net *net)
{
    unsigned doublings = net->dhcp.tries < RETRY_DOUBLINGS ? net->dhcp.tries : RETRY_DOUBLINGS;
    return ((uint32_t)RETRY_FIRST_MS << doublings) - JITTER_MS + net_random(net) % (2 * JITTER_MS + 1);
}

static void attempt(struct net *net, enum dhcp_type type)
{
    if (send_message(net, type) != NET_OK) {
        at(net, UNSENT_RETRY_MS);
        return;
    }
    at(net, back_off(net));
    net->dhcp.tries++;
}

/* Half of what is left until `end_ms`, but at least a minute, and not beyond it. */
static void attempt_renewal(struct net *net, uint32_t end_ms)
{
    uint32_t left = end_ms - net->now_ms, wait = left / 2;
    wait = wait > RENEW_MIN_MS ? wait : RENEW_MIN_MS;
    if (send_message(net, DHCP_REQUEST) != NET_OK) {
        wait = back_off(net);
        net->dhcp.tries++;
    }
    at(net, wait < left ? wait : left);
}

static void bound(struct net *net)
{
    if (NET_WITH_LINK_LOCAL) {
        link_local_stop(net);
    }
    net->dhcp.state = DHCP_BOUND;
    if (!net->dhcp.infinite) {
        net->dhcp.deadline_ms = net->dhcp.t1_ms;
        net_timer_at(net, net->dhcp.t1_ms);
    }
}

static void renew(struct net *net)
{
    struct net_dhcp *dhcp = &net->dhcp;
    if (dhcp->state == DHCP_BOUND) {
        dhcp->xid = net_random(net);
        dhcp->state = DHCP_RENEWING;
        dhcp->tries = 0;
    }
    if (dhcp->state == DHCP_RENEWING && net_due(net, dhcp->t2_ms)) {
        dhcp->state = DHCP_REBINDING;
    }
    if (net_due(net, dhcp->lease_end_ms)) {
        lose_address(net, 0);
        return;
    }
    attempt_renewal(net, dhcp->state == DHCP_RENEWING ? dhcp->t2_ms : dhcp->lease_end_ms);
}

/* Inline: the standard firmware is 64 bytes smaller so. */
static inline __attribute__((always_inline)) void use(struct net *net)
{
    bound(net);
    net_set_address(net, net->dhcp.address);
}

/* Who would be there if the link was still to the network of the lease. */
static bool gateway_answers(struct net *net)
{
    return arp_resolve(net, net->gateway ? net->gateway : net->dhcp.server) != NULL;
}

/*
 * No server says whether the address is good here. A lease that runs may be used on (3.2), but on another
 * network it is worth nothing: where its gateway does not answer either, servers are asked on (RFC 4436 2).
 */
static void try_lease(struct net *net)
{
    net->address = net->dhcp.address;
    if (NET_WITH_ROUTES) {
        net_wake(net); /* ways that were none are looked for again */
    }
    enter(net, DHCP_TRYING, TRIAL_MS);
    (void)gateway_answers(net);
}

static void end_trial(struct net *net)
{
    if (gateway_answers(net)) {
        use(net);
        return;
    }
    net->address = 0; /* connections wait: a server may yet give it to us */
    net_wake(net);
#if NET_WITH_ACD
    acd_stop(net);
#endif
    discover(net, 0);
}

static bool address_usable(uint32_t address, uint32_t netmask)
{
    uint32_t host = ~netmask;
    return ipv4_is_host(address) && (host <= 1 || ((address & host) != 0 && (address & host) != host));
}

static void set_times(struct net *net, const struct dhcp_reply *reply)
{
    struct net_dhcp *dhcp = &net->dhcp;
    uint32_t lease = reply->lease_s < LEASE_MAX_S ? reply->lease_s : LEASE_MAX_S;
    uint32_t t1 = reply->t1_s, t2 = reply->t2_s;
    if (t1 == 0 || t1 >= t2 || t2 >= lease) {
        t1 = lease / 2; /* 4.4.5 */
        t2 = lease - lease / 8;
    }
    dhcp->infinite = reply->lease_s == LEASE_INFINITE;
    dhcp->t1_ms = dhcp->asked_ms + t1 * 1000; /* 4.4.1: from the request, not from the answer on */
    dhcp->t2_ms = dhcp->asked_ms + t2 * 1000;
    dhcp->lease_end_ms = dhcp->asked_ms + lease * 1000;
}

/* The first `count` of those that can be a host's, or what was if there is none. */
static void set_list(uint32_t *list, const uint32_t *from, unsigned count)
{
    unsigned used = 0;
    for (unsigned i = 0; i < count; i++) {
        if (ipv4_is_host(from[i])) {
            list[used++] = from[i];
        }
    }
    while (used != 0 && used < count) {
        list[used++] = 0;
    }
}

/* A first lease starts from nothing; an answer to a renewal without an option leaves what was. */
static void set_parameters(struct net *net, const struct dhcp_reply *reply, bool first)
{
    if (first) {
        net->gateway = 0;
        memset(net->dns_servers, 0, sizeof net->dns_servers);
    }
    net->netmask = reply->netmask;
    if (ipv4_is_host(reply->router)) {
        net->gateway = reply->router;
    }
    set_list(net->dns_servers, reply->dns_servers, NET_DNS_SERVERS);
#if NET_WITH_DNS_SEARCH
    if (first || reply->domain[0]) {
        memcpy(net->domain, reply->domain, sizeof net->domain);
    }
#endif
#if NET_WITH_SNTP
    if (first) {
        memset(net->ntp_servers, 0, sizeof net->ntp_servers);
    }
    set_list(net->ntp_servers, reply->ntp_servers, NET_NTP_SERVERS);
#endif
}

static uint32_t netmask_of(const struct net *net, const struct dhcp_reply *reply)
{
    uint32_t mask = reply->netmask, host = ~mask;
    if (mask != 0 && (host & (host + 1)) == 0) {
        return mask;
    }
    bool renewal = net->dhcp.state != DHCP_REQUESTING && net->netmask != 0;
    return renewal ? net->netmask : 0xFFFFFF00;
}

#if NET_WITH_ACD

/* 2.2, RFC 5227 2.1: an address is probed for before it is used. `reply` NULL: leased before, on another
 * link. */
static void probe(struct net *net, const struct dhcp_reply *reply, bool first)
{
    struct net_dhcp *dhcp = &net->dhcp;
    dhcp->has_reply = reply != NULL;
    dhcp->first = first;
    if (reply) {
        dhcp->reply = *reply;
    }
    if (NET_WITH_LINK_LOCAL) {
        link_local_later(net);
    }
    enter(net, DHCP_PROBING, NET_FAR_MS);
    acd_probe(net, dhcp->address);
    net_timer_at(net, net->now_ms);
}

static void use_probed(struct net *net)
{
    if (net->dhcp.has_reply) {
        set_parameters(net, &net->dhcp.reply, net->dhcp.first);
        use(net);
    } else {
        try_lease(net);
    }
}

/*
 * 4.4.4: whether it was only probed for or in use, the address is another's. One leased before, in place of
 * which a renewal has brought it, is no longer ours either.
 */
static void decline(struct net *net)
{
    acd_stop(net);
    if (!NET_WITH_LINK_LOCAL || !link_local_in_use(net)) {
        net_set_address(net, 0);
    }
    net->dhcp.xid = net_random(net);
    enter(net, DHCP_DECLINING, 0);
    if (NET_WITH_LINK_LOCAL) {
        link_local_resume(net);
    }
}

static void watch_conflicts(struct net *net)
{
    if (net->dhcp.state < DHCP_PROBING || acd_address(net) != net->dhcp.address) {
        return;
    }
    if (acd_state(net) == ACD_CONFLICT) {
        decline(net);
    } else if (net->dhcp.state == DHCP_PROBING && acd_state(net) == ACD_FREE) {
        use_probed(net);
    }
}

#endif

static bool acknowledged(struct net *net, struct dhcp_reply *reply)
{
    struct net_dhcp *dhcp = &net->dhcp;
    bool first = dhcp->state == DHCP_REQUESTING;
    reply->netmask = netmask_of(net, reply);
    if (reply->lease_s < LEASE_MIN_S || !address_usable(reply->your_address, reply->netmask)) {
        return false;
    }
    set_times(net, reply);
    dhcp->address = reply->your_address;
    dhcp->server = reply->server ? reply->server : dhcp->server;
#if NET_WITH_ACD
    if (dhcp->address != net->address) {
        probe(net, reply, first);
        return true;
    }
#endif
    set_parameters(net, reply, first);
    use(net);
    return true;
}

static bool offered(struct net *net, const struct dhcp_reply *reply)
{
    if (!ipv4_is_host(reply->server) || reply->lease_s < LEASE_MIN_S || !ipv4_is_host(reply->your_address)) {
        return false;
    }
    net->dhcp.address = reply->your_address;
    net->dhcp.server = reply->server;
    enter(net, DHCP_REQUESTING, 0);
    return true;
}

static bool answered(struct net *net, struct dhcp_reply *reply)
{
    uint32_t state = net->dhcp.state;
    if (reply->type == DHCP_OFFER) {
        return (state == DHCP_SELECTING || state == DHCP_REBOOTING) && offered(net, reply);
    }
    switch (state) {
    case DHCP_REQUESTING:
    case DHCP_RENEWING:
        if (reply->server != net->dhcp.server) {
            return false; /* of another server; or without option 54, which is a MUST (table 3) */
        }
        break;
    case DHCP_REBOOTING:
    case DHCP_REBINDING:
        if (reply->server != 0 && !ipv4_is_host(reply->server)) {
            return false;
        }
        break;
    default: return false;
    }
    if (reply->type == DHCP_NAK) {
        lose_address(net, AFTER_NAK_MS);
        return true;
    }
    return reply->type == DHCP_ACK && acknowledged(net, reply);
}

static void reboot_unanswered(struct net *net)
{
    if (!lease_runs(net)) {
        lose_address(net, 0);
        return;
    }
#if NET_WITH_ACD
    probe(net, NULL, false);
#else
    try_lease(net);
#endif
}

static void run(struct net *net)
{
    struct net_dhcp *dhcp = &net->dhcp;
    if (dhcp->state == DHCP_IDLE && !lease_runs(net)) {
        dhcp->address = 0; /* before the time wraps and makes the lease look as if it ran */
    }
    if (dhcp->state == DHCP_IDLE || (dhcp->state == DHCP_BOUND && dhcp->infinite)) {
        return;
    }
    if (!net_due(net, dhcp->deadline_ms)) {
        net_timer_at(net, dhcp->deadline_ms);
        return;
    }
    switch (dhcp->state) {
#if NET_WITH_ACD
    case DHCP_PROBING: break; /* acd.c's timers run */
    case DHCP_DECLINING:
        if (send_message(net, DHCP_DECLINE) == NET_OK) {
            discover(net, AFTER_DECLINE_MS);
        } else {
            at(net, UNSENT_RETRY_MS);
        }
        break;
#endif
    case DHCP_SELECTING: attempt(net, DHCP_DISCOVER); break;
    case DHCP_REQUESTING:
        if (dhcp->tries == REQUEST_TRIES) {
            discover(net, 0);
        } else {
            attempt(net, DHCP_REQUEST);
        }
        break;
    case DHCP_REBOOTING:
        if (dhcp->tries == REBOOT_TRIES) {
            reboot_unanswered(net);
        } else { /* who has no record of us is silent (4.3.2), so that it is asked as by a new client then */
            attempt(net, dhcp->tries == 0 ? DHCP_REQUEST : DHCP_DISCOVER);
        }
        break;
    case DHCP_TRYING: end_trial(net); break;
    default: renew(net); break;
    }
}

void dhcp_timers(struct net *net)
{
#if NET_WITH_ACD
    watch_conflicts(net);
#endif
    run(net);
    bool one_is_tried = net->dhcp.state >= DHCP_REBOOTING && net->dhcp.state < DHCP_BOUND;
    if (NET_WITH_LINK_LOCAL && !one_is_tried) {
        link_local_timers(net);
    }
}

enum frame_fate dhcp_input(struct net *net, const uint8_t *message, size_t length)
{
    struct dhcp_reply reply;
    if (!dhcp_parse(message, length, net->mac, &reply) || reply.xid != net->dhcp.xid ||
        !answered(net, &reply)) {
        return net_dropped(NET_DROP_DHCP);
    }
    return FRAME_DONE;
}
