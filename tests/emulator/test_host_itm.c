/* --itm: the ITM's stimulus ports as lines, in a file or among the board's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/file.h"
#include "host_fixture.h"

enum {
    ITM_PORT = 0xE0000000,
    ITM_TER = 0xE0000E00,
    ITM_TCR = 0xE0000E80,
    ITM_LAR = 0xE0000FB0,
    DEMCR = 0xE000EDFC,
    TRCENA = 1 << 24,
};

static const char *path;

static int setup(void **state)
{
    int status = fixture_set_up(state);
    tiny_store(&tiny, DEMCR, TRCENA);
    tiny_store(&tiny, ITM_LAR, 0xC5ACCE55);
    tiny_store(&tiny, ITM_TER, 0x80000001);
    tiny_store(&tiny, ITM_TCR, 1);
    path = fixture_file("itm");
    return status;
}

static void write_stimuli(void)
{
    tiny_store(&tiny, ITM_PORT, 0x6C6C6568);          /* "hell" */
    tiny_store(&tiny, ITM_PORT, 0x000A216F);          /* "o!\\n", and a NUL that is none of the text */
    tiny_store(&tiny, ITM_PORT + 4 * 31, 0x12345678); /* port 31 */
    tiny_store(&tiny, ITM_PORT + 4, 0xDEAD);          /* not enabled */
    tiny_store(&tiny, ITM_PORT, 0x00646E65);          /* "end" */
    tiny_exit(&tiny, 0);
}

static int run(const char *itm, const char *until)
{
    struct options o = options_default();
    o.network = "none";
    o.timeout = VTIME_S(1);
    o.itm = itm;
    o.until = until;
    struct virtual_board *board = fixture_try(&o);
    if (board == NULL) {
        return EXIT_BAD_USE;
    }
    int status = virtual_board_run_to_end(board);
    virtual_board_close(board);
    return status;
}

static void port_0_is_text_among_the_boards_lines(void **state)
{
    (void)state;
    write_stimuli();
    assert_int_equal(run("-", NULL), 0);
    fixture_printed("hello!\n");
    fixture_printed("ITM port 31: 0x12345678\n");
    fixture_printed("end\n");
    assert_null(strstr(fixture_output(), "dead"));
}

static void a_file_takes_it_all(void **state)
{
    (void)state;
    size_t size;
    write_stimuli();
    assert_int_equal(run(path, NULL), 0);
    char *text = (char *)file_read(path, 4096, &size);
    assert_non_null(text);
    assert_true(size > 7);
    assert_memory_equal(text, "hello!\n[board", 13);
    assert_memory_equal(text + size - 4, "end\n", 4);
    assert_null(strstr(fixture_output(), "hello!"));
    free(text);
}

static void its_text_counts_as_log(void **state)
{
    (void)state;
    write_stimuli();
    assert_int_equal(run(path, "hello!"), 0);
    fixture_printed("stopped: the log says \"hello!\"");
}

static void without_the_option_nobody_listens(void **state)
{
    (void)state;
    write_stimuli();
    assert_int_equal(run(NULL, NULL), 0);
    assert_null(strstr(fixture_output(), "hello!"));
}

static void a_file_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    assert_int_equal(run("/nowhere/itm", NULL), EXIT_BAD_USE);
    assert_non_null(
        strstr(fixture_error, "cannot write the ITM's output to /nowhere/itm: No such file or directory"));
    write_stimuli();
    assert_int_equal(run("/dev/full", NULL), 0);
    fixture_printed("/dev/full is not complete: writing it failed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(port_0_is_text_among_the_boards_lines),
        TEST(a_file_takes_it_all),
        TEST(its_text_counts_as_log),
        TEST(without_the_option_nobody_listens),
        TEST(a_file_that_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
