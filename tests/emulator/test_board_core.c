/* The board with its real core: small hand-made programs that sleep, are interrupted, reset themselves, err.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus.h"
#include "machine.h"

enum { ENTRY = 0x110, TIM5_VECTOR = 0x108, HANDLER = 0x144 };

/*
 * TIM5 overflows every 1000 cycles and interrupts (IRQ 50); the main loop is WFI.
 * SRAM word 0 counts interrupts, word 1 turns of the loop.
 */
static const uint16_t sleeper[] = {
    0x4811, 0x6801, 0xF041, 0x0108, 0x6001, /* ldr r0,=RCC_APB1ENR; ldr r1,[r0]; orr r1,#8; str r1,[r0] */
    0x4810, 0xF240, 0x31E7, 0x62C1,         /* ldr r0,=TIM5; movw r1,#999; str r1,[r0,#0x2c] (ARR) */
    0x2101, 0x60C1, 0x6001,                 /* movs r1,#1; str r1,[r0,#0xc] (DIER); str r1,[r0] (CR1) */
    0x480D, 0xF44F, 0x2180, 0x6001,         /* ldr r0,=NVIC_ISER1; mov r1,#1<<18; str r1,[r0] */
    0xF04F, 0x5200, 0x2300, 0x6013, 0x6053, /* mov r2,#0x20000000; movs r3,#0; str r3,[r2]; str r3,[r2,#4] */
    0xBF30, 0x6853, 0x3301, 0x6053, 0xE7FA, /* loop: wfi; ldr r3,[r2,#4]; adds r3,#1; str r3,[r2,#4]; b loop
                                             */
    0x4805, 0x2100, 0x6101,                 /* handler: ldr r0,=TIM5; movs r1,#0; str r1,[r0,#0x10] (SR) */
    0xF04F, 0x5000, 0x6801, 0x3101, 0x6001, /* mov r0,#0x20000000; ldr r1,[r0]; adds r1,#1; str r1,[r0] */
    0x4770, 0x0000,                         /* bx lr */
    0x3840, 0x4002, 0x0C00, 0x4000, 0xE104, 0xE000,
};

/* Counts its starts in SRAM word 0, then asks for a reset (SYSRESETREQ). */
static const uint16_t restarter[] = {
    0xF04F, 0x5200, 0x6813, 0x3301, 0x6013, /* mov r2,#0x20000000; ldr r3,[r2]; adds r3,#1; str r3,[r2] */
    0x4802, 0x4902, 0x6001, 0xE7FE, 0x0000, /* ldr r0,=AIRCR; ldr r1,=0x05fa0004; str r1,[r0]; b . */
    0xED0C, 0xE000, 0x0004, 0x05FA,
};

/* Reads GPIOA_MODER without GPIOA's clock. */
static const uint16_t careless[] = {0x4801, 0x6801, 0xE7FE, 0x0000, 0x0000, 0x4002};

static struct {
    unsigned warnings;
    uint32_t pc;
} seen;

static void report(void *context, struct machine *m, enum report_level level, uint32_t pc, const char *format,
                   va_list arguments)
{
    (void)context;
    (void)m;
    (void)format;
    (void)arguments;
    seen.warnings += level != REPORT_NOTE;
    seen.pc = pc;
}

static struct machine *start(const uint16_t *program, size_t size)
{
    const struct host host = {.report = report};
    const uint32_t vectors[] = {SRAM_BASE + SRAM_SIZE, FLASH_BASE + ENTRY + 1};
    const uint32_t handler = FLASH_BASE + HANDLER + 1;
    struct machine *m = machine_create(&host, 7);

    assert_non_null(m);
    memset(&seen, 0, sizeof seen);
    assert_true(machine_load(m, FLASH_BASE, vectors, sizeof vectors));
    assert_true(machine_load(m, FLASH_BASE + TIM5_VECTOR, &handler, sizeof handler));
    assert_true(machine_load(m, FLASH_BASE + ENTRY, program, size));
    machine_power_on(m);
    return m;
}

static uint32_t word(const struct machine *m, size_t index)
{
    uint32_t value;

    memcpy(&value, m->sram + 4 * index, 4);
    return value;
}

static void sleeping_between_interrupts(void **state)
{
    struct machine *m = start(sleeper, sizeof sleeper);
    (void)state;

    machine_run(m, VTIME_MS(10)); /* 160000 cycles of HSI */
    assert_int_equal(seen.warnings, 0);
    assert_int_equal(word(m, 0), 159);
    assert_int_equal(word(m, 1), 159);
    assert_true(m->instructions < 159 * 20);
    assert_true(m->cycles - 160000 < 10);
    machine_destroy(m);
}

static uint64_t hash_in_steps(vtime step)
{
    struct machine *m = start(sleeper, sizeof sleeper);

    for (vtime now = step; now < VTIME_MS(10); now += step)
        machine_run(m, now);
    machine_run(m, VTIME_MS(10));
    assert_int_equal(word(m, 0), 159);
    uint64_t hash = machine_hash(m);
    machine_destroy(m);
    return hash;
}

static void a_run_in_pieces_ends_in_the_same_state(void **state)
{
    uint64_t whole = hash_in_steps(VTIME_S(1));
    (void)state;

    assert_int_equal(hash_in_steps(VTIME_S(1)), whole);
    assert_int_equal(hash_in_steps(VTIME_US(100)), whole);
    assert_int_equal(hash_in_steps(VTIME_PS(1234567)), whole);
    assert_int_equal(hash_in_steps(VTIME_PS(62500)), whole); /* every cycle */
}

static void a_reset_by_software_starts_anew(void **state)
{
    struct machine *m = start(restarter, sizeof restarter);
    uint32_t starts = word(m, 0), csr = 0;
    (void)state;

    machine_run(m, VTIME_US(100));
    assert_true(word(m, 0) - starts > 10);
    assert_true(bus_read(m, 0x40023874, 4, &csr));
    assert_int_equal(csr >> 24, 0x1E);
    assert_int_equal(seen.warnings, 0);
    machine_destroy(m);
}

static void a_remark_names_the_instruction(void **state)
{
    struct machine *m = start(careless, sizeof careless);
    (void)state;

    machine_run(m, VTIME_US(10));
    assert_int_equal(seen.warnings, 1);
    assert_int_equal(seen.pc, FLASH_BASE + ENTRY + 2);
    machine_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeping_between_interrupts),
        cmocka_unit_test(a_run_in_pieces_ends_in_the_same_state),
        cmocka_unit_test(a_reset_by_software_starts_anew),
        cmocka_unit_test(a_remark_names_the_instruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
