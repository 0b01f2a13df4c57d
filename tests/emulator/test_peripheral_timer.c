/* TIM2 and TIM5 to the cycle. HCLK is 16 MHz unless said otherwise, and so is the timers' clock. */
#include "board_fixture.h"

enum {
    TIM2 = 0x40000000,
    TIM5 = 0x40000C00,
    CR1 = 0x00,
    SMCR = 0x08,
    DIER = 0x0C,
    SR = 0x10,
    EGR = 0x14,
    CCMR1 = 0x18,
    CNT = 0x24,
    PSC = 0x28,
    ARR = 0x2C,
    CCR1 = 0x34,
    CCR2 = 0x38,
    CEN = 1 << 0,
    UDIS = 1 << 1,
    URS = 1 << 2,
    OPM = 1 << 3,
    DIR = 1 << 4,
    ARPE = 1 << 7,
    UIF = 1 << 0,
    CC1IF = 1 << 1,
    CC2IF = 1 << 2,
    IRQ_TIM2 = 28,
    IRQ_TIM5 = 50,
};

static int set_up_timers(void **state)
{
    set_up(state);
    set_bits(*state, RCC_APB1ENR_, 1u << 0 | 1u << 3);
    return 0;
}

static void the_counter_counts_every_clock(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + CR1, CEN);
    assert_int_equal(get(m, TIM5 + CNT), 0);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + CNT), 1);
    pass_cycles(m, 123456);
    assert_int_equal(get(m, TIM5 + CNT), 123457);
    set(m, TIM5 + CR1, 0);
    pass_cycles(m, 1000);
    assert_int_equal(get(m, TIM5 + CNT), 123457);
    set(m, TIM5 + CNT, 7);
    set(m, TIM5 + CR1, CEN);
    pass_cycles(m, 3);
    assert_int_equal(get(m, TIM5 + CNT), 10);
}

static void the_prescaler_waits_for_an_update(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + PSC, 9);
    set(m, TIM5 + CR1, CEN);
    pass_cycles(m, 100);
    assert_int_equal(get(m, TIM5 + CNT), 100); /* not in force yet */
    set(m, TIM5 + EGR, 1);
    assert_int_equal(get(m, TIM5 + CNT), 0);
    assert_int_equal(get(m, TIM5 + SR), UIF);
    pass_cycles(m, 99);
    assert_int_equal(get(m, TIM5 + CNT), 9);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + CNT), 10);
}

static void the_prescaler_changes_at_the_overflow(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 99);
    set(m, TIM5 + CR1, CEN);
    pass_cycles(m, 50);
    set(m, TIM5 + PSC, 3);
    pass_cycles(m, 50 + 4 * 20 + 3);
    assert_int_equal(get(m, TIM5 + CNT), 20);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + CNT), 21);
}

static void reading_often_changes_nothing(void **state)
{
    struct machine *m = *state;

    clock_to_180_mhz(m); /* the timers' clock is half of HCLK */
    set(m, TIM2 + PSC, 6);
    set(m, TIM5 + PSC, 6);
    set(m, TIM2 + EGR, 1);
    set(m, TIM5 + EGR, 1);
    set(m, TIM2 + CR1, CEN);
    set(m, TIM5 + CR1, CEN);
    for (int i = 0; i < 5000; i++) {
        pass_cycles(m, 13);
        (void)get(m, TIM5 + CNT);
    }
    assert_int_equal(get(m, TIM5 + CNT), 5000 * 13 / 14);
    assert_int_equal(get(m, TIM2 + CNT), 5000 * 13 / 14);
}

static void a_compare_interrupt_comes_at_its_cycle(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + CCR1, 1000);
    set(m, TIM5 + DIER, CC1IF);
    set(m, TIM5 + CR1, CEN);
    uint64_t start = m->cycles;
    pass_cycles(m, 999);
    assert_false(core.irq[IRQ_TIM5]);
    pass_cycles(m, 1000);
    assert_true(core.irq[IRQ_TIM5]);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 1000);
    assert_int_equal(get(m, TIM5 + SR) & CC1IF, CC1IF);
    set(m, TIM5 + SR, ~(uint32_t)CC1IF);
    assert_false(core.irq[IRQ_TIM5]);
    set(m, TIM5 + CCR1, 5000);
    pass_cycles(m, 10000);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 5000);
}

static void a_compare_armed_between_two_steps_is_on_time(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + PSC, 9);
    set(m, TIM5 + EGR, 1);
    set(m, TIM5 + CR1, CEN);
    uint64_t start = m->cycles;
    pass_cycles(m, 15);
    set(m, TIM5 + CCR1, 3);
    set(m, TIM5 + DIER, CC1IF);
    pass_cycles(m, 100);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 30);
}

