/* Internet Control Message Protocol (RFC 792). */
#ifndef NET_WIRE_ICMP_H
#define NET_WIRE_ICMP_H

#include <stdint.h>

enum {
    ICMP_HEADER = 8,
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_CODE_PROTOCOL = 2, /* of unreachable */
    ICMP_CODE_PORT = 3,
    ICMP_QUOTE = 28, /* IPv4 header without options and eight bytes (RFC 792, 1122 3.2.2) */
};

#endif
