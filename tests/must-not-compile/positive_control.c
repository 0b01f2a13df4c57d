// expect: nothing
#include "base.h"

#define MUST(call) (void)((call) < 0)

KERNEL_DEFINE

TASK(button)
{
    USE(presses);
    USE(limits);
    if (++presses->value > limits->value)
        return;
    MUST(spawn(store, (struct reading){.value = 1}));
}

TASK(store)
{
    LOCK (readings) {
        *readings = message;
    }
}

TASK(report)
{
    USE(line);
    line->value++;
    LOCK (readings) {
        if (readings->value > 9)
            return;
    }
    MUST(spawn_after(report, seconds(1)));
    int handle = spawn_at(store, clock_now() + milliseconds(5), (struct reading){.value = 2});
    MUST(reschedule(handle, clock_now()));
    arm(report, KERNEL_NEVER);
}

TASK(print)
{
    USE(line);
    line->value = 0;
}

INIT
{
    USE(limits);
    limits->value = 100;
    LOCK (readings) {
        readings->value = 0;
    }
    MUST(spawn(report));
}
