/* Snapshots: a run that goes on from one is the run that was not interrupted; bad files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "host/file.h"
#include "host_fixture.h"
#include "temporary.h"

#define FIRMWARE MOTE_FIRMWARE_DIR "/mote-dhcp.elf"

enum { RCC_AHB1ENR = 0x40023830, GPIOC_IDR = 0x40020810, B1 = 1 << 13, GPIOC_ON = 1 << 2 | 1 << 20 };

static const char *snapshot_path, *recording_path;

static int setup(void **state)
{
    int status = fixture_set_up(state);
    snapshot_path = fixture_file("snapshot");
    recording_path = fixture_file("recording");
    return status;
}

/* `%s` in it stands for the snapshot's name. */
static const char *with_script(const char *text)
{
    char script[512];
    const char *name = strstr(text, "%s");
    if (name == NULL) {
        return fixture_script(text);
    }
    assert_in_range(
        snprintf(script, sizeof script, "%.*s%s%s", (int)(name - text), text, snapshot_path, name + 2), 1,
        sizeof script - 1);
    return fixture_script(script);
}

static struct options quiet(const char *firmware)
{
    struct options o = options_default();
    o.firmware = firmware;
    o.network = "none";
    return o;
}

static uint64_t state_at(struct options o, vtime timeout)
{
    o.timeout = timeout;
    struct fixture_result result = fixture_run(&o);
    assert_int_equal(result.status, EXIT_TIMEOUT);
    return result.hash;
}

static void goes_on_the_same(struct options o, vtime at, vtime end)
{
    struct options interrupted = o;
    interrupted.save_snapshot = snapshot_path;
    uint64_t uninterrupted = state_at(o, end);
    uint64_t saved = state_at(interrupted, at);
    o.load_snapshot = snapshot_path;
    if (state_at(o, at) != saved) {
        fail_msg("at %llu ps: not the state that was saved", (unsigned long long)at);
    }
    if (state_at(o, end) != uninterrupted) {
        fail_msg("saved at %llu ps: departs before %llu ps", (unsigned long long)at, (unsigned long long)end);
    }
}

static void firmware_goes_on_the_same(void **state)
{
    (void)state;
    /* In the boot, while clocks start, before the link, while it is negotiated, after, asleep and awake. */
    static const vtime points[] = {VTIME_US(1),       VTIME_US(40),   VTIME_US(100),     VTIME_US(190),
                                   VTIME_MS(900),     VTIME_MS(1813), VTIME_US(1813200), VTIME_US(1914000),
                                   VTIME_US(1914010), VTIME_MS(2500), VTIME_MS(3999)};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        goes_on_the_same(quiet(FIRMWARE), points[i], VTIME_S(4));
    }
}

static void busy_program_goes_on_the_same(void **state)
{
    (void)state;
    tiny_systick(&tiny, 1601);
    tiny_store(&tiny, RCC_AHB1ENR, GPIOC_ON);
    for (unsigned i = 0; i < 30; i++) {
        tiny_delay(&tiny, 3000 + i);
        tiny_log(&tiny, "round\n");
    }
    tiny_naps(&tiny, 100);
    struct options o = quiet(NULL);
    for (vtime at = VTIME_US(100); at < VTIME_MS(40); at += VTIME_NS(3456789)) {
        goes_on_the_same(o, at, VTIME_MS(60));
    }
}

static void script_saves_without_a_trace(void **state)
{
    (void)state;
    struct options o = quiet(FIRMWARE);
    uint64_t undisturbed = state_at(o, VTIME_S(5));
    o.script = with_script("on \"link up\" after 17ms save-snapshot \"%s\"\n");
    assert_int_equal(state_at(o, VTIME_S(5)), undisturbed);
    fixture_printed("snapshot saved: /tmp/virtual-board-snapshot-");
    o.script = NULL;
    o.load_snapshot = snapshot_path;
    fixture_forget();
    assert_int_equal(state_at(o, VTIME_S(5)), undisturbed);
    assert_null(strstr(fixture_output(), "link up")); /* that was before */
}

static void script_of_the_loaded_run_begins_there(void **state)
{
    (void)state;
    struct options o = quiet(FIRMWARE);
    o.save_snapshot = snapshot_path;
    state_at(o, VTIME_S(3));
    o.save_snapshot = NULL;
    o.load_snapshot = snapshot_path;
    o.timeout = VTIME_S(9);
    o.script = with_script("at 1s cable out\non \"link down\" within 3s cable in\non \"link up\" stop 7\n");
    assert_int_equal(fixture_run(&o).status, 7);
}

