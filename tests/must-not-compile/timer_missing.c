// expect: include the target's timer.h, which names the kernel's timer
#include "target/stm32f429/irq.h"
#define TASKS(HARDWARE, SOFTWARE) HARDWARE(button, 3, EXTI0)
#define RESOURCES(RESOURCE)
#define DISPATCHERS(DISPATCHER)
#include "kernel/table.h"
