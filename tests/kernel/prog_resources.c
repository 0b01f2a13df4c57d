/*
 * Resources that need no lock, the highest priority, which PRIMASK alone holds
 * off, and IDLE.
 */
#include "tests/kernel/check.h"

struct limits {
    uint32_t most;
};

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(test, 1, 1, nothing)                                                                            \
    SOFTWARE(first, 2, 2, uint32_t)                                                                          \
    SOFTWARE(second, 2, 2, uint32_t)                                                                         \
    SOFTWARE(work, 3, 2, uint32_t)                                                                           \
    SOFTWARE(top, 16, 2, char)                                                                               \
    HARDWARE(below, 15, EXTI0)                                                                               \
    HARDWARE(urgent, 16, EXTI1)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(with_urgent, uint32_t, test, urgent)                                                            \
    RESOURCE(orders, uint32_t, test, work, idle)
#define LOCAL_RESOURCES(LOCAL)                                                                               \
    LOCAL(presses, uint32_t, urgent)                                                                         \
    LOCAL(rounds, uint32_t, idle)
#define READ_ONLY_RESOURCES(READ_ONLY) READ_ONLY(limits, struct limits, test, urgent, idle)
#define LOCK_FREE_RESOURCES(LOCK_FREE) LOCK_FREE(sum, uint32_t, first, second)
#define DISPATCHERS(DISPATCHER)                                                                              \
    DISPATCHER(1, SPI1) DISPATCHER(2, SPI2) DISPATCHER(3, SPI3) DISPATCHER(16, DMA2_Stream7)
#include "kernel/table.h"

KERNEL_DEFINE

TASK(below)
{
    trace('b');
}

TASK(urgent)
{
    USE(presses);
    USE(limits);
    trace('U');
    LOCK (with_urgent) {
        ++*with_urgent; /* its own priority is the ceiling */
    }
    if (++*presses > limits->most)
        trace('!');
    if (spawn_after(top, 3000, 't') < 0)
        trace('f');
}

TASK(top)
{
    trace(message);
}

TASK(first)
{
    USE(sum);
    *sum += message;
    if (spawn(second, message) < 0)
        trace('!');
}

TASK(second)
{
    USE(sum);
    *sum += message * 10;
    trace(*sum == 110 ? 's' : '!');
}

TASK(work)
{
    LOCK (orders) {
        *orders += message;
    }
}

static volatile uint32_t orders_done;

TASK(test)
{
    static unsigned stage;
    if (stage == 0) {
        USE(limits);
        CHECK("INIT has written what is read-only", limits->most == 3);

        LOCK (with_urgent) {
            raise_interrupt(EXTI1_IRQn);
            raise_interrupt(EXTI0_IRQn);
            trace('1');
            CHECK("a lock to priority 16 leaves BASEPRI alone", basepri() == 0);
        }
        CHECK("but holds all off, and then the highest goes first", traced("1Ub"));
        LOCK (orders) {
            LOCK (with_urgent) {
                raise_interrupt(EXTI1_IRQn);
                trace('1');
            }
            trace('2');
            CHECK("nested in another lock the outer one's ceiling stays", basepri() == 0xD0);
        }
        CHECK("and 16 goes before its end", traced("1U2"));
        spend(5000);
        CHECK("priority 16 spawns, and software tasks have it", traced("tt"));

        if (spawn(first, 10) < 0)
            finish(false);
        CHECK("users of one priority share without lock", traced("s"));

        CHECK("work for IDLE is ordered", spawn(work, 3) == 0 && spawn_after(work, 2000, 4) >= 0);
        stage = 1;
        CHECK("and looked at later", spawn_after(test, 10000) >= 0);
        return;
    }
    LOCK (orders) {
        CHECK("IDLE has done what there was", *orders == 0 && orders_done == 7);
    }
    CHECK("and slept otherwise", kernel_idle_us() > 8000);
    finish(true);
}

/* Bounded work a round; what a task has ordered meanwhile is seen before the sleep. */
IDLE
{
    USE(rounds);
    USE(limits);
    LOCK (orders) {
        if (*orders > 0) {
            --*orders;
            orders_done++;
        }
    }
    if (++*rounds > 1000 * limits->most)
        trace('!');
    sleep_while(orders, *orders == 0);
}

INIT
{
    USE(limits);
    USE(presses);
    limits->most = 3;
    *presses = 0;
    if (spawn(test) < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
