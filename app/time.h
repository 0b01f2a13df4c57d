/* The kernel counts 64-bit microseconds, the network 32-bit milliseconds. */
#ifndef APP_TIME_H
#define APP_TIME_H

#include <stdint.h>

/* us / 1000 modulo 2^32: long division in base 2^16, since the core divides 32 bits at a time. */
static inline uint32_t us_to_ms(uint64_t us)
{
    uint32_t upper = (uint32_t)(us >> 32) % 1000 << 16 | (uint32_t)(us >> 16 & 0xFFFF);
    uint32_t lower = upper % 1000 << 16 | (uint32_t)(us & 0xFFFF);

    return (upper / 1000 << 16) + lower / 1000;
}

#endif
