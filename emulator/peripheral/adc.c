/*
 * ADC1 (RM0090 chapter 13): regular conversions, single, scanned or
 * continuous, and injected ones, started by software or after the regular
 * ones, with the temperature sensor, VREFINT and VBAT; analog watchdog and
 * overrun. Not modelled: triggers, discontinuous mode, DMA, dual and triple
 * modes, ADC2 and ADC3.
 */
#include <string.h>

#include "cpu/cpu.h"
#include "peripheral.h"

enum {
    ADC_SR,
    ADC_CR1,
    ADC_CR2,
    ADC_SMPR1,
    ADC_SMPR2,
    ADC_JOFR1,
    ADC_JOFR2,
    ADC_JOFR3,
    ADC_JOFR4,
    ADC_HTR,
    ADC_LTR,
    ADC_SQR1,
    ADC_SQR2,
    ADC_SQR3,
    ADC_JSQR,
    ADC_JDR1,
    ADC_JDR2,
    ADC_JDR3,
    ADC_JDR4,
    ADC_DR,
    ADC_CSR,
    ADC_CCR,
    ADC_CDR,
    ADC_REGISTERS
};
enum {
    ADC_BASE = 0x40012000,
    IRQ_ADC = 18,
    INPUTS = 16,
    CHANNEL_VREFINT = 17,
    CHANNEL_SENSOR = 18, /* the temperature, or with VBATE VBAT / 4 */
    CHANNELS = 19,
    FULL_SCALE = 4095,
    ADCCLK_MAX_HZ = 36000000,
    SR_AWD = 1 << 0,
    SR_EOC = 1 << 1,
    SR_JEOC = 1 << 2,
    SR_JSTRT = 1 << 3,
    SR_STRT = 1 << 4,
    SR_OVR = 1 << 5,
    CR1_EOCIE = 1 << 5,
    CR1_AWDIE = 1 << 6,
    CR1_JEOCIE = 1 << 7,
    CR1_SCAN = 1 << 8,
    CR1_AWDSGL = 1 << 9,
    CR1_JAUTO = 1 << 10,
    CR1_DISCONTINUOUS = 1 << 11 | 1 << 12,
    CR1_JAWDEN = 1 << 22,
    CR1_AWDEN = 1 << 23,
    CR1_OVRIE = 1 << 26,
    CR2_ADON = 1 << 0,
    CR2_CONT = 1 << 1,
    CR2_DMA = 1 << 8,
    CR2_EOCS = 1 << 10,
    CR2_ALIGN = 1 << 11,
    CR2_JEXTEN = 3 << 20,
    CR2_JSWSTART = 1 << 22,
    CR2_EXTEN = 3 << 28,
    CR2_SWSTART = 1 << 30,
    CCR_MULTI = 0x1F,
    CCR_DMA = 3 << 14,
    CCR_VBATE = 1 << 22,
    CCR_TSVREFE = 1 << 23,
};

/* DS9405 tables 74, 82 to 86 */
enum {
    VREFINT_MV = 1210,
    SENSOR_30C_UV = 772500, /* 0.76 V at 25 C, 2.5 mV each degree */
    SENSOR_110C_UV = 972500,
    CALIBRATION_MV = 3300,
    /* places in system memory */
    VREFIN_CAL = 0x7A2A,
    TS_CAL1 = 0x7A2C,
    TS_CAL2 = 0x7A2E,
};

struct adc_state {
    uint32_t input_mv[INPUTS];
    uint32_t sequence;  /* the regular conversion under way, or the next: 0 is SQ1 */
    uint32_t injected;  /* the same of the injected ones */
    bool injecting;     /* an injected conversion is under way */
    bool regular_waits; /* until the injected ones are done (13.3.9) */
    vtime stable_at;    /* tSTAB after ADON */
    vtime sensor_at;    /* tSTART after TSVREFE */
};

static struct peripheral *adc_of(const struct machine *m)
{
    return peripheral_find(m, ADC_BASE);
}

