/* RNG, IWDG, USART3, DBGMCU, CRC. */
#include "board_fixture.h"

enum {
    RNG_CR = 0x50060800,
    RNG_SR = 0x50060804,
    RNG_DR = 0x50060808,
    IRQ_RNG = 80,
    IWDG_KR = 0x40003000,
    IWDG_PR = 0x40003004,
    IWDG_RLR = 0x40003008,
    IWDG_SR = 0x4000300C,
    USART_SR = 0x40004800,
    USART_DR = 0x40004804,
    USART_BRR = 0x40004808,
    USART_CR1 = 0x4000480C,
    IRQ_USART3 = 39,
    RXNE = 1 << 5,
    TC = 1 << 6,
    TXE = 1 << 7,
    ORE = 1 << 3,
    GPIOD = 0x40020C00,
    RCC_CSR_ = RCC + 0x74,
};

/* ---- RNG ---- */

static void start_rng(struct machine *m)
{
    clock_to_180_mhz(m);
    set_bits(m, RCC_AHB2ENR_, 1u << 6);
    set(m, RNG_CR, 4);
}

static void a_random_word_takes_40_clocks(void **state)
{
    struct machine *m = *state;

    start_rng(m); /* PLL48CLK is 45 MHz: 40 clocks are 160 of HCLK */
    pass_cycles(m, 159);
    assert_int_equal(get(m, RNG_SR), 0);
    pass_cycles(m, 1);
    assert_int_equal(get(m, RNG_SR), 1);
    uint32_t first = get(m, RNG_DR);
    assert_int_equal(get(m, RNG_SR), 0);
    assert_quiet();
    assert_int_equal(get(m, RNG_DR), 0);
    assert_warned("without DRDY");
    pass_cycles(m, 160);
    assert_int_not_equal(get(m, RNG_DR), first);
}

static void the_random_interrupt_comes_when_enabled(void **state)
{
    struct machine *m = *state;

    start_rng(m);
    set(m, RNG_CR, 4 | 8);
    assert_false(core.irq[IRQ_RNG]);
    pass(m, VTIME_US(1));
    assert_true(core.irq[IRQ_RNG]);
    (void)get(m, RNG_DR);
    assert_false(core.irq[IRQ_RNG]);
}

static void without_its_clock_the_rng_flags_an_error(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_AHB2ENR_, 1u << 6);
    set(m, RNG_CR, 4);
    assert_warned("below HCLK / 16");
    pass(m, VTIME_MS(1));
    assert_int_equal(get(m, RNG_SR), 1 << 1 | 1 << 5);
    set(m, RNG_SR, 0);
    assert_int_equal(get(m, RNG_SR) & 2, 2); /* CECS is the state itself */
}

/* ---- IWDG ---- */

static void kick(struct machine *m)
{
    set(m, IWDG_KR, 0xAAAA);
}

static void start_watchdog(struct machine *m, uint32_t prescaler, uint32_t reload)
{
    set(m, IWDG_KR, 0xCCCC);
    set(m, IWDG_KR, 0x5555);
    set(m, IWDG_PR, prescaler);
    set(m, IWDG_RLR, reload);
    pass(m, VTIME_MS(1));
    assert_int_equal(get(m, IWDG_SR), 0);
    kick(m);
}

static void the_watchdog_resets_when_not_fed(void **state)
{
    struct machine *m = *state;

    start_watchdog(m, 3, 999); /* LSI / 32, 1000 of it: 1 s */
    for (int i = 0; i < 10; i++) {
        pass(m, VTIME_MS(999));
        kick(m);
    }
    assert_int_equal(core.resets, 1);
    assert_quiet();
    pass(m, VTIME_MS(999));
    assert_int_equal(core.resets, 1);
    pass(m, VTIME_MS(2));
    assert_int_equal(core.resets, 2);
    assert_int_equal(get(m, RCC_CSR_) >> 29 & 1, 1);
    pass(m, VTIME_S(60)); /* and is off after that */
    assert_int_equal(core.resets, 2);
}

static void watchdog_registers_need_the_key_and_time(void **state)
{
    struct machine *m = *state;

    set(m, IWDG_PR, 5);
    assert_warned("without the key");
    assert_int_equal(get(m, IWDG_PR), 0);
    set(m, IWDG_KR, 0xCCCC);
    pass(m, VTIME_US(41)); /* LSI runs */
    set(m, IWDG_KR, 0x5555);
    set(m, IWDG_PR, 5);
    set(m, IWDG_RLR, 100);
    assert_int_equal(get(m, IWDG_SR), 3);
    set(m, IWDG_PR, 6);
    assert_warned("during its update");
    pass(m, VTIME_US(156));
    assert_int_equal(get(m, IWDG_SR), 3);
    pass(m, VTIME_US(2));
    assert_int_equal(get(m, IWDG_SR), 0);
    assert_int_equal(get(m, IWDG_PR), 5);
    kick(m); /* locks */
    set(m, IWDG_RLR, 7);
    assert_warned("without the key");
    set(m, IWDG_KR, 0x1234);
    assert_warned("no key");
}

static void updates_wait_for_lsi(void **state)
{
    struct machine *m = *state;

    set(m, IWDG_KR, 0x5555);
    set(m, IWDG_PR, 1);
    pass(m, VTIME_S(1));
    assert_int_equal(get(m, IWDG_SR), 1);
    set(m, IWDG_KR, 0xCCCC);
    pass(m, VTIME_MS(1));
    assert_int_equal(get(m, IWDG_SR), 0);
    assert_int_equal(get(m, RCC_CSR_) & 2, 2);
    set(m, RCC_CSR_, 0); /* the watchdog holds LSI on */
    assert_int_equal(get(m, RCC_CSR_) & 2, 2);
    pass(m, VTIME_MS(1021)); /* 4096 of LSI / 8 from the start: 1024 ms */
    assert_int_equal(core.resets, 1);
    pass(m, VTIME_MS(3));
    assert_int_equal(core.resets, 2);
}

