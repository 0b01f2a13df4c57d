/* The trace's hooks in their order, and the statistics' figures. */
#define KERNEL_TRACE "tests/kernel/trace_hooks.h"
#define KERNEL_STATISTICS

#include "tests/kernel/check.h"

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(test, 1, 1, nothing)                                                                            \
    SOFTWARE(middle, 2, 1, uint32_t)                                                                         \
    HARDWARE(high, 4, EXTI0)                                                                                 \
    SOFTWARE(after, 1, 1, nothing)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(first, uint32_t, test, middle)                                                                  \
    RESOURCE(second, uint32_t, test, high)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(2, SPI2)
#include "kernel/table.h"

KERNEL_DEFINE

/* Each event as its letter and a digit. */
void note(char what, unsigned whom)
{
    trace(what);
    trace((char)('0' + whom));
}

TASK(middle)
{
    LOCK (first) {
        spend(message);
    }
}

TASK(high)
{
    spend(700);
}

/* Cycles of this many microseconds, from a tenth less to half as much again: the checks compute, too. */
static uint64_t per_ms;

static bool about(uint64_t cycles, uint64_t us)
{
    return cycles >= per_ms * us / 1000 * 9 / 10 && cycles <= per_ms * us / 1000 * 3 / 2;
}

static void measure_core(void)
{
    uint32_t before = port_cycles();
    spend(10000);
    per_ms = (port_cycles() - before) / 10;
    (void)traced("");
}

static struct kernel_task_statistics of(enum kernel_task_number task)
{
    return kernel_task_statistics(task);
}

TASK(test)
{
    CHECK("a spawn in INIT, and a start", traced("w0s0"));
    LOCK (first) {
    }
    CHECK("lock and unlock", traced("l0u0"));
    CHECK("a spawn to a higher task", spawn(middle, 0) == 0);
    CHECK("spawn, preemption, start, lock, unlock, end", traced("w1p0b1s1l0u0e1"));
    raise_interrupt(EXTI0_IRQn);
    CHECK("an interrupt's", traced("p0b2s2e2"));
    LOCK (second) {
        raise_interrupt(EXTI0_IRQn);
    }
    CHECK("held off until after the unlock", traced("l1u1p0b2s2e2"));
    if (spawn_after(middle, 200, 0) < 0)
        finish(false);
    spend(500);
    CHECK("a timer's time", traced("w1t1p0b1s1l0u0e1"));

    measure_core();
    if (per_ms == 0) {
        say("no cycle counter here: figures not looked at\n");
        finish(true);
    }
    kernel_statistics_forget();
    uint32_t runs = of(TASK_middle).runs;
    uint64_t cycles_before = of(TASK_middle).cycles;
    CHECK("a run of 3 ms", spawn(middle, 3000) == 0);
    CHECK("one of 1 ms", spawn(middle, 1000) == 0);
    CHECK("runs are counted", of(TASK_middle).runs == runs + 2);
    CHECK("the longest is kept", about(of(TASK_middle).cycles_max, 3000));
    CHECK("all are added up", about(of(TASK_middle).cycles - cycles_before, 4000));
    CHECK("the longest time a lock was held", about(kernel_lock_cycles_max(RESOURCE_first), 3000));
    CHECK("of that lock alone", kernel_lock_cycles_max(RESOURCE_second) == 0);

    kernel_statistics_forget();
    CHECK("what was longest is forgotten",
          of(TASK_middle).cycles_max == 0 && kernel_lock_cycles_max(RESOURCE_first) == 0);
    LOCK (first) {
        raise_interrupt(EXTI0_IRQn); /* 700 us of a task above the ceiling */
        spend(400);
    }
    CHECK("a lock counts without what preempted it", about(kernel_lock_cycles_max(RESOURCE_first), 400));
    CHECK("which counts for itself", about(of(TASK_high).cycles_max, 700));
    CHECK("names",
          kernel_task_names[TASK_high][0] == 'h' && kernel_resource_names[RESOURCE_second][0] == 's');
    if (spawn(after) < 0)
        finish(false);
}

TASK(after)
{
    /* measure_core 10 ms, and what the checks took */
    CHECK("a task's run counts without those that preempted it",
          of(TASK_test).runs == 1 && of(TASK_test).cycles_max >= 10 * per_ms &&
              of(TASK_test).cycles_max < 16 * per_ms);
    finish(true);
}

INIT
{
    LOCK (first) { /* nobody waits in INIT: not shown */
        *first = 0;
    }
    if (spawn(test) < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
