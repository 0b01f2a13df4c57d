// expect: TASKS: the priority of eager is not within 1 (lowest) to 16 (highest)
#define MORE_TASKS(HARDWARE, SOFTWARE) SOFTWARE(eager, 17, 1, nothing)
#include "base.h"
