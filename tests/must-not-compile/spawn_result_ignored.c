// expect: ignoring return value of 'kernel_spawn_report'
#include "base.h"

TASK(button)
{
    spawn(report);
}
