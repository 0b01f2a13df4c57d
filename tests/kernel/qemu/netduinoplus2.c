/*
 * Start and timer for QEMU's netduinoplus2, whose TIM5 has a counter but no
 * compare channel: SysTick takes the alarm's place and hands it on as TIM5's
 * interrupt.
 */
#include "kernel/assert.h"
#include "kernel/port_cortex_m.h"
#include "target/stm32f429/registers.h"
#include "target/stm32f429/timer.h"
#include "tests/kernel/check.h"

#define COUNTER_HZ      1000000000u /* QEMU 7.2: whatever the clock tree says */
#define SYSTICK_PER_US  168u
#define SYSTICK_MAX_US  90000u /* 24 bits */
#define SYSTICK_ENABLED 7u     /* core clock, interrupt, run */

static uint32_t alarm_count;

static void set_systick(void)
{
    uint32_t ahead_us = alarm_count - TIM5->CNT;
    if (ahead_us > SYSTICK_MAX_US)
        ahead_us = SYSTICK_MAX_US;
    SYSTICK->CSR = 0;
    SYSTICK->RVR = (ahead_us ? ahead_us : 1) * SYSTICK_PER_US;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = SYSTICK_ENABLED;
    /*
     * Once only: no value to load again. Otherwise QEMU, whose virtual time
     * leaps while the core sleeps, leaps on to a second expiry first.
     */
    for (unsigned i = 0; i < 1000 && SYSTICK->CVR == 0; i++) {
    }
    SYSTICK->RVR = 0;
}

void timer_start(void)
{
    TIM5->PSC = COUNTER_HZ / 1000000u - 1;
    TIM5->CNT = 0;
    TIM5->CR1 = TIM_CR1_CEN;
}

uint32_t timer_count(void)
{
    return TIM5->CNT;
}

void timer_alarm(uint32_t count)
{
    alarm_count = count;
    set_systick();
}

void timer_acknowledge(void)
{
}

void SysTick_Handler(void);
void SysTick_Handler(void)
{
    uint32_t mask = port_mask();
    if (TIM5->CNT - alarm_count < UINT32_C(1) << 31) {
        SYSTICK->CSR = 0;
        port_pend((struct port_pend)PORT_PEND(TIM5_IRQn));
    } else {
        set_systick();
    }
    port_unmask(mask);
}

_Noreturn void assertion_failed(const char *module, uint32_t number)
{
    char digits[] = {'0', '0', '\n', 0};
    digits[0] = (char)('0' + number / 10 % 10);
    digits[1] = (char)('0' + number % 10);
    say("assertion failed: ");
    say(module);
    say(" ");
    say(digits);
    finish(false);
}

extern uint32_t data_start[], data_end[], bss_start[], bss_end[], stack_end[];
extern const uint32_t data_load[];
int main(void);
void Reset_Handler(void);

void Reset_Handler(void)
{
    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = data_load[to - data_start];
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    SCB->CPACR |= SCB_CPACR_FPU_FULL;
    __asm__ volatile("dsb\n\tisb" : : : "memory");
    main();
    finish(false);
}

static void unexpected(void)
{
    say("unexpected exception\n");
    finish(false);
}

#define WEAK(name, number)                                                                                   \
    __attribute__((weak)) void name##_IRQHandler(void)                                                       \
    {                                                                                                        \
        unexpected();                                                                                        \
    }
STM32F429_IRQ_LIST(WEAK)

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*exceptions[15])(void);
    void (*interrupts[IRQ_COUNT])(void);
} vectors = {
    .stack = stack_end,
    .exceptions = {Reset_Handler, unexpected, unexpected, unexpected, unexpected, unexpected, 0, 0, 0, 0,
                   unexpected, unexpected, 0, unexpected, SysTick_Handler},
#define ENTRY(name, number) [number] = name##_IRQHandler,
    .interrupts = {STM32F429_IRQ_LIST(ENTRY)},
};
