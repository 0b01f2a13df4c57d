/*
 * Every packet script of tests/net/packets is a test case
 * (docs/packet-scripts.md); with file names, those alone are run. Some cases
 * are about the runner itself: what is wrong in a script, or in what the net
 * does, must not pass.
 */
#include "packets/run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPTS = 1000 };

static struct script *scripts[SCRIPTS];
static struct CMUnitTest tests[SCRIPTS + 10];
static size_t count;
static char *paths[SCRIPTS];
static size_t path_count;
static unsigned perturbed;

/* ---- Finding them ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_in(const char *folder, int depth)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL) {
        char path[1024];
        size_t length = strlen(entry->d_name);
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && entry->d_type == DT_DIR && depth == 0) {
            find_in(path, depth + 1);
        } else if (length > 4 && strcmp(entry->d_name + length - 4, ".pkt") == 0 && path_count < SCRIPTS) {
            paths[path_count++] = strdup(path);
        }
    }
    if (directory) {
        (void)closedir(directory);
    }
}

static void print_outcome(const struct script *script, const struct outcome *outcome)
{
    unsigned line = outcome->line == UINT32_MAX ? 0 : outcome->line;
    print_error("%s:%u: %s\n", script->name, line, outcome->message);
}

/* ---- Cases ---- */

static void run_case(void **state)
{
    const struct script *script = *state;
    struct outcome outcome;
    if (script->error_line == 0 && !script_applies(script, &outcome)) {
        print_outcome(script, &outcome); /* an unknown switch: others are not among the cases */
        fail();
    }
    script_run(script, &outcome);
    if (!outcome.passed) {
        print_outcome(script, &outcome);
        fail();
    }
}

/* Every script that the tree has can be read, and there are as many as asked
 * for. */
static void test_all_are_found(void **state)
{
    (void)state;
    assert_true(path_count >= 200 && path_count < SCRIPTS);
}

static void expect_rejected(const char *text, unsigned line, const char *reason)
{
    struct script *script = script_parse("x.pkt", text);
    struct outcome outcome;
    script_run(script, &outcome);
    if (outcome.passed || outcome.line != line || !strstr(outcome.message, reason)) {
        print_error("%s: line %u: %s\n", text, outcome.line, outcome.message);
        fail();
    }
    script_free(script);
}

static void test_malformed_scripts_are_rejected(void **state)
{
    (void)state;
    expect_rejected("", 1, "empty");
    expect_rejected("connect\n", 1, "the first line must be 'clause'");
    expect_rejected("clause\n", 1, "the first line must be 'clause'");
    expect_rejected("clause c\n\n# only a remark\n", 3, "empty");
    expect_rejected("clause c\nconect\n", 2, "'conect' is no call");
    expect_rejected("clause c\n\nconnect 1 2 3 4 5\n", 3, "takes 0 to 4 words");
    expect_rejected("clause c\nconnect\n> S seq\n", 3, "'seq' wants a value");
    expect_rejected("clause c\nconnect\n> S sequence 1\n", 3, "'sequence' is nothing that tcp has");
    expect_rejected("clause c\n< arp request seq 1\n", 2, "'seq' is nothing that arp has");
    expect_rejected("clause c\n< arp\n", 2, "what kind of arp message?");
    expect_rejected("clause c\n<\n", 2, "what frame?");
    expect_rejected("clause c\n< X seq 1\n", 2, "'X' is neither TCP flags");
    expect_rejected("clause c\n< S seq one\n", 2, "a number should be there");
    expect_rejected("clause c\n< S seq 1 <mss 1460\n", 2, "has no '>'");
    expect_rejected("clause c\n< S seq 1 <mms 1460>\n", 2, "'mms 1460' is no option");
    expect_rejected("clause c\n< S seq 1 !df\n", 2, "'!df' can only be expected");
    expect_rejected("clause c\n< . seq 1\n", 2, "with '.' an ack");
    expect_rejected("clause c\n+1,5 connect\n", 2, "is no time");
    expect_rejected("clause c\n+1..2 connect\n", 2, "a range of time can only be expected");
    expect_rejected("clause c\n+2..1 > S\n", 2, "is no time");
    expect_rejected("clause c\n@17 connect\n", 2, "conversations are");
    expect_rejected("clause c\n+1\n", 2, "nothing happens");
    expect_rejected("clause c\nconnect\nset rx 100\n", 3, "'set' must come before all else");
    expect_rejected("clause c\nset colour red\nconnect\n", 2, "nothing that can be set");
    expect_rejected("clause c\nconnect 10.0.0 80\n", 2, "'10.0.0' is no address");
    expect_rejected("clause c\nstate HAPPY\n", 2, "'HAPPY' is no state");
    expect_rejected("clause c\n< fragment\n", 2, "can only be expected");
    expect_rejected("clause c\nconnect\nneeds NET_FULL\n", 3, "before all else");

    struct script *script = script_parse("x.pkt", "clause c\nneeds NET_WITH_TELEX\nconnect\n");
    struct outcome outcome;
    assert_false(script_applies(script, &outcome));
    assert_false(outcome.passed);
    assert_non_null(strstr(outcome.message, "'NET_WITH_TELEX' is no switch"));
    script_free(script);
    script = script_read("/nowhere/x.pkt");
    assert_int_not_equal(script->error_line, 0);
    script_free(script);
}

