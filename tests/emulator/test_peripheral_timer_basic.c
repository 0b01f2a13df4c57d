/* TIM6 and TIM7 to the cycle; HCLK and the timers' clock are 16 MHz. */
#include "board_fixture.h"

enum {
    TIM6 = 0x40001000,
    TIM7 = 0x40001400,
    CR1 = 0x00,
    CR2 = 0x04,
    DIER = 0x0C,
    SR = 0x10,
    EGR = 0x14,
    CCMR1 = 0x18,
    CNT = 0x24,
    PSC = 0x28,
    ARR = 0x2C,
    CEN = 1 << 0,
    UDIS = 1 << 1,
    URS = 1 << 2,
    OPM = 1 << 3,
    ARPE = 1 << 7,
    CC1G = 1 << 1,
    IRQ_TIM6 = 54,
    IRQ_TIM7 = 55,
};

static int set_up_timers(void **state)
{
    set_up(state);
    set_bits(*state, RCC_APB1ENR_, 1u << 4 | 1u << 5);
    return 0;
}

static void it_counts_16_bits_and_interrupts_at_the_overflow(void **state)
{
    struct machine *m = *state;

    set(m, TIM7 + PSC, 9);
    set(m, TIM7 + ARR, 99);
    set(m, TIM7 + EGR, 1);
    assert_int_equal(get(m, TIM7 + SR), 1);
    set(m, TIM7 + SR, 0);
    set(m, TIM7 + DIER, 1);
    set(m, TIM7 + CR1, CEN);
    uint64_t start = m->cycles;
    pass_cycles(m, 509);
    assert_int_equal(get(m, TIM7 + CNT), 50);
    pass_cycles(m, 5000);
    assert_int_equal(core.irq_rise[IRQ_TIM7], start + 1000);
    assert_false(core.irq[IRQ_TIM6]);
    assert_int_equal(get(m, TIM7 + CNT), 50);
    set(m, TIM7 + SR, 0);
    assert_false(core.irq[IRQ_TIM7]);
    pass_cycles(m, 1000);
    assert_int_equal(core.irq_rise[IRQ_TIM7], start + 6000);
    assert_quiet();
}

static void a_counter_beyond_arr_wraps_at_16_bits(void **state)
{
    struct machine *m = *state;

    set(m, TIM6 + ARR, 10);
    set(m, TIM6 + CNT, 0xFFF0);
    set(m, TIM6 + CR1, CEN);
    pass_cycles(m, 16 + 4);
    assert_int_equal(get(m, TIM6 + CNT), 4);
}

static void one_pulse_and_update_disable(void **state)
{
    struct machine *m = *state;

    set(m, TIM6 + ARR, 9);
    set(m, TIM6 + CR1, CEN | UDIS);
    pass_cycles(m, 25);
    assert_int_equal(get(m, TIM6 + SR), 0);
    assert_int_equal(get(m, TIM6 + CNT), 5);
    set(m, TIM6 + CR1, CEN | OPM);
    pass_cycles(m, 25);
    assert_int_equal(get(m, TIM6 + SR), 1);
    assert_int_equal(get(m, TIM6 + CNT), 0);
    assert_int_equal(get(m, TIM6 + CR1), OPM);
    set(m, TIM6 + SR, 0);
    set(m, TIM6 + CR1, URS);
    set(m, TIM6 + EGR, 1);
    assert_int_equal(get(m, TIM6 + SR), 0);
}

static void arr_is_preloaded_when_asked(void **state)
{
    struct machine *m = *state;

    set(m, TIM6 + ARR, 99);
    set(m, TIM6 + CR1, CEN | ARPE);
    set(m, TIM6 + ARR, 9);
    pass_cycles(m, 104);
    assert_int_equal(get(m, TIM6 + CNT), 4);
    pass_cycles(m, 10);
    assert_int_equal(get(m, TIM6 + CNT), 4);
    set(m, TIM6 + CR1, CEN);
    set(m, TIM6 + ARR, 0);
    pass_cycles(m, 100);
    assert_int_equal(get(m, TIM6 + CNT), 4); /* blocked */
}

static void what_only_the_others_have_is_not_there(void **state)
{
    struct machine *m = *state;

    set(m, TIM6 + CCMR1, 0x30);
    assert_warned("TIM6+0x18: no register there");
    set(m, TIM6 + EGR, CC1G);
    assert_int_equal(get(m, TIM6 + SR), 0);
    assert_int_equal(get(m, TIM6 + CCMR1), 0);
    assert_int_equal(seen.errors, 0);
}

static void what_is_not_modelled_says_so(void **state)
{
    struct machine *m = *state;

    set(m, TIM6 + CR2, 0x20);
    assert_int_equal(seen.errors, 1);
    set(m, TIM7 + DIER, 0x100);
    assert_int_equal(seen.errors, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_timers, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_counts_16_bits_and_interrupts_at_the_overflow),
        TEST(a_counter_beyond_arr_wraps_at_16_bits),
        TEST(one_pulse_and_update_disable),
        TEST(arr_is_preloaded_when_asked),
        TEST(what_only_the_others_have_is_not_there),
        TEST(what_is_not_modelled_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
