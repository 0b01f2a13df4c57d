/* PWR, power controller (RM0090 5.4, STM32F42x): voltage scaling, over-drive, backup domain access. */
#include "peripheral.h"

enum { PWR_CR, PWR_CSR, PWR_REGISTERS };
enum { VOS_READY, OD_READY, ODSW_READY, BACKUP_READY, EVENTS };
enum {
    PWR_BASE = 0x40007000,
    CR_CWUF = 1 << 2,
    CR_CSBF = 1 << 3,
    CR_DBP = 1 << 8,
    CR_VOS = 3 << 14,
    CR_ODEN = 1 << 16,
    CR_ODSWEN = 1 << 17,
    CSR_BRR = 1 << 3,
    CSR_BRE = 1 << 9,
    CSR_VOSRDY = 1 << 14,
    CSR_ODRDY = 1 << 16,
    CSR_ODSWRDY = 1 << 17,
};

/* What is of the backup domain, and is not reset with the rest (5.4.3). */
struct pwr_state {
    bool backup_regulator; /* BRE */
};

/* DS9405 table 21 */
static const vtime switch_time = VTIME_US(45);

static const char *const event_names[EVENTS] = {"VOSRDY", "ODRDY", "ODSWRDY", "BRR"};
static const uint32_t ready_bits[EVENTS] = {CSR_VOSRDY, CSR_ODRDY, CSR_ODSWRDY, CSR_BRR};

static struct peripheral *pwr_of(const struct machine *m)
{
    return peripheral_find(m, PWR_BASE);
}

static bool system_clock_is_pll(const struct machine *m)
{
    return rcc_bit(m, 0x08, 3);
}

static bool pll_is_on(const struct machine *m)
{
    return rcc_bit(m, 0x00, 24);
}

static void ready(struct machine *m, struct peripheral *p, size_t index)
{
    p->value[PWR_CSR] |= ready_bits[index];
    rcc_check_limits(m);
}

static void start(struct machine *m, struct peripheral *p, size_t index)
{
    event_at(m, &p->events[index].event, machine_now(m) + switch_time);
}

static void end(struct machine *m, struct peripheral *p, size_t index)
{
    event_cancel(m, &p->events[index].event);
    p->value[PWR_CSR] &= ~ready_bits[index];
}

/* `bit` of register `reg` switches it, if it has changed. */
static void follow(struct machine *m, struct peripheral *p, size_t index, size_t reg, uint32_t changed,
                   uint32_t bit)
{
    if (!(changed & bit))
        return;
    if (p->value[reg] & bit)
        start(m, p, index);
    else
        end(m, p, index);
}

static void scale_written(struct machine *m, struct peripheral *p, uint32_t old)
{
    if (pll_is_on(m)) {
        machine_report(m, REPORT_WARNING, "PWR_CR.VOS changed while the PLL is on: ignored (RM0090 5.4.2)");
        p->value[PWR_CR] = (p->value[PWR_CR] & ~(uint32_t)CR_VOS) | (old & CR_VOS);
    } else if (!(p->value[PWR_CR] & CR_VOS)) {
        machine_report(m, REPORT_WARNING, "PWR_CR.VOS = 0 is reserved (RM0090 5.4.2)");
    }
}

static void cr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    uint32_t changed = p->value[index] ^ old;
    (void)written;

    if (changed & CR_VOS)
        scale_written(m, p, old);
    if (changed & (CR_ODEN | CR_ODSWEN) && system_clock_is_pll(m))
        machine_report(
            m, REPORT_WARNING,
            "over-drive changed while the PLL is the system clock (RM0090 5.4.2: HSI or HSE must be)");
    if (changed & p->value[index] & CR_ODSWEN && !(p->value[PWR_CSR] & CSR_ODRDY))
        machine_report(m, REPORT_WARNING, "ODSWEN set before ODRDY (RM0090 5.1.4)");
    follow(m, p, OD_READY, PWR_CR, changed, CR_ODEN);
    follow(m, p, ODSW_READY, PWR_CR, changed, CR_ODSWEN);
    rcc_check_limits(m);
}

static void csr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    struct pwr_state *s = p->state;
    (void)written;

    follow(m, p, BACKUP_READY, PWR_CSR, p->value[index] ^ old, CSR_BRE);
    s->backup_regulator = p->value[index] & CSR_BRE;
}

bool pwr_holds_backup_sram(const struct machine *m)
{
    const struct pwr_state *s = pwr_of(m)->state;

    return m->surroundings.battery && s->backup_regulator;
}

void pwr_pll_changed(struct machine *m, bool on)
{
    struct peripheral *p = pwr_of(m);

    if (on)
        start(m, p, VOS_READY);
    else
        end(m, p, VOS_READY); /* with the PLL off the regulator is at scale 3 (5.1.4) */
}

bool pwr_backup_writable(const struct machine *m)
{
    return pwr_of(m)->value[PWR_CR] & CR_DBP;
}

uint32_t pwr_max_hclk_hz(const struct machine *m)
{
    const struct peripheral *p = pwr_of(m);
    bool over_drive = p->value[PWR_CSR] & CSR_ODSWRDY;

    if (!(p->value[PWR_CSR] & CSR_VOSRDY))
        return 120000000;
    switch (p->value[PWR_CR] >> 14 & 3) {
    case 3: return over_drive ? 180000000 : 168000000;
    case 2: return over_drive ? 168000000 : 144000000;
    default: return 120000000;
    }
}

static const struct reg registers[PWR_REGISTERS] = {
    [PWR_CR] = {"CR", 0x00, WIDTH_16 | WIDTH_32, 0x0000C000, 0x000FEFF3, 0, 0, NULL, cr_written,
                0xFFF01000}, /* 5.4.2 */
    [PWR_CSR] = {"CSR", 0x04, WIDTH_16 | WIDTH_32, 0x00000000, 0x00000300, 0x000C0000, 0, NULL, csr_written,
                 0xFFF0BCF0}, /* 5.4.3 */
};

static void reset(struct machine *m, struct peripheral *p)
{
    struct pwr_state *s = p->state;

    for (size_t i = 0; i < EVENTS; i++)
        event_cancel(m, &p->events[i].event);
    if (m->reset_cause == RESET_POWER_ON && !m->surroundings.battery)
        s->backup_regulator = false;
    if (s->backup_regulator)
        p->value[PWR_CSR] |= CSR_BRE | CSR_BRR;
}

void pwr_create(struct machine *m)
{
    static const struct peripheral pwr = {.name = "PWR",
                                          .base = PWR_BASE,
                                          .size = 0x400,
                                          .gate = {0x40, 28, 0x20, 28},
                                          .regs = registers,
                                          .reg_count = PWR_REGISTERS,
                                          .reset = reset};

    peripheral_events(m, peripheral_new(m, &pwr, sizeof(struct pwr_state)), event_names, EVENTS, ready);
}
