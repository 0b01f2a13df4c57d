/* Flash and the real core: whose fetch waits for which bank, and what wait states cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus.h"
#include "machine.h"

enum {
    ENTRY = 0x110,
    TIM2_VECTOR = 0xB0,
    HANDLER = 0x180,
    ACR = 0x40023C00,
    KEYR = 0x40023C04,
    SR = 0x40023C0C,
    CR = 0x40023C10,
    SER = 2,
    X32 = 2 << 8,
    STRT = 1 << 16,
    LATENCY_5 = 5,
    PRFTEN = 1 << 8,
    ICEN = 1 << 9,
    DCEN = 1 << 10,
};

/* Unlocks flash, writes the last literal to FLASH_CR, then counts in r4. */
static const uint16_t eraser[] = {
    0x4804, 0x4905, 0x6041, 0x4905, 0x6041, /* ldr r0,=FLASH; ldr r1,=KEY1; str r1,[r0,#4]; the same, KEY2 */
    0x4905, 0x6101, 0x3401, 0xE7FD, 0xBF00, /* ldr r1,=CR; str r1,[r0,#16]; adds r4,#1; b .-2 */
    0x3C00, 0x4002, 0x0123, 0x4567, 0x89AB, 0xCDEF,
};

/* Reads the word at r2 = 0x08104000 again and again; r4 counts. */
static const uint16_t reader[] = {
    0x4A01, 0x6811, 0x3401, 0xE7FC, 0x4000, 0x0810, /* ldr r2,=; ldr r1,[r2]; adds r4,#1; b .-4 */
};

static struct machine *start(const uint16_t *program, size_t size)
{
    const struct host host = {.report = NULL};
    const uint32_t vectors[] = {SRAM_BASE + SRAM_SIZE, FLASH_BASE + ENTRY + 1};
    const uint32_t handler = FLASH_BASE + HANDLER + 1;
    const uint16_t count_in_r5[] = {0x3501, 0x4770}; /* adds r5,#1; bx lr */
    struct machine *m = machine_create(&host, 7);

    assert_non_null(m);
    assert_true(machine_load(m, FLASH_BASE, vectors, sizeof vectors));
    assert_true(machine_load(m, FLASH_BASE + TIM2_VECTOR, &handler, sizeof handler));
    assert_true(machine_load(m, FLASH_BASE + HANDLER, count_in_r5, sizeof count_in_r5));
    assert_true(machine_load(m, FLASH_BASE + ENTRY, program, size));
    machine_power_on(m);
    return m;
}

static struct machine *start_eraser(uint32_t cr)
{
    struct machine *m = start(eraser, sizeof eraser);

    assert_true(machine_load(m, FLASH_BASE + ENTRY + sizeof eraser, &cr, sizeof cr));
    return m;
}

static uint32_t get(struct machine *m, uint32_t address)
{
    uint32_t value = 0;

    assert_true(bus_read(m, address, 4, &value));
    return value;
}

static void set(struct machine *m, uint32_t address, uint32_t value)
{
    assert_true(bus_write(m, address, 4, value));
}

static void pass(struct machine *m, vtime time)
{
    machine_run(m, machine_now(m) + time);
}

/* ---- Busy banks ---- */

static void erasing_its_own_bank_holds_the_core(void **state)
{
    struct machine *m = start_eraser(SER | 5 << 3 | X32 | STRT);
    (void)state;

    pass(m, VTIME_MS(999));
    assert_int_equal(m->cpu.r[4], 0);
    assert_true(m->instructions <= 7);
    assert_int_equal(get(m, SR) >> 16, 1);
    pass(m, VTIME_MS(2));
    assert_true(m->cpu.r[4] > 1000);
    assert_int_equal(get(m, SR), 0);
    machine_destroy(m);
}

static void erasing_the_other_bank_lets_it_run(void **state)
{
    struct machine *m = start_eraser(SER | 21 << 3 | X32 | STRT);
    (void)state;

    pass(m, VTIME_MS(1));
    assert_true(m->cpu.r[4] > 1000);
    assert_int_equal(get(m, SR) >> 16, 1);
    machine_destroy(m);
}

/* Interrupts come when the wait is over; a handler that lies in the busy bank waits too. */
static void an_interrupt_waits_with_the_core(void **state)
{
    struct machine *m = start_eraser(SER | 5 << 3 | X32 | STRT);
    (void)state;

    set(m, 0x40023840, 1); /* TIM2: at 10 ms, once */
    set(m, 0x4000002C, 160000);
    set(m, 0x4000000C, 1);
    set(m, 0x40000000, 1 | 1 << 3);
    m->cpu.enabled[(16 + 28) / 32] |= 1u << (16 + 28) % 32;
    pass(m, VTIME_MS(900));
    assert_int_equal(m->cpu.r[5], 0);
    pass(m, VTIME_MS(101));
    assert_int_not_equal(m->cpu.r[5], 0);
    machine_destroy(m);
}