/* What the net does otherwise than the script has it: where and what is told.
 */
static void test_departures_are_told(void **state)
{
    (void)state;
    expect_rejected("clause c\nconnect\n", 2, "after the script's end there is a frame that no line expects");
    expect_rejected("clause c\nconnect\nquiet 1\n", 3, "a frame was sent that no line expects");
    expect_rejected("clause c\nconnect\n> S seq 0\n+0.5 > S seq 0\n", 4, "nothing was sent");
    expect_rejected("clause c\nconnect\n> S seq 0\n+1.001 > S seq 0\n", 4, "time differs");
    expect_rejected("clause c\nconnect\n> S. seq 0\n", 3, "flags differs");
    expect_rejected("clause c\nconnect\n> S seq 0 !win\n", 3, "win differs");
    expect_rejected("clause c\nconnect\n> S seq 0 <mss 1459>\n", 3, "options differs");
    expect_rejected("clause c\nconnect\n> arp request\n", 3, "protocol differs");
    expect_rejected("clause c\nestablish\nsend 10\n> . seq 1 ack 1\n", 4, "len differs");
    expect_rejected("clause c\nestablish\nread 1\n", 3, "0 bytes have come");
    expect_rejected("clause c\nestablish\n< . seq 1 ack 1 len 3 fill 7\nread 1\n", 4, "byte 0 is 0x07");
    expect_rejected("clause c\nestablish\nstate CLOSED\n", 3, "expected state CLOSED, got ESTABLISHED");
    expect_rejected("clause c\nconnect fails DOWN\n", 2, "expected DOWN, got OK");
    expect_rejected("clause c\nlink down\nconnect\n", 3, "connect: got DOWN");
}

/* ---- Every expectation of every script matters ---- */

/* A value that is another one; NULL: nothing is wrong in place of that. */
static char *other_value(const struct field *field)
{
    uint32_t number;
    char text[256];
    const char *value = field->value;
    if (strcmp(value, "*") == 0 || strstr(value, "..") || *value == '~' || strlen(value) > 200) {
        return NULL;
    }
    if (parse_number(value, &number)) {
        (void)snprintf(text, sizeof text, "%u", number + 1);
    } else if (strcmp(field->key, "options") == 0) {
        (void)snprintf(text, sizeof text, "%s%smss 7", value, *value ? ", " : "");
    } else if (*value == '=' && parse_number(value + 1, &number)) {
        (void)snprintf(text, sizeof text, "=%u", number + 1);
    } else {
        (void)snprintf(text, sizeof text, "%s9", value);
    }
    return strdup(text);
}

/* The script must fail in the line that has been changed, or it does not judge
 * by it. */
static void expect_failure_at(const struct script *script, const struct line *line, const char *what)
{
    struct outcome outcome;
    perturbed++;
    script_run(script, &outcome);
    if (outcome.passed || outcome.line != line->number) {
        print_error("%s:%u: passes with another %s: %s (%u)\n", script->name, line->number, what, line->text,
                    outcome.line);
        fail();
    }
}

static void perturb_field(const struct script *script, struct line *line, struct field *field)
{
    struct field kept = *field;
    if (strcmp(field->key, "x") == 0) {
        return;
    }
    if (field->absent || *field->value == 0) {
        field->absent = !field->absent;
        if (strcmp(field->key, "options") == 0) {
            field->absent = false;
            field->value = "mss 7";
        }
        expect_failure_at(script, line, field->key);
    } else {
        char *other = other_value(field);
        if (other) {
            field->value = other;
            expect_failure_at(script, line, field->key);
            free(other);
        }
    }
    *field = kept;
}