static void a_compare_beyond_the_period_is_flagged_at_the_overflow(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 9);
    set(m, TIM5 + CCR1, 10);
    set(m, TIM5 + CR1, CEN);
    pass_cycles(m, 9);
    assert_int_equal(get(m, TIM5 + SR) & CC1IF, 0);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + SR) & CC1IF, CC1IF);
}

static void a_compare_in_the_past_waits_for_the_next_round(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 9999);
    set(m, TIM5 + DIER, CC1IF);
    set(m, TIM5 + CR1, CEN);
    uint64_t start = m->cycles;
    pass_cycles(m, 600);
    set(m, TIM5 + CCR1, 600); /* the present value: too late */
    pass_cycles(m, 9000);
    assert_false(core.irq[IRQ_TIM5]);
    pass_cycles(m, 2000);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 10600);
}

static void the_counter_wraps_at_32_bits(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + CNT, 0xFFFFFFF0);
    set(m, TIM5 + CCR1, 0xFFFFFFFF);
    set(m, TIM5 + CCR2, 4);
    set(m, TIM5 + DIER, UIF);
    set(m, TIM5 + CR1, CEN);
    uint64_t start = m->cycles;
    pass_cycles(m, 14);
    assert_int_equal(get(m, TIM5 + SR) & (UIF | CC1IF | CC2IF), 0);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + CNT), 0xFFFFFFFF);
    assert_int_equal(get(m, TIM5 + SR) & (UIF | CC1IF | CC2IF), CC1IF);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + CNT), 0);
    assert_int_equal(get(m, TIM5 + SR) & (UIF | CC1IF | CC2IF), CC1IF | UIF);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 16);
    pass_cycles(m, 4);
    assert_int_equal(get(m, TIM5 + SR) & (UIF | CC1IF | CC2IF), CC1IF | UIF | CC2IF);
}

static void many_rounds_at_once_come_out_right(void **state)
{
    struct machine *m = *state;

    set(m, TIM2 + PSC, 2);
    set(m, TIM2 + ARR, 9);
    set(m, TIM2 + CCR1, 9);
    set(m, TIM2 + CCR2, 10); /* never reached; flagged at the overflow all the same (18.4.5) */
    set(m, TIM2 + EGR, 1);
    set(m, TIM2 + SR, 0);
    set(m, TIM2 + CR1, CEN);
    pass_cycles(m, 1000000007);
    assert_int_equal(get(m, TIM2 + CNT), 1000000007u / 3 % 10);
    assert_int_equal(get(m, TIM2 + SR) & (UIF | CC1IF | CC2IF), UIF | CC1IF | CC2IF);
}

static void an_old_match_does_not_survive_the_clearing(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + CCR1, 10);
    set(m, TIM5 + CR1, CEN);
    pass_cycles(m, 100);
    set(m, TIM5 + SR, 0);
    pass_cycles(m, 100);
    assert_int_equal(get(m, TIM5 + SR) & CC1IF, 0);
}

static void one_pulse_stops_at_the_update(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 99);
    set(m, TIM5 + CR1, CEN | OPM);
    pass_cycles(m, 500);
    assert_int_equal(get(m, TIM5 + CR1), OPM);
    assert_int_equal(get(m, TIM5 + CNT), 0);
    assert_int_equal(get(m, TIM5 + SR) & UIF, UIF);
}

static void update_can_be_disabled_or_kept_for_overflows(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + PSC, 9);
    set(m, TIM5 + CR1, UDIS);
    set(m, TIM5 + EGR, 1);
    assert_int_equal(get(m, TIM5 + SR), 0);
    set(m, TIM5 + CR1, UDIS | CEN);
    pass_cycles(m, 10);
    assert_int_equal(get(m, TIM5 + CNT), 10); /* the prescaler was not loaded */
    set(m, TIM5 + CR1, URS);
    set(m, TIM5 + EGR, 1);
    assert_int_equal(get(m, TIM5 + SR), 0);
    set(m, TIM5 + CR1, URS | CEN);
    pass_cycles(m, 10);
    assert_int_equal(get(m, TIM5 + CNT), 1);
}

static void arr_is_preloaded_when_asked(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 99);
    set(m, TIM5 + CR1, CEN | ARPE);
    set(m, TIM5 + EGR, 1);
    set(m, TIM5 + ARR, 9);
    pass_cycles(m, 50);
    assert_int_equal(get(m, TIM5 + CNT), 50);
    pass_cycles(m, 55);
    assert_int_equal(get(m, TIM5 + CNT), 5);
    pass_cycles(m, 10);
    assert_int_equal(get(m, TIM5 + CNT), 5);
}

