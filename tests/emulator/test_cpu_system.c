/* Around the core: SysTick, DWT, exclusives, code that changes, bit-banding, semihosting, reset. */
#include "cpu_fixture.h"

static void run_cycles(struct machine *m, uint64_t cycles)
{
    machine_run(m, machine_time_at(m, m->cycles + cycles));
}

static void test_systick_period(void **state)
{
    struct machine *m = *state;
    uint64_t first;

    CODE(m, MAIN, NOP, 0xE7FD); /* b MAIN */
    CODE(m, handler(EXCEPTION_SYSTICK), LOOP);
    poke(m, SYST_RVR_, 999);
    poke(m, SYST_CVR_, 0);
    poke(m, SYST_CSR_, 7);
    first = m->cycles;
    run_to(m, handler(EXCEPTION_SYSTICK));
    /* Zero a thousand cycles later, then the instruction under way and the entry. */
    assert_in_range(m->cycles - first, 1000 + 12, 1000 + 12 + 4);
    m->cpu.pending[0] = 0;
    run_cycles(m, first + 2001 - m->cycles);
    assert_int_equal(m->cpu.pending[0], 1u << EXCEPTION_SYSTICK);
}

static void test_systick_reading_and_countflag(void **state)
{
    struct machine *m = *state;
    uint32_t value;

    CODE(m, MAIN, LOOP);
    poke(m, SYST_RVR_, 99);
    poke(m, SYST_CVR_, 5);
    assert_int_equal(peek(m, SYST_CVR_), 0);
    poke(m, SYST_CSR_, 5); /* no interrupt */
    run_cycles(m, 30);
    value = peek(m, SYST_CVR_);
    assert_in_range(value, 67, 70);
    assert_int_equal(peek(m, SYST_CSR_) >> 16, 0);
    run_cycles(m, 100);
    assert_int_equal(peek(m, SYST_CSR_) >> 16, 1);
    assert_int_equal(peek(m, SYST_CSR_) >> 16, 0); /* cleared by the read */
    assert_int_equal(m->cpu.pending[0], 0);
}

static void test_systick_wakes_from_wfi(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, WFI, 0xE7FD);
    CODE(m, handler(EXCEPTION_SYSTICK), BX_LR);
    poke(m, SYST_RVR_, 15999);
    poke(m, SYST_CVR_, 0);
    poke(m, SYST_CSR_, 7);
    run_cycles(m, 16000 * 10 + 100);
    /* wfi, bx, b: ten rounds and the first wfi */
    assert_in_range(m->instructions, 30, 32);
}

static void test_cycle_counter(void **state)
{
    struct machine *m = *state;
    uint64_t begin;

    poke(m, DEMCR_, DEMCR_TRCENA);
    poke(m, 0xE0001004, 0);
    poke(m, 0xE0001000, 1);
    begin = m->cycles;
    steps(m, 5);
    assert_int_equal(m->cycles - begin, 5);
    assert_int_equal(peek(m, 0xE0001004), 5);
    poke(m, 0xE0001000, 0);
    steps(m, 3);
    assert_int_equal(peek(m, 0xE0001004), 5);
}

static void test_cycles_of_instructions(void **state)
{
    static const struct {
        uint16_t code[2];
        unsigned cycles;
    } expected[] = {
        {{0x1840, NOP}, 1},    /* adds */
        {{0x6808, NOP}, 2},    /* ldr */
        {{0xE7FE, NOP}, 3},    /* b */
        {{0xC90C, NOP}, 3},    /* ldmia {r2, r3} */
        {{0xD0FE, NOP}, 1},    /* beq, not taken */
        {{0xEE80, 0x0A00}, 14} /* vdiv */
    };
    struct machine *m = *state;

    poke(m, CPACR_, 0xF00000);
    cpu_set_apsr(&m->cpu, 0);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint64_t begin = m->cycles;
        load_code(m, MAIN, expected[i].code, 2);
        m->cpu.r[15] = MAIN;
        m->cpu.r[1] = DATA;
        m->cpu.flag_z = 1;
        step(m);
        assert_int_equal(m->cycles - begin, expected[i].cycles);
    }
}

