// expect: nothing
#include "base.h"

#define MUST(call) (void)((call) < 0)

KERNEL_DEFINE

TASK(button)
{
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
    LOCK (readings) {
        if (readings->value > 9)
            return;
    }
    MUST(spawn_after(report, seconds(1)));
    MUST(spawn_at(store, clock_now() + milliseconds(5), (struct reading){.value = 2}));
    arm(report, KERNEL_NEVER);
}

INIT
{
    LOCK (readings) {
        readings->value = 0;
    }
    MUST(spawn(report));
}
