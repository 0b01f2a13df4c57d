/* The least that brings a Cortex-M4F from reset to main, on any board with memory at these addresses. */
#ifdef __arm__
#include "programs.h"
#include "tests/target/semihosting.h"

extern uint32_t stack_end[], data_load[], data_start[], data_end[], bss_start[], bss_end[];
int main(void);
void start(void);

static void fault(void)
{
    semihosting_print("a fault\n");
    semihosting_exit(1);
}

#define CPACR (*(volatile uint32_t *)0xE000ED88)

/* The compiler may use FP registers in main, not here. */
__attribute__((noreturn, target("general-regs-only"))) void start(void)
{
    const uint32_t *from = data_load;

    CPACR |= 0xF00000;
    __asm__ volatile("dsb\nisb" ::: "memory");
    for (volatile uint32_t *to = data_start; to < data_end;)
        *to++ = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    semihosting_exit((uint32_t)main());
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_end,
    start,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
};
#endif
