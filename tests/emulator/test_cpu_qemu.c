/*
 * The core against QEMU's: the same random programs on both, in which every
 * row of the decode tables is executed; every register, flag and word of
 * memory is compared, and what faults and their handlers saw. Between them,
 * loads and stores under a random MPU. Skipped where qemu-system-arm is absent.
 *
 * QEMU 7.2 departs from the ARMv7-M manual here, and the programs avoid or
 * equalise it; directed tests (test_cpu_*.c) stand in:
 *   - BKPT without a debugger sets HFSR.FORCED instead of DEBUGEVT (C1.6.1,
 *     B3.2.16): the handler notes one for the other.
 *   - CCR.UNALIGN_TRP is ignored (B3.2.8): it stays clear.
 *   - CCR.DIV_0_TRP: the frame gets stale registers (B3.2.8, B1.5.6): it stays clear.
 *   - BASEPRI has eight bits, the STM32F4 four (B1.4.3): values are multiples of 16.
 *   - STREX fails at another address than LDREX's; this core's monitor tags
 *     none (A3.4.1 leaves it open): the addresses are the same.
 *   - MPU: an access in a sub-region that is off lets later ones to the same kilobyte pass
 *     what other sub-regions forbid, unless another small region lies there (B3.5.3).
 *   - WFI and priorities of pending interrupts, DWT and lock-up: not compared.
 *
 *   emulator-cpu_qemu [SEED [INSTRUCTIONS]]
 *
 * runs programs from that seed on until so many random instructions have been
 * executed; what it has done it prints, so that it can go on from there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cpu_random.h"

#if defined(__SANITIZE_ADDRESS__)
enum { PROGRAMS = 4, ITERATIONS = 32, LEAST_EXECUTIONS = 200 };
#else
enum { PROGRAMS = 8, ITERATIONS = 64, LEAST_EXECUTIONS = 1000 };
#endif

enum {
    MARKS_MAX = 200000,
    OUTPUT_MAX = 1 << 20,
    LEAST_WAITS = 5, /* WFI */
    EXPLAINED = 3,
    HALFWORDS = CPU_RANDOM_IMAGE / 2,
};

struct output {
    char *text;
    size_t length;
};

static struct {
    struct cpu_random program;
    struct output ours, theirs;
    op_run *original[HALFWORDS]; /* of a marked instruction */
    uint16_t row_at[HALFWORDS];
    uint64_t executed[CPU_ROWS_MAX];
} run;

/* ---- Ours ---- */

static void take_console(void *context, struct machine *m, uint8_t byte)
{
    struct output *output = context;

    (void)m;
    if (output->length < OUTPUT_MAX)
        output->text[output->length++] = (char)byte;
}

