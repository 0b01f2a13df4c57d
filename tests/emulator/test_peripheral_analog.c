/* ADC1 with its internal sources. */
#include "board_fixture.h"

enum {
    ADC = 0x40012000,
    SR = ADC,
    CR1 = ADC + 0x04,
    CR2 = ADC + 0x08,
    SMPR1 = ADC + 0x0C,
    SMPR2 = ADC + 0x10,
    JOFR1 = ADC + 0x14,
    HTR = ADC + 0x24,
    LTR = ADC + 0x28,
    SQR1 = ADC + 0x2C,
    SQR3 = ADC + 0x34,
    JSQR = ADC + 0x38,
    JDR1 = ADC + 0x3C,
    JDR2 = ADC + 0x40,
    DR = ADC + 0x4C,
    CSR = ADC + 0x300,
    CCR = ADC + 0x304,
    IRQ_ADC = 18,
    AWD = 1 << 0,
    EOC = 1 << 1,
    JEOC = 1 << 2,
    JSTRT = 1 << 3,
    STRT = 1 << 4,
    OVR = 1 << 5,
    ADON = 1,
    CONT = 2,
    EOCS = 1 << 10,
    ALIGN = 1 << 11,
    SWSTART = 1 << 30,
    JSWSTART = 1 << 22,
    TSVREFE = 1 << 23,
    VBATE = 1 << 22,
};

static void switch_on(struct machine *m)
{
    set_bits(m, RCC_APB2ENR_, 1u << 8);
    set(m, CCR, TSVREFE);
    set(m, CR2, ADON);
    pass(m, VTIME_US(20));
}

static uint32_t convert(struct machine *m, uint32_t channel)
{
    set(m, SMPR1, 0x07FFFFFF);
    set(m, SMPR2, 0x3FFFFFFF);
    set(m, SQR3, channel);
    set_bits(m, CR2, SWSTART);
    pass(m, VTIME_US(100));
    assert_int_equal(get(m, SR) & EOC, EOC);
    return get(m, DR);
}

static uint32_t half(struct machine *m, uint32_t address)
{
    uint32_t value = 0;

    assert_true(bus_read(m, address, 2, &value));
    return value;
}

/* As a program reckons: RM0090 13.10 with the factory's two points. */
static int32_t temperature_mc(struct machine *m, uint32_t reading)
{
    int32_t cold = (int32_t)half(m, 0x1FFF7A2C), hot = (int32_t)half(m, 0x1FFF7A2E);

    return ((int32_t)reading - cold) * 80000 / (hot - cold) + 30000;
}

static void the_temperature_is_found_by_the_calibration(void **state)
{
    static const int32_t set_mc[] = {-40000, 0, 25000, 30000, 85000, 110000, 125000};
    struct machine *m = *state;

    switch_on(m);
    for (size_t i = 0; i < sizeof set_mc / sizeof set_mc[0]; i++) {
        m->surroundings.temperature_mc = set_mc[i];
        assert_in_range(temperature_mc(m, convert(m, 18)) - set_mc[i] + 400, 0, 800);
    }
    assert_quiet();
}

static void chips_differ_and_lie_within_the_datasheet(void **state)
{
    uint32_t first = 0;
    bool differ = false;
    (void)state;

    for (uint64_t seed = 1; seed < 30; seed++) {
        struct machine *m = new_board(seed);
        uint32_t cold = half(m, 0x1FFF7A2C), hot = half(m, 0x1FFF7A2E), reference = half(m, 0x1FFF7A2A);
        first = first ? first : cold;
        differ = differ || cold != first;
        assert_in_range(cold, 930, 990);
        assert_in_range(hot - cold, 238, 258);
        assert_in_range(reference, 1464, 1538); /* 1.18 to 1.24 V */
        machine_destroy(m);
    }
    assert_true(differ);
}

static void the_reference_tells_the_supply(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    for (uint32_t vdda = 1800; vdda <= 3600; vdda += 300) {
        m->surroundings.vdda_mv = vdda;
        uint32_t found = 3300 * half(m, 0x1FFF7A2A) / convert(m, 17);
        assert_in_range(found, vdda - 3, vdda + 3);
    }
}

