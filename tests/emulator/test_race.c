/*
 * Race detection: tests/kernel/prog_race.c breaks one rule at a time, and the
 * report names both tasks and the line. What keeps to the rules is let be, and
 * the run is the same as without.
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "cpu/engine.h"
#include "host/virtual_board.h"
#include "kernel/describe.h"
#include "observe/tasks.h"

#define FIRMWARE MOTE_FIRMWARE_DIR "/kernel-race.elf"
#define SOURCE   MOTE_SOURCE_DIR "/tests/kernel/prog_race.c"

static struct virtual_board *board;
static FILE *said;
static char *text;
static size_t text_size;

static int set_up(void **state)
{
    (void)state;
    said = open_memstream(&text, &text_size);
    return said == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    virtual_board_close(board);
    board = NULL;
    fclose(said);
    free(text);
    return 0;
}

static void open_board(bool races)
{
    char error[VIRTUAL_BOARD_ERROR] = "";
    struct options options = options_default();
    options.firmware = FIRMWARE;
    options.network = "none";
    options.timeout = VTIME_MS(100);
    options.races = races;
    options.hash = true;
    board = virtual_board_open(&options, said, error, sizeof error);
    assert_string_equal(error, "");
}

static void put_wanted(uint32_t wanted)
{
    struct elf elf;
    struct elf_symbol symbol;
    char error[VIRTUAL_BOARD_ERROR];
    assert_true(elf_open(&elf, FIRMWARE, error, sizeof error));
    assert_true(elf_find(&elf, "wanted", &symbol));
    memcpy(virtual_board_machine(board)->sram + (symbol.value - SRAM_BASE), &wanted, sizeof wanted);
    elf_close(&elf);
}

/* Status of the program when it breaks that rule, and what was printed. */
static int run(uint32_t wanted, bool races)
{
    open_board(races);
    assert_true(virtual_board_run_until_line(board, "ready", VTIME_MS(10)));
    put_wanted(wanted);
    int status = virtual_board_run_to_end(board);
    fflush(said);
    return status;
}

static int marked_line(uint32_t wanted)
{
    char line[300], mark[16];
    int number = 0;
    FILE *source = fopen(SOURCE, "r");
    assert_non_null(source);
    snprintf(mark, sizeof mark, "/* %u */", (unsigned)wanted);
    bool found = false;
    while (!found && fgets(line, sizeof line, source) != NULL) {
        number++;
        found = strstr(line, mark) != NULL;
    }
    fclose(source);
    assert_true(found);
    return number;
}

static void says(const char *expected)
{
    if (strstr(text, expected) == NULL) {
        print_error("\"%s\" is not in:\n%s\n", expected, text);
        fail();
    }
}

static void says_line(uint32_t wanted)
{
    char place[40];
    snprintf(place, sizeof place, "(prog_race.c:%d)", marked_line(wanted));
    says(place);
}

/* ---- Each rule ---- */

static const struct broken {
    uint32_t wanted;
    const char *report, *other;
} broken[] = {
    {1, "race: task low (priority 1) writes resource shared (byte 0 of 8) at priority 1, below its ceiling",
     "task high (priority 3), which uses it, can interrupt"},
    {2, "race: task stranger (priority 1) writes resource shared (byte 0 of 8) at priority 1, but is none of",
     "task high (priority 3), which uses it, can interrupt"},
    {3, "race: the handler of interrupt 9, which is no task, writes resource shared (byte 0 of 8)",
     "task high (priority 3), which uses it, can interrupt"},
    {4,
     "race: task low (priority 1) writes resource own (byte 0 of 4) at priority 1, but it is another task's",
     "task high (priority 3), which uses it, can interrupt"},
    {5, "race: task low (priority 1) writes resource limits (byte 0 of 4) at priority 1, but it is read-only",
     "task high (priority 3), which uses it, can interrupt"},
    {6,
     "race: task low (priority 1) writes resource line (byte 0 of 4) at priority 1, but is none of its users",
     "(priority 3), which uses it, can interrupt"},
    {7, "race: IDLE writes resource shared (byte 0 of 8) at priority 0, but is none of its users",
     "task high (priority 3), which uses it, can interrupt"},
    {8, "race: task top (priority 4) reads resource shared (byte 4 of 8) at priority 4, but is none of its",
     "task high (priority 3) uses it, and can be interrupted by this"},
    {9, "race: task low (priority 1) reads resource shared (byte ", "; called by copy_without_lock"},
    {10, "race: task low (priority 1) reads resource shared (byte 4 of 8) at priority 2, below its ceiling",
     "task high (priority 3), which uses it, can interrupt"},
    {11, "race: task low (priority 1) writes resource shared (byte 0 of 8)",
     "task high (priority 3), which uses it, can interrupt"},
};

static void test_each_rule(void **state)
{
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        assert_int_equal(run(broken[i].wanted, true), EXIT_UNFAITHFUL);
        says(broken[i].report);
        says(broken[i].other);
        says("stopped by the error above");
        says_line(broken[i].wanted);
    }
}

/* ---- What is allowed ---- */

static void test_nothing_is_reported_of_what_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(run(0, true), EXIT_AS_ASKED);
    says("PASSED");
    assert_null(strstr(text, "race"));
}

/* All of them go unseen without: it is the detection that ends the runs. */
static void test_it_can_be_switched_off(void **state)
{
    for (uint32_t wanted = 1; wanted <= 11; wanted++) {
        if (wanted > 1) {
            tear_down(state);
            set_up(state);
        }
        assert_int_equal(run(wanted, false), 1);
        says("FAILED");
        assert_null(strstr(text, "race:"));
    }
}

