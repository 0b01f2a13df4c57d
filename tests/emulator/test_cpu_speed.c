/*
 * How many instructions the core runs in a second of the host's: printed, not
 * judged, since that depends on what else the host does. The budget is 200
 * million for mixed code and 100 million for the worst. Results are judged.
 */
#include "cpu/watch.h"
#include "cpu_fixture.h"

#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
enum { COUNT = 1000000 };
#else
enum { COUNT = 20000000 };
#endif

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void measure(struct machine *m, const char *what)
{
    uint64_t first = m->instructions;
    double begin = seconds(), elapsed;

    while (m->instructions - first < COUNT && m->stop == STOP_NONE)
        machine_run(m, machine_time_at(m, m->cycles + 1000000));
    elapsed = seconds() - begin;
    assert_int_equal(m->stop, STOP_NONE);
    print_message("%4.0f million instructions per second: %s\n",
                  (double)(m->instructions - first) / elapsed / 1e6, what);
}

static void load_mixed_loop(struct machine *m)
{
    CODE(m, MAIN, 0x6808,                /* 1: ldr r0, [r1] */
         0xB40C,                         /* push {r2, r3} */
         0x1880,                         /* adds r0, r0, r2 */
         0xEA80, 0x1053,                 /* eor r0, r0, r3, lsr #5 */
         0x6008,                         /* str r0, [r1] */
         0x2A40,                         /* cmp r2, #64 */
         0xBF08, 0x3201,                 /* it eq; addeq r2, #1 */
         0xF000, 0xF803,                 /* bl 2f */
         0xBC0C, 0x3301,                 /* pop {r2, r3}; adds r3, #1 */
         0xE7F2,                         /* b 1b */
         0xFB00, 0x2403,                 /* 2: mla r4, r0, r3, r2 */
         0xF891, 0x5001,                 /* ldrb r5, [r1, #1] */
         0x0B64, 0x2C00, 0xD000, 0xBF00, /* lsrs r4, #13; cmp r4, #0; beq +; nop */
         BX_LR);
    m->cpu.r[1] = DATA;
    m->cpu.r[2] = 17;
}

static void test_mixed_code(void **state)
{
    struct machine *m = *state;

    load_mixed_loop(m);
    measure(m, "mixed code");
    assert_true(m->cpu.r[3] > COUNT / 40);
}

static void test_mixed_code_under_the_mpu(void **state)
{
    struct machine *m = *state;

    load_mixed_loop(m);
    poke(m, 0xE000ED9C, FLASH_BASE | 16);
    poke(m, 0xE000EDA0, 6 << 24 | 20 << 1 | 1);
    poke(m, 0xE000ED9C, SRAM_BASE | 17);
    poke(m, 0xE000EDA0, 3 << 24 | 17 << 1 | 1);
    poke(m, 0xE000ED94, 1);
    measure(m, "mixed code under the MPU");
    assert_true(m->cpu.r[3] > COUNT / 40);
}

static void test_mixed_code_under_a_watchpoint(void **state)
{
    struct machine *m = *state;

    load_mixed_loop(m);
    poke(m, DEMCR_, DEMCR_TRCENA | DEMCR_MON_EN);
    poke(m, 0xE0001020, DATA + 0x1000);
    poke(m, 0xE0001028, 7);
    measure(m, "mixed code with a DWT watchpoint");
    assert_true(m->cpu.r[3] > COUNT / 40);
}

/* As race detection does it: something at the start of SRAM is denied, so that nothing is reached at once. */
static void nothing_changes(void *context, struct machine *m)
{
    (void)context;
    (void)m;
}

static void no_reset(void *context)
{
    (void)context;
}

static void test_mixed_code_beside_what_is_denied(void **state)
{
    static uint8_t classes[SRAM_SIZE] = {1, 1, 1, 1};
    static struct cpu_watch watch = {
        .classes = classes, .denied = {2, 2}, .changed = nothing_changes, .reset = no_reset};
    struct machine *m = *state;

    load_mixed_loop(m);
    cpu_set_watch(m, &watch);
    measure(m, "mixed code beside resources that it must not touch");
    cpu_set_watch(m, NULL);
    assert_true(m->cpu.r[3] > COUNT / 40);
}

static void test_arithmetic(void **state)
{
    struct machine *m = *state;

    CODE(m, MAIN, 0x1840, 0x4041, 0x0092, 0x1A9B, 0xEA43, 0x0301, 0xFB03, 0xF304, 0x43D5, 0xB2AE,
         0xE7F4); /* adds, eors, lsls, subs, orr, mul, mvns, uxth, b */
    measure(m, "arithmetic");
}

static void test_copying_bytes(void **state)
{
    struct machine *m = *state;

    /* 1: movs r3, #0; 2: ldrb r4, [r1, r3]; strb r4, [r2, r3]; adds r3, #1; cmp r3, #200; bne 2b; b 1b */
    CODE(m, MAIN, 0x2300, 0x5CCC, 0x54D4, 0x3301, 0x2BC8, 0xD1FA, 0xE7F8);
    m->cpu.r[1] = DATA;
    m->cpu.r[2] = DATA + 0x400;
    measure(m, "copying bytes");
}

static void test_table_in_flash(void **state)
{
    struct machine *m = *state;

    /* 1: ldrb r4, [r1, r3]; ldrh r5, [r1, r3]; ldr r6, [r1]; adds r3, #2; uxtb r3, r3; b 1b */
    CODE(m, MAIN, 0x5CCC, 0x5ACD, 0x680E, 0x3302, 0xB2DB, 0xE7F9);
    m->cpu.r[1] = FLASH_BASE + 0x2000;
    measure(m, "tables in flash");
}

