/*
 * The core against QEMU's: the same random programs on both, every register,
 * flag and word of memory compared after each block of some twenty
 * instructions. Skipped where qemu-system-arm is absent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cpu/engine.h"
#include "cpu_random.h"

enum {
    BLOCKS = 1500,
    PROGRAMS = 8,
    LINE = 8 * CPU_RANDOM_WORDS + 1,
    OUTPUT_MAX = BLOCKS * LINE + 4096,
    IMAGE_MAX = 0x100000, /* QEMU's board has 1 MB of flash */
};

/* ---- Which encodings are worth trying ---- */

static bool fits(const struct encoding *table, uint32_t code, unsigned halfwords, bool *valid)
{
    for (const struct encoding *row = table; row->decode; row++) {
        if ((code & row->mask) == row->value) {
            struct op op = {.pc = FLASH_BASE, .code = code, .length = (uint8_t)halfwords};
            *valid = row->decode(&op, code, row);
            return true;
        }
    }
    return false;
}

static bool is_valid(uint32_t code, unsigned halfwords)
{
    const struct encoding *const narrow[] = {data16_encodings, bits16_encodings, memory16_encodings};
    const struct encoding *const wide[] = {memory32_encodings, branch32_encodings,  data32_encodings,
                                           bits32_encodings,   multiply_encodings,  simd_encodings,
                                           float_encodings,    float_move_encodings};
    bool valid = false;

    if (halfwords == 1) {
        for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
            if (fits(narrow[i], code, halfwords, &valid))
                return valid;
        }
        return false;
    }
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        if (fits(wide[i], code, halfwords, &valid))
            return valid;
    }
    return false;
}

/* ---- The two runs ---- */

struct output {
    char *text;
    size_t length;
};

static void take_console(void *context, struct machine *m, uint8_t byte)
{
    struct output *output = context;

    (void)m;
    if (output->length < OUTPUT_MAX)
        output->text[output->length++] = (char)byte;
}

static void print_report(void *context, struct machine *m, enum report_level level, uint32_t pc,
                         const char *format, va_list arguments)
{
    (void)context;
    (void)m;
    if (level == REPORT_NOTE)
        return;
    fprintf(stderr, "pc %08x: ", pc);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

static void run_ours(const uint8_t *image, size_t length, struct output *output)
{
    struct host host = {.context = output, .console = take_console, .report = print_report};
    struct machine *m = machine_create(&host, 1);

    assert_non_null(m);
    assert_true(machine_load(m, FLASH_BASE, image, length));
    machine_power_on(m);
    machine_run(m, VTIME_S(60));
    assert_int_equal(m->stop, STOP_EXIT);
    assert_int_equal(m->exit_status, 0);
    machine_destroy(m);
}

static void run_qemu(const uint8_t *image, size_t length, struct output *output)
{
    char path[] = "/tmp/cpu-qemu-XXXXXX", command[256];
    int file = mkstemp(path);
    FILE *pipe;

    assert_true(file >= 0);
    assert_int_equal(write(file, image, length), length);
    close(file);
    snprintf(
        command, sizeof command,
        "timeout 300 qemu-system-arm -M netduinoplus2 -nographic -monitor none -serial none "
        "-semihosting-config enable=on,target=native -device loader,file=%s,addr=0x08000000,force-raw=on "
        "-device loader,addr=0x%x,cpu-num=0 2>&1",
        path, (unsigned)(image[4] | image[5] << 8 | image[6] << 16 | image[7] << 24));
    pipe = popen(command, "r");
    assert_non_null(pipe);
    output->length = fread(output->text, 1, OUTPUT_MAX, pipe);
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
}

/* ---- Comparison ---- */

static const char *word_name(unsigned index, char *name, size_t size)
{
    static const char *const other[] = {"r12", "lr", "apsr", "fpscr"};

    if (index < 11)
        snprintf(name, size, "r%u", index);
    else if (index < 15)
        snprintf(name, size, "%s", other[index - 11]);
    else if (index < 47)
        snprintf(name, size, "s%u", index - 15);
    else
        snprintf(name, size, "memory[%u]", index - 47);
    return name;
}

static uint32_t word_at(const char *line, unsigned index)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value = value << 4 | (uint32_t)(line[8 * index + i] - 'A');
    return value;
}

static void explain(uint64_t seed, unsigned block, const char *ours, const char *theirs)
{
    char text[1024], name[16];

    cpu_random_describe(seed, block, is_valid, text, sizeof text);
    fprintf(stderr, "program %llu, block %u: %s\n", (unsigned long long)seed, block, text);
    for (unsigned i = 0; i < CPU_RANDOM_WORDS; i++) {
        if (word_at(ours, i) != word_at(theirs, i))
            fprintf(stderr, "  %s: ours %08x, QEMU's %08x\n", word_name(i, name, sizeof name),
                    word_at(ours, i), word_at(theirs, i));
    }
}

static unsigned compare_blocks(uint64_t seed, const struct output *ours, const struct output *theirs)
{
    unsigned differing = 0;

    for (unsigned block = 0; block < BLOCKS; block++) {
        const char *a = ours->text + block * LINE, *b = theirs->text + block * LINE;
        if (memcmp(a, b, LINE) == 0)
            continue;
        if (differing++ < 5)
            explain(seed, block, a, b);
    }
    return differing;
}

static void compare_program(uint64_t seed, uint8_t *image, struct output *ours, struct output *theirs)
{
    size_t length = cpu_random_program(image, IMAGE_MAX, seed, BLOCKS, is_valid);

    assert_true(length > 0);
    ours->length = theirs->length = 0;
    run_ours(image, length, ours);
    run_qemu(image, length, theirs);
    assert_int_equal(ours->length, BLOCKS * LINE);
    assert_int_equal(theirs->length, BLOCKS * LINE);
    assert_int_equal(compare_blocks(seed, ours, theirs), 0);
}

static void test_random_programs(void **state)
{
    (void)state;
    if (system("qemu-system-arm --version >/dev/null 2>&1") != 0) {
        print_message("skipped: qemu-system-arm is not installed\n");
        skip();
    }
    uint8_t *image = malloc(IMAGE_MAX);
    struct output ours = {.text = malloc(OUTPUT_MAX)}, theirs = {.text = malloc(OUTPUT_MAX)};

    assert_true(image && ours.text && theirs.text);
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++)
        compare_program(seed, image, &ours, &theirs);
    print_message("%u random instructions agree\n", PROGRAMS * BLOCKS * CPU_RANDOM_INSTRUCTIONS);
    free(image);
    free(ours.text);
    free(theirs.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_programs)};
    return cmocka_run_group_tests_name("cpu-qemu", tests, NULL, NULL);
}
