/*
 * Numbers in network byte order at any alignment: one load and one REV on the
 * Cortex-M4. The built-in is named so that it stays one even where the build is
 * -ffreestanding, which takes the meaning out of plain memcpy.
 */
#ifndef NET_WIRE_BYTES_H
#define NET_WIRE_BYTES_H

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads below swap bytes");

static inline uint32_t load_native32(const void *from)
{
    uint32_t value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

static inline uint16_t load_native16(const void *from)
{
    uint16_t value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

static inline void store_native16(void *to, uint16_t value)
{
    __builtin_memcpy(to, &value, sizeof value);
}

static inline void store_native32(void *to, uint32_t value)
{
    __builtin_memcpy(to, &value, sizeof value);
}

static inline uint16_t load_be16(const void *from)
{
    return __builtin_bswap16(load_native16(from));
}

static inline uint32_t load_be32(const void *from)
{
    return __builtin_bswap32(load_native32(from));
}

static inline void store_be16(void *to, uint32_t value)
{
    store_native16(to, __builtin_bswap16((uint16_t)value));
}

static inline void store_be32(void *to, uint32_t value)
{
    store_native32(to, __builtin_bswap32(value));
}

#endif
