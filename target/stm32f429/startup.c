/*
 * Reset and the vector table (ARMv7-M ARM B1.5.3; RM0090 table 62).
 */
#include "log/rtt.h"
#include "target/stm32f429/crash.h"
#include "target/stm32f429/irq.h"
#include "target/stm32f429/memory.h"
#include "target/stm32f429/registers.h"

/* Laid out by the linker script. */
extern uint32_t data_start[], data_end[], zero_start[], zero_end[];
extern const uint32_t data_load[];
/* Absent in programs without a log. */
#pragma weak _SEGGER_RTT

int main(void);
void Reset_Handler(void);
void fault_handler(void);

/*
 * Exceptions that nobody handles. If the stack has overflowed, or is about to,
 * it starts again at its end; otherwise it stays, for the frame lies on it.
 */
__attribute__((naked)) void fault_handler(void)
{
    __asm__ volatile("mov r0, sp\n"
                     "ldr r1, =stack_start + 256\n"
                     "cmp r0, r1\n"
                     "itt lo\n"
                     "ldrlo r1, =stack_end\n"
                     "movlo sp, r1\n"
                     "b crash_exception\n"
                     ".ltorg\n");
}

#define WEAK_HANDLER                     __attribute__((weak, alias("fault_handler")))
#define STM32F429_IRQ_WEAK(name, number) WEAK_HANDLER void name##_IRQHandler(void);
STM32F429_IRQ_LIST(STM32F429_IRQ_WEAK)

void SVC_Handler(void) WEAK_HANDLER;
void PendSV_Handler(void) WEAK_HANDLER;
void SysTick_Handler(void) WEAK_HANDLER;

typedef void handler(void);

struct vector_table {
    uint32_t *initial_stack;
    handler *exceptions[15];
    handler *interrupts[IRQ_COUNT];
};

__attribute__((section(".vectors"), used)) const struct vector_table vectors = {
    .initial_stack = stack_end,
    .exceptions =
        {
            Reset_Handler,
            fault_handler,
            fault_handler,
            fault_handler,
            fault_handler,
            fault_handler,
            0,
            0,
            0,
            0,
            SVC_Handler,
            fault_handler,
            0,
            PendSV_Handler,
            SysTick_Handler,
        },
    .interrupts =
        {
#define STM32F429_IRQ_ENTRY(name, number) [number] = name##_IRQHandler,
            STM32F429_IRQ_LIST(STM32F429_IRQ_ENTRY)},
};

static inline void fill(uint32_t *from, const uint32_t *end, uint32_t value)
{
    /* volatile keeps the compiler from calling memset, whose stack is what is being painted */
    for (volatile uint32_t *word = from; word < end; word++)
        *word = value;
}

/* Whatever reaches below the stack's end is a MemManage fault (ARMv7-M B3.5); all else stays as it was. */
static inline void guard_stack(void)
{
    MPU->RBAR = ((uint32_t)stack_start - (1u << STACK_GUARD_BITS)) | MPU_RBAR_VALID;
    MPU->RASR =
        MPU_RASR_EXECUTE_NEVER | MPU_RASR_NO_ACCESS | MPU_RASR_SIZE(STACK_GUARD_BITS) | MPU_RASR_ENABLE;
    MPU->CTRL = MPU_CTRL_PRIVDEFENA | MPU_CTRL_ENABLE;
}

void Reset_Handler(void)
{
    uint32_t *stack_pointer;

    /* A log reader that found the block of the run before must not read it while it is remade. */
    if (&_SEGGER_RTT != NULL)
        _SEGGER_RTT.id[0] = 0;
    __asm__ volatile("mov %0, sp" : "=r"(stack_pointer));
    fill(stack_start, stack_pointer, STACK_PAINT);

    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = data_load[to - data_start];
    fill(zero_start, zero_end, 0);

    SCB->VTOR = (uint32_t)&vectors;
    SCB->CCR |= SCB_CCR_DIV_0_TRP;
    guard_stack();
#ifdef __ARM_FP
    SCB->CPACR |= SCB_CPACR_FPU_FULL;
#endif
    __asm__ volatile("dsb\nisb" ::: "memory");
    main();
    system_reset();
}
