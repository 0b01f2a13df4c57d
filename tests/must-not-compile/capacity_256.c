// expect: TASKS: the queue capacity of endless is not within 1 to 255
#define MORE_TASKS(HARDWARE, SOFTWARE) SOFTWARE(endless, 2, 256, nothing)
#include "base.h"
