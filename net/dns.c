#include "net/wire/dns.h"
#include "net/dns.h"
#include "net/internal.h"
#include "net/mdns.h"
#include "net/wire/udp.h"

#include <string.h>

enum {
    TRIES = 5,             /* if there is one server */
    ROUNDS = 3,            /* if there are more, or all neighbours are asked */
    TOTAL_MS = 31000,      /* for all aliases of a name: as much as one server has that is silent */
    ALIASES = 8,           /* followed from answer to answer */
    FIRST_RETRY_MS = 1000, /* then doubled, when all servers have been asked once more */
    BUSY_RETRY_MS = 10,
};

static void at(struct net *net, struct net_dns *dns, uint32_t delay_ms)
{
    dns->deadline_ms = net->now_ms + delay_ms;
    net_timer_at(net, dns->deadline_ms);
}

static void finish(struct net *net, struct net_dns *dns, enum net_error result)
{
    dns->result = (int8_t)result;
    if (NET_WITH_SNTP) {
        net_timer_at(net, net->now_ms); /* it may be SNTP that waits */
    }
}

/* ---- Servers ---- */

static unsigned count_servers(const struct net *net)
{
    unsigned count = 0;
    while (count < NET_DNS_SERVERS && net->dns_servers[count] != 0) {
        count++;
    }
    return count;
}

static bool is_multicast(const struct net_dns *dns)
{
    return NET_WITH_MDNS && dns->multicast;
}

static uint32_t server(const struct net *net, const struct net_dns *dns)
{
    return is_multicast(dns) ? MDNS_GROUP : net->dns_servers[NET_DNS_SERVERS > 1 ? dns->server : 0];
}

/* May an answer be sent from there? One to a multicast query by every neighbour (RFC 6762 11). */
static bool may_answer(const struct net *net, const struct net_dns *dns, uint32_t source, uint16_t port)
{
    if (is_multicast(dns)) {
        return port == MDNS_PORT && net_is_neighbour(net, source);
    }
    bool known = source == net->dns_servers[0];
    for (unsigned i = 1; i < NET_DNS_SERVERS; i++) {
        known = known || source == net->dns_servers[i];
    }
    return port == DNS_PORT && known;
}

/* The next in turn that has not failed. */
static void turn_to_next_server(const struct net *net, struct net_dns *dns)
{
    unsigned count = count_servers(net), next = dns->server;
    for (unsigned i = 0; i < count; i++) {
        next = next + 1 < count ? next + 1 : 0;
        if (!(dns->failed & 1U << next)) {
            break;
        }
    }
    dns->server = next & 3U;
}

/* A server cannot tell: ask the next one now. False: no other is left. */
static bool fail_over(struct net *net, struct net_dns *dns, uint32_t source)
{
    unsigned count = count_servers(net), before = dns->failed;
    for (unsigned i = 0; i < count; i++) {
        if (net->dns_servers[i] == source) {
            dns->failed = (dns->failed | 1U << i) & 7U;
        }
    }
    if (is_multicast(dns) || dns->failed == (1U << count) - 1) {
        return false;
    }
    if (dns->failed & 1U << dns->server) {
        turn_to_next_server(net, dns);
    }
    if (dns->failed != before) {
        at(net, dns, 0);
    }
    return true;
}

/* ---- The query ---- */

#if NET_WITH_DNS_SEARCH

/* Puts a single label into our domain; the name as it is comes next. Only the caller's query has room for
 * that. */
static const char *in_domain(struct net *net, struct net_dns *dns, const char *name)
{
    size_t length = strlen(name), domain = strlen(net->domain);
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '.') {
            return name;
        }
    }
    if (dns != &net->dns[0] || length > DHCP_DOMAIN_MAX || dns_name_length(net->domain) == 0) {
        return name;
    }
    memcpy(net->searched, name, length);
    net->searched[length] = '.';
    memcpy(net->searched + length + 1, net->domain, domain + 1);
    dns->plain = name;
    return net->searched;
}

/* NULL: there is nothing else to try. */
static const char *take_plain(struct net_dns *dns)
{
    const char *name = dns->plain;
    dns->plain = NULL;
    return name;
}

#else

static inline const char *in_domain(struct net *net, struct net_dns *dns, const char *name)
{
    (void)net;
    (void)dns;
    return name;
}

static inline const char *take_plain(struct net_dns *dns)
{
    (void)dns;
    return NULL;
}

#endif

#if NET_WITH_DNS_ALIASES

_Static_assert((int)NET_DNS_ALIAS == (int)DNS_NAME_MAX + 1, "an alias may be as long as a name");

/* The name that the query is for now. */
static const char *asked(const struct net_dns *dns)
{
    return dns->aliases != 0 ? dns->alias : dns->name;
}

static bool out_of_time(const struct net *net, const struct net_dns *dns)
{
    return dns->aliases != 0 && net_due(net, dns->ends_ms);
}

