#ifndef NET_WIRE_TCP_RANGE_H
#define NET_WIRE_TCP_RANGE_H

#include <stdint.h>

/* Sequence numbers from `start` on, up to but not with `end`. */
struct tcp_range {
    uint32_t start, end;
};

#endif
