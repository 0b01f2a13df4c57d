#include "target/stm32f429/memory.h"

size_t stack_unused_bytes(void)
{
    const volatile uint32_t *word = stack_start;
    while (word < stack_end && *word == STACK_PAINT)
        word++;
    return (size_t)(word - stack_start) * sizeof *word;
}