void adc_drive(struct machine *m, unsigned channel, uint32_t millivolts)
{
    struct adc_state *s = adc_of(m)->state;

    if (channel < INPUTS)
        s->input_mv[channel] = millivolts;
}

/* ---- What is measured ---- */

static uint16_t calibration(const struct machine *m, unsigned at)
{
    uint16_t value;

    memcpy(&value, m->system_memory + at, 2);
    return value;
}

/* A reading taken with VDDA = 3.3 V, as it is with the present one. */
static uint32_t with_present_vdda(const struct machine *m, int64_t reading)
{
    int64_t scaled = reading * CALIBRATION_MV / (m->surroundings.vdda_mv ? m->surroundings.vdda_mv : 1);

    return scaled < 0 ? 0 : scaled > FULL_SCALE ? FULL_SCALE : (uint32_t)scaled;
}

/* Linear through this chip's two calibration points, 30 and 110 C. */
static uint32_t sensor_reading(const struct machine *m)
{
    int64_t low = calibration(m, TS_CAL1), high = calibration(m, TS_CAL2);
    int64_t above_mc = m->surroundings.temperature_mc - 30000;
    int64_t twice = (high - low) * above_mc * 2 / 80000;

    return with_present_vdda(m, low + (twice + (twice < 0 ? -1 : 1)) / 2);
}

static uint32_t millivolts_reading(const struct machine *m, uint64_t millivolts)
{
    uint64_t vdda = m->surroundings.vdda_mv ? m->surroundings.vdda_mv : 1;
    uint64_t reading = (millivolts * FULL_SCALE + vdda / 2) / vdda;

    return reading > FULL_SCALE ? FULL_SCALE : (uint32_t)reading;
}

static uint32_t reading_of(struct machine *m, const struct peripheral *p, unsigned channel)
{
    const struct adc_state *s = p->state;
    uint32_t ccr = p->value[ADC_CCR];

    if (channel < INPUTS)
        return millivolts_reading(m, s->input_mv[channel]);
    if (channel == CHANNEL_SENSOR && ccr & CCR_VBATE) /* it wins over the sensor (13.11) */
        return millivolts_reading(m, m->surroundings.vbat_mv / 4);
    if (!(ccr & CCR_TSVREFE) || channel == INPUTS) {
        machine_report(m, REPORT_WARNING, "ADC1: channel %u is converted, but %s", channel,
                       channel == INPUTS ? "nothing is connected to it on this chip"
                                         : "ADC_CCR.TSVREFE is off (RM0090 13.10)");
        return 0;
    }
    return channel == CHANNEL_VREFINT ? with_present_vdda(m, calibration(m, VREFIN_CAL)) : sensor_reading(m);
}

/* ---- Time ---- */

static uint32_t cycles_per_clock(const struct machine *m, const struct peripheral *p)
{
    return rcc_hclk_hz(m) / rcc_pclk2_hz(m) * 2 * ((p->value[ADC_CCR] >> 16 & 3) + 1);
}

static uint32_t sampling_clocks(const struct peripheral *p, unsigned channel)
{
    static const uint16_t clocks[] = {3, 15, 28, 56, 84, 112, 144, 480};
    uint32_t setting =
        channel >= 10 ? p->value[ADC_SMPR1] >> 3 * (channel - 10) : p->value[ADC_SMPR2] >> 3 * channel;

    return clocks[setting & 7];
}

static unsigned resolution_bits(const struct peripheral *p)
{
    return 12 - 2 * (p->value[ADC_CR1] >> 24 & 3);
}

static unsigned channel_at(const struct peripheral *p, unsigned place)
{
    if (place < 6)
        return p->value[ADC_SQR3] >> 5 * place & 31;
    if (place < 12)
        return p->value[ADC_SQR2] >> 5 * (place - 6) & 31;
    return p->value[ADC_SQR1] >> 5 * (place - 12) & 31;
}

