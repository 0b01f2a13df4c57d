/*
 * A device for `net` with the fuzzer at the other end: frames in one at a time, each lent as memory of its
 * exact size; frames out are checked as a careful receiver would, remembered where an answer needs it, and
 * what they refer to must stay as it is until the device lets go of it.
 */
#ifndef FUZZ_CABLE_H
#define FUZZ_CABLE_H

#include "net/net.h"

enum {
    CABLE_HELD = 64,
    CABLE_PORTS = 4, /* of the peer's, from CABLE_PORT on */
    CABLE_PORT = 40001,
};

#define CABLE_PEER 0x0A000001U
#define CABLE_OURS 0x0A000002U

struct cable {
    struct net_device device;
    uint8_t *arrived, *lent, *room;
    size_t arrived_length, lent_length;
    bool full; /* takes no frame */
    bool slow; /* keeps what it has been given */
    uint32_t ticket, done;
    struct {
        const uint8_t *payload;
        size_t length;
        uint8_t *copy;
    } held[CABLE_HELD];
    unsigned held_count;
    /* What an answer must know of what was sent. */
    uint32_t isn[CABLE_PORTS];            /* of the last SYN-ACK to these ports */
    uint16_t dns_port, dns_id, sntp_port; /* of the last query */
    uint32_t dhcp_xid;
    uint8_t sntp_cookie[8];
    uint8_t tcp[28]; /* header and eight bytes of the last TCP packet */
    unsigned echo_replies;
};

void cable_open(struct cable *cable);
void cable_close(struct cable *cable);
/* To be received next; there must be none yet. */
void cable_arrives(struct cable *cable, const uint8_t *frame, size_t length);
/* The device lets go of what it has kept, which must not have changed. */
void cable_lets_go(struct cable *cable);

#endif
