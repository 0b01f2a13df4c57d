// expect: 'TASK_reprot' undeclared
#include "base.h"

TASK(button)
{
    if (spawn(reprot) < 0)
        return;
}
