/* Simple Network Time Protocol messages (RFC 4330 4, 5905 7.3). */
#ifndef NET_WIRE_SNTP_H
#define NET_WIRE_SNTP_H

#include <stddef.h>
#include <stdint.h>

enum {
    SNTP_PORT = 123,
    SNTP_MESSAGE = 48,
};

enum sntp_answer {
    SNTP_TIME,
    SNTP_IGNORED, /* malformed, or not in answer to this request: wait for the true one */
    SNTP_UNFIT,   /* the server's clock is not set, or too far from any that is */
    SNTP_RATE,    /* kiss of death: ask less often */
    SNTP_DENY,    /* kiss of death: do not ask again */
};

struct sntp_reply {
    uint32_t unix_s;       /* when the server sent it */
    uint32_t unix_ms;      /* thousandths of a second more */
    uint32_t residence_ms; /* between reception of the request and this */
};

/* Writes SNTP_MESSAGE bytes. The cookie stands where the time of transmission would, and must come back. */
void sntp_build(uint8_t *message, const uint32_t cookie[2]);

enum sntp_answer sntp_parse(const uint8_t *message, size_t length, const uint32_t cookie[2],
                            struct sntp_reply *reply);

#endif
