#include "kernel/kernel.h"

/*
 * Scheduling is the NVIC's. What is left: a dispatcher is the interrupt of a
 * peripheral that nobody uses; a spawn puts the message's place on the
 * dispatcher's list and makes that interrupt pending.
 */

const nothing kernel_none;

int kernel_spawn(const struct kernel_task *task)
{
    struct kernel_node *node = kernel_pop(task->free, 0);
    return node ? kernel_make_ready(node, task) : KERNEL_FULL;
}

/* Bounded by the capacities of the priority's tasks. */
static struct kernel_node *reverse(struct kernel_node *newest)
{
    struct kernel_node *oldest = NULL;
    while (newest) {
        struct kernel_node *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static inline __attribute__((always_inline)) void run_all(struct kernel_node *newest)
{
    struct kernel_node *next;
    for (struct kernel_node *node = reverse(newest); node; node = next) {
        next = node->next;
        node->task->run(node);
    }
}

/* A program has one of the two: not inline, or its dispatchers would each have a copy. */
__attribute__((noinline)) void kernel_run_ready(struct kernel_node *newest)
{
    run_all(newest);
}

__attribute__((noinline)) void kernel_dispatch(struct kernel_node **ready)
{
    run_all(kernel_take_ready(ready, 0));
}

static void set_up_places(const struct kernel_task *task)
{
    uint8_t *place = task->places;
    for (unsigned i = 0; i < task->capacity; i++, place += task->place_bytes) {
        struct kernel_node *node = (struct kernel_node *)(void *)place;
        node->task = task;
        kernel_push(task->free, 0, node);
    }
}

/* Where the application has no IDLE. */
__attribute__((weak)) void kernel_idle(void)
{
    kernel_sleep();
}

_Noreturn void kernel_start(void)
{
    port_mask();
    for (size_t i = 0; i < kernel_task_count; i++)
        set_up_places(kernel_tasks[i]);
    for (size_t i = 0; i < kernel_interrupt_count; i++) {
        port_interrupt_priority(kernel_interrupts[i].number, kernel_interrupts[i].priority);
        port_interrupt_enable(kernel_interrupts[i].number);
    }
    kernel_clock_start();
    kernel_init();
    port_unmask(0);
    for (;;)
        kernel_idle();
}
