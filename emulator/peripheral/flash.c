/*
 * FLASH interface (RM0090 chapter 3): wait states and caches, the locks,
 * programming and erasing, write protection, option bytes, and the bank that
 * cannot be read meanwhile. The cells are in flash_array.c.
 */
#include "flash.h"

#include <string.h>

#include "bus.h"
#include "cpu/cpu.h"

enum { FLASH_ACR, FLASH_KEYR, FLASH_OPTKEYR, FLASH_SR, FLASH_CR, FLASH_OPTCR, FLASH_OPTCR1, FLASH_REGISTERS };
enum {
    FLASH_INTERFACE_BASE = 0x40023C00,
    IRQ_FLASH = 4,
    ACR_PRFTEN = 1 << 8,
    ACR_ICEN = 1 << 9,
    ACR_DCEN = 1 << 10,
    ACR_ICRST = 1 << 11,
    ACR_DCRST = 1 << 12,
    SR_EOP = 1 << 0,
    SR_OPERR = 1 << 1,
    SR_WRPERR = 1 << 4,
    SR_PGPERR = 1 << 6,
    SR_PGSERR = 1 << 7,
    SR_BSY = 1 << 16,
    CR_PG = 1 << 0,
    CR_SER = 1 << 1,
    CR_MER = 1 << 2,
    CR_MER1 = 1 << 15,
    CR_STRT = 1 << 16,
    CR_EOPIE = 1 << 24,
    CR_ERRIE = 1 << 25,
    OPTCR_OPTLOCK = 1 << 0,
    OPTCR_OPTSTRT = 1 << 1,
    OPTCR_BFB2 = 1 << 4,
    OPTCR_WDG_SW = 1 << 5,
    OPTCR_DB1M = 1 << 30,
    OPTCR_AT_DELIVERY = 0x0FFFAAEC,
    OPTCR1_AT_DELIVERY = 0x0FFF0000,
    RDP_LEVEL_0 = 0xAA,
};
#define CR_LOCK      (1u << 31)
#define CR_WRITABLE  0x830183FFu
#define OPTCR_SPRMOD (1u << 31)

enum unlock_step { NO_KEY, FIRST_KEY, JAMMED /* until reset (3.6.1) */ };

struct flash_state {
    uint8_t cr_unlock; /* enum unlock_step */
    uint8_t optcr_unlock;
    uint32_t optcr; /* the option bytes in force, which outlive power */
    uint32_t optcr1;
    struct flash_operation operation;
    struct flash_wear wear; /* outlives power */
};

static struct peripheral *flash_of(const struct machine *m)
{
    return peripheral_find(m, FLASH_INTERFACE_BASE);
}

static struct flash_state *state_of(const struct machine *m)
{
    return flash_of(m)->state;
}

unsigned flash_wait_states(const struct machine *m)
{
    return flash_of(m)->value[FLASH_ACR] & 0xF;
}

bool flash_prefetches(const struct machine *m)
{
    return flash_of(m)->value[FLASH_ACR] & ACR_PRFTEN;
}

bool flash_caches_instructions(const struct machine *m)
{
    return flash_of(m)->value[FLASH_ACR] & ACR_ICEN;
}

bool flash_caches_data(const struct machine *m)
{
    return flash_of(m)->value[FLASH_ACR] & ACR_DCEN;
}

bool flash_hardware_watchdog(const struct machine *m)
{
    return !(state_of(m)->optcr & OPTCR_WDG_SW);
}

void flash_set_endurance(struct machine *m, uint32_t cycles)
{
    state_of(m)->wear.endurance = cycles;
}

uint32_t flash_erase_count(const struct machine *m, unsigned sector)
{
    return sector < FLASH_SECTORS ? state_of(m)->wear.erased[sector] : 0;
}

/* ---- Status and interrupt (3.9.6, 3.6.6) ---- */

static void update_interrupt(struct machine *m, const struct peripheral *p)
{
    uint32_t sr = p->value[FLASH_SR], cr = p->value[FLASH_CR];

    cpu_set_irq(m, IRQ_FLASH, (sr & SR_EOP && cr & CR_EOPIE) || (sr & SR_OPERR && cr & CR_ERRIE));
}

/* OPERR and EOP are set only while their interrupts are enabled. */
static void raise_error(struct machine *m, struct peripheral *p, uint32_t flag)
{
    p->value[FLASH_SR] |= flag | (p->value[FLASH_CR] & CR_ERRIE ? SR_OPERR : 0);
    update_interrupt(m, p);
}

