/* Each call of the kernel from INIT, IDLE and tasks of the lowest and the highest priorities, in locks and
 * outside. */
#include "tests/kernel/check.h"

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(done, 1, 8, char)                                                                               \
    SOFTWARE(sent, 1, 3, uint32_t)                                                                           \
    SOFTWARE(armed, 1, 1, nothing)                                                                           \
    HARDWARE(lowest, 1, EXTI0)                                                                               \
    HARDWARE(high, 15, EXTI1)                                                                                \
    HARDWARE(highest, 16, EXTI2)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(to_high, uint32_t, lowest, high, idle)                                                          \
    RESOURCE(to_highest, uint32_t, lowest, high, highest, idle)                                              \
    RESOURCE(rounds, uint32_t, idle)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1)
#include "kernel/table.h"

KERNEL_DEFINE

static volatile uint32_t runs_sent;
static volatile uint32_t runs_armed;

TASK(sent)
{
    runs_sent += message;
}

TASK(armed)
{
    runs_armed++;
}

/*
 * Nothing of it may run while this does: whoever calls has at least the
 * priority of the tasks, or is INIT, or holds a lock, or looks afterwards.
 */
static bool every_call(void)
{
    uint64_t now = clock_now();
    bool right = kernel_idle_us() <= now;
    int first = spawn_after(sent, seconds(100), 1);
    int second = spawn_at(sent, now + seconds(200), 10);
    right = right && first >= 0 && second >= 0 && first != second;
    right = right && spawn(sent, 100) == 0;
    right = right && reschedule(second, now + seconds(300)) == 0;
    arm(armed, now + seconds(100));
    arm(armed, KERNEL_NEVER);
    arm(armed, 0);
    right = right && cancel(first) == 0 && cancel(second) == 0;
    right = right && cancel(first) == KERNEL_NOT_PENDING && reschedule(second, 0) == KERNEL_NOT_PENDING;
    return right && clock_now() >= now;
}

static bool right_in_init;
static volatile uint32_t calls;

/* `done` is told one after the other, so that all that was called has run in between. */
static void call(char letter)
{
    bool right = every_call();
    calls++;
    if (spawn(done, right ? letter : '!') < 0)
        finish(false);
}

TASK(lowest)
{
    static unsigned stage;
    switch (stage++) {
    case 0: call('l'); break;
    case 1: LOCK (to_high) { call('m');
        }
        break;
    default: LOCK (to_highest) { call('n');
        }
        break;
    }
}

TASK(high)
{
    static unsigned stage;
    if (stage++ == 0) {
        call('h');
        return;
    }
    LOCK (to_highest) {
        call('i');
    }
}

TASK(highest)
{
    call('t');
}

static volatile char last;

TASK(done)
{
    last = message;
}

static bool came(char letter, uint32_t count)
{
    return last == letter && runs_sent == 100 * count && runs_armed == count && calls == count;
}

static void from_interrupts(void)
{
    raise_interrupt(EXTI0_IRQn);
    CHECK("from the lowest priority", came('l', 2));
    raise_interrupt(EXTI0_IRQn);
    CHECK("in a lock there", came('m', 3));
    raise_interrupt(EXTI0_IRQn);
    CHECK("in a lock that masks all", came('n', 4));
    raise_interrupt(EXTI1_IRQn);
    CHECK("from priority 15", came('h', 5));
    raise_interrupt(EXTI1_IRQn);
    CHECK("in a lock there", came('i', 6));
    raise_interrupt(EXTI2_IRQn);
    CHECK("from priority 16", came('t', 7));
}

IDLE
{
    CHECK("from INIT", right_in_init && came('I', 1));
    from_interrupts();
    LOCK (to_high) {
        call('j');
        CHECK("nothing runs within IDLE's lock", last == 't' && runs_armed == 7);
    }
    CHECK("in a lock of IDLE's, and all runs after it", came('j', 8));
    LOCK (to_highest) {
        call('k');
    }
    CHECK("in one that masks all", came('k', 9));
    LOCK (rounds) { /* nobody else's: its ceiling is IDLE's own level, 0 */
        ++*rounds;
    }
    /* Outside of locks its tasks preempt it in the middle, so a spawn's place may be free again at once. */
    int handle = spawn_after(sent, seconds(100), 1);
    CHECK("from IDLE itself",
          handle >= 0 && reschedule(handle, clock_now() + seconds(50)) == 0 && cancel(handle) == 0);
    CHECK("a spawn runs before the next line of IDLE", spawn(sent, 100) == 0 && runs_sent == 1000);
    arm(armed, 0);
    spend(100);
    CHECK("so does what is armed", runs_armed == 10);
    finish(true);
}

INIT
{
    right_in_init = every_call();
    calls++;
    if (spawn(done, 'I') < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
