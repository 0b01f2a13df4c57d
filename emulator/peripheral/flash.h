/* What the parts of the flash model share: flash.c has the registers, flash_array.c the cells. */
#ifndef EMULATOR_PERIPHERAL_FLASH_H
#define EMULATOR_PERIPHERAL_FLASH_H

#include "peripheral.h"

enum { FLASH_SECTORS = 24, FLASH_BANK_SECTORS = 12, FLASH_BANK_SIZE = FLASH_SIZE / 2 };
enum { FLASH_BANK1 = 1, FLASH_BANK2 = 2 }; /* sets of banks */

/* FLASH_CR.PSIZE: how many bytes the cells are programmed at once */
enum flash_parallelism { FLASH_X8, FLASH_X16, FLASH_X32, FLASH_X64 };

enum flash_operation_kind {
    FLASH_IDLE,
    FLASH_PROGRAM,
    FLASH_ERASE_SECTORS,
    FLASH_PROGRAM_OPTIONS,
};

/* One at a time in the whole chip (RM0090 3.6.5). */
struct flash_operation {
    uint8_t kind;  /* enum flash_operation_kind */
    uint8_t bytes; /* of a program operation */
    uint8_t banks; /* that cannot be read meanwhile, a set */
    uint32_t offset;
    uint32_t value;
    uint32_t sectors; /* to be erased, a set */
    vtime begins;
    vtime ends;
};

struct flash_wear {
    uint32_t endurance; /* erase cycles that a sector stands; 0: no end */
    uint32_t erased[FLASH_SECTORS];
};

uint32_t flash_sector_offset(unsigned sector);
uint32_t flash_sector_size(unsigned sector);
unsigned flash_sector_of(uint32_t offset);
/* DS9405 tables 49 and 50, typical */
vtime flash_program_time(void);
vtime flash_sectors_erase_time(uint32_t sectors, enum flash_parallelism parallelism);

/* The operation has had its time: the cells take their new values. */
void flash_complete(struct machine *m, const struct flash_operation *operation, struct flash_wear *wear);
/* It was cut off now: the cells that it touches hold something between. */
void flash_tear(struct machine *m, const struct flash_operation *operation);

#endif
