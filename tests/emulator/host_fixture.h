/*
 * The virtual board as a library under test: a small program or an ELF runs on it, what it prints is kept,
 * and files are there for the time of a test.
 */
#ifndef TESTS_EMULATOR_HOST_FIXTURE_H
#define TESTS_EMULATOR_HOST_FIXTURE_H

#include "host/virtual_board.h"
#include "host_tiny_elf.h"

/* For cmocka_unit_test_setup_teardown. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* A new, empty file /tmp/virtual-board-NAME-XXXXXX, which fixture_tear_down removes. */
const char *fixture_file(const char *name);
/* A file with this script; each test has one, so the next call rewrites it. */
const char *fixture_script(const char *text);

/* The program of boards that are opened without o->firmware; empty at first. */
extern struct tiny_elf tiny;
/* NULL: fixture_error says why. */
struct virtual_board *fixture_try(const struct options *o);
extern char fixture_error[VIRTUAL_BOARD_ERROR];
/* It must open. */
struct virtual_board *fixture_open(const struct options *o);
/* It must not, and say so with `message` in it. */
void fixture_refused(const struct options *o, const char *message);
/* Runs it to its end and closes it. */
struct fixture_result {
    int status;
    uint64_t hash, instructions;
    vtime now;
};
struct fixture_result fixture_finish(struct virtual_board *board);
struct fixture_result fixture_run(const struct options *o);
/* The same; the status must be this one. */
void fixture_ends_with(const struct options *o, int status);

/* All that was printed since the test began, or since fixture_forget. Valid until the board prints again. */
const char *fixture_output(void);
void fixture_forget(void);
/* This must be a part of it. */
void fixture_printed(const char *text);

#endif
