/* Exceptions of the Cortex-M4 as ARMv7-M B1.5 has them: entry, return, priorities, masks, sleep. */
#include "cpu_fixture.h"

static void test_entry_stacks_the_frame(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;
    uint64_t cycles;

    enable_irq(m, 5, 0x80);
    for (unsigned i = 0; i < 13; i++)
        c->r[i] = 0x100 + i;
    c->r[14] = 0xAAAA;
    cpu_set_apsr(c, 0xA8000000);
    step(m);
    cpu_set_irq(m, 5, true);
    cycles = m->cycles;
    step(m);
    assert_in_handler(m, EXCEPTION_IRQ0 + 5);
    assert_int_equal(m->cycles - cycles, 12);
    assert_int_equal(c->r[14], 0xFFFFFFF9);
    assert_int_equal(c->r[13], STACK - 32);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(peek(m, STACK - 32 + 4 * i), 0x100 + i);
    assert_int_equal(peek(m, STACK - 16), 0x100 + 12);
    assert_int_equal(peek(m, STACK - 12), 0xAAAA);
    assert_int_equal(peek(m, STACK - 8), MAIN + 2);
    assert_int_equal(peek(m, STACK - 4), 0xA9000000);
}

static void test_return_restores_everything(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, handler(21), 0x2000, 0x2100, BX_LR); /* movs r0, #0; movs r1, #0 */
    enable_irq(m, 5, 0x80);
    c->r[0] = 7;
    c->r[1] = 8;
    cpu_set_apsr(c, 0x90000000);
    cpu_set_irq(m, 5, true);
    cpu_set_irq(m, 5, false);
    steps(m, 4);
    assert_int_equal(c->exception, 0);
    assert_int_equal(c->r[15], MAIN);
    assert_int_equal(c->r[0], 7);
    assert_int_equal(c->r[1], 8);
    assert_int_equal(c->r[13], STACK);
    assert_int_equal(cpu_xpsr(c), 0x91000000);
}

/* CCR.STKALIGN: the frame lies at a multiple of 8, and bit 9 of the stacked xPSR tells. */
static void test_frame_is_aligned(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, handler(21), BX_LR);
    enable_irq(m, 5, 0);
    c->r[13] = STACK - 4;
    poke(m, NVIC_ISPR_, 1 << 5);
    step(m);
    assert_int_equal(c->r[13], STACK - 40);
    assert_int_equal(peek(m, STACK - 40 + 28) & 0x200, 0x200);
    step(m);
    assert_int_equal(c->r[13], STACK - 4);
}

static void test_higher_priority_preempts_lower_waits(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    enable_irq(m, 1, 0x40);
    enable_irq(m, 2, 0x20);
    enable_irq(m, 3, 0x40);
    cpu_set_irq(m, 1, true);
    step(m);
    assert_in_handler(m, 17);
    cpu_set_irq(m, 3, true); /* same priority: waits */
    step(m);
    assert_int_equal(c->exception, 17);
    cpu_set_irq(m, 2, true);
    step(m);
    assert_in_handler(m, 18);
    assert_int_equal(c->r[14], 0xFFFFFFF1);
    assert_int_equal(exception_active_count(c), 2);
}

/* B1.5.4: of equal priorities the lowest number. */
static void test_ties_go_to_the_lower_number(void **state)
{
    struct machine *m = *state;

    enable_irq(m, 7, 0x40);
    enable_irq(m, 6, 0x40);
    cpu_set_irq(m, 7, true);
    cpu_set_irq(m, 6, true);
    step(m);
    assert_in_handler(m, 16 + 6);
}

/* PRIGROUP 5: two bits preempt (7:6), the rest only orders. */
static void test_subpriority_orders_but_does_not_preempt(void **state)
{
    struct machine *m = *state;

    poke(m, AIRCR_, 0x05FA0000 | 5 << 8);
    CODE(m, handler(17), BX_LR);
    enable_irq(m, 1, 0x70);
    enable_irq(m, 2, 0x60);
    enable_irq(m, 3, 0x50);
    poke(m, NVIC_ISPR_, 1 << 1);
    step(m);
    assert_in_handler(m, 17);
    poke(m, NVIC_ISPR_, 1 << 2 | 1 << 3);
    step(m); /* bx lr: tail-chains to the better subpriority */
    assert_in_handler(m, 19);
}

