// expect: incompatible type for argument 1 of 'kernel_spawn_store'
#include "base.h"

TASK(button)
{
    if (spawn(store, (struct other){.value = 1}) < 0)
        return;
}
