/*
 * Damaged and senseless files and command lines: each is refused with one line
 * of text, or it is taken and the board runs. The sanitizers judge the rest.
 */
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
#include "host/recording.h"
#include "host/script.h"
#include "host/symbols.h"
#include "host/virtual_board.h"
#include "host_tiny_elf.h"
#include "temporary.h"

#if defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 1500 };
#else
enum { ROUNDS = 6000 };
#endif

static uint64_t seed;
static char error[VIRTUAL_BOARD_ERROR];

static uint32_t random_below(uint32_t below)
{
    uint64_t z = (seed += 0x9E3779B97F4A7C15u);

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) % below);
}

/* Numbers that lengths, offsets and counts trip over. */
static uint32_t wild_number(void)
{
    static const uint32_t wild[] = {0,      1,      2,          4,          0x7F,       0x80,      0xFF,
                                    0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF};

    return random_below(4) == 0 ? random_below(UINT32_MAX) : wild[random_below(sizeof wild / sizeof wild[0])];
}

/* A few bits, bytes, words, runs; returns the new size. */
static size_t damage(uint8_t *data, size_t size)
{
    for (unsigned i = 1 + random_below(4); i > 0 && size > 8; i--) {
        uint32_t at = random_below((uint32_t)size - 4), number = wild_number();
        switch (random_below(5)) {
        case 0: data[at] ^= (uint8_t)(1u << random_below(8)); break;
        case 1: data[at] = (uint8_t)number; break;
        case 2: memcpy(data + (at & ~3u), &number, 4); break;
        case 3: memmove(data + at, data + random_below((uint32_t)size - 4), 4); break;
        default: size = random_below(8) == 0 ? at : size; break;
        }
    }
    return size;
}

static void one_line(void)
{
    assert_true(strlen(error) > 0);
    assert_null(strchr(error, '\n'));
}

/* ---- ELF ---- */

static void run_a_moment(struct elf elf)
{
    struct options o = options_default();
    o.network = "none";
    o.timeout = VTIME_US(500);
    struct virtual_board *board = virtual_board_open_elf(&o, elf, NULL, error, sizeof error);
    if (board == NULL) {
        one_line();
        return;
    }
    int status = virtual_board_run_to_end(board);
    assert_in_range(status, 0, 255);
    virtual_board_close(board);
}

static void read_symbols(const struct elf *elf)
{
    struct elf_symbol symbol;
    for (uint32_t i = 0; i < elf->symbol_count; i++) {
        assert_non_null(elf_symbol_at(elf, i).name);
    }
    (void)elf_find(elf, "_SEGGER_RTT", &symbol);
}

static void damaged_elf(void **state)
{
    static struct tiny_elf tiny;
    static uint8_t bytes[TINY_ELF_BYTES];
    unsigned run = 0;
    (void)state;
    seed = 1;
    tiny_init(&tiny);
    tiny_log(&tiny, "alive\n");
    tiny_exit(&tiny, 0);
    tiny_finish(&tiny);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct elf elf;
        memcpy(bytes, tiny.bytes, tiny.size);
        size_t size = damage(bytes, i % 2 == 0 ? 512 : tiny.size); /* headers, and anything */
        size = i % 2 == 0 && size == 512 ? tiny.size : size;
        error[0] = '\0';
        if (!elf_open_memory(&elf, "damaged.elf", bytes, size, error, sizeof error)) {
            one_line();
            continue;
        }
        read_symbols(&elf);
        if (run++ % 16 == 0) {
            run_a_moment(elf);
        } else {
            elf_close(&elf);
        }
    }
    assert_true(run > 100);
}

/* The firmware's own, with its debug information: the reader of that is a library, but its answers are used.
 */
static void damaged_debug_information(void **state)
{
    size_t size;
    uint8_t *good = file_read(MOTE_FIRMWARE_DIR "/mote.elf", 16 << 20, &size);
    uint8_t *bytes = malloc(size);
    (void)state;
    seed = 2;
    assert_non_null(good);
    assert_non_null(bytes);
    for (unsigned i = 0; i < ROUNDS / 100; i++) {
        struct elf elf;
        memcpy(bytes, good, size);
        for (unsigned k = 0; k < 400; k++) {
            bytes[0x20000 + random_below((uint32_t)size - 0x20000)] ^= (uint8_t)(1u << random_below(8));
        }
        if (!elf_open_memory(&elf, "damaged.elf", bytes, size, error, sizeof error)) {
            one_line();
            continue;
        }
        struct symbols *symbols = symbols_create(&elf);
        assert_non_null(symbols);
        for (uint32_t pc = FLASH_BASE; pc < FLASH_BASE + 0x7000; pc += 0x40) {
            char place[300];
            symbols_describe(symbols, pc, place, sizeof place);
            assert_true(strlen(place) < sizeof place);
        }
        symbols_destroy(symbols);
        elf_close(&elf);
    }
    free(bytes);
    free(good);
}

