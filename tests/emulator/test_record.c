/* Recordings: a run is repeated to the bit, and whatever is not a good recording is refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/file.h"
#include "host/recording.h"
#include "host_fixture.h"
#include "temporary.h"

enum { RCC_AHB1ENR = 0x40023830, GPIOC_IDR = 0x40020810, B1 = 1 << 13, GPIOC_ON = 1 << 2 | 1 << 20 };

static const char *recording_path;

static int setup(void **state)
{
    int status = fixture_set_up(state);
    recording_path = fixture_file("record");
    return status;
}

static struct options quiet(void)
{
    struct options o = options_default();
    o.network = "none";
    o.timeout = VTIME_S(2);
    return o;
}

static struct options replaying(const char *firmware)
{
    struct options o = options_default();
    o.firmware = firmware;
    o.replay = recording_path;
    return o;
}

static void repeats(const struct options *o)
{
    struct options recorded = *o;
    recorded.record = recording_path;
    struct fixture_result first = fixture_run(&recorded);
    struct options replay = replaying(o->firmware);
    struct fixture_result again = fixture_run(&replay);
    if (again.status != first.status || again.hash != first.hash || again.now != first.now) {
        fail_msg("status %d for %d, %llu instructions for %llu:\n%s", again.status, first.status,
                 (unsigned long long)again.instructions, (unsigned long long)first.instructions,
                 fixture_output());
    }
    assert_int_equal(again.instructions, first.instructions);
    fixture_printed("the replay ended in the recorded state");
}

/* ---- Runs repeat ---- */

/* Waits for the button twice, busy, and logs; so the instant at which an input comes counts instructions. */
static void watch_the_button(void)
{
    tiny_store(&tiny, RCC_AHB1ENR, GPIOC_ON);
    tiny_wait(&tiny, GPIOC_IDR, B1, B1);
    tiny_log(&tiny, "down\n");
    tiny_wait(&tiny, GPIOC_IDR, B1, 0);
    tiny_log(&tiny, "up\n");
    tiny_systick(&tiny, 16000);
}

static void everything_that_comes_from_outside_repeats(void **state)
{
    (void)state;
    struct options o = quiet();
    watch_the_button();
    tiny_naps(&tiny, 300);
    tiny_log(&tiny, "done\n");
    o.seed = 77;
    o.cable_in = false;
    o.script = fixture_script("at 100.0007ms button press\n"
                              "on \"up\" after 3us cable in\n"
                              "at +1ms reset\n"
                              "on \"started\" within 1s print \"never\"\n");
    o.fail_on = "done";
    repeats(&o);
}

static void power_failure_repeats(void **state)
{
    (void)state;
    struct options o = quiet();
    watch_the_button();
    o.script =
        fixture_script("at 10ms button down\non \"down\" power-cycle\non \"down\" after 1ms button up\n"
                       "on \"up\" stop 9\n");
    repeats(&o);
}

static void ends_repeat(void **state)
{
    (void)state;
    struct options o = quiet();
    watch_the_button();
    tiny_exit(&tiny, 5);
    o.script = fixture_script("at 10ms button press\n");
    repeats(&o);
    o.until = "down";
    repeats(&o);
    o.until = NULL;
    o.strict = true;
    o.timeout = VTIME_US(10037);
    repeats(&o);
}

static void strict_end_repeats(void **state)
{
    (void)state;
    struct options o = quiet();
    tiny_delay(&tiny, 1000);
    tiny_load(&tiny, GPIOC_IDR); /* its clock is off: a warning */
    tiny_spin(&tiny);
    o.strict = true;
    repeats(&o);
}

static void acts_between_runs_repeat(void **state)
{
    (void)state;
    struct options o = quiet();
    watch_the_button();
    o.record = recording_path;
    struct virtual_board *board = fixture_open(&o);
    assert_true(virtual_board_run(board, VTIME_US(777)));
    virtual_board_act(board, &(struct action){.kind = ACTION_BUTTON_DOWN});
    assert_true(virtual_board_run_until_line(board, "down", VTIME_S(1)));
    virtual_board_act(board, &(struct action){.kind = ACTION_BUTTON_UP});
    assert_true(virtual_board_run_until_line(board, "up", VTIME_S(1)));
    virtual_board_close(board); /* the recording ends here all the same */
    struct options replay = replaying(NULL);
    struct fixture_result again = fixture_run(&replay);
    assert_int_equal(again.status, 0);
    fixture_printed("the replay ended in the recorded state");
}

static void frames_repeat(void **state)
{
    (void)state;
    struct options o = quiet();
    o.firmware = MOTE_FIRMWARE_DIR "/mote-dhcp.elf";
    o.network = "slirp";
    o.pace = PACE_FAST;
    o.timeout = VTIME_S(5);
    repeats(&o);
    struct recording r;
    assert_true(recording_open(&r, recording_path, fixture_error, sizeof fixture_error));
    assert_true(r.count >= 3); /* two answers of the DHCP server and one of ARP at least */
    recording_close(&r);
}

