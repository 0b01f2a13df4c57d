// expect: LOCK(presses): presses is local to one task, so needs no lock: write USE(presses);
#include "base.h"

TASK(button)
{
    LOCK (presses) {
        presses->value++;
    }
}
