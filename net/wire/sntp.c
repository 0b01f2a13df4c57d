#include "net/wire/sntp.h"

#include "net/wire/bytes.h"

#include <stdbool.h>
#include <string.h>

enum {
    VERSION = 4,
    MODE_CLIENT = 3,
    MODE_SERVER = 4,
    LEAP_ALARM = 3, /* the clock is not set */
    STRATUM_MAX = 15,
    AT_ROOT_DELAY = 4,
    AT_ROOT_DISPERSION = 8,
    AT_REFERENCE_ID = 12,
    AT_ORIGINATE = 24,
    AT_RECEIVE = 32,
    AT_TRANSMIT = 40,
    DISPERSION_MAX_S = 16, /* MAXDISP of RFC 5905 */
    KISS_RATE = 0x52415445,
    KISS_DENY = 0x44454E59,
    KISS_RSTR = 0x52535452,
};

#define NTP_TO_UNIX   2208988800U /* seconds from 1900 to 1970 */
#define TIME_EARLIEST 1704067200U /* 2024-01-01: no server is right that tells an earlier time */

void sntp_build(uint8_t *message, const uint32_t cookie[2])
{
    memset(message, 0, SNTP_MESSAGE);
    message[0] = VERSION << 3 | MODE_CLIENT;
    store_be32(message + AT_TRANSMIT, cookie[0]);
    store_be32(message + AT_TRANSMIT + 4, cookie[1]);
}

static uint32_t milliseconds(uint32_t fraction)
{
    return (uint32_t)((uint64_t)fraction * 1000 >> 32);
}

static enum sntp_answer kiss(uint32_t code)
{
    return code == KISS_RATE ? SNTP_RATE : code == KISS_DENY || code == KISS_RSTR ? SNTP_DENY : SNTP_UNFIT;
}

/* RFC 4330 5, checks 3 to 6. */
static bool fit(const uint8_t *message)
{
    return message[0] >> 6 != LEAP_ALARM && message[1] <= STRATUM_MAX &&
           load_be32(message + AT_ROOT_DELAY) >> 16 < DISPERSION_MAX_S &&
           load_be32(message + AT_ROOT_DISPERSION) >> 16 < DISPERSION_MAX_S;
}

enum sntp_answer sntp_parse(const uint8_t *message, size_t length, const uint32_t cookie[2],
                            struct sntp_reply *reply)
{
    if (length < SNTP_MESSAGE || (message[0] & 7) != MODE_SERVER || (message[0] >> 3 & 7) == 0 ||
        (message[0] >> 3 & 7) > VERSION || load_be32(message + AT_ORIGINATE) != cookie[0] ||
        load_be32(message + AT_ORIGINATE + 4) != cookie[1]) {
        return SNTP_IGNORED;
    }
    if (message[1] == 0) {
        return kiss(load_be32(message + AT_REFERENCE_ID));
    }
    uint32_t seconds = load_be32(message + AT_TRANSMIT), fraction = load_be32(message + AT_TRANSMIT + 4);
    if (!fit(message) || (seconds | fraction) == 0) {
        return SNTP_UNFIT;
    }
    /* Modulo 2^32, which holds for the eras from 1970 to 2106 (RFC 4330 3). */
    reply->unix_s = seconds - NTP_TO_UNIX;
    reply->unix_ms = milliseconds(fraction);
    uint32_t received_ms = milliseconds(load_be32(message + AT_RECEIVE + 4));
    reply->residence_ms = (seconds - load_be32(message + AT_RECEIVE)) * 1000 + reply->unix_ms - received_ms;
    return reply->unix_s < TIME_EARLIEST ? SNTP_UNFIT : SNTP_TIME;
}
