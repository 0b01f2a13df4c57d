#include "target/stm32f429/wait.h"

enum { WAIT_READS = 100000 };

bool wait_reads(const volatile uint32_t *reg, uint32_t mask, uint32_t value, uint32_t reads)
{
    while ((*reg & mask) != value) {
        if (--reads == 0)
            return false;
    }
    return true;
}

bool wait_for(const volatile uint32_t *reg, uint32_t mask, uint32_t value)
{
    return wait_reads(reg, mask, value, WAIT_READS);
}

void wait_cycles(uint32_t cycles)
{
    /* A round takes three cycles at least: subtract one, branch two. */
    for (uint32_t round = cycles / 3 + 1; round != 0; round--)
        __asm__ volatile("");
}