static void the_counter_keeps_count_when_the_clock_changes(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + CCR1, 3000);
    set(m, TIM5 + DIER, CC1IF);
    set(m, TIM5 + CR1, CEN);
    pass_cycles(m, 1000);
    set(m, RCC_CFGR_, 8 << 4); /* HCLK / 2 */
    uint64_t start = m->cycles;
    assert_int_equal(get(m, TIM5 + CNT), 1000);
    pass_cycles(m, 1000);
    assert_int_equal(get(m, TIM5 + CNT), 2000);
    set(m, RCC_CFGR_, 8 << 4 | 5 << 10); /* PCLK1 = HCLK / 4: the timer's clock is HCLK / 2 */
    pass_cycles(m, 1000);
    assert_int_equal(get(m, TIM5 + CNT), 2500);
    pass_cycles(m, 2000);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 2000 + 1000);
}

static void without_clock_it_stands_still(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + DIER, UIF);
    set(m, TIM5 + ARR, 199);
    set(m, TIM5 + CR1, CEN);
    pass_cycles(m, 100);
    set(m, RCC_APB1ENR_, 0);
    pass_cycles(m, 1000);
    assert_false(core.irq[IRQ_TIM5]);
    set(m, RCC_APB1ENR_, 1u << 3);
    assert_int_equal(get(m, TIM5 + CNT), 100);
    pass_cycles(m, 100);
    assert_true(core.irq[IRQ_TIM5]);
}

/* 18.3.2: from ARR to 0, then from ARR again, with an update. */
static void it_counts_down(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 99);
    set(m, TIM5 + CR1, DIR);
    set(m, TIM5 + EGR, 1); /* UG takes ARR when counting down (18.4.6) */
    assert_int_equal(get(m, TIM5 + CNT), 99);
    set(m, TIM5 + SR, 0);
    set(m, TIM5 + CCR1, 40);
    set(m, TIM5 + DIER, UIF);
    set(m, TIM5 + CR1, CEN | DIR);
    uint64_t start = m->cycles;
    pass_cycles(m, 58);
    assert_int_equal(get(m, TIM5 + CNT), 41);
    assert_int_equal(get(m, TIM5 + SR), 0);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + SR), CC1IF);
    pass_cycles(m, 40);
    assert_int_equal(get(m, TIM5 + CNT), 0);
    assert_false(core.irq[IRQ_TIM5]);
    pass_cycles(m, 1);
    assert_int_equal(get(m, TIM5 + CNT), 99);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 100);
    pass_cycles(m, 1000 - 5);
    assert_int_equal(get(m, TIM5 + CNT), 4);
}

static void a_compare_counting_down_interrupts_at_its_cycle(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 999);
    set(m, TIM5 + CR1, DIR);
    set(m, TIM5 + EGR, 1);
    set(m, TIM5 + SR, 0);
    set(m, TIM5 + CCR1, 700);
    set(m, TIM5 + CCR2, 5000); /* beyond ARR: at the underflow (18.4.5) */
    set(m, TIM5 + DIER, CC1IF);
    set(m, TIM5 + CR1, CEN | DIR);
    uint64_t start = m->cycles;
    pass_cycles(m, 998);
    assert_int_equal(core.irq_rise[IRQ_TIM5], start + 299);
    assert_int_equal(get(m, TIM5 + SR), CC1IF);
    pass_cycles(m, 2);
    assert_int_equal(get(m, TIM5 + SR) & (UIF | CC1IF | CC2IF), UIF | CC1IF | CC2IF);
}

static void counting_down_takes_the_new_period_at_the_underflow(void **state)
{
    struct machine *m = *state;

    set(m, TIM5 + ARR, 99);
    set(m, TIM5 + CR1, DIR | ARPE | OPM);
    set(m, TIM5 + EGR, 1);
    set(m, TIM5 + ARR, 9);
    set(m, TIM5 + CR1, CEN | DIR | ARPE);
    pass_cycles(m, 100);
    assert_int_equal(get(m, TIM5 + CNT), 9);
    pass_cycles(m, 10);
    assert_int_equal(get(m, TIM5 + CNT), 9);
    set(m, TIM5 + CR1, CEN | DIR | UDIS);
    set(m, TIM5 + SR, 0);
    pass_cycles(m, 10);
    assert_int_equal(get(m, TIM5 + CNT), 9);
    assert_int_equal(get(m, TIM5 + SR) & UIF, 0);
}

/* PA5 as TIM2_CH1 (AF1), PA1 as TIM5_CH2 (AF2) */
static void route(struct machine *m)
{
    enum { GPIOA = 0x40020000 };

    set_bits(m, RCC_AHB1ENR_, 1);
    set(m, GPIOA + 0x20, 1u << 20 | 2u << 4);
    set_bits(m, GPIOA, 2u << 10 | 2u << 2);
    seen.pin_changes = 0;
}

