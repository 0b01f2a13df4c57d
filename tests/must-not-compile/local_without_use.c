// expect: 'presses' undeclared
#include "base.h"

TASK(button)
{
    presses->value++;
}
