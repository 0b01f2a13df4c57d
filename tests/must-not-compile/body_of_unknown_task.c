// expect: 'TASK_buton' undeclared
#include "base.h"

TASK(buton)
{
}