/* 18.3.9: toggled at each match. */
static void an_output_toggles_at_its_cycle(void **state)
{
    struct machine *m = *state;

    route(m);
    set(m, TIM5 + ARR, 99);
    set(m, TIM5 + CCR2, 30);
    set(m, TIM5 + CCMR1, 3 << 12);
    set(m, TIM5 + 0x20, 1 << 4);
    set(m, TIM5 + CR1, CEN);
    assert_false(gpio_level(m, 0, 1));
    pass_cycles(m, 29);
    assert_false(gpio_level(m, 0, 1));
    pass_cycles(m, 1);
    assert_true(gpio_level(m, 0, 1));
    assert_int_equal(seen.pin_changes, 1);
    assert_int_equal(seen.pin_number, 1);
    pass_cycles(m, 100);
    assert_false(gpio_level(m, 0, 1));
    pass_cycles(m, 1000);
    assert_int_equal(seen.pin_changes, 12);
    set(m, TIM5 + 0x20, 1 << 4 | 2 << 4); /* the other polarity */
    assert_true(gpio_level(m, 0, 1));
    set(m, TIM5 + CCMR1, 5 << 12); /* forced active: low */
    assert_false(gpio_level(m, 0, 1));
    set(m, TIM5 + 0x20, 0);
    assert_quiet();
}

/* 18.3.10 */
static void pwm_has_its_duty(void **state)
{
    struct machine *m = *state;
    unsigned high = 0;

    route(m);
    set(m, TIM2 + ARR, 9);
    set(m, TIM2 + CCR1, 3);
    set(m, TIM2 + CCMR1, 6 << 4);
    set(m, TIM2 + 0x20, 1);
    set(m, TIM2 + CR1, CEN);
    assert_true(gpio_level(m, 0, 5));
    for (unsigned i = 0; i < 1000; i++) {
        high += gpio_level(m, 0, 5);
        pass_cycles(m, 1);
    }
    assert_int_equal(high, 300);
    assert_int_equal(seen.pin_changes, 201);
    set(m, TIM2 + CCMR1, 7 << 4);
    assert_false(gpio_level(m, 0, 5));
    set(m, TIM2 + CCR1, 0); /* never below */
    assert_true(gpio_level(m, 0, 5));
    assert_false(gpio_level(m, 0, 1)); /* that is TIM5's */
    machine_request_reset(m, RESET_SOFTWARE);
    pass_cycles(m, 1);
    set_bits(m, RCC_AHB1ENR_, 1);
    assert_false(gpio_level(m, 0, 5));
}

static void tim2_has_its_own_interrupt(void **state)
{
    struct machine *m = *state;

    set(m, TIM2 + DIER, CC1IF);
    set(m, TIM2 + EGR, CC1IF); /* CC1G */
    assert_true(core.irq[IRQ_TIM2]);
    assert_false(core.irq[IRQ_TIM5]);
}

static void what_is_not_modelled_says_so(void **state)
{
    static const struct {
        uint32_t offset, value;
    } cases[] = {{CR1, 1 << 5}, {CR1, 3 << 5}, {SMCR, 7}, {DIER, 1 << 8}, {CCMR1, 1}, {EGR, 1 << 6}};
    struct machine *m = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        seen.errors = 0;
        set(m, TIM5 + cases[i].offset, cases[i].value);
        assert_int_equal(seen.errors, 1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_timers, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_counter_counts_every_clock),
        TEST(the_prescaler_waits_for_an_update),
        TEST(the_prescaler_changes_at_the_overflow),
        TEST(reading_often_changes_nothing),
        TEST(a_compare_interrupt_comes_at_its_cycle),
        TEST(a_compare_armed_between_two_steps_is_on_time),
        TEST(a_compare_beyond_the_period_is_flagged_at_the_overflow),
        TEST(a_compare_in_the_past_waits_for_the_next_round),
        TEST(the_counter_wraps_at_32_bits),
        TEST(many_rounds_at_once_come_out_right),
        TEST(an_old_match_does_not_survive_the_clearing),
        TEST(one_pulse_stops_at_the_update),
        TEST(update_can_be_disabled_or_kept_for_overflows),
        TEST(arr_is_preloaded_when_asked),
        TEST(the_counter_keeps_count_when_the_clock_changes),
        TEST(without_clock_it_stands_still),
        TEST(it_counts_down),
        TEST(a_compare_counting_down_interrupts_at_its_cycle),
        TEST(counting_down_takes_the_new_period_at_the_underflow),
        TEST(an_output_toggles_at_its_cycle),
        TEST(pwm_has_its_duty),
        TEST(tim2_has_its_own_interrupt),
        TEST(what_is_not_modelled_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
