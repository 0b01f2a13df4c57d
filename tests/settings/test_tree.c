/* settings/tree.h: paths, JSON, schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "settings/tree.h"

struct values {
    bool led;
    uint32_t count;
    struct {
        uint32_t period;
        bool on;
        struct {
            bool deep;
        } far;
    } group;
};

static const struct settings_leaf leaves[] = {
    SETTINGS_BOOL("/led", struct values, led),
    SETTINGS_U32("/group/period", struct values, group.period, 100, 3600000),
    SETTINGS_BOOL("/group/far/deep", struct values, group.far.deep),
    SETTINGS_BOOL("/group/on", struct values, group.on),
    SETTINGS_U32("/count", struct values, count, 0, UINT32_MAX),
};
static const struct settings_tree tree = {leaves, 5};

enum { LED, PERIOD, DEEP, ON, COUNT };

static void finds_leaves_and_says_how_far_it_came(void **state)
{
    static const struct {
        const char *path;
        int result;
        unsigned depth;
    } cases[] = {
        {"/led", LED, 1},
        {"/group/period", PERIOD, 2},
        {"/group/far/deep", DEEP, 3},
        {"/group/on", ON, 2},
        {"/count", COUNT, 1},
        {"", SETTINGS_ERROR_NOT_LEAF, 0},
        {"/group", SETTINGS_ERROR_NOT_LEAF, 1},
        {"/group/far", SETTINGS_ERROR_NOT_LEAF, 2},
        {"/", SETTINGS_ERROR_NOT_FOUND, 0},
        {"/le", SETTINGS_ERROR_NOT_FOUND, 0},
        {"/ledx", SETTINGS_ERROR_NOT_FOUND, 0},
        {"/led/", SETTINGS_ERROR_NOT_FOUND, 1},
        {"/led/x", SETTINGS_ERROR_NOT_FOUND, 1},
        {"/group/", SETTINGS_ERROR_NOT_FOUND, 1},
        {"/group/x", SETTINGS_ERROR_NOT_FOUND, 1},
        {"/group/far/x", SETTINGS_ERROR_NOT_FOUND, 2},
        {"/group/farther", SETTINGS_ERROR_NOT_FOUND, 1},
        {"/groups/on", SETTINGS_ERROR_NOT_FOUND, 0},
        {"led", SETTINGS_ERROR_NOT_FOUND, 0},
        {"//led", SETTINGS_ERROR_NOT_FOUND, 0},
        {"/LED", SETTINGS_ERROR_NOT_FOUND, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = strlen(cases[i].path);
        int result = settings_find(&tree, cases[i].path, length);
        unsigned depth = settings_depth(&tree, cases[i].path, length);

        if (result != cases[i].result || depth != cases[i].depth)
            fail_msg("%s: %d at depth %u, not %d at %u", cases[i].path, result, depth, cases[i].result,
                     cases[i].depth);
    }
}

static void a_path_of_any_length_is_only_not_found(void **state)
{
    char path[300];

    (void)state;
    for (size_t length = 0; length < sizeof path; length++) {
        memset(path, '/', length);
        int result = settings_find(&tree, path, length);
        assert_int_equal(result, length == 0 ? SETTINGS_ERROR_NOT_LEAF : SETTINGS_ERROR_NOT_FOUND);
        for (size_t i = 0; i < length; i++)
            path[i] = "/group/far/deep"[i % 15];
        result = settings_find(&tree, path, length);
        assert_true(length == 15 ? result == DEEP : result < 0);
    }
}

/* A NUL in the path is a byte like others, not its end. */
static void a_path_with_a_nul_is_no_leafs(void **state)
{
    static const char path[40] = "/group/period";

    (void)state;
    for (size_t length = 14; length <= sizeof path; length++) {
        assert_int_equal(settings_find(&tree, path, length), SETTINGS_ERROR_NOT_FOUND);
        assert_int_equal(settings_depth(&tree, path, length), 1);
    }
}

static void check_set(size_t leaf, const char *json, size_t length, int expected)
{
    struct values values = {.led = true, .count = 7, .group = {.period = 1000}};
    struct values before = values;
    char exact[64];

    /* A copy of exactly the length, so that the sanitizer sees a read beyond it. */
    char *copy = length > 0 ? memcpy(exact + sizeof exact - length, json, length) : NULL;
    int result = settings_set(&tree, &values, leaf, copy, length);
    if (result != expected)
        fail_msg("leaf %zu, '%.*s': %d, not %d", leaf, (int)length, json, result, expected);
    if (result != SETTINGS_OK)
        assert_memory_equal(&values, &before, sizeof values);
}

