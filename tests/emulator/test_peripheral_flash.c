/* Flash: programming, erasing, protection, errors, interrupts, busy banks, power cuts, wear. */
#include "board_fixture.h"

enum {
    KEYR = 0x40023C04,
    OPTKEYR = 0x40023C08,
    SR = 0x40023C0C,
    CR = 0x40023C10,
    OPTCR = 0x40023C14,
    OPTCR1 = 0x40023C18,
    IRQ_FLASH = 4,
    EOP = 1 << 0,
    OPERR = 1 << 1,
    WRPERR = 1 << 4,
    PGPERR = 1 << 6,
    PGSERR = 1 << 7,
    BSY = 1 << 16,
    PG = 1 << 0,
    SER = 1 << 1,
    MER = 1 << 2,
    X16 = 1 << 8,
    X32 = 2 << 8,
    MER1 = 1 << 15,
    STRT = 1 << 16,
    EOPIE = 1 << 24,
    ERRIE = 1 << 25,
    BANK2 = FLASH_BASE + 0x100000,
    SECTOR_13 = BANK2 + 0x4000,
};

static void unlock(struct machine *m)
{
    set(m, KEYR, 0x45670123);
    set(m, KEYR, 0xCDEF89AB);
}

static void fill(struct machine *m, uint32_t address, size_t length)
{
    memset(m->flash + (address - FLASH_BASE), 0, length);
}

static bool all_are(const struct machine *m, uint32_t address, size_t length, uint8_t value)
{
    for (size_t i = 0; i < length; i++) {
        if (m->flash[address - FLASH_BASE + i] != value)
            return false;
    }
    return true;
}

static void wait_idle(struct machine *m)
{
    while (get(m, SR) & BSY)
        pass(m, VTIME_MS(10));
}

/* SNB as FLASH_CR has it: 16 is sector 12. */
static void erase(struct machine *m, uint32_t snb, uint32_t more)
{
    set(m, CR, SER | snb << 3 | more);
    set_bits(m, CR, STRT);
}

static bool store(struct machine *m, uint32_t address, unsigned bytes, uint32_t value)
{
    return bus_write(m, address, bytes, value);
}

/* ---- Programming ---- */

static void programming_takes_16_us_and_clears_bits_only(void **state)
{
    struct machine *m = *state;

    unlock(m);
    set(m, CR, PG | X32);
    assert_true(store(m, BANK2, 4, 0x12345678));
    assert_int_equal(get(m, SR), BSY);
    pass(m, VTIME_NS(15900));
    assert_int_equal(get(m, SR), BSY);
    pass(m, VTIME_NS(200));
    assert_int_equal(get(m, SR), 0);
    assert_int_equal(get(m, BANK2), 0x12345678);
    assert_quiet();
    assert_true(store(m, BANK2, 4, 0xFF00FF00));
    assert_warned("only erasing sets bits");
    pass(m, VTIME_US(17));
    assert_int_equal(get(m, BANK2), 0x12005600);
    assert_true(store(m, BANK2, 4, 0));
    assert_quiet(); /* all to 0 is always possible */
}

static void each_parallelism_takes_its_width_only(void **state)
{
    static const uint32_t psize[] = {0, X16, X32};
    struct machine *m = *state;

    unlock(m);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned width = 0; width < 3; width++) {
            uint32_t at = BANK2 + 64 * i + 16 * width;
            set(m, CR, PG | psize[i]);
            seen.warnings = 0;
            assert_true(store(m, at, 1u << width, 0xA5A5A5A5));
            pass(m, VTIME_US(20));
            assert_int_equal(get(m, SR), i == width ? 0 : PGPERR);
            assert_int_equal(get(m, at) == 0xFFFFFFFF, i != width);
            assert_int_equal(seen.warnings, i != width);
            set(m, SR, PGPERR);
        }
    }
}

static void a_store_waits_for_the_one_before(void **state)
{
    struct machine *m = *state;

    unlock(m);
    set(m, CR, PG | X32);
    vtime start = machine_now(m);
    for (uint32_t i = 0; i < 10; i++)
        assert_true(store(m, BANK2 + 4 * i, 4, i));
    assert_true(machine_now(m) - start >= VTIME_US(9 * 16));
    assert_true(machine_now(m) - start < VTIME_US(10 * 16));
    wait_idle(m);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(get(m, BANK2 + 4 * i), i);
    assert_quiet();
}

