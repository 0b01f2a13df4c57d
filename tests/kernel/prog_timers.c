/* The monotonic clock and the timers, before and across the wrap of the 32-bit counter. */
#include "tests/kernel/check.h"

struct entry {
    uint64_t not_before;
    char letter;
};

#define TASKS(HARDWARE, SOFTWARE)                                                                            \
    SOFTWARE(test, 1, 1, uint32_t)                                                                           \
    SOFTWARE(timed, 2, 8, struct entry)                                                                      \
    SOFTWARE(armed, 2, 1, nothing)                                                                           \
    SOFTWARE(late, 2, 1, uint64_t)                                                                           \
    SOFTWARE(above, 3, 1, nothing)                                                                           \
    SOFTWARE(repeated, 2, 1, nothing)
#define RESOURCES(RESOURCE)                                                                                  \
    RESOURCE(early, uint32_t, test, timed)                                                                   \
    RESOURCE(held_off, uint32_t, test, timed)                                                                \
    RESOURCE(all_held_off, uint32_t, test, above)
#define DISPATCHERS(DISPATCHER) DISPATCHER(1, SPI1) DISPATCHER(2, SPI2) DISPATCHER(3, SPI3)
#include "kernel/table.h"

KERNEL_DEFINE

TASK(timed)
{
    trace(message.letter);
    if (clock_now() < message.not_before)
        LOCK (early) {
            ++*early;
        }
}

/* 450 cycles, at whatever -O, of a core at 16 MHz, which is the slowest of these boards'. */
#define LATE_MAX_US 28

static volatile int64_t late_us;

TASK(late)
{
    late_us = (int64_t)(clock_now() - message);
}

TASK(above)
{
    trace('!');
}

TASK(armed)
{
    trace('a');
}

TASK(repeated)
{
    trace('r');
    if (trace_length < 5 && spawn_after(repeated, 100) < 0)
        trace('!');
}

static int in(uint64_t delay_us, char letter)
{
    uint64_t not_before = clock_now() + delay_us;
    return spawn_after(timed, delay_us, (struct entry){.not_before = not_before, .letter = letter});
}

/* Sets timers out of order, spends the time, and looks at what ran. */
static bool in_order(void)
{
    bool taken = in(500, 'e') >= 0 && in(100, 'a') >= 0 && in(300, 'c') >= 0;
    taken = taken && in(400, 'd') >= 0 && in(200, 'b') >= 0;
    spend(800);
    return taken && traced("abcde");
}

static void order(void)
{
    CHECK("timers run in the order of their times", in_order());

    uint64_t time = clock_now() + 300;
    bool taken = true;
    for (char letter = 'A'; letter < 'I'; letter++)
        taken = taken && spawn_at(timed, time, (struct entry){time, letter}) >= 0;
    CHECK("as many as there are places", taken);
    CHECK("and no more", in(1, '!') == KERNEL_FULL);
    CHECK("a place with a timer is not free for a spawn",
          spawn(timed, (struct entry){0, '!'}) == KERNEL_FULL);
    spend(600);
    CHECK("of one time, the first set runs first", traced("ABCDEFGH"));

    CHECK("a time in the past is taken", spawn_at(timed, clock_now() - 50, (struct entry){0, 'p'}) >= 0);
    spend(50);
    CHECK("and runs at once", traced("p"));
    CHECK("so does time 0", spawn_at(timed, 0, (struct entry){0, '0'}) >= 0);
    CHECK("and no delay at all", in(0, 'n') >= 0);
    spend(50);
    CHECK("both ran", traced("0n"));

    if (spawn_after(repeated, 100) < 0)
        finish(false);
    spend(1000);
    CHECK("a task sets itself again", traced("rrrrr"));
}

static void cancelling(void)
{
    int first = in(200, '1');
    int second = in(300, '2');
    int third = in(400, '3');
    CHECK("handles are not negative and differ",
          first >= 0 && second >= 0 && third >= 0 && first != second && second != third && first != third);
    CHECK("one in the middle is cancelled", cancel(second) == 0);
    CHECK("once", cancel(second) == KERNEL_NOT_PENDING);
    CHECK("the first is cancelled", cancel(first) == 0);
    spend(700);
    CHECK("the others run", traced("3"));
    CHECK("one that ran is no longer pending", cancel(third) == KERNEL_NOT_PENDING);

    bool taken = true;
    for (unsigned i = 0; i < 100; i++)
        taken = taken && cancel(in(1000, '!')) == 0;
    CHECK("a cancelled timer gives its place back", taken);

    CHECK("a delay that never ends is taken", in(UINT64_MAX, '!') >= 0);
    CHECK("and one of 100 days", in(seconds(8640000), '!') >= 0);
    spend(300);
    CHECK("neither has run", traced(""));
}

static void rescheduling(void)
{
    int first = in(200, '1');
    int second = in(300, '2');
    CHECK("one is put off", reschedule(first, clock_now() + 500) == 0);
    CHECK("one that was put off is cancelled",
          reschedule(second, clock_now() + 400) == 0 && cancel(second) == 0);
    spend(400);
    CHECK("it does not run at its old time", traced(""));
    spend(300);
    CHECK("but at the new one, with its message", traced("1"));

    first = spawn_at(timed, clock_now() + 400, (struct entry){0, '1'});
    second = in(300, '2');
    CHECK("one is put forward", spawn_at(timed, clock_now() + 350, (struct entry){0, '3'}) >= 0 &&
                                    reschedule(first, clock_now() + 100) == 0);
    spend(600);
    CHECK("all run in the new order", traced("123"));
    CHECK("one that ran is not put off", reschedule(second, clock_now() + 100) == KERNEL_NOT_PENDING);
    CHECK("nor one that was cancelled",
          cancel(first = in(100, '!')) == 0 && reschedule(first, 0) == KERNEL_NOT_PENDING);
    CHECK("nor one that never was",
          reschedule(-1, 0) == KERNEL_NOT_PENDING && cancel(-1) == KERNEL_NOT_PENDING);

    uint64_t time = clock_now() + 300;
    first = spawn_at(timed, time, (struct entry){0, 'a'});
    second = spawn_at(timed, time, (struct entry){0, 'b'});
    CHECK("one of the same time comes last again", reschedule(first, time) == 0);
    spend(600);
    CHECK("as if set now", traced("ba"));
}

