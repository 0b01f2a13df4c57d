/* DBGMCU, MCU debug component (RM0090 38.16): the chip's identity, and bits that outlive a system reset. */
#include "peripheral.h"

/* 38.6.1: device 0x419 (STM32F42x, F43x), revision Y */
#define IDCODE 0x20036419u

/* RM0090 38.6.1, 38.16.3 to 38.16.5 */
static const struct reg registers[] = {
    {"IDCODE", 0x00, WIDTH_32, IDCODE, 0, 0, 0, NULL, NULL, 0},
    {"CR", 0x04, WIDTH_32, 0, 0x000000E7, 0, 0, NULL, NULL, ~0xE7u},
    {"APB1_FZ", 0x08, WIDTH_32, 0, 0x06E01DFF, 0, 0, NULL, NULL, ~0x06E01DFFu},
    {"APB2_FZ", 0x0C, WIDTH_32, 0, 0x00070003, 0, 0, NULL, NULL, ~0x00070003u},
};

void dbgmcu_create(struct machine *m)
{
    static const struct peripheral dbgmcu = {.name = "DBGMCU",
                                             .base = 0xE0042000,
                                             .size = 0x400,
                                             .regs = registers,
                                             .reg_count = sizeof registers / sizeof registers[0],
                                             .survives_reset = true};

    (void)peripheral_new(m, &dbgmcu, 0);
}
