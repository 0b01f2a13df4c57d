/* The bus: what answers where, and what is reported of accesses that are not in order. */
#include "board_fixture.h"

enum { TIM2 = 0x40000000, GPIOA = 0x40020000, GPIOC = 0x40020800, SYSCFG = 0x40013800, CRC = 0x40023000 };

static void memories_answer_in_every_width(void **state)
{
    struct machine *m = *state;
    static const uint32_t places[] = {SRAM_BASE, SRAM_BASE + SRAM_SIZE - 4, CCM_BASE,
                                      CCM_BASE + CCM_SIZE - 4};

    for (size_t i = 0; i < 4; i++) {
        set(m, places[i], 0x44332211);
        for (uint32_t byte = 0; byte < 4; byte++) {
            uint32_t value = 0;
            assert_true(bus_read(m, places[i] + byte, 1, &value));
            assert_int_equal(value, 0x11 * (byte + 1));
        }
        assert_true(bus_write(m, places[i] + 2, 2, 0xBEEF));
        assert_int_equal(get(m, places[i]), 0xBEEF2211);
    }
    assert_quiet();
}

static void the_program_is_at_zero_and_in_flash(void **state)
{
    struct machine *m = *state;
    const uint32_t vectors[] = {0x20030000, 0x08000101};

    assert_true(machine_load(m, FLASH_BASE, vectors, sizeof vectors));
    assert_int_equal(get(m, 0), 0x20030000);
    assert_int_equal(get(m, 4), 0x08000101);
    assert_int_equal(get(m, FLASH_BASE + 4), 0x08000101);
    assert_int_equal(get(m, FLASH_SIZE - 4), 0xFFFFFFFF);
    set_bits(m, RCC_APB2ENR_, 1u << 14);
    set(m, SYSCFG, 3); /* SRAM at 0 */
    set(m, SRAM_BASE + 8, 123456);
    assert_int_equal(get(m, 8), 123456);
    assert_quiet();
}

static void loading_keeps_within_flash(void **state)
{
    struct machine *m = *state;
    const uint8_t byte[2] = {0};

    assert_true(machine_load(m, FLASH_BASE + FLASH_SIZE - 2, byte, 2));
    assert_false(machine_load(m, FLASH_BASE + FLASH_SIZE - 1, byte, 2));
    assert_false(machine_load(m, FLASH_BASE - 1, byte, 2));
    assert_false(machine_load(m, SRAM_BASE, byte, 2));
    assert_false(machine_load(m, FLASH_BASE, byte, SIZE_MAX));
    assert_true(machine_load(m, 0x1FFF7A10, byte, 2));
}

static void nothing_answers_in_the_gaps(void **state)
{
    struct machine *m = *state;
    static const uint32_t gaps[] = {0x00200000,          0x08200000,          0x20030000, 0x10010000,
                                    0x40007000 + 0x1000, 0x40020000 + 0x2C00, 0x40017000, 0x50061000,
                                    0x30000000,          0xFFFFFFFC};

    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        uint32_t value = 1;
        assert_false(bus_read(m, gaps[i], 4, &value));
        assert_warned("bus error");
        assert_false(bus_write(m, gaps[i], 4, 0));
        assert_warned("bus error");
    }
    assert_int_equal(m->stop, STOP_NONE);
}

static void a_remark_on_an_access_carries_the_pc_only_inside_the_core(void **state)
{
    struct machine *m = *state;
    uint32_t value;

    m->cpu.r[15] = 0x08001234;
    assert_false(bus_read(m, 0x30000000, 4, &value));
    assert_int_equal(seen.pc, 0);
    m->core_running = true;
    assert_false(bus_read(m, 0x30000000, 4, &value));
    assert_int_equal(seen.pc, 0x08001234);
    m->core_running = false;
}

static void a_peripheral_that_is_not_modelled_ends_the_run(void **state)
{
    struct machine *m = *state;
    uint32_t value;

    assert_false(bus_read(m, 0x40013000, 4, &value));
    assert_int_equal(seen.errors, 1);
    assert_non_null(strstr(seen.last, "SPI1 is not modelled"));
    assert_int_equal(m->stop, STOP_ERROR);
}

static void a_peripheral_without_clock_reads_zero_and_takes_nothing(void **state)
{
    struct machine *m = *state;

    assert_int_equal(get(m, GPIOA), 0);
    assert_warned("its clock is off (RCC_AHB1ENR bit 0)");
    set(m, GPIOA, 0x12345678);
    assert_warned("RCC_AHB1ENR bit 0");
    set_bits(m, RCC_AHB1ENR_, 1);
    assert_int_equal(get(m, GPIOA), 0xA8000000);
    assert_int_equal(get(m, TIM2 + 0x24), 0);
    assert_warned("RCC_APB1ENR bit 0");
    assert_int_equal(get(m, SYSCFG), 0);
    assert_warned("RCC_APB2ENR bit 14");
}

