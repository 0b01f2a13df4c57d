/* Reset causes, what survives which of them, the watchdogs, and what a halted core freezes. */
#include "board_fixture.h"

enum {
    CSR = RCC + 0x74,
    BDCR = RCC + 0x70,
    PWR_CSR = PWR + 4,
    BKPSRAM = 0x40024000,
    RTC_BKP0R = 0x40002850,
    RTC_BKP19R = 0x4000289C,
    IWDG_KR = 0x40003000,
    IWDG_PR = 0x40003004,
    WWDG_CR = 0x40002C00,
    WWDG_CFR = 0x40002C04,
    WWDG_SR = 0x40002C08,
    DBGMCU_APB1_FZ = 0xE0042008,
    TIM2 = 0x40000000,
    DBP = 1 << 8,
    BRE = 1 << 9,
    BRR = 1 << 3,
    WWDG_STEP = 4096, /* core cycles at reset's prescalers */
};

static void reset_by(struct machine *m, enum reset_cause cause)
{
    machine_request_reset(m, cause);
    pass(m, VTIME_US(1));
}

/* ---- RCC_CSR ---- */

static void every_cause_leaves_its_flag(void **state)
{
    static const struct {
        enum reset_cause cause;
        uint32_t flags; /* CSR 31:25 */
    } causes[] = {
        {RESET_SOFTWARE, 0x10 >> 1 | 2}, {RESET_PIN, 2},
        {RESET_IWDG, 0x20 >> 1 | 2},     {RESET_WWDG, 0x40 >> 1 | 2},
        {RESET_LOW_POWER, 0x40 | 2},     {RESET_BROWN_OUT, 1 | 2},
    };
    struct machine *m = *state;

    assert_int_equal(get(m, CSR) >> 25, 7); /* BORRSTF, PINRSTF, PORRSTF */
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        set(m, CSR, 1u << 24);
        assert_int_equal(get(m, CSR), 0);
        reset_by(m, causes[i].cause);
        assert_int_equal(get(m, CSR) >> 25, causes[i].flags);
    }
    reset_by(m, RESET_SOFTWARE); /* they gather until RMVF */
    assert_int_equal(get(m, CSR) >> 25, 1 | 2 | 8);
    machine_power_on(m);
    assert_int_equal(get(m, CSR) >> 25, 7);
}

/* ---- Backup domain ---- */

static void open_backup_domain(struct machine *m)
{
    set_bits(m, RCC_APB1ENR_, 1u << 28);
    set_bits(m, RCC_AHB1ENR_, 1u << 18);
    set_bits(m, PWR, DBP);
}

static void backup_sram_needs_clock_and_permission(void **state)
{
    struct machine *m = *state;
    uint32_t value = 0;

    (void)get(m, BKPSRAM);
    assert_warned("its clock is off");
    set_bits(m, RCC_AHB1ENR_, 1u << 18);
    uint32_t before = get(m, BKPSRAM + 0xFFC);
    set(m, BKPSRAM + 0xFFC, ~before);
    assert_warned("without PWR_CR.DBP");
    assert_int_equal(get(m, BKPSRAM + 0xFFC), before);
    open_backup_domain(m);
    set(m, BKPSRAM + 0xFFC, 0x11223344);
    assert_true(bus_write(m, BKPSRAM + 0xFFD, 1, 0x55));
    assert_true(bus_write(m, BKPSRAM + 0xFFE, 2, 0x6677));
    assert_true(bus_read(m, BKPSRAM + 0xFFC, 4, &value));
    assert_int_equal(value, 0x66775544);
    assert_true(bus_read(m, BKPSRAM + 0xFFF, 1, &value));
    assert_int_equal(value, 0x66);
    assert_quiet();
}

static bool survives(struct machine *m, bool power_cut)
{
    open_backup_domain(m);
    for (uint32_t i = 0; i < 4096; i += 4)
        set(m, BKPSRAM + i, i * 0x9E3779B9u);
    if (power_cut)
        machine_power_on(m);
    else
        reset_by(m, RESET_IWDG);
    open_backup_domain(m);
    for (uint32_t i = 0; i < 4096; i += 4) {
        if (get(m, BKPSRAM + i) != i * 0x9E3779B9u)
            return false;
    }
    return true;
}

