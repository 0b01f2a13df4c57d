#include "ethernet_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IRQ_ETH = 61 };

static void on_report(void *context, struct machine *m, enum report_level level, uint32_t pc,
                      const char *format, va_list arguments)
{
    struct bench *b = context;
    (void)m;
    (void)pc;
    if (level != REPORT_NOTE && b->report_count < BENCH_REPORTS)
        (void)vsnprintf(b->report[b->report_count++], BENCH_REPORT_SIZE, format, arguments);
}

static void on_frame_out(void *context, struct machine *m, const uint8_t *frame, size_t length)
{
    struct bench *b = context;
    if (b->out_count < BENCH_FRAMES) {
        memcpy(b->out[b->out_count].data, frame, length);
        b->out[b->out_count].length = length;
        b->out[b->out_count++].at = machine_now(m);
    }
    if (b->frame_out != NULL)
        b->frame_out(b, frame, length);
}

/* cpsid i; wfi; branch to the wfi: whatever pends wakes the core and changes nothing. */
static void load_sleeper(struct machine *m)
{
    static const uint32_t vectors[2] = {SRAM_BASE + SRAM_SIZE, FLASH_BASE + 8 + 1};
    static const uint16_t code[] = {0xB672, 0xBF30, 0xE7FD};
    if (!machine_load(m, FLASH_BASE, vectors, sizeof vectors) ||
        !machine_load(m, FLASH_BASE + 8, code, sizeof code))
        abort();
}

struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof *b);
    if (b == NULL)
        abort();
    const struct host host = {.context = b, .report = on_report, .frame_out = on_frame_out};
    b->m = machine_create(&host, 1);
    if (b->m == NULL)
        abort();
    load_sleeper(b->m);
    machine_power_on(b->m);
    return b;
}

void bench_free(struct bench *b)
{
    machine_destroy(b->m);
    free(b);
}

int bench_set_up(void **state)
{
    struct bench *b = *state = bench_new();
    bench_start(b, 4, 1536, 0);
    b->report_count = 0;
    return 0;
}

int bench_tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

uint32_t bench_read(struct bench *b, uint32_t address)
{
    uint32_t value = 0;
    if (!bus_read(b->m, address, 4, &value))
        abort();
    return value;
}

void bench_write(struct bench *b, uint32_t address, uint32_t value)
{
    if (!bus_write(b->m, address, 4, value))
        abort();
}

void bench_wait(struct bench *b, vtime time)
{
    machine_run(b->m, machine_now(b->m) + time);
}

bool bench_reported(const struct bench *b, const char *text)
{
    for (size_t i = 0; i < b->report_count; i++)
        if (strstr(b->report[i], text) != NULL)
            return true;
    return false;
}

bool bench_irq(const struct bench *b)
{
    const unsigned exception = EXCEPTION_IRQ0 + IRQ_ETH;
    return (b->m->cpu.line[exception / 32] >> (exception % 32)) & 1;
}

/* ---- Bring-up ---- */

static void set_bits(struct bench *b, uint32_t address, uint32_t bits)
{
    bench_write(b, address, bench_read(b, address) | bits);
}

static void route(struct bench *b, unsigned port, unsigned pin)
{
    const uint32_t gpio = 0x40020000u + 0x400u * port, afr = gpio + 0x20 + 4 * (pin / 8);
    const uint32_t moder = bench_read(b, gpio) & ~(3u << (2 * pin));
    const uint32_t function = bench_read(b, afr) & ~(15u << (4 * (pin % 8)));
    bench_write(b, gpio + 8, bench_read(b, gpio + 8) | 3u << (2 * pin));
    bench_write(b, afr, function | 11u << (4 * (pin % 8)));
    bench_write(b, gpio, moder | 2u << (2 * pin));
}

void bench_route_pins(struct bench *b)
{
    static const uint8_t pins[][2] = {{0, 1}, {0, 2},  {0, 7},  {2, 1}, {2, 4},
                                      {2, 5}, {6, 11}, {6, 13}, {1, 13}};
    set_bits(b, RCC_AHB1ENR_ADDRESS, 0x7F);
    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++)
        route(b, pins[i][0], pins[i][1]);
}

