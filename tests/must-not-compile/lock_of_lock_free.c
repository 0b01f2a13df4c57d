// expect: LOCK(line): line has users of one priority, so needs no lock: write USE(line);
#include "base.h"

TASK(report)
{
    LOCK (line) {
        line->value++;
    }
}
