/* settings/tree.h at its limits: lengths, depths, numbers that are too large in every way, spaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "settings/tree.h"

struct values {
    bool on;
    uint32_t number;
};

static const struct settings_leaf leaves[] = {
    SETTINGS_BOOL("/on", struct values, on),
    SETTINGS_U32("/number", struct values, number, 0, UINT32_MAX),
};
static const struct settings_tree tree = {leaves, 2};

enum { ON, NUMBER };

/* From memory of just this length, so that reading beyond it is seen. */
static int set(size_t leaf, const char *json, size_t length, struct values *values)
{
    char *exact = malloc(length > 0 ? length : 1);
    assert_non_null(exact);
    memcpy(exact, json, length);
    int result = settings_set(&tree, values, leaf, exact, length);
    free(exact);
    return result;
}

static void expect(size_t leaf, const char *json, size_t length, int result, uint32_t number)
{
    struct values values = {.number = 77};
    int got = set(leaf, json, length, &values);
    if (got != result || values.number != number)
        fail_msg("\"%.*s\": %d and %u, not %d and %u", (int)length, json, got, values.number, result, number);
}

/* Sums that would come out small again if they were taken in 32 or 64 bits. */
static void numbers_too_large(void **state)
{
    static const char *const numbers[] = {
        "4294967296",
        "4294967297",
        "42949672950",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "18446744073709551693",
        "184467440737095516160000000077",
        "340282366920938463463374607431768211456",
        "79228162514264337593543950336",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999",
    };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        expect(NUMBER, numbers[i], strlen(numbers[i]), SETTINGS_ERROR_RANGE, 77);
    expect(NUMBER, "4294967295", 10, SETTINGS_OK, UINT32_MAX);
}

/* RFC 8259 6: fractions and exponents are numbers, of another type than ours. */
static void other_numbers(void **state)
{
    static const struct {
        const char *json;
        int result;
    } cases[] = {
        {"1.0", SETTINGS_ERROR_TYPE},   {"1e3", SETTINGS_ERROR_TYPE},   {"1E3", SETTINGS_ERROR_TYPE},
        {"1E+3", SETTINGS_ERROR_TYPE},  {"1e999", SETTINGS_ERROR_TYPE}, {"-1", SETTINGS_ERROR_RANGE},
        {"-0", SETTINGS_ERROR_RANGE},   {"-", SETTINGS_ERROR_TYPE},     {"01", SETTINGS_ERROR_SYNTAX},
        {"1 2", SETTINGS_ERROR_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(NUMBER, cases[i].json, strlen(cases[i].json), cases[i].result, 77);
    expect(NUMBER, "-5", 1, SETTINGS_ERROR_TYPE, 77); /* what lies behind is no part of it */
    expect(NUMBER, "55", 1, SETTINGS_OK, 5);
}

/* RFC 8259 2: four characters are white space, no others. */
static void white_space(void **state)
{
    (void)state;
    for (unsigned c = 0; c <= 0xFF; c++) {
        const char before[] = {(char)c, '5'}, behind[] = {'5', (char)c};
        bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        struct values values = {.number = 77};
        if (c >= '0' && c <= '9')
            continue;
        assert_int_equal(set(NUMBER, before, 2, &values) == SETTINGS_OK, space);
        assert_int_equal(set(NUMBER, behind, 2, &values) == SETTINGS_OK, space);
    }
}

/* Every beginning of a word, and every word with something behind it. */
static void whole_words(void **state)
{
    static const char *const words[] = {"truee", "falsee"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t length = 0; length <= strlen(words[i]); length++) {
            struct values values = {.on = i == 1};
            bool right = length == strlen(words[i]) - 1;
            assert_int_equal(set(ON, words[i], length, &values), right ? SETTINGS_OK : SETTINGS_ERROR_SYNTAX);
            assert_int_equal(values.on, right ? i == 0 : i == 1);
        }
    }
}

static bool is_valid(const char *path)
{
    const struct settings_leaf leaf = {.path = path, .type = SETTINGS_TYPE_BOOL};
    const struct settings_tree one = {&leaf, 1};
    return settings_tree_is_valid(&one);
}

/* The longest path and the deepest one are right, one more is not. */
static void paths_at_their_limits(void **state)
{
    char path[SETTINGS_PATH_MAX + 2];
    (void)state;
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[SETTINGS_PATH_MAX] = '\0';
    assert_true(is_valid(path));
    path[SETTINGS_PATH_MAX] = 'a';
    path[SETTINGS_PATH_MAX + 1] = '\0';
    assert_false(is_valid(path));
    path[0] = '\0';
    for (unsigned depth = 1; depth <= SETTINGS_DEPTH_MAX + 1; depth++) {
        strcat(path, "/a");
        assert_int_equal(is_valid(path), depth <= SETTINGS_DEPTH_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_too_large),     cmocka_unit_test(other_numbers),
        cmocka_unit_test(white_space),           cmocka_unit_test(whole_words),
        cmocka_unit_test(paths_at_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