static void test_tail_chain_keeps_the_frame(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;
    uint64_t cycles;

    CODE(m, handler(17), NOP, BX_LR);
    CODE(m, handler(18), BX_LR);
    enable_irq(m, 1, 0x40);
    enable_irq(m, 2, 0x40);
    poke(m, NVIC_ISPR_, 1 << 1 | 1 << 2);
    step(m);
    assert_in_handler(m, 17);
    step(m);
    cycles = m->cycles;
    step(m);
    assert_in_handler(m, 18);
    assert_true(m->cycles - cycles < 12);
    assert_int_equal(c->r[13], STACK - 32);
    assert_int_equal(c->r[14], 0xFFFFFFF9);
    step(m);
    assert_int_equal(c->r[15], MAIN);
}

static void test_line_still_high_pends_again(void **state)
{
    struct machine *m = *state;

    CODE(m, handler(17), BX_LR);
    enable_irq(m, 1, 0);
    cpu_set_irq(m, 1, true);
    steps(m, 2);
    assert_in_handler(m, 17);
    cpu_set_irq(m, 1, false);
    step(m);
    assert_int_equal(m->cpu.exception, 0);
    step(m);
    assert_int_equal(m->cpu.r[15], MAIN + 2);
}

/* B3.4.1: a pulse stays pending until it is taken or cleared. */
static void test_pulse_stays_pending(void **state)
{
    struct machine *m = *state;

    cpu_set_irq(m, 1, true);
    cpu_set_irq(m, 1, false);
    step(m);
    assert_int_equal(m->cpu.exception, 0);
    enable_irq(m, 1, 0);
    step(m);
    assert_in_handler(m, 17);
}

static void test_primask_holds_interrupts(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, CPSID_I, NOP, CPSIE_I, NOP);
    enable_irq(m, 1, 0);
    step(m);
    cpu_set_irq(m, 1, true);
    steps(m, 2);
    assert_int_equal(m->cpu.exception, 0);
    step(m);
    assert_in_handler(m, 17);
}

static void test_faultmask_is_cleared_by_return(void **state)
{
    struct machine *m = *state;

    CODE(m, handler(17), CPSID_F, BX_LR);
    enable_irq(m, 1, 0);
    poke(m, NVIC_ISPR_, 2);
    steps(m, 2);
    assert_int_equal(m->cpu.faultmask, 1);
    step(m);
    assert_int_equal(m->cpu.faultmask, 0);
}

static void test_basepri_masks_equal_and_lower(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    enable_irq(m, 1, 0x50);
    enable_irq(m, 2, 0x40);
    c->r[0] = 0x55;                               /* only four bits exist */
    CODE(m, MAIN, 0xF380, 0x8811, NOP, NOP, NOP); /* msr basepri, r0 */
    step(m);
    assert_int_equal(c->basepri, 0x50);
    cpu_set_irq(m, 1, true);
    step(m);
    assert_int_equal(c->exception, 0);
    cpu_set_irq(m, 2, true);
    step(m);
    assert_in_handler(m, 18);
}

static void test_basepri_max_only_raises(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    cpu_special_write(m, 18, 2, 0x60);
    assert_int_equal(c->basepri, 0x60);
    cpu_special_write(m, 18, 2, 0x80);
    assert_int_equal(c->basepri, 0x60);
    cpu_special_write(m, 18, 2, 0);
    assert_int_equal(c->basepri, 0x60);
    cpu_special_write(m, 18, 2, 0x20);
    assert_int_equal(c->basepri, 0x20);
    cpu_special_write(m, 17, 2, 0);
    assert_int_equal(c->basepri, 0);
}

static void test_svc_and_pendsv(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, SVC_1, NOP);
    CODE(m, handler(EXCEPTION_SVCALL), BX_LR);
    poke(m, SHPR3_, 0xF0 << 16); /* PendSV last */
    step(m);
    assert_in_handler(m, EXCEPTION_SVCALL);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN + 2);
    poke(m, ICSR_, 1 << 28);
    step(m);
    assert_in_handler(m, EXCEPTION_PENDSV);
    assert_int_equal(peek(m, m->cpu.r[13] + 24), MAIN + 2);
}

static void test_thread_on_psp(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    /* msr psp, r0; movs r1, #2; msr control, r1 */
    CODE(m, MAIN, 0xF380, 0x8809, 0x2102, 0xF381, 0x8814, NOP);
    CODE(m, handler(17), BX_LR);
    c->r[0] = 0x20008000;
    steps(m, 3);
    assert_int_equal(c->r[13], 0x20008000);
    assert_int_equal(cpu_msp(c), STACK);
    enable_irq(m, 1, 0);
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_int_equal(c->r[14], 0xFFFFFFFD);
    assert_int_equal(c->r[13], STACK);
    assert_int_equal(cpu_psp(c), 0x20008000 - 32);
    step(m);
    assert_int_equal(c->r[13], 0x20008000);
    assert_int_equal(c->control, 2);
}

