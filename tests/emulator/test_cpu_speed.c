/* How many instructions of mixed code the core runs in a second: printed, not judged. The result is. */
#include "cpu_fixture.h"

#include <time.h>

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void test_speed_of_a_mixed_loop(void **state)
{
    struct machine *m = *state;
    struct cpu *c = &m->cpu;
    const uint64_t count = 40000000;
    uint64_t first;
    double begin, elapsed;

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
    c->r[1] = DATA;
    c->r[2] = 17;
    begin = seconds();
    first = m->instructions;
    while (m->instructions - first < count)
        machine_run(m, machine_time_at(m, m->cycles + 1000000));
    elapsed = seconds() - begin;
    assert_int_equal(m->stop, STOP_NONE);
    assert_true(c->r[3] > 1000000);
    print_message("%.0f million instructions per second\n",
                  (double)(m->instructions - first) / elapsed / 1e6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_speed_of_a_mixed_loop)};
    return cmocka_run_group_tests_name("cpu-speed", tests, NULL, NULL);
}
