/* A scripted DHCP server on the rig's wire. */
#ifndef TESTS_NET_DHCP_SERVER_H
#define TESTS_NET_DHCP_SERVER_H

#include "rig.h"

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, DECLINE = 4, ACKNOWLEDGE = 5, NAK = 6 };
enum { GOOD_OPTIONS = 24 };

/* A message of the client. */
struct dhcp_seen {
    uint32_t xid, client, requested, server;
    uint32_t source; /* address that it was sent from */
    uint8_t type;
    bool broadcast; /* sent as one */
    bool wants_broadcast;
};

/* Of the server; it also goes without what is 0. */
struct dhcp_answer {
    uint8_t type;
    uint32_t address, server;
    const uint8_t *options;
    size_t length;
};

extern struct rig rig;
extern struct dhcp_seen last;                    /* answers are to this */
extern const uint8_t good_options[GOOD_OPTIONS]; /* mask, router, name server, lease of an hour */

/* The oldest frame sent that is not of ARP, NULL: none. */
const struct frame *dhcp_next_message(void);
struct dhcp_seen dhcp_decode(const struct frame *frame);
/* The next one is of this type; at once, or within a time, which is returned. */
void dhcp_expect(uint8_t type);
uint32_t dhcp_wait_for(uint8_t type, uint32_t limit_ms);

size_t dhcp_build(uint8_t *dhcp, const struct dhcp_answer *reply);
void dhcp_send_raw(const uint8_t *dhcp, size_t length);
void dhcp_answer_with(uint8_t type, uint32_t address, uint32_t server, const void *options, size_t length);
void dhcp_answer(uint8_t type);
/* From DISCOVER to the lease of OURS. */
void dhcp_bind(void);

#endif