/* ITSTATE is stacked, and the block goes on where it was interrupted. */
static void test_it_block_interrupted_anywhere(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    /* cmp r0, r0; ittee eq; moveq r1, #1; moveq r2, #2; movne r1, #3; movne r2, #4; nop */
    const uint16_t program[] = {0x4280, 0xBF07, 0x2101, 0x2202, 0x2103, 0x2204, NOP};

    load_code(m, MAIN, program, sizeof program / 2);
    CODE(m, handler(17), 0x2801, BX_LR); /* cmp r0, #1: other flags */
    enable_irq(m, 1, 0);
    for (unsigned at = 0; at < 7; at++) {
        uint64_t before;
        c->r[15] = MAIN;
        c->r[0] = c->r[1] = c->r[2] = 0;
        before = m->instructions;
        steps(m, at);
        poke(m, NVIC_ISPR_, 2);
        steps(m, 3);
        assert_int_equal(c->exception, 0);
        run_to(m, MAIN + 12);
        assert_int_equal(c->r[1], 1);
        assert_int_equal(c->r[2], 2);
        assert_int_equal(c->itstate, 0);
        assert_int_equal(m->instructions - before, 6 + 2);
    }
}

/* 16-bit arithmetic leaves the flags alone inside the block; comparisons do not. */
static void test_it_block_and_flags(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, MAIN, 0xBF04, 0x2000, 0x2801); /* itt eq; moveq r0, #0; cmpeq r0, #1 */
    cpu_set_apsr(c, 0x60000000);
    steps(m, 2);
    assert_int_equal(cpu_xpsr(c) & 0xF0000000, 0x60000000);
    step(m);
    assert_int_equal(cpu_xpsr(c) & 0xF0000000, 0x80000000);
}

/* ---- Sleep ---- */

static void test_wfi_wakes_under_primask_without_taking(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, CPSID_I, WFI, NOP, NOP);
    enable_irq(m, 1, 0);
    steps(m, 5);
    assert_int_equal(m->cpu.r[15], MAIN + 4);
    assert_int_equal(m->instructions, 2);
    cpu_set_irq(m, 1, true);
    step(m);
    assert_int_equal(m->cpu.exception, 0);
    assert_int_equal(m->cpu.r[15], MAIN + 6);
}

static void test_wfi_does_not_wake_under_basepri(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, WFI, NOP);
    enable_irq(m, 1, 0x80);
    enable_irq(m, 2, 0x40);
    m->cpu.basepri = 0x80;
    cpu_set_irq(m, 1, true);
    steps(m, 10);
    assert_int_equal(m->instructions, 1);
    assert_int_equal(m->cpu.sleep, SLEEP_WFI);
    cpu_set_irq(m, 2, true);
    step(m);
    assert_in_handler(m, 18);
}

static void test_wfi_with_something_pending_passes(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, CPSID_I, WFI, NOP);
    enable_irq(m, 1, 0);
    poke(m, NVIC_ISPR_, 2);
    m->cpu.primask = 1;
    steps(m, 3);
    assert_int_equal(m->instructions, 3);
}

static void test_wfe_and_sevonpend(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0xBF40, WFE, WFE, NOP); /* sev */
    poke(m, SCR_, 0x10);
    steps(m, 6);
    assert_int_equal(m->instructions, 3);
    cpu_set_irq(m, 1, true); /* not enabled, but pending is an event */
    step(m);
    assert_int_equal(m->instructions, 4);
    assert_int_equal(m->cpu.exception, 0);
}

static void test_sleep_on_exit(void **state)
{
    struct machine *m = *state;

    CODE(m, handler(17), BX_LR);
    enable_irq(m, 1, 0);
    poke(m, SCR_, 2);
    poke(m, NVIC_ISPR_, 2);
    steps(m, 10);
    assert_int_equal(m->instructions, 1);
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_in_handler(m, 17);
}

/* ---- Floating point context (B1.5.7) ---- */

static void enable_fpu(struct machine *m)
{
    poke(m, CPACR_, 0xF00000);
}

