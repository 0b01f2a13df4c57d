/* What watches a run: it sees what happens, all of it, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "host/file.h"
#include "host_fixture.h"
#include "observe/branches.h"
#include "observe/coverage.h"
#include "observe/profile.h"
#include "observe/trace.h"

#define FIRMWARE MOTE_FIRMWARE_DIR "/mote-dhcp.elf"

/* ---- A small program whose every call is known ---- */

enum {
    MAIN = FLASH_BASE + 0x100,
    F = FLASH_BASE + 0x120,
    G = FLASH_BASE + 0x140,
    H = FLASH_BASE + 0x160,
    HANDLER = FLASH_BASE + 0x180,
    END = FLASH_BASE + 0x1A0,
    NOP = 0xBF00,
    BX_LR = 0x4770,
    PUSH_LR = 0xB500,
    POP_PC = 0xBD00,
    SVC = 0xDF00,
    WFI = 0xBF30,
};

static struct machine *m;
static uint32_t at;

static void emit(unsigned code)
{
    uint16_t half = (uint16_t)code;
    assert_true(machine_load(m, at, &half, 2));
    at += 2;
}

static void emit_bl(uint32_t target)
{
    uint32_t offset = target - (at + 4);
    unsigned s = offset >> 31, j1 = ~((offset >> 23) ^ s) & 1, j2 = ~((offset >> 22) ^ s) & 1;
    emit(0xF000 | s << 10 | (offset >> 12 & 0x3FF));
    emit(0xD000 | j1 << 13 | j2 << 11 | (offset >> 1 & 0x7FF));
}

static void emit_b(uint32_t target)
{
    emit(0xE000 | ((target - (at + 4)) >> 1 & 0x7FF));
}

static struct function function_list[] = {
    {0, 0, "(unknown)"}, {MAIN, 0x20, "main"}, {F, 0x20, "f"},
    {G, 0x20, "g"},      {H, 0x20, "h"},       {HANDLER, 0x20, "handler"},
};
static const struct functions functions = {function_list, sizeof function_list / sizeof function_list[0]};

static struct calls calls;
static struct coverage coverage;
static struct trace trace;

static void executed(void *context, struct machine *machine, const struct op *op, const struct op *next,
                     bool skipped)
{
    (void)context;
    coverage_executed(&coverage, op, next, skipped);
    calls_executed(&calls, machine, op, next);
}

static void entered(void *context, struct machine *machine, unsigned exception, uint32_t handler)
{
    (void)context;
    calls_entered(&calls, machine, exception, handler);
}

static void left(void *context, struct machine *machine)
{
    (void)context;
    calls_left(&calls, machine);
}

static void accessed(void *context, struct machine *machine, uint32_t address, unsigned bytes, bool write,
                     uint32_t value)
{
    (void)context;
    if (trace.file != NULL) {
        trace_accessed(&trace, machine, address, bytes, write, value);
    }
}

static void was_reset(void *context, struct machine *machine, uint32_t start)
{
    (void)context;
    calls_reset(&calls, machine, start);
}

static const struct cpu_observer observer = {
    .executed = executed, .entered = entered, .left = left, .accessed = accessed, .reset = was_reset};

static void load_program(void)
{
    const uint32_t vectors[16] = {[0] = SRAM_BASE + 0x1000, [1] = MAIN | 1, [11] = HANDLER | 1};
    assert_true(machine_load(m, FLASH_BASE, vectors, sizeof vectors));
    at = MAIN;
    emit_bl(F);
    emit(SVC);
    emit_bl(G);
    emit(WFI);
    emit_b(at - 2);
    at = F;
    emit(PUSH_LR);
    emit_bl(H);
    emit_bl(H);
    emit(POP_PC);
    at = G;
    emit_b(H); /* a tail call */
    at = H;
    emit(NOP);
    emit(BX_LR);
    at = HANDLER;
    emit(PUSH_LR);
    emit_bl(H);
    emit(POP_PC);
}

static int setup(void **state)
{
    (void)state;
    m = machine_create(&(struct host){0}, 1);
    calls_init(&calls, &functions);
    memset(&trace, 0, sizeof trace);
    return m == NULL || !coverage_init(&coverage);
}

static int teardown(void **state)
{
    (void)state;
    coverage_free(&coverage);
    machine_destroy(m);
    return 0;
}

static void run_watched(void)
{
    cpu_observe(m, &observer);
    machine_power_on(m);
    machine_run(m, machine_now(m) + VTIME_MS(1));
    calls_finish(&calls, m);
}

static char *text_of(FILE *file, char **text)
{
    fflush(file);
    return *text;
}