static void takes_and_refuses_json(void **state)
{
    static const struct {
        size_t leaf;
        const char *json;
        int result;
    } cases[] = {
        {LED, "true", SETTINGS_OK},
        {LED, "false", SETTINGS_OK},
        {LED, " \t\r\ntrue \n", SETTINGS_OK},
        {LED, "", SETTINGS_ERROR_SYNTAX},
        {LED, "   ", SETTINGS_ERROR_SYNTAX},
        {LED, "True", SETTINGS_ERROR_SYNTAX},
        {LED, "tru", SETTINGS_ERROR_SYNTAX},
        {LED, "truee", SETTINGS_ERROR_SYNTAX},
        {LED, "true false", SETTINGS_ERROR_SYNTAX},
        {LED, "1", SETTINGS_ERROR_TYPE},
        {LED, "null", SETTINGS_ERROR_TYPE},
        {LED, "\"true\"", SETTINGS_ERROR_TYPE},
        {LED, "\"unterminated", SETTINGS_ERROR_TYPE},
        {LED, "[[[[[[[[[[[[[[[[[[[[[[", SETTINGS_ERROR_TYPE},
        {LED, "{\"a\":1,\"a\":2}", SETTINGS_ERROR_TYPE},
        {PERIOD, "100", SETTINGS_OK},
        {PERIOD, "3600000", SETTINGS_OK},
        {PERIOD, "99", SETTINGS_ERROR_RANGE},
        {PERIOD, "3600001", SETTINGS_ERROR_RANGE},
        {PERIOD, "0", SETTINGS_ERROR_RANGE},
        {PERIOD, "-0", SETTINGS_ERROR_RANGE},
        {PERIOD, "-500", SETTINGS_ERROR_RANGE},
        {PERIOD, "4294967396", SETTINGS_ERROR_RANGE},
        {PERIOD, "99999999999999999999999999999999999999999999", SETTINGS_ERROR_RANGE},
        {PERIOD, "1e3", SETTINGS_ERROR_TYPE},
        {PERIOD, "1e999", SETTINGS_ERROR_TYPE},
        {PERIOD, "1000.0", SETTINGS_ERROR_TYPE},
        {PERIOD, "0500", SETTINGS_ERROR_SYNTAX},
        {PERIOD, "500x", SETTINGS_ERROR_SYNTAX},
        {PERIOD, "5 00", SETTINGS_ERROR_SYNTAX},
        {PERIOD, "+500", SETTINGS_ERROR_SYNTAX},
        {PERIOD, ".5", SETTINGS_ERROR_SYNTAX},
        {PERIOD, "0x500", SETTINGS_ERROR_SYNTAX},
        {PERIOD, "true", SETTINGS_ERROR_TYPE},
        {PERIOD, "\"\\ud800\"", SETTINGS_ERROR_TYPE},
        {PERIOD, "-", SETTINGS_ERROR_TYPE},
        {COUNT, "0", SETTINGS_OK},
        {COUNT, "4294967295", SETTINGS_OK},
        {COUNT, "4294967296", SETTINGS_ERROR_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_set(cases[i].leaf, cases[i].json, strlen(cases[i].json), cases[i].result);
    check_set(LED, "true\0", 5, SETTINGS_ERROR_SYNTAX);
    check_set(PERIOD, "500\0", 4, SETTINGS_ERROR_SYNTAX);
    check_set(PERIOD, "\0", 1, SETTINGS_ERROR_SYNTAX);
}

static void what_is_written_is_read_back(void **state)
{
    static const uint32_t numbers[] = {0, 1, 9, 10, 99, 100, 65535, 999999999, 1000000000, UINT32_MAX};
    struct values values = {0};
    char json[SETTINGS_JSON_MAX];
    size_t length;

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct values copy = {0};

        values.count = numbers[i];
        length = settings_get(&tree, &values, COUNT, json);
        assert_int_equal(settings_set(&tree, &copy, COUNT, json, length), SETTINGS_OK);
        assert_int_equal(copy.count, numbers[i]);
    }
    values.led = true;
    length = settings_get(&tree, &values, LED, json);
    assert_int_equal(length, 4);
    assert_memory_equal(json, "true", 4);
    length = settings_get(&tree, &values, ON, json);
    assert_int_equal(length, 5);
    assert_memory_equal(json, "false", 5);
}

/* docs/settings.md: post-order, children before parents, each definition once, the root last. */
static void schema_lists_children_before_parents(void **state)
{
    static const char *const expected[] = {
        "{}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"deep\":0}}}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"period\":0,\"far\":1,\"on\":0}}}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"led\":0,\"group\":2,\"count\":0}}}\n",
    };
    char line[SETTINGS_SCHEMA_LINE_MAX + 1];

    (void)state;
    assert_int_equal(settings_schema_lines(&tree), 4);
    for (size_t i = 0; i < 4; i++) {
        size_t length = settings_schema_line(&tree, i, line, SETTINGS_SCHEMA_LINE_MAX);

        line[length] = '\0';
        assert_string_equal(line, expected[i]);
        for (size_t size = 0; size < length; size++)
            assert_int_equal(settings_schema_line(&tree, i, line, size), 0);
    }
}

static void schema_of_siblings_at_several_depths(void **state)
{
    static const struct settings_leaf siblings[] = {
        {.path = "/a/b/c"},
        {.path = "/a/d"},
        {.path = "/e/f/g"},
        {.path = "/e/f/h"},
    };
    static const struct settings_tree other = {siblings, 4};
    static const char *const expected[] = {
        "{}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"c\":0}}}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"b\":1,\"d\":0}}}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"g\":0,\"h\":0}}}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"f\":3}}}\n",
        "{\"i\":{\"k\":\"n\",\"c\":{\"a\":2,\"e\":4}}}\n",
    };
    char line[SETTINGS_SCHEMA_LINE_MAX + 1];

    (void)state;
    assert_true(settings_tree_is_valid(&other));
    assert_int_equal(settings_schema_lines(&other), 6);
    for (size_t i = 0; i < 6; i++) {
        line[settings_schema_line(&other, i, line, SETTINGS_SCHEMA_LINE_MAX)] = '\0';
        assert_string_equal(line, expected[i]);
    }
}

static void refuses_impossible_tables(void **state)
{
    static const struct settings_leaf twice[] = {{.path = "/a"}, {.path = "/a"}};
    static const struct settings_leaf both[] = {{.path = "/a"}, {.path = "/a/b"}};
    static const struct settings_leaf reversed[] = {{.path = "/a/b"}, {.path = "/a"}};
    static const struct settings_leaf torn[] = {{.path = "/a/b"}, {.path = "/c"}, {.path = "/a/d"}};
    static const struct settings_leaf torn_below[] = {
        {.path = "/a/b/c"}, {.path = "/a/d"}, {.path = "/a/b/e"}};
    static const struct settings_tree bad[] = {
        {twice, 2}, {both, 2}, {reversed, 2}, {torn, 3}, {torn_below, 3}, {twice, 0},
    };
    static const char *const paths[] = {
        "", "/", "a", "/a/", "//a", "/a//b", "/a b", "/a\"", "/a#", "/+", "/1/2/3/4/5/6/7/8/9/10/11/12/13",
    };

    (void)state;
    assert_true(settings_tree_is_valid(&tree));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(settings_tree_is_valid(&bad[i]));
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct settings_leaf leaf = {.path = paths[i]};
        struct settings_tree one = {&leaf, 1};
        assert_false(settings_tree_is_valid(&one));
    }
}

static void every_error_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int error = SETTINGS_ERROR_RANGE; error <= SETTINGS_OK; error++) {
        assert_true(strlen(settings_error_name(error)) > 0);
        assert_true(strlen(settings_error_text(error)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_leaves_and_says_how_far_it_came),
        cmocka_unit_test(a_path_with_a_nul_is_no_leafs),
        cmocka_unit_test(a_path_of_any_length_is_only_not_found),
        cmocka_unit_test(takes_and_refuses_json),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(schema_lists_children_before_parents),
        cmocka_unit_test(schema_of_siblings_at_several_depths),
        cmocka_unit_test(refuses_impossible_tables),
        cmocka_unit_test(every_error_has_a_name_and_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
