// expect: LOCK(readings): this task is not among the users of readings in RESOURCES
#include "base.h"

IDLE
{
    LOCK (readings) {
        readings->value++;
    }
}
