/* Texts have no terminator: what lies behind one is no part of it. */
#include "bench.h"

#include "mqtt/router.h"

static struct mqtt_slice cut(const char *text, size_t length)
{
    return (struct mqtt_slice){text, length};
}

static void filters_end_with_their_slices(void **state)
{
    struct mqtt_captures captures;
    (void)state;
    assert_false(mqtt_topic_matches(cut("a/#", 2), TEXT("a")));
    assert_true(mqtt_topic_matches(cut("a/#", 3), TEXT("a")));
    assert_true(mqtt_topic_matches(cut("a/#", 2), cut("a/b", 2)));
    assert_false(mqtt_topic_matches(cut("ab", 1), cut("ab", 2)));
    assert_false(mqtt_topic_matches(cut("ab", 2), cut("ab", 1)));
    assert_true(mqtt_topic_matches(cut("+b", 1), cut("a/b", 1)));
    for (size_t length = 1; length < sizeof "$share/" - 1; length++) {
        assert_true(mqtt_filter_is_valid(cut("$share/x/y", length)));
        assert_true(mqtt_filter_captures(cut("$share/x/y", length), cut("$share/x/y", length), &captures));
        assert_false(mqtt_filter_captures(cut("$share/x/y", length), TEXT("y"), NULL));
    }
    for (size_t length = sizeof "$share/" - 1; length < 10; length++)
        assert_int_equal(mqtt_filter_is_valid(cut("$share/x/y", length)), length == 10);
    assert_true(mqtt_filter_is_valid(cut("$share/x/y", 10)));
    assert_true(mqtt_filter_is_valid(cut("a#", 1)));
    assert_false(mqtt_filter_is_valid(cut("a#", 2)));
}

static void topics_end_with_their_slices(void **state)
{
    (void)state;
    assert_true(mqtt_topic_is_valid(cut("a+", 1)));
    assert_false(mqtt_topic_is_valid(cut("a+", 2)));
    assert_true(mqtt_topic_is_valid(cut("a\0", 1)));
    assert_false(mqtt_topic_is_valid(cut("a\0", 2)));
    assert_true(mqtt_topic_is_valid(cut("\xC3\xA4\xA4", 2)));
    assert_false(mqtt_topic_is_valid(cut("\xC3\xA4\xA4", 1)));
    assert_false(mqtt_topic_is_valid(cut("a", 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_end_with_their_slices),
        cmocka_unit_test(topics_end_with_their_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
