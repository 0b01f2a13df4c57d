/* The management interface and the PHY: what a driver sees before any frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ethernet_bench.h"

static int setup(void **state)
{
    *state = bench_new();
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    return 0;
}

static void soft_reset_ends_with_clocks_only(void **state)
{
    struct bench *b = *state;
    bench_select_rmii(b);
    bench_enable_clocks(b);
    assert_false(bench_soft_reset(b));
    assert_true(bench_reported(b, "reset does not end"));
    assert_true(bench_reported(b, "REF_CLK PA1 is not routed"));
    bench_route_pins(b);
    bench_wait(b, VTIME_US(10));
    (void)bench_read(b, ETH_DMABMR);
    bench_wait(b, VTIME_US(10));
    assert_int_equal(bench_read(b, ETH_DMABMR), 0x00020100);
}

static void rmii_after_the_clock_is_too_late(void **state)
{
    struct bench *b = *state;
    bench_route_pins(b);
    bench_enable_clocks(b);
    bench_select_rmii(b);
    assert_false(bench_soft_reset(b));
    assert_true(bench_reported(b, "after the MAC's clock was switched on"));
}

static void transmit_clock_gate_is_needed(void **state)
{
    struct bench *b = *state;
    bench_select_rmii(b);
    bench_route_pins(b);
    bench_write(b, RCC_AHB1ENR_ADDRESS, bench_read(b, RCC_AHB1ENR_ADDRESS) | 5u << 25);
    assert_false(bench_soft_reset(b));
    assert_true(bench_reported(b, "ETHMACTXEN"));
}

static void a_write_during_the_reset_is_lost(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    bench_write(b, ETH_DMABMR, DMABMR_SR);
    bench_write(b, ETH_MACFFR, 1);
    assert_true(bench_reported(b, "ETH_MACFFR written while the reset is under way"));
    bench_wait(b, VTIME_US(10));
    assert_int_equal(bench_read(b, ETH_MACFFR), 0);
}

static void reset_values(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    assert_true(bench_soft_reset(b));
    assert_int_equal(bench_read(b, ETH_MACCR), 0x8000);
    assert_int_equal(bench_read(b, ETH_MACA0HR), 0x8000FFFF);
    assert_int_equal(bench_read(b, ETH_MACA1HR), 0x0000FFFF);
    assert_int_equal(bench_read(b, 0x40028700), 0x2000);
    assert_int_equal(bench_read(b, ETH_DMASR), 0);
    assert_int_equal(b->report_count, 0);
}

static void smi_reads_the_ids(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    assert_int_equal(bench_smi_read(b, 0, 2), 0x0007);
    assert_int_equal(bench_smi_read(b, 0, 3) & 0xFFF0, 0xC130);
    assert_int_equal(bench_smi_read(b, 1, 2), 0xFFFF);
    assert_int_equal(bench_smi_read(b, 31, 1), 0xFFFF);
    assert_int_equal(b->report_count, 0);
}

/* 64 bits of MDC, 48 MHz / 42: 56 us. */
/* LAN8742A datasheet, section 4.2: after a reset without a cable, and the bits that hold what is written. */
static const struct phy_register {
    uint8_t number;
    uint16_t reset;
    uint16_t plain; /* holds what is written, and does nothing that hinders the next access */
    bool writable;
} phy_registers[] = {
    {0, 0x3000, 0x0000, true},                              /* basic control: its bits act, the tests below */
    {1, 0x7809, 0x0000, false},                             /* basic status */
    {2, 0x0007, 0x0000, false},                             /* identifiers */
    {3, 0xC131, 0x0000, false},  {4, 0x01E1, 0xADFF, true}, /* advertisement */
    {5, 0x0000, 0x0000, false},  {6, 0x0000, 0x0000, false},
    {17, 0x0000, 0x2240, true}, /* mode control: EDPWRDOWN, FARLOOPBACK, ALTINT */
    {18, 0x00E0, 0x00FF, true}, /* special modes: MODE, PHYAD as strapped */
    {26, 0x0000, 0x0000, false}, {27, 0x0000, 0xA800, true}, /* AMDIXCTRL, CH_SELECT, SQEOFF */
    {29, 0x0000, 0x0000, false}, {30, 0x0000, 0x01FE, true}, /* interrupt mask */
    {31, 0x0040, 0x0000, false},
};

