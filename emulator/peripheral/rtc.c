/*
 * Of the RTC only its twenty backup registers (RM0090 26.6.20): written only
 * while PWR_CR.DBP is set, cleared with the backup domain. The clock itself is
 * not modelled.
 */
#include "peripheral.h"

enum { RTC_BASE = 0x40002800, BACKUP_REGISTERS = 20 };

static void written_to(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)written;
    if (pwr_backup_writable(m))
        return;
    machine_report(m, REPORT_WARNING, "RTC_%s written without PWR_CR.DBP: ignored (RM0090 5.1.2)",
                   p->regs[index].name);
    p->value[index] = old;
}

#define BACKUP(n)                                                                                            \
    {                                                                                                        \
        .name = "BKP" #n "R", .offset = 0x50 + 4 * (n), .widths = WIDTH_32, .writable = UINT32_MAX,          \
        .on_write = written_to                                                                               \
    }

static const struct reg registers[BACKUP_REGISTERS] = {
    BACKUP(0),  BACKUP(1),  BACKUP(2),  BACKUP(3),  BACKUP(4),  BACKUP(5),  BACKUP(6),
    BACKUP(7),  BACKUP(8),  BACKUP(9),  BACKUP(10), BACKUP(11), BACKUP(12), BACKUP(13),
    BACKUP(14), BACKUP(15), BACKUP(16), BACKUP(17), BACKUP(18), BACKUP(19),
};

void rtc_reset_backup_domain(struct machine *m)
{
    struct peripheral *p = peripheral_find(m, RTC_BASE);

    for (size_t i = 0; i < BACKUP_REGISTERS; i++)
        p->value[i] = 0;
}

void rtc_create(struct machine *m)
{
    static const struct peripheral rtc = {.name = "RTC",
                                          .base = RTC_BASE,
                                          .size = 0x400,
                                          .regs = registers,
                                          .reg_count = BACKUP_REGISTERS,
                                          .keeps_values = true};

    (void)peripheral_new(m, &rtc, 0);
}
