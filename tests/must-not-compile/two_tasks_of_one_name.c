// expect: redeclaration of enumerator 'TASK_report'
#define MORE_TASKS(HARDWARE, SOFTWARE) SOFTWARE(report, 2, 1, nothing)
#include "base.h"
