/* Strings byte by byte against table 3-7 of the Unicode Standard, written down anew; MQTT 5.0, 1.5.4. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "mqtt/router.h"

/* Bytes of the well-formed sequence at `s`, of which there are `length`; 0: there is none. */
static size_t well_formed(const uint8_t *s, size_t length)
{
    static const struct {
        uint8_t first[2], second[2], size;
    } rows[] = {
        {{0x00, 0x7F}, {0x80, 0xBF}, 1}, {{0xC2, 0xDF}, {0x80, 0xBF}, 2}, {{0xE0, 0xE0}, {0xA0, 0xBF}, 3},
        {{0xE1, 0xEC}, {0x80, 0xBF}, 3}, {{0xED, 0xED}, {0x80, 0x9F}, 3}, {{0xEE, 0xEF}, {0x80, 0xBF}, 3},
        {{0xF0, 0xF0}, {0x90, 0xBF}, 4}, {{0xF1, 0xF3}, {0x80, 0xBF}, 4}, {{0xF4, 0xF4}, {0x80, 0x8F}, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (s[0] < rows[i].first[0] || s[0] > rows[i].first[1])
            continue;
        size_t size = rows[i].size;
        if (size > length || (size > 1 && (s[1] < rows[i].second[0] || s[1] > rows[i].second[1])))
            return 0;
        for (size_t k = 2; k < size; k++) {
            if (s[k] >> 6 != 2)
                return 0;
        }
        return size;
    }
    return 0;
}

static bool is_topic(const uint8_t *s, size_t length)
{
    for (size_t at = 0, size; at < length; at += size) {
        size = well_formed(s + at, length - at);
        if (size == 0 || s[at] == 0 || s[at] == '+' || s[at] == '#')
            return false;
    }
    return length > 0;
}

static uint8_t *exact; /* buffers of just these lengths, so that reading beyond them is seen */

static void check(const uint8_t *s, size_t length)
{
    memcpy(exact, s, length);
    if (mqtt_topic_is_valid((struct mqtt_slice){exact, length}) != is_topic(s, length))
        fail_msg("%02x %02x %02x %02x, %zu bytes", s[0], s[1], s[2], s[3], length);
}

static void with_buffer(size_t length, void all(size_t length))
{
    exact = malloc(length);
    assert_non_null(exact);
    all(length);
    free(exact);
}

static const uint8_t edges[] = {0x00, '#',  '+',  'a',  0x7F, 0x80, 0x8F,
                                0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xF4, 0xFF};

static void up_to_two(size_t length)
{
    for (unsigned code = 0; code <= 0xFFFF; code++)
        check((const uint8_t[4]){(uint8_t)(code >> 8), (uint8_t)code}, length);
}

static void three_and_four(size_t length)
{
    for (unsigned code = 0xC000; code <= 0xFFFF; code++) {
        for (size_t i = 0; i < sizeof edges; i++) {
            for (size_t k = 0; k < (length == 4 ? sizeof edges : 1); k++)
                check((const uint8_t[4]){(uint8_t)(code >> 8), (uint8_t)code, edges[i], edges[k]}, length);
        }
    }
}

static void each_short_string(void **state)
{
    (void)state;
    with_buffer(1, up_to_two);
    with_buffer(2, up_to_two);
    with_buffer(3, three_and_four);
    with_buffer(4, three_and_four);
}

/* Behind plain letters, of any number: words are looked at first. */
static void behind_letters(size_t length)
{
    uint8_t s[16];
    for (size_t tail = 1; tail <= 3; tail++) {
        for (unsigned lead = 0; lead <= 0xFF; lead++) {
            for (size_t i = 0; i < sizeof edges; i++) {
                memset(s, 'a', sizeof s);
                s[length - tail] = (uint8_t)lead;
                for (size_t k = 1; k < tail; k++)
                    s[length - tail + k] = edges[i];
                check(s, length);
            }
        }
    }
}

static void at_the_end(void **state)
{
    (void)state;
    for (size_t length = 4; length <= 12; length++)
        with_buffer(length, behind_letters);
}

/* A sequence that is cut by its string's length, though what follows in the packet would go on with it. */
static void not_beyond_the_string(void **state)
{
    static const char *const packets[] = {
        "32 (00 01 c3 80 01 00)",             /* topic, then the packet id */
        "32 (00 02 e2 82 80 01 00)",          /* two of three */
        "30 (00 01 't' (26 00 01 c3 80 81))", /* a name, then a value's length */
        "30 (00 01 't' (08 00 01 c3) 80)",    /* a Response Topic, then the payload */
        "30 (00 01 't' (26 00 01 'k' 00 01 c3) 80)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        struct bench b;
        bench_connected(&b, &bench_config);
        bench_feed(&b, packets[i]);
        bench_expect_end(&b, MQTT_CAUSE_PROTOCOL, MQTT_REASON_MALFORMED_PACKET);
        bench_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_short_string),
        cmocka_unit_test(at_the_end),
        cmocka_unit_test(not_beyond_the_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
