/* RCC, PWR and the flash interface: ready bits, the way to 180 MHz, and every wrong turn on it. */
#include "board_fixture.h"

enum {
    CR_HSEON = 1 << 16,
    CR_HSERDY = 1 << 17,
    CR_HSEBYP = 1 << 18,
    CR_PLLON = 1 << 24,
    CR_PLLRDY = 1 << 25,
    PWR_ODEN = 1 << 16,
    PWR_ODSWEN = 1 << 17,
    PLL_180 = 8 | 360 << 6 | 1 << 22 | 8 << 24 | 1 << 29,
    RCC_BDCR_ = RCC + 0x70,
    RCC_CSR_ = RCC + 0x74,
};

static void start_hse(struct machine *m)
{
    set_bits(m, RCC_CR_, CR_HSEBYP);
    set_bits(m, RCC_CR_, CR_HSEON);
    pass(m, VTIME_MS(1));
}

static void start_pll(struct machine *m, uint32_t pllcfgr)
{
    start_hse(m);
    set(m, RCC_PLLCFGR_, pllcfgr);
    set_bits(m, RCC_CR_, CR_PLLON);
    pass(m, VTIME_MS(1));
}

static void ready_bits_take_their_time(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_CR_, CR_HSEBYP);
    set_bits(m, RCC_CR_, CR_HSEON);
    assert_false(get(m, RCC_CR_) & CR_HSERDY);
    pass(m, VTIME_US(63));
    assert_false(get(m, RCC_CR_) & CR_HSERDY);
    pass(m, VTIME_US(2));
    assert_true(get(m, RCC_CR_) & CR_HSERDY);
    set(m, RCC_PLLCFGR_, PLL_180);
    set_bits(m, RCC_CR_, CR_PLLON);
    pass(m, VTIME_US(199));
    assert_false(get(m, RCC_CR_) & CR_PLLRDY);
    pass(m, VTIME_US(2));
    assert_true(get(m, RCC_CR_) & CR_PLLRDY);
    set(m, RCC_CSR_, 1);
    assert_int_equal(get(m, RCC_CSR_) & 3, 1);
    pass(m, VTIME_US(41));
    assert_int_equal(get(m, RCC_CSR_) & 3, 3);
    set(m, RCC_CSR_, 0);
    assert_int_equal(get(m, RCC_CSR_) & 3, 0);
    assert_quiet();
}

static void the_board_has_no_crystal(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_CR_, CR_HSEON);
    assert_warned("no crystal");
    pass(m, VTIME_S(1));
    assert_false(get(m, RCC_CR_) & CR_HSERDY);
    set_bits(m, RCC_CR_, CR_HSEBYP);
    assert_warned("HSEBYP changed while HSE is on");
    assert_false(get(m, RCC_CR_) & CR_HSEBYP);
}

static void the_way_to_180_mhz_by_the_book_is_quiet(void **state)
{
    struct machine *m = *state;

    clock_to_180_mhz(m);
    assert_quiet();
    assert_int_equal(rcc_pclk1_hz(m), 45000000);
    assert_int_equal(rcc_pclk2_hz(m), 90000000);
    assert_int_equal(rcc_timclk1_hz(m), 90000000);
    assert_int_equal(rcc_hclk_per_timclk1(m), 2);
    assert_int_equal(rcc_pll48_hz(m), 45000000);
    assert_int_equal(get(m, RCC_CFGR_) >> 2 & 3, 2);
    vtime before = machine_now(m);
    uint64_t cycles = m->cycles;
    pass(m, VTIME_MS(1));
    assert_int_equal(m->cycles - cycles, 180000);
    assert_true(machine_now(m) - before < VTIME_MS(1) + VTIME_NS(6));
}

static void over_drive_has_an_order(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_APB1ENR_, 1u << 28);
    set_bits(m, PWR, PWR_ODEN);
    assert_int_equal(get(m, PWR + 4) & PWR_ODEN, 0);
    set_bits(m, PWR, PWR_ODSWEN);
    assert_warned("before ODRDY");
    pass(m, VTIME_US(46));
    assert_int_equal(get(m, PWR + 4) >> 16, 3);
    set(m, PWR, 0xC000);
    assert_int_equal(get(m, PWR + 4) >> 16, 0);
}

