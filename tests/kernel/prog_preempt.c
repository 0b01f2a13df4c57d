/*
 * Every path of the kernel once, and then its invariants. By itself a short
 * test; tests/kernel/host/preemption.c runs it again and again and makes
 * `above`, `sharing` or both pending after each single instruction between the
 * marks. Both do to the kernel what the test itself is doing.
 */
#include "tests/kernel/check.h"

struct pair {
    uint32_t first, second; /* equal whenever nobody holds the lock */
};

struct item {
    uint32_t from, number;
};

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(test, 1, 1, nothing)                                                                            \
    SOFTWARE(verdict, 1, 1, nothing)                                                                         \
    SOFTWARE(equal, 1, 8, struct item)                                                                       \
    SOFTWARE(higher, 2, 8, struct item)                                                                      \
    SOFTWARE(armed, 2, 1, nothing)                                                                           \
    HARDWARE(sharing, 4, EXTI1)                                                                              \
    HARDWARE(above, 16, EXTI0)
#define RESOURCES(RESOURCE)     RESOURCE(pair, struct pair, test, sharing, higher)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(2, SPI2)
#include "kernel/table.h"

KERNEL_DEFINE

enum source { TEST, SHARING, ABOVE, SOURCES };

/* What was accepted and what ran, by who asked. */
static volatile uint32_t sent[SOURCES], received[SOURCES];
static volatile uint32_t next_equal[SOURCES];
static volatile uint32_t torn, disorder, armed_runs, refused;

static void change(struct pair *pair)
{
    if (pair->first != pair->second)
        torn++;
    pair->first++;
    __asm__ volatile("" : : : "memory");
    pair->second++;
}

static void receive(const struct item *item)
{
    received[item->from]++;
}

TASK(equal)
{
    receive(&message);
    /* What one source spawns to one priority runs in its order. */
    if (message.number != next_equal[message.from]++)
        disorder++;
}

TASK(higher)
{
    receive(&message);
    LOCK (pair) {
        change(pair);
    }
}

TASK(armed)
{
    armed_runs++;
}

static void count(enum source source, int result)
{
    if (result >= 0)
        sent[source]++;
    else
        refused++;
}

/* Each kind of access once: queue, timers, cancellation, a timer moved. */
static void disturb(enum source source)
{
    count(source, spawn(equal, (struct item){source, 0}));
    count(source, spawn(higher, (struct item){source, 0}));
    count(source, spawn(equal, (struct item){source, 1}));
    count(source, spawn_after(higher, 5, (struct item){source, 0}));
    int handle = spawn_after(higher, 20, (struct item){source, 0});
    if (cancel(handle) < 0)
        count(source, handle); /* too late: it has run, or will */
    handle = spawn_after(higher, 1000, (struct item){source, 0});
    count(source, handle);
    if (handle >= 0 && reschedule(handle, clock_now() + 3) < 0)
        disorder++;
}

TASK(above)
{
    disturb(ABOVE);
    trace('a');
}

TASK(sharing)
{
    disturb(SHARING);
    LOCK (pair) {
        change(pair);
    }
    trace('s');
}

/* For the host: where to begin and to end. */
void preempt_begin(void);
void preempt_end(void);

__attribute__((noinline, used)) void preempt_begin(void)
{
    __asm__ volatile("" : : : "memory");
}

__attribute__((noinline, used)) void preempt_end(void)
{
    __asm__ volatile("" : : : "memory");
}

TASK(test)
{
    preempt_begin();
    LOCK (pair) {
        change(pair);
    }
    disturb(TEST);
    arm(armed, clock_now() + 5000); /* moved before it can come */
    arm(armed, clock_now() + 4);
    spend(30);
    preempt_end();
    spend(1500);
    if (spawn(verdict) < 0)
        finish(false);
}

static unsigned length(const struct kernel_node *node)
{
    unsigned n = 0;
    for (; node && n < 100; node = node->next)
        n++;
    return n;
}

TASK(verdict)
{
    for (unsigned source = 0; source < SOURCES; source++)
        CHECK("all that was accepted ran, once", sent[source] == received[source]);
    CHECK("nothing was refused", refused == 0);
    CHECK("in the order spawned", disorder == 0);
    CHECK("no lock was broken", torn == 0);
    CHECK("an armed task ran", armed_runs == 1);
    CHECK("every place is free again",
          length(kernel_lists[KERNEL_FREE_equal]) == 8 && length(kernel_lists[KERNEL_FREE_higher]) == 8 &&
              length(kernel_lists[KERNEL_FREE_armed]) == 1 && length(kernel_lists[KERNEL_FREE_test]) == 1);
    CHECK("no dispatcher has anything left", !kernel_lists[1] && !kernel_lists[2]);
    CHECK("no ceiling is left raised", basepri() == 0);
    finish(true);
}

INIT
{
    if (spawn(test) < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
