/*
 * Raw ICMP: echo requests, their answers with the time that they took, and the errors that they meet. For
 * contexts and times see net.h. With NET_WITH_PING.
 */
#ifndef NET_PING_H
#define NET_PING_H

#include "net/net.h"

enum {
    PING_REMEMBERED = 4, /* requests whose round trip is timed at once; a power of two */
};

#define PING_RTT_UNKNOWN UINT32_MAX

struct ping_answer {
    int result;      /* NET_OK: an echo reply. NET_ERROR_UNREACHABLE: an ICMP error, of type and code */
    uint32_t source; /* who answers */
    uint32_t
        rtt_ms;   /* PING_RTT_UNKNOWN: answered already, or older than the PING_REMEMBERED newest requests */
    uint16_t seq; /* of the request, as ping_send has returned it */
    uint16_t length; /* of the data that came back */
    uint8_t ttl;     /* what was left of it on arrival */
    uint8_t type, code;
};

/* Private; placed by the caller. */
struct ping {
    struct ping *next;
    struct net *net;
    uint32_t ticket;
    uint16_t id, seq;         /* of the newest request */
    bool has_answer, wrapped; /* every number has been sent */
    uint8_t ttl;
    uint32_t local_address; /* 0: not bound */
    struct ping_answer answer;
    struct {
        uint32_t address; /* 0: none, or answered */
        uint32_t sent_ms;
    } sent[PING_REMEMBERED];
};

/*
 * Several may be open at once; each has an id of its own, and must stay until ping_close. One that is open
 * already begins anew, with another id.
 */
void ping_open(struct ping *p, struct net *net);
void ping_close(struct ping *p);

/* Time to live of the requests from now on: 1 to 255; 64 at first. */
void ping_set_ttl(struct ping *p, uint8_t ttl);

/* Send from this address of ours, 0 from the one that the route chooses. NET_ERROR_ARGUMENT: no host's. */
int ping_bind(struct ping *p, uint32_t address) __attribute__((warn_unused_result));

/*
 * Send one request; returns its sequence number, 0 to 65535, or an error:
 * NET_ERROR_DOWN, _ARGUMENT (no host's address), _TOO_LONG, _BUSY, _NEIGHBOUR (being asked for: try again),
 * _ADDRESS (that of ping_bind is not ours now).
 * `data`: up to NET_DEVICE_HEADER_MAX - 42 bytes are copied; more, up to 1472, and with NET_WITH_FRAGMENTS up
 * to NET_FRAGMENT_BYTES - 8, are sent from where they lie, which stays as it is until ping_busy is false.
 */
int ping_send(struct ping *p, uint32_t address, const void *data, size_t length, uint32_t now_ms)
    __attribute__((warn_unused_result));
bool ping_busy(const struct ping *p);

/* The newest answer that has come, once; false if there is none. An older one not fetched is gone. */
bool ping_receive(struct ping *p, struct ping_answer *answer) __attribute__((warn_unused_result));

#endif
