#include "target/nucleo-f429zi/button.h"

#include "target/stm32f429/registers.h"

enum {
    LINE = 13,
    PORT_C = 2,
};

void button_init(void)
{
    uint32_t shift = LINE % 4 * 4;

    RCC->APB2ENR |= RCC_APB2_SYSCFG;
    (void)RCC->APB2ENR; /* two cycles for the clock to run: RM0090 6.3.14 */
    SYSCFG->EXTICR[LINE / 4] = (SYSCFG->EXTICR[LINE / 4] & ~(15u << shift)) | (uint32_t)PORT_C << shift;
    EXTI->RTSR |= 1u << LINE;
    EXTI->FTSR |= 1u << LINE;
    EXTI->PR = 1u << LINE;
    EXTI->IMR |= 1u << LINE;
}

void button_acknowledge(void)
{
    EXTI->PR = 1u << LINE;
}
