/* Pins, their interrupts, and SYSCFG between them. */
#include "board_fixture.h"

enum {
    A,
    B,
    C,
    GPIOA = 0x40020000,
    GPIOB = 0x40020400,
    GPIOC = 0x40020800,
    MODER = 0x00,
    OTYPER = 0x04,
    PUPDR = 0x0C,
    IDR = 0x10,
    ODR = 0x14,
    BSRR = 0x18,
    LCKR = 0x1C,
    AFRL = 0x20,
    AFRH = 0x24,
    SYSCFG = 0x40013800,
    EXTI_IMR = 0x40013C00,
    EXTI_EMR = 0x40013C04,
    EXTI_RTSR = 0x40013C08,
    EXTI_FTSR = 0x40013C0C,
    EXTI_SWIER = 0x40013C10,
    EXTI_PR = 0x40013C14,
};

static int set_up_pins(void **state)
{
    set_up(state);
    set_bits(*state, RCC_AHB1ENR_, 0x7FF);
    set_bits(*state, RCC_APB2ENR_, 1u << 14);
    return 0;
}

static void an_output_is_shown_when_it_changes(void **state)
{
    struct machine *m = *state;

    set(m, GPIOB + BSRR, 1u << 14);
    assert_int_equal(seen.pin_changes, 0); /* still an input */
    set_bits(m, GPIOB + MODER, 1u << 28);
    assert_int_equal(seen.pin_changes, 1);
    assert_int_equal(seen.pin_port, B);
    assert_int_equal(seen.pin_number, 14);
    assert_true(seen.pin_level);
    set(m, GPIOB + BSRR, 1u << 14);
    assert_int_equal(seen.pin_changes, 1);
    set(m, GPIOB + BSRR, 1u << 30);
    assert_int_equal(seen.pin_changes, 2);
    assert_false(seen.pin_level);
    set(m, GPIOB + ODR, 1u << 14);
    assert_int_equal(seen.pin_changes, 3);
    machine_request_reset(m, RESET_SOFTWARE);
    pass(m, VTIME_US(1));
    assert_int_equal(seen.pin_changes, 4); /* the LED goes out */
    assert_false(seen.pin_level);
}

static void setting_wins_over_resetting(void **state)
{
    struct machine *m = *state;

    set(m, GPIOC + ODR, 0xF0);
    set(m, GPIOC + BSRR, 0x003F000F);
    assert_int_equal(get(m, GPIOC + ODR), 0xCF);
    assert_int_equal(get(m, GPIOC + BSRR), 0);
}

static void an_input_follows_the_outside_then_its_pull(void **state)
{
    struct machine *m = *state;

    assert_int_equal(get(m, GPIOC + IDR) >> 13 & 1, 0);
    gpio_drive(m, C, 13, true);
    assert_int_equal(get(m, GPIOC + IDR) >> 13 & 1, 1);
    gpio_drive(m, C, 13, false);
    set(m, GPIOC + PUPDR, 1u << 26);
    assert_int_equal(get(m, GPIOC + IDR) >> 13 & 1, 0);
    gpio_release(m, C, 13);
    assert_int_equal(get(m, GPIOC + IDR) >> 13 & 1, 1);
    set(m, GPIOC + PUPDR, 2u << 26);
    assert_int_equal(get(m, GPIOC + IDR) >> 13 & 1, 0);
    assert_int_equal(get(m, GPIOA + IDR), 1u << 15 | 1u << 13); /* the JTAG pins' pull-ups at reset */
    gpio_drive(m, C, 0, true);
    set(m, GPIOC + MODER, 3);
    assert_int_equal(get(m, GPIOC + IDR) & 1, 0); /* analog */
}

static void an_output_reads_back_and_open_drain_lets_go(void **state)
{
    struct machine *m = *state;

    set(m, GPIOC + MODER, 1);
    set(m, GPIOC + ODR, 1);
    assert_int_equal(get(m, GPIOC + IDR) & 1, 1);
    set(m, GPIOC + OTYPER, 1);
    assert_int_equal(get(m, GPIOC + IDR) & 1, 0);
    set(m, GPIOC + PUPDR, 1);
    assert_int_equal(get(m, GPIOC + IDR) & 1, 1);
    set(m, GPIOC + ODR, 0);
    assert_int_equal(get(m, GPIOC + IDR) & 1, 0);
    gpio_drive(m, C, 0, true);
    assert_warned("PC0 is an output");
}

static void alternate_functions_are_known(void **state)
{
    struct machine *m = *state;

    assert_true(gpio_is_alternate(m, A, 13, 0)); /* SWDIO at reset */
    assert_false(gpio_is_alternate(m, A, 1, 11));
    set(m, GPIOA + MODER, 0xA8000008);
    set(m, GPIOA + AFRL, 0xB0);
    set(m, GPIOA + AFRH, 0x00B00000);
    assert_true(gpio_is_alternate(m, A, 1, 11));
    assert_true(gpio_is_alternate(m, A, 13, 11));
}

static void locked_pins_keep_their_configuration(void **state)
{
    struct machine *m = *state;
    enum { PIN = 1u << 3, KEY = 1u << 16 };

    set(m, GPIOC + LCKR, KEY | PIN);
    set(m, GPIOC + LCKR, PIN);
    set(m, GPIOC + LCKR, KEY | PIN);
    assert_int_equal(get(m, GPIOC + LCKR), KEY | PIN);
    set(m, GPIOC + MODER, 0xFF);
    assert_warned("locked pins");
    assert_int_equal(get(m, GPIOC + MODER), 0x3F);
    set(m, GPIOC + LCKR, 0);
    assert_int_equal(get(m, GPIOC + LCKR), KEY | PIN);
}

