/* Instrumentation trace (C1.7): what is written to a stimulus port goes to the host, the FIFO is never full.
 */
#include "engine.h"

enum {
    ITM = 0xE0000000,
    ITM_PORTS_END = ITM + 0x80,
    ITM_TER = ITM + 0xE00,
    ITM_TPR = ITM + 0xE40,
    ITM_TCR = ITM + 0xE80,
    ITM_LAR = ITM + 0xFB0,
    ITM_LSR = ITM + 0xFB4,

    TCR_ITMENA = 1 << 0,
    TCR_WRITABLE = 0x007F0F1F,
    PORTS_A_MASK_BIT = 8, /* TPR: a bit for eight ports */
    LOCK_EXISTS = 1 << 0,
    LOCKED = 1 << 1,
};
#define LAR_KEY 0xC5ACCE55u

static bool port_open(const struct cpu *c, unsigned port)
{
    return (c->demcr & DEMCR_TRCENA) && (c->itm_tcr & TCR_ITMENA) && (c->itm_ter >> port & 1);
}

uint32_t itm_read(const struct machine *m, uint32_t address)
{
    const struct cpu *c = &m->cpu;

    if (address < ITM_PORTS_END)
        return port_open(c, (address - ITM) / 4); /* FIFOREADY */
    switch (address) {
    case ITM_TER: return c->itm_ter;
    case ITM_TPR: return c->itm_tpr;
    case ITM_TCR: return c->itm_tcr;
    case ITM_LSR: return LOCK_EXISTS | (c->itm_unlocked ? 0 : LOCKED);
    default: return 0;
    }
}

static void stimulus(struct machine *m, unsigned port, unsigned bytes, uint32_t value)
{
    if (port_open(&m->cpu, port) && m->host.itm)
        m->host.itm(m->host.context, m, port, bytes, value);
}

void itm_write(struct machine *m, uint32_t address, unsigned bytes, uint32_t value)
{
    struct cpu *c = &m->cpu;

    if (address < ITM_PORTS_END) {
        stimulus(m, (address - ITM) / 4, bytes, value);
        return;
    }
    if (address == ITM_LAR) {
        c->itm_unlocked = value == LAR_KEY;
        return;
    }
    if (!c->itm_unlocked) {
        machine_report(m, REPORT_WARNING, "write to 0x%08x while the ITM is locked (LAR) is ignored",
                       address);
        return;
    }
    switch (address) {
    case ITM_TER: c->itm_ter = value; break;
    case ITM_TPR: c->itm_tpr = value & 15; break;
    case ITM_TCR: c->itm_tcr = value & TCR_WRITABLE; break;
    default: break;
    }
}

/* Unprivileged code: reads all, writes stimulus ports that TPR leaves to it. */
bool itm_permits(const struct cpu *c, uint32_t address, bool write)
{
    if (!write)
        return true;
    return address < ITM_PORTS_END && !(c->itm_tpr >> ((address - ITM) / 4 / PORTS_A_MASK_BIT) & 1);
}
