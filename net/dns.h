/* DNS client: one query for an IPv4 address at a time (RFC 1035). For contexts and times see net.h. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/net.h"

enum {
    DNS_NAME_MAX = 180, /* characters; bounded by NET_SCRATCH_BYTES */
};

/*
 * Ask for the address of `name` ("host.example", a final dot allowed), which
 * must stay unchanged until there is a result or the query is cancelled. An
 * earlier query is cancelled. NET_ERROR_DOWN, NET_ERROR_SERVER (none is known),
 * NET_ERROR_ARGUMENT (not a name).
 */
int dns_start(struct net *net, const char *name, uint32_t now_ms) __attribute__((warn_unused_result));

/*
 * NET_ERROR_PENDING while the query runs; NET_OK with the address; else why
 * there is none: NET_ERROR_NO_NAME, _SERVER, _TIMEOUT. NET_ERROR_STATE: no query.
 */
int dns_result(const struct net *net, uint32_t *address) __attribute__((warn_unused_result));

void dns_cancel(struct net *net);

#endif