static void a_broken_lock_sequence_locks_nothing(void **state)
{
    struct machine *m = *state;
    enum { KEY = 1u << 16 };

    set(m, GPIOC + LCKR, KEY | 1);
    set(m, GPIOC + LCKR, 3);
    set(m, GPIOC + LCKR, KEY | 1);
    assert_false(get(m, GPIOC + LCKR) & KEY);
}

static void edges_pend_as_configured(void **state)
{
    struct machine *m = *state;

    set(m, SYSCFG + 0x14, 2u << 4); /* line 13 from port C */
    set(m, EXTI_RTSR, 1u << 13);
    set(m, EXTI_IMR, 1u << 13);
    gpio_drive(m, B, 13, true); /* another port */
    gpio_drive(m, B, 13, false);
    assert_int_equal(get(m, EXTI_PR), 0);
    gpio_drive(m, C, 13, true);
    assert_int_equal(get(m, EXTI_PR), 1u << 13);
    assert_true(core.irq[40]);
    set(m, EXTI_PR, 1u << 13);
    assert_int_equal(get(m, EXTI_PR), 0);
    assert_false(core.irq[40]);
    gpio_drive(m, C, 13, false);
    assert_int_equal(get(m, EXTI_PR), 0);
    set(m, EXTI_FTSR, 1u << 13);
    gpio_drive(m, C, 13, true);
    set(m, EXTI_PR, 1u << 13);
    gpio_drive(m, C, 13, false);
    assert_int_equal(get(m, EXTI_PR), 1u << 13);
    set(m, EXTI_IMR, 0);
    assert_false(core.irq[40]);
    assert_quiet();
}

static void an_output_of_our_own_makes_edges_too(void **state)
{
    struct machine *m = *state;

    set(m, EXTI_RTSR, 1);
    set(m, EXTI_IMR, 1);
    set_bits(m, GPIOA + MODER, 1);
    set(m, GPIOA + BSRR, 1);
    assert_true(core.irq[6]);
}

static void each_line_has_its_interrupt(void **state)
{
    struct machine *m = *state;
    static const unsigned irqs[23] = {6,  7,  8,  9,  10, 23, 23, 23, 23, 23, 40, 40,
                                      40, 40, 40, 40, 1,  41, 42, 62, 76, 2,  3};

    for (unsigned line = 0; line < 23; line++) {
        set(m, EXTI_IMR, 1u << line);
        set(m, EXTI_SWIER, 1u << line);
        for (unsigned irq = 0; irq < CPU_IRQS; irq++)
            assert_int_equal(core.irq[irq], irq == irqs[line]);
        set(m, EXTI_PR, 1u << line);
        assert_int_equal(get(m, EXTI_SWIER), 0);
    }
    set(m, EXTI_IMR, 0);
    set(m, EXTI_SWIER, 1);
    assert_int_equal(get(m, EXTI_PR), 0); /* only where IMR lets it */
}

static void ethernet_wakes_through_line_19(void **state)
{
    struct machine *m = *state;

    set(m, EXTI_IMR, 1u << 19);
    exti_line_event(m, 19);
    assert_false(core.irq[62]);
    set(m, EXTI_RTSR, 1u << 19);
    exti_line_event(m, 19);
    assert_true(core.irq[62]);
}

static void moving_a_line_to_a_high_pin_is_an_edge(void **state)
{
    struct machine *m = *state;

    gpio_drive(m, C, 5, true);
    set(m, EXTI_RTSR, 1u << 5);
    set(m, SYSCFG + 0x0C, 2u << 4);
    assert_int_equal(get(m, EXTI_PR), 1u << 5);
    assert_quiet();
    set(m, SYSCFG + 0x0C, 11u << 4);
    assert_warned("does not exist");
}

static void rmii_is_chosen_before_the_mac_is_clocked(void **state)
{
    struct machine *m = *state;

    assert_false(syscfg_rmii_selected(m));
    set(m, SYSCFG + 4, 1u << 23);
    assert_true(syscfg_rmii_selected(m));
    assert_quiet();
    set_bits(m, RCC_AHB1ENR_, 1u << 26);
    set(m, SYSCFG + 4, 0);
    assert_warned("MII_RMII_SEL");
}

static void event_mode_wakes_the_core_and_pends_nothing(void **state)
{
    struct machine *m = *state;

    set(m, EXTI_EMR, 1 << 19 | 2);
    set(m, EXTI_RTSR, 1 << 19);
    exti_line_event(m, 18);
    assert_int_equal(m->cpu.event_register, 0);
    exti_line_event(m, 19);
    assert_int_equal(m->cpu.event_register, 1);
    assert_false(core.irq[62]);
    m->cpu.event_register = 0;
    set(m, EXTI_SWIER, 2);
    assert_int_equal(m->cpu.event_register, 1);
    assert_int_equal(get(m, EXTI_PR), 1 << 19);
    assert_quiet();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_pins, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_output_is_shown_when_it_changes),
        TEST(setting_wins_over_resetting),
        TEST(an_input_follows_the_outside_then_its_pull),
        TEST(an_output_reads_back_and_open_drain_lets_go),
        TEST(alternate_functions_are_known),
        TEST(locked_pins_keep_their_configuration),
        TEST(a_broken_lock_sequence_locks_nothing),
        TEST(edges_pend_as_configured),
        TEST(an_output_of_our_own_makes_edges_too),
        TEST(each_line_has_its_interrupt),
        TEST(ethernet_wakes_through_line_19),
        TEST(moving_a_line_to_a_high_pin_is_an_edge),
        TEST(rmii_is_chosen_before_the_mac_is_clocked),
        TEST(event_mode_wakes_the_core_and_pends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
