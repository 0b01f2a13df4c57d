/*
 * Exceptions on the way into and out of exceptions: late arrival, derived
 * faults (ARMv7-M B1.5.12), illegal returns (B1.5.8), and what locks the core
 * up (B1.5.15).
 */
#include "cpu_fixture.h"

enum {
    NOWHERE = 0x30000100,
    VTOR_ = 0xE000ED08,
};

static void enable_faults(struct machine *m)
{
    poke(m, SHCSR_, 7 << 16);
}

static void pend(struct machine *m, unsigned irq)
{
    poke(m, NVIC_ISPR_, 1u << irq);
}

/* ---- Late arrival ---- */

static void raise_line(struct machine *m, void *context)
{
    cpu_set_irq(m, *(const unsigned *)context, true);
}

/* While the frame of interrupt 1 is being stacked interrupt 2 comes, which is better. */
static void test_late_arrival(void **state)
{
    struct machine *m = *state;
    unsigned late = 2;
    struct event event = {.name = "late", .fire = raise_line, .context = &late};

    CODE(m, handler(18), BX_LR);
    enable_irq(m, 1, 0x80);
    enable_irq(m, 2, 0x40);
    pend(m, 1);
    event_at(m, &event, machine_time_at(m, m->cycles + 5));
    step(m);
    assert_in_handler(m, 18);
    assert_int_equal(m->cpu.r[13], STACK - 32); /* one frame */
    assert_int_equal(m->cpu.r[14], 0xFFFFFFF9);
    assert_int_equal(exception_active_count(&m->cpu), 1);
    cpu_set_irq(m, 2, false);
    step(m);
    assert_in_handler(m, 17); /* tail-chained */
    assert_int_equal(m->cpu.r[13], STACK - 32);
}

/* One that comes no better waits. */
static void test_arrival_of_a_lower_one(void **state)
{
    struct machine *m = *state;
    unsigned late = 2;
    struct event event = {.name = "late", .fire = raise_line, .context = &late};

    enable_irq(m, 1, 0x80);
    enable_irq(m, 2, 0x80);
    pend(m, 1);
    event_at(m, &event, machine_time_at(m, m->cycles + 5));
    step(m);
    assert_in_handler(m, 17);
    assert_int_equal(exception_active_count(&m->cpu), 1);
}

static void test_late_arrival_while_tail_chaining(void **state)
{
    struct machine *m = *state;
    unsigned late = 3;
    struct event event = {.name = "late", .fire = raise_line, .context = &late};

    CODE(m, handler(17), BX_LR);
    enable_irq(m, 1, 0x80);
    enable_irq(m, 2, 0x80);
    enable_irq(m, 3, 0x40);
    poke(m, NVIC_ISPR_, 1 << 1 | 1 << 2);
    step(m);
    assert_in_handler(m, 17);
    event_at(m, &event, machine_time_at(m, m->cycles + 3));
    step(m);
    assert_in_handler(m, 19);
}

/* ---- Derived exceptions on entry ---- */

/* BusFault is below the interrupt, so it waits; the interrupt's handler runs on the broken frame. */
static void test_stacking_error_below_the_interrupt(void **state)
{
    struct machine *m = *state;

    enable_irq(m, 1, 0x10);
    enable_faults(m);
    m->cpu.priority[EXCEPTION_BUSFAULT] = 0x80;
    m->cpu.r[13] = NOWHERE;
    pend(m, 1);
    step(m);
    assert_in_handler(m, 17);
    assert_int_equal(m->cpu.cfsr, CFSR_STKERR);
    assert_int_equal(m->cpu.pending[0], 1 << EXCEPTION_BUSFAULT);
}

static void test_stacking_error_without_busfault(void **state)
{
    struct machine *m = *state;

    enable_irq(m, 1, 0x10);
    m->cpu.r[13] = NOWHERE;
    pend(m, 1);
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.hfsr, HFSR_FORCED);
    assert_int_equal(peek(m, NVIC_ISPR_), 2); /* still to come */
}