static void departure_is_told(void **state)
{
    (void)state;
    struct options o = quiet();
    watch_the_button();
    o.record = recording_path;
    o.script = fixture_script("at 10ms button press\n");
    fixture_run(&o);
    /* The same inputs, but another end is claimed. */
    size_t size;
    uint8_t *data = file_read(recording_path, 1 << 20, &size);
    struct recording r;
    assert_true(recording_parse(&r, "r", data, size, fixture_error, sizeof fixture_error));
    struct machine *m = machine_create(&(struct host){0}, 1);
    struct recorder *writer = recorder_open(recording_path, &r.start, fixture_error, sizeof fixture_error);
    assert_non_null(writer);
    m->epoch = r.end_instant;
    recorder_end(writer, m, &r.end);
    assert_true(recorder_close(writer));
    recording_close(&r);
    machine_destroy(m);
    free(data);
    struct options replay = replaying(NULL);
    assert_int_equal(fixture_run(&replay).status, EXIT_UNFAITHFUL);
    fixture_printed("the replay departs from the recording");
}

/* What a debugger or a test writes is no input: the recording says that it happened, once. */
static void a_change_by_hand_is_marked(void **state)
{
    (void)state;
    struct options o = quiet();
    watch_the_button();
    o.record = recording_path;
    struct virtual_board *board = fixture_open(&o);
    assert_true(virtual_board_run(board, VTIME_US(777)));
    for (unsigned i = 0; i < 2; i++) {
        virtual_board_note_change(board);
        virtual_board_machine(board)->sram[0x8000 + i] = 1;
    }
    virtual_board_close(board);
    fixture_printed("changed by hand: a replay of this recording will depart here");
    struct options replay = replaying(NULL);
    assert_int_equal(fixture_run(&replay).status, EXIT_UNFAITHFUL);
    const char *told = strstr(fixture_output(), "here the recorded machine was changed by hand");
    assert_non_null(told);
    assert_null(strstr(told + 1, "here the recorded machine"));
    fixture_printed("the replay departs from the recording");
}

/* ---- Files ---- */

static uint8_t *make_recording(size_t *size)
{
    struct options o = quiet();
    watch_the_button();
    o.record = recording_path;
    o.script = fixture_script("at 1ms button press\nat 300ms cable out\nat 310ms stop 3\n");
    fixture_run(&o);
    uint8_t *data = file_read(recording_path, 1 << 20, size);
    assert_non_null(data);
    return data;
}

static void rewrite(const void *data, size_t size)
{
    temporary_fill(recording_path, data, size);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = make_recording(&size);
    struct options replay = replaying(NULL);
    replay.record = "/tmp/x";
    fixture_refused(&replay, "--record and --replay at once");
    replay.record = NULL;
    data[8] = 9;
    rewrite(data, size);
    fixture_refused(&replay, "a recording of version 9, this virtual board reads version 2");
    data[8] = 2;
    data[20] ^= 1;
    rewrite(data, size);
    fixture_refused(&replay, "damaged at byte 0");
    data[20] ^= 1;
    data[58] ^= 1;
    rewrite(data, size);
    fixture_refused(&replay, "damaged at byte 48: record the run again");
    rewrite("frames", 6);
    fixture_refused(&replay, "not a recording: --record makes one");
    rewrite(data, 20);
    fixture_refused(&replay, "breaks off in its header");
    data[58] ^= 1;
    rewrite(data, size);
    tiny_log(&tiny, "another program\n");
    fixture_refused(&replay, "recorded with another ELF");
    replay.replay = "/nonexistent/recording";
    fixture_refused(&replay, "cannot read the recording /nonexistent/recording: No such file");
    struct options o = quiet();
    o.record = "/nonexistent/recording";
    fixture_refused(&o, "cannot write the recording /nonexistent/recording: No such file");
    free(data);
}

static void broken_off_recording_is_replayed_as_far_as_it_goes(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = make_recording(&size);
    rewrite(data, size - 1);
    struct options replay = replaying(NULL);
    assert_int_equal(fixture_run(&replay).status, EXIT_FAILED);
    fixture_printed("cable out\n[board   0.310000] the recording breaks off here");
    free(data);
}

/* Any file: a recording or a message, never a crash (the sanitizers judge); no damage passes. */
static void noise_is_survived(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = make_recording(&size);
    struct recording r;
    for (size_t at = 0; at < size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            data[at] ^= (uint8_t)(1u << bit);
            bool good = recording_parse(&r, "noise", data, size, fixture_error, sizeof fixture_error);
            if (good) { /* only a length that leads beyond the end may look like a file that breaks off */
                assert_false(r.has_end);
                recording_close(&r);
            }
            data[at] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t length = 0; length < size; length++) {
        if (recording_parse(&r, "cut", data, length, fixture_error, sizeof fixture_error)) {
            assert_false(r.has_end);
            recording_close(&r);
        }
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_that_comes_from_outside_repeats, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(power_failure_repeats, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(ends_repeat, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(strict_end_repeats, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(acts_between_runs_repeat, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(frames_repeat, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(departure_is_told, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_change_by_hand_is_marked, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(bad_files_are_refused, setup, fixture_tear_down),
        cmocka_unit_test_setup_teardown(broken_off_recording_is_replayed_as_far_as_it_goes, setup,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(noise_is_survived, setup, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
