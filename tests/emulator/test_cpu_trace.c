/* DWT comparators and the cycle counter's match (ARMv7-M C1.8), ITM (C1.7), SysTick's calibration. */
#include "cpu_fixture.h"

enum {
    DWT_CTRL_ = 0xE0001000,
    DWT_CYCCNT_ = 0xE0001004,
    DWT_COMP_ = 0xE0001020,
    ITM_TER_ = 0xE0000E00,
    ITM_TPR_ = 0xE0000E40,
    ITM_TCR_ = 0xE0000E80,
    ITM_LAR_ = 0xE0000FB0,
    ITM_LSR_ = 0xE0000FB4,
    DFSR_ = 0xE000ED30,
    DWTTRAP = 1 << 2,

    ON_PC = 4,
    ON_READ = 5,
    ON_WRITE = 6,
    ON_ACCESS = 7,
    CYCMATCH = 1 << 7,
    DATAVMATCH = 1 << 8,
    MATCHED = 1 << 24,
};

static void monitor_on(struct machine *m)
{
    poke(m, DEMCR_, DEMCR_TRCENA | DEMCR_MON_EN);
}

static void comparator(struct machine *m, unsigned n, uint32_t comp, uint32_t mask, uint32_t function)
{
    poke(m, DWT_COMP_ + 16 * n, comp);
    poke(m, DWT_COMP_ + 16 * n + 4, mask);
    poke(m, DWT_COMP_ + 16 * n + 8, function);
}

static bool matched(struct machine *m, unsigned n)
{
    return peek(m, DWT_COMP_ + 16 * n + 8) & MATCHED;
}

/* The instruction has been carried out; the monitor comes before the next. */
static void test_write_watchpoint(void **state)
{
    struct machine *m = *state;

    monitor_on(m);
    comparator(m, 2, DATA, 0, ON_WRITE);
    CODE(m, MAIN, 0x6808, 0x6008, NOP); /* ldr r0, [r1]; str r0, [r1] */
    m->cpu.r[1] = DATA;
    steps(m, 2);
    assert_int_equal(m->cpu.exception, 0);
    step(m);
    assert_in_handler(m, EXCEPTION_DEBUGMONITOR);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN + 4);
    assert_int_equal(peek(m, DFSR_), DWTTRAP);
    assert_true(matched(m, 2));
    assert_false(matched(m, 2)); /* cleared by the read */
}

static void test_read_and_access_watchpoints(void **state)
{
    static const struct {
        uint32_t function;
        uint16_t code;
        bool hit;
    } rows[] = {
        {ON_READ, 0x6808, true},   {ON_READ, 0x6008, false},  {ON_WRITE, 0x6808, false},
        {ON_ACCESS, 0x6808, true}, {ON_ACCESS, 0x6008, true}, {ON_ACCESS, 0x7808, true}, /* ldrb */
        {ON_READ, 0xC90C, true},                                                         /* ldmia */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct machine *m;
        tear_down(state);
        set_up(state);
        m = *state;
        monitor_on(m);
        comparator(m, 0, DATA, 0, rows[i].function);
        CODE(m, MAIN, rows[i].code, NOP);
        m->cpu.r[1] = DATA;
        steps(m, 2);
        assert_int_equal(m->cpu.exception, rows[i].hit ? EXCEPTION_DEBUGMONITOR : 0);
    }
}

/* MASK ignores low bits of the address; an access that only overlaps matches. */
static void test_mask_and_overlap(void **state)
{
    static const struct {
        int offset;
        bool hit;
    } rows[] = {{-4, false}, {-3, true}, {0, true}, {12, true}, {15, true}, {16, false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct machine *m;
        tear_down(state);
        set_up(state);
        m = *state;
        monitor_on(m);
        comparator(m, 3, DATA, 4, ON_ACCESS);
        CODE(m, MAIN, 0x6808, NOP);
        m->cpu.r[1] = DATA + (uint32_t)rows[i].offset;
        steps(m, 2);
        assert_int_equal(m->cpu.exception, rows[i].hit ? EXCEPTION_DEBUGMONITOR : 0);
    }
}

static void test_instruction_watchpoint(void **state)
{
    struct machine *m = *state;

    monitor_on(m);
    comparator(m, 1, MAIN + 2, 0, ON_PC);
    steps(m, 2);
    assert_int_equal(m->cpu.exception, 0);
    step(m);
    assert_in_handler(m, EXCEPTION_DEBUGMONITOR);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN + 4);
}

static void test_value_watchpoint(void **state)
{
    struct machine *m = *state;

    monitor_on(m);
    comparator(m, 0, DATA, 0, 0);
    comparator(m, 1, 1234, 0, ON_WRITE | DATAVMATCH | 2 << 10); /* a word, at comparator 0's address */
    CODE(m, MAIN, 0x6008, 0x6048, 0x600A, NOP); /* str r0, [r1]; str r0, [r1, #4]; str r2, [r1] */
    m->cpu.r[0] = 55;
    m->cpu.r[1] = DATA;
    m->cpu.r[2] = 1234;
    steps(m, 3);
    assert_int_equal(m->cpu.exception, 0);
    step(m);
    assert_in_handler(m, EXCEPTION_DEBUGMONITOR);
    assert_true(matched(m, 1));
    assert_int_equal(peek(m, DWT_COMP_ + 16 + 8) & 1 << 9, 1 << 9); /* LNK1ENA */
}