/* JSQR ends with JSQ4: a shorter sequence begins later (13.13.12). */
static uint32_t injected_length(const struct peripheral *p)
{
    return p->value[ADC_CR1] & CR1_SCAN ? (p->value[ADC_JSQR] >> 20 & 3) + 1 : 1;
}

static unsigned injected_channel(const struct peripheral *p)
{
    const struct adc_state *s = p->state;
    uint32_t first = 3 - (p->value[ADC_JSQR] >> 20 & 3);

    return p->value[ADC_JSQR] >> 5 * (first + s->injected) & 31;
}

static unsigned present_channel(const struct peripheral *p)
{
    const struct adc_state *s = p->state;

    return s->injecting ? injected_channel(p) : channel_at(p, s->sequence);
}

/* tS_temp and tS_vbat of DS9405: internal sources need 10 us, VBAT 5. */
static void check_sampling(struct machine *m, const struct peripheral *p, unsigned channel)
{
    const struct adc_state *s = p->state;
    vtime needed = channel == CHANNEL_SENSOR && p->value[ADC_CCR] & CCR_VBATE ? VTIME_US(5) : VTIME_US(10);
    vtime sampled = (vtime)sampling_clocks(p, channel) * cycles_per_clock(m, p) * VTIME_S(1) / rcc_hclk_hz(m);

    if (channel < CHANNEL_VREFINT)
        return;
    if (sampled < needed)
        machine_report(m, REPORT_WARNING,
                       "ADC1: channel %u is sampled for %u ns, it needs %u (DS9405 table 84)", channel,
                       (unsigned)(sampled / 1000), (unsigned)(needed / 1000));
    if (machine_now(m) < s->sensor_at)
        machine_report(m, REPORT_WARNING,
                       "ADC1: channel %u is converted within 10 us of TSVREFE (RM0090 13.10)", channel);
}

static void begin_conversion(struct machine *m, struct peripheral *p)
{
    unsigned channel = present_channel(p);
    uint32_t clocks = sampling_clocks(p, channel) + resolution_bits(p);

    check_sampling(m, p, channel);
    event_at(m, &p->events[0].event,
             machine_time_at(m, m->cycles + (uint64_t)clocks * cycles_per_clock(m, p)));
}

/* ---- Results ---- */

static void update_interrupt(struct machine *m, const struct peripheral *p)
{
    uint32_t sr = p->value[ADC_SR], cr1 = p->value[ADC_CR1];

    cpu_set_irq(m, IRQ_ADC,
                (sr & SR_EOC && cr1 & CR1_EOCIE) || (sr & SR_JEOC && cr1 & CR1_JEOCIE) ||
                    (sr & SR_AWD && cr1 & CR1_AWDIE) || (sr & SR_OVR && cr1 & CR1_OVRIE));
}

/* 13.3.8: thresholds of 12 bits, whatever the resolution. */
static void guard(struct peripheral *p, uint32_t enable, unsigned channel, uint32_t reading)
{
    uint32_t cr1 = p->value[ADC_CR1];

    if (!(cr1 & enable) || (cr1 & CR1_AWDSGL && (cr1 & 31) != channel))
        return;
    if (reading > p->value[ADC_HTR] || reading < p->value[ADC_LTR])
        p->value[ADC_SR] |= SR_AWD;
}

/* Table 69 and figures 46, 47: left alignment is to bit 15, with 6 bits to bit 7. */
static uint32_t aligned(const struct peripheral *p, uint32_t reading)
{
    unsigned width = resolution_bits(p);
    uint32_t value = reading >> (12 - width);

    if (!(p->value[ADC_CR2] & CR2_ALIGN))
        return value;
    return value << (width == 6 ? 2 : 16 - width);
}