static void test_the_option(void **state)
{
    (void)state;
    struct options o;
    char error[VIRTUAL_BOARD_ERROR] = "";
    char program[] = "virtual-board", races[] = "--races", off[] = "off", on[] = "on", maybe[] = "maybe",
         elf[] = "x.elf";
    assert_true(options_parse(&o, 2, (char *[]){program, elf}, error, sizeof error));
    assert_true(o.races);
    assert_true(options_parse(&o, 4, (char *[]){program, races, off, elf}, error, sizeof error));
    assert_false(o.races);
    assert_true(options_parse(&o, 4, (char *[]){program, races, on, elf}, error, sizeof error));
    assert_true(o.races);
    assert_false(options_parse(&o, 4, (char *[]){program, races, maybe, elf}, error, sizeof error));
    assert_string_equal(error, "--races cannot be 'maybe': it takes on or off");
}

static void test_it_changes_nothing(void **state)
{
    char with[80] = "", *hash;
    assert_int_equal(run(0, true), EXIT_AS_ASKED);
    assert_non_null(hash = strstr(text, "state "));
    snprintf(with, sizeof with, "%s", hash);
    tear_down(state);
    set_up(state);
    assert_int_equal(run(0, false), EXIT_AS_ASKED);
    says(with);
}

/* The application's start-up and INIT are before any task, after a reset again. */
static void test_a_reset_begins_anew(void **state)
{
    (void)state;
    open_board(true);
    assert_true(virtual_board_run_until_line(board, "ready", VTIME_MS(10)));
    machine_request_reset(virtual_board_machine(board), RESET_PIN);
    assert_true(virtual_board_run_until_line(board, "ready", VTIME_MS(10)));
    put_wanted(1);
    assert_int_equal(virtual_board_run_to_end(board), EXIT_UNFAITHFUL);
    fflush(said);
    says("race: task low (priority 1) writes resource shared");
}

/* A snapshot holds no more than the machine: which of a dispatcher's tasks runs is not known at first. */
static void test_after_a_snapshot(void **state)
{
    char path[] = "/tmp/test_race_XXXXXX", error[VIRTUAL_BOARD_ERROR] = "";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    open_board(true);
    assert_true(virtual_board_run_until_line(board, "ready", VTIME_MS(10)));
    put_wanted(10);
    struct action save = {.kind = ACTION_SAVE_SNAPSHOT, .text = path};
    virtual_board_act(board, &save);
    assert_int_equal(virtual_board_run_to_end(board), EXIT_UNFAITHFUL);
    tear_down(state);

    set_up(state);
    struct options options = options_default();
    options.firmware = FIRMWARE;
    options.network = "none";
    options.load_snapshot = path;
    board = virtual_board_open(&options, said, error, sizeof error);
    assert_string_equal(error, "");
    assert_int_equal(virtual_board_run_to_end(board), EXIT_UNFAITHFUL);
    fflush(said);
    remove(path);
    says("race: a task in interrupt 35 reads resource shared (byte 4 of 8) at priority 2, below its ceiling");
}

/* ---- The description in the ELF ---- */

static void test_the_table_is_read(void **state)
{
    (void)state;
    struct elf elf;
    static struct tasks tasks;
    char error[VIRTUAL_BOARD_ERROR];
    assert_true(elf_open(&elf, FIRMWARE, error, sizeof error));
    assert_true(tasks_read(&tasks, &elf));
    assert_string_equal(tasks.task[0].name, "low");
    assert_string_equal(tasks.task[3].name, "high");
    assert_int_equal(tasks.task[3].priority, 3);
    assert_true(tasks.task[3].hardware);
    assert_int_equal(tasks.task[3].exception, EXCEPTION_IRQ0 + 6);
    assert_int_equal(tasks.task[1].exception, tasks.task[0].exception);
    assert_null(tasks.task[6].name);
    assert_int_equal(tasks.resource_count, 6);
    assert_string_equal(tasks.resource[0].name, "shared");
    assert_int_equal(tasks.resource[0].users, 1u << 0 | 1u << 3);
    assert_int_equal(tasks.resource[0].ceiling, 3);
    assert_int_equal(tasks.resource[0].size, 8);
    assert_int_equal(tasks.resource[3].kind, RESOURCE_LOCAL);
    assert_false(tasks.traced);
    elf_close(&elf);
}

/* Any byte of it may be wrong: then there is none, or another, and nothing breaks. */
static void test_a_damaged_table(void **state)
{
    (void)state;
    struct elf elf;
    static struct tasks tasks;
    char error[VIRTUAL_BOARD_ERROR];
    assert_true(elf_open(&elf, FIRMWARE, error, sizeof error));
    static const uint32_t first[] = {24, KERNEL_DESCRIBED_SOFTWARE, 0, 1, 0, 0x00776F6C}; /* "low" */
    uint8_t *table = memmem(elf.data, elf.size, first, sizeof first);
    assert_non_null(table);
    unsigned refused = 0;
    for (size_t i = 0; i < 200; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            table[i] ^= (uint8_t)(1u << bit);
            refused += !tasks_read(&tasks, &elf);
            table[i] ^= (uint8_t)(1u << bit);
        }
    }
    assert_in_range(refused, 100, 1599);
    assert_true(tasks_read(&tasks, &elf));
    elf_close(&elf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_reported_of_what_is_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_can_be_switched_off, set_up, tear_down),
        cmocka_unit_test(test_the_option),
        cmocka_unit_test_setup_teardown(test_it_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reset_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_a_snapshot, set_up, tear_down),
        cmocka_unit_test(test_the_table_is_read),
        cmocka_unit_test(test_a_damaged_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
