// expect: assignment of member 'value' in read-only object
#include "base.h"

TASK(button)
{
    USE(limits);
    limits->value = 1;
}
