/* Faults of the Cortex-M4 (ARMv7-M B1.5.14, B1.5.15): what raises which, escalation, lock-up. */
#include "cpu_fixture.h"

static void enable_faults(struct machine *m)
{
    poke(m, SHCSR_, 7 << 16);
}

static void expect_usage_fault(struct machine *m, uint32_t cfsr)
{
    enable_faults(m);
    step(m);
    assert_in_handler(m, EXCEPTION_USAGEFAULT);
    assert_int_equal(m->cpu.cfsr, cfsr);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN); /* returns to the instruction */
}

static void test_undefined_instruction(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, UDF);
    expect_usage_fault(m, CFSR_UNDEFINSTR);
    assert_int_equal(seen.warnings, 1);
    assert_non_null(strstr(seen.last, "de00"));
}

static void test_unpredictable_instruction(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xE8BD, 0x2001); /* pop {r0, sp} */
    expect_usage_fault(m, CFSR_UNDEFINSTR);
}

static void test_disabled_fault_escalates(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, UDF);
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.hfsr, HFSR_FORCED);
    assert_int_equal(m->cpu.cfsr, CFSR_UNDEFINSTR);
}

static void test_fault_in_its_own_handler_escalates(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, UDF);
    CODE(m, handler(EXCEPTION_USAGEFAULT), UDF);
    enable_faults(m);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.r[14], 0xFFFFFFF1);
}

static void test_fault_in_hardfault_locks_up(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, UDF);
    CODE(m, handler(EXCEPTION_HARDFAULT), UDF);
    steps(m, 2);
    assert_int_equal(m->stop, STOP_LOCKUP);
    assert_int_equal(seen.errors, 1);
}

static void test_svc_under_primask_escalates(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, CPSID_I, SVC_1);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.hfsr, HFSR_FORCED);
}

static void test_division_by_zero(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xFBB0, 0xF0F1, NOP); /* udiv r0, r0, r1 */
    m->cpu.r[0] = 5;
    step(m);
    assert_int_equal(m->cpu.r[0], 0);
    m->cpu.r[15] = MAIN;
    poke(m, CCR_, CCR_STKALIGN | CCR_DIV_0_TRP);
    expect_usage_fault(m, CFSR_DIVBYZERO);
}

static void test_unaligned_word_is_allowed_unless_trapped(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x6808, NOP); /* ldr r0, [r1] */
    poke(m, DATA, 0x44332211);
    poke(m, DATA + 4, 0x88776655);
    m->cpu.r[1] = DATA + 1;
    step(m);
    assert_int_equal(m->cpu.r[0], 0x55443322);
    m->cpu.r[15] = MAIN;
    poke(m, CCR_, CCR_STKALIGN | CCR_UNALIGN_TRP);
    expect_usage_fault(m, CFSR_UNALIGNED);
}

static void test_multiple_transfers_must_be_aligned(void **state)
{
    static const uint16_t code[][2] = {
        {0xC90C, NOP},    /* ldmia r1!, {r2, r3} */
        {0xC10C, NOP},    /* stmia r1!, {r2, r3} */
        {0xE9D1, 0x2300}, /* ldrd r2, r3, [r1] */
        {0xE9C1, 0x2300}, /* strd r2, r3, [r1] */
        {0xE851, 0x2F00}, /* ldrex r2, [r1] */
    };

    for (size_t i = 0; i < sizeof code / sizeof *code; i++) {
        struct machine *m;
        tear_down(state);
        set_up(state);
        m = *state;
        load_code(m, MAIN, code[i], 2);
        m->cpu.r[1] = DATA + 2;
        expect_usage_fault(m, CFSR_UNALIGNED);
        assert_int_equal(m->cpu.r[1], DATA + 2);
    }
}

static void test_bus_error_is_precise(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xF851, 0x0B04); /* ldr r0, [r1], #4 */
    m->cpu.r[0] = 0x55;
    m->cpu.r[1] = 0x30000000;
    enable_faults(m);
    step(m);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_PRECISERR | CFSR_BFARVALID);
    assert_int_equal(m->cpu.bfar, 0x30000000);
    assert_int_equal(m->cpu.r[0], 0x55);
    assert_int_equal(m->cpu.r[1], 0x30000000); /* no write-back */
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN);
}

static void test_fetch_from_nowhere(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x4700); /* bx r0 */
    m->cpu.r[0] = CCM_BASE | 1;
    enable_faults(m);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_IBUSERR);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), CCM_BASE);
}

static void test_fetch_from_peripherals_is_forbidden(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x4700);
    m->cpu.r[0] = 0x40020001;
    enable_faults(m);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_MEMMANAGE);
    assert_int_equal(m->cpu.cfsr, CFSR_IACCVIOL);
}

