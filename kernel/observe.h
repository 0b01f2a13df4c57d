/*
 * What can be seen of a running application, for those who ask for it; without
 * the two switches nothing of this is compiled, not a byte. kernel/table.h
 * includes this file. Define the switches before it, or on the command line.
 *
 * KERNEL_TRACE: a header's name in quotes. It defines, as macros or inline
 * functions that may be called at any priority and may be interrupted:
 *
 *     kernel_trace_start(task)         its body begins                 enum kernel_task_number
 *     kernel_trace_end(task)           its body has ended; the one that was preempted goes on
 *     kernel_trace_preempt(task, by)   `task` is interrupted, `by` is about to start
 *     kernel_trace_lock(resource)      just locked                     enum kernel_resource_number
 *     kernel_trace_unlock(resource)    about to be unlocked
 *     kernel_trace_spawn(task)         about to be spawned or armed, now or for a time
 *     kernel_trace_timer(task)         its time has come: about to be queued
 *
 * KERNEL_TRACE_ITM: the same with kernel/trace_itm.h, which make trace draws.
 *
 * KERNEL_STATISTICS: run times of tasks and locks, in cycles of the core, for
 * kernel_task_statistics() and kernel_lock_cycles_max() below. A run and a lock
 * count without what preempted them.
 */
#ifndef KERNEL_OBSERVE_H
#define KERNEL_OBSERVE_H

#ifdef KERNEL_TRACE_ITM
#define KERNEL_TRACE "kernel/trace_itm.h"
#endif
#ifdef KERNEL_TRACE
#include KERNEL_TRACE
#else
#define kernel_trace_start(task)       ((void)0)
#define kernel_trace_end(task)         ((void)0)
#define kernel_trace_preempt(task, by) ((void)0)
#define kernel_trace_lock(resource)    ((void)0)
#define kernel_trace_unlock(resource)  ((void)0)
#define kernel_trace_spawn(task)       ((void)0)
#define kernel_trace_timer(task)       ((void)0)
#endif

#if defined(KERNEL_TRACE) || defined(KERNEL_STATISTICS)
struct kernel_task_statistics {
    uint64_t cycles;     /* of all runs */
    uint32_t cycles_max; /* of the longest run */
    uint32_t runs;       /* wraps */
};

struct kernel_observed {
    uint32_t of_others; /* cycles that tasks have taken within the present run */
    uint8_t running;    /* the task, or KERNEL_IDLE_NUMBER */
};
extern struct kernel_observed kernel_observed;

/* What a run has to remember of its start. */
struct kernel_span {
    uint32_t started;
    uint32_t of_others;
    uint8_t preempted;
};

#ifdef KERNEL_STATISTICS
/* As in the table, by number. */
extern const char *const kernel_task_names[];
extern const char *const kernel_resource_names[];
extern struct kernel_task_statistics kernel_statistics_of_tasks[];
extern uint32_t kernel_statistics_of_locks[];

/*
 * Times since the start of a task, or of locks of a resource (in RESOURCES), by
 * number: 0 up to KERNEL_TASKS or KERNEL_RESOURCES, as in the table. From
 * everywhere. A task's share of the core is the growth of `cycles` over the
 * core's cycles in the same time.
 */
static inline struct kernel_task_statistics kernel_task_statistics(enum kernel_task_number number)
{
    uint32_t mask = port_mask();
    struct kernel_task_statistics copy = kernel_statistics_of_tasks[number];
    port_unmask(mask);
    return copy;
}

static inline uint32_t kernel_lock_cycles_max(enum kernel_resource_number number)
{
    return kernel_statistics_of_locks[number];
}

/* Forgets the longest times, so that the next ones are of a period. From everywhere. */
static inline void kernel_statistics_forget(void)
{
    uint32_t mask = port_mask();
    for (unsigned i = 0; i < KERNEL_TASKS; i++)
        kernel_statistics_of_tasks[i].cycles_max = 0;
    for (unsigned i = 0; i < KERNEL_RESOURCES; i++)
        kernel_statistics_of_locks[i] = 0;
    port_unmask(mask);
}

#define kernel_observed_cycles() port_cycles()
#else
#define kernel_observed_cycles() 0u
#endif

/* Runs nest, since tasks share one stack: what an inner one took is left out of the outer one's. */
static inline struct kernel_span kernel_observe_start(unsigned task)
{
    uint32_t mask = port_mask();
    struct kernel_span span = {.preempted = kernel_observed.running, .of_others = kernel_observed.of_others};
    kernel_observed.running = (uint8_t)task;
    kernel_observed.of_others = 0;
    span.started = kernel_observed_cycles();
    port_unmask(mask);
    if (span.preempted != KERNEL_IDLE_NUMBER)
        kernel_trace_preempt(span.preempted, task);
    kernel_trace_start(task);
    return span;
}

