#include "kernel/kernel.h"

/*
 * Scheduling is the NVIC's. What is left: a dispatcher is the interrupt of a
 * peripheral that nobody uses; a spawn puts the message's place on the
 * dispatcher's list and makes that interrupt pending.
 */

const nothing kernel_none;

extern inline int kernel_spawn(const struct kernel_task *task);
extern inline void kernel_dispatch(struct kernel_node **ready);

/* Bounded by the capacities of the priority's tasks. The list is the dispatcher's own by now. */
struct kernel_node *kernel_reverse(struct kernel_node *newest)
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

static void set_up_places(const struct kernel_task *task)
{
    uint8_t *place = task->places;
    for (unsigned i = 0; i < task->capacity; i++, place += task->place_bytes) {
        struct kernel_node *node = (struct kernel_node *)(void *)place;
        node->task = task;
        kernel_push(task->free, node);
    }
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
        kernel_sleep();
}