static void backup_sram_survives_a_reset_and_with_battery_and_regulator_a_power_cut(void **state)
{
    struct machine *m = *state;

    assert_true(survives(m, false));
    assert_false(survives(m, true));
    m->surroundings.battery = true;
    assert_false(survives(m, true));
    set_bits(m, PWR_CSR, BRE);
    assert_int_equal(get(m, PWR_CSR) & BRR, 0);
    pass(m, VTIME_MS(1));
    assert_int_equal(get(m, PWR_CSR) & BRR, BRR);
    assert_true(survives(m, true));
    assert_int_equal(get(m, PWR_CSR) & (BRE | BRR), BRE | BRR);
    m->surroundings.battery = false;
    assert_false(survives(m, true));
    assert_int_equal(get(m, PWR_CSR) & (BRE | BRR), 0);
}

static void backup_registers_live_and_die_with_their_domain(void **state)
{
    struct machine *m = *state;

    set(m, RTC_BKP0R, 1);
    assert_warned("without PWR_CR.DBP");
    assert_int_equal(get(m, RTC_BKP0R), 0);
    open_backup_domain(m);
    set(m, RTC_BKP0R, 0x12345678);
    set(m, RTC_BKP19R, 0x9ABCDEF0);
    reset_by(m, RESET_SOFTWARE);
    assert_int_equal(get(m, RTC_BKP0R), 0x12345678);
    m->surroundings.battery = true;
    machine_power_on(m);
    assert_int_equal(get(m, RTC_BKP19R), 0x9ABCDEF0);
    open_backup_domain(m);
    set(m, BDCR, 1u << 16);
    assert_int_equal(get(m, RTC_BKP19R), 0);
    set(m, BDCR, 0);
    set(m, RTC_BKP0R, 5);
    m->surroundings.battery = false;
    machine_power_on(m);
    assert_int_equal(get(m, RTC_BKP0R), 0);
    (void)get(m, 0x40002800); /* the clock itself */
    assert_int_equal(m->stop, STOP_ERROR);
}

/* ---- IWDG ---- */

static vtime watchdog_period(uint32_t lsi_hz)
{
    struct machine *m = new_board(3);

    m->surroundings.lsi_hz = lsi_hz;
    set(m, IWDG_KR, 0xCCCC);
    pass(m, VTIME_US(100));
    vtime start = machine_now(m);
    set(m, IWDG_KR, 0xAAAA);
    while (core.resets == 1)
        pass(m, VTIME_US(100));
    vtime period = machine_now(m) - start;
    machine_destroy(m);
    return period;
}

static void the_watchdog_keeps_its_own_oscillators_time(void **state)
{
    (void)state;
    assert_in_range(watchdog_period(32000), VTIME_US(512000), VTIME_US(512200));
    assert_in_range(watchdog_period(17000), VTIME_US(963700), VTIME_US(964000));
    assert_in_range(watchdog_period(47000), VTIME_US(348500), VTIME_US(348800));
}

static void a_halted_core_freezes_what_dbgmcu_says(void **state)
{
    struct machine *m = *state;

    set(m, IWDG_KR, 0xCCCC);
    set_bits(m, RCC_APB1ENR_, 1);
    set(m, TIM2, 1);
    pass(m, VTIME_MS(500));
    machine_halt_core(m, true);
    set(m, DBGMCU_APB1_FZ, 1u << 12 | 1);
    uint32_t count = get(m, TIM2 + 0x24);
    pass(m, VTIME_S(10));
    assert_int_equal(core.resets, 1);
    assert_int_equal(get(m, TIM2 + 0x24), count);
    machine_halt_core(m, false);
    pass(m, VTIME_MS(10));
    assert_int_equal(core.resets, 1);
    assert_int_equal(get(m, TIM2 + 0x24), count + 160000);
    pass(m, VTIME_MS(5));
    assert_int_equal(core.resets, 2);
}

