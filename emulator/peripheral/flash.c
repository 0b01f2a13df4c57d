/*
 * FLASH interface (RM0090 3.9): wait states and caches, the locks, and the
 * errors of a store without permission.
 */
#include "cpu/cpu.h"
#include "peripheral.h"

enum { FLASH_ACR, FLASH_KEYR, FLASH_OPTKEYR, FLASH_SR, FLASH_CR, FLASH_OPTCR, FLASH_OPTCR1, FLASH_REGISTERS };
enum {
    FLASH_INTERFACE_BASE = 0x40023C00,
    IRQ_FLASH = 4,
    ACR_ICEN = 1 << 9,
    ACR_DCEN = 1 << 10,
    ACR_ICRST = 1 << 11,
    ACR_DCRST = 1 << 12,
    SR_OPERR = 1 << 1,
    SR_PGSERR = 1 << 7,
    CR_PG = 1 << 0,
    CR_STRT = 1 << 16,
    CR_ERRIE = 1 << 25,
    OPTCR_OPTLOCK = 1 << 0,
    OPTCR_OPTSTRT = 1 << 1,
};
#define CR_LOCK (1u << 31)

enum unlock_step { NO_KEY, FIRST_KEY, JAMMED /* until reset (3.6.1) */ };

struct flash_state {
    uint8_t cr_unlock; /* enum unlock_step */
    uint8_t optcr_unlock;
};

static struct peripheral *flash_of(const struct machine *m)
{
    return peripheral_find(m, FLASH_INTERFACE_BASE);
}

unsigned flash_wait_states(const struct machine *m)
{
    return flash_of(m)->value[FLASH_ACR] & 0xF;
}

static void acr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)old;
    if (written & ACR_ICRST && p->value[index] & ACR_ICEN)
        machine_report(m, REPORT_WARNING,
                       "FLASH_ACR.ICRST while the instruction cache is on: ignored (RM0090 3.9.1)");
    if (written & ACR_DCRST && p->value[index] & ACR_DCEN)
        machine_report(m, REPORT_WARNING,
                       "FLASH_ACR.DCRST while the data cache is on: ignored (RM0090 3.9.1)");
    rcc_check_limits(m);
}

/* Two keys in order; anything else jams the lock until reset. True: unlocked. */
static bool take_key(struct machine *m, uint8_t *step, uint32_t key, uint32_t first, uint32_t second)
{
    if (*step == NO_KEY && key == first) {
        *step = FIRST_KEY;
        return false;
    }
    bool good = *step == FIRST_KEY && key == second;
    if (!good)
        machine_report(m, REPORT_WARNING, "wrong key for the flash: locked until reset (RM0090 3.6.1)");
    *step = good ? NO_KEY : JAMMED;
    return good;
}

static void keyr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                         uint32_t written)
{
    struct flash_state *s = p->state;
    (void)index;
    (void)old;

    if (take_key(m, &s->cr_unlock, written, 0x45670123, 0xCDEF89AB))
        p->value[FLASH_CR] &= ~CR_LOCK;
}

static void optkeyr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                            uint32_t written)
{
    struct flash_state *s = p->state;
    (void)index;
    (void)old;

    if (take_key(m, &s->optcr_unlock, written, 0x08192A3B, 0x4C5D6E7F))
        p->value[FLASH_OPTCR] &= ~(uint32_t)OPTCR_OPTLOCK;
}

static void cr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    if (old & CR_LOCK) {
        machine_report(m, REPORT_WARNING, "FLASH_CR written while locked: ignored (RM0090 3.6.1)");
        p->value[index] = old;
        return;
    }
    if (written & CR_STRT)
        machine_report(m, REPORT_ERROR, "erasing flash is not modelled yet");
}

static void optcr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                          uint32_t written)
{
    if (p->value[FLASH_OPTCR] & old & OPTCR_OPTLOCK ||
        (index == FLASH_OPTCR1 && p->value[FLASH_OPTCR] & OPTCR_OPTLOCK)) {
        machine_report(m, REPORT_WARNING, "FLASH_%s written while locked: ignored (RM0090 3.7.2)",
                       p->regs[index].name);
        p->value[index] = old;
        return;
    }
    if (index == FLASH_OPTCR && written & OPTCR_OPTSTRT)
        machine_report(m, REPORT_ERROR, "programming option bytes is not modelled");
}

void flash_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value)
{
    struct peripheral *p = flash_of(m);

    if (p->value[FLASH_CR] & CR_PG) {
        machine_report(m, REPORT_ERROR, "programming flash is not modelled yet (0x%08x)", address);
        return;
    }
    machine_report(m, REPORT_WARNING,
                   "store of %u bytes (0x%x) to flash 0x%08x without FLASH_CR.PG: PGSERR (RM0090 3.6.4)",
                   bytes, value, address);
    p->value[FLASH_SR] |= SR_PGSERR;
    if (p->value[FLASH_CR] & CR_ERRIE) {
        p->value[FLASH_SR] |= SR_OPERR;
        cpu_set_irq(m, IRQ_FLASH, true);
    }
}

static void sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)old;
    (void)written;
    cpu_set_irq(m, IRQ_FLASH, p->value[index] & SR_OPERR && p->value[FLASH_CR] & CR_ERRIE);
}

/* RM0090 3.9.1 to 3.9.10. Option bytes as delivered: no protection, BOR off. */
static const struct reg registers[FLASH_REGISTERS] = {
    [FLASH_ACR] = {"ACR", 0x00, WIDTH_ANY, 0, 0x0000070F, 0, 0, NULL, acr_written, 0xFFFFE0F0},
    [FLASH_KEYR] = {"KEYR", 0x04, WIDTH_32, 0, 0, 0, 0, NULL, keyr_written, 0},
    [FLASH_OPTKEYR] = {"OPTKEYR", 0x08, WIDTH_32, 0, 0, 0, 0, NULL, optkeyr_written, 0},
    [FLASH_SR] = {"SR", 0x0C, WIDTH_32, 0, 0, 0x000001F3, 0, NULL, sr_written, 0},
    [FLASH_CR] = {"CR", 0x10, WIDTH_32, CR_LOCK, 0x830183FF, 0, 0, NULL, cr_written, 0x7CFE7C00},
    [FLASH_OPTCR] = {"OPTCR", 0x14, WIDTH_ANY, 0x0FFFAAED, 0xCFFFFFFF, 0, 0, NULL, optcr_written, 0},
    [FLASH_OPTCR1] = {"OPTCR1", 0x18, WIDTH_ANY, 0x0FFF0000, 0x0FFF0000, 0, 0, NULL, optcr_written, 0},
};

static void reset(struct machine *m, struct peripheral *p)
{
    struct flash_state *s = p->state;

    *s = (struct flash_state){.cr_unlock = NO_KEY};
    cpu_set_irq(m, IRQ_FLASH, false);
}

void flash_create(struct machine *m)
{
    static const struct peripheral flash = {.name = "FLASH",
                                            .base = FLASH_INTERFACE_BASE,
                                            .size = 0x400,
                                            .regs = registers,
                                            .reg_count = FLASH_REGISTERS,
                                            .reset = reset};

    (void)peripheral_new(m, &flash, sizeof(struct flash_state));
}