static void a_store_without_pg_alone_is_a_sequence_error(void **state)
{
    static const uint32_t control[] = {X32, PG | SER | X32, PG | MER | X32, PG | MER1 | X32};
    struct machine *m = *state;

    unlock(m);
    for (size_t i = 0; i < 4; i++) {
        set(m, CR, control[i]);
        assert_true(store(m, BANK2, 4, 0));
        assert_warned("PGSERR");
        assert_int_equal(get(m, SR), PGSERR);
        set(m, SR, PGSERR);
    }
    set(m, CR, PG | X32);
    set_bits(m, CR, 1u << 31);
    assert_true(store(m, BANK2, 4, 0));
    assert_warned("PGSERR");
    assert_int_equal(get(m, BANK2), 0xFFFFFFFF);
}

static void an_external_supply_is_missed(void **state)
{
    struct machine *m = *state;

    unlock(m);
    set(m, CR, PG | 3 << 8);
    assert_true(store(m, BANK2, 4, 0));
    assert_int_equal(get(m, SR), PGPERR);
    erase(m, 16, 3 << 8);
    assert_warned("VPP");
}

/* ---- Erasing ---- */

static vtime erase_time(struct machine *m, uint32_t snb, uint32_t more)
{
    vtime start = machine_now(m);

    erase(m, snb, more);
    assert_int_equal(get(m, SR), BSY);
    while (get(m, SR) & BSY)
        pass(m, VTIME_MS(1));
    assert_int_equal(get(m, CR) & STRT, 0);
    return (machine_now(m) - start) / VTIME_MS(1);
}

static void every_sector_is_erased_alone_and_in_its_time(void **state)
{
    static const uint32_t sizes[] = {16, 16, 16, 16, 64, 128, 128, 128, 128, 128, 128, 128};
    struct machine *m = *state;
    uint32_t address = FLASH_BASE;

    unlock(m);
    memset(m->flash, 0, FLASH_SIZE);
    for (uint32_t sector = 0; sector < 24; sector++) {
        uint32_t size = sizes[sector % 12] * 1024, snb = sector < 12 ? sector : sector + 4;
        vtime expected = size == 0x4000 ? 250 : size == 0x10000 ? 550 : 1000;
        assert_in_range(erase_time(m, snb, X32), expected, expected + 1);
        assert_true(all_are(m, address, size, 0xFF));
        assert_true(sector == 23 || m->flash[address - FLASH_BASE + size] == 0);
        assert_int_equal(flash_erase_count(m, sector), 1);
        address += size;
    }
    assert_int_equal(address, FLASH_BASE + FLASH_SIZE);
    assert_in_range(erase_time(m, 0, 0), 400, 401);
    assert_in_range(erase_time(m, 4, X16), 700, 701);
    assert_in_range(erase_time(m, 27, 0), 2000, 2001);
    assert_quiet();
}

static void banks_and_the_chip_are_erased_whole(void **state)
{
    struct machine *m = *state;

    unlock(m);
    memset(m->flash, 0, FLASH_SIZE);
    set(m, CR, MER1 | X32);
    set_bits(m, CR, STRT);
    pass(m, VTIME_MS(7990));
    assert_int_equal(get(m, SR), BSY);
    wait_idle(m);
    assert_true(all_are(m, BANK2, 0x100000, 0xFF));
    assert_true(all_are(m, FLASH_BASE, 0x100000, 0));
    set(m, CR, MER | MER1 | X32);
    set_bits(m, CR, STRT);
    wait_idle(m);
    assert_true(all_are(m, FLASH_BASE, FLASH_SIZE, 0xFF));
    assert_int_equal(flash_erase_count(m, 3), 1);
    assert_int_equal(flash_erase_count(m, 23), 2);
}

static void what_selects_nothing_erases_nothing(void **state)
{
    static const uint32_t control[] = {0, SER | 12 << 3, SER | 15 << 3, SER | 28 << 3, SER | MER, SER | MER1};
    struct machine *m = *state;

    unlock(m);
    fill(m, FLASH_BASE, FLASH_SIZE);
    for (size_t i = 0; i < sizeof control / sizeof control[0]; i++) {
        set(m, CR, control[i] | STRT);
        assert_warned("selects nothing");
        assert_int_equal(get(m, SR), PGSERR);
        assert_int_equal(get(m, CR) & STRT, 0);
        set(m, SR, PGSERR);
    }
    assert_true(all_are(m, FLASH_BASE, FLASH_SIZE, 0));
}

