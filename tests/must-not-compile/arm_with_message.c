// expect: arm(store): the task has a message; use spawn_at
#include "base.h"

TASK(button)
{
    arm(store, 0);
}
