// expect: TASKS: the priority of eager is not within 1 (lowest) to 15 (highest)
#define MORE_TASKS(HARDWARE, SOFTWARE) SOFTWARE(eager, 16, 1, nothing)
#include "base.h"