static void a_reset_bit_resets_and_holds(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_AHB1ENR_, 1);
    set(m, GPIOA, 0xA8000001);
    set(m, RCC + 0x10, 1);
    set(m, GPIOA, 0xA8000001);
    assert_warned("holds it in reset");
    set(m, RCC + 0x10, 0);
    assert_int_equal(get(m, GPIOA), 0xA8000000);
    assert_quiet();
}

static void registers_refuse_what_the_manual_refuses(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_AHB1ENR_, 1u << 2 | 1u << 12);
    set_bits(m, RCC_APB1ENR_, 1);
    set(m, GPIOC + 0x10, 1);
    assert_warned("GPIOC_IDR, which is read-only");
    set(m, GPIOC + 0x04, 0x10000);
    assert_warned("reserved bits 0x00010000");
    assert_int_equal(get(m, GPIOC + 0x04), 0);
    assert_int_equal(get(m, GPIOC + 0x3C), 0);
    assert_warned("no register there");
    assert_true(bus_write(m, CRC, 1, 5));
    assert_warned("8 bits");
    assert_true(bus_write(m, TIM2 + 0x2C, 1, 5));
    assert_warned("8 bits");
    assert_int_equal(get(m, TIM2 + 0x2C), 0x05050505); /* the bridge repeats the byte */
}

static void narrow_accesses_touch_their_bytes_only(void **state)
{
    struct machine *m = *state;
    uint32_t value = 0;

    set_bits(m, RCC_AHB1ENR_, 1u << 2);
    set(m, GPIOC, 0x11223344);
    assert_true(bus_write(m, GPIOC + 1, 1, 0x55));
    assert_int_equal(get(m, GPIOC), 0x11225544);
    assert_true(bus_write(m, GPIOC + 2, 2, 0x6677));
    assert_int_equal(get(m, GPIOC), 0x66775544);
    assert_true(bus_read(m, GPIOC + 3, 1, &value));
    assert_int_equal(value, 0x66);
    assert_true(bus_write(m, GPIOC + 0x1A, 2, 0x0001)); /* BSRR's upper half: reset */
    assert_true(bus_write(m, GPIOC + 0x18, 2, 0x0006));
    assert_int_equal(get(m, GPIOC + 0x14), 6);
    assert_quiet();
}

static void a_store_to_flash_needs_permission(void **state)
{
    struct machine *m = *state;

    set(m, FLASH_BASE, 0);
    assert_warned("PGSERR");
    assert_int_equal(get(m, FLASH_BASE), 0xFFFFFFFF);
    assert_int_equal(get(m, 0x40023C0C), 1u << 7);
    set(m, 0x40023C0C, 1u << 7);
    assert_int_equal(get(m, 0x40023C0C), 0);
    assert_false(bus_write(m, 0x1FFF7A10, 4, 0));
}

static void dma_reaches_sram_and_reads_flash(void **state)
{
    struct machine *m = *state;

    assert_ptr_equal(bus_dma(m, SRAM_BASE + 16, 1524, true), m->sram + 16);
    assert_ptr_equal(bus_dma(m, FLASH_BASE, 4, false), m->flash);
    assert_ptr_equal(bus_dma(m, SRAM_BASE + SRAM_SIZE - 4, 4, true), m->sram + SRAM_SIZE - 4);
    assert_quiet();
    assert_null(bus_dma(m, FLASH_BASE, 4, true));
    assert_warned("bus error");
    assert_null(bus_dma(m, CCM_BASE, 4, false));
    assert_warned("CCM");
    assert_null(bus_dma(m, SRAM_BASE + SRAM_SIZE - 4, 5, false));
    assert_warned("bus error");
    assert_null(bus_dma(m, 0x40028000, 4, false));
    assert_warned("bus error");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(memories_answer_in_every_width),
        TEST(the_program_is_at_zero_and_in_flash),
        TEST(loading_keeps_within_flash),
        TEST(nothing_answers_in_the_gaps),
        TEST(a_remark_on_an_access_carries_the_pc_only_inside_the_core),
        TEST(a_peripheral_that_is_not_modelled_ends_the_run),
        TEST(a_peripheral_without_clock_reads_zero_and_takes_nothing),
        TEST(a_reset_bit_resets_and_holds),
        TEST(registers_refuse_what_the_manual_refuses),
        TEST(narrow_accesses_touch_their_bytes_only),
        TEST(a_store_to_flash_needs_permission),
        TEST(dma_reaches_sram_and_reads_flash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