static void perturb_kind(const struct script *script, struct line *line)
{
    struct field *first = &line->fields.list[0], kept = *first;
    if (strcmp(first->key, "any") == 0) {
        return;
    }
    first->value = strcmp(first->key, "tcp") == 0 ? (strchr(kept.value, 'F') ? "U." : "FU.") : "another";
    expect_failure_at(script, line, "kind");
    *first = kept;
}

/* Each of the line's words in turn. */
static void perturb_expectation(const struct script *script, struct line *line)
{
    for (size_t i = 0; i < line->fields.count; i++) {
        if (i == 0) {
            perturb_kind(script, line);
        } else {
            perturb_field(script, line, &line->fields.list[i]);
        }
    }
    if (line->exact && line->earliest_ms != 0 && !field_has(&line->fields, "x")) {
        line->earliest_ms++, line->latest_ms++;
        expect_failure_at(script, line, "time");
        line->earliest_ms--, line->latest_ms--;
    }
}

/* A call that is a question must have its answer judged. */
static void perturb_question(const struct script *script, struct line *line)
{
    static const char *const questions[] = {"state",   "error",   "unread",    "queued",   "room",
                                            "address", "gateway", "udp-error", "resolved", "udp-got"};
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        if (strcmp(line->word[0], questions[i]) == 0) {
            const char *kept = line->word[1];
            char *other = other_value(&(struct field){.key = "", .value = kept});
            line->word[1] = other;
            expect_failure_at(script, line, line->word[0]);
            line->word[1] = kept;
            free(other);
        }
    }
}

static void test_every_expectation_matters(void **state)
{
    (void)state;
    for (size_t n = 0; n < count; n++) {
        struct script *script = scripts[n];
        struct outcome outcome;
        script_run(script, &outcome);
        if (!outcome.passed) {
            continue; /* which its own case tells */
        }
        for (unsigned i = 0; i < script->count; i++) {
            struct line *line = &script->lines[i];
            if (line->kind == LINE_EXPECT) {
                perturb_expectation(script, line);
            } else if (line->kind == LINE_CALL) {
                perturb_question(script, line);
            }
        }
    }
    print_message("%u scripts with one word changed, each of which failed\n", perturbed);
    assert_true(perturbed > 5 * count);
}

/* ---- */

static void load_cases(void)
{
    for (size_t i = 0; i < path_count; i++) {
        struct script *script = script_read(paths[i]);
        struct outcome outcome;
        if (script->error_line == 0 && !script_applies(script, &outcome) && outcome.passed) {
            script_free(script); /* not of this build */
            continue;
        }
        const char *folder = strstr(paths[i], "packets/");
        scripts[count] = script;
        tests[count] = (struct CMUnitTest){folder ? folder : paths[i], run_case, NULL, NULL, script};
        count++;
    }
}

static int run_files(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct script *script = script_read(argv[i]);
        struct outcome outcome;
        if (script->error_line == 0 && !script_applies(script, &outcome)) {
            (void)printf("%s: %s\n", argv[i], outcome.passed ? "not for this build" : outcome.message);
            failed |= !outcome.passed;
        } else {
            script_run(script, &outcome);
            if (outcome.passed) {
                (void)printf("%s: passed (%s)\n", argv[i], script->clause);
            } else {
                (void)printf("%s:%u: %s\n", argv[i], outcome.line == UINT32_MAX ? 0 : outcome.line,
                             outcome.message);
                failed = 1;
            }
        }
        script_free(script);
    }
    return failed;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return run_files(argc, argv);
    }
    find_in(MOTE_SOURCE_DIR "/tests/net/packets", 0);
    qsort(paths, path_count, sizeof *paths, by_name);
    load_cases();
    const struct CMUnitTest own[] = {
        cmocka_unit_test(test_all_are_found),
        cmocka_unit_test(test_malformed_scripts_are_rejected),
        cmocka_unit_test(test_departures_are_told),
        cmocka_unit_test(test_every_expectation_matters),
    };
    size_t scripts_count = count;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        tests[scripts_count + i] = own[i];
    }
    int failed =
        _cmocka_run_group_tests("packets", tests, scripts_count + sizeof own / sizeof *own, NULL, NULL);
    for (size_t i = 0; i < path_count; i++) {
        free(paths[i]);
    }
    for (size_t i = 0; i < scripts_count; i++) {
        script_free(scripts[i]);
    }
    return failed;
}