/* An alias is given what is left of the name's time. */
static uint32_t in_time(const struct net *net, const struct net_dns *dns, uint32_t delay_ms)
{
    uint32_t left_ms = dns->ends_ms - net->now_ms;
    return dns->aliases != 0 && left_ms < delay_ms ? left_ms : delay_ms;
}

static uint32_t least_ttl(const struct net_dns *dns, uint32_t ttl_s)
{
    return dns->aliases != 0 && dns->ttl_s < ttl_s ? dns->ttl_s : ttl_s;
}

/* The answer has only an alias: ask for that, with an id and port of its own. False: that leads nowhere. */
static bool follow(struct net *net, struct net_dns *dns, const struct udp_header *udp,
                   const struct dns_found *answer)
{
    uint32_t ttl_s = least_ttl(dns, answer->ttl_s);
    if (dns->aliases == ALIASES ||
        !dns_get_name(udp->payload, udp->length, answer->address, dns->alias, sizeof dns->alias)) {
        return false;
    }
    dns->ttl_s = ttl_s;
    dns->aliases++;
    dns->id = (uint16_t)net_random(net);
    dns->port = udp_random_port(net);
    dns->tries = 0;
    dns->failed = 0;
    dns->unsent = false;
    at(net, dns, 0);
    return true;
}

#else

static inline const char *asked(const struct net_dns *dns)
{
    return dns->name;
}

static inline bool out_of_time(const struct net *net, const struct net_dns *dns)
{
    (void)net;
    (void)dns;
    return false;
}

static inline uint32_t in_time(const struct net *net, const struct net_dns *dns, uint32_t delay_ms)
{
    (void)net;
    (void)dns;
    return delay_ms;
}

static inline uint32_t least_ttl(const struct net_dns *dns, uint32_t ttl_s)
{
    (void)dns;
    return ttl_s;
}

#endif

static bool is_known(struct net *net, struct net_dns *dns, const char *name)
{
    if (!NET_WITH_DNS_CACHE || !dns_cache_find(net, name, &dns->address)) {
        return false;
    }
    finish(net, dns, dns->address ? NET_OK : NET_ERROR_NO_NAME);
    return true;
}

static void begin(struct net *net, struct net_dns *dns, const char *name)
{
    while (is_known(net, dns, name)) {
        const char *plain = dns->address ? NULL : take_plain(dns);
        if (!plain) {
            return;
        }
        name = plain;
    }
    uint32_t random = net_random(net);
    const char *plain = take_plain(dns);
    *dns = (struct net_dns){.name = name, .id = (uint16_t)random, .result = NET_ERROR_PENDING};
    dns->multicast = NET_WITH_MDNS && mdns_is_local(name);
#if NET_WITH_DNS_SEARCH
    dns->plain = plain;
#else
    (void)plain;
#endif
    dns->port = udp_random_port(net);
#if NET_WITH_DNS_ALIASES
    dns->ends_ms = net->now_ms + TOTAL_MS;
#endif
    at(net, dns, 0);
}

int dns_ask(struct net *net, struct net_dns *dns, const char *name)
{
    *dns = (struct net_dns){.result = NET_OK};
    if (!net_is_up(net)) {
        return NET_ERROR_DOWN;
    }
    bool multicast = NET_WITH_MDNS && mdns_is_local(name);
    if (net->dns_servers[0] == 0 && !multicast) {
        return NET_ERROR_SERVER;
    }
    size_t length = dns_name_length(name);
    if (length == 0 || length > DNS_NAME_MAX + 2) {
        return NET_ERROR_ARGUMENT;
    }
    _Static_assert(DNS_HEADER + DNS_NAME_MAX + 2 + 4 <= NET_SCRATCH_BYTES, "query must fit");
    begin(net, dns, in_domain(net, dns, name));
    return NET_OK;
}

int dns_start(struct net *net, const char *name, uint32_t now_ms)
{
    net->now_ms = now_ms;
    return dns_ask(net, &net->dns[0], name);
}

int dns_answer(const struct net_dns *dns, uint32_t *address)
{
    if (dns->result == NET_OK) {
        if (dns->address == 0) {
            return NET_ERROR_STATE;
        }
        *address = dns->address;
    }
    return dns->result;
}

int dns_result(const struct net *net, uint32_t *address)
{
    return dns_answer(&net->dns[0], address);
}

void dns_cancel(struct net *net)
{
    net->dns[0] = (struct net_dns){.result = NET_OK};
}