static void sr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)index;
    (void)old;
    (void)written;
    update_interrupt(m, p);
}

/* ---- Busy: one operation at a time, and its bank cannot be read (3.6.5) ---- */

static unsigned bank_of(uint32_t address)
{
    uint32_t offset = address < FLASH_SIZE ? address : address - FLASH_BASE;

    if (offset >= FLASH_SIZE)
        return 0;
    return offset < FLASH_BANK_SIZE ? FLASH_BANK1 : FLASH_BANK2;
}

/* What the core may read without asking flash_read: up to the first bank that is busy. */
void flash_update_direct(struct machine *m)
{
    const struct flash_state *s = state_of(m);

    m->bus.flash_direct = s->operation.banks & FLASH_BANK1   ? 0
                          : s->operation.banks & FLASH_BANK2 ? FLASH_BANK_SIZE
                                                             : FLASH_SIZE;
    if (m->bus.flash_timing)
        m->bus.flash_direct = 0;
}

void flash_fetch(struct machine *m, uint32_t address)
{
    const struct flash_state *s = state_of(m);

    if (!(s->operation.banks & bank_of(address)))
        return;
    m->bus.core_waits_until = s->operation.ends;
    m->event_cycle = m->cycles;
}

void flash_read(struct machine *m, uint32_t address)
{
    const struct flash_state *s = state_of(m);

    if (s->operation.banks & bank_of(address))
        machine_stall(m, s->operation.ends);
    if (m->bus.flash_timing)
        flash_time_data(m, address);
}

static void begin(struct machine *m, struct peripheral *p, struct flash_operation operation, vtime duration)
{
    struct flash_state *s = p->state;

    operation.begins = machine_now(m);
    operation.ends = operation.begins + duration;
    s->operation = operation;
    p->value[FLASH_SR] |= SR_BSY;
    flash_update_direct(m);
    event_at(m, &p->events[0].event, operation.ends);
    /* Operations decoded anew ask flash_fetch. */
    if (operation.banks & FLASH_BANK1)
        cpu_code_written(m, FLASH_BASE, FLASH_BANK_SIZE);
    if (operation.banks & FLASH_BANK2)
        cpu_code_written(m, FLASH_BASE + FLASH_BANK_SIZE, FLASH_BANK_SIZE);
    if (m->core_running)
        flash_fetch(m, m->cpu.r[15]);
}

static void forget_operation(struct machine *m, struct peripheral *p)
{
    struct flash_state *s = p->state;

    event_cancel(m, &p->events[0].event);
    s->operation = (struct flash_operation){.kind = FLASH_IDLE};
    p->value[FLASH_SR] &= ~(uint32_t)SR_BSY;
    p->value[FLASH_CR] &= ~(uint32_t)CR_STRT;
    p->value[FLASH_OPTCR] &= ~(uint32_t)OPTCR_OPTSTRT;
    flash_update_direct(m);
}

/* The option bytes as they lie in memory (table 14); those of bank 2 are beyond the system memory. */
static void show_option_bytes(struct machine *m, const struct flash_state *s)
{
    uint16_t user = (uint16_t)(s->optcr & 0xFFEC), protection = (uint16_t)(s->optcr >> 16);

    memcpy(m->system_memory + 0xC000, &user, 2);
    memcpy(m->system_memory + 0xC008, &protection, 2);
}

static void finished(struct machine *m, struct peripheral *p, size_t index)
{
    struct flash_state *s = p->state;
    (void)index;

    if (s->operation.kind == FLASH_PROGRAM_OPTIONS) {
        s->optcr = p->value[FLASH_OPTCR] & ~(uint32_t)(OPTCR_OPTLOCK | OPTCR_OPTSTRT);
        s->optcr1 = p->value[FLASH_OPTCR1];
        show_option_bytes(m, s);
    } else {
        flash_complete(m, &s->operation, &s->wear);
    }
    forget_operation(m, p);
    p->value[FLASH_SR] |= p->value[FLASH_CR] & CR_EOPIE ? SR_EOP : 0;
    update_interrupt(m, p);
}