/* Faults are wanted here, so warnings are not shown. */
static void print_report(void *context, struct machine *m, enum report_level level, uint32_t pc,
                         const char *format, va_list arguments)
{
    (void)context;
    (void)m;
    if (level != REPORT_ERROR)
        return;
    fprintf(stderr, "pc %08x: ", pc);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

static const struct op *run_counted(struct machine *m, const struct op *op)
{
    uint32_t at = (op->pc - FLASH_BASE) / 2;

    run.executed[run.row_at[at]]++;
    return run.original[at](m, op);
}

/* Marked instructions are decoded at once, and go through run_counted. */
static void count_marked(struct machine *m)
{
    struct code_region *flash = &m->cpu.engine->region[REGION_FLASH];

    for (size_t i = 0; i < run.program.mark_count; i++) {
        uint32_t at = (run.program.marks[i].address - FLASH_BASE) / 2;
        op_decode(m, &flash->ops[at]);
        run.row_at[at] = (uint16_t)run.program.marks[i].row;
        run.original[at] = flash->ops[at].run;
        flash->ops[at].run = run_counted;
    }
}

static bool run_ours(void)
{
    struct host host = {.context = &run.ours, .console = take_console, .report = print_report};
    struct machine *m = machine_create(&host, 1);
    bool ended;

    assert_non_null(m);
    assert_true(machine_load(m, FLASH_BASE, run.program.image, CPU_RANDOM_IMAGE));
    machine_power_on(m);
    count_marked(m);
    run.ours.length = 0;
    machine_run(m, VTIME_S(120));
    ended = m->stop == STOP_EXIT && m->exit_status == 0;
    if (!ended)
        fprintf(stderr, "ours stopped (%u) at %08x, r14 %08x\n", m->stop, m->cpu.r[15], m->cpu.r[14]);
    machine_destroy(m);
    return ended;
}

/* ---- QEMU ---- */

struct qemu {
    FILE *pipe;
    char path[32];
};

static struct qemu start_qemu(void)
{
    struct qemu q = {.path = "/tmp/cpu-qemu-XXXXXX"};
    char command[512];
    int file = mkstemp(q.path);

    assert_true(file >= 0);
    assert_int_equal(write(file, run.program.image, CPU_RANDOM_IMAGE), CPU_RANDOM_IMAGE);
    close(file);
    snprintf(command, sizeof command,
             "timeout 600 qemu-system-arm -M netduinoplus2 -nographic -monitor none -serial none "
             "-semihosting-config enable=on,target=native "
             "-device loader,file=%s,addr=0x08000000,force-raw=on "
             "-device loader,addr=0x08000041,cpu-num=0 2>&1",
             q.path);
    q.pipe = popen(command, "r");
    assert_non_null(q.pipe);
    return q;
}

static bool finish_qemu(struct qemu *q)
{
    run.theirs.length = fread(run.theirs.text, 1, OUTPUT_MAX, q->pipe);
    unlink(q->path);
    return pclose(q->pipe) == 0;
}

/* Both at once. False: one did not come to its end. */
static bool run_both(void)
{
    struct qemu q;
    bool ours, theirs;

    cpu_random_program(&run.program);
    q = start_qemu();
    ours = run_ours();
    theirs = finish_qemu(&q);
    if (!theirs)
        fprintf(stderr, "QEMU failed: %.*s\n", (int)(run.theirs.length > 200 ? 200 : run.theirs.length),
                run.theirs.text);
    return ours && theirs;
}

/* ---- What differs ---- */

static const char *word_name(unsigned index, char *name, size_t size)
{
    static const char *const other[] = {"r12", "lr", "sp", "apsr", "fpscr"};
    static const char *const log[] = {"IPSR", "CFSR", "HFSR", "fault address", "PC, xPSR, EXC_RETURN", "SVC"};

    if (index < 11)
        snprintf(name, size, "r%u", index);
    else if (index < 16)
        snprintf(name, size, "%s", other[index - 11]);
    else if (index < SHAPE_STATE_WORDS)
        snprintf(name, size, "s%u", index - 16);
    else if (index < SHAPE_WORDS - SHAPE_LOG_WORDS)
        snprintf(name, size, "memory[%u]", index - SHAPE_STATE_WORDS);
    else
        snprintf(name, size, "log of %s", log[(index - (SHAPE_WORDS - SHAPE_LOG_WORDS)) % 6]);
    return name;
}

static uint32_t word_at(const char *line, unsigned index)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value = value << 4 | (uint32_t)(line[8 * index + i] - 'A');
    return value;
}

static void print_sequence(const struct cpu_random_test *test)
{
    const struct cpu_row *rows;

    cpu_rows(&rows);
    fprintf(stderr, "  %s at %08x:",
            test[0].row == CPU_RANDOM_GUARDED ? "under the MPU" : rows[test[0].row].encoding->name,
            test[0].address);
    for (uint32_t at = test[0].address; at < test[1].address; at += 2)
        fprintf(stderr, " %02x%02x", run.program.image[at + 1 - FLASH_BASE],
                run.program.image[at - FLASH_BASE]);
    fputc('\n', stderr);
}

/* The first run of the block after which the states differ; false: none */
static bool print_difference(bool print)
{
    for (size_t at = 0; at + CPU_RANDOM_STATE_LINE <= run.ours.length; at += CPU_RANDOM_STATE_LINE) {
        const char *a = run.ours.text + at, *b = run.theirs.text + at;
        char name[32];
        if (memcmp(a, b, CPU_RANDOM_STATE_LINE) == 0)
            continue;
        for (unsigned i = 0; print && i < SHAPE_WORDS; i++) {
            if (word_at(a, i) != word_at(b, i))
                fprintf(stderr, "    %s: ours %08x, QEMU's %08x\n", word_name(i, name, sizeof name),
                        word_at(a, i), word_at(b, i));
        }
        return true;
    }
    return false;
}

/* Which sequence of the block is the first that matters. */
static void explain(unsigned block)
{
    fprintf(stderr, "program %llu, block %u differs\n", (unsigned long long)run.program.seed, block);
    run.program.only_block = block;
    for (unsigned tests = 1; tests <= CPU_RANDOM_TESTS; tests++) {
        run.program.only_tests = tests;
        run_both();
        if (print_difference(false)) {
            cpu_random_program(&run.program);
            print_sequence(&run.program.test[tests - 1]);
            print_difference(true);
            break;
        }
    }
    run.program.only_block = CPU_RANDOM_BLOCKS;
}