/* How late a task starts that nobody is in the way of: docs/kernel.md, Time. */
static void latency(void)
{
    uint64_t worst = 0;
    bool early = false;
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t time = clock_now() + 40 + i % 7;
        late_us = 0;
        if (spawn_at(late, time, time) < 0)
            finish(false);
        spend(100 + i % 3);
        early = early || late_us < 0;
        worst = late_us > (int64_t)worst ? (uint64_t)late_us : worst;
    }
    CHECK("a deadline is never early", !early);
    CHECK("nor later than the timer's and the dispatcher's instructions take", worst <= LATE_MAX_US);

    /* In a process, where computing takes no time, this is exact. */
    late_us = -1;
    if (spawn_after(late, 40, clock_now() + 41) < 0)
        finish(false);
    spend(100);
    CHECK("of a delay, the microsecond that has begun is no part", late_us >= 0);
}

static void arming(void)
{
    arm(armed, clock_now() + 500);
    arm(armed, clock_now() + 100);
    spend(200);
    CHECK("arm moves the timer forward", traced("a"));
    spend(500);
    CHECK("and leaves one", traced(""));
    arm(armed, clock_now() + 100);
    arm(armed, clock_now() + 400);
    spend(200);
    CHECK("or back", traced(""));
    spend(300);
    CHECK("by one run", traced("a"));
    arm(armed, clock_now() + 100);
    arm(armed, KERNEL_NEVER);
    arm(armed, KERNEL_NEVER);
    spend(200);
    CHECK("never takes it away", traced(""));
    arm(armed, clock_now());
    spend(100);
    CHECK("and its place is free again", traced("a"));
}

/* The counter jumps forward, which the clock takes for time passed. */
static void jump_before_wrap(uint32_t before_us)
{
    board_leap_to(0 - before_us);
    (void)clock_now();
}

static bool monotonic(uint64_t time_us)
{
    uint64_t before = clock_now();
    uint64_t end = before + time_us;
    while (before < end) {
        uint64_t now = clock_now();
        if (now < before || now - before > 1000)
            return false;
        before = now;
        board_compute();
    }
    return true;
}

static void wrap(void)
{
    jump_before_wrap(250);
    uint64_t high = clock_now() >> 32;
    CHECK("timers across the wrap run in order", in_order());
    CHECK("the clock went on", clock_now() >> 32 == high + 1);

    bool all = true;
    for (uint32_t before = 1; before < 40; before++) {
        jump_before_wrap(before + 60);
        all = all && in(before + 30, 'x') >= 0 && in(60, 'y') >= 0 && in(80, 'z') >= 0;
        spend(300);
        all = all && trace_length == 3 && trace_text[2] == 'z' && clock_now() >> 32 == high + 1 + before;
        trace_length = 0;
    }
    CHECK("for every place of the wrap between them", all);

    all = true;
    for (uint32_t before = 1; before < 40; before++) {
        jump_before_wrap(before + 20);
        late_us = -1;
        uint64_t time = clock_now() + 30;
        all = all && spawn_at(late, time, time) >= 0;
        spend(100);
        all = all && late_us >= 0 && late_us <= LATE_MAX_US;
    }
    CHECK("and none is early or late there", all);

    jump_before_wrap(500);
    CHECK("the clock never goes back or leaps there", monotonic(1000));

    jump_before_wrap(5000);
    arm(armed, clock_now() + (UINT64_C(1) << 32) + 20000);
    spend(15000);
    CHECK("a time more than a wrap away is not taken for one near", traced(""));
    jump_before_wrap(1000);
    raise_interrupt(BOARD_TIMER_IRQn); /* the alarm half a wrap ahead, which the jump has passed over */
    spend(5000);
    CHECK("nor the second time", traced(""));
    spend(30000);
    CHECK("but runs when it comes", traced("a"));
}

TASK(test)
{
    order();
    cancelling();
    rescheduling();
    LOCK (held_off) {
        int handle = in(50, 'x');
        spend(200);
        CHECK("one that is queued, but that a lock holds off, is not taken back",
              cancel(handle) == KERNEL_NOT_PENDING && reschedule(handle, KERNEL_NEVER) == KERNEL_NOT_PENDING);
    }
    CHECK("and runs", traced("x"));
    LOCK (all_held_off) {
        int first = in(50, 'x');
        int second = in(50, 'y');
        spend(200);
        CHECK("one that is not, since the lock holds off the timer, is",
              cancel(first) == 0 && reschedule(second, clock_now() + 200) == 0);
    }
    CHECK("and does not run", traced(""));
    spend(300);
    CHECK("or at its new time", traced("y"));
    latency();
    arming();
    wrap();
    LOCK (early) {
        CHECK("nothing ever ran too early", *early == 0);
    }
    finish(true);
}

INIT
{
    if (spawn(test, 0) < 0)
        finish(false);
}

int main(void)
{
    kernel_start();
}
