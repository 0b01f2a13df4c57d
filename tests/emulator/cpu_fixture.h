/*
 * A board whose core is stepped through hand-assembled programs. Every
 * exception has a handler slot of its own, filled with NOPs and a loop.
 */
#ifndef TESTS_EMULATOR_CPU_FIXTURE_H
#define TESTS_EMULATOR_CPU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/engine.h"

enum {
    MAIN = 0x08000400,
    HANDLERS = 0x08001000,
    HANDLER_SIZE = 0x40,
    STACK = 0x20010000,
    DATA = 0x20000100,

    NVIC_ISER_ = 0xE000E100,
    NVIC_ISPR_ = 0xE000E200,
    NVIC_IPR_ = 0xE000E400,
    ICSR_ = 0xE000ED04,
    AIRCR_ = 0xE000ED0C,
    SCR_ = 0xE000ED10,
    CCR_ = 0xE000ED14,
    SHPR2_ = 0xE000ED1C,
    SHPR3_ = 0xE000ED20,
    SHCSR_ = 0xE000ED24,
    CPACR_ = 0xE000ED88,
    DEMCR_ = 0xE000EDFC,
    SYST_CSR_ = 0xE000E010,
    SYST_RVR_ = 0xE000E014,
    SYST_CVR_ = 0xE000E018,

    /* Encodings */
    NOP = 0xBF00,
    WFI = 0xBF30,
    WFE = 0xBF20,
    BX_LR = 0x4770,
    LOOP = 0xE7FE,
    CPSIE_I = 0xB662,
    CPSID_I = 0xB672,
    CPSID_F = 0xB671,
    UDF = 0xDE00,
    SVC_1 = 0xDF01,
};

static struct {
    unsigned warnings, errors;
    char last[256];
    char console[64];
    size_t console_length;
} seen;

static inline void note_report(void *context, struct machine *m, enum report_level level, uint32_t pc,
                               const char *format, va_list arguments)
{
    (void)context;
    (void)m;
    (void)pc;
    if (level == REPORT_NOTE)
        return;
    seen.warnings += level == REPORT_WARNING;
    seen.errors += level == REPORT_ERROR;
    vsnprintf(seen.last, sizeof seen.last, format, arguments);
}

static inline void note_console(void *context, struct machine *m, uint8_t byte)
{
    (void)context;
    (void)m;
    if (seen.console_length < sizeof seen.console - 1)
        seen.console[seen.console_length++] = (char)byte;
}

static inline uint32_t handler(unsigned exception)
{
    return HANDLERS + exception * HANDLER_SIZE;
}

static inline void load_code(struct machine *m, uint32_t address, const uint16_t *code, size_t halfwords)
{
    if (address - SRAM_BASE < SRAM_SIZE) {
        memcpy(m->sram + (address - SRAM_BASE), code, 2 * halfwords);
        cpu_code_written(m, address, 2 * halfwords);
        return;
    }
    assert_true(machine_load(m, address, code, 2 * halfwords));
}

#define CODE(m, address, ...)                                                                                \
    load_code(m, address, (const uint16_t[]){__VA_ARGS__}, sizeof(const uint16_t[]){__VA_ARGS__} / 2)

static inline void load_vectors(struct machine *m)
{
    uint32_t vector[CPU_EXCEPTIONS] = {STACK, MAIN | 1};
    uint16_t filler[HANDLER_SIZE / 2];

    for (size_t i = 0; i < HANDLER_SIZE / 2; i++)
        filler[i] = i + 1 < HANDLER_SIZE / 2 ? NOP : LOOP;
    for (unsigned i = 1; i < CPU_EXCEPTIONS; i++) {
        if (i > 1)
            vector[i] = handler(i) | 1;
        load_code(m, handler(i), filler, HANDLER_SIZE / 2);
    }
    for (unsigned i = 0; i < 16; i++)
        load_code(m, MAIN + i * HANDLER_SIZE, filler, HANDLER_SIZE / 2);
    assert_true(machine_load(m, FLASH_BASE, vector, sizeof vector));
}

static inline int set_up(void **state)
{
    struct host host = {.report = note_report, .console = note_console};
    struct machine *m = machine_create(&host, 1);

    assert_non_null(m);
    load_vectors(m);
    machine_power_on(m);
    memset(m->sram, 0, SRAM_SIZE);
    memset(&seen, 0, sizeof seen);
    *state = m;
    return 0;
}

static inline int tear_down(void **state)
{
    machine_destroy(*state);
    return 0;
}

/* One instruction, or one exception entry, or one cycle of sleep. */
static inline void step(struct machine *m)
{
    machine_run(m, machine_time_at(m, m->cycles + 1));
}

static inline void steps(struct machine *m, unsigned count)
{
    while (count--)
        step(m);
}

static inline void run_to(struct machine *m, uint32_t pc)
{
    for (unsigned i = 0; i < 100000 && m->cpu.r[15] != pc && m->stop == STOP_NONE; i++)
        step(m);
    assert_int_equal(m->cpu.r[15], pc);
}

static inline void poke(struct machine *m, uint32_t address, uint32_t value)
{
    assert_true(memory_word_write(m, address, value));
}

static inline uint32_t peek(struct machine *m, uint32_t address)
{
    uint32_t value = 0;

    assert_true(memory_word_read(m, address, &value));
    return value;
}

static inline void enable_irq(struct machine *m, unsigned irq, uint8_t priority)
{
    m->cpu.priority[EXCEPTION_IRQ0 + irq] = priority;
    poke(m, NVIC_ISER_ + irq / 32 * 4, 1u << irq % 32);
}

static inline void assert_in_handler(struct machine *m, unsigned exception)
{
    assert_int_equal(m->cpu.exception, exception);
    assert_int_equal(m->cpu.r[15], handler(exception));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
