/* Ethernet II header (IEEE 802.3 3.2). */
#ifndef NET_WIRE_ETHERNET_H
#define NET_WIRE_ETHERNET_H

#include "net/wire/bytes.h"

#include <stdbool.h>

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_MTU = 1500,
    ETHERNET_TYPE_IPV4 = 0x0800,
    ETHERNET_TYPE_ARP = 0x0806,
};

static inline uint16_t ethernet_type(const uint8_t *frame)
{
    return load_be16(frame + 12);
}

/* Group address: multicast or broadcast. */
static inline bool ethernet_is_group(const uint8_t *mac)
{
    return mac[0] & 1;
}

static inline bool ethernet_same(const uint8_t *a, const uint8_t *b)
{
    return load_native32(a) == load_native32(b) && load_native16(a + 4) == load_native16(b + 4);
}

static inline bool ethernet_is_broadcast(const uint8_t *mac)
{
    return load_native32(mac) == UINT32_MAX && load_native16(mac + 4) == UINT16_MAX;
}

static inline bool ethernet_is_null(const uint8_t *mac)
{
    return load_native32(mac) == 0 && load_native16(mac + 4) == 0;
}

static inline void ethernet_build(uint8_t *frame, const uint8_t *destination, const uint8_t *source,
                                  uint16_t type)
{
    __builtin_memcpy(frame, destination, 6);
    __builtin_memcpy(frame + 6, source, 6);
    store_be16(frame + 12, type);
}

#endif
