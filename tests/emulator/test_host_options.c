/* The command line as a value, and what is said of a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/options.h"

enum { WORDS_MAX = 32 };

static char error[512];
static char line[256];
static char *words[WORDS_MAX];

/* Parses "virtual-board " and the words of `text`. */
static bool parse(const char *text, struct options *o)
{
    int count = 0;
    words[count++] = (char *)"virtual-board";
    snprintf(line, sizeof line, "%s", text);
    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    error[0] = '\0';
    return options_parse(o, count, words, error, sizeof error);
}

static struct options parsed(const char *text)
{
    struct options o;
    if (!parse(text, &o)) {
        fail_msg("%s", error);
    }
    return o;
}

static void refused(const char *text, const char *message)
{
    struct options o;
    assert_false(parse(text, &o));
    if (strstr(error, message) == NULL) {
        fail_msg("expected \"%s\" in \"%s\"", message, error);
    }
    assert_null(strchr(error, '\n'));
}

static void defaults(void **state)
{
    (void)state;
    struct options o = parsed("f.elf");
    assert_string_equal(o.firmware, "f.elf");
    assert_string_equal(o.network, "slirp");
    assert_true(o.rtt);
    assert_true(o.cable_in);
    assert_false(o.button_down);
    assert_int_equal(o.leds, LEDS_STEADY);
    assert_int_equal(o.pace, PACE_DEFAULT);
    assert_int_equal(o.keys, CHOICE_DEFAULT);
    assert_int_equal(o.timeout, VTIME_NEVER);
    assert_int_equal(o.timeout_real, VTIME_NEVER);
    assert_null(o.until);
    assert_int_equal(o.seed, 1);
}

static void every_option_is_taken(void **state)
{
    (void)state;
    struct options o = parsed("--net none --pcap=x.pcap --no-rtt --leds=all --script s --keys --cable out "
                              "--button down f.elf");
    assert_string_equal(o.network, "none");
    assert_string_equal(o.pcap, "x.pcap");
    assert_false(o.rtt);
    assert_int_equal(o.leds, LEDS_ALL);
    assert_string_equal(o.script, "s");
    assert_int_equal(o.keys, CHOICE_YES);
    assert_false(o.cable_in);
    assert_true(o.button_down);
    o = parsed(
        "--timeout 2.5 --timeout-real=100ms --until a=b --fail-on -x --pace real --seed 0x10 --hash --stats "
        "--strict --no-keys --no-leds -- -f.elf");
    assert_int_equal(o.timeout, VTIME_MS(2500));
    assert_int_equal(o.timeout_real, VTIME_MS(100));
    assert_string_equal(o.until, "a=b");
    assert_string_equal(o.fail_on, "-x");
    assert_int_equal(o.pace, PACE_REAL);
    assert_int_equal(o.seed, 16);
    assert_true(o.hash && o.stats && o.strict);
    assert_int_equal(o.keys, CHOICE_NO);
    assert_int_equal(o.leds, LEDS_NONE);
    assert_string_equal(o.firmware, "-f.elf");
    assert_string_equal(parsed("--itm - f.elf").itm, "-");
    assert_null(parsed("f.elf").itm);
}

static void help_needs_no_firmware(void **state)
{
    (void)state;
    assert_true(parsed("--help").help);
    assert_true(parsed("-h").help);
    assert_true(parsed("--version").version);
}

static void mistakes_are_explained(void **state)
{
    (void)state;
    refused("", "no firmware");
    refused("f.elf --itm", "--itm needs an argument: a file name, or -");
    refused("a.elf b.elf", "two firmware files, 'a.elf' and 'b.elf'");
    refused("--nett none f.elf", "unknown option '--nett'");
    refused("--net=none --helpp=3 f.elf", "unknown option '--helpp'");
    refused("-x f.elf", "unknown option '-x'");
    refused("f.elf --net", "--net needs an argument: slirp");
    refused("--net= f.elf", "--net cannot be ''");
    refused("--hash=yes f.elf", "--hash takes no argument");
    refused("--leds=some f.elf", "--leds cannot be 'some': it takes all");
    refused("--cable sideways f.elf", "--cable cannot be 'sideways': it takes in or out");
    refused("--button in f.elf", "up or down");
    refused("--timeout soon f.elf", "--timeout cannot be 'soon': it takes seconds");
    refused("--timeout -1 f.elf", "--timeout cannot be '-1'");
    refused("--pace slow f.elf", "real or fast");
    refused("--seed x f.elf", "--seed cannot be 'x'");
    refused("--seed -1 f.elf", "--seed cannot be '-1'");
    refused("--seed 99999999999999999999999 f.elf", "--seed cannot be");
}

static void help_names_each_option(void **state)
{
    (void)state;
    static const char *const names[] = {
        "--net ", "--pcap",  "--rtt",           "--no-rtt",   "--leds",   "--no-leds", "--script",
        "--keys", "--cable", "--button",        "--timeout ", "--until",  "--fail-on", "--pace",
        "--seed", "--hash",  "--timeout-real ", "--stats",    "--strict", "--help",    "--version"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strstr(options_help, names[i]) == NULL) {
            fail_msg("--help does not name %s", names[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_option_is_taken),
        cmocka_unit_test(help_needs_no_firmware),
        cmocka_unit_test(mistakes_are_explained),
        cmocka_unit_test(help_names_each_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