static void the_control_register_waits_while_busy(void **state)
{
    struct machine *m = *state;

    unlock(m);
    fill(m, SECTOR_13, 4);
    erase(m, 17, X32);
    vtime start = machine_now(m);
    set(m, CR, PG | X32);
    assert_warned("the bus stalls");
    assert_true(machine_now(m) - start >= VTIME_MS(249));
    assert_int_equal(get(m, SR), 0);
    assert_int_equal(get(m, CR), PG | X32);
    assert_int_equal(get(m, SECTOR_13), 0xFFFFFFFF);
}

/* ---- A busy bank cannot be read, the other can ---- */

static void reading_the_busy_bank_waits_and_events_go_on(void **state)
{
    struct machine *m = *state;

    unlock(m);
    fill(m, SECTOR_13, 4);
    set(m, RCC_APB1ENR_, 1);
    set(m, 0x4000002C, 15999); /* TIM2: an interrupt each ms */
    set(m, 0x4000000C, 1);
    set(m, 0x40000000, 1);
    erase(m, 17, X32);
    vtime start = machine_now(m);
    (void)get(m, FLASH_BASE);
    assert_true(machine_now(m) == start);
    assert_int_equal(m->bus.flash_direct, 0x100000);
    assert_int_equal(get(m, BANK2 + 0x80000), 0xFFFFFFFF);
    assert_in_range(machine_now(m) - start, VTIME_MS(249), VTIME_MS(251));
    assert_true(core.irq[28]);
    assert_in_range(core.irq_rise[28], 15999, 16100); /* when it was due, not after the wait */
    assert_int_equal(m->bus.flash_direct, FLASH_SIZE);
    assert_quiet();
}

static void the_cores_fetch_waits_for_its_bank(void **state)
{
    struct machine *m = *state;

    unlock(m);
    core.awake = true;
    erase(m, 1, X32);
    uint64_t before = m->instructions;
    flash_fetch(m, BANK2);
    pass(m, VTIME_MS(1));
    assert_true(m->instructions - before > 10000);
    before = m->instructions;
    flash_fetch(m, FLASH_BASE + 0x200);
    pass(m, VTIME_MS(100));
    assert_int_equal(m->instructions, before);
    pass(m, VTIME_MS(160));
    assert_true(m->instructions > before);
    before = m->instructions;
    erase(m, 1, X32);
    flash_fetch(m, 0x200); /* through the alias at 0 */
    pass(m, VTIME_MS(200));
    assert_int_equal(m->instructions, before);
}

/* ---- Interrupt ---- */

static void the_end_of_operation_interrupts(void **state)
{
    struct machine *m = *state;

    unlock(m);
    erase(m, 17, X32 | EOPIE);
    assert_false(core.irq[IRQ_FLASH]);
    pass(m, VTIME_MS(251));
    assert_true(core.irq[IRQ_FLASH]);
    assert_int_equal(get(m, SR), EOP);
    set(m, SR, EOP);
    assert_false(core.irq[IRQ_FLASH]);
    erase(m, 17, X32);
    pass(m, VTIME_MS(251));
    assert_int_equal(get(m, SR), 0); /* EOP only with its interrupt (3.9.6) */
}

static void an_error_interrupts(void **state)
{
    struct machine *m = *state;

    unlock(m);
    set(m, CR, PG | X32 | ERRIE);
    assert_true(store(m, BANK2, 1, 0));
    assert_int_equal(get(m, SR), PGPERR | OPERR);
    assert_true(core.irq[IRQ_FLASH]);
    set(m, SR, OPERR);
    assert_false(core.irq[IRQ_FLASH]);
    assert_int_equal(get(m, SR), PGPERR);
}

/* ---- Locks and option bytes ---- */

static void program_options(struct machine *m, uint32_t optcr, uint32_t optcr1)
{
    set(m, OPTKEYR, 0x08192A3B);
    set(m, OPTKEYR, 0x4C5D6E7F);
    set(m, OPTCR1, optcr1);
    set(m, OPTCR, optcr);
    set_bits(m, OPTCR, 2);
    assert_int_equal(get(m, SR) & BSY, BSY);
    wait_idle(m);
    set_bits(m, OPTCR, 1);
}

