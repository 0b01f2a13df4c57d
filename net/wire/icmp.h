/* Internet Control Message Protocol (RFC 792). */
#ifndef NET_WIRE_ICMP_H
#define NET_WIRE_ICMP_H

#include <stdint.h>

enum {
    ICMP_HEADER = 8,
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
    ICMP_CODE_PROTOCOL = 2, /* of unreachable */
    ICMP_CODE_PORT = 3,
    ICMP_CODE_FRAGMENTATION = 4, /* needed, and forbidden by DF */
    ICMP_CODE_REASSEMBLY = 1,    /* of time exceeded */
    ICMP_QUOTED = 8,             /* bytes after the IPv4 header (RFC 792) */
};

#endif
