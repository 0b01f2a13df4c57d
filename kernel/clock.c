/*
 * The monotonic clock and the list of timers. The timer counts 32 bits, the
 * clock 64: each reading adds what the counter has gained since the reading
 * before. That is exact as long as two readings are less than 2^32 us (71
 * minutes) apart, and the alarm sees to that: it is never set further ahead
 * than half of it.
 */
#include "kernel/kernel.h"
#include "kernel/timer.h"

#define ALARM_AHEAD_MAX_US (UINT32_C(1) << 31)

/* Changed with PRIMASK set, so from everywhere. */
static struct {
    uint64_t now_us; /* at the last reading */
    uint64_t idle_us;
    struct kernel_node *timers; /* the earliest first; of the same time, the first set first */
    int handle;                 /* the last one given */
} kernel_clock;

static uint64_t read_clock(void)
{
    kernel_clock.now_us += timer_count() - (uint32_t)kernel_clock.now_us;
    return kernel_clock.now_us;
}

uint64_t clock_now(void)
{
    uint32_t mask = port_mask();
    uint64_t now = read_clock();
    port_unmask(mask);
    return now;
}

uint64_t kernel_idle_us(void)
{
    uint32_t mask = port_mask();
    uint64_t idle = kernel_clock.idle_us;
    port_unmask(mask);
    return idle;
}

/*
 * The present microsecond has begun already, so one more is added: the delay
 * is never shorter than asked. Too large a delay is KERNEL_NEVER.
 */
uint64_t kernel_after(uint64_t delay_us)
{
    uint64_t time = clock_now() + 1;
    return delay_us < KERNEL_NEVER - time ? time + delay_us : KERNEL_NEVER;
}

/* An alarm that the counter has passed while it was set would come a wrap too late. */
static void set_alarm(void)
{
    uint64_t now = read_clock();
    uint32_t ahead = ALARM_AHEAD_MAX_US;
    if (kernel_clock.timers) {
        uint64_t deadline = kernel_clock.timers->deadline_us;
        if (deadline <= now)
            ahead = 0;
        else if (deadline - now < ahead)
            ahead = (uint32_t)(deadline - now);
    }
    timer_alarm((uint32_t)now + ahead);
    if (timer_count() - (uint32_t)now >= ahead)
        port_pend(kernel_timer_pend);
}

static void insert(struct kernel_node *node, uint64_t time_us)
{
    struct kernel_node **link = &kernel_clock.timers;
    while (*link && (*link)->deadline_us <= time_us)
        link = &(*link)->next;
    node->deadline_us = time_us;
    node->next = *link;
    *link = node;
    if (link == &kernel_clock.timers)
        set_alarm();
}

int kernel_schedule(struct kernel_node *node, uint64_t time_us)
{
    uint32_t mask = port_mask();
    int handle = kernel_clock.handle = (int)((unsigned)(kernel_clock.handle + 1) & INT32_MAX);
    node->handle = handle;
    insert(node, time_us);
    port_unmask(mask);
    return handle;
}

int kernel_spawn_at(const struct kernel_task *task, uint64_t time_us)
{
    struct kernel_node *node = kernel_pop(task->free, 0);
    return node ? kernel_schedule(node, time_us) : KERNEL_FULL;
}

/* Takes a spawn off the list of timers; NULL when it is not there (any more). */
static struct kernel_node *take_by_handle(int handle)
{
    struct kernel_node **link = &kernel_clock.timers;
    while (*link && (*link)->handle != handle)
        link = &(*link)->next;
    struct kernel_node *node = *link;
    if (node)
        *link = node->next;
    return node;
}

int reschedule(int handle, uint64_t time_us)
{
    uint32_t mask = port_mask();
    struct kernel_node *node = take_by_handle(handle);
    if (node)
        insert(node, time_us);
    port_unmask(mask);
    return node ? 0 : KERNEL_NOT_PENDING;
}

int cancel(int handle)
{
    uint32_t mask = port_mask();
    struct kernel_node *node = take_by_handle(handle);
    port_unmask(mask);
    if (!node)
        return KERNEL_NOT_PENDING;
    /* Its alarm, if it was the next, comes and finds nothing due. */
    kernel_push(node->task->free, 0, node);
    return 0;
}

/*
 * Moves the task's first timer, or takes a free place for one. When neither is
 * there, all its places are queued: the task is about to run in any case.
 */
void kernel_arm(const struct kernel_task *task, uint64_t time_us)
{
    uint32_t mask = port_mask();
    struct kernel_node **link = &kernel_clock.timers;
    while (*link && (*link)->task != task)
        link = &(*link)->next;
    struct kernel_node *node = *link;
    if (node)
        *link = node->next;
    else if (time_us != KERNEL_NEVER)
        node = kernel_pop(task->free, 0);
    if (node && time_us != KERNEL_NEVER)
        insert(node, time_us);
    else if (node)
        kernel_push(task->free, 0, node);
    port_unmask(mask);
}

/* The first timer that is due, taken off the list; NULL, and the alarm set, when none is. */
struct kernel_node *kernel_take_due(void)
{
    uint32_t mask = port_mask();
    struct kernel_node *node = kernel_clock.timers;
    if (node && node->deadline_us <= read_clock()) {
        kernel_clock.timers = node->next;
    } else {
        node = NULL;
        set_alarm();
    }
    port_unmask(mask);
    return node;
}

/* Interrupts are let in between two timers, so that a crowd of them holds up nobody for long. */
void kernel_timer_interrupt(void)
{
    struct kernel_node *node;
    timer_acknowledge();
    while ((node = kernel_take_due()) != NULL)
        kernel_make_ready(node, node->task);
}

void kernel_clock_start(void)
{
    timer_start();
    kernel_clock.now_us = timer_count();
    set_alarm();
}

/*
 * With PRIMASK set from the look at the clock to the end of the account, no
 * task's time is counted as sleep. The wake-up's interrupt runs at the unmask.
 */
void kernel_sleep(void)
{
    port_mask();
    uint32_t before = timer_count();
    port_wait_for_interrupt();
    kernel_clock.idle_us += timer_count() - before;
    port_unmask(0);
}
