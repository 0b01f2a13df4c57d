#include "bench.h"

#include "mqtt/text.h"

#include <stdlib.h>
#include <string.h>

static void matches_as_4_7_says(void **state)
{
    static const struct {
        const char *filter, *topic;
        bool matches;
    } rows[] = {
        {"a/b", "a/b", true},
        {"a/b", "a/c", false},
        {"a/b", "a/b/c", false},
        {"a/b/c", "a/b", false},
        {"a/b", "a/bc", false},
        {"a/bc", "a/b", false},
        {"A", "a", false},
        {"+", "a", true},
        {"+", "a/b", false},
        {"+", "/a", false},
        {"/+", "/a", true},
        {"+/+", "/a", true},
        {"+/+", "a", false},
        {"a/+", "a", false},
        {"a/+", "a/", true},
        {"a/+/c", "a/b/c", true},
        {"a/+/c", "a/b/d", false},
        {"a/+/c", "a//c", true},
        {"#", "a", true},
        {"#", "/", true},
        {"#", "a/b/c", true},
        {"a/#", "a", true},
        {"a/#", "a/", true},
        {"a/#", "a/b/c", true},
        {"a/#", "ab", false},
        {"a/#", "b/a", false},
        {"a/+/#", "a", false},
        {"a/+/#", "a/b", true},
        {"+/#", "a", true},
        {"+/b/#", "a/b", true},
        {"#", "$SYS/x", false},
        {"+/x", "$SYS/x", false},
        {"$SYS/#", "$SYS/x", true},
        {"$SYS/+", "$SYS/x", true},
        {"$SYS/x", "$SYS/x", true},
        {"a/+", "a/$x", true},
        {"a/b/", "a/b", false},
        {"a/b", "a/b/", false},
        {"", "a", false},
        {"a", "", false},
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mqtt_slice filter = {rows[i].filter, strlen(rows[i].filter)};
        struct mqtt_slice topic = {rows[i].topic, strlen(rows[i].topic)};
        if (mqtt_topic_matches(filter, topic) != rows[i].matches)
            fail_msg("%s against %s", rows[i].filter, rows[i].topic);
    }
}

/* Each text at each distance from a word boundary and from the end. */
static uint8_t check_everywhere(const char *text)
{
    uint8_t bytes[32];
    size_t length = bench_parse(text, bytes, sizeof bytes);
    uint8_t *exact = malloc(length + 16);
    uint8_t reason = 0xFF;
    for (size_t before = 0; before < 8; before++) {
        for (size_t after = 0; after < 8; after++) {
            memset(exact, 'x', length + 16);
            memcpy(exact + before, bytes, length);
            uint8_t *block = malloc(before + length + after + 1);
            memcpy(block + 1, exact, before + length + after);
            uint8_t now = mqtt_check_text(&(struct mqtt_slice){block + 1, before + length + after});
            free(block);
            assert_true(reason == 0xFF || now == reason);
            reason = now;
        }
    }
    free(exact);
    return reason;
}

static void text_is_utf8(void **state)
{
    static const char *const good[] = {
        "",         "'plain'",  "01",       "7f",          "c2 80",       "df bf",    "e0 a0 80",
        "ed 9f bf", "ee 80 80", "ef bf bf", "f0 90 80 80", "f4 8f bf bf", "ef bb bf", "'*' ',' '\"'"};
    static const char *const wild[] = {"'+'", "'#'", "c3 a4 '#'"};
    static const char *const bad[] = {
        "00",       "80",          "bf",          "c0 80",       "c1 bf",         "c2",
        "c2 41",    "e0 9f bf",    "e0 80 80",    "ed a0 80",    "ed bf bf",      "e1 80",
        "e1 80 41", "f0 8f bf bf", "f0 80 80 80", "f4 90 80 80", "f5 80 80 80",   "f1 80 80",
        "ff",       "fe",          "'#' 00",      "c0 af",       "f8 88 80 80 80"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(check_everywhere(good[i]), MQTT_REASON_SUCCESS);
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++)
        assert_int_equal(check_everywhere(wild[i]), MQTT_REASON_TOPIC_NAME_INVALID);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(check_everywhere(bad[i]), MQTT_REASON_MALFORMED_PACKET);
}

/* In each place of two words: what the check by words lets pass is what the one by bytes does. */
static void each_byte_in_each_place(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t expected = byte == '+' || byte == '#'  ? MQTT_REASON_TOPIC_NAME_INVALID
                           : byte == 0 || byte >= 0x80 ? MQTT_REASON_MALFORMED_PACKET
                                                       : MQTT_REASON_SUCCESS;
        for (size_t place = 0; place < 8; place++) {
            for (size_t length = place + 1; length <= 8; length++) {
                uint8_t text[8];
                memset(text, 0x7F, sizeof text);
                text[place] = (uint8_t)byte;
                assert_int_equal(mqtt_check_text(&(struct mqtt_slice){text, length}), expected);
            }
        }
    }
}

static size_t encode_utf8(uint32_t code, uint8_t out[4])
{
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (uint8_t)(0x80 | (code & 0x3F));
    out[0] = (uint8_t)(length == 1 ? code : (0xF00u >> length & 0xFF) | code);
    return length;
}

static void each_code_point(void **state)
{
    (void)state;
    for (uint32_t code = 1; code < 0x200000; code++) {
        uint8_t text[4];
        struct mqtt_slice slice = {text, encode_utf8(code, text)};
        uint8_t expected = code == '+' || code == '#' ? MQTT_REASON_TOPIC_NAME_INVALID
                           : code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)
                               ? MQTT_REASON_MALFORMED_PACKET
                               : MQTT_REASON_SUCCESS;
        if (mqtt_check_text(&slice) != expected)
            fail_msg("U+%04X", (unsigned)code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_as_4_7_says),
        cmocka_unit_test(text_is_utf8),
        cmocka_unit_test(each_byte_in_each_place),
        cmocka_unit_test(each_code_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
