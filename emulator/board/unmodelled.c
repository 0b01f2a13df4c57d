/* RM0090 table 1: register boundary addresses, less what is modelled. */
#include "unmodelled.h"

#include <stddef.h>

struct region {
    uint32_t base;
    uint32_t size;
    const char *name;
};

static const struct region regions[] = {
    {0x40000400, 0x400, "TIM3"},
    {0x40000800, 0x400, "TIM4"},
    {0x40001800, 0x400, "TIM12"},
    {0x40001C00, 0x400, "TIM13"},
    {0x40002000, 0x400, "TIM14"},
    {0x40002800, 0x50, "RTC"},
    {0x40003400, 0x400, "I2S2ext"},
    {0x40003800, 0x400, "SPI2"},
    {0x40003C00, 0x400, "SPI3"},
    {0x40004000, 0x400, "I2S3ext"},
    {0x40004400, 0x400, "USART2"},
    {0x40004C00, 0x400, "UART4"},
    {0x40005000, 0x400, "UART5"},
    {0x40005400, 0x400, "I2C1"},
    {0x40005800, 0x400, "I2C2"},
    {0x40005C00, 0x400, "I2C3"},
    {0x40006400, 0x400, "CAN1"},
    {0x40006800, 0x400, "CAN2"},
    {0x40007400, 0x400, "DAC"},
    {0x40007800, 0x400, "UART7"},
    {0x40007C00, 0x400, "UART8"},
    {0x40010000, 0x400, "TIM1"},
    {0x40010400, 0x400, "TIM8"},
    {0x40011000, 0x400, "USART1"},
    {0x40011400, 0x400, "USART6"},
    {0x40012100, 0x200, "ADC2/3"},
    {0x40012C00, 0x400, "SDIO"},
    {0x40013000, 0x400, "SPI1"},
    {0x40013400, 0x400, "SPI4"},
    {0x40014000, 0x400, "TIM9"},
    {0x40014400, 0x400, "TIM10"},
    {0x40014800, 0x400, "TIM11"},
    {0x40015000, 0x400, "SPI5"},
    {0x40015400, 0x400, "SPI6"},
    {0x40015800, 0x400, "SAI1"},
    {0x40016800, 0x400, "LTDC"},
    {0x40026000, 0x400, "DMA1"},
    {0x40026400, 0x400, "DMA2"},
    {0x4002B000, 0xC00, "DMA2D"},
    {0x40040000, 0x40000, "USB OTG HS"},
    {0x50000000, 0x40000, "USB OTG FS"},
    {0x50050000, 0x400, "DCMI"},
    {0x60000000, 0x40000000, "external memory (FMC)"},
    {0xA0000000, 0x1000, "FMC"},
    {0xC0000000, 0x20000000, "external memory (FMC)"},
};

const char *unmodelled_peripheral(uint32_t address)
{
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        if (address - regions[i].base < regions[i].size)
            return regions[i].name;
    }
    return NULL;
}