/* A write that must find the flash idle holds the bus until it is. */
static void wait_until_idle(struct machine *m, const struct flash_state *s, const char *what)
{
    if (s->operation.kind == FLASH_IDLE)
        return;
    machine_report(m, REPORT_WARNING, "%s while BSY is set: the bus stalls until it is clear (RM0090 3.6.5)",
                   what);
    machine_stall(m, s->operation.ends);
}

/* ---- Erasing (3.6.3) ---- */

/* SNB skips from 11 to 16: sector 12 is 0b10000 (3.9.8). */
static uint32_t sector_selected(uint32_t cr)
{
    unsigned snb = cr >> 3 & 31;

    if (snb < FLASH_BANK_SECTORS)
        return 1u << snb;
    return snb >= 16 && snb < 16 + FLASH_BANK_SECTORS ? 1u << (snb - 4) : 0;
}

static uint32_t sectors_selected(uint32_t cr)
{
    enum { BANK1_SECTORS = 0xFFF };
    bool mass = cr & (CR_MER | CR_MER1);

    if (cr & CR_SER)
        return mass ? 0 : sector_selected(cr); /* 3.6.3: with both neither is performed */
    return (cr & CR_MER ? (uint32_t)BANK1_SECTORS : 0) | (cr & CR_MER1 ? (uint32_t)BANK1_SECTORS << 12 : 0);
}

static uint32_t protected_sectors(const struct flash_state *s)
{
    return ~((s->optcr >> 16 & 0xFFF) | (s->optcr1 >> 16 & 0xFFF) << 12) & 0xFFFFFF;
}

static enum flash_parallelism parallelism_of(uint32_t cr)
{
    return (enum flash_parallelism)(cr >> 8 & 3);
}

static void check_voltage(struct machine *m, uint32_t cr)
{
    if (parallelism_of(cr) == FLASH_X64)
        machine_report(m, REPORT_WARNING,
                       "FLASH_CR.PSIZE = x64 needs an external VPP, which the board has not (RM0090 3.6.2)");
}

static void refuse(struct machine *m, struct peripheral *p, uint32_t flag)
{
    p->value[FLASH_CR] &= ~(uint32_t)CR_STRT;
    raise_error(m, p, flag);
}

static void start_erase(struct machine *m, struct peripheral *p)
{
    const struct flash_state *s = p->state;
    uint32_t cr = p->value[FLASH_CR], sectors = sectors_selected(cr);

    if (sectors == 0) {
        machine_report(m, REPORT_WARNING,
                       "FLASH_CR.STRT with FLASH_CR = 0x%08x, which selects nothing to erase (RM0090 3.6.3)",
                       cr);
        refuse(m, p, SR_PGSERR);
        return;
    }
    if (sectors & protected_sectors(s)) {
        machine_report(m, REPORT_WARNING, "erase of write-protected sectors (0x%06x): WRPERR (RM0090 3.7.4)",
                       sectors & protected_sectors(s));
        refuse(m, p, SR_WRPERR);
        return;
    }
    check_voltage(m, cr);
    struct flash_operation operation = {
        .kind = FLASH_ERASE_SECTORS,
        .sectors = sectors,
        .banks = (uint8_t)((sectors & 0xFFF ? FLASH_BANK1 : 0) | (sectors >> 12 ? FLASH_BANK2 : 0))};
    begin(m, p, operation, flash_sectors_erase_time(sectors, parallelism_of(cr)));
}

static void cr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    const struct flash_state *s = p->state;

    if (old & CR_LOCK) {
        machine_report(m, REPORT_WARNING, "FLASH_CR written while locked: ignored (RM0090 3.6.1)");
        p->value[index] = old;
        return;
    }
    if (s->operation.kind != FLASH_IDLE) {
        wait_until_idle(m, s, "FLASH_CR written");
        p->value[index] = written & CR_WRITABLE;
    }
    update_interrupt(m, p);
    if (written & CR_STRT)
        start_erase(m, p);
}

/* ---- Programming (3.6.4) ---- */