/* CYCCNT against comparator 0 */
static void test_cycle_watchpoint(void **state)
{
    struct machine *m = *state;
    uint64_t begin;

    monitor_on(m);
    CODE(m, MAIN, LOOP);
    poke(m, DWT_CYCCNT_, 0);
    poke(m, DWT_CTRL_, 1);
    comparator(m, 0, 300, 0, ON_PC | CYCMATCH);
    begin = m->cycles;
    run_to(m, handler(EXCEPTION_DEBUGMONITOR));
    assert_in_range(m->cycles - begin, 300 + 12, 300 + 12 + 3);
}

static void test_without_monitor_it_is_reported(void **state)
{
    struct machine *m = *state;

    poke(m, DEMCR_, DEMCR_TRCENA);
    comparator(m, 0, DATA, 0, ON_ACCESS);
    CODE(m, MAIN, 0x6808, NOP);
    m->cpu.r[1] = DATA;
    steps(m, 2);
    assert_int_equal(m->cpu.exception, 0);
    assert_int_equal(seen.warnings, 1);
    assert_true(matched(m, 0));
}

/* C1.6.1: no fault, so one that cannot preempt is lost. */
static void test_watchpoint_in_a_handler_above_the_monitor(void **state)
{
    struct machine *m = *state;

    monitor_on(m);
    m->cpu.priority[EXCEPTION_DEBUGMONITOR] = 0x80;
    enable_irq(m, 1, 0x40);
    comparator(m, 0, DATA, 0, ON_ACCESS);
    CODE(m, handler(17), 0x6808, NOP, NOP);
    m->cpu.r[1] = DATA;
    poke(m, NVIC_ISPR_, 2);
    steps(m, 3);
    assert_int_equal(m->cpu.exception, 17);
    assert_int_equal(m->cpu.pending[0], 0);
    assert_int_equal(peek(m, DFSR_), 0);
}

/* TRCENA clear: nothing watches, and the fast path is open. */
static void test_trcena_switches_all_off(void **state)
{
    struct machine *m = *state;

    monitor_on(m);
    comparator(m, 0, DATA, 0, ON_ACCESS);
    comparator(m, 1, MAIN, 0, ON_PC);
    assert_int_equal(m->cpu.direct_sram_bytes, 0);
    poke(m, DEMCR_, DEMCR_MON_EN);
    assert_int_equal(m->cpu.direct_sram_bytes, SRAM_SIZE);
    CODE(m, MAIN, 0x6808, NOP);
    m->cpu.r[1] = DATA;
    steps(m, 2);
    assert_int_equal(m->cpu.exception, 0);
    assert_int_equal(m->cpu.attention & ATTEND_FETCH, 0);
}

static void test_comparator_registers(void **state)
{
    struct machine *m = *state;

    assert_int_equal(peek(m, DWT_CTRL_), 0x40000000);
    comparator(m, 3, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF);
    assert_int_equal(peek(m, DWT_COMP_ + 48), 0xFFFFFFFF);
    assert_int_equal(peek(m, DWT_COMP_ + 52), 15);
    assert_int_equal(peek(m, DWT_COMP_ + 56), 0x2F);
}

/* ---- ITM ---- */

static struct {
    unsigned count, port, bytes;
    uint32_t value;
} stimulus;

static void note_stimulus(void *context, struct machine *m, unsigned port, unsigned bytes, uint32_t value)
{
    (void)context;
    (void)m;
    stimulus.count++;
    stimulus.port = port;
    stimulus.bytes = bytes;
    stimulus.value = value;
}

static void itm_on(struct machine *m)
{
    memset(&stimulus, 0, sizeof stimulus);
    m->host.itm = note_stimulus;
    poke(m, DEMCR_, DEMCR_TRCENA);
    poke(m, ITM_LAR_, 0xC5ACCE55);
    poke(m, ITM_TCR_, 1);
    poke(m, ITM_TER_, 0x80000001);
}

static void test_stimulus_ports(void **state)
{
    struct machine *m = *state;

    itm_on(m);
    assert_int_equal(peek(m, 0xE0000000), 1); /* FIFOREADY */
    assert_int_equal(peek(m, 0xE0000004), 0); /* not enabled */
    CODE(m, MAIN, 0x7008, 0x6048, 0x8010);    /* strb r0, [r1]; str r0, [r1, #4]; strh r0, [r2] */
    m->cpu.r[0] = 0x12345678;
    m->cpu.r[1] = 0xE0000000;
    m->cpu.r[2] = 0xE000007C;
    step(m);
    assert_int_equal(stimulus.count, 1);
    assert_int_equal(stimulus.port, 0);
    assert_int_equal(stimulus.bytes, 1);
    assert_int_equal(stimulus.value, 0x78);
    step(m);
    assert_int_equal(stimulus.count, 1); /* port 1 is not enabled */
    step(m);
    assert_int_equal(stimulus.count, 2);
    assert_int_equal(stimulus.port, 31);
    assert_int_equal(stimulus.value, 0x5678);
}

