// expect: sleep_while: only IDLE sleeps; a task ends, and is started again
#include "base.h"

TASK(report)
{
    sleep_while(line, line->value == 0);
}
