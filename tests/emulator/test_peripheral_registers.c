/* Every register against the manual: reset value, widths, the bits that can be written, and that the others
 * stay.
 */
#include "board_fixture.h"
#include "manual_registers.h"

enum { REGISTERS = sizeof manual_registers / sizeof manual_registers[0] };
enum { ETH = 0x40028000, ETH_DMA = 0x40029000 };

static bool is_clock_enable(uint32_t address)
{
    return address >= RCC_AHB1ENR_ && address <= RCC_APB2ENR_;
}

/* Everything clocked; the MAC with RMII, its pins and its reset over, so that its registers take writes. */
static void power_everything(struct machine *m)
{
    static const struct {
        uint8_t port, pin;
    } rmii[] = {{0, 1}, {0, 2}, {0, 7}, {1, 13}, {2, 1}, {2, 4}, {2, 5}, {6, 11}, {6, 13}};

    set(m, RCC_APB2ENR_, 0x04777F33);
    set_bits(m, RCC_AHB1ENR_, 0x1012 << 0 | 0x7FF);
    set(m, 0x40013804, 1u << 23);
    for (size_t i = 0; i < sizeof rmii / sizeof rmii[0]; i++) {
        uint32_t gpio = 0x40020000 + 0x400u * rmii[i].port, pin = rmii[i].pin;
        uint32_t afr = gpio + (pin < 8 ? 0x20 : 0x24);
        set(m, gpio, (get(m, gpio) & ~(3u << 2 * pin)) | 2u << 2 * pin);
        set(m, afr, get(m, afr) | 11u << 4 * (pin & 7));
    }
    set(m, RCC_AHB1ENR_, 0x7EF417FF);
    set(m, RCC_AHB2ENR_, 0xF1);
    set(m, RCC + 0x38, 1);
    set(m, RCC_APB1ENR_, 0xF6FEC9FF);
    set_bits(m, PWR, 1u << 8); /* DBP */
}

static struct machine *powered(void **state)
{
    struct machine *m = *state;

    power_everything(m);
    set_bits(m, ETH_DMA, 1);
    pass(m, VTIME_MS(1));
    assert_int_equal(get(m, ETH_DMA) & 1, 0);
    seen.warnings = 0; /* HSI is too slow for the MAC to work, but not for its registers */
    return m;
}

static const struct manual_register *manual_entry(uint32_t address)
{
    for (size_t i = 0; i < REGISTERS; i++) {
        if (manual_registers[i].address == address)
            return &manual_registers[i];
    }
    return NULL;
}

/* ---- The tables, register by register ---- */

static void every_modelled_register_is_in_the_manual_and_the_reverse(void **state)
{
    const struct machine *m = *state;
    size_t modelled = 0;
    char name[40];

    for (size_t i = 0; i < m->peripheral_count; i++) {
        const struct peripheral *p = m->peripherals[i];
        for (size_t k = 0; k < p->reg_count; k++) {
            const struct manual_register *r = manual_entry(p->base + p->regs[k].offset);
            if (!p->regs[k].name) {
                assert_null(r);
                continue;
            }
            snprintf(name, sizeof name, "%s_%s", p->name, p->regs[k].name);
            if (!r)
                fail_msg("%s at 0x%08x is in no list of this test", name, p->base + p->regs[k].offset);
            assert_string_equal(r->name, name);
            modelled++;
        }
    }
    assert_int_equal(modelled, REGISTERS);
}

static void the_tables_say_what_the_manual_says(void **state)
{
    const struct machine *m = *state;

    for (size_t i = 0; i < REGISTERS; i++) {
        const struct manual_register *r = &manual_registers[i];
        const struct peripheral *p = peripheral_find(m, r->address);
        const struct reg *reg = NULL;
        assert_non_null(p);
        for (size_t k = 0; k < p->reg_count; k++) {
            if (p->base + p->regs[k].offset == r->address)
                reg = &p->regs[k];
        }
        assert_non_null(reg);
        if (reg->writable != r->rw || reg->w1c != r->w1c || reg->w0c != r->w0c ||
            reg->reserved != r->reserved || reg->widths != r->widths)
            fail_msg("%s: rw %08x w1c %08x w0c %08x reserved %08x widths %x in the model", r->name,
                     reg->writable, reg->w1c, reg->w0c, reg->reserved, reg->widths);
        assert_int_equal(r->reserved & (r->rw | r->w1c | r->w0c), 0);
        assert_int_equal(r->plain & ~r->rw, 0);
    }
}

