/*
 * The kernel's types and calls. An application does not include this file but
 * its own header with the table of tasks, which ends in "kernel/table.h".
 *
 * Times are microseconds since kernel_start(), 64 bit, and never wrap.
 *
 * Each call says from where it may be made. "From everywhere" is from tasks of
 * every priority, INIT and IDLE, and the functions that these call, within a
 * LOCK and outside; not from before kernel_start(), and not from the handlers
 * of NMI and faults, which no mask holds off.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "kernel/port.h"

#include <stddef.h>
#include <stdint.h>

#define KERNEL_CHECKED __attribute__((warn_unused_result))

enum kernel_error {
    /* Each place in the task's queue holds a message that waits for its turn or its time. */
    KERNEL_FULL = -1,
    /* The handle's task has started already, or its time has come and it will, or it was cancelled. */
    KERNEL_NOT_PENDING = -2,
};

/* The message of a task that is sent none. Takes no space. */
typedef struct kernel_nothing {
} nothing;

/* The one of that kind: GCC 12 makes no stack frame for it, as it does for an empty literal. */
extern const nothing kernel_none;

#define microseconds(n) ((uint64_t)(n))
#define milliseconds(n) ((uint64_t)(n)*1000u)
#define seconds(n)      ((uint64_t)(n)*1000000u)

/* A time that never comes. */
#define KERNEL_NEVER UINT64_MAX

/* The present time. It never goes back and is exact across wraps of the timer. From everywhere. */
uint64_t clock_now(void);

/* How long the core has slept since the start, to be compared with clock_now(). From everywhere. */
uint64_t kernel_idle_us(void);

/*
 * Takes back what spawn_after or spawn_at promised; `handle` is what they
 * returned. KERNEL_NOT_PENDING when it is too late. A handle is unique among
 * 2^31 of them. From everywhere.
 */
int cancel(int handle);

/*
 * Gives such a spawn another time, as if it had been set now: of one time, it
 * comes last. The handle and the message stay. 0, or KERNEL_NOT_PENDING when
 * it is too late: then nothing is changed. From everywhere.
 */
KERNEL_CHECKED int reschedule(int handle, uint64_t time_us);

/*
 * Sets up tasks and clock, runs INIT with interrupts masked, lets the
 * interrupts in and then runs IDLE again and again, or sleeps where there is
 * none. Call it once, from main, with no interrupt enabled.
 */
_Noreturn void kernel_start(void);

/*
 * ---- What the table expands to; not for direct use ----
 *
 * KERNEL_FAST: instructions count, not bytes. Otherwise what can be shared is
 * one function, called.
 */
#ifdef __OPTIMIZE_SIZE__
#define KERNEL_FAST   0
#define KERNEL_INLINE inline
#else
#define KERNEL_FAST   1
#define KERNEL_INLINE inline __attribute__((always_inline))
#endif

struct kernel_task;

/*
 * One place in a task's queue. It is always in exactly one of: its task's list
 * of free places, the list of timers, the list of a dispatcher, or a task
 * that just takes its message.
 */
struct kernel_node {
    struct kernel_node *next;
    const struct kernel_task *task;
    uint64_t deadline_us;
    int handle;
};

struct kernel_task {
    void (*run)(struct kernel_node *node);
    struct kernel_node **free;
    struct kernel_node **ready; /* of its priority's dispatcher, the last spawned first */
    struct port_pend dispatcher;
    void *places;
    uint16_t place_bytes;
    uint16_t capacity;
};

struct kernel_interrupt {
    uint8_t number;
    uint8_t priority;
};

/* From the application's file with KERNEL_DEFINE. */
extern const struct kernel_task *const kernel_tasks[];
extern const size_t kernel_task_count;
extern const struct kernel_interrupt kernel_interrupts[];
extern const size_t kernel_interrupt_count;
extern const struct port_pend kernel_timer_pend;
void kernel_init(void);

/* The first node of lists[index], or NULL. */
PORT_INLINE void *kernel_pop(struct kernel_node **lists, size_t index)
{
    struct kernel_node *node;
    do {
        node = port_load_exclusive((void **)lists, index);
        if (!node)
            return NULL;
    } while (__builtin_expect(port_store_exclusive((void **)lists, index, node->next), 0));
    return node;
}

PORT_INLINE void kernel_push(struct kernel_node **lists, size_t index, struct kernel_node *node)
{
    do
        node->next = port_load_exclusive((void **)lists, index);
    while (__builtin_expect(port_store_exclusive((void **)lists, index, node), 0));
}

/* Hands a filled place to its dispatcher. Returns 0. */
PORT_INLINE int kernel_make_ready(struct kernel_node *node, const struct kernel_task *task)
{
    kernel_push(task->ready, 0, node);
    port_pend(task->dispatcher);
    return 0;
}

int kernel_spawn(const struct kernel_task *task);
int kernel_spawn_at(const struct kernel_task *task, uint64_t time_us);
int kernel_schedule(struct kernel_node *node, uint64_t time_us);
void kernel_arm(const struct kernel_task *task, uint64_t time_us);
uint64_t kernel_after(uint64_t delay_us);

/* For a dispatcher's handler: all that is ready, the last spawned first. The list is the caller's own then.
 */
PORT_INLINE struct kernel_node *kernel_take_ready(struct kernel_node **lists, size_t index)
{
    struct kernel_node *node;
    do
        node = port_load_exclusive((void **)lists, index);
    while (__builtin_expect(port_store_exclusive((void **)lists, index, NULL), 0));
    return node;
}

/*
 * Runs such a list, the oldest first. What is spawned from now on makes the
 * interrupt pending again, and comes after all of these.
 */
void kernel_run_ready(struct kernel_node *newest);
void kernel_dispatch(struct kernel_node **ready);

void kernel_timer_interrupt(void);
struct kernel_node *kernel_take_due(void);

void kernel_clock_start(void);
void kernel_sleep(void);
void kernel_idle(void);

enum kernel_raised { KERNEL_AS_IT_WAS, KERNEL_RAISED, KERNEL_MASKED };

/* What a LOCK has to put back. */
struct kernel_lock {
    uint32_t before;
    uint8_t raised; /* enum kernel_raised */
    uint8_t held;
};

PORT_INLINE struct kernel_lock kernel_raise(unsigned ceiling, unsigned own)
{
    if (own >= ceiling)
        return (struct kernel_lock){.raised = KERNEL_AS_IT_WAS, .held = 1};
    if (ceiling > PORT_CEILING_MAX)
        return (struct kernel_lock){.before = port_mask(), .raised = KERNEL_MASKED, .held = 1};
    return (struct kernel_lock){.before = port_raise(ceiling), .raised = KERNEL_RAISED, .held = 1};
}

PORT_INLINE void kernel_restore(struct kernel_lock *lock)
{
    if (lock->raised == KERNEL_RAISED)
        port_restore(lock->before);
    else if (lock->raised == KERNEL_MASKED)
        port_unmask(lock->before);
}

#endif
