/*
 * mqtt/router.h and mqtt/text.h: a filter and a topic, apart by the first line feed, held against plain
 * restatements of MQTT 5.0, 1.5.4, 4.7 and 4.8.
 */
#include "fuzz/input.h"
#include "mqtt/router.h"
#include "mqtt/text.h"

#include <stdlib.h>
#include <string.h>

/* Of the code point at `s`; 0: there is none. */
static size_t plain_sequence(const uint8_t *s, size_t left)
{
    static const struct {
        uint8_t low, high, count;
        uint32_t least;
    } forms[] = {{0x01, 0x7F, 1, 1}, {0xC0, 0xDF, 2, 0x80}, {0xE0, 0xEF, 3, 0x800}, {0xF0, 0xF7, 4, 0x10000}};
    for (size_t f = 0; f < 4; f++) {
        if (s[0] < forms[f].low || s[0] > forms[f].high) {
            continue;
        }
        uint32_t code = s[0] - (f ? forms[f].low : 0U);
        for (size_t i = 1; i < forms[f].count; i++) {
            if (i >= left || s[i] < 0x80 || s[i] > 0xBF) {
                return 0;
            }
            code = code * 64 + s[i] - 0x80;
        }
        bool wrong = code < forms[f].least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF);
        return wrong ? 0 : forms[f].count;
    }
    return 0;
}

static bool plain_text(struct mqtt_slice text)
{
    const uint8_t *s = text.data;
    size_t at = 0;
    while (at < text.length) {
        size_t length = plain_sequence(s + at, text.length - at);
        if (!length) {
            return false;
        }
        at += length;
    }
    return true;
}

static bool has(struct mqtt_slice text, char c)
{
    return text.length && memchr(text.data, c, text.length);
}

/* By levels: the filter from `f` on against the topic from `t` on. */
static bool plain_matches(const char *f, const char *f_end, const char *t, const char *t_end)
{
    bool first = true;
    for (;; first = false) {
        size_t f_length = 0, t_length = 0;
        while (f + f_length < f_end && f[f_length] != '/') {
            f_length++;
        }
        while (t + t_length < t_end && t[t_length] != '/') {
            t_length++;
        }
        bool hidden = first && t_length && *t == '$';
        if (f_length == 1 && *f == '#') {
            return !hidden;
        }
        bool plus = f_length == 1 && *f == '+' && !hidden;
        if (!plus && (f_length != t_length || memcmp(f, t, f_length) != 0)) {
            return false;
        }
        bool f_ends = f + f_length == f_end, t_ends = t + t_length == t_end;
        if (t_ends) {
            /* "a/#" matches "a" too */
            return f_ends || (f_end - (f + f_length) == 2 && f[f_length + 1] == '#');
        }
        if (f_ends) {
            return false;
        }
        f += f_length + 1;
        t += t_length + 1;
    }
}

static void check_text(struct mqtt_slice text)
{
    bool right = plain_text(text), wild = has(text, '+') || has(text, '#');
    uint8_t reason = mqtt_check_text(&text);
    MUST(reason == (!right ? MQTT_REASON_MALFORMED_PACKET
                    : wild ? MQTT_REASON_TOPIC_NAME_INVALID
                           : MQTT_REASON_SUCCESS));
    MUST(mqtt_topic_is_valid(text) == (right && !wild && text.length > 0 && text.length <= 65535));
    MUST(!mqtt_filter_is_valid(text) || (right && text.length > 0));
}

static void check_match(struct mqtt_slice filter, struct mqtt_slice topic)
{
    struct mqtt_captures captures;
    if (!mqtt_filter_is_valid(filter) || !mqtt_topic_is_valid(topic)) {
        return;
    }
    bool match = mqtt_filter_captures(filter, topic, &captures);
    for (size_t i = 0; match && i < captures.count; i++) {
        MUST(i < MQTT_CAPTURES_MAX);
        MUST(WITHIN(captures.text[i].data, captures.text[i].length, (const uint8_t *)topic.data,
                    topic.length));
    }
    const char *f = filter.data, *t = topic.data;
    if (filter.length < 7 || memcmp(f, "$share/", 7) != 0) {
        MUST(match == plain_matches(f, f + filter.length, t, t + topic.length));
        MUST(match == mqtt_topic_matches(filter, topic));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *apart = size ? memchr(data, '\n', size) : NULL;
    size_t first = apart ? (size_t)(apart - data) : size, second = apart ? size - first - 1 : 0;
    uint8_t *a = exact_copy(data, first), *b = exact_copy(data + size - second, second);
    const struct mqtt_slice filter = {a, first}, topic = {b, second};
    check_text(filter);
    check_text(topic);
    check_match(filter, topic);
    free(a);
    free(b);
    return 0;
}