static void running_too_fast_is_reported(void **state)
{
    struct machine *m = *state;

    start_pll(m, PLL_180);
    set(m, FLASH_ACR_, 5);
    set(m, RCC_CFGR_, 5 << 10 | 4 << 13);
    assert_quiet();
    set_bits(m, RCC_CFGR_, 2);
    pass(m, VTIME_US(1)); /* no over-drive: 168 MHz at most, and the buses less */
    assert_int_equal(seen.warnings, 3);
    assert_int_equal(rcc_hclk_hz(m), 180000000);
    seen.warnings = 0;
    set(m, FLASH_ACR_, 4);
    assert_warned("flash needs 5");
    set(m, FLASH_ACR_, 3);
    assert_quiet(); /* once is enough */
    set(m, FLASH_ACR_, 5);
    set(m, FLASH_ACR_, 4);
    assert_warned("flash needs 5");
}

static void wait_states_go_by_30_mhz(void **state)
{
    struct machine *m = *state;

    start_pll(m, 8 | 240 << 6 | 1 << 16 | 1 << 22 | 8 << 24 | 1 << 29); /* 240 / 4 = 60 MHz */
    set(m, FLASH_ACR_, 1);
    set_bits(m, RCC_CFGR_, 4 << 10 | 2);
    pass(m, VTIME_US(1));
    assert_int_equal(rcc_hclk_hz(m), 60000000);
    assert_quiet();
    set(m, FLASH_ACR_, 0);
    assert_warned("flash needs 1");
}

static void voltage_scale_limits_the_core(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_APB1ENR_, 1u << 28);
    set(m, PWR, 1 << 14); /* scale 3 */
    start_pll(m, 8 | 336 << 6 | 1 << 22 | 7 << 24 | 1 << 29);
    set(m, FLASH_ACR_, 5);
    set_bits(m, RCC_CFGR_, 5 << 10 | 4 << 13 | 2);
    pass(m, VTIME_US(1));
    assert_warned("allow 120000000 Hz");
    set(m, PWR, 3 << 14);
    assert_warned("VOS changed while the PLL is on");
    assert_int_equal(get(m, PWR) >> 14 & 3, 1);
}

static void a_bad_pll_is_reported(void **state)
{
    struct machine *m = *state;
    static const struct {
        uint32_t pllcfgr;
        const char *remark;
    } cases[] = {
        {3 | 100 << 6 | 1 << 22 | 4 << 24 | 1 << 29, "PLLM"}, /* 2.67 MHz */
        {9 | 360 << 6 | 1 << 22 | 4 << 24 | 1 << 29, "PLLM"}, /* 0.89 MHz */
        {0 | 360 << 6 | 1 << 22 | 4 << 24 | 1 << 29, "VCO"},
        {8 | 433 << 6 | 1 << 22 | 4 << 24 | 1 << 29, "VCO"},
        {8 | 99 << 6 | 1 << 22 | 4 << 24 | 1 << 29, "VCO"},
        {8 | 360 << 6 | 1 << 22 | 1 << 24 | 1 << 29, "PLLQ"},
    };

    start_hse(m);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set(m, RCC_PLLCFGR_, cases[i].pllcfgr);
        assert_quiet();
        set_bits(m, RCC_CR_, CR_PLLON);
        assert_warned(cases[i].remark);
        set(m, RCC_CR_, get(m, RCC_CR_) & ~(uint32_t)CR_PLLON);
        seen.warnings = 0;
    }
}

static void the_pll_keeps_its_settings_while_on(void **state)
{
    struct machine *m = *state;

    start_pll(m, PLL_180);
    set(m, RCC_PLLCFGR_, PLL_180 - 1);
    assert_warned("while the PLL is on");
    assert_int_equal(get(m, RCC_PLLCFGR_), PLL_180);
}

static void what_the_system_clock_needs_stays_on(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_CR_, 0);
    set(m, RCC_CR_, get(m, RCC_CR_) & ~1u);
    assert_warned("HSI switched off while the system clock needs it");
    assert_int_equal(get(m, RCC_CR_) & 3, 3);
    start_hse(m);
    set(m, RCC_CFGR_, 1);
    pass(m, VTIME_US(1));
    assert_int_equal(rcc_hclk_hz(m), 8000000);
    set(m, RCC_CR_, get(m, RCC_CR_) & ~1u);
    assert_int_equal(get(m, RCC_CR_) & 3, 0);
    set(m, RCC_CR_, get(m, RCC_CR_) & ~(uint32_t)CR_HSEON);
    assert_warned("HSE switched off");
}

