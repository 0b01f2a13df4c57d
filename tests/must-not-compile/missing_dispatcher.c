// expect: DISPATCHERS: there is no interrupt for priority 7, which the software task urgent has
#define MORE_TASKS(HARDWARE, SOFTWARE) SOFTWARE(urgent, 7, 1, nothing)
#include "base.h"
