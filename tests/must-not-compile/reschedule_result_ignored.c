// expect: ignoring return value of 'reschedule'
#include "base.h"

TASK(report)
{
    reschedule(0, 0);
}
