// expect: USE(readings): readings is shared: write LOCK(readings) { }
#include "base.h"

TASK(report)
{
    USE(readings);
    readings->value++;
}
