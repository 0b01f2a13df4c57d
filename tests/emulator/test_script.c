/* The script language and its runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/script.h"

static char error[512];

static struct script parsed(const char *source)
{
    struct script s;
    error[0] = '\0';
    if (!script_parse(&s, "t", source, error, sizeof error)) {
        fail_msg("%s", error);
    }
    return s;
}

static void refused(const char *source, const char *message)
{
    struct script s;
    assert_false(script_parse(&s, "t", source, error, sizeof error));
    assert_null(s.steps);
    if (strncmp(error, message, strlen(message)) != 0) {
        fail_msg("expected \"%s…\", got \"%s\"", message, error);
    }
}

static void every_action_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum action_kind kind;
    } actions[] = {
        {"cable in", ACTION_CABLE_IN},
        {"cable out", ACTION_CABLE_OUT},
        {"button press", ACTION_BUTTON_PRESS},
        {"button down", ACTION_BUTTON_DOWN},
        {"button up", ACTION_BUTTON_UP},
        {"reset", ACTION_RESET},
        {"power-cycle", ACTION_POWER_CYCLE},
        {"stop", ACTION_STOP},
        {"print \"x\"", ACTION_PRINT},
        {"power-cut", ACTION_POWER_CUT},
        {"power-on", ACTION_POWER_ON},
        {"interrupt 90", ACTION_INTERRUPT},
        {"uart \"x\"", ACTION_UART},
        {"drop frame 1 in", ACTION_DROP},
        {"dump x", ACTION_DUMP},
        {"duplicate frame 7 out", ACTION_DUPLICATE},
        {"corrupt frame 2 in", ACTION_CORRUPT},
        {"corrupt frame 2 in at 40", ACTION_CORRUPT},
        {"save-snapshot \"x\"", ACTION_SAVE_SNAPSHOT},
    };
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        char source[128];
        snprintf(source, sizeof source, "at 1s %s\n%s", actions[i].text, actions[i].text);
        struct script s = parsed(source);
        assert_int_equal(s.count, 2);
        assert_int_equal(s.steps[0].action.kind, actions[i].kind);
        assert_int_equal(s.steps[1].action.kind, actions[i].kind);
        assert_int_equal(s.steps[1].trigger, TRIGGER_DELAY);
        assert_int_equal(s.steps[1].time, 0);
        script_close(&s);
    }
}

static void operands_are_read(void **state)
{
    (void)state;
    struct script s =
        parsed("interrupt 61\ndrop frame 12 out\ncorrupt frame 3 in\ncorrupt frame 3 in at 2047\n"
               "uart \"a \\\"b\\\"\"\nexpect \"up\" within 5s");
    assert_int_equal(s.steps[0].action.number, 61);
    assert_int_equal(s.steps[1].action.number, 12);
    assert_true(s.steps[1].action.outward);
    assert_false(s.steps[2].action.outward);
    assert_int_equal(s.steps[2].action.byte, -1);
    assert_int_equal(s.steps[3].action.byte, 2047);
    assert_string_equal(s.steps[4].action.text, "a \"b\"");
    assert_int_equal(s.steps[5].action.kind, ACTION_NONE);
    assert_int_equal(s.steps[5].trigger, TRIGGER_LINE);
    assert_string_equal(s.steps[5].text, "up");
    assert_int_equal(s.steps[5].within, VTIME_S(5));
    script_close(&s);
}

static void triggers_are_read(void **state)
{
    (void)state;
    struct script s = parsed("# a comment\n"
                             "\n"
                             "\tat 2.5s cable out   # another\r\n"
                             "at +100ms cable in\n"
                             "on \"say \\\"up\\\" # \\\\\" button press\n"
                             "on \"x\" within 10s after 20us stop 7");
    assert_int_equal(s.count, 4);
    assert_int_equal(s.steps[0].trigger, TRIGGER_AT);
    assert_int_equal(s.steps[0].time, VTIME_MS(2500));
    assert_int_equal(s.steps[0].line, 3);
    assert_int_equal(s.steps[1].trigger, TRIGGER_DELAY);
    assert_int_equal(s.steps[1].time, VTIME_MS(100));
    assert_int_equal(s.steps[2].trigger, TRIGGER_LINE);
    assert_string_equal(s.steps[2].text, "say \"up\" # \\");
    assert_int_equal(s.steps[2].within, VTIME_NEVER);
    assert_int_equal(s.steps[3].within, VTIME_S(10));
    assert_int_equal(s.steps[3].after, VTIME_US(20));
    assert_int_equal(s.steps[3].action.status, 7);
    assert_int_equal(s.steps[3].line, 6);
    script_close(&s);
}

static void mistakes_are_explained(void **state)
{
    (void)state;
    refused("\nwhen 1s reset", "t:2: a line begins with at, on, expect or an action, not with 'when'");
    refused("at 1 reset", "t:1: '1' is not a time: a number with a unit");
    refused("at reset", "t:1: 'reset' is not a time");
    refused("at", "t:1: '' is not a time");
    refused("at + 1s reset", "t:1: '' is not a time");
    refused("at -1s reset", "t:1: '-1s' is not a time");
    refused("at 1s", "t:1: unknown action '': cable in, cable out");
    refused("at 1s cable", "t:1: unknown action 'cable ': cable in");
    refused("at 1s cable sideways", "t:1: unknown action 'cable sideways'");
    refused("at 1s explode now", "t:1: unknown action 'explode'");
    refused("at 1s reset reset", "t:1: 'reset' follows the action");
    refused("at 1s stop 256", "t:1: stop takes an exit status");
    refused("at 1s stop soon", "t:1: stop takes an exit status");
    refused("at 1s print done", "t:1: print takes a text in quotes");
    refused("interrupt 91", "t:1: interrupt takes a device's interrupt from 0 to 90");
    refused("interrupt -1", "t:1: interrupt takes");
    refused("interrupt", "t:1: interrupt takes");
    refused("uart x", "t:1: uart takes a text in quotes");
    refused("drop 3 in", "t:1: unknown action 'drop 3'");
    refused("drop frame in", "t:1: frame takes a number from 1");
    refused("drop frame 0 in", "t:1: frame takes a number from 1");
    refused("drop frame 1 up", "t:1: a frame comes in or goes out");
    refused("drop frame 1 in at 3", "t:1: 'at 3' follows the action");
    refused("corrupt frame 1 in at 2048", "t:1: at takes the number of a byte");
    refused("corrupt frame 1 in 3", "t:1: '3' follows the action");
    refused("dump", "t:1: dump takes the name of a variable");
    refused("save-snapshot \"\"", "t:1: save-snapshot takes a file name in quotes");
    refused("expect \"x\"", "t:1: expect takes a text and a limit");
    refused("expect x within 5s", "t:1: expect takes a text and a limit");
    refused("expect \"x\" within 5", "t:1: '5' is not a time");
    refused("expect \"x\" within 5s reset", "t:1: 'reset' follows the action");
    refused("on link reset", "t:1: on takes a text in quotes");
    refused("on \"\" reset", "t:1: on takes a text in quotes");
    refused("on \"link reset", "t:1: on takes a text in quotes");
    refused("on \"link\\", "t:1: on takes a text in quotes");
    refused("on \"link\\\"", "t:1: on takes a text in quotes");
    refused("on \"link\" within soon reset", "t:1: 'soon' is not a time");
    refused("on \"link\" after 5 reset", "t:1: '5' is not a time");
}

static void missing_file_is_explained(void **state)
{
    (void)state;
    struct script s;
    assert_false(script_open(&s, "/nonexistent/script", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/script: No such file"));
    assert_false(script_open(&s, "/", error, sizeof error));
    assert_non_null(strstr(error, "directory"));
    assert_false(script_open(&s, "/dev/zero", error, sizeof error));
    assert_non_null(strstr(error, "not a script"));
}

static struct action due_at(struct script *s, vtime at)
{
    struct action action = {0};
    assert_int_equal(s->due, at);
    assert_int_equal(script_due(s, at - 1, &action), SCRIPT_WAIT);
    assert_int_equal(script_due(s, at, &action), SCRIPT_ACT);
    return action;
}

static void steps_come_in_their_order(void **state)
{
    (void)state;
    struct script s =
        parsed("at 2s cable out\n at +1s cable in\n at 1s reset\n on \"up\" after 5ms stop 3\n");
    script_begin(&s, 0);
    assert_int_equal(due_at(&s, VTIME_S(2)).kind, ACTION_CABLE_OUT);
    assert_false(script_line(&s, "up", VTIME_S(2))); /* not yet its turn */
    assert_int_equal(due_at(&s, VTIME_S(3)).kind, ACTION_CABLE_IN);
    assert_int_equal(due_at(&s, VTIME_S(3)).kind, ACTION_RESET); /* past: at once */
    assert_int_equal(s.due, VTIME_NEVER);
    assert_false(script_line(&s, "link down", VTIME_S(4)));
    assert_true(script_line(&s, "link up!", VTIME_S(5)));
    assert_false(script_line(&s, "link up!", VTIME_S(5))); /* only the first counts */
    assert_int_equal(due_at(&s, VTIME_S(5) + VTIME_MS(5)).status, 3);
    struct action action;
    assert_int_equal(s.due, VTIME_NEVER);
    assert_int_equal(script_due(&s, VTIME_NEVER, &action), SCRIPT_WAIT);
    script_close(&s);
}