static void test_branch_to_arm_state(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x4700);
    m->cpu.r[0] = MAIN + 0x40;
    enable_faults(m);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_USAGEFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_INVSTATE);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN + 0x40);
    assert_int_equal(peek(m, m->cpu.r[13] + 28) & 1 << 24, 0);
}

static void test_fpu_is_off_after_reset(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xEE30, 0x0A00); /* vadd s0, s0, s0 */
    expect_usage_fault(m, CFSR_NOCP);
}

static void test_other_coprocessors_do_not_exist(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xEE11, 0x0F10); /* mrc p15, 0, r0, c1, c0, 0 */
    expect_usage_fault(m, CFSR_NOCP);
}

/* A5.3.18: no coprocessor instruction at all; A7.7.162: a store relative to the PC */
static void test_undefined_encodings(void **state)
{
    static const uint16_t code[][2] = {
        {0xFF7D, 0xAD94}, {0xEF00, 0x0110}, {0xF84F, 0x1C05}, {0xF82F, 0x1002}};

    for (size_t i = 0; i < sizeof code / sizeof *code; i++) {
        struct machine *m;
        tear_down(state);
        set_up(state);
        m = *state;
        load_code(m, MAIN, code[i], 2);
        expect_usage_fault(m, CFSR_UNDEFINSTR);
    }
}

static void test_invalid_exception_return(void **state)
{
    struct machine *m = *state;

    CODE(m, handler(17), 0x4718); /* bx r3 */
    enable_irq(m, 1, 0);
    enable_faults(m);
    m->cpu.r[3] = 0xFFFFFFF1; /* to a handler, but none is below */
    poke(m, NVIC_ISPR_, 2);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_USAGEFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_INVPC);
    assert_int_equal(m->cpu.r[13], STACK - 32); /* chained on the same frame */
}

static void test_breakpoint_without_debugger(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xBE00);
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.hfsr, HFSR_DEBUGEVT);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN);
}

static void test_breakpoint_with_debug_monitor(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xBE00);
    poke(m, DEMCR_, DEMCR_MON_EN);
    step(m);
    assert_in_handler(m, EXCEPTION_DEBUGMONITOR);
    assert_int_equal(m->cpu.hfsr, 0);
}

static void test_stacking_error(void **state)
{
    struct machine *m = *state;

    enable_irq(m, 1, 0x80);
    enable_faults(m);
    m->cpu.r[13] = 0x30000100;
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_STKERR);
}

static void test_fault_in_it_block_stacks_its_state(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    /* itt eq; ldreq r0, [r1]; moveq r2, #5; the handler points r1 to memory in the frame */
    CODE(m, MAIN, 0xBF04, 0x6808, 0x2205, NOP);
    CODE(m, handler(EXCEPTION_BUSFAULT), 0x9301, BX_LR); /* str r3, [sp, #4] */
    cpu_set_apsr(c, 0x40000000);
    poke(m, DATA, 77);
    c->r[1] = 0x30000000;
    c->r[3] = DATA;
    enable_faults(m);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    steps(m, 4);
    assert_int_equal(c->r[0], 77);
    assert_int_equal(c->r[2], 5);
}

static void test_unprivileged_access_to_system_registers(void **state)
{
    struct machine *m = *state;

    /* movs r0, #1; msr control, r0; ldr r2, [r1] */
    CODE(m, MAIN, 0x2001, 0xF380, 0x8814, 0x680A);
    m->cpu.r[1] = CPACR_;
    enable_faults(m);
    steps(m, 3);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    assert_int_equal(m->cpu.bfar, CPACR_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_undefined_instruction),
        TEST(test_unpredictable_instruction),
        TEST(test_disabled_fault_escalates),
        TEST(test_fault_in_its_own_handler_escalates),
        TEST(test_fault_in_hardfault_locks_up),
        TEST(test_svc_under_primask_escalates),
        TEST(test_division_by_zero),
        TEST(test_unaligned_word_is_allowed_unless_trapped),
        TEST(test_multiple_transfers_must_be_aligned),
        TEST(test_bus_error_is_precise),
        TEST(test_fetch_from_nowhere),
        TEST(test_fetch_from_peripherals_is_forbidden),
        TEST(test_branch_to_arm_state),
        TEST(test_fpu_is_off_after_reset),
        TEST(test_other_coprocessors_do_not_exist),
        TEST(test_undefined_encodings),
        TEST(test_invalid_exception_return),
        TEST(test_breakpoint_without_debugger),
        TEST(test_breakpoint_with_debug_monitor),
        TEST(test_stacking_error),
        TEST(test_fault_in_it_block_stacks_its_state),
        TEST(test_unprivileged_access_to_system_registers),
    };
    return cmocka_run_group_tests_name("cpu-faults", tests, NULL, NULL);
}