static void decoded_code_of_a_bank_that_becomes_busy_waits(void **state)
{
    struct machine *m = start(reader, sizeof reader);
    (void)state;

    pass(m, VTIME_MS(1));
    set(m, KEYR, 0x45670123);
    set(m, KEYR, 0xCDEF89AB);
    set(m, CR, SER | 2 << 3 | X32);
    set(m, CR, SER | 2 << 3 | X32 | STRT);
    uint64_t before = m->instructions;
    pass(m, VTIME_MS(200));
    assert_int_equal(m->instructions, before);
    pass(m, VTIME_MS(100));
    assert_true(m->instructions > before);
    machine_destroy(m);
}

static void a_load_from_the_busy_bank_waits(void **state)
{
    struct machine *m = start(reader, sizeof reader);
    (void)state;

    pass(m, VTIME_MS(1));
    set(m, KEYR, 0x45670123);
    set(m, KEYR, 0xCDEF89AB);
    set(m, CR, SER | 17 << 3 | X32);
    set(m, CR, SER | 17 << 3 | X32 | STRT);
    uint64_t before = m->instructions;
    vtime start_of_erase = machine_now(m);
    pass(m, VTIME_MS(1));
    assert_true(m->instructions - before <= 4);
    assert_true(machine_now(m) - start_of_erase >= VTIME_MS(250));
    before = m->instructions;
    pass(m, VTIME_MS(1));
    assert_true(m->instructions - before > 1000);
    machine_destroy(m);
}

static void a_power_cut_reaches_a_waiting_core(void **state)
{
    struct machine *m = start_eraser(SER | 17 << 3 | X32 | STRT);
    (void)state;

    memset(m->flash + 0x4000, 0, 0x4000);
    set(m, 0x40023C00, 0);
    pass(m, VTIME_MS(100));
    uint64_t hash = machine_hash(m);
    machine_power_on(m);
    assert_int_not_equal(machine_hash(m), hash);
    pass(m, VTIME_MS(300)); /* and it starts again, and erases */
    assert_true(m->cpu.r[4] > 1000);
    machine_destroy(m);
}

/* ---- Wait states ---- */

enum { LOOP_INSTRUCTIONS = 31, LOOPS = 1000 };

/* Cycles that LOOPS loops of 62 bytes, four lines, take more than without wait states. */
static uint64_t extra_cycles(const uint16_t *loop, size_t halfwords, uint32_t acr)
{
    uint64_t cycles[2];

    for (int timed = 0; timed < 2; timed++) {
        struct machine *m = start(loop, halfwords * 2);
        machine_time_flash(m, timed);
        set(m, ACR, acr);
        while (m->instructions < (uint64_t)LOOP_INSTRUCTIONS * LOOPS)
            machine_run(m, machine_time_at(m, m->cycles + 1));
        cycles[timed] = m->cycles;
        machine_destroy(m);
    }
    return cycles[1] - cycles[0];
}

static void straight_code_waits_for_each_line(void **state)
{
    uint16_t loop[LOOP_INSTRUCTIONS];
    (void)state;

    for (size_t i = 0; i < LOOP_INSTRUCTIONS - 1; i++)
        loop[i] = 0xBF00;
    loop[LOOP_INSTRUCTIONS - 1] = 0xE7E0; /* b to the first */
    assert_int_equal(extra_cycles(loop, LOOP_INSTRUCTIONS, 0), 0);
    assert_in_range(extra_cycles(loop, LOOP_INSTRUCTIONS, LATENCY_5), 4 * 5 * LOOPS - 20, 4 * 5 * LOOPS + 20);
    assert_in_range(extra_cycles(loop, LOOP_INSTRUCTIONS, LATENCY_5 | PRFTEN), 5 * LOOPS - 20,
                    5 * LOOPS + 20);
    assert_in_range(extra_cycles(loop, LOOP_INSTRUCTIONS, LATENCY_5 | ICEN), 4 * 5, 4 * 5 + 5);
}

static void literals_wait_unless_they_are_cached(void **state)
{
    /* 30 times ldr r1,[pc,#…] from one line, and back */
    uint16_t loop[LOOP_INSTRUCTIONS + 3];
    (void)state;

    for (size_t i = 0; i < LOOP_INSTRUCTIONS - 1; i++)
        loop[i] = (uint16_t)(0x4900 | (16 - (i + 2) / 2));
    loop[LOOP_INSTRUCTIONS - 1] = 0xE7E0;
    loop[LOOP_INSTRUCTIONS] = loop[LOOP_INSTRUCTIONS + 1] = loop[LOOP_INSTRUCTIONS + 2] = 0;
    assert_in_range(extra_cycles(loop, LOOP_INSTRUCTIONS + 3, LATENCY_5 | ICEN), 30 * 5 * LOOPS - 100,
                    30 * 5 * LOOPS + 100);
    assert_in_range(extra_cycles(loop, LOOP_INSTRUCTIONS + 3, LATENCY_5 | ICEN | DCEN), 5 * 5, 6 * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erasing_its_own_bank_holds_the_core),
        cmocka_unit_test(erasing_the_other_bank_lets_it_run),
        cmocka_unit_test(an_interrupt_waits_with_the_core),
        cmocka_unit_test(decoded_code_of_a_bank_that_becomes_busy_waits),
        cmocka_unit_test(a_load_from_the_busy_bank_waits),
        cmocka_unit_test(a_power_cut_reaches_a_waiting_core),
        cmocka_unit_test(straight_code_waits_for_each_line),
        cmocka_unit_test(literals_wait_unless_they_are_cached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