static void vbat_is_a_quarter_and_wins_over_the_sensor(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    m->surroundings.vbat_mv = 3000;
    set(m, CCR, TSVREFE | VBATE);
    assert_in_range(convert(m, 18), 930, 932);
}

static void inputs_read_their_voltage_to_full_scale(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    adc_drive(m, 3, 1650);
    adc_drive(m, 10, 5000);
    assert_int_equal(convert(m, 3), 2048);
    assert_int_equal(convert(m, 10), 4095);
    assert_int_equal(convert(m, 4), 0);
    assert_quiet();
    assert_int_equal(convert(m, 16), 0);
    assert_warned("nothing is connected");
    set(m, CCR, 0);
    assert_int_equal(convert(m, 18), 0);
    assert_warned("TSVREFE");
}

static void resolution_and_alignment(void **state)
{
    static const uint32_t right[] = {0xABC, 0x2AF, 0xAB, 0x2A}, left[] = {0xABC0, 0xABC0, 0xAB00, 0xA8};
    struct machine *m = *state;

    switch_on(m);
    m->surroundings.vdda_mv = 4095;
    adc_drive(m, 0, 0xABC);
    for (uint32_t i = 0; i < 4; i++) {
        set(m, CR1, i << 24);
        set(m, CR2, ADON);
        assert_int_equal(convert(m, 0), right[i]);
        set(m, CR2, ADON | ALIGN);
        assert_int_equal(convert(m, 0), left[i]);
    }
}

/* HSI 16 MHz, ADCCLK 8 MHz: (sampling + bits) clocks of 2 cycles. */
static void a_conversion_takes_sampling_and_bits(void **state)
{
    static const uint32_t sampling[] = {3, 15, 28, 56, 84, 112, 144, 480};
    struct machine *m = *state;

    switch_on(m);
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t resolution = 0; resolution < 4; resolution++) {
            uint32_t cycles = 2 * (sampling[i] + 12 - 2 * resolution);
            set(m, CR1, resolution << 24);
            set(m, SMPR2, i);
            set_bits(m, CR2, SWSTART);
            assert_int_equal(get(m, SR) & STRT, STRT);
            pass_cycles(m, cycles - 1);
            assert_int_equal(get(m, SR) & EOC, 0);
            pass_cycles(m, 1);
            assert_int_equal(get(m, SR) & EOC, EOC);
            (void)get(m, DR);
            assert_int_equal(get(m, SR) & EOC, 0);
        }
    }
    assert_quiet();
}

static void a_scan_converts_in_order_and_signals_each_or_the_end(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    m->surroundings.vdda_mv = 4095;
    adc_drive(m, 1, 100);
    adc_drive(m, 2, 200);
    adc_drive(m, 3, 300);
    set(m, CR1, 1 << 8);
    set(m, SQR1, 2 << 20);
    set(m, SQR3, 2 | 3 << 5 | 1 << 10);
    set(m, CR2, ADON | EOCS);
    set_bits(m, CR2, SWSTART);
    static const uint32_t expected[] = {200, 300, 100};
    for (int i = 0; i < 3; i++) {
        pass_cycles(m, 30);
        assert_int_equal(get(m, SR) & EOC, EOC);
        assert_int_equal(get(m, DR), expected[i]);
    }
    pass_cycles(m, 300);
    assert_int_equal(get(m, SR) & EOC, 0);
    set(m, CR2, ADON);
    set_bits(m, CR2, SWSTART);
    pass_cycles(m, 89);
    assert_int_equal(get(m, SR) & EOC, 0);
    pass_cycles(m, 1);
    assert_int_equal(get(m, SR) & EOC, EOC);
    assert_int_equal(get(m, DR), 100);
    assert_quiet();
}

