/*
 * The cells of the flash memory (RM0090 3.3, table 6; DS9405 6.3.12): sectors,
 * how long they take, what a completed operation leaves, and one cut off.
 */
#include <string.h>

#include "cpu/cpu.h"
#include "flash.h"

enum { KB = 1024, SMALL = 16 * KB, MIDDLE = 64 * KB, LARGE = 128 * KB };

/* Of a bank: four of 16 KB, one of 64 KB, seven of 128 KB */
uint32_t flash_sector_size(unsigned sector)
{
    unsigned in_bank = sector % FLASH_BANK_SECTORS;

    return in_bank < 4 ? SMALL : in_bank == 4 ? MIDDLE : LARGE;
}

uint32_t flash_sector_offset(unsigned sector)
{
    unsigned in_bank = sector % FLASH_BANK_SECTORS;
    uint32_t bank = sector / FLASH_BANK_SECTORS * (uint32_t)FLASH_BANK_SIZE;

    return bank + (in_bank < 5 ? in_bank * (uint32_t)SMALL : (in_bank - 4) * (uint32_t)LARGE);
}

unsigned flash_sector_of(uint32_t offset)
{
    unsigned sector = FLASH_SECTORS - 1;

    while (flash_sector_offset(sector) > offset)
        sector--;
    return sector;
}

/* ---- Times ---- */

vtime flash_program_time(void)
{
    return VTIME_US(16);
}

static vtime sector_erase_time(unsigned sector, enum flash_parallelism parallelism)
{
    static const uint16_t small_ms[] = {400, 300, 250}, middle_ms[] = {1200, 700, 550},
                          large_ms[] = {2000, 1300, 1000};
    unsigned column = parallelism > FLASH_X32 ? FLASH_X32 : parallelism;

    switch (flash_sector_size(sector)) {
    case SMALL: return VTIME_MS(small_ms[column]);
    case MIDDLE: return VTIME_MS(middle_ms[column]);
    default: return VTIME_MS(large_ms[column]);
    }
}

/* A whole bank and the whole chip take the same: the banks are erased at once. */
vtime flash_sectors_erase_time(uint32_t sectors, enum flash_parallelism parallelism)
{
    static const uint16_t bank_s[] = {16, 11, 8};

    if (sectors & (sectors - 1))
        return VTIME_S(bank_s[parallelism > FLASH_X32 ? FLASH_X32 : parallelism]);
    return sector_erase_time((unsigned)__builtin_ctz(sectors), parallelism);
}

/* ---- Completed ---- */

static void program(struct machine *m, const struct flash_operation *operation)
{
    for (unsigned i = 0; i < operation->bytes; i++)
        m->flash[operation->offset + i] &= (uint8_t)(operation->value >> 8 * i);
    cpu_code_written(m, FLASH_BASE + operation->offset, operation->bytes);
}

/* Some cells of a worn sector no longer let their charge go. */
static void leave_stuck_bits(struct machine *m, unsigned sector)
{
    unsigned count = 1 + (unsigned)(machine_random(m) & 7);

    for (unsigned i = 0; i < count; i++) {
        uint64_t random = machine_random(m);
        uint32_t at = flash_sector_offset(sector) + (uint32_t)(random >> 8) % flash_sector_size(sector);
        m->flash[at] &= (uint8_t) ~(1u << (random & 7));
    }
}

static void erase(struct machine *m, unsigned sector, struct flash_wear *wear)
{
    uint32_t offset = flash_sector_offset(sector), size = flash_sector_size(sector);

    memset(m->flash + offset, 0xFF, size);
    wear->erased[sector]++;
    if (wear->endurance && wear->erased[sector] > wear->endurance)
        leave_stuck_bits(m, sector);
    cpu_code_written(m, FLASH_BASE + offset, size);
}

void flash_complete(struct machine *m, const struct flash_operation *operation, struct flash_wear *wear)
{
    if (operation->kind == FLASH_PROGRAM)
        program(m, operation);
    for (unsigned sector = 0; sector < FLASH_SECTORS; sector++) {
        if (operation->kind == FLASH_ERASE_SECTORS && operation->sectors >> sector & 1)
            erase(m, sector, wear);
    }
}

/* ---- Cut off ---- */

/* 64 bits, each set with a probability of share / 256. */
static uint64_t random_bits(struct machine *m, unsigned share)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < 8; i++)
        bits = share >> i & 1 ? bits | machine_random(m) : bits & machine_random(m);
    return share > 255 ? UINT64_MAX : bits;
}

static unsigned share_of(vtime part, vtime whole)
{
    return whole == 0 || part >= whole ? 256 : (unsigned)(part * 256 / whole);
}

static void tear_program(struct machine *m, const struct flash_operation *operation, vtime elapsed)
{
    uint64_t done = random_bits(m, share_of(elapsed, operation->ends - operation->begins));
    uint32_t kept = operation->value | ~(uint32_t)done;

    for (unsigned i = 0; i < operation->bytes; i++)
        m->flash[operation->offset + i] &= (uint8_t)(kept >> 8 * i);
    cpu_code_written(m, FLASH_BASE + operation->offset, operation->bytes);
}

/* The controller first programs all cells to 0, for even wear, then lets the charge go. */
static void tear_erase(struct machine *m, const struct flash_operation *operation, unsigned sector,
                       vtime elapsed)
{
    vtime whole = operation->ends - operation->begins, preparation = whole / 4;
    bool erasing = elapsed >= preparation;
    unsigned share =
        erasing ? share_of(elapsed - preparation, whole - preparation) : share_of(elapsed, preparation);
    uint32_t offset = flash_sector_offset(sector), size = flash_sector_size(sector);

    for (uint32_t i = 0; i < size; i += 8) {
        uint64_t cells, random = random_bits(m, share);
        memcpy(&cells, m->flash + offset + i, 8);
        cells = erasing ? random : cells & ~random;
        memcpy(m->flash + offset + i, &cells, 8);
    }
    cpu_code_written(m, FLASH_BASE + offset, size);
}

void flash_tear(struct machine *m, const struct flash_operation *operation)
{
    vtime now = machine_now(m), elapsed = now > operation->begins ? now - operation->begins : 0;

    if (operation->kind == FLASH_PROGRAM)
        tear_program(m, operation, elapsed);
    for (unsigned sector = 0; sector < FLASH_SECTORS; sector++) {
        if (operation->kind == FLASH_ERASE_SECTORS && operation->sectors >> sector & 1)
            tear_erase(m, operation, sector, elapsed);
    }
}