static void every_register_of_the_phy(void **state)
{
    static const uint16_t patterns[] = {0xFFFF, 0x5555, 0xAAAA, 0};
    struct bench *b = *state;

    ethernet_cable(b->m, false);
    bench_bring_up(b);
    bench_smi_write(b, 0, 0, 0x8000);
    bench_wait(b, VTIME_MS(500));
    for (size_t i = 0; i < sizeof phy_registers / sizeof phy_registers[0]; i++) {
        const struct phy_register *r = &phy_registers[i];
        (void)bench_smi_read(b, 0, r->number == 29 ? 29 : 2); /* 29 is cleared by reading */
        assert_int_equal(bench_smi_read(b, 0, r->number), r->reset);
        b->report_count = 0;
        if (!r->writable) {
            bench_smi_write(b, 0, r->number, (uint16_t)~r->reset);
            assert_true(bench_reported(b, "read-only"));
            assert_int_equal(bench_smi_read(b, 0, r->number), r->reset);
        }
        for (size_t k = 0; r->plain && k < 4; k++) {
            bench_smi_write(b, 0, r->number, patterns[k]);
            assert_int_equal(bench_smi_read(b, 0, r->number),
                             (r->reset & ~r->plain) | (patterns[k] & r->plain));
        }
    }
}

static void smi_takes_its_time(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    bench_write(b, ETH_MACMIIAR, 2 << 6 | MACMIIAR_MB);
    bench_wait(b, VTIME_US(55));
    assert_true(bench_read(b, ETH_MACMIIAR) & MACMIIAR_MB);
    bench_write(b, ETH_MACMIIAR, 3 << 6 | MACMIIAR_MB);
    assert_true(bench_reported(b, "ETH_MACMIIAR written while MB is set"));
    bench_wait(b, VTIME_US(2));
    assert_false(bench_read(b, ETH_MACMIIAR) & MACMIIAR_MB);
    assert_int_equal(bench_read(b, ETH_MACMIIDR), 0x0007);
}

static void too_fast_mdc_is_reported(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    bench_write(b, ETH_MACMIIAR, 2u << 6 | 2u << 2 | MACMIIAR_MB);
    assert_true(bench_reported(b, "2.5 MHz is the most"));
}

static void auto_negotiation_brings_the_link(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    bench_wait(b, VTIME_MS(1000));
    assert_int_equal(bench_smi_read(b, 0, 1) & 0x24, 0);
    assert_int_equal(bench_smi_read(b, 0, 31) & 0x1000, 0);
    assert_true(bench_wait_link(b, VTIME_MS(2000)));
    assert_int_equal(bench_smi_read(b, 0, 1) & 0x24, 0x24);
    assert_int_equal(bench_smi_read(b, 0, 31), 0x1058);
    assert_int_equal(bench_smi_read(b, 0, 5) & 0x41E0, 0x41E0);
}

static void cable_out_and_in(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    assert_true(bench_wait_link(b, VTIME_S(3)));
    ethernet_cable(b->m, false);
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 0);
    assert_int_equal(bench_smi_read(b, 0, 29) & 0x10, 0x10);
    assert_int_equal(bench_smi_read(b, 0, 29), 0);
    assert_false(bench_wait_link(b, VTIME_S(5)));
    ethernet_cable(b->m, true);
    assert_false(bench_wait_link(b, VTIME_MS(1500)));
    assert_true(bench_wait_link(b, VTIME_MS(1000)));
}

static void a_short_loss_is_latched(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    assert_true(bench_wait_link(b, VTIME_S(3)));
    ethernet_cable(b->m, false);
    ethernet_cable(b->m, true);
    bench_wait(b, VTIME_S(3));
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 0);
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 4);
}

/* Read while the link is down: the latch holds on until the first read after it has come up. */
static void the_latch_outlasts_a_read_without_link(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 0);
    bench_wait(b, VTIME_S(3));
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 0);
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 4);
}

static void soft_reset_of_the_phy(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    bench_smi_write(b, 0, 4, 0x0061);
    bench_smi_write(b, 0, 0, 0x8000);
    assert_true(bench_smi_read(b, 0, 0) & 0x8000);
    bench_smi_write(b, 0, 4, 0x0021);
    assert_true(bench_reported(b, "during its soft reset"));
    bench_wait(b, VTIME_MS(500));
    assert_int_equal(bench_smi_read(b, 0, 0), 0x3000);
    assert_int_equal(bench_smi_read(b, 0, 4), 0x01E1);
}

