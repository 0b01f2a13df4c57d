/*
 * A little of everything that the timeline draws, for test_timeline.py: the
 * program only says that it came to its end.
 */
#ifdef __arm__ /* no process has an ITM */
#define KERNEL_TRACE_ITM
#endif

#include "tests/kernel/check.h"

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(first, 1, 1, nothing)                                                                           \
    SOFTWARE(second, 1, 2, uint32_t)                                                                         \
    SOFTWARE(middle, 2, 1, nothing)                                                                          \
    HARDWARE(high, 4, EXTI0)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(outer, uint32_t, first, middle)                                                                 \
    RESOURCE(inner, uint32_t, first, second, idle)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(2, SPI2)
#include "kernel/table.h"

KERNEL_DEFINE

TASK(first)
{
    LOCK (outer) {
        if (spawn(middle) < 0) /* has to wait */
            finish(false);
        LOCK (inner) {
            raise_interrupt(EXTI0_IRQn); /* does not */
            ++*inner;
        }
        spend(20);
    }
    if (spawn(second, 1) < 0 || spawn_after(second, 300, 2) < 0)
        finish(false);
}

TASK(second)
{
    LOCK (inner) {
        *inner += message;
    }
    spend(10);
}

TASK(middle)
{
    LOCK (outer) {
        ++*outer;
    }
    raise_interrupt(EXTI0_IRQn);
    spend(30);
}

TASK(high)
{
    spend(5);
}

INIT
{
    if (spawn(first) < 0)
        finish(false);
}

IDLE
{
    LOCK (inner) {
        if (*inner == 4)
            finish(true);
    }
    sleep_while(inner, *inner != 4);
}

int main(void)
{
    kernel_start();
}
