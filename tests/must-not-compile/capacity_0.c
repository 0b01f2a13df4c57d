// expect: TASKS: the queue capacity of closed is not within 1 to 255
#define MORE_TASKS(HARDWARE, SOFTWARE) SOFTWARE(closed, 2, 0, nothing)
#include "base.h"
