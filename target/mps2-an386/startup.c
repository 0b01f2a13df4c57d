/* Reset and vector table of the MPS2 with AN386. */
#include "target/mps2-an386/irq.h"

#include <stddef.h>
#include <stdint.h>

extern uint32_t data_start[], data_end[], bss_start[], bss_end[], stack_end[];
extern const uint32_t data_load[];
int main(void);
void Reset_Handler(void);
/* The program's: an exception that nobody handles. */
_Noreturn void unexpected_exception(void);

#define CPACR (*(volatile uint32_t *)0xE000ED88u)

void Reset_Handler(void)
{
    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = data_load[to - data_start];
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    CPACR |= 0xFu << 20; /* the FPU */
    __asm__ volatile("dsb\n\tisb" : : : "memory");
    main();
    unexpected_exception();
}

#define WEAK(name, number)                                                                                   \
    __attribute__((weak)) void name##_IRQHandler(void)                                                       \
    {                                                                                                        \
        unexpected_exception();                                                                              \
    }
MPS2_AN386_IRQ_LIST(WEAK)

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*exceptions[15])(void);
    void (*interrupts[IRQ_COUNT])(void);
} vectors = {
    .stack = stack_end,
    .exceptions = {Reset_Handler, unexpected_exception, unexpected_exception, unexpected_exception,
                   unexpected_exception, unexpected_exception, NULL, NULL, NULL, NULL, unexpected_exception,
                   unexpected_exception, NULL, unexpected_exception, unexpected_exception},
#define ENTRY(name, number) [number] = name##_IRQHandler,
    .interrupts = {MPS2_AN386_IRQ_LIST(ENTRY)},
};
