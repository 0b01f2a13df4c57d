/* The memory protection unit: its registers, and what they allow (B3.5). */
#include "engine.h"

/* Offsets in the SCS */
enum { MPU_TYPE = 0xD90, MPU_CTRL = 0xD94, MPU_RNR = 0xD98, MPU_RBAR = 0xD9C };

enum {
    CTRL_ENABLE = 1 << 0,
    CTRL_HFNMIENA = 1 << 1,
    CTRL_PRIVDEFENA = 1 << 2,
    CTRL_WRITABLE = CTRL_ENABLE | CTRL_HFNMIENA | CTRL_PRIVDEFENA,
    RBAR_VALID = 1 << 4,
    RASR_ENABLE = 1 << 0,
    RASR_WRITABLE = 0x173FFF3F,
    SMALLEST_REGION = 5,    /* bits of address: 32 bytes */
    SMALLEST_DIVISIBLE = 8, /* with sub-regions */
    PPB_TOP = 0xE00,        /* address bits 31:20 of the private peripheral bus, which the MPU lets alone */
    SYSTEM_SPACE = 0xE0000000,
    ALL = MPU_READ | MPU_WRITE | MPU_EXECUTE,
};

bool mpu_in_force(const struct cpu *c, bool negative_priority)
{
    return (c->mpu_ctrl & CTRL_ENABLE) && ((c->mpu_ctrl & CTRL_HFNMIENA) || !negative_priority);
}

/* ---- What is allowed where ---- */

/* CheckPermission() of B3.5.3: privileged rights, then unprivileged ones; 4 is UNPREDICTABLE */
static uint8_t rights_of(uint32_t rasr)
{
    enum { NONE = 0, RO = MPU_READ | MPU_EXECUTE, RW = RO | MPU_WRITE };
    static const uint8_t rights[8] = {
        NONE, RW, RW | RO << UNPRIVILEGED_SHIFT, RW | RW << UNPRIVILEGED_SHIFT,
        NONE, RO, RO | RO << UNPRIVILEGED_SHIFT, RO | RO << UNPRIVILEGED_SHIFT,
    };
    const uint8_t execute = MPU_EXECUTE | MPU_EXECUTE << UNPRIVILEGED_SHIFT;
    uint8_t allowed = rights[rasr >> 24 & 7];

    return rasr >> 28 & 1 ? allowed & (uint8_t)~execute : allowed;
}

static unsigned size_bits(uint32_t rasr)
{
    return (rasr >> 1 & 31) + 1;
}

static bool region_holds(const uint32_t region[2], uint32_t address)
{
    uint32_t rbar = region[0], rasr = region[1];
    unsigned bits = size_bits(rasr);

    if (!(rasr & RASR_ENABLE) || bits < SMALLEST_REGION)
        return false;
    if (bits < 32 && (address ^ rbar) >> bits != 0)
        return false;
    return bits < SMALLEST_DIVISIBLE || !(rasr >> (8 + (address >> (bits - 3) & 7)) & 1);
}

/* ValidateAddress() of B3.5.3: the region of the highest number decides. */
static uint8_t look_up(const struct cpu *c, uint32_t address)
{
    uint8_t allowed = c->mpu_ctrl & CTRL_PRIVDEFENA ? ALL : 0;

    if (address >> 20 == PPB_TOP)
        return (MPU_READ | MPU_WRITE) | (MPU_READ | MPU_WRITE) << UNPRIVILEGED_SHIFT;
    for (unsigned i = 0; i < MPU_REGIONS; i++) {
        if (region_holds(c->mpu_region[i], address))
            allowed = rights_of(c->mpu_region[i][1]);
    }
    if (address >= SYSTEM_SPACE)
        allowed &= (uint8_t) ~(MPU_EXECUTE | MPU_EXECUTE << UNPRIVILEGED_SHIFT);
    return allowed;
}

void mpu_fill_cache(struct machine *m, struct mpu_cache *entry, uint32_t address)
{
    entry->tag = (address >> MPU_GRANULE_SHIFT) + 1;
    entry->rights = look_up(&m->cpu, address);
}