/* The flag that refuses the store; 0: it can be done. */
static uint32_t why_not(struct machine *m, const struct peripheral *p, uint32_t offset, unsigned bytes)
{
    uint32_t cr = p->value[FLASH_CR];
    unsigned expected = 1u << parallelism_of(cr);

    if (!(cr & CR_PG) || cr & (CR_SER | CR_MER | CR_MER1 | CR_LOCK)) {
        machine_report(
            m, REPORT_WARNING,
            "store of %u bytes to flash 0x%08x without FLASH_CR.PG alone (0x%08x): PGSERR (RM0090 3.6.4)",
            bytes, FLASH_BASE + offset, cr);
        return SR_PGSERR;
    }
    check_voltage(m, cr);
    if (bytes != expected) {
        machine_report(m, REPORT_WARNING,
                       "store of %u bytes to flash 0x%08x, PSIZE asks for %u: PGPERR (RM0090 3.6.4)", bytes,
                       FLASH_BASE + offset, expected);
        return SR_PGPERR;
    }
    if (protected_sectors(p->state) >> flash_sector_of(offset) & 1) {
        machine_report(m, REPORT_WARNING,
                       "store to flash 0x%08x in sector %u, which is write-protected: WRPERR (RM0090 3.7.4)",
                       FLASH_BASE + offset, flash_sector_of(offset));
        return SR_WRPERR;
    }
    return 0;
}

static void check_bits(struct machine *m, uint32_t offset, unsigned bytes, uint32_t value)
{
    uint32_t old = 0;

    memcpy(&old, m->flash + offset, bytes);
    if (value & ~old)
        machine_report(m, REPORT_WARNING,
                       "flash 0x%08x holds 0x%x: programming 0x%x leaves 0x%x, only erasing sets bits "
                       "(RM0090 3.6.4)",
                       FLASH_BASE + offset, old, value, old & value);
}

void flash_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value)
{
    struct peripheral *p = flash_of(m);
    const struct flash_state *s = p->state;
    uint32_t offset = address - FLASH_BASE;

    if (s->operation.kind != FLASH_IDLE)
        machine_stall(m, s->operation.ends); /* plain: writing on and on is how it is done (3.6.4) */
    uint32_t flag = why_not(m, p, offset, bytes);
    if (flag) {
        raise_error(m, p, flag);
        return;
    }
    value &= bytes >= 4 ? UINT32_MAX : (1u << 8 * bytes) - 1;
    check_bits(m, offset, bytes, value);
    struct flash_operation operation = {.kind = FLASH_PROGRAM,
                                        .bytes = (uint8_t)bytes,
                                        .banks = (uint8_t)bank_of(address),
                                        .offset = offset,
                                        .value = value};
    begin(m, p, operation, flash_program_time());
}

/* ---- The locks (3.6.1, 3.7.2) ---- */

/* Two keys in order; anything else ends in a bus error and jams the lock until reset. True: unlocked. */
static bool take_key(struct machine *m, uint8_t *step, uint32_t key, uint32_t first, uint32_t second)
{
    if (*step == NO_KEY && key == first) {
        *step = FIRST_KEY;
        return false;
    }
    bool good = *step == FIRST_KEY && key == second;
    if (!good) {
        machine_report(m, REPORT_WARNING, "wrong key for the flash: locked until reset (RM0090 3.6.1)");
        m->bus.error = true;
    }
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
    else if (s->cr_unlock == JAMMED)
        p->value[FLASH_CR] |= CR_LOCK;
}

static void optkeyr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                            uint32_t written)
{
    struct flash_state *s = p->state;
    (void)index;
    (void)old;

    if (take_key(m, &s->optcr_unlock, written, 0x08192A3B, 0x4C5D6E7F))
        p->value[FLASH_OPTCR] &= ~(uint32_t)OPTCR_OPTLOCK;
    else if (s->optcr_unlock == JAMMED)
        p->value[FLASH_OPTCR] |= OPTCR_OPTLOCK;
}

/* ---- Option bytes (3.7) ---- */

static void start_options(struct machine *m, struct peripheral *p)
{
    uint32_t optcr = p->value[FLASH_OPTCR];

    if ((optcr >> 8 & 0xFF) != RDP_LEVEL_0)
        machine_report(m, REPORT_ERROR, "read protection (RDP = 0x%02x) is not modelled", optcr >> 8 & 0xFF);
    if (optcr & (OPTCR_BFB2 | OPTCR_DB1M | OPTCR_SPRMOD))
        machine_report(m, REPORT_ERROR, "the options BFB2, DB1M and SPRMOD are not modelled (0x%08x)", optcr);
    struct flash_operation operation = {.kind = FLASH_PROGRAM_OPTIONS, .banks = FLASH_BANK1 | FLASH_BANK2};
    begin(m, p, operation, flash_sectors_erase_time(1, FLASH_X32));
}

