#include "target/stm32f429/timer.h"

#include "target/stm32f429/clock.h"
#include "target/stm32f429/registers.h"

/* Timers of APB1 run at HCLK up to a prescaler of 2, then at twice PCLK1 (RM0090 6.2). */
static uint32_t timer_clock_hz(void)
{
    uint32_t ppre1 = RCC->CFGR >> 10 & 7; /* 0..3: 1; 4, 5, 6, 7: 2, 4, 8, 16 */
    return clock_hclk_hz() >> (ppre1 > 4 ? ppre1 - 4 : 0);
}

void timer_start(void)
{
    RCC->APB1ENR |= RCC_APB1_TIM5;
    (void)RCC->APB1ENR; /* errata 2.2.13: the clock needs two cycles before its registers answer */
    TIM5->CR1 = TIM_CR1_URS;
    TIM5->PSC = timer_clock_hz() / 1000000u - 1;
    TIM5->ARR = UINT32_MAX;
    TIM5->EGR = TIM_EGR_UG; /* loads the prescaler, clears the counter */
    TIM5->SR = 0;
    TIM5->DIER = TIM_DIER_CC1IE;
    TIM5->CR1 = TIM_CR1_URS | TIM_CR1_CEN;
}

uint32_t timer_count(void)
{
    return TIM5->CNT;
}

void timer_alarm(uint32_t count)
{
    TIM5->CCR1 = count;
}

void timer_acknowledge(void)
{
    TIM5->SR = ~TIM_SR_CC1IF; /* rc_w0 */
}