static void the_switch_waits_for_its_source(void **state)
{
    struct machine *m = *state;

    set(m, RCC_CFGR_, 1);
    assert_warned("not ready");
    pass(m, VTIME_MS(1));
    assert_int_equal(get(m, RCC_CFGR_) >> 2 & 3, 0);
    start_hse(m);
    assert_int_equal(get(m, RCC_CFGR_) >> 2 & 3, 1);
    set(m, RCC_CFGR_, 0);
    assert_int_equal(get(m, RCC_CFGR_) >> 2 & 3, 1); /* not at once */
    pass(m, VTIME_US(1));
    assert_int_equal(get(m, RCC_CFGR_) >> 2 & 3, 0);
}

static void prescalers_divide(void **state)
{
    struct machine *m = *state;

    set(m, RCC_CFGR_, 9 << 4 | 6 << 10); /* HCLK = 16 / 4, PCLK1 = HCLK / 8 */
    assert_int_equal(rcc_hclk_hz(m), 4000000);
    assert_int_equal(rcc_pclk1_hz(m), 500000);
    assert_int_equal(rcc_timclk1_hz(m), 1000000);
    set_bits(m, RCC + 0x8C, 1u << 24); /* TIMPRE */
    assert_int_equal(rcc_timclk1_hz(m), 2000000);
    set(m, RCC_CFGR_, 9 << 4 | 4 << 10);
    assert_int_equal(rcc_timclk1_hz(m), 4000000); /* never above HCLK */
    set(m, RCC_CFGR_, 12 << 4);
    assert_int_equal(rcc_hclk_hz(m), 250000); /* / 64: there is no 32 */
    assert_int_equal(rcc_timclk1_hz(m), 250000);
}

static void users_of_a_clock_out_of_range_are_named(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_AHB1ENR_, 1u << 25);
    assert_warned("below 25 MHz");
    start_pll(m, 8 | 336 << 6 | 1 << 22 | 6 << 24 | 1 << 29); /* 56 MHz */
    assert_quiet();
    set_bits(m, RCC_AHB2ENR_, 1u << 6);
    assert_warned("above 48 MHz");
}

static void the_backup_domain_is_locked_and_outlives_a_reset(void **state)
{
    struct machine *m = *state;

    set(m, RCC_BDCR_, 1);
    assert_warned("without PWR_CR.DBP");
    set_bits(m, RCC_APB1ENR_, 1u << 28);
    set_bits(m, PWR, 1u << 8);
    set(m, RCC_BDCR_, 1);
    pass(m, VTIME_S(1));
    assert_int_equal(get(m, RCC_BDCR_), 1);
    machine_request_reset(m, RESET_SOFTWARE);
    pass(m, VTIME_MS(1100));
    assert_int_equal(get(m, RCC_BDCR_), 3);
    set_bits(m, RCC_APB1ENR_, 1u << 28);
    set_bits(m, PWR, 1u << 8);
    set(m, RCC_BDCR_, 1u << 16);
    assert_int_equal(get(m, RCC_BDCR_), 1u << 16);
    assert_quiet();
}

static void a_ready_interrupt_is_raised_and_cleared(void **state)
{
    struct machine *m = *state;

    set(m, RCC + 0x0C, 1u << 11); /* HSERDYIE */
    start_hse(m);
    assert_int_equal(get(m, RCC + 0x0C), 1u << 11 | 1u << 3);
    assert_true(core.irq[5]);
    set(m, RCC + 0x0C, 1u << 11 | 1u << 19);
    assert_int_equal(get(m, RCC + 0x0C), 1u << 11);
    assert_false(core.irq[5]);
}

/* 6.2.7 */
static void the_clock_security_system_saves_the_core(void **state)
{
    struct machine *m = *state;

    clock_to_180_mhz(m);
    set_bits(m, RCC_CR_, 1u << 19);
    rcc_stop_hse(m);
    assert_int_equal(core.nmis, 1);
    assert_int_equal(rcc_hclk_hz(m), 16000000);
    assert_int_equal(get(m, RCC_CR_) & 0x03030003, 3); /* HSE and PLL off, HSI ready */
    assert_int_equal(get(m, RCC_CFGR_) & 15, 0);
    assert_int_equal(get(m, RCC + 0x0C), 1u << 7);
    set(m, RCC + 0x0C, 1u << 23); /* CSSC */
    assert_int_equal(get(m, RCC + 0x0C), 0);
    set_bits(m, RCC_CR_, 1u << 16);
    pass(m, VTIME_MS(10));
    assert_int_equal(get(m, RCC_CR_) & 1u << 17, 0); /* it never gets ready */
    assert_int_equal(seen.errors, 0);
}

