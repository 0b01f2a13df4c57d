/* Multicast DNS messages of a host that has one name and one address (RFC 6762). */
#ifndef NET_WIRE_MDNS_H
#define NET_WIRE_MDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MDNS_TTL_S = 120,       /* of a record with a host name (10) */
    MDNS_LEGACY_TTL_S = 10, /* 6.7 */
    MDNS_MESSAGE_MAX = 86,  /* of ours, with a name of 42 bytes */
};

/* What a message says about our name. */
struct mdns_message {
    bool response;
    bool asks_address; /* a question of type A or ANY */
    bool asks_other;   /* for something else that we do not have */
    bool unicast;      /* all of these want the answer by unicast (5.4) */
    bool known;        /* the asker knows our address already (7.1) */
    bool claims;       /* an answer: another address under our name (9) */
    bool claims_other; /* an answer: a record of another type under our name */
    bool probes;       /* an authority: somebody proposes an address under our name (8.2): */
    uint32_t proposed;
    uint16_t id;
    uint16_t type; /* of the question for the address */
};

/* `name` as dns_put_name writes it. False: malformed, or of an opcode or response code that means nothing
 * here. */
bool mdns_parse(const uint8_t *message, size_t length, const uint8_t *name, uint32_t address,
                struct mdns_message *parsed);

/* They return the length, MDNS_MESSAGE_MAX at most. */

/* Question for anything under the name, and the record that we would have (8.1). */
size_t mdns_build_probe(uint8_t *message, const uint8_t *name, uint32_t address);
/* Our address if `with_address`; that there is nothing else under the name (NSEC, 6.1) in any case. */
size_t mdns_build_response(uint8_t *message, const uint8_t *name, uint32_t address, bool with_address);
/* To an ordinary resolver, which wants its id and question back (6.7). */
size_t mdns_build_legacy(uint8_t *message, const uint8_t *name, uint32_t address,
                         const struct mdns_message *query);

#endif