static void tables_ascend_so_that_every_register_is_found(void **state)
{
    const struct machine *m = *state;

    for (size_t i = 0; i < m->peripheral_count; i++) {
        const struct peripheral *p = m->peripherals[i];
        for (size_t k = 1; k < p->reg_count; k++)
            assert_true(p->regs[k].offset > p->regs[k - 1].offset);
        if (p->size > 0)
            assert_ptr_equal(peripheral_find(m, p->base + p->size - 1), p);
    }
}

/* ---- Over the bus ---- */

static void check_reset_value(struct machine *m, const struct manual_register *r)
{
    /* pins float or are pulled: read with the level, not here; DMABMR.SR is the reset itself */
    if (strstr(r->name, "_IDR") && strncmp(r->name, "GPIO", 4) == 0)
        return;
    if (get(m, r->address) != r->reset)
        fail_msg("%s is 0x%08x after reset, not 0x%08x", r->name, get(m, r->address), r->reset);
}

static void every_register_starts_as_the_manual_says(void **state)
{
    struct machine *m = *state;

    for (size_t i = 0; i < REGISTERS; i++) {
        if (is_clock_enable(manual_registers[i].address))
            check_reset_value(m, &manual_registers[i]);
    }
    set_bits(m, RCC_AHB1ENR_, 0x7EF417FF);
    set(m, RCC_AHB2ENR_, 0xF1);
    set(m, RCC_APB1ENR_, 0xF6FEC9FF);
    set(m, RCC_APB2ENR_, 0x04777F33);
    for (size_t i = 0; i < REGISTERS; i++) {
        if (!is_clock_enable(manual_registers[i].address))
            check_reset_value(m, &manual_registers[i]);
    }
}

/* Four clocks of the MAC between two writes to one register (ES0206 2.17.5). */
static void write_plain(struct machine *m, const struct manual_register *r, uint32_t value)
{
    set(m, r->address, value);
    if (r->address - ETH < 0x1400)
        pass(m, VTIME_US(10));
}

static uint32_t hold_pattern(struct machine *m, const struct manual_register *r, uint32_t before,
                             uint32_t pattern)
{
    uint32_t value = (before & ~r->plain) | (pattern & r->plain);

    write_plain(m, r, value);
    if ((get(m, r->address) ^ value) & (r->plain | r->reserved))
        fail_msg("%s reads 0x%08x after 0x%08x was written", r->name, get(m, r->address), value);
    return value;
}

static void writable_bits_hold_what_is_written(void **state)
{
    static const uint32_t patterns[] = {0xFFFFFFFF, 0x55555555, 0xAAAAAAAA, 0};
    struct machine *m = powered(state);
    unsigned checked = 0;

    for (size_t i = 0; i < REGISTERS; i++) {
        const struct manual_register *r = &manual_registers[i];
        if (!r->plain || strstr(r->name, "_CNT"))
            continue;
        uint32_t before = get(m, r->address);
        for (size_t k = 0; k < sizeof patterns / sizeof patterns[0]; k++)
            hold_pattern(m, r, before, patterns[k]);
        write_plain(m, r, before);
        checked++;
        assert_int_equal(seen.errors, 0);
    }
    assert_true(checked > 150);
}

static void reserved_bits_stay_and_a_write_to_them_is_reported(void **state)
{
    struct machine *m = powered(state);
    unsigned checked = 0;

    for (size_t i = 0; i < REGISTERS; i++) {
        const struct manual_register *r = &manual_registers[i];
        if (!r->reserved || is_clock_enable(r->address))
            continue;
        uint32_t before = get(m, r->address) & ~r->w1c;
        seen.warnings = 0;
        /* the rest as it is, what is cleared by 0 as 1; the flag that starts a reset stays 0 */
        write_plain(m, r, (before & ~r->reserved) | r->w0c | (~r->reset & r->reserved));
        if (seen.warnings == 0)
            fail_msg("%s: writing reserved bits was not reported", r->name);
        if ((get(m, r->address) ^ r->reset) & r->reserved & ~0xFE000000u * (r->address == RCC + 0x74))
            fail_msg("%s: reserved bits changed to 0x%08x", r->name, get(m, r->address));
        checked++;
    }
    assert_true(checked > 150);
    assert_int_equal(seen.errors, 0);
}

static void check_width(struct machine *m, const struct manual_register *r, unsigned bytes)
{
    uint32_t value = 0;
    bool allowed = r->widths & (bytes | 8u);

    seen.warnings = 0;
    assert_true(bus_read(m, r->address, bytes, &value));
    if ((seen.warnings == 0) != allowed)
        fail_msg("%s: a read of %u bits was %sreported", r->name, bytes * 8, allowed ? "" : "not ");
}