static void continuous_goes_on_until_overrun(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    set(m, CR1, 1u << 26);
    set(m, CR2, ADON | CONT | EOCS);
    set_bits(m, CR2, SWSTART);
    for (int i = 0; i < 10; i++) {
        pass_cycles(m, 30);
        assert_int_equal(get(m, SR) & EOC, EOC);
        (void)get(m, DR);
    }
    assert_int_equal(get(m, CSR), get(m, SR));
    pass_cycles(m, 60);
    assert_int_equal(get(m, SR) & OVR, OVR);
    assert_true(core.irq[IRQ_ADC]);
    set(m, SR, ~(uint32_t)OVR & 0x3F);
    assert_false(core.irq[IRQ_ADC]);
}

static void the_end_of_conversion_interrupts(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    set(m, CR1, 1 << 5);
    set_bits(m, CR2, SWSTART);
    assert_false(core.irq[IRQ_ADC]);
    pass_cycles(m, 30);
    assert_true(core.irq[IRQ_ADC]);
    (void)get(m, DR);
    assert_false(core.irq[IRQ_ADC]);
}

static void the_analog_watchdog_sees_what_leaves_its_window(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    m->surroundings.vdda_mv = 4095;
    set(m, HTR, 2000);
    set(m, LTR, 1000);
    set(m, CR1, 1u << 23 | 1 << 9 | 1 << 6 | 3);
    adc_drive(m, 3, 1000);
    adc_drive(m, 4, 4000);
    (void)convert(m, 3);
    (void)convert(m, 4); /* another channel */
    assert_int_equal(get(m, SR) & AWD, 0);
    adc_drive(m, 3, 999);
    (void)convert(m, 3);
    assert_int_equal(get(m, SR) & AWD, AWD);
    assert_true(core.irq[IRQ_ADC]);
    set(m, SR, 0);
    adc_drive(m, 3, 2001);
    (void)convert(m, 3);
    assert_int_equal(get(m, SR) & AWD, AWD);
}

static void what_the_datasheet_forbids_is_reported(void **state)
{
    struct machine *m = *state;

    set_bits(m, RCC_APB2ENR_, 1u << 8);
    set(m, CR2, SWSTART);
    assert_warned("ADON is off");
    set(m, CR2, ADON | SWSTART);
    assert_warned("within 3 us");
    set(m, CCR, TSVREFE);
    set(m, SQR3, 18);
    set(m, CR2, ADON | SWSTART);
    assert_warned("within 10 us");
    pass(m, VTIME_US(20));
    set(m, SMPR1, 1u << 24); /* channel 18: 15 clocks of 8 MHz */
    set(m, CR2, ADON | SWSTART);
    assert_warned("it needs 10000");
    clock_to_180_mhz(m);
    set(m, SQR3, 0);
    set(m, CR2, ADON | SWSTART);
    assert_warned("36 MHz is the most");
}

/* 13.3.9, 13.13.12: JSQR ends with JSQ4; the offset is taken off, the sign extended. */
static void injected_conversions_have_their_own_results(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    adc_drive(m, 1, 1000);
    adc_drive(m, 2, 2000);
    set(m, JSQR, 1u << 20 | 1u << 10 | 2u << 15); /* channel 1, then 2 */
    set(m, JOFR1, 2000);
    set(m, CR1, 1u << 8 | 1u << 7); /* SCAN, JEOCIE */
    set(m, CR2, ADON | JSWSTART);
    assert_int_equal(get(m, CR2), ADON);
    assert_int_equal(get(m, SR), JSTRT);
    pass(m, VTIME_US(20));
    assert_int_equal(get(m, SR), JSTRT | JEOC);
    assert_true(core.irq[IRQ_ADC]);
    assert_int_equal((int16_t)get(m, JDR1), 1241 - 2000);
    assert_int_equal(get(m, JDR2), 2482);
    assert_int_equal(get(m, DR), 0);
    set(m, SR, 0);
    assert_false(core.irq[IRQ_ADC]);
    set(m, CR1, 0); /* without SCAN: one */
    set(m, JSQR, 2u << 15);
    set(m, JOFR1, 0);
    set(m, CR2, ADON | JSWSTART | ALIGN);
    pass(m, VTIME_US(20));
    assert_int_equal(get(m, JDR1), 2482 << 3);
    assert_quiet();
}

