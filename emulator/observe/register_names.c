#include "observe/register_names.h"

#include <stdio.h>

#include "peripheral.h"

/* The private peripheral bus (ARMv7-M B3.2 to B3.5, C1.8). */
static const struct {
    uint32_t address;
    unsigned count; /* registers in a row, numbered; 1: one, without a number */
    const char *name;
} core_registers[] = {
    {0xE0001000, 1, "DWT_CTRL"},   {0xE0001004, 1, "DWT_CYCCNT"}, {0xE000E008, 1, "ACTLR"},
    {0xE000E010, 1, "SYST_CSR"},   {0xE000E014, 1, "SYST_RVR"},   {0xE000E018, 1, "SYST_CVR"},
    {0xE000E01C, 1, "SYST_CALIB"}, {0xE000E100, 8, "NVIC_ISER"},  {0xE000E180, 8, "NVIC_ICER"},
    {0xE000E200, 8, "NVIC_ISPR"},  {0xE000E280, 8, "NVIC_ICPR"},  {0xE000E300, 8, "NVIC_IABR"},
    {0xE000E400, 60, "NVIC_IPR"},  {0xE000ED00, 1, "CPUID"},      {0xE000ED04, 1, "ICSR"},
    {0xE000ED08, 1, "VTOR"},       {0xE000ED0C, 1, "AIRCR"},      {0xE000ED10, 1, "SCR"},
    {0xE000ED14, 1, "CCR"},        {0xE000ED18, 1, "SHPR1"},      {0xE000ED1C, 1, "SHPR2"},
    {0xE000ED20, 1, "SHPR3"},      {0xE000ED24, 1, "SHCSR"},      {0xE000ED28, 1, "CFSR"},
    {0xE000ED2C, 1, "HFSR"},       {0xE000ED30, 1, "DFSR"},       {0xE000ED34, 1, "MMFAR"},
    {0xE000ED38, 1, "BFAR"},       {0xE000ED3C, 1, "AFSR"},       {0xE000ED88, 1, "CPACR"},
    {0xE000ED90, 1, "MPU_TYPE"},   {0xE000ED94, 1, "MPU_CTRL"},   {0xE000ED98, 1, "MPU_RNR"},
    {0xE000ED9C, 1, "MPU_RBAR"},   {0xE000EDA0, 1, "MPU_RASR"},   {0xE000EDF0, 1, "DHCSR"},
    {0xE000EDFC, 1, "DEMCR"},      {0xE000EF00, 1, "STIR"},       {0xE000EF34, 1, "FPCCR"},
    {0xE000EF38, 1, "FPCAR"},      {0xE000EF3C, 1, "FPDSCR"},
};

static bool core_name(uint32_t address, char *name)
{
    for (size_t i = 0; i < sizeof core_registers / sizeof core_registers[0]; i++) {
        uint32_t offset = address - core_registers[i].address;
        if (offset < 4 * core_registers[i].count) {
            if (core_registers[i].count == 1) {
                snprintf(name, REGISTER_NAME_MAX, "%s", core_registers[i].name);
            } else {
                snprintf(name, REGISTER_NAME_MAX, "%s%u", core_registers[i].name, offset / 4);
            }
            return true;
        }
    }
    return false;
}

void register_name(const struct machine *m, uint32_t address, char name[REGISTER_NAME_MAX])
{
    const struct peripheral *p = peripheral_find(m, address);
    if (p == NULL) {
        if (!core_name(address & ~3u, name)) {
            snprintf(name, REGISTER_NAME_MAX, "0x%08x", address);
        }
        return;
    }
    uint32_t offset = address - p->base;
    for (size_t i = 0; i < p->reg_count; i++) {
        if (p->regs[i].offset == (offset & ~3u) && p->regs[i].name != NULL) {
            snprintf(name, REGISTER_NAME_MAX, "%s_%s", p->name, p->regs[i].name);
            return;
        }
    }
    snprintf(name, REGISTER_NAME_MAX, "%s+0x%02x", p->name, offset);
}