static void profile_knows_every_instruction(void **state)
{
    (void)state;
    struct profile profile;
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    load_program();
    assert_true(profile_init(&profile, &functions, m));
    const struct call_listener listener = profile_listener(&profile);
    calls_listen(&calls, &listener);
    run_watched();
    profile_settle(&profile, m);
    assert_true(profile_write(&profile, file));
    assert_string_equal(text_of(file, &text), "handler 3\nhandler;h 2\nmain 4\nmain;f 4\nmain;f;h 4\n"
                                              "main;g 1\nmain;h 2\n");
    assert_int_equal(m->instructions, 20);
    fclose(file);
    free(text);
    profile_free(&profile);
}

static void trace_into(const char *filter, char **text, size_t *size)
{
    char error[256];
    FILE *file = open_memstream(text, size);
    calls_init(&calls, &functions);
    if (!trace_init(&trace, &functions, filter, file, error, sizeof error)) {
        fail_msg("%s", error);
    }
    const struct call_listener listener = trace_listener(&trace);
    calls_listen(&calls, &listener);
    run_watched();
    fclose(file);
    trace_free(&trace);
    trace.file = NULL;
}

/* The trace's lines without their times, one character each. */
static void traced(const char *filter, const char *expected)
{
    char *text, seen[256] = "";
    size_t size, length = 0;
    trace_into(filter, &text, &size);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *what = strpbrk(line, "><!~");
        length += (size_t)snprintf(seen + length, sizeof seen - length, "%s%s", length > 0 ? "|" : "",
                                   what != NULL ? what : strpbrk(line, "rw"));
    }
    assert_string_equal(seen, expected);
    free(text);
}

static void trace_is_filtered(void **state)
{
    (void)state;
    load_program();
    traced("f,h", "> f|> h|< h|> h|< h|< f|> h|< h|> h|< h");
    traced("interrupts", "! exception 11|~ exception 11");
    traced("functions,-h,-main", "> f|< f|> handler|< handler|> g|< g");
    traced("-functions,interrupts", "! exception 11|~ exception 11");
    traced("-h,-f", "> main|! exception 11|> handler|< handler|~ exception 11|> g|< g|< main");
    traced("[fg]", "> f|< f|> g|< g");
    traced("registers", "");
    at = MAIN;
    emit(0x4801); /* ldr r0, [pc, #4] */
    emit(0x6801); /* ldr r1, [r0] */
    emit(0x6041); /* str r1, [r0, #4] */
    emit(WFI);
    emit(0xED18); /* SHPR1 */
    emit(0xE000);
    traced("registers", "read  SHPR1 = 0x00000000|write SHPR2 = 0x00000000");
    traced("SHPR?,-*1", "write SHPR2 = 0x00000000");
}

static void bad_filters_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ",", "a,", "-", "a,-,b"};
    char error[256], many[4 * TRACE_ITEMS] = "a";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(trace_init(&trace, &functions, bad[i], stdout, error, sizeof error));
        assert_non_null(strstr(error, "--trace-filter takes up to 64 items"));
        trace_free(&trace);
    }
    for (unsigned i = 0; i < TRACE_ITEMS; i++) {
        strcat(many, ",a");
    }
    assert_false(trace_init(&trace, &functions, many, stdout, error, sizeof error));
    trace_free(&trace);
}

/* ---- Branches ---- */

static uint32_t found[16];
static size_t found_count;

static void note(void *context, uint32_t address)
{
    (void)context;
    assert_true(found_count < 16);
    found[found_count++] = address;
}

static void both_ways_are_counted(void **state)
{
    (void)state;
    const uint32_t vectors[2] = {SRAM_BASE + 0x1000, MAIN | 1};
    struct elf no_symbols = {0};
    assert_true(machine_load(m, FLASH_BASE, vectors, sizeof vectors));
    at = MAIN;
    emit(0x2005); /* movs r0, #5 */
    emit(0x2802); /* 1: cmp r0, #2 */
    emit(0xBF08); /* it eq */
    emit(0x2107); /* moveq r1, #7 */
    emit(0x3801); /* subs r0, #1 */
    emit(0xD1FA); /* bne 1b */
    emit(0xB100); /* cbz r0, 2f */
    emit(NOP);    /* never */
    emit(WFI);    /* 2: */
    emit_b(at - 2);
    run_watched();
    found_count = 0;
    assert_true(branches_find(&no_symbols, &(struct functions){function_list, 2}, m->flash, note, NULL));
    assert_int_equal(found_count, 3);
    assert_int_equal(found[0], MAIN + 6);
    assert_int_equal(found[1], MAIN + 10);
    assert_int_equal(found[2], MAIN + 12);
    static const uint64_t expected[9][2] = {{1, 1}, {5, 5}, {5, 5}, {5, 1}, {5, 5},
                                            {5, 4}, {1, 1}, {0, 0}, {1, 1}};
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(coverage.passed[(MAIN - FLASH_BASE) / 2 + i], expected[i][0]);
        assert_int_equal(coverage.acted[(MAIN - FLASH_BASE) / 2 + i], expected[i][1]);
    }
}

