/*
 * Programs that break the rules of resources behind the compiler's back, for
 * the board's race detection. By itself this one keeps to them and passes;
 * tests/emulator/test_race.c puts a number into `wanted`, and the access that
 * is marked with that number must be reported.
 */
#include "tests/kernel/check.h"

#include <string.h>

struct shared {
    uint32_t count;
    uint32_t last;
};

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(low, 1, 1, nothing)                                                                             \
    SOFTWARE(stranger, 1, 1, nothing)                                                                        \
    SOFTWARE(middle, 2, 1, nothing)                                                                          \
    HARDWARE(high, 3, EXTI0)                                                                                 \
    HARDWARE(equal, 3, EXTI1)                                                                                \
    HARDWARE(top, 4, EXTI2)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(shared, struct shared, low, high)                                                               \
    RESOURCE(lesser, uint8_t, low, middle)                                                                   \
    RESOURCE(neighbour, uint8_t, low, stranger, idle)
#define LOCAL_RESOURCES(LOCAL)         LOCAL(own, uint32_t, high)
#define READ_ONLY_RESOURCES(READ_ONLY) READ_ONLY(limits, uint32_t, low, high)
#define LOCK_FREE_RESOURCES(LOCK_FREE) LOCK_FREE(line, uint32_t, high, equal)
#define DISPATCHERS(DISPATCHER)        DISPATCHER(1, SPI1) DISPATCHER(2, SPI2)
#include "kernel/table.h"

KERNEL_DEFINE

/* Which rule to break; nothing but the test changes it. */
volatile uint32_t wanted = 0;

/* What INIT and tasks let out of their hands. */
static volatile uint32_t *leaked_shared, *leaked_own, *leaked_limits, *leaked_line;
static volatile bool done_by_middle;

/* Within a lock, by functions of the library. */
static void copy(struct shared *to, const struct shared *from)
{
    memcpy(to, from, sizeof *to);
}

static bool keep_to_the_rules(struct in_task_low this_task)
{
    struct shared seen;
    USE(limits);
    LOCK (shared) {
        shared->count++;
        copy(&seen, shared);
        raise_interrupt(EXTI0_IRQn);
    }
    LOCK (neighbour) {
        ++*neighbour;
    }
    LOCK (lesser) {
        ++*lesser;
        LOCK (shared) {
            shared->last = *limits;
        }
    }
    uint32_t mask = port_mask();
    *leaked_shared = 7; /* with all interrupts masked, nobody can come */
    port_unmask(mask);
    raise_interrupt(EXTI1_IRQn);
    raise_interrupt(EXTI2_IRQn);
    return seen.count == 1 && spawn(middle) == 0 && done_by_middle && spawn(stranger) == 0;
}

/* Functions of their own, or the compiler makes one store of several lines. */
#define APART static __attribute__((noinline)) void

APART write_shared(void)
{
    *leaked_shared = 1; /* 1 */
}

APART write_own(void)
{
    *leaked_own = 4; /* 4 */
}

APART write_limits(void)
{
    *leaked_limits = 5; /* 5 */
}

APART write_line(void)
{
    *leaked_line = 6; /* 6 */
}

/* Eight bytes, which the compiler cannot know: the library copies. */
APART copy_without_lock(struct shared *to)
{
    memcpy(to, (const void *)leaked_shared, wanted - 1); /* 9 */
    to->last++;                                          /* no tail call: the caller is to be seen */
}

static void read_shared_under_another_lock(struct in_task_low this_task)
{
    LOCK (lesser) {
        (void)leaked_shared[1]; /* 10 */
    }
}

static void break_the_rules(struct in_task_low this_task)
{
    static struct shared copied;
    switch (wanted) {
    case 1: write_shared(); break;
    case 2:
        if (spawn(stranger) < 0)
            finish(false);
        break;
    case 3: raise_interrupt(EXTI3_IRQn); break;
    case 4: write_own(); break;
    case 5: write_limits(); break;
    case 6: write_line(); break;
    case 8: raise_interrupt(EXTI2_IRQn); break;
    case 9: copy_without_lock(&copied); break;
    case 10: read_shared_under_another_lock(this_task); break;
#ifdef __arm__
    case 11: /* the bit-band alias of the same word */
        *(volatile uint32_t *)(0x22000000u + ((uintptr_t)leaked_shared - 0x20000000u) * 32) = 1; /* 11 */
        break;
#endif
    default: break;
    }
}

TASK(low)
{
    say("ready\n");
    if (wanted == 0)
        CHECK("what is allowed", keep_to_the_rules(this_task));
    else
        break_the_rules(this_task);
}

TASK(middle)
{
    LOCK (lesser) {
        ++*lesser;
    }
    done_by_middle = true;
}

TASK(stranger)
{
    LOCK (neighbour) {
        ++*neighbour;
    }
    if (wanted == 2)
        *leaked_shared = 5; /* 2 */
}

TASK(high)
{
    USE(own);
    USE(limits);
    USE(line);
    LOCK (shared) {
        *own += shared->count + *limits;
    }
    ++*line;
}

TASK(equal)
{
    USE(line);
    ++*line;
}

TASK(top)
{
    if (wanted == 8)
        (void)leaked_shared[1]; /* 8 */
}

/* An interrupt that the table does not know. */
void EXTI3_IRQHandler(void);
void EXTI3_IRQHandler(void)
{
    *leaked_shared = 5; /* 3 */
}

INIT
{
    USE(own);
    USE(limits);
    USE(line);
    *own = *line = 0;
    *limits = 3;
    leaked_own = own;
    leaked_limits = limits;
    leaked_line = line;
    LOCK (shared) {
        leaked_shared = &shared->count;
        *leaked_shared = 0;
    }
    if (spawn(low) < 0)
        finish(false);
    port_interrupt_priority(EXTI3_IRQn, 2);
    port_interrupt_enable(EXTI3_IRQn);
}

IDLE
{
    if (wanted == 7)
        *leaked_shared = 5; /* 7 */
    finish(wanted == 0);
}

int main(void)
{
    kernel_start();
}