static void replay_goes_on_from_a_snapshot(void **state)
{
    (void)state;
    struct options o = quiet(FIRMWARE);
    o.network = "slirp";
    o.pace = PACE_FAST;
    o.record = recording_path;
    o.script = with_script("at 500ms button press\nat 3s save-snapshot \"%s\"\nat 3.2s button press\n"
                           "at 4s cable out\nat 6s stop 0\n");
    struct fixture_result recorded = fixture_run(&o);
    struct options replay = quiet(FIRMWARE);
    replay.replay = recording_path;
    replay.load_snapshot = snapshot_path;
    struct fixture_result again = fixture_run(&replay);
    assert_int_equal(again.status, 0);
    assert_int_equal(again.hash, recorded.hash);
    fixture_printed("the replay ended in the recorded state");

    replay.record = recording_path;
    replay.replay = NULL;
    fixture_refused(&replay, "a recording begins at power-on");
}

static double real_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The best of some, for the machine that tests may be busy. */
static void start_is_quick(void **state)
{
    (void)state;
    struct options o = quiet(FIRMWARE);
    double best = 1;
    o.save_snapshot = snapshot_path;
    state_at(o, VTIME_S(3));
    o.save_snapshot = NULL;
    o.load_snapshot = snapshot_path;
    for (unsigned i = 0; i < 10; i++) {
        double begin = real_seconds();
        struct virtual_board *board = fixture_open(&o);
        virtual_board_run(board, VTIME_S(3) + VTIME_US(1));
        double took = real_seconds() - begin;
        best = took < best ? took : best;
        virtual_board_close(board);
    }
    print_message("start from a snapshot: %.1f ms\n", best * 1e3);
    assert_true(best < 0.050);
}

/* ---- Files ---- */

static void rewrite(const void *data, size_t size)
{
    temporary_fill(snapshot_path, data, size);
}

static uint8_t *saved(struct options *o, size_t *size)
{
    struct options save = quiet(NULL);
    save.save_snapshot = snapshot_path;
    state_at(save, VTIME_MS(1));
    *o = quiet(NULL);
    o->load_snapshot = snapshot_path;
    uint8_t *data = file_read(snapshot_path, 1 << 24, size);
    assert_non_null(data);
    return data;
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    struct options o;
    size_t size;
    uint8_t *data = saved(&o, &size);
    rewrite("", 0);
    fixture_refused(&o, "not a snapshot: --save-snapshot makes one");
    rewrite(data, 8);
    fixture_refused(&o, "another version");
    data[8] ^= 2;
    rewrite(data, size);
    fixture_refused(&o, "another version of the virtual board");
    data[8] ^= 2;
    rewrite(data, size - 1);
    fixture_refused(&o, "damaged: save it again");
    rewrite(data, size);
    tiny_log(&tiny, "x\n");
    fixture_refused(&o, "a snapshot of another ELF");
    o.load_snapshot = "/nonexistent/snapshot";
    fixture_refused(&o, "cannot read the snapshot /nonexistent/snapshot: No such file");
    o = quiet(NULL);
    o.timeout = VTIME_MS(1);
    o.save_snapshot = "/nonexistent/snapshot";
    assert_int_equal(fixture_run(&o).status, EXIT_BAD_USE);
    o.save_snapshot = NULL;
    o.script = with_script("at 0s save-snapshot \"/nonexistent/snapshot\"\n");
    assert_int_equal(fixture_run(&o).status, EXIT_BAD_USE);
    free(data);
}

/* The check stands before everything; so damage anywhere is refused and nothing of it used. */
static void damage_is_refused(void **state)
{
    (void)state;
    struct options o;
    size_t size;
    uint8_t *data = saved(&o, &size);
    for (size_t i = 0; i < 60; i++) {
        size_t at = i * 7919 * 31 % size;
        data[at] ^= 0x40;
        rewrite(data, i % 3 == 0 ? at : size);
        assert_null(fixture_try(&o));
        data[at] ^= 0x40;
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(firmware_goes_on_the_same, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(busy_program_goes_on_the_same, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(script_saves_without_a_trace, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(script_of_the_loaded_run_begins_there, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(replay_goes_on_from_a_snapshot, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(start_is_quick, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(bad_files_are_refused, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(damage_is_refused, setup, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