static void test_it_blocks(void **state)
{
    struct machine *m = *state;

    /* 1: cmp r0, #7; ittee eq; moveq; addeq; movne; addne; adds r0, #1; and r0, r0, #7; b 1b */
    CODE(m, MAIN, 0x2807, 0xBF07, 0x2101, 0x3201, 0x2103, 0x3202, 0x3001, 0xF000, 0x0007, 0xE7F5);
    measure(m, "IT blocks");
}

static void test_calls(void **state)
{
    struct machine *m = *state;

    /* 1: bl 2f; b 1b; 2: push {r4, lr}; pop {r4, pc} */
    CODE(m, MAIN, 0xF000, 0xF801, 0xE7FC, 0xB510, 0xBD10);
    measure(m, "calls");
}

static void test_floats(void **state)
{
    struct machine *m = *state;

    /* vadd s0, s0, s1; vmul s2, s0, s1; vfma s3, s2, s1; vldr s4, [r1]; vcvt.s32 s5, s3; b */
    CODE(m, MAIN, 0xEE30, 0x0A20, 0xEE20, 0x1A20, 0xEEE1, 0x1A20, 0xED91, 0x2A00, 0xEEFD, 0x2AE1, 0xE7F4);
    poke(m, CPACR_, 0xF00000);
    m->cpu.r[1] = DATA;
    m->cpu.s[1] = 0x3F7FFF00;
    m->cpu.s[0] = 0x3F812345;
    measure(m, "floats");
}

/* Nothing but arithmetic, its operands made anew each time */
static void load_dense_floats(struct machine *m, uint32_t mode)
{
    /* vadd s0, s0, s1; vmul s2, s0, s1; vfma s3, s2, s1; vsub s4, s0, s2; vdiv s5, s0, s1; vsqrt s6, s0;
     * vmla s7, s1, s0; vcvt.s32 s8, s0; vcvt.f32.s32 s9, s8; vcmp s0, s2; vmov s3, s1; vmov s7, s1;
     * vneg s1, s1; b */
    CODE(m, MAIN, 0xEE30, 0x0A20, 0xEE20, 0x1A20, 0xEEE1, 0x1A20, 0xEE30, 0x2A41, 0xEEC0, 0x2A20, 0xEEB1,
         0x3AC0, 0xEE40, 0x3A80, 0xEEBD, 0x4AC0, 0xEEF8, 0x4AC4, 0xEEB4, 0x0A41, 0xEEF0, 0x1A60, 0xEEF0,
         0x3A60, 0xEEF1, 0x0A60, 0xE7E4);
    poke(m, CPACR_, 0xF00000);
    m->cpu.fpscr = mode;
}

static void test_dense_floats(void **state)
{
    static const struct {
        uint32_t mode, s0, s1;
        const char *what;
    } cases[] = {
        {0, 0x41712345, 0x3F7FFF00, "dense floats"},
        {1 << 22, 0x41712345, 0x3F7FFF00, "dense floats, rounding up"},
        {2 << 22, 0x41712345, 0x3F7FFF00, "dense floats, rounding down"},
        {3 << 22, 0x41712345, 0x3F7FFF00, "dense floats, rounding to zero"},
        {0, 0x00712345, 0x000FFF00, "dense floats, subnormal"},
        {1 << 22, 0x00712345, 0x000FFF00, "dense floats, subnormal, rounding up"},
        {0, 0, 0, "dense floats, zeros"},
        {0, 0x7FC00001, 0x3F800000, "dense floats, NaN"},
        {0, 0x7F800000, 0x3F800000, "dense floats, infinite"},
    };
    struct machine *m = *state;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        load_dense_floats(m, cases[i].mode);
        m->cpu.s[0] = cases[i].s0;
        m->cpu.s[1] = cases[i].s1;
        measure(m, cases[i].what);
    }
}

static void test_divisions(void **state)
{
    struct machine *m = *state;

    /* udiv r0, r1, r2; sdiv r3, r1, r2; adds r1, #5; b */
    CODE(m, MAIN, 0xFBB1, 0xF0F2, 0xFB91, 0xF3F2, 0x3105, 0xE7F9);
    m->cpu.r[1] = 0x12345678;
    m->cpu.r[2] = 77;
    measure(m, "divisions");
}

static void test_parallel(void **state)
{
    struct machine *m = *state;

    /* uadd8 r0, r1, r2; sel r3, r1, r2; smlad r4, r1, r2, r4; qadd16 r5, r4, r1; b */
    CODE(m, MAIN, 0xFA81, 0xF042, 0xFAA1, 0xF382, 0xFB21, 0x4402, 0xFA94, 0xF511, 0xE7F6);
    m->cpu.r[1] = 0x12345678;
    m->cpu.r[2] = 0x87654321;
    measure(m, "parallel arithmetic");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mixed_code),
        TEST(test_mixed_code_under_the_mpu),
        TEST(test_mixed_code_under_a_watchpoint),
        TEST(test_mixed_code_beside_what_is_denied),
        TEST(test_arithmetic),
        TEST(test_copying_bytes),
        TEST(test_table_in_flash),
        TEST(test_it_blocks),
        TEST(test_calls),
        TEST(test_floats),
        TEST(test_dense_floats),
        TEST(test_divisions),
        TEST(test_parallel),
    };
    return cmocka_run_group_tests_name("cpu-speed", tests, NULL, NULL);
}