static inline void kernel_observe_end(unsigned task, struct kernel_span span)
{
    kernel_trace_end(task);
    uint32_t mask = port_mask();
    uint32_t all = kernel_observed_cycles() - span.started;
#ifdef KERNEL_STATISTICS
    uint32_t own = all - kernel_observed.of_others;
    struct kernel_task_statistics *statistics = &kernel_statistics_of_tasks[task];
    statistics->runs++;
    statistics->cycles += own;
    if (own > statistics->cycles_max)
        statistics->cycles_max = own;
#endif
    kernel_observed.of_others = span.of_others + all;
    kernel_observed.running = span.preempted;
    port_unmask(mask);
}

/* A LOCK that is looked at. INIT's are not: they keep nobody waiting. */
struct kernel_observed_lock {
    uint32_t started;
    uint32_t of_others; /* as in a span */
    uint8_t resource;
    uint8_t shown;
};

static inline struct kernel_observed_lock kernel_observe_lock(unsigned resource, bool shown)
{
    uint32_t mask = port_mask();
    struct kernel_observed_lock lock = {
        .started = kernel_observed_cycles(),
        .of_others = kernel_observed.of_others,
        .resource = (uint8_t)resource,
        .shown = shown,
    };
    port_unmask(mask);
    if (shown)
        kernel_trace_lock(resource);
    return lock;
}

static inline void kernel_observe_unlock(const struct kernel_observed_lock *lock)
{
    if (!lock->shown)
        return;
    kernel_trace_unlock(lock->resource);
#ifdef KERNEL_STATISTICS
    uint32_t mask = port_mask();
    uint32_t held = kernel_observed_cycles() - lock->started;
    held -= kernel_observed.of_others - lock->of_others;
    if (held > kernel_statistics_of_locks[lock->resource])
        kernel_statistics_of_locks[lock->resource] = held;
    port_unmask(mask);
#endif
}

#ifdef KERNEL_STATISTICS
#define KERNEL_OBSERVE_INIT port_cycles_start();
#else
#define KERNEL_OBSERVE_INIT
#endif
#define KERNEL_OBSERVE_START(task) struct kernel_span kernel_span = kernel_observe_start(task);
#define KERNEL_OBSERVE_END(task)   kernel_observe_end(task, kernel_span);

/* Between the two: declared after the lock is taken, so cleaned up before it is released. */
#define KERNEL_OBSERVE_LOCK(resource)                                                                        \
    for (struct kernel_observed_lock kernel_observed_lock_##resource                                         \
         __attribute__((unused, cleanup(kernel_observe_unlock))) =                                           \
             kernel_observe_lock(RESOURCE_##resource, KERNEL_THIS_NUMBER != KERNEL_INIT_NUMBER);             \
         kernel_lock_##resource.held; kernel_lock_##resource.held = 0)

#define KERNEL_NUMBER_OF_SOFTWARE(name, level, capacity, type)                                               \
    if (task == &kernel_task_##name)                                                                         \
        return TASK_##name;

#define KERNEL_TIMER_EXPIRES                                                                                 \
    timer_acknowledge();                                                                                     \
    for (struct kernel_node *node = kernel_take_due(); node; node = kernel_take_due()) {                     \
        kernel_trace_timer(kernel_number_of(node->task));                                                    \
        kernel_make_ready(node, node->task);                                                                 \
    }

#ifdef KERNEL_STATISTICS
#define KERNEL_NAME_HARDWARE(name, level, interrupt)      #name,
#define KERNEL_NAME_SOFTWARE(name, level, capacity, type) #name,
#define KERNEL_NAME_RESOURCE(name, type, ...)             #name,
#define KERNEL_DEFINE_STATISTICS                                                                             \
    const char *const kernel_task_names[] = {TASKS(KERNEL_NAME_HARDWARE, KERNEL_NAME_SOFTWARE)};             \
    const char *const kernel_resource_names[] = {RESOURCES(KERNEL_NAME_RESOURCE) ""};                        \
    struct kernel_task_statistics kernel_statistics_of_tasks[KERNEL_TASKS];                                  \
    uint32_t kernel_statistics_of_locks[KERNEL_RESOURCES + 1];
#else
#define KERNEL_DEFINE_STATISTICS
#endif

#define KERNEL_DEFINE_OBSERVED                                                                               \
    struct kernel_observed kernel_observed = {.running = KERNEL_IDLE_NUMBER};                                \
    __attribute__((unused)) static unsigned kernel_number_of(const struct kernel_task *task)                 \
    {                                                                                                        \
        TASKS(KERNEL_IGNORE, KERNEL_NUMBER_OF_SOFTWARE)                                                      \
        (void)task;                                                                                          \
        return KERNEL_IDLE_NUMBER;                                                                           \
    }                                                                                                        \
    KERNEL_DEFINE_STATISTICS

#else
#define KERNEL_OBSERVE_INIT
#define KERNEL_OBSERVE_START(task)
#define KERNEL_OBSERVE_END(task)
#define KERNEL_OBSERVE_LOCK(resource)
#define KERNEL_TIMER_EXPIRES kernel_timer_interrupt();
#define KERNEL_DEFINE_OBSERVED
#endif

#endif
