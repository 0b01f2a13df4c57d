/* The parts of the STM32F429 that the virtual board knows by name only. */
#ifndef EMULATOR_BOARD_UNMODELLED_H
#define EMULATOR_BOARD_UNMODELLED_H

#include <stdint.h>

/* The name of the peripheral at the address; NULL: nothing is there on silicon either. */
const char *unmodelled_peripheral(uint32_t address);

#endif
