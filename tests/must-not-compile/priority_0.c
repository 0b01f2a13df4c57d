// expect: TASKS: the priority of lazy is not within 1 (lowest) to 16 (highest)
#define MORE_TASKS(HARDWARE, SOFTWARE) HARDWARE(lazy, 0, EXTI1)
#include "base.h"
