// expect: LOCK(limits): limits is read-only, so needs no lock: write USE(limits);
#include "base.h"

TASK(store)
{
    LOCK (limits) {
        (void)limits->value;
    }
}