/* ---- USART3 ---- */

static void start_usart(struct machine *m)
{
    set_bits(m, RCC_AHB1ENR_, 1u << 3);
    set_bits(m, RCC_APB1ENR_, 1u << 18);
    set(m, GPIOD, 2u << 16 | 2u << 18);
    set(m, GPIOD + 0x24, 0x77);
    set(m, USART_BRR, 139); /* 16 MHz / 115200 */
    set(m, USART_CR1, 1 << 13 | 1 << 3 | 1 << 2);
}

static void characters_leave_at_the_baud_rate(void **state)
{
    struct machine *m = *state;

    start_usart(m);
    assert_int_equal(get(m, USART_SR), TXE | TC);
    set(m, USART_DR, 'o');
    assert_int_equal(get(m, USART_SR), TXE); /* straight to the shift register */
    set(m, USART_DR, 'k');
    assert_int_equal(get(m, USART_SR), 0);
    pass_cycles(m, 1389);
    assert_int_equal(seen.console_length, 0);
    pass_cycles(m, 1);
    assert_string_equal(seen.console, "o");
    assert_int_equal(get(m, USART_SR), TXE);
    pass_cycles(m, 1390);
    assert_string_equal(seen.console, "ok");
    assert_int_equal(get(m, USART_SR), TXE | TC);
    assert_quiet();
}

static void a_character_written_too_early_is_lost(void **state)
{
    struct machine *m = *state;

    start_usart(m);
    set(m, USART_DR, 'a');
    set(m, USART_DR, 'b');
    set(m, USART_DR, 'c');
    assert_warned("TXE is 0");
    pass(m, VTIME_MS(1));
    assert_string_equal(seen.console, "ac");
}

static void a_wrong_set_up_sends_nothing(void **state)
{
    struct machine *m = *state;

    start_usart(m);
    set(m, GPIOD, 0);
    set(m, USART_DR, 'a');
    pass(m, VTIME_MS(1));
    assert_warned("PD8");
    set(m, USART_CR1, 1 << 13);
    set(m, USART_DR, 'b');
    assert_warned("TE is 0");
    pass(m, VTIME_MS(1));
    assert_int_equal(seen.console_length, 0);
}

static void transmit_interrupts_follow_their_flags(void **state)
{
    struct machine *m = *state;

    start_usart(m);
    set_bits(m, USART_CR1, TXE);
    assert_true(core.irq[IRQ_USART3]);
    set(m, USART_DR, 'a');
    set(m, USART_DR, 'b');
    assert_false(core.irq[IRQ_USART3]);
    pass_cycles(m, 1390);
    assert_true(core.irq[IRQ_USART3]);
}

static void received_characters_wait_and_overrun(void **state)
{
    struct machine *m = *state;

    usart_receive(m, 'x'); /* nobody listens */
    start_usart(m);
    set_bits(m, USART_CR1, RXNE);
    assert_int_equal(get(m, USART_SR) & RXNE, 0);
    usart_receive(m, 'a');
    assert_true(core.irq[IRQ_USART3]);
    usart_receive(m, 'b');
    assert_int_equal(get(m, USART_SR) & (RXNE | ORE), RXNE | ORE);
    assert_int_equal(get(m, USART_DR), 'a');
    assert_int_equal(get(m, USART_SR) & (RXNE | ORE), 0);
    assert_false(core.irq[IRQ_USART3]);
}

/* ---- DBGMCU, CRC ---- */

static void debug_bits_outlive_a_system_reset(void **state)
{
    struct machine *m = *state;

    set(m, 0xE0042004, 7);
    machine_request_reset(m, RESET_SOFTWARE);
    pass(m, VTIME_US(1));
    assert_int_equal(get(m, 0xE0042004), 7);
    machine_power_on(m);
    assert_int_equal(get(m, 0xE0042004), 0);
}

static void crc_is_that_of_the_manual(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_AHB1ENR_, 1u << 12);
    set(m, 0x40023000, 0x12345678);
    assert_int_equal(get(m, 0x40023000), 0xDF8A8A2B); /* CRC-32/MPEG-2 of 12 34 56 78 */
    set(m, 0x40023008, 1);
    assert_int_equal(get(m, 0x40023000), 0xFFFFFFFF);
    set(m, 0x40023000, 0x00000000);
    assert_int_equal(get(m, 0x40023000), 0xC704DD7B); /* CRC-32/MPEG-2 of four zero bytes */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_random_word_takes_40_clocks),
        TEST(the_random_interrupt_comes_when_enabled),
        TEST(without_its_clock_the_rng_flags_an_error),
        TEST(the_watchdog_resets_when_not_fed),
        TEST(watchdog_registers_need_the_key_and_time),
        TEST(updates_wait_for_lsi),
        TEST(characters_leave_at_the_baud_rate),
        TEST(a_character_written_too_early_is_lost),
        TEST(a_wrong_set_up_sends_nothing),
        TEST(transmit_interrupts_follow_their_flags),
        TEST(received_characters_wait_and_overrun),
        TEST(debug_bits_outlive_a_system_reset),
        TEST(crc_is_that_of_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