/* ---- Scripts ---- */

static const char *const words[] = {
    "at",
    "on",
    "expect",
    "within",
    "after",
    "cable",
    "in",
    "out",
    "button",
    "press",
    "down",
    "up",
    "reset",
    "power",
    "power-cut",
    "power-on",
    "interrupt",
    "uart",
    "drop",
    "duplicate",
    "corrupt",
    "frame",
    "dump",
    "print",
    "stop",
    "\"a line\"",
    "\"",
    "\"\\\"\\\\\"",
    "\"\\x\"",
    "2.5s",
    "100ms",
    "20us",
    "+1s",
    "+",
    "-1s",
    "1e9s",
    "99999999s",
    "0",
    "61",
    "4294967296",
    "#",
    "\n",
    "\n",
    "\n",
    "\t",
    "kernel",
    "0x10",
    "1.2.3s",
    "9999999999999999999999s",
    "save-snapshot",
    "\r\n",
    "power-cycle",
    "at 1ms cable in\n",
    "\x80\xff",
};

static void senseless_scripts(void **state)
{
    unsigned taken = 0;
    (void)state;
    seed = 3;
    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        char text[1024] = "";
        size_t length = 0;
        for (unsigned k = 1 + random_below(i % 3 == 0 ? 40 : 5); k > 0 && length < sizeof text - 64; k--) {
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                       words[random_below(sizeof words / sizeof words[0])],
                                       random_below(8) == 0 ? "" : " ");
        }
        if (length > 0 && random_below(4) == 0) {
            text[random_below((uint32_t)length)] = (char)(1 + random_below(255));
        }
        struct script s;
        error[0] = '\0';
        if (!script_parse(&s, "script", text, error, sizeof error)) {
            one_line();
            continue;
        }
        struct action action;
        script_begin(&s, 0);
        for (unsigned k = 0; k < 100 && script_due(&s, VTIME_S(k), &action) != SCRIPT_EXPIRED; k++) {
            (void)script_line(&s, "a line", VTIME_S(k));
        }
        script_close(&s);
        taken++;
    }
    assert_true(taken > ROUNDS / 20);
}

/* ---- The command line ---- */

static void senseless_options(void **state)
{
    static const char *const arguments[] = {
        "--net",      "none",        "--seed",     "7",        "--seed=-1", "--timeout",
        "1e99",       "--",          "-",          "-x",       "--gdb",     "99999",
        "--gdb-wait", "f.elf",       "--pace",     "real",     "--pace=",   "--lsi",
        "random",     "--lsi=1",     "--leds=all", "--leds=x", "--unknown", "--=",
        "--net=",     "--timeout=.", "--cable",    "in",       "--button",  "--trace-filter",
        "",           "-h",          "--help",     "--itm",    "--races",   "off",
        "--hash=1",   "--record",    "--replay",   "--strict", "--version", "--timeout=5s",
    };
    char *argv[8];
    (void)state;
    seed = 4;
    argv[0] = (char *)"virtual-board";
    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        struct options o;
        int argc = 1 + (int)random_below(7);
        for (int k = 1; k < argc; k++) {
            argv[k] = (char *)arguments[random_below(sizeof arguments / sizeof arguments[0])];
        }
        argv[argc] = NULL;
        error[0] = '\0';
        if (!options_parse(&o, argc, argv, error, sizeof error)) {
            one_line();
        } else {
            assert_true(o.firmware != NULL || o.help || o.version);
        }
    }
}

/* ---- Recordings made by hand: their checks are right, their content is not ---- */

static void put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

/* After emulator/host/recording.h. */
static void mend_checks(uint8_t *data, size_t size)
{
    enum { HEADER = 48, RECORD = 24 };
    uint64_t check = recording_hash(RECORDING_HASH, data, HEADER - 8);
    put64(data + HEADER - 8, check);
    for (size_t at = HEADER; size - at >= RECORD;) {
        size_t length = data[at + 2] | (size_t)data[at + 3] << 8;
        if (size - at - RECORD < length) {
            break;
        }
        check = recording_hash(check, data + at, RECORD - 8);
        check = recording_hash(check, data + at + RECORD, length);
        put64(data + at + RECORD - 8, check);
        at += RECORD + length;
    }
}