static void test_exclusive_access(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    /* ldrex r0, [r1]; strex r2, r3, [r1]; strex r4, r3, [r1] */
    CODE(m, MAIN, 0xE851, 0x0F00, 0xE841, 0x3200, 0xE841, 0x3400);
    c->r[1] = DATA;
    c->r[3] = 42;
    poke(m, DATA, 7);
    steps(m, 3);
    assert_int_equal(c->r[0], 7);
    assert_int_equal(c->r[2], 0);
    assert_int_equal(peek(m, DATA), 42);
    assert_int_equal(c->r[4], 1);
}

/* B2.3.1 note: exception entry and return clear the monitor. */
static void test_exception_breaks_exclusive_access(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, MAIN, 0xE851, 0x0F00, 0xE841, 0x3200, NOP);
    CODE(m, handler(17), BX_LR);
    enable_irq(m, 1, 0);
    c->r[1] = DATA;
    step(m);
    poke(m, NVIC_ISPR_, 2);
    steps(m, 3);
    assert_int_equal(c->r[2], 1);
}

static void test_code_rewritten_by_the_core(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;
    const uint32_t code = 0x20001000;

    CODE(m, code, 0x2001, 0x8011, 0xE7FC); /* movs r0, #1; strh r1, [r2]; b code */
    c->r[1] = 0x2002;                      /* movs r0, #2 */
    c->r[2] = code;
    c->r[15] = code;
    step(m);
    assert_int_equal(c->r[0], 1);
    steps(m, 3);
    assert_int_equal(c->r[0], 2);
}

/* An instruction across the border of two pages, of which the second is written. */
static void test_code_rewritten_across_pages(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;
    const uint32_t code = 0x20001000 + CODE_PAGE_SIZE - 2;

    CODE(m, code, 0xF240, 0x0011); /* movw r0, #0x11 */
    c->r[15] = code;
    step(m);
    assert_int_equal(c->r[0], 0x11);
    m->sram[code + 2 - SRAM_BASE] = 0x22;
    cpu_code_written(m, code + 2, 1);
    c->r[15] = code;
    step(m);
    assert_int_equal(c->r[0], 0x22);
}

/* An instruction may overwrite itself. */
static void test_code_that_overwrites_itself(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;
    const uint32_t code = 0x20001000;

    CODE(m, code, 0x8011, 0x2003); /* strh r1, [r2]; movs r0, #3 */
    c->r[1] = 0x2004;
    c->r[2] = code;
    c->r[15] = code;
    steps(m, 2);
    assert_int_equal(c->r[0], 3);
    c->r[15] = code;
    step(m);
    assert_int_equal(c->r[0], 4);
}

static void test_flash_alias_at_zero(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x2009);
    m->cpu.r[15] = MAIN - FLASH_BASE;
    step(m);
    assert_int_equal(m->cpu.r[0], 9);
    assert_int_equal(m->cpu.r[15], MAIN - FLASH_BASE + 2);
    assert_int_equal(peek(m, 0), STACK);
}

static void test_bit_banding(void **state)
{
    struct machine *m = *state;
    const uint32_t alias = 0x22000000 + (DATA - SRAM_BASE) * 32;

    poke(m, DATA, 0x80);
    assert_int_equal(peek(m, alias + 4 * 7), 1);
    assert_int_equal(peek(m, alias + 4 * 6), 0);
    poke(m, alias + 4 * 31, 1);
    poke(m, alias + 4 * 7, 0xFFFFFFFE);
    assert_int_equal(peek(m, DATA), 0x80000000);
}