/* The same for an injected result, whose offset is taken off: its sign fills what is above. */
static uint32_t aligned_with_sign(const struct peripheral *p, uint32_t reading, uint32_t offset)
{
    unsigned width = resolution_bits(p);
    int32_t value = (int32_t)(reading >> (12 - width)) - (int32_t)offset;

    if (p->value[ADC_CR2] & CR2_ALIGN)
        value *= 1 << (width == 6 ? 1 : 15 - width);
    return (uint32_t)value & 0xFFFF;
}

static bool sequence_goes_on(struct peripheral *p)
{
    struct adc_state *s = p->state;
    uint32_t length = p->value[ADC_CR1] & CR1_SCAN ? p->value[ADC_SQR1] >> 20 & 15 : 0;

    if (s->sequence < length) {
        s->sequence++;
        return true;
    }
    s->sequence = 0;
    return false;
}

/* 13.8.2: overrun is looked for only while each conversion raises EOC; then the ADC stops. */
static bool overrun(const struct peripheral *p)
{
    return p->value[ADC_CR2] & CR2_EOCS && p->value[ADC_SR] & SR_EOC;
}

static void inject(struct machine *m, struct peripheral *p)
{
    struct adc_state *s = p->state;

    s->injecting = true;
    s->injected = 0;
    p->value[ADC_SR] |= SR_JSTRT;
    begin_conversion(m, p);
}

static void injected_converted(struct machine *m, struct peripheral *p, unsigned channel, uint32_t reading)
{
    struct adc_state *s = p->state;

    p->value[ADC_JDR1 + s->injected] = aligned_with_sign(p, reading, p->value[ADC_JOFR1 + s->injected]);
    guard(p, CR1_JAWDEN, channel, reading);
    s->injected++;
    if (s->injected < injected_length(p)) {
        begin_conversion(m, p);
    } else {
        p->value[ADC_SR] |= SR_JEOC;
        s->injecting = false;
        if (s->regular_waits)
            begin_conversion(m, p);
        s->regular_waits = false;
    }
    update_interrupt(m, p);
}

static void regular_converted(struct machine *m, struct peripheral *p, unsigned channel, uint32_t reading)
{
    struct adc_state *s = p->state;

    if (overrun(p)) {
        p->value[ADC_SR] |= SR_OVR;
        update_interrupt(m, p);
        return;
    }
    p->value[ADC_DR] = aligned(p, reading);
    guard(p, CR1_AWDEN, channel, reading);
    bool more = sequence_goes_on(p);
    if (!more || p->value[ADC_CR2] & CR2_EOCS)
        p->value[ADC_SR] |= SR_EOC;
    update_interrupt(m, p);
    bool goes_on = more || p->value[ADC_CR2] & CR2_CONT;
    if (!more && p->value[ADC_CR1] & CR1_JAUTO) {
        s->regular_waits = goes_on;
        inject(m, p);
    } else if (goes_on) {
        begin_conversion(m, p);
    }
}

static void converted(struct machine *m, struct peripheral *p, size_t index)
{
    const struct adc_state *s = p->state;
    unsigned channel = present_channel(p);
    uint32_t reading = reading_of(m, p, channel);
    (void)index;

    if (s->injecting)
        injected_converted(m, p, channel, reading);
    else
        regular_converted(m, p, channel, reading);
}

/* ---- Registers ---- */

static void not_modelled(struct machine *m, const struct peripheral *p, size_t index, const char *what)
{
    machine_report(m, REPORT_ERROR, "ADC1_%s: %s not modelled", p->regs[index].name, what);
}

static void check_clock(struct machine *m, const struct peripheral *p)
{
    uint32_t hz = rcc_hclk_hz(m) / cycles_per_clock(m, p);

    if (hz > ADCCLK_MAX_HZ)
        machine_report(m, REPORT_WARNING, "ADC1: ADCCLK runs at %u Hz, 36 MHz is the most (DS9405 table 74)",
                       hz);
}