static void partner_decides_speed_and_duplex(void **state)
{
    static const struct {
        uint16_t partner, ours, status;
    } cases[] = {
        {0x0021, 0x01E1, 1 << 2}, {0x0061, 0x01E1, 5 << 2}, {0x00A1, 0x01E1, 2 << 2},
        {0x01E1, 0x0061, 5 << 2}, {0x01E1, 0x01E1, 6 << 2},
    };
    struct bench *b = *state;
    bench_bring_up(b);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ethernet_partner(b->m, cases[i].partner);
        bench_smi_write(b, 0, 4, cases[i].ours);
        bench_smi_write(b, 0, 0, 0x1200);
        assert_true(bench_wait_link(b, VTIME_S(3)));
        assert_int_equal(bench_smi_read(b, 0, 31) & 0x1C, cases[i].status);
    }
    ethernet_partner(b->m, 0x0021);
    bench_smi_write(b, 0, 4, 0x0101);
    bench_smi_write(b, 0, 0, 0x1200);
    assert_false(bench_wait_link(b, VTIME_S(5)));
}

static void parallel_detection_takes_half_duplex(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    ethernet_partner_forced(b->m, PHY_100_FULL);
    assert_true(bench_wait_link(b, VTIME_S(3)));
    assert_int_equal(bench_smi_read(b, 0, 31) & 0x1C, 2 << 2);
    assert_int_equal(bench_smi_read(b, 0, 6) & 1, 0);
}

/* A system reset is an NRST pulse: the link comes anew. The MAC's bit in RCC leaves the PHY alone. */
static void what_resets_the_phy(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    assert_true(bench_wait_link(b, VTIME_S(3)));
    bench_write(b, RCC_AHB1RSTR_ADDRESS, 1u << 25);
    bench_write(b, RCC_AHB1RSTR_ADDRESS, 0);
    assert_int_equal(bench_read(b, ETH_MACA0LR), 0xFFFFFFFF);
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 4);
    machine_request_reset(b->m, RESET_SOFTWARE);
    bench_wait(b, VTIME_US(10));
    bench_bring_up(b);
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 0);
    assert_true(bench_wait_link(b, VTIME_S(3)));
}

static void power_down_takes_link_and_ref_clock(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    assert_true(bench_wait_link(b, VTIME_S(3)));
    bench_smi_write(b, 0, 0, 0x3800);
    assert_int_equal(bench_smi_read(b, 0, 1) & 4, 0);
    assert_false(bench_soft_reset(b));
    assert_true(bench_reported(b, "no REF_CLK"));
}

/* No REF_CLK, so SR stands after the MAC's hardware reset; SMI needs HCLK only. */
static void smi_wakes_a_phy_that_gives_no_clock(void **state)
{
    struct bench *b = *state;
    bench_bring_up(b);
    bench_smi_write(b, 0, 0, 0x3800);
    bench_write(b, RCC_AHB1RSTR_ADDRESS, 1u << 25);
    bench_write(b, RCC_AHB1RSTR_ADDRESS, 0);
    assert_true(bench_read(b, ETH_DMABMR) & DMABMR_SR);
    b->report_count = 0;
    assert_int_equal(bench_smi_read(b, 0, 2), 0x0007);
    bench_smi_write(b, 0, 0, 0x3000);
    assert_false(bench_read(b, ETH_DMABMR) & DMABMR_SR);
    assert_int_equal(b->report_count, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(soft_reset_ends_with_clocks_only),
        TEST(rmii_after_the_clock_is_too_late),
        TEST(transmit_clock_gate_is_needed),
        TEST(a_write_during_the_reset_is_lost),
        TEST(reset_values),
        TEST(smi_reads_the_ids),
        TEST(every_register_of_the_phy),
        TEST(smi_takes_its_time),
        TEST(too_fast_mdc_is_reported),
        TEST(auto_negotiation_brings_the_link),
        TEST(cable_out_and_in),
        TEST(a_short_loss_is_latched),
        TEST(the_latch_outlasts_a_read_without_link),
        TEST(soft_reset_of_the_phy),
        TEST(partner_decides_speed_and_duplex),
        TEST(parallel_detection_takes_half_duplex),
        TEST(what_resets_the_phy),
        TEST(power_down_takes_link_and_ref_clock),
        TEST(smi_wakes_a_phy_that_gives_no_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