static bool region_touches(const uint32_t region[2], uint32_t base, uint32_t size)
{
    unsigned bits = size_bits(region[1]);
    uint64_t first = bits < 32 ? region[0] >> bits << bits : 0, end = first + (1ull << bits);

    return (region[1] & RASR_ENABLE) && bits >= SMALLEST_REGION && first < (uint64_t)base + size &&
           end > base;
}

/* A guard below the stack is such a case: then each access need not be looked at. */
static bool spares_memories(const struct cpu *c)
{
    if (!(c->mpu_ctrl & CTRL_PRIVDEFENA))
        return false;
    for (unsigned i = 0; i < MPU_REGIONS; i++) {
        const uint32_t *region = c->mpu_region[i];
        if (region_touches(region, 0, FLASH_SIZE) || region_touches(region, FLASH_BASE, FLASH_SIZE) ||
            region_touches(region, SRAM_BASE, SRAM_SIZE))
            return false;
    }
    return true;
}

void mpu_forget(struct machine *m)
{
    memset(m->cpu.engine->mpu_cache, 0, sizeof m->cpu.engine->mpu_cache);
    m->cpu.engine->mpu_spares_memories = spares_memories(&m->cpu);
}

/* ---- Registers (B3.5.5 to B3.5.10) ---- */

/* RBAR, RASR and their aliases A1 to A3 */
static bool is_base(uint32_t offset)
{
    return (offset - MPU_RBAR) % 8 == 0;
}

uint32_t mpu_read(const struct cpu *c, uint32_t offset)
{
    switch (offset) {
    case MPU_TYPE: return MPU_REGIONS << 8;
    case MPU_CTRL: return c->mpu_ctrl;
    case MPU_RNR: return c->mpu_rnr;
    default: break;
    }
    return is_base(offset) ? c->mpu_region[c->mpu_rnr][0] | c->mpu_rnr : c->mpu_region[c->mpu_rnr][1];
}

static void write_ctrl(struct machine *m, uint32_t value)
{
    m->cpu.mpu_ctrl = value & CTRL_WRITABLE;
    if ((value & CTRL_WRITABLE) == CTRL_HFNMIENA ||
        (value & CTRL_WRITABLE) == (CTRL_HFNMIENA | CTRL_PRIVDEFENA))
        machine_report(m, REPORT_WARNING, "MPU_CTRL.HFNMIENA without ENABLE is unpredictable");
}

static void write_base(struct cpu *c, uint32_t value)
{
    if (value & RBAR_VALID)
        c->mpu_rnr = value % MPU_REGIONS;
    c->mpu_region[c->mpu_rnr][0] = value & 0xFFFFFFE0u;
}

static void write_size(struct machine *m, uint32_t value)
{
    struct cpu *c = &m->cpu;
    uint32_t *region = c->mpu_region[c->mpu_rnr];
    unsigned bits = size_bits(value);

    region[1] = value & RASR_WRITABLE;
    if (!(value & RASR_ENABLE))
        return;
    if (bits < SMALLEST_REGION || (bits < SMALLEST_DIVISIBLE && (value >> 8 & 0xFF) != 0))
        machine_report(m, REPORT_WARNING, "MPU_RASR %08x: unpredictable SIZE, or sub-regions below 256 bytes",
                       value);
    else if (bits < 32 && region[0] << (32 - bits) != 0)
        machine_report(m, REPORT_WARNING, "MPU region %u: base %08x is no multiple of its size", c->mpu_rnr,
                       region[0]);
    if ((value >> 24 & 7) == 4)
        machine_report(m, REPORT_WARNING, "MPU_RASR %08x: AP 4 is unpredictable", value);
}

void mpu_write(struct machine *m, uint32_t offset, uint32_t value)
{
    struct cpu *c = &m->cpu;

    switch (offset) {
    case MPU_TYPE: return;
    case MPU_CTRL: write_ctrl(m, value); break;
    case MPU_RNR: c->mpu_rnr = value % MPU_REGIONS; return;
    default:
        if (is_base(offset))
            write_base(c, value);
        else
            write_size(m, value);
    }
    mpu_forget(m);
    memory_path_changed(m);
}