static void without_it_a_lost_clock_ends_the_run(void **state)
{
    struct machine *m = *state;

    start_hse(m);
    rcc_stop_hse(m); /* nothing depends on it */
    assert_int_equal(get(m, RCC_CR_) & 1u << 17, 0);
    assert_int_equal(seen.errors + core.nmis, 0);
    m->surroundings.hse_stopped = false;
    machine_power_on(m);
    clock_to_180_mhz(m);
    rcc_stop_hse(m);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(m->stop, STOP_ERROR);
}

static void the_clock_outputs_are_not_modelled(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_CFGR_, 3u << 21);
    assert_warned("MCO is not modelled");
}

/* 6.3.15 to 6.3.19: what is on, but not in the LPENR register, stands still while the core sleeps. */
static void sleep_stops_the_clocks_that_it_is_told_to(void **state)
{
    enum { TIM2 = 0x40000000, TIM5 = 0x40000C00, CNT = 0x24 };
    struct machine *m = *state;

    set_bits(m, RCC_APB1ENR_, 1u << 0 | 1u << 3);
    set(m, TIM2, 1);
    set(m, TIM5, 1);
    pass_cycles(m, 100); /* asleep, and everything runs on */
    set(m, RCC + 0x60, get(m, RCC + 0x60) & ~(1u << 3));
    assert_quiet();
    pass_cycles(m, 100);
    core.awake = true;
    pass_cycles(m, 50);
    assert_int_equal(get(m, TIM2 + CNT), 250);
    assert_int_equal(get(m, TIM5 + CNT), 150);
    core.awake = false;
    pass_cycles(m, 1000);
    assert_int_equal(get(m, TIM2 + CNT), 1250);
    assert_int_equal(get(m, TIM5 + CNT), 150);
    machine_request_reset(m, RESET_SOFTWARE);
    pass_cycles(m, 1);
    assert_false(rcc_sleeps(m));
    assert_quiet();
    set(m, RCC + 0x50, 0);
    assert_warned("stopping flash and SRAM in Sleep mode is not modelled");
}

static void the_flash_lock_takes_two_keys(void **state)
{
    struct machine *m = *state;
    enum { KEYR = 0x40023C04, CR = 0x40023C10 };

    set(m, CR, 1);
    assert_warned("while locked");
    set(m, KEYR, 0x45670123);
    set(m, KEYR, 0xCDEF89AB);
    assert_int_equal(get(m, CR), 0);
    set(m, CR, 1);
    assert_int_equal(get(m, CR), 1);
    assert_quiet();
    set(m, CR, 0x80000000);
    set(m, KEYR, 0x45670123);
    assert_false(bus_write(m, KEYR, 4, 1));
    assert_warned("wrong key");
    assert_false(bus_write(m, KEYR, 4, 0x45670123));
    assert_false(bus_write(m, KEYR, 4, 0xCDEF89AB));
    assert_int_equal(get(m, CR), 0x80000000);
}

static void caches_are_reset_only_while_off(void **state)
{
    struct machine *m = *state;

    set(m, FLASH_ACR_, 1u << 11 | 1u << 12);
    assert_int_equal(get(m, FLASH_ACR_), 0);
    assert_quiet();
    set(m, FLASH_ACR_, 1u << 10 | 1u << 12);
    assert_warned("DCRST");
    set(m, FLASH_ACR_, 1u << 9 | 1u << 11);
    assert_warned("ICRST");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ready_bits_take_their_time),
        TEST(the_board_has_no_crystal),
        TEST(the_way_to_180_mhz_by_the_book_is_quiet),
        TEST(over_drive_has_an_order),
        TEST(running_too_fast_is_reported),
        TEST(wait_states_go_by_30_mhz),
        TEST(voltage_scale_limits_the_core),
        TEST(a_bad_pll_is_reported),
        TEST(the_pll_keeps_its_settings_while_on),
        TEST(what_the_system_clock_needs_stays_on),
        TEST(the_switch_waits_for_its_source),
        TEST(prescalers_divide),
        TEST(users_of_a_clock_out_of_range_are_named),
        TEST(the_backup_domain_is_locked_and_outlives_a_reset),
        TEST(a_ready_interrupt_is_raised_and_cleared),
        TEST(the_clock_security_system_saves_the_core),
        TEST(without_it_a_lost_clock_ends_the_run),
        TEST(the_clock_outputs_are_not_modelled),
        TEST(sleep_stops_the_clocks_that_it_is_told_to),
        TEST(the_flash_lock_takes_two_keys),
        TEST(caches_are_reset_only_while_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
