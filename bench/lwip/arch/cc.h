/* What lwIP wants to know of compiler and processor. */
#ifndef BENCH_LWIP_ARCH_CC_H
#define BENCH_LWIP_ARCH_CC_H

#include <stdint.h>

#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H  1

/* REV and REV16 in place of lwIP's portable functions. */
#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x)

/* Any source will do for a count of instructions. */
#define LWIP_RAND() ((uint32_t)0x9E3779B9)

#endif