static int send_query(struct net *net, const struct net_dns *dns)
{
    uint32_t destination = server(net, dns);
    if (!net_is_up(net) || destination == 0) { /* a new lease may be without a server */
        return NET_ERROR_DOWN;
    }
    if (!net_ticket_done(net, net->scratch_ticket)) {
        return NET_ERROR_BUSY;
    }
    struct udp_message message = {.destination = destination,
                                  .source_port = dns->port,
                                  .destination_port = is_multicast(dns) ? MDNS_PORT : DNS_PORT,
                                  .tail = net->scratch};
    message.tail_length = dns_build_query(net->scratch, dns->id, asked(dns));
    if (is_multicast(dns)) {
        net->scratch[2] = 0; /* no recursion (RFC 6762 18.6) */
    }
    return udp_output(net, &message, &net->scratch_ticket);
}

/* How often the servers have all been asked, after so many tries. */
static unsigned rounds(const struct net *net, const struct net_dns *dns, unsigned tries)
{
    unsigned count = NET_DNS_SERVERS == 1 || is_multicast(dns) ? 1 : count_servers(net);
    return count > 1 ? tries / count : tries;
}

static bool tried_enough(const struct net *net, const struct net_dns *dns)
{
    unsigned limit = is_multicast(dns) || (NET_DNS_SERVERS > 1 && count_servers(net) != 1) ? ROUNDS : TRIES;
    return rounds(net, dns, dns->tries) >= limit;
}

static void attempt(struct net *net, struct net_dns *dns)
{
    if (tried_enough(net, dns) || out_of_time(net, dns)) {
        finish(net, dns, NET_ERROR_TIMEOUT);
        return;
    }
    if (NET_DNS_SERVERS > 1 && dns->unsent && !dns->woken) {
        turn_to_next_server(net, dns); /* the way to the last one was not found in time */
    }
    int sent = send_query(net, dns);
    if (sent == NET_ERROR_BUSY) {
        at(net, dns, BUSY_RETRY_MS);
        return;
    }
    if (NET_DNS_SERVERS > 1 && sent == NET_OK) {
        turn_to_next_server(net, dns);
    }
    bool again = dns->unsent && sent == NET_OK; /* the try that waited, not a new one */
    dns->unsent = sent != NET_OK;
    dns->woken = false;
    dns->tries = (uint8_t)(dns->tries + !again);
    at(net, dns, in_time(net, dns, (uint32_t)FIRST_RETRY_MS << rounds(net, dns, dns->tries - 1U)));
}

void dns_wake(struct net *net)
{
    for (unsigned i = 0; i < NET_DNS_QUERIES; i++) {
        if (net->dns[i].unsent) {
            net->dns[i].woken = NET_DNS_SERVERS > 1;
            at(net, &net->dns[i], 0);
        }
    }
}

void dns_timers(struct net *net)
{
    for (unsigned i = 0; i < NET_DNS_QUERIES; i++) {
        struct net_dns *dns = &net->dns[i];
        if (dns->result != NET_ERROR_PENDING) {
            continue;
        }
        if (net_due(net, dns->deadline_ms)) {
            attempt(net, dns);
        } else {
            net_timer_at(net, dns->deadline_ms);
        }
    }
    if (NET_WITH_DNS_CACHE) {
        dns_cache_timers(net);
    }
}

static void found(struct net *net, struct net_dns *dns, enum net_error result, const struct dns_found *answer)
{
    if (NET_WITH_DNS_CACHE) {
        dns_cache_keep(net, dns->name, result == NET_OK ? answer->address : 0, least_ttl(dns, answer->ttl_s));
    }
    const char *plain = result == NET_OK ? NULL : take_plain(dns);
    if (plain) {
        begin(net, dns, plain);
    } else {
        finish(net, dns, result);
    }
}

enum frame_fate dns_input(struct net *net, struct net_dns *dns, const struct ipv4_packet *ip,
                          const struct udp_header *udp)
{
    struct dns_found answer = {0, 0};
    enum dns_answer kind = DNS_IGNORED;
    if (may_answer(net, dns, ip->source, udp->source)) {
        kind = dns_parse(udp->payload, udp->length, dns->id, asked(dns), &answer);
    }
    switch (kind) {
    case DNS_ADDRESS:
        dns->address = answer.address;
        found(net, dns, ipv4_is_host(answer.address) ? NET_OK : NET_ERROR_NO_NAME, &answer);
        break;
    case DNS_NO_NAME: found(net, dns, NET_ERROR_NO_NAME, &answer); break;
#if NET_WITH_DNS_ALIASES
    case DNS_ALIAS:
        if (!follow(net, dns, udp, &answer)) {
            answer.ttl_s = 0; /* not remembered: it may be mended any time */
            found(net, dns, NET_ERROR_NO_NAME, &answer);
        }
        break;
#endif
    case DNS_FAILURE:
        if (NET_DNS_SERVERS == 1 || !fail_over(net, dns, ip->source)) {
            finish(net, dns, NET_ERROR_SERVER);
        }
        break;
    default: return net_dropped(NET_DROP_DNS);
    }
    return FRAME_DONE;
}
