#include "mqtt/text.h"

#define ONES  0x01010101u
#define HIGHS 0x80808080u

enum { WORD = sizeof(uint32_t) };

/*
 * The high bits tell whether any of the four bytes at `s` lies outside of ',' to 0x7F. Within are letters,
 * digits, '/' and most of what topics are made of, and nothing that is wrong anywhere.
 */
static uint32_t outside(const uint8_t *s)
{
    uint32_t word;
    __builtin_memcpy(&word, s, WORD); /* one load, also where memcpy is no builtin */
    return (word - ',' * ONES) | word;
}

/* Length of the well-formed sequence at `s`, U+0000 excepted; 0 when there is none. */
static size_t sequence_length(const uint8_t *s, const uint8_t *end)
{
    uint32_t code = *s;
    if (code < 0x80)
        return code != 0;
    size_t length = (size_t)__builtin_clz(~(code << 24)); /* the lead's ones */
    if (code < 0xC2 || code > 0xF4 || (size_t)(end - s) < length)
        return 0;
    code &= 0x7Fu >> length;
    for (size_t i = length; --i > 0;) {
        unsigned byte = *++s ^ 0x80;
        if (byte >= 0x40)
            return 0;
        code = code << 6 | byte;
    }
    /* Leads from 0xC2 on leave no overlong form of two bytes; those of three and four are below these. */
    bool overlong = code >> (5 * length - 4) == 0;
    bool surrogate = code >> 11 == 0xD800 >> 11;
    return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

/* Apart, so that the usual texts need no stack. */
MQTT_APART static uint8_t check_sequences(const uint8_t *s, const uint8_t *end)
{
    uint8_t reason = MQTT_REASON_SUCCESS;

    while (s != end) {
        size_t length = sequence_length(s, end);
        if (length == 0)
            return MQTT_REASON_MALFORMED_PACKET;
        if (*s == '+' || *s == '#')
            reason = MQTT_REASON_TOPIC_NAME_INVALID;
        s += length;
    }
    return reason;
}

uint8_t mqtt_check_text(const struct mqtt_slice *text)
{
    const uint8_t *s = text->data;
    const uint8_t *end = s + text->length;

    if (text->length >= WORD) {
        const uint8_t *last = end - WORD;
        uint32_t others = outside(last);
        for (; s < last; s += WORD)
            others |= outside(s);
        if (!(others & HIGHS))
            return MQTT_REASON_SUCCESS;
    }
    return check_sequences(text->data, end);
}
