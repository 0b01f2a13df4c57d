/* The options of IPv4 and TCP headers: kind, length of both and the value, but for two that are a kind alone.
 */
#ifndef NET_WIRE_OPTIONS_H
#define NET_WIRE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum {
    OPTION_MALFORMED = -1, /* a length that does not fit */
    OPTION_END = 0,
    OPTION_NOP = 1,
};

/* Kind of the option at `*at` or, if there are NOPs, behind them, which moves `*at`; END behind the last. */
int option_kind(const uint8_t *options, size_t length, size_t *at);

#endif