static size_t make_recording(struct tiny_elf *tiny, const char *path, uint8_t *bytes, size_t max)
{
    static const uint8_t frame[60] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 1, 8, 6};
    struct options o = options_default();
    o.network = "none";
    o.timeout = VTIME_MS(20);
    o.record = path;
    struct virtual_board *board = virtual_board_open_elf(&o, tiny_open(tiny), NULL, error, sizeof error);
    assert_non_null(board);
    for (unsigned i = 0; i < 8; i++) {
        static const enum action_kind kinds[] = {ACTION_BUTTON_DOWN, ACTION_CABLE_OUT, ACTION_RESET,
                                                 ACTION_CABLE_IN,    ACTION_INTERRUPT, ACTION_POWER_CYCLE,
                                                 ACTION_UART,        ACTION_BUTTON_UP};
        (void)virtual_board_run(board, VTIME_MS(1 + 2 * i));
        virtual_board_act(board, &(struct action){.kind = kinds[i], .number = 61, .text = "hi"});
    }
    ethernet_receive(virtual_board_machine(board), frame, sizeof frame);
    (void)virtual_board_run_to_end(board);
    virtual_board_close(board);
    size_t size;
    uint8_t *data = file_read(path, max, &size);
    assert_non_null(data);
    memcpy(bytes, data, size);
    free(data);
    return size;
}

static void replay(struct tiny_elf *tiny, const char *path)
{
    struct options o = options_default();
    o.replay = path;
    o.timeout = VTIME_MS(40);
    struct virtual_board *board = virtual_board_open_elf(&o, tiny_open(tiny), NULL, error, sizeof error);
    if (board == NULL) {
        one_line();
        return;
    }
    assert_in_range(virtual_board_run_to_end(board), 0, 255);
    virtual_board_close(board);
}

static void recordings_made_by_hand(void **state)
{
    static struct tiny_elf tiny;
    static uint8_t good[8192], bytes[8192];
    char path[TEMPORARY_PATH];
    unsigned taken = 0;
    (void)state;
    seed = 5;
    tiny_init(&tiny);
    tiny_naps(&tiny, 1);
    temporary_file(path, "fuzz");
    size_t size = make_recording(&tiny, path, good, sizeof good);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct recording r;
        memcpy(bytes, good, size);
        size_t length = 48 + damage(bytes + 48, size - 48);
        mend_checks(bytes, length);
        error[0] = '\0';
        if (!recording_parse(&r, "hand-made", bytes, length, error, sizeof error)) {
            one_line();
            continue;
        }
        recording_close(&r);
        if (taken++ % 16 == 0) {
            temporary_fill(path, bytes, length);
            replay(&tiny, path);
        }
    }
    assert_true(taken > ROUNDS / 20);
    unlink(path);
}

/* ---- Snapshots ---- */

static void damaged_snapshots_are_refused(void **state)
{
    static struct tiny_elf tiny;
    char path[TEMPORARY_PATH];
    (void)state;
    seed = 6;
    tiny_init(&tiny);
    temporary_file(path, "fuzz");
    struct options o = options_default();
    o.network = "none";
    o.timeout = VTIME_MS(1);
    o.save_snapshot = path;
    struct virtual_board *board = virtual_board_open_elf(&o, tiny_open(&tiny), NULL, error, sizeof error);
    assert_non_null(board);
    (void)virtual_board_run_to_end(board);
    virtual_board_close(board);
    size_t size;
    uint8_t *good = file_read(path, 16 << 20, &size), *bytes = malloc(size);
    assert_non_null(good);
    assert_non_null(bytes);
    o.save_snapshot = NULL;
    o.load_snapshot = path;
    for (unsigned i = 0; i < ROUNDS / 50; i++) {
        memcpy(bytes, good, size);
        size_t length = damage(bytes, size);
        if (length == size && memcmp(bytes, good, size) == 0) {
            continue;
        }
        temporary_fill(path, bytes, length);
        error[0] = '\0';
        assert_null(virtual_board_open_elf(&o, tiny_open(&tiny), NULL, error, sizeof error));
        one_line();
    }
    free(bytes);
    free(good);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_elf),
        cmocka_unit_test(damaged_debug_information),
        cmocka_unit_test(senseless_scripts),
        cmocka_unit_test(senseless_options),
        cmocka_unit_test(recordings_made_by_hand),
        cmocka_unit_test(damaged_snapshots_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
