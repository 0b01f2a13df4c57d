// expect: declaration of 'readings' shadows a previous local
#include "base.h"

TASK(report)
{
    LOCK (readings) {
        LOCK (readings) {
            readings->value = 1;
        }
    }
}
