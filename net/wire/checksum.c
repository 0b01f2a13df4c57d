#include "net/wire/checksum.h"

#include "net/wire/bytes.h"

static uint32_t fold64(uint64_t total)
{
    uint64_t once = (total & UINT32_MAX) + (total >> 32);
    return (uint32_t)once + (uint32_t)(once >> 32);
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t length)
{
    const uint8_t *p = data;
    uint64_t total = sum;
    for (; length >= 16; length -= 16, p += 16) {
        total += load_native32(p);
        total += load_native32(p + 4);
        total += load_native32(p + 8);
        total += load_native32(p + 12);
    }
    for (; length >= 4; length -= 4, p += 4) {
        total += load_native32(p);
    }
    if (length & 2) {
        total += load_native16(p);
        p += 2;
    }
    if (length & 1) {
        total += *p; /* the missing second byte counts as 0 */
    }
    return fold64(total);
}

uint32_t checksum_pseudo_header(uint32_t source, uint32_t destination, uint8_t protocol, size_t length)
{
    uint64_t total = __builtin_bswap32(source);
    total += __builtin_bswap32(destination);
    total += __builtin_bswap32((uint32_t)protocol << 16 | (uint32_t)length);
    return fold64(total);
}

uint16_t checksum_finish(uint32_t sum)
{
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum += sum >> 16;
    return (uint16_t)~sum;
}