static void test_stimulus_is_off_without_trcena(void **state)
{
    struct machine *m = *state;

    itm_on(m);
    poke(m, DEMCR_, 0);
    poke(m, 0xE0000000, 'x');
    assert_int_equal(stimulus.count, 0);
    assert_int_equal(peek(m, 0xE0000000), 0);
}

/* What would only come out of the trace port says that it does not. */
static void test_trace_that_is_not_modelled_is_told(void **state)
{
    static const struct {
        uint32_t address, value;
    } writes[] = {
        {0xE0001000, 1 << 16}, /* DWT_CTRL.EXCTRCENA */
        {0xE0001000, 1 << 12}, /* PCSAMPLENA */
        {0xE0001028, 1},       /* DWT_FUNCTION0: samples the PC */
        {0xE0001038, 12},      /* DWT_FUNCTION1: samples data */
        {0xE0040010, 44},      /* TPIU_ACPR */
        {0xE0041000, 1},       /* ETM */
    };
    struct machine *m = *state;

    for (unsigned i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        seen.warnings = 0;
        poke(m, writes[i].address, writes[i].value);
        assert_int_equal(seen.warnings, 1);
        assert_non_null(strstr(seen.last, "not modelled"));
    }
    seen.warnings = 0;
    assert_int_equal(peek(m, 0xE0040010), 0);
    assert_int_equal(seen.warnings, 1);
    poke(m, 0xE0001000, 1); /* CYCCNTENA */
    assert_int_equal(seen.warnings, 1);
}

/* C1.11: it is there, with all comparators off. */
static void test_flash_patch(void **state)
{
    struct machine *m = *state;

    assert_int_equal(peek(m, 0xE0002000), 0x260);
    assert_int_equal(peek(m, 0xE0002004), 0x20000000);
    assert_int_equal(peek(m, 0xE0002008), 0);
    poke(m, 0xE0002000, 2); /* KEY, off */
    assert_int_equal(seen.errors, 0);
    poke(m, 0xE0002000, 3);
    assert_int_equal(seen.errors, 1);
}

static void test_itm_lock(void **state)
{
    struct machine *m = *state;

    assert_int_equal(peek(m, ITM_LSR_), 3);
    poke(m, ITM_TER_, 1);
    assert_int_equal(seen.warnings, 1);
    assert_int_equal(peek(m, ITM_TER_), 0);
    poke(m, ITM_LAR_, 0xC5ACCE55);
    assert_int_equal(peek(m, ITM_LSR_), 1);
    poke(m, ITM_TER_, 1);
    assert_int_equal(peek(m, ITM_TER_), 1);
}

/* TPR: a bit for eight ports; set, only privileged code writes to them. */
static void test_itm_privilege(void **state)
{
    struct machine *m = *state;

    itm_on(m);
    poke(m, ITM_TPR_, 1);
    poke(m, SHCSR_, 7 << 16);
    cpu_set_control(&m->cpu, 1);
    CODE(m, MAIN, 0x6010, 0x6008); /* str r0, [r2]; str r0, [r1] */
    m->cpu.r[1] = 0xE0000000;
    m->cpu.r[2] = 0xE000007C;
    step(m);
    assert_int_equal(stimulus.count, 1);
    step(m);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    assert_int_equal(stimulus.count, 1);
}

/* RM0090 12.1.3: 18750, a millisecond at HCLK / 8 of 150 MHz; SKEW set, a reference clock exists */
static void test_systick_calibration(void **state)
{
    struct machine *m = *state;

    assert_int_equal(peek(m, 0xE000E01C), 0x4000493E);
    poke(m, 0xE000E01C, 0);
    assert_int_equal(peek(m, 0xE000E01C), 0x4000493E);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_write_watchpoint),
        TEST(test_read_and_access_watchpoints),
        TEST(test_mask_and_overlap),
        TEST(test_instruction_watchpoint),
        TEST(test_value_watchpoint),
        TEST(test_cycle_watchpoint),
        TEST(test_without_monitor_it_is_reported),
        TEST(test_watchpoint_in_a_handler_above_the_monitor),
        TEST(test_trcena_switches_all_off),
        TEST(test_comparator_registers),
        TEST(test_stimulus_ports),
        TEST(test_stimulus_is_off_without_trcena),
        TEST(test_trace_that_is_not_modelled_is_told),
        TEST(test_flash_patch),
        TEST(test_itm_lock),
        TEST(test_itm_privilege),
        TEST(test_systick_calibration),
    };
    return cmocka_run_group_tests_name("cpu-trace", tests, NULL, NULL);
}
