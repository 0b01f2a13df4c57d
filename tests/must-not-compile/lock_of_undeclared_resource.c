// expect: LOCK(readings): this task is not among the users of readings in RESOURCES
#include "base.h"

TASK(button)
{
    LOCK (readings) {
        readings->value = 1;
    }
}