static bool is_on(struct machine *m, const struct peripheral *p, const char *what)
{
    const struct adc_state *s = p->state;

    if (!(p->value[ADC_CR2] & CR2_ADON)) {
        machine_report(m, REPORT_WARNING, "ADC1: %s while ADON is off: no conversion (RM0090 13.3.1)", what);
        return false;
    }
    if (machine_now(m) < s->stable_at)
        machine_report(m, REPORT_WARNING,
                       "ADC1: %s within 3 us of ADON: the first result is not accurate (RM0090 13.3.6)",
                       what);
    check_clock(m, p);
    return true;
}

/* 13.3.9: a regular conversion is broken off, and begun again when the injected ones are done. */
static void start_injected(struct machine *m, struct peripheral *p)
{
    struct adc_state *s = p->state;

    if (!is_on(m, p, "JSWSTART"))
        return;
    if (p->value[ADC_CR1] & CR1_JAUTO)
        machine_report(m, REPORT_WARNING, "ADC1: JSWSTART with JAUTO (RM0090 13.3.9: not both)");
    s->regular_waits = s->regular_waits || (p->events[0].event.armed && !s->injecting);
    inject(m, p);
}

static void start(struct machine *m, struct peripheral *p)
{
    struct adc_state *s = p->state;

    if (!is_on(m, p, "SWSTART"))
        return;
    if (p->value[ADC_SR] & SR_OVR)
        machine_report(m, REPORT_WARNING, "ADC1: SWSTART while OVR is set (RM0090 13.8.2: clear it first)");
    s->sequence = 0;
    p->value[ADC_SR] |= SR_STRT;
    if (s->injecting)
        s->regular_waits = true;
    else
        begin_conversion(m, p);
}

static void cr2_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct adc_state *s = p->state;

    if (written & (CR2_DMA | CR2_EXTEN | CR2_JEXTEN))
        not_modelled(m, p, index, "DMA and triggers are");
    if (p->value[index] & ~old & CR2_ADON)
        s->stable_at = machine_now(m) + VTIME_US(3);
    if (old & ~p->value[index] & CR2_ADON) {
        event_cancel(m, &p->events[0].event);
        s->injecting = s->regular_waits = false;
    }
    p->value[index] &= ~(uint32_t)(CR2_SWSTART | CR2_JSWSTART); /* cleared as soon as a conversion starts */
    if (written & CR2_SWSTART)
        start(m, p);
    if (written & CR2_JSWSTART)
        start_injected(m, p);
}

static void cr1_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)old;
    if (written & CR1_DISCONTINUOUS)
        not_modelled(m, p, index, "discontinuous conversions are");
    update_interrupt(m, p);
}

static void sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    update_interrupt(m, p);
}

static void dr_read(struct machine *m, struct peripheral *p, size_t index)
{
    (void)index;
    p->value[ADC_SR] &= ~(uint32_t)SR_EOC;
    update_interrupt(m, p);
}

static void ccr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct adc_state *s = p->state;

    if (written & (CCR_MULTI | CCR_DMA))
        not_modelled(m, p, index, "dual and triple modes are");
    if (p->value[index] & ~old & CCR_TSVREFE)
        s->sensor_at = machine_now(m) + VTIME_US(10);
}

/* ADC1's part of the common status (13.13.15) */
static void csr_read(struct machine *m, struct peripheral *p, size_t index)
{
    (void)m;
    p->value[index] = p->value[ADC_SR] & 0x3F;
}

#define REGISTER(n, o, at_reset, bits, hook)                                                                 \
    [ADC_##n] = {.name = #n,                                                                                 \
                 .offset = o,                                                                                \
                 .widths = WIDTH_32 | WIDTH_READ_ANY,                                                        \
                 .reset = at_reset,                                                                          \
                 .writable = bits,                                                                           \
                 .reserved = ~(uint32_t)(bits),                                                              \
                 .on_write = hook}
#define RESULT(n, o) [ADC_##n] = {.name = #n, .offset = o, .widths = WIDTH_32 | WIDTH_READ_ANY}

