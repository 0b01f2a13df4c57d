/*
 * Backup SRAM, 4 KB (RM0090 5.1.2): written only while PWR_CR.DBP is set; keeps
 * its content through any reset, and through a power cut if a battery and the
 * backup regulator hold it.
 */
#include "peripheral.h"

enum { BKPSRAM_BASE = 0x40024000, BKPSRAM_SIZE = 0x1000 };

static bool may_write(struct machine *m, const struct peripheral *p, uint32_t offset)
{
    if (pwr_backup_writable(m))
        return true;
    machine_report(m, REPORT_WARNING, "write to %s+0x%03x without PWR_CR.DBP: ignored (RM0090 5.1.2)",
                   p->name, offset);
    return false;
}

static void reset(struct machine *m, struct peripheral *p)
{
    if (m->reset_cause != RESET_POWER_ON || pwr_holds_backup_sram(m))
        return;
    for (uint32_t i = 0; i < BKPSRAM_SIZE; i++)
        p->memory[i] = (uint8_t)machine_random(m);
}

void bkpsram_create(struct machine *m)
{
    struct peripheral bkpsram = {.name = "BKPSRAM",
                                 .base = BKPSRAM_BASE,
                                 .size = BKPSRAM_SIZE,
                                 .gate = {0x30, 18, 0, 0},
                                 .memory = machine_allocate(m, BKPSRAM_SIZE),
                                 .may_write = may_write,
                                 .reset = reset};

    machine_register_state(m, "backup SRAM", bkpsram.memory, BKPSRAM_SIZE);
    (void)peripheral_new(m, &bkpsram, 0);
}