/* Any width of access to the alias; the first and the last bit; peripherals' bits. */
static void test_bit_banding_everywhere(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, MAIN, 0x7008, 0x8048, 0x6810,
         0x7815); /* strb r0, [r1]; strh r0, [r1, #2]; ldr r0, [r2]; ldrb r5, [r2] */
    c->r[0] = 0xFF;
    c->r[1] = 0x22000000 + 4 * 8; /* bit 8 of the first word; + 2 is the same alias word */
    c->r[2] = c->r[1];
    steps(m, 1);
    assert_int_equal(peek(m, SRAM_BASE), 0x100);
    c->r[0] = 0xFE;
    step(m);
    assert_int_equal(peek(m, SRAM_BASE), 0);
    poke(m, SRAM_BASE, 0x100);
    steps(m, 2);
    assert_int_equal(c->r[0], 1);
    assert_int_equal(c->r[5], 1);
    poke(m, 0x22000000 + (SRAM_SIZE - 4) * 32 + 31 * 4, 1);
    assert_int_equal(peek(m, SRAM_BASE + SRAM_SIZE - 4), 0x80000000);
    poke(m, 0x42000000 + 0x23844 * 32 + 14 * 4, 1); /* RCC_APB2ENR.SYSCFGEN */
    assert_int_equal(peek(m, 0x40023844), 1 << 14);
}

/* RM0090 2.4: SYSCFG_MEMRMP chooses what lies at address 0, for fetches, loads and stores. */
static void test_sram_at_zero(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    poke(m, 0x40023844, 1 << 14);
    poke(m, 0x40013800, 3);
    CODE(m, DATA, 0x2009, 0x600A, 0x2105); /* movs r0, #9; str r2, [r1]; movs r1, #5 */
    assert_int_equal(peek(m, DATA - SRAM_BASE), 0x600A2009);
    c->r[15] = DATA - SRAM_BASE;
    step(m);
    assert_int_equal(c->r[0], 9);
    c->r[1] = DATA - SRAM_BASE + 4; /* through the alias, what is to be executed next, which was decoded */
    c->r[2] = 0x2107;
    CODE(m, DATA + 4, 0x2105, NOP);
    c->r[15] = DATA - SRAM_BASE + 4;
    step(m);
    assert_int_equal(c->r[1], 5);
    c->r[1] = DATA - SRAM_BASE + 4;
    c->r[15] = DATA - SRAM_BASE + 2;
    steps(m, 2);
    assert_int_equal(c->r[1], 7);
    poke(m, 0x40013800, 0);
    assert_int_equal(peek(m, 0), STACK);
    c->r[15] = MAIN - FLASH_BASE;
    CODE(m, MAIN, 0x2003);
    step(m);
    assert_int_equal(c->r[0], 3);
}

/* A7.7.17: BKPT is unconditional, in an IT block too. */
static void test_breakpoint_in_it_block(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xBF08, 0xBE00, NOP); /* it eq; bkpt */
    cpu_set_apsr(&m->cpu, 0);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
}

/* The PC reads as the instruction's address plus 4 (A2.3.1). */
static void test_move_pc_to_pc(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x46FF, 0x2001, 0x2102); /* mov pc, pc; movs r0, #1; movs r1, #2 */
    steps(m, 2);
    assert_int_equal(m->cpu.r[1], 2);
    assert_int_equal(m->cpu.r[15], MAIN + 6);
}

static void test_priority_registers_keep_four_bits(void **state)
{
    struct machine *m = *state;

    poke(m, NVIC_IPR_, 0xFFFFFFFF);
    assert_int_equal(peek(m, NVIC_IPR_), 0xF0F0F0F0);
    assert_int_equal(m->cpu.priority[16], 0xF0);
    poke(m, SHPR2_, 0x12345678);
    assert_int_equal(peek(m, SHPR2_), 0x10000000); /* SVCall only */
}

static void test_nvic_reaches_the_last_interrupt(void **state)
{
    struct machine *m = *state;

    enable_irq(m, 90, 0x10);
    assert_int_equal(peek(m, NVIC_ISER_ + 8), 1 << 26);
    cpu_set_irq(m, 90, true);
    step(m);
    assert_in_handler(m, 106);
    poke(m, 0xE000E188, 1 << 26);
    assert_int_equal(peek(m, NVIC_ISER_ + 8), 0);
}