static void only_conditional_branches_choose(void **state)
{
    (void)state;
    assert_true(branch_is_conditional(0xD1FA, 1));
    assert_true(branch_is_conditional(0xDDFE, 1));
    assert_false(branch_is_conditional(0xDE00, 1)); /* UDF */
    assert_false(branch_is_conditional(0xDF00, 1)); /* SVC */
    assert_false(branch_is_conditional(0xE7FE, 1));
    assert_true(branch_is_conditional(0xB100, 1));
    assert_true(branch_is_conditional(0xBB00, 1));
    assert_false(branch_is_conditional(0xB200, 1));     /* SXTH */
    assert_true(branch_is_conditional(0xF43FAFFE, 2));  /* BEQ.W */
    assert_false(branch_is_conditional(0xF3BF8F4F, 2)); /* DSB */
    assert_false(branch_is_conditional(0xF7FFFFFE, 2)); /* BL */
}

/* ---- The firmware ---- */

static const char *recording_path, *profile_path, *timeline_path, *coverage_path, *trace_path;
static char svg_path[80];

static int firmware_setup(void **state)
{
    int status = fixture_set_up(state);
    recording_path = fixture_file("observe");
    profile_path = fixture_file("observe");
    timeline_path = fixture_file("observe");
    coverage_path = fixture_file("observe");
    trace_path = fixture_file("observe");
    snprintf(svg_path, sizeof svg_path, "%s.svg", profile_path);
    return status;
}

static int firmware_teardown(void **state)
{
    unlink(svg_path);
    return fixture_tear_down(state);
}

/* What comes from this machine, a broker's answers for one, differs from run to run; so a recording is
 * observed. */
static struct fixture_result run_firmware(bool observed)
{
    struct options o = options_default();
    o.firmware = FIRMWARE;
    if (observed) {
        o.replay = recording_path;
        o.profile = profile_path;
        o.timeline = timeline_path;
        o.coverage = coverage_path;
        o.trace = trace_path;
    } else {
        o.record = recording_path;
        o.pace = PACE_FAST;
        o.timeout = VTIME_S(4);
    }
    struct fixture_result result = fixture_run(&o);
    assert_int_equal(result.status, EXIT_TIMEOUT);
    return result;
}

static char *read_text(const char *path)
{
    size_t size;
    char *text = (char *)file_read(path, 1 << 26, &size);
    assert_non_null(text);
    text = realloc(text, size + 1);
    assert_non_null(text);
    text[size] = '\0';
    return text;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *p = text; (p = strstr(p, part)) != NULL; p++) {
        count++;
    }
    return count;
}

static void check_profile(uint64_t instructions)
{
    char *text = read_text(profile_path), *rest = text;
    uint64_t sum = 0;
    for (char *line = strsep(&rest, "\n"); line != NULL && *line != '\0'; line = strsep(&rest, "\n")) {
        char *space = strrchr(line, ' ');
        assert_non_null(space);
        assert_true(space > line && space[-1] != ';');
        sum += strtoull(space + 1, NULL, 10);
    }
    assert_int_equal(sum, instructions);
    free(text);
    text = read_text(svg_path);
    char total[64];
    snprintf(total, sizeof total, "<title>all: %llu instructions, 100.00 %%</title>",
             (unsigned long long)instructions);
    assert_non_null(strstr(text, total));
    assert_int_equal(count_of(text, "<g "), count_of(text, "</g>"));
    assert_non_null(strstr(text, "</svg>\n"));
    free(text);
}

/* One event a line; what begins on a track ends there, in time. */
static void check_timeline(void)
{
    enum { TRACKS = 12000 };
    static unsigned open_spans[TRACKS];
    char *text = read_text(timeline_path), *rest = text;
    memset(open_spans, 0, sizeof open_spans);
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        unsigned track;
        char phase;
        if (sscanf(line, "{\"ph\":\"%c\",\"pid\":1,\"tid\":%u", &phase, &track) == 2) {
            assert_true(track < TRACKS);
            open_spans[track] += phase == 'B';
            assert_true(phase != 'E' || open_spans[track] > 0);
            open_spans[track] -= phase == 'E';
        }
    }
    for (unsigned i = 0; i < TRACKS; i++) {
        assert_int_equal(open_spans[i], 0);
    }
    free(text);
    text = read_text(timeline_path);
    assert_non_null(strstr(text, "\"task link\""));
    assert_non_null(strstr(text, "\"interrupt 61: ETH_IRQHandler, task ethernet\""));
    assert_non_null(strstr(text, "asleep"));
    assert_non_null(strstr(text, "\n]}\n"));
    free(text);
}