static void test_lazy_stacking_saves_on_first_use(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;
    uint32_t frame = STACK - 0x68;

    CODE(m, MAIN, 0xEE30, 0x0A00, NOP, NOP);                     /* vadd s0, s0, s0 */
    CODE(m, handler(17), NOP, 0xEE30, 0x0A00, NOP, 0x4770, NOP); /* vadd; bx lr */
    enable_fpu(m);
    enable_irq(m, 1, 0);
    c->s[0] = 0x3F800000;
    c->s[15] = 0x12345678;
    step(m);
    assert_int_equal(c->s[0], 0x40000000);
    assert_int_equal(c->control & 4, 4);
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_int_equal(c->r[14], 0xFFFFFFE9);
    assert_int_equal(c->r[13], frame);
    assert_int_equal(c->fpccr & 1, 1);
    assert_int_equal(c->fpcar, frame + 0x20);
    assert_int_equal(c->control & 4, 0);
    step(m);
    assert_int_equal(peek(m, frame + 0x20), 0); /* nothing saved yet */
    step(m);
    assert_int_equal(peek(m, frame + 0x20), 0x40000000);
    assert_int_equal(peek(m, frame + 0x20 + 60), 0x12345678);
    assert_int_equal(c->fpccr & 1, 0);
    assert_int_equal(c->s[0], 0x40800000);
    steps(m, 2);
    assert_int_equal(c->s[0], 0x40000000);
    assert_int_equal(c->r[13], STACK);
    assert_int_equal(c->control & 4, 4);
}

static void test_lazy_stacking_unused_saves_nothing(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, MAIN, 0xEE30, 0x0A00, NOP, NOP);
    CODE(m, handler(17), BX_LR);
    enable_fpu(m);
    enable_irq(m, 1, 0);
    c->s[0] = 0x3F800000;
    step(m);
    poke(m, NVIC_ISPR_, 2);
    steps(m, 2);
    assert_int_equal(peek(m, STACK - 0x68 + 0x20), 0);
    assert_int_equal(c->s[0], 0x40000000);
    assert_int_equal(c->fpccr & 1, 0);
    assert_int_equal(c->control & 4, 4);
    assert_int_equal(c->r[13], STACK);
}

static void test_eager_stacking(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, MAIN, 0xEE30, 0x0A00, NOP, NOP);
    poke(m, 0xE000EF34, 0x80000000); /* ASPEN without LSPEN */
    enable_fpu(m);
    enable_irq(m, 1, 0);
    c->s[0] = 0x3F800000;
    step(m);
    poke(m, NVIC_ISPR_, 2);
    step(m);
    assert_int_equal(peek(m, STACK - 0x68 + 0x20), 0x40000000);
    assert_int_equal(c->fpccr & 1, 0);
}

static void test_svc_in_it_block_returns_past_itself(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;

    CODE(m, MAIN, 0xBF04, SVC_1, 0x2105, NOP); /* itt eq; svceq 1; moveq r1, #5 */
    CODE(m, handler(EXCEPTION_SVCALL), BX_LR);
    cpu_set_apsr(c, 0x40000000);
    steps(m, 3);
    assert_int_equal(c->r[15], MAIN + 4);
    step(m);
    assert_int_equal(c->r[1], 5);
    assert_int_equal(c->itstate, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_entry_stacks_the_frame),
        TEST(test_return_restores_everything),
        TEST(test_frame_is_aligned),
        TEST(test_higher_priority_preempts_lower_waits),
        TEST(test_ties_go_to_the_lower_number),
        TEST(test_subpriority_orders_but_does_not_preempt),
        TEST(test_tail_chain_keeps_the_frame),
        TEST(test_line_still_high_pends_again),
        TEST(test_pulse_stays_pending),
        TEST(test_primask_holds_interrupts),
        TEST(test_faultmask_is_cleared_by_return),
        TEST(test_basepri_masks_equal_and_lower),
        TEST(test_basepri_max_only_raises),
        TEST(test_svc_and_pendsv),
        TEST(test_thread_on_psp),
        TEST(test_it_block_interrupted_anywhere),
        TEST(test_it_block_and_flags),
        TEST(test_wfi_wakes_under_primask_without_taking),
        TEST(test_wfi_does_not_wake_under_basepri),
        TEST(test_wfi_with_something_pending_passes),
        TEST(test_wfe_and_sevonpend),
        TEST(test_sleep_on_exit),
        TEST(test_lazy_stacking_saves_on_first_use),
        TEST(test_lazy_stacking_unused_saves_nothing),
        TEST(test_eager_stacking),
        TEST(test_svc_in_it_block_returns_past_itself),
    };
    return cmocka_run_group_tests_name("cpu-exceptions", tests, NULL, NULL);
}