static void one_line_serves_one_step(void **state)
{
    (void)state;
    struct script s = parsed("on \"a\" cable out\non \"a\" cable in");
    struct action action;
    script_begin(&s, 0);
    assert_true(script_line(&s, "a", 5));
    assert_int_equal(script_due(&s, 5, &action), SCRIPT_ACT);
    assert_int_equal(script_due(&s, 5, &action), SCRIPT_WAIT);
    assert_true(script_line(&s, "a", 6));
    assert_int_equal(script_due(&s, 6, &action), SCRIPT_ACT);
    assert_int_equal(action.kind, ACTION_CABLE_IN);
    script_close(&s);
}

static void limit_expires(void **state)
{
    (void)state;
    struct script s = parsed("at 1s reset\non \"a\" within 2s after 5s reset");
    struct action action;
    script_begin(&s, 0);
    due_at(&s, VTIME_S(1));
    assert_int_equal(s.due, VTIME_S(3));
    assert_int_equal(script_due(&s, VTIME_S(3) - 1, &action), SCRIPT_WAIT);
    assert_int_equal(script_due(&s, VTIME_S(3), &action), SCRIPT_EXPIRED);
    assert_int_equal(s.steps[s.next].line, 2);

    script_begin(&s, 0);
    due_at(&s, VTIME_S(1));
    assert_true(script_line(&s, "a", VTIME_S(2)));
    due_at(&s, VTIME_S(7)); /* the limit is for the line, not for the delay after it */
    script_close(&s);
}