static void test_icsr(void **state)
{
    struct machine *m = *state;

    m->cpu.primask = 1;
    poke(m, ICSR_, 1 << 28 | 1 << 26);
    assert_int_equal(peek(m, ICSR_), 1u << 28 | 1u << 26 | 14 << 12 | 1 << 11);
    poke(m, ICSR_, 1 << 27);
    assert_int_equal(peek(m, ICSR_), 1u << 26 | 15 << 12 | 1 << 11);
    poke(m, ICSR_, 1 << 25);
    enable_irq(m, 3, 0);
    poke(m, 0xE000EF00, 3); /* STIR */
    assert_int_equal(peek(m, ICSR_), 1 << 22 | 19 << 12 | 1 << 11);
}

static void test_system_reset(void **state)
{
    struct machine *m = *state;

    poke(m, AIRCR_, 4); /* without the key */
    assert_false(m->reset_requested);
    assert_int_equal(seen.warnings, 1);
    CODE(m, MAIN, 0x6001, NOP, NOP); /* str r1, [r0] */
    m->cpu.r[0] = AIRCR_;
    m->cpu.r[1] = 0x05FA0004;
    m->cpu.basepri = 0x10;
    steps(m, 2);
    assert_int_equal(m->cpu.basepri, 0);
    assert_int_equal(m->cpu.r[13], STACK);
}

static void test_semihosting_console_and_exit(void **state)
{
    struct machine *m = *state;

    memcpy(m->sram + (DATA - SRAM_BASE), "hello", 6);
    CODE(m, MAIN, 0x2004, 0xBEAB, 0x2003, 0xBEAB, 0x2018, 0x4611, 0xBEAB, NOP); /* r1 = r2 before the exit */
    m->cpu.r[1] = DATA;
    m->cpu.r[2] = 0x20026;
    steps(m, 10);
    assert_string_equal(seen.console, "helloh");
    assert_int_equal(m->stop, STOP_EXIT);
    assert_int_equal(m->exit_status, 0);
}

static void test_semihosting_exit_status(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x2020, 0xBEAB);
    poke(m, DATA, 0x20026);
    poke(m, DATA + 4, 42);
    m->cpu.r[1] = DATA;
    steps(m, 3);
    assert_int_equal(m->exit_status, 42);
}

/* The run ends before the instruction at which the cycle is reached. */
static void test_events_end_the_run_exactly(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, NOP, NOP, NOP, NOP);
    m->event_cycle = m->cycles + 3;
    assert_int_equal(cpu_run(m), CPU_EVENT);
    assert_int_equal(m->cpu.r[15], MAIN + 6);
    m->event_cycle = m->cycles;
    assert_int_equal(cpu_run(m), CPU_EVENT);
    assert_int_equal(m->cpu.r[15], MAIN + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_systick_period),
        TEST(test_systick_reading_and_countflag),
        TEST(test_systick_wakes_from_wfi),
        TEST(test_cycle_counter),
        TEST(test_cycles_of_instructions),
        TEST(test_exclusive_access),
        TEST(test_exception_breaks_exclusive_access),
        TEST(test_code_rewritten_by_the_core),
        TEST(test_code_rewritten_across_pages),
        TEST(test_code_that_overwrites_itself),
        TEST(test_flash_alias_at_zero),
        TEST(test_bit_banding),
        TEST(test_bit_banding_everywhere),
        TEST(test_sram_at_zero),
        TEST(test_breakpoint_in_it_block),
        TEST(test_move_pc_to_pc),
        TEST(test_priority_registers_keep_four_bits),
        TEST(test_nvic_reaches_the_last_interrupt),
        TEST(test_icsr),
        TEST(test_system_reset),
        TEST(test_semihosting_console_and_exit),
        TEST(test_semihosting_exit_status),
        TEST(test_events_end_the_run_exactly),
    };
    return cmocka_run_group_tests_name("cpu-system", tests, NULL, NULL);
}
