// expect: define the lists TASKS, RESOURCES and DISPATCHERS before kernel/table.h
#include "target/stm32f429/timer.h"
#define TASKS(HARDWARE, SOFTWARE) HARDWARE(button, 3, EXTI0)
#include "kernel/table.h"
