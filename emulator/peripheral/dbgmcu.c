/* DBGMCU, MCU debug component (RM0090 38.16): the chip's identity, and bits that outlive a system reset. */
#include "peripheral.h"

/* 38.6.1: device 0x419 (STM32F42x, F43x), revision Y */
#define IDCODE      0x20036419u
#define DBGMCU_BASE 0xE0042000u

enum { APB1_FZ = 2 };

/* What is frozen may have changed while the core is halted. */
static void freeze_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                           uint32_t written)
{
    (void)p;
    (void)index;
    (void)old;
    (void)written;
    rcc_notify(m);
}

/* RM0090 38.6.1, 38.16.3 to 38.16.5 */
static const struct reg registers[] = {
    {"IDCODE", 0x00, WIDTH_32, IDCODE, 0, 0, 0, NULL, NULL, 0},
    {"CR", 0x04, WIDTH_32, 0, 0x000000E7, 0, 0, NULL, NULL, ~0xE7u},
    {"APB1_FZ", 0x08, WIDTH_32, 0, 0x06E01DFF, 0, 0, NULL, freeze_written, ~0x06E01DFFu},
    {"APB2_FZ", 0x0C, WIDTH_32, 0, 0x00070003, 0, 0, NULL, NULL, ~0x00070003u},
};

bool dbgmcu_freezes(const struct machine *m, unsigned bit)
{
    return m->bus.core_halted && peripheral_find(m, DBGMCU_BASE)->value[APB1_FZ] >> bit & 1;
}

void dbgmcu_create(struct machine *m)
{
    static const struct peripheral dbgmcu = {.name = "DBGMCU",
                                             .base = DBGMCU_BASE,
                                             .size = 0x400,
                                             .regs = registers,
                                             .reg_count = sizeof registers / sizeof registers[0],
                                             .survives_reset = true};

    (void)peripheral_new(m, &dbgmcu, 0);
}