/* RM0090 13.13.1 to 13.13.17 */
static const struct reg registers[ADC_REGISTERS] = {
    [ADC_SR] = {"SR", 0x00, WIDTH_32 | WIDTH_READ_ANY, 0, 0, 0, 0x3F, NULL, sr_written, ~0x3Fu},
    REGISTER(CR1, 0x04, 0, 0x07C0FFFF, cr1_written),
    REGISTER(CR2, 0x08, 0, 0x7F7F0F03, cr2_written),
    REGISTER(SMPR1, 0x0C, 0, 0x07FFFFFF, NULL),
    REGISTER(SMPR2, 0x10, 0, 0x3FFFFFFF, NULL),
    REGISTER(JOFR1, 0x14, 0, 0xFFF, NULL),
    REGISTER(JOFR2, 0x18, 0, 0xFFF, NULL),
    REGISTER(JOFR3, 0x1C, 0, 0xFFF, NULL),
    REGISTER(JOFR4, 0x20, 0, 0xFFF, NULL),
    REGISTER(HTR, 0x24, 0xFFF, 0xFFF, NULL),
    REGISTER(LTR, 0x28, 0, 0xFFF, NULL),
    REGISTER(SQR1, 0x2C, 0, 0x00FFFFFF, NULL),
    REGISTER(SQR2, 0x30, 0, 0x3FFFFFFF, NULL),
    REGISTER(SQR3, 0x34, 0, 0x3FFFFFFF, NULL),
    REGISTER(JSQR, 0x38, 0, 0x003FFFFF, NULL),
    RESULT(JDR1, 0x3C),
    RESULT(JDR2, 0x40),
    RESULT(JDR3, 0x44),
    RESULT(JDR4, 0x48),
    [ADC_DR] = {.name = "DR", .offset = 0x4C, .widths = WIDTH_32 | WIDTH_READ_ANY, .on_read = dr_read},
    [ADC_CSR] = {.name = "CSR", .offset = 0x300, .widths = WIDTH_32 | WIDTH_READ_ANY, .on_read = csr_read},
    REGISTER(CCR, 0x304, 0, 0x00C3EF1F, ccr_written),
    RESULT(CDR, 0x308),
};

static void reset(struct machine *m, struct peripheral *p)
{
    struct adc_state *s = p->state;

    event_cancel(m, &p->events[0].event);
    s->sequence = s->injected = 0;
    s->injecting = s->regular_waits = false;
    s->stable_at = s->sensor_at = 0;
    update_interrupt(m, p);
}

/* What the factory has measured on this chip at VDDA = 3.3 V; no two chips are alike. */
static void calibrate(struct machine *m)
{
    uint64_t random = m->seed * 0x9E3779B97F4A7C15u;
    int32_t offset = (int32_t)(random >> 40 & 31) - 16, slope = (int32_t)(random >> 48 & 15) - 8;
    uint16_t values[] = {
        (uint16_t)(VREFINT_MV * FULL_SCALE / CALIBRATION_MV + (int32_t)(random >> 56 & 15) - 8),
        (uint16_t)((int64_t)SENSOR_30C_UV * FULL_SCALE / (CALIBRATION_MV * 1000) + offset),
        (uint16_t)((int64_t)SENSOR_110C_UV * FULL_SCALE / (CALIBRATION_MV * 1000) + offset + slope),
    };

    memcpy(m->system_memory + VREFIN_CAL, values, sizeof values);
}

void adc_create(struct machine *m)
{
    static const char *const event_names[] = {"ADC conversion"};
    static const struct peripheral adc = {.name = "ADC1",
                                          .base = ADC_BASE,
                                          .size = 0x400,
                                          .gate = {0x44, 8, 0x24, 8},
                                          .regs = registers,
                                          .reg_count = ADC_REGISTERS,
                                          .reset = reset};

    peripheral_events(m, peripheral_new(m, &adc, sizeof(struct adc_state)), event_names, 1, converted);
    calibrate(m);
}
