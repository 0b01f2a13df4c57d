/* The log's formatter: each conversion, what it refuses, and where it cuts. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/format.h"

static char buffer[64];

/* Not checked as printf formats are, for the refused ones. */
static const char *formatted_into(size_t size, const char *format, va_list arguments, int *cut)
{
    struct log_text text = {.bytes = buffer, .size = size};
    memset(buffer, '#', sizeof buffer);
    log_format(&text, format, arguments);
    assert_true(text.length <= size);
    for (size_t i = size; i < sizeof buffer; i++)
        assert_int_equal(buffer[i], '#');
    buffer[text.length] = '\0';
    *cut = text.cut;
    return buffer;
}

static const char *formatted(const char *format, ...)
{
    va_list arguments;
    int cut;
    va_start(arguments, format);
    formatted_into(sizeof buffer - 1, format, arguments, &cut);
    va_end(arguments);
    assert_false(cut);
    return buffer;
}

static const char *cut_at(size_t size, const char *format, ...)
{
    va_list arguments;
    int cut;
    va_start(arguments, format);
    formatted_into(size, format, arguments, &cut);
    va_end(arguments);
    assert_true(cut);
    return buffer;
}

static void test_numbers(void **state)
{
    (void)state;
    assert_string_equal(formatted("%u %u", 0u, UINT_MAX), "0 4294967295");
    assert_string_equal(formatted("%d %d %d", -1, 7, INT_MIN), "-1 7 -2147483648");
    assert_string_equal(formatted("%x %08x", 0xbeefu, 0xC0DEu), "beef 0000c0de");
    assert_string_equal(formatted("%99u|%021d", 5u, -5), "                    5|-00000000000000000005");
    assert_string_equal(formatted("%lu %ld %lx", ULONG_MAX / 3, -5l, 255ul),
                        sizeof(long) == 8 ? "6148914691236517205 -5 ff" : "1431655765 -5 ff");
}

static void test_widths_as_printf(void **state)
{
    static const int values[] = {0, 7, -7, 1234, -1234, INT_MAX, INT_MIN};
    static const char *const formats[] = {"%d", "%3d", "%03d", "%12d", "%012d"};
    char expected[64];
    (void)state;
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(expected, sizeof expected, formats[f], values[v]);
#pragma GCC diagnostic pop
            assert_string_equal(formatted(formats[f], values[v]), expected);
        }
    }
}

static void test_strings(void **state)
{
    static const char unterminated[3] = {'a', 'b', 'c'};
    (void)state;
    assert_string_equal(formatted("<%s> %c%%", "text", 'x'), "<text> x%");
    assert_string_equal(formatted("%.*s|", 3, unterminated), "abc|");
    assert_string_equal(formatted("%.*s|%.*s", 0, unterminated, 9, "short"), "|short");
    assert_string_equal(formatted("%.*s", -1, "all"), "all");
}

/* Nobody outside may forge a line or drive the reader's terminal. */
static void test_control_characters(void **state)
{
    (void)state;
    assert_string_equal(formatted("%s%c", "a\n\x1b[2J\x7f\xc3\xa4", '\r'), "a..[2J.\xc3\xa4.");
}

static void test_cut(void **state)
{
    (void)state;
    assert_string_equal(cut_at(4, "12345"), "1234");
    assert_string_equal(cut_at(5, "%s %u", "abc", 4711u), "abc 4");
    assert_string_equal(cut_at(0, "x"), "");
}

/* The arguments after an unknown conversion cannot be found: the rest is left out. */
static void test_unknown_conversion(void **state)
{
    (void)state;
    assert_string_equal(cut_at(30, "a %f %s", 1.0, "never"), "a ");
    assert_string_equal(cut_at(30, "end %"), "end ");
    assert_string_equal(cut_at(30, "%5"), "");
    assert_string_equal(cut_at(30, "%999999999999"), "");
    assert_string_equal(cut_at(30, "%n", (int *)NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_widths_as_printf),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_unknown_conversion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