/* Entry to HardFault itself: there is nothing worse to derive, and it is entered. */
static void test_stacking_error_of_a_hardfault(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, UDF);
    m->cpu.r[13] = NOWHERE;
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_UNDEFINSTR | CFSR_STKERR);
    assert_int_equal(m->stop, STOP_NONE);
}

static void test_stacking_error_of_nmi(void **state)
{
    struct machine *m = *state;

    CODE(m, handler(EXCEPTION_NMI), BX_LR);
    m->cpu.r[13] = NOWHERE;
    cpu_set_nmi(m);
    step(m);
    assert_in_handler(m, EXCEPTION_NMI); /* above the HardFault that the frame caused */
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
}

static void test_vector_not_readable(void **state)
{
    struct machine *m = *state;

    memcpy(m->sram, m->flash, 0x200);
    poke(m, VTOR_, SRAM_BASE + SRAM_SIZE - 0x80); /* vectors of interrupts lie beyond it */
    poke(m, SRAM_BASE + SRAM_SIZE - 0x80 + 4 * EXCEPTION_HARDFAULT, handler(EXCEPTION_HARDFAULT) | 1);
    enable_irq(m, 40, 0x10);
    poke(m, NVIC_ISPR_ + 4, 1 << 8);
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    assert_int_equal(m->cpu.hfsr, HFSR_VECTTBL);
}

static void test_no_vector_at_all_locks_up(void **state)
{
    struct machine *m = *state;

    poke(m, VTOR_, 0x30000000);
    enable_irq(m, 1, 0x10);
    pend(m, 1);
    step(m);
    assert_int_equal(m->stop, STOP_LOCKUP);
}

/* ---- On return ---- */

static void test_unstacking_error(void **state)
{
    struct machine *m = *state;

    CODE(m, handler(17), NOP, BX_LR);
    enable_irq(m, 1, 0x10);
    enable_faults(m);
    pend(m, 1);
    step(m);
    m->cpu.r[13] = NOWHERE;
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_BUSFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_UNSTKERR);
    assert_int_equal(m->cpu.r[14], 0xFFFFFFF9);
}

/* B1.5.8: EXC_RETURN says Thread, the frame says Handler. PushStack() takes the pop back. */
static void test_frame_of_the_wrong_mode(void **state)
{
    struct machine *m = *state;

    CODE(m, handler(17), NOP, BX_LR);
    enable_irq(m, 1, 0x10);
    enable_faults(m);
    pend(m, 1);
    step(m);
    poke(m, m->cpu.r[13] + 28, 0x01000000 | 20);
    steps(m, 2);
    assert_in_handler(m, EXCEPTION_USAGEFAULT);
    assert_int_equal(m->cpu.cfsr, CFSR_INVPC);
    assert_int_equal(m->cpu.r[14], 0xFFFFFFF9);
    assert_int_equal(m->cpu.r[13], STACK - 32);
}

/* Each EXC_RETURN that does not fit the exceptions that are active */
static void test_illegal_returns(void **state)
{
    static const uint32_t values[] = {0xFFFFFFF1, 0xFFFFFFF0, 0xFFFFFFF5, 0xFFFFFFFB, 0xFFFFFFFF, 0xFF0FFFF9};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct machine *m;
        tear_down(state);
        set_up(state);
        m = *state;
        CODE(m, handler(17), 0x4718); /* bx r3 */
        enable_irq(m, 1, 0x10);
        enable_faults(m);
        m->cpu.r[3] = values[i];
        pend(m, 1);
        steps(m, 2);
        assert_in_handler(m, EXCEPTION_USAGEFAULT);
        assert_int_equal(m->cpu.cfsr, CFSR_INVPC);
    }
}