static void an_injected_conversion_breaks_off_a_regular_one(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    adc_drive(m, 1, 1000);
    adc_drive(m, 2, 2000);
    set(m, SQR3, 1);
    set(m, SMPR2, 7 << 3); /* 492 clocks of 8 MHz: 61.5 us */
    set(m, JSQR, 2u << 15);
    set(m, CR2, ADON | SWSTART);
    pass(m, VTIME_US(60));
    set(m, CR2, ADON | JSWSTART);
    pass(m, VTIME_US(3));
    assert_int_equal(get(m, SR), STRT | JSTRT | JEOC);
    assert_int_equal(get(m, JDR1), 2482);
    pass(m, VTIME_US(58)); /* begun again */
    assert_int_equal(get(m, SR) & EOC, 0);
    pass(m, VTIME_US(4));
    assert_int_equal(get(m, SR) & EOC, EOC);
    assert_int_equal(get(m, DR), 1241);
}

static void injected_conversions_follow_the_regular_ones(void **state)
{
    struct machine *m = *state;

    switch_on(m);
    adc_drive(m, 1, 1000);
    adc_drive(m, 2, 2000);
    set(m, SQR3, 1);
    set(m, JSQR, 2u << 15);
    set(m, HTR, 2000);
    set(m, CR1, 1u << 10 | 1u << 22); /* JAUTO, JAWDEN */
    set(m, CR2, ADON | SWSTART);
    pass(m, VTIME_US(20));
    assert_int_equal(get(m, SR), STRT | EOC | JSTRT | JEOC | AWD);
    assert_int_equal(get(m, DR), 1241);
    assert_int_equal(get(m, JDR1), 2482);
    set(m, SR, 0);
    set(m, CR2, ADON | CONT | SWSTART);
    pass(m, VTIME_US(7)); /* two regular and two injected ones of 15 clocks, and one more */
    set(m, CR2, ADON);
    pass(m, VTIME_US(20));
    assert_int_equal(get(m, SR), STRT | EOC | JSTRT | JEOC | AWD);
    assert_quiet();
    set(m, CR2, ADON | JSWSTART);
    assert_warned("not both");
}

static void what_is_not_modelled_ends_the_run(void **state)
{
    static const struct {
        uint32_t address, value;
    } beyond[] = {{CR2, 1 << 8}, {CR2, 1 << 28}, {CR2, 1 << 20},   {CR1, 1 << 11},  {CR1, 1 << 12},
                  {CCR, 1},      {CCR, 1 << 14}, {ADC + 0x100, 0}, {ADC + 0x208, 1}};
    struct machine *m = *state;

    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        machine_power_on(m);
        set_bits(m, RCC_APB2ENR_, 1u << 8);
        set(m, beyond[i].address, beyond[i].value);
        assert_int_equal(m->stop, STOP_ERROR);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_temperature_is_found_by_the_calibration),
        cmocka_unit_test(chips_differ_and_lie_within_the_datasheet),
        TEST(the_reference_tells_the_supply),
        TEST(vbat_is_a_quarter_and_wins_over_the_sensor),
        TEST(inputs_read_their_voltage_to_full_scale),
        TEST(resolution_and_alignment),
        TEST(a_conversion_takes_sampling_and_bits),
        TEST(a_scan_converts_in_order_and_signals_each_or_the_end),
        TEST(continuous_goes_on_until_overrun),
        TEST(the_end_of_conversion_interrupts),
        TEST(the_analog_watchdog_sees_what_leaves_its_window),
        TEST(what_the_datasheet_forbids_is_reported),
        TEST(injected_conversions_have_their_own_results),
        TEST(an_injected_conversion_breaks_off_a_regular_one),
        TEST(injected_conversions_follow_the_regular_ones),
        TEST(what_is_not_modelled_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