static void a_halted_core_without_freeze_bits_is_reset(void **state)
{
    struct machine *m = *state;

    set(m, IWDG_KR, 0xCCCC);
    machine_halt_core(m, true);
    pass(m, VTIME_S(1));
    assert_int_equal(core.resets, 2);
}

/* ---- WWDG ---- */

static void start_wwdg(struct machine *m, uint32_t window, uint32_t count)
{
    set_bits(m, RCC_APB1ENR_, 1u << 11);
    set(m, WWDG_CFR, window);
    set(m, WWDG_CR, 1 << 7 | count);
}

static void the_window_watchdog_resets_below_0x40(void **state)
{
    struct machine *m = *state;

    start_wwdg(m, 0x7F, 0x7F);
    pass_cycles(m, 0x3F * WWDG_STEP + 10);
    assert_int_equal(get(m, WWDG_CR), 0xC0);
    assert_int_equal(core.resets, 1);
    pass_cycles(m, WWDG_STEP);
    assert_int_equal(core.resets, 2);
    assert_int_equal(get(m, CSR) >> 30 & 1, 1);
    pass(m, VTIME_S(1));
    assert_int_equal(core.resets, 2);
}

static void the_early_wake_up_comes_one_step_before(void **state)
{
    struct machine *m = *state;

    start_wwdg(m, 0x7F | 1 << 9 | 1 << 7, 0x41);
    pass_cycles(m, 2 * WWDG_STEP - 1);
    assert_false(core.irq[0]);
    pass_cycles(m, 1);
    assert_true(core.irq[0]);
    assert_int_equal(get(m, WWDG_SR), 1);
    set(m, WWDG_CR, 0xFF);
    set(m, WWDG_SR, 0);
    assert_false(core.irq[0]);
    pass_cycles(m, 100 * WWDG_STEP);
    assert_int_equal(core.resets, 1);
    assert_quiet();
}

static void writing_before_the_window_resets(void **state)
{
    struct machine *m = *state;

    start_wwdg(m, 0x50, 0x7F);
    pass_cycles(m, 0x2F * WWDG_STEP + 1);
    set(m, WWDG_CR, 0xFF); /* at 0x50: in time */
    pass_cycles(m, 10);
    assert_int_equal(core.resets, 1);
    pass_cycles(m, 0x2E * WWDG_STEP);
    set(m, WWDG_CR, 0xFF);
    pass_cycles(m, 10);
    assert_int_equal(core.resets, 2);
}

static void t6_must_be_written_as_1(void **state)
{
    struct machine *m = *state;

    start_wwdg(m, 0x7F, 0x3F);
    pass_cycles(m, 10);
    assert_int_equal(core.resets, 2);
}

static void the_window_watchdog_can_be_frozen(void **state)
{
    struct machine *m = *state;

    start_wwdg(m, 0x7F, 0x7F);
    set(m, DBGMCU_APB1_FZ, 1u << 11);
    machine_halt_core(m, true);
    pass(m, VTIME_S(1));
    assert_int_equal(core.resets, 1);
    machine_halt_core(m, false);
    pass(m, VTIME_MS(20));
    assert_int_equal(core.resets, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_cause_leaves_its_flag),
        TEST(backup_sram_needs_clock_and_permission),
        TEST(backup_sram_survives_a_reset_and_with_battery_and_regulator_a_power_cut),
        TEST(backup_registers_live_and_die_with_their_domain),
        cmocka_unit_test(the_watchdog_keeps_its_own_oscillators_time),
        TEST(a_halted_core_freezes_what_dbgmcu_says),
        TEST(a_halted_core_without_freeze_bits_is_reset),
        TEST(the_window_watchdog_resets_below_0x40),
        TEST(the_early_wake_up_comes_one_step_before),
        TEST(writing_before_the_window_resets),
        TEST(t6_must_be_written_as_1),
        TEST(the_window_watchdog_can_be_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
