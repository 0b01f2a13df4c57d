// expect: too many arguments to function 'kernel_spawn_report'
#include "base.h"

TASK(button)
{
    if (spawn(report, 1) < 0)
        return;
}