static void empty_script_is_nothing(void **state)
{
    (void)state;
    struct script s = parsed("");
    struct action action;
    script_begin(&s, 0);
    assert_int_equal(s.due, VTIME_NEVER);
    assert_false(script_line(&s, "x", 0));
    assert_int_equal(script_due(&s, 0, &action), SCRIPT_WAIT);
    script_close(&s);
}

/* Any bytes: an error or a script, never a crash (the sanitizers judge). */
static void noise_is_survived(void **state)
{
    (void)state;
    static const char alphabet[] = "at on\"\\\n# +.0123456789smucable inoutwithafterstop\t\r\x80";
    uint32_t seed = 1;
    for (unsigned round = 0; round < 20000; round++) {
        char source[64];
        size_t length = 1 + round % (sizeof source - 1);
        for (size_t i = 0; i < length; i++) {
            seed = seed * 1664525 + 1013904223;
            source[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        source[length - 1] = '\0';
        struct script s;
        if (script_parse(&s, "t", source, error, sizeof error)) {
            script_close(&s);
        }
    }
}

/* Words of the language in any order, cut anywhere. */
static void nonsense_is_survived(void **state)
{
    (void)state;
    static const char *const words[] = {
        "at",    "on",    "expect",    "within", "after", "\"text\"", "\"",        "+1s",   "2ms",
        "cable", "in",    "out",       "button", "press", "reset",    "drop",      "frame", "corrupt",
        "7",     "0",     "interrupt", "dump",   "name",  "uart",     "stop",      "256",   "\n",
        "\n",    "# x\n", "power-cut", "print",  "\\\"",  "power-on", "duplicate", "-1",    "save-snapshot",
    };
    uint32_t seed = 7;
    unsigned good = 0;
    for (unsigned round = 0; round < 30000; round++) {
        char source[160] = "";
        size_t length = 0;
        for (unsigned i = 0; i < 2 + round % 12; i++) {
            seed = seed * 1664525 + 1013904223;
            const char *word = words[(seed >> 12) % (sizeof words / sizeof words[0])];
            length += (size_t)snprintf(source + length, sizeof source - length, "%s ", word);
        }
        source[(seed >> 8) % (length + 1)] = '\0';
        struct script s;
        if (script_parse(&s, "t", source, error, sizeof error)) {
            good++;
            script_close(&s);
        } else {
            assert_memory_equal(error, "t:", 2);
        }
    }
    assert_true(good > 100); /* it is not all nonsense */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_action_is_read),      cmocka_unit_test(operands_are_read),
        cmocka_unit_test(triggers_are_read),         cmocka_unit_test(mistakes_are_explained),
        cmocka_unit_test(missing_file_is_explained), cmocka_unit_test(steps_come_in_their_order),
        cmocka_unit_test(one_line_serves_one_step),  cmocka_unit_test(limit_expires),
        cmocka_unit_test(empty_script_is_nothing),   cmocka_unit_test(noise_is_survived),
        cmocka_unit_test(nonsense_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
