/*
 * The kernel's paths that cost instructions, between marks: labels, which add
 * none. tests/kernel/host/figures.c counts what is executed from one to the
 * other on the virtual board.
 */
#include "kernel/assert.h"
#include "target/stm32f429/timer.h"

enum { FEW = 8, MANY = 64 };

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(low, 1, 1, nothing)                                                                             \
    SOFTWARE(same, 1, 1, uint32_t)                                                                           \
    SOFTWARE(timed, 2, 1, nothing)                                                                           \
    SOFTWARE(waiting, 2, 64, nothing)                                                                        \
    SOFTWARE(high, 3, 1, uint32_t)                                                                           \
    HARDWARE(device, 4, EXTI0)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(shared, uint32_t, low, high)                                                                    \
    RESOURCE(own, uint32_t, low)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(2, SPI2) DISPATCHER(3, SPI3)
#include "kernel/table.h"

ASSERT_MODULE("bench")

KERNEL_DEFINE

/* The compiler may copy it with the code around it: %= makes each copy's name another. */
#define MARK(name) __asm__ volatile("mark_" #name ".%=:" : : : "memory")

static volatile uint32_t messages;

TASK(device)
{
    MARK(device_starts);
    messages++;
}

TASK(high)
{
    MARK(high_starts);
    messages = message;
    MARK(high_ends);
}

TASK(same)
{
    messages = message;
}

static volatile bool expired;

TASK(timed)
{
    MARK(timed_starts);
    expired = true;
}

TASK(waiting)
{
    messages++;
}

static void let_expire(void)
{
    for (uint32_t i = 0; i < 1000000 && !expired; i++) {
    }
    ASSERT(1, expired);
    expired = false;
}

/* Timers that stay pending: all are due before what is measured, so each is passed when it is set. */
static void wait_with(unsigned count)
{
    static unsigned waiting_now;
    for (; waiting_now < count; waiting_now++)
        MUST(2, spawn_at(waiting, seconds(1000)));
}

TASK(low)
{
    MARK(lock_begins);
    LOCK (shared) {
        MARK(locked);
    }
    MARK(lock_ends);
    MARK(own_lock_begins);
    LOCK (own) {
        MARK(own_locked);
    }
    MARK(own_lock_ends);

    MARK(spawn_begins);
    int error = spawn(same, 1);
    MARK(spawn_ends);
    MUST(3, error);

    MARK(spawn_high_begins);
    error = spawn(high, 2);
    MARK(after_high);
    MUST(4, error);

    port_pend((struct port_pend)PORT_PEND(EXTI0_IRQn));

    MARK(spawn_after_begins);
    error = spawn_after(timed, 500);
    MARK(spawn_after_ends);
    MUST(5, error);
    let_expire();

    wait_with(FEW);
    MARK(spawn_after_few_begins);
    error = spawn_after(timed, seconds(2000));
    MARK(spawn_after_few_ends);
    MUST(6, error);
    MUST(7, cancel(error));
    MUST(8, spawn_after(timed, 500));
    let_expire();

    wait_with(MANY);
    MARK(spawn_after_many_begins);
    error = spawn_after(timed, seconds(2000));
    MARK(spawn_after_many_ends);
    MUST(9, error);
    MUST(10, cancel(error));
    MUST(11, spawn_after(timed, 500));
    let_expire();
    MARK(the_end);
    for (;;) {
    }
}

INIT
{
    MUST(12, spawn(low));
}

int main(void)
{
    kernel_start();
}
