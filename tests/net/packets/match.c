/* Is a frame what a line expects? */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Letters, in any order; PSH counts only where it is written. */
static bool match_flags(const char *expected, const char *got)
{
    for (const char *flag = expected; *flag; flag++) {
        if (*flag != '-' && !strchr(got, *flag)) {
            return false;
        }
    }
    for (; *got; got++) {
        if (*got != '-' && *got != 'P' && !strchr(expected, *got)) {
            return false;
        }
    }
    return true;
}

static bool match_range(const char *expected, const char *dots, const char *got)
{
    char low[20] = "";
    uint32_t least, most, value;
    memcpy(low, expected,
           (size_t)(dots - expected) < sizeof low ? (size_t)(dots - expected) : sizeof low - 1);
    return parse_number(low, &least) && parse_number(dots + 2, &most) && parse_number(got, &value) &&
           value >= least && value <= most;
}

/* ~5: the list has this element. */
static bool match_element(const char *element, const char *list)
{
    size_t length = strlen(element);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, element, length) == 0 && (at[length] == 0 || at[length] == ',')) {
            return true;
        }
    }
    return false;
}

static bool match_value(const char *expected, const char *got)
{
    uint32_t a, b;
    const char *dots = strstr(expected, "..");
    if (strcmp(expected, "*") == 0 || strcmp(expected, got) == 0) {
        return true;
    }
    if (*expected == '~') {
        return match_element(expected + 1, got);
    }
    if (dots) {
        return match_range(expected, dots, got);
    }
    return parse_number(expected, &a) && parse_number(got, &b) && a == b;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts `text` at commas, sorted. */
static size_t split_options(char *text, char *list[16])
{
    size_t count = 0;
    for (char *one = strtok(text, ","); one && count < 16; one = strtok(NULL, ",")) {
        list[count++] = one + strspn(one, " ");
    }
    qsort(list, count, sizeof *list, compare_text);
    return count;
}

/* Word by word, of which * stands for any. */
static bool match_option(char *expected, char *got)
{
    char *rest_a = NULL, *rest_b = NULL;
    char *a = strtok_r(expected, " ", &rest_a), *b = strtok_r(got, " ", &rest_b);
    while (a && b) {
        if (strcmp(a, "*") != 0 && strcmp(a, b) != 0) {
            return false;
        }
        a = strtok_r(NULL, " ", &rest_a);
        b = strtok_r(NULL, " ", &rest_b);
    }
    return !a && !b;
}

static bool match_options(const char *expected, const char *got)
{
    char a[600], b[600], *list_a[16], *list_b[16];
    (void)snprintf(a, sizeof a, "%s", expected);
    (void)snprintf(b, sizeof b, "%s", got);
    size_t count = split_options(a, list_a);
    if (count != split_options(b, list_b)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!match_option(list_a[i], list_b[i])) {
            return false;
        }
    }
    return true;
}

/* A key may stand several times, as the addresses of a DNS message do: one of them must fit. */
static bool match_one(const struct field *expected, const struct fields *got)
{
    for (size_t i = 1; i < got->count; i++) {
        const struct field *field = &got->list[i];
        if (strcmp(field->key, expected->key) != 0) {
            continue;
        }
        if (expected->absent) {
            return false;
        }
        if (strcmp(field->key, "options") == 0 ? match_options(expected->value, field->value)
                                               : match_value(expected->value, field->value)) {
            return true;
        }
    }
    return expected->absent;
}

const char *match_fields(const struct fields *expected, const struct fields *got)
{
    const struct field *want = &expected->list[0], *have = &got->list[0];
    bool tcp = strcmp(want->key, "tcp") == 0;
    if (strcmp(want->key, "any") == 0) {
        return NULL;
    }
    if (strcmp(want->key, have->key) != 0) {
        return "protocol";
    }
    if (tcp ? !match_flags(want->value, have->value) : strcmp(want->value, have->value) != 0) {
        return tcp ? "flags" : "kind";
    }
    for (size_t i = 1; i < expected->count; i++) {
        if (strcmp(expected->list[i].key, "x") != 0 && !match_one(&expected->list[i], got)) {
            return expected->list[i].key;
        }
    }
    if (tcp && !field_has(expected, "len") && strcmp(field_get(got, "len"), "0") != 0) {
        return "len";
    }
    return field_has(got, "wrong-bytes") ? "wrong-bytes" : NULL;
}

void print_fields(const struct fields *fields, char *to, size_t room)
{
    const struct field *first = &fields->list[0];
    bool tcp = strcmp(first->key, "tcp") == 0;
    int used =
        snprintf(to, room, "%s%s%s", tcp ? "" : first->key, !tcp && *first->value ? " " : "", first->value);
    for (size_t i = 1; i < fields->count && used > 0 && (size_t)used < room; i++) {
        const struct field *field = &fields->list[i];
        if (strcmp(field->key, "options") == 0) {
            used += snprintf(to + used, room - (size_t)used, " <%s>", field->value);
        } else {
            used += snprintf(to + used, room - (size_t)used, " %s%s%s", field->key, *field->value ? " " : "",
                             field->value);
        }
    }
}