/* The line on which main.c's INIT stands, from 1. */
static unsigned init_line(void)
{
    char *text = read_text(MOTE_SOURCE_DIR "/app/main.c");
    char *init = strstr(text, "\nINIT");
    assert_non_null(init);
    unsigned line = 2;
    for (const char *p = text; p < init; p++) {
        line += *p == '\n';
    }
    free(text);
    return line;
}

struct record {
    unsigned lines, lines_hit, claimed_lines, claimed_hit;
    unsigned ways, ways_hit, claimed_ways, claimed_ways_hit;
    bool init_executed;
};

static void read_record_line(struct record *r, const char *line, unsigned init)
{
    unsigned number, block, way;
    unsigned long long count;
    if (sscanf(line, "DA:%u,%llu", &number, &count) == 2) {
        r->lines++;
        r->lines_hit += count > 0;
        r->init_executed = r->init_executed || (count > 0 && number >= init && number < init + 10);
    } else if (sscanf(line, "BRDA:%u,%u,%u,", &number, &block, &way) == 3) {
        r->ways++;
        r->ways_hit += strtoull(strrchr(line, ',') + 1, NULL, 10) > 0;
    } else {
        (void)sscanf(line, "LF:%u", &r->claimed_lines);
        (void)sscanf(line, "LH:%u", &r->claimed_hit);
        (void)sscanf(line, "BRF:%u", &r->claimed_ways);
        (void)sscanf(line, "BRH:%u", &r->claimed_ways_hit);
    }
}

static void check_coverage(void)
{
    char *text = read_text(coverage_path), *rest = text;
    struct record record = {0};
    unsigned records = 0, init = init_line();
    bool in_main = false, main_covered = false;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (strncmp(line, "SF:", 3) == 0) {
            record = (struct record){0};
            in_main = strstr(line, "/app/main.c") != NULL;
        } else if (strcmp(line, "end_of_record") == 0) {
            records++;
            assert_int_equal(record.lines, record.claimed_lines);
            assert_int_equal(record.lines_hit, record.claimed_hit);
            assert_int_equal(record.ways, record.claimed_ways);
            assert_int_equal(record.ways_hit, record.claimed_ways_hit);
            main_covered = main_covered || (in_main && record.init_executed);
        } else {
            read_record_line(&record, line, init);
        }
    }
    assert_true(records > 20);
    assert_true(main_covered);
    free(text);
}

static void check_trace(void)
{
    char *text = read_text(trace_path);
    assert_non_null(strstr(text, "> Reset_Handler\n"));
    assert_non_null(strstr(text, "write RCC_APB1ENR = 0x10000000\n"));
    assert_non_null(strstr(text, "! interrupt 61\n"));
    assert_non_null(strstr(text, "ETH_DMASR = 0x"));
    assert_int_equal(count_of(text, "! "), count_of(text, "~ "));
    assert_int_equal(count_of(text, "> "), count_of(text, "< "));
    free(text);
}

static void firmware_is_observed_without_a_trace(void **state)
{
    (void)state;
    struct fixture_result alone = run_firmware(false), observed = run_firmware(true);
    assert_int_equal(observed.hash, alone.hash);
    assert_int_equal(observed.instructions, alone.instructions);
    check_profile(observed.instructions);
    check_timeline();
    check_coverage();
    check_trace();
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const char nowhere[] = "/nonexistent/file";
    struct options o = options_default();
    o.network = "none";
    o.firmware = FIRMWARE;
    o.profile = nowhere;
    fixture_refused(&o, "cannot write /nonexistent/file: No such file");
    o.profile = NULL;
    o.timeline = nowhere;
    fixture_refused(&o, "cannot write /nonexistent/file");
    o.timeline = NULL;
    o.coverage = nowhere;
    fixture_refused(&o, "cannot write /nonexistent/file");
    o.coverage = NULL;
    o.trace = nowhere;
    fixture_refused(&o, "cannot write /nonexistent/file");
    o.trace = NULL;
    o.trace_filter = "functions";
    fixture_refused(&o, "--trace-filter without --trace");
    o.trace = trace_path;
    o.trace_filter = "a,,b";
    fixture_refused(&o, "--trace-filter takes up to");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(profile_knows_every_instruction, setup, teardown),
        cmocka_unit_test_setup_teardown(trace_is_filtered, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_filters_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(both_ways_are_counted, setup, teardown),
        cmocka_unit_test(only_conditional_branches_choose),
        cmocka_unit_test_setup_teardown(firmware_is_observed_without_a_trace, firmware_setup,
                                        firmware_teardown),
        cmocka_unit_test_setup_teardown(bad_files_are_refused, firmware_setup, firmware_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
