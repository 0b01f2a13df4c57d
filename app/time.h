/* The kernel counts 64-bit microseconds, the network 32-bit milliseconds. */
#ifndef APP_TIME_H
#define APP_TIME_H

#include <stdint.h>

/* Long division in base 2^16, since the core divides 32 bits at a time. Quotient modulo 2^32. */
static inline uint32_t time_divide(uint64_t value, uint16_t divisor)
{
    uint32_t upper = (uint32_t)(value >> 32) % divisor << 16 | (uint32_t)(value >> 16 & 0xFFFF);
    uint32_t lower = upper % divisor << 16 | (uint32_t)(value & 0xFFFF);

    return (upper / divisor << 16) + lower / divisor;
}

/* Wraps after 49 days. */
static inline uint32_t us_to_ms(uint64_t us)
{
    return time_divide(us, 1000);
}

/* Wraps after 136 years. */
static inline uint32_t us_to_s(uint64_t us)
{
    return time_divide(us >> 6, 15625);
}

#endif