static unsigned compare_blocks(void)
{
    static bool differs[CPU_RANDOM_BLOCKS];
    unsigned differing = 0;

    for (unsigned block = 0; block < run.program.blocks; block++) {
        size_t at = block * CPU_RANDOM_HASH_LINE;
        differs[block] = memcmp(run.ours.text + at, run.theirs.text + at, CPU_RANDOM_HASH_LINE) != 0;
        differing += differs[block];
    }
    for (unsigned block = 0, explained = 0; block < run.program.blocks && explained < EXPLAINED; block++) {
        if (differs[block]) {
            explain(block);
            explained++;
        }
    }
    return differing;
}

/* One program on both; false: they differ */
static bool compare_program(uint64_t seed, unsigned iterations)
{
    unsigned differing;

    run.program.seed = seed;
    run.program.iterations = iterations;
    run.program.only_block = CPU_RANDOM_BLOCKS;
    memset(run.ours.text, 0, OUTPUT_MAX);
    memset(run.theirs.text, 0, OUTPUT_MAX);
    if (!run_both() && run.ours.length == run.theirs.length)
        return false;
    differing = compare_blocks();
    if (differing)
        fprintf(stderr, "program %llu: %u of %u blocks differ\n", (unsigned long long)seed, differing,
                run.program.blocks);
    return differing == 0;
}

/* ---- Coverage ---- */

static uint64_t executions(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < CPU_ROWS_MAX; i++)
        sum += run.executed[i];
    return sum;
}

static unsigned print_coverage(uint64_t least)
{
    const struct cpu_row *rows;
    size_t count = cpu_rows(&rows);
    unsigned missing = 0;

    for (size_t i = 0; i < count; i++) {
        bool waits = rows[i].shape == SHAPE_WAIT_INTERRUPT;
        bool enough = run.executed[i] >= (waits ? LEAST_WAITS : least);
        print_message("%12llu  %s%s\n", (unsigned long long)run.executed[i], rows[i].encoding->name,
                      enough ? "" : "  TOO FEW");
        missing += !enough;
    }
    print_message("%llu random instructions of %zu encodings, %u of them too few\n",
                  (unsigned long long)executions(), count, missing);
    return missing;
}

/* ---- The test, and torture ---- */

static void set_up(void)
{
    run.program.image = malloc(CPU_RANDOM_IMAGE);
    run.program.marks = malloc(MARKS_MAX * sizeof *run.program.marks);
    run.program.mark_max = MARKS_MAX;
    run.ours.text = malloc(OUTPUT_MAX);
    run.theirs.text = malloc(OUTPUT_MAX);
    if (!run.program.image || !run.program.marks || !run.ours.text || !run.theirs.text)
        abort();
}

static bool have_qemu(void)
{
    return system("qemu-system-arm --version >/dev/null 2>&1") == 0;
}

static void test_every_encoding(void **state)
{
    unsigned failed = 0;

    (void)state;
    if (!have_qemu()) {
        print_message("skipped: qemu-system-arm is not installed\n");
        skip();
    }
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++)
        failed += !compare_program(seed, ITERATIONS);
    assert_int_equal(failed, 0);
    assert_int_equal(print_coverage(LEAST_EXECUTIONS), 0);
}

static int torture(uint64_t seed, uint64_t instructions)
{
    unsigned failed = 0;

    if (!have_qemu()) {
        fprintf(stderr, "qemu-system-arm is not installed\n");
        return 1;
    }
    for (; executions() < instructions && failed < EXPLAINED; seed++) {
        failed += !compare_program(seed, 256);
        printf("seed %llu: %.1f of %.0f million random instructions, %u programs differ\n",
               (unsigned long long)seed, (double)executions() / 1e6, (double)instructions / 1e6, failed);
        fflush(stdout);
    }
    failed += print_coverage(LEAST_EXECUTIONS) != 0;
    printf("%s; go on with seed %llu\n", failed ? "FAILED" : "all agree", (unsigned long long)seed);
    return failed != 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_encoding)};

    set_up();
    if (argc > 1)
        return torture(strtoull(argv[1], NULL, 10), argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000000u);
    return cmocka_run_group_tests_name("cpu-qemu", tests, NULL, NULL);
}
