/*
 * A machine with a stand-in for the core, for tests of the board around it:
 * it executes nothing, takes one cycle a step, or sleeps, and notes the levels
 * of the interrupt lines. A test program includes this once, and with it
 * defines the core's functions in place of emulator/cpu.
 */
#ifndef TESTS_EMULATOR_BOARD_FIXTURE_H
#define TESTS_EMULATOR_BOARD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus.h"
#include "machine.h"
#include "peripheral.h"

/* ---- The stand-in core ---- */

static struct {
    bool awake; /* steps a cycle at a time instead of sleeping */
    bool irq[CPU_IRQS];
    uint64_t irq_rise[CPU_IRQS]; /* cycle of the last rise */
    unsigned resets;
    unsigned nmis;
} core;

bool cpu_create(struct machine *m)
{
    (void)m;
    memset(&core, 0, sizeof core);
    return true;
}

void cpu_destroy(struct machine *m)
{
    (void)m;
}

void cpu_reset(struct machine *m)
{
    (void)m;
    core.resets++;
}

enum cpu_exit cpu_run(struct machine *m)
{
    while (m->cycles < m->event_cycle && m->stop == STOP_NONE && !m->reset_requested) {
        if (!core.awake)
            return CPU_SLEEP;
        m->cycles++;
        m->instructions++;
    }
    return CPU_EVENT;
}

bool cpu_wakes(const struct machine *m)
{
    (void)m;
    return core.awake;
}

void cpu_set_irq(struct machine *m, unsigned irq, bool level)
{
    if (level && !core.irq[irq])
        core.irq_rise[irq] = m->cycles;
    core.irq[irq] = level;
}

void cpu_set_nmi(struct machine *m)
{
    (void)m;
    core.nmis++;
}

void cpu_code_written(struct machine *m, uint32_t address, size_t length)
{
    (void)m;
    (void)address;
    (void)length;
}

uint32_t cpu_xpsr(const struct cpu *c)
{
    (void)c;
    return 0;
}

/* ---- A host that remembers ---- */

static struct {
    unsigned notes, warnings, errors;
    char last[256];
    uint32_t pc;
    char console[64];
    size_t console_length;
    unsigned pin_changes;
    unsigned pin_port, pin_number;
    bool pin_level;
} seen;

static inline void host_report(void *context, struct machine *m, enum report_level level, uint32_t pc,
                               const char *format, va_list arguments)
{
    (void)context;
    (void)m;
    seen.notes += level == REPORT_NOTE;
    seen.warnings += level == REPORT_WARNING;
    seen.errors += level == REPORT_ERROR;
    seen.pc = pc;
    vsnprintf(seen.last, sizeof seen.last, format, arguments);
}

static inline void host_pin(void *context, struct machine *m, unsigned port, unsigned pin, bool level)
{
    (void)context;
    (void)m;
    seen.pin_changes++;
    seen.pin_port = port;
    seen.pin_number = pin;
    seen.pin_level = level;
}

static inline void host_console(void *context, struct machine *m, uint8_t byte)
{
    (void)context;
    (void)m;
    if (seen.console_length < sizeof seen.console - 1)
        seen.console[seen.console_length++] = (char)byte;
}

static inline struct host quiet_host(void)
{
    return (struct host){.report = host_report, .pin = host_pin, .console = host_console};
}

/* ---- Set-up and short hands ---- */

static inline struct machine *new_board(uint64_t seed)
{
    struct host host = quiet_host();
    struct machine *m = machine_create(&host, seed);

    assert_non_null(m);
    memset(&seen, 0, sizeof seen);
    machine_power_on(m);
    return m;
}

static inline int set_up(void **state)
{
    *state = new_board(1);
    return 0;
}

static inline int tear_down(void **state)
{
    machine_destroy(*state);
    return 0;
}

static inline uint32_t get(struct machine *m, uint32_t address)
{
    uint32_t value = 0;

    assert_true(bus_read(m, address, 4, &value));
    return value;
}

static inline void set(struct machine *m, uint32_t address, uint32_t value)
{
    assert_true(bus_write(m, address, 4, value));
}

static inline void set_bits(struct machine *m, uint32_t address, uint32_t bits)
{
    set(m, address, get(m, address) | bits);
}

static inline void pass(struct machine *m, vtime time)
{
    machine_run(m, machine_now(m) + time);
}

/* Exactly so many cycles of the core. */
static inline void pass_cycles(struct machine *m, uint64_t cycles)
{
    machine_run(m, machine_time_at(m, m->cycles + cycles));
}

static inline void assert_warned(const char *part)
{
    if (seen.warnings == 0 || !strstr(seen.last, part))
        fail_msg("expected a warning with \"%s\"; %u warnings, the last remark: \"%s\"", part, seen.warnings,
                 seen.last);
    seen.warnings = 0;
}

static inline void assert_quiet(void)
{
    if (seen.warnings + seen.errors > 0)
        fail_msg("unexpected remark: %s", seen.last);
}

enum {
    RCC = 0x40023800,
    RCC_CR_ = RCC,
    RCC_PLLCFGR_ = RCC + 0x04,
    RCC_CFGR_ = RCC + 0x08,
    RCC_AHB1ENR_ = RCC + 0x30,
    RCC_AHB2ENR_ = RCC + 0x34,
    RCC_APB1ENR_ = RCC + 0x40,
    RCC_APB2ENR_ = RCC + 0x44,
    PWR = 0x40007000,
    FLASH_ACR_ = 0x40023C00,
};

/* The clock tree of the board's firmware: HSE bypass, PLL to 180 MHz, over-drive; by the book. */
static inline void clock_to_180_mhz(struct machine *m)
{
    set_bits(m, RCC_APB1ENR_, 1u << 28);
    set_bits(m, RCC_CR_, 1u << 18);
    set_bits(m, RCC_CR_, 1u << 16);
    pass(m, VTIME_MS(1));
    set(m, RCC_PLLCFGR_, 8 | 360 << 6 | 1 << 22 | 8 << 24 | 1 << 29);
    set_bits(m, RCC_CR_, 1u << 24);
    set_bits(m, PWR, 1u << 16);
    pass(m, VTIME_MS(1));
    set_bits(m, PWR, 1u << 17);
    pass(m, VTIME_MS(1));
    set(m, FLASH_ACR_, 0x705);
    set(m, RCC_CFGR_, 5 << 10 | 4 << 13);
    set_bits(m, RCC_CFGR_, 2);
    pass(m, VTIME_US(2));
    assert_int_equal(rcc_hclk_hz(m), 180000000);
}

#endif