void bench_select_rmii(struct bench *b)
{
    set_bits(b, RCC_APB2ENR_ADDRESS, 1u << 14);
    set_bits(b, SYSCFG_PMC_ADDRESS, 1u << 23);
}

void bench_enable_clocks(struct bench *b)
{
    set_bits(b, RCC_AHB1ENR_ADDRESS, 7u << 25);
}

bool bench_soft_reset(struct bench *b)
{
    bench_write(b, ETH_DMABMR, DMABMR_SR);
    for (unsigned i = 0; i < 1000; i++) {
        if (!(bench_read(b, ETH_DMABMR) & DMABMR_SR))
            return true;
        bench_wait(b, VTIME_US(10));
    }
    return false;
}

/* 48 MHz from HSI through the PLL (M 16, N 192, P 4), one wait state: the MAC wants 25 MHz or more. */
static void raise_clock(struct bench *b)
{
    enum { RCC_CR = 0x40023800, RCC_PLLCFGR = 0x40023804, RCC_CFGR = 0x40023808, FLASH_ACR = 0x40023C00 };
    bench_write(b, FLASH_ACR, 1);
    bench_write(b, RCC_PLLCFGR, 2 << 28 | 4 << 24 | 1 << 16 | 192 << 6 | 16);
    set_bits(b, RCC_CR, 1u << 24);
    for (unsigned i = 0; i < 1000 && !(bench_read(b, RCC_CR) & 1u << 25); i++)
        bench_wait(b, VTIME_US(10));
    set_bits(b, RCC_CFGR, 4u << 10 | 2u);
    bench_wait(b, VTIME_US(10));
}

void bench_bring_up(struct bench *b)
{
    raise_clock(b);
    bench_select_rmii(b);
    bench_enable_clocks(b);
    bench_route_pins(b);
    if (!bench_soft_reset(b))
        abort();
    bench_write(b, ETH_MACA0HR, 0x0100);
    bench_wait(b, VTIME_US(2));
    bench_write(b, ETH_MACA0LR, 0x00000002);
}

static void make_rx_ring(struct bench *b, unsigned count, uint32_t buffer_bytes)
{
    for (unsigned i = 0; i < count; i++) {
        const uint32_t d = RX_RING + 16 * i;
        bench_write(b, d, DESC_OWN);
        bench_write(b, d + 4, RDES1_CHAIN | buffer_bytes);
        bench_write(b, d + 8, RX_BUFFERS + 0x800 * i);
        bench_write(b, d + 12, RX_RING + 16 * ((i + 1) % count));
    }
}

void bench_start(struct bench *b, unsigned rx, uint32_t rx_buffer_bytes, uint32_t maccr)
{
    bench_bring_up(b);
    if (!bench_wait_link(b, VTIME_S(4)))
        abort();
    make_rx_ring(b, rx, rx_buffer_bytes);
    for (unsigned i = 0; i < 8; i++) {
        bench_write(b, TX_RING + 16 * i, TDES0_CHAIN);
        bench_write(b, TX_RING + 16 * i + 12, TX_RING + 16 * ((i + 1) % 8));
    }
    bench_write(b, ETH_DMARDLAR, RX_RING);
    bench_write(b, ETH_DMATDLAR, TX_RING);
    bench_write(b, ETH_MACCR, 0x8000 | MACCR_FES | MACCR_DM | MACCR_TE | MACCR_RE | maccr);
    bench_write(b, ETH_DMAOMR, DMAOMR_RSF | DMAOMR_TSF | DMAOMR_ST | DMAOMR_SR);
    bench_wait(b, VTIME_US(10));
}

/* ---- SMI ---- */

enum { SMI_CR_DIV_42 = 0 }; /* 48 MHz / 42 = 1.1 MHz */

static void smi(struct bench *b, unsigned phy, unsigned reg, uint32_t direction)
{
    bench_write(b, ETH_MACMIIAR, phy << 11 | reg << 6 | SMI_CR_DIV_42 << 2 | direction | MACMIIAR_MB);
    for (unsigned i = 0; i < 100 && (bench_read(b, ETH_MACMIIAR) & MACMIIAR_MB); i++)
        bench_wait(b, VTIME_US(10));
}

