// expect: too few arguments to function 'kernel_spawn_store'
#include "base.h"

TASK(button)
{
    if (spawn(store) < 0)
        return;
}
