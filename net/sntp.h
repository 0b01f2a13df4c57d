/*
 * Wall-clock time by SNTP (RFC 4330; 5905 14), with NET_WITH_SNTP. For contexts and times see net.h.
 *
 * The stack asks by itself whenever the network comes up and every 68 minutes after, as soon as a server is
 * known: net_config.ntp_server, else those that DHCP names (option 42), else net_config.ntp_name.
 */
#ifndef NET_SNTP_H
#define NET_SNTP_H

#include "net/net.h"

#if NET_WITH_SNTP

struct sntp_time {
    uint32_t unix_s; /* seconds since 1970-01-01T00:00Z, until 2106 */
    uint16_t ms;
};

/* False: no server has told it yet. Once known it goes on without the network; it may step at each answer. */
bool sntp_time(const struct net *net, uint32_t now_ms, struct sntp_time *time)
    __attribute__((warn_unused_result));

/* That last asked, or that gave the time; 0: none. */
uint32_t sntp_server(const struct net *net);

#endif
#endif