static void a_wrong_key_is_a_bus_error_and_locks_until_reset(void **state)
{
    static const uint32_t keyr[] = {KEYR, OPTKEYR};
    struct machine *m = *state;

    for (int i = 0; i < 2; i++) {
        assert_false(bus_write(m, keyr[i], 4, 0x12345678));
        assert_warned("wrong key");
        assert_false(bus_write(m, keyr[i], 4, i ? 0x08192A3B : 0x45670123));
        assert_false(bus_write(m, keyr[i], 4, i ? 0x4C5D6E7F : 0xCDEF89AB));
    }
    assert_int_equal(get(m, CR) >> 31, 1);
    assert_int_equal(get(m, OPTCR) & 1, 1);
    machine_request_reset(m, RESET_SOFTWARE);
    pass(m, VTIME_US(1));
    unlock(m);
    assert_int_equal(get(m, CR) >> 31, 0);
}

static void protected_sectors_refuse(void **state)
{
    struct machine *m = *state;

    program_options(m, 0x0FFFAAEC & ~(1u << 18), 0x0FFF0000 & ~(1u << 17)); /* sectors 2 and 13 */
    unlock(m);
    set(m, CR, PG | X32);
    assert_quiet();
    assert_true(store(m, SECTOR_13 + 0x3FFC, 4, 0));
    assert_warned("write-protected");
    assert_int_equal(get(m, SR), WRPERR);
    set(m, SR, WRPERR);
    assert_true(store(m, SECTOR_13 + 0x4000, 4, 0));
    wait_idle(m);
    assert_quiet();
    erase(m, 2, X32);
    assert_warned("write-protected");
    set(m, CR, MER | X32);
    set_bits(m, CR, STRT);
    assert_warned("write-protected");
    assert_int_equal(get(m, SR), WRPERR);
    machine_power_on(m);
    assert_int_equal(get(m, OPTCR), 0x0FFFAAED & ~(1u << 18)); /* option bytes outlive power */
    assert_int_equal(get(m, OPTCR1), 0x0FFD0000);
    program_options(m, 0x0FFFAAEC, 0x0FFF0000);
    unlock(m);
    assert_in_range(erase_time(m, 2, X32), 250, 251);
}

static void option_bytes_are_locked_and_forget_what_was_not_started(void **state)
{
    struct machine *m = *state;

    set(m, OPTCR, 0x0FF0AAEC);
    assert_warned("locked");
    set(m, OPTCR1, 0);
    assert_warned("locked");
    set(m, OPTKEYR, 0x08192A3B);
    set(m, OPTKEYR, 0x4C5D6E7F);
    set(m, OPTCR, 0x0FF0AAEC);
    assert_int_equal(get(m, OPTCR), 0x0FF0AAEC);
    machine_request_reset(m, RESET_SOFTWARE);
    pass(m, VTIME_US(1));
    assert_int_equal(get(m, OPTCR), 0x0FFFAAED);
    assert_int_equal(get(m, 0x1FFFC008) & 0xFFFF, 0x0FFF);
}

static void what_the_options_cannot_do_here_ends_the_run(void **state)
{
    static const uint32_t optcr[] = {0x0FFF55EC, 0x0FFFAAFC, 0x8FFFAAEC, 0x4FFFAAEC};
    struct machine *m = *state;

    for (size_t i = 0; i < 4; i++) {
        machine_power_on(m);
        set(m, OPTKEYR, 0x08192A3B);
        set(m, OPTKEYR, 0x4C5D6E7F);
        set(m, OPTCR, optcr[i] | 2);
        assert_int_equal(m->stop, STOP_ERROR);
    }
}

static void the_watchdog_can_be_on_by_option(void **state)
{
    struct machine *m = *state;

    program_options(m, 0x0FFFAAEC & ~(1u << 5), 0x0FFF0000);
    machine_power_on(m);
    unsigned resets = core.resets;
    pass(m, VTIME_S(1)); /* 4096 of LSI / 4: 512 ms */
    assert_int_equal(core.resets, resets + 1);
}

/* ---- Power cut and reset ---- */

static unsigned ones(const struct machine *m, uint32_t address, size_t length)
{
    unsigned count = 0;

    for (size_t i = 0; i < length; i++)
        count += (unsigned)__builtin_popcount(m->flash[address - FLASH_BASE + i]);
    return count;
}

