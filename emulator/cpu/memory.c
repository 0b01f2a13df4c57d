/* What the core sees at an address: memories, bit-band aliases, the private peripheral bus, the bus matrix.
 */
#include "engine.h"
#include "observer.h"
#include "watch.h"

enum {
    PPB_BASE = 0xE0000000,
    PPB_SIZE = 0x100000,
    DBGMCU_BASE = 0xE0042000,
    DBGMCU_SIZE = 0x400,
    BIT_BAND_SIZE = 0x2000000, /* of the alias */
    BIT_BAND_SRAM = 0x22000000,
    BIT_BAND_PERIPHERAL = 0x42000000,
};

/* NULL: the bus knows, which also makes an access to busy flash wait, and finds what lies at address 0. */
static uint8_t *memory_at(struct machine *m, uint32_t address, bool write)
{
    if (address - SRAM_BASE < SRAM_SIZE)
        return m->sram + (address - SRAM_BASE);
    if (address - CCM_BASE < CCM_SIZE)
        return m->ccm + (address - CCM_BASE);
    if (!write && address - FLASH_BASE < m->bus.flash_direct)
        return m->flash + (address - FLASH_BASE);
    return NULL;
}

static bool is_ppb(uint32_t address)
{
    return address - PPB_BASE < PPB_SIZE && address - DBGMCU_BASE >= DBGMCU_SIZE;
}

/* The access may have asked for a reset or stopped the run. */
static void after_bus(struct machine *m)
{
    if (m->stop != STOP_NONE || m->reset_requested)
        m->cpu.attention |= ATTEND_STOP;
}

enum { DEVICES = 0x40000000 }; /* below: memories (B3.1) */

static void tell_access(struct machine *m, uint32_t address, unsigned bytes, bool write, uint32_t value)
{
    const struct cpu_observer *observer = m->cpu.engine->observer;

    if (UNLIKELY(observer) && observer->accessed && address >= DEVICES)
        observer->accessed(observer->context, m, address, bytes, write, value);
}

static bool plain_read(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t *value)
{
    const uint8_t *memory = memory_at(m, address, false);
    bool ok;

    if (memory) {
        *value = 0;
        memcpy(value, memory, bytes);
        return true;
    }
    ok = is_ppb(address) ? ppb_read(m, address, bytes, priv, value) : bus_read(m, address, bytes, value);
    tell_access(m, address, bytes, false, *value);
    after_bus(m);
    return ok;
}

static bool plain_write(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t value)
{
    uint8_t *memory = memory_at(m, address, true);
    bool ok;

    if (memory) {
        memcpy(memory, &value, bytes);
        if (address - SRAM_BASE < SRAM_SIZE)
            sram_written(m, address, bytes);
        return true;
    }
    ok = is_ppb(address) ? ppb_write(m, address, bytes, priv, value) : bus_write(m, address, bytes, value);
    tell_access(m, address, bytes, true, value);
    after_bus(m);
    return ok;
}

/* Cortex-M4 TRM 3.7: each word of the alias is a bit of the first megabyte. */
static bool bit_band(uint32_t address, uint32_t *word, unsigned *bit)
{
    uint32_t offset;

    if (address - BIT_BAND_SRAM >= BIT_BAND_SIZE && address - BIT_BAND_PERIPHERAL >= BIT_BAND_SIZE)
        return false;
    offset = address & (BIT_BAND_SIZE - 1);
    *word = (address & 0xF0000000u) | (offset >> 5 & ~3u);
    *bit = offset >> 2 & 31;
    return true;
}

static bool aligned_read(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t *value)
{
    uint32_t word;
    unsigned bit;

    if (!bit_band(address, &word, &bit))
        return plain_read(m, address, bytes, priv, value);
    if (!plain_read(m, word, 4, priv, value))
        return false;
    *value = *value >> bit & 1;
    return true;
}

static bool aligned_write(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t value)
{
    uint32_t word, old;
    unsigned bit;

    if (!bit_band(address, &word, &bit))
        return plain_write(m, address, bytes, priv, value);
    return plain_read(m, word, 4, priv, &old) &&
           plain_write(m, word, 4, priv, (old & ~(1u << bit)) | (value & 1) << bit);
}

bool memory_word_read(struct machine *m, uint32_t address, uint32_t *value)
{
    return aligned_read(m, address & ~3u, 4, true, value);
}

