/*
 * Turns the application's table of tasks and resources into declarations. The
 * application's header includes the target's irq.h and timer.h, defines three
 * lists and includes this file last; docs/kernel.md has an example.
 *
 *     #define TASKS(HARDWARE, SOFTWARE)
 *         HARDWARE(name, priority, interrupt)
 *         SOFTWARE(name, priority, queue capacity, message type or nothing)
 *     #define RESOURCES(RESOURCE)
 *         RESOURCE(name, type, every task that uses it)
 *     #define DISPATCHERS(DISPATCHER)
 *         DISPATCHER(priority, interrupt of a peripheral that is not used)
 *
 * and, where wanted, lists of resources that need no lock:
 *
 *     #define LOCAL_RESOURCES(LOCAL)
 *         LOCAL(name, type, task)                    of one task
 *     #define READ_ONLY_RESOURCES(READ_ONLY)
 *         READ_ONLY(name, type, every task that reads it)        written by INIT alone
 *     #define LOCK_FREE_RESOURCES(LOCK_FREE)
 *         LOCK_FREE(name, type, every task that uses it)         all of one priority
 *
 * Priorities are 1 (lowest) to 16 (highest). Then, in any file:
 *
 *     TASK(name) { }                 the task's body; a software task has `message`
 *     INIT { }                       once; runs before any interrupt
 *     IDLE { }                       where wanted: runs again and again while nothing else is to be done;
 *                                    `idle` in the lists of users
 *     LOCK(resource) { }             inside these: the resource's name is a pointer to it
 *     USE(resource);                 the same for the rest of the block, for one that needs no lock
 *     sleep_while(resource, condition);   in IDLE: sleeps if that is so, to the next interrupt
 *                                    and, from everywhere (kernel/kernel.h), so from other functions too:
 *     spawn(task, message)           0, or negative (enum kernel_error)
 *     spawn_after(task, delay_us, message), spawn_at(task, time_us, message)
 *                                    a handle (not negative) for cancel() and reschedule(), or negative
 *     arm(task, time_us)             the task (without message) shall next run at that time
 *
 * and KERNEL_DEFINE once, in one file.
 */
#ifndef KERNEL_TABLE_H
#define KERNEL_TABLE_H

#include "kernel/describe.h"
#include "kernel/kernel.h"

#if !defined(TASKS) || !defined(RESOURCES) || !defined(DISPATCHERS)
#error "define the lists TASKS, RESOURCES and DISPATCHERS before kernel/table.h (docs/kernel.md)"
#endif
#ifndef KERNEL_TIMER
#error "include the target's timer.h, which names the kernel's timer, before kernel/table.h"
#endif

#ifndef LOCAL_RESOURCES
#define LOCAL_RESOURCES(LOCAL)
#endif
#ifndef READ_ONLY_RESOURCES
#define READ_ONLY_RESOURCES(READ_ONLY)
#endif
#ifndef LOCK_FREE_RESOURCES
#define LOCK_FREE_RESOURCES(LOCK_FREE)
#endif

/* ---- Macro tools ---- */

#define KERNEL_IGNORE(...)

/* MACRO(a) MACRO(b) … for as many as there can be users of a resource: 30 tasks and IDLE. */
#define KERNEL_EACH(M, ...)                                                                                  \
    KERNEL_EACH_PICK(__VA_ARGS__, KERNEL_EACH_31, KERNEL_EACH_30, KERNEL_EACH_29, KERNEL_EACH_28,            \
                     KERNEL_EACH_27, KERNEL_EACH_26, KERNEL_EACH_25, KERNEL_EACH_24, KERNEL_EACH_23,         \
                     KERNEL_EACH_22, KERNEL_EACH_21, KERNEL_EACH_20, KERNEL_EACH_19, KERNEL_EACH_18,         \
                     KERNEL_EACH_17, KERNEL_EACH_16, KERNEL_EACH_15, KERNEL_EACH_14, KERNEL_EACH_13,         \
                     KERNEL_EACH_12, KERNEL_EACH_11, KERNEL_EACH_10, KERNEL_EACH_9, KERNEL_EACH_8,           \
                     KERNEL_EACH_7, KERNEL_EACH_6, KERNEL_EACH_5, KERNEL_EACH_4, KERNEL_EACH_3,              \
                     KERNEL_EACH_2, KERNEL_EACH_1, ~)                                                        \
    (M, __VA_ARGS__)
#define KERNEL_EACH_PICK(u1, u2, u3, u4, u5, u6, u7, u8, u9, u10, u11, u12, u13, u14, u15, u16, u17, u18,    \
                         u19, u20, u21, u22, u23, u24, u25, u26, u27, u28, u29, u30, u31, picked, ...)       \
    picked
