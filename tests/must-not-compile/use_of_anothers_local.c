// expect: USE(presses): this task is not among the users of presses in its list
#include "base.h"

TASK(report)
{
    USE(presses);
    presses->value++;
}
