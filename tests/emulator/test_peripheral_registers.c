/* Every register against the manual: reset value, the bits that can be written, and that the others stay. */
#include "board_fixture.h"

/*
 * From RM0090's register maps: 6.3.25, 5.5, 3.9.11, 9.3.8, 12.3.7, 8.4.11, 18.4.21,
 * 24.4.4, 21.4.5, 30.6.8, 38.16, 4.4.4. `writable` are the bits that read back as
 * written with no further effect that this test would have to know of; what
 * does more is left to the directed tests.
 */
static const struct expectation {
    const char *name;
    uint32_t address, reset, writable;
} expectations[] = {
    {"RCC_CR", 0x40023800, 0x00000083, 0x000000F8},
    {"RCC_PLLCFGR", 0x40023804, 0x24003010, 0x0F437FFF},
    {"RCC_CFGR", 0x40023808, 0x00000000, 0xFFFF0000},
    {"RCC_CIR", 0x4002380C, 0x00000000, 0x00007F00},
    {"RCC_AHB1ENR", 0x40023830, 0x00100000, 0x7EF417FF},
    {"RCC_AHB2ENR", 0x40023834, 0x00000000, 0x000000F1},
    {"RCC_AHB3ENR", 0x40023838, 0x00000000, 0x00000001},
    {"RCC_APB1ENR", 0x40023840, 0x00000000, 0xF6FEC9FF},
    {"RCC_APB2ENR", 0x40023844, 0x00000000, 0x04777F33},
    {"RCC_AHB1LPENR", 0x40023850, 0x7EEF97FF, 0x7EEF97FF},
    {"RCC_AHB2LPENR", 0x40023854, 0x000000F1, 0x000000F1},
    {"RCC_APB1LPENR", 0x40023860, 0xF6FEC9FF, 0xF6FEC9FF},
    {"RCC_APB2LPENR", 0x40023864, 0x04777F33, 0x04777F33},
    {"RCC_BDCR", 0x40023870, 0x00000000, 0x00000000},
    {"RCC_CSR", 0x40023874, 0x0E000000, 0x00000000},
    {"RCC_PLLI2SCFGR", 0x40023884, 0x24003000, 0x7F007FC0},
    {"RCC_DCKCFGR", 0x4002388C, 0x00000000, 0x01F31F1F},
    {"PWR_CR", 0x40007000, 0x0000C000, 0x00000DF3},
    {"PWR_CSR", 0x40007004, 0x00000000, 0x00000300},
    {"FLASH_ACR", 0x40023C00, 0x00000000, 0x0000070F},
    {"FLASH_SR", 0x40023C0C, 0x00000000, 0x00000000},
    {"FLASH_CR", 0x40023C10, 0x80000000, 0x00000000},
    {"FLASH_OPTCR", 0x40023C14, 0x0FFFAAED, 0x00000000},
    {"FLASH_OPTCR1", 0x40023C18, 0x0FFF0000, 0x00000000},
    {"SYSCFG_PMC", 0x40013804, 0x00000000, 0x00870000},
    {"SYSCFG_EXTICR1", 0x40013808, 0x00000000, 0x0000FFFF},
    {"SYSCFG_EXTICR4", 0x40013814, 0x00000000, 0x0000FFFF},
    {"EXTI_IMR", 0x40013C00, 0x00000000, 0x007FFFFF},
    {"EXTI_RTSR", 0x40013C08, 0x00000000, 0x007FFFFF},
    {"EXTI_FTSR", 0x40013C0C, 0x00000000, 0x007FFFFF},
    {"EXTI_PR", 0x40013C14, 0x00000000, 0x00000000},
    {"GPIOA_MODER", 0x40020000, 0xA8000000, 0xFFFFFFFF},
    {"GPIOA_OSPEEDR", 0x40020008, 0x0C000000, 0xFFFFFFFF},
    {"GPIOA_PUPDR", 0x4002000C, 0x64000000, 0xFFFFFFFF},
    {"GPIOB_MODER", 0x40020400, 0x00000280, 0xFFFFFFFF},
    {"GPIOB_OSPEEDR", 0x40020408, 0x000000C0, 0xFFFFFFFF},
    {"GPIOB_PUPDR", 0x4002040C, 0x00000100, 0xFFFFFFFF},
    {"GPIOK_MODER", 0x40022800, 0x00000000, 0xFFFFFFFF},
    {"GPIOK_OTYPER", 0x40022804, 0x00000000, 0x0000FFFF},
    {"GPIOK_ODR", 0x40022814, 0x00000000, 0x0000FFFF},
    {"GPIOK_BSRR", 0x40022818, 0x00000000, 0x00000000},
    {"GPIOK_AFRL", 0x40022820, 0x00000000, 0xFFFFFFFF},
    {"GPIOK_AFRH", 0x40022824, 0x00000000, 0xFFFFFFFF},
    {"TIM2_CR1", 0x40000000, 0x00000000, 0x0000038E},
    {"TIM2_DIER", 0x4000000C, 0x00000000, 0x0000005F},
    {"TIM2_SR", 0x40000010, 0x00000000, 0x00000000},
    {"TIM2_CNT", 0x40000024, 0x00000000, 0xFFFFFFFF},
    {"TIM2_PSC", 0x40000028, 0x00000000, 0x0000FFFF},
    {"TIM2_ARR", 0x4000002C, 0xFFFFFFFF, 0xFFFFFFFF},
    {"TIM2_CCR1", 0x40000034, 0x00000000, 0xFFFFFFFF},
    {"TIM5_ARR", 0x40000C2C, 0xFFFFFFFF, 0xFFFFFFFF},
    {"TIM5_CCR4", 0x40000C40, 0x00000000, 0xFFFFFFFF},
    {"RNG_CR", 0x50060800, 0x00000000, 0x00000008},
    {"RNG_SR", 0x50060804, 0x00000000, 0x00000000},
    {"IWDG_PR", 0x40003004, 0x00000000, 0x00000000},
    {"IWDG_RLR", 0x40003008, 0x00000FFF, 0x00000000},
    {"IWDG_SR", 0x4000300C, 0x00000000, 0x00000000},
    {"USART3_SR", 0x40004800, 0x000000C0, 0x00000000},
    {"USART3_BRR", 0x40004808, 0x00000000, 0x0000FFFF},
    {"USART3_CR1", 0x4000480C, 0x00000000, 0x0000202C},
    {"DBGMCU_IDCODE", 0xE0042000, 0x20036419, 0x00000000},
    {"DBGMCU_CR", 0xE0042004, 0x00000000, 0x000000E7},
    {"DBGMCU_APB1_FZ", 0xE0042008, 0x00000000, 0x06E01DFF},
    {"CRC_DR", 0x40023000, 0xFFFFFFFF, 0x00000000},
    {"CRC_IDR", 0x40023004, 0x00000000, 0x000000FF},
};