#define KERNEL_EACH_1(M, a)       M(a)
#define KERNEL_EACH_2(M, a, ...)  M(a) KERNEL_EACH_1(M, __VA_ARGS__)
#define KERNEL_EACH_3(M, a, ...)  M(a) KERNEL_EACH_2(M, __VA_ARGS__)
#define KERNEL_EACH_4(M, a, ...)  M(a) KERNEL_EACH_3(M, __VA_ARGS__)
#define KERNEL_EACH_5(M, a, ...)  M(a) KERNEL_EACH_4(M, __VA_ARGS__)
#define KERNEL_EACH_6(M, a, ...)  M(a) KERNEL_EACH_5(M, __VA_ARGS__)
#define KERNEL_EACH_7(M, a, ...)  M(a) KERNEL_EACH_6(M, __VA_ARGS__)
#define KERNEL_EACH_8(M, a, ...)  M(a) KERNEL_EACH_7(M, __VA_ARGS__)
#define KERNEL_EACH_9(M, a, ...)  M(a) KERNEL_EACH_8(M, __VA_ARGS__)
#define KERNEL_EACH_10(M, a, ...) M(a) KERNEL_EACH_9(M, __VA_ARGS__)
#define KERNEL_EACH_11(M, a, ...) M(a) KERNEL_EACH_10(M, __VA_ARGS__)
#define KERNEL_EACH_12(M, a, ...) M(a) KERNEL_EACH_11(M, __VA_ARGS__)
#define KERNEL_EACH_13(M, a, ...) M(a) KERNEL_EACH_12(M, __VA_ARGS__)
#define KERNEL_EACH_14(M, a, ...) M(a) KERNEL_EACH_13(M, __VA_ARGS__)
#define KERNEL_EACH_15(M, a, ...) M(a) KERNEL_EACH_14(M, __VA_ARGS__)
#define KERNEL_EACH_16(M, a, ...) M(a) KERNEL_EACH_15(M, __VA_ARGS__)
#define KERNEL_EACH_17(M, a, ...) M(a) KERNEL_EACH_16(M, __VA_ARGS__)
#define KERNEL_EACH_18(M, a, ...) M(a) KERNEL_EACH_17(M, __VA_ARGS__)
#define KERNEL_EACH_19(M, a, ...) M(a) KERNEL_EACH_18(M, __VA_ARGS__)
#define KERNEL_EACH_20(M, a, ...) M(a) KERNEL_EACH_19(M, __VA_ARGS__)
#define KERNEL_EACH_21(M, a, ...) M(a) KERNEL_EACH_20(M, __VA_ARGS__)
#define KERNEL_EACH_22(M, a, ...) M(a) KERNEL_EACH_21(M, __VA_ARGS__)
#define KERNEL_EACH_23(M, a, ...) M(a) KERNEL_EACH_22(M, __VA_ARGS__)
#define KERNEL_EACH_24(M, a, ...) M(a) KERNEL_EACH_23(M, __VA_ARGS__)
#define KERNEL_EACH_25(M, a, ...) M(a) KERNEL_EACH_24(M, __VA_ARGS__)
#define KERNEL_EACH_26(M, a, ...) M(a) KERNEL_EACH_25(M, __VA_ARGS__)
#define KERNEL_EACH_27(M, a, ...) M(a) KERNEL_EACH_26(M, __VA_ARGS__)
#define KERNEL_EACH_28(M, a, ...) M(a) KERNEL_EACH_27(M, __VA_ARGS__)
#define KERNEL_EACH_29(M, a, ...) M(a) KERNEL_EACH_28(M, __VA_ARGS__)
#define KERNEL_EACH_30(M, a, ...) M(a) KERNEL_EACH_29(M, __VA_ARGS__)
#define KERNEL_EACH_31(M, a, ...) M(a) KERNEL_EACH_30(M, __VA_ARGS__)