static void narrow_reads_are_reported_where_the_manual_forbids_them(void **state)
{
    struct machine *m = powered(state);

    set(m, 0x50060800, 4); /* the RNG, or reading DR would be reported for another reason */
    for (size_t i = 0; i < REGISTERS; i++) {
        if (strcmp(manual_registers[i].name, "RNG_DR") == 0)
            continue;
        check_width(m, &manual_registers[i], 1);
        check_width(m, &manual_registers[i], 2);
        check_width(m, &manual_registers[i], 4);
    }
}

/* The bridge repeats a narrow datum over the word where narrow writes are not foreseen. */
static void narrow_writes_do_what_the_bus_does(void **state)
{
    struct machine *m = powered(state);
    unsigned lanes = 0, repeated = 0;

    for (size_t i = 0; i < REGISTERS; i++) {
        const struct manual_register *r = &manual_registers[i];
        if ((r->plain & 0xFFFF) != 0xFFFF || strstr(r->name, "ETH_MAC"))
            continue;
        bool by_byte = r->widths & 1;
        uint32_t before = get(m, r->address);
        seen.warnings = 0;
        assert_true(bus_write(m, r->address, 1, 0x12));
        uint32_t expected = by_byte ? (before & ~0xFFu) | 0x12 : (before & ~r->rw) | (0x12121212 & r->rw);
        if (get(m, r->address) != expected)
            fail_msg("%s: 0x%08x after a byte was written, expected 0x%08x", r->name, get(m, r->address),
                     expected);
        assert_int_equal(seen.warnings > 0, !by_byte);
        set(m, r->address, before);
        lanes += by_byte;
        repeated += !by_byte;
    }
    assert_true(lanes > 50 && repeated > 10);
}

static void read_only_registers_stay(void **state)
{
    struct machine *m = powered(state);
    static const char *const read_only[] = {
        "GPIOC_IDR",   "IWDG_SR",     "DBGMCU_IDCODE", "ADC1_JDR1",    "ADC1_DR",      "ADC1_CSR",
        "ADC1_CDR",    "RNG_DR",      "ETH_MACDBGR",   "ETH_MACSR",    "ETH_MMCRIR",   "ETH_MMCTGFCR",
        "ETH_PTPTSHR", "ETH_PTPTSSR", "ETH_DMAMFBOCR", "ETH_DMACHTDR", "ETH_DMACHRBAR"};
    for (size_t i = 0; i < REGISTERS; i++) {
        for (size_t k = 0; k < sizeof read_only / sizeof read_only[0]; k++) {
            const struct manual_register *r = &manual_registers[i];
            if (strcmp(r->name, read_only[k]) != 0)
                continue;
            seen.warnings = 0;
            uint32_t before = peripheral_find(m, r->address)->value[0];
            set(m, r->address, 0xFFFFFFFF);
            assert_warned("read-only");
            assert_int_equal(peripheral_find(m, r->address)->value[0], before);
        }
    }
}

/* A peripheral without its clock answers nothing, and one held in reset is at its reset values. */
static void clock_gates_and_reset_lines_work_for_each(void **state)
{
    struct machine *m = powered(state);
    unsigned gated = 0, reset = 0;

    for (size_t i = 0; i < m->peripheral_count; i++) {
        const struct peripheral *p = m->peripherals[i];
        if (p->gate.enable_offset == 0 || p->reg_count == 0 || strcmp(p->name, "ETH") == 0)
            continue;
        uint32_t enable = RCC + p->gate.enable_offset, bit = 1u << p->gate.enable_bit;
        if (p->gate.reset_offset) {
            uint32_t line = RCC + p->gate.reset_offset, reset_bit = 1u << p->gate.reset_bit;
            set(m, line, reset_bit);
            for (size_t k = 0; k < p->reg_count; k++)
                assert_int_equal(p->value[k], p->regs[k].reset);
            (void)get(m, p->base);
            assert_warned("holds it in reset");
            set(m, line, 0);
            reset++;
        }
        set(m, enable, get(m, enable) & ~bit);
        assert_int_equal(get(m, p->base), 0);
        assert_warned("its clock is off");
        set(m, enable, get(m, enable) | bit);
        gated++;
    }
    assert_true(gated >= 19 && reset >= 18);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_modelled_register_is_in_the_manual_and_the_reverse),
        TEST(the_tables_say_what_the_manual_says),
        TEST(tables_ascend_so_that_every_register_is_found),
        TEST(every_register_starts_as_the_manual_says),
        TEST(writable_bits_hold_what_is_written),
        TEST(reserved_bits_stay_and_a_write_to_them_is_reported),
        TEST(narrow_reads_are_reported_where_the_manual_forbids_them),
        TEST(narrow_writes_do_what_the_bus_does),
        TEST(read_only_registers_stay),
        TEST(clock_gates_and_reset_lines_work_for_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
