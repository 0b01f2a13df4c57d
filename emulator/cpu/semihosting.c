/* Semihosting (Arm's "Semihosting for AArch32 and AArch64"): the console and the exit. */
#include "engine.h"

enum {
    SYS_WRITEC = 0x03,
    SYS_WRITE0 = 0x04,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    APPLICATION_EXIT = 0x20026,
    STRING_MAX = 0x10000,
};

static void put(struct machine *m, uint32_t byte)
{
    if (m->host.console)
        m->host.console(m->host.context, m, (uint8_t)byte);
}

static const struct op *leave(struct machine *m, const struct op *op, int status)
{
    m->stop = STOP_EXIT;
    m->exit_status = status;
    m->cpu.attention |= ATTEND_STOP;
    return next(op);
}

static const struct op *write_string(struct machine *m, const struct op *op, uint32_t address)
{
    uint32_t byte;

    for (uint32_t i = 0; i < STRING_MAX; i++) {
        if (!load8(m, address + i, &byte))
            return cpu_fault(m);
        if (byte == 0)
            break;
        put(m, byte);
    }
    return next(op);
}

static const struct op *exit_extended(struct machine *m, const struct op *op, uint32_t block)
{
    uint32_t reason, status;

    if (!load32(m, block, &reason) || !load32(m, block + 4, &status))
        return cpu_fault(m);
    return leave(m, op, reason == APPLICATION_EXIT ? (int)status : 1);
}

const struct op *semihosting(struct machine *m, const struct op *op)
{
    struct cpu *c = &m->cpu;
    uint32_t parameter = c->r[1], byte;

    switch (c->r[0]) {
    case SYS_WRITEC:
        if (!load8(m, parameter, &byte))
            return cpu_fault(m);
        put(m, byte);
        return next(op);
    case SYS_WRITE0: return write_string(m, op, parameter);
    case SYS_EXIT: return leave(m, op, parameter == APPLICATION_EXIT ? 0 : 1);
    case SYS_EXIT_EXTENDED: return exit_extended(m, op, parameter);
    default:
        machine_report(m, REPORT_WARNING, "semihosting operation 0x%02x is not provided", c->r[0]);
        c->r[0] = 0xFFFFFFFF;
        return next(op);
    }
}
