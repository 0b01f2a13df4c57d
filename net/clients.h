/*
 * State of the clients of DHCP, DNS, mDNS and SNTP and of the link-local address: private, part of struct net
 * (net/net.h).
 */
#ifndef NET_CLIENTS_H
#define NET_CLIENTS_H

#include "net/features.h"
#include "net/wire/dhcp.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NET_DNS_QUERIES =
        NET_WITH_SNTP ? 2 : 1, /* at once: the caller's, and one for the name of a time server */
    NET_DNS_CACHE = 4,         /* names, with NET_WITH_DNS_CACHE */
    NET_DNS_ALIAS = 181,       /* characters of one, with NET_WITH_DNS_ALIASES */
};

struct net_dhcp {
    uint32_t deadline_ms;
    uint32_t lease_end_ms, t1_ms, t2_ms;
    uint32_t xid;
    uint32_t address; /* offered or leased */
    uint32_t server;
    uint32_t state; /* these two are words for shorter code */
    uint32_t tries;
    bool infinite;
    uint32_t asked_ms; /* the last request was sent */
#if NET_WITH_ACD
    bool has_reply, first;
    struct dhcp_reply reply; /* takes effect when the address is known to be free */
#endif
};

#if NET_WITH_LINK_LOCAL
struct net_link_local {
    uint32_t deadline_ms;
    uint32_t address; /* probed for or in use */
    uint8_t state;
    uint8_t conflicts; /* since the link came up */
};
#endif

struct net_dns {
    const char *name;
    uint32_t deadline_ms;
    uint32_t address;
    uint16_t id, port;
    int8_t result;
    uint8_t tries;
    bool unsent;        /* the last try waits for the next hop's link address */
    uint8_t server : 2; /* to ask next */
    uint8_t failed : 3; /* servers that cannot tell, a bit each */
    uint8_t multicast : 1;
    uint8_t woken : 1; /* the link address that it waits for may be known */
#if NET_WITH_DNS_SEARCH
    const char *plain; /* to be asked for next, if there is no such name in the domain; NULL: nothing */
#endif
#if NET_WITH_DNS_ALIASES
    uint32_t ends_ms;          /* aliases have no more time than the name has */
    uint32_t ttl_s;            /* the least of those followed */
    uint8_t aliases;           /* followed from answer to answer */
    char alias[NET_DNS_ALIAS]; /* that is asked for in place of the name, if so */
#endif
};

#if NET_WITH_DNS_CACHE
struct net_dns_entry {
    uint32_t hash[2]; /* of the name */
    uint32_t expires_ms;
    uint32_t address; /* 0: there is none */
    bool used;
};
#endif

#if NET_WITH_MDNS
enum { NET_MDNS_NAME = 42 };
struct net_mdns {
    uint32_t deadline_ms;
    uint32_t address;            /* for which it runs */
    uint32_t multicast_ms;       /* our record was sent to all */
    uint32_t conflict_ms;        /* the first of `conflicts` */
    uint8_t name[NET_MDNS_NAME]; /* as in a message */
    uint8_t base;                /* length of the label configured, 0: none */
    uint8_t number;              /* appended to it: "-2" and so on; 0: nothing */
    uint8_t state, sent;
    uint8_t conflicts;
    bool multicast; /* multicast_ms holds */
};
#endif

#if NET_WITH_SNTP
struct net_sntp {
    uint32_t deadline_ms;
    uint32_t cookie[2]; /* sent as the time of transmission, must come back */
    uint32_t sent_ms;
    uint32_t server;  /* asked, or that gave the time */
    uint32_t unix_s;  /* was so and */
    uint32_t unix_ms; /* so much at */
    uint32_t base_ms;
    uint32_t configured;
    const char *name;
    uint16_t port;
    uint8_t state;
    uint8_t turn;        /* of the servers */
    uint8_t denied;      /* servers that do not want to be asked, a bit each */
    uint8_t retry, poll; /* log2 of seconds */
    bool known;
    bool asked; /* sent_ms holds */
};
#endif

#endif
