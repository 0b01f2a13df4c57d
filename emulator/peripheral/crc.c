/* CRC calculation unit (RM0090 4.4): CRC-32 with 0x04C11DB7, words, not reflected. */
#include "peripheral.h"

enum { CRC_DR, CRC_IDR, CRC_CR, CRC_REGISTERS };
enum { CR_RESET = 1 };

static void dr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    uint32_t crc = old ^ written;
    (void)m;

    for (unsigned bit = 0; bit < 32; bit++)
        crc = crc << 1 ^ (crc >> 31 ? 0x04C11DB7u : 0);
    p->value[index] = crc;
}

static void cr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)m;
    (void)index;
    (void)old;
    if (written & CR_RESET)
        p->value[CRC_DR] = UINT32_MAX;
}

/* RM0090 4.4.1 to 4.4.3 */
static const struct reg registers[CRC_REGISTERS] = {
    [CRC_DR] = {"DR", 0x00, WIDTH_32, UINT32_MAX, 0, 0, 0, NULL, dr_written, 0},
    [CRC_IDR] = {"IDR", 0x04, WIDTH_32, 0, 0xFF, 0, 0, NULL, NULL, 0xFFFFFF00},
    [CRC_CR] = {"CR", 0x08, WIDTH_32, 0, 0, 0, 0, NULL, cr_written, 0xFFFFFFFE},
};

void crc_create(struct machine *m)
{
    static const struct peripheral crc = {.name = "CRC",
                                          .base = 0x40023000,
                                          .size = 0x400,
                                          .gate = {0x30, 12, 0x10, 12},
                                          .regs = registers,
                                          .reg_count = CRC_REGISTERS};

    (void)peripheral_new(m, &crc, 0);
}
