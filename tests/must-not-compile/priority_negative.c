// expect: TASKS: the priority of odd is not within 1 (lowest) to 16 (highest)
#define MORE_TASKS(HARDWARE, SOFTWARE) HARDWARE(odd, -1, EXTI1)
#include "base.h"