bool memory_word_write(struct machine *m, uint32_t address, uint32_t value)
{
    return aligned_write(m, address & ~3u, 4, true, value);
}

/* ---- What checks accesses: the watch, MPU and DWT ---- */

static void open_direct_path(struct cpu *c, bool open)
{
    const struct cpu_watch *watch = c->engine->watch;

    c->direct_sram_bytes = !open ? 0 : UNLIKELY(watch) ? watch->direct_bytes[WATCH_LOAD] : SRAM_SIZE;
    c->direct_sram_stores = !open ? 0 : UNLIKELY(watch) ? watch->direct_bytes[WATCH_STORE] : SRAM_SIZE;
}

void memory_watch_reset(struct machine *m)
{
    const struct cpu_watch *watch = m->cpu.engine->watch;

    if (watch)
        watch->reset(watch->context);
    memory_path_changed(m);
}

void memory_path_changed(struct machine *m)
{
    struct cpu *c = &m->cpu;
    bool mpu_looks, fetches;

    if (UNLIKELY(c->engine->watch))
        c->engine->watch->changed(c->engine->watch->context, m);
    if (LIKELY(!(c->mpu_ctrl | c->mpu_guards | (c->demcr & DEMCR_TRCENA) | c->guarded |
                 (c->attention & ATTEND_FETCH)))) {
        open_direct_path(c, true);
        return;
    }
    c->mpu_guards = mpu_in_force(c, c->mpu_ctrl && exception_execution_priority(c) < 0);
    mpu_looks = c->mpu_guards && !(c->engine->mpu_spares_memories && privileged(c));
    c->guarded = mpu_looks || dwt_watches_data(c);
    open_direct_path(c, !c->guarded);
    fetches = mpu_looks || dwt_watches_code(c);
    c->attention = (c->attention & ~(uint32_t)ATTEND_FETCH) | (fetches ? ATTEND_FETCH : 0);
}

static bool permitted(struct machine *m, uint32_t address, bool priv, unsigned right)
{
    struct fault *fault = &m->cpu.engine->fault;

    if (LIKELY(!m->cpu.mpu_guards) || mpu_permits(m, address, priv, right))
        return true;
    machine_report(m, REPORT_WARNING, "the MPU forbids %s 0x%08x to %s code",
                   right == MPU_WRITE ? "writing" : "reading", address, priv ? "privileged" : "unprivileged");
    fault->cfsr = CFSR_DACCVIOL | CFSR_MMARVALID;
    fault->address = address;
    return false;
}

struct stack_access stack_access_of(const struct cpu *c, bool is_privileged)
{
    return (struct stack_access){
        .privileged = is_privileged,
        .guarded = c->mpu_ctrl && mpu_in_force(c, exception_execution_priority(c) < 0),
    };
}

enum stack_result stack_read(struct machine *m, struct stack_access who, uint32_t address, uint32_t *value)
{
    if (who.guarded && !mpu_permits(m, address, who.privileged, MPU_READ))
        return STACK_DENIED;
    return memory_word_read(m, address, value) ? STACK_DONE : STACK_BUS_ERROR;
}

enum stack_result stack_write(struct machine *m, struct stack_access who, uint32_t address, uint32_t value)
{
    if (who.guarded && !mpu_permits(m, address, who.privileged, MPU_WRITE))
        return STACK_DENIED;
    return memory_word_write(m, address, value) ? STACK_DONE : STACK_BUS_ERROR;
}

/* Device and strongly-ordered regions take no unaligned access (A3.2.1). */
static bool normal_memory(uint32_t address)
{
    return address < 0x40000000u || (address >= 0x60000000u && address < 0xA0000000u);
}

static bool alignment_fault(struct machine *m, uint32_t address, unsigned bytes, unsigned flags)
{
    if (address % bytes == 0)
        return false;
    if (!(flags & ACCESS_ALIGNED) && !(m->cpu.ccr & CCR_UNALIGN_TRP) && normal_memory(address))
        return false;
    m->cpu.engine->fault.cfsr = CFSR_UNALIGNED;
    m->cpu.engine->fault.address = address;
    return true;
}

/* CCR.BFHFNMIGN: handlers at priority -1 and -2 probe the bus without faulting. */
static bool bus_fault(struct machine *m, uint32_t address)
{
    struct cpu *c = &m->cpu;

    if ((c->ccr & CCR_BFHFNMIGN) && exception_execution_priority(c) < 0)
        return true;
    c->engine->fault.cfsr = CFSR_PRECISERR | CFSR_BFARVALID;
    c->engine->fault.address = address;
    return false;
}