/* KERNEL_FOR_MESSAGE(prefix, type) is prefix_BARE when the type is `nothing`, else prefix_SENT. */
#define KERNEL_FOR_MESSAGE(prefix, type)                                                                     \
    KERNEL_JOIN(prefix, KERNEL_MESSAGE_PICK(KERNEL_PROBE_##type, _SENT, ~))
#define KERNEL_PROBE_nothing             ~, _BARE
#define KERNEL_MESSAGE_PICK(...)         KERNEL_MESSAGE_SECOND(__VA_ARGS__)
#define KERNEL_MESSAGE_SECOND(a, b, ...) b
#define KERNEL_JOIN(a, b)                KERNEL_JOIN_EXPANDED(a, b)
#define KERNEL_JOIN_EXPANDED(a, b)       a##b

/* ---- Tasks: number, priority, and the checks on them ---- */

#define KERNEL_NUMBER_HARDWARE(name, level, interrupt)      TASK_##name,
#define KERNEL_NUMBER_SOFTWARE(name, level, capacity, type) TASK_##name,
#define KERNEL_LEVEL_HARDWARE(name, level, interrupt)       TASK_##name##_PRIORITY = (level),
#define KERNEL_LEVEL_SOFTWARE(name, level, capacity, type)  TASK_##name##_PRIORITY = (level),
#define KERNEL_DISPATCHED(level, interrupt)                 | 1u << ((level)&31)
#define KERNEL_DISPATCHED_SUM(level, interrupt)             +(1u << ((level)&31))
#define KERNEL_SPAWNED_LEVEL(name, level, capacity, type)   | 1u << ((level)&31)

enum kernel_task_number {
    TASKS(KERNEL_NUMBER_HARDWARE, KERNEL_NUMBER_SOFTWARE) KERNEL_TASKS,
    /* IDLE is below every task. */
    TASK_idle = 30,
    KERNEL_IDLE_NUMBER = TASK_idle,
    /* INIT counts as a user of every resource and is above every ceiling. */
    KERNEL_INIT_NUMBER = 31
};

enum kernel_priority {
    TASKS(KERNEL_LEVEL_HARDWARE, KERNEL_LEVEL_SOFTWARE) TASK_idle_PRIORITY = 0,
    KERNEL_INIT_PRIORITY = PORT_PRIORITY_MAX + 1
};

enum {
    KERNEL_DISPATCHED_LEVELS = (0 DISPATCHERS(KERNEL_DISPATCHED)),
    KERNEL_SPAWNED_LEVELS = (0 TASKS(KERNEL_IGNORE, KERNEL_SPAWNED_LEVEL)),
    /* The timer's handler uses every dispatcher's list: it counts as a task as high as the highest. */
    KERNEL_TIMER_PRIORITY = 31 - __builtin_clz(KERNEL_SPAWNED_LEVELS | 2u),
};

_Static_assert((int)KERNEL_TASKS <= KERNEL_IDLE_NUMBER, "TASKS: there are more than 30 tasks");
_Static_assert((0 DISPATCHERS(KERNEL_DISPATCHED_SUM)) == KERNEL_DISPATCHED_LEVELS,
               "DISPATCHERS: a priority has two dispatchers; one serves all tasks of the priority");

#define KERNEL_CHECK_LEVEL(name, level)                                                                      \
    _Static_assert((level) >= 1 && (level) <= PORT_PRIORITY_MAX,                                             \
                   "TASKS: the priority of " #name " is not within 1 (lowest) to 16 (highest)")
#define KERNEL_CHECK_HARDWARE(name, level, interrupt) KERNEL_CHECK_LEVEL(name, level);
#define KERNEL_CHECK_SOFTWARE(name, level, capacity, type)                                                   \
    KERNEL_CHECK_LEVEL(name, level);                                                                         \
    _Static_assert(KERNEL_DISPATCHED_LEVELS >> ((level)&31) & 1,                                             \
                   "DISPATCHERS: there is no interrupt for priority " #level                                 \
                   ", which the software task " #name " has");                                               \
    _Static_assert((capacity) >= 1 && (capacity) <= 255,                                                     \
                   "TASKS: the queue capacity of " #name " is not within 1 to 255");                         \
    _Static_assert(sizeof(type) <= KERNEL_MESSAGE_BYTES_MAX,                                                 \
                   "TASKS: the message of " #name " is larger than 64 bytes; put it into a resource");
#define KERNEL_CHECK_DISPATCHER(level, interrupt)                                                            \
    _Static_assert((level) >= 1 && (level) <= PORT_PRIORITY_MAX,                                             \
                   "DISPATCHERS: the priority of " #interrupt " is not within 1 (lowest) to 16 (highest)");  \
    _Static_assert(KERNEL_SPAWNED_LEVELS >> ((level)&31) & 1,                                                \
                   "DISPATCHERS: no software task has priority " #level ", which " #interrupt                \
                   " is to serve; take its line out");

#define KERNEL_MESSAGE_BYTES_MAX 64

TASKS(KERNEL_CHECK_HARDWARE, KERNEL_CHECK_SOFTWARE)
DISPATCHERS(KERNEL_CHECK_DISPATCHER)

/* One interrupt, one owner: a second one declares the enumerator again. */
#define KERNEL_OWN(interrupt)                       INTERRUPT_##interrupt##_MAY_HAVE_ONE_TASK_OR_DISPATCHER_ONLY = interrupt##_IRQn,
#define KERNEL_OWN_HARDWARE(name, level, interrupt) KERNEL_OWN(interrupt)
#define KERNEL_OWN_DISPATCHER(level, interrupt)     KERNEL_OWN(interrupt)

enum kernel_interrupt_owner {
    TASKS(KERNEL_OWN_HARDWARE, KERNEL_IGNORE) DISPATCHERS(KERNEL_OWN_DISPATCHER) KERNEL_TIMER(KERNEL_OWN)
};

/* The heads of all lists: of what each dispatcher has to run, and of each queue's free places. */
#define KERNEL_NUMBER_QUEUE(name, level, capacity, type) KERNEL_FREE_##name,
enum kernel_list {
    KERNEL_READY_LAST = KERNEL_TIMER_PRIORITY, /* by priority */
    TASKS(KERNEL_IGNORE, KERNEL_NUMBER_QUEUE) KERNEL_LISTS
};
extern struct kernel_node *kernel_lists[KERNEL_LISTS];

#define KERNEL_DISPATCHER(level, interrupt)     KERNEL_DISPATCHER_NUMBER(level, interrupt##_IRQn)
#define KERNEL_DISPATCHER_NUMBER(level, number) KERNEL_DISPATCHER_##level = (number),
enum kernel_dispatcher { DISPATCHERS(KERNEL_DISPATCHER) KERNEL_DISPATCHER_OF_NONE };
#define KERNEL_PEND_DISPATCHER(level) PORT_PEND(KERNEL_DISPATCHER_##level)

/* ---- Resources: users and ceilings ---- */

#define KERNEL_USER_BIT(task)   | 1u << TASK_##task
#define KERNEL_USER_LEVEL(task) | 1u << (TASK_##task##_PRIORITY & 31)

#define KERNEL_DECLARE(list, kind, name, type, ...)                                                          \
    _Static_assert(sizeof(#__VA_ARGS__) > 1, list ": no task uses the resource " #name);                     \
    KERNEL_DECLARE_OF(kind, name, type, ##__VA_ARGS__)
#define KERNEL_DECLARE_OF(kind, name, type, ...)                                                             \
    enum {                                                                                                   \
        RESOURCE_##name##_KIND = (kind),                                                                     \
        RESOURCE_##name##_USERS = (0 KERNEL_EACH(KERNEL_USER_BIT, __VA_ARGS__)),                             \
        RESOURCE_##name##_LEVELS = (0 KERNEL_EACH(KERNEL_USER_LEVEL, __VA_ARGS__)),                          \
        RESOURCE_##name##_CEILING = 31 - __builtin_clz(RESOURCE_##name##_LEVELS)                             \
    };                                                                                                       \
    extern __typeof__(type) kernel_resource_##name;

enum kernel_resource_kind { KERNEL_LOCKED, KERNEL_LOCAL, KERNEL_READ_ONLY, KERNEL_LOCK_FREE };

#define KERNEL_DECLARE_LOCKED(name, type, ...)                                                               \
    KERNEL_DECLARE("RESOURCES", KERNEL_LOCKED, name, type, ##__VA_ARGS__)
#define KERNEL_DECLARE_LOCAL(name, type, ...)                                                                \
    KERNEL_DECLARE("LOCAL_RESOURCES", KERNEL_LOCAL, name, type, ##__VA_ARGS__)                               \
    _Static_assert((RESOURCE_##name##_USERS & (RESOURCE_##name##_USERS - 1u)) == 0,                          \
                   "LOCAL_RESOURCES: " #name " has more than one user; put it into RESOURCES");
#define KERNEL_DECLARE_READ_ONLY(name, type, ...)                                                            \
    KERNEL_DECLARE("READ_ONLY_RESOURCES", KERNEL_READ_ONLY, name, type, ##__VA_ARGS__)
#define KERNEL_DECLARE_LOCK_FREE(name, type, ...)                                                            \
    KERNEL_DECLARE("LOCK_FREE_RESOURCES", KERNEL_LOCK_FREE, name, type, ##__VA_ARGS__)                       \
    _Static_assert((RESOURCE_##name##_LEVELS & (RESOURCE_##name##_LEVELS - 1u)) == 0,                        \
                   "LOCK_FREE_RESOURCES: the users of " #name                                                \
                   " have different priorities; put it into RESOURCES");

RESOURCES(KERNEL_DECLARE_LOCKED)
LOCAL_RESOURCES(KERNEL_DECLARE_LOCAL)
READ_ONLY_RESOURCES(KERNEL_DECLARE_READ_ONLY)
LOCK_FREE_RESOURCES(KERNEL_DECLARE_LOCK_FREE)

#define KERNEL_NUMBER_RESOURCE(name, type, ...) RESOURCE_##name,
enum kernel_resource_number { RESOURCES(KERNEL_NUMBER_RESOURCE) KERNEL_RESOURCES };

#include "kernel/observe.h"

/*
 * Holds off every other user for the block that follows. The priority's ceiling
 * is put back when the block is left in whatever way: `break` and `continue`
 * leave this block (not a loop around it), `return` and `goto` work.
 */
#define LOCK(resource)                                                                                       \
    for (struct kernel_lock kernel_lock_##resource                                                           \
         __attribute__((cleanup(kernel_restore))) = KERNEL_LOCK_CHECKED(resource);                           \
         kernel_lock_##resource.held; kernel_lock_##resource.held = 0)                                       \
        KERNEL_OBSERVE_LOCK(resource)                                                                        \
    for (__attribute__((unused)) __typeof__(kernel_resource_##resource) *resource =                          \
             &kernel_resource_##resource;                                                                    \
         kernel_lock_##resource.held; kernel_lock_##resource.held = 0)

#define KERNEL_LOCK_CHECKED(resource)                                                                        \
    ((void)sizeof(struct {                                                                                   \
         KERNEL_CHECK_KIND(resource, LOCAL, "is local to one task, so needs no lock");                       \
         KERNEL_CHECK_KIND(resource, READ_ONLY, "is read-only, so needs no lock");                           \
         KERNEL_CHECK_KIND(resource, LOCK_FREE, "has users of one priority, so needs no lock");              \
         KERNEL_CHECK_USER("LOCK", resource, "RESOURCES");                                                   \
         int unused;                                                                                         \
     }),                                                                                                     \
     kernel_raise(RESOURCE_##resource##_CEILING, KERNEL_THIS_PRIORITY))

#define KERNEL_CHECK_KIND(resource, kind, is)                                                                \
    _Static_assert((int)RESOURCE_##resource##_KIND != KERNEL_##kind,                                         \
                   "LOCK(" #resource "): " #resource " " is ": write USE(" #resource ");")
#define KERNEL_CHECK_USER(how, resource, list)                                                               \
    _Static_assert(KERNEL_THIS_NUMBER == KERNEL_INIT_NUMBER ||                                               \
                       ((unsigned)RESOURCE_##resource##_USERS >> KERNEL_THIS_NUMBER & 1) != 0,               \
                   how "(" #resource "): this task is not among the users of " #resource " in " list)

/* A pointer with the resource's name for the rest of the block; what it points to is const if read-only. */
#define USE(resource)                                                                                        \
    _Static_assert((int)RESOURCE_##resource##_KIND != KERNEL_LOCKED,                                         \
                   "USE(" #resource "): " #resource " is shared: write LOCK(" #resource ") { }");            \
    KERNEL_CHECK_USER("USE", resource, "its list");                                                          \
    __typeof__(__builtin_choose_expr(                                                                        \
        (int)RESOURCE_##resource##_KIND == KERNEL_READ_ONLY && KERNEL_THIS_NUMBER != KERNEL_INIT_NUMBER,     \
        (const __typeof__(kernel_resource_##resource) *)0,                                                   \
        (__typeof__(kernel_resource_##resource) *)0)) resource = &kernel_resource_##resource

/*
 * The condition is looked at with interrupts masked, which takes the lock's
 * place, and they stay masked up to the sleep: what changes it wakes the core.
 * Not inside a LOCK, which would keep the interrupts that are to wake it off.
 */
#define sleep_while(resource, ...)                                                                           \
    do {                                                                                                     \
        _Static_assert(KERNEL_THIS_NUMBER == KERNEL_IDLE_NUMBER,                                             \
                       "sleep_while: only IDLE sleeps; a task ends, and is started again");                  \
        KERNEL_CHECK_USER("sleep_while", resource, "its list");                                              \
        __attribute__((unused)) __typeof__(kernel_resource_##resource) *resource =                           \
            &kernel_resource_##resource;                                                                     \
        (void)port_mask();                                                                                   \
        if (__VA_ARGS__)                                                                                     \
            kernel_sleep();                                                                                  \
        else                                                                                                 \
            port_unmask(0);                                                                                  \
    } while (0)

/*
 * What makes a task known to the compiler within its body: the parameter
 * `this_task`, of a type of its own without any bytes. Undeclared where a LOCK
 * or USE stands outside of them: hand the pointer down instead.
 */
#define KERNEL_THIS_NUMBER   (sizeof(this_task.number[0]) - 1)
#define KERNEL_THIS_PRIORITY (sizeof(this_task.priority[0]))

/* ---- Bodies ---- */

#define KERNEL_IN_TASK(name)                                                                                 \
    struct in_task_##name {                                                                                  \
        char number[0][TASK_##name + 1];                                                                     \
        char priority[0][TASK_##name##_PRIORITY];                                                            \
    };
#define KERNEL_TYPES_HARDWARE(name, level, interrupt)                                                        \
    KERNEL_IN_TASK(name)                                                                                     \
    typedef nothing kernel_message_##name;                                                                   \
    typedef nothing kernel_activation_##name;                                                                \
    void kernel_run_##name(kernel_activation_##name activation);                                             \
    static inline nothing kernel_take_##name(nothing activation)                                             \
    {                                                                                                        \
        return activation;                                                                                   \
    }                                                                                                        \
    KERNEL_NOT_SPAWNED(name) int kernel_spawn_##name(void);                                                  \
    KERNEL_NOT_SPAWNED(name) int kernel_spawn_at_##name(uint64_t time_us);
#define KERNEL_NOT_SPAWNED(name)                                                                             \
    __attribute__((error("spawn: " #name " is a hardware task, which only its interrupt starts")))

/* Copies the message out and gives its place back, before the body: it may spawn itself. */
#define KERNEL_TYPES_SOFTWARE(name, level, capacity, type)                                                   \
    KERNEL_IN_TASK(name)                                                                                     \
    typedef type kernel_message_##name;                                                                      \
    typedef struct kernel_node *kernel_activation_##name;                                                    \
    struct kernel_place_##name {                                                                             \
        struct kernel_node node;                                                                             \
        kernel_message_##name message;                                                                       \
    };                                                                                                       \
    extern const struct kernel_task kernel_task_##name;                                                      \
    void kernel_run_##name(kernel_activation_##name activation);                                             \
    static inline kernel_message_##name kernel_take_##name(struct kernel_node *node)                         \
    {                                                                                                        \
        kernel_message_##name message = ((struct kernel_place_##name *)node)->message;                       \
        kernel_push(kernel_lists, KERNEL_FREE_##name, node);                                                 \
        return message;                                                                                      \
    }                                                                                                        \
    PORT_INLINE int kernel_ready_##name(struct kernel_node *node)                                            \
    {                                                                                                        \
        kernel_push(kernel_lists, TASK_##name##_PRIORITY, node);                                             \
        port_pend((struct port_pend)KERNEL_PEND_DISPATCHER(level));                                          \
        return 0;                                                                                            \
    }                                                                                                        \
    KERNEL_FOR_MESSAGE(KERNEL_SPAWNERS, type)(name)

#define KERNEL_SPAWNERS_BARE(name)                                                                           \
    KERNEL_CHECKED static inline int kernel_spawn_##name(void)                                               \
    {                                                                                                        \
        if (!KERNEL_FAST)                                                                                    \
            return kernel_spawn(&kernel_task_##name);                                                        \
        struct kernel_node *node = kernel_pop(kernel_lists, KERNEL_FREE_##name);                             \
        return node ? kernel_ready_##name(node) : KERNEL_FULL;                                               \
    }                                                                                                        \
    KERNEL_CHECKED static inline int kernel_spawn_at_##name(uint64_t time_us)                                \
    {                                                                                                        \
        return kernel_spawn_at(&kernel_task_##name, time_us);                                                \
    }
/* Between taking a place and queueing it the place is nobody else's: nothing is masked for the copy. */
#define KERNEL_SPAWNERS_SENT(name)                                                                           \
    KERNEL_CHECKED KERNEL_INLINE int kernel_spawn_##name(kernel_message_##name message)                      \
    {                                                                                                        \
        struct kernel_place_##name *place = kernel_pop(kernel_lists, KERNEL_FREE_##name);                    \
        if (!place)                                                                                          \
            return KERNEL_FULL;                                                                              \
        place->message = message;                                                                            \
        return kernel_ready_##name(&place->node);                                                            \
    }                                                                                                        \
    KERNEL_CHECKED inline int kernel_spawn_at_##name(uint64_t time_us, kernel_message_##name message)        \
    {                                                                                                        \
        struct kernel_place_##name *place = kernel_pop(kernel_lists, KERNEL_FREE_##name);                    \
        if (!place)                                                                                          \
            return KERNEL_FULL;                                                                              \
        place->message = message;                                                                            \
        return kernel_schedule(&place->node, time_us);                                                       \
    }

TASKS(KERNEL_TYPES_HARDWARE, KERNEL_TYPES_SOFTWARE)

struct in_init {
    char number[0][KERNEL_INIT_NUMBER + 1];
    char priority[0][KERNEL_INIT_PRIORITY];
};

struct in_idle {
    char number[0][KERNEL_IDLE_NUMBER + 1];
    char priority[0][TASK_idle_PRIORITY];
};

#define TASK(name)                                                                                           \
    _Static_assert(TASK_##name >= 0, "");                                                                    \
    static void task_##name(struct in_task_##name this_task, kernel_message_##name message);                 \
    void kernel_run_##name(kernel_activation_##name activation)                                              \
    {                                                                                                        \
        KERNEL_OBSERVE_START(TASK_##name)                                                                    \
        task_##name((struct in_task_##name){}, kernel_take_##name(activation));                              \
        KERNEL_OBSERVE_END(TASK_##name)                                                                      \
    }                                                                                                        \
    static void task_##name(__attribute__((unused)) struct in_task_##name this_task,                         \
                            __attribute__((unused)) kernel_message_##name message)

#define INIT                                                                                                 \
    static void init_body(struct in_init this_task);                                                         \
    void kernel_init(void)                                                                                   \
    {                                                                                                        \
        KERNEL_OBSERVE_INIT                                                                                  \
        init_body((struct in_init){});                                                                       \
    }                                                                                                        \
    static void init_body(__attribute__((unused)) struct in_init this_task)

#define IDLE                                                                                                 \
    static void idle_body(struct in_idle this_task);                                                         \
    void kernel_idle(void)                                                                                   \
    {                                                                                                        \
        idle_body((struct in_idle){});                                                                       \
    }                                                                                                        \
    static void idle_body(__attribute__((unused)) struct in_idle this_task)

/* ---- Spawning ---- */

#define KERNEL_KNOWN(task) (void)sizeof(char[TASK_##task + 1])

#define KERNEL_SPAWNS(task) KERNEL_KNOWN(task), kernel_trace_spawn(TASK_##task)

#define spawn(task, ...)             (KERNEL_SPAWNS(task), kernel_spawn_##task(__VA_ARGS__))
#define spawn_at(task, time_us, ...) (KERNEL_SPAWNS(task), kernel_spawn_at_##task(time_us, ##__VA_ARGS__))
#define spawn_after(task, delay_us, ...)                                                                     \
    (KERNEL_SPAWNS(task), kernel_spawn_at_##task(kernel_after(delay_us), ##__VA_ARGS__))
#define arm(task, time_us)                                                                                   \
    (KERNEL_SPAWNS(task), (void)sizeof(struct {                                                              \
         _Static_assert(sizeof(kernel_message_##task) == 0,                                                  \
                        "arm(" #task "): the task has a message; use spawn_at");                             \
         int unused;                                                                                         \
     }),                                                                                                     \
     kernel_arm(&kernel_task_##task, (time_us)))

/* ---- KERNEL_DEFINE: the storage and the interrupt handlers ---- */

#define KERNEL_DEFINE_RESOURCE(name, type, ...) __typeof__(type) kernel_resource_##name;

#define KERNEL_DEFINE_HARDWARE(name, level, interrupt)                                                       \
    void interrupt##_IRQHandler(void);                                                                       \
    void interrupt##_IRQHandler(void)                                                                        \
    {                                                                                                        \
        kernel_run_##name(kernel_none);                                                                      \
    }

/* Mostly one is ready. A priority's only task is called by its name, several by their pointers. */
#define KERNEL_DEFINE_DISPATCHER(level, interrupt)                                                           \
    void interrupt##_IRQHandler(void);                                                                       \
    void interrupt##_IRQHandler(void)                                                                        \
    {                                                                                                        \
        enum { here = (level), tasks_here = 0 TASKS(KERNEL_IGNORE, KERNEL_COUNT_HERE) };                     \
        if (!KERNEL_FAST) {                                                                                  \
            kernel_dispatch(&kernel_lists[here]);                                                            \
            return;                                                                                          \
        }                                                                                                    \
        struct kernel_node *node = kernel_take_ready(kernel_lists, here);                                    \
        if (node && __builtin_expect(node->next != NULL, 0)) {                                               \
            kernel_run_ready(node);                                                                          \
        } else if (node) {                                                                                   \
            if (tasks_here > 1)                                                                              \
                node->task->run(node);                                                                       \
            TASKS(KERNEL_IGNORE, KERNEL_RUN_HERE)                                                            \
        }                                                                                                    \
    }
#define KERNEL_COUNT_HERE(name, level, capacity, type) +((level) == here)
#define KERNEL_RUN_HERE(name, level, capacity, type)                                                         \
    if ((level) == here && tasks_here == 1)                                                                  \
        kernel_run_##name(node);

#define KERNEL_DEFINE_TIMER(interrupt)                                                                       \
    void interrupt##_IRQHandler(void);                                                                       \
    void interrupt##_IRQHandler(void)                                                                        \
    {                                                                                                        \
        KERNEL_TIMER_EXPIRES                                                                                 \
    }

#define KERNEL_DEFINE_SOFTWARE(name, level, slots, type)                                                     \
    static struct kernel_place_##name kernel_places_##name[slots];                                           \
    const struct kernel_task kernel_task_##name = {                                                          \
        .run = kernel_run_##name,                                                                            \
        .free = &kernel_lists[KERNEL_FREE_##name],                                                           \
        .ready = &kernel_lists[level],                                                                       \
        .dispatcher = KERNEL_PEND_DISPATCHER(level),                                                         \
        .places = kernel_places_##name,                                                                      \
        .place_bytes = sizeof(struct kernel_place_##name),                                                   \
        .capacity = (slots),                                                                                 \
    };                                                                                                       \
    KERNEL_FOR_MESSAGE(KERNEL_DEFINE_SPAWN, type)(name)

/* The one copy of each for callers that do not take it inline. */
#define KERNEL_DEFINE_SPAWN_BARE(name)
#define KERNEL_DEFINE_SPAWN_SENT(name)                                                                       \
    extern inline int kernel_spawn_##name(kernel_message_##name message);                                    \
    extern inline int kernel_spawn_at_##name(uint64_t time_us, kernel_message_##name message);

#define KERNEL_TASK_POINTER(name, level, capacity, type)  &kernel_task_##name,
#define KERNEL_INTERRUPT_HARDWARE(name, level, interrupt) {interrupt##_IRQn, (level)},
#define KERNEL_INTERRUPT_DISPATCHER(level, interrupt)     {interrupt##_IRQn, (level)},
#define KERNEL_INTERRUPT_TIMER(interrupt)                 {interrupt##_IRQn, KERNEL_TIMER_PRIORITY},
#define KERNEL_TIMER_NUMBER(interrupt)                    interrupt##_IRQn

/* ---- The table for tools that read the ELF: no byte of the image (kernel/describe.h) ---- */

#ifdef PORT_DESCRIBED
#define KERNEL_DESCRIBE(kind, name, number_, priority_, detail_)                                             \
    PORT_DESCRIBED static const struct {                                                                     \
        struct kernel_described entry;                                                                       \
        char text[sizeof(#name)];                                                                            \
    } kernel_described_##kind##_##name = {                                                                   \
        .entry = {.bytes = sizeof(kernel_described_##kind##_##name),                                         \
                  .as = KERNEL_DESCRIBED_##kind,                                                             \
                  .number = (number_),                                                                       \
                  .priority = (priority_),                                                                   \
                  .detail = (uint32_t)(detail_)},                                                            \
        .text = #name,                                                                                       \
    };
#else
#define KERNEL_DESCRIBE(kind, name, number_, priority_, detail_)
#endif
#define KERNEL_DESCRIBE_HARDWARE(name, level, interrupt)                                                     \
    KERNEL_DESCRIBE(HARDWARE, name, TASK_##name, (level), interrupt##_IRQn)
#define KERNEL_DESCRIBE_SOFTWARE(name, level, capacity, type)                                                \
    KERNEL_DESCRIBE(SOFTWARE, name, TASK_##name, (level), 0)
#define KERNEL_DESCRIBE_DISPATCHER(level, interrupt)                                                         \
    KERNEL_DESCRIBE(DISPATCHER, interrupt##_IRQHandler, 0, (level), interrupt##_IRQn)
#define KERNEL_DESCRIBE_TIMER(interrupt)                                                                     \
    KERNEL_DESCRIBE(TIMER, interrupt##_IRQHandler, 0, KERNEL_TIMER_PRIORITY, interrupt##_IRQn)
#define KERNEL_DESCRIBE_USED(kind, name, number_)                                                            \
    KERNEL_DESCRIBE(kind, name, number_, RESOURCE_##name##_CEILING, RESOURCE_##name##_USERS)
#define KERNEL_DESCRIBE_RESOURCE(name, type, ...)  KERNEL_DESCRIBE_USED(RESOURCE, name, RESOURCE_##name)
#define KERNEL_DESCRIBE_LOCAL(name, type, ...)     KERNEL_DESCRIBE_USED(LOCAL, name, 0)
#define KERNEL_DESCRIBE_READ_ONLY(name, type, ...) KERNEL_DESCRIBE_USED(READ_ONLY, name, 0)
#define KERNEL_DESCRIBE_LOCK_FREE(name, type, ...) KERNEL_DESCRIBE_USED(LOCK_FREE, name, 0)
#ifdef KERNEL_TRACE_DESCRIBED
#define KERNEL_DESCRIBE_TRACE KERNEL_DESCRIBE(TRACE, itm, 0, 0, 0)
#else
#define KERNEL_DESCRIBE_TRACE
#endif
#define KERNEL_DEFINE_DESCRIPTION                                                                            \
    TASKS(KERNEL_DESCRIBE_HARDWARE, KERNEL_DESCRIBE_SOFTWARE)                                                \
    DISPATCHERS(KERNEL_DESCRIBE_DISPATCHER)                                                                  \
    KERNEL_TIMER(KERNEL_DESCRIBE_TIMER)                                                                      \
    RESOURCES(KERNEL_DESCRIBE_RESOURCE)                                                                      \
    LOCAL_RESOURCES(KERNEL_DESCRIBE_LOCAL)                                                                   \
    READ_ONLY_RESOURCES(KERNEL_DESCRIBE_READ_ONLY)                                                           \
    LOCK_FREE_RESOURCES(KERNEL_DESCRIBE_LOCK_FREE)                                                           \
    KERNEL_DESCRIBE_TRACE

#define KERNEL_DEFINE                                                                                        \
    struct kernel_node *kernel_lists[KERNEL_LISTS];                                                          \
    RESOURCES(KERNEL_DEFINE_RESOURCE)                                                                        \
    LOCAL_RESOURCES(KERNEL_DEFINE_RESOURCE)                                                                  \
    READ_ONLY_RESOURCES(KERNEL_DEFINE_RESOURCE)                                                              \
    LOCK_FREE_RESOURCES(KERNEL_DEFINE_RESOURCE)                                                              \
    KERNEL_DEFINE_DESCRIPTION                                                                                \
    KERNEL_DEFINE_OBSERVED                                                                                   \
    DISPATCHERS(KERNEL_DEFINE_DISPATCHER)                                                                    \
    TASKS(KERNEL_DEFINE_HARDWARE, KERNEL_DEFINE_SOFTWARE)                                                    \
    KERNEL_TIMER(KERNEL_DEFINE_TIMER)                                                                        \
    const struct kernel_task *const kernel_tasks[] = {TASKS(KERNEL_IGNORE, KERNEL_TASK_POINTER)};            \
    const size_t kernel_task_count = sizeof(kernel_tasks) / sizeof(kernel_tasks[0]);                         \
    const struct kernel_interrupt kernel_interrupts[] = {TASKS(KERNEL_INTERRUPT_HARDWARE, KERNEL_IGNORE)     \
                                                             DISPATCHERS(KERNEL_INTERRUPT_DISPATCHER)        \
                                                                 KERNEL_TIMER(KERNEL_INTERRUPT_TIMER)};      \
    const size_t kernel_interrupt_count = sizeof(kernel_interrupts) / sizeof(kernel_interrupts[0]);          \
    const struct port_pend kernel_timer_pend = PORT_PEND(KERNEL_TIMER(KERNEL_TIMER_NUMBER));

#endif
