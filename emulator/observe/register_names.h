/* Registers by address, as the manuals call them. */
#ifndef EMULATOR_OBSERVE_REGISTER_NAMES_H
#define EMULATOR_OBSERVE_REGISTER_NAMES_H

#include "machine.h"

enum { REGISTER_NAME_MAX = 64 };

/* "ETH_DMASR", "NVIC_ISER1", "GPIOB+0x7c" where the peripheral has none, "0x60000000" where nothing is. */
void register_name(const struct machine *m, uint32_t address, char name[REGISTER_NAME_MAX]);

#endif