/* Each part of an unaligned access is checked by itself. */
static bool read_part(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t *value)
{
    return permitted(m, address, priv, MPU_READ) &&
           (aligned_read(m, address, bytes, priv, value) || bus_fault(m, address));
}

static bool write_part(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t value)
{
    return permitted(m, address, priv, MPU_WRITE) &&
           (aligned_write(m, address, bytes, priv, value) || bus_fault(m, address));
}

static bool read_all(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t *value)
{
    uint32_t byte = 0;

    if (address % bytes == 0)
        return read_part(m, address, bytes, priv, value);
    m->cycles++;
    for (unsigned i = 0; i < bytes; i++) {
        if (!read_part(m, address + i, 1, priv, &byte))
            return false;
        *value |= byte << 8 * i;
    }
    return true;
}

static bool write_all(struct machine *m, uint32_t address, unsigned bytes, bool priv, uint32_t value)
{
    if (address % bytes == 0)
        return write_part(m, address, bytes, priv, value);
    m->cycles++;
    for (unsigned i = 0; i < bytes; i++) {
        if (!write_part(m, address + i, 1, priv, value >> 8 * i & 0xFF))
            return false;
    }
    return true;
}

/* Objects are no smaller than what is accessed at once, so the first and the last byte tell. */
static void watch_access(struct machine *m, uint32_t address, unsigned bytes, unsigned how)
{
    const struct cpu_watch *watch = m->cpu.engine->watch;
    uint32_t offset = address - SRAM_BASE, last = offset + bytes - 1, word;
    unsigned bit;

    if (bit_band(address, &word, &bit) && word - SRAM_BASE < SRAM_SIZE)
        offset = last = word - SRAM_BASE + bit / 8;
    if (offset >= SRAM_SIZE || last >= SRAM_SIZE)
        return;
    if (watch->denied[how] >> watch->classes[offset] & 1)
        last = offset;
    else if (!(watch->denied[how] >> watch->classes[last] & 1))
        return;
    watch->touched(watch->context, m, SRAM_BASE + last, how == WATCH_STORE);
    after_bus(m);
}

/* False: this path is not for the access. */
static inline bool watched_load(struct machine *m, uint32_t address, unsigned bytes, unsigned flags,
                                uint32_t *value)
{
    uint32_t offset = address - SRAM_BASE;

    watch_access(m, address, bytes, WATCH_LOAD);
    if (m->cpu.guarded || (flags & ACCESS_UNPRIVILEGED) || offset >= SRAM_SIZE || offset % bytes != 0)
        return false;
    memcpy(value, m->sram + offset, bytes);
    return true;
}

static inline bool watched_store(struct machine *m, uint32_t address, unsigned bytes, unsigned flags,
                                 uint32_t value)
{
    uint32_t offset = address - SRAM_BASE;

    watch_access(m, address, bytes, WATCH_STORE);
    if (m->cpu.guarded || (flags & ACCESS_UNPRIVILEGED) || offset >= SRAM_SIZE || offset % bytes != 0)
        return false;
    memcpy(m->sram + offset, &value, bytes);
    sram_written(m, address, bytes);
    return true;
}

bool memory_read(struct machine *m, uint32_t address, unsigned bytes, unsigned flags, uint32_t *value)
{
    bool priv = privileged(&m->cpu) && !(flags & ACCESS_UNPRIVILEGED);

    *value = 0;
    if (m->cpu.engine->watch && watched_load(m, address, bytes, flags, value))
        return true;
    if (alignment_fault(m, address, bytes, flags) || !read_all(m, address, bytes, priv, value))
        return false;
    if (UNLIKELY(m->cpu.guarded))
        dwt_data_accessed(m, address, bytes, false, *value);
    return true;
}

bool memory_write(struct machine *m, uint32_t address, unsigned bytes, unsigned flags, uint32_t value)
{
    bool priv = privileged(&m->cpu) && !(flags & ACCESS_UNPRIVILEGED);

    if (m->cpu.engine->watch && watched_store(m, address, bytes, flags, value))
        return true;
    if (alignment_fault(m, address, bytes, flags) || !write_all(m, address, bytes, priv, value))
        return false;
    if (UNLIKELY(m->cpu.guarded))
        dwt_data_accessed(m, address, bytes, true, value);
    return true;
}