/* CCR.NONBASETHRDENA: Thread mode while an exception is active */
static void test_return_to_thread_from_a_nested_handler(void **state)
{
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        struct machine *m;
        tear_down(state);
        set_up(state);
        m = *state;
        CODE(m, handler(18), 0x4718);
        enable_irq(m, 1, 0x80);
        enable_irq(m, 2, 0x40);
        enable_faults(m);
        poke(m, CCR_, CCR_STKALIGN | (allowed ? CCR_NONBASETHRDENA : 0));
        pend(m, 1);
        step(m);
        pend(m, 2);
        step(m);
        poke(m, m->cpu.r[13] + 28, 0x01000000); /* as of Thread mode */
        m->cpu.r[3] = 0xFFFFFFF9;
        step(m);
        assert_int_equal(m->cpu.exception, allowed ? 0 : EXCEPTION_USAGEFAULT);
        assert_int_equal(exception_active_count(&m->cpu), allowed ? 1 : 2);
    }
}

/* ---- Lock-up (B1.5.15): faults at priority -1 and -2 ---- */

static void expect_lock_up(void **state, const uint16_t *code, bool in_nmi)
{
    struct machine *m;

    tear_down(state);
    set_up(state);
    m = *state;
    CODE(m, MAIN, UDF);
    load_code(m, handler(in_nmi ? EXCEPTION_NMI : EXCEPTION_HARDFAULT), code, 2);
    enable_faults(m);
    poke(m, SHCSR_, 0);
    m->cpu.r[1] = NOWHERE;
    if (in_nmi)
        cpu_set_nmi(m);
    steps(m, 2);
    assert_int_equal(m->stop, STOP_LOCKUP);
    assert_int_equal(seen.errors, 1);
}

static void test_faults_that_lock_up(void **state)
{
    static const uint16_t code[][2] = {
        {UDF, NOP},       /* undefined */
        {SVC_1, NOP},     /* SVC */
        {0xBE00, NOP},    /* bkpt */
        {0x6808, NOP},    /* ldr r0, [r1]: bus error */
        {0xEE30, 0x0A00}, /* vadd: NOCP */
    };

    for (size_t i = 0; i < sizeof code / sizeof *code; i++) {
        expect_lock_up(state, code[i], false);
        expect_lock_up(state, code[i], true);
    }
}

static void test_fault_under_faultmask_locks_up(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, CPSID_F, UDF);
    enable_faults(m);
    steps(m, 2);
    assert_int_equal(m->stop, STOP_LOCKUP);
}

/* BFHFNMIGN: a bus error at these priorities is ignored, so that handlers can probe. */
static void test_bfhfnmign(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, CPSID_F, 0x6808, NOP);
    poke(m, CCR_, CCR_STKALIGN | CCR_BFHFNMIGN);
    m->cpu.r[1] = NOWHERE;
    steps(m, 2);
    assert_int_equal(m->stop, STOP_NONE);
    assert_int_equal(m->cpu.r[15], MAIN + 4);
}

/* NMI is above FAULTMASK and HardFault. */
static void test_nmi_preempts_a_hardfault(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, UDF);
    step(m);
    assert_in_handler(m, EXCEPTION_HARDFAULT);
    cpu_set_nmi(m);
    step(m);
    assert_in_handler(m, EXCEPTION_NMI);
    assert_int_equal(m->cpu.r[14], 0xFFFFFFF1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_late_arrival),
        TEST(test_arrival_of_a_lower_one),
        TEST(test_late_arrival_while_tail_chaining),
        TEST(test_stacking_error_below_the_interrupt),
        TEST(test_stacking_error_without_busfault),
        TEST(test_stacking_error_of_a_hardfault),
        TEST(test_stacking_error_of_nmi),
        TEST(test_vector_not_readable),
        TEST(test_no_vector_at_all_locks_up),
        TEST(test_unstacking_error),
        TEST(test_frame_of_the_wrong_mode),
        TEST(test_illegal_returns),
        TEST(test_return_to_thread_from_a_nested_handler),
        TEST(test_faults_that_lock_up),
        TEST(test_fault_under_faultmask_locks_up),
        TEST(test_bfhfnmign),
        TEST(test_nmi_preempts_a_hardfault),
    };
    return cmocka_run_group_tests_name("cpu-derived", tests, NULL, NULL);
}
