// expect: 'EXTI99_IRQn' undeclared
#define MORE_TASKS(HARDWARE, SOFTWARE) HARDWARE(second, 4, EXTI99)
#include "base.h"