static void power_all_clocks(struct machine *m)
{
    set(m, RCC_AHB1ENR_, 0x7EF417FF);
    set(m, RCC_AHB2ENR_, 0xF1);
    set(m, RCC_APB1ENR_, 0xF6FEC9FF);
    set(m, RCC_APB2ENR_, 0x04777F33);
}

static bool is_enable_register(uint32_t address)
{
    return address >= RCC_AHB1ENR_ && address <= RCC_APB2ENR_;
}

static void every_register_starts_as_the_manual_says(void **state)
{
    struct machine *m = *state;

    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        const struct expectation *e = &expectations[i];
        if (is_enable_register(e->address) && get(m, e->address) != e->reset)
            fail_msg("%s is 0x%08x at reset, not 0x%08x", e->name, get(m, e->address), e->reset);
    }
    power_all_clocks(m);
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        const struct expectation *e = &expectations[i];
        if (!is_enable_register(e->address) && get(m, e->address) != e->reset)
            fail_msg("%s is 0x%08x at reset, not 0x%08x", e->name, get(m, e->address), e->reset);
    }
}

static void writable_bits_hold_what_is_written(void **state)
{
    struct machine *m = *state;
    static const uint32_t patterns[] = {0xFFFFFFFF, 0x55555555, 0xAAAAAAAA, 0};

    power_all_clocks(m);
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        const struct expectation *e = &expectations[i];
        uint32_t before = get(m, e->address);
        for (size_t k = 0; k < 4 && e->writable; k++) {
            if (is_enable_register(e->address) || strstr(e->name, "CNT"))
                continue;
            uint32_t value = (before & ~e->writable) | (patterns[k] & e->writable);
            set(m, e->address, value);
            if (get(m, e->address) != value)
                fail_msg("%s reads 0x%08x after 0x%08x was written", e->name, get(m, e->address), value);
        }
        if (e->writable && !is_enable_register(e->address))
            set(m, e->address, before);
    }
    assert_int_equal(seen.errors, 0);
}

/* For every register of every table of the board's own: the reserved bits cannot be written, and trying is
 * reported. */
static void reserved_bits_stay(void **state)
{
    struct machine *m = *state;
    unsigned checked = 0;

    power_all_clocks(m);
    for (size_t i = 0; i < m->peripheral_count; i++) {
        struct peripheral *p = m->peripherals[i];
        for (size_t k = 0; k < p->reg_count; k++) {
            const struct reg *reg = &p->regs[k];
            if (!reg->reserved)
                continue;
            assert_int_equal(reg->reserved & (reg->writable | reg->w1c | reg->w0c), 0);
            uint32_t before = p->value[k], flip = reg->reserved & ~reg->writable;
            seen.warnings = 0;
            set(m, p->base + reg->offset, (before & ~flip) | (~reg->reset & flip));
            if (seen.warnings == 0)
                fail_msg("%s_%s: writing reserved bits was not reported", p->name, reg->name);
            if ((p->value[k] ^ before) & reg->reserved)
                fail_msg("%s_%s: reserved bits changed", p->name, reg->name);
            checked++;
        }
    }
    assert_true(checked > 100);
    assert_int_equal(seen.errors, 0);
}

static void tables_ascend_so_that_every_register_is_found(void **state)
{
    struct machine *m = *state;

    for (size_t i = 0; i < m->peripheral_count; i++) {
        const struct peripheral *p = m->peripherals[i];
        for (size_t k = 1; k < p->reg_count; k++)
            assert_true(p->regs[k].offset > p->regs[k - 1].offset);
        if (p->size > 0)
            assert_ptr_equal(peripheral_find(m, p->base + p->size - 1), p);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_register_starts_as_the_manual_says),
        TEST(writable_bits_hold_what_is_written),
        TEST(reserved_bits_stay),
        TEST(tables_ascend_so_that_every_register_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