uint16_t bench_smi_read(struct bench *b, unsigned phy, unsigned reg)
{
    smi(b, phy, reg, 0);
    return (uint16_t)bench_read(b, ETH_MACMIIDR);
}

void bench_smi_write(struct bench *b, unsigned phy, unsigned reg, uint16_t value)
{
    bench_write(b, ETH_MACMIIDR, value);
    smi(b, phy, reg, MACMIIAR_MW);
}

bool bench_wait_link(struct bench *b, vtime limit)
{
    const vtime end = machine_now(b->m) + limit;
    while (machine_now(b->m) < end) {
        if (bench_smi_read(b, 0, 1) & 4)
            return true;
        bench_wait(b, VTIME_MS(10));
    }
    return false;
}

/* ---- Descriptors ---- */

void bench_tx_descriptor(struct bench *b, unsigned index, uint32_t flags, const void *data, size_t length)
{
    const uint32_t d = TX_RING + 16 * index, buffer = TX_BUFFERS + 0x800 * index;
    memcpy(b->m->sram + (buffer - SRAM_BASE), data, length);
    bench_write(b, d + 4, (uint32_t)length);
    bench_write(b, d + 8, buffer);
    bench_write(b, d, TDES0_CHAIN | flags | DESC_OWN);
}

uint32_t bench_tx_status(struct bench *b, unsigned index)
{
    return bench_read(b, TX_RING + 16 * index);
}

uint32_t bench_rx_status(struct bench *b, unsigned index)
{
    return bench_read(b, RX_RING + 16 * index);
}

void bench_give_rx(struct bench *b, unsigned index)
{
    bench_write(b, RX_RING + 16 * index, DESC_OWN);
}

/* ---- Frames ---- */

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

size_t bench_ipv4_frame(uint8_t *frame, uint8_t protocol, size_t payload)
{
    static const uint8_t start[34] = {2, 0, 0, 0, 0, 1,  2, 0, 0, 0,  0, 2, 8,  0,  0x45, 0, 0,
                                      0, 0, 1, 0, 0, 64, 0, 0, 0, 10, 0, 2, 15, 10, 0,    2, 2};
    memcpy(frame, start, sizeof start);
    put16(frame + 16, (unsigned)(20 + payload));
    frame[23] = protocol;
    for (size_t i = 0; i < payload; i++)
        frame[34 + i] = (uint8_t)(i * 7 + 3);
    if (protocol == 17)
        put16(frame + 38, (unsigned)payload);
    return 34 + payload;
}

static unsigned ones_sum(uint32_t start, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        start += i & 1 ? data[i] : (uint32_t)data[i] << 8;
    while (start >> 16)
        start = (start & 0xFFFF) + (start >> 16);
    return start;
}

static unsigned payload_sum(const uint8_t *frame)
{
    const unsigned payload = get16(frame + 16) - 20, protocol = frame[23];
    const uint32_t pseudo = protocol == 1 ? 0 : ones_sum(protocol + payload, frame + 26, 8);
    return ones_sum(pseudo, frame + 34, payload);
}

void bench_fill_checksums(uint8_t *frame)
{
    const size_t offset = frame[23] == 6 ? 16 : frame[23] == 17 ? 6 : 2;
    put16(frame + 24, 0);
    put16(frame + 24, ~ones_sum(0, frame + 14, 20) & 0xFFFF);
    put16(frame + 34 + offset, 0);
    put16(frame + 34 + offset, ~payload_sum(frame) & 0xFFFF);
}

bool bench_checksums_good(const uint8_t *frame)
{
    return ones_sum(0, frame + 14, 20) == 0xFFFF && payload_sum(frame) == 0xFFFF;
}

void bench_deliver(struct bench *b, const uint8_t *frame, size_t length)
{
    ethernet_receive(b->m, frame, length);
    bench_wait(b, VTIME_MS(1));
}