static void optcr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                          uint32_t written)
{
    const struct flash_state *s = p->state;

    if ((index == FLASH_OPTCR ? old : p->value[FLASH_OPTCR]) & OPTCR_OPTLOCK) {
        machine_report(m, REPORT_WARNING, "FLASH_%s written while locked: ignored (RM0090 3.7.2)",
                       p->regs[index].name);
        p->value[index] = old;
        return;
    }
    if (s->operation.kind != FLASH_IDLE) {
        wait_until_idle(m, s, "the option bytes written");
        p->value[index] = written & p->regs[index].writable;
    }
    if (index == FLASH_OPTCR && written & OPTCR_OPTSTRT)
        start_options(m, p);
}

/* ---- Wait states and caches (3.5) ---- */

static void acr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    (void)old;
    if (written & ACR_ICRST && p->value[index] & ACR_ICEN)
        machine_report(m, REPORT_WARNING,
                       "FLASH_ACR.ICRST while the instruction cache is on: ignored (RM0090 3.9.1)");
    else if (written & ACR_ICRST)
        flash_forget_lines(m, false);
    if (written & ACR_DCRST && p->value[index] & ACR_DCEN)
        machine_report(m, REPORT_WARNING,
                       "FLASH_ACR.DCRST while the data cache is on: ignored (RM0090 3.9.1)");
    else if (written & ACR_DCRST)
        flash_forget_lines(m, true);
    rcc_check_limits(m);
}

/* RM0090 3.9.2 to 3.9.11. Option bytes as delivered: no protection, BOR off. */
static const struct reg registers[FLASH_REGISTERS] = {
    [FLASH_ACR] = {"ACR", 0x00, WIDTH_ANY, 0, 0x0000070F, 0, 0, NULL, acr_written, 0xFFFFE0F0},
    [FLASH_KEYR] = {"KEYR", 0x04, WIDTH_32, 0, 0, 0, 0, NULL, keyr_written, 0},
    [FLASH_OPTKEYR] = {"OPTKEYR", 0x08, WIDTH_32, 0, 0, 0, 0, NULL, optkeyr_written, 0},
    [FLASH_SR] = {"SR", 0x0C, WIDTH_ANY, 0, 0, 0x000001F3, 0, NULL, sr_written, 0xFFFEFE0C},
    [FLASH_CR] = {"CR", 0x10, WIDTH_ANY, CR_LOCK, CR_WRITABLE, 0, 0, NULL, cr_written, 0x7CFE7C00},
    [FLASH_OPTCR] = {"OPTCR", 0x14, WIDTH_ANY, 0x0FFFAAED, 0xCFFFFFFF, 0, 0, NULL, optcr_written, 0x30000000},
    [FLASH_OPTCR1] = {"OPTCR1", 0x18, WIDTH_ANY, 0x0FFF0000, 0x0FFF0000, 0, 0, NULL, optcr_written,
                      0xF000FFFF},
};

/* Whatever the cause: an operation under way is torn (3.6: "the content is not guaranteed"). */
static void reset(struct machine *m, struct peripheral *p)
{
    struct flash_state *s = p->state;

    if (s->operation.kind != FLASH_IDLE)
        flash_tear(m, &s->operation);
    forget_operation(m, p);
    s->cr_unlock = NO_KEY;
    s->optcr_unlock = NO_KEY;
    m->bus.core_waits_until = 0;
    p->value[FLASH_OPTCR] = s->optcr | OPTCR_OPTLOCK;
    p->value[FLASH_OPTCR1] = s->optcr1;
    flash_forget_lines(m, false);
    flash_forget_lines(m, true);
    update_interrupt(m, p);
}

void flash_create(struct machine *m)
{
    static const char *const event_names[] = {"flash operation"};
    static const struct peripheral flash = {.name = "FLASH",
                                            .base = FLASH_INTERFACE_BASE,
                                            .size = 0x400,
                                            .regs = registers,
                                            .reg_count = FLASH_REGISTERS,
                                            .reset = reset};
    struct peripheral *p = peripheral_new(m, &flash, sizeof(struct flash_state));
    struct flash_state *s = p->state;

    s->optcr = OPTCR_AT_DELIVERY;
    s->optcr1 = OPTCR1_AT_DELIVERY;
    show_option_bytes(m, s);
    flash_timing_create(m);
    peripheral_events(m, p, event_names, 1, finished);
}
