// expect: 'this_task' undeclared
#include "base.h"

int read_line(void);
int read_line(void)
{
    USE(line);
    return (int)line->value;
}
