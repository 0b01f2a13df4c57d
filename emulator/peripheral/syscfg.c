/* SYSCFG, system configuration (RM0090 9.3): what is at address 0, RMII, which port feeds an EXTI line. */
#include "cpu/cpu.h"
#include "peripheral.h"

enum {
    SYSCFG_MEMRMP,
    SYSCFG_PMC,
    SYSCFG_EXTICR1,
    SYSCFG_EXTICR2,
    SYSCFG_EXTICR3,
    SYSCFG_EXTICR4,
    SYSCFG_CMPCR,
    SYSCFG_REGISTERS
};
enum {
    SYSCFG_BASE = 0x40013800,
    MEMRMP_FB_MODE = 1 << 8,
    PMC_MII_RMII_SEL = 1 << 23,
    CMPCR_CMP_PD = 1 << 0,
    CMPCR_READY = 1 << 8,
    LINES_PER_REGISTER = 4,
    PORTS = 11,
};

static const struct peripheral *syscfg_of(const struct machine *m)
{
    return peripheral_find(m, SYSCFG_BASE);
}

unsigned syscfg_memory_mode(const struct machine *m)
{
    return syscfg_of(m)->value[SYSCFG_MEMRMP] & 3;
}

bool syscfg_rmii_selected(const struct machine *m)
{
    return syscfg_of(m)->value[SYSCFG_PMC] & PMC_MII_RMII_SEL;
}

static uint32_t port_of(uint32_t exticr, unsigned line)
{
    return exticr >> (4 * (line % LINES_PER_REGISTER)) & 0xF;
}

uint32_t syscfg_exti_port(const struct machine *m, unsigned line)
{
    return port_of(syscfg_of(m)->value[SYSCFG_EXTICR1 + line / LINES_PER_REGISTER], line);
}

static void memrmp_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                           uint32_t written)
{
    (void)old;
    (void)written;
    if (p->value[index] & MEMRMP_FB_MODE)
        machine_report(m, REPORT_ERROR, "swapping the flash banks (FB_MODE) is not modelled");
    if ((p->value[index] & 7) == 2 || (p->value[index] & 7) > 3)
        machine_report(m, REPORT_ERROR, "external memory at address 0 is not modelled");
    cpu_code_written(m, 0, FLASH_SIZE);
}

static void pmc_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old, uint32_t written)
{
    static const unsigned ahb1enr = 0x30, first_clock = 25, last_clock = 27;
    (void)written;

    if (!((p->value[index] ^ old) & PMC_MII_RMII_SEL))
        return;
    for (unsigned bit = first_clock; bit <= last_clock; bit++) {
        if (rcc_bit(m, ahb1enr, bit)) {
            machine_report(
                m, REPORT_WARNING,
                "MII_RMII_SEL changed while the MAC's clocks are on (RM0090 9.3.2: before, in reset)");
            return;
        }
    }
}

static bool exti_input(const struct machine *m, uint32_t port, unsigned line)
{
    return port < PORTS && gpio_level(m, port, line);
}

/* A line that moves to a pin of another level sees an edge. */
static void exticr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                           uint32_t written)
{
    (void)written;
    for (unsigned i = 0; i < LINES_PER_REGISTER; i++) {
        unsigned line = (unsigned)(index - SYSCFG_EXTICR1) * LINES_PER_REGISTER + i;
        uint32_t before = port_of(old, line), after = port_of(p->value[index], line);

        if (after >= PORTS)
            machine_report(m, REPORT_WARNING, "SYSCFG_EXTICR: line %u gets a port that does not exist", line);
        if (exti_input(m, before, line) != exti_input(m, after, line))
            exti_pin_changed(m, after, line, exti_input(m, after, line));
    }
}

static void cmpcr_written(struct machine *m, struct peripheral *p, size_t index, uint32_t old,
                          uint32_t written)
{
    (void)m;
    (void)old;
    p->value[index] = written & CMPCR_CMP_PD ? CMPCR_CMP_PD | CMPCR_READY : 0;
}

#define EXTICR(n, o)                                                                                         \
    [SYSCFG_EXTICR##n] = {"EXTICR" #n, o, WIDTH_ANY, 0, 0xFFFF, 0, 0, NULL, exticr_written, 0xFFFF0000}

/* RM0090 9.3.1 to 9.3.7 */
static const struct reg registers[SYSCFG_REGISTERS] = {
    [SYSCFG_MEMRMP] = {"MEMRMP", 0x00, WIDTH_ANY, 0, 0x00000D07, 0, 0, NULL, memrmp_written, 0xFFFFF2F8},
    [SYSCFG_PMC] = {"PMC", 0x04, WIDTH_ANY, 0, 0x00870000, 0, 0, NULL, pmc_written, 0xFF78FFFF},
    EXTICR(1, 0x08),
    EXTICR(2, 0x0C),
    EXTICR(3, 0x10),
    EXTICR(4, 0x14),
    [SYSCFG_CMPCR] = {"CMPCR", 0x20, WIDTH_ANY, 0, CMPCR_CMP_PD, 0, 0, NULL, cmpcr_written, 0xFFFFFEFE},
};

void syscfg_create(struct machine *m)
{
    static const struct peripheral syscfg = {.name = "SYSCFG",
                                             .base = SYSCFG_BASE,
                                             .size = 0x400,
                                             .gate = {0x44, 14, 0x24, 14},
                                             .regs = registers,
                                             .reg_count = SYSCFG_REGISTERS};

    (void)peripheral_new(m, &syscfg, 0);
}
