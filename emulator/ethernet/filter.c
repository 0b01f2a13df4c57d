/* Address filtering (RM0090 33.5.3, table 186). */
#include <string.h>

#include "ethernet/ethernet.h"

#define RDES0_AFM BIT(30)
#define RDES0_SAF BIT(13)

uint32_t ethernet_crc32(const uint8_t *data, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

/* The upper six bits of the CRC as it is sent, most significant bit first. */
static bool hash_matches(const struct ethernet *e, const uint8_t *address)
{
    const uint32_t crc = ethernet_crc32(address, 6);
    unsigned index = 0;
    for (unsigned bit = 0; bit < 6; bit++)
        index = index << 1 | ((crc >> bit) & 1);
    const uint32_t half = e->s->mac.effective[index & 32 ? MACHTHR : MACHTLR];
    return (half >> (index & 31)) & 1;
}

/* Address n against register pair n; MBC (bits 29:24) takes single bytes out of the comparison. */
static bool address_matches(const struct ethernet *e, unsigned n, const uint8_t *address)
{
    const uint32_t high = e->s->mac.effective[MACA0HR + 2 * n], low = e->s->mac.effective[MACA0LR + 2 * n];
    const unsigned ignored = n == 0 ? 0 : (high >> 24) & 0x3F;
    for (unsigned i = 0; i < 6; i++) {
        const uint8_t want = (uint8_t)(i < 4 ? low >> (8 * i) : high >> (8 * (i - 4)));
        if (!((ignored >> i) & 1) && want != address[i])
            return false;
    }
    return true;
}

/* `source`: the pairs that compare source addresses, else those for destinations. Pair 0 is always one of
 * these. */
static bool perfect_match(const struct ethernet *e, const uint8_t *address, bool source)
{
    if (!source && address_matches(e, 0, address))
        return true;
    for (unsigned n = 1; n < 4; n++) {
        const uint32_t high = e->s->mac.effective[MACA0HR + 2 * n];
        const bool for_source = high & MACA_SA;
        if ((high & MACA_AE) && for_source == source && address_matches(e, n, address))
            return true;
    }
    return false;
}

static bool destination_passes(const struct ethernet *e, const uint8_t *address)
{
    static const uint8_t broadcast[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    const uint32_t ffr = e->s->mac.effective[MACFFR];
    if (memcmp(address, broadcast, sizeof broadcast) == 0)
        return !(ffr & MACFFR_BFD);
    const bool multicast = address[0] & 1;
    if (multicast && (ffr & MACFFR_PAM))
        return true;
    const bool by_hash = ffr & (multicast ? MACFFR_HM : MACFFR_HU);
    bool match = by_hash ? hash_matches(e, address) : perfect_match(e, address, false);
    if (by_hash && (ffr & MACFFR_HPF))
        match = match || perfect_match(e, address, false);
    return match != ((ffr & MACFFR_DAIF) != 0);
}

bool filter_accepts(const struct ethernet *e, const uint8_t *frame, uint32_t *status)
{
    const uint32_t ffr = e->s->mac.effective[MACFFR];
    if (ffr & MACFFR_PM)
        return true;
    const bool destination = destination_passes(e, frame);
    const bool source = perfect_match(e, frame + 6, true) != ((ffr & MACFFR_SAIF) != 0);
    if (!destination)
        *status |= RDES0_AFM;
    if (!source && (ffr & (MACFFR_SAF | MACFFR_SAIF)))
        *status |= RDES0_SAF;
    return (ffr & MACFFR_RA) || (destination && (source || !(ffr & MACFFR_SAF)));
}
