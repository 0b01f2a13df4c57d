// expect: USE(line): this task is not among the users of line in its list
#include "base.h"

TASK(store)
{
    USE(line);
    line->value++;
}
