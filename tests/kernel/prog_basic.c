/*
 * A complete small application: one hardware task, two software tasks, two
 * resources. It is also the first test, and the three-task program whose size
 * the kernel's budget counts.
 */
#include "tests/kernel/check.h"

#include "kernel/assert.h"

struct samples {
    uint32_t count;
    uint32_t last;
};

/* In an application the table is a header of its own, which every file with a TASK includes. */
#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    HARDWARE(button, 3, EXTI0)                                                                               \
    SOFTWARE(store_sample, 2, 4, uint32_t)                                                                   \
    SOFTWARE(report, 1, 1, nothing)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(samples, struct samples, store_sample, report)                                                  \
    RESOURCE(presses, uint32_t, button, report)
#define DISPATCHERS(DISPATCHER)                                                                              \
    DISPATCHER(2, SPI1)                                                                                      \
    DISPATCHER(1, SPI2)
#include "kernel/table.h"

ASSERT_MODULE("basic")

KERNEL_DEFINE

TASK(button)
{
    LOCK (presses) {
        ++*presses;
        MUST(1, spawn(store_sample, *presses * 100));
    }
}

TASK(store_sample)
{
    LOCK (samples) {
        samples->count++;
        samples->last = message;
    }
}

TASK(report)
{
    struct samples copy;
    LOCK (samples) {
        copy = *samples;
    }
    if (copy.count < 3) {
        raise_interrupt(EXTI0_IRQn);
        MUST(2, spawn_after(report, milliseconds(1)));
        return;
    }
    CHECK("three samples were stored, one a millisecond", clock_now() >= 3000);
    CHECK("the last message came whole", copy.last == 300);
    LOCK (presses) {
        CHECK("every press was counted", *presses == 3);
    }
    CHECK("the core slept between them", kernel_idle_us() > 1000);
    finish(true);
}

INIT
{
    LOCK (samples) {
        *samples = (struct samples){.count = 0};
    }
    MUST(3, spawn_after(report, milliseconds(1)));
}

int main(void)
{
    kernel_start();
}
