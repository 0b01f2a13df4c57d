/* Dynamic Host Configuration Protocol messages (RFC 2131, options RFC 2132). */
#ifndef NET_WIRE_DHCP_H
#define NET_WIRE_DHCP_H

#include "net/features.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    DHCP_DOMAIN_MAX = 63, /* characters of a domain name that is kept */
    DHCP_HEAD =
        86, /* bytes that dhcp_build_head writes: up to within sname, as many as a frame's head holds */
    DHCP_MESSAGE_MIN = 300, /* of BOOTP (RFC 951); some servers drop shorter ones */
};

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_DECLINE = 4,
    DHCP_ACK = 5,
    DHCP_NAK = 6,
    DHCP_RELEASE = 7,
};

/* An answer of a server. 0: the option was not there. */
struct dhcp_reply {
    uint32_t xid;
    uint32_t your_address;
    uint32_t server;
    uint32_t netmask;
    uint32_t router;
    uint32_t dns_servers[NET_DNS_SERVERS]; /* the first of them, as of the next */
#if NET_WITH_SNTP
    uint32_t ntp_servers[NET_NTP_SERVERS];
#endif
    uint32_t lease_s, t1_s, t2_s;
#if NET_WITH_DNS_SEARCH
    char domain[DHCP_DOMAIN_MAX + 1]; /* empty: none that can be one, or too long */
#endif
    uint8_t type;
};

/* False: not a reply to this link address, no magic cookie, a malformed option, or no type. */
bool dhcp_parse(const uint8_t *message, size_t length, const uint8_t *mac, struct dhcp_reply *reply);

struct dhcp_request {
    uint32_t xid;
    uint32_t client_address;    /* ciaddr; 0 before an address is in use */
    uint32_t requested_address; /* option 50; 0: none */
    uint32_t server;            /* option 54; 0: none */
    const uint8_t *mac;
    const char *hostname; /* NULL: none */
    uint8_t type;
    bool broadcast; /* the answer is to be one; with NET_WITH_LINK_LOCAL */
};

/* The message is built in two parts, for a frame that is gathered from two places. */
void dhcp_build_head(uint8_t *head, const struct dhcp_request *request);
/* The rest, `size` bytes, filled up with 0; the host name is cut to what fits. `size` at least 194. */
void dhcp_build_tail(uint8_t *tail, size_t size, const struct dhcp_request *request);

#endif
