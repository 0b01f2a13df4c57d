/* Sleep: every wake-up is seen, and what was slept is accounted. */
#include "tests/kernel/check.h"

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(tick, 1, 1, nothing)                                                                            \
    SOFTWARE(busy, 1, 1, uint32_t)                                                                           \
    SOFTWARE(poke, 2, 1, nothing)                                                                            \
    HARDWARE(device, 3, EXTI0)
#define RESOURCES(RESOURCE)     RESOURCE(requests, uint32_t, device, tick, busy)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(2, SPI2)
#include "kernel/table.h"

KERNEL_DEFINE

#define PERIOD_US 500
#define TICKS     400

static uint32_t ticks;
static uint64_t set_up_us;
static uint64_t started_us; /* the first tick's time */
static uint64_t idle_at_start_us;

TASK(device)
{
    LOCK (requests) {
        ++*requests;
    }
}

/* A device's request at a moment that drifts against the ticks by an odd number of microseconds. */
TASK(poke)
{
    raise_interrupt(EXTI0_IRQn);
    if (ticks < TICKS && spawn_after(poke, 137) < 0)
        finish(false);
}

/*
 * A wake-up that is missed would leave the next tick to the wake-up after it,
 * and with nothing else due, the program would sleep until the test's time-out.
 */
TASK(tick)
{
    if (++ticks < TICKS) {
        if (spawn_at(tick, started_us + (uint64_t)ticks * PERIOD_US) < 0)
            finish(false);
        return;
    }
    uint64_t now = clock_now();
    uint64_t due = started_us + (uint64_t)(TICKS - 1) * PERIOD_US;
    CHECK("every tick came, the last one in time", now >= due && now < due + PERIOD_US);
    LOCK (requests) {
        CHECK("every request came", *requests > (TICKS - 1) * PERIOD_US / 200);
    }
    uint64_t slept = kernel_idle_us() - idle_at_start_us;
    uint64_t passed = now - set_up_us;
    CHECK("nearly all of the time was slept", slept > passed * 6 / 10);
    CHECK("and not more than there was", slept <= passed);
    if (spawn(busy, 0) < 0)
        finish(false);
}

TASK(busy)
{
    static uint64_t idle_before_us;
    static uint64_t before_us;
    if (message == 0) {
        uint64_t idle = kernel_idle_us();
        spend(10000);
        CHECK("a task's time is not counted as slept", kernel_idle_us() == idle);
        idle_before_us = kernel_idle_us();
        before_us = clock_now();
        if (spawn_after(busy, milliseconds(10), 1) < 0)
            finish(false);
        return;
    }
    uint64_t slept = kernel_idle_us() - idle_before_us;
    uint64_t passed = clock_now() - before_us;
    CHECK("the time between is", passed >= 10000 && slept >= 9500 && slept <= passed);
    finish(true);
}

INIT
{
    set_up_us = clock_now();
    started_us = set_up_us + 1000;
    idle_at_start_us = kernel_idle_us();
    if (spawn_at(tick, started_us) < 0 || spawn_after(poke, 100) < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
