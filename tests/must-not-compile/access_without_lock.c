// expect: 'readings' undeclared
#include "base.h"

TASK(report)
{
    LOCK (readings) {
        readings->value = 1;
    }
    readings->value = 2;
}
