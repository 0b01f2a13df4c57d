// expect: 'this_task' undeclared
#include "base.h"

void helper(void);
void helper(void)
{
    LOCK (readings) {
        readings->value = 1;
    }
}
