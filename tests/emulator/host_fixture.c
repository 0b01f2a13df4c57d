#include "host_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary.h"

enum { FILES = 8 };

struct tiny_elf tiny;
char fixture_error[VIRTUAL_BOARD_ERROR];

static char *output;
static size_t output_size;
static FILE *out;
static char files[FILES][TEMPORARY_PATH];
static unsigned file_count;
static const char *script;

int fixture_set_up(void **state)
{
    (void)state;
    tiny_init(&tiny);
    fixture_error[0] = '\0';
    out = open_memstream(&output, &output_size);
    return out == NULL;
}

int fixture_tear_down(void **state)
{
    (void)state;
    fclose(out);
    free(output);
    while (file_count > 0) {
        unlink(files[--file_count]);
    }
    script = NULL;
    return 0;
}

/* ---- Files ---- */

const char *fixture_file(const char *name)
{
    assert_true(file_count < FILES);
    temporary_file(files[file_count], name);
    return files[file_count++];
}

const char *fixture_script(const char *text)
{
    if (script == NULL) {
        script = fixture_file("script");
    }
    temporary_text(script, text);
    return script;
}

/* ---- Boards ---- */

struct virtual_board *fixture_try(const struct options *o)
{
    return o->firmware != NULL
               ? virtual_board_open(o, out, fixture_error, sizeof fixture_error)
               : virtual_board_open_elf(o, tiny_open(&tiny), out, fixture_error, sizeof fixture_error);
}

struct virtual_board *fixture_open(const struct options *o)
{
    struct virtual_board *board = fixture_try(o);
    if (board == NULL) {
        fail_msg("%s", fixture_error);
    }
    return board;
}

void fixture_refused(const struct options *o, const char *message)
{
    assert_null(fixture_try(o));
    if (strstr(fixture_error, message) == NULL) {
        fail_msg("expected \"%s\", got \"%s\"", message, fixture_error);
    }
}

struct fixture_result fixture_finish(struct virtual_board *board)
{
    struct fixture_result result = {.status = virtual_board_run_to_end(board)};
    struct machine *m = virtual_board_machine(board);
    result.hash = machine_hash(m);
    result.instructions = m->instructions;
    result.now = machine_now(m);
    virtual_board_close(board);
    return result;
}

struct fixture_result fixture_run(const struct options *o)
{
    return fixture_finish(fixture_open(o));
}

void fixture_ends_with(const struct options *o, int status)
{
    int got = fixture_run(o).status;
    if (got != status) {
        fail_msg("status %d for %d:\n%s", got, status, fixture_output());
    }
}

/* ---- Output ---- */

const char *fixture_output(void)
{
    fflush(out);
    return output;
}

void fixture_forget(void)
{
    fclose(out);
    free(output);
    out = open_memstream(&output, &output_size);
    assert_non_null(out);
}

void fixture_printed(const char *text)
{
    if (strstr(fixture_output(), text) == NULL) {
        fail_msg("no \"%s\" in:\n%s", text, output);
    }
}
