#include "mqtt/text.h"

#define ONES  0x01010101u
#define HIGHS 0x80808080u

/* Length of the well-formed sequence at `s`, U+0000 excepted; 0 when there is none. */
static size_t sequence_length(const uint8_t *s, size_t left)
{
    unsigned lead = s[0];
    if (lead < 0x80)
        return lead != 0;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || left < length)
        return 0;
    uint32_t code = lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3F);
    }
    /* Leads from 0xC2 on leave no overlong form of two bytes; those of three and four are below these. */
    bool overlong = length > 2 && code >> (5 * length - 4) == 0;
    bool surrogate = code >> 11 == 0xD800 >> 11;
    return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

uint8_t mqtt_check_text(struct mqtt_slice text)
{
    const uint8_t *s = text.data;
    const uint8_t *end = s + text.length;
    uint32_t wildcards = 0; /* the high bits count */

    /* Four bytes at a time as long as they are ASCII without NUL, which topics mostly are throughout. */
    for (size_t words = text.length / 4; words > 0; words--, s += 4) {
        uint32_t word;
        __builtin_memcpy(&word, s, 4); /* one load, also where memcpy is no builtin */
        if (((word - ONES) | word) & HIGHS)
            break;
        /* '#' and '+' differ in 0x08 only, and no other byte becomes '+' by it: then it is zero here. */
        wildcards |= ((word | 0x08 * ONES) ^ '+' * ONES) - ONES;
    }
    while (s != end) {
        size_t length = sequence_length(s, (size_t)(end - s));
        if (length == 0)
            return MQTT_REASON_MALFORMED_PACKET;
        if ((*s | 0x08) == '+')
            wildcards = HIGHS;
        s += length;
    }
    return wildcards & HIGHS ? MQTT_REASON_TOPIC_NAME_INVALID : MQTT_REASON_SUCCESS;
}