static unsigned ones_after_cut(vtime at, uint8_t before)
{
    struct machine *m = new_board(7);

    unlock(m);
    memset(m->flash + 0x104000, before, 0x4000);
    fill(m, SECTOR_13 + 0x4000, 16);
    erase(m, 17, X32);
    pass(m, at);
    machine_power_on(m);
    assert_int_equal(get(m, SR), 0);
    pass(m, VTIME_S(1));
    unsigned count = ones(m, SECTOR_13, 0x4000);
    assert_true(all_are(m, SECTOR_13 + 0x4000, 16, 0)); /* the neighbour is whole */
    machine_destroy(m);
    return count;
}

/* 131072 cells; the first quarter programs them to 0, then they rise. */
static void a_power_cut_leaves_a_sector_between_old_and_erased(void **state)
{
    (void)state;
    assert_in_range(ones_after_cut(VTIME_MS(31), 0xFF), 60000, 70000);
    assert_in_range(ones_after_cut(VTIME_MS(63), 0xFF), 0, 3000);
    assert_in_range(ones_after_cut(VTIME_MS(156), 0x00), 60000, 70000);
    assert_in_range(ones_after_cut(VTIME_MS(249), 0x00), 128000, 131071);
    assert_in_range(ones_after_cut(VTIME_MS(251), 0x00), 131072, 131072);
    assert_int_equal(ones_after_cut(VTIME_MS(100), 0x55), ones_after_cut(VTIME_MS(100), 0x55));
}

static void a_reset_tears_a_word_between_old_and_new(void **state)
{
    unsigned partly = 0;
    (void)state;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct machine *m = new_board(seed);
        unlock(m);
        set(m, CR, PG | X32);
        assert_true(store(m, BANK2, 4, 0xFFFF0000));
        pass(m, VTIME_US(8));
        machine_request_reset(m, RESET_PIN);
        pass(m, VTIME_US(1));
        uint32_t left = get(m, BANK2);
        assert_int_equal(left >> 16, 0xFFFF);
        assert_int_equal(get(m, BANK2 + 4), 0xFFFFFFFF);
        partly += left != 0xFFFFFFFF && left != 0xFFFF0000;
        machine_destroy(m);
    }
    assert_true(partly > 15);
}

static void a_worn_sector_keeps_some_bits(void **state)
{
    struct machine *m = *state;

    unlock(m);
    flash_set_endurance(m, 3);
    for (int i = 0; i < 3; i++) {
        (void)erase_time(m, 17, X32);
        assert_true(all_are(m, SECTOR_13, 0x4000, 0xFF));
    }
    (void)erase_time(m, 17, X32);
    assert_in_range(ones(m, SECTOR_13, 0x4000), 131072 - 8, 131071);
    machine_power_on(m);
    assert_int_equal(flash_erase_count(m, 13), 4);
    unlock(m);
    (void)erase_time(m, 18, X32);
    assert_true(all_are(m, SECTOR_13 + 0x4000, 0x4000, 0xFF)); /* its neighbour is not worn */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(programming_takes_16_us_and_clears_bits_only),
        TEST(each_parallelism_takes_its_width_only),
        TEST(a_store_waits_for_the_one_before),
        TEST(a_store_without_pg_alone_is_a_sequence_error),
        TEST(an_external_supply_is_missed),
        TEST(every_sector_is_erased_alone_and_in_its_time),
        TEST(banks_and_the_chip_are_erased_whole),
        TEST(what_selects_nothing_erases_nothing),
        TEST(the_control_register_waits_while_busy),
        TEST(reading_the_busy_bank_waits_and_events_go_on),
        TEST(the_cores_fetch_waits_for_its_bank),
        TEST(the_end_of_operation_interrupts),
        TEST(an_error_interrupts),
        TEST(a_wrong_key_is_a_bus_error_and_locks_until_reset),
        TEST(protected_sectors_refuse),
        TEST(option_bytes_are_locked_and_forget_what_was_not_started),
        TEST(what_the_options_cannot_do_here_ends_the_run),
        TEST(the_watchdog_can_be_on_by_option),
        cmocka_unit_test(a_power_cut_leaves_a_sector_between_old_and_erased),
        cmocka_unit_test(a_reset_tears_a_word_between_old_and_new),
        TEST(a_worn_sector_keeps_some_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
